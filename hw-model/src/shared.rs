//! What all engines of one card share: registers, counters, clock, IOMMU, epochs.
//!
//! Nothing here is behind a lock that a datapath step could wait for. The engines themselves
//! (`command_core`, `datapath`) have one owner each and are not in here.

use std::sync::Arc;

use abi::core::table::TableLayout;
use abi::host::register::DOORBELL_PAGE_BYTES;
use host_driver::memory::Memory;

use crate::clock::Clock;
use crate::config::CardConfig;
use crate::counters::Counters;
use crate::epochs::Epochs;
use crate::interrupts::Interrupts;
use crate::iommu::Iommu;
use crate::registers::RegisterFile;
use crate::sleeper::Sleeper;

/// The shared part of a card.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: CardConfig,
    /// `None` when the capabilities do not fit; the card fails at ENABLE.
    pub(crate) layout: Option<TableLayout>,
    pub(crate) clock: Clock,
    pub(crate) iommu: Iommu,
    pub(crate) doorbells: Arc<Memory>,
    pub(crate) counters: Counters,
    pub(crate) registers: RegisterFile,
    pub(crate) epochs: Epochs,
    pub(crate) interrupts: Interrupts,
    /// The core's thread, if it has one and it rests.
    pub(crate) core_sleeper: Sleeper,
    /// The datapath's thread, if it has one and it rests.
    pub(crate) datapath_sleeper: Sleeper,
}

impl Shared {
    /// A card in reset.
    ///
    /// # Panics
    /// When the system has no page left for the doorbells: there is no card without them.
    pub(crate) fn new(config: CardConfig, clock: Clock) -> Arc<Self> {
        let doorbells = Memory::new(DOORBELL_PAGE_BYTES as usize);
        Arc::new(Self {
            layout: TableLayout::new(&config.capabilities),
            config,
            clock,
            iommu: Iommu::default(),
            doorbells: Arc::new(doorbells.expect("a process that runs has a page left")),
            counters: Counters::new(),
            registers: RegisterFile::default(),
            epochs: Epochs::default(),
            interrupts: Interrupts::default(),
            core_sleeper: Sleeper::default(),
            datapath_sleeper: Sleeper::default(),
        })
    }

    /// Cycles that a DMA read of `bytes` takes.
    pub(crate) fn read_cycles(&self, bytes: u64) -> u64 {
        self.clock.in_ns(self.config.pcie.read_ns(bytes))
    }

    /// Cycles until a DMA write of `bytes` is visible to the host.
    pub(crate) fn write_cycles(&self, bytes: u64) -> u64 {
        self.clock.in_ns(self.config.pcie.write_ns(bytes))
    }

    /// Cycles from the host's doorbell to the card's seeing it.
    pub(crate) fn doorbell_cycles(&self) -> u64 {
        self.clock.in_ns(self.config.pcie.doorbell_ns()) + crate::costs::DOORBELL_SCAN_CYCLES
    }
}
