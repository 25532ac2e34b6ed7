//! Cards that come and go in a slot, with a bench beside it, in this process.
//!
//! Between `BenchRig` and `ModelCard`. A slot and its bench stay while cards come and go, as they
//! do in a virtual machine; a power cycle takes the card out, which ends its threads, and puts in
//! another. Memory is mapped page by page, as a machine's own table may do it.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use abi::host::bench::{BAR2_BYTES, MIRROR_PAGE};
use host_driver::backing::{Backing, Reachable, Registers};
use host_driver::memory::Memory;
use hw_model::bench::{BenchBar, BenchRig};
use hw_model::conformance::{Body, Needs, Rig, Unfit};
use hw_model::port::CounterPort;
use hw_model::{CardConfig, ModelCard, Permission, Slot};
use vmm_sys_util::eventfd::EventFd;

use crate::benches::Benches;

/// Bytes of a page, and of a mapping.
const PAGE: usize = 4_096;
/// Where memory is first mapped.
const FIRST_IOVA: u64 = 1 << 32;

static BENCHES: Benches<InSlot, BenchPage> = Benches::new(bench);

/// Makes cards on any bench that is free.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Served;

impl Rig for Served {
    type Card = InSlot;

    fn power_on(&self, needs: &Needs) -> Result<Body<InSlot>, Unfit> {
        BENCHES.power_on(needs)
    }
}

fn bench() -> BenchRig<InSlot, BenchPage> {
    let (card, page, mirror) = serve();
    BenchRig::new(card, page, mirror).unwrap()
}

/// A card in a slot, the register page of its bench, and its mirror.
pub(crate) fn serve() -> (Arc<InSlot>, BenchPage, Memory) {
    let memory = Memory::new(BAR2_BYTES as usize).unwrap();
    let config = CardConfig::default();
    let mut bar = BenchBar::new(memory.clone(), &config);
    let slot = Slot::new();
    let port = bar.port(Box::new(CounterPort::new().0));
    let card = ModelCard::free_running_in(Arc::clone(&slot), config, port);
    let next_iova = AtomicU64::new(FIRST_IOVA);
    let card = Arc::new(InSlot { slot, card: RwLock::new(Some(card)), next_iova });
    let page = BenchPage { bar: Mutex::new(bar), card: Arc::clone(&card) };
    let mirror = memory.part(MIRROR_PAGE as usize, (BAR2_BYTES - MIRROR_PAGE) as usize);
    (card, page, mirror)
}

/// The card that is in a slot now.
pub(crate) struct InSlot {
    slot: Arc<Slot>,
    card: RwLock<Option<Arc<ModelCard>>>,
    next_iova: AtomicU64,
}

impl InSlot {
    fn with<T>(&self, access: impl FnOnce(&ModelCard) -> T) -> T {
        let card: RwLockReadGuard<'_, _> = self.card.read().unwrap_or_else(PoisonError::into_inner);
        access(card.as_ref().expect("a slot is empty only during a power cycle"))
    }
}

impl Registers for InSlot {
    fn read(&self, offset: u32) -> u32 {
        self.with(|card| card.read(offset))
    }
    fn write(&self, offset: u32, value: u32) {
        self.with(|card| card.write(offset, value));
    }
}

impl Backing for InSlot {
    fn describe(&self) -> String {
        "served model".to_owned()
    }
    fn allocate(&self, bytes: usize) -> io::Result<Reachable> {
        let memory = Memory::new(bytes)?;
        let pages = bytes.next_multiple_of(PAGE);
        // ORDERING: Relaxed. A number that nobody else gets; nothing is published with it.
        let iova = self.next_iova.fetch_add((pages + PAGE) as u64, Ordering::Relaxed);
        for start in (0..bytes).step_by(PAGE) {
            let page = memory.part(start, PAGE.min(memory.bytes() - start));
            self.slot.map_at(iova + start as u64, &page, Permission::READ_WRITE)?;
        }
        Ok(Reachable { memory, iova })
    }
    fn release(&self, Reachable { memory, iova }: Reachable) {
        self.slot.unmap(iova, iova + (memory.bytes() as u64 - 1));
    }
    fn trim(&self) {}
    fn bus_master(&self, on: bool) -> io::Result<()> {
        self.with(|card| card.bus_master(on))
    }
    fn interrupt(&self, vector: u32) -> io::Result<EventFd> {
        self.with(|card| card.interrupt(vector))
    }
    fn clock_ns(&self) -> u64 {
        self.with(Backing::clock_ns)
    }
    fn relax(&self) {
        self.with(Backing::relax);
    }
    fn reset_function(&self) -> io::Result<()> {
        self.with(Backing::reset_function)
    }
}

/// The register page of the bench, and who carries out what it is asked for.
pub(crate) struct BenchPage {
    bar: Mutex<BenchBar>,
    card: Arc<InSlot>,
}

impl BenchPage {
    fn access(&self, offset: u32, bytes: &mut [u8; 4], write: bool) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(config) = bar.access(offset.into(), bytes, write) else {
            return;
        };
        let mut card = self.card.card.write().unwrap_or_else(PoisonError::into_inner);
        // Its threads end here, and with them its port.
        drop(card.take());
        self.card.slot.set_bus_master(false);
        let port = bar.port(Box::new(CounterPort::new().0));
        *card = Some(ModelCard::free_running_in(Arc::clone(&self.card.slot), config, port));
        bar.cycled();
    }
}

impl Registers for BenchPage {
    fn read(&self, offset: u32) -> u32 {
        let mut bytes = [0; 4];
        self.access(offset, &mut bytes, false);
        u32::from_le_bytes(bytes)
    }
    fn write(&self, offset: u32, value: u32) {
        self.access(offset, &mut value.to_le_bytes(), true);
    }
}
