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
use vmm_sys_util::eventfd::EventFd;

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

    /// Makes `memory` reachable at an IOVA of the slot's choice.
    ///
    /// # Errors
    /// When the range is one too many, or no IOVA is left.
    pub fn map(&self, memory: &Memory) -> io::Result<u64> {
        self.iommu.map(memory)
    }

    /// The eventfd that `vector` signals; the same one for everybody who asks.
    ///
    /// # Errors
    /// When there is no such vector or the system refuses.
    pub fn eventfd(&self, vector: u32) -> io::Result<EventFd> {
        self.interrupts.eventfd(vector)
    }

    /// Reads whole words at `iova`, a multiple of 4, as the card in the slot does.
    ///
    /// # Errors
    /// [`Refusal`] when something of it is not mapped for that, or the card has not the bus.
    pub fn read(&self, iova: u64, words: &mut [u32]) -> Result<(), Refusal> {
        self.iommu.window().read(iova, words)
    }

    /// Writes whole words at `iova`, a multiple of 4, in order, as the card in the slot does.
    ///
    /// # Errors
    /// As for [`Slot::read`].
    pub fn write(&self, iova: u64, words: &[u32]) -> Result<(), Refusal> {
        self.iommu.window().write(iova, words)
    }

    /// Writes an entry of four words at `iova` such that its last word publishes it and every write
    /// before it.
    ///
    /// # Errors
    /// As for [`Slot::read`].
    pub fn publish(&self, iova: u64, entry: &[u32; 4]) -> Result<(), Refusal> {
        self.iommu.window().publish(iova, entry)
    }

    /// Signals `vector` for the card in the slot. Returns whether the card may and somebody listens.
    pub fn signal(&self, vector: u32) -> bool {
        self.raise(&self.iommu.window(), vector)
    }

    /// Signals `vector`. Returns whether the card may and somebody listens.
    pub(crate) fn raise(&self, window: &Window<'_>, vector: u32) -> bool {
        // A message-signaled interrupt is a write on the bus.
        window.is_master() && self.interrupts.raise(vector)
    }
}
