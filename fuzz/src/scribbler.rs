//! A card that writes what it likes into the memory it was given.
//!
//! Around the honest model: registers and DMA go on as ever, and between them single words of any
//! mapped memory change. Only memory that the driver mapped can be reached: what lies outside is
//! the IOMMU's to keep.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use host_driver::backing::{Backing, Reachable, Registers};
use host_driver::memory::{Memory, Words};
use hw_model::port::CounterPort;
use hw_model::{CardConfig, ModelCard};
use vmm_sys_util::eventfd::EventFd;

/// The card.
pub struct Scribbler {
    card: Arc<ModelCard>,
    mapped: Mutex<Vec<Memory>>,
}

impl Scribbler {
    /// A small timed card that is honest until it is told otherwise.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let (port, _) = CounterPort::new();
        let config = CardConfig { capabilities: crate::small(), ..CardConfig::default() };
        let card = ModelCard::timed(config, Box::new(port));
        Arc::new(Self { card, mapped: Mutex::default() })
    }

    /// Writes one word: which mapping (1 byte), which word (2 bytes), the value (4 bytes).
    pub fn scribble(&self, &[which, low, high, a, b, c, d]: &[u8; 7]) {
        let mapped = self.mapped.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(memory) = mapped.get(usize::from(which) % mapped.len().max(1)) {
            let word = usize::from(u16::from_le_bytes([low, high])) % memory.len();
            memory.store_release(word, u32::from_le_bytes([a, b, c, d]));
        }
    }
}

impl Registers for Scribbler {
    fn read(&self, offset: u32) -> u32 {
        self.card.read(offset)
    }
    fn write(&self, offset: u32, value: u32) {
        self.card.write(offset, value);
    }
}

impl Backing for Scribbler {
    fn describe(&self) -> String {
        "scribbler".into()
    }
    fn allocate(&self, bytes: usize) -> io::Result<Reachable> {
        let reachable = self.card.allocate(bytes)?;
        let mut mapped = self.mapped.lock().unwrap_or_else(PoisonError::into_inner);
        mapped.push(reachable.memory.clone());
        Ok(reachable)
    }
    fn release(&self, reachable: Reachable) {
        let mut mapped = self.mapped.lock().unwrap_or_else(PoisonError::into_inner);
        mapped.retain(|other| other.address() != reachable.memory.address());
        self.card.release(reachable);
    }
    fn trim(&self) {
        self.card.trim();
    }
    fn bus_master(&self, on: bool) -> io::Result<()> {
        self.card.bus_master(on)
    }
    fn interrupt(&self, vector: u32) -> io::Result<EventFd> {
        self.card.interrupt(vector)
    }
    fn clock_ns(&self) -> u64 {
        self.card.clock_ns()
    }
    fn relax(&self) {
        self.card.relax();
    }
    fn reset_function(&self) -> io::Result<()> {
        self.card.reset_function()
    }
}
