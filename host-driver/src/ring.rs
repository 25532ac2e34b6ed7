//! The host's ends of the rings: a producer of slots, a consumer of entries.
//!
//! From `serialize` (slots) to the card, and from the card to `session` (completions, events).
//! Free of hardware: the words are anything that is [`Words`], the doorbell is the caller's.
//! It reads no meaning into an entry but its phase, and it waits for nothing.
//! Invariant: a position is never out of step with its ring; both ends count with
//! `abi::host::position`. Loom checks the protocol in `tests/loom_ring.rs`.
//!
//! | word | writer | reader | store | load | publishes |
//! | --- | --- | --- | --- | --- | --- |
//! | slot | host | card | Relaxed | after the doorbell | nothing |
//! | tail doorbell | host | card | plain, after [`barrier::mmio_wmb`] | Acquire | slots below it, buffers they name |
//! | entry body | card | host | Relaxed | Relaxed, after the phase | nothing |
//! | entry phase | card | host | Release | Acquire | the body, results written before |
//! | reaped doorbell | host | card | plain, after [`barrier::mmio_wmb`] | Acquire | that entries below it were read |

use abi::host::completion::{PHASE_WORD, phase_of};
use abi::host::position::RingSize;

use crate::barrier;
use crate::memory::Words;

/// Words of an entry that a [`Consumer`] takes.
pub const ENTRY_WORDS: usize = 4;
const _: () = assert!(PHASE_WORD == ENTRY_WORDS - 1, "the phase stands in the last word");

/// Slots ahead of the one that is written whose lines are asked for: about what is written while
/// a line comes from another processor.
const SLOTS_AHEAD: u32 = 32;

/// The host's end of a ring that the card fetches from; a slot is `N` words.
#[derive(Debug)]
pub struct Producer<const N: usize> {
    size: RingSize,
    tail: u32,
    published: u32,
}

impl<const N: usize> Producer<N> {
    /// An empty ring of `size` slots, positions from 0.
    #[must_use]
    pub const fn new(size: RingSize) -> Self {
        Self { size, tail: 0, published: 0 }
    }

    /// Position of the next slot that will be written.
    #[must_use]
    pub const fn tail(&self) -> u32 {
        self.tail
    }

    /// Position up to which slots have been published.
    #[must_use]
    pub const fn published(&self) -> u32 {
        self.published
    }

    /// Slots that can be written when the card has consumed those below position `consumed`;
    /// 0 when that is no position the card can be at.
    #[inline]
    #[must_use]
    pub const fn free(&self, consumed: u32) -> u32 {
        self.size.free(consumed, self.tail)
    }

    /// Fills the next slot. The caller has asked [`Producer::free`] before.
    ///
    /// # Panics
    /// When `words` is not the whole ring, or a whole ring of slots is already waiting to be
    /// published.
    #[inline]
    pub fn write(&mut self, words: &impl Words, entry: &[u32; N]) {
        assert!(self.unwritten() > 0, "the slot was written already and is not published yet");
        words.store_all(self.size.slot(self.tail) as usize * N, entry);
        self.expect(words, self.tail.wrapping_add(SLOTS_AHEAD), 1);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Fills the next slots, one with each of `entries`, in at most two runs of words: the ring's
    /// end may lie between them. The caller has asked [`Producer::free`] before.
    ///
    /// # Panics
    /// As [`Producer::write`], for any of them.
    #[inline]
    pub fn write_all(
        &mut self,
        words: &impl Words,
        mut entries: impl ExactSizeIterator<Item = [u32; N]>,
    ) {
        let mut left = entries.len() as u32;
        assert!(left <= self.unwritten(), "a slot was written already and is not published yet");
        while left > 0 {
            let first = self.size.slot(self.tail);
            let count = left.min(self.size.slots() - first);
            words.store_entries(first as usize * N, entries.by_ref().take(count as usize));
            self.expect(words, self.tail.wrapping_add(SLOTS_AHEAD), count);
            self.tail = self.tail.wrapping_add(count);
            left -= count;
        }
    }

    /// Slots that can be written before the next [`Producer::publish`].
    #[inline]
    const fn unwritten(&self) -> u32 {
        self.size.slots() - self.tail.wrapping_sub(self.published)
    }

    /// Asks for the lines of `count` slots from `position` on, as far as the ring's end: who read
    /// them last gives them up while others are written. Those that the card has not read yet are
    /// still here.
    #[inline]
    fn expect(&self, words: &impl Words, position: u32, count: u32) {
        let first = self.size.slot(position);
        let count = count.min(self.size.slots() - first);
        words.expect_stores(first as usize * N, count as usize * N);
    }

    /// Makes the slots written since the last time visible and gives the position to ring the
    /// doorbell with; `None` when there is nothing new.
    #[inline]
    #[must_use = "the slots are the card's only once the doorbell has this position"]
    pub fn publish(&mut self) -> Option<u32> {
        if self.published == self.tail {
            return None;
        }
        self.published = self.tail;
        barrier::mmio_wmb();
        Some(self.tail)
    }
}

/// The host's end of a ring that the card posts four-word entries into: completions,
/// transmit completions, events.
#[derive(Debug)]
pub struct Consumer {
    size: RingSize,
    head: u32,
}

impl Consumer {
    /// An empty ring of `size` entries, positions from 0.
    #[must_use]
    pub fn new(size: RingSize) -> Self {
        Self { size, head: 0 }
    }

    /// Position of the next entry.
    #[must_use]
    pub fn head(&self) -> u32 {
        self.head
    }

    /// Takes the next entry once its phase says that the card has written it whole.
    ///
    /// What the card wrote before the entry (results, state records) is visible after.
    ///
    /// # Panics
    /// When `words` is not the whole ring: the caller's mistake, never the card's.
    #[inline]
    pub fn reap(&mut self, words: &impl Words) -> Option<[u32; ENTRY_WORDS]> {
        let first = self.size.slot(self.head) as usize * ENTRY_WORDS;
        let mut entry = [0; ENTRY_WORDS];
        entry[PHASE_WORD] = words.load_acquire(first + PHASE_WORD);
        if phase_of(&entry) != self.size.phase(self.head) {
            return None;
        }
        for (i, word) in entry[..PHASE_WORD].iter_mut().enumerate() {
            *word = words.load_relaxed(first + i);
        }
        self.head = self.head.wrapping_add(1);
        Some(entry)
    }

    /// The position to write to the reaped doorbell: entries below it have been read and their
    /// slots are the card's again.
    #[inline]
    #[must_use = "the card has the slots back only once the doorbell has this position"]
    pub fn reaped(&self) -> u32 {
        barrier::mmio_wmb();
        self.head
    }
}

#[cfg(test)]
mod tests {
    use abi::host::completion::with_phase;

    use super::*;
    use crate::memory::Memory;

    const SLOT_WORDS: usize = 4;

    fn size(slots: u32) -> RingSize {
        RingSize::new(slots).unwrap()
    }

    /// The card's end: writes an entry at `position` with the phase of `position`.
    fn post(words: &Memory, size: RingSize, position: u32, body: u32) {
        let entry = with_phase([body, body + 1, body + 2, 7], size.phase(position));
        let first = size.slot(position) as usize * ENTRY_WORDS;
        for (i, value) in entry.into_iter().enumerate() {
            words.store_relaxed(first + i, value);
        }
    }

    #[test]
    fn zeroed_memory_has_nothing_to_reap() {
        let words = Memory::new(4 * 16).unwrap();
        let mut consumer = Consumer::new(size(4));
        assert_eq!(consumer.reap(&words), None);
        assert_eq!(consumer.head(), 0);
    }

    #[test]
    fn every_entry_of_many_laps_is_reaped_once_in_order() {
        let (words, size) = (Memory::new(4 * 16).unwrap(), size(4));
        for start in [0, u32::MAX - 5] {
            // A ring that starts in its second lap holds the entries of the first.
            let mut consumer = Consumer { size, head: start };
            for slot in 0..4 {
                post(&words, size, start.wrapping_sub(4).wrapping_add(slot), 900);
            }
            let mut posted = start;
            for batch in [1, 4, 3, 2, 4, 4] {
                for _ in 0..batch {
                    post(&words, size, posted, posted & 0xffff);
                    posted = posted.wrapping_add(1);
                }
                for _ in 0..batch {
                    let body = consumer.head() & 0xffff;
                    let entry = consumer.reap(&words).expect("it was posted");
                    assert_eq!(entry[..3], [body, body + 1, body + 2]);
                }
                assert_eq!(consumer.reap(&words), None, "the last lap's entry is not a new one");
                assert_eq!(consumer.head(), posted);
            }
        }
    }

    #[test]
    fn an_entry_with_the_phase_of_another_lap_is_not_there() {
        let (words, size) = (Memory::new(2 * 16).unwrap(), size(2));
        let mut consumer = Consumer::new(size);
        post(&words, size, 2, 1);
        assert_eq!(consumer.reap(&words), None);
        post(&words, size, 0, 1);
        assert!(consumer.reap(&words).is_some());
        assert_eq!(consumer.reaped(), 1);
    }

    #[test]
    fn slots_are_written_where_their_position_says() {
        let words = Memory::new(4 * SLOT_WORDS * 4).unwrap();
        for start in [0, 3, u32::MAX - 1] {
            let ring = size(4);
            let mut producer = Producer { size: ring, tail: start, published: start };
            for value in 0..4 {
                assert_eq!(producer.free(start), 4 - value);
                producer.write(&words, &[value, value + 10, value + 20, value + 30]);
            }
            assert_eq!(producer.free(start), 0, "the ring is full");
            for value in 0..4 {
                let first = ring.slot(start.wrapping_add(value)) as usize * SLOT_WORDS;
                let slot = [0, 1, 2, 3].map(|i| words.load_relaxed(first + i));
                assert_eq!(slot, [value, value + 10, value + 20, value + 30]);
            }
            assert_eq!(producer.free(start.wrapping_add(3)), 3);
        }
    }

    #[test]
    fn a_batch_is_written_as_its_slots_would_be_one_by_one() {
        let (one, many) = (Memory::new(4 * SLOT_WORDS * 4), Memory::new(4 * SLOT_WORDS * 4));
        let (one, many) = (one.unwrap(), many.unwrap());
        for start in [0, 3, u32::MAX - 1] {
            for count in 0..=4_u32 {
                let ring = size(4);
                let at = |tail| Producer { size: ring, tail, published: tail };
                let (mut singly, mut batched) = (at(start), at(start));
                let entries: Vec<_> = (0..count).map(|n| [n ^ start, n, 7, count]).collect();
                for entry in &entries {
                    singly.write(&one, entry);
                }
                batched.write_all(&many, entries.into_iter());
                assert_eq!(batched.tail(), singly.tail());
                let same = |word| one.load_relaxed(word) == many.load_relaxed(word);
                assert!((0..4 * SLOT_WORDS).all(same), "{count} from {start}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "not published yet")]
    fn a_batch_longer_than_the_ring_is_not_written() {
        let words = Memory::new(2 * SLOT_WORDS * 4).unwrap();
        Producer::new(size(2)).write_all(&words, [[0; SLOT_WORDS]; 3].into_iter());
    }

    #[test]
    fn a_batch_is_published_once() {
        let words = Memory::new(4 * SLOT_WORDS * 4).unwrap();
        let mut producer = Producer::new(size(4));
        assert_eq!(producer.publish(), None);
        producer.write(&words, &[0; SLOT_WORDS]);
        producer.write(&words, &[0; SLOT_WORDS]);
        assert_eq!(producer.published(), 0);
        assert_eq!(producer.publish(), Some(2));
        assert_eq!(producer.publish(), None);
        assert_eq!((producer.tail(), producer.published()), (2, 2));
    }

    #[test]
    fn a_consumed_position_that_cannot_be_leaves_no_room() {
        let producer = Producer::<SLOT_WORDS>::new(size(4));
        assert_eq!(producer.free(1), 0, "the card cannot be ahead of the host");
        assert_eq!(producer.free(5_u32.wrapping_neg()), 0, "nor more than a ring behind");
    }

    #[test]
    #[should_panic(expected = "not published yet")]
    fn a_slot_is_not_written_twice_before_it_is_published() {
        let words = Memory::new(2 * SLOT_WORDS * 4).unwrap();
        let mut producer = Producer::new(size(2));
        for _ in 0..3 {
            producer.write(&words, &[0; SLOT_WORDS]);
        }
    }
}
