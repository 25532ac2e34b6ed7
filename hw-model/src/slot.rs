//! The slot of a machine that a card sits in: DMA ranges, interrupt vectors, the doorbell page.
//!
//! Between the machine (a driver in this process, a virtual machine) and the card. What is in
//! here is the machine's and stays when the card is taken out; a card that is put in finds it as
//! after power-on. Knows nothing of registers and rings.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use abi::host::register::DOORBELL_PAGE_BYTES;
use host_driver::memory::Memory;

use crate::interrupts::Interrupts;
use crate::iommu::{Iommu, Permission, Refusal, Window};

/// What a machine gives a card.
#[derive(Debug)]
pub struct Slot {
    pub(crate) iommu: Iommu,
    pub(crate) interrupts: Interrupts,
    pub(crate) doorbells: Memory,
}

impl Slot {
    /// An empty slot with a doorbell page of its own.
    ///
    /// # Panics
    /// When the system has no page left for the doorbells: there is no card without them.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let doorbells = Memory::new(DOORBELL_PAGE_BYTES as usize);
        Self::with_doorbells(doorbells.expect("a process that runs has a page left"))
    }

    /// An empty slot whose doorbell page is `doorbells`: memory that somebody else maps too.
    ///
    /// # Panics
    /// When it is not of [`DOORBELL_PAGE_BYTES`].
    #[must_use]
    pub fn with_doorbells(doorbells: Memory) -> Arc<Self> {
        assert_eq!(doorbells.bytes(), DOORBELL_PAGE_BYTES as usize, "bytes of a doorbell page");
        let (iommu, interrupts) = (Iommu::default(), Interrupts::default());
        Arc::new(Self { iommu, interrupts, doorbells })
    }

    /// The doorbell page: plain shared memory that the card polls, at
    /// [`DOORBELL_PAGE`](abi::host::register::DOORBELL_PAGE) of BAR0.
    #[must_use]
    pub fn doorbells(&self) -> &Memory {
        &self.doorbells
    }

    /// Makes `memory` reachable at `iova`.
    ///
    /// # Errors
    /// When the range overlaps another, does not start on a page, wraps, or is one too many.
    pub fn map_at(&self, iova: u64, memory: &Memory, permission: Permission) -> io::Result<()> {
        self.iommu.map_at(iova, memory, permission)
    }

    /// Takes everything from `first` to `last`, inclusive, away. When it returns, no DMA to it is
    /// under way and none will be started.
    pub fn unmap(&self, first: u64, last: u64) {
        self.iommu.unmap(first, last);
    }

    /// Ranges that are mapped; at most [`MAPPINGS_MAX`](crate::MAPPINGS_MAX).
    #[must_use]
    pub fn mappings(&self) -> usize {
        self.iommu.mappings()
    }

    /// Lets the card master the bus, or not. When it returns from taking the bus away, no DMA is
    /// under way and none will be started.
    pub fn set_bus_master(&self, is_master: bool) {
        self.iommu.set_master(is_master);
    }

    /// Gives `vector` an eventfd to signal, or none. One past the last is ignored. What was raised
    /// while nobody listened is signaled now.
    pub fn set_vector(&self, vector: u32, eventfd: Option<OwnedFd>) {
        self.interrupts.set(vector, eventfd);
    }

    /// The DMA access that was refused last, for a report; the counter `dma_refused` counts them.
    #[must_use]
    pub fn last_refused(&self) -> Option<Refusal> {
        self.iommu.last_refused()
    }

    /// Signals `vector`. Returns whether the card may and somebody listens.
    pub(crate) fn raise(&self, window: &Window<'_>, vector: u32) -> bool {
        // A message-signaled interrupt is a write on the bus.
        window.is_master() && self.interrupts.raise(vector)
    }
}
