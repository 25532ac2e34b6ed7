//! Every latency of the model that is not the bus's or table memory's, each a named constant with
//! its source.
//!
//! Cycles are those of the card clock. The bus has its own file, `pcie`, table memory `memory`; an
//! instruction's cycles are in `rv32::costs`, and what the firmware costs on the native body is
//! counted on the RISC-V one (`charge`, `fitted`).

/// Cycles that a core waits for a register or a window of the card beyond a load's own cost: one
/// register stage between core and card, on the way there; stores are posted. A choice.
pub const REGISTER_LOAD_STALL: u32 = 1;
/// From something new to the core's seeing it: setting WAKE, and a stage in its line. Leaving WFI is
/// an instruction's cost. A choice.
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

/// From a doorbell in the page to the fetch engine that scans the page round-robin: one clock
/// a ring, 16 rings, half of that on average. Derived.
pub const DOORBELL_SCAN_CYCLES: u64 = 8;
/// From the first header of a batch in to its frame out: connection, path, alias, neighbor and
/// header are five reads of on-chip memory at 2 clocks each, 4 more for framing. Derived.
pub const RESOLVE_PIPELINE_CYCLES: u64 = 14;
/// One header a clock once the pipeline is full (the resolve-rate goal of the design).
pub const RESOLVE_CYCLES: u64 = 1;
/// Bytes that the frame path moves a clock: a 512-bit stream, as 100 Gb/s cores have it.
pub const FRAME_BYTES_PER_CYCLE: u64 = 64;
/// An idle reader announces a raised epoch: sees it, empties its pipeline, answers. Derived:
/// two clock crossings of 2 and the pipeline.
pub const ANNOUNCE_CYCLES: u64 = 4 + RESOLVE_PIPELINE_CYCLES;
