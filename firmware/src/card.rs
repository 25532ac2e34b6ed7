//! The firmware as a whole: one step after another.
//!
//! Called by whatever runs it: a thread, the timed model, the RISC-V main loop. A step looks at
//! notices, uploads, the sweep, and once at each ring that has something, each for a bounded
//! slice, rings in turn.

use abi::core::{Hal, Notice};
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::status::EventKind;
use abi::host::trace::TraceKind;

use crate::ring::Ring;
use crate::table::Tables;

/// Notices looked at in one step.
const NOTICE_SLICE: u32 = 16;

/// Whether a step found something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Yes; there may be more.
    Busy,
    /// No, but something is under way: a fence, a list, a tree without its end.
    Waiting,
    /// No; a new command or a notice is needed.
    Idle,
}

/// The firmware's state: a few kilobytes, no pointers.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Firmware {
    tables: Tables,
    rings: [Ring; limit::COMMAND_RINGS_MAX as usize],
    /// One bit a ring that the card has.
    ring_mask: u32,
    /// One bit a ring that has something under way for which no new slot is needed.
    waiting: u32,
    /// The ring that is served first in the next step.
    next_ring: u32,
    /// The last step found something.
    is_awake: bool,
}

impl Default for Firmware {
    fn default() -> Self {
        Self::new()
    }
}

impl Firmware {
    /// Firmware that was not started: its steps do nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            tables: Tables::none(),
            rings: [const { Ring::new() }; limit::COMMAND_RINGS_MAX as usize],
            ring_mask: 0,
            waiting: 0,
            next_ring: 0,
            is_awake: false,
        }
    }

    /// Starts with empty tables, once. `false` when the card's capabilities do not fit together;
    /// the card is then *failed*.
    #[must_use]
    pub fn start<H: Hal>(&mut self, hal: &mut H) -> bool {
        if !self.tables.start(hal) {
            return false;
        }
        let rings = self.tables.capabilities.command_rings.min(limit::COMMAND_RINGS_MAX);
        self.ring_mask = (1 << rings) - 1;
        true
    }

    /// Does one bounded slice of everything.
    pub fn step<H: Hal>(&mut self, hal: &mut H) -> Activity {
        hal.heartbeat();
        let mut is_busy = self.take_notices(hal);
        is_busy |= self.tables.upload_slice(hal);
        is_busy |= self.tables.sweep_slice(hal);
        let due = (hal.pending() | self.waiting) & self.ring_mask;
        if due != 0 {
            if !self.is_awake {
                self.is_awake = true;
                hal.trace(TraceKind::AWAKE, 0, 0, 0);
            }
            let later = (1 << self.next_ring) - 1;
            is_busy |= self.serve(hal, due & !later);
            is_busy |= self.serve(hal, due & later);
            let next = self.next_ring + 1;
            self.next_ring = if self.ring_mask >> next == 0 { 0 } else { next };
        }
        if self.is_awake && !is_busy {
            self.is_awake = false;
            hal.trace(TraceKind::ASLEEP, 0, 0, 0);
        }
        match (is_busy, self.waiting) {
            (true, _) => Activity::Busy,
            (false, 0) => Activity::Idle,
            (false, _) => Activity::Waiting,
        }
    }

    /// Serves the rings of `due`, the lowest first. Returns whether there was anything to do.
    fn serve<H: Hal>(&mut self, hal: &mut H, mut due: u32) -> bool {
        let mut is_busy = false;
        while due != 0 {
            let number = due.trailing_zeros();
            let bit = due & due.wrapping_neg();
            due ^= bit;
            let Some(ring) = self.rings.get_mut(number as usize) else { break };
            is_busy |= ring.step(number, &mut self.tables, hal);
            self.waiting = if ring.is_waiting() { self.waiting | bit } else { self.waiting & !bit };
        }
        is_busy
    }

    fn take_notices<H: Hal>(&mut self, hal: &mut H) -> bool {
        for taken in 0..NOTICE_SLICE {
            match hal.notice() {
                Some(Notice::Held(handle)) => self.tables.note_held(hal, handle),
                Some(Notice::Stale(handle)) => self.tables.note_stale(hal, handle),
                Some(Notice::Drained) => {
                    self.tables.post_event(hal, EventKind::DRAINED, Handle::NULL);
                }
                None => return taken > 0,
            }
        }
        true
    }
}
