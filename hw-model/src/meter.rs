//! What the native firmware's work costs: counted on a timed card, free on a free-running one.
//!
//! A type parameter of the native body, so that a free-running card pays nothing for it. The
//! RISC-V body needs none: it counts the cycles of its instructions.

use std::cell::Cell;

use crate::charge::{CHARGES, Charge};

/// How often each charge was met.
pub type Tally = [u64; CHARGES];

/// Counts what the firmware does.
pub(crate) trait Meter: Default + Send {
    /// Whether it counts at all: on a clock that is counted. Else everything is due at once.
    const COUNTS: bool;
    /// Meets a charge so many times.
    fn charge(&self, charge: Charge, times: u32);
    /// Adds cycles that the core stood still.
    fn stall(&self, cycles: u32);
    /// Cycles since the last [`Meter::restart`], stalls included.
    fn spent(&self) -> u64;
    /// Cycles that it stood still since then.
    fn stalled(&self) -> u64;
    /// Starts from zero.
    fn restart(&self);
    /// Adds what was met since then to a tally.
    fn add_to(&self, tally: &mut Tally);
}

/// Counts nothing: the machine's own time passes.
#[derive(Debug, Default)]
pub(crate) struct NoMeter;

impl Meter for NoMeter {
    const COUNTS: bool = false;
    #[inline(always)]
    fn charge(&self, _charge: Charge, _times: u32) {}
    #[inline(always)]
    fn stall(&self, _cycles: u32) {}
    #[inline(always)]
    fn spent(&self) -> u64 {
        0
    }
    #[inline(always)]
    fn stalled(&self) -> u64 {
        0
    }
    #[inline(always)]
    fn restart(&self) {}
    #[inline(always)]
    fn add_to(&self, _tally: &mut Tally) {}
}

/// Counts cycles of the card clock.
#[derive(Debug)]
pub(crate) struct CycleMeter {
    spent: Cell<u64>,
    stalled: Cell<u64>,
    tally: [Cell<u64>; CHARGES],
}

impl Default for CycleMeter {
    fn default() -> Self {
        let tally = [const { Cell::new(0) }; CHARGES];
        Self { spent: Cell::new(0), stalled: Cell::new(0), tally }
    }
}

impl Meter for CycleMeter {
    const COUNTS: bool = true;
    #[inline]
    fn charge(&self, charge: Charge, times: u32) {
        let times = u64::from(times);
        self.spent.set(self.spent.get() + charge.cycles() * times);
        self.tally[charge.number()].update(|count| count + times);
    }
    #[inline]
    fn stall(&self, cycles: u32) {
        self.spent.set(self.spent.get() + u64::from(cycles));
        self.stalled.set(self.stalled.get() + u64::from(cycles));
    }
    #[inline]
    fn spent(&self) -> u64 {
        self.spent.get()
    }
    #[inline]
    fn stalled(&self) -> u64 {
        self.stalled.get()
    }
    #[inline]
    fn restart(&self) {
        self.spent.set(0);
        self.stalled.set(0);
        self.tally.iter().for_each(|count| count.set(0));
    }
    fn add_to(&self, tally: &mut Tally) {
        for (sum, count) in tally.iter_mut().zip(&self.tally) {
            *sum += count.get();
        }
    }
}
