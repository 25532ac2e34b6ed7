//! The ring protocol under loom: every interleaving and every reordering that the orderings allow.
//!
//! The host's ends are the driver's own (`ring`, `barrier`); the card's ends are mirrored here in
//! a few lines, as the hardware of a card has to behave. A doorbell is a plain word, stored
//! without ordering: what makes it safe is the barrier in front of it.
//! To see a test fail, weaken one ordering: `load_acquire` or `store_release` of [`Shared`] to
//! Relaxed, `load_acquire` to `load_relaxed` in `Consumer::reap`, or take the fence out of
//! `barrier::mmio_wmb`; each test says which of them it guards.
//! What loom cannot show: it never carries a load out late, so that a slot is read before it is
//! given back (the fence in `Consumer::reaped`) rests on what a Release fence means.
#![cfg(loom)]

use abi::host::completion::{PHASE_WORD, with_phase};
use abi::host::position::RingSize;
use host_driver::memory::Words;
use host_driver::ring::{Consumer, ENTRY_WORDS, Producer};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;

/// Slots of every ring: the fewest that make laps.
const SLOTS: u32 = 2;
/// Words of a slot: enough to be torn.
const SLOT_WORDS: usize = 2;
/// Entries that cross in a test: one more than the ring holds, so that a slot is used again.
const ENTRIES: u32 = 3;

/// Memory that host and card share.
struct Shared(Vec<AtomicU32>);

impl Shared {
    fn new(words: usize) -> Self {
        Self((0..words).map(|_| AtomicU32::new(0)).collect())
    }
}

impl Words for Shared {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn load_relaxed(&self, word: usize) -> u32 {
        // ORDERING: Relaxed. As `Memory::load_relaxed`.
        self.0[word].load(Ordering::Relaxed)
    }
    fn load_acquire(&self, word: usize) -> u32 {
        // ORDERING: Acquire. As `Memory::load_acquire`; on the card's side, its ordered read of a
        // doorbell before a slot.
        self.0[word].load(Ordering::Acquire)
    }
    fn store_relaxed(&self, word: usize, value: u32) {
        // ORDERING: Relaxed. As `Memory::store_relaxed`; also a register write.
        self.0[word].store(value, Ordering::Relaxed);
    }
    fn store_release(&self, word: usize, value: u32) {
        // ORDERING: Release. As `Memory::store_release`; a card's write of the word with the phase.
        self.0[word].store(value, Ordering::Release);
    }
}

/// A command or transmit ring with its completion ring, its two doorbells and one buffer a slot.
struct Rings {
    slots: Shared,
    entries: Shared,
    doorbells: Shared,
    buffers: Shared,
}

const TAIL: usize = 0;
const REAPED: usize = 1;

impl Rings {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            slots: Shared::new(SLOTS as usize * SLOT_WORDS),
            entries: Shared::new(SLOTS as usize * ENTRY_WORDS),
            doorbells: Shared::new(2),
            buffers: Shared::new(SLOTS as usize),
        })
    }

    fn size() -> RingSize {
        RingSize::new(SLOTS).expect("a power of two")
    }

    /// The card's end of a completion or event ring: body first, the word with the phase last.
    fn post(&self, position: u32, body: [u32; 3]) {
        let entry = with_phase([body[0], body[1], body[2], 0], Self::size().phase(position));
        let first = Self::size().slot(position) as usize * ENTRY_WORDS;
        for (i, &word) in entry[..PHASE_WORD].iter().enumerate() {
            self.entries.store_relaxed(first + i, word);
        }
        self.entries.store_release(first + PHASE_WORD, entry[PHASE_WORD]);
    }

    /// The card's end of a command or transmit ring: the slot at `position`, once the doorbell
    /// is past it.
    fn fetch(&self, position: u32) -> [u32; SLOT_WORDS] {
        while self.doorbells.load_acquire(TAIL) == position {
            thread::yield_now();
        }
        let first = Self::size().slot(position) as usize * SLOT_WORDS;
        [0, 1].map(|i| self.slots.load_relaxed(first + i))
    }

    fn buffer(position: u32) -> usize {
        Self::size().slot(position) as usize
    }
}

fn reap_next(consumer: &mut Consumer, rings: &Rings) -> [u32; ENTRY_WORDS] {
    loop {
        if let Some(entry) = consumer.reap(&rings.entries) {
            return entry;
        }
        thread::yield_now();
    }
}

/// Guards the fence of `mmio_wmb` in `Producer::publish` and the card's Acquire of the doorbell.
#[test]
fn a_fetched_command_is_whole() {
    loom::model(|| {
        let rings = Rings::new();
        let card = Arc::clone(&rings);
        let card = thread::spawn(move || {
            for position in 0..ENTRIES {
                assert_eq!(card.fetch(position), [position + 10, position + 20], "a torn command");
                card.post(position, [position; 3]);
            }
        });
        let mut commands = Producer::<SLOT_WORDS>::new(Rings::size());
        let mut completions = Consumer::new(Rings::size());
        for position in 0..ENTRIES {
            while commands.free(completions.head()) == 0 {
                reap_next(&mut completions, &rings);
            }
            commands.write(&rings.slots, &[position + 10, position + 20]);
            let tail = commands.publish().expect("a slot was written");
            rings.doorbells.store_relaxed(TAIL, tail);
        }
        card.join().expect("the card ends");
    });
}

/// Guards the Release of the phase word by the card and its Acquire in `Consumer::reap`:
/// the completion's own words and the results that were written before it.
#[test]
fn a_reaped_completion_is_whole() {
    loom::model(|| {
        let rings = Rings::new();
        let card = Arc::clone(&rings);
        let card = thread::spawn(move || {
            for position in 0..SLOTS {
                card.buffers.store_relaxed(Rings::buffer(position), position + 40);
                card.post(position, [position + 10, position + 20, position + 30]);
            }
        });
        let mut completions = Consumer::new(Rings::size());
        for position in 0..SLOTS {
            let entry = reap_next(&mut completions, &rings);
            assert_eq!(entry[..3], [position + 10, position + 20, position + 30], "torn");
            let result = rings.buffers.load_relaxed(Rings::buffer(position));
            assert_eq!(result, position + 40, "the results came after their completion");
        }
        assert_eq!(completions.reap(&rings.entries), None);
        card.join().expect("the card ends");
    });
}

/// Guards the Release and Acquire of the phase word where a slot is used again: an event of the
/// next lap is not mixed with the one before it.
#[test]
fn an_event_is_whole() {
    loom::model(|| {
        let rings = Rings::new();
        let card = Arc::clone(&rings);
        let card = thread::spawn(move || {
            for position in 0..ENTRIES {
                while Rings::size().free(card.doorbells.load_acquire(REAPED), position) == 0 {
                    thread::yield_now();
                }
                card.post(position, [position + 10, position + 20, position + 30]);
            }
        });
        let mut events = Consumer::new(Rings::size());
        for position in 0..ENTRIES {
            let entry = reap_next(&mut events, &rings);
            assert_eq!(entry[..3], [position + 10, position + 20, position + 30], "torn");
            rings.doorbells.store_relaxed(REAPED, events.reaped());
        }
        card.join().expect("the card ends");
    });
}

/// Guards, by the fence of `mmio_wmb`, that a packet is in its buffer before its descriptor is
/// fetched, and by the phase word that its completion is whole before the buffer is used again.
#[test]
fn a_transmit_descriptor_is_whole() {
    loom::model(|| {
        let rings = Rings::new();
        let card = Arc::clone(&rings);
        let card = thread::spawn(move || {
            for position in 0..ENTRIES {
                let [buffer, tag] = card.fetch(position);
                assert_eq!(buffer, Rings::buffer(position) as u32, "a torn descriptor");
                let packet = card.buffers.load_relaxed(buffer as usize);
                assert_eq!((tag, packet), (position + 10, position + 40), "another packet");
                card.post(position, [tag, 0, 0]);
            }
        });
        let mut descriptors = Producer::<SLOT_WORDS>::new(Rings::size());
        let mut completions = Consumer::new(Rings::size());
        for position in 0..ENTRIES {
            while descriptors.free(completions.head()) == 0 {
                let oldest = completions.head();
                assert_eq!(reap_next(&mut completions, &rings)[0], oldest + 10);
            }
            let buffer = Rings::buffer(position);
            rings.buffers.store_relaxed(buffer, position + 40);
            descriptors.write(&rings.slots, &[buffer as u32, position + 10]);
            let tail = descriptors.publish().expect("a descriptor was written");
            rings.doorbells.store_relaxed(TAIL, tail);
        }
        card.join().expect("the card ends");
    });
}
