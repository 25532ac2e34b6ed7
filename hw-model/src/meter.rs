//! What the firmware's work costs: counted on a timed card, free on a free-running one.
//!
//! A type parameter of `hal`, so that a free-running card pays nothing for it.

use std::cell::Cell;

/// Counts the cycles that `Hal` operations cost.
pub(crate) trait Meter: Default + Send {
    /// Adds `cycles`.
    fn charge(&self, cycles: u64);
    /// Cycles since the last [`Meter::restart`].
    fn spent(&self) -> u64;
    /// Starts from zero.
    fn restart(&self);
}

/// Counts nothing: the machine's own time passes.
#[derive(Debug, Default)]
pub(crate) struct NoMeter;

impl Meter for NoMeter {
    #[inline(always)]
    fn charge(&self, _cycles: u64) {}
    #[inline(always)]
    fn spent(&self) -> u64 {
        0
    }
    #[inline(always)]
    fn restart(&self) {}
}

/// Counts cycles of the card clock.
#[derive(Debug, Default)]
pub(crate) struct CycleMeter(Cell<u64>);

impl Meter for CycleMeter {
    #[inline]
    fn charge(&self, cycles: u64) {
        self.0.set(self.0.get() + cycles);
    }
    #[inline]
    fn spent(&self) -> u64 {
        self.0.get()
    }
    #[inline]
    fn restart(&self) {
        self.0.set(0);
    }
}
