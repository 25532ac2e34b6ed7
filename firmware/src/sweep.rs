//! The alias sweep: bringing the paths of one neighbor back to its home alias.
//!
//! Asked for by `relink` when a neighbor would get too many aliases, or none is free. Runs
//! between commands, a bounded slice of the path table a step; the command that asked waits in
//! its ring and looks again. A swept path keeps its neighbor, so no frame changes its header and
//! no completion waits for a sweep; only the emptied aliases wait for their grace period.

use abi::core::Hal;
use abi::core::table::{Control, alias, path};
use abi::host::register::Counter;
use abi::host::trace::TraceKind;

use crate::table::Tables;

/// Paths, or neighbors, looked at in one step.
const SLICE: u32 = 64;

/// What the sweep is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Sweep {
    /// Nothing.
    Off,
    /// Looks for a neighbor with more than its home alias, from this one on.
    Seeking(u32),
    /// Brings the paths of `neighbor` home, from path `next` on.
    Sweeping {
        /// Whose paths.
        neighbor: u32,
        /// The path to look at next.
        next: u32,
    },
}

impl Sweep {
    pub(crate) const fn new() -> Self {
        Self::Off
    }

    /// Whether a sweep of this neighbor is under way, so that its aliases must stay.
    pub(crate) const fn concerns(&self, neighbor: u32) -> bool {
        matches!(self, Self::Sweeping { neighbor: swept, .. } if *swept == neighbor)
    }

    /// Asks for a sweep of `neighbor`; while another one runs, ask again later.
    pub(crate) fn request(&mut self, hal: &mut impl Hal, neighbor: u32) {
        if *self == Self::Off {
            hal.count(Counter::SWEEPS, 1);
            *self = Self::Sweeping { neighbor, next: 0 };
        }
    }

    /// Asks for a sweep of whichever neighbor has aliases to spare.
    pub(crate) fn request_any(&mut self, hal: &mut impl Hal) {
        if *self == Self::Off {
            hal.count(Counter::SWEEPS, 1);
            *self = Self::Seeking(0);
        }
    }
}

impl Tables {
    /// Does one slice. `true` when there was something to do.
    pub(crate) fn sweep_slice(&mut self, hal: &mut impl Hal) -> bool {
        match self.sweep {
            Sweep::Off => return false,
            Sweep::Seeking(from) => self.seek(hal, from),
            Sweep::Sweeping { neighbor, next } => self.sweep_paths(hal, neighbor, next),
        }
        true
    }

    fn seek(&mut self, hal: &impl Hal, from: u32) {
        let end = self.neighbors.high_water().min(from.saturating_add(SLICE));
        for neighbor in from..end {
            if !self.has_one_alias(hal, neighbor) {
                self.sweep = Sweep::Sweeping { neighbor, next: 0 };
                return;
            }
        }
        let is_over = end >= self.neighbors.high_water();
        self.sweep = if is_over { Sweep::Off } else { Sweep::Seeking(end) };
    }

    fn sweep_paths(&mut self, hal: &mut impl Hal, neighbor: u32, from: u32) {
        hal.trace(TraceKind::SWEEP, 0, 0, neighbor);
        let home = self.home(hal, neighbor);
        let end = self.paths.high_water().min(from.saturating_add(SLICE));
        for path in from..end {
            self.bring_home(hal, path, neighbor, home);
        }
        let is_over = end >= self.paths.high_water() || self.has_one_alias(hal, neighbor);
        if is_over {
            // Whoever waits for the emptied aliases waits for this epoch.
            self.fence.raise(hal);
            self.sweep = Sweep::Off;
        } else {
            self.sweep = Sweep::Sweeping { neighbor, next: end };
        }
    }

    fn bring_home(&mut self, hal: &mut impl Hal, path: u32, neighbor: u32, home: u32) {
        let line = self.layout.path(path);
        if hal.load(line + path::CONTROL) & Control::LIVE.0 == 0 {
            return;
        }
        let link = hal.load(line + path::LINK);
        let at = self.layout.alias(link);
        if link == home || hal.load(at + alias::VIA) != neighbor {
            return;
        }
        // The path came to this neighbor when its alias did, if that was later.
        let moved_ms = hal.load(at + alias::MOVED_MS);
        if is_later(moved_ms, hal.load(line + path::LINKED_MS)) {
            hal.store(line + path::LINKED_MS, moved_ms);
        }
        hal.publish(line + path::LINK, home);
        self.arrive(hal, home, neighbor, 1);
        self.depart(hal, link, 1);
    }
}

/// Whether card time `a` is later than `b`; card time wraps.
pub(crate) const fn is_later(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) as i32 > 0
}
