//! How flue waits: on the card's clock, with the machine's clock as a backstop.
//!
//! A simulated card is slow and goes on only while somebody waits for it, so every wait calls
//! the backing's `relax`. Invariant: no wait is without an end.

use std::time::{Duration, Instant};

use host_driver::backing::Backing;

/// Wall-clock time after which any wait is given up: a card that does not move at all.
const BACKSTOP: Duration = Duration::from_secs(120);
/// How often the machine's clock is looked at, in turns of a wait.
const TURNS_A_LOOK: u32 = 1 << 12;

/// The end of a wait.
#[derive(Debug)]
pub(crate) struct Deadline {
    at_ns: u64,
    started: Instant,
    turns: u32,
}

impl Deadline {
    /// A wait of at most `for_ns` on the clock of `backing`.
    pub(crate) fn after<B: Backing>(backing: &B, for_ns: u64) -> Self {
        let at_ns = backing.clock_ns().saturating_add(for_ns);
        Self { at_ns, started: Instant::now(), turns: 0 }
    }

    /// Lets the card go on. `false` once the wait is over.
    pub(crate) fn relax<B: Backing>(&mut self, backing: &B) -> bool {
        backing.relax();
        self.turns = self.turns.wrapping_add(1);
        let is_stuck = self.turns.is_multiple_of(TURNS_A_LOOK) && self.started.elapsed() > BACKSTOP;
        !is_stuck && backing.clock_ns() < self.at_ns
    }

    /// Whether the wait is over, by the clock of `backing`.
    pub(crate) fn is_over<B: Backing>(&self, backing: &B) -> bool {
        backing.clock_ns() >= self.at_ns
    }
}
