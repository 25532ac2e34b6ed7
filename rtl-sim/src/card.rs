//! The simulated card behind the driver's seam.
//!
//! Between `host_driver::backing` and the pins (`dut`), with host memory (`host`) and a port
//! (`hw_model::port`) at the card's other sides. Its clock goes on only while somebody waits for
//! it: in an access to a register, which is one on AXI4-Lite, and in [`Backing::relax`]. So a run
//! with one thread is the same run every time.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abi::core::Capabilities;
use abi::core::table::STATE_BYTES;
use abi::host::limit::{BAR_BYTES, COMMAND_RINGS_MAX, RESET_DEADLINE_MS, RING_SLOTS_MAX, VLAN_MAX};
use abi::host::register::{self, DOORBELL_STRIDE};
use host_driver::backing::{Backing, Reachable, Registers};
use host_driver::memory::Memory;
use hw_model::conformance::{SlowReader, Unfit};
use hw_model::measure::Stopwatch;
use hw_model::port::Port;
use hw_model::{Image, Slot};
use vmm_sys_util::eventfd::EventFd;

use crate::dut::{Dut, In, Start, Straps};
use crate::host::{Host, HostMemory, Traffic};
use crate::sizes;

/// Clocks of [`Backing::relax`].
const RELAX_CLOCKS: u32 = 64;
/// Clocks in reset at power-on.
const RESET_CLOCKS: u32 = 8;
/// A register that does not answer for so long is one of a card that has vanished.
const ACCESS_CLOCKS: u32 = 1 << 20;
/// Bytes of a page of host memory.
const PAGE_BYTES: usize = 4_096;
/// Bytes of the longest frame, with room.
const FRAME_BYTES: usize = 16_384;
/// VLANs that it tells apart: as many as there are.
/// MSI-X vectors that the card has pins for.
const VECTORS: u32 = 16;

/// Everything a simulated card is made with.
#[derive(Clone, Debug)]
pub struct RtlConfig {
    /// What its capability registers read; at most what the simulation was built for.
    pub capabilities: Capabilities,
    /// What its core runs.
    pub image: Arc<Image>,
    /// The host memory at its bus.
    pub host: Host,
    /// What registers and memories hold before they were written.
    pub start: Start,
    /// A port that stands still now and then.
    pub slow_reader: Option<SlowReader>,
    /// Where waveforms go, in a build with feature `fst`.
    pub fst: Option<PathBuf>,
}

impl RtlConfig {
    /// What the simulation was built for, at the clock of the model's card.
    pub const LARGEST: Capabilities = Capabilities {
        neighbors: sizes::NEIGHBORS,
        paths: sizes::PATHS,
        connections: sizes::CONNECTIONS,
        aliases: sizes::ALIASES,
        source_macs: sizes::SOURCE_MACS,
        vlans: VLAN_MAX,
        state_memory: sizes::CONNECTIONS * STATE_BYTES,
        command_rings: sizes::COMMAND_RINGS,
        transmit_rings: sizes::TRANSMIT_RINGS,
        ring_slots: RING_SLOTS_MAX,
        vectors: VECTORS,
        held_per_path: sizes::HELD,
        held_total: sizes::HELD,
        clock_khz: 250_000,
        port_mac: [0x02, 0, 0, 0, 0, 0xfe],
    };

    /// A card with a good host, that begins with zeros.
    #[must_use]
    pub fn new(capabilities: Capabilities, image: Arc<Image>) -> Self {
        let (host, start) = (Host::default(), Start::default());
        Self { capabilities, image, host, start, slow_reader: None, fst: None }
    }
}

/// A card in SystemVerilog.
#[derive(Debug)]
pub struct RtlCard {
    bench: Mutex<Bench>,
    slot: Arc<Slot>,
    cycles: AtomicU64,
    khz: u64,
}

/// The card and what is at its pins.
struct Bench {
    dut: Dut,
    pins: In,
    memory: HostMemory,
    egress: Egress,
    errors: u32,
    /// Clocks in which a doorbell of a command ring was accepted last, and host memory written.
    rung_at: u64,
    written_at: u64,
}

/// The far side of the port.
struct Egress {
    port: Box<dyn Port>,
    frame: Vec<u8>,
    frames: u64,
    slow: Option<(u64, u32)>,
    stands_until: u64,
}

impl std::fmt::Debug for Bench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench").field("dut", &self.dut).finish_non_exhaustive()
    }
}

impl RtlCard {
    /// A card that was just powered on, in a slot of its own.
    ///
    /// # Errors
    /// [`Unfit`] when it is to be larger than the simulation was built for, or a file for the image
    /// cannot be written.
    pub fn new(config: &RtlConfig, port: Box<dyn Port>) -> Result<Arc<Self>, Unfit> {
        Self::new_in(Slot::new(), config, port)
    }

    /// The same in a slot that is there.
    ///
    /// # Errors
    /// As for [`RtlCard::new`].
    pub fn new_in(
        slot: Arc<Slot>,
        config: &RtlConfig,
        port: Box<dyn Port>,
    ) -> Result<Arc<Self>, Unfit> {
        let straps = straps(&config.capabilities, config.image.hash())?;
        let image = ImageFile::write(&config.image);
        let image = image.map_err(|error| Unfit(format!("a file for the image: {error}")))?;
        let khz = u64::from(config.capabilities.clock_khz);
        let slow = config.slow_reader.map(|slow| {
            let clocks = u64::from(slow.stall_us) * khz / 1_000;
            (u64::from(slow.every_batches), clocks as u32)
        });
        let dut = Dut::new(&straps, &image.0, config.start, config.fst.as_deref());
        let egress = Egress {
            port,
            frame: Vec::with_capacity(FRAME_BYTES),
            frames: 0,
            slow,
            stands_until: 0,
        };
        let pins = In { s_bready: 1, s_rready: 1, ..In::default() };
        let memory = HostMemory::new(config.host);
        let bench =
            Mutex::new(Bench { dut, pins, memory, egress, errors: 0, rung_at: 0, written_at: 0 });
        let card = Self { bench, slot, cycles: AtomicU64::new(0), khz };
        card.reset_all();
        // ORDERING: Relaxed. As in `cycles`: the card's own count begins here, too.
        card.cycles.store(0, Ordering::Relaxed);
        Ok(Arc::new(card))
    }

    /// Clocks since power-on.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        // ORDERING: Relaxed. Written under the lock of the bench; a reader outside gets a recent
        // time and draws nothing else from it. No loom test: one word.
        self.cycles.load(Ordering::Relaxed)
    }

    /// The slot that it is in.
    #[must_use]
    pub fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    /// Another host from here on. What is under way keeps the time that it was given.
    pub fn set_host(&self, host: Host) {
        self.lock().memory.set(host);
    }

    /// What the card did at its bus so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        let bench = self.lock();
        bench.memory.traffic(&bench.pins)
    }

    /// Resets card and bus by their pin, as a machine that is started anew does: what was under way
    /// is nobody's any more, and the card does not master the bus.
    pub fn reset_all(&self) {
        self.slot.set_bus_master(false);
        let mut bench = self.lock();
        let bench = &mut *bench;
        bench.pins.rst_n = 0;
        bench.memory.reset(&mut bench.pins);
        bench.egress.frame.clear();
        for _ in 0..RESET_CLOCKS {
            self.clock(bench);
        }
        bench.pins.rst_n = 1;
        bench.check();
    }

    /// Lets so many clocks pass.
    ///
    /// # Panics
    /// When the card breaks a rule of its bus, or an assertion in it fails.
    pub fn run(&self, clocks: u32) {
        let mut bench = self.lock();
        for _ in 0..clocks {
            self.clock(&mut bench);
        }
        bench.check();
    }

    fn lock(&self) -> MutexGuard<'_, Bench> {
        // A panic under the lock is that of a rule that was broken; pins and card stay what they are.
        self.bench.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One clock.
    fn clock(&self, bench: &mut Bench) {
        let Bench { dut, pins, memory, egress, written_at, .. } = bench;
        let out = dut.clock(pins);
        // ORDERING: Relaxed. As in `cycles`.
        let clock = self.cycles.fetch_add(1, Ordering::Relaxed) + 1;
        if out.t_valid & pins.t_ready & pins.rst_n != 0 {
            egress.take(
                &out.t_data,
                out.t_keep,
                out.t_last != 0,
                clock,
                clock * 1_000_000 / self.khz,
            );
        }
        if out.irq_valid & pins.irq_ready & pins.rst_n != 0 {
            self.slot.signal(u32::from(out.irq_vector));
        }
        if memory.step(pins, out, &self.slot) {
            *written_at = clock;
        }
        if clock < egress.stands_until {
            pins.t_ready = 0;
        }
    }

    /// One access to BAR0, or past it where a board's shell has a larger one; what was read, or `None`
    /// when there was no answer.
    pub fn access_at(&self, offset: u32, write: Option<u32>) -> Option<u32> {
        let mut bench = self.lock();
        let bench = &mut *bench;
        bench.pins.s_wstrb = 0xf;
        (bench.pins.s_awaddr, bench.pins.s_araddr) = (offset, offset);
        bench.pins.s_wdata = write.unwrap_or_default();
        let is_write = u8::from(write.is_some());
        (bench.pins.s_awvalid, bench.pins.s_wvalid) = (is_write, is_write);
        bench.pins.s_arvalid = 1 - is_write;
        let mut answer = None;
        for _ in 0..ACCESS_CLOCKS {
            let was = bench.pins;
            self.clock(bench);
            let out = bench.dut.last();
            bench.pins.s_awvalid = was.s_awvalid & (1 - out.s_awready);
            bench.pins.s_wvalid = was.s_wvalid & (1 - out.s_wready);
            bench.pins.s_arvalid = was.s_arvalid & (1 - out.s_arready);
            let is_accepted = bench.pins.s_awvalid | bench.pins.s_wvalid == 0;
            if is_accepted && was.s_awvalid | was.s_wvalid != 0 && is_command_doorbell(offset) {
                bench.rung_at = self.cycles();
            }
            let is_answered = if is_write != 0 { out.s_bvalid } else { out.s_rvalid };
            if is_answered != 0 {
                assert_eq!(out.s_bresp & out.s_rresp, 0, "every access is answered with OKAY");
                answer = Some(out.s_rdata);
                break;
            }
        }
        bench.check();
        answer
    }
}

impl Bench {
    /// Panics when an assertion in the card failed since the last look.
    fn check(&mut self) {
        let errors = self.dut.errors();
        let is_new = errors != self.errors;
        self.errors = errors;
        assert!(!is_new, "an assertion in the card failed: see the simulator's words above");
    }
}

impl Egress {
    fn take(&mut self, data: &[u32; 16], keep: u64, is_last: bool, clock: u64, at_ns: u64) {
        let bytes = keep.trailing_ones() as usize;
        let is_whole = bytes == 64 || is_last && bytes > 0 && keep == (1 << bytes) - 1;
        assert!(is_whole, "a beat has 64 bytes, or is a frame's last: {keep:#x}");
        let words = data.map(u32::to_le_bytes);
        self.frame.extend_from_slice(&words.as_flattened()[..bytes]);
        if !is_last {
            return;
        }
        self.frames += 1;
        self.port.send(&self.frame, at_ns);
        self.frame.clear();
        if let Some((every, clocks)) = self.slow
            && self.frames.is_multiple_of(every)
        {
            self.stands_until = clock + u64::from(clocks);
        }
    }
}

/// Whether a register is the doorbell by which a command ring is told of slots.
fn is_command_doorbell(offset: u32) -> bool {
    let rings = COMMAND_RINGS_MAX * DOORBELL_STRIDE;
    let from = offset.wrapping_sub(register::DOORBELL_TAIL.offset);
    from < rings && from.is_multiple_of(DOORBELL_STRIDE)
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.egress.port.flush();
    }
}

impl Registers for RtlCard {
    fn read(&self, offset: u32) -> u32 {
        if offset >= BAR_BYTES {
            return u32::MAX;
        }
        self.access_at(offset, None).unwrap_or(u32::MAX)
    }

    fn write(&self, offset: u32, value: u32) {
        if offset < BAR_BYTES {
            self.access_at(offset, Some(value));
        }
    }
}

impl Stopwatch for RtlCard {
    fn now(&self) -> u64 {
        self.cycles()
    }

    fn clocks(&self, _since: u64) -> u64 {
        let bench = self.lock();
        bench.written_at.saturating_sub(bench.rung_at)
    }
}

impl Backing for RtlCard {
    fn describe(&self) -> String {
        "rtl".to_owned()
    }

    fn allocate(&self, bytes: usize) -> io::Result<Reachable> {
        // Whole pages, as an IOMMU maps them: the card reads and writes whole lines.
        let memory = Memory::new(bytes.next_multiple_of(PAGE_BYTES))?;
        let iova = self.slot.map(&memory)?;
        Ok(Reachable { memory, iova })
    }

    fn release(&self, Reachable { memory, iova }: Reachable) {
        self.slot.unmap(iova, iova + (memory.bytes() as u64 - 1));
    }

    // What is given back is taken away at once.
    fn trim(&self) {}

    fn bus_master(&self, on: bool) -> io::Result<()> {
        self.slot.set_bus_master(on);
        Ok(())
    }

    fn interrupt(&self, vector: u32) -> io::Result<EventFd> {
        self.slot.eventfd(vector)
    }

    fn clock_ns(&self) -> u64 {
        let ns = u128::from(self.cycles()) * 1_000_000 / u128::from(self.khz);
        u64::try_from(ns).unwrap_or(u64::MAX)
    }

    fn relax(&self) {
        self.run(RELAX_CLOCKS);
    }

    fn reset_function(&self) -> io::Result<()> {
        let before = self.read(register::INCARNATION.offset);
        let mut bench = self.lock();
        bench.pins.flr = 1;
        self.clock(&mut bench);
        bench.pins.flr = 0;
        drop(bench);
        // A bus gives a function time for its reset, whatever comes of it.
        let end = self.cycles() + u64::from(RESET_DEADLINE_MS) * self.khz;
        while self.read(register::INCARNATION.offset) == before && self.cycles() < end {
            self.relax();
        }
        self.bus_master(false)
    }
}

/// The core's RAM as a hex file, for as long as a card is being made.
struct ImageFile(PathBuf);

impl ImageFile {
    fn write(image: &Image) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // ORDERING: Relaxed. A number that nobody else gets; nothing is published with it.
        // No loom test: one word.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("flue-rtl-{}-{number}.hex", std::process::id());
        let file = Self(std::env::temp_dir().join(name));
        std::fs::write(&file.0, image.hex())?;
        Ok(file)
    }
}

impl Drop for ImageFile {
    fn drop(&mut self) {
        // Who cannot remove it leaves 70 kB in the folder for such files.
        std::fs::remove_file(&self.0).unwrap_or_default();
    }
}

/// The constant pins of a card of these sizes.
pub(crate) fn straps(wanted: &Capabilities, image_hash: u32) -> Result<Straps, Unfit> {
    let limits = [
        ("neighbors", wanted.neighbors, sizes::NEIGHBORS),
        ("paths", wanted.paths, sizes::PATHS),
        ("connections", wanted.connections, sizes::CONNECTIONS),
        ("aliases", wanted.aliases, sizes::ALIASES),
        ("source MACs", wanted.source_macs, sizes::SOURCE_MACS),
        ("command rings", wanted.command_rings, sizes::COMMAND_RINGS),
        ("transmit rings", wanted.transmit_rings, sizes::TRANSMIT_RINGS),
        ("held frames", wanted.held_total, sizes::HELD),
        ("vectors", wanted.vectors, VECTORS),
    ];
    if let Some((what, wanted, most)) = limits.into_iter().find(|(_, wanted, most)| wanted > most) {
        return Err(Unfit(format!("{wanted} {what}: the simulation was built for {most}")));
    }
    let [a, b, c, d, e, f] = wanted.port_mac;
    Ok(Straps {
        port_mac: u64::from_le_bytes([a, b, c, d, e, f, 0, 0]),
        neighbors: wanted.neighbors,
        paths: wanted.paths,
        connections: wanted.connections,
        aliases: wanted.aliases,
        source_macs: wanted.source_macs,
        vlans: wanted.vlans,
        state_memory: wanted.state_memory,
        command_rings: wanted.command_rings,
        transmit_rings: wanted.transmit_rings,
        ring_slots: wanted.ring_slots,
        vectors: wanted.vectors,
        held_per_path: wanted.held_per_path,
        held_total: wanted.held_total,
        clock_khz: wanted.clock_khz,
        image_hash,
        pad: 0,
    })
}
