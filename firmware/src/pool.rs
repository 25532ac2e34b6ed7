//! Slots of one table: which can be had, which were given out how often.
//!
//! A slot goes fresh → live → retired → live. It is *retired* until no reader can still hold its
//! index, and gone for good (counted) when its generations are spent, so that a stale handle never
//! hits a new object. Retired slots wait in the order in which they were retired and are given out
//! in that order: their lines are touched once, when they are written anyway, one behind the other.
//! The queue runs through the table's own words; nothing here knows what a slot contains.

use abi::core::Hal;
use abi::host::register::Counter;

use crate::fence::Fence;

/// One word of every entry of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) first: u32,
    pub(crate) stride: u32,
}

impl Column {
    #[inline(always)]
    pub(crate) const fn at(self, index: u32) -> u32 {
        self.first + index * self.stride
    }
}

/// Whether a slot can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Yes.
    Now,
    /// Not now, but one is retired and will be free after its grace period.
    Later,
    /// No.
    Full,
}

/// The slots of one table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    capacity: u32,
    /// Slots from here on were never given out.
    fresh: u32,
    /// The slot that was retired first, plus 1, and the last one.
    retired_head: u32,
    retired_tail: u32,
    /// The first one's grace period is over: [`Pool::room`] has looked.
    is_head_free: bool,
    live: u32,
    seed: u32,
    next: Column,
    epoch: Column,
    generation: Option<Column>,
}

impl Pool {
    /// A table without entries.
    pub(crate) const NONE: Self = Self {
        capacity: 0,
        fresh: 0,
        retired_head: 0,
        retired_tail: 0,
        is_head_free: false,
        live: 0,
        seed: 0,
        next: Column { first: 0, stride: 0 },
        epoch: Column { first: 0, stride: 0 },
        generation: None,
    };

    /// `generation` is the column of generations, if slots have them; `seed` their first.
    pub(crate) const fn new(
        capacity: u32,
        seed: u32,
        next: Column,
        epoch: Column,
        generation: Option<Column>,
    ) -> Self {
        let seed = if seed == 0 { 1 } else { seed };
        Self {
            capacity,
            fresh: 0,
            retired_head: 0,
            retired_tail: 0,
            is_head_free: false,
            live: 0,
            seed,
            next,
            epoch,
            generation,
        }
    }

    /// Entries of the table.
    pub(crate) const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// No slot from this index on was ever given out.
    pub(crate) const fn high_water(&self) -> u32 {
        self.fresh
    }

    /// Objects that live.
    pub(crate) const fn live(&self) -> u32 {
        self.live
    }

    /// Whether [`Pool::take`] will find a slot.
    pub(crate) fn room(&mut self, hal: &mut impl Hal, fence: &mut Fence) -> Room {
        if self.has_room(hal, fence) {
            Room::Now
        } else if self.retired_head != 0 {
            // Whoever waits for a slot must not wait for somebody else's fence.
            fence.raise(hal);
            Room::Later
        } else {
            Room::Full
        }
    }

    /// Whether [`Pool::take`] will find a slot; notes which.
    #[inline(always)]
    fn has_room(&mut self, hal: &impl Hal, fence: &Fence) -> bool {
        self.is_head_free = self.retired_head != 0 && {
            let epoch = hal.load(self.epoch.at(self.retired_head - 1));
            fence.has_passed(hal, epoch)
        };
        self.is_head_free || self.fresh < self.capacity
    }

    /// Gives out a slot, a used one before a fresh one: its index and its occupant's generation.
    /// [`Pool::room`] was asked for this one.
    pub(crate) fn take(&mut self, hal: &mut impl Hal) -> Option<(u32, u32)> {
        self.take_one(hal)
    }

    /// Gives out as many slots as there is place for in `slots`, or as can be had now: their
    /// indices. Returns how many.
    #[inline(always)]
    pub(crate) fn take_all(&mut self, hal: &mut impl Hal, fence: &Fence, slots: &mut [u32]) -> u32 {
        let mut taken = 0;
        for slot in slots {
            if !self.has_room(hal, fence) {
                break;
            }
            let Some((index, _)) = self.take_one(hal) else { break };
            *slot = index;
            taken += 1;
        }
        taken
    }

    #[inline(always)]
    fn take_one(&mut self, hal: &mut impl Hal) -> Option<(u32, u32)> {
        let (index, generation) = if self.is_head_free {
            let index = self.retired_head - 1;
            self.is_head_free = false;
            self.retired_head = hal.load(self.next.at(index));
            if self.retired_head == 0 {
                self.retired_tail = 0;
            }
            let last = self.generation.map_or(0, |column| hal.load(column.at(index)));
            (index, last.wrapping_add(1))
        } else if self.fresh < self.capacity {
            self.fresh += 1;
            (self.fresh - 1, self.seed)
        } else {
            return None;
        };
        self.live += 1;
        if let Some(column) = self.generation {
            hal.store(column.at(index), generation);
        }
        Some((index, generation))
    }

    /// Takes a slot back that no new reader can reach. It is given out again after `epoch` has
    /// passed, or never when its generations are spent.
    pub(crate) fn retire(&mut self, hal: &mut impl Hal, index: u32, epoch: u32) {
        self.live -= 1;
        if let Some(column) = self.generation
            && hal.load(column.at(index)) == u32::MAX
        {
            hal.count(Counter::RETIRED_SLOTS, 1);
            return;
        }
        hal.store(self.epoch.at(index), epoch);
        hal.store(self.next.at(index), 0);
        if self.retired_tail == 0 {
            self.retired_head = index + 1;
        } else {
            hal.store(self.next.at(self.retired_tail - 1), index + 1);
        }
        self.retired_tail = index + 1;
    }
}
