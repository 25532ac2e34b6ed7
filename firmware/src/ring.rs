//! A command ring's end on the card: slots in, trees carried out, completions in order.
//!
//! From the mailbox ([`Hal::take`]), through `parse`, to the verbs; back through `result` and,
//! once the fence has passed, [`Hal::complete`]. A ring owns everything about its trees, so one
//! that waits (for a fence, an alias, a list, room in the outbox) holds up nobody else.
//!
//! Accounting: the first slot of a tree stays unsettled until its completion; every other slot
//! is settled as it is taken. So exactly one completion comes for every FIRST, and one for every
//! slot that stands outside a tree.

use abi::core::Hal;
use abi::host::command::{Flag, Opcode, Slot, level};
use abi::host::completion::Completion;
use abi::host::limit;
use abi::host::register::Counter;
use abi::host::status::{Detail, FailCode, Kind, Status};
use abi::layout::Field;

use crate::initiate::initiate;
use crate::invalidate::invalidate;
use crate::list::List;
use crate::parse::{Block, Head, header};
use crate::query::query;
use crate::result::Results;
use crate::table::Tables;
use crate::terminate::terminate;
use crate::tree::{Answer, Tree};
use crate::update::update;

/// Blocks carried out for one ring before the next is served.
const SLICE: u32 = 16;

/// What a verb made of a block.
pub(crate) enum Step {
    /// It is answered.
    Answer(Answer),
    /// It has to wait; look again in a later step.
    Later,
    /// It is a list, to be carried out in chunks.
    List(List),
}

/// A completion that waits for its fence.
#[derive(Clone, Copy, Debug)]
struct Parked {
    completion: Completion,
    epoch: Option<u32>,
    since_ms: u32,
}

/// The block under way.
#[derive(Clone, Copy, Debug)]
struct Current {
    block: Block,
    number: u32,
    /// Continuation slots still to come.
    missing: u32,
    /// The head, or why it fails.
    head: Result<Head, Detail>,
}

/// One command ring.
#[derive(Clone, Copy, Debug)]
pub struct Ring {
    number: u32,
    tree: Option<Tree>,
    /// The tree's last slot has come.
    is_ending: bool,
    current: Option<Current>,
    list: Option<List>,
    /// A slot taken that has to wait for the end of what is before it.
    held: Option<Slot>,
    results: Results,
    parked: [Option<Parked>; limit::PARKED_MAX as usize],
    parked_first: usize,
    parked_count: usize,
}

impl Ring {
    /// An idle ring.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self {
            number,
            tree: None,
            is_ending: false,
            current: None,
            list: None,
            held: None,
            results: Results::new(),
            parked: [None; limit::PARKED_MAX as usize],
            parked_first: 0,
            parked_count: 0,
        }
    }

    /// Does one bounded slice of work; `true` when there was any.
    pub(crate) fn step(&mut self, tables: &mut Tables, hal: &mut impl Hal) -> bool {
        if hal.is_stopped(self.number) {
            self.abandon(tables, hal);
            return false;
        }
        let mut has_worked = self.post_parked(tables, hal);
        for _ in 0..SLICE {
            if !self.results.has_room() && !self.results.flush(hal, self.number, false) {
                break;
            }
            if !self.step_once(tables, hal) {
                break;
            }
            has_worked = true;
            if self.list.is_some() {
                break; // One chunk, then the other rings.
            }
        }
        self.post_parked(tables, hal) || has_worked
    }

    /// Whether something is outstanding that no new slot is needed for.
    pub(crate) const fn is_waiting(&self) -> bool {
        self.parked_count != 0 || self.current.is_some() || self.list.is_some() || self.is_ending
    }

    fn step_once(&mut self, tables: &mut Tables, hal: &mut impl Hal) -> bool {
        if self.list.is_some() {
            return self.step_list(tables, hal);
        }
        if self.current.is_some_and(|current| current.missing == 0) {
            return self.carry_out(tables, hal);
        }
        if self.is_ending {
            return self.finish(tables, hal);
        }
        match self.held.take().or_else(|| hal.take(self.number)) {
            Some(slot) => {
                self.accept(hal, &slot);
                true
            }
            None => false,
        }
    }

    /// Sorts one slot: begins a tree, begins a block, or continues one.
    fn accept(&mut self, hal: &mut impl Hal, slot: &Slot) {
        let head = header(slot);
        let is_continuation = Flag::CONTINUATION.is_in(head.flags);
        if let Some(current) = &mut self.current {
            // Continuation slots are missing.
            if is_continuation && !Flag::FIRST.is_in(head.flags) {
                hal.consume(self.number);
                current.push(slot, head.flags);
                self.is_ending |= Flag::LAST.is_in(head.flags);
                return;
            }
            current.missing = 0;
            current.head = Err(Detail::CHAIN);
            self.held = Some(*slot);
            return;
        }
        if Flag::FIRST.is_in(head.flags) {
            if let Some(tree) = &mut self.tree {
                // The tree before this one never ended: it is answered first.
                tree.poison(Detail::FRAMING);
                self.is_ending = true;
                self.held = Some(*slot);
                hal.count(Counter::MALFORMED, 1);
                return;
            }
            self.tree = Some(begin(&head));
        } else if self.tree.is_some() {
            hal.consume(self.number);
        } else {
            self.refuse_orphan(hal, head.tag);
            return;
        }
        if is_continuation {
            if let Some(tree) = &mut self.tree {
                tree.failed = tree.failed.saturating_add(1);
                tree.detail = Detail::CHAIN;
            }
            hal.count(Counter::MALFORMED, 1);
        } else {
            self.begin_block(slot);
        }
        self.is_ending = Flag::LAST.is_in(head.flags);
    }

    fn begin_block(&mut self, slot: &Slot) {
        let Some(tree) = &mut self.tree else { return };
        let number = tree.blocks;
        tree.blocks = tree.blocks.saturating_add(1);
        tree.is_first_stage_done = false;
        let flags = header(slot).flags;
        let has_more = Flag::MORE.is_in(flags);
        let is_last = Flag::LAST.is_in(flags);
        let block = Block::new(slot);
        let mut head = block.head();
        if let Ok(good) = head {
            if good.opcode.0 != tree.opcode {
                head = Err(Detail::OPCODE);
            } else if has_more != (good.continuations != 0) || has_more && is_last {
                head = Err(Detail::CHAIN);
            }
        }
        let missing = match head {
            Ok(good) => good.continuations,
            Err(_) => 0,
        };
        self.current = Some(Current { block, number, missing, head });
    }

    /// Carries out the block that is complete.
    fn carry_out(&mut self, tables: &mut Tables, hal: &mut impl Hal) -> bool {
        let (Some(current), Some(tree)) = (&self.current, &mut self.tree) else {
            self.current = None;
            return true;
        };
        let has_record = (u64::from(current.number) + 1) * 16 <= u64::from(tree.result_bytes);
        if !has_record {
            tree.poison(Detail::RESULT_BUFFER);
        } else if current.number >= limit::TREE_BLOCKS_MAX {
            tree.poison(Detail::TREE_SIZE);
        }
        if tree.is_poisoned {
            tree.failed = tree.failed.saturating_add(1);
            self.current = None;
            return true;
        }
        let step = match &current.head {
            Ok(head) => {
                // A root ends every block above it: it does not hang from one of an earlier root.
                let is_root = Flag::ROOT.is_in(head.flags);
                close(tree, &mut self.results, if is_root { 0 } else { level(head.kind) });
                dispatch(tables, hal, tree, &mut self.results, head, &current.block)
            }
            Err(detail) => {
                hal.count(Counter::MALFORMED, 1);
                close(tree, &mut self.results, malformed_level(&current.block));
                let handle = abi::host::handle::Handle(u64::get(current.block.at(8), 0));
                Step::Answer(Answer::failed(handle, (Status::FAILURE, *detail)))
            }
        };
        match step {
            Step::Answer(answer) => self.enter(answer),
            Step::Later => return false,
            Step::List(list) => self.list = Some(list),
        }
        true
    }

    fn step_list(&mut self, tables: &mut Tables, hal: &mut impl Hal) -> bool {
        let (Some(list), Some(tree)) = (&mut self.list, &mut self.tree) else {
            self.list = None;
            return true;
        };
        let (answer, has_worked) = list.step(tables, hal, self.number, tree, &mut self.results);
        if let Some(answer) = answer {
            self.list = None;
            self.enter(answer);
        }
        has_worked
    }

    /// Notes a block's answer and queues its record, unless that waits for its dependents.
    fn enter(&mut self, answer: Answer) {
        let (Some(current), Some(tree)) = (self.current.take(), &mut self.tree) else { return };
        let waits = tree.opcode == Opcode::INITIATE.0;
        let level = match &current.head {
            Ok(head) => level(head.kind),
            Err(_) => malformed_level(&current.block),
        };
        if tree.enter(current.number, level, answer, waits) {
            self.results.record(tree, current.number, &answer.record());
        }
    }

    /// The tree is over: results first, then its completion, after the fence.
    fn finish(&mut self, tables: &mut Tables, hal: &mut impl Hal) -> bool {
        let Some(tree) = &mut self.tree else {
            self.is_ending = false;
            return true;
        };
        close(tree, &mut self.results, 0);
        if !self.results.flush(hal, self.number, true) {
            return false;
        }
        if self.parked_count == self.parked.len() {
            return false;
        }
        tables.fence.raise(hal);
        hal.count(Counter::TREES, 1);
        hal.count(Counter::BLOCKS_DONE, tree.done);
        hal.count(Counter::BLOCKS_FAILED, tree.failed);
        let parked =
            Parked { completion: tree.completion(), epoch: tree.epoch, since_ms: hal.now_ms() };
        self.park(parked);
        self.tree = None;
        self.is_ending = false;
        true
    }

    fn park(&mut self, parked: Parked) {
        let at = (self.parked_first + self.parked_count) % self.parked.len();
        self.parked[at] = Some(parked);
        self.parked_count += 1;
    }

    /// Posts completions whose fence has passed, in order.
    fn post_parked(&mut self, tables: &Tables, hal: &mut impl Hal) -> bool {
        let mut has_posted = false;
        while self.parked_count != 0 {
            let at = self.parked_first % self.parked.len();
            let Some(parked) = self.parked[at] else { break };
            if parked.epoch.is_some_and(|epoch| !tables.fence.has_passed(hal, epoch)) {
                if hal.now_ms().wrapping_sub(parked.since_ms) > limit::FENCE_DEADLINE_MS {
                    hal.fail(FailCode::FENCE, self.number);
                }
                break;
            }
            let mut words = [0; Completion::BYTES / 4];
            parked.completion.write(&mut words);
            hal.complete(self.number, words);
            self.parked[at] = None;
            self.parked_first = (at + 1) % self.parked.len();
            self.parked_count -= 1;
            has_posted = true;
        }
        has_posted
    }

    /// A slot outside any tree: one completion, nothing carried out.
    fn refuse_orphan(&mut self, hal: &mut impl Hal, tag: u16) {
        hal.count(Counter::MALFORMED, 1);
        let mut tree = Tree::new(0, tag, 0, 0);
        tree.poison(Detail::FRAMING);
        tree.failed = 1;
        self.tree = Some(tree);
        self.is_ending = true;
    }

    /// The ring was stopped by an error: forget what is under way.
    fn abandon(&mut self, tables: &Tables, hal: &mut impl Hal) {
        if let Some(list) = self.list.take() {
            list.unpin(tables, hal);
        }
        if self.tree.is_some() || self.parked_count != 0 || self.held.is_some() {
            *self = Self::new(self.number);
        }
    }
}

impl Current {
    fn push(&mut self, slot: &Slot, flags: u16) {
        self.block.push(slot);
        self.missing -= 1;
        let has_more = Flag::MORE.is_in(flags);
        if has_more != (self.missing != 0) || has_more && Flag::LAST.is_in(flags) {
            self.missing = 0;
            self.head = Err(Detail::CHAIN);
        }
    }
}

/// Opens a tree; one whose result buffer makes no sense is only counted through.
fn begin(head: &abi::host::command::CommandHeader) -> Tree {
    let bytes = u32::from(head.result_units) * limit::RESULT_UNIT;
    let mut tree = Tree::new(head.opcode, head.tag, head.result, bytes);
    let is_aligned = head.result.is_multiple_of(u64::from(limit::DMA_ALIGN));
    if bytes == 0 || !is_aligned || head.result.checked_add(u64::from(bytes)).is_none() {
        tree.poison(Detail::RESULT_BUFFER);
    }
    tree
}

/// Closes open parents at `level` and below; at initiate their records are due now.
fn close(tree: &mut Tree, results: &mut Results, level: u32) {
    let waits = tree.opcode == Opcode::INITIATE.0;
    while let Some((block, answer)) = tree.close(level, waits) {
        results.record(tree, block, &answer.record());
    }
}

/// A malformed block stands where its kind says, so that what hangs from it is not tried;
/// without a kind it stands at the top.
fn malformed_level(block: &Block) -> u32 {
    let kind = Kind(u8::get(block.at(0), 1));
    if kind == Kind::NEIGHBOR || kind == Kind::PATH || kind == Kind::CONNECTION {
        level(kind)
    } else {
        0
    }
}

fn dispatch(
    tables: &mut Tables,
    hal: &mut impl Hal,
    tree: &mut Tree,
    results: &mut Results,
    head: &Head,
    block: &Block,
) -> Step {
    match head.opcode {
        Opcode::INITIATE => initiate(tables, hal, tree, head, block),
        Opcode::UPDATE => update(tables, hal, tree, head, block),
        Opcode::QUERY => Step::Answer(query(tables, hal, tree, results, head)),
        Opcode::INVALIDATE => Step::Answer(invalidate(tables, hal, tree, head)),
        _ => Step::Answer(terminate(tables, hal, tree, results, head)),
    }
}
