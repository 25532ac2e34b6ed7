//! The tree that a ring is working on: its frame, the open parents, the tally.
//!
//! A tree is walked as it arrives; it may be longer than the ring. Only the blocks on the way
//! down to the present one are remembered, at most one a level. At initiate a parent's status
//! depends on its immediate dependents, so it is written when the parent closes.

use abi::host::completion::{Completion, ResultRecord};
use abi::host::handle::Handle;
use abi::host::status::{Detail, Status};

/// What a block is to the blocks below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Was not carried out: its dependents are not tried.
    Failed,
    /// Carries links only.
    Placeholder,
    /// Names an object.
    Object,
    /// At initiate: names an object that was on the card before, and answers for its dependents.
    Linker,
}

/// What was answered for one block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) status: Status,
    pub(crate) old_status: Status,
    pub(crate) detail: u32,
    pub(crate) handle: Handle,
    pub(crate) role: Role,
}

impl Answer {
    pub(crate) const fn success(handle: Handle) -> Self {
        Self {
            status: Status::SUCCESS,
            old_status: Status::NONE,
            detail: 0,
            handle,
            role: Role::Object,
        }
    }

    pub(crate) const fn failed(handle: Handle, (status, detail): (Status, Detail)) -> Self {
        Self { status, old_status: Status::NONE, detail: detail.0, handle, role: Role::Failed }
    }

    pub(crate) const fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    const fn is_done(&self) -> bool {
        self.status.is_done()
            && (self.old_status.0 == Status::NONE.0 || self.old_status.0 == Status::SUCCESS.0)
    }

    pub(crate) const fn record(&self) -> ResultRecord {
        ResultRecord {
            handle: self.handle.0,
            status: self.status.0,
            old_status: self.old_status.0,
            reserved: 0,
            detail: self.detail,
        }
    }
}

/// A block that may have dependents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parent {
    pub(crate) block: u32,
    pub(crate) answer: Answer,
    done: u32,
    failed: u32,
}

impl Parent {
    /// The status with which it closes, from its own and its immediate dependents'.
    fn closing(&self) -> Answer {
        let mut answer = self.answer;
        answer.status = match answer.role {
            Role::Failed | Role::Placeholder => answer.status,
            _ if self.failed == 0 => Status::SUCCESS,
            Role::Linker if self.done == 0 => Status::FAILURE,
            _ => Status::PARTIAL_SUCCESS,
        };
        answer
    }
}

/// A tree under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tree {
    pub(crate) opcode: u8,
    pub(crate) tag: u16,
    pub(crate) result: u64,
    pub(crate) result_bytes: u32,
    /// Blocks begun.
    pub(crate) blocks: u32,
    pub(crate) done: u32,
    pub(crate) failed: u32,
    /// First reason why the tree as a whole could not be carried out.
    pub(crate) detail: Detail,
    /// No further block is carried out or gets a record.
    pub(crate) is_poisoned: bool,
    /// The epoch that its completion waits for.
    pub(crate) epoch: Option<u32>,
    /// The cached variables of the present block are in; its relink waits.
    pub(crate) is_first_stage_done: bool,
    parents: [Option<Parent>; 2],
}

impl Tree {
    pub(crate) const fn new(opcode: u8, tag: u16, result: u64, result_bytes: u32) -> Self {
        Self {
            opcode,
            tag,
            result,
            result_bytes,
            blocks: 0,
            done: 0,
            failed: 0,
            detail: Detail::NONE,
            is_poisoned: false,
            epoch: None,
            is_first_stage_done: false,
            parents: [None; 2],
        }
    }

    /// The open parent of a block at `level` (1 for a path, 2 for a connection).
    pub(crate) fn parent(&self, level: u32) -> Option<&Parent> {
        self.parents.get(level.wrapping_sub(1) as usize).and_then(Option::as_ref)
    }

    /// The neighbor under which paths stand next, if it is on the card.
    pub(crate) fn neighbor(&self) -> Option<Handle> {
        let parent = self.parents[0].as_ref()?;
        let is_there = matches!(parent.answer.role, Role::Object | Role::Linker);
        is_there.then_some(parent.answer.handle)
    }

    /// Notes new paths under that neighbor, the next `paths` blocks: all but the last, `last`, have
    /// no dependents and are done. No other path is open.
    #[inline(always)]
    pub(crate) fn open_paths(&mut self, paths: u32, last: Handle) {
        let done = paths.saturating_sub(1);
        self.done = self.done.saturating_add(done);
        if let Some(neighbor) = &mut self.parents[0] {
            neighbor.done += done;
        }
        let (block, answer) = (self.blocks + done, Answer::success(last));
        self.blocks += paths;
        self.parents[1] = Some(Parent { block, answer, done: 0, failed: 0 });
    }

    /// Notes the answer of block `block`. At initiate one that may have dependents stays open;
    /// every other answer is final and is tallied. `true`: the record is to be written now.
    pub(crate) fn enter(&mut self, block: u32, level: u32, answer: &Answer, waits: bool) -> bool {
        if let Some(slot) = self.parents.get_mut(level as usize) {
            *slot = Some(Parent { block, answer: *answer, done: 0, failed: 0 });
            if waits {
                return false;
            }
        }
        self.tally(level, answer, waits);
        true
    }

    /// Closes the deepest open parent at `level` or below it, and gives what is to be written.
    pub(crate) fn close(&mut self, level: u32, waits: bool) -> Option<(u32, Answer)> {
        for open in (level..self.parents.len() as u32).rev() {
            let Some(parent) = self.parents.get_mut(open as usize).and_then(Option::take) else {
                continue;
            };
            if waits {
                let answer = parent.closing();
                self.tally(open, &answer, waits);
                return Some((parent.block, answer));
            }
        }
        None
    }

    /// Counts a final answer, for the tree and (where the parent waits for it) for its parent.
    fn tally(&mut self, level: u32, answer: &Answer, waits: bool) {
        let is_done = answer.is_done();
        if is_done {
            self.done = self.done.saturating_add(1);
        } else {
            self.failed = self.failed.saturating_add(1);
        }
        if !waits {
            return;
        }
        let above = self.parents.get_mut(level.wrapping_sub(1) as usize);
        if let Some(Some(parent)) = above {
            if is_done {
                parent.done += 1;
            } else {
                parent.failed += 1;
            }
        }
    }

    /// From here no block is carried out any more, for this reason.
    pub(crate) fn poison(&mut self, detail: Detail) {
        self.is_poisoned = true;
        if self.detail == Detail::NONE {
            self.detail = detail;
        }
    }

    /// The completion, phase aside.
    pub(crate) fn completion(&self) -> Completion {
        let status = match (self.done, self.failed) {
            (_, 0) if self.detail == Detail::NONE => Status::SUCCESS,
            (0, _) => Status::FAILURE,
            _ => Status::PARTIAL_SUCCESS,
        };
        Completion {
            done: self.done,
            failed: self.failed,
            detail: self.detail.0,
            tag: self.tag,
            status: status.0,
            phase: 0,
        }
    }
}
