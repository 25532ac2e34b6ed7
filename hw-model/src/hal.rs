//! The native body's `Hal`: how the firmware library reaches the card around it.
//!
//! Between `firmware` and the engines `fetch`, `outbox`, `datapath`. Every call returns at once;
//! loads and stores go straight to table memory. It judges no command.
//! Invariant: the firmware's thread is the only writer of table memory but for the ages.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use abi::core::{Capabilities, Fetched, Hal, Notice, Settings};
use abi::host::command::Slot;
use abi::host::completion::Event;
use abi::host::handle::Handle;
use abi::host::limit::COMMAND_RINGS_MAX;
use abi::host::register::{Counter, EVENT_RING};
use abi::host::status::{FailCode, RingState};
use host_driver::memory::Words;

use crate::costs;
use crate::epochs::{ANNOUNCED, GLOBAL};
use crate::fetch::CommandRing;
use crate::meter::Meter;
use crate::outbox::Outbox;
use crate::rings::CompletionRing;
use crate::shared::Shared;
use crate::table_memory::TableMemory;

/// The card around the firmware, in the native body.
#[derive(Debug)]
pub(crate) struct NativeHal<M> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) table: Arc<TableMemory>,
    pub(crate) rings: [Option<CommandRing>; COMMAND_RINGS_MAX as usize],
    pub(crate) events: Option<CompletionRing>,
    pub(crate) outbox: Outbox,
    pub(crate) notices: Receiver<Notice>,
    pub(crate) settings: Settings,
    /// Events were lost since the last one that fitted.
    pub(crate) needs_rescan: bool,
    /// When the firmware showed that it runs; taken by the watchdog.
    pub(crate) has_beaten: bool,
    /// Cycles at the start of this step.
    pub(crate) now: u64,
    pub(crate) now_ms: u32,
    pub(crate) meter: M,
}

impl<M: Meter> NativeHal<M> {
    /// When a write of `words` words that starts now is visible to the host.
    fn due(&self, words: usize) -> u64 {
        let cycles = self.meter.spent() + self.shared.write_cycles(words as u64 * 4);
        self.shared.clock.due(self.now, cycles)
    }

    fn is_running(&self, ring: u32) -> bool {
        self.shared.registers.rings.get(ring as usize).is_some_and(|bank| bank.is_running())
    }

    fn ring(&mut self, ring: u32) -> Option<&mut CommandRing> {
        if !self.is_running(ring) {
            return None;
        }
        self.rings.get_mut(ring as usize)?.as_mut()
    }
}

impl<M: Meter> Hal for NativeHal<M> {
    fn capabilities(&self) -> Capabilities {
        self.shared.config.capabilities
    }

    fn settings(&self) -> Settings {
        self.settings
    }

    #[inline]
    fn load(&self, word: u32) -> u32 {
        self.meter.charge(costs::LOAD_CYCLES);
        self.table.load_relaxed(word as usize)
    }

    #[inline]
    fn store(&mut self, word: u32, value: u32) {
        self.meter.charge(costs::STORE_CYCLES);
        self.table.store_relaxed(word as usize, value);
    }

    #[inline]
    fn publish(&mut self, word: u32, value: u32) {
        self.meter.charge(costs::PUBLISH_CYCLES);
        self.table.store_release(word as usize, value);
    }

    #[inline]
    fn observe(&self, word: u32) -> u32 {
        self.meter.charge(costs::OBSERVE_CYCLES);
        self.table.load_acquire(word as usize)
    }

    fn take(&mut self, ring: u32) -> Option<Slot> {
        let slot = self.ring(ring).and_then(|ring| ring.mailbox.pop_front());
        let cycles = if slot.is_some() { costs::TAKE_CYCLES } else { costs::TAKE_EMPTY_CYCLES };
        self.meter.charge(cycles);
        slot
    }

    fn consume(&mut self, ring: u32) {
        self.meter.charge(costs::CONSUME_CYCLES);
        if let Some(ring) = self.ring(ring) {
            ring.settle(false);
        }
    }

    fn complete(&mut self, ring: u32, completion: [u32; 4]) {
        self.meter.charge(costs::COMPLETE_CYCLES);
        let due = self.due(completion.len());
        if let Some(at) = self.ring(ring) {
            at.settle(true);
            self.outbox.completion(due, ring, completion);
        }
    }

    fn is_stopped(&self, ring: u32) -> bool {
        let bank = self.shared.registers.rings.get(ring as usize);
        bank.is_some_and(|bank| bank.state.get() == RingState::FAILED.0)
    }

    fn write(&mut self, ring: u32, iova: u64, words: &[u32]) -> bool {
        let cycles = costs::WRITE_CYCLES + costs::WRITE_WORD_CYCLES * words.len() as u64;
        self.meter.charge(cycles);
        let due = self.due(words.len());
        // A stopped ring's writes go nowhere; its tree will be forgotten.
        !self.is_running(ring) || self.outbox.result(due, ring, iova, words)
    }

    fn fetch_list(&mut self, ring: u32, iova: u64, entries: u32) {
        self.meter.charge(costs::FETCH_LIST_CYCLES);
        let now = self.now + self.meter.spent();
        let shared = Arc::clone(&self.shared);
        if let Some(ring) = self.ring(ring) {
            ring.list.ask(&shared, iova, entries, now);
        }
    }

    fn list_state(&self, ring: u32) -> Fetched {
        self.meter.charge(costs::REGISTER_CYCLES);
        match self.rings.get(ring as usize) {
            Some(Some(ring)) => ring.list.state(),
            _ => Fetched::Failed,
        }
    }

    #[inline]
    fn list_entry(&self, ring: u32, entry: u32) -> Handle {
        self.meter.charge(costs::LIST_ENTRY_CYCLES);
        match self.rings.get(ring as usize) {
            Some(Some(ring)) => ring.list.entry(entry),
            _ => Handle::NULL,
        }
    }

    fn raise(&mut self, epoch: u32) {
        self.meter.charge(costs::RAISE_CYCLES);
        self.shared.epochs.store_release(GLOBAL, epoch);
        self.shared.datapath_sleeper.wake();
    }

    fn announced(&self) -> u32 {
        self.meter.charge(costs::REGISTER_CYCLES);
        self.shared.epochs.load_acquire(ANNOUNCED)
    }

    fn notice(&mut self) -> Option<Notice> {
        self.meter.charge(costs::REGISTER_CYCLES);
        self.notices.try_recv().ok()
    }

    fn event(&mut self, event: [u32; 4]) -> bool {
        self.meter.charge(costs::EVENT_CYCLES);
        let due = self.due(event.len());
        let is_running = self.is_running(EVENT_RING);
        let doorbells = &self.shared.slot.doorbells;
        let ring = self.events.as_mut().filter(|_| is_running);
        let Some(ring) = ring.filter(|ring| ring.room(doorbells).is_ok_and(|room| room > 0)) else {
            self.needs_rescan = true;
            self.shared.counters.add(Counter::EVENTS_LOST, 1);
            return false;
        };
        ring.commit();
        let mut marked = Event::read(&event);
        marked.rescan = u8::from(std::mem::take(&mut self.needs_rescan));
        let mut entry = [0; 4];
        marked.write(&mut entry);
        self.outbox.event(due, entry);
        self.shared.counters.add(Counter::EVENTS, 1);
        true
    }

    fn now_ms(&self) -> u32 {
        self.meter.charge(costs::REGISTER_CYCLES);
        self.now_ms
    }

    fn heartbeat(&mut self) {
        self.has_beaten = true;
        let beats = self.shared.registers.heartbeat.get();
        self.shared.registers.heartbeat.set(beats.wrapping_add(1));
    }

    fn count(&mut self, counter: Counter, amount: u32) {
        self.shared.counters.add(counter, u64::from(amount));
    }

    fn fail(&mut self, code: FailCode, cause: u32) {
        self.shared.registers.fail(code, 0, cause);
    }
}
