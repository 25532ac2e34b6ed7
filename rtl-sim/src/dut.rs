//! The verilated card: pins in, one clock, pins out.
//!
//! Under `card`, over the C++ of `cpp/shim.cpp`. It knows no bus: what the pins mean is for `host`
//! and `card`. Inputs of a clock are what was decided before it; outputs are those just before its
//! edge. Invariant: the structs here and there are twins; their sizes are compared when a card is made.

#![expect(unsafe_code, reason = "the simulation is C++, called once a clock")]

use std::ffi::{CStr, CString, c_char};
use std::path::Path;
use std::ptr::NonNull;

/// Constant pins: what the capability registers read.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Straps {
    pub(crate) port_mac: u64,
    pub(crate) neighbors: u32,
    pub(crate) paths: u32,
    pub(crate) connections: u32,
    pub(crate) aliases: u32,
    pub(crate) source_macs: u32,
    pub(crate) vlans: u32,
    pub(crate) state_memory: u32,
    pub(crate) command_rings: u32,
    pub(crate) transmit_rings: u32,
    pub(crate) ring_slots: u32,
    pub(crate) vectors: u32,
    pub(crate) held_per_path: u32,
    pub(crate) held_total: u32,
    pub(crate) clock_khz: u32,
    pub(crate) image_hash: u32,
    pub(crate) pad: u32,
}

/// Pins that the card reads. `s_`: AXI4-Lite; `m_`: AXI4; `t_`: AXI4-Stream.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct In {
    pub(crate) m_rdata: [u32; 16],
    pub(crate) s_awaddr: u32,
    pub(crate) s_wdata: u32,
    pub(crate) s_araddr: u32,
    pub(crate) rst_n: u8,
    pub(crate) flr: u8,
    pub(crate) s_awvalid: u8,
    pub(crate) s_wvalid: u8,
    pub(crate) s_wstrb: u8,
    pub(crate) s_bready: u8,
    pub(crate) s_arvalid: u8,
    pub(crate) s_rready: u8,
    pub(crate) m_arready: u8,
    pub(crate) m_rvalid: u8,
    pub(crate) m_rid: u8,
    pub(crate) m_rresp: u8,
    pub(crate) m_rlast: u8,
    pub(crate) m_awready: u8,
    pub(crate) m_wready: u8,
    pub(crate) m_bvalid: u8,
    pub(crate) m_bid: u8,
    pub(crate) m_bresp: u8,
    pub(crate) t_ready: u8,
    pub(crate) irq_ready: u8,
}

/// Pins that the card drives. Data is meaningful while its `valid` is 1.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Out {
    pub(crate) m_araddr: u64,
    pub(crate) m_awaddr: u64,
    pub(crate) m_wstrb: u64,
    pub(crate) t_keep: u64,
    pub(crate) m_wdata: [u32; 16],
    pub(crate) t_data: [u32; 16],
    pub(crate) s_rdata: u32,
    pub(crate) s_awready: u8,
    pub(crate) s_wready: u8,
    pub(crate) s_bvalid: u8,
    pub(crate) s_bresp: u8,
    pub(crate) s_arready: u8,
    pub(crate) s_rvalid: u8,
    pub(crate) s_rresp: u8,
    pub(crate) m_arvalid: u8,
    pub(crate) m_arid: u8,
    pub(crate) m_arlen: u8,
    pub(crate) m_arsize: u8,
    pub(crate) m_arburst: u8,
    pub(crate) m_rready: u8,
    pub(crate) m_awvalid: u8,
    pub(crate) m_awid: u8,
    pub(crate) m_awlen: u8,
    pub(crate) m_awsize: u8,
    pub(crate) m_awburst: u8,
    pub(crate) m_wvalid: u8,
    pub(crate) m_wlast: u8,
    pub(crate) m_bready: u8,
    pub(crate) t_valid: u8,
    pub(crate) t_last: u8,
    pub(crate) irq_valid: u8,
    pub(crate) irq_vector: u8,
    pub(crate) pad: [u8; 3],
}

/// What registers and memories hold before anything wrote them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Zeros.
    #[default]
    Zeros,
    /// Ones.
    Ones,
    /// Anything, by this seed.
    Random(u32),
}

/// A simulated card in C++'s memory.
#[repr(C)]
struct Sim {
    _opaque: [u8; 0],
}

// SAFETY: these are the functions of `cpp/shim.cpp`, with the arguments that they have there.
unsafe extern "C" {
    fn flue_rtl_sizes(sizes: *mut [u32; 3]);
    fn flue_rtl_new(
        straps: *const Straps,
        image: *const c_char,
        start: u32,
        seed: u32,
        fst: *const c_char,
    ) -> *mut Sim;
    fn flue_rtl_free(sim: *mut Sim);
    fn flue_rtl_errors(sim: *const Sim) -> u32;
    fn flue_rtl_clock(sim: *mut Sim, pins: *const In, out: *mut Out);
}

/// The verilated card.
#[derive(Debug)]
pub(crate) struct Dut {
    sim: NonNull<Sim>,
    out: Out,
}

// SAFETY: a simulation has a context of its own and no thread; nothing else points to it.
unsafe impl Send for Dut {}

impl Dut {
    /// Makes a card whose core's RAM is loaded from the hex file `image`. Waveforms go to `fst`, if
    /// the build has them.
    ///
    /// # Panics
    /// When the pins here and in C++ are not the same, or a path holds a zero byte.
    pub(crate) fn new(straps: &Straps, image: &Path, start: Start, fst: Option<&Path>) -> Self {
        let mut sizes = [0; 3];
        // SAFETY: it writes three words, which are there.
        unsafe { flue_rtl_sizes(&raw mut sizes) };
        let own = [size_of::<Straps>(), size_of::<In>(), size_of::<Out>()];
        assert_eq!(sizes.map(|size| size as usize), own, "the pins are the same on both sides");
        let path = |path: &Path| {
            CString::new(path.as_os_str().as_encoded_bytes()).expect("a path has no zero byte")
        };
        let (image, fst) = (path(image), fst.map(path));
        let (start, seed) = match start {
            Start::Zeros => (0, 0),
            Start::Ones => (1, 0),
            Start::Random(seed) => (2, seed),
        };
        let fst = fst.as_deref().map_or(std::ptr::null(), CStr::as_ptr);
        // SAFETY: straps and strings live until it returns, and it keeps none of them.
        let sim = unsafe { flue_rtl_new(straps, image.as_ptr(), start, seed, fst) };
        let sim = NonNull::new(sim).expect("C++ throws when it has no memory");
        Self { sim, out: Out::default() }
    }

    /// One clock with these inputs; what the card drove just before its edge.
    #[inline]
    pub(crate) fn clock(&mut self, pins: &In) -> &Out {
        // SAFETY: `sim` is alive until `self` is dropped, nobody else uses it, and both structs are
        // twins of those in C++ (see `new`).
        unsafe { flue_rtl_clock(self.sim.as_ptr(), pins, &raw mut self.out) };
        &self.out
    }

    /// What the card drove in the last clock.
    #[inline]
    pub(crate) fn last(&self) -> &Out {
        &self.out
    }

    /// Assertions in the card that have failed.
    pub(crate) fn errors(&self) -> u32 {
        // SAFETY: as in `clock`.
        unsafe { flue_rtl_errors(self.sim.as_ptr()) }
    }
}

impl Drop for Dut {
    fn drop(&mut self) {
        // SAFETY: it was made by `flue_rtl_new` and is freed once.
        unsafe { flue_rtl_free(self.sim.as_ptr()) };
    }
}
