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
use abi::host::command::{Flag, Opcode, level};
use abi::host::completion::ResultRecord;
use abi::host::limit;
use abi::host::register::Counter;
use abi::host::status::{Detail, Kind, Status};
use abi::host::trace::TraceKind;

use crate::initiate::initiate;
use crate::invalidate::invalidate;
use crate::list::List;
use crate::maybe::Maybe::{self, Just, Nothing};
use crate::parked::Parked;
use crate::parse::{Block, Head, header};
use crate::paths::RUN;
use crate::query::query;
use crate::result::Results;
use crate::table::Tables;
use crate::terminate::terminate;
use crate::tree::{Answer, Tree};
use crate::update::update;

/// Blocks carried out for one ring before the next is served.
const SLICE: u32 = 16;
/// Chunks of a list that a link engine walks before the next ring is served: together they take less
/// time than one that the core walks.
const CHUNK_SLICE: u32 = 8;

/// What a verb made of a block.
pub(crate) enum Step {
    /// It is answered.
    Answer(Answer),
    /// It has to wait; look again in a later step.
    Later,
    /// It is a list, to be carried out in chunks.
    List(List),
}

/// The block under way. Its words are the ring's: nothing is copied from step to step.
#[derive(Clone, Copy, Debug)]
struct Current {
    number: u32,
    /// Continuation slots still to come.
    missing: u32,
    /// The head, or why it fails.
    head: Result<Head, Detail>,
}

/// One command ring. What every step looks at comes first: near offsets make short code.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Ring {
    /// The tree's last slot has come.
    pub(crate) is_ending: bool,
    /// The slot behind the block's was taken, but has to wait for the end of what is before it.
    is_slot_held: bool,
    pub(crate) parked: Parked,
    current: Maybe<Current>,
    pub(crate) tree: Maybe<Tree>,
    list: Maybe<List>,
    block: Block,
    pub(crate) results: Results,
}

impl Default for Ring {
    fn default() -> Self {
        Self::new()
    }
}

impl Ring {
    /// An idle ring.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            tree: Nothing,
            is_ending: false,
            current: Nothing,
            block: Block::empty(),
            list: Nothing,
            is_slot_held: false,
            results: Results::new(),
            parked: Parked::new(),
        }
    }

    /// Does one bounded slice of work for ring `number`; `true` when there was any.
    #[inline(never)]
    pub(crate) fn step(&mut self, number: u32, tables: &mut Tables, hal: &mut impl Hal) -> bool {
        if hal.is_stopped(number) {
            self.abandon(tables, hal);
            return false;
        }
        let is_between_trees = self.tree.is_nothing() && !self.is_slot_held;
        let mut has_worked = false;
        if self.list.is_just() {
            has_worked = self.step_list(number, tables, hal);
        } else if !is_between_trees {
            has_worked = self.walk(number, tables, hal);
        } else if let Some(place) = hal.front(number) {
            has_worked = true;
            if !self.express(number, place, tables, hal) {
                self.walk(number, tables, hal);
            }
        }
        if !self.parked.is_empty() {
            has_worked |= self.parked.post(number, tables, hal);
        }
        has_worked
    }

    /// Whether something is outstanding that no new slot is needed for.
    pub(crate) const fn is_waiting(&self) -> bool {
        !self.parked.is_empty()
            || self.current.is_just()
            || self.list.is_just()
            || self.is_ending
            || self.is_slot_held
    }

    /// Whether the next slot, if it is not the tree's last already, begins a block.
    #[inline(always)]
    pub(crate) const fn is_at_block(&self) -> bool {
        self.current.is_nothing() && !self.is_ending && !self.is_slot_held
    }

    /// Walks on through trees, block by block. Returns whether there was anything to do.
    #[inline(never)]
    fn walk(&mut self, number: u32, tables: &mut Tables, hal: &mut impl Hal) -> bool {
        let mut has_worked = false;
        for _ in 0..SLICE {
            if !self.results.has_room() && !self.results.flush(hal, number, false) {
                break;
            }
            match self.make_paths(number, tables, hal) {
                0 => {}
                RUN => return true,
                _ => {
                    has_worked = true;
                    continue;
                }
            }
            if !self.step_once(number, tables, hal) {
                break;
            }
            has_worked = true;
            if self.list.is_just() {
                break; // One chunk, then the other rings.
            }
        }
        has_worked
    }

    /// Takes a slot, or goes on with what is there; a block that is complete is carried out, and
    /// a tree that is over is finished. `false`: nothing more can be done now.
    #[inline(always)]
    fn step_once(&mut self, number: u32, tables: &mut Tables, hal: &mut impl Hal) -> bool {
        let is_complete = matches!(&self.current, Just(current) if current.missing == 0);
        if !is_complete && !self.is_ending {
            if self.is_slot_held {
                self.is_slot_held = false;
                self.block.restart();
            } else if !hal.take(number, self.block.next_slot(self.current.is_just())) {
                return false;
            }
            self.accept(number, hal);
        }
        if let Just(current) = &self.current {
            if current.missing != 0 {
                return true;
            }
            if !self.carry_out(number, tables, hal) {
                return false;
            }
        }
        let is_over = self.is_ending && self.current.is_nothing();
        !is_over || self.finish(number, tables, hal)
    }

    /// Sorts the slot behind the block's: begins a tree, begins a block, or continues one.
    #[inline(always)]
    fn accept(&mut self, number: u32, hal: &mut impl Hal) {
        let head = header(self.block.latest());
        let is_continuation = Flag::CONTINUATION.is_in(head.flags);
        if let Just(current) = &mut self.current {
            // Continuation slots are missing.
            if is_continuation && !Flag::FIRST.is_in(head.flags) {
                hal.consume(number);
                self.block.keep_latest();
                current.continued(head.flags);
                self.is_ending |= Flag::LAST.is_in(head.flags);
                return;
            }
            current.missing = 0;
            current.head = Err(Detail::CHAIN);
            self.is_slot_held = true;
            return;
        }
        if Flag::FIRST.is_in(head.flags) {
            if let Just(tree) = &mut self.tree {
                // The tree before this one never ended: it is answered first.
                tree.poison(Detail::FRAMING);
                self.is_ending = true;
                self.is_slot_held = true;
                hal.count(Counter::MALFORMED, 1);
                return;
            }
            hal.trace(TraceKind::TREE_BEGUN, number, u32::from(head.tag), u32::from(head.opcode));
            self.tree = Just(begin(&head));
        } else if self.tree.is_just() {
            hal.consume(number);
        } else {
            self.refuse_orphan(hal, head.tag);
            return;
        }
        if is_continuation {
            if let Just(tree) = &mut self.tree {
                tree.failed = tree.failed.saturating_add(1);
                tree.detail = Detail::CHAIN;
            }
            hal.count(Counter::MALFORMED, 1);
        } else {
            self.begin_block(head.flags);
        }
        self.is_ending = Flag::LAST.is_in(head.flags);
    }

    #[inline(always)]
    fn begin_block(&mut self, flags: u16) {
        let Just(tree) = &mut self.tree else { return };
        let number = tree.blocks;
        tree.blocks = tree.blocks.saturating_add(1);
        tree.is_first_stage_done = false;
        let has_more = Flag::MORE.is_in(flags);
        let is_last = Flag::LAST.is_in(flags);
        self.block.keep_latest();
        let mut head = self.block.head();
        if let Ok(good) = &head {
            if good.opcode.0 != tree.opcode {
                head = Err(Detail::OPCODE);
            } else if has_more != (good.continuations != 0) || has_more && is_last {
                head = Err(Detail::CHAIN);
            }
        }
        let missing = match &head {
            Ok(good) => good.continuations,
            Err(_) => 0,
        };
        self.current = Just(Current { number, missing, head });
    }

    /// Carries out the block that is complete.
    #[inline(always)]
    fn carry_out(&mut self, number: u32, tables: &mut Tables, hal: &mut impl Hal) -> bool {
        let (Just(current), Just(tree)) = (&self.current, &mut self.tree) else {
            self.current = Nothing;
            return true;
        };
        if current.number >= records(tree) {
            tree.poison(Detail::RESULT_BUFFER);
        } else if current.number >= limit::TREE_BLOCKS_MAX {
            tree.poison(Detail::TREE_SIZE);
        }
        if tree.is_poisoned {
            tree.failed = tree.failed.saturating_add(1);
            self.current = Nothing;
            return true;
        }
        let step = match &current.head {
            Ok(head) => {
                hal.trace(TraceKind::BLOCK, number, traced(head), current.number);
                // A root ends every block above it: it does not hang from one of an earlier root.
                let is_root = Flag::ROOT.is_in(head.flags);
                close(tree, &mut self.results, if is_root { 0 } else { level(head.kind) });
                dispatch(tables, hal, tree, &mut self.results, head, &self.block)
            }
            Err(detail) => {
                hal.count(Counter::MALFORMED, 1);
                close(tree, &mut self.results, malformed_level(&self.block));
                Step::Answer(Answer::failed(self.block.handle(), (Status::FAILURE, *detail)))
            }
        };
        match step {
            Step::Answer(answer) => self.enter(number, hal, &answer),
            Step::Later => return false,
            Step::List(mut list) => {
                list.begin(hal, number);
                self.list = Just(list);
            }
        }
        true
    }

    /// Goes on with a list by one chunk; where an engine walks them, by some, as long as they are there.
    #[inline(never)]
    fn step_list(&mut self, number: u32, tables: &mut Tables, hal: &mut impl Hal) -> bool {
        let chunks = if hal.has_link_engine() { CHUNK_SLICE } else { 1 };
        let mut has_worked = false;
        for _ in 0..chunks {
            if !self.results.has_room() && !self.results.flush(hal, number, false) {
                break;
            }
            let (Just(list), Just(tree)) = (&mut self.list, &mut self.tree) else {
                self.list = Nothing;
                return true;
            };
            let (answer, has_moved_on) = list.step(tables, hal, number, tree, &mut self.results);
            if let Some(answer) = answer {
                self.list = Nothing;
                self.enter(number, hal, &answer);
                return true;
            }
            if !has_moved_on {
                break;
            }
            has_worked = true;
        }
        has_worked
    }

    /// Notes a block's answer and queues its record, unless that waits for its dependents.
    fn enter(&mut self, number: u32, hal: &mut impl Hal, answer: &Answer) {
        let (Just(current), Just(tree)) = (&self.current, &mut self.tree) else { return };
        let waits = tree.opcode == Opcode::INITIATE.0;
        let (level, detail) = match &current.head {
            Ok(head) => (level(head.kind), traced(head)),
            Err(_) => (malformed_level(&self.block), 0),
        };
        hal.trace(TraceKind::ANSWERED, number, detail, u32::from(answer.status.0));
        if tree.enter(current.number, level, answer, waits) {
            self.results.record(tree, current.number, answer);
        }
        self.current = Nothing;
    }

    /// The tree is over: results first, then its completion, after the fence.
    #[inline(always)]
    fn finish(&mut self, number: u32, tables: &mut Tables, hal: &mut impl Hal) -> bool {
        let Just(tree) = &mut self.tree else {
            self.is_ending = false;
            return true;
        };
        close(tree, &mut self.results, 0);
        if !self.results.flush(hal, number, true) {
            return false;
        }
        if self.parked.is_full() {
            return false;
        }
        let Some(tree) = self.tree.take() else { return true };
        self.parked.park(number, tables, hal, &tree);
        self.is_ending = false;
        true
    }

    /// Leaves a tree that is over but for its completion to the next step.
    #[cold]
    pub(crate) fn open(&mut self, tree: Tree) {
        self.tree = Just(tree);
        self.is_ending = true;
    }

    /// A slot outside any tree: one completion, nothing carried out.
    #[cold]
    fn refuse_orphan(&mut self, hal: &mut impl Hal, tag: u16) {
        hal.count(Counter::MALFORMED, 1);
        let mut tree = Tree::new(0, tag, 0, 0);
        tree.poison(Detail::FRAMING);
        tree.failed = 1;
        self.tree = Just(tree);
        self.is_ending = true;
    }

    /// The ring was stopped by an error: forget what is under way.
    #[cold]
    fn abandon(&mut self, tables: &Tables, hal: &mut impl Hal) {
        if let Some(list) = self.list.take() {
            list.unpin(tables, hal);
        }
        self.tree = Nothing;
        self.is_ending = false;
        self.current = Nothing;
        self.is_slot_held = false;
        self.results.clear();
        self.parked.clear();
    }
}

impl Current {
    /// One more slot of the block has come.
    fn continued(&mut self, flags: u16) {
        self.missing -= 1;
        let has_more = Flag::MORE.is_in(flags);
        if has_more != (self.missing != 0) || has_more && Flag::LAST.is_in(flags) {
            self.missing = 0;
            self.head = Err(Detail::CHAIN);
        }
    }
}

/// For how many records the result buffer has a place.
pub(crate) const fn records(tree: &Tree) -> u32 {
    tree.result_bytes / ResultRecord::BYTES as u32
}

/// A head as a trace record carries it: opcode and kind.
const fn traced(head: &Head) -> u32 {
    (head.opcode.0 as u32) << 8 | head.kind.0 as u32
}

/// Opens a tree; one whose result buffer makes no sense is only counted through.
pub(crate) fn begin(head: &abi::host::command::CommandHeader) -> Tree {
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
        results.record(tree, block, &answer);
    }
}

/// A malformed block stands where its kind says, so that what hangs from it is not tried;
/// without a kind it stands at the top.
fn malformed_level(block: &Block) -> u32 {
    let kind = Kind(header(block.first()).kind);
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
