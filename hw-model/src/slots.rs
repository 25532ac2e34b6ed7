//! The card's end of a ring of slots in host memory: new ones are known by the doorbell's position.
//!
//! Between the host's `host_driver::ring::Producer` and the engines that take slots: `fetch` for
//! commands, `datapath` for descriptors. It reads slots by DMA, as many as lie in one piece at once,
//! and does not look into them. The doorbell is looked at only when no slot is known that was not
//! fetched: a line that two processors write and read is dear.
//! Invariant: what is fetched lies between two positions that the host has rung, in order, once.

use abi::host::position::RingSize;
use abi::host::register::{DOORBELL_PAGE, DOORBELL_STRIDE, DOORBELL_TAIL};
use host_driver::memory::{Memory, Words};

use crate::iommu::{Refusal, Window};

/// A position that the host rang makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadDoorbell;

/// Host memory as a card reads it.
pub trait HostMemory {
    /// Reads whole words at `iova`, a multiple of 4.
    ///
    /// # Errors
    /// What was refused, when some of it is not mapped for the card.
    fn read(&self, iova: u64, words: &mut [u32]) -> Result<(), Refusal>;
}

impl HostMemory for Window<'_> {
    #[inline]
    fn read(&self, iova: u64, words: &mut [u32]) -> Result<(), Refusal> {
        Window::read(self, iova, words)
    }
}

/// Memory without a table before it: an IOVA is the byte in it.
impl HostMemory for Memory {
    #[inline]
    fn read(&self, iova: u64, words: &mut [u32]) -> Result<(), Refusal> {
        let bytes = words.len() as u64 * 4;
        let is_inside = iova.checked_add(bytes).is_some_and(|end| end <= self.bytes() as u64);
        if !is_inside || !iova.is_multiple_of(4) {
            return Err(Refusal { iova, bytes, is_write: false });
        }
        self.load_all(iova as usize / 4, words);
        Ok(())
    }
}

/// The card's end of ring `number`, whose slots are `WORDS` words long.
#[derive(Debug)]
pub struct SlotRing<const WORDS: usize> {
    /// Word of the doorbell page that the host writes its position to.
    doorbell: usize,
    base: u64,
    size: RingSize,
    fetched: u32,
    /// The host's position when it was looked at last.
    tail: u32,
}

impl<const WORDS: usize> SlotRing<WORDS> {
    /// An empty ring, positions from 0, with its first slot at IOVA `base`.
    #[must_use]
    pub const fn new(number: u32, base: u64, size: RingSize) -> Self {
        let tail = DOORBELL_TAIL.bank(number, DOORBELL_STRIDE).offset;
        let doorbell = ((tail - DOORBELL_PAGE) / 4) as usize;
        Self { doorbell, base, size, fetched: 0, tail: 0 }
    }

    /// Position up to which slots were fetched. The host learns it from the RING_FETCHED register,
    /// and may write the slots below it anew.
    #[must_use]
    pub const fn fetched(&self) -> u32 {
        self.fetched
    }

    /// The host's position when it was looked at last.
    #[must_use]
    pub const fn tail(&self) -> u32 {
        self.tail
    }

    /// Whether there are slots to fetch; looks at the doorbell when none is known. What the host
    /// wrote before it rang is visible after.
    ///
    /// # Errors
    /// When the host's position makes no sense.
    #[inline]
    pub fn look(&mut self, doorbells: &impl Words) -> Result<bool, BadDoorbell> {
        if self.tail == self.fetched {
            // ORDERING: Acquire. Pairs with the host's doorbell, which it writes after its slots.
            // Checked by `loom_ring::a_fetched_command_is_whole`.
            self.tail = doorbells.load_acquire(self.doorbell);
            if self.size.used(self.fetched, self.tail).is_none() {
                return Err(BadDoorbell);
            }
        }
        Ok(self.tail != self.fetched)
    }

    /// Whether the host has rung since it was looked at last. The order is that of
    /// [`SlotRing::look`], which then finds at least as much.
    #[inline]
    #[must_use]
    pub fn is_rung(&self, doorbells: &impl Words) -> bool {
        // ORDERING: Relaxed. A hint to look, which then loads with Acquire.
        // Checked by `loom_ring::a_fetched_command_is_whole`.
        doorbells.load_relaxed(self.doorbell) != self.tail
    }

    /// Where the next slot to be fetched lies.
    #[inline]
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.base + self.size.slot(self.fetched) as u64 * (WORDS as u64 * 4)
    }

    /// Known slots that were not fetched, as far as they lie in one piece.
    #[inline]
    #[must_use]
    pub const fn waiting(&self) -> u32 {
        let waiting = self.tail.wrapping_sub(self.fetched);
        let to_end = self.size.slots() - self.size.slot(self.fetched);
        if waiting < to_end { waiting } else { to_end }
    }

    /// Fetches as many slots as there is place for in `slots`; they are [`SlotRing::waiting`].
    ///
    /// # Errors
    /// What was refused; nothing was fetched.
    #[inline]
    pub fn fetch(
        &mut self,
        memory: &impl HostMemory,
        slots: &mut [[u32; WORDS]],
    ) -> Result<(), Refusal> {
        memory.read(self.next(), slots.as_flattened_mut())?;
        self.fetched = self.fetched.wrapping_add(slots.len() as u32);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: usize = 16;

    fn ring() -> (SlotRing<4>, Memory, Memory) {
        let (slots, doorbells) = (Memory::new(4 * 16).unwrap(), Memory::new(4096).unwrap());
        (SlotRing::new(1, 0, RingSize::new(4).unwrap()), slots, doorbells)
    }

    #[test]
    fn slots_come_once_in_order_and_in_pieces_that_end_with_the_ring() {
        let (mut ring, slots, doorbells) = ring();
        let mut next = 0;
        for (published, pieces) in [(3, &[3][..]), (6, &[1, 2]), (6, &[]), (10, &[2, 2])] {
            for position in next..published {
                slots.fill(position as usize % 4 * 4, 4, position);
            }
            doorbells.store_release(TAIL, published);
            for piece in pieces {
                assert_eq!(ring.look(&doorbells), Ok(true));
                assert_eq!(ring.waiting(), *piece);
                let mut taken = vec![[0; 4]; *piece as usize];
                ring.fetch(&slots, &mut taken).unwrap();
                let expected: Vec<_> = (next..next + piece).map(|number| [number; 4]).collect();
                assert_eq!(taken, expected);
                next += piece;
            }
            assert_eq!((ring.look(&doorbells), ring.fetched()), (Ok(false), published));
        }
    }

    #[test]
    fn a_position_past_the_ring_is_refused_and_so_is_memory_past_its_end() {
        let (mut ring, _, doorbells) = ring();
        doorbells.store_release(TAIL, 5);
        assert_eq!(ring.look(&doorbells), Err(BadDoorbell));
        let small = Memory::new(8).unwrap();
        assert!(small.read(4, &mut [0; 2]).is_err() && small.read(2, &mut [0]).is_err());
        assert!(ring.fetch(&small, &mut [[0; 4]]).is_err());
        assert_eq!(ring.fetched(), 0);
    }
}
