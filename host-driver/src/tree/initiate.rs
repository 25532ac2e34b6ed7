//! Initiate trees: neighbors, under them paths, under them connections.
//!
//! Three sorts of block (`chimney` 1.3): with state, a new object; with a handle only, a linker
//! to one that is on the card; with neither, a placeholder.

use abi::host::command::{ConnectionDelegated, Flag, Opcode};
use abi::host::handle::Handle;
use abi::host::status::Kind;

use super::{Slots, Tree};
use crate::state::{ConnectionState, NeighborState, PathState};

const ALL: u16 = Flag::CONST.0 | Flag::CACHED.0 | Flag::DELEGATED.0;
const PATH_CLASSES: u16 = Flag::CONST.0 | Flag::CACHED.0;
/// Slots of a connection with all its state.
const CONNECTION_SLOTS: usize = 4;

/// Builds an initiate tree.
#[derive(Debug)]
pub struct Initiate {
    slots: Slots,
}

/// A neighbor block; paths are made under it.
#[derive(Debug)]
pub struct NeighborBlock<'a> {
    slots: &'a mut Slots,
    block: usize,
}

/// A path block; connections are made under it.
#[derive(Debug)]
pub struct PathBlock<'a> {
    slots: &'a mut Slots,
    block: usize,
}

impl Default for Initiate {
    fn default() -> Self {
        Self::with_capacity(1)
    }
}

impl Initiate {
    /// An empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty tree with room for `blocks` neighbor and path blocks (a connection takes four).
    #[must_use]
    pub fn with_capacity(blocks: usize) -> Self {
        Self { slots: Slots::new(Opcode::INITIATE, blocks) }
    }

    /// A new neighbor.
    pub fn neighbor(&mut self, state: &NeighborState) -> NeighborBlock<'_> {
        self.neighbor_block(ALL, Handle::NULL, Some(state))
    }

    /// A neighbor that is on the card, to hang new paths from.
    pub fn neighbor_linker(&mut self, handle: Handle) -> NeighborBlock<'_> {
        self.neighbor_block(0, handle, None)
    }

    /// State for a neighbor that has a handle already: the card refuses it, and changes nothing.
    pub fn neighbor_again(&mut self, handle: Handle, state: &NeighborState) -> NeighborBlock<'_> {
        self.neighbor_block(ALL, handle, Some(state))
    }

    /// A block that only carries links: below it stand linkers to paths of any neighbor.
    pub fn placeholder(&mut self) -> NeighborBlock<'_> {
        self.neighbor_block(Flag::PLACEHOLDER.0, Handle::NULL, None)
    }

    /// A path that is on the card, as a root: new connections hang from it.
    pub fn path_linker_root(&mut self, handle: Handle) -> PathBlock<'_> {
        path_block(&mut self.slots, Flag::ROOT.0, handle, None)
    }

    /// State for a path that has a handle already, as a root: the card refuses it.
    pub fn path_again_root(&mut self, handle: Handle, state: &PathState) -> PathBlock<'_> {
        path_block(&mut self.slots, Flag::ROOT.0 | PATH_CLASSES, handle, Some(state))
    }

    fn neighbor_block(
        &mut self,
        flags: u16,
        handle: Handle,
        state: Option<&NeighborState>,
    ) -> NeighborBlock<'_> {
        let block = self.slots.block(Kind::NEIGHBOR, flags | Flag::ROOT.0, handle, |words| {
            if let Some(state) = state {
                state.variables().write(words);
            }
        });
        NeighborBlock { slots: &mut self.slots, block }
    }
}

impl NeighborBlock<'_> {
    /// Number of this block in the tree.
    #[must_use]
    pub const fn block(&self) -> usize {
        self.block
    }

    /// A new path of this neighbor.
    // Inlined, with what is below it: the state is most often put together for this call, and as
    // a whole it would go through memory once more.
    #[inline]
    pub fn path(&mut self, state: &PathState) -> PathBlock<'_> {
        path_block(self.slots, PATH_CLASSES, Handle::NULL, Some(state))
    }

    /// A path of this neighbor that is on the card, to hang new connections from.
    #[inline]
    pub fn path_linker(&mut self, handle: Handle) -> PathBlock<'_> {
        path_block(self.slots, 0, handle, None)
    }

    /// State for a path that has a handle already: the card refuses it, and changes nothing.
    pub fn path_again(&mut self, handle: Handle, state: &PathState) -> PathBlock<'_> {
        path_block(self.slots, PATH_CLASSES, handle, Some(state))
    }

    /// A block that only carries links: below it stand linkers to connections.
    pub fn path_placeholder(&mut self) -> PathBlock<'_> {
        path_block(self.slots, Flag::PLACEHOLDER.0, Handle::NULL, None)
    }
}

impl PathBlock<'_> {
    /// Number of this block in the tree.
    #[must_use]
    pub const fn block(&self) -> usize {
        self.block
    }

    /// A new connection of this path; gives its block number.
    pub fn connection(&mut self, state: &ConnectionState) -> usize {
        self.connection_block(Handle::NULL, state)
    }

    /// State for a connection that has a handle already: the card refuses it.
    pub fn connection_again(&mut self, handle: Handle, state: &ConnectionState) -> usize {
        self.connection_block(handle, state)
    }

    /// A connection that is on the card, named only; gives its block number.
    pub fn connection_linker(&mut self, handle: Handle) -> usize {
        self.slots.block(Kind::CONNECTION, 0, handle, |_| {})
    }

    fn connection_block(&mut self, handle: Handle, state: &ConnectionState) -> usize {
        self.slots.reserve(CONNECTION_SLOTS);
        let block = self.slots.block(Kind::CONNECTION, ALL | Flag::MORE.0, handle, |words| {
            state.constant.write(words);
        });
        let mut cached = [0; 8];
        state.cached.write(&mut cached);
        self.slots.continuation(Kind::CONNECTION, &cached, true);
        let mut delegated = [0; ConnectionDelegated::BYTES / 4];
        state.delegated.write(&mut delegated);
        let (first, second) = delegated.split_at(delegated.len() / 2);
        self.slots.continuation(Kind::CONNECTION, first, true);
        self.slots.continuation(Kind::CONNECTION, second, false);
        block
    }
}

#[inline]
fn path_block<'a>(
    slots: &'a mut Slots,
    flags: u16,
    handle: Handle,
    state: Option<&PathState>,
) -> PathBlock<'a> {
    let family = state.map_or(0, PathState::flags);
    let block = slots.block(Kind::PATH, flags | family, handle, |words| {
        if let Some(state) = state {
            state.variables().write(words);
        }
    });
    PathBlock { slots, block }
}

impl From<Initiate> for Tree {
    fn from(tree: Initiate) -> Self {
        tree.slots.seal(None)
    }
}
