//! The PCI function: configuration space, BARs, windows and vectors around a card.
//!
//! From `connection`, which has taken a message apart, to the card ([`Seated`]) and its [`Slot`]. Each client
//! finds everything as after power-on, in a slot and with BAR files that no client before it has
//! ever had a hand on; only the port outlives them. It knows no sockets.
//! Invariant: the card masters the bus only while the command register says so in D0.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abi::host::bench::{BAR2_BYTES, MIRROR_PAGE};
use abi::host::limit::{BAR_BYTES, VECTORS_MAX};
use abi::host::register::{DOORBELL_PAGE, DOORBELL_PAGE_BYTES};
use abi::host::status::FailCode;
use rustix::io::Errno;

use super::config_space::{CONFIG_BYTES, ConfigSpace, Wish};
use super::event::ServeEvent;
use super::protocol::{Place, Reply, Request};
use super::regions::{self, Bar};
use super::seated::{Cards, ModelCards, Seated};
use super::vectors::{IRQ_EVENTFD, IRQ_KINDS, IRQ_MSIX, Vectors};
use super::windows::{Refused, Windows};
use crate::bench::BenchBar;
use crate::config::CardConfig;
use crate::port::Port;
use crate::slot::Slot;

/// `VFIO_DEVICE_FLAGS_RESET` and `_PCI`.
const DEVICE_FLAGS: u32 = 1 << 0 | 1 << 1;
/// What a bus reads where nobody answers.
const NOBODY: u8 = 0xff;

/// A card as a PCI function.
pub struct Function {
    config: CardConfig,
    port: SharedPort,
    has_bench: bool,
    cards: Box<dyn Cards>,
    unit: Unit,
}

impl Function {
    /// A function around a free-running card, whose frames leave by `port`; with a bench in BAR2,
    /// or without.
    ///
    /// # Errors
    /// When the system has no memory file left for a BAR.
    pub fn new(config: CardConfig, port: Box<dyn Port>, has_bench: bool) -> io::Result<Self> {
        Self::around(Box::new(ModelCards::FreeRunning), config, port, has_bench)
    }

    /// A function around a timed card, whose time passes with messages, one event with each: what
    /// comes of a stream of messages is always the same.
    ///
    /// # Errors
    /// When the system has no memory file left for a BAR.
    pub fn timed(config: CardConfig, port: Box<dyn Port>, has_bench: bool) -> io::Result<Self> {
        Self::around(Box::new(ModelCards::Timed), config, port, has_bench)
    }

    /// A function around cards that somebody else makes.
    ///
    /// # Errors
    /// When the system has no memory file left for a BAR, or the first card cannot be made.
    pub fn around(
        cards: Box<dyn Cards>,
        config: CardConfig,
        port: Box<dyn Port>,
        has_bench: bool,
    ) -> io::Result<Self> {
        let port = SharedPort(Arc::new(Mutex::new(port)));
        let unit = Unit::new(&config, &port, has_bench, &*cards)?;
        Ok(Self { config, port, has_bench, cards, unit })
    }

    /// Takes everything away from the client that was there, when no DMA to it is under way any
    /// more, and powers a card on for the next.
    ///
    /// # Errors
    /// When the system has no memory file left for a BAR, or no card can be made; there is none then.
    pub fn renew(&mut self) -> io::Result<()> {
        // The old card goes first: a full-sized one is large.
        self.unit.take_card_out();
        self.unit = Unit::new(&self.config, &self.port, self.has_bench, &*self.cards)?;
        Ok(())
    }

    /// Whether the card is there: not after a [`Function::renew`] that failed.
    pub(crate) fn is_there(&self) -> bool {
        self.unit.card.is_some()
    }

    /// Carries a request out, with the files that came with it, and writes what it answers.
    pub(crate) fn answer(
        &mut self,
        request: Request<'_>,
        files: Vec<OwnedFd>,
        reply: &mut Reply,
        report: &mut dyn FnMut(ServeEvent),
    ) -> Result<(), Errno> {
        let unit = &mut self.unit;
        unit.pass_time();
        match request {
            Request::Map(map) => {
                let mapped = unit.windows.map(&unit.slot, &map, files);
                return mapped.map_err(|refused| {
                    let why = refused.to_string();
                    unit.report_window(ServeEvent::WindowRefused { iova: map.iova, why }, report);
                    refused.errno()
                });
            }
            Request::SetIrqs(irqs) => return unit.vectors.set(&unit.slot, &irqs, files),
            _ if !files.is_empty() => return Err(Errno::INVAL),
            _ => {}
        }
        match request {
            Request::DeviceInfo => {
                reply.u32(16).u32(DEVICE_FLAGS).u32(regions::REGIONS).u32(IRQ_KINDS);
            }
            Request::RegionInfo { index, room } => {
                let bytes = unit.region_bytes(index)?;
                regions::describe(index, bytes, unit.bar(index), room, reply);
            }
            Request::IrqInfo { index } if index < IRQ_KINDS => {
                let is_msix = index == IRQ_MSIX;
                let (flags, count) =
                    if is_msix { (IRQ_EVENTFD, unit.vectors.len()) } else { (0, 0) };
                reply.u32(16).u32(flags).u32(index).u32(count);
            }
            Request::Unmap(unmap) => {
                // Answered when it is done.
                unit.windows.unmap(&unit.slot, unmap).inspect_err(|_| {
                    let (iova, why) = (0, Refused::Windows.to_string());
                    unit.report_window(ServeEvent::WindowRefused { iova, why }, report);
                })?;
            }
            Request::Read(place) => {
                unit.check(place)?;
                let bytes = reply.place(place).room(place.count as usize);
                unit.read(place, bytes);
            }
            Request::Write(place, bytes) => {
                unit.check(place)?;
                if let Some(config) = unit.write(place, bytes, report) {
                    self.power_cycle(config, report);
                }
                reply.place(place);
            }
            Request::Reset => unit.reset(report),
            Request::Version { .. }
            | Request::IrqInfo { .. }
            | Request::Map(_)
            | Request::SetIrqs(_) => return Err(Errno::INVAL),
        }
        Ok(())
    }

    /// The client has been told that a window is open, or will behave as if: what the card is
    /// promised to reach, it cannot.
    pub(crate) fn miss_window(&self, errno: Errno) {
        if let Some(card) = &self.unit.card {
            card.fail(FailCode::WINDOW, errno.raw_os_error().cast_unsigned());
        }
    }

    /// Takes the card off and on, built anew. What is the machine's stays: windows and vectors. An
    /// order for what cannot be built is none.
    fn power_cycle(&mut self, config: CardConfig, report: &mut dyn FnMut(ServeEvent)) {
        if !self.cards.can_make(&config) {
            return;
        }
        let unit = &mut self.unit;
        unit.vectors.let_go();
        unit.card = None;
        unit.space.clear_bus_master();
        unit.follow_bus_master();
        let port = unit.port(&self.port);
        // Without one the slot is empty, and nobody answers there.
        unit.card = self.cards.power_on(Arc::clone(&unit.slot), config, port).ok();
        if let Some(bench) = &mut unit.bench {
            bench.registers.cycled();
        }
        report(ServeEvent::PowerCycled);
    }
}

/// What one client has: a card in a slot, and what is around it.
struct Unit {
    slot: Arc<Slot>,
    /// `None` while it is exchanged, or when the next one could not be made.
    card: Option<Box<dyn Seated>>,
    space: ConfigSpace,
    /// As the slot has it.
    is_master: bool,
    bar0: Bar,
    bench: Option<Bench>,
    windows: Windows,
    vectors: Vectors,
    /// Whether a window that could not be taken was reported: once is enough.
    has_reported_window: bool,
}

/// BAR2.
struct Bench {
    bar: Bar,
    registers: BenchBar,
}

impl Unit {
    fn new(
        config: &CardConfig,
        port: &SharedPort,
        has_bench: bool,
        cards: &dyn Cards,
    ) -> io::Result<Self> {
        let doorbells = (DOORBELL_PAGE, DOORBELL_PAGE_BYTES);
        let bar0 = Bar::new("flue-bar0", BAR_BYTES, doorbells)?;
        let page = bar0.memory.part(DOORBELL_PAGE as usize, DOORBELL_PAGE_BYTES as usize);
        let mirror = (MIRROR_PAGE, BAR2_BYTES - MIRROR_PAGE);
        let bar2 = has_bench.then(|| Bar::new("flue-bar2", BAR2_BYTES, mirror)).transpose()?;
        let bench = bar2.map(|bar| {
            let registers = BenchBar::new(bar.memory.clone(), config);
            Bench { bar, registers }
        });
        // A card that is built at the bench can have any number of vectors.
        let vectors = if has_bench { VECTORS_MAX } else { config.capabilities.vectors };
        let bar2_bytes = if has_bench { BAR2_BYTES } else { 0 };
        let mut unit = Self {
            slot: Slot::with_doorbells(page),
            card: None,
            space: ConfigSpace::new(vectors, bar2_bytes),
            is_master: false,
            bar0,
            bench,
            windows: Windows::default(),
            vectors: Vectors::new(vectors.min(VECTORS_MAX)),
            has_reported_window: false,
        };
        let port = unit.port(port);
        unit.card = Some(cards.power_on(Arc::clone(&unit.slot), config.clone(), port)?);
        Ok(unit)
    }

    /// Some cards have no other occasion.
    fn pass_time(&self) {
        if let Some(card) = &self.card {
            card.pass_time();
        }
    }

    /// What the register RESET does.
    fn reset_card(&self) {
        if let Some(card) = &self.card {
            card.reset();
        }
    }

    /// The port for the next card.
    fn port(&mut self, port: &SharedPort) -> Box<dyn Port> {
        let port = Box::new(port.clone());
        match &mut self.bench {
            Some(bench) => bench.registers.port(port),
            None => port,
        }
    }

    /// Ends everything: no interrupt, no DMA, no card.
    fn take_card_out(&mut self) {
        self.vectors.clear(&self.slot);
        self.slot.set_bus_master(false);
        self.windows.clear(&self.slot);
        self.card = None;
    }

    fn bar(&self, index: u32) -> Option<&Bar> {
        match index {
            regions::BAR0 => Some(&self.bar0),
            regions::BAR2 => self.bench.as_ref().map(|bench| &bench.bar),
            _ => None,
        }
    }

    fn region_bytes(&self, index: u32) -> Result<u64, Errno> {
        match index {
            regions::CONFIG => Ok(CONFIG_BYTES as u64),
            0..regions::REGIONS => Ok(self.bar(index).map_or(0, |bar| bar.memory.bytes() as u64)),
            _ => Err(Errno::INVAL),
        }
    }

    /// An access lies inside a region that is there.
    fn check(&self, place: Place) -> Result<(), Errno> {
        let bytes = self.region_bytes(place.region)?;
        let end = place.offset.checked_add(u64::from(place.count));
        if bytes > 0 && end.is_some_and(|end| end <= bytes) { Ok(()) } else { Err(Errno::INVAL) }
    }

    fn read(&mut self, place: Place, bytes: &mut [u8]) {
        if place.region == regions::CONFIG {
            self.space.read(place.offset, bytes);
        } else if self.space.has_memory_space() {
            regions::split(place.offset, bytes, |offset, piece| {
                // A read asks for nothing.
                self.access(place.region, offset, piece, false);
            });
        } else {
            bytes.fill(NOBODY);
        }
    }

    /// Returns how the card is to be built, when it is to be built anew.
    fn write(
        &mut self,
        place: Place,
        bytes: &[u8],
        report: &mut dyn FnMut(ServeEvent),
    ) -> Option<CardConfig> {
        let mut order = None;
        if place.region == regions::CONFIG {
            self.configure(place.offset, bytes, report);
        } else if self.space.has_memory_space() {
            regions::split(place.offset, &mut bytes.to_vec(), |offset, piece| {
                order = self.access(place.region, offset, piece, true).or(order.take());
            });
        }
        order
    }

    /// One access on the bus.
    fn access(
        &mut self,
        region: u32,
        offset: u64,
        bytes: &mut [u8],
        write: bool,
    ) -> Option<CardConfig> {
        match &mut self.bench {
            Some(bench) if region == regions::BAR2 && offset < u64::from(MIRROR_PAGE) => {
                return bench.registers.access(offset, bytes, write);
            }
            Some(bench) if region == regions::BAR2 => bench.bar.access(offset, bytes, write),
            _ => match &self.card {
                Some(card) => card.bar_access(offset, bytes, write),
                None => bytes.fill(NOBODY),
            },
        }
        None
    }

    fn configure(&mut self, offset: u64, bytes: &[u8], report: &mut dyn FnMut(ServeEvent)) {
        match self.space.write(offset, bytes) {
            Wish::None => self.follow_bus_master(),
            // D3hot equals a reset; the registers of the space are reset on the way back (PCI
            // Express Base Specification 5.0, 5.3.1.4: No_Soft_Reset is 0).
            Wish::Sleep => {
                self.follow_bus_master();
                self.reset_card();
                report(ServeEvent::Slept);
            }
            Wish::Wake => {
                self.space.reset();
                self.follow_bus_master();
            }
            Wish::Reset => self.reset(report),
        }
    }

    /// A reset of the function, by the bus or by message. Eventfds stay: they are the machine's
    /// wiring, and Linux keeps them too.
    fn reset(&mut self, report: &mut dyn FnMut(ServeEvent)) {
        self.space.reset();
        self.follow_bus_master();
        self.reset_card();
        report(ServeEvent::Reset);
    }

    fn follow_bus_master(&mut self) {
        let is_master = self.space.is_bus_master();
        if is_master != self.is_master {
            self.slot.set_bus_master(is_master);
            self.is_master = is_master;
        }
    }

    fn report_window(&mut self, event: ServeEvent, report: &mut dyn FnMut(ServeEvent)) {
        if !self.has_reported_window {
            self.has_reported_window = true;
            report(event);
        }
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        self.take_card_out();
    }
}

/// The port of all cards, one after another.
#[derive(Clone)]
struct SharedPort(Arc<Mutex<Box<dyn Port>>>);

impl SharedPort {
    /// Never waits: there is one card at a time.
    fn lock(&self) -> MutexGuard<'_, Box<dyn Port>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Port for SharedPort {
    fn send(&mut self, frame: &[u8], at_ns: u64) -> bool {
        self.lock().send(frame, at_ns)
    }

    fn flush(&mut self) {
        self.lock().flush();
    }
}
