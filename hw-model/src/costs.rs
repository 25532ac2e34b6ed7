//! Every latency of the model that is not the bus's or table memory's, each a named constant with
//! its source.
//!
//! Cycles are those of the card clock. The bus has its own file, `pcie`, table memory `memory`; an
//! instruction's cycles are in `rv32::costs`, and what the firmware costs on the native body is
//! counted on the RISC-V one (`charge`, `fitted`).

/// Cycles that a core waits for a register or a window of the card beyond a load's own cost. RTL:
/// `core_bus` answers two clocks after it was asked, and RAM one.
pub const REGISTER_LOAD_STALL: u32 = 1;
/// From something new to the line that ends the core's sleep. RTL: `news`, then WAKE. Leaving WFI is
/// an instruction's cost.
pub const WAKE_CYCLES: u64 = 2;
/// How often an idle core looks at its timers: 50 us at 250 MHz. A choice, far below the
/// milliseconds in which those timers count.
pub const IDLE_QUANTUM_US: u64 = 50;

/// What an order of the link engine takes beside its entries, from the store that gives it to the
/// clock in which the core can see that it ended. Counted on the RTL (`link_engine.sv`).
pub const LINK_PIPELINE_CYCLES: u32 = 11;
/// One more entry: the engine takes one a clock. The same source.
pub const LINK_PATH_CYCLES: u32 = 1;
/// An alias that the engine has not met in this order yet: it stands still and looks. The same
/// source.
pub const LINK_LOOK_CYCLES: u32 = 7;

/// From a doorbell that the card accepts to the read that it asks for: three clocks of `axil_slave`
/// and `csr`, one of four until `fetch` looks at that ring, six of the look. RTL: 9 to 12.
pub const DOORBELL_SCAN_CYCLES: u64 = 10;
/// From a request of a read to its address at the bus. RTL: `dma_rd`, taken, cut at pages, picked,
/// given an ID.
pub const READ_REQUEST_CYCLES: u64 = 4;
/// From the last line at the bus to whoever asked for it. RTL: two stages in `dma_rd`, four of
/// `reorder`.
pub const READ_DELIVERY_CYCLES: u64 = 6;
/// From lines that are delivered to a mailbox or a list buffer that shows them. RTL: a stage.
pub const FILL_CYCLES: u64 = 1;
/// From the store that asks for a chunk of a list to the read's request. RTL: `core_bus`,
/// `list_fetch`.
pub const LIST_ASK_CYCLES: u64 = 3;
/// From the store that hands an entry over to its turn in the outbox. RTL: `core_bus`, `core_regs`,
/// then LOOK and TURN of `outbox`.
pub const OUTBOX_CYCLES: u64 = 4;
/// From one turn of the outbox to the next: SETTLE, LOOK, TURN, SEND.
pub const OUTBOX_TURN_CYCLES: u64 = 4;
/// From an entry's turn to its data at the bus. RTL: `wr_req_valid`, a stage of `dma_wr`.
pub const WRITE_REQUEST_CYCLES: u64 = 2;
/// From a write that the host sees to the turn of a completion that waited for it: the bus's answer,
/// a stage in `dma_wr`, one in `outbox`.
pub const WRITE_ANSWER_CYCLES: u64 = 3;

/// From the first header of a batch in to its frame out. RTL: 26 clocks through resolver, judge,
/// framer and egress, at the ports of `datapath`.
pub const RESOLVE_PIPELINE_CYCLES: u64 = 26;
/// One header a clock once the pipeline is full (the resolve-rate goal of the design).
pub const RESOLVE_CYCLES: u64 = 1;
/// Bytes that the frame path moves a clock: a 512-bit stream, as 100 Gb/s cores have it.
pub const FRAME_BYTES_PER_CYCLE: u64 = 64;
/// From the store that raises an epoch to the core's seeing it announced by a datapath with nothing
/// in it. RTL: four clocks in `core_regs` and `core`, behind the stores before it, six of `fence`.
pub const ANNOUNCE_CYCLES: u64 = 10;
