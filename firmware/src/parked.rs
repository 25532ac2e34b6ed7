//! Completions that wait for their fence.
//!
//! From `ring` and `express`, to [`Hal::complete`]. A tree is over, its results are on their way;
//! its completion stays here until every reader has left behind what the tree has changed. They
//! go in the order in which they came: a ring's completions never overtake each other.

use abi::core::Hal;
use abi::host::completion::Completion;
use abi::host::limit::{FENCE_DEADLINE_MS, PARKED_MAX};
use abi::host::register::Counter;
use abi::host::status::FailCode;
use abi::host::trace::TraceKind;

use crate::table::Tables;
use crate::tree::Tree;

const WORDS: usize = Completion::BYTES / 4;
const MASK: u32 = PARKED_MAX - 1;
const _: () = assert!(PARKED_MAX.is_power_of_two(), "places follow from positions");

/// One that waits; half a cache line, so that its place is found by a shift.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Waiting {
    completion: [u32; WORDS],
    /// The epoch that covers its tree's last store, if there was any.
    epoch: Option<u32>,
    since_ms: u32,
}

/// Those of one ring, oldest first.
#[derive(Clone, Debug)]
#[repr(C)]
pub(crate) struct Parked {
    first: u32,
    end: u32,
    places: [Waiting; PARKED_MAX as usize],
}

impl Parked {
    pub(crate) const fn new() -> Self {
        let none = Waiting { completion: [0; WORDS], epoch: None, since_ms: 0 };
        Self { first: 0, end: 0, places: [none; PARKED_MAX as usize] }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.first == self.end
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.end.wrapping_sub(self.first) == PARKED_MAX
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.first = self.end;
    }

    /// Raises the fence of a tree that is over and lets its completion wait for it. There is room.
    #[inline(always)]
    pub(crate) fn park(&mut self, ring: u32, tables: &mut Tables, hal: &mut impl Hal, tree: &Tree) {
        tables.fence.raise(hal);
        hal.count(Counter::TREES, 1);
        hal.count(Counter::BLOCKS_DONE, tree.done);
        hal.count(Counter::BLOCKS_FAILED, tree.failed);
        hal.trace(TraceKind::PARKED, ring, u32::from(tree.tag), tree.done);
        let place = &mut self.places[(self.end & MASK) as usize];
        tree.completion().write(&mut place.completion);
        place.epoch = tree.epoch;
        place.since_ms = hal.now_ms();
        self.end = self.end.wrapping_add(1);
    }

    /// Posts those whose fence has passed. Returns whether there were any.
    #[inline(always)]
    pub(crate) fn post(&mut self, ring: u32, tables: &Tables, hal: &mut impl Hal) -> bool {
        let mut has_posted = false;
        while !self.is_empty() {
            let place = &self.places[(self.first & MASK) as usize];
            if place.epoch.is_some_and(|epoch| !tables.fence.has_passed(hal, epoch)) {
                if hal.now_ms().wrapping_sub(place.since_ms) > FENCE_DEADLINE_MS {
                    hal.fail(FailCode::FENCE, ring);
                }
                break;
            }
            if !hal.complete(ring, place.completion) {
                break;
            }
            let Completion { tag, done, .. } = Completion::read(&place.completion);
            hal.trace(TraceKind::COMPLETED, ring, u32::from(tag), done);
            self.first = self.first.wrapping_add(1);
            has_posted = true;
        }
        has_posted
    }
}
