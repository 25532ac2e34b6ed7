//! A PCIe card through Linux VFIO.
//!
//! Implements the seam (`backing`) with the kernel's means: registers in mapped BARs, DMA memory
//! behind the IOMMU, MSI-X vectors as eventfds, resets. Above it the driver cannot tell a card
//! from a model. Knows PCI, not the card: what a register means is for those above.
//!
//! While a [`VfioCard`] lives nobody else can have the card. When it goes, however it goes, the
//! kernel takes the card off the bus, resets it and unmaps everything.

mod address;
mod arena;
mod container;
mod error;
mod open;
mod sysfs;

pub use address::{NoAddress, PciAddress, PciId};
pub use arena::DmaPages;
pub use error::VfioError;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use abi::host::limit::{BAR_BYTES, VECTORS_MAX};
use abi::host::register::INCARNATION;
use vfio_bindings::bindings::vfio::{VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_MSIX_IRQ_INDEX};
use vfio_ioctls::VfioDevice;
use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

use self::arena::Arena;
use self::container::Container;
use self::sysfs::Sysfs;
use crate::backing::{Backing, Reachable, Registers};
use crate::bar::MappedBar;
use crate::memory::Memory;

/// Offset of the COMMAND register in configuration space (PCI Express Base Specification 5.0,
/// 7.5.1.1.3).
const COMMAND: u64 = 0x04;
/// COMMAND: the function answers in its BARs.
const MEMORY_SPACE: u16 = 1 << 1;
/// COMMAND: the function may do DMA and raise message-signaled interrupts.
const BUS_MASTER: u16 = 1 << 2;
/// COMMAND: bits that read as zero while the function is there.
const COMMAND_RESERVED: u16 = 0xf800;
/// The first BAR, which has the registers.
const BAR0: u32 = 0;

/// A card that this process has, until it is dropped.
pub struct VfioCard {
    address: PciAddress,
    path: PathBuf,
    registers: MappedBar,
    arena: Arena<Container>,
    /// `None` only while this is dropped.
    device: Option<VfioDevice>,
    /// All vectors, enabled together when the first one is asked for.
    vectors: Mutex<Vec<EventFd>>,
    opened: Instant,
}

impl VfioCard {
    /// Takes the card at `address` into use.
    ///
    /// # Errors
    /// All of [`VfioError`]; each says what to do.
    pub fn open(address: PciAddress) -> Result<Self, VfioError> {
        Self::open_as(address, PciId::default())
    }

    /// Takes the card at `address` into use, which has an ID of its own.
    ///
    /// # Errors
    /// As [`VfioCard::open`].
    pub fn open_as(address: PciAddress, id: PciId) -> Result<Self, VfioError> {
        let found = Sysfs::system().find(address, id)?;
        let space = open::address_space(address)?;
        let device = open::device(address, &found.path, found.group, &space)?;
        let bar = open::map_bar(address, &device, BAR0, 0, BAR_BYTES as usize)?;
        let card = Self {
            address,
            path: found.path,
            registers: MappedBar::new(bar),
            arena: Arena::new(Container(space), found.reserved),
            device: Some(device),
            vectors: Mutex::default(),
            opened: Instant::now(),
        };
        let system = |what| move |source| VfioError::System { address, what, source };
        card.command(MEMORY_SPACE, true).map_err(system("turn its memory space on"))?;
        card.bus_master(false).map_err(system("turn bus mastering off"))?;
        Ok(card)
    }

    /// Registers in another BAR than the first.
    ///
    /// # Errors
    /// [`VfioError::BarSize`] when there is no such BAR of at least `bytes` bytes; what the system
    /// says when it cannot be mapped.
    pub fn bar(&self, bar: u32, bytes: usize) -> Result<MappedBar, VfioError> {
        Ok(MappedBar::new(open::map_bar(self.address, self.device(), bar, 0, bytes)?))
    }

    /// Memory of the card that lies in a BAR, from `offset` on.
    ///
    /// # Errors
    /// As [`VfioCard::bar`].
    pub fn bar_memory(&self, bar: u32, offset: usize, bytes: usize) -> Result<Memory, VfioError> {
        Ok(Memory::of(open::map_bar(self.address, self.device(), bar, offset, bytes)?))
    }

    /// Bytes of a BAR; 0 when there is none.
    #[must_use]
    pub fn bar_bytes(&self, bar: u32) -> u64 {
        open::bar_bytes(self.device(), bar)
    }

    /// What its DMA memory is made of so far.
    #[must_use]
    pub fn dma_pages(&self) -> DmaPages {
        self.arena.pages()
    }

    fn device(&self) -> &VfioDevice {
        self.device.as_ref().expect("the device is there until this is dropped")
    }

    /// Sets or clears bits of COMMAND.
    fn command(&self, bits: u16, on: bool) -> io::Result<()> {
        let before = self.read_command()?;
        let wanted = if on { before | bits } else { before & !bits };
        self.device().region_write(VFIO_PCI_CONFIG_REGION_INDEX, &wanted.to_le_bytes(), COMMAND);
        // The write itself reports nothing.
        match self.read_command()? {
            now if now & bits == wanted & bits => Ok(()),
            now => Err(io::Error::other(format!("COMMAND reads {now:#06x}, not {wanted:#06x}"))),
        }
    }

    fn read_command(&self) -> io::Result<u16> {
        let mut bytes = u16::MAX.to_le_bytes();
        self.device().region_read(VFIO_PCI_CONFIG_REGION_INDEX, &mut bytes, COMMAND);
        match u16::from_le_bytes(bytes) {
            // Not compared with all ones: some bits are the kernel's own.
            command if command & COMMAND_RESERVED == 0 => Ok(command),
            _ => Err(io::Error::other("its configuration space reads all ones: it is gone")),
        }
    }
}

impl Registers for VfioCard {
    fn read(&self, offset: u32) -> u32 {
        self.registers.read(offset)
    }

    fn write(&self, offset: u32, value: u32) {
        self.registers.write(offset, value);
    }
}

impl Backing for VfioCard {
    fn describe(&self) -> String {
        format!("vfio:{}", self.address)
    }

    fn allocate(&self, bytes: usize) -> io::Result<Reachable> {
        self.arena.allocate(bytes)
    }

    fn release(&self, reachable: Reachable) {
        self.arena.release(&reachable);
    }

    fn trim(&self) {
        self.arena.trim();
    }

    fn bus_master(&self, on: bool) -> io::Result<()> {
        self.command(BUS_MASTER, on)
    }

    fn interrupt(&self, vector: u32) -> io::Result<EventFd> {
        let mut vectors = self.vectors.lock().unwrap_or_else(PoisonError::into_inner);
        if vectors.is_empty() {
            // The kernel takes all vectors of a device at once; later it takes no more.
            let offered = self.device().get_irq_info(VFIO_PCI_MSIX_IRQ_INDEX);
            let count = offered.map_or(0, |irq| irq.count.min(VECTORS_MAX));
            let fresh = (0..count).map(|_| EventFd::new(EFD_NONBLOCK | EFD_CLOEXEC));
            let fresh = fresh.collect::<io::Result<Vec<_>>>()?;
            self.device().enable_msix(fresh.iter().collect()).map_err(io::Error::other)?;
            *vectors = fresh;
        }
        let Some(eventfd) = vectors.get(vector as usize) else {
            let message = format!("MSI-X vector {vector}: the device has {}", vectors.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        eventfd.try_clone()
    }

    fn clock_ns(&self) -> u64 {
        self.opened.elapsed().as_nanos() as u64
    }

    fn relax(&self) {
        thread::yield_now();
    }

    fn reset_function(&self) -> io::Result<()> {
        let before = self.read(INCARNATION.offset);
        self.device().reset();
        if self.read(INCARNATION.offset) == before {
            return Err(io::Error::other("the function-level reset did not reach the card"));
        }
        // The kernel restores COMMAND after a reset.
        self.bus_master(false)
    }
}

impl Drop for VfioCard {
    fn drop(&mut self) {
        // Off the bus first: then nothing that is unmapped below is in use. A card that is gone
        // cannot be told, and needs not be.
        let is_there = self.bus_master(false).is_ok();
        self.arena.trim();
        let Some(device) = self.device.take() else { return };
        if !self.path.join("iommu_group").exists() {
            // The crate panics when the device has left sysfs: then its file stays open, for the
            // kernel to close at the end of the process.
            std::mem::forget(device);
        } else if is_there {
            device.disable_msix().ok();
        } else {
            // The kernel resets a device when it is closed, and waits for one that is gone up to
            // a minute (PCIE_RESET_READY_POLL_MS): nobody else has to. Without a thread to be had
            // it is closed here.
            let closing = thread::Builder::new().name("vfio-close".to_owned());
            drop(closing.spawn(move || drop(device)));
        }
    }
}

impl fmt::Debug for VfioCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VfioCard({})", self.address)
    }
}
