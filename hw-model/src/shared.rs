//! What all engines of one card share: registers, counters, clock, epochs, trace, and its slot.
//!
//! Nothing here is behind a lock that a datapath step could wait for. The engines themselves
//! (`command_core`, `datapath`) have one owner each and are not in here.

use std::sync::Arc;

use abi::core::table::TableLayout;
use host_driver::memory::Words;

use crate::clock::Clock;
use crate::config::CardConfig;
use crate::costs::{DOORBELL_SCAN_CYCLES, READ_DELIVERY_CYCLES, READ_REQUEST_CYCLES};
use crate::counters::Counters;
use crate::epochs::Epochs;
use crate::pcie::HostBus;
use crate::registers::RegisterFile;
use crate::sleeper::Sleeper;
use crate::slot::Slot;
use crate::trace::Trace;

/// Bytes that the card's port to the bus moves in a cycle.
const LINE_BYTES: u64 = 64;

/// The shared part of a card.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: CardConfig,
    /// `None` when the capabilities do not fit; the card fails at ENABLE.
    pub(crate) layout: Option<TableLayout>,
    pub(crate) clock: Clock,
    /// What the machine gives the card.
    pub(crate) slot: Arc<Slot>,
    pub(crate) counters: Counters,
    pub(crate) registers: RegisterFile,
    pub(crate) epochs: Epochs,
    pub(crate) trace: Trace,
    /// The core's thread, if it has one and it rests.
    pub(crate) core_sleeper: Sleeper,
    /// The datapath's thread, if it has one and it rests.
    pub(crate) datapath_sleeper: Sleeper,
}

impl Shared {
    /// A card in reset, freshly put into `slot`.
    pub(crate) fn new(slot: Arc<Slot>, config: CardConfig, clock: Clock) -> Arc<Self> {
        slot.iommu.power_on();
        slot.interrupts.reset();
        for word in 0..slot.doorbells.len() {
            // ORDERING: Relaxed. No card looks at the page yet; its threads are spawned later.
            // No loom test: spawning orders it.
            slot.doorbells.store_relaxed(word, 0);
        }
        Arc::new(Self {
            layout: TableLayout::new(&config.capabilities),
            config,
            clock,
            slot,
            counters: Counters::new(),
            registers: RegisterFile::default(),
            epochs: Epochs::default(),
            trace: Trace::new(),
            core_sleeper: Sleeper::default(),
            datapath_sleeper: Sleeper::default(),
        })
    }

    /// Cycles that a DMA read of `bytes` takes, from its request to who asked for it.
    pub(crate) fn read_cycles(&self, bytes: u64) -> u64 {
        let on_the_bus = match &self.config.bus {
            HostBus::Pcie(pcie) => self.clock.in_ns(pcie.read_ns(bytes)),
            HostBus::Fixed(bus) => bus.read_cycles + bytes.div_ceil(LINE_BYTES).saturating_sub(1),
        };
        READ_REQUEST_CYCLES + on_the_bus + READ_DELIVERY_CYCLES
    }

    /// Cycles until a DMA write of `bytes` is visible to the host, from its data at the bus.
    pub(crate) fn write_cycles(&self, bytes: u64) -> u64 {
        match &self.config.bus {
            HostBus::Pcie(pcie) => self.clock.in_ns(pcie.write_ns(bytes)),
            HostBus::Fixed(bus) => bus.write_cycles,
        }
    }

    /// Cycles from the host's doorbell to the card's seeing it.
    pub(crate) fn doorbell_cycles(&self) -> u64 {
        let way = match &self.config.bus {
            HostBus::Pcie(pcie) => self.clock.in_ns(pcie.doorbell_ns()),
            HostBus::Fixed(_) => 0,
        };
        way + DOORBELL_SCAN_CYCLES
    }
}
