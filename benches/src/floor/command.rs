//! One command with its fence: a 64-byte slot down, an epoch there and back, a completion up.
//!
//! The card is one thread, as on a machine with two processors: core and reader take turns. The
//! core takes a command, stores the one word that it changes, and raises the epoch; the reader
//! announces it between two batches; the core sees that and posts 16 bytes. Idle, the reader's
//! turn is one load and, if it must be, one store. Busy, it looks up 64 frames between two
//! announcements; with frames, it sends them too.
//!
//! | word | writer | reader | store | load | publishes |
//! | --- | --- | --- | --- | --- | --- |
//! | last word of a slot | host | core | Release | Acquire | the slot |
//! | `group` | core | reader | Release | Acquire | what all paths hang from |
//! | `raised` | core | reader | Release | Acquire | the change before it |
//! | `announced` | reader | core | Release | Acquire | that older batches are over |
//! | last word of a completion | core | host | Release | Acquire | the completion |

use std::hint::{black_box, spin_loop};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::chance::Chance;
use crate::floor::chain::Chain;
use crate::floor::frames::{Card, Frames};
use crate::machine::{CARD, HOST, Line, pin};
use crate::raw::ticks;
use crate::turns::Histogram;

/// Frames of a batch.
pub const BATCH: usize = 64;
/// Keys that the busy reader goes round in.
const KEYS: usize = 1 << 16;
/// Slots of the ring.
const SLOTS: usize = 16;
/// Commands before those that count.
const WARM_UP: u64 = 200;
/// Longest pause between two commands of a busy card, in ticks: they come at any point of a batch.
pub const PAUSE_TICKS_MAX: u64 = 8192;
/// Seed of the pauses.
pub const PAUSE_SEED: u64 = 11;

/// A slot: seven words of body and the one that publishes it.
#[repr(C, align(64))]
struct Slot([AtomicU64; 8]);

/// A completion: a body word, and the word that publishes it.
#[repr(C, align(64))]
struct Completion([AtomicU64; 2]);

/// What both sides share.
struct Wire {
    slots: [Slot; SLOTS],
    completions: [Completion; SLOTS],
    group: Line<AtomicU64>,
    raised: Line<AtomicU64>,
    announced: Line<AtomicU64>,
    is_over: Line<AtomicBool>,
}

/// The card between two commands: what its reader has to do.
pub enum Reader<'a> {
    /// Nothing.
    Idle,
    /// Batches of lookups, one after another.
    Busy(&'a Chain),
    /// Batches of frames that the host posts, with all that a frame is.
    Frames(&'a Chain),
}

/// Times `count` commands, one after another, from the first store to the completion seen.
///
/// # Panics
/// When the last command did not change what it was to change.
#[must_use]
pub fn commands(count: u64, reader: &Reader<'_>) -> Histogram {
    let wire = Wire {
        slots: [const { Slot([const { AtomicU64::new(0) }; 8]) }; SLOTS],
        completions: [const { Completion([const { AtomicU64::new(0) }; 2]) }; SLOTS],
        group: Line::default(),
        raised: Line::default(),
        announced: Line::default(),
        is_over: Line::default(),
    };
    let (barrier, frames) = (Barrier::new(2), Frames::default());
    let mut histogram = Histogram::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            pin(CARD);
            let keys = match reader {
                Reader::Idle | Reader::Frames(_) => Vec::new(),
                Reader::Busy(chain) => chain.keys(KEYS),
            };
            barrier.wait();
            wire.card(reader, &keys, frames.card());
        });
        pin(HOST);
        barrier.wait();
        let mut chance = Chance::new(PAUSE_SEED);
        let mut posting = match reader {
            Reader::Frames(chain) => Some(frames.host(chain.sizes().0)),
            Reader::Idle | Reader::Busy(_) => None,
        };
        for number in 1..=WARM_UP + count {
            if let Some(host) = &mut posting {
                host.keep_busy();
            }
            if !matches!(reader, Reader::Idle) {
                pause(&mut chance);
            }
            // Who was taken off the processor in the pause finds that all have left.
            while let Some(host) = posting.as_mut().filter(|host| !host.is_busy()) {
                host.keep_busy();
            }
            let started = ticks();
            wire.submit(number);
            wire.wait_for(number);
            let ended = ticks();
            if number > WARM_UP {
                histogram.add(ended - started);
            }
        }
        // ORDERING: Relaxed. Nothing but the wish to end. No loom test: one word.
        wire.is_over.0.store(true, Ordering::Relaxed);
    });
    // ORDERING: Relaxed. The other thread has ended. No loom test: one thread.
    let group = wire.group.0.load(Ordering::Relaxed);
    assert_eq!(group, WARM_UP + count, "the floor carried out the last command");
    histogram
}

/// Waits for a while that nobody can foretell.
pub fn pause(chance: &mut Chance) {
    let end = ticks() + chance.below(PAUSE_TICKS_MAX);
    while ticks() < end {
        spin_loop();
    }
}

impl Wire {
    /// Writes the slot, and with its last word publishes it.
    #[inline(always)]
    fn submit(&self, number: u64) {
        let slot = &self.slots[number as usize % SLOTS].0;
        for word in &slot[..7] {
            // ORDERING: Relaxed. Published by the Release below. No loom test: a floor.
            word.store(number, Ordering::Relaxed);
        }
        // ORDERING: Release. Pairs with the Acquire in `fetch`; publishes the body.
        // No loom test: a floor; the engine's ring has `loom_ring`.
        slot[7].store(number, Ordering::Release);
    }

    /// Waits for the completion, and reads it.
    #[inline(always)]
    fn wait_for(&self, number: u64) {
        let completion = &self.completions[number as usize % SLOTS].0;
        // ORDERING: Acquire. Pairs with the Release in `post`. No loom test: a floor.
        while completion[1].load(Ordering::Acquire) != number {
            spin_loop();
        }
        // ORDERING: Relaxed. Ordered by the Acquire above. No loom test: a floor.
        black_box(completion[0].load(Ordering::Relaxed));
    }

    /// The card: core, reader, core again, batch.
    fn card(&self, reader: &Reader<'_>, keys: &[u32], mut frames: Card<'_>) {
        let (mut next, mut epoch, mut seen) = (1, 0, 0);
        let mut batches = keys.chunks_exact(BATCH).cycle();
        // ORDERING: Relaxed. Nothing but the wish to end. No loom test: one word.
        while !self.is_over.0.load(Ordering::Relaxed) {
            let fetched = self.fetch(next);
            if let Some(body) = fetched {
                // ORDERING: Release. Pairs with the Acquire of a batch. No loom test: a floor.
                self.group.0.store(body, Ordering::Release);
                epoch += 1;
                // ORDERING: Release. Pairs with the Acquire in `announce`: who sees the epoch
                // sees the change. No loom test: a floor; the engine's has `loom_fence`.
                self.raised.0.store(epoch, Ordering::Release);
            }
            self.announce(&mut seen);
            // ORDERING: Acquire. Pairs with the Release in `announce`: batches of before are
            // over. No loom test: a floor; the engine's has `loom_fence`.
            if fetched.is_some() && self.announced.0.load(Ordering::Acquire) == epoch {
                self.post(next);
                next += 1;
            }
            if !matches!(reader, Reader::Idle) {
                // ORDERING: Acquire. Pairs with the Release of the core above. No loom test.
                black_box(self.group.0.load(Ordering::Acquire));
            }
            match reader {
                Reader::Idle => {}
                Reader::Busy(chain) => {
                    if let Some(batch) = batches.next() {
                        black_box(chain.batches::<BATCH>(batch));
                    }
                }
                Reader::Frames(chain) => frames.send(chain),
            }
        }
    }

    /// The body of slot `number`, if it is there.
    #[inline(always)]
    fn fetch(&self, number: u64) -> Option<u64> {
        let slot = &self.slots[number as usize % SLOTS].0;
        // ORDERING: Acquire. Pairs with the Release in `submit`: the body is whole.
        // No loom test: a floor; the engine's ring has `loom_ring`.
        if slot[7].load(Ordering::Acquire) != number {
            return None;
        }
        // ORDERING: Relaxed. Ordered by the Acquire above. No loom test: a floor.
        let words = slot[..7].iter().map(|word| word.load(Ordering::Relaxed));
        Some(words.fold(u64::MAX, |all, word| all & word))
    }

    #[inline(always)]
    fn announce(&self, seen: &mut u64) {
        // ORDERING: Acquire. Pairs with the Release of the core that raised it.
        // No loom test: a floor; the engine's has `loom_fence`.
        let raised = self.raised.0.load(Ordering::Acquire);
        if raised != *seen {
            *seen = raised;
            // ORDERING: Release. Pairs with the Acquire of the core; nothing of older batches is
            // left. No loom test: a floor; the engine's has `loom_fence`.
            self.announced.0.store(raised, Ordering::Release);
        }
    }

    #[inline(always)]
    fn post(&self, number: u64) {
        let completion = &self.completions[number as usize % SLOTS].0;
        // ORDERING: Relaxed. Published by the Release below. No loom test: a floor.
        completion[0].store(number, Ordering::Relaxed);
        // ORDERING: Release. Pairs with the Acquire in `wait_for`; publishes the body.
        // No loom test: a floor; the engine's ring has `loom_ring`.
        completion[1].store(number, Ordering::Release);
    }
}
