//! What surrounds the core, whichever body it has: mailboxes, outbox, lists, notices, tables, time.
//!
//! Between the body (the linked firmware through `body::native`, an image through `body::bus`) and
//! the engines `fetch`, `outbox`, `datapath`. Every call is one primitive operation and returns at
//! once; `at` is the cycle of the card clock at which it happens. What it costs is the body's matter.
//! It judges no command.
//! Invariant: the core is the only writer of table memory but for the ages.

use std::sync::Arc;

use abi::core::{Fetched, LinkOrder, LinkWalk, Notice, Settings};
use abi::host::command::Slot;
use abi::host::handle::Handle;
use abi::host::limit::COMMAND_RINGS_MAX;
use abi::host::register::EVENT_RING;
use abi::host::trace::{TraceKind, TraceWriter};
use host_driver::memory::Words;

use crate::costs::ANNOUNCE_CYCLES;
use crate::epochs::{ANNOUNCED, GLOBAL};
use crate::fetch::CommandRing;
use crate::iommu::Window;
use crate::link_engine;
use crate::memory::{TablePlace, TablePort};
use crate::notices::NoticeReceiver;
use crate::outbox::{Outbox, publish, result};
use crate::registers::RingBank;
use crate::rings::CompletionRing;
use crate::shared::Shared;
use crate::table_memory::TableMemory;
use crate::trace::Happening;

/// The card around the core.
#[derive(Debug)]
pub(crate) struct Peripherals {
    pub(crate) shared: Arc<Shared>,
    pub(crate) table: Arc<TableMemory>,
    /// The core's way to the table, in time.
    pub(crate) table_port: TablePort,
    pub(crate) rings: [Option<CommandRing>; COMMAND_RINGS_MAX as usize],
    /// Command rings up to the last that was started since the reset.
    pub(crate) started: usize,
    pub(crate) events: Option<CompletionRing>,
    pub(crate) outbox: Outbox,
    notices: NoticeReceiver,
    /// The epoch that is to be raised, and when.
    pub(crate) raising: Option<(u64, u32)>,
    pub(crate) settings: Settings,
    /// Something arrived since the last step.
    pub(crate) has_news: bool,
    /// The datapath has nothing to do, and nothing is on its way to it.
    pub(crate) is_reader_idle: bool,
    /// The firmware showed that it runs; taken by the watchdog.
    pub(crate) has_beaten: bool,
    /// Something was taken, stored, posted or raised; taken after each step.
    pub(crate) has_acted: bool,
    /// Card time at the start of the step.
    pub(crate) now: u64,
    pub(crate) now_ms: u32,
}

impl Peripherals {
    /// Everything empty, as after a reset.
    pub(crate) fn new(
        shared: Arc<Shared>,
        table: Arc<TableMemory>,
        notices: NoticeReceiver,
    ) -> Self {
        let words = shared.layout.map_or(0, |layout| layout.words);
        let place = shared.config.table_place.unwrap_or(TablePlace::of(words));
        Self {
            settings: shared.registers.settings(),
            table_port: TablePort::new(place, &shared.clock),
            shared,
            table,
            rings: Default::default(),
            started: 0,
            events: None,
            outbox: Outbox::new(),
            notices,
            raising: None,
            has_news: false,
            is_reader_idle: false,
            has_beaten: false,
            has_acted: false,
            now: 0,
            now_ms: 0,
        }
    }

    /// Forgets everything and works on `table` from now on.
    pub(crate) fn reset(&mut self, table: Arc<TableMemory>) {
        self.table = table;
        self.table_port.reset();
        self.rings = Default::default();
        self.started = 0;
        self.events = None;
        self.outbox.clear();
        self.raising = None;
        self.notices.clear();
    }

    /// A step begins.
    #[inline]
    pub(crate) fn tell_time(&mut self, now: u64) {
        if self.now != now {
            self.now = now;
            self.now_ms = self.shared.clock.ms_at(now);
        }
    }

    /// One bit a command ring with slots in its mailbox, or stopped.
    pub(crate) fn pending(&self) -> u32 {
        self.rings_that(|ring, bank| {
            bank.is_failed() || ring.as_ref().is_some_and(|ring| ring.mailbox.len() > 0)
        })
    }

    /// One bit a command ring that was stopped by an error.
    pub(crate) fn stopped(&self) -> u32 {
        self.rings_that(|_, bank| bank.is_failed())
    }

    /// Whether a command ring was stopped by an error.
    pub(crate) fn is_stopped(&self, ring: u32) -> bool {
        self.shared.registers.rings.get(ring as usize).is_some_and(RingBank::is_failed)
    }

    /// One bit a ring that was started and is so; another has nothing.
    #[inline]
    fn rings_that(&self, is_so: impl Fn(&Option<CommandRing>, &RingBank) -> bool) -> u32 {
        let rings = self.rings.iter().zip(&self.shared.registers.rings);
        let mut mask = 0;
        for (number, (ring, bank)) in (0..).zip(rings).take(self.started) {
            mask |= u32::from(is_so(ring, bank)) << number;
        }
        mask
    }

    fn is_running(&self, ring: u32) -> bool {
        self.shared.registers.rings.get(ring as usize).is_some_and(RingBank::is_running)
    }

    /// A command ring that is served.
    pub(crate) fn ring(&self, ring: u32) -> Option<&CommandRing> {
        let at = self.rings.get(ring as usize)?.as_ref();
        at.filter(|_| self.is_running(ring))
    }

    fn ring_mut(&mut self, ring: u32) -> Option<&mut CommandRing> {
        if !self.is_running(ring) {
            return None;
        }
        self.rings.get_mut(ring as usize)?.as_mut()
    }

    /// The next slot of a mailbox.
    pub(crate) fn front(&self, ring: u32) -> Option<&Slot> {
        self.ring(ring)?.mailbox.get(0)
    }

    /// Slots in a mailbox.
    #[inline]
    pub(crate) fn waiting(&self, ring: u32) -> u32 {
        self.ring(ring).map_or(0, |ring| ring.mailbox.len())
    }

    /// A word of the slot of a mailbox behind `ahead` others; there is one, or what it says means
    /// nothing.
    #[inline]
    pub(crate) fn mail_word(&self, ring: u32, ahead: u32, word: u32) -> u32 {
        match self.rings.get(ring as usize) {
            Some(Some(ring)) => ring.mailbox.word(ahead, word),
            _ => 0,
        }
    }

    /// Takes the next slots out of a mailbox.
    #[inline]
    pub(crate) fn skip(&mut self, ring: u32, slots: u32) {
        if let Some(ring) = self.ring_mut(ring) {
            self.has_acted |= ring.mailbox.skip(slots) != 0;
        }
    }

    /// Taken slots get no completions of their own.
    #[inline]
    pub(crate) fn settle(&mut self, ring: u32, slots: u32) {
        if let Some(ring) = self.ring_mut(ring) {
            ring.settle(slots);
        }
    }

    /// Sends a tree's completion. There is room: the outbox was asked.
    pub(crate) fn complete(&mut self, at: u64, ring: u32, entry: [u32; 4]) {
        self.has_acted = true;
        let due = self.due(at, ring, true, entry.len());
        if let Some(state) = self.ring_mut(ring) {
            state.settle_completed();
            self.outbox.completion(due, ring, entry);
        }
    }

    /// Sends words to host memory. There is room: the outbox was asked.
    pub(crate) fn result(&mut self, at: u64, ring: u32, iova: u64, words: &[u32]) {
        self.has_acted = true;
        let due = self.due(at, ring, false, words.len());
        // A stopped ring's writes go nowhere; its tree will be forgotten.
        if self.is_running(ring) {
            self.outbox.result(due, ring, iova, words);
        }
    }

    /// Writes a tree's completion to host memory at once: everything is due.
    pub(crate) fn complete_now(&mut self, window: &Window<'_>, ring: u32, entry: [u32; 4]) {
        self.has_acted = true;
        let now = self.now;
        let Self { rings, shared, .. } = self;
        if let Some(Some(state)) = rings.get_mut(ring as usize) {
            state.settle_completed();
            publish(shared, window, ring, Some(&mut state.completions), entry, now);
        }
    }

    /// Writes words to host memory at once: everything is due.
    #[inline]
    pub(crate) fn result_now(&mut self, window: &Window<'_>, ring: u32, iova: u64, words: &[u32]) {
        self.has_acted = true;
        result(&self.shared, window, ring, iova, words, self.now);
    }

    /// Sends an event. There is room: the outbox and [`Self::event_room`] were asked.
    pub(crate) fn event(&mut self, at: u64, entry: [u32; 4]) {
        self.has_acted = true;
        let due = self.due(at, EVENT_RING, false, entry.len());
        if let Some(ring) = &mut self.events {
            ring.commit();
            self.outbox.event(due, entry);
        }
    }

    /// Writes an event to host memory at once. There is room: [`Self::event_room`] was asked.
    pub(crate) fn event_now(&mut self, window: &Window<'_>, entry: [u32; 4]) {
        self.has_acted = true;
        let now = self.now;
        let Self { events, shared, .. } = self;
        if let Some(ring) = events {
            ring.commit();
            publish(shared, window, EVENT_RING, Some(ring), entry, now);
        }
    }

    /// Events that the host has room for.
    pub(crate) fn event_room(&self) -> u32 {
        let ring = self.events.as_ref().filter(|_| self.is_running(EVENT_RING));
        ring.and_then(|ring| ring.room(&self.shared.slot.doorbells).ok()).unwrap_or(0)
    }

    /// Asks for a chunk of a list.
    pub(crate) fn fetch_list(&mut self, at: u64, ring: u32, buffer: u32, iova: u64, entries: u32) {
        self.has_acted = true;
        let now = self.time(at);
        let is_running = self.is_running(ring);
        let Self { rings, shared, .. } = self;
        if let Some(Some(ring)) = rings.get_mut(ring as usize).filter(|_| is_running) {
            ring.list.ask(shared, buffer, iova, entries, now);
        }
    }

    /// Takes in what was asked for of lists and has come by `at`.
    pub(crate) fn take_lists(&mut self, window: &Window<'_>, at: u64) {
        let at = self.time(at);
        let Self { rings, started, shared, .. } = self;
        for ring in rings.iter_mut().take(*started).flatten() {
            if ring.list.is_asked() {
                ring.list.arrive(shared, window, at);
            }
        }
    }

    /// A chunk of a list was read at once: everything is due.
    #[inline]
    pub(crate) fn note_list(&mut self, ring: u32, entries: u32) {
        self.has_acted = true;
        let happening = Happening { kind: TraceKind::LIST, ring, detail: entries, value: 0 };
        self.shared.note(TraceWriter::RINGS, self.now, happening);
    }

    /// How the chunk asked for last stands.
    pub(crate) fn list_state(&self, ring: u32) -> Fetched {
        match self.rings.get(ring as usize) {
            Some(Some(ring)) => ring.list.state(),
            _ => Fetched::Failed,
        }
    }

    /// Whether the card has a link engine: on a clock that is counted, beside tables on the chip. On
    /// the machine's own clock it would be a processor that does what the firmware does.
    pub(crate) fn has_link_engine(&self) -> bool {
        self.table_port.is_on_chip()
    }

    /// Lets the link engine carry out an order; the cycles that it takes.
    pub(crate) fn order_links(&mut self, order: &LinkOrder) -> (LinkWalk, u32) {
        self.has_acted = true;
        let list = match self.rings.get(order.ring as usize) {
            Some(Some(ring)) => Some(&ring.list),
            _ => None,
        };
        let entry = |entry| list.map_or(Handle::NULL, |list| list.entry(order.buffer, entry));
        link_engine::carry_out(&self.shared, &self.table, order, entry)
    }

    /// Raises the global epoch at `at`: a step is run in one go, but readers see what it raises
    /// when it gets there, not before.
    pub(crate) fn raise(&mut self, at: u64, epoch: u32) {
        self.has_acted = true;
        let at = self.shared.clock.due(at, 0);
        // A second one in the same step does not wait for the first: its stores came before.
        self.raising = Some((at, epoch));
        if !self.shared.clock.is_counted() {
            self.raise_due(at);
        }
    }

    /// Raises what is due at `now`.
    pub(crate) fn raise_due(&mut self, now: u64) {
        if let Some((_, epoch)) = self.raising.take_if(|(at, _)| *at <= now) {
            self.shared.epochs.store_release(GLOBAL, epoch);
            self.shared.datapath_sleeper.wake();
        }
    }

    /// The oldest epoch that the reader may still work in, at `at`. A step is run in one go, so a
    /// reader with nothing to do announces what it raises after the step; when that will be is known.
    pub(crate) fn announced(&self, at: u64) -> u32 {
        if let Some((raised, epoch)) = self.raising
            && self.is_reader_idle
            && at >= raised + ANNOUNCE_CYCLES
        {
            return epoch;
        }
        self.shared.epochs.load_acquire(ANNOUNCED)
    }

    /// The next notice of the datapath.
    pub(crate) fn notice(&mut self) -> Option<Notice> {
        let notice = self.notices.next()?;
        self.has_acted = true;
        Some(notice)
    }

    /// The firmware runs: its count of steps.
    pub(crate) fn beat(&mut self, beats: u32) {
        self.has_beaten = true;
        self.shared.registers.heartbeat.set(beats);
    }

    /// The cycle of the card clock that a body calls `at`: on the machine's clock a step has one time.
    pub(crate) fn time(&self, at: u64) -> u64 {
        if self.shared.clock.is_counted() { at } else { self.now }
    }

    /// When an entry of `words` words for `ring` that is handed over at `at` is visible to the host.
    fn due(&mut self, at: u64, ring: u32, waits: bool, words: usize) -> u64 {
        if !self.shared.clock.is_counted() {
            return self.now;
        }
        let cycles = self.shared.write_cycles(words as u64 * 4);
        self.outbox.due(at, ring, waits, cycles)
    }
}
