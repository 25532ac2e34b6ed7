//! The seam: what the driver needs of a card's surroundings, whatever the card is.
//!
//! Implemented by the model (`hw-model`), by VFIO, by the RTL harness, and by wrappers such as
//! the fault injector. The driver knows a card only through this.

use std::io;
use std::sync::Arc;

use vmm_sys_util::eventfd::EventFd;

use crate::memory::Memory;

/// BAR0 as the driver sees it: aligned 32-bit registers.
pub trait Registers {
    /// Reads the register at byte `offset`. A card that has vanished reads as all ones.
    fn read(&self, offset: u32) -> u32;
    /// Writes the register at byte `offset`.
    fn write(&self, offset: u32, value: u32);
}

/// A card and its way to host memory, interrupts and time.
pub trait Backing: Registers + Send + Sync + 'static {
    /// What a person calls this card: `model`, `vfio:0000:00:05.0`.
    fn describe(&self) -> String;

    /// Makes `memory` reachable for the card and gives its IOVA, aligned to a page.
    ///
    /// # Errors
    /// When the mapping table is full or the system refuses.
    fn map(&self, memory: &Arc<Memory>) -> io::Result<u64>;

    /// Takes `memory`, mapped at `iova`, away from the card. When it returns, no DMA to it is in
    /// flight and none will be started.
    fn unmap(&self, iova: u64, memory: &Arc<Memory>);

    /// The eventfd that MSI-X vector `vector` signals, non-blocking: several waiters may read it.
    ///
    /// # Errors
    /// When there is no such vector or the system refuses.
    fn interrupt(&self, vector: u32) -> io::Result<EventFd>;

    /// Time in ns on the backing's own clock: a simulated card's, or the machine's. Deadlines count it.
    fn clock_ns(&self) -> u64;

    /// Called in every wait: lets a simulated card go on, or the processor rest.
    fn relax(&self);

    /// Resets the function the bus's way, in addition to the RESET register.
    ///
    /// # Errors
    /// When the system refuses.
    fn reset_function(&self) -> io::Result<()>;
}
