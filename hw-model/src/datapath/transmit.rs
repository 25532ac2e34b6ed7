//! One transmit ring: fetches descriptors, keeps those whose payload is at hand, completes them.
//!
//! Between the host's ring and the batches of [`super`]. It resolves nothing. A completion slot is
//! taken when a frame leaves or is dropped, not when its descriptor is fetched, so more frames
//! can be held than the ring has slots.
//! Invariant: frames come out of `ready` in the order in which the host posted them.

use std::collections::VecDeque;

use abi::host::limit::MTU_MAX;
use abi::host::register::{Counter, TRANSMIT_RING_FIRST};
use abi::host::status::{FailCode, TransmitStatus};
use abi::host::trace::{TraceKind, TraceWriter};
use abi::host::transmit::{PROGRESS, TransmitDescriptor};

use crate::iommu::Window;
use crate::rings::{CompletionRing, RingConfig};
use crate::shared::Shared;
use crate::slots::SlotRing;
use crate::trace::Happening;

/// Descriptors that wait for a batch, a ring, those under way included.
const READY_MAX: u32 = 128;
/// Descriptors in one DMA read: half of [`READY_MAX`].
const FETCH_BATCH: u32 = READY_MAX / 2;
/// Words of a descriptor.
const DESCRIPTOR_WORDS: usize = TransmitDescriptor::BYTES / 4;

/// A read of descriptors that is under way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    due: u64,
    descriptors: u32,
}

/// The card's side of one transmit ring.
#[derive(Debug)]
pub(crate) struct TransmitRing {
    number: u32,
    slots: SlotRing<DESCRIPTOR_WORDS>,
    pub(crate) completions: CompletionRing,
    /// Descriptors with the time at which their payload is at hand.
    ready: VecDeque<(u64, TransmitDescriptor)>,
    /// Frames in the batch under way, each of which will need a completion slot.
    pub(crate) promised: u32,
    seen_tail: u32,
    flight: Option<Flight>,
}

impl TransmitRing {
    /// Transmit ring `ring`, from 0, as it was started.
    pub(crate) fn new(ring: usize, config: RingConfig, shared: &Shared) -> Self {
        let number = TRANSMIT_RING_FIRST + ring as u32;
        let gap = shared.clock.in_us(u64::from(config.moderation_us));
        Self {
            number,
            slots: SlotRing::new(number, config.base, config.size),
            completions: CompletionRing::new(number, &config, gap),
            ready: VecDeque::with_capacity(READY_MAX as usize),
            promised: 0,
            seen_tail: 0,
            flight: None,
        }
    }

    /// Takes in what has arrived and asks for more. Returns whether anything moved.
    ///
    /// # Errors
    /// Why the ring has to stop.
    pub(crate) fn pump(
        &mut self,
        shared: &Shared,
        window: &Window<'_>,
        now: u64,
    ) -> Result<bool, FailCode> {
        if self.completions.room(&shared.slot.doorbells).is_err() {
            return Err(bad_doorbell(shared));
        }
        let arrived = self.arrive(shared, window, now)?;
        let asked = self.ask(shared, now)?;
        if asked {
            // Where everything is due at once, it is here already.
            self.arrive(shared, window, now)?;
        }
        Ok(arrived || asked)
    }

    /// Whether there may be something to take in, to ask for or to resolve.
    #[inline]
    pub(crate) fn is_rung(&self, shared: &Shared) -> bool {
        self.slots.is_rung(&shared.slot.doorbells)
            || self.slots.tail() != self.slots.fetched()
            || self.flight.is_some()
            || !self.ready.is_empty()
    }

    /// Completion slots that a frame could still be given; none when the host's word on what it
    /// has reaped makes no sense, for which the next pump stops the ring.
    pub(crate) fn room(&self, shared: &Shared) -> u32 {
        let room = self.completions.room(&shared.slot.doorbells).unwrap_or(0);
        room.saturating_sub(self.promised)
    }

    /// The next descriptor whose payload is at hand.
    pub(crate) fn take_ready(&mut self, now: u64) -> Option<TransmitDescriptor> {
        self.ready.pop_front_if(|(due, _)| *due <= now).map(|(_, descriptor)| descriptor)
    }

    /// The descriptors that wait for a batch, in order.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &TransmitDescriptor> {
        self.ready.iter().map(|(_, descriptor)| descriptor)
    }

    /// When the next descriptor or payload after `now` is at hand.
    pub(crate) fn next_due(&self, now: u64) -> Option<u64> {
        let flight = self.flight.map(|flight| flight.due);
        flight.into_iter().chain(self.next_ready()).filter(|due| *due > now).min()
    }

    /// When the next descriptor can go into a batch.
    pub(crate) fn next_ready(&self) -> Option<u64> {
        self.ready.front().map(|(due, _)| *due)
    }

    fn ask(&mut self, shared: &Shared, now: u64) -> Result<bool, FailCode> {
        if self.flight.is_some() {
            return Ok(false);
        }
        match self.slots.look(&shared.slot.doorbells) {
            Ok(false) => return Ok(false),
            Ok(true) => {}
            Err(_bad) => return Err(bad_doorbell(shared)),
        }
        let tail = self.slots.tail();
        let is_stocked = self.ready.len() as u32 > READY_MAX - FETCH_BATCH;
        if is_stocked && !shared.clock.is_counted() {
            // A read costs the card no time of its own: one of many overlaps better.
            return Ok(false);
        }
        let descriptors = self
            .slots
            .waiting()
            .min(READY_MAX - (self.ready.len() as u32).min(READY_MAX))
            .min(FETCH_BATCH);
        if descriptors == 0 {
            return Ok(false);
        }
        let mut due = now;
        if self.seen_tail != tail {
            due = after(shared, due, || shared.doorbell_cycles());
            self.seen_tail = tail;
            self.note(shared, due, TraceKind::DOORBELL, 0, tail);
        }
        let bytes = u64::from(descriptors) * TransmitDescriptor::BYTES as u64;
        let due = after(shared, due, || shared.read_cycles(bytes));
        self.flight = Some(Flight { due, descriptors });
        Ok(true)
    }

    fn arrive(&mut self, shared: &Shared, window: &Window<'_>, now: u64) -> Result<bool, FailCode> {
        let Some(flight) = self.flight.take_if(|flight| flight.due <= now) else {
            return Ok(false);
        };
        let mut slots = [[0; DESCRIPTOR_WORDS]; FETCH_BATCH as usize];
        let slots = &mut slots[..flight.descriptors as usize];
        self.slots.fetch(window, slots).map_err(|_refusal| FailCode::RING_BUS)?;
        for words in slots {
            let descriptor = TransmitDescriptor::read(&*words);
            window.expect_reads(descriptor.buffer, 1);
            let bytes = u64::from(descriptor.bytes.min(MTU_MAX));
            let due = after(shared, flight.due, || shared.read_cycles(bytes));
            self.ready.push_back((due, descriptor));
        }
        let fetched = self.slots.fetched();
        shared.registers.rings[self.number as usize].fetched.set(fetched);
        self.note(shared, now, TraceKind::FETCHED, flight.descriptors, fetched);
        Ok(true)
    }

    fn note(&self, shared: &Shared, at: u64, kind: TraceKind, detail: u32, value: u32) {
        let happening = Happening { kind, ring: self.number, detail, value };
        shared.note(TraceWriter::DATAPATH, at, happening);
    }
}

/// When something is due that takes `cycles`, which nobody works out where everything is due at
/// once.
fn after(shared: &Shared, now: u64, cycles: impl FnOnce() -> u64) -> u64 {
    if shared.clock.is_counted() { shared.clock.due(now, cycles()) } else { now }
}

fn bad_doorbell(shared: &Shared) -> FailCode {
    shared.counters.add(Counter::BAD_DOORBELLS, 1);
    FailCode::DOORBELL
}

/// Whether a descriptor makes sense by itself.
pub(crate) fn is_well_formed(descriptor: &TransmitDescriptor) -> bool {
    (1..=MTU_MAX).contains(&descriptor.bytes) && descriptor.flags & !PROGRESS == 0
}

/// The counter of frames that ended with `status`.
pub(crate) fn counter_of(status: TransmitStatus) -> Counter {
    match status {
        TransmitStatus::LEFT => Counter::FRAMES_LEFT,
        TransmitStatus::STALE_HANDLE => Counter::DROPPED_STALE,
        TransmitStatus::PATH_MTU => Counter::DROPPED_MTU,
        TransmitStatus::HOLD_FULL => Counter::DROPPED_HOLD,
        TransmitStatus::PORT => Counter::DROPPED_PORT,
        TransmitStatus::UPLOAD_IN_PROGRESS => Counter::DROPPED_UPLOAD,
        TransmitStatus::BUS => Counter::DROPPED_BUS,
        _ => Counter::DROPPED_MALFORMED,
    }
}
