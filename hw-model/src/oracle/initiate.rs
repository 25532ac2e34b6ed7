//! Initiate: new objects and linkers, parents first, partial success.
//!
//! Statuses follow `chimney` 1.3 and 3.1 and design section 12. A block that failed has its
//! dependents marked failed untried; the walk goes on with the next sibling.

use abi::host::limit;
use abi::host::status::{Detail, Kind, Status};
use host_driver::{ConnectionState, NeighborState, PathState};

use super::command::{
    ConnectionNode, InitiateRoot, Name, NeighborNode, NeighborWhat, PathNode, PathWhat,
};
use super::report::{Answer, Report};
use super::{ConnectionObject, NeighborObject, Oracle, PathObject};

/// What stands above a block.
#[derive(Clone, Copy)]
enum Above {
    Nothing,
    Placeholder,
    Object(Name),
    Failed,
}

impl Oracle {
    /// Carries out an initiate tree.
    pub fn initiate(&mut self, roots: &[InitiateRoot]) -> Report {
        let mut report = Report::default();
        for root in roots {
            match root {
                InitiateRoot::Neighbor(node) => self.initiate_neighbor(node, &mut report),
                InitiateRoot::Path { linker, connections } => {
                    let node = PathNode {
                        what: PathWhat::Linker(*linker),
                        connections: connections.clone(),
                    };
                    self.initiate_path(&node, Above::Nothing, &mut report);
                }
            }
        }
        report
    }

    fn initiate_neighbor(&mut self, node: &NeighborNode, report: &mut Report) {
        let place = reserve(report);
        let (own, above) = match &node.what {
            NeighborWhat::New(name, state) => {
                let own = self.new_neighbor(*name, state);
                (own.clone(), above_of(&own, *name))
            }
            NeighborWhat::Linker(name) => {
                let own = Answer::from(self.must_be_valid(*name, Kind::NEIGHBOR));
                (own.clone(), above_of(&own, *name))
            }
            NeighborWhat::Placeholder => (Answer::of(Status::SUCCESS), Above::Placeholder),
        };
        let mut below = Vec::new();
        for path in &node.paths {
            below.push(self.initiate_path(path, above, report));
        }
        report.blocks[place] = match node.what {
            NeighborWhat::Placeholder => own,
            NeighborWhat::New(..) => with_dependents(own, &below),
            NeighborWhat::Linker(_) => linker(own, &below),
        };
    }

    fn initiate_path(&mut self, node: &PathNode, above: Above, report: &mut Report) -> Status {
        let place = reserve(report);
        let (own, name) = match &node.what {
            PathWhat::New(name, state) => (self.new_path(*name, state, above), *name),
            PathWhat::Linker(name) => (self.link_path(*name, above), *name),
        };
        let mut below = Vec::new();
        for connection in &node.connections {
            let answer = self.new_connection(connection, above_of(&own, name));
            below.push(answer.status);
            report.blocks.push(answer);
        }
        report.blocks[place] = match node.what {
            PathWhat::New(..) => with_dependents(own, &below),
            PathWhat::Linker(_) => linker(own, &below),
        };
        report.blocks[place].status
    }

    fn new_neighbor(&mut self, name: Name, state: &NeighborState) -> Answer {
        if u32::from(state.vlan) > limit::VLAN_MAX {
            return Answer::failure(Detail::RANGE);
        }
        if self.neighbors.len() == self.sizes.neighbors {
            return Answer::of(Status::NEIGHBOR_ENTRIES);
        }
        let macs = self.source_macs();
        let is_new_mac = !self.is_own_mac(&state.source) && !macs.contains(&state.source);
        if is_new_mac && macs.len() == self.sizes.source_macs {
            return Answer::of(Status::HW_ADDRESS_ENTRIES);
        }
        let vlans = self.vlans();
        if state.vlan != 0 && !vlans.contains(&state.vlan) && vlans.len() == self.sizes.vlans {
            return Answer::of(Status::VLAN_ENTRIES);
        }
        let interface = &self.sizes.port_vlans;
        if state.vlan != 0 && !interface.is_empty() && !interface.contains(&state.vlan) {
            return Answer::of(Status::VLAN_MISMATCH);
        }
        self.kinds.insert(name, Kind::NEIGHBOR);
        self.neighbors.insert(name, NeighborObject { state: *state, invalid: false });
        Answer::of(Status::SUCCESS)
    }

    fn new_path(&mut self, name: Name, state: &PathState, above: Above) -> Answer {
        let neighbor = match above {
            Above::Failed => return Answer::failure(Detail::PARENT),
            Above::Nothing | Above::Placeholder => return Answer::failure(Detail::POSITION),
            Above::Object(neighbor) => neighbor,
        };
        if !is_path_mtu(state, state.mtu) {
            return Answer::of(Status::PATH_MTU);
        }
        if self.paths.len() == self.sizes.paths {
            return Answer::of(Status::PATH_ENTRIES);
        }
        self.kinds.insert(name, Kind::PATH);
        let held = std::collections::VecDeque::new();
        self.paths.insert(name, PathObject { state: *state, invalid: false, neighbor, held });
        Answer::of(Status::SUCCESS)
    }

    fn link_path(&self, name: Name, above: Above) -> Answer {
        if let Above::Failed = above {
            return Answer::failure(Detail::PARENT);
        }
        if let Err(status) = self.must_be_valid(name, Kind::PATH) {
            return Answer::of(status);
        }
        match above {
            Above::Object(neighbor) if self.neighbor_of(name) != Some(neighbor) => {
                Answer::failure(Detail::LINK)
            }
            _ => Answer::of(Status::SUCCESS),
        }
    }

    fn new_connection(&mut self, (name, state): &ConnectionNode, above: Above) -> Answer {
        let Above::Object(path) = above else { return Answer::failure(Detail::PARENT) };
        if !is_offloadable(state) {
            return Answer::of(Status::CONNECTION_REJECTED);
        }
        if self.connections.len() == self.sizes.connections {
            return Answer::of(Status::TCP_ENTRIES);
        }
        if self.connections.len() == self.sizes.states {
            return Answer::of(Status::RESOURCES);
        }
        self.kinds.insert(*name, Kind::CONNECTION);
        self.connections.insert(*name, ConnectionObject { state: *state, invalid: false, path });
        Answer::of(Status::SUCCESS)
    }
}

/// Whether `mtu` is one that the path's IP version and the card can have.
pub(super) fn is_path_mtu(path: &PathState, mtu: u32) -> bool {
    let min = if path.destination.is_ipv4() { limit::MTU_MIN_IPV4 } else { limit::MTU_MIN_IPV6 };
    (min..=limit::MTU_MAX).contains(&mtu)
}

fn is_offloadable(state: &ConnectionState) -> bool {
    abi::host::command::TcpState(state.delegated.state).may_be_offloaded()
}

/// A place for the answer of a block whose dependents come first.
fn reserve(report: &mut Report) -> usize {
    report.blocks.push(Answer::of(Status::NONE));
    report.blocks.len() - 1
}

fn above_of(own: &Answer, name: Name) -> Above {
    if own.status.is_done() { Above::Object(name) } else { Above::Failed }
}

/// Status of a new object: its own, less full when an immediate dependent failed.
fn with_dependents(own: Answer, below: &[Status]) -> Answer {
    let all = below.iter().all(|status| status.is_done());
    if own.status.is_done() && !all { Answer::of(Status::PARTIAL_SUCCESS) } else { own }
}

/// Status of a linker: that of its dependents, taken together.
fn linker(own: Answer, below: &[Status]) -> Answer {
    if !own.status.is_done() || below.iter().all(|status| status.is_done()) {
        return own;
    }
    let any = below.iter().any(|status| status.is_done());
    Answer::of(if any { Status::PARTIAL_SUCCESS } else { Status::FAILURE })
}
