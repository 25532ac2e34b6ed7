/*
 * The contract between host and card. Printed by `cargo xtask abi` from `abi/src`.
 * Do not edit: change the crate, print again, commit both.
 * Version 1.2, ABI hash 0x96617463.
 * All values are little-endian; MAC and IP addresses stand in network order.
 */
#ifndef FLUE_ABI_H
#define FLUE_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define FLUE_ASSERT(holds, text) static_assert(holds, text)
#else
#define FLUE_ASSERT(holds, text) _Static_assert(holds, text)
#endif

#define FLUE_VERSION_MAJOR 0x1u
#define FLUE_VERSION_MINOR 0x2u
#define FLUE_ABI_HASH 0x96617463u

/* Identity, capabilities, health and control. Constant after reset unless a line says
 * otherwise. */
/* Ro: Reads 0x4555_4c46, "FLUE". This, not the PCI ID, decides what the card is. */
#define FLUE_REG_IDENTITY 0x0u
/* Ro: Contract version: major in the upper half, minor in the lower. */
#define FLUE_REG_VERSION 0x4u
/* Ro: Hash of the contract's tables; differs whenever a name, offset or width does. */
#define FLUE_REG_ABI_HASH 0x8u
/* Ro: Hash of the firmware image that runs; 0 when the firmware is linked into the model. */
#define FLUE_REG_IMAGE_HASH 0xcu
/* Ro: Feature bits. Reserved and 0 in this version. */
#define FLUE_REG_FEATURES 0x10u
/* Ro: Entries of the neighbor table. */
#define FLUE_REG_NEIGHBORS 0x14u
/* Ro: Entries of the path table. */
#define FLUE_REG_PATHS 0x18u
/* Ro: Entries of the connection table. */
#define FLUE_REG_CONNECTIONS 0x1cu
/* Ro: Aliases. */
#define FLUE_REG_ALIASES 0x20u
/* Ro: Distinct source MAC addresses besides the port's own. */
#define FLUE_REG_SOURCE_MACS 0x24u
/* Ro: Distinct VLANs. */
#define FLUE_REG_VLANS 0x28u
/* Ro: Card memory for connection state, in bytes. */
#define FLUE_REG_STATE_MEMORY 0x2cu
/* Ro: Command rings, each with its completion ring. */
#define FLUE_REG_COMMAND_RINGS 0x30u
/* Ro: Transmit rings, each with its completion ring. */
#define FLUE_REG_TRANSMIT_RINGS 0x34u
/* Ro: Largest number of slots in any ring. */
#define FLUE_REG_RING_SLOTS 0x38u
/* Ro: MSI-X vectors. */
#define FLUE_REG_VECTORS 0x3cu
/* Ro: Frames that can be held for one path. */
#define FLUE_REG_HELD_PER_PATH 0x40u
/* Ro: Frames that can be held on the card. */
#define FLUE_REG_HELD_TOTAL 0x44u
/* Ro: Card clock in kHz. */
#define FLUE_REG_CLOCK_KHZ 0x48u
/* Ro: The port's own MAC, first four bytes, the first in the lowest byte. */
#define FLUE_REG_PORT_MAC_LOW 0x4cu
/* Ro: The port's own MAC, last two bytes. */
#define FLUE_REG_PORT_MAC_HIGH 0x50u
/* Ro: Card state: see CardState. Changes. */
#define FLUE_REG_STATE 0x80u
/* Ro: Why the card is failed: see FailCode. Changes. */
#define FLUE_REG_FAIL_CODE 0x84u
/* Ro: Program counter at a trap. Changes. */
#define FLUE_REG_FAIL_PC 0x88u
/* Ro: Cause at a trap, or detail of the failure. Changes. */
#define FLUE_REG_FAIL_CAUSE 0x8cu
/* Ro: Moves while the firmware runs. Changes. */
#define FLUE_REG_HEARTBEAT 0x90u
/* Ro: Counts resets. Changes at reset. */
#define FLUE_REG_INCARNATION 0x94u
/* Ro: Card time in ms, wraps after 49 days. Changes. */
#define FLUE_REG_TIME_MS 0x98u
/* Ro: Card clock cycles, low word. Changes. */
#define FLUE_REG_CYCLES_LOW 0x9cu
/* Ro: Card clock cycles, high word. Read it before and after the low word. Changes. */
#define FLUE_REG_CYCLES_HIGH 0xa0u
/* Wo: 1: reset. Acknowledged by a higher INCARNATION with STATE reset; then no DMA happens. */
#define FLUE_REG_RESET 0x100u
/* Wo: 1 while in reset: take the settings below and become ready. */
#define FLUE_REG_ENABLE 0x104u
/* Rw: First generation of every slot after ENABLE; 0 counts as 1. Written by the host. */
#define FLUE_REG_GENERATION_SEED 0x108u
/* Rw: Grace time of upload requests in ms; 0 asks at once. Taken at ENABLE. */
#define FLUE_REG_GRACE_MS 0x10cu
/* Rw: Age in ms at which a neighbor's reachability is stale (NceStaleTicks); 0 never asks.
 * Taken at ENABLE. */
#define FLUE_REG_STALE_MS 0x110u
/* Rw: Number of interface VLANs in PORT_VLAN; 0 accepts every VLAN. Taken at ENABLE. */
#define FLUE_REG_PORT_VLANS 0x114u

/* Interface VLANs, one a register, bank stride 4. Written by the host before ENABLE. */
#define FLUE_PORT_VLAN_BANK_STRIDE 0x4u
/* Rw: One VLAN identifier. */
#define FLUE_REG_PORT_VLAN 0x140u

/* One bank a ring. Ring numbers: command rings from 0, transmit rings from 8, the event ring
 * 16. Written by the host while the ring is stopped; RING_START makes the card take them. */
#define FLUE_RING_BANK_STRIDE 0x40u
/* Rw: IOVA of the ring's slots, low word. Aligned to 64 bytes. Unused by the event ring. */
#define FLUE_REG_RING_BASE_LOW 0x400u
/* Rw: IOVA of the ring's slots, high word. */
#define FLUE_REG_RING_BASE_HIGH 0x404u
/* Rw: IOVA of its completion ring (of the events, for the event ring), low word. Aligned to 64
 * bytes. */
#define FLUE_REG_RING_COMPLETION_LOW 0x408u
/* Rw: IOVA of its completion ring, high word. */
#define FLUE_REG_RING_COMPLETION_HIGH 0x40cu
/* Rw: Binary logarithm of the number of slots in the ring, and in its completion ring. */
#define FLUE_REG_RING_SLOTS_LOG2 0x410u
/* Rw: MSI-X vector to raise after completions; 0xffff_ffff for none. */
#define FLUE_REG_RING_VECTOR 0x414u
/* Rw: Interrupt moderation: at most one interrupt in this many microseconds; 0 for one a
 * batch. */
#define FLUE_REG_RING_MODERATION_US 0x418u
/* Wo: 1: take the configuration and run, positions from 0. 0: nothing. */
#define FLUE_REG_RING_START 0x41cu
/* Ro: Ring state: see RingState. */
#define FLUE_REG_RING_STATE 0x420u
/* Ro: Why the ring failed: see FailCode. */
#define FLUE_REG_RING_ERROR 0x424u
/* Ro: Position up to which the card has fetched slots. */
#define FLUE_REG_RING_FETCHED 0x428u
/* Ro: Position up to which the card has posted completions or events. */
#define FLUE_REG_RING_POSTED 0x42cu
/* Ro: Transmit rings: frames of this ring that are held now. */
#define FLUE_REG_RING_HELD 0x430u

/* Doorbells, one bank of a cache line a ring, numbered like the ring banks. */
#define FLUE_DOORBELL_BANK_STRIDE 0x40u
/* Rw: Position up to which the host has published slots. */
#define FLUE_REG_DOORBELL_TAIL 0x2000u
/* Rw: Position up to which the host has reaped completions (or events). */
#define FLUE_REG_DOORBELL_REAPED 0x2004u

/* Places in BAR0, ring numbers and special register values. */
/* What IDENTITY reads: "FLUE". */
#define FLUE_BAR_IDENTITY_VALUE 0x45554c46u
/* RING_VECTOR for a ring that raises no interrupt. */
#define FLUE_BAR_VECTOR_NONE 0xffffffffu
/* Distance of two ring banks in bytes. */
#define FLUE_BAR_RING_STRIDE 0x40u
/* Distance of two doorbell banks in bytes. */
#define FLUE_BAR_DOORBELL_STRIDE 0x40u
/* Start of the doorbell page in BAR0. */
#define FLUE_BAR_DOORBELL_PAGE 0x2000u
/* Size of the doorbell page in bytes. */
#define FLUE_BAR_DOORBELL_PAGE_BYTES 0x1000u
/* Number of the first transmit ring. */
#define FLUE_BAR_TRANSMIT_RING_FIRST 0x8u
/* Number of the event ring. */
#define FLUE_BAR_EVENT_RING 0x10u
/* Rings that have a bank. */
#define FLUE_BAR_RINGS 0x11u
/* Start of the counters in BAR0. */
#define FLUE_BAR_COUNTER_PAGE 0x1000u
/* Start of the MSI-X table in BAR0. */
#define FLUE_BAR_MSIX_TABLE 0x3000u
/* Start of the MSI-X pending bits in BAR0. */
#define FLUE_BAR_MSIX_PENDING 0x3800u
/* PCI vendor ID of a card that has none of its own: the one that QEMU's project lets others
 * use for experiments. IDENTITY decides what a card is, not this. */
#define FLUE_BAR_PCI_VENDOR 0x1af4u
/* PCI device ID of such a card: of those for experiments, 10f0 to 10ff. */
#define FLUE_BAR_PCI_DEVICE 0x10f0u

/* Counters: 64 bits each at 0x1000 + 8 × number, low word first; they wrap and a reset does
 * not clear them. Written by the card. */
/* Frames that crossed the port. */
#define FLUE_COUNTER_FRAMES_LEFT 0x0u
/* Bytes that crossed the port, Ethernet header included. */
#define FLUE_COUNTER_BYTES_LEFT 0x1u
/* Frames that were held at least once. */
#define FLUE_COUNTER_FRAMES_HELD 0x2u
/* Frames held now, on all rings. */
#define FLUE_COUNTER_HELD_NOW 0x3u
/* Frames dropped because their handle was stale. */
#define FLUE_COUNTER_DROPPED_STALE 0x4u
/* Frames dropped because they exceeded the path MTU. */
#define FLUE_COUNTER_DROPPED_MTU 0x5u
/* Frames dropped because the hold pool was full. */
#define FLUE_COUNTER_DROPPED_HOLD 0x6u
/* Frames dropped because the port took no more. */
#define FLUE_COUNTER_DROPPED_PORT 0x7u
/* Frames given back because upload of their connection was asked for. */
#define FLUE_COUNTER_DROPPED_UPLOAD 0x8u
/* Descriptors dropped because they made no sense. */
#define FLUE_COUNTER_DROPPED_MALFORMED 0x9u
/* Frames dropped because their buffer could not be read. */
#define FLUE_COUNTER_DROPPED_BUS 0xau
/* DMA accesses refused: outside what was mapped, or the wrong direction. */
#define FLUE_COUNTER_DMA_REFUSED 0xbu
/* BAR accesses of the wrong width, alignment or direction. */
#define FLUE_COUNTER_BAD_ACCESSES 0xcu
/* Doorbells further ahead than their ring is long. */
#define FLUE_COUNTER_BAD_DOORBELLS 0xdu
/* Trees carried out. */
#define FLUE_COUNTER_TREES 0xeu
/* Blocks answered with success or partial success. */
#define FLUE_COUNTER_BLOCKS_DONE 0xfu
/* Blocks answered with anything else. */
#define FLUE_COUNTER_BLOCKS_FAILED 0x10u
/* Trees or slots that could not be parsed. */
#define FLUE_COUNTER_MALFORMED 0x11u
/* Paths moved to another neighbor one by one. */
#define FLUE_COUNTER_PATHS_RELINKED 0x12u
/* Aliases moved to another neighbor, each with all its paths. */
#define FLUE_COUNTER_ALIASES_MOVED 0x13u
/* Commands that waited for the alias sweep. */
#define FLUE_COUNTER_SWEEPS 0x14u
/* Fences raised. */
#define FLUE_COUNTER_FENCES 0x15u
/* Slots retired because their generations were spent. */
#define FLUE_COUNTER_RETIRED_SLOTS 0x16u
/* Events posted. */
#define FLUE_COUNTER_EVENTS 0x17u
/* Events lost because the event ring was full; a rescan is due. */
#define FLUE_COUNTER_EVENTS_LOST 0x18u
/* Interrupts raised. */
#define FLUE_COUNTER_INTERRUPTS 0x19u
/* Notices of the datapath that were forgotten because the firmware was slow. */
#define FLUE_COUNTER_NOTICES_LOST 0x1au
/* Forward progress credited to a neighbor. */
#define FLUE_COUNTER_PROGRESS_CREDITED 0x1bu
/* Forward progress not credited: the data was sent before the last relink. */
#define FLUE_COUNTER_PROGRESS_STALE 0x1cu

/* Control of the trace. */
/* Rw: Not 0: the card writes its trace. 0 after power-on. A reset leaves it and empties the
 * rings. */
#define FLUE_REG_TRACE 0xc0u

/* One register a trace ring, bank stride 4. */
#define FLUE_TRACE_BANK_STRIDE 0x4u
/* Ro: Records written since the last reset; wraps. */
#define FLUE_REG_TRACE_FILLED 0xc4u

/* Where the trace rings lie. */
/* Start of the trace rings in BAR0. */
#define FLUE_TRACE_TRACE_PAGE 0x4000u
/* Records of one ring. */
#define FLUE_TRACE_TRACE_RECORDS 0x400u
/* Distance of two trace rings in bytes. */
#define FLUE_TRACE_TRACE_STRIDE 0x4000u
/* Trace rings: see TraceWriter. */
#define FLUE_TRACE_TRACE_WRITERS 0x3u

/* Who writes a trace ring; its number is the ring's. */
/* The firmware. */
#define FLUE_TRACE_WRITER_FIRMWARE 0x0u
/* The engines between host memory and the firmware: command rings, event ring. */
#define FLUE_TRACE_WRITER_RINGS 0x1u
/* The datapath, with its transmit rings. */
#define FLUE_TRACE_WRITER_DATAPATH 0x2u

/* What a trace record tells. Below 64: the firmware; below 128: a ring of either kind; else
 * the datapath. detail and value are 0 where nothing is said of them. */
/* The firmware has found something to do after it slept. */
#define FLUE_TRACE_KIND_AWAKE 0x1u
/* A tree begins; detail is its tag, value its opcode. */
#define FLUE_TRACE_KIND_TREE_BEGUN 0x2u
/* A block is carried out; detail is opcode (high byte) and kind (low byte), value its number. */
#define FLUE_TRACE_KIND_BLOCK 0x3u
/* A block has its answer; detail as for block, value its status. */
#define FLUE_TRACE_KIND_ANSWERED 0x4u
/* A chunk of a list is carried out; detail is its entries, value how many paths moved. */
#define FLUE_TRACE_KIND_LIST_CHUNK 0x5u
/* The epoch is raised; value is the epoch. */
#define FLUE_TRACE_KIND_RAISED 0x6u
/* A tree is over and its completion waits for its fence; detail is its tag, value the blocks
 * done. */
#define FLUE_TRACE_KIND_PARKED 0x7u
/* A completion goes to the outbox; detail is its tag, value the blocks done. */
#define FLUE_TRACE_KIND_COMPLETED 0x8u
/* The firmware finds nothing to do, after it did, and sleeps if it can. */
#define FLUE_TRACE_KIND_ASLEEP 0x9u
/* The sweep looks at paths; value is the neighbor. */
#define FLUE_TRACE_KIND_SWEEP 0xau
/* A doorbell was seen that moved; value is its position. */
#define FLUE_TRACE_KIND_DOORBELL 0x40u
/* Slots or descriptors are on the card; detail is how many, value the position. */
#define FLUE_TRACE_KIND_FETCHED 0x41u
/* A result is in host memory; detail is its words. */
#define FLUE_TRACE_KIND_RESULT 0x42u
/* A completion or an event is in host memory; value is the position. Of transmit completions,
 * which are as many as frames, nothing is told: crossed tells of them. */
#define FLUE_TRACE_KIND_POSTED 0x43u
/* An interrupt was raised; detail is the vector. */
#define FLUE_TRACE_KIND_INTERRUPT 0x44u
/* A list chunk is on the card; detail is its entries. */
#define FLUE_TRACE_KIND_LIST 0x45u
/* A batch was resolved; detail is its frames, value the epoch that it works in. */
#define FLUE_TRACE_KIND_RESOLVED 0x80u
/* That batch has left; detail is its frames, value how many of them crossed the port. */
#define FLUE_TRACE_KIND_CROSSED 0x81u
/* The reader announces an epoch; value is the epoch. */
#define FLUE_TRACE_KIND_ANNOUNCED 0x82u
/* Frames of a batch are held from now on; detail is how many. */
#define FLUE_TRACE_KIND_HELD 0x83u

/* One thing that happened. Written by the card. */
struct flue_trace_record {
    /* Card clock cycles, low word. */
    uint32_t cycles;
    /* Card time in ms: tells the laps of cycles. */
    uint32_t time_ms;
    /* What happened: see TraceKind. */
    uint8_t kind;
    /* The ring it concerns: command rings from 0, transmit rings from 8, the event ring 16; 0
     * where none is concerned. */
    uint8_t ring;
    /* Detail, by kind. */
    uint16_t detail;
    /* Value, by kind. */
    uint32_t value;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_trace_record) == 16, "flue_trace_record");
FLUE_ASSERT(offsetof(struct flue_trace_record, cycles) == 0, "flue_trace_record.cycles");
FLUE_ASSERT(offsetof(struct flue_trace_record, time_ms) == 4, "flue_trace_record.time_ms");
FLUE_ASSERT(offsetof(struct flue_trace_record, kind) == 8, "flue_trace_record.kind");
FLUE_ASSERT(offsetof(struct flue_trace_record, ring) == 9, "flue_trace_record.ring");
FLUE_ASSERT(offsetof(struct flue_trace_record, detail) == 10, "flue_trace_record.detail");
FLUE_ASSERT(offsetof(struct flue_trace_record, value) == 12, "flue_trace_record.value");

/* The bench's registers. Offsets are of BAR2. What is staged here is what the next power cycle
 * builds the card with; it reads back as it was written, sensible or not. */
/* Ro: Reads 0x4843_4e42, "BNCH": this BAR is a bench. */
#define FLUE_REG_BENCH_IDENTITY 0x0u
/* Ro: Power cycles that were carried out. Changes. */
#define FLUE_REG_BENCH_CYCLES 0x4u
/* Wo: 1: takes the card off and on again, built with what is staged, its mirror empty.
 * Acknowledged by a higher BENCH_CYCLES; ignored when what is staged is beyond the bench's
 * limits or does not fit together. */
#define FLUE_REG_BENCH_POWER_CYCLE 0x8u
/* Rw: Staged fault: the reader of the table stands still at each batch whose number is a
 * multiple of this; 0 for a healthy card. */
#define FLUE_REG_BENCH_STALL_EVERY_BATCHES 0x10u
/* Rw: Staged fault: how long, in microseconds. */
#define FLUE_REG_BENCH_STALL_US 0x14u
/* Rw: Staged entries of the neighbor table. */
#define FLUE_REG_BENCH_NEIGHBORS 0x40u
/* Rw: Staged entries of the path table. */
#define FLUE_REG_BENCH_PATHS 0x44u
/* Rw: Staged entries of the connection table. */
#define FLUE_REG_BENCH_CONNECTIONS 0x48u
/* Rw: Staged aliases. */
#define FLUE_REG_BENCH_ALIASES 0x4cu
/* Rw: Staged number of distinct source MAC addresses. */
#define FLUE_REG_BENCH_SOURCE_MACS 0x50u
/* Rw: Staged number of distinct VLANs. */
#define FLUE_REG_BENCH_VLANS 0x54u
/* Rw: Staged card memory for connection state, in bytes. */
#define FLUE_REG_BENCH_STATE_MEMORY 0x58u
/* Rw: Staged command rings. */
#define FLUE_REG_BENCH_COMMAND_RINGS 0x5cu
/* Rw: Staged transmit rings. */
#define FLUE_REG_BENCH_TRANSMIT_RINGS 0x60u
/* Rw: Staged largest number of slots in any ring. */
#define FLUE_REG_BENCH_RING_SLOTS 0x64u
/* Rw: Staged MSI-X vectors. */
#define FLUE_REG_BENCH_VECTORS 0x68u
/* Rw: Staged frames that can be held for one path. */
#define FLUE_REG_BENCH_HELD_PER_PATH 0x6cu
/* Rw: Staged frames that can be held on the card. */
#define FLUE_REG_BENCH_HELD_TOTAL 0x70u
/* Rw: Staged card clock in kHz. */
#define FLUE_REG_BENCH_CLOCK_KHZ 0x74u
/* Rw: Staged MAC of the port, first four bytes, the first in the lowest byte. */
#define FLUE_REG_BENCH_PORT_MAC_LOW 0x78u
/* Rw: Staged MAC of the port, last two bytes. */
#define FLUE_REG_BENCH_PORT_MAC_HIGH 0x7cu

/* The mirror's own words. Offsets are of BAR2, in plain memory that can be mapped; reading and
 * writing have no side effect. A power cycle clears all of them. */
/* Ro: Position up to which records are whole. Written by the card. */
#define FLUE_REG_MIRROR_WRITTEN 0x1000u
/* Ro: Frames that crossed, lost ones included; free-running. Written by the card after the
 * frame's record, and before a completion tells of anything that waited for the frame. */
#define FLUE_REG_MIRROR_FRAMES 0x1004u
/* Ro: Frames among them for which the ring had no room; free-running. Written by the card
 * before MIRROR_FRAMES. */
#define FLUE_REG_MIRROR_LOST 0x1008u
/* Rw: Position up to which records were read: their granules are the card's again. Written by
 * the host; one that is ahead of MIRROR_WRITTEN, or further behind than the ring is long,
 * leaves no room. */
#define FLUE_REG_MIRROR_REAPED 0x1040u

/* Places in BAR2, and the largest card that a power cycle builds: what a test bench lets its
 * guest ask of the machine that it runs on. */
/* What BENCH_IDENTITY reads: "BNCH". */
#define FLUE_BENCH_IDENTITY_VALUE 0x48434e42u
/* Size of BAR2 in bytes. */
#define FLUE_BENCH_BAR2_BYTES 0x4000000u
/* Start of the mirror's own words in BAR2; everything from here on may be mapped. */
#define FLUE_BENCH_MIRROR_PAGE 0x1000u
/* Start of the mirror's ring in BAR2. */
#define FLUE_BENCH_MIRROR_RING 0x2000000u
/* Size of the mirror's ring in bytes. */
#define FLUE_BENCH_MIRROR_RING_BYTES 0x2000000u
/* Unit of positions in the mirror's ring, in bytes. */
#define FLUE_BENCH_MIRROR_GRANULE 0x40u
/* Granules of the mirror's ring. */
#define FLUE_BENCH_MIRROR_GRANULES 0x80000u
/* Longest frame in the mirror: the largest MTU behind an Ethernet header with a VLAN tag. */
#define FLUE_BENCH_MIRROR_FRAME_MAX 0x2412u
/* Entries that a table of a staged card can have, neighbors, paths, connections and aliases
 * alike. */
#define FLUE_BENCH_TABLE_ENTRIES_MAX 0x400000u
/* Distinct source MAC addresses that a staged card can have. */
#define FLUE_BENCH_SOURCE_MACS_MAX 0x10000u
/* Frames that a staged card can hold. */
#define FLUE_BENCH_HELD_MAX 0x100000u
/* Slowest clock that a staged card can have, in kHz. */
#define FLUE_BENCH_CLOCK_KHZ_MIN 0x3e8u
/* Fastest clock that a staged card can have, in kHz. */
#define FLUE_BENCH_CLOCK_KHZ_MAX 0x3d0900u
/* Longest staged stall in microseconds: twice the deadline after which a fence fails the card. */
#define FLUE_BENCH_STALL_US_MAX 0x1e8480u

/* What stands before a frame in the mirror. Written by the card. */
struct flue_mirror_record {
    /* Bytes of the frame, which follows, from the destination MAC on. */
    uint32_t bytes;
    /* How many frames crossed before it, low word: a step of more than 1 tells of lost ones. */
    uint32_t number;
    /* Card time at which it crossed, in ns. */
    uint64_t at_ns;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_mirror_record) == 16, "flue_mirror_record");
FLUE_ASSERT(offsetof(struct flue_mirror_record, bytes) == 0, "flue_mirror_record.bytes");
FLUE_ASSERT(offsetof(struct flue_mirror_record, number) == 4, "flue_mirror_record.number");
FLUE_ASSERT(offsetof(struct flue_mirror_record, at_ns) == 8, "flue_mirror_record.at_ns");

/* Kind of a state object, or of a block in a command. */
/* No object. */
#define FLUE_KIND_NONE 0x0u
/* A next hop: destination MAC, source MAC, VLAN, reachability ages. */
#define FLUE_KIND_NEIGHBOR 0x1u
/* A route entry: source and destination address, path MTU. Hangs from a neighbor. */
#define FLUE_KIND_PATH 0x2u
/* A TCP connection. Hangs from a path. */
#define FLUE_KIND_CONNECTION 0x3u

/* The card's answer for one block, or for a whole tree in its completion. */
/* Never written by the card: the result buffer's initial content. */
#define FLUE_STATUS_NONE 0x0u
/* The block was carried out; at initiate also all its immediate dependents. */
#define FLUE_STATUS_SUCCESS 0x1u
/* Initiate only: the block was carried out, an immediate dependent was not. */
#define FLUE_STATUS_PARTIAL_SUCCESS 0x2u
/* The block was not carried out; what it named keeps its old state and link. */
#define FLUE_STATUS_FAILURE 0x3u
/* Initiate only: no card memory is left for the state. */
#define FLUE_STATUS_RESOURCES 0x4u
/* Initiate only: the connection table is full. */
#define FLUE_STATUS_TCP_ENTRIES 0x5u
/* Initiate only: the path table is full. */
#define FLUE_STATUS_PATH_ENTRIES 0x6u
/* Initiate only: the neighbor table is full. */
#define FLUE_STATUS_NEIGHBOR_ENTRIES 0x7u
/* Initiate only: no room for one more source MAC address. */
#define FLUE_STATUS_HW_ADDRESS_ENTRIES 0x8u
/* Initiate only: no room for one more VLAN. */
#define FLUE_STATUS_VLAN_ENTRIES 0x9u
/* Initiate only: the interface has VLANs and the neighbor's is none of them. */
#define FLUE_STATUS_VLAN_MISMATCH 0xau
/* Initiate only: the path MTU is outside what the card can send. */
#define FLUE_STATUS_PATH_MTU 0xbu
/* Initiate only: a connection in a TCP state that may not be offloaded. */
#define FLUE_STATUS_CONNECTION_REJECTED 0xcu
/* The handle names no object: never given out, terminated, or of before a reset. */
#define FLUE_STATUS_STALE_HANDLE 0xdu
/* Terminate: objects outside this tree still hang from it, or a relink is under way to it. */
#define FLUE_STATUS_HAS_DEPENDENTS 0xeu
/* The object was invalidated; it can only be queried and terminated. */
#define FLUE_STATUS_INVALID_OBJECT 0xfu
/* The handle names an object of another kind than the block says. */
#define FLUE_STATUS_WRONG_KIND 0x10u
/* Completion only: the card was reset before the tree was carried out. */
#define FLUE_STATUS_RESET 0x11u

/* Why a block or a tree was answered as it was, where the status alone does not tell. */
/* Nothing to add. */
#define FLUE_DETAIL_NONE 0x0u
/* The opcode is none of the five operations. */
#define FLUE_DETAIL_OPCODE 0x1u
/* The kind, or the combination of flags, is none the operation knows. */
#define FLUE_DETAIL_KIND 0x2u
/* A reserved field is not zero. */
#define FLUE_DETAIL_RESERVED 0x3u
/* The tree began without FIRST, or a new one began before LAST. */
#define FLUE_DETAIL_FRAMING 0x4u
/* The block chains more or fewer slots than its state needs. */
#define FLUE_DETAIL_CHAIN 0x5u
/* The block's parent in the tree failed, so it was not tried. */
#define FLUE_DETAIL_PARENT 0x6u
/* The block stands under a block that cannot be its parent. */
#define FLUE_DETAIL_POSITION 0x7u
/* The result buffer is too small, not aligned, or its address wraps. */
#define FLUE_DETAIL_RESULT_BUFFER 0x8u
/* The list is too long, not aligned, or its address wraps. */
#define FLUE_DETAIL_LIST 0x9u
/* State was given for an object that is on the card already. */
#define FLUE_DETAIL_EXISTS 0xau
/* A linker names an object that hangs from another parent. */
#define FLUE_DETAIL_LINK 0xbu
/* The tree has more blocks than the card accepts. */
#define FLUE_DETAIL_TREE_SIZE 0xcu
/* A state class that this operation does not take. */
#define FLUE_DETAIL_CLASS 0xdu
/* A value outside its range (a VLAN above 4094, an MTU outside its limits). */
#define FLUE_DETAIL_RANGE 0xeu
/* DMA of a list failed: the address was not mapped for the card. */
#define FLUE_DETAIL_BUS 0xfu
/* The TCP state may not be offloaded. */
#define FLUE_DETAIL_TCP_STATE 0x10u
/* The destination neighbor was invalidated while the list was being carried out. */
#define FLUE_DETAIL_TARGET_INVALIDATED 0x11u

/* What became of a transmit descriptor. Its buffer is the host's again. */
/* Never written by the card. */
#define FLUE_TRANSMIT_STATUS_NONE 0x0u
/* The frame crossed the port. */
#define FLUE_TRANSMIT_STATUS_LEFT 0x1u
/* Dropped: the handle names no object, or not a path or connection. */
#define FLUE_TRANSMIT_STATUS_STALE_HANDLE 0x2u
/* Dropped: larger than the path MTU. */
#define FLUE_TRANSMIT_STATUS_PATH_MTU 0x3u
/* Dropped: the path or the card holds as many as it can. */
#define FLUE_TRANSMIT_STATUS_HOLD_FULL 0x4u
/* Dropped: the port took no more. */
#define FLUE_TRANSMIT_STATUS_PORT 0x5u
/* Dropped: upload of the connection was asked for; the host has its data again. */
#define FLUE_TRANSMIT_STATUS_UPLOAD_IN_PROGRESS 0x6u
/* Dropped: the descriptor makes no sense (length 0 or above the largest MTU). */
#define FLUE_TRANSMIT_STATUS_MALFORMED 0x7u
/* Dropped: the buffer could not be read; its address was not mapped for the card. */
#define FLUE_TRANSMIT_STATUS_BUS 0x8u

/* What an event reports. */
/* Never written by the card. */
#define FLUE_EVENT_KIND_NONE 0x0u
/* The card asks for upload of a connection: it has something to send, depends on an invalid
 * object, and the grace time passed without a relink. */
#define FLUE_EVENT_KIND_INVALID_STATE 0x1u
/* Both reachability ages of a neighbor in use have passed the stale time. */
#define FLUE_EVENT_KIND_NEIGHBOR_QUERY 0x2u
/* No frame is held any more: the last one has left, or was given back. Names no object. */
#define FLUE_EVENT_KIND_DRAINED 0x3u

/* Card state, as the STATE register shows it. */
/* Reset: no DMA, no frame; waits for ENABLE. */
#define FLUE_CARD_STATE_RESET 0x0u
/* Ready: rings can be started. */
#define FLUE_CARD_STATE_READY 0x1u
/* Failed: port off, no DMA; FAIL_CODE, FAIL_PC and FAIL_CAUSE tell why. Reset to go on. */
#define FLUE_CARD_STATE_FAILED 0x2u

/* Why a card is *failed*, or a ring stopped. */
/* Not failed. */
#define FLUE_FAIL_CODE_NONE 0x0u
/* The firmware trapped; FAIL_PC and FAIL_CAUSE hold mepc and mcause. */
#define FLUE_FAIL_CODE_TRAP 0x1u
/* The heartbeat stood still. */
#define FLUE_FAIL_CODE_HEARTBEAT 0x2u
/* A reader of the table did not announce a new epoch within its deadline. */
#define FLUE_FAIL_CODE_FENCE 0x3u
/* DMA in flight did not drain within its deadline at reset. */
#define FLUE_FAIL_CODE_DRAIN 0x4u
/* The firmware found its own tables inconsistent; FAIL_CAUSE names the check. */
#define FLUE_FAIL_CODE_TABLE 0x5u
/* DMA outside any ring was refused. */
#define FLUE_FAIL_CODE_BUS 0x6u
/* A doorbell ran ahead of its ring by more than the ring is long. */
#define FLUE_FAIL_CODE_DOORBELL 0x7u
/* A ring was started with a size, an address or a vector that makes no sense. */
#define FLUE_FAIL_CODE_RING_CONFIG 0x8u
/* DMA to or from a ring, or to a result buffer, was refused. */
#define FLUE_FAIL_CODE_RING_BUS 0x9u
/* A DMA window that the host was told of could not be taken. */
#define FLUE_FAIL_CODE_WINDOW 0xau
/* The link engine did not answer the firmware. */
#define FLUE_FAIL_CODE_ENGINE 0xbu

/* State of one ring, as its RING_STATE register shows it. */
/* Off. */
#define FLUE_RING_STATE_STOPPED 0x0u
/* Served. */
#define FLUE_RING_STATE_RUNNING 0x1u
/* Stopped by an error; RING_ERROR tells which. A reset clears it. */
#define FLUE_RING_STATE_FAILED 0x2u

/* Where the parts of a handle stand. */
/* Lowest bit of the kind; the index stands below it. */
#define FLUE_HANDLE_KIND_SHIFT 0x1eu
/* Lowest bit of the generation. */
#define FLUE_HANDLE_GENERATION_SHIFT 0x20u

/* The five operations on trees. */
/* Put new objects on the card. */
#define FLUE_OPCODE_INITIATE 0x1u
/* Change cached variables, or move paths to another neighbor (relink). */
#define FLUE_OPCODE_UPDATE 0x2u
/* Read state back. */
#define FLUE_OPCODE_QUERY 0x3u
/* Stop transmission on everything that depends on the named objects. */
#define FLUE_OPCODE_INVALIDATE 0x4u
/* Take objects off the card; their delegated state comes back. */
#define FLUE_OPCODE_TERMINATE 0x5u

/* Flags of a slot. */
/* First slot of a tree. */
#define FLUE_FLAG_FIRST 0x1u
/* Last slot of a tree. */
#define FLUE_FLAG_LAST 0x2u
/* The block goes on in the next slot. */
#define FLUE_FLAG_MORE 0x4u
/* The block has no parent in this tree. */
#define FLUE_FLAG_ROOT 0x8u
/* Carries links only; names no object. */
#define FLUE_FLAG_PLACEHOLDER 0x10u
/* Const variables follow. */
#define FLUE_FLAG_CONST 0x20u
/* Cached variables follow. */
#define FLUE_FLAG_CACHED 0x40u
/* Delegated variables follow. */
#define FLUE_FLAG_DELEGATED 0x80u
/* A path's addresses are IPv6. */
#define FLUE_FLAG_IPV6 0x100u
/* Update of a neighbor: relink the paths whose handles stand in a list. */
#define FLUE_FLAG_LIST 0x200u
/* Update of a neighbor: relink all paths of another neighbor. */
#define FLUE_FLAG_ALL_OF 0x400u
/* The slot continues the block before it. */
#define FLUE_FLAG_CONTINUATION 0x800u

/* Bits of a connection's const flags. */
/* TIMESTAMP_ENABLED: a timestamp stands in every segment (RFC 7323). */
#define FLUE_CONST_FLAG_TIMESTAMP_ENABLED 0x1u
/* SACK_ENABLED: selective acknowledgement is sent and used (RFC 2018). */
#define FLUE_CONST_FLAG_SACK_ENABLED 0x2u
/* WINDOW_SCALING_ENABLED: the two window scales are used (RFC 7323). */
#define FLUE_CONST_FLAG_WINDOW_SCALING_ENABLED 0x4u

/* Bits of a connection's cached flags. */
/* KEEP_ALIVE_ENABLED. */
#define FLUE_CACHED_FLAG_KEEP_ALIVE_ENABLED 0x1u
/* NAGLING_ENABLED. */
#define FLUE_CACHED_FLAG_NAGLING_ENABLED 0x2u
/* KEEP_ALIVE_RESTART: reset the keep-alive timer. */
#define FLUE_CACHED_FLAG_KEEP_ALIVE_RESTART 0x4u
/* MAX_RT_RESTART: reset TotalRT. */
#define FLUE_CACHED_FLAG_MAX_RT_RESTART 0x8u
/* UPDATE_RCV_WND: InitialRcvWnd changed. */
#define FLUE_CACHED_FLAG_UPDATE_RCV_WND 0x10u

/* RFC 9293 connection states, as the delegated state variable has them. */
/* CLOSED. */
#define FLUE_TCP_STATE_CLOSED 0x0u
/* LISTEN. */
#define FLUE_TCP_STATE_LISTEN 0x1u
/* SYN-SENT. */
#define FLUE_TCP_STATE_SYN_SENT 0x2u
/* SYN-RECEIVED. */
#define FLUE_TCP_STATE_SYN_RCVD 0x3u
/* ESTABLISHED. May be offloaded. */
#define FLUE_TCP_STATE_ESTABLISHED 0x4u
/* FIN-WAIT-1. May be offloaded. */
#define FLUE_TCP_STATE_FIN_WAIT1 0x5u
/* FIN-WAIT-2. May be offloaded. */
#define FLUE_TCP_STATE_FIN_WAIT2 0x6u
/* CLOSE-WAIT. May be offloaded. */
#define FLUE_TCP_STATE_CLOSE_WAIT 0x7u
/* CLOSING. May be offloaded. */
#define FLUE_TCP_STATE_CLOSING 0x8u
/* LAST-ACK. May be offloaded. */
#define FLUE_TCP_STATE_LAST_ACK 0x9u
/* TIME-WAIT. */
#define FLUE_TCP_STATE_TIME_WAIT 0xau

/* Byte offsets in the slots of a block. */
/* Byte offset of a block's variables in its slot. */
#define FLUE_SLOT_VARIABLES 0x18u
/* Byte offset of Selection in a neighbor's block. */
#define FLUE_SLOT_SELECTION 0x30u
/* Byte offset of the state offset (u32) in every block's first slot: where, from the start of
 * the result buffer, queried or returned state goes, or the status bytes of a list. A multiple
 * of 64. */
#define FLUE_SLOT_STATE_OFFSET 0x3cu
/* Byte offset of the variables in a continuation slot. */
#define FLUE_SLOT_CONTINUATION_VARIABLES 0x8u

/* The first 24 bytes of every slot that begins a block. Written by the host. */
struct flue_command_header {
    /* Operation; the same in every slot of a tree. */
    uint8_t opcode;
    /* Kind of object the block speaks of. */
    uint8_t kind;
    /* Flags. */
    uint16_t flags;
    /* Chosen by the host, returned in the completion. First slot of a tree only, else 0. */
    uint16_t tag;
    /* Length of the result buffer in units of 512 bytes. First slot of a tree only, else 0. */
    uint16_t result_units;
    /* The object; 0 for one that is to be created, and for a placeholder. */
    uint64_t handle;
    /* IOVA of the result buffer, aligned to 64 bytes. First slot of a tree only, else 0. */
    uint64_t result;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_command_header) == 24, "flue_command_header");
FLUE_ASSERT(offsetof(struct flue_command_header, opcode) == 0, "flue_command_header.opcode");
FLUE_ASSERT(offsetof(struct flue_command_header, kind) == 1, "flue_command_header.kind");
FLUE_ASSERT(offsetof(struct flue_command_header, flags) == 2, "flue_command_header.flags");
FLUE_ASSERT(offsetof(struct flue_command_header, tag) == 4, "flue_command_header.tag");
FLUE_ASSERT(offsetof(struct flue_command_header, result_units) == 6, "flue_command_header.result_units");
FLUE_ASSERT(offsetof(struct flue_command_header, handle) == 8, "flue_command_header.handle");
FLUE_ASSERT(offsetof(struct flue_command_header, result) == 16, "flue_command_header.result");

/* Variables of a neighbor, at byte 24 of its block and of its state record. */
struct flue_neighbor_variables {
    /* DlDestinationAddress, cached: the next hop's MAC. */
    uint8_t destination[6];
    /* DlSourceAddress, const: our MAC towards it; zero for the port's own. */
    uint8_t source[6];
    /* VlanId, const: 1 to 4094; 0 for none. */
    uint16_t vlan;
    /* Zero. */
    uint16_t reserved;
    /* HostReachabilityDelta, cached: age in ms of the host's last confirmation. */
    uint32_t host_reachability;
    /* NicReachabilityDelta, delegated: age in ms of the card's last confirmation. */
    uint32_t card_reachability;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_neighbor_variables) == 24, "flue_neighbor_variables");
FLUE_ASSERT(offsetof(struct flue_neighbor_variables, destination) == 0, "flue_neighbor_variables.destination");
FLUE_ASSERT(offsetof(struct flue_neighbor_variables, source) == 6, "flue_neighbor_variables.source");
FLUE_ASSERT(offsetof(struct flue_neighbor_variables, vlan) == 12, "flue_neighbor_variables.vlan");
FLUE_ASSERT(offsetof(struct flue_neighbor_variables, reserved) == 14, "flue_neighbor_variables.reserved");
FLUE_ASSERT(offsetof(struct flue_neighbor_variables, host_reachability) == 16, "flue_neighbor_variables.host_reachability");
FLUE_ASSERT(offsetof(struct flue_neighbor_variables, card_reachability) == 20, "flue_neighbor_variables.card_reachability");

/* Whose paths an update of a neighbor relinks, at byte 48 of the neighbor's block. */
struct flue_selection {
    /* With LIST, the IOVA of the handles, aligned to 64 bytes. With ALL_OF, the old neighbor's
     * handle. */
    uint64_t list;
    /* With LIST, the number of handles. Else 0. */
    uint32_t count;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_selection) == 12, "flue_selection");
FLUE_ASSERT(offsetof(struct flue_selection, list) == 0, "flue_selection.list");
FLUE_ASSERT(offsetof(struct flue_selection, count) == 8, "flue_selection.count");

/* Variables of a path, at byte 24 of its block and of its state record. */
struct flue_path_variables {
    /* SourceAddress, const, network order; an IPv4 address in the first four bytes, the rest
     * zero. */
    uint8_t source[16];
    /* DestinationAddress, const, network order; an IPv4 address in the first four bytes, the
     * rest zero. */
    uint8_t destination[16];
    /* PathMtu, cached, bytes, IP header included (RFC 1191, RFC 8201). */
    uint32_t mtu;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_path_variables) == 36, "flue_path_variables");
FLUE_ASSERT(offsetof(struct flue_path_variables, source) == 0, "flue_path_variables.source");
FLUE_ASSERT(offsetof(struct flue_path_variables, destination) == 16, "flue_path_variables.destination");
FLUE_ASSERT(offsetof(struct flue_path_variables, mtu) == 32, "flue_path_variables.mtu");

/* Const variables of a connection, at byte 24 of its block and of its state record. */
struct flue_connection_const {
    /* Flags: 1 timestamps, 2 selective acknowledgement, 4 window scaling (RFC 7323, RFC 2018). */
    uint16_t flags;
    /* RemotePort. */
    uint16_t remote_port;
    /* LocalPort. */
    uint16_t local_port;
    /* RemoteMss, bytes: what the peer advertised. */
    uint16_t remote_mss;
    /* HashValue: the receive-side-scaling hash, given by the host. */
    uint32_t hash_value;
    /* SndWindScale, 0 to 14. */
    uint8_t snd_wind_scale;
    /* RcvWindScale, 0 to 14. */
    uint8_t rcv_wind_scale;
    /* Zero. */
    uint16_t reserved;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_connection_const) == 16, "flue_connection_const");
FLUE_ASSERT(offsetof(struct flue_connection_const, flags) == 0, "flue_connection_const.flags");
FLUE_ASSERT(offsetof(struct flue_connection_const, remote_port) == 2, "flue_connection_const.remote_port");
FLUE_ASSERT(offsetof(struct flue_connection_const, local_port) == 4, "flue_connection_const.local_port");
FLUE_ASSERT(offsetof(struct flue_connection_const, remote_mss) == 6, "flue_connection_const.remote_mss");
FLUE_ASSERT(offsetof(struct flue_connection_const, hash_value) == 8, "flue_connection_const.hash_value");
FLUE_ASSERT(offsetof(struct flue_connection_const, snd_wind_scale) == 12, "flue_connection_const.snd_wind_scale");
FLUE_ASSERT(offsetof(struct flue_connection_const, rcv_wind_scale) == 13, "flue_connection_const.rcv_wind_scale");
FLUE_ASSERT(offsetof(struct flue_connection_const, reserved) == 14, "flue_connection_const.reserved");

/* Cached variables of a connection, in the first continuation slot that carries them. */
struct flue_connection_cached {
    /* Flags: 1 keep-alive, 2 Nagle, 4 restart keep-alive, 8 restart MaxRT, 16 receive window
     * changed. */
    uint16_t flags;
    /* KaProbeCount: keep-alive probes. */
    uint8_t ka_probe_count;
    /* TtlOrHopLimit. */
    uint8_t ttl_or_hop_limit;
    /* TosOrTrafficClass. */
    uint8_t tos_or_traffic_class;
    /* UserPriority, 0 to 7 (IEEE 802.1p). */
    uint8_t user_priority;
    /* Zero. */
    uint16_t reserved;
    /* InitialRcvWnd, bytes. */
    uint32_t initial_rcv_wnd;
    /* RcvIndicationSize, bytes; 0 for as much as possible. */
    uint32_t rcv_indication_size;
    /* KaTimeout, ms. */
    uint32_t ka_timeout;
    /* KaInterval, ms. */
    uint32_t ka_interval;
    /* MaxRT, ms; 0 for the global count, 0xffff_ffff for no limit. */
    uint32_t max_rt;
    /* FlowLabel, 20 bits (RFC 6437). */
    uint32_t flow_label;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_connection_cached) == 32, "flue_connection_cached");
FLUE_ASSERT(offsetof(struct flue_connection_cached, flags) == 0, "flue_connection_cached.flags");
FLUE_ASSERT(offsetof(struct flue_connection_cached, ka_probe_count) == 2, "flue_connection_cached.ka_probe_count");
FLUE_ASSERT(offsetof(struct flue_connection_cached, ttl_or_hop_limit) == 3, "flue_connection_cached.ttl_or_hop_limit");
FLUE_ASSERT(offsetof(struct flue_connection_cached, tos_or_traffic_class) == 4, "flue_connection_cached.tos_or_traffic_class");
FLUE_ASSERT(offsetof(struct flue_connection_cached, user_priority) == 5, "flue_connection_cached.user_priority");
FLUE_ASSERT(offsetof(struct flue_connection_cached, reserved) == 6, "flue_connection_cached.reserved");
FLUE_ASSERT(offsetof(struct flue_connection_cached, initial_rcv_wnd) == 8, "flue_connection_cached.initial_rcv_wnd");
FLUE_ASSERT(offsetof(struct flue_connection_cached, rcv_indication_size) == 12, "flue_connection_cached.rcv_indication_size");
FLUE_ASSERT(offsetof(struct flue_connection_cached, ka_timeout) == 16, "flue_connection_cached.ka_timeout");
FLUE_ASSERT(offsetof(struct flue_connection_cached, ka_interval) == 20, "flue_connection_cached.ka_interval");
FLUE_ASSERT(offsetof(struct flue_connection_cached, max_rt) == 24, "flue_connection_cached.max_rt");
FLUE_ASSERT(offsetof(struct flue_connection_cached, flow_label) == 28, "flue_connection_cached.flow_label");

/* Delegated variables of a connection, in two continuation slots of 56 bytes each. */
struct flue_connection_delegated {
    /* State: see TcpState. */
    uint8_t state;
    /* DupAckCount. */
    uint8_t dup_ack_count;
    /* SndWndProbeCount. */
    uint8_t snd_wnd_probe_count;
    /* KeepAlive.ProbeCount. */
    uint8_t keep_alive_probe_count;
    /* Retransmit.Count. */
    uint8_t retransmit_count;
    /* Zero. */
    uint8_t reserved;
    /* Flags; reserved. */
    uint16_t flags;
    /* RcvNxt, sequence number. */
    uint32_t rcv_nxt;
    /* RcvWnd, bytes. */
    uint32_t rcv_wnd;
    /* SndUna, sequence number. */
    uint32_t snd_una;
    /* SndNxt, sequence number. */
    uint32_t snd_nxt;
    /* SndMax, sequence number. */
    uint32_t snd_max;
    /* SndWnd, bytes. */
    uint32_t snd_wnd;
    /* MaxSndWnd, bytes. */
    uint32_t max_snd_wnd;
    /* SendWL1, sequence number. */
    uint32_t send_wl1;
    /* CWnd, bytes (RFC 5681). */
    uint32_t c_wnd;
    /* SsThresh, bytes (RFC 5681). */
    uint32_t ss_thresh;
    /* SRtt, ms, eightfold (RFC 6298). */
    uint16_t s_rtt;
    /* RttVar, ms, fourfold (RFC 6298). */
    uint16_t rtt_var;
    /* TsRecent (RFC 7323). */
    uint32_t ts_recent;
    /* TsRecentAge, ms. */
    uint32_t ts_recent_age;
    /* TsTime, ms. */
    uint32_t ts_time;
    /* TotalRT, ms. */
    uint32_t total_rt;
    /* KeepAlive.TimeoutDelta, ms; 0xffff_ffff when not running. */
    uint32_t keep_alive_timeout_delta;
    /* Retransmit.TimeoutDelta, ms; 0xffff_ffff when not running. */
    uint32_t retransmit_timeout_delta;
    /* SendBacklogSize, bytes; query only, 0xffff_ffff when unsupported. */
    uint32_t send_backlog_size;
    /* ReceiveBacklogSize, bytes; query only, 0xffff_ffff when unsupported. */
    uint32_t receive_backlog_size;
    /* DWnd. */
    uint32_t d_wnd;
    /* SendDataHead, IOVA. */
    uint64_t send_data_head;
    /* SendDataTail, IOVA. */
    uint64_t send_data_tail;
    /* BufferedData, IOVA. */
    uint64_t buffered_data;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_connection_delegated) == 112, "flue_connection_delegated");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, state) == 0, "flue_connection_delegated.state");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, dup_ack_count) == 1, "flue_connection_delegated.dup_ack_count");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, snd_wnd_probe_count) == 2, "flue_connection_delegated.snd_wnd_probe_count");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, keep_alive_probe_count) == 3, "flue_connection_delegated.keep_alive_probe_count");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, retransmit_count) == 4, "flue_connection_delegated.retransmit_count");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, reserved) == 5, "flue_connection_delegated.reserved");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, flags) == 6, "flue_connection_delegated.flags");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, rcv_nxt) == 8, "flue_connection_delegated.rcv_nxt");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, rcv_wnd) == 12, "flue_connection_delegated.rcv_wnd");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, snd_una) == 16, "flue_connection_delegated.snd_una");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, snd_nxt) == 20, "flue_connection_delegated.snd_nxt");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, snd_max) == 24, "flue_connection_delegated.snd_max");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, snd_wnd) == 28, "flue_connection_delegated.snd_wnd");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, max_snd_wnd) == 32, "flue_connection_delegated.max_snd_wnd");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, send_wl1) == 36, "flue_connection_delegated.send_wl1");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, c_wnd) == 40, "flue_connection_delegated.c_wnd");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, ss_thresh) == 44, "flue_connection_delegated.ss_thresh");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, s_rtt) == 48, "flue_connection_delegated.s_rtt");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, rtt_var) == 50, "flue_connection_delegated.rtt_var");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, ts_recent) == 52, "flue_connection_delegated.ts_recent");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, ts_recent_age) == 56, "flue_connection_delegated.ts_recent_age");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, ts_time) == 60, "flue_connection_delegated.ts_time");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, total_rt) == 64, "flue_connection_delegated.total_rt");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, keep_alive_timeout_delta) == 68, "flue_connection_delegated.keep_alive_timeout_delta");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, retransmit_timeout_delta) == 72, "flue_connection_delegated.retransmit_timeout_delta");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, send_backlog_size) == 76, "flue_connection_delegated.send_backlog_size");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, receive_backlog_size) == 80, "flue_connection_delegated.receive_backlog_size");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, d_wnd) == 84, "flue_connection_delegated.d_wnd");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, send_data_head) == 88, "flue_connection_delegated.send_data_head");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, send_data_tail) == 96, "flue_connection_delegated.send_data_tail");
FLUE_ASSERT(offsetof(struct flue_connection_delegated, buffered_data) == 104, "flue_connection_delegated.buffered_data");

/* One a tree, in its ring's completion ring, in ring order. */
struct flue_completion {
    /* Blocks (and list entries) that were carried out. */
    uint32_t done;
    /* Blocks (and list entries) that were not. */
    uint32_t failed;
    /* See Detail: why the tree as a whole could not be carried out, else 0. */
    uint32_t detail;
    /* Tag of the tree's first slot. */
    uint16_t tag;
    /* Status of the tree: success when all blocks were done, failure when none was, else
     * partial success. */
    uint8_t status;
    /* Bit 0: phase. */
    uint8_t phase;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_completion) == 16, "flue_completion");
FLUE_ASSERT(offsetof(struct flue_completion, done) == 0, "flue_completion.done");
FLUE_ASSERT(offsetof(struct flue_completion, failed) == 4, "flue_completion.failed");
FLUE_ASSERT(offsetof(struct flue_completion, detail) == 8, "flue_completion.detail");
FLUE_ASSERT(offsetof(struct flue_completion, tag) == 12, "flue_completion.tag");
FLUE_ASSERT(offsetof(struct flue_completion, status) == 14, "flue_completion.status");
FLUE_ASSERT(offsetof(struct flue_completion, phase) == 15, "flue_completion.phase");

/* One a block, at 16 × its number in the tree from the start of the result buffer. */
struct flue_result_record {
    /* The object's handle: new at initiate, else as the block had it. 0 when initiate failed. */
    uint64_t handle;
    /* Status of the block. */
    uint8_t status;
    /* With ALL_OF: status of the old neighbor. Else 0. */
    uint8_t old_status;
    /* Zero. */
    uint16_t reserved;
    /* After success: paths moved (LIST, ALL_OF). After anything else: see Detail. */
    uint32_t detail;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_result_record) == 16, "flue_result_record");
FLUE_ASSERT(offsetof(struct flue_result_record, handle) == 0, "flue_result_record.handle");
FLUE_ASSERT(offsetof(struct flue_result_record, status) == 8, "flue_result_record.status");
FLUE_ASSERT(offsetof(struct flue_result_record, old_status) == 9, "flue_result_record.old_status");
FLUE_ASSERT(offsetof(struct flue_result_record, reserved) == 10, "flue_result_record.reserved");
FLUE_ASSERT(offsetof(struct flue_result_record, detail) == 12, "flue_result_record.detail");

/* Head of a state record in the result buffer; the variables follow at byte 24 as in a
 * command. 64 bytes for a neighbor or a path; 256 for a connection, whose other variables
 * stand at bytes 64 (cached) and 128 (delegated) of the record. */
struct flue_state_header {
    /* Kind of the object. */
    uint8_t kind;
    /* 1 when the object itself was invalidated. */
    uint8_t invalid;
    /* Flags as in a command: IPV6, and the classes that the record carries. */
    uint16_t flags;
    /* Objects that hang from it. */
    uint32_t dependents;
    /* Handle of the object it hangs from; 0 for a neighbor. */
    uint64_t parent;
    /* Zero. */
    uint64_t reserved;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_state_header) == 24, "flue_state_header");
FLUE_ASSERT(offsetof(struct flue_state_header, kind) == 0, "flue_state_header.kind");
FLUE_ASSERT(offsetof(struct flue_state_header, invalid) == 1, "flue_state_header.invalid");
FLUE_ASSERT(offsetof(struct flue_state_header, flags) == 2, "flue_state_header.flags");
FLUE_ASSERT(offsetof(struct flue_state_header, dependents) == 4, "flue_state_header.dependents");
FLUE_ASSERT(offsetof(struct flue_state_header, parent) == 8, "flue_state_header.parent");
FLUE_ASSERT(offsetof(struct flue_state_header, reserved) == 16, "flue_state_header.reserved");

/* Sizes and byte offsets of state records. */
/* Bytes of a neighbor's or path's state record. */
#define FLUE_RECORD_STATE_RECORD_BYTES 0x40u
/* Bytes of a connection's state record. */
#define FLUE_RECORD_CONNECTION_RECORD_BYTES 0x100u
/* Byte offset of the cached variables in a connection's state record. */
#define FLUE_RECORD_CONNECTION_RECORD_CACHED 0x40u
/* Byte offset of the delegated variables in a connection's state record. */
#define FLUE_RECORD_CONNECTION_RECORD_DELEGATED 0x80u

/* One entry of the event ring. Written by the card; the phase makes it valid. */
struct flue_event {
    /* The object it is about. */
    uint64_t handle;
    /* Card time in ms. */
    uint32_t time_ms;
    /* See EventKind. */
    uint8_t kind;
    /* 1 when events were lost before this one: the host has to look for itself. */
    uint8_t rescan;
    /* Zero. */
    uint8_t reserved;
    /* Bit 0: phase. */
    uint8_t phase;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_event) == 16, "flue_event");
FLUE_ASSERT(offsetof(struct flue_event, handle) == 0, "flue_event.handle");
FLUE_ASSERT(offsetof(struct flue_event, time_ms) == 8, "flue_event.time_ms");
FLUE_ASSERT(offsetof(struct flue_event, kind) == 12, "flue_event.kind");
FLUE_ASSERT(offsetof(struct flue_event, rescan) == 13, "flue_event.rescan");
FLUE_ASSERT(offsetof(struct flue_event, reserved) == 14, "flue_event.reserved");
FLUE_ASSERT(offsetof(struct flue_event, phase) == 15, "flue_event.phase");

/* Where the phase stands in a completion, a transmit completion or an event. */
/* Word of a completion, transmit completion or event that holds the phase. */
#define FLUE_ENTRY_PHASE_WORD 0x3u
/* Bit of the phase in that word. */
#define FLUE_ENTRY_PHASE_SHIFT 0x18u

/* Flags of a transmit descriptor. */
/* Flag of a transmit descriptor: progress_ms is valid. */
#define FLUE_TRANSMIT_FLAG_PROGRESS 0x1u

/* One packet to send. Written by the host before the doorbell. */
struct flue_transmit_descriptor {
    /* The path or connection. */
    uint64_t handle;
    /* IOVA of the IP packet. */
    uint64_t buffer;
    /* Bytes of the IP packet, its header included. */
    uint32_t bytes;
    /* Chosen by the host, returned in the completion. */
    uint32_t tag;
    /* Forward progress: the card time (stamp_ms) at which a frame of this path left that the
     * peer has since acknowledged; what MSG_CONFIRM of send(2) says to a kernel. Taken only
     * with PROGRESS. */
    uint32_t progress_ms;
    /* Bit 0, PROGRESS: progress_ms is valid. The others are zero. */
    uint32_t flags;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_transmit_descriptor) == 32, "flue_transmit_descriptor");
FLUE_ASSERT(offsetof(struct flue_transmit_descriptor, handle) == 0, "flue_transmit_descriptor.handle");
FLUE_ASSERT(offsetof(struct flue_transmit_descriptor, buffer) == 8, "flue_transmit_descriptor.buffer");
FLUE_ASSERT(offsetof(struct flue_transmit_descriptor, bytes) == 16, "flue_transmit_descriptor.bytes");
FLUE_ASSERT(offsetof(struct flue_transmit_descriptor, tag) == 20, "flue_transmit_descriptor.tag");
FLUE_ASSERT(offsetof(struct flue_transmit_descriptor, progress_ms) == 24, "flue_transmit_descriptor.progress_ms");
FLUE_ASSERT(offsetof(struct flue_transmit_descriptor, flags) == 28, "flue_transmit_descriptor.flags");

/* One a descriptor. Written by the card; the phase makes it valid. */
struct flue_transmit_completion {
    /* Tag of the descriptor. */
    uint32_t tag;
    /* Card time in ms at which the frame left or was dropped. */
    uint32_t stamp_ms;
    /* Zero. */
    uint32_t reserved;
    /* See TransmitStatus. */
    uint8_t status;
    /* Zero. */
    uint8_t reserved2;
    /* Zero. */
    uint8_t reserved3;
    /* Bit 0: phase. */
    uint8_t phase;
} __attribute__((packed, aligned(4)));
FLUE_ASSERT(sizeof(struct flue_transmit_completion) == 16, "flue_transmit_completion");
FLUE_ASSERT(offsetof(struct flue_transmit_completion, tag) == 0, "flue_transmit_completion.tag");
FLUE_ASSERT(offsetof(struct flue_transmit_completion, stamp_ms) == 4, "flue_transmit_completion.stamp_ms");
FLUE_ASSERT(offsetof(struct flue_transmit_completion, reserved) == 8, "flue_transmit_completion.reserved");
FLUE_ASSERT(offsetof(struct flue_transmit_completion, status) == 12, "flue_transmit_completion.status");
FLUE_ASSERT(offsetof(struct flue_transmit_completion, reserved2) == 13, "flue_transmit_completion.reserved2");
FLUE_ASSERT(offsetof(struct flue_transmit_completion, reserved3) == 14, "flue_transmit_completion.reserved3");
FLUE_ASSERT(offsetof(struct flue_transmit_completion, phase) == 15, "flue_transmit_completion.phase");

/* A neighbor's hot line. */
#define FLUE_TABLE_NEIGHBOR_WORDS 16u
/* Shared: LIVE, INVALID. */
#define FLUE_TABLE_NEIGHBOR_CONTROL 0u
/* Shared: generation of the slot's occupant. */
#define FLUE_TABLE_NEIGHBOR_GENERATION 1u
/* Shared: which header bank is valid, 0 or 1. */
#define FLUE_TABLE_NEIGHBOR_SELECT 2u
/* Shared: card time in ms at which the host confirmed reachability (HRT). */
#define FLUE_TABLE_NEIGHBOR_HOST_CONFIRMED 3u
/* Shared: first of the four words of header bank 0. */
#define FLUE_TABLE_NEIGHBOR_BANK0 4u
/* Shared: first of the four words of header bank 1. */
#define FLUE_TABLE_NEIGHBOR_BANK1 8u
/* Shared: card time in ms of the card's confirmation as it was offloaded (NRT). */
#define FLUE_TABLE_NEIGHBOR_CARD_CONFIRMED 12u
/* Private: card time in ms at which the host was last asked about it. */
#define FLUE_TABLE_NEIGHBOR_QUERIED 13u

/* A header bank: the Ethernet addresses as they stand in a frame, then the VLAN. */
#define FLUE_TABLE_BANK_WORDS 4u
/* Destination MAC bytes 0 to 3, the first in the lowest byte. */
#define FLUE_TABLE_BANK_DESTINATION 0u
/* Destination MAC bytes 4 and 5 in the lower half, source MAC bytes 0 and 1 in the upper. */
#define FLUE_TABLE_BANK_ADDRESSES 1u
/* Source MAC bytes 2 to 5. */
#define FLUE_TABLE_BANK_SOURCE 2u
/* VLAN identifier, 0 for none. */
#define FLUE_TABLE_BANK_VLAN 3u

/* A neighbor's private words. */
#define FLUE_TABLE_NEIGHBOR_PRIVATE_WORDS 8u
/* Home alias: the one that new paths attach to. */
#define FLUE_TABLE_NEIGHBOR_PRIVATE_HOME 0u
/* First alias that leads to this neighbor, plus 1; the home alias is among them. */
#define FLUE_TABLE_NEIGHBOR_PRIVATE_ALIASES 1u
/* Paths linked to it. */
#define FLUE_TABLE_NEIGHBOR_PRIVATE_PATHS 2u
/* Epoch that must have been announced before the next command may touch it. */
#define FLUE_TABLE_NEIGHBOR_PRIVATE_FENCE 3u
/* Relinks under way to or from it. */
#define FLUE_TABLE_NEIGHBOR_PRIVATE_PINS 4u
/* Source MAC slot, plus 1; 0 for the port's own. */
#define FLUE_TABLE_NEIGHBOR_PRIVATE_SOURCE_SLOT 5u
/* Next neighbor in the queue of retired slots, plus 1. */
#define FLUE_TABLE_NEIGHBOR_PRIVATE_NEXT 6u
/* Epoch after which a retired slot may be given out again. */
#define FLUE_TABLE_NEIGHBOR_PRIVATE_EPOCH 7u

/* A path, as the datapath reads it and a relink writes it. */
#define FLUE_TABLE_PATH_WORDS 8u
/* Shared: LIVE, INVALID, IS_IPV6. */
#define FLUE_TABLE_PATH_CONTROL 0u
/* Shared: generation of the slot's occupant. */
#define FLUE_TABLE_PATH_GENERATION 1u
/* Shared: the link word: an alias. */
#define FLUE_TABLE_PATH_LINK 2u
/* Shared: path MTU in bytes. */
#define FLUE_TABLE_PATH_MTU 3u
/* Shared: card time in ms at which the link word was last written. */
#define FLUE_TABLE_PATH_LINKED_MS 4u
/* Private: connections linked to it. */
#define FLUE_TABLE_PATH_CONNECTIONS 5u
/* Private: next path in the queue of retired slots, plus 1. */
#define FLUE_TABLE_PATH_NEXT 6u
/* Private: epoch after which a retired slot may be given out again. */
#define FLUE_TABLE_PATH_EPOCH 7u

/* A path's private words: its addresses. */
#define FLUE_TABLE_PATH_ADDRESSES_WORDS 8u
/* Source address, four words as they stand in memory order. */
#define FLUE_TABLE_PATH_ADDRESSES_SOURCE 0u
/* Destination address, four words as they stand in memory order. */
#define FLUE_TABLE_PATH_ADDRESSES_DESTINATION 4u

/* A connection, as the datapath reads it. */
#define FLUE_TABLE_CONNECTION_WORDS 4u
/* Shared: LIVE, INVALID, UPLOAD. */
#define FLUE_TABLE_CONNECTION_CONTROL 0u
/* Shared: generation of the slot's occupant. */
#define FLUE_TABLE_CONNECTION_GENERATION 1u
/* Shared: the path it hangs from. */
#define FLUE_TABLE_CONNECTION_PATH 2u
/* Shared: 802.1p priority, 0 to 7. */
#define FLUE_TABLE_CONNECTION_PRIORITY 3u

/* A connection's private words. */
#define FLUE_TABLE_CONNECTION_PRIVATE_WORDS 8u
/* Card time in ms at which a frame was first held. */
#define FLUE_TABLE_CONNECTION_PRIVATE_HELD_SINCE 0u
/* Next connection that waits for its grace time, plus 1. */
#define FLUE_TABLE_CONNECTION_PRIVATE_NEXT_PENDING 1u
/* 1 while it waits for its grace time. */
#define FLUE_TABLE_CONNECTION_PRIVATE_IS_PENDING 2u
/* Next connection in the queue of retired slots, plus 1. */
#define FLUE_TABLE_CONNECTION_PRIVATE_NEXT 3u
/* Epoch after which a retired slot may be given out again. */
#define FLUE_TABLE_CONNECTION_PRIVATE_EPOCH 4u

/* A connection's cold state: const, cached and delegated variables as in a command. */
#define FLUE_TABLE_CONNECTION_STATE_WORDS 48u
/* ConnectionConst, 4 words. */
#define FLUE_TABLE_CONNECTION_STATE_CONST 0u
/* ConnectionCached, 8 words. */
#define FLUE_TABLE_CONNECTION_STATE_CACHED 4u
/* ConnectionDelegated, 28 words. */
#define FLUE_TABLE_CONNECTION_STATE_DELEGATED 12u

/* An alias, as the datapath reads it. */
#define FLUE_TABLE_ALIAS_WORDS 2u
/* Shared: the neighbor it leads to. */
#define FLUE_TABLE_ALIAS_VIA 0u
/* Shared: card time in ms at which VIA was last written. */
#define FLUE_TABLE_ALIAS_MOVED_MS 1u

/* An alias's private words. */
#define FLUE_TABLE_ALIAS_PRIVATE_WORDS 4u
/* Paths whose link word names it. */
#define FLUE_TABLE_ALIAS_PRIVATE_PATHS 0u
/* Next alias of the same neighbor, or in the queue of retired slots, plus 1. */
#define FLUE_TABLE_ALIAS_PRIVATE_NEXT 1u
/* Epoch after which a retired alias may be given out again. */
#define FLUE_TABLE_ALIAS_PRIVATE_EPOCH 2u

/* A neighbor's reachability as the datapath saw it. Written by the datapath. */
#define FLUE_TABLE_AGE_WORDS 2u
/* Generation of the neighbor that the confirmation belongs to. Written after CONFIRMED. */
#define FLUE_TABLE_AGE_GENERATION 0u
/* Card time in ms of the last forward progress. */
#define FLUE_TABLE_AGE_CONFIRMED 1u

/* A source MAC address in use. */
#define FLUE_TABLE_SOURCE_MAC_WORDS 4u
/* First four bytes. */
#define FLUE_TABLE_SOURCE_MAC_LOW 0u
/* Last two bytes. */
#define FLUE_TABLE_SOURCE_MAC_HIGH 1u
/* Neighbors that use it; 0 for a free slot. */
#define FLUE_TABLE_SOURCE_MAC_USERS 2u

/* A VLAN: one word each of 4096. */
#define FLUE_TABLE_VLAN_WORDS 1u
/* Neighbors that use it. */
#define FLUE_TABLE_VLAN_USERS 0u

/* Bits of a CONTROL word. */
/* The slot holds an object. */
#define FLUE_CONTROL_LIVE 0x1u
/* The object was invalidated. */
#define FLUE_CONTROL_INVALID 0x2u
/* The path's addresses are IPv6. */
#define FLUE_CONTROL_IS_IPV6 0x4u
/* Upload of the connection was asked for: it sends nothing more. */
#define FLUE_CONTROL_UPLOAD 0x8u

/* Limits that hold for every card. */
/* Size of BAR0 in bytes. */
#define FLUE_LIMIT_BAR_BYTES 0x10000u
/* Bytes of the command slot, and the alignment of a command ring. */
#define FLUE_LIMIT_SLOT_BYTES 0x40u
/* Smallest ring, in slots. */
#define FLUE_LIMIT_RING_SLOTS_MIN 0x2u
/* Largest ring, in slots. */
#define FLUE_LIMIT_RING_SLOTS_MAX 0x10000u
/* Command rings a card can have, each with a completion ring. */
#define FLUE_LIMIT_COMMAND_RINGS_MAX 0x8u
/* Transmit rings a card can have, each with a completion ring. */
#define FLUE_LIMIT_TRANSMIT_RINGS_MAX 0x8u
/* MSI-X vectors a card can have. */
#define FLUE_LIMIT_VECTORS_MAX 0x10u
/* Alignment of rings, result buffers, lists and status bytes, in bytes. */
#define FLUE_LIMIT_DMA_ALIGN 0x40u
/* Unit in which a result buffer's length is given, in bytes. */
#define FLUE_LIMIT_RESULT_UNIT 0x200u
/* Blocks in one tree. */
#define FLUE_LIMIT_TREE_BLOCKS_MAX 0x1e8480u
/* Slots that one block chains: a connection with all its state. */
#define FLUE_LIMIT_BLOCK_SLOTS_MAX 0x4u
/* Entries in one list of handles. */
#define FLUE_LIMIT_LIST_ENTRIES_MAX 0x400000u
/* Entries of a list that are carried out before other rings are served. */
#define FLUE_LIMIT_LIST_CHUNK 0x80u
/* Aliases that one neighbor can have. */
#define FLUE_LIMIT_NEIGHBOR_ALIASES_MAX 0x4u
/* Frames that one batch of the datapath resolves between two announcements. */
#define FLUE_LIMIT_RESOLVE_BATCH 0x40u
/* Held frames that the datapath looks at again in one batch. */
#define FLUE_LIMIT_HOLD_RETRY_BATCH 0x40u
/* Smallest path MTU over IPv4 in bytes (RFC 791). */
#define FLUE_LIMIT_MTU_MIN_IPV4 0x44u
/* Smallest path MTU over IPv6 in bytes (RFC 8200). */
#define FLUE_LIMIT_MTU_MIN_IPV6 0x500u
/* Largest path MTU in bytes, IP header included. */
#define FLUE_LIMIT_MTU_MAX 0x2400u
/* Largest VLAN identifier (IEEE 802.1Q: 4095 is reserved). */
#define FLUE_LIMIT_VLAN_MAX 0xffeu
/* Interface VLANs that can be set at attach. */
#define FLUE_LIMIT_PORT_VLANS_MAX 0x10u
/* Completions of one ring that can wait for a fence. */
#define FLUE_LIMIT_PARKED_MAX 0x10u
/* A reader that has not announced an epoch for this long fails the card, in ms. */
#define FLUE_LIMIT_FENCE_DEADLINE_MS 0x3e8u
/* Reset is acknowledged within this time, in ms. */
#define FLUE_LIMIT_RESET_DEADLINE_MS 0x3e8u
/* The heartbeat moves at least this often while the card is ready, in ms. */
#define FLUE_LIMIT_HEARTBEAT_DEADLINE_MS 0x3e8u
/* Notices that the datapath can leave for the firmware before it forgets some. */
#define FLUE_LIMIT_NOTICES_MAX 0x400u

/* The core's address map. All but RAM and the control page is not to be cached. */
/* Start of RAM: code, read-only data, statics, stack. The core starts here. */
#define FLUE_CORE_MAP_RAM 0x80000000u
/* Size of RAM in bytes. */
#define FLUE_CORE_MAP_RAM_BYTES 0x20000u
/* Start of the control page: that of the test finisher of QEMU's virt machine. */
#define FLUE_CORE_MAP_CONTROL 0x100000u
/* Size of the control page in bytes. */
#define FLUE_CORE_MAP_CONTROL_BYTES 0x1000u
/* Start of the registers. */
#define FLUE_CORE_MAP_REGISTERS 0x90000000u
/* Size of the register page in bytes. */
#define FLUE_CORE_MAP_REGISTERS_BYTES 0x1000u
/* Mailboxes, one of MAILBOX_SLOTS command slots a command ring. */
#define FLUE_CORE_MAP_MAILBOXES 0x90010000u
/* The outbox: OUTBOX_ENTRIES entries. */
#define FLUE_CORE_MAP_OUTBOX 0x90020000u
/* List buffers: LIST_BUFFERS chunks of handles a command ring. */
#define FLUE_CORE_MAP_LISTS 0x90030000u
/* Notices of the datapath: NOTICE_SLOTS of four words. */
#define FLUE_CORE_MAP_NOTICES 0x90040000u
/* The firmware's trace ring. */
#define FLUE_CORE_MAP_TRACE 0x90050000u
/* Start of table memory. */
#define FLUE_CORE_MAP_TABLES 0xa0000000u
/* Address space for table memory, in bytes. */
#define FLUE_CORE_MAP_TABLES_BYTES 0x60000000u

/* Sizes of the windows between core and card. */
/* Slots that wait for the firmware, a ring, those under way included. */
#define FLUE_CORE_WINDOWS_MAILBOX_SLOTS 0x40u
/* Distance of two mailboxes in bytes. */
#define FLUE_CORE_WINDOWS_MAILBOX_STRIDE 0x1000u
/* Entries that can be on their way to the host. */
#define FLUE_CORE_WINDOWS_OUTBOX_ENTRIES 0x80u
/* Distance of two outbox entries in bytes. */
#define FLUE_CORE_WINDOWS_OUTBOX_STRIDE 0x80u
/* Words that one result write carries at most. */
#define FLUE_CORE_WINDOWS_RESULT_WORDS 0x10u
/* List buffers of a command ring: one is asked for while the other is worked on. */
#define FLUE_CORE_WINDOWS_LIST_BUFFERS 0x2u
/* Distance of two list buffers in bytes. */
#define FLUE_CORE_WINDOWS_LIST_STRIDE 0x400u
/* Notices that the core can see at once. */
#define FLUE_CORE_WINDOWS_NOTICE_SLOTS 0x10u
/* Distance of two ring banks in bytes. */
#define FLUE_CORE_WINDOWS_CORE_RING_STRIDE 0x40u
/* Aliases that paths leave in one order of the link engine at most. */
#define FLUE_CORE_WINDOWS_LINK_ALIASES 0x8u
/* Words that name the entries which the link engine refused. */
#define FLUE_CORE_WINDOWS_LINK_REFUSED_WORDS 0x4u
/* Looks after which a link engine that has not answered never will. */
#define FLUE_CORE_WINDOWS_LINK_LOOKS_MAX 0x400u

/* The control page. QEMU's finisher reads as zero, so zero means: no card around the core. */
/* Wo: Ends a run without a card: see Finish. */
#define FLUE_REG_FINISH 0x0u
/* Ro: What is around the core: see CoreFeature. */
#define FLUE_REG_CORE_FEATURES 0x4u

/* Registers of the card towards its core. Offsets from the start of the register page. */
/* Ro: Entries of the neighbor table. Constant, as all capabilities. */
#define FLUE_REG_CORE_NEIGHBORS 0x0u
/* Ro: Entries of the path table. */
#define FLUE_REG_CORE_PATHS 0x4u
/* Ro: Entries of the connection table. */
#define FLUE_REG_CORE_CONNECTIONS 0x8u
/* Ro: Aliases. */
#define FLUE_REG_CORE_ALIASES 0xcu
/* Ro: Distinct source MAC addresses besides the port's own. */
#define FLUE_REG_CORE_SOURCE_MACS 0x10u
/* Ro: Distinct VLANs. */
#define FLUE_REG_CORE_VLANS 0x14u
/* Ro: Card memory for connection state, in bytes. */
#define FLUE_REG_CORE_STATE_MEMORY 0x18u
/* Ro: Command rings. */
#define FLUE_REG_CORE_COMMAND_RINGS 0x1cu
/* Ro: Transmit rings. */
#define FLUE_REG_CORE_TRANSMIT_RINGS 0x20u
/* Ro: Largest ring, in slots. */
#define FLUE_REG_CORE_RING_SLOTS 0x24u
/* Ro: MSI-X vectors. */
#define FLUE_REG_CORE_VECTORS 0x28u
/* Ro: Frames that can be held for one path. */
#define FLUE_REG_CORE_HELD_PER_PATH 0x2cu
/* Ro: Frames that can be held on the card. */
#define FLUE_REG_CORE_HELD_TOTAL 0x30u
/* Ro: Card clock in kHz. */
#define FLUE_REG_CORE_CLOCK_KHZ 0x34u
/* Ro: The port's own MAC, first four bytes, the first in the lowest byte. */
#define FLUE_REG_CORE_PORT_MAC_LOW 0x38u
/* Ro: The port's own MAC, last two bytes. */
#define FLUE_REG_CORE_PORT_MAC_HIGH 0x3cu
/* Ro: First generation of every slot. Constant from ENABLE, as all settings. */
#define FLUE_REG_CORE_GENERATION_SEED 0x40u
/* Ro: Grace time of upload requests in ms. */
#define FLUE_REG_CORE_GRACE_MS 0x44u
/* Ro: Age at which a neighbor's reachability is stale, in ms. */
#define FLUE_REG_CORE_STALE_MS 0x48u
/* Ro: Interface VLANs in use. */
#define FLUE_REG_CORE_PORT_VLANS 0x4cu
/* Rw: Set by the card when there is something new, and at least every 50 us of card time;
 * cleared by the core. The external interrupt line that ends WFI. */
#define FLUE_REG_WAKE 0x80u
/* Ro: One bit a command ring: slots wait in its mailbox, or it was stopped. */
#define FLUE_REG_PENDING 0x84u
/* Ro: One bit a command ring that was stopped by an error. */
#define FLUE_REG_STOPPED 0x88u
/* Ro: Card time in ms. */
#define FLUE_REG_CORE_TIME_MS 0x8cu
/* Ro: Card clock cycles, low word. */
#define FLUE_REG_CORE_CYCLES 0x90u
/* Rw: The oldest epoch that a reader may still work in. Without a card the core writes it. */
#define FLUE_REG_ANNOUNCED 0x94u
/* Wo: Raises the global epoch, after every store to table memory before it. */
#define FLUE_REG_RAISED 0x98u
/* Ro: Position up to which events may be posted. */
#define FLUE_REG_EVENT_LIMIT 0x9cu
/* Ro: Position up to which the card has taken outbox entries. */
#define FLUE_REG_OUTBOX_TAKEN 0xa0u
/* Wo: Position up to which the core has filled outbox entries. */
#define FLUE_REG_OUTBOX_FILLED 0xa4u
/* Ro: Position up to which the card has left notices. */
#define FLUE_REG_NOTICE_LEFT 0xa8u
/* Wo: Position up to which the core has taken notices. */
#define FLUE_REG_NOTICE_TAKEN 0xacu
/* Ro: Not 0: the core writes its trace. */
#define FLUE_REG_CORE_TRACE_ON 0xb0u
/* Wo: Position up to which the core has written trace records. */
#define FLUE_REG_CORE_TRACE_FILLED 0xb4u
/* Wo: Shows that the firmware runs: counts its steps. */
#define FLUE_REG_CORE_HEARTBEAT 0xb8u
/* Wo: Where it happened, before FAIL. */
#define FLUE_REG_CORE_FAIL_PC 0xbcu
/* Wo: What led to it, before FAIL. */
#define FLUE_REG_CORE_FAIL_CAUSE 0xc0u
/* Wo: Puts the card into *failed* with this FailCode. */
#define FLUE_REG_CORE_FAIL 0xc4u

/* Interface VLANs, one a register, bank stride 4. */
#define FLUE_CORE_VLAN_BANK_STRIDE 0x4u
/* Ro: One VLAN identifier. */
#define FLUE_REG_CORE_PORT_VLAN 0x100u

/* Counters, one a register, bank stride 4. */
#define FLUE_CORE_COUNTER_BANK_STRIDE 0x4u
/* Wo: Adds to the counter of this number: see Counter. */
#define FLUE_REG_CORE_COUNT 0x200u

/* One bank a command ring. */
#define FLUE_CORE_RING_BANK_STRIDE 0x40u
/* Ro: Position up to which slots lie in the mailbox. */
#define FLUE_REG_MAIL_FILLED 0x400u
/* Wo: Position up to which the core has taken slots: their places are free again. */
#define FLUE_REG_MAIL_TAKEN 0x404u
/* Wo: Slots settled without a completion, counted. */
#define FLUE_REG_SETTLED 0x408u
/* Wo: Address of the list chunk asked for, low word. */
#define FLUE_REG_LIST_LOW 0x40cu
/* Wo: Address of the list chunk asked for, high word. */
#define FLUE_REG_LIST_HIGH 0x410u
/* Wo: Entries asked for in bits 0 to 15, and in bit 16 the list buffer that they go to. */
#define FLUE_REG_LIST_ENTRIES 0x414u
/* Wo: Asks for the chunk: counts requests from 1. */
#define FLUE_REG_LIST_ASKED 0x418u
/* Ro: The request that was answered last. */
#define FLUE_REG_LIST_ANSWERED 0x41cu
/* Ro: Not 0: that answer is that the address was not mapped for the card. */
#define FLUE_REG_LIST_REFUSED 0x420u

/* The link engine, of a core that has one: see CoreFeature. */
/* Wo: The neighbor that the paths go to. */
#define FLUE_REG_LINK_TO 0x600u
/* Wo: Its home alias. */
#define FLUE_REG_LINK_HOME 0x604u
/* Wo: Card time in ms that moved paths are stamped with. */
#define FLUE_REG_LINK_MS 0x608u
/* Wo: Entries of a list buffer: the first in bits 0 to 11, the one behind the last in bits 12
 * to 23, the list buffer, counted over all rings, in bits 24 to 31. */
#define FLUE_REG_LINK_RANGE 0x60cu
/* Wo: Gives the order, and counts orders from 1. What was stored before holds until another
 * store. */
#define FLUE_REG_LINK_ORDERED 0x610u
/* Ro: The order that was carried out last. */
#define FLUE_REG_LINK_ENDED 0x614u
/* Ro: What it came to: the entry behind the last that is answered in bits 0 to 11, aliases
 * that paths have left in bits 12 to 15, and bit 16: entries were refused. */
#define FLUE_REG_LINK_ANSWER 0x618u

/* Entries that the link engine refused, a bit each, 32 a register, bank stride 4. */
#define FLUE_CORE_LINK_REFUSED_BANK_STRIDE 0x4u
/* Ro: The lowest bit is the first of its 32 entries. */
#define FLUE_REG_LINK_REFUSED 0x640u

/* Aliases that paths have left, in the order in which they were first left. */
#define FLUE_CORE_LINK_LEFT_BANK_STRIDE 0x8u
/* Ro: The alias. */
#define FLUE_REG_LINK_LEFT_ALIAS 0x680u
/* Ro: Paths that have left it. */
#define FLUE_REG_LINK_LEFT_PATHS 0x684u

/* An outbox entry. Filled by the core before OUTBOX_FILLED passes it. */
#define FLUE_TABLE_OUTBOX_ENTRY_WORDS 32u
/* What it is (OutboxKind) in bits 0 to 7, the command ring in 8 to 15, the number of words in
 * 16 to 23. */
#define FLUE_TABLE_OUTBOX_ENTRY_HEAD 0u
/* Where the words go in host memory, low word; results and fills only. */
#define FLUE_TABLE_OUTBOX_ENTRY_ADDRESS_LOW 1u
/* Where the words go, high word. */
#define FLUE_TABLE_OUTBOX_ENTRY_ADDRESS_HIGH 2u
/* First of up to sixteen words; a fill has but this. */
#define FLUE_TABLE_OUTBOX_ENTRY_WORDS_FIRST 4u

/* A notice of the datapath. */
#define FLUE_TABLE_NOTICE_WORDS 4u
/* What it says: see NoticeKind. */
#define FLUE_TABLE_NOTICE_KIND 0u
/* The object it speaks of, low word. */
#define FLUE_TABLE_NOTICE_HANDLE_LOW 1u
/* The object it speaks of, high word. */
#define FLUE_TABLE_NOTICE_HANDLE_HIGH 2u

/* What an outbox entry is. */
/* Words for host memory. */
#define FLUE_OUTBOX_KIND_RESULT 0x1u
/* A tree's completion, phase aside. */
#define FLUE_OUTBOX_KIND_COMPLETION 0x2u
/* An event, phase aside. */
#define FLUE_OUTBOX_KIND_EVENT 0x3u
/* The first word, so many times, for host memory. */
#define FLUE_OUTBOX_KIND_FILL 0x4u

/* What a notice says. */
/* A frame of this connection was held because something it depends on is invalid. */
#define FLUE_NOTICE_KIND_HELD 0x1u
/* A frame left through this neighbor while both its ages were past the stale time. */
#define FLUE_NOTICE_KIND_STALE 0x2u
/* The last held frame has left, or was given back. */
#define FLUE_NOTICE_KIND_DRAINED 0x3u

/* Bits of CORE_FEATURES. */
/* A card is around the core: it announces epochs and wakes the core. Without it the core takes
 * every epoch for announced, works off what is in memory, and ends the run. */
#define FLUE_CORE_FEATURE_CARD 0x1u
/* A link engine is there: see LINK_ORDERED. */
#define FLUE_CORE_FEATURE_LINK_ENGINE 0x2u

/* What FINISH takes, as the finisher of QEMU's virt machine (hw/misc/sifive_test.h). */
/* The run is over. */
#define FLUE_FINISH_PASS 0x5555u
/* The run is over by a failure; CORE_FAIL and its neighbors tell which. */
#define FLUE_FINISH_FAIL 0x23333u

#endif /* FLUE_ABI_H */
