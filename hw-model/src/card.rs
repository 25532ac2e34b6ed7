//! A model card: the shared part, the engines, and the way they run.
//!
//! The composition root of the model: everything else is a part that is put together here. What
//! a driver sees of it is in `backing`.

use std::sync::Arc;

use abi::host::status::FailCode;

use crate::clock::Clock;
use crate::command_core::CommandCore;
use crate::config::CardConfig;
use crate::control::{Order, fresh_table};
use crate::datapath::Datapath;
use crate::free_running::FreeRunning;
use crate::meter::{CycleMeter, Meter, NoMeter};
use crate::notices::notices;
use crate::port::Port;
use crate::shared::Shared;
use crate::slot::Slot;
use crate::table_memory::TableMemory;
use crate::timed::Timed;
use crate::work::CoreWork;

/// A card in software. Made in reset; a driver attaches to it through
/// [`Backing`](host_driver::backing::Backing).
#[derive(Debug)]
pub struct ModelCard {
    pub(crate) shared: Arc<Shared>,
    pub(crate) way: Way,
}

/// How a card runs.
#[derive(Debug)]
pub(crate) enum Way {
    /// Threads that poll.
    Free(FreeRunning),
    /// Events on the caller's thread.
    Timed(Box<Timed>),
}

impl ModelCard {
    /// A card that runs by itself, on threads of its own, as fast as the machine lets it, in a slot
    /// of its own. They end when the last reference goes.
    ///
    /// # Panics
    /// When the system has no memory page or thread left.
    #[must_use]
    pub fn free_running(config: CardConfig, port: Box<dyn Port>) -> Arc<Self> {
        Self::free_running_in(Slot::new(), config, port)
    }

    /// A card that runs by itself, put into `slot`, which is to be empty.
    ///
    /// # Panics
    /// When the system has no thread left.
    #[must_use]
    pub fn free_running_in(slot: Arc<Slot>, config: CardConfig, port: Box<dyn Port>) -> Arc<Self> {
        let clock = Clock::machine(config.capabilities.clock_khz);
        let (shared, core, datapath) = engines(slot, config, clock, port);
        let way = Way::Free(FreeRunning::start(Arc::clone(&shared), core, datapath));
        Arc::new(Self { shared, way })
    }

    /// A card whose time passes only in [`relax`](host_driver::backing::Backing::relax), the same
    /// way for the same calls, in a slot of its own.
    ///
    /// # Panics
    /// When the system has no memory page left.
    #[must_use]
    pub fn timed(config: CardConfig, port: Box<dyn Port>) -> Arc<Self> {
        Self::timed_in(Slot::new(), config, port)
    }

    /// A card whose time passes only in [`relax`](host_driver::backing::Backing::relax), put into
    /// `slot`, which is to be empty.
    #[must_use]
    pub fn timed_in(slot: Arc<Slot>, config: CardConfig, port: Box<dyn Port>) -> Arc<Self> {
        let clock = Clock::counted(config.capabilities.clock_khz);
        let (shared, core, datapath) = engines(slot, config, clock, port);
        let way = Way::Timed(Box::new(Timed::new(Arc::clone(&shared), core, datapath)));
        Arc::new(Self { shared, way })
    }

    /// What the card was made with.
    #[must_use]
    pub fn config(&self) -> &CardConfig {
        &self.shared.config
    }

    /// Whether time passes only in `relax`.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        matches!(self.way, Way::Timed(_))
    }

    /// Cycles of the card clock since the card was made.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        self.shared.clock.cycles()
    }

    /// An access to BAR0 of any offset and width, as a bus delivers it. What is not an aligned
    /// 32-bit access (or a whole counter) reads as zero or is ignored, and is counted.
    pub fn bar_access(&self, offset: u64, bytes: &mut [u8], write: bool) {
        let order = self.shared.access(offset, bytes, write);
        self.control(order);
    }

    /// The slot it is in.
    #[must_use]
    pub fn slot(&self) -> &Arc<Slot> {
        &self.shared.slot
    }

    /// Puts the card into *failed*: the machine around it cannot keep what the host was promised.
    pub fn fail(&self, code: FailCode, cause: u32) {
        self.shared.registers.fail(code, 0, cause);
    }

    /// What the card's core has done since the card was made.
    #[must_use]
    pub fn core_work(&self) -> CoreWork {
        self.with_core(|core| core.work().clone(), |core| core.work().clone())
    }

    /// Address of the next instruction of a simulated hart: that of its WFI while it sleeps. `None`
    /// for a native body and before ENABLE.
    #[must_use]
    pub fn core_pc(&self) -> Option<u32> {
        self.with_core(|core| core.pc(), |core| core.pc())
    }

    /// Table memory as it stands: a view for tests from behind the card. A reset brings another.
    #[must_use]
    pub fn table(&self) -> Arc<TableMemory> {
        self.with_core(|core| core.table(), |core| core.table())
    }

    /// Fault injection: replaces bytes of the running image in a simulated hart's RAM, instructions
    /// too. A reset brings the image back. Returns whether there is such a hart, and the bytes lie
    /// in its RAM.
    #[must_use]
    pub fn plant(&self, address: u32, bytes: &[u8]) -> bool {
        self.with_core(|core| core.plant(address, bytes), |core| core.plant(address, bytes))
    }

    fn with_core<T>(
        &self,
        of_free: impl FnOnce(&mut CommandCore<NoMeter>) -> T,
        of_timed: impl FnOnce(&mut CommandCore<CycleMeter>) -> T,
    ) -> T {
        match &self.way {
            Way::Free(free) => free.with_core(of_free),
            Way::Timed(timed) => timed.with_core(of_timed),
        }
    }

    /// Carries out what a register write asked for, if it asked for anything.
    pub(crate) fn control(&self, order: Option<Order>) {
        match (order, &self.way) {
            (None, _) => {}
            (Some(order), Way::Free(free)) => free.control(order),
            (Some(order), Way::Timed(timed)) => timed.control(order),
        }
    }
}

fn engines<M: Meter>(
    slot: Arc<Slot>,
    config: CardConfig,
    clock: Clock,
    port: Box<dyn Port>,
) -> (Arc<Shared>, CommandCore<M>, Datapath) {
    let shared = Shared::new(slot, config, clock);
    let table = fresh_table(&shared);
    let (sender, receiver) = notices();
    let core = CommandCore::new(Arc::clone(&shared), Arc::clone(&table), receiver);
    let datapath = Datapath::new(Arc::clone(&shared), table, port, sender);
    (shared, core, datapath)
}
