//! The oracle: what a card must answer, in plain Rust.
//!
//! Beside the flow, not in it: tests give it the commands that they give a card, and compare.
//! It follows design sections 6 and 12 and nothing else; it is as simple as can be (maps and
//! counting loops), so that a reader can check it against the rules line by line.
//! It knows neither handles, slots, aliases nor time: objects have names that the caller chooses
//! and never reuses, and every command is carried out at once.
//! Invariant: a command that fails a block changes nothing for that block.

mod command;
mod frames;
mod initiate;
mod report;
mod update;
mod verbs;

pub use command::{
    ConnectionNode, InitiateRoot, Name, Named, NeighborNode, NeighborWhat, PathNode, PathWhat,
    Selected, UpdateRoot,
};
pub use frames::{Fate, Header, Released};
pub use report::{Answer, Report};
pub use verbs::{Found, FoundState};

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use abi::core::Capabilities;
use abi::core::table::STATE_BYTES;
use abi::host::status::{Kind, Status};
use host_driver::{ConnectionState, NeighborState, PathState};

use frames::HeldFrame;

/// What a card of given sizes must do.
#[derive(Clone, Debug)]
pub struct Oracle {
    sizes: Sizes,
    /// Every name that was ever on the card, with its kind.
    kinds: HashMap<Name, Kind>,
    neighbors: BTreeMap<Name, NeighborObject>,
    paths: BTreeMap<Name, PathObject>,
    connections: BTreeMap<Name, ConnectionObject>,
}

/// The capabilities and settings that answers depend on.
#[derive(Clone, Debug)]
struct Sizes {
    neighbors: usize,
    paths: usize,
    connections: usize,
    source_macs: usize,
    vlans: usize,
    /// Connections whose state fits the card's memory.
    states: usize,
    held_per_path: usize,
    held_total: usize,
    port_mac: [u8; 6],
    port_vlans: Vec<u16>,
}

#[derive(Clone, Debug)]
struct NeighborObject {
    state: NeighborState,
    invalid: bool,
}

#[derive(Clone, Debug)]
struct PathObject {
    state: PathState,
    invalid: bool,
    neighbor: Name,
    /// Frames that wait, oldest first: the path's own and its connections'.
    held: VecDeque<HeldFrame>,
}

#[derive(Clone, Debug)]
struct ConnectionObject {
    state: ConnectionState,
    invalid: bool,
    path: Name,
}

impl Oracle {
    /// An empty card with these capabilities, whose interface has `port_vlans`.
    #[must_use]
    pub fn new(capabilities: &Capabilities, port_vlans: &[u16]) -> Self {
        let sizes = Sizes {
            neighbors: capabilities.neighbors as usize,
            paths: capabilities.paths as usize,
            connections: capabilities.connections as usize,
            source_macs: capabilities.source_macs as usize,
            vlans: capabilities.vlans as usize,
            states: (capabilities.state_memory / STATE_BYTES) as usize,
            held_per_path: capabilities.held_per_path as usize,
            held_total: capabilities.held_total as usize,
            port_mac: capabilities.port_mac,
            port_vlans: port_vlans.to_vec(),
        };
        Self {
            sizes,
            kinds: HashMap::new(),
            neighbors: BTreeMap::new(),
            paths: BTreeMap::new(),
            connections: BTreeMap::new(),
        }
    }

    /// The card forgets everything; names stay known and are stale.
    pub fn reset(&mut self) {
        self.neighbors.clear();
        self.paths.clear();
        self.connections.clear();
    }

    /// Kind of a name that was ever on the card.
    #[must_use]
    pub fn kind(&self, name: Name) -> Option<Kind> {
        self.kinds.get(&name).copied()
    }

    /// Whether the object is on the card.
    #[must_use]
    pub fn is_live(&self, name: Name) -> bool {
        self.neighbors.contains_key(&name)
            || self.paths.contains_key(&name)
            || self.connections.contains_key(&name)
    }

    /// Names that are on the card, of one kind.
    #[must_use]
    pub fn live(&self, kind: Kind) -> Vec<Name> {
        match kind {
            Kind::NEIGHBOR => self.neighbors.keys().copied().collect(),
            Kind::PATH => self.paths.keys().copied().collect(),
            Kind::CONNECTION => self.connections.keys().copied().collect(),
            _ => Vec::new(),
        }
    }

    /// The neighbor that a path is linked to.
    #[must_use]
    pub fn neighbor_of(&self, path: Name) -> Option<Name> {
        self.paths.get(&path).map(|path| path.neighbor)
    }

    /// The path that a connection hangs from.
    #[must_use]
    pub fn path_of(&self, connection: Name) -> Option<Name> {
        self.connections.get(&connection).map(|connection| connection.path)
    }

    /// Objects that hang from `name`.
    #[must_use]
    pub fn dependents(&self, name: Name) -> usize {
        let paths = self.paths.values().filter(|path| path.neighbor == name).count();
        let connections =
            self.connections.values().filter(|connection| connection.path == name).count();
        paths + connections
    }

    /// The object must be of `kind` and on the card.
    fn must_live(&self, name: Name, kind: Kind) -> Result<(), Status> {
        if self.kinds.get(&name).is_some_and(|known| *known != kind) {
            return Err(Status::WRONG_KIND);
        }
        if self.is_live(name) { Ok(()) } else { Err(Status::STALE_HANDLE) }
    }

    /// The object must be of `kind`, on the card, and not itself invalidated.
    fn must_be_valid(&self, name: Name, kind: Kind) -> Result<(), Status> {
        self.must_live(name, kind)?;
        if self.is_invalid(name) { Err(Status::INVALID_OBJECT) } else { Ok(()) }
    }

    fn is_invalid(&self, name: Name) -> bool {
        self.neighbors.get(&name).is_some_and(|object| object.invalid)
            || self.paths.get(&name).is_some_and(|object| object.invalid)
            || self.connections.get(&name).is_some_and(|object| object.invalid)
    }

    /// Source MACs in use besides the port's own.
    fn source_macs(&self) -> BTreeSet<[u8; 6]> {
        let used = self.neighbors.values().map(|neighbor| neighbor.state.source);
        used.filter(|mac| !self.is_own_mac(mac)).collect()
    }

    fn vlans(&self) -> BTreeSet<u16> {
        self.neighbors
            .values()
            .map(|neighbor| neighbor.state.vlan)
            .filter(|vlan| *vlan != 0)
            .collect()
    }

    fn is_own_mac(&self, mac: &[u8; 6]) -> bool {
        *mac == [0; 6] || *mac == self.sizes.port_mac
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use abi::host::command::TcpState;

    use super::*;

    /// The worked example of `chimney` 3.1: N1, P1, T1, T2 (no room), P2 (hard failure), T3.
    #[test]
    fn the_partial_failure_example_gives_its_six_values() {
        let capabilities = Capabilities {
            neighbors: 1,
            paths: 2,
            connections: 1,
            aliases: 2,
            source_macs: 1,
            vlans: 1,
            state_memory: STATE_BYTES,
            command_rings: 1,
            transmit_rings: 1,
            ring_slots: 2,
            vectors: 1,
            held_per_path: 1,
            held_total: 1,
            clock_khz: 1,
            port_mac: [2; 6],
        };
        let address = IpAddr::from([10, 0, 0, 1]);
        let path = |mtu| PathState { source: address, destination: address, mtu };
        let mut connection = ConnectionState::default();
        connection.delegated.state = TcpState::ESTABLISHED.0;
        let paths = vec![
            PathNode {
                what: PathWhat::New(2, path(1500)),
                connections: vec![(3, connection), (4, connection)],
            },
            PathNode { what: PathWhat::New(5, path(1)), connections: vec![(6, connection)] },
        ];
        let what = NeighborWhat::New(1, NeighborState::default());
        let mut oracle = Oracle::new(&capabilities, &[]);
        let report = oracle.initiate(&[InitiateRoot::Neighbor(NeighborNode { what, paths })]);
        let statuses: Vec<_> = report.blocks.iter().map(|answer| answer.status).collect();
        let expected = [
            Status::PARTIAL_SUCCESS,
            Status::PARTIAL_SUCCESS,
            Status::SUCCESS,
            Status::TCP_ENTRIES,
            Status::PATH_MTU,
            Status::FAILURE,
        ];
        assert_eq!(statuses, expected);
        assert_eq!((oracle.is_live(2), oracle.is_live(5), oracle.dependents(1)), (true, false, 1));
    }
}
