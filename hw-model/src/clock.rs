//! The card clock: the machine's time on a free-running card, counted cycles on a timed one.
//!
//! Asked by every part of the card; advanced only by `timed`. Time never goes back.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Where time comes from.
#[derive(Debug)]
enum Source {
    /// The machine's clock since the card was made. Latencies are the machine's own.
    Machine(Instant),
    /// Cycles counted by the event loop.
    Counted(AtomicU64),
}

/// The card clock.
#[derive(Debug)]
pub(crate) struct Clock {
    source: Source,
    khz: u64,
}

impl Clock {
    /// A clock that follows the machine's.
    pub(crate) fn machine(khz: u32) -> Self {
        Self { source: Source::Machine(Instant::now()), khz: u64::from(khz.max(1)) }
    }

    /// A clock that stands still until it is advanced.
    pub(crate) fn counted(khz: u32) -> Self {
        Self { source: Source::Counted(AtomicU64::new(0)), khz: u64::from(khz.max(1)) }
    }

    /// Whether cycles are counted, not read from the machine.
    pub(crate) fn is_counted(&self) -> bool {
        matches!(self.source, Source::Counted(_))
    }

    /// Cycles since the card was made.
    pub(crate) fn cycles(&self) -> u64 {
        match &self.source {
            Source::Machine(start) => {
                // Seconds apart from the rest of one: neither product needs more than 64 bits.
                let passed = start.elapsed();
                passed.as_secs() * self.khz * 1_000
                    + u64::from(passed.subsec_nanos()) * self.khz / 1_000_000
            }
            // ORDERING: Relaxed. A timed card runs behind one mutex, which orders it; a reader
            // outside gets a recent time and draws nothing else from it. No loom test: one word.
            Source::Counted(cycles) => cycles.load(Ordering::Relaxed),
        }
    }

    /// Lets a counted clock reach `cycles`; earlier times and the machine's clock are left alone.
    pub(crate) fn advance_to(&self, cycles: u64) {
        if let Source::Counted(now) = &self.source {
            // ORDERING: Relaxed. As in `cycles`: the mutex of the timed card orders it.
            now.fetch_max(cycles, Ordering::Relaxed);
        }
    }

    /// When something that takes `cycles` from now is due: at once on a free-running card,
    /// where the work itself takes the machine's time.
    pub(crate) fn due(&self, now: u64, cycles: u64) -> u64 {
        if self.is_counted() { now.saturating_add(cycles) } else { now }
    }

    /// Cycles in `ns`, rounded up.
    pub(crate) fn in_ns(&self, ns: u64) -> u64 {
        let cycles = (u128::from(ns) * u128::from(self.khz)).div_ceil(1_000_000);
        u64::try_from(cycles).unwrap_or(u64::MAX)
    }

    /// Cycles in `us` microseconds, rounded up.
    pub(crate) fn in_us(&self, us: u64) -> u64 {
        self.in_ns(us.saturating_mul(1_000))
    }

    /// Nanoseconds at `cycles`.
    pub(crate) fn ns_at(&self, cycles: u64) -> u64 {
        u64::try_from(u128::from(cycles) * 1_000_000 / u128::from(self.khz)).unwrap_or(u64::MAX)
    }

    /// Milliseconds at `cycles`, as the TIME_MS register and the table's stamps count them: they wrap.
    pub(crate) fn ms_at(&self, cycles: u64) -> u32 {
        (cycles / self.khz) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_clock_stands_still_and_never_goes_back() {
        let clock = Clock::counted(250_000);
        assert_eq!(clock.cycles(), 0);
        clock.advance_to(500_000);
        clock.advance_to(10);
        assert_eq!((clock.cycles(), clock.ms_at(clock.cycles())), (500_000, 2));
        assert_eq!(clock.ns_at(1), 4);
        assert_eq!(clock.in_ns(5), 2);
        assert_eq!(clock.due(7, 3), 10);
    }

    #[test]
    fn on_the_machines_clock_everything_is_due_at_once() {
        let clock = Clock::machine(250_000);
        assert_eq!(clock.due(7, 3), 7);
        assert!(clock.cycles() <= clock.cycles());
    }
}
