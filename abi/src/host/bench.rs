//! BAR2 of a card that is served for tests: the bench, at which a card is built and watched.
//!
//! Beside the flow. A card of its own has no BAR2; a served model may have one, so that the host
//! that drives it can also build it (sizes, a slow reader) and see the frames that cross its port.
//! The register page takes 32-bit accesses, aligned; any other is answered with zero or ignored.
//! Behind it lies plain memory: the mirror, a ring in which the card writes every frame that
//! crossed, in order. The card never waits for who reads it: a frame without room is counted lost.
//!
//! Positions in the ring count granules and are free-running, like those of all rings. A record
//! is a [`MirrorRecord`], the frame, and zeros or anything up to the end of its last granule.

registers! {
    /// The bench's registers. Offsets are of BAR2. What is staged here is what the next power
    /// cycle builds the card with; it reads back as it was written, sensible or not.
    BENCH_REGISTERS = "bench_registers", stride 0 {
        /// Reads 0x4843_4e42, "BNCH": this BAR is a bench.
        0x000 => BENCH_IDENTITY: Ro,
        /// Power cycles that were carried out. Changes.
        0x004 => BENCH_CYCLES: Ro,
        /// 1: takes the card off and on again, built with what is staged, its mirror empty.
        /// Acknowledged by a higher BENCH_CYCLES; ignored when what is staged is beyond the
        /// bench's limits or does not fit together.
        0x008 => BENCH_POWER_CYCLE: Wo,
        /// Staged fault: the reader of the table stands still at each batch whose number is a
        /// multiple of this; 0 for a healthy card.
        0x010 => BENCH_STALL_EVERY_BATCHES: Rw,
        /// Staged fault: how long, in microseconds.
        0x014 => BENCH_STALL_US: Rw,
        /// Staged entries of the neighbor table.
        0x040 => BENCH_NEIGHBORS: Rw,
        /// Staged entries of the path table.
        0x044 => BENCH_PATHS: Rw,
        /// Staged entries of the connection table.
        0x048 => BENCH_CONNECTIONS: Rw,
        /// Staged aliases.
        0x04c => BENCH_ALIASES: Rw,
        /// Staged number of distinct source MAC addresses.
        0x050 => BENCH_SOURCE_MACS: Rw,
        /// Staged number of distinct VLANs.
        0x054 => BENCH_VLANS: Rw,
        /// Staged card memory for connection state, in bytes.
        0x058 => BENCH_STATE_MEMORY: Rw,
        /// Staged command rings.
        0x05c => BENCH_COMMAND_RINGS: Rw,
        /// Staged transmit rings.
        0x060 => BENCH_TRANSMIT_RINGS: Rw,
        /// Staged largest number of slots in any ring.
        0x064 => BENCH_RING_SLOTS: Rw,
        /// Staged MSI-X vectors.
        0x068 => BENCH_VECTORS: Rw,
        /// Staged frames that can be held for one path.
        0x06c => BENCH_HELD_PER_PATH: Rw,
        /// Staged frames that can be held on the card.
        0x070 => BENCH_HELD_TOTAL: Rw,
        /// Staged card clock in kHz.
        0x074 => BENCH_CLOCK_KHZ: Rw,
        /// Staged MAC of the port, first four bytes, the first in the lowest byte.
        0x078 => BENCH_PORT_MAC_LOW: Rw,
        /// Staged MAC of the port, last two bytes.
        0x07c => BENCH_PORT_MAC_HIGH: Rw,
    }
}

registers! {
    /// The mirror's own words. Offsets are of BAR2, in plain memory that can be mapped; reading
    /// and writing have no side effect. A power cycle clears all of them.
    MIRROR_REGISTERS = "mirror_registers", stride 0 {
        /// Position up to which records are whole. Written by the card.
        0x1000 => MIRROR_WRITTEN: Ro,
        /// Frames that crossed, lost ones included; free-running. Written by the card after the
        /// frame's record, and before a completion tells of anything that waited for the frame.
        0x1004 => MIRROR_FRAMES: Ro,
        /// Frames among them for which the ring had no room; free-running. Written by the card
        /// before MIRROR_FRAMES.
        0x1008 => MIRROR_LOST: Ro,
        /// Position up to which records were read: their granules are the card's again. Written
        /// by the host; one that is ahead of MIRROR_WRITTEN, or further behind than the ring is
        /// long, leaves no room.
        0x1040 => MIRROR_REAPED: Rw,
    }
}

descriptor! {
    /// What stands before a frame in the mirror. Written by the card.
    MirrorRecord: 16 {
        /// Bytes of the frame, which follows, from the destination MAC on.
        0 => bytes: u32,
        /// How many frames crossed before it, low word: a step of more than 1 tells of lost ones.
        4 => number: u32,
        /// Card time at which it crossed, in ns.
        8 => at_ns: u64,
    }
}

limits! {
    /// Places in BAR2, and the largest card that a power cycle builds: what a test bench lets its
    /// guest ask of the machine that it runs on.
    LAYOUT = "bench" {
        /// What BENCH_IDENTITY reads: "BNCH".
        IDENTITY_VALUE: u32 = 0x4843_4e42,
        /// Size of BAR2 in bytes.
        BAR2_BYTES: u32 = 0x400_0000,
        /// Start of the mirror's own words in BAR2; everything from here on may be mapped.
        MIRROR_PAGE: u32 = 0x1000,
        /// Start of the mirror's ring in BAR2.
        MIRROR_RING: u32 = 0x200_0000,
        /// Size of the mirror's ring in bytes.
        MIRROR_RING_BYTES: u32 = 0x200_0000,
        /// Unit of positions in the mirror's ring, in bytes.
        MIRROR_GRANULE: u32 = 64,
        /// Granules of the mirror's ring.
        MIRROR_GRANULES: u32 = MIRROR_RING_BYTES / MIRROR_GRANULE,
        /// Longest frame in the mirror: the largest MTU behind an Ethernet header with a VLAN tag.
        MIRROR_FRAME_MAX: u32 = super::limit::MTU_MAX + 18,
        /// Entries that a table of a staged card can have, neighbors, paths, connections and
        /// aliases alike.
        TABLE_ENTRIES_MAX: u32 = 4_194_304,
        /// Distinct source MAC addresses that a staged card can have.
        SOURCE_MACS_MAX: u32 = 65_536,
        /// Frames that a staged card can hold.
        HELD_MAX: u32 = 1_048_576,
        /// Slowest clock that a staged card can have, in kHz.
        CLOCK_KHZ_MIN: u32 = 1_000,
        /// Fastest clock that a staged card can have, in kHz.
        CLOCK_KHZ_MAX: u32 = 4_000_000,
        /// Longest staged stall in microseconds: twice the deadline after which a fence fails the card.
        STALL_US_MAX: u32 = 2 * 1_000 * super::limit::FENCE_DEADLINE_MS,
    }
}

const _: () = assert!(MIRROR_RING + MIRROR_RING_BYTES == BAR2_BYTES, "the ring ends the BAR");
const _: () = assert!(MIRROR_GRANULES.is_power_of_two(), "positions wrap in whole laps");
const _: () = assert!(MIRROR_WRITTEN.offset == MIRROR_PAGE, "the mirror's words open its page");
