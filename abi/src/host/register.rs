//! BAR0: identity, capabilities, health, control, ring banks, counters; the doorbell page.
//!
//! 32-bit accesses, aligned. Any other access is answered with zero or ignored, and counted in
//! `BAD_ACCESSES`. Pages: 0x0000 registers, 0x1000 counters, 0x2000 doorbells (may be mapped;
//! writing has no side effect, the card polls), 0x3000 MSI-X table, 0x3800 pending bits, 0x4000
//! trace rings (see `trace`).

registers! {
    /// Identity, capabilities, health and control. Constant after reset unless a line says otherwise.
    REGISTERS = "registers", stride 0 {
        /// Reads 0x4555_4c46, "FLUE". This, not the PCI ID, decides what the card is.
        0x000 => IDENTITY: Ro,
        /// Contract version: major in the upper half, minor in the lower.
        0x004 => VERSION: Ro,
        /// Hash of the contract's tables; differs whenever a name, offset or width does.
        0x008 => ABI_HASH: Ro,
        /// Hash of the firmware image that runs; 0 when the firmware is linked into the model.
        0x00c => IMAGE_HASH: Ro,
        /// Feature bits. Reserved and 0 in this version.
        0x010 => FEATURES: Ro,
        /// Entries of the neighbor table.
        0x014 => NEIGHBORS: Ro,
        /// Entries of the path table.
        0x018 => PATHS: Ro,
        /// Entries of the connection table.
        0x01c => CONNECTIONS: Ro,
        /// Aliases.
        0x020 => ALIASES: Ro,
        /// Distinct source MAC addresses besides the port's own.
        0x024 => SOURCE_MACS: Ro,
        /// Distinct VLANs.
        0x028 => VLANS: Ro,
        /// Card memory for connection state, in bytes.
        0x02c => STATE_MEMORY: Ro,
        /// Command rings, each with its completion ring.
        0x030 => COMMAND_RINGS: Ro,
        /// Transmit rings, each with its completion ring.
        0x034 => TRANSMIT_RINGS: Ro,
        /// Largest number of slots in any ring.
        0x038 => RING_SLOTS: Ro,
        /// MSI-X vectors.
        0x03c => VECTORS: Ro,
        /// Frames that can be held for one path.
        0x040 => HELD_PER_PATH: Ro,
        /// Frames that can be held on the card.
        0x044 => HELD_TOTAL: Ro,
        /// Card clock in kHz.
        0x048 => CLOCK_KHZ: Ro,
        /// The port's own MAC, first four bytes, the first in the lowest byte.
        0x04c => PORT_MAC_LOW: Ro,
        /// The port's own MAC, last two bytes.
        0x050 => PORT_MAC_HIGH: Ro,
        /// Card state: see CardState. Changes.
        0x080 => STATE: Ro,
        /// Why the card is failed: see FailCode. Changes.
        0x084 => FAIL_CODE: Ro,
        /// Program counter at a trap. Changes.
        0x088 => FAIL_PC: Ro,
        /// Cause at a trap, or detail of the failure. Changes.
        0x08c => FAIL_CAUSE: Ro,
        /// Moves while the firmware runs. Changes.
        0x090 => HEARTBEAT: Ro,
        /// Counts resets. Changes at reset.
        0x094 => INCARNATION: Ro,
        /// Card time in ms, wraps after 49 days. Changes.
        0x098 => TIME_MS: Ro,
        /// Card clock cycles, low word. Changes.
        0x09c => CYCLES_LOW: Ro,
        /// Card clock cycles, high word. Read it before and after the low word. Changes.
        0x0a0 => CYCLES_HIGH: Ro,
        /// 1: reset. Acknowledged by a higher INCARNATION with STATE reset; then no DMA happens.
        0x100 => RESET: Wo,
        /// 1 while in reset: take the settings below and become ready.
        0x104 => ENABLE: Wo,
        /// First generation of every slot after ENABLE; 0 counts as 1. Written by the host.
        0x108 => GENERATION_SEED: Rw,
        /// Grace time of upload requests in ms; 0 asks at once. Taken at ENABLE.
        0x10c => GRACE_MS: Rw,
        /// Age in ms at which a neighbor's reachability is stale (NceStaleTicks); 0 never asks. Taken at ENABLE.
        0x110 => STALE_MS: Rw,
        /// Number of interface VLANs in PORT_VLAN; 0 accepts every VLAN. Taken at ENABLE.
        0x114 => PORT_VLANS: Rw,
    }
}

registers! {
    /// Interface VLANs, one a register, bank stride 4. Written by the host before ENABLE.
    PORT_VLAN_BANK = "port_vlan_bank", stride 4 {
        /// One VLAN identifier.
        0x140 => PORT_VLAN: Rw,
    }
}

registers! {
    /// One bank a ring. Ring numbers: command rings from 0, transmit rings from 8, the event ring 16.
    /// Written by the host while the ring is stopped; RING_START makes the card take them.
    RING_BANK = "ring_bank", stride 64 {
        /// IOVA of the ring's slots, low word. Aligned to 64 bytes. Unused by the event ring.
        0x400 => RING_BASE_LOW: Rw,
        /// IOVA of the ring's slots, high word.
        0x404 => RING_BASE_HIGH: Rw,
        /// IOVA of its completion ring (of the events, for the event ring), low word. Aligned to 64 bytes.
        0x408 => RING_COMPLETION_LOW: Rw,
        /// IOVA of its completion ring, high word.
        0x40c => RING_COMPLETION_HIGH: Rw,
        /// Binary logarithm of the number of slots in the ring, and in its completion ring.
        0x410 => RING_SLOTS_LOG2: Rw,
        /// MSI-X vector to raise after completions; 0xffff_ffff for none.
        0x414 => RING_VECTOR: Rw,
        /// Interrupt moderation: at most one interrupt in this many microseconds; 0 for one a batch.
        0x418 => RING_MODERATION_US: Rw,
        /// 1: take the configuration and run, positions from 0. 0: nothing.
        0x41c => RING_START: Wo,
        /// Ring state: see RingState.
        0x420 => RING_STATE: Ro,
        /// Why the ring failed: see FailCode.
        0x424 => RING_ERROR: Ro,
        /// Position up to which the card has fetched slots.
        0x428 => RING_FETCHED: Ro,
        /// Position up to which the card has posted completions or events.
        0x42c => RING_POSTED: Ro,
        /// Transmit rings: frames of this ring that are held now.
        0x430 => RING_HELD: Ro,
    }
}

registers! {
    /// Doorbells, one bank of a cache line a ring, numbered like the ring banks.
    DOORBELL_BANK = "doorbell_bank", stride 64 {
        /// Position up to which the host has published slots.
        0x2000 => DOORBELL_TAIL: Rw,
        /// Position up to which the host has reaped completions (or events).
        0x2004 => DOORBELL_REAPED: Rw,
    }
}

limits! {
    /// Places in BAR0, ring numbers and special register values.
    BAR = "bar" {
        /// What IDENTITY reads: "FLUE".
        IDENTITY_VALUE: u32 = 0x4555_4c46,
        /// RING_VECTOR for a ring that raises no interrupt.
        VECTOR_NONE: u32 = u32::MAX,
        /// Distance of two ring banks in bytes.
        RING_STRIDE: u32 = 64,
        /// Distance of two doorbell banks in bytes.
        DOORBELL_STRIDE: u32 = 64,
        /// Start of the doorbell page in BAR0.
        DOORBELL_PAGE: u32 = 0x2000,
        /// Size of the doorbell page in bytes.
        DOORBELL_PAGE_BYTES: u32 = 0x1000,
        /// Number of the first transmit ring.
        TRANSMIT_RING_FIRST: u32 = 8,
        /// Number of the event ring.
        EVENT_RING: u32 = 16,
        /// Rings that have a bank.
        RINGS: u32 = 17,
        /// Start of the counters in BAR0.
        COUNTER_PAGE: u32 = 0x1000,
        /// Start of the MSI-X table in BAR0.
        MSIX_TABLE: u32 = 0x3000,
        /// Start of the MSI-X pending bits in BAR0.
        MSIX_PENDING: u32 = 0x3800,
        /// PCI vendor ID of a card that has none of its own: the one that QEMU's project lets
        /// others use for experiments. IDENTITY decides what a card is, not this.
        PCI_VENDOR: u32 = 0x1af4,
        /// PCI device ID of such a card: of those for experiments, 10f0 to 10ff.
        PCI_DEVICE: u32 = 0x10f0,
    }
}

codes! {
    /// Counters: 64 bits each at 0x1000 + 8 × number, low word first; they wrap and a reset
    /// does not clear them. Written by the card.
    Counter: u32 {
        /// Frames that crossed the port.
        0 => FRAMES_LEFT = "frames_left",
        /// Bytes that crossed the port, Ethernet header included.
        1 => BYTES_LEFT = "bytes_left",
        /// Frames that were held at least once.
        2 => FRAMES_HELD = "frames_held",
        /// Frames held now, on all rings.
        3 => HELD_NOW = "held_now",
        /// Frames dropped because their handle was stale.
        4 => DROPPED_STALE = "dropped_stale",
        /// Frames dropped because they exceeded the path MTU.
        5 => DROPPED_MTU = "dropped_mtu",
        /// Frames dropped because the hold pool was full.
        6 => DROPPED_HOLD = "dropped_hold",
        /// Frames dropped because the port took no more.
        7 => DROPPED_PORT = "dropped_port",
        /// Frames given back because upload of their connection was asked for.
        8 => DROPPED_UPLOAD = "dropped_upload",
        /// Descriptors dropped because they made no sense.
        9 => DROPPED_MALFORMED = "dropped_malformed",
        /// Frames dropped because their buffer could not be read.
        10 => DROPPED_BUS = "dropped_bus",
        /// DMA accesses refused: outside what was mapped, or the wrong direction.
        11 => DMA_REFUSED = "dma_refused",
        /// BAR accesses of the wrong width, alignment or direction.
        12 => BAD_ACCESSES = "bad_accesses",
        /// Doorbells further ahead than their ring is long.
        13 => BAD_DOORBELLS = "bad_doorbells",
        /// Trees carried out.
        14 => TREES = "trees",
        /// Blocks answered with success or partial success.
        15 => BLOCKS_DONE = "blocks_done",
        /// Blocks answered with anything else.
        16 => BLOCKS_FAILED = "blocks_failed",
        /// Trees or slots that could not be parsed.
        17 => MALFORMED = "malformed",
        /// Paths moved to another neighbor one by one.
        18 => PATHS_RELINKED = "paths_relinked",
        /// Aliases moved to another neighbor, each with all its paths.
        19 => ALIASES_MOVED = "aliases_moved",
        /// Commands that waited for the alias sweep.
        20 => SWEEPS = "sweeps",
        /// Fences raised.
        21 => FENCES = "fences",
        /// Slots retired because their generations were spent.
        22 => RETIRED_SLOTS = "retired_slots",
        /// Events posted.
        23 => EVENTS = "events",
        /// Events lost because the event ring was full; a rescan is due.
        24 => EVENTS_LOST = "events_lost",
        /// Interrupts raised.
        25 => INTERRUPTS = "interrupts",
        /// Notices of the datapath that were forgotten because the firmware was slow.
        26 => NOTICES_LOST = "notices_lost",
        /// Forward progress credited to a neighbor.
        27 => PROGRESS_CREDITED = "progress_credited",
        /// Forward progress not credited: the data was sent before the last relink.
        28 => PROGRESS_STALE = "progress_stale",
    }
}

/// Number of counters.
pub const COUNTERS: usize = 29;
const _: () = assert!(Counter::ALL.len() == COUNTERS, "a counter is missing from COUNTERS");

impl Counter {
    /// Byte offset of the counter's low word in BAR0; the high word follows.
    #[must_use]
    pub const fn offset(self) -> u32 {
        COUNTER_PAGE + self.0 * 8
    }
}
