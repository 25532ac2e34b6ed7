//! Rings of 64-byte slots between one producer and one consumer: two ways to say what is new.
//!
//! *Index*: the producer publishes a position for a burst, the consumer gives one back, and each
//! keeps what it last saw of the other's. *Slot*: every slot carries its own position, and the
//! consumer gives one back every now and then; nothing but the slot has to cross at once.
//!
//! | word | writer | reader | store | load | publishes |
//! | --- | --- | --- | --- | --- | --- |
//! | `head` | producer | consumer | Release | Acquire | slots below it |
//! | `tail` | consumer | producer | Release | Acquire | that slots below it were read |
//! | tag of a slot | producer | consumer | Release | Acquire | the slot's body |

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::machine::Line;
use crate::raw::{BODY_WORDS, HandOver, Tagged};
use crate::ring::{Consume, Produce, SLOTS, Sum, element};

/// Slots that the consumer of tagged slots reads before it gives them back.
const CREDIT: usize = 64;

/// How far one end is, for the other one to see.
#[derive(Default)]
pub(super) struct Position(Line<AtomicUsize>);

impl Position {
    /// The slots below `position` were written, or were read.
    #[inline(always)]
    pub(super) fn show(&self, position: usize) {
        // ORDERING: Release. Pairs with the Acquire in `look`; hands over the slots below it.
        // No loom test: a floor; the engine's ring has `loom_ring`.
        self.0.0.store(position, Ordering::Release);
    }

    #[inline(always)]
    pub(super) fn look(&self) -> usize {
        // ORDERING: Acquire. Pairs with the Release in `show`.
        // No loom test: a floor; the engine's ring has `loom_ring`.
        self.0.0.load(Ordering::Acquire)
    }
}

/// Both positions.
#[derive(Default)]
struct Positions {
    head: Position,
    tail: Position,
}

struct Indexed {
    positions: Positions,
    slots: HandOver<[u64; 8], SLOTS>,
}

/// The producer's end of the index floor.
pub struct IndexProducer {
    ring: Arc<Indexed>,
    head: usize,
    tail_seen: usize,
}

/// The consumer's end of the index floor.
pub struct IndexConsumer {
    ring: Arc<Indexed>,
    tail: usize,
    head_seen: usize,
}

/// An index floor.
#[must_use]
pub fn index() -> (IndexProducer, IndexConsumer) {
    let ring = Indexed { positions: Positions::default(), slots: HandOver::new([0; 8]) };
    let ring = Arc::new(ring);
    let producer = IndexProducer { ring: Arc::clone(&ring), head: 0, tail_seen: 0 };
    (producer, IndexConsumer { ring, tail: 0, head_seen: 0 })
}

impl Produce for IndexProducer {
    #[inline(always)]
    fn produce(&mut self, first: u64, count: usize) -> usize {
        let mut room = SLOTS - (self.head - self.tail_seen);
        if room < count {
            self.tail_seen = self.ring.positions.tail.look();
            room = SLOTS - (self.head - self.tail_seen);
        }
        let count = room.min(count);
        for (position, number) in (self.head..self.head + count).zip(first..) {
            self.ring.slots.write(position, element(number));
        }
        if count > 0 {
            self.head += count;
            self.ring.positions.head.show(self.head);
        }
        count
    }
}

impl Consume for IndexConsumer {
    #[inline(always)]
    fn consume(&mut self, most: usize, sum: &mut Sum) -> usize {
        let mut there = self.head_seen - self.tail;
        if there < most {
            self.head_seen = self.ring.positions.head.look();
            there = self.head_seen - self.tail;
        }
        let count = there.min(most);
        for position in self.tail..self.tail + count {
            let slot = self.ring.slots.read(position);
            sum.take(slot[0], slot[7]);
        }
        if count > 0 {
            self.tail += count;
            self.ring.positions.tail.show(self.tail);
        }
        count
    }
}

struct InSlot {
    positions: Positions,
    slots: Tagged<SLOTS>,
}

/// The producer's end of the slot floor.
pub struct SlotProducer {
    ring: Arc<InSlot>,
    head: usize,
    tail_seen: usize,
}

/// The consumer's end of the slot floor.
pub struct SlotConsumer {
    ring: Arc<InSlot>,
    tail: usize,
}

/// A slot floor.
#[must_use]
pub fn slot() -> (SlotProducer, SlotConsumer) {
    let ring = Arc::new(InSlot { positions: Positions::default(), slots: Tagged::new() });
    let producer = SlotProducer { ring: Arc::clone(&ring), head: 0, tail_seen: 0 };
    (producer, SlotConsumer { ring, tail: 0 })
}

impl Produce for SlotProducer {
    #[inline(always)]
    fn produce(&mut self, first: u64, count: usize) -> usize {
        let mut room = SLOTS - (self.head - self.tail_seen);
        if room < count {
            self.tail_seen = self.ring.positions.tail.look();
            room = SLOTS - (self.head - self.tail_seen);
        }
        let count = room.min(count);
        for (position, number) in (self.head..self.head + count).zip(first..) {
            let words = element(number);
            let mut body = [0; BODY_WORDS];
            body.copy_from_slice(&words[..BODY_WORDS]);
            self.ring.slots.write(position, body);
            // ORDERING: Release. Pairs with the Acquire in `consume`; publishes the body.
            // No loom test: a floor; the engine's ring has `loom_ring`.
            self.ring.slots.tag(position).store(position as u64 + 1, Ordering::Release);
        }
        self.head += count;
        count
    }
}

impl Consume for SlotConsumer {
    #[inline(always)]
    fn consume(&mut self, most: usize, sum: &mut Sum) -> usize {
        let mut count = 0;
        while count < most {
            let tag = self.ring.slots.tag(self.tail);
            // ORDERING: Acquire. Pairs with the Release in `produce`: the body is whole.
            // No loom test: a floor; the engine's ring has `loom_ring`.
            if tag.load(Ordering::Acquire) != self.tail as u64 + 1 {
                break;
            }
            let body = self.ring.slots.read(self.tail);
            // The tag stands where the last word would; its number says what that was.
            sum.take(body[0], body[BODY_WORDS - 1] + 1);
            (count, self.tail) = (count + 1, self.tail + 1);
            if self.tail.is_multiple_of(CREDIT) {
                self.ring.positions.tail.show(self.tail);
            }
        }
        self.ring.positions.tail.show(self.tail);
        count
    }
}
