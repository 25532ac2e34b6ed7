//! Query, invalidate and terminate: the operations that only name objects.
//!
//! Terminate takes children first, whatever the order of the call; its answers stand in the
//! order of the call. Invalidate does not copy its mark to dependents: what a frame needs is
//! looked up when it is sent.

use abi::host::status::{Kind, Status};
use host_driver::{ConnectionState, NeighborState, PathState};

use super::Oracle;
use super::command::{Name, Named};
use super::report::{Answer, Report};

/// What a query gives back for one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its variables.
    pub state: FoundState,
    /// Whether it was itself invalidated.
    pub invalid: bool,
    /// Objects that hang from it.
    pub dependents: u32,
    /// What it hangs from; `None` for a neighbor.
    pub parent: Option<Name>,
}

/// Variables of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum FoundState {
    /// A neighbor's. Ages are as they were last given.
    Neighbor(NeighborState),
    /// A path's.
    Path(PathState),
    /// A connection's.
    Connection(Box<ConnectionState>),
}

impl Oracle {
    /// Carries out a query tree: a status a block.
    #[must_use]
    pub fn query(&self, named: &[Named]) -> Report {
        let blocks = named.iter().map(|(kind, name)| self.must_live(*name, *kind).into()).collect();
        Report { blocks, ..Report::default() }
    }

    /// What a query of `name` gives back; `None` when it is not on the card.
    #[must_use]
    pub fn find(&self, name: Name) -> Option<Found> {
        let (state, parent) = if let Some(object) = self.neighbors.get(&name) {
            (FoundState::Neighbor(object.state), None)
        } else if let Some(object) = self.paths.get(&name) {
            (FoundState::Path(object.state), Some(object.neighbor))
        } else {
            let object = self.connections.get(&name)?;
            (FoundState::Connection(Box::new(object.state)), Some(object.path))
        };
        let dependents =
            u32::try_from(self.dependents(name)).expect("tables hold less than 2^30 objects");
        Some(Found { state, invalid: self.is_invalid(name), dependents, parent })
    }

    /// Carries out an invalidate tree.
    pub fn invalidate(&mut self, named: &[Named]) -> Report {
        let mut report = Report::default();
        for (kind, name) in named {
            let own = self.must_live(*name, *kind);
            if own.is_ok() {
                self.mark_invalid(*name);
            }
            report.blocks.push(own.into());
        }
        report
    }

    /// Carries out a terminate tree.
    pub fn terminate(&mut self, named: &[Named]) -> Report {
        let blocks = vec![Answer::of(Status::NONE); named.len()];
        let mut report = Report { blocks, ..Report::default() };
        for level in [Kind::CONNECTION, Kind::PATH, Kind::NEIGHBOR] {
            for (block, (_, name)) in
                named.iter().enumerate().filter(|(_, (kind, _))| *kind == level)
            {
                report.blocks[block] =
                    self.terminate_one(*name, level, &mut report.released).into();
            }
        }
        report
    }

    fn terminate_one(
        &mut self,
        name: Name,
        kind: Kind,
        released: &mut Vec<super::Released>,
    ) -> Result<(), Status> {
        self.must_live(name, kind)?;
        if self.dependents(name) > 0 {
            return Err(Status::HAS_DEPENDENTS);
        }
        released.extend(self.drop_held(name));
        self.neighbors.remove(&name);
        self.paths.remove(&name);
        self.connections.remove(&name);
        Ok(())
    }

    fn mark_invalid(&mut self, name: Name) {
        if let Some(object) = self.neighbors.get_mut(&name) {
            object.invalid = true;
        }
        if let Some(object) = self.paths.get_mut(&name) {
            object.invalid = true;
        }
        if let Some(object) = self.connections.get_mut(&name) {
            object.invalid = true;
        }
    }
}
