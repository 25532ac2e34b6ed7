//! Commands as the oracle takes them: the trees of the five operations, with names for objects.
//!
//! What a host can say and nothing about how it is said. The tree types have the shape of the
//! rules: a path stands under a neighbor, a placeholder, or alone as a linker.

use host_driver::{ConnectionState, NeighborState, PathState};

/// What the caller calls an object. Never reused, not even when initiate failed.
pub type Name = u32;

/// A root of an initiate tree.
#[derive(Clone, Debug)]
pub enum InitiateRoot {
    /// A neighbor block with what hangs from it.
    Neighbor(NeighborNode),
    /// A path block without a neighbor block above: a linker.
    Path {
        /// The path, which is on the card.
        linker: Name,
        /// New connections under it.
        connections: Vec<ConnectionNode>,
    },
}

/// A neighbor block of an initiate tree.
#[derive(Clone, Debug)]
pub struct NeighborNode {
    /// What the block is.
    pub what: NeighborWhat,
    /// Blocks under it.
    pub paths: Vec<PathNode>,
}

/// What a neighbor block is.
#[derive(Clone, Debug)]
pub enum NeighborWhat {
    /// A new object.
    New(Name, NeighborState),
    /// An object that is on the card.
    Linker(Name),
    /// Links only.
    Placeholder,
}

/// A path block of an initiate tree.
#[derive(Clone, Debug)]
pub struct PathNode {
    /// What the block is.
    pub what: PathWhat,
    /// New connections under it.
    pub connections: Vec<ConnectionNode>,
}

/// What a path block is.
#[derive(Clone, Debug)]
pub enum PathWhat {
    /// A new object.
    New(Name, PathState),
    /// An object that is on the card.
    Linker(Name),
}

/// A connection block of an initiate tree: always a new object.
pub type ConnectionNode = (Name, ConnectionState);

/// A root of an update tree.
#[derive(Clone, Debug)]
pub enum UpdateRoot {
    /// A neighbor: new variables, or paths to link to it, or both.
    Neighbor {
        /// The neighbor.
        name: Name,
        /// Destination MAC and the age of the host's confirmation in ms.
        set: Option<([u8; 6], u32)>,
        /// Which paths move to it.
        relink: Selected,
    },
    /// A path's MTU.
    PathMtu(Name, u32),
    /// A connection's cached variables.
    Connection(Name, abi::host::command::ConnectionCached),
}

/// Paths that a neighbor's update block relinks.
#[derive(Clone, Debug)]
pub enum Selected {
    /// A block a path.
    Blocks(Vec<Name>),
    /// A list of handles.
    List(Vec<Name>),
    /// All paths of another neighbor.
    AllOf(Name),
}

/// An object as query, invalidate and terminate name it: the kind that the block says, the name.
pub type Named = (abi::host::status::Kind, Name);
