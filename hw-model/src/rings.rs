//! A ring as the card knows it once it was started: where it lies, how far it is.
//!
//! Between the register banks (where the host describes a ring) and the engines that serve it.
//! `RingConfig` is what RING_START takes; `CompletionRing` writes entries with their phase.
//! Invariant: an entry is posted only into a slot that the host has reaped.

use abi::core::Capabilities;
use abi::host::completion::with_phase;
use abi::host::limit::{DMA_ALIGN, SLOT_BYTES};
use abi::host::position::RingSize;
use abi::host::register::{
    DOORBELL_PAGE, DOORBELL_REAPED, DOORBELL_STRIDE, EVENT_RING, TRANSMIT_RING_FIRST, VECTOR_NONE,
};
use abi::host::transmit::TransmitDescriptor;
use host_driver::memory::{Memory, Words};

use crate::interrupts::Moderation;
use crate::iommu::{Refusal, Window};
use crate::registers::RingBank;
use crate::slots::BadDoorbell;

/// Bytes of a completion, a transmit completion or an event.
const ENTRY_BYTES: u64 = 16;

/// What a ring is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RingUse {
    /// Commands: 64-byte slots.
    Command,
    /// Transmit: 32-byte descriptors.
    Transmit,
    /// Events: no slots of the host's.
    Event,
}

impl RingUse {
    /// What ring `number` is for on a card of these capabilities.
    pub(crate) fn of(number: u32, capabilities: &Capabilities) -> Option<Self> {
        let transmit = number.wrapping_sub(TRANSMIT_RING_FIRST);
        if number == EVENT_RING {
            Some(Self::Event)
        } else if number < TRANSMIT_RING_FIRST && number < capabilities.command_rings {
            Some(Self::Command)
        } else if number >= TRANSMIT_RING_FIRST && transmit < capabilities.transmit_rings {
            Some(Self::Transmit)
        } else {
            None
        }
    }

    fn slot_bytes(self) -> u64 {
        match self {
            Self::Command => u64::from(SLOT_BYTES),
            Self::Transmit => TransmitDescriptor::BYTES as u64,
            Self::Event => 0,
        }
    }
}

/// A started ring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingConfig {
    /// IOVA of the slots.
    pub(crate) base: u64,
    /// IOVA of the completion ring.
    pub(crate) completion: u64,
    /// Slots in both.
    pub(crate) size: RingSize,
    /// Vector, if the host wants interrupts.
    pub(crate) vector: Option<u32>,
    /// At most one interrupt in this many microseconds.
    pub(crate) moderation_us: u32,
}

impl RingConfig {
    /// Takes a bank's configuration; `None` when it makes no sense.
    pub(crate) fn take(bank: &RingBank, purpose: RingUse, card: &Capabilities) -> Option<Self> {
        let slots = 1_u32.checked_shl(bank.slots_log2.get())?;
        let size = RingSize::new(slots).filter(|size| size.slots() <= card.ring_slots)?;
        let base = joined(bank.base_low.get(), bank.base_high.get());
        let completion = joined(bank.completion_low.get(), bank.completion_high.get());
        let slots = u64::from(size.slots());
        if purpose != RingUse::Event {
            fits(base, slots * purpose.slot_bytes())?;
        }
        fits(completion, slots * ENTRY_BYTES)?;
        let vector = match bank.vector.get() {
            VECTOR_NONE => None,
            vector if vector < card.vectors => Some(vector),
            _ => return None,
        };
        Some(Self { base, completion, size, vector, moderation_us: bank.moderation_us.get() })
    }
}

fn joined(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// `Some` when the range is aligned and does not wrap.
fn fits(iova: u64, bytes: u64) -> Option<()> {
    (iova.is_multiple_of(u64::from(DMA_ALIGN)) && iova.checked_add(bytes).is_some()).then_some(())
}

/// The completion side of a ring.
#[derive(Debug)]
pub(crate) struct CompletionRing {
    /// By its register bank.
    pub(crate) number: u32,
    base: u64,
    size: RingSize,
    /// Entries that are under way or written.
    committed: u32,
    /// Entries that are in host memory.
    posted: u32,
    /// When to raise the ring's vector.
    pub(crate) moderation: Moderation,
}

impl CompletionRing {
    /// The completion side of ring `number`, empty.
    pub(crate) fn new(number: u32, config: &RingConfig, gap_cycles: u64) -> Self {
        Self {
            number,
            base: config.completion,
            size: config.size,
            committed: 0,
            posted: 0,
            moderation: Moderation::new(config.vector, gap_cycles),
        }
    }

    /// Slots into which an entry could be committed now.
    ///
    /// # Errors
    /// When the host claims to have reaped what was never posted.
    pub(crate) fn room(&self, doorbells: &Memory) -> Result<u32, BadDoorbell> {
        let reaped = DOORBELL_REAPED.bank(self.number, DOORBELL_STRIDE).offset;
        let reaped = doorbells.load_acquire(((reaped - DOORBELL_PAGE) / 4) as usize);
        if self.size.used(reaped, self.posted).is_none() {
            return Err(BadDoorbell);
        }
        Ok(self.size.free(reaped, self.committed))
    }

    /// Takes the next slot for an entry that is on its way. The caller has asked [`Self::room`].
    pub(crate) fn commit(&mut self) {
        self.committed = self.committed.wrapping_add(1);
    }

    /// Writes the entry for the oldest committed slot and asks for the interrupt. Returns the
    /// position for the RING_POSTED register.
    #[inline]
    pub(crate) fn publish(&mut self, window: &Window<'_>, entry: [u32; 4]) -> Result<u32, Refusal> {
        let slot = u64::from(self.size.slot(self.posted));
        let entry = with_phase(entry, self.size.phase(self.posted));
        window.publish(self.base + slot * ENTRY_BYTES, &entry)?;
        self.posted = self.posted.wrapping_add(1);
        self.moderation.request();
        Ok(self.posted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::CardConfig;

    fn bank(base: u32, log2: u32, vector: u32) -> RingBank {
        let bank = RingBank::default();
        bank.base_low.set(base);
        bank.completion_low.set(0x4000);
        bank.slots_log2.set(log2);
        bank.vector.set(vector);
        bank
    }

    #[test]
    fn configurations_that_make_no_sense_are_not_taken() {
        let card = CardConfig::default().capabilities;
        let take = |bank: &RingBank| RingConfig::take(bank, RingUse::Command, &card);
        assert!(take(&bank(0x1000, 4, VECTOR_NONE)).is_some());
        assert!(take(&bank(0x1000, 4, 15)).is_some());
        assert!(take(&bank(0x1020, 4, 0)).is_none(), "misaligned");
        assert!(take(&bank(0x1000, 0, 0)).is_none(), "too small");
        assert!(take(&bank(0x1000, 17, 0)).is_none(), "too large");
        assert!(take(&bank(0x1000, 77, 0)).is_none(), "no shift at all");
        assert!(take(&bank(0x1000, 4, 16)).is_none(), "no such vector");
        let wraps = bank(0xffff_ffc0, 4, 0);
        wraps.base_high.set(u32::MAX);
        assert!(take(&wraps).is_none(), "wraps");
    }

    #[test]
    fn a_ring_number_past_the_capabilities_is_no_ring() {
        let mut card = CardConfig::default().capabilities;
        card.command_rings = 4;
        card.transmit_rings = 1;
        assert_eq!(RingUse::of(3, &card), Some(RingUse::Command));
        assert_eq!(RingUse::of(4, &card), None);
        assert_eq!(RingUse::of(8, &card), Some(RingUse::Transmit));
        assert_eq!(RingUse::of(9, &card), None);
        assert_eq!(RingUse::of(16, &card), Some(RingUse::Event));
        assert_eq!(RingUse::of(17, &card), None);
    }
}
