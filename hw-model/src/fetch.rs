//! Fetches commands: from the doorbell's position, by DMA, into a bounded mailbox a ring.
//!
//! Between the host's command rings and the firmware's `take`. It does not look into slots.
//! A slot is fetched only when its completion slot is reserved, so that every tree can be
//! answered whatever the host does. A doorbell or an address that makes no sense stops that
//! ring and no other.
//! Invariant: `reserved` + completions the host has not reaped never exceed the ring's size.

use abi::core::Fetched;
use abi::core::mmio::{LIST_BUFFERS, MAILBOX_SLOTS};
use abi::host::command::Slot;
use abi::host::handle::Handle;
use abi::host::limit::{LIST_CHUNK, SLOT_BYTES};
use abi::host::register::Counter;
use abi::host::status::FailCode;
use abi::host::trace::{TraceKind, TraceWriter};

use crate::costs::{FILL_CYCLES, LIST_ASK_CYCLES};
use crate::iommu::{Refusal, Window};
use crate::rings::{CompletionRing, RingConfig};
use crate::shared::Shared;
use crate::slots::SlotRing;
use crate::trace::Happening;

/// Slots in one DMA read: half the mailbox, so that the next read overlaps the firmware's work.
const FETCH_BATCH: u32 = MAILBOX_SLOTS / 2;
/// Words of a slot.
const SLOT_WORDS: usize = SLOT_BYTES as usize / 4;

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
    slots: SlotRing<SLOT_WORDS>,
    pub(crate) completions: CompletionRing,
    pub(crate) mailbox: Mailbox,
    pub(crate) list: ListBuffer,
    /// Slots fetched (or under way) for which the firmware still owes a settlement.
    reserved: u32,
    /// Completion slots that were known to be free, those of `reserved` among them.
    room: u32,
    seen_tail: u32,
    flight: Option<Flight>,
}

impl CommandRing {
    /// Ring `number` as it was started.
    pub(crate) fn new(number: u32, config: RingConfig, shared: &Shared) -> Self {
        let gap = shared.clock.in_us(u64::from(config.moderation_us));
        Self {
            number,
            slots: SlotRing::new(number, config.base, config.size),
            completions: CompletionRing::new(number, &config, gap),
            mailbox: Mailbox::new(),
            list: ListBuffer::new(number),
            reserved: 0,
            room: 0,
            seen_tail: 0,
            flight: None,
        }
    }

    /// Takes in what has arrived and asks for more. Returns whether anything moved.
    ///
    /// # Errors
    /// Why the ring has to stop.
    #[inline]
    pub(crate) fn pump(
        &mut self,
        shared: &Shared,
        window: &Window<'_>,
        now: u64,
    ) -> Result<bool, FailCode> {
        let arrived = self.flight.is_some() && self.arrive(shared, window, now)?;
        let list = self.list.is_asked() && self.list.arrive(shared, window, now);
        let asked = self.flight.is_none() && self.ask(shared, now)?;
        if asked {
            // What is due at once is taken in at once: the next step finds it.
            self.arrive(shared, window, now)?;
        }
        Ok(asked || arrived || list)
    }

    /// Whether there may be something to take in or to ask for. As long as there is not, the line
    /// of the next slot is asked for: it changes before the doorbell does.
    #[inline]
    pub(crate) fn is_rung(&self, shared: &Shared, window: &Window<'_>) -> bool {
        window.expect_reads(self.slots.next(), 1);
        self.slots.is_rung(&shared.slot.doorbells)
            || self.slots.tail() != self.slots.fetched()
            || self.flight.is_some()
            || self.list.is_asked()
    }

    /// When the next read after `now` comes back.
    pub(crate) fn next_due(&self, now: u64) -> Option<u64> {
        let flight = self.flight.map(|flight| flight.due);
        flight.into_iter().chain(self.list.due).filter(|due| *due > now).min()
    }

    /// Taken slots are settled, without completions of their own.
    #[inline]
    pub(crate) fn settle(&mut self, slots: u32) {
        self.reserved = self.reserved.saturating_sub(slots);
    }

    /// One taken slot is settled, with a completion of its own.
    #[inline]
    pub(crate) fn settle_completed(&mut self) {
        self.settle(1);
        self.completions.commit();
        self.room = self.room.saturating_sub(1);
    }

    #[inline]
    fn ask(&mut self, shared: &Shared, now: u64) -> Result<bool, FailCode> {
        let is_news = self.slots.tail() == self.slots.fetched();
        match self.slots.look(&shared.slot.doorbells) {
            Ok(false) => return Ok(false),
            Ok(true) => {}
            Err(_bad) => return Err(bad_doorbell(shared)),
        }
        let wanted = self
            .slots
            .waiting()
            .min(MAILBOX_SLOTS - self.mailbox.len().min(MAILBOX_SLOTS))
            .min(FETCH_BATCH);
        // The host's word on what it has reaped lies beside its position: looked at when that was
        // news, and when the room that is known does not do.
        if is_news || self.room < self.reserved + wanted {
            let room = self.completions.room(&shared.slot.doorbells);
            self.room = room.map_err(|_bad| bad_doorbell(shared))?;
        }
        let slots = wanted.min(self.room.saturating_sub(self.reserved));
        if slots == 0 {
            return Ok(false);
        }
        self.reserved += slots;
        self.flight = Some(Flight { due: self.due(shared, slots, now), slots });
        Ok(true)
    }

    /// When a read of `slots` slots that is asked for now comes back.
    #[inline]
    fn due(&mut self, shared: &Shared, slots: u32, now: u64) -> u64 {
        let is_new = self.seen_tail != self.slots.tail();
        self.seen_tail = self.slots.tail();
        if !shared.clock.is_counted() {
            if is_new {
                self.note(shared, now, TraceKind::DOORBELL, 0, self.seen_tail);
            }
            return now;
        }
        let mut cycles = shared.read_cycles(u64::from(slots * SLOT_BYTES)) + FILL_CYCLES;
        if is_new {
            let way = shared.doorbell_cycles();
            cycles += way;
            self.note(shared, shared.clock.due(now, way), TraceKind::DOORBELL, 0, self.seen_tail);
        }
        shared.clock.due(now, cycles)
    }

    fn arrive(&mut self, shared: &Shared, window: &Window<'_>, now: u64) -> Result<bool, FailCode> {
        let Some(flight) = self.flight.take_if(|flight| flight.due <= now) else {
            return Ok(false);
        };
        self.mailbox
            .fetch(&mut self.slots, window, flight.slots)
            .map_err(|_| FailCode::RING_BUS)?;
        let fetched = self.slots.fetched();
        shared.registers.rings[self.number as usize].fetched.set(fetched);
        self.note(shared, now, TraceKind::FETCHED, flight.slots, fetched);
        Ok(true)
    }

    #[inline]
    fn note(&self, shared: &Shared, at: u64, kind: TraceKind, detail: u32, value: u32) {
        shared.note(TraceWriter::RINGS, at, Happening { kind, ring: self.number, detail, value });
    }
}

#[cold]
fn bad_doorbell(shared: &Shared) -> FailCode {
    shared.counters.add(Counter::BAD_DOORBELLS, 1);
    FailCode::DOORBELL
}

/// Slots that wait for the firmware, oldest first.
#[derive(Debug)]
pub(crate) struct Mailbox {
    slots: Box<[Slot; MAILBOX_SLOTS as usize]>,
    /// Positions, free-running.
    taken: u32,
    filled: u32,
}

const MAIL_MASK: u32 = MAILBOX_SLOTS - 1;
const _: () = assert!(MAILBOX_SLOTS.is_power_of_two(), "places follow from positions");

impl Mailbox {
    fn new() -> Self {
        Self { slots: Box::new([[0; SLOT_WORDS]; MAILBOX_SLOTS as usize]), taken: 0, filled: 0 }
    }

    /// Slots in it.
    #[inline]
    pub(crate) const fn len(&self) -> u32 {
        self.filled.wrapping_sub(self.taken)
    }

    /// The slot behind `ahead` others.
    #[inline]
    pub(crate) fn get(&self, ahead: u32) -> Option<&Slot> {
        let place = self.taken.wrapping_add(ahead) & MAIL_MASK;
        (ahead < self.len()).then(|| &self.slots[place as usize])
    }

    /// Word `word` of the slot behind `ahead` others; there is one.
    #[inline]
    pub(crate) const fn word(&self, ahead: u32, word: u32) -> u32 {
        let place = self.taken.wrapping_add(ahead) & MAIL_MASK;
        self.slots[place as usize][word as usize % SLOT_WORDS]
    }

    /// Takes the oldest slots out, at most `count`. Returns how many there were.
    #[inline]
    pub(crate) fn skip(&mut self, count: u32) -> u32 {
        let taken = count.min(self.len());
        self.taken = self.taken.wrapping_add(taken);
        taken
    }

    /// Fetches `count` slots, for which there is room, straight to where they wait.
    fn fetch(
        &mut self,
        ring: &mut SlotRing<SLOT_WORDS>,
        window: &Window<'_>,
        count: u32,
    ) -> Result<(), Refusal> {
        let first = self.filled & MAIL_MASK;
        let to_end = (MAILBOX_SLOTS - first).min(count);
        let (start, end) = self.slots.split_at_mut(first as usize);
        ring.fetch(window, &mut end[..to_end as usize])?;
        if to_end < count {
            ring.fetch(window, &mut start[..(count - to_end) as usize])?;
        }
        self.filled = self.filled.wrapping_add(count);
        Ok(())
    }
}

/// A chunk of a list.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    handles: [u32; LIST_CHUNK as usize * 2],
    entries: u32,
}

/// The list buffers of one ring: chunks of handles for the firmware.
#[derive(Debug)]
pub(crate) struct ListBuffer {
    ring: u32,
    buffers: Box<[Chunk; LIST_BUFFERS as usize]>,
    iova: u64,
    entries: u32,
    /// The buffer that they go to.
    buffer: usize,
    /// When the chunk under way is due.
    due: Option<u64>,
    state: Fetched,
}

impl ListBuffer {
    /// The buffers of command ring `ring`, empty.
    fn new(ring: u32) -> Self {
        let chunk = Chunk { handles: [0; LIST_CHUNK as usize * 2], entries: 0 };
        let buffers = Box::new([chunk; LIST_BUFFERS as usize]);
        Self { ring, buffers, iova: 0, entries: 0, buffer: 0, due: None, state: Fetched::Pending }
    }

    /// Asks for `entries` handles at `iova`; more than a chunk is cut to one.
    pub(crate) fn ask(&mut self, shared: &Shared, buffer: u32, iova: u64, entries: u32, now: u64) {
        self.iova = iova;
        self.entries = entries.min(LIST_CHUNK);
        self.buffer = (buffer % LIST_BUFFERS) as usize;
        self.state = Fetched::Pending;
        let cycles = shared.read_cycles(u64::from(self.entries) * 8);
        let cycles = LIST_ASK_CYCLES + cycles + FILL_CYCLES;
        self.due = Some(shared.clock.due(now, cycles));
    }

    /// Takes the chunk in when it is due.
    pub(crate) fn arrive(&mut self, shared: &Shared, window: &Window<'_>, now: u64) -> bool {
        if self.due.take_if(|due| *due <= now).is_none() {
            return false;
        }
        let chunk = &mut self.buffers[self.buffer];
        chunk.entries = self.entries;
        let answer = window.read(self.iova, &mut chunk.handles[..self.entries as usize * 2]);
        self.state = if answer.is_ok() { Fetched::Ready } else { Fetched::Failed };
        let (kind, detail) = (TraceKind::LIST, self.entries);
        let happening = Happening { kind, ring: self.ring, detail, value: 0 };
        shared.note(TraceWriter::RINGS, now, happening);
        true
    }

    /// Whether a chunk is under way.
    #[inline]
    pub(crate) fn is_asked(&self) -> bool {
        self.due.is_some()
    }

    /// How the chunk stands.
    pub(crate) fn state(&self) -> Fetched {
        self.state
    }

    /// Entry `entry` of the chunk in a buffer; the null handle past its end.
    #[inline]
    pub(crate) fn entry(&self, buffer: u32, entry: u32) -> Handle {
        let chunk = &self.buffers[(buffer % LIST_BUFFERS) as usize];
        let at = entry as usize * 2;
        match chunk.handles.get(at..at + 2) {
            Some([low, high]) if entry < chunk.entries => {
                Handle(u64::from(*high) << 32 | u64::from(*low))
            }
            _ => Handle::NULL,
        }
    }
}
