//! A table under test: keys to look up, a writer that changes them, values that show a tear.
//!
//! Floor, engine and peers are measured by the same loops. Every lookup is looked at: what a
//! reader finds must be a value that was written whole.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::machine::{CARD, HOST, pin};
use crate::raw;
use crate::turns::Histogram;

/// Seed of what the writer changes.
const WRITER_SEED: u64 = 1_234_567;
/// Changes between two looks at the clock, of a writer that has a pace.
const PACED: u64 = 16;
/// Changes between two looks at the wish to stop.
const LOOK: u64 = 64;

/// A table that is read by one thread and changed by another one.
pub trait Table: Sync {
    /// Looks all keys up, `batch` at a time; gives how many found no whole value.
    fn look_up(&self, keys: &[u32], batch: usize) -> u64;

    /// Looks one key up; gives 0 for a whole value.
    fn one(&self, key: u32) -> u64;

    /// Changes as `pace` says, until it is over; gives how often.
    fn change(&self, pace: &mut Pace<'_>) -> u64;

    /// What a reader does that has nothing to look up: a writer may be waiting for it.
    fn rest(&self) {}

    /// Looks one key after the other up and counts how long each took; gives how many found no
    /// whole value.
    fn time(&self, keys: &[u32], histogram: &mut Histogram) -> u64 {
        let mut torn = 0;
        for &key in keys {
            let started = raw::ticks();
            torn += self.one(key);
            raw::fence();
            histogram.add(raw::ticks() - started);
        }
        torn
    }
}

/// How fast a writer is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// No writer at all.
    None,
    /// So many changes a second.
    PerSecond(u64),
    /// As fast as it can.
    Full,
}

impl Rate {
    /// The word in a case's name.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Self::None => "0".to_owned(),
            Self::PerSecond(rate) => rate.to_string(),
            Self::Full => "full".to_owned(),
        }
    }
}

/// Tells a writer what to change next, and when to stop.
#[derive(Debug)]
pub struct Pace<'a> {
    rate: Rate,
    is_over: &'a AtomicBool,
    chance: Chance,
    started: Instant,
    changes: u64,
}

impl Pace<'_> {
    /// A random number for the next change, or `None` when it is over. Waits as the pace asks.
    #[inline(always)]
    pub fn draw(&mut self) -> Option<u64> {
        // ORDERING: Relaxed. Nothing but the wish to stop. No loom test: one word.
        if self.changes.is_multiple_of(LOOK) && self.is_over.load(Ordering::Relaxed) {
            return None;
        }
        if let Rate::PerSecond(rate) = self.rate
            && self.changes.is_multiple_of(PACED)
            && !self.wait(rate)
        {
            return None;
        }
        self.changes += 1;
        Some(self.chance.draw())
    }

    /// Goes on to the next `count` changes, made together; `false` when it is over. Waits as the
    /// pace asks.
    pub fn draw_many(&mut self, count: u64) -> bool {
        // ORDERING: Relaxed. Nothing but the wish to stop. No loom test: one word.
        if self.is_over.load(Ordering::Relaxed) {
            return false;
        }
        if let Rate::PerSecond(rate) = self.rate
            && !self.wait(rate)
        {
            return false;
        }
        self.changes += count;
        true
    }

    /// What was asked for.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// Changes so far.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// Waits until the next change is due; `false` when it is over.
    fn wait(&self, rate: u64) -> bool {
        let due =
            Duration::from_nanos((self.changes as u128 * 1_000_000_000 / u128::from(rate)) as u64);
        while self.started.elapsed() < due {
            // ORDERING: Relaxed. Nothing but the wish to stop. No loom test: one word.
            if self.is_over.load(Ordering::Relaxed) {
                return false;
            }
            std::hint::spin_loop();
        }
        true
    }
}

/// Runs `read` on the host's processor while a writer changes the table on the card's. Gives what
/// `read` gave, and the changes a second.
///
/// # Panics
/// When the writer does.
pub fn beside_writer<T>(table: &dyn Table, rate: Rate, read: impl FnOnce() -> T) -> (T, f64) {
    pin(HOST);
    if rate == Rate::None {
        return (read(), 0.0);
    }
    let (barrier, is_over) = (Barrier::new(2), AtomicBool::new(false));
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            pin(CARD);
            barrier.wait();
            let (is_over, started) = (&is_over, Instant::now());
            let chance = Chance::new(WRITER_SEED);
            let changes = table.change(&mut Pace { rate, is_over, chance, started, changes: 0 });
            changes as f64 / started.elapsed().as_secs_f64()
        });
        barrier.wait();
        let answer = read();
        // ORDERING: Relaxed. Nothing but the wish to stop. No loom test: one word.
        is_over.store(true, Ordering::Relaxed);
        while !writer.is_finished() {
            table.rest();
        }
        (answer, writer.join().expect("the writer ends in peace"))
    })
}
