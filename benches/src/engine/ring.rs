//! The engine's ring: the driver's producer, the card's fetch, memory that both map, a doorbell.
//!
//! As between session and card, without what the slots mean. The host learns from a word how far
//! the card has fetched, and looks at it only when the ring seems full.
//!
//! | word | writer | reader | store | load | publishes |
//! | --- | --- | --- | --- | --- | --- |
//! | tail doorbell | producer | consumer | Release | Acquire | slots below it |
//! | fetched | consumer | producer | Release | Acquire | that slots below it were read |

use std::ops::Range;
use std::sync::Arc;

use abi::core::mmio::MAILBOX_SLOTS;
use abi::host::command::Slot;
use abi::host::position::RingSize;
use abi::host::register::{DOORBELL_PAGE, DOORBELL_STRIDE, DOORBELL_TAIL};
use host_driver::memory::{Memory, Words};
use host_driver::ring::Producer;
use hw_model::slots::SlotRing;

use crate::ring::{Consume, Produce, SLOTS, Sum, WORDS, element};

/// Number of the ring.
const RING: u32 = 0;
/// Words of a slot.
const SLOT_WORDS: usize = 16;
/// Slots that the card fetches at once: half its mailbox.
const FETCH_BATCH: usize = MAILBOX_SLOTS as usize / 2;
/// Bytes of the doorbell page, and of the register page.
const PAGE: usize = 4096;
/// The register that tells how far the card has fetched, as a word of its page.
const FETCHED: usize = 0;

/// What both ends map.
struct Shared {
    slots: Memory,
    doorbells: Memory,
    registers: Memory,
}

/// The driver's end.
pub struct HostEnd {
    shared: Arc<Shared>,
    producer: Producer<SLOT_WORDS>,
    fetched: u32,
    doorbell: usize,
}

/// The card's end.
pub struct CardEnd {
    shared: Arc<Shared>,
    ring: SlotRing<SLOT_WORDS>,
    mailbox: Box<[Slot; FETCH_BATCH]>,
    /// Slots of the mailbox that were not taken.
    waiting: Range<usize>,
}

/// A ring of the engine's.
///
/// # Panics
/// When the system has no memory.
#[must_use]
pub fn engine() -> (HostEnd, CardEnd) {
    let size = RingSize::new(SLOTS as u32).expect("a power of two");
    let memory = |bytes| Memory::new(bytes).expect("memory for a ring");
    let slots = memory(SLOTS * SLOT_WORDS * size_of::<u32>());
    let shared = Arc::new(Shared { slots, doorbells: memory(PAGE), registers: memory(PAGE) });
    let tail = DOORBELL_TAIL.bank(RING, DOORBELL_STRIDE).offset;
    let host = HostEnd {
        shared: Arc::clone(&shared),
        producer: Producer::new(size),
        fetched: 0,
        doorbell: (tail - DOORBELL_PAGE) as usize / size_of::<u32>(),
    };
    let ring = SlotRing::new(RING, 0, size);
    let mailbox = Box::new([[0; SLOT_WORDS]; FETCH_BATCH]);
    (host, CardEnd { shared, ring, mailbox, waiting: 0..0 })
}

impl Produce for HostEnd {
    #[inline(always)]
    fn produce(&mut self, first: u64, count: usize) -> usize {
        let mut room = self.producer.free(self.fetched) as usize;
        if room < count {
            self.fetched = self.shared.registers.load_acquire(FETCHED);
            room = self.producer.free(self.fetched) as usize;
        }
        let count = room.min(count);
        let slot = |number| -> Slot { zerocopy::transmute!(element(first + number as u64)) };
        if count == 1 {
            self.producer.write(&self.shared.slots, &slot(0));
        } else {
            self.producer.write_all(&self.shared.slots, (0..count).map(slot));
        }
        if let Some(tail) = self.producer.publish() {
            self.shared.doorbells.store_release(self.doorbell, tail);
        }
        count
    }
}

impl CardEnd {
    /// Fetches what there is, up to what the card fetches at once, and gives the slots back.
    #[inline(always)]
    fn fetch(&mut self) {
        let has_slots = self.ring.look(&self.shared.doorbells);
        if has_slots.expect("the host rings what it wrote") {
            let count = FETCH_BATCH.min(self.ring.waiting() as usize);
            let mailbox = &mut self.mailbox[..count];
            self.ring.fetch(&self.shared.slots, mailbox).expect("the slots are there");
            self.shared.registers.store_release(FETCHED, self.ring.fetched());
            self.waiting = 0..count;
        }
    }
}

impl Consume for CardEnd {
    #[inline(always)]
    fn consume(&mut self, most: usize, sum: &mut Sum) -> usize {
        if self.waiting.is_empty() {
            self.fetch();
        }
        let end = self.waiting.end.min(self.waiting.start + most);
        let taken = &self.mailbox[self.waiting.start..end];
        for slot in taken {
            let words: [u64; WORDS] = zerocopy::transmute!(*slot);
            sum.take(words[0], words[WORDS - 1]);
        }
        self.waiting.start = end;
        taken.len()
    }
}
