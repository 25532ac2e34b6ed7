//! The command side of the card: fetch, firmware, outbox, in one owner.
//!
//! Between the rings in host memory and table memory. Driven by `free_running` (a thread that
//! calls [`CommandCore::slice`]) or by `timed` (which calls the parts when they are due). It
//! decides nothing about commands; the firmware does, in the `body` that the card was made with.

use std::sync::Arc;

use abi::host::register::EVENT_RING;
use host_driver::memory::Words;

use crate::body::{Core, Step};
use crate::epochs::{ANNOUNCED, GLOBAL};
use crate::fetch::CommandRing;
use crate::iommu::Window;
use crate::meter::Meter;
use crate::notices::NoticeReceiver;
use crate::outbox::raise_interrupt;
use crate::peripherals::Peripherals;
use crate::registers::RingBank;
use crate::rings::{CompletionRing, RingConfig};
use crate::shared::Shared;
use crate::table_memory::TableMemory;
use crate::watchdog::{Look, Watchdog};
use crate::work::CoreWork;

/// Fetch, firmware and outbox.
pub(crate) struct CommandCore<M> {
    core: Core<M>,
    watchdog: Watchdog,
    peripherals: Peripherals,
    work: CoreWork,
    /// What a step that was cut has taken so far.
    cut: Step,
    /// After the last step nothing was under way.
    is_at_rest: bool,
}

impl<M: Meter> CommandCore<M> {
    /// A core in reset.
    pub(crate) fn new(
        shared: Arc<Shared>,
        table: Arc<TableMemory>,
        notices: NoticeReceiver,
    ) -> Self {
        Self {
            core: Core::new(&shared.config.body),
            watchdog: Watchdog::default(),
            peripherals: Peripherals::new(shared, table, notices),
            work: CoreWork::new(),
            cut: Step::default(),
            is_at_rest: false,
        }
    }

    /// Forgets everything and works on `table` from now on.
    pub(crate) fn reset(&mut self, table: Arc<TableMemory>) {
        self.core.reset();
        self.peripherals.reset(table);
    }

    /// Takes the settings and starts the firmware. Returns whether it accepts the capabilities.
    pub(crate) fn enable(&mut self, now: u64) -> bool {
        let side = &mut self.peripherals;
        side.tell_time(now);
        side.settings = side.shared.registers.settings();
        self.watchdog = Watchdog::new(side.now_ms);
        let words = side.shared.layout.map(|layout| layout.words as usize);
        words == Some(side.table.len()) && self.core.enable(side)
    }

    /// Serves command ring `number` from now on.
    pub(crate) fn start_command_ring(&mut self, number: u32, config: RingConfig) {
        let ring = CommandRing::new(number, config, &self.peripherals.shared);
        if let Some(place) = self.peripherals.rings.get_mut(number as usize) {
            *place = Some(ring);
            self.peripherals.started = self.peripherals.started.max(number as usize + 1);
        }
    }

    /// Serves the event ring from now on.
    pub(crate) fn start_event_ring(&mut self, config: &RingConfig) {
        let gap = self.peripherals.shared.clock.in_us(u64::from(config.moderation_us));
        self.peripherals.events = Some(CompletionRing::new(EVENT_RING, config, gap));
    }

    /// Moves what is due between host memory and the firmware's mailboxes. Returns whether
    /// anything moved.
    pub(crate) fn pump(&mut self, window: &Window<'_>, now: u64) -> bool {
        let side = &mut self.peripherals;
        // That is for the datapath; the core is not woken by what it did itself.
        side.raise_due(now);
        let Peripherals { shared, rings, events, outbox, started, has_news, .. } = side;
        let mut moved = outbox.pump(shared, window, rings, events, now);
        let rings = rings.get_mut(..*started).unwrap_or_default();
        for (place, bank) in rings.iter_mut().zip(&shared.registers.rings) {
            let has_arrived = pump_ring(place, bank, shared, window, now);
            *has_news |= has_arrived;
            moved |= has_arrived;
            if let Some(ring) = place {
                moved |= raise_interrupt(shared, window, &mut ring.completions, now);
            }
            // Who comes to a core at rest is not to wait for the others: they are looked at in the
            // next slice, before which the core is not at rest.
            if moved && self.is_at_rest {
                return true;
            }
        }
        events.take_if(|_| !shared.registers.rings[EVENT_RING as usize].is_running());
        if let Some(events) = events {
            moved |= raise_interrupt(shared, window, events, now);
        }
        moved
    }

    /// One step of the firmware. See [`CommandCore::slice`] for `announce`.
    pub(crate) fn step(
        &mut self,
        window: &Window<'_>,
        now: u64,
        announce: &mut dyn FnMut() -> bool,
    ) -> Step {
        self.peripherals.tell_time(now);
        let until = self.rings_due(now);
        let step = self.core.step(&mut self.peripherals, window, until, announce);
        self.cut = std::mem::take(&mut self.cut).and(step);
        if !step.is_cut {
            let whole = std::mem::take(&mut self.cut);
            let has_acted = std::mem::take(&mut self.peripherals.has_acted);
            let tally = self.work.add(&whole, has_acted);
            self.core.add_to(tally);
        }
        self.is_at_rest = step.is_at_rest;
        self.watch();
        step
    }

    /// Whether the datapath has nothing to do during the next step.
    pub(crate) fn tell_reader(&mut self, is_idle: bool) {
        self.peripherals.is_reader_idle = is_idle;
    }

    /// What the core has done so far.
    pub(crate) fn work(&self) -> &CoreWork {
        &self.work
    }

    /// Table memory as it stands.
    pub(crate) fn table(&self) -> Arc<TableMemory> {
        Arc::clone(&self.peripherals.table)
    }

    /// Where a simulated hart stands.
    pub(crate) fn pc(&self) -> Option<u32> {
        self.core.pc()
    }

    /// Puts bytes into a simulated hart's RAM. Returns whether there is one, and they lie in it.
    pub(crate) fn plant(&mut self, address: u32, bytes: &[u8]) -> bool {
        self.core.plant(address, bytes)
    }

    /// Pump, step, pump: one bounded slice of a free-running core. Returns whether it was busy.
    /// `announce` is asked whether a reader has announced what was raised: as soon as it was, and
    /// after the step; if so then, another step follows at once: completions wait for that.
    #[inline]
    pub(crate) fn slice(
        &mut self,
        window: &Window<'_>,
        now: u64,
        announce: &mut dyn FnMut() -> bool,
    ) -> bool {
        let mut is_busy = self.pump(window, now);
        is_busy |= self.step(window, now, announce).is_busy;
        if announce() {
            is_busy |= self.step(window, now, announce).is_busy;
        }
        if !self.peripherals.outbox.is_empty() {
            is_busy |= self.pump(window, now);
        }
        is_busy
    }

    /// Whether there may be anything to do: between two looks of an idle core's thread, which are
    /// short. What only time brings is not in it, nor what the datapath leaves.
    #[inline]
    pub(crate) fn is_rung(&self, window: &Window<'_>) -> bool {
        let Peripherals { shared, rings, outbox, started, .. } = &self.peripherals;
        let mut rings = rings[..*started].iter().flatten();
        !self.is_at_rest || !outbox.is_empty() || rings.any(|ring| ring.is_rung(shared, window))
    }

    /// When something arrives next for the firmware, after `now`.
    fn rings_due(&self, now: u64) -> Option<u64> {
        let rings = self.peripherals.rings[..self.peripherals.started].iter().flatten();
        rings.filter_map(|ring| ring.next_due(now)).min()
    }

    /// When something under way is due next, after `now`.
    pub(crate) fn next_due(&self, now: u64) -> Option<u64> {
        let side = &self.peripherals;
        let rings = side.rings.iter().flatten();
        let reads = self.rings_due(now).into_iter();
        let interrupts = rings.map(|ring| &ring.completions).chain(&side.events);
        let interrupts = interrupts.filter_map(|ring| ring.moderation.next_due());
        let raising = side.raising.map(|(at, _)| at);
        let writes = interrupts.chain(side.outbox.next_due()).chain(raising);
        let writes = writes.filter(|due| *due > now);
        reads.chain(writes).min()
    }

    /// Lets the watchdog look, once a millisecond: it counts no less.
    #[inline]
    fn watch(&mut self) {
        if self.watchdog.is_due(self.peripherals.now_ms) {
            self.look();
        }
    }

    #[cold]
    fn look(&mut self) {
        let epochs = &self.peripherals.shared.epochs;
        let look = Look {
            now_ms: self.peripherals.now_ms,
            raised: epochs.load_relaxed(GLOBAL),
            announced: epochs.load_relaxed(ANNOUNCED),
            has_beaten: std::mem::take(&mut self.peripherals.has_beaten),
        };
        if let Some((code, cause)) = self.watchdog.look(look) {
            self.peripherals.shared.registers.fail(code, 0, cause);
        }
    }
}

/// Pumps one ring, and forgets it when it has to stop or was stopped.
#[inline]
fn pump_ring(
    place: &mut Option<CommandRing>,
    bank: &RingBank,
    shared: &Shared,
    window: &Window<'_>,
    now: u64,
) -> bool {
    let Some(ring) = place.as_mut().filter(|_| bank.is_running()) else {
        return place.take().is_some();
    };
    ring.pump(shared, window, now).unwrap_or_else(|code| {
        bank.fail(code);
        *place = None;
        true
    })
}
