//! What the oracle answers: a status a block, and the frames that a command let go.
//!
//! Blocks are in tree order (for terminate: in the order in which the caller named them).
//! A detail is given where the rules fix it; `None` means that any will pass.

use abi::host::status::{Detail, Status};

use super::frames::Released;

/// The answer for one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status of the block.
    pub status: Status,
    /// Relink of all paths: status of the old neighbor, else none.
    pub old_status: Status,
    /// Why, where the rules say it.
    pub detail: Option<Detail>,
    /// Paths that a list or an all-of block moved; one that was there already is not counted.
    pub moved: u32,
    /// Status an entry of the list.
    pub entries: Vec<Status>,
}

/// The answer for a tree.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One a block.
    pub blocks: Vec<Answer>,
    /// Frames that were held and left, or were dropped, because of this command.
    pub released: Vec<Released>,
}

impl Answer {
    pub(super) fn of(status: Status) -> Self {
        Self { status, old_status: Status::NONE, detail: None, moved: 0, entries: Vec::new() }
    }

    pub(super) fn failure(detail: Detail) -> Self {
        Self { detail: Some(detail), ..Self::of(Status::FAILURE) }
    }
}

impl From<Result<(), Status>> for Answer {
    fn from(result: Result<(), Status>) -> Self {
        Self::of(result.err().unwrap_or(Status::SUCCESS))
    }
}

impl Report {
    /// Blocks and list entries that were carried out.
    #[must_use]
    pub fn done(&self) -> u32 {
        self.count(true)
    }

    /// Blocks and list entries that were not.
    #[must_use]
    pub fn failed(&self) -> u32 {
        self.count(false)
    }

    /// Status of the tree.
    #[must_use]
    pub fn status(&self) -> Status {
        match (self.done(), self.failed()) {
            (_, 0) => Status::SUCCESS,
            (0, _) => Status::FAILURE,
            _ => Status::PARTIAL_SUCCESS,
        }
    }

    fn count(&self, done: bool) -> u32 {
        let of_block = |answer: &Answer| {
            let entries = answer.entries.iter().filter(|status| status.is_done() == done).count();
            // A relink of all paths was carried out when the old neighbor was good as well.
            let old = answer.old_status == Status::NONE || answer.old_status == Status::SUCCESS;
            let own = answer.status.is_done() && old;
            entries as u32 + u32::from(own == done)
        };
        self.blocks.iter().map(of_block).sum()
    }
}
