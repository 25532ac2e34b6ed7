//! The firmware as a whole: one step after another.
//!
//! Called by whatever runs it: a thread, the timed model, the RISC-V main loop. A step looks at
//! notices, uploads, the sweep and each ring once, each for a bounded slice, rings in turn.

use abi::core::{Hal, Notice};
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::status::EventKind;

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
pub struct Firmware {
    tables: Tables,
    rings: [Ring; limit::COMMAND_RINGS_MAX as usize],
    ring_count: usize,
    next_ring: usize,
}

impl Firmware {
    /// Starts with empty tables. `None` when the card's capabilities do not fit together; the
    /// card is then *failed*.
    pub fn new<H: Hal>(hal: &mut H) -> Option<Self> {
        let tables = Tables::new(hal)?;
        let mut rings = [Ring::new(0); limit::COMMAND_RINGS_MAX as usize];
        for (number, ring) in (0..).zip(&mut rings) {
            *ring = Ring::new(number);
        }
        let ring_count = (tables.capabilities.command_rings as usize).min(rings.len());
        Some(Self { tables, rings, ring_count, next_ring: 0 })
    }

    /// Does one bounded slice of everything.
    pub fn step<H: Hal>(&mut self, hal: &mut H) -> Activity {
        hal.heartbeat();
        let mut is_busy = self.take_notices(hal);
        is_busy |= self.tables.upload_slice(hal);
        is_busy |= self.tables.sweep_slice(hal);
        let mut is_waiting = false;
        let (before, after) = self.rings.split_at_mut(self.next_ring.min(self.ring_count));
        let count = self.ring_count - before.len();
        let in_turn = after.iter_mut().take(count).chain(before);
        for ring in in_turn {
            is_busy |= ring.step(&mut self.tables, hal);
            is_waiting |= ring.is_waiting();
        }
        self.next_ring = if self.next_ring + 1 < self.ring_count { self.next_ring + 1 } else { 0 };
        match (is_busy, is_waiting) {
            (true, _) => Activity::Busy,
            (false, true) => Activity::Waiting,
            (false, false) => Activity::Idle,
        }
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
