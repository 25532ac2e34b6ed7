//! The card through memory-mapped registers: the `Hal` of an embedded core.
//!
//! Between the library and the address map in [`abi::core::mmio`]. It keeps positions and nothing
//! else; every access is one aligned 32-bit word through a [`Bus`], which is all that an image has
//! to bring. Registers and windows are one strongly ordered region; only table memory needs the
//! bus's two barriers.

use abi::core::mmio::{
    self, ANNOUNCED, CORE_COUNT, CORE_CYCLES, CORE_FAIL, CORE_FAIL_CAUSE, CORE_FAIL_PC,
    CORE_FEATURES, CORE_HEARTBEAT, CORE_PORT_VLAN, CORE_TIME_MS, CORE_TRACE_FILLED, CORE_TRACE_ON,
    CoreFeature, EVENT_LIMIT, LINK_ANSWER, LINK_ENDED, LINK_HOME, LINK_LEFT_ALIAS, LINK_LEFT_PATHS,
    LINK_LOOKS_MAX, LINK_MS, LINK_ORDERED, LINK_RANGE, LINK_REFUSED, LINK_TO, LIST_ANSWERED,
    LIST_ASKED, LIST_ENTRIES, LIST_HIGH, LIST_LOW, LIST_REFUSED, MAIL_FILLED, MAIL_TAKEN,
    NOTICE_LEFT, NOTICE_TAKEN, NoticeKind, OUTBOX_ENTRIES, OUTBOX_FILLED, OUTBOX_TAKEN, OutboxKind,
    PENDING, RAISED, REGISTERS, RESULT_WORDS, SETTLED, STOPPED, TABLES, WAKE, notice, outbox_entry,
};
use abi::core::{Capabilities, Fetched, Hal, LinkAnswer, LinkOrder, Notice, Settings};
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::register::Counter;
use abi::host::status::FailCode;
use abi::host::trace::{TRACE_RECORDS, TraceKind};
use abi::layout::{Reg, Ro};

/// The core's way to memory and registers.
pub trait Bus {
    /// Reads the word at `address`.
    fn load(&self, address: u32) -> u32;
    /// Writes the word at `address`.
    fn store(&mut self, address: u32, value: u32);
    /// Everything stored so far is visible before anything stored later, to table memory or to a
    /// register (Release).
    fn release(&mut self);
    /// Nothing that is loaded later is older than what was loaded so far (Acquire).
    fn acquire(&self);
}

const RINGS: usize = limit::COMMAND_RINGS_MAX as usize;

/// Positions of one ring.
#[derive(Clone, Copy, Debug)]
struct RingPositions {
    taken: u32,
    settled: u32,
    asked: u32,
}

/// The card around an embedded core.
#[derive(Clone, Debug)]
pub struct MmioHal<B> {
    bus: B,
    has_card: bool,
    has_link_engine: bool,
    /// Orders given to the link engine.
    link_orders: u32,
    is_traced: bool,
    rings: [RingPositions; RINGS],
    outbox: u32,
    notices: u32,
    events: u32,
    trace: u32,
    beats: u32,
}

impl<B: Bus> MmioHal<B> {
    /// The card behind `bus`, at its first use after power-on or reset.
    pub fn new(bus: B) -> Self {
        let features = bus.load(mmio::CONTROL + CORE_FEATURES.offset);
        let ring = RingPositions { taken: 0, settled: 0, asked: 0 };
        Self {
            bus,
            has_card: features & CoreFeature::CARD.0 != 0,
            has_link_engine: features & CoreFeature::LINK_ENGINE.0 != 0,
            link_orders: 0,
            is_traced: false,
            rings: [ring; RINGS],
            outbox: 0,
            notices: 0,
            events: 0,
            trace: 0,
            beats: 0,
        }
    }

    /// Whether there is a card around the core, which wakes it.
    pub const fn has_card(&self) -> bool {
        self.has_card
    }

    /// From here on anything new sets WAKE again.
    pub fn clear_wake(&mut self) {
        self.write_register(WAKE, 0);
    }

    #[inline(always)]
    fn register<A>(&self, register: Reg<A>) -> u32 {
        self.bus.load(REGISTERS + register.offset)
    }

    #[inline(always)]
    fn write_register<A>(&mut self, register: Reg<A>, value: u32) {
        self.bus.store(REGISTERS + register.offset, value);
    }

    #[inline(always)]
    fn positions(&mut self, ring: u32) -> &mut RingPositions {
        &mut self.rings[(ring % limit::COMMAND_RINGS_MAX) as usize]
    }

    /// Fills the next outbox entry with `words`, of which it says that they are `count`; `false` when
    /// there is none.
    #[inline(always)]
    fn post(&mut self, kind: OutboxKind, ring: u32, iova: u64, count: u32, words: &[u32]) -> bool {
        let filled = self.outbox;
        if filled.wrapping_sub(self.register(OUTBOX_TAKEN)) >= OUTBOX_ENTRIES {
            return false;
        }
        let at = mmio::outbox_address(filled);
        let words = words.get(..RESULT_WORDS as usize).unwrap_or(words);
        let head = mmio::outbox_head(kind, ring, count.min(RESULT_WORDS));
        self.bus.store(at + outbox_entry::HEAD * 4, head);
        if kind == OutboxKind::RESULT || kind == OutboxKind::FILL {
            self.bus.store(at + outbox_entry::ADDRESS_LOW * 4, iova as u32);
            self.bus.store(at + outbox_entry::ADDRESS_HIGH * 4, (iova >> 32) as u32);
        }
        let mut place = at + outbox_entry::WORDS_FIRST * 4;
        for word in words {
            self.bus.store(place, *word);
            place += 4;
        }
        self.outbox = filled.wrapping_add(1);
        // From here the entry is the card's.
        self.write_register(OUTBOX_FILLED, self.outbox);
        true
    }

    /// Writes a trace record.
    #[cold]
    fn record(&mut self, kind: TraceKind, ring: u32, detail: u32, value: u32) {
        let at = mmio::TRACE + self.trace % TRACE_RECORDS * 16;
        let words = [
            self.register(CORE_CYCLES),
            self.register(CORE_TIME_MS),
            u32::from(kind.0) | ring << 8 | detail << 16,
            value,
        ];
        for (word, value) in (0..).zip(words) {
            self.bus.store(at + word * 4, value);
        }
        self.trace = self.trace.wrapping_add(1);
        self.write_register(CORE_TRACE_FILLED, self.trace);
    }
}

/// A ring's register.
#[inline(always)]
const fn of_ring<A>(register: Reg<A>, ring: u32) -> Reg<A> {
    register.bank(ring, mmio::CORE_RING_STRIDE)
}

impl<B: Bus> Hal for MmioHal<B> {
    fn capabilities(&self) -> Capabilities {
        let low = self.register(mmio::CORE_PORT_MAC_LOW).to_le_bytes();
        let high = self.register(mmio::CORE_PORT_MAC_HIGH).to_le_bytes();
        Capabilities {
            neighbors: self.register(mmio::CORE_NEIGHBORS),
            paths: self.register(mmio::CORE_PATHS),
            connections: self.register(mmio::CORE_CONNECTIONS),
            aliases: self.register(mmio::CORE_ALIASES),
            source_macs: self.register(mmio::CORE_SOURCE_MACS),
            vlans: self.register(mmio::CORE_VLANS),
            state_memory: self.register(mmio::CORE_STATE_MEMORY),
            command_rings: self.register(mmio::CORE_COMMAND_RINGS),
            transmit_rings: self.register(mmio::CORE_TRANSMIT_RINGS),
            ring_slots: self.register(mmio::CORE_RING_SLOTS),
            vectors: self.register(mmio::CORE_VECTORS),
            held_per_path: self.register(mmio::CORE_HELD_PER_PATH),
            held_total: self.register(mmio::CORE_HELD_TOTAL),
            clock_khz: self.register(mmio::CORE_CLOCK_KHZ),
            port_mac: [low[0], low[1], low[2], low[3], high[0], high[1]],
        }
    }

    fn settings(&self) -> Settings {
        let mut port_vlans = [0; limit::PORT_VLANS_MAX as usize];
        for (number, vlan) in (0..).zip(&mut port_vlans) {
            *vlan = self.register(CORE_PORT_VLAN.bank(number, 4)) as u16;
        }
        Settings {
            generation_seed: self.register(mmio::CORE_GENERATION_SEED),
            grace_ms: self.register(mmio::CORE_GRACE_MS),
            stale_ms: self.register(mmio::CORE_STALE_MS),
            port_vlan_count: self.register(mmio::CORE_PORT_VLANS),
            port_vlans,
        }
    }

    #[inline(always)]
    fn load(&self, word: u32) -> u32 {
        self.bus.load(TABLES + word * 4)
    }

    #[inline(always)]
    fn store(&mut self, word: u32, value: u32) {
        self.bus.store(TABLES + word * 4, value);
    }

    #[inline(always)]
    fn publish(&mut self, word: u32, value: u32) {
        self.bus.release();
        self.bus.store(TABLES + word * 4, value);
    }

    #[inline(always)]
    fn observe(&self, word: u32) -> u32 {
        let value = self.bus.load(TABLES + word * 4);
        self.bus.acquire();
        value
    }

    #[inline(always)]
    fn pending(&self) -> u32 {
        self.register(PENDING)
    }

    #[inline(always)]
    fn front(&self, ring: u32) -> Option<u32> {
        let taken = self.rings[(ring % limit::COMMAND_RINGS_MAX) as usize].taken;
        let has_slot = self.register(of_ring(MAIL_FILLED, ring)) != taken;
        has_slot.then(|| mmio::mailbox_address(ring, taken))
    }

    #[inline(always)]
    fn waiting(&self, ring: u32) -> u32 {
        let taken = self.rings[(ring % limit::COMMAND_RINGS_MAX) as usize].taken;
        self.register(of_ring(MAIL_FILLED, ring)).wrapping_sub(taken)
    }

    #[inline(always)]
    fn place(&self, ring: u32, ahead: u32) -> u32 {
        let taken = self.rings[(ring % limit::COMMAND_RINGS_MAX) as usize].taken;
        mmio::mailbox_address(ring, taken.wrapping_add(ahead))
    }

    #[inline(always)]
    fn peek(&self, place: u32, word: u32) -> u32 {
        self.bus.load(place + word * 4)
    }

    #[inline(always)]
    fn skip(&mut self, ring: u32) {
        let taken = self.positions(ring).taken.wrapping_add(1);
        self.positions(ring).taken = taken;
        self.write_register(of_ring(MAIL_TAKEN, ring), taken);
    }

    #[inline]
    fn consume(&mut self, ring: u32) {
        let settled = self.positions(ring).settled.wrapping_add(1);
        self.positions(ring).settled = settled;
        self.write_register(of_ring(SETTLED, ring), settled);
    }

    #[inline(always)]
    fn consume_next(&mut self, ring: u32, slots: u32) {
        let positions = self.positions(ring);
        positions.taken = positions.taken.wrapping_add(slots);
        positions.settled = positions.settled.wrapping_add(slots);
        let RingPositions { taken, settled, .. } = *positions;
        self.write_register(of_ring(MAIL_TAKEN, ring), taken);
        self.write_register(of_ring(SETTLED, ring), settled);
    }

    #[inline]
    fn complete(&mut self, ring: u32, completion: [u32; 4]) -> bool {
        self.post(OutboxKind::COMPLETION, ring, 0, 4, &completion)
    }

    #[inline(always)]
    fn is_stopped(&self, ring: u32) -> bool {
        self.register(STOPPED) & 1 << ring != 0
    }

    #[inline(always)]
    fn write(&mut self, ring: u32, iova: u64, words: &[u32]) -> bool {
        self.post(OutboxKind::RESULT, ring, iova, words.len() as u32, words)
    }

    #[inline(always)]
    fn fill(&mut self, ring: u32, iova: u64, words: u32, value: u32) -> bool {
        self.post(OutboxKind::FILL, ring, iova, words, &[value])
    }

    fn fetch_list(&mut self, ring: u32, buffer: u32, iova: u64, entries: u32) {
        let asked = self.positions(ring).asked.wrapping_add(1);
        self.positions(ring).asked = asked;
        self.write_register(of_ring(LIST_LOW, ring), iova as u32);
        self.write_register(of_ring(LIST_HIGH, ring), (iova >> 32) as u32);
        self.write_register(of_ring(LIST_ENTRIES, ring), mmio::list_entries(buffer, entries));
        self.write_register(of_ring(LIST_ASKED, ring), asked);
    }

    #[inline]
    fn list_state(&self, ring: u32) -> Fetched {
        let asked = self.rings[(ring % limit::COMMAND_RINGS_MAX) as usize].asked;
        if self.register(of_ring(LIST_ANSWERED, ring)) != asked {
            Fetched::Pending
        } else if self.register(of_ring(LIST_REFUSED, ring)) == 0 {
            Fetched::Ready
        } else {
            Fetched::Failed
        }
    }

    #[inline(always)]
    fn list_entry(&self, ring: u32, buffer: u32, entry: u32) -> Handle {
        let at = mmio::list_address(ring, buffer, entry);
        Handle(u64::from(self.bus.load(at)) | u64::from(self.bus.load(at + 4)) << 32)
    }

    #[inline(always)]
    fn has_link_engine(&self) -> bool {
        self.has_link_engine
    }

    #[inline(always)]
    fn order_links(&mut self, order: &LinkOrder) {
        self.link_orders = self.link_orders.wrapping_add(1);
        self.bus.release();
        self.write_register(LINK_TO, order.to);
        self.write_register(LINK_HOME, order.home);
        self.write_register(LINK_MS, order.now_ms);
        let place = mmio::list_place(order.ring, order.buffer);
        self.write_register(LINK_RANGE, mmio::link_range(place, order.first, order.end));
        self.write_register(LINK_ORDERED, self.link_orders);
    }

    #[inline]
    fn links_ended(&mut self) -> Option<LinkAnswer> {
        for _ in 0..LINK_LOOKS_MAX {
            if self.register(LINK_ENDED) == self.link_orders {
                self.bus.acquire();
                return Some(mmio::of_link_answer(self.register(LINK_ANSWER)));
            }
        }
        None
    }

    #[inline(always)]
    fn refused_entries(&self, word: u32) -> u32 {
        self.register(LINK_REFUSED.bank(word, 4))
    }

    #[inline(always)]
    fn left_alias(&self, place: u32) -> (u32, u32) {
        let at = |register: Reg<Ro>| self.register(register.bank(place, 8));
        (at(LINK_LEFT_ALIAS), at(LINK_LEFT_PATHS))
    }

    #[inline(always)]
    fn raise(&mut self, epoch: u32) {
        self.bus.release();
        self.write_register(RAISED, epoch);
        if !self.has_card {
            self.write_register(ANNOUNCED, epoch);
        }
    }

    #[inline]
    fn announced(&self) -> u32 {
        let epoch = self.register(ANNOUNCED);
        self.bus.acquire();
        epoch
    }

    #[inline]
    fn notice(&mut self) -> Option<Notice> {
        if self.register(NOTICE_LEFT) == self.notices {
            return None;
        }
        let at = mmio::notice_address(self.notices);
        let kind = NoticeKind(self.bus.load(at + notice::KIND * 4));
        let low = self.bus.load(at + notice::HANDLE_LOW * 4);
        let high = self.bus.load(at + notice::HANDLE_HIGH * 4);
        self.notices = self.notices.wrapping_add(1);
        self.write_register(NOTICE_TAKEN, self.notices);
        let handle = Handle(u64::from(low) | u64::from(high) << 32);
        Some(match kind {
            NoticeKind::HELD => Notice::Held(handle),
            NoticeKind::STALE => Notice::Stale(handle),
            _ => Notice::Drained,
        })
    }

    fn event(&mut self, event: [u32; 4]) -> bool {
        let is_posted = self.register(EVENT_LIMIT) != self.events
            && self.post(OutboxKind::EVENT, 0, 0, 4, &event);
        self.events = self.events.wrapping_add(u32::from(is_posted));
        is_posted
    }

    #[inline(always)]
    fn now_ms(&self) -> u32 {
        self.register(CORE_TIME_MS)
    }

    #[inline]
    fn heartbeat(&mut self) {
        self.beats = self.beats.wrapping_add(1);
        self.write_register(CORE_HEARTBEAT, self.beats);
        self.is_traced = self.register(CORE_TRACE_ON) != 0;
    }

    #[inline(always)]
    fn trace(&mut self, kind: TraceKind, ring: u32, detail: u32, value: u32) {
        if self.is_traced {
            self.record(kind, ring, detail, value);
        }
    }

    #[inline(always)]
    fn count(&mut self, counter: Counter, amount: u32) {
        self.write_register(CORE_COUNT.bank(counter.0, 4), amount);
    }

    fn fail(&mut self, code: FailCode, cause: u32) {
        self.write_register(CORE_FAIL_PC, 0);
        self.write_register(CORE_FAIL_CAUSE, cause);
        self.write_register(CORE_FAIL, code.0);
    }
}
