//! Fetches commands: from the doorbell's position, by DMA, into a bounded mailbox a ring.
//!
//! Between the host's command rings and the firmware's `take`. It does not look into slots.
//! A slot is fetched only when its completion slot is reserved, so that every tree can be
//! answered whatever the host does. A doorbell or an address that makes no sense stops that
//! ring and no other.
//! Invariant: `reserved` + completions the host has not reaped never exceed the ring's size.

use std::collections::VecDeque;

use abi::core::Fetched;
use abi::core::mmio::MAILBOX_SLOTS;
use abi::host::command::Slot;
use abi::host::handle::Handle;
use abi::host::limit::{LIST_CHUNK, SLOT_BYTES};
use abi::host::register::Counter;
use abi::host::status::FailCode;
use abi::host::trace::{TraceKind, TraceWriter};

use crate::iommu::Window;
use crate::rings::{CompletionRing, RingConfig, doorbell_tail};
use crate::shared::Shared;
use crate::trace::Happening;

/// Slots in one DMA read: half the mailbox, so that the next read overlaps the firmware's work.
const FETCH_BATCH: u32 = MAILBOX_SLOTS / 2;

/// A read of slots that is under way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    due: u64,
    slots: u32,
}

/// The card's side of one command ring.
#[derive(Debug)]
pub(crate) struct CommandRing {
    number: u32,
    config: RingConfig,
    pub(crate) completions: CompletionRing,
    pub(crate) mailbox: VecDeque<Slot>,
    pub(crate) list: ListBuffer,
    /// Slots fetched (or under way) for which the firmware still owes a settlement.
    reserved: u32,
    fetched: u32,
    seen_tail: u32,
    flight: Option<Flight>,
}

impl CommandRing {
    /// Ring `number` as it was started.
    pub(crate) fn new(number: u32, config: RingConfig, shared: &Shared) -> Self {
        let gap = shared.clock.in_us(u64::from(config.moderation_us));
        Self {
            number,
            config,
            completions: CompletionRing::new(number, &config, gap),
            mailbox: VecDeque::with_capacity(MAILBOX_SLOTS as usize),
            list: ListBuffer::new(number),
            reserved: 0,
            fetched: 0,
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
        let arrived = self.arrive(shared, window, now)?;
        let asked = self.ask(shared, now)?;
        let list = self.list.arrive(shared, window, now);
        // What is due at once is taken in at once: the next step finds it.
        Ok(self.arrive(shared, window, now)? || arrived || asked || list)
    }

    /// When the next read after `now` comes back.
    pub(crate) fn next_due(&self, now: u64) -> Option<u64> {
        let flight = self.flight.map(|flight| flight.due);
        flight.into_iter().chain(self.list.due).filter(|due| *due > now).min()
    }

    /// One taken slot is settled, with a completion of its own or without.
    pub(crate) fn settle(&mut self, is_completed: bool) {
        self.reserved = self.reserved.saturating_sub(1);
        if is_completed {
            self.completions.commit();
        }
    }

    fn ask(&mut self, shared: &Shared, now: u64) -> Result<bool, FailCode> {
        if self.flight.is_some() {
            return Ok(false);
        }
        let size = self.config.size;
        let tail = doorbell_tail(&shared.slot.doorbells, self.number);
        if tail == self.fetched {
            return Ok(false);
        }
        let (Some(waiting), Ok(room)) =
            (size.used(self.fetched, tail), self.completions.room(&shared.slot.doorbells))
        else {
            shared.counters.add(Counter::BAD_DOORBELLS, 1);
            return Err(FailCode::DOORBELL);
        };
        let slots = waiting
            .min(room.saturating_sub(self.reserved))
            .min(MAILBOX_SLOTS - (self.mailbox.len() as u32).min(MAILBOX_SLOTS))
            .min(FETCH_BATCH)
            .min(size.slots() - size.slot(self.fetched));
        if slots == 0 {
            return Ok(false);
        }
        let mut cycles = shared.read_cycles(u64::from(slots * SLOT_BYTES));
        if self.seen_tail != tail {
            let way = shared.doorbell_cycles();
            cycles += way;
            self.seen_tail = tail;
            self.note(shared, shared.clock.due(now, way), TraceKind::DOORBELL, 0, tail);
        }
        self.reserved += slots;
        self.flight = Some(Flight { due: shared.clock.due(now, cycles), slots });
        Ok(true)
    }

    fn arrive(&mut self, shared: &Shared, window: &Window<'_>, now: u64) -> Result<bool, FailCode> {
        let Some(flight) = self.flight.take_if(|flight| flight.due <= now) else {
            return Ok(false);
        };
        for _ in 0..flight.slots {
            let slot = self.config.size.slot(self.fetched);
            let iova = self.config.base + u64::from(slot) * u64::from(SLOT_BYTES);
            let mut words = Slot::default();
            window.read(iova, &mut words).map_err(|_refusal| FailCode::RING_BUS)?;
            self.mailbox.push_back(words);
            self.fetched = self.fetched.wrapping_add(1);
        }
        shared.registers.rings[self.number as usize].fetched.set(self.fetched);
        self.note(shared, now, TraceKind::FETCHED, flight.slots, self.fetched);
        Ok(true)
    }

    fn note(&self, shared: &Shared, at: u64, kind: TraceKind, detail: u32, value: u32) {
        shared.note(TraceWriter::RINGS, at, Happening { kind, ring: self.number, detail, value });
    }
}

/// The list buffer of one ring: a chunk of handles for the firmware.
#[derive(Debug)]
pub(crate) struct ListBuffer {
    ring: u32,
    handles: Box<[u32; LIST_CHUNK as usize * 2]>,
    iova: u64,
    entries: u32,
    /// When the chunk under way is due.
    due: Option<u64>,
    state: Fetched,
}

impl ListBuffer {
    /// The buffer of command ring `ring`, empty.
    fn new(ring: u32) -> Self {
        let handles = Box::new([0; LIST_CHUNK as usize * 2]);
        Self { ring, handles, iova: 0, entries: 0, due: None, state: Fetched::Pending }
    }

    /// Asks for `entries` handles at `iova`; more than a chunk is cut to one.
    pub(crate) fn ask(&mut self, shared: &Shared, iova: u64, entries: u32, now: u64) {
        self.iova = iova;
        self.entries = entries.min(LIST_CHUNK);
        self.state = Fetched::Pending;
        let cycles = shared.read_cycles(u64::from(self.entries) * 8);
        self.due = Some(shared.clock.due(now, cycles));
    }

    /// Takes the chunk in when it is due.
    pub(crate) fn arrive(&mut self, shared: &Shared, window: &Window<'_>, now: u64) -> bool {
        if self.due.take_if(|due| *due <= now).is_none() {
            return false;
        }
        let words = &mut self.handles[..self.entries as usize * 2];
        let answer = window.read(self.iova, words);
        self.state = if answer.is_ok() { Fetched::Ready } else { Fetched::Failed };
        let (kind, detail) = (TraceKind::LIST, self.entries);
        let happening = Happening { kind, ring: self.ring, detail, value: 0 };
        shared.note(TraceWriter::RINGS, now, happening);
        true
    }

    /// How the chunk stands.
    pub(crate) fn state(&self) -> Fetched {
        self.state
    }

    /// Entry `entry` of the chunk; the null handle past its end.
    #[inline]
    pub(crate) fn entry(&self, entry: u32) -> Handle {
        let at = entry as usize * 2;
        match self.handles.get(at..at + 2) {
            Some([low, high]) if entry < self.entries => {
                Handle(u64::from(*high) << 32 | u64::from(*low))
            }
            _ => Handle::NULL,
        }
    }
}
