//! The command side of the card: fetch, firmware, outbox, in one owner.
//!
//! Between the rings in host memory and table memory. Driven by `free_running` (a thread that
//! calls [`CommandCore::slice`]) or by `timed` (which calls the parts when they are due). It
//! decides nothing about commands; the firmware does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use abi::core::Notice;
use abi::host::register::EVENT_RING;
use abi::host::status::FailCode;
use firmware::{Activity, Firmware};
use host_driver::memory::Words;

use crate::costs;
use crate::epochs::{ANNOUNCED, GLOBAL};
use crate::fetch::CommandRing;
use crate::hal::NativeHal;
use crate::meter::Meter;
use crate::outbox::{Outbox, raise_interrupts};
use crate::registers::RingBank;
use crate::rings::{CompletionRing, RingConfig};
use crate::shared::Shared;
use crate::table_memory::TableMemory;
use crate::watchdog::{Look, Watchdog};

/// Fetch, firmware and outbox.
pub(crate) struct CommandCore<M> {
    firmware: Option<Firmware>,
    watchdog: Watchdog,
    hal: NativeHal<M>,
}

impl<M: Meter> CommandCore<M> {
    /// A core in reset.
    pub(crate) fn new(
        shared: Arc<Shared>,
        table: Arc<TableMemory>,
        notices: Receiver<Notice>,
    ) -> Self {
        let hal = NativeHal {
            settings: shared.registers.settings(),
            shared,
            table,
            rings: Default::default(),
            events: None,
            outbox: Outbox::new(),
            notices,
            needs_rescan: false,
            has_beaten: false,
            now: 0,
            now_ms: 0,
            meter: M::default(),
        };
        Self { firmware: None, watchdog: Watchdog::default(), hal }
    }

    /// Forgets everything and works on `table` from now on.
    pub(crate) fn reset(&mut self, table: Arc<TableMemory>) {
        self.firmware = None;
        self.hal.table = table;
        self.hal.rings = Default::default();
        self.hal.events = None;
        self.hal.outbox.clear();
        self.hal.notices.try_iter().for_each(drop);
        self.hal.needs_rescan = false;
    }

    /// Takes the settings and starts the firmware. Returns whether it accepts the capabilities.
    pub(crate) fn enable(&mut self, now: u64) -> bool {
        self.tell_time(now);
        self.hal.settings = self.hal.shared.registers.settings();
        self.watchdog = Watchdog::new(self.hal.now_ms);
        let words = self.hal.shared.layout.map(|layout| layout.words as usize);
        if words == Some(self.hal.table.len()) {
            self.firmware = Firmware::new(&mut self.hal);
        }
        self.firmware.is_some()
    }

    /// Serves command ring `number` from now on.
    pub(crate) fn start_command_ring(&mut self, number: u32, config: RingConfig) {
        let ring = CommandRing::new(number, config, &self.hal.shared);
        if let Some(place) = self.hal.rings.get_mut(number as usize) {
            *place = Some(ring);
        }
    }

    /// Serves the event ring from now on.
    pub(crate) fn start_event_ring(&mut self, config: &RingConfig) {
        let gap = self.hal.shared.clock.in_us(u64::from(config.moderation_us));
        self.hal.events = Some(CompletionRing::new(EVENT_RING, config, gap));
    }

    /// Moves what is due between host memory and the firmware's mailboxes. Returns whether
    /// anything moved.
    pub(crate) fn pump(&mut self, now: u64) -> bool {
        let hal = &mut self.hal;
        let mut moved = hal.outbox.pump(&hal.shared, &mut hal.rings, &mut hal.events, now);
        for (place, bank) in hal.rings.iter_mut().zip(&hal.shared.registers.rings) {
            moved |= pump_ring(place, bank, &hal.shared, now);
        }
        hal.events.take_if(|_| !hal.shared.registers.rings[EVENT_RING as usize].is_running());
        let completions = hal.rings.iter_mut().flatten().map(|ring| &mut ring.completions);
        moved | raise_interrupts(&hal.shared, completions.chain(&mut hal.events), now)
    }

    /// One step of the firmware, and what it cost in cycles.
    pub(crate) fn step(&mut self, now: u64) -> (Activity, u64) {
        self.tell_time(now);
        let Some(firmware) = &mut self.firmware else {
            return (Activity::Idle, costs::STEP_CYCLES);
        };
        self.hal.meter.restart();
        self.hal.meter.charge(costs::STEP_CYCLES);
        // A panic of the firmware is this body's trap: the card fails, its host goes on.
        let step = AssertUnwindSafe(|| firmware.step(&mut self.hal));
        let Ok(activity) = catch_unwind(step) else {
            self.firmware = None;
            self.hal.shared.registers.fail(FailCode::TRAP, 0, 0);
            return (Activity::Idle, costs::STEP_CYCLES);
        };
        self.watch();
        (activity, self.hal.meter.spent())
    }

    /// Pump, step, pump: one bounded slice of a free-running core. Returns whether it was busy.
    pub(crate) fn slice(&mut self, now: u64) -> bool {
        let arrived = self.pump(now);
        let (activity, _) = self.step(now);
        let left = !self.hal.outbox.is_empty() && self.pump(now);
        arrived || left || activity == Activity::Busy
    }

    /// When something under way is due next, after `now`.
    pub(crate) fn next_due(&self, now: u64) -> Option<u64> {
        let hal = &self.hal;
        let rings = hal.rings.iter().flatten();
        let reads = rings.clone().filter_map(|ring| ring.next_due(now));
        let interrupts = rings.map(|ring| &ring.completions).chain(&hal.events);
        let interrupts = interrupts.filter_map(|ring| ring.moderation.next_due());
        let writes = interrupts.chain(hal.outbox.next_due()).filter(|due| *due > now);
        reads.chain(writes).min()
    }

    fn tell_time(&mut self, now: u64) {
        self.hal.now = now;
        self.hal.now_ms = self.hal.shared.clock.ms_at(now);
    }

    fn watch(&mut self) {
        let epochs = &self.hal.shared.epochs;
        let look = Look {
            now_ms: self.hal.now_ms,
            raised: epochs.load_relaxed(GLOBAL),
            announced: epochs.load_relaxed(ANNOUNCED),
            has_beaten: std::mem::take(&mut self.hal.has_beaten),
        };
        if let Some((code, cause)) = self.watchdog.look(look) {
            self.hal.shared.registers.fail(code, 0, cause);
        }
    }
}

/// Pumps one ring, and forgets it when it has to stop or was stopped.
fn pump_ring(place: &mut Option<CommandRing>, bank: &RingBank, shared: &Shared, now: u64) -> bool {
    let Some(ring) = place.as_mut().filter(|_| bank.is_running()) else {
        return place.take().is_some();
    };
    ring.pump(shared, now).unwrap_or_else(|code| {
        bank.fail(code);
        *place = None;
        true
    })
}
