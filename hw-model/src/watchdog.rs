//! Who watches the others: the fence's deadline and the heartbeat's.
//!
//! Asked by `command_core` after steps, once a millisecond. A reader that does not announce, or firmware that
//! does not beat, fails the card; nobody waits for it.
//!
//! Time counts only while the card itself was running: a gap between two looks that is longer
//! than [`LOOK_MS`] counts as that, so that a machine that was suspended does not fail its card.

use abi::host::limit::{FENCE_DEADLINE_MS, HEARTBEAT_DEADLINE_MS};
use abi::host::status::FailCode;

/// The most that one look adds to a wait, in ms.
const LOOK_MS: u32 = 50;

/// The two deadlines.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    last_ms: u32,
    announced: u32,
    fence_waits_ms: u32,
    silent_ms: u32,
}

/// What the watchdog looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Card time.
    pub(crate) now_ms: u32,
    /// The epoch raised last.
    pub(crate) raised: u32,
    /// The epoch announced last.
    pub(crate) announced: u32,
    /// Whether the firmware has beaten since the last look.
    pub(crate) has_beaten: bool,
}

impl Watchdog {
    /// A fresh one, at ENABLE.
    pub(crate) fn new(now_ms: u32) -> Self {
        Self { last_ms: now_ms, ..Self::default() }
    }

    /// Whether a look at `now_ms` would count anything.
    pub(crate) fn is_due(&self, now_ms: u32) -> bool {
        now_ms != self.last_ms
    }

    /// Looks, and says why the card has failed, if it has.
    pub(crate) fn look(&mut self, look: Look) -> Option<(FailCode, u32)> {
        let passed = look.now_ms.wrapping_sub(self.last_ms).min(LOOK_MS);
        self.last_ms = look.now_ms;
        let is_waiting = look.raised != look.announced && look.announced == self.announced;
        self.fence_waits_ms = if is_waiting { self.fence_waits_ms + passed } else { 0 };
        self.announced = look.announced;
        self.silent_ms = if look.has_beaten { 0 } else { self.silent_ms + passed };
        if self.fence_waits_ms > FENCE_DEADLINE_MS {
            return Some((FailCode::FENCE, look.raised));
        }
        if self.silent_ms > HEARTBEAT_DEADLINE_MS {
            return Some((FailCode::HEARTBEAT, 0));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(watchdog: &mut Watchdog, ms: std::ops::Range<u32>, look: Look) -> Option<FailCode> {
        ms.filter_map(|now_ms| watchdog.look(Look { now_ms, ..look })).map(|(code, _)| code).next()
    }

    #[test]
    fn a_reader_that_does_not_announce_fails_the_card_after_its_deadline() {
        let look = Look { now_ms: 0, raised: 5, announced: 4, has_beaten: true };
        let mut watchdog = Watchdog::new(0);
        assert_eq!(wait(&mut watchdog, 0..FENCE_DEADLINE_MS, look), None);
        let late = FENCE_DEADLINE_MS..FENCE_DEADLINE_MS + 10;
        assert_eq!(wait(&mut watchdog, late, look), Some(FailCode::FENCE));
    }

    #[test]
    fn a_reader_that_is_slow_but_moves_is_waited_for() {
        let mut watchdog = Watchdog::new(0);
        for announced in 0..10 {
            let look = Look { now_ms: 0, raised: 99, announced, has_beaten: true };
            let from = announced * 900;
            assert_eq!(wait(&mut watchdog, from..from + 900, look), None);
        }
    }

    #[test]
    fn a_machine_that_slept_does_not_fail_its_card() {
        let mut watchdog = Watchdog::new(0);
        let look = Look { now_ms: 3_600_000, raised: 2, announced: 1, has_beaten: false };
        assert_eq!(watchdog.look(look), None);
        let awake = 3_600_001..3_603_000;
        assert_eq!(
            wait(&mut watchdog, awake, Look { announced: 2, ..look }),
            Some(FailCode::HEARTBEAT)
        );
    }
}
