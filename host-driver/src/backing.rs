//! The seam: what the driver needs of a card's surroundings, whatever the card is.
//!
//! Implemented by the model (`hw-model`), by VFIO (`vfio`), by the RTL harness, and by wrappers in
//! tests. The driver knows a card only through this.

use std::io;

use vmm_sys_util::eventfd::EventFd;

use crate::memory::Memory;
use crate::trace::HostMark;

/// BAR0 as the driver sees it: aligned 32-bit registers.
pub trait Registers {
    /// Reads the register at byte `offset`. A card that has vanished reads as all ones.
    fn read(&self, offset: u32) -> u32;
    /// Writes the register at byte `offset`.
    fn write(&self, offset: u32, value: u32);
}

/// Memory of at least this many bytes shares a mapping with no other: once it was given back, and
/// [`Backing::trim`] was called, the card cannot reach it. What is smaller may share one.
pub const OWN_MAPPING_BYTES: usize = 2 << 20;

/// Memory that a card can reach, aligned to a page.
#[derive(Debug)]
pub struct Reachable {
    /// Its words.
    pub memory: Memory,
    /// Where the card finds it.
    pub iova: u64,
}

/// A card and its way to host memory, interrupts and time.
pub trait Backing: Registers + Send + Sync + 'static {
    /// What a person calls this card: `model`, `vfio:0000:00:05.0`.
    fn describe(&self) -> String;

    /// Gives memory that the card can reach. What is in it is anything.
    ///
    /// # Errors
    /// When the system has no memory, or no room to map it.
    fn allocate(&self, bytes: usize) -> io::Result<Reachable>;

    /// Gives memory back. It may stay reachable, to be given out again, until [`Backing::trim`].
    fn release(&self, reachable: Reachable);

    /// Takes memory that was given back away from the card, unless it shares a mapping with some
    /// that is in use (see [`OWN_MAPPING_BYTES`]): when it returns, no DMA to it is in flight and
    /// none will be started.
    fn trim(&self);

    /// Lets the card master the bus, or not: without, it does no DMA and raises no interrupt. Off
    /// after power-on and after [`Backing::reset_function`].
    ///
    /// # Errors
    /// When the system refuses.
    fn bus_master(&self, on: bool) -> io::Result<()>;

    /// The eventfd that MSI-X vector `vector` signals, non-blocking: several waiters may read it.
    ///
    /// # Errors
    /// When there is no such vector or the system refuses.
    fn interrupt(&self, vector: u32) -> io::Result<EventFd>;

    /// Time in ns on the backing's own clock: a simulated card's, or the machine's. Deadlines count it.
    fn clock_ns(&self) -> u64;

    /// Called in every wait: lets a simulated card go on, or the processor rest.
    fn relax(&self);

    /// Resets the function the bus's way (PCI Express Base Specification 5.0, 6.6.2), which does
    /// all that the RESET register does.
    ///
    /// # Errors
    /// When the system refuses.
    fn reset_function(&self) -> io::Result<()>;

    /// Told what the driver does. Who traces it wraps a backing and notes when.
    fn mark(&self, _mark: HostMark) {}
}
