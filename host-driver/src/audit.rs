//! Audit: does the card hold what the host believes?
//!
//! Asks the card about objects in the shadow, a bounded tree at a time, and compares existence,
//! links and counts of dependents. Meant for quiet moments: an object that changes between the
//! look at the shadow and the card's answer shows as a difference.

use abi::host::handle::Handle;
use abi::host::status::{Kind, Status};

use crate::backing::Backing;
use crate::error::Error;
use crate::session::Session;
use crate::state::{ObjectHead, ObjectState};
use crate::tree::Query;

/// Objects in one query tree.
const TREE_BLOCKS: usize = 1024;
/// Differences that a report names; the others are counted.
const DIFFERENCES_MAX: usize = 64;

/// One thing in which card and host differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The host believes in an object that the card does not have.
    Missing {
        /// The object.
        handle: Handle,
        /// What the card said.
        status: Status,
    },
    /// It hangs from another parent.
    Parent {
        /// The object.
        handle: Handle,
        /// What the host believes.
        host: Handle,
        /// What the card says.
        card: Handle,
    },
    /// Another number of objects hangs from it.
    Dependents {
        /// The object.
        handle: Handle,
        /// What the host believes.
        host: u32,
        /// What the card says.
        card: u32,
    },
    /// One of the two believes that it was invalidated.
    Invalid {
        /// The object.
        handle: Handle,
        /// What the host believes.
        host: bool,
    },
}

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// Objects asked about.
    pub checked: usize,
    /// Differences found.
    pub different: usize,
    /// The first of them.
    pub differences: Vec<Difference>,
}

/// What the host believes of one object.
struct Belief {
    kind: Kind,
    handle: Handle,
    parent: Handle,
    dependents: u32,
    is_invalid: bool,
}

impl<B: Backing> Session<B> {
    /// Compares the shadow with the card, at most `most` objects of each kind, evenly picked.
    ///
    /// # Errors
    /// When the session fails.
    pub fn audit(&self, most: usize) -> Result<AuditReport, Error> {
        let mut report = AuditReport::default();
        for kind in [Kind::NEIGHBOR, Kind::PATH, Kind::CONNECTION] {
            let beliefs = self.beliefs(kind, most);
            for beliefs in beliefs.chunks(TREE_BLOCKS) {
                self.compare(beliefs, &mut report)?;
            }
        }
        Ok(report)
    }

    fn beliefs(&self, kind: Kind, most: usize) -> Vec<Belief> {
        let shadow = self.shadow();
        let step = shadow.len(kind).div_ceil(most.max(1)).max(1);
        let picked = shadow.handles(kind).step_by(step).map(|handle| Belief {
            kind,
            handle,
            parent: shadow.parent(handle).unwrap_or(Handle::NULL),
            dependents: shadow.dependents(handle),
            is_invalid: shadow.is_invalid(handle),
        });
        picked.collect()
    }

    fn compare(&self, beliefs: &[Belief], report: &mut AuditReport) -> Result<(), Error> {
        let mut query = Query::with_capacity(beliefs.len());
        for belief in beliefs {
            query.object(belief.kind, belief.handle);
        }
        let outcome = self.run(query)?;
        for (block, belief) in beliefs.iter().enumerate() {
            report.checked += 1;
            let status = outcome.block(block).status;
            match outcome.state(block) {
                Some(
                    ObjectState::Neighbor(_, head)
                    | ObjectState::Path(_, head)
                    | ObjectState::Connection(_, head),
                ) => report.compare(belief, &head),
                None => report.note(Difference::Missing { handle: belief.handle, status }),
            }
        }
        Ok(())
    }
}

impl AuditReport {
    /// Whether card and host agree.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.different == 0
    }

    fn compare(&mut self, belief: &Belief, head: &ObjectHead) {
        let &Belief { handle, parent, dependents, is_invalid, .. } = belief;
        if head.parent != parent {
            self.note(Difference::Parent { handle, host: parent, card: head.parent });
        }
        if head.dependents != dependents {
            let card = head.dependents;
            self.note(Difference::Dependents { handle, host: dependents, card });
        }
        if head.invalid != is_invalid {
            self.note(Difference::Invalid { handle, host: is_invalid });
        }
    }

    fn note(&mut self, difference: Difference) {
        self.different += 1;
        if self.differences.len() < DIFFERENCES_MAX {
            self.differences.push(difference);
        }
    }
}
