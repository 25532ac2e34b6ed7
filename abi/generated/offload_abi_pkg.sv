// The contract between host and card. Printed by `cargo xtask abi` from `abi/src`.
// Do not edit: change the crate, print again, commit both.
// Version 1.2, ABI hash 0x96617463.
// All values are little-endian; MAC and IP addresses stand in network order.
// Addresses are vectors of bytes: the byte that stands first in memory is bits 7:0.

`ifndef OFFLOAD_ABI_PKG_SV
`define OFFLOAD_ABI_PKG_SV

package offload_abi_pkg;

  localparam logic [31:0] VERSION_MAJOR = 32'h00000001;
  localparam logic [31:0] VERSION_MINOR = 32'h00000002;
  localparam logic [31:0] ABI_HASH = 32'h96617463;

  // Identity, capabilities, health and control. Constant after reset unless a line says
  // otherwise.
  // Ro: Reads 0x4555_4c46, "FLUE". This, not the PCI ID, decides what the card is.
  localparam logic [31:0] REG_IDENTITY = 32'h00000000;
  // Ro: Contract version: major in the upper half, minor in the lower.
  localparam logic [31:0] REG_VERSION = 32'h00000004;
  // Ro: Hash of the contract's tables; differs whenever a name, offset or width does.
  localparam logic [31:0] REG_ABI_HASH = 32'h00000008;
  // Ro: Hash of the firmware image that runs; 0 when the firmware is linked into the model.
  localparam logic [31:0] REG_IMAGE_HASH = 32'h0000000c;
  // Ro: Feature bits. Reserved and 0 in this version.
  localparam logic [31:0] REG_FEATURES = 32'h00000010;
  // Ro: Entries of the neighbor table.
  localparam logic [31:0] REG_NEIGHBORS = 32'h00000014;
  // Ro: Entries of the path table.
  localparam logic [31:0] REG_PATHS = 32'h00000018;
  // Ro: Entries of the connection table.
  localparam logic [31:0] REG_CONNECTIONS = 32'h0000001c;
  // Ro: Aliases.
  localparam logic [31:0] REG_ALIASES = 32'h00000020;
  // Ro: Distinct source MAC addresses besides the port's own.
  localparam logic [31:0] REG_SOURCE_MACS = 32'h00000024;
  // Ro: Distinct VLANs.
  localparam logic [31:0] REG_VLANS = 32'h00000028;
  // Ro: Card memory for connection state, in bytes.
  localparam logic [31:0] REG_STATE_MEMORY = 32'h0000002c;
  // Ro: Command rings, each with its completion ring.
  localparam logic [31:0] REG_COMMAND_RINGS = 32'h00000030;
  // Ro: Transmit rings, each with its completion ring.
  localparam logic [31:0] REG_TRANSMIT_RINGS = 32'h00000034;
  // Ro: Largest number of slots in any ring.
  localparam logic [31:0] REG_RING_SLOTS = 32'h00000038;
  // Ro: MSI-X vectors.
  localparam logic [31:0] REG_VECTORS = 32'h0000003c;
  // Ro: Frames that can be held for one path.
  localparam logic [31:0] REG_HELD_PER_PATH = 32'h00000040;
  // Ro: Frames that can be held on the card.
  localparam logic [31:0] REG_HELD_TOTAL = 32'h00000044;
  // Ro: Card clock in kHz.
  localparam logic [31:0] REG_CLOCK_KHZ = 32'h00000048;
  // Ro: The port's own MAC, first four bytes, the first in the lowest byte.
  localparam logic [31:0] REG_PORT_MAC_LOW = 32'h0000004c;
  // Ro: The port's own MAC, last two bytes.
  localparam logic [31:0] REG_PORT_MAC_HIGH = 32'h00000050;
  // Ro: Card state: see CardState. Changes.
  localparam logic [31:0] REG_STATE = 32'h00000080;
  // Ro: Why the card is failed: see FailCode. Changes.
  localparam logic [31:0] REG_FAIL_CODE = 32'h00000084;
  // Ro: Program counter at a trap. Changes.
  localparam logic [31:0] REG_FAIL_PC = 32'h00000088;
  // Ro: Cause at a trap, or detail of the failure. Changes.
  localparam logic [31:0] REG_FAIL_CAUSE = 32'h0000008c;
  // Ro: Moves while the firmware runs. Changes.
  localparam logic [31:0] REG_HEARTBEAT = 32'h00000090;
  // Ro: Counts resets. Changes at reset.
  localparam logic [31:0] REG_INCARNATION = 32'h00000094;
  // Ro: Card time in ms, wraps after 49 days. Changes.
  localparam logic [31:0] REG_TIME_MS = 32'h00000098;
  // Ro: Card clock cycles, low word. Changes.
  localparam logic [31:0] REG_CYCLES_LOW = 32'h0000009c;
  // Ro: Card clock cycles, high word. Read it before and after the low word. Changes.
  localparam logic [31:0] REG_CYCLES_HIGH = 32'h000000a0;
  // Wo: 1: reset. Acknowledged by a higher INCARNATION with STATE reset; then no DMA happens.
  localparam logic [31:0] REG_RESET = 32'h00000100;
  // Wo: 1 while in reset: take the settings below and become ready.
  localparam logic [31:0] REG_ENABLE = 32'h00000104;
  // Rw: First generation of every slot after ENABLE; 0 counts as 1. Written by the host.
  localparam logic [31:0] REG_GENERATION_SEED = 32'h00000108;
  // Rw: Grace time of upload requests in ms; 0 asks at once. Taken at ENABLE.
  localparam logic [31:0] REG_GRACE_MS = 32'h0000010c;
  // Rw: Age in ms at which a neighbor's reachability is stale (NceStaleTicks); 0 never asks.
  // Taken at ENABLE.
  localparam logic [31:0] REG_STALE_MS = 32'h00000110;
  // Rw: Number of interface VLANs in PORT_VLAN; 0 accepts every VLAN. Taken at ENABLE.
  localparam logic [31:0] REG_PORT_VLANS = 32'h00000114;

  // Interface VLANs, one a register, bank stride 4. Written by the host before ENABLE.
  localparam int unsigned PORT_VLAN_BANK_STRIDE = 4;
  // Rw: One VLAN identifier.
  localparam logic [31:0] REG_PORT_VLAN = 32'h00000140;

  // One bank a ring. Ring numbers: command rings from 0, transmit rings from 8, the event ring
  // 16. Written by the host while the ring is stopped; RING_START makes the card take them.
  localparam int unsigned RING_BANK_STRIDE = 64;
  // Rw: IOVA of the ring's slots, low word. Aligned to 64 bytes. Unused by the event ring.
  localparam logic [31:0] REG_RING_BASE_LOW = 32'h00000400;
  // Rw: IOVA of the ring's slots, high word.
  localparam logic [31:0] REG_RING_BASE_HIGH = 32'h00000404;
  // Rw: IOVA of its completion ring (of the events, for the event ring), low word. Aligned to 64
  // bytes.
  localparam logic [31:0] REG_RING_COMPLETION_LOW = 32'h00000408;
  // Rw: IOVA of its completion ring, high word.
  localparam logic [31:0] REG_RING_COMPLETION_HIGH = 32'h0000040c;
  // Rw: Binary logarithm of the number of slots in the ring, and in its completion ring.
  localparam logic [31:0] REG_RING_SLOTS_LOG2 = 32'h00000410;
  // Rw: MSI-X vector to raise after completions; 0xffff_ffff for none.
  localparam logic [31:0] REG_RING_VECTOR = 32'h00000414;
  // Rw: Interrupt moderation: at most one interrupt in this many microseconds; 0 for one a
  // batch.
  localparam logic [31:0] REG_RING_MODERATION_US = 32'h00000418;
  // Wo: 1: take the configuration and run, positions from 0. 0: nothing.
  localparam logic [31:0] REG_RING_START = 32'h0000041c;
  // Ro: Ring state: see RingState.
  localparam logic [31:0] REG_RING_STATE = 32'h00000420;
  // Ro: Why the ring failed: see FailCode.
  localparam logic [31:0] REG_RING_ERROR = 32'h00000424;
  // Ro: Position up to which the card has fetched slots.
  localparam logic [31:0] REG_RING_FETCHED = 32'h00000428;
  // Ro: Position up to which the card has posted completions or events.
  localparam logic [31:0] REG_RING_POSTED = 32'h0000042c;
  // Ro: Transmit rings: frames of this ring that are held now.
  localparam logic [31:0] REG_RING_HELD = 32'h00000430;

  // Doorbells, one bank of a cache line a ring, numbered like the ring banks.
  localparam int unsigned DOORBELL_BANK_STRIDE = 64;
  // Rw: Position up to which the host has published slots.
  localparam logic [31:0] REG_DOORBELL_TAIL = 32'h00002000;
  // Rw: Position up to which the host has reaped completions (or events).
  localparam logic [31:0] REG_DOORBELL_REAPED = 32'h00002004;

  // Places in BAR0, ring numbers and special register values.
  // What IDENTITY reads: "FLUE".
  localparam logic [31:0] BAR_IDENTITY_VALUE = 32'd1163217990;
  // RING_VECTOR for a ring that raises no interrupt.
  localparam logic [31:0] BAR_VECTOR_NONE = 32'd4294967295;
  // Distance of two ring banks in bytes.
  localparam logic [31:0] BAR_RING_STRIDE = 32'd64;
  // Distance of two doorbell banks in bytes.
  localparam logic [31:0] BAR_DOORBELL_STRIDE = 32'd64;
  // Start of the doorbell page in BAR0.
  localparam logic [31:0] BAR_DOORBELL_PAGE = 32'd8192;
  // Size of the doorbell page in bytes.
  localparam logic [31:0] BAR_DOORBELL_PAGE_BYTES = 32'd4096;
  // Number of the first transmit ring.
  localparam logic [31:0] BAR_TRANSMIT_RING_FIRST = 32'd8;
  // Number of the event ring.
  localparam logic [31:0] BAR_EVENT_RING = 32'd16;
  // Rings that have a bank.
  localparam logic [31:0] BAR_RINGS = 32'd17;
  // Start of the counters in BAR0.
  localparam logic [31:0] BAR_COUNTER_PAGE = 32'd4096;
  // Start of the MSI-X table in BAR0.
  localparam logic [31:0] BAR_MSIX_TABLE = 32'd12288;
  // Start of the MSI-X pending bits in BAR0.
  localparam logic [31:0] BAR_MSIX_PENDING = 32'd14336;
  // PCI vendor ID of a card that has none of its own: the one that QEMU's project lets others
  // use for experiments. IDENTITY decides what a card is, not this.
  localparam logic [31:0] BAR_PCI_VENDOR = 32'd6900;
  // PCI device ID of such a card: of those for experiments, 10f0 to 10ff.
  localparam logic [31:0] BAR_PCI_DEVICE = 32'd4336;

  // Counters: 64 bits each at 0x1000 + 8 × number, low word first; they wrap and a reset does
  // not clear them. Written by the card.
  // Frames that crossed the port.
  localparam logic [31:0] COUNTER_FRAMES_LEFT = 32'h00000000;
  // Bytes that crossed the port, Ethernet header included.
  localparam logic [31:0] COUNTER_BYTES_LEFT = 32'h00000001;
  // Frames that were held at least once.
  localparam logic [31:0] COUNTER_FRAMES_HELD = 32'h00000002;
  // Frames held now, on all rings.
  localparam logic [31:0] COUNTER_HELD_NOW = 32'h00000003;
  // Frames dropped because their handle was stale.
  localparam logic [31:0] COUNTER_DROPPED_STALE = 32'h00000004;
  // Frames dropped because they exceeded the path MTU.
  localparam logic [31:0] COUNTER_DROPPED_MTU = 32'h00000005;
  // Frames dropped because the hold pool was full.
  localparam logic [31:0] COUNTER_DROPPED_HOLD = 32'h00000006;
  // Frames dropped because the port took no more.
  localparam logic [31:0] COUNTER_DROPPED_PORT = 32'h00000007;
  // Frames given back because upload of their connection was asked for.
  localparam logic [31:0] COUNTER_DROPPED_UPLOAD = 32'h00000008;
  // Descriptors dropped because they made no sense.
  localparam logic [31:0] COUNTER_DROPPED_MALFORMED = 32'h00000009;
  // Frames dropped because their buffer could not be read.
  localparam logic [31:0] COUNTER_DROPPED_BUS = 32'h0000000a;
  // DMA accesses refused: outside what was mapped, or the wrong direction.
  localparam logic [31:0] COUNTER_DMA_REFUSED = 32'h0000000b;
  // BAR accesses of the wrong width, alignment or direction.
  localparam logic [31:0] COUNTER_BAD_ACCESSES = 32'h0000000c;
  // Doorbells further ahead than their ring is long.
  localparam logic [31:0] COUNTER_BAD_DOORBELLS = 32'h0000000d;
  // Trees carried out.
  localparam logic [31:0] COUNTER_TREES = 32'h0000000e;
  // Blocks answered with success or partial success.
  localparam logic [31:0] COUNTER_BLOCKS_DONE = 32'h0000000f;
  // Blocks answered with anything else.
  localparam logic [31:0] COUNTER_BLOCKS_FAILED = 32'h00000010;
  // Trees or slots that could not be parsed.
  localparam logic [31:0] COUNTER_MALFORMED = 32'h00000011;
  // Paths moved to another neighbor one by one.
  localparam logic [31:0] COUNTER_PATHS_RELINKED = 32'h00000012;
  // Aliases moved to another neighbor, each with all its paths.
  localparam logic [31:0] COUNTER_ALIASES_MOVED = 32'h00000013;
  // Commands that waited for the alias sweep.
  localparam logic [31:0] COUNTER_SWEEPS = 32'h00000014;
  // Fences raised.
  localparam logic [31:0] COUNTER_FENCES = 32'h00000015;
  // Slots retired because their generations were spent.
  localparam logic [31:0] COUNTER_RETIRED_SLOTS = 32'h00000016;
  // Events posted.
  localparam logic [31:0] COUNTER_EVENTS = 32'h00000017;
  // Events lost because the event ring was full; a rescan is due.
  localparam logic [31:0] COUNTER_EVENTS_LOST = 32'h00000018;
  // Interrupts raised.
  localparam logic [31:0] COUNTER_INTERRUPTS = 32'h00000019;
  // Notices of the datapath that were forgotten because the firmware was slow.
  localparam logic [31:0] COUNTER_NOTICES_LOST = 32'h0000001a;
  // Forward progress credited to a neighbor.
  localparam logic [31:0] COUNTER_PROGRESS_CREDITED = 32'h0000001b;
  // Forward progress not credited: the data was sent before the last relink.
  localparam logic [31:0] COUNTER_PROGRESS_STALE = 32'h0000001c;

  // Control of the trace.
  // Rw: Not 0: the card writes its trace. 0 after power-on. A reset leaves it and empties the
  // rings.
  localparam logic [31:0] REG_TRACE = 32'h000000c0;

  // One register a trace ring, bank stride 4.
  localparam int unsigned TRACE_BANK_STRIDE = 4;
  // Ro: Records written since the last reset; wraps.
  localparam logic [31:0] REG_TRACE_FILLED = 32'h000000c4;

  // Where the trace rings lie.
  // Start of the trace rings in BAR0.
  localparam logic [31:0] TRACE_TRACE_PAGE = 32'd16384;
  // Records of one ring.
  localparam logic [31:0] TRACE_TRACE_RECORDS = 32'd1024;
  // Distance of two trace rings in bytes.
  localparam logic [31:0] TRACE_TRACE_STRIDE = 32'd16384;
  // Trace rings: see TraceWriter.
  localparam logic [31:0] TRACE_TRACE_WRITERS = 32'd3;

  // Who writes a trace ring; its number is the ring's.
  // The firmware.
  localparam logic [31:0] TRACE_WRITER_FIRMWARE = 32'h00000000;
  // The engines between host memory and the firmware: command rings, event ring.
  localparam logic [31:0] TRACE_WRITER_RINGS = 32'h00000001;
  // The datapath, with its transmit rings.
  localparam logic [31:0] TRACE_WRITER_DATAPATH = 32'h00000002;

  // What a trace record tells. Below 64: the firmware; below 128: a ring of either kind; else
  // the datapath. detail and value are 0 where nothing is said of them.
  // The firmware has found something to do after it slept.
  localparam logic [7:0] TRACE_KIND_AWAKE = 8'h01;
  // A tree begins; detail is its tag, value its opcode.
  localparam logic [7:0] TRACE_KIND_TREE_BEGUN = 8'h02;
  // A block is carried out; detail is opcode (high byte) and kind (low byte), value its number.
  localparam logic [7:0] TRACE_KIND_BLOCK = 8'h03;
  // A block has its answer; detail as for block, value its status.
  localparam logic [7:0] TRACE_KIND_ANSWERED = 8'h04;
  // A chunk of a list is carried out; detail is its entries, value how many paths moved.
  localparam logic [7:0] TRACE_KIND_LIST_CHUNK = 8'h05;
  // The epoch is raised; value is the epoch.
  localparam logic [7:0] TRACE_KIND_RAISED = 8'h06;
  // A tree is over and its completion waits for its fence; detail is its tag, value the blocks
  // done.
  localparam logic [7:0] TRACE_KIND_PARKED = 8'h07;
  // A completion goes to the outbox; detail is its tag, value the blocks done.
  localparam logic [7:0] TRACE_KIND_COMPLETED = 8'h08;
  // The firmware finds nothing to do, after it did, and sleeps if it can.
  localparam logic [7:0] TRACE_KIND_ASLEEP = 8'h09;
  // The sweep looks at paths; value is the neighbor.
  localparam logic [7:0] TRACE_KIND_SWEEP = 8'h0a;
  // A doorbell was seen that moved; value is its position.
  localparam logic [7:0] TRACE_KIND_DOORBELL = 8'h40;
  // Slots or descriptors are on the card; detail is how many, value the position.
  localparam logic [7:0] TRACE_KIND_FETCHED = 8'h41;
  // A result is in host memory; detail is its words.
  localparam logic [7:0] TRACE_KIND_RESULT = 8'h42;
  // A completion or an event is in host memory; value is the position. Of transmit completions,
  // which are as many as frames, nothing is told: crossed tells of them.
  localparam logic [7:0] TRACE_KIND_POSTED = 8'h43;
  // An interrupt was raised; detail is the vector.
  localparam logic [7:0] TRACE_KIND_INTERRUPT = 8'h44;
  // A list chunk is on the card; detail is its entries.
  localparam logic [7:0] TRACE_KIND_LIST = 8'h45;
  // A batch was resolved; detail is its frames, value the epoch that it works in.
  localparam logic [7:0] TRACE_KIND_RESOLVED = 8'h80;
  // That batch has left; detail is its frames, value how many of them crossed the port.
  localparam logic [7:0] TRACE_KIND_CROSSED = 8'h81;
  // The reader announces an epoch; value is the epoch.
  localparam logic [7:0] TRACE_KIND_ANNOUNCED = 8'h82;
  // Frames of a batch are held from now on; detail is how many.
  localparam logic [7:0] TRACE_KIND_HELD = 8'h83;

  // One thing that happened. Written by the card.
  typedef struct packed {
    // Value, by kind.
    logic [31:0] value;  // 127:96
    // Detail, by kind.
    logic [15:0] detail;  // 95:80
    // The ring it concerns: command rings from 0, transmit rings from 8, the event ring 16; 0
    // where none is concerned.
    logic [7:0] ring;  // 79:72
    // What happened: see TraceKind.
    logic [7:0] kind;  // 71:64
    // Card time in ms: tells the laps of cycles.
    logic [31:0] time_ms;  // 63:32
    // Card clock cycles, low word.
    logic [31:0] cycles;  // 31:0
  } trace_record_t;
  localparam int unsigned TRACE_RECORD_BYTES = 16;
  localparam logic TRACE_RECORD_BITS_HOLD = {($bits(trace_record_t) == 128 ? 1 : 0){1'b1}};

  // The bench's registers. Offsets are of BAR2. What is staged here is what the next power cycle
  // builds the card with; it reads back as it was written, sensible or not.
  // Ro: Reads 0x4843_4e42, "BNCH": this BAR is a bench.
  localparam logic [31:0] REG_BENCH_IDENTITY = 32'h00000000;
  // Ro: Power cycles that were carried out. Changes.
  localparam logic [31:0] REG_BENCH_CYCLES = 32'h00000004;
  // Wo: 1: takes the card off and on again, built with what is staged, its mirror empty.
  // Acknowledged by a higher BENCH_CYCLES; ignored when what is staged is beyond the bench's
  // limits or does not fit together.
  localparam logic [31:0] REG_BENCH_POWER_CYCLE = 32'h00000008;
  // Rw: Staged fault: the reader of the table stands still at each batch whose number is a
  // multiple of this; 0 for a healthy card.
  localparam logic [31:0] REG_BENCH_STALL_EVERY_BATCHES = 32'h00000010;
  // Rw: Staged fault: how long, in microseconds.
  localparam logic [31:0] REG_BENCH_STALL_US = 32'h00000014;
  // Rw: Staged entries of the neighbor table.
  localparam logic [31:0] REG_BENCH_NEIGHBORS = 32'h00000040;
  // Rw: Staged entries of the path table.
  localparam logic [31:0] REG_BENCH_PATHS = 32'h00000044;
  // Rw: Staged entries of the connection table.
  localparam logic [31:0] REG_BENCH_CONNECTIONS = 32'h00000048;
  // Rw: Staged aliases.
  localparam logic [31:0] REG_BENCH_ALIASES = 32'h0000004c;
  // Rw: Staged number of distinct source MAC addresses.
  localparam logic [31:0] REG_BENCH_SOURCE_MACS = 32'h00000050;
  // Rw: Staged number of distinct VLANs.
  localparam logic [31:0] REG_BENCH_VLANS = 32'h00000054;
  // Rw: Staged card memory for connection state, in bytes.
  localparam logic [31:0] REG_BENCH_STATE_MEMORY = 32'h00000058;
  // Rw: Staged command rings.
  localparam logic [31:0] REG_BENCH_COMMAND_RINGS = 32'h0000005c;
  // Rw: Staged transmit rings.
  localparam logic [31:0] REG_BENCH_TRANSMIT_RINGS = 32'h00000060;
  // Rw: Staged largest number of slots in any ring.
  localparam logic [31:0] REG_BENCH_RING_SLOTS = 32'h00000064;
  // Rw: Staged MSI-X vectors.
  localparam logic [31:0] REG_BENCH_VECTORS = 32'h00000068;
  // Rw: Staged frames that can be held for one path.
  localparam logic [31:0] REG_BENCH_HELD_PER_PATH = 32'h0000006c;
  // Rw: Staged frames that can be held on the card.
  localparam logic [31:0] REG_BENCH_HELD_TOTAL = 32'h00000070;
  // Rw: Staged card clock in kHz.
  localparam logic [31:0] REG_BENCH_CLOCK_KHZ = 32'h00000074;
  // Rw: Staged MAC of the port, first four bytes, the first in the lowest byte.
  localparam logic [31:0] REG_BENCH_PORT_MAC_LOW = 32'h00000078;
  // Rw: Staged MAC of the port, last two bytes.
  localparam logic [31:0] REG_BENCH_PORT_MAC_HIGH = 32'h0000007c;

  // The mirror's own words. Offsets are of BAR2, in plain memory that can be mapped; reading and
  // writing have no side effect. A power cycle clears all of them.
  // Ro: Position up to which records are whole. Written by the card.
  localparam logic [31:0] REG_MIRROR_WRITTEN = 32'h00001000;
  // Ro: Frames that crossed, lost ones included; free-running. Written by the card after the
  // frame's record, and before a completion tells of anything that waited for the frame.
  localparam logic [31:0] REG_MIRROR_FRAMES = 32'h00001004;
  // Ro: Frames among them for which the ring had no room; free-running. Written by the card
  // before MIRROR_FRAMES.
  localparam logic [31:0] REG_MIRROR_LOST = 32'h00001008;
  // Rw: Position up to which records were read: their granules are the card's again. Written by
  // the host; one that is ahead of MIRROR_WRITTEN, or further behind than the ring is long,
  // leaves no room.
  localparam logic [31:0] REG_MIRROR_REAPED = 32'h00001040;

  // Places in BAR2, and the largest card that a power cycle builds: what a test bench lets its
  // guest ask of the machine that it runs on.
  // What BENCH_IDENTITY reads: "BNCH".
  localparam logic [31:0] BENCH_IDENTITY_VALUE = 32'd1212370498;
  // Size of BAR2 in bytes.
  localparam logic [31:0] BENCH_BAR2_BYTES = 32'd67108864;
  // Start of the mirror's own words in BAR2; everything from here on may be mapped.
  localparam logic [31:0] BENCH_MIRROR_PAGE = 32'd4096;
  // Start of the mirror's ring in BAR2.
  localparam logic [31:0] BENCH_MIRROR_RING = 32'd33554432;
  // Size of the mirror's ring in bytes.
  localparam logic [31:0] BENCH_MIRROR_RING_BYTES = 32'd33554432;
  // Unit of positions in the mirror's ring, in bytes.
  localparam logic [31:0] BENCH_MIRROR_GRANULE = 32'd64;
  // Granules of the mirror's ring.
  localparam logic [31:0] BENCH_MIRROR_GRANULES = 32'd524288;
  // Longest frame in the mirror: the largest MTU behind an Ethernet header with a VLAN tag.
  localparam logic [31:0] BENCH_MIRROR_FRAME_MAX = 32'd9234;
  // Entries that a table of a staged card can have, neighbors, paths, connections and aliases
  // alike.
  localparam logic [31:0] BENCH_TABLE_ENTRIES_MAX = 32'd4194304;
  // Distinct source MAC addresses that a staged card can have.
  localparam logic [31:0] BENCH_SOURCE_MACS_MAX = 32'd65536;
  // Frames that a staged card can hold.
  localparam logic [31:0] BENCH_HELD_MAX = 32'd1048576;
  // Slowest clock that a staged card can have, in kHz.
  localparam logic [31:0] BENCH_CLOCK_KHZ_MIN = 32'd1000;
  // Fastest clock that a staged card can have, in kHz.
  localparam logic [31:0] BENCH_CLOCK_KHZ_MAX = 32'd4000000;
  // Longest staged stall in microseconds: twice the deadline after which a fence fails the card.
  localparam logic [31:0] BENCH_STALL_US_MAX = 32'd2000000;

  // What stands before a frame in the mirror. Written by the card.
  typedef struct packed {
    // Card time at which it crossed, in ns.
    logic [63:0] at_ns;  // 127:64
    // How many frames crossed before it, low word: a step of more than 1 tells of lost ones.
    logic [31:0] number;  // 63:32
    // Bytes of the frame, which follows, from the destination MAC on.
    logic [31:0] bytes;  // 31:0
  } mirror_record_t;
  localparam int unsigned MIRROR_RECORD_BYTES = 16;
  localparam logic MIRROR_RECORD_BITS_HOLD = {($bits(mirror_record_t) == 128 ? 1 : 0){1'b1}};

  // Kind of a state object, or of a block in a command.
  // No object.
  localparam logic [7:0] KIND_NONE = 8'h00;
  // A next hop: destination MAC, source MAC, VLAN, reachability ages.
  localparam logic [7:0] KIND_NEIGHBOR = 8'h01;
  // A route entry: source and destination address, path MTU. Hangs from a neighbor.
  localparam logic [7:0] KIND_PATH = 8'h02;
  // A TCP connection. Hangs from a path.
  localparam logic [7:0] KIND_CONNECTION = 8'h03;

  // The card's answer for one block, or for a whole tree in its completion.
  // Never written by the card: the result buffer's initial content.
  localparam logic [7:0] STATUS_NONE = 8'h00;
  // The block was carried out; at initiate also all its immediate dependents.
  localparam logic [7:0] STATUS_SUCCESS = 8'h01;
  // Initiate only: the block was carried out, an immediate dependent was not.
  localparam logic [7:0] STATUS_PARTIAL_SUCCESS = 8'h02;
  // The block was not carried out; what it named keeps its old state and link.
  localparam logic [7:0] STATUS_FAILURE = 8'h03;
  // Initiate only: no card memory is left for the state.
  localparam logic [7:0] STATUS_RESOURCES = 8'h04;
  // Initiate only: the connection table is full.
  localparam logic [7:0] STATUS_TCP_ENTRIES = 8'h05;
  // Initiate only: the path table is full.
  localparam logic [7:0] STATUS_PATH_ENTRIES = 8'h06;
  // Initiate only: the neighbor table is full.
  localparam logic [7:0] STATUS_NEIGHBOR_ENTRIES = 8'h07;
  // Initiate only: no room for one more source MAC address.
  localparam logic [7:0] STATUS_HW_ADDRESS_ENTRIES = 8'h08;
  // Initiate only: no room for one more VLAN.
  localparam logic [7:0] STATUS_VLAN_ENTRIES = 8'h09;
  // Initiate only: the interface has VLANs and the neighbor's is none of them.
  localparam logic [7:0] STATUS_VLAN_MISMATCH = 8'h0a;
  // Initiate only: the path MTU is outside what the card can send.
  localparam logic [7:0] STATUS_PATH_MTU = 8'h0b;
  // Initiate only: a connection in a TCP state that may not be offloaded.
  localparam logic [7:0] STATUS_CONNECTION_REJECTED = 8'h0c;
  // The handle names no object: never given out, terminated, or of before a reset.
  localparam logic [7:0] STATUS_STALE_HANDLE = 8'h0d;
  // Terminate: objects outside this tree still hang from it, or a relink is under way to it.
  localparam logic [7:0] STATUS_HAS_DEPENDENTS = 8'h0e;
  // The object was invalidated; it can only be queried and terminated.
  localparam logic [7:0] STATUS_INVALID_OBJECT = 8'h0f;
  // The handle names an object of another kind than the block says.
  localparam logic [7:0] STATUS_WRONG_KIND = 8'h10;
  // Completion only: the card was reset before the tree was carried out.
  localparam logic [7:0] STATUS_RESET = 8'h11;

  // Why a block or a tree was answered as it was, where the status alone does not tell.
  // Nothing to add.
  localparam logic [31:0] DETAIL_NONE = 32'h00000000;
  // The opcode is none of the five operations.
  localparam logic [31:0] DETAIL_OPCODE = 32'h00000001;
  // The kind, or the combination of flags, is none the operation knows.
  localparam logic [31:0] DETAIL_KIND = 32'h00000002;
  // A reserved field is not zero.
  localparam logic [31:0] DETAIL_RESERVED = 32'h00000003;
  // The tree began without FIRST, or a new one began before LAST.
  localparam logic [31:0] DETAIL_FRAMING = 32'h00000004;
  // The block chains more or fewer slots than its state needs.
  localparam logic [31:0] DETAIL_CHAIN = 32'h00000005;
  // The block's parent in the tree failed, so it was not tried.
  localparam logic [31:0] DETAIL_PARENT = 32'h00000006;
  // The block stands under a block that cannot be its parent.
  localparam logic [31:0] DETAIL_POSITION = 32'h00000007;
  // The result buffer is too small, not aligned, or its address wraps.
  localparam logic [31:0] DETAIL_RESULT_BUFFER = 32'h00000008;
  // The list is too long, not aligned, or its address wraps.
  localparam logic [31:0] DETAIL_LIST = 32'h00000009;
  // State was given for an object that is on the card already.
  localparam logic [31:0] DETAIL_EXISTS = 32'h0000000a;
  // A linker names an object that hangs from another parent.
  localparam logic [31:0] DETAIL_LINK = 32'h0000000b;
  // The tree has more blocks than the card accepts.
  localparam logic [31:0] DETAIL_TREE_SIZE = 32'h0000000c;
  // A state class that this operation does not take.
  localparam logic [31:0] DETAIL_CLASS = 32'h0000000d;
  // A value outside its range (a VLAN above 4094, an MTU outside its limits).
  localparam logic [31:0] DETAIL_RANGE = 32'h0000000e;
  // DMA of a list failed: the address was not mapped for the card.
  localparam logic [31:0] DETAIL_BUS = 32'h0000000f;
  // The TCP state may not be offloaded.
  localparam logic [31:0] DETAIL_TCP_STATE = 32'h00000010;
  // The destination neighbor was invalidated while the list was being carried out.
  localparam logic [31:0] DETAIL_TARGET_INVALIDATED = 32'h00000011;

  // What became of a transmit descriptor. Its buffer is the host's again.
  // Never written by the card.
  localparam logic [7:0] TRANSMIT_STATUS_NONE = 8'h00;
  // The frame crossed the port.
  localparam logic [7:0] TRANSMIT_STATUS_LEFT = 8'h01;
  // Dropped: the handle names no object, or not a path or connection.
  localparam logic [7:0] TRANSMIT_STATUS_STALE_HANDLE = 8'h02;
  // Dropped: larger than the path MTU.
  localparam logic [7:0] TRANSMIT_STATUS_PATH_MTU = 8'h03;
  // Dropped: the path or the card holds as many as it can.
  localparam logic [7:0] TRANSMIT_STATUS_HOLD_FULL = 8'h04;
  // Dropped: the port took no more.
  localparam logic [7:0] TRANSMIT_STATUS_PORT = 8'h05;
  // Dropped: upload of the connection was asked for; the host has its data again.
  localparam logic [7:0] TRANSMIT_STATUS_UPLOAD_IN_PROGRESS = 8'h06;
  // Dropped: the descriptor makes no sense (length 0 or above the largest MTU).
  localparam logic [7:0] TRANSMIT_STATUS_MALFORMED = 8'h07;
  // Dropped: the buffer could not be read; its address was not mapped for the card.
  localparam logic [7:0] TRANSMIT_STATUS_BUS = 8'h08;

  // What an event reports.
  // Never written by the card.
  localparam logic [7:0] EVENT_KIND_NONE = 8'h00;
  // The card asks for upload of a connection: it has something to send, depends on an invalid
  // object, and the grace time passed without a relink.
  localparam logic [7:0] EVENT_KIND_INVALID_STATE = 8'h01;
  // Both reachability ages of a neighbor in use have passed the stale time.
  localparam logic [7:0] EVENT_KIND_NEIGHBOR_QUERY = 8'h02;
  // No frame is held any more: the last one has left, or was given back. Names no object.
  localparam logic [7:0] EVENT_KIND_DRAINED = 8'h03;

  // Card state, as the STATE register shows it.
  // Reset: no DMA, no frame; waits for ENABLE.
  localparam logic [31:0] CARD_STATE_RESET = 32'h00000000;
  // Ready: rings can be started.
  localparam logic [31:0] CARD_STATE_READY = 32'h00000001;
  // Failed: port off, no DMA; FAIL_CODE, FAIL_PC and FAIL_CAUSE tell why. Reset to go on.
  localparam logic [31:0] CARD_STATE_FAILED = 32'h00000002;

  // Why a card is *failed*, or a ring stopped.
  // Not failed.
  localparam logic [31:0] FAIL_CODE_NONE = 32'h00000000;
  // The firmware trapped; FAIL_PC and FAIL_CAUSE hold mepc and mcause.
  localparam logic [31:0] FAIL_CODE_TRAP = 32'h00000001;
  // The heartbeat stood still.
  localparam logic [31:0] FAIL_CODE_HEARTBEAT = 32'h00000002;
  // A reader of the table did not announce a new epoch within its deadline.
  localparam logic [31:0] FAIL_CODE_FENCE = 32'h00000003;
  // DMA in flight did not drain within its deadline at reset.
  localparam logic [31:0] FAIL_CODE_DRAIN = 32'h00000004;
  // The firmware found its own tables inconsistent; FAIL_CAUSE names the check.
  localparam logic [31:0] FAIL_CODE_TABLE = 32'h00000005;
  // DMA outside any ring was refused.
  localparam logic [31:0] FAIL_CODE_BUS = 32'h00000006;
  // A doorbell ran ahead of its ring by more than the ring is long.
  localparam logic [31:0] FAIL_CODE_DOORBELL = 32'h00000007;
  // A ring was started with a size, an address or a vector that makes no sense.
  localparam logic [31:0] FAIL_CODE_RING_CONFIG = 32'h00000008;
  // DMA to or from a ring, or to a result buffer, was refused.
  localparam logic [31:0] FAIL_CODE_RING_BUS = 32'h00000009;
  // A DMA window that the host was told of could not be taken.
  localparam logic [31:0] FAIL_CODE_WINDOW = 32'h0000000a;
  // The link engine did not answer the firmware.
  localparam logic [31:0] FAIL_CODE_ENGINE = 32'h0000000b;

  // State of one ring, as its RING_STATE register shows it.
  // Off.
  localparam logic [31:0] RING_STATE_STOPPED = 32'h00000000;
  // Served.
  localparam logic [31:0] RING_STATE_RUNNING = 32'h00000001;
  // Stopped by an error; RING_ERROR tells which. A reset clears it.
  localparam logic [31:0] RING_STATE_FAILED = 32'h00000002;

  // Where the parts of a handle stand.
  // Lowest bit of the kind; the index stands below it.
  localparam logic [31:0] HANDLE_KIND_SHIFT = 32'd30;
  // Lowest bit of the generation.
  localparam logic [31:0] HANDLE_GENERATION_SHIFT = 32'd32;

  // The five operations on trees.
  // Put new objects on the card.
  localparam logic [7:0] OPCODE_INITIATE = 8'h01;
  // Change cached variables, or move paths to another neighbor (relink).
  localparam logic [7:0] OPCODE_UPDATE = 8'h02;
  // Read state back.
  localparam logic [7:0] OPCODE_QUERY = 8'h03;
  // Stop transmission on everything that depends on the named objects.
  localparam logic [7:0] OPCODE_INVALIDATE = 8'h04;
  // Take objects off the card; their delegated state comes back.
  localparam logic [7:0] OPCODE_TERMINATE = 8'h05;

  // Flags of a slot.
  // First slot of a tree.
  localparam logic [15:0] FLAG_FIRST = 16'h0001;
  // Last slot of a tree.
  localparam logic [15:0] FLAG_LAST = 16'h0002;
  // The block goes on in the next slot.
  localparam logic [15:0] FLAG_MORE = 16'h0004;
  // The block has no parent in this tree.
  localparam logic [15:0] FLAG_ROOT = 16'h0008;
  // Carries links only; names no object.
  localparam logic [15:0] FLAG_PLACEHOLDER = 16'h0010;
  // Const variables follow.
  localparam logic [15:0] FLAG_CONST = 16'h0020;
  // Cached variables follow.
  localparam logic [15:0] FLAG_CACHED = 16'h0040;
  // Delegated variables follow.
  localparam logic [15:0] FLAG_DELEGATED = 16'h0080;
  // A path's addresses are IPv6.
  localparam logic [15:0] FLAG_IPV6 = 16'h0100;
  // Update of a neighbor: relink the paths whose handles stand in a list.
  localparam logic [15:0] FLAG_LIST = 16'h0200;
  // Update of a neighbor: relink all paths of another neighbor.
  localparam logic [15:0] FLAG_ALL_OF = 16'h0400;
  // The slot continues the block before it.
  localparam logic [15:0] FLAG_CONTINUATION = 16'h0800;

  // Bits of a connection's const flags.
  // TIMESTAMP_ENABLED: a timestamp stands in every segment (RFC 7323).
  localparam logic [15:0] CONST_FLAG_TIMESTAMP_ENABLED = 16'h0001;
  // SACK_ENABLED: selective acknowledgement is sent and used (RFC 2018).
  localparam logic [15:0] CONST_FLAG_SACK_ENABLED = 16'h0002;
  // WINDOW_SCALING_ENABLED: the two window scales are used (RFC 7323).
  localparam logic [15:0] CONST_FLAG_WINDOW_SCALING_ENABLED = 16'h0004;

  // Bits of a connection's cached flags.
  // KEEP_ALIVE_ENABLED.
  localparam logic [15:0] CACHED_FLAG_KEEP_ALIVE_ENABLED = 16'h0001;
  // NAGLING_ENABLED.
  localparam logic [15:0] CACHED_FLAG_NAGLING_ENABLED = 16'h0002;
  // KEEP_ALIVE_RESTART: reset the keep-alive timer.
  localparam logic [15:0] CACHED_FLAG_KEEP_ALIVE_RESTART = 16'h0004;
  // MAX_RT_RESTART: reset TotalRT.
  localparam logic [15:0] CACHED_FLAG_MAX_RT_RESTART = 16'h0008;
  // UPDATE_RCV_WND: InitialRcvWnd changed.
  localparam logic [15:0] CACHED_FLAG_UPDATE_RCV_WND = 16'h0010;

  // RFC 9293 connection states, as the delegated state variable has them.
  // CLOSED.
  localparam logic [7:0] TCP_STATE_CLOSED = 8'h00;
  // LISTEN.
  localparam logic [7:0] TCP_STATE_LISTEN = 8'h01;
  // SYN-SENT.
  localparam logic [7:0] TCP_STATE_SYN_SENT = 8'h02;
  // SYN-RECEIVED.
  localparam logic [7:0] TCP_STATE_SYN_RCVD = 8'h03;
  // ESTABLISHED. May be offloaded.
  localparam logic [7:0] TCP_STATE_ESTABLISHED = 8'h04;
  // FIN-WAIT-1. May be offloaded.
  localparam logic [7:0] TCP_STATE_FIN_WAIT1 = 8'h05;
  // FIN-WAIT-2. May be offloaded.
  localparam logic [7:0] TCP_STATE_FIN_WAIT2 = 8'h06;
  // CLOSE-WAIT. May be offloaded.
  localparam logic [7:0] TCP_STATE_CLOSE_WAIT = 8'h07;
  // CLOSING. May be offloaded.
  localparam logic [7:0] TCP_STATE_CLOSING = 8'h08;
  // LAST-ACK. May be offloaded.
  localparam logic [7:0] TCP_STATE_LAST_ACK = 8'h09;
  // TIME-WAIT.
  localparam logic [7:0] TCP_STATE_TIME_WAIT = 8'h0a;

  // Byte offsets in the slots of a block.
  // Byte offset of a block's variables in its slot.
  localparam logic [31:0] SLOT_VARIABLES = 32'd24;
  // Byte offset of Selection in a neighbor's block.
  localparam logic [31:0] SLOT_SELECTION = 32'd48;
  // Byte offset of the state offset (u32) in every block's first slot: where, from the start of
  // the result buffer, queried or returned state goes, or the status bytes of a list. A multiple
  // of 64.
  localparam logic [31:0] SLOT_STATE_OFFSET = 32'd60;
  // Byte offset of the variables in a continuation slot.
  localparam logic [31:0] SLOT_CONTINUATION_VARIABLES = 32'd8;

  // The first 24 bytes of every slot that begins a block. Written by the host.
  typedef struct packed {
    // IOVA of the result buffer, aligned to 64 bytes. First slot of a tree only, else 0.
    logic [63:0] result;  // 191:128
    // The object; 0 for one that is to be created, and for a placeholder.
    logic [63:0] handle;  // 127:64
    // Length of the result buffer in units of 512 bytes. First slot of a tree only, else 0.
    logic [15:0] result_units;  // 63:48
    // Chosen by the host, returned in the completion. First slot of a tree only, else 0.
    logic [15:0] tag;  // 47:32
    // Flags.
    logic [15:0] flags;  // 31:16
    // Kind of object the block speaks of.
    logic [7:0] kind;  // 15:8
    // Operation; the same in every slot of a tree.
    logic [7:0] opcode;  // 7:0
  } command_header_t;
  localparam int unsigned COMMAND_HEADER_BYTES = 24;
  localparam logic COMMAND_HEADER_BITS_HOLD = {($bits(command_header_t) == 192 ? 1 : 0){1'b1}};

  // Variables of a neighbor, at byte 24 of its block and of its state record.
  typedef struct packed {
    // NicReachabilityDelta, delegated: age in ms of the card's last confirmation.
    logic [31:0] card_reachability;  // 191:160
    // HostReachabilityDelta, cached: age in ms of the host's last confirmation.
    logic [31:0] host_reachability;  // 159:128
    // Zero.
    logic [15:0] reserved;  // 127:112
    // VlanId, const: 1 to 4094; 0 for none.
    logic [15:0] vlan;  // 111:96
    // DlSourceAddress, const: our MAC towards it; zero for the port's own.
    logic [47:0] source;  // 95:48, in memory order
    // DlDestinationAddress, cached: the next hop's MAC.
    logic [47:0] destination;  // 47:0, in memory order
  } neighbor_variables_t;
  localparam int unsigned NEIGHBOR_VARIABLES_BYTES = 24;
  localparam logic NEIGHBOR_VARIABLES_BITS_HOLD = {($bits(neighbor_variables_t) == 192 ? 1 : 0){1'b1}};

  // Whose paths an update of a neighbor relinks, at byte 48 of the neighbor's block.
  typedef struct packed {
    // With LIST, the number of handles. Else 0.
    logic [31:0] count;  // 95:64
    // With LIST, the IOVA of the handles, aligned to 64 bytes. With ALL_OF, the old neighbor's
    // handle.
    logic [63:0] list;  // 63:0
  } selection_t;
  localparam int unsigned SELECTION_BYTES = 12;
  localparam logic SELECTION_BITS_HOLD = {($bits(selection_t) == 96 ? 1 : 0){1'b1}};

  // Variables of a path, at byte 24 of its block and of its state record.
  typedef struct packed {
    // PathMtu, cached, bytes, IP header included (RFC 1191, RFC 8201).
    logic [31:0] mtu;  // 287:256
    // DestinationAddress, const, network order; an IPv4 address in the first four bytes, the
    // rest zero.
    logic [127:0] destination;  // 255:128, in memory order
    // SourceAddress, const, network order; an IPv4 address in the first four bytes, the rest
    // zero.
    logic [127:0] source;  // 127:0, in memory order
  } path_variables_t;
  localparam int unsigned PATH_VARIABLES_BYTES = 36;
  localparam logic PATH_VARIABLES_BITS_HOLD = {($bits(path_variables_t) == 288 ? 1 : 0){1'b1}};

  // Const variables of a connection, at byte 24 of its block and of its state record.
  typedef struct packed {
    // Zero.
    logic [15:0] reserved;  // 127:112
    // RcvWindScale, 0 to 14.
    logic [7:0] rcv_wind_scale;  // 111:104
    // SndWindScale, 0 to 14.
    logic [7:0] snd_wind_scale;  // 103:96
    // HashValue: the receive-side-scaling hash, given by the host.
    logic [31:0] hash_value;  // 95:64
    // RemoteMss, bytes: what the peer advertised.
    logic [15:0] remote_mss;  // 63:48
    // LocalPort.
    logic [15:0] local_port;  // 47:32
    // RemotePort.
    logic [15:0] remote_port;  // 31:16
    // Flags: 1 timestamps, 2 selective acknowledgement, 4 window scaling (RFC 7323, RFC 2018).
    logic [15:0] flags;  // 15:0
  } connection_const_t;
  localparam int unsigned CONNECTION_CONST_BYTES = 16;
  localparam logic CONNECTION_CONST_BITS_HOLD = {($bits(connection_const_t) == 128 ? 1 : 0){1'b1}};

  // Cached variables of a connection, in the first continuation slot that carries them.
  typedef struct packed {
    // FlowLabel, 20 bits (RFC 6437).
    logic [31:0] flow_label;  // 255:224
    // MaxRT, ms; 0 for the global count, 0xffff_ffff for no limit.
    logic [31:0] max_rt;  // 223:192
    // KaInterval, ms.
    logic [31:0] ka_interval;  // 191:160
    // KaTimeout, ms.
    logic [31:0] ka_timeout;  // 159:128
    // RcvIndicationSize, bytes; 0 for as much as possible.
    logic [31:0] rcv_indication_size;  // 127:96
    // InitialRcvWnd, bytes.
    logic [31:0] initial_rcv_wnd;  // 95:64
    // Zero.
    logic [15:0] reserved;  // 63:48
    // UserPriority, 0 to 7 (IEEE 802.1p).
    logic [7:0] user_priority;  // 47:40
    // TosOrTrafficClass.
    logic [7:0] tos_or_traffic_class;  // 39:32
    // TtlOrHopLimit.
    logic [7:0] ttl_or_hop_limit;  // 31:24
    // KaProbeCount: keep-alive probes.
    logic [7:0] ka_probe_count;  // 23:16
    // Flags: 1 keep-alive, 2 Nagle, 4 restart keep-alive, 8 restart MaxRT, 16 receive window
    // changed.
    logic [15:0] flags;  // 15:0
  } connection_cached_t;
  localparam int unsigned CONNECTION_CACHED_BYTES = 32;
  localparam logic CONNECTION_CACHED_BITS_HOLD = {($bits(connection_cached_t) == 256 ? 1 : 0){1'b1}};

  // Delegated variables of a connection, in two continuation slots of 56 bytes each.
  typedef struct packed {
    // BufferedData, IOVA.
    logic [63:0] buffered_data;  // 895:832
    // SendDataTail, IOVA.
    logic [63:0] send_data_tail;  // 831:768
    // SendDataHead, IOVA.
    logic [63:0] send_data_head;  // 767:704
    // DWnd.
    logic [31:0] d_wnd;  // 703:672
    // ReceiveBacklogSize, bytes; query only, 0xffff_ffff when unsupported.
    logic [31:0] receive_backlog_size;  // 671:640
    // SendBacklogSize, bytes; query only, 0xffff_ffff when unsupported.
    logic [31:0] send_backlog_size;  // 639:608
    // Retransmit.TimeoutDelta, ms; 0xffff_ffff when not running.
    logic [31:0] retransmit_timeout_delta;  // 607:576
    // KeepAlive.TimeoutDelta, ms; 0xffff_ffff when not running.
    logic [31:0] keep_alive_timeout_delta;  // 575:544
    // TotalRT, ms.
    logic [31:0] total_rt;  // 543:512
    // TsTime, ms.
    logic [31:0] ts_time;  // 511:480
    // TsRecentAge, ms.
    logic [31:0] ts_recent_age;  // 479:448
    // TsRecent (RFC 7323).
    logic [31:0] ts_recent;  // 447:416
    // RttVar, ms, fourfold (RFC 6298).
    logic [15:0] rtt_var;  // 415:400
    // SRtt, ms, eightfold (RFC 6298).
    logic [15:0] s_rtt;  // 399:384
    // SsThresh, bytes (RFC 5681).
    logic [31:0] ss_thresh;  // 383:352
    // CWnd, bytes (RFC 5681).
    logic [31:0] c_wnd;  // 351:320
    // SendWL1, sequence number.
    logic [31:0] send_wl1;  // 319:288
    // MaxSndWnd, bytes.
    logic [31:0] max_snd_wnd;  // 287:256
    // SndWnd, bytes.
    logic [31:0] snd_wnd;  // 255:224
    // SndMax, sequence number.
    logic [31:0] snd_max;  // 223:192
    // SndNxt, sequence number.
    logic [31:0] snd_nxt;  // 191:160
    // SndUna, sequence number.
    logic [31:0] snd_una;  // 159:128
    // RcvWnd, bytes.
    logic [31:0] rcv_wnd;  // 127:96
    // RcvNxt, sequence number.
    logic [31:0] rcv_nxt;  // 95:64
    // Flags; reserved.
    logic [15:0] flags;  // 63:48
    // Zero.
    logic [7:0] reserved;  // 47:40
    // Retransmit.Count.
    logic [7:0] retransmit_count;  // 39:32
    // KeepAlive.ProbeCount.
    logic [7:0] keep_alive_probe_count;  // 31:24
    // SndWndProbeCount.
    logic [7:0] snd_wnd_probe_count;  // 23:16
    // DupAckCount.
    logic [7:0] dup_ack_count;  // 15:8
    // State: see TcpState.
    logic [7:0] state;  // 7:0
  } connection_delegated_t;
  localparam int unsigned CONNECTION_DELEGATED_BYTES = 112;
  localparam logic CONNECTION_DELEGATED_BITS_HOLD = {($bits(connection_delegated_t) == 896 ? 1 : 0){1'b1}};

  // One a tree, in its ring's completion ring, in ring order.
  typedef struct packed {
    // Bit 0: phase.
    logic [7:0] phase;  // 127:120
    // Status of the tree: success when all blocks were done, failure when none was, else partial
    // success.
    logic [7:0] status;  // 119:112
    // Tag of the tree's first slot.
    logic [15:0] tag;  // 111:96
    // See Detail: why the tree as a whole could not be carried out, else 0.
    logic [31:0] detail;  // 95:64
    // Blocks (and list entries) that were not.
    logic [31:0] failed;  // 63:32
    // Blocks (and list entries) that were carried out.
    logic [31:0] done;  // 31:0
  } completion_t;
  localparam int unsigned COMPLETION_BYTES = 16;
  localparam logic COMPLETION_BITS_HOLD = {($bits(completion_t) == 128 ? 1 : 0){1'b1}};

  // One a block, at 16 × its number in the tree from the start of the result buffer.
  typedef struct packed {
    // After success: paths moved (LIST, ALL_OF). After anything else: see Detail.
    logic [31:0] detail;  // 127:96
    // Zero.
    logic [15:0] reserved;  // 95:80
    // With ALL_OF: status of the old neighbor. Else 0.
    logic [7:0] old_status;  // 79:72
    // Status of the block.
    logic [7:0] status;  // 71:64
    // The object's handle: new at initiate, else as the block had it. 0 when initiate failed.
    logic [63:0] handle;  // 63:0
  } result_record_t;
  localparam int unsigned RESULT_RECORD_BYTES = 16;
  localparam logic RESULT_RECORD_BITS_HOLD = {($bits(result_record_t) == 128 ? 1 : 0){1'b1}};

  // Head of a state record in the result buffer; the variables follow at byte 24 as in a
  // command. 64 bytes for a neighbor or a path; 256 for a connection, whose other variables
  // stand at bytes 64 (cached) and 128 (delegated) of the record.
  typedef struct packed {
    // Zero.
    logic [63:0] reserved;  // 191:128
    // Handle of the object it hangs from; 0 for a neighbor.
    logic [63:0] parent;  // 127:64
    // Objects that hang from it.
    logic [31:0] dependents;  // 63:32
    // Flags as in a command: IPV6, and the classes that the record carries.
    logic [15:0] flags;  // 31:16
    // 1 when the object itself was invalidated.
    logic [7:0] invalid;  // 15:8
    // Kind of the object.
    logic [7:0] kind;  // 7:0
  } state_header_t;
  localparam int unsigned STATE_HEADER_BYTES = 24;
  localparam logic STATE_HEADER_BITS_HOLD = {($bits(state_header_t) == 192 ? 1 : 0){1'b1}};

  // Sizes and byte offsets of state records.
  // Bytes of a neighbor's or path's state record.
  localparam logic [31:0] RECORD_STATE_RECORD_BYTES = 32'd64;
  // Bytes of a connection's state record.
  localparam logic [31:0] RECORD_CONNECTION_RECORD_BYTES = 32'd256;
  // Byte offset of the cached variables in a connection's state record.
  localparam logic [31:0] RECORD_CONNECTION_RECORD_CACHED = 32'd64;
  // Byte offset of the delegated variables in a connection's state record.
  localparam logic [31:0] RECORD_CONNECTION_RECORD_DELEGATED = 32'd128;

  // One entry of the event ring. Written by the card; the phase makes it valid.
  typedef struct packed {
    // Bit 0: phase.
    logic [7:0] phase;  // 127:120
    // Zero.
    logic [7:0] reserved;  // 119:112
    // 1 when events were lost before this one: the host has to look for itself.
    logic [7:0] rescan;  // 111:104
    // See EventKind.
    logic [7:0] kind;  // 103:96
    // Card time in ms.
    logic [31:0] time_ms;  // 95:64
    // The object it is about.
    logic [63:0] handle;  // 63:0
  } event_t;
  localparam int unsigned EVENT_BYTES = 16;
  localparam logic EVENT_BITS_HOLD = {($bits(event_t) == 128 ? 1 : 0){1'b1}};

  // Where the phase stands in a completion, a transmit completion or an event.
  // Word of a completion, transmit completion or event that holds the phase.
  localparam logic [31:0] ENTRY_PHASE_WORD = 32'd3;
  // Bit of the phase in that word.
  localparam logic [31:0] ENTRY_PHASE_SHIFT = 32'd24;

  // Flags of a transmit descriptor.
  // Flag of a transmit descriptor: progress_ms is valid.
  localparam logic [31:0] TRANSMIT_FLAG_PROGRESS = 32'd1;

  // One packet to send. Written by the host before the doorbell.
  typedef struct packed {
    // Bit 0, PROGRESS: progress_ms is valid. The others are zero.
    logic [31:0] flags;  // 255:224
    // Forward progress: the card time (stamp_ms) at which a frame of this path left that the
    // peer has since acknowledged; what MSG_CONFIRM of send(2) says to a kernel. Taken only with
    // PROGRESS.
    logic [31:0] progress_ms;  // 223:192
    // Chosen by the host, returned in the completion.
    logic [31:0] tag;  // 191:160
    // Bytes of the IP packet, its header included.
    logic [31:0] bytes;  // 159:128
    // IOVA of the IP packet.
    logic [63:0] buffer;  // 127:64
    // The path or connection.
    logic [63:0] handle;  // 63:0
  } transmit_descriptor_t;
  localparam int unsigned TRANSMIT_DESCRIPTOR_BYTES = 32;
  localparam logic TRANSMIT_DESCRIPTOR_BITS_HOLD = {($bits(transmit_descriptor_t) == 256 ? 1 : 0){1'b1}};

  // One a descriptor. Written by the card; the phase makes it valid.
  typedef struct packed {
    // Bit 0: phase.
    logic [7:0] phase;  // 127:120
    // Zero.
    logic [7:0] reserved3;  // 119:112
    // Zero.
    logic [7:0] reserved2;  // 111:104
    // See TransmitStatus.
    logic [7:0] status;  // 103:96
    // Zero.
    logic [31:0] reserved;  // 95:64
    // Card time in ms at which the frame left or was dropped.
    logic [31:0] stamp_ms;  // 63:32
    // Tag of the descriptor.
    logic [31:0] tag;  // 31:0
  } transmit_completion_t;
  localparam int unsigned TRANSMIT_COMPLETION_BYTES = 16;
  localparam logic TRANSMIT_COMPLETION_BITS_HOLD = {($bits(transmit_completion_t) == 128 ? 1 : 0){1'b1}};

  // A neighbor's hot line.
  localparam int unsigned TABLE_NEIGHBOR_WORDS = 16;
  // Shared: LIVE, INVALID.
  localparam int unsigned TABLE_NEIGHBOR_CONTROL = 0;
  // Shared: generation of the slot's occupant.
  localparam int unsigned TABLE_NEIGHBOR_GENERATION = 1;
  // Shared: which header bank is valid, 0 or 1.
  localparam int unsigned TABLE_NEIGHBOR_SELECT = 2;
  // Shared: card time in ms at which the host confirmed reachability (HRT).
  localparam int unsigned TABLE_NEIGHBOR_HOST_CONFIRMED = 3;
  // Shared: first of the four words of header bank 0.
  localparam int unsigned TABLE_NEIGHBOR_BANK0 = 4;
  // Shared: first of the four words of header bank 1.
  localparam int unsigned TABLE_NEIGHBOR_BANK1 = 8;
  // Shared: card time in ms of the card's confirmation as it was offloaded (NRT).
  localparam int unsigned TABLE_NEIGHBOR_CARD_CONFIRMED = 12;
  // Private: card time in ms at which the host was last asked about it.
  localparam int unsigned TABLE_NEIGHBOR_QUERIED = 13;

  // A header bank: the Ethernet addresses as they stand in a frame, then the VLAN.
  localparam int unsigned TABLE_BANK_WORDS = 4;
  // Destination MAC bytes 0 to 3, the first in the lowest byte.
  localparam int unsigned TABLE_BANK_DESTINATION = 0;
  // Destination MAC bytes 4 and 5 in the lower half, source MAC bytes 0 and 1 in the upper.
  localparam int unsigned TABLE_BANK_ADDRESSES = 1;
  // Source MAC bytes 2 to 5.
  localparam int unsigned TABLE_BANK_SOURCE = 2;
  // VLAN identifier, 0 for none.
  localparam int unsigned TABLE_BANK_VLAN = 3;

  // A neighbor's private words.
  localparam int unsigned TABLE_NEIGHBOR_PRIVATE_WORDS = 8;
  // Home alias: the one that new paths attach to.
  localparam int unsigned TABLE_NEIGHBOR_PRIVATE_HOME = 0;
  // First alias that leads to this neighbor, plus 1; the home alias is among them.
  localparam int unsigned TABLE_NEIGHBOR_PRIVATE_ALIASES = 1;
  // Paths linked to it.
  localparam int unsigned TABLE_NEIGHBOR_PRIVATE_PATHS = 2;
  // Epoch that must have been announced before the next command may touch it.
  localparam int unsigned TABLE_NEIGHBOR_PRIVATE_FENCE = 3;
  // Relinks under way to or from it.
  localparam int unsigned TABLE_NEIGHBOR_PRIVATE_PINS = 4;
  // Source MAC slot, plus 1; 0 for the port's own.
  localparam int unsigned TABLE_NEIGHBOR_PRIVATE_SOURCE_SLOT = 5;
  // Next neighbor in the queue of retired slots, plus 1.
  localparam int unsigned TABLE_NEIGHBOR_PRIVATE_NEXT = 6;
  // Epoch after which a retired slot may be given out again.
  localparam int unsigned TABLE_NEIGHBOR_PRIVATE_EPOCH = 7;

  // A path, as the datapath reads it and a relink writes it.
  localparam int unsigned TABLE_PATH_WORDS = 8;
  // Shared: LIVE, INVALID, IS_IPV6.
  localparam int unsigned TABLE_PATH_CONTROL = 0;
  // Shared: generation of the slot's occupant.
  localparam int unsigned TABLE_PATH_GENERATION = 1;
  // Shared: the link word: an alias.
  localparam int unsigned TABLE_PATH_LINK = 2;
  // Shared: path MTU in bytes.
  localparam int unsigned TABLE_PATH_MTU = 3;
  // Shared: card time in ms at which the link word was last written.
  localparam int unsigned TABLE_PATH_LINKED_MS = 4;
  // Private: connections linked to it.
  localparam int unsigned TABLE_PATH_CONNECTIONS = 5;
  // Private: next path in the queue of retired slots, plus 1.
  localparam int unsigned TABLE_PATH_NEXT = 6;
  // Private: epoch after which a retired slot may be given out again.
  localparam int unsigned TABLE_PATH_EPOCH = 7;

  // A path's private words: its addresses.
  localparam int unsigned TABLE_PATH_ADDRESSES_WORDS = 8;
  // Source address, four words as they stand in memory order.
  localparam int unsigned TABLE_PATH_ADDRESSES_SOURCE = 0;
  // Destination address, four words as they stand in memory order.
  localparam int unsigned TABLE_PATH_ADDRESSES_DESTINATION = 4;

  // A connection, as the datapath reads it.
  localparam int unsigned TABLE_CONNECTION_WORDS = 4;
  // Shared: LIVE, INVALID, UPLOAD.
  localparam int unsigned TABLE_CONNECTION_CONTROL = 0;
  // Shared: generation of the slot's occupant.
  localparam int unsigned TABLE_CONNECTION_GENERATION = 1;
  // Shared: the path it hangs from.
  localparam int unsigned TABLE_CONNECTION_PATH = 2;
  // Shared: 802.1p priority, 0 to 7.
  localparam int unsigned TABLE_CONNECTION_PRIORITY = 3;

  // A connection's private words.
  localparam int unsigned TABLE_CONNECTION_PRIVATE_WORDS = 8;
  // Card time in ms at which a frame was first held.
  localparam int unsigned TABLE_CONNECTION_PRIVATE_HELD_SINCE = 0;
  // Next connection that waits for its grace time, plus 1.
  localparam int unsigned TABLE_CONNECTION_PRIVATE_NEXT_PENDING = 1;
  // 1 while it waits for its grace time.
  localparam int unsigned TABLE_CONNECTION_PRIVATE_IS_PENDING = 2;
  // Next connection in the queue of retired slots, plus 1.
  localparam int unsigned TABLE_CONNECTION_PRIVATE_NEXT = 3;
  // Epoch after which a retired slot may be given out again.
  localparam int unsigned TABLE_CONNECTION_PRIVATE_EPOCH = 4;

  // A connection's cold state: const, cached and delegated variables as in a command.
  localparam int unsigned TABLE_CONNECTION_STATE_WORDS = 48;
  // ConnectionConst, 4 words.
  localparam int unsigned TABLE_CONNECTION_STATE_CONST = 0;
  // ConnectionCached, 8 words.
  localparam int unsigned TABLE_CONNECTION_STATE_CACHED = 4;
  // ConnectionDelegated, 28 words.
  localparam int unsigned TABLE_CONNECTION_STATE_DELEGATED = 12;

  // An alias, as the datapath reads it.
  localparam int unsigned TABLE_ALIAS_WORDS = 2;
  // Shared: the neighbor it leads to.
  localparam int unsigned TABLE_ALIAS_VIA = 0;
  // Shared: card time in ms at which VIA was last written.
  localparam int unsigned TABLE_ALIAS_MOVED_MS = 1;

  // An alias's private words.
  localparam int unsigned TABLE_ALIAS_PRIVATE_WORDS = 4;
  // Paths whose link word names it.
  localparam int unsigned TABLE_ALIAS_PRIVATE_PATHS = 0;
  // Next alias of the same neighbor, or in the queue of retired slots, plus 1.
  localparam int unsigned TABLE_ALIAS_PRIVATE_NEXT = 1;
  // Epoch after which a retired alias may be given out again.
  localparam int unsigned TABLE_ALIAS_PRIVATE_EPOCH = 2;

  // A neighbor's reachability as the datapath saw it. Written by the datapath.
  localparam int unsigned TABLE_AGE_WORDS = 2;
  // Generation of the neighbor that the confirmation belongs to. Written after CONFIRMED.
  localparam int unsigned TABLE_AGE_GENERATION = 0;
  // Card time in ms of the last forward progress.
  localparam int unsigned TABLE_AGE_CONFIRMED = 1;

  // A source MAC address in use.
  localparam int unsigned TABLE_SOURCE_MAC_WORDS = 4;
  // First four bytes.
  localparam int unsigned TABLE_SOURCE_MAC_LOW = 0;
  // Last two bytes.
  localparam int unsigned TABLE_SOURCE_MAC_HIGH = 1;
  // Neighbors that use it; 0 for a free slot.
  localparam int unsigned TABLE_SOURCE_MAC_USERS = 2;

  // A VLAN: one word each of 4096.
  localparam int unsigned TABLE_VLAN_WORDS = 1;
  // Neighbors that use it.
  localparam int unsigned TABLE_VLAN_USERS = 0;

  // Bits of a CONTROL word.
  // The slot holds an object.
  localparam logic [31:0] CONTROL_LIVE = 32'h00000001;
  // The object was invalidated.
  localparam logic [31:0] CONTROL_INVALID = 32'h00000002;
  // The path's addresses are IPv6.
  localparam logic [31:0] CONTROL_IS_IPV6 = 32'h00000004;
  // Upload of the connection was asked for: it sends nothing more.
  localparam logic [31:0] CONTROL_UPLOAD = 32'h00000008;

  // Limits that hold for every card.
  // Size of BAR0 in bytes.
  localparam logic [31:0] LIMIT_BAR_BYTES = 32'd65536;
  // Bytes of the command slot, and the alignment of a command ring.
  localparam logic [31:0] LIMIT_SLOT_BYTES = 32'd64;
  // Smallest ring, in slots.
  localparam logic [31:0] LIMIT_RING_SLOTS_MIN = 32'd2;
  // Largest ring, in slots.
  localparam logic [31:0] LIMIT_RING_SLOTS_MAX = 32'd65536;
  // Command rings a card can have, each with a completion ring.
  localparam logic [31:0] LIMIT_COMMAND_RINGS_MAX = 32'd8;
  // Transmit rings a card can have, each with a completion ring.
  localparam logic [31:0] LIMIT_TRANSMIT_RINGS_MAX = 32'd8;
  // MSI-X vectors a card can have.
  localparam logic [31:0] LIMIT_VECTORS_MAX = 32'd16;
  // Alignment of rings, result buffers, lists and status bytes, in bytes.
  localparam logic [31:0] LIMIT_DMA_ALIGN = 32'd64;
  // Unit in which a result buffer's length is given, in bytes.
  localparam logic [31:0] LIMIT_RESULT_UNIT = 32'd512;
  // Blocks in one tree.
  localparam logic [31:0] LIMIT_TREE_BLOCKS_MAX = 32'd2000000;
  // Slots that one block chains: a connection with all its state.
  localparam logic [31:0] LIMIT_BLOCK_SLOTS_MAX = 32'd4;
  // Entries in one list of handles.
  localparam logic [31:0] LIMIT_LIST_ENTRIES_MAX = 32'd4194304;
  // Entries of a list that are carried out before other rings are served.
  localparam logic [31:0] LIMIT_LIST_CHUNK = 32'd128;
  // Aliases that one neighbor can have.
  localparam logic [31:0] LIMIT_NEIGHBOR_ALIASES_MAX = 32'd4;
  // Frames that one batch of the datapath resolves between two announcements.
  localparam logic [31:0] LIMIT_RESOLVE_BATCH = 32'd64;
  // Held frames that the datapath looks at again in one batch.
  localparam logic [31:0] LIMIT_HOLD_RETRY_BATCH = 32'd64;
  // Smallest path MTU over IPv4 in bytes (RFC 791).
  localparam logic [31:0] LIMIT_MTU_MIN_IPV4 = 32'd68;
  // Smallest path MTU over IPv6 in bytes (RFC 8200).
  localparam logic [31:0] LIMIT_MTU_MIN_IPV6 = 32'd1280;
  // Largest path MTU in bytes, IP header included.
  localparam logic [31:0] LIMIT_MTU_MAX = 32'd9216;
  // Largest VLAN identifier (IEEE 802.1Q: 4095 is reserved).
  localparam logic [31:0] LIMIT_VLAN_MAX = 32'd4094;
  // Interface VLANs that can be set at attach.
  localparam logic [31:0] LIMIT_PORT_VLANS_MAX = 32'd16;
  // Completions of one ring that can wait for a fence.
  localparam logic [31:0] LIMIT_PARKED_MAX = 32'd16;
  // A reader that has not announced an epoch for this long fails the card, in ms.
  localparam logic [31:0] LIMIT_FENCE_DEADLINE_MS = 32'd1000;
  // Reset is acknowledged within this time, in ms.
  localparam logic [31:0] LIMIT_RESET_DEADLINE_MS = 32'd1000;
  // The heartbeat moves at least this often while the card is ready, in ms.
  localparam logic [31:0] LIMIT_HEARTBEAT_DEADLINE_MS = 32'd1000;
  // Notices that the datapath can leave for the firmware before it forgets some.
  localparam logic [31:0] LIMIT_NOTICES_MAX = 32'd1024;

  // The core's address map. All but RAM and the control page is not to be cached.
  // Start of RAM: code, read-only data, statics, stack. The core starts here.
  localparam logic [31:0] CORE_MAP_RAM = 32'd2147483648;
  // Size of RAM in bytes.
  localparam logic [31:0] CORE_MAP_RAM_BYTES = 32'd131072;
  // Start of the control page: that of the test finisher of QEMU's virt machine.
  localparam logic [31:0] CORE_MAP_CONTROL = 32'd1048576;
  // Size of the control page in bytes.
  localparam logic [31:0] CORE_MAP_CONTROL_BYTES = 32'd4096;
  // Start of the registers.
  localparam logic [31:0] CORE_MAP_REGISTERS = 32'd2415919104;
  // Size of the register page in bytes.
  localparam logic [31:0] CORE_MAP_REGISTERS_BYTES = 32'd4096;
  // Mailboxes, one of MAILBOX_SLOTS command slots a command ring.
  localparam logic [31:0] CORE_MAP_MAILBOXES = 32'd2415984640;
  // The outbox: OUTBOX_ENTRIES entries.
  localparam logic [31:0] CORE_MAP_OUTBOX = 32'd2416050176;
  // List buffers: LIST_BUFFERS chunks of handles a command ring.
  localparam logic [31:0] CORE_MAP_LISTS = 32'd2416115712;
  // Notices of the datapath: NOTICE_SLOTS of four words.
  localparam logic [31:0] CORE_MAP_NOTICES = 32'd2416181248;
  // The firmware's trace ring.
  localparam logic [31:0] CORE_MAP_TRACE = 32'd2416246784;
  // Start of table memory.
  localparam logic [31:0] CORE_MAP_TABLES = 32'd2684354560;
  // Address space for table memory, in bytes.
  localparam logic [31:0] CORE_MAP_TABLES_BYTES = 32'd1610612736;

  // Sizes of the windows between core and card.
  // Slots that wait for the firmware, a ring, those under way included.
  localparam logic [31:0] CORE_WINDOWS_MAILBOX_SLOTS = 32'd64;
  // Distance of two mailboxes in bytes.
  localparam logic [31:0] CORE_WINDOWS_MAILBOX_STRIDE = 32'd4096;
  // Entries that can be on their way to the host.
  localparam logic [31:0] CORE_WINDOWS_OUTBOX_ENTRIES = 32'd128;
  // Distance of two outbox entries in bytes.
  localparam logic [31:0] CORE_WINDOWS_OUTBOX_STRIDE = 32'd128;
  // Words that one result write carries at most.
  localparam logic [31:0] CORE_WINDOWS_RESULT_WORDS = 32'd16;
  // List buffers of a command ring: one is asked for while the other is worked on.
  localparam logic [31:0] CORE_WINDOWS_LIST_BUFFERS = 32'd2;
  // Distance of two list buffers in bytes.
  localparam logic [31:0] CORE_WINDOWS_LIST_STRIDE = 32'd1024;
  // Notices that the core can see at once.
  localparam logic [31:0] CORE_WINDOWS_NOTICE_SLOTS = 32'd16;
  // Distance of two ring banks in bytes.
  localparam logic [31:0] CORE_WINDOWS_CORE_RING_STRIDE = 32'd64;
  // Aliases that paths leave in one order of the link engine at most.
  localparam logic [31:0] CORE_WINDOWS_LINK_ALIASES = 32'd8;
  // Words that name the entries which the link engine refused.
  localparam logic [31:0] CORE_WINDOWS_LINK_REFUSED_WORDS = 32'd4;
  // Looks after which a link engine that has not answered never will.
  localparam logic [31:0] CORE_WINDOWS_LINK_LOOKS_MAX = 32'd1024;

  // The control page. QEMU's finisher reads as zero, so zero means: no card around the core.
  // Wo: Ends a run without a card: see Finish.
  localparam logic [31:0] REG_FINISH = 32'h00000000;
  // Ro: What is around the core: see CoreFeature.
  localparam logic [31:0] REG_CORE_FEATURES = 32'h00000004;

  // Registers of the card towards its core. Offsets from the start of the register page.
  // Ro: Entries of the neighbor table. Constant, as all capabilities.
  localparam logic [31:0] REG_CORE_NEIGHBORS = 32'h00000000;
  // Ro: Entries of the path table.
  localparam logic [31:0] REG_CORE_PATHS = 32'h00000004;
  // Ro: Entries of the connection table.
  localparam logic [31:0] REG_CORE_CONNECTIONS = 32'h00000008;
  // Ro: Aliases.
  localparam logic [31:0] REG_CORE_ALIASES = 32'h0000000c;
  // Ro: Distinct source MAC addresses besides the port's own.
  localparam logic [31:0] REG_CORE_SOURCE_MACS = 32'h00000010;
  // Ro: Distinct VLANs.
  localparam logic [31:0] REG_CORE_VLANS = 32'h00000014;
  // Ro: Card memory for connection state, in bytes.
  localparam logic [31:0] REG_CORE_STATE_MEMORY = 32'h00000018;
  // Ro: Command rings.
  localparam logic [31:0] REG_CORE_COMMAND_RINGS = 32'h0000001c;
  // Ro: Transmit rings.
  localparam logic [31:0] REG_CORE_TRANSMIT_RINGS = 32'h00000020;
  // Ro: Largest ring, in slots.
  localparam logic [31:0] REG_CORE_RING_SLOTS = 32'h00000024;
  // Ro: MSI-X vectors.
  localparam logic [31:0] REG_CORE_VECTORS = 32'h00000028;
  // Ro: Frames that can be held for one path.
  localparam logic [31:0] REG_CORE_HELD_PER_PATH = 32'h0000002c;
  // Ro: Frames that can be held on the card.
  localparam logic [31:0] REG_CORE_HELD_TOTAL = 32'h00000030;
  // Ro: Card clock in kHz.
  localparam logic [31:0] REG_CORE_CLOCK_KHZ = 32'h00000034;
  // Ro: The port's own MAC, first four bytes, the first in the lowest byte.
  localparam logic [31:0] REG_CORE_PORT_MAC_LOW = 32'h00000038;
  // Ro: The port's own MAC, last two bytes.
  localparam logic [31:0] REG_CORE_PORT_MAC_HIGH = 32'h0000003c;
  // Ro: First generation of every slot. Constant from ENABLE, as all settings.
  localparam logic [31:0] REG_CORE_GENERATION_SEED = 32'h00000040;
  // Ro: Grace time of upload requests in ms.
  localparam logic [31:0] REG_CORE_GRACE_MS = 32'h00000044;
  // Ro: Age at which a neighbor's reachability is stale, in ms.
  localparam logic [31:0] REG_CORE_STALE_MS = 32'h00000048;
  // Ro: Interface VLANs in use.
  localparam logic [31:0] REG_CORE_PORT_VLANS = 32'h0000004c;
  // Rw: Set by the card when there is something new, and at least every 50 us of card time;
  // cleared by the core. The external interrupt line that ends WFI.
  localparam logic [31:0] REG_WAKE = 32'h00000080;
  // Ro: One bit a command ring: slots wait in its mailbox, or it was stopped.
  localparam logic [31:0] REG_PENDING = 32'h00000084;
  // Ro: One bit a command ring that was stopped by an error.
  localparam logic [31:0] REG_STOPPED = 32'h00000088;
  // Ro: Card time in ms.
  localparam logic [31:0] REG_CORE_TIME_MS = 32'h0000008c;
  // Ro: Card clock cycles, low word.
  localparam logic [31:0] REG_CORE_CYCLES = 32'h00000090;
  // Rw: The oldest epoch that a reader may still work in. Without a card the core writes it.
  localparam logic [31:0] REG_ANNOUNCED = 32'h00000094;
  // Wo: Raises the global epoch, after every store to table memory before it.
  localparam logic [31:0] REG_RAISED = 32'h00000098;
  // Ro: Position up to which events may be posted.
  localparam logic [31:0] REG_EVENT_LIMIT = 32'h0000009c;
  // Ro: Position up to which the card has taken outbox entries.
  localparam logic [31:0] REG_OUTBOX_TAKEN = 32'h000000a0;
  // Wo: Position up to which the core has filled outbox entries.
  localparam logic [31:0] REG_OUTBOX_FILLED = 32'h000000a4;
  // Ro: Position up to which the card has left notices.
  localparam logic [31:0] REG_NOTICE_LEFT = 32'h000000a8;
  // Wo: Position up to which the core has taken notices.
  localparam logic [31:0] REG_NOTICE_TAKEN = 32'h000000ac;
  // Ro: Not 0: the core writes its trace.
  localparam logic [31:0] REG_CORE_TRACE_ON = 32'h000000b0;
  // Wo: Position up to which the core has written trace records.
  localparam logic [31:0] REG_CORE_TRACE_FILLED = 32'h000000b4;
  // Wo: Shows that the firmware runs: counts its steps.
  localparam logic [31:0] REG_CORE_HEARTBEAT = 32'h000000b8;
  // Wo: Where it happened, before FAIL.
  localparam logic [31:0] REG_CORE_FAIL_PC = 32'h000000bc;
  // Wo: What led to it, before FAIL.
  localparam logic [31:0] REG_CORE_FAIL_CAUSE = 32'h000000c0;
  // Wo: Puts the card into *failed* with this FailCode.
  localparam logic [31:0] REG_CORE_FAIL = 32'h000000c4;

  // Interface VLANs, one a register, bank stride 4.
  localparam int unsigned CORE_VLAN_BANK_STRIDE = 4;
  // Ro: One VLAN identifier.
  localparam logic [31:0] REG_CORE_PORT_VLAN = 32'h00000100;

  // Counters, one a register, bank stride 4.
  localparam int unsigned CORE_COUNTER_BANK_STRIDE = 4;
  // Wo: Adds to the counter of this number: see Counter.
  localparam logic [31:0] REG_CORE_COUNT = 32'h00000200;

  // One bank a command ring.
  localparam int unsigned CORE_RING_BANK_STRIDE = 64;
  // Ro: Position up to which slots lie in the mailbox.
  localparam logic [31:0] REG_MAIL_FILLED = 32'h00000400;
  // Wo: Position up to which the core has taken slots: their places are free again.
  localparam logic [31:0] REG_MAIL_TAKEN = 32'h00000404;
  // Wo: Slots settled without a completion, counted.
  localparam logic [31:0] REG_SETTLED = 32'h00000408;
  // Wo: Address of the list chunk asked for, low word.
  localparam logic [31:0] REG_LIST_LOW = 32'h0000040c;
  // Wo: Address of the list chunk asked for, high word.
  localparam logic [31:0] REG_LIST_HIGH = 32'h00000410;
  // Wo: Entries asked for in bits 0 to 15, and in bit 16 the list buffer that they go to.
  localparam logic [31:0] REG_LIST_ENTRIES = 32'h00000414;
  // Wo: Asks for the chunk: counts requests from 1.
  localparam logic [31:0] REG_LIST_ASKED = 32'h00000418;
  // Ro: The request that was answered last.
  localparam logic [31:0] REG_LIST_ANSWERED = 32'h0000041c;
  // Ro: Not 0: that answer is that the address was not mapped for the card.
  localparam logic [31:0] REG_LIST_REFUSED = 32'h00000420;

  // The link engine, of a core that has one: see CoreFeature.
  // Wo: The neighbor that the paths go to.
  localparam logic [31:0] REG_LINK_TO = 32'h00000600;
  // Wo: Its home alias.
  localparam logic [31:0] REG_LINK_HOME = 32'h00000604;
  // Wo: Card time in ms that moved paths are stamped with.
  localparam logic [31:0] REG_LINK_MS = 32'h00000608;
  // Wo: Entries of a list buffer: the first in bits 0 to 11, the one behind the last in bits 12
  // to 23, the list buffer, counted over all rings, in bits 24 to 31.
  localparam logic [31:0] REG_LINK_RANGE = 32'h0000060c;
  // Wo: Gives the order, and counts orders from 1. What was stored before holds until another
  // store.
  localparam logic [31:0] REG_LINK_ORDERED = 32'h00000610;
  // Ro: The order that was carried out last.
  localparam logic [31:0] REG_LINK_ENDED = 32'h00000614;
  // Ro: What it came to: the entry behind the last that is answered in bits 0 to 11, aliases
  // that paths have left in bits 12 to 15, and bit 16: entries were refused.
  localparam logic [31:0] REG_LINK_ANSWER = 32'h00000618;

  // Entries that the link engine refused, a bit each, 32 a register, bank stride 4.
  localparam int unsigned CORE_LINK_REFUSED_BANK_STRIDE = 4;
  // Ro: The lowest bit is the first of its 32 entries.
  localparam logic [31:0] REG_LINK_REFUSED = 32'h00000640;

  // Aliases that paths have left, in the order in which they were first left.
  localparam int unsigned CORE_LINK_LEFT_BANK_STRIDE = 8;
  // Ro: The alias.
  localparam logic [31:0] REG_LINK_LEFT_ALIAS = 32'h00000680;
  // Ro: Paths that have left it.
  localparam logic [31:0] REG_LINK_LEFT_PATHS = 32'h00000684;

  // An outbox entry. Filled by the core before OUTBOX_FILLED passes it.
  localparam int unsigned TABLE_OUTBOX_ENTRY_WORDS = 32;
  // What it is (OutboxKind) in bits 0 to 7, the command ring in 8 to 15, the number of words in
  // 16 to 23.
  localparam int unsigned TABLE_OUTBOX_ENTRY_HEAD = 0;
  // Where the words go in host memory, low word; results and fills only.
  localparam int unsigned TABLE_OUTBOX_ENTRY_ADDRESS_LOW = 1;
  // Where the words go, high word.
  localparam int unsigned TABLE_OUTBOX_ENTRY_ADDRESS_HIGH = 2;
  // First of up to sixteen words; a fill has but this.
  localparam int unsigned TABLE_OUTBOX_ENTRY_WORDS_FIRST = 4;

  // A notice of the datapath.
  localparam int unsigned TABLE_NOTICE_WORDS = 4;
  // What it says: see NoticeKind.
  localparam int unsigned TABLE_NOTICE_KIND = 0;
  // The object it speaks of, low word.
  localparam int unsigned TABLE_NOTICE_HANDLE_LOW = 1;
  // The object it speaks of, high word.
  localparam int unsigned TABLE_NOTICE_HANDLE_HIGH = 2;

  // What an outbox entry is.
  // Words for host memory.
  localparam logic [31:0] OUTBOX_KIND_RESULT = 32'h00000001;
  // A tree's completion, phase aside.
  localparam logic [31:0] OUTBOX_KIND_COMPLETION = 32'h00000002;
  // An event, phase aside.
  localparam logic [31:0] OUTBOX_KIND_EVENT = 32'h00000003;
  // The first word, so many times, for host memory.
  localparam logic [31:0] OUTBOX_KIND_FILL = 32'h00000004;

  // What a notice says.
  // A frame of this connection was held because something it depends on is invalid.
  localparam logic [31:0] NOTICE_KIND_HELD = 32'h00000001;
  // A frame left through this neighbor while both its ages were past the stale time.
  localparam logic [31:0] NOTICE_KIND_STALE = 32'h00000002;
  // The last held frame has left, or was given back.
  localparam logic [31:0] NOTICE_KIND_DRAINED = 32'h00000003;

  // Bits of CORE_FEATURES.
  // A card is around the core: it announces epochs and wakes the core. Without it the core takes
  // every epoch for announced, works off what is in memory, and ends the run.
  localparam logic [31:0] CORE_FEATURE_CARD = 32'h00000001;
  // A link engine is there: see LINK_ORDERED.
  localparam logic [31:0] CORE_FEATURE_LINK_ENGINE = 32'h00000002;

  // What FINISH takes, as the finisher of QEMU's virt machine (hw/misc/sifive_test.h).
  // The run is over.
  localparam logic [31:0] FINISH_PASS = 32'h00005555;
  // The run is over by a failure; CORE_FAIL and its neighbors tell which.
  localparam logic [31:0] FINISH_FAIL = 32'h00023333;

endpackage : offload_abi_pkg

`endif  // OFFLOAD_ABI_PKG_SV
