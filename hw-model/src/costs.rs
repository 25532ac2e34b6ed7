//! Every latency of the model that is not the bus's, each a named constant with its source.
//!
//! Cycles are those of the card clock. The bus has its own file, `pcie`. What the firmware
//! costs is an estimate of the instructions behind each `Hal` operation on a small in-order
//! RISC-V core (two cycles a load or store to uncached memory, one an ALU instruction); it is
//! to be fitted against the RISC-V body, which counts cycles an instruction.

/// Entering and leaving one step of the firmware: its polling loop, one lap.
/// Estimate: 40 instructions of loop, flags and ring choice.
pub const STEP_CYCLES: u64 = 40;
/// `Hal::load` with the address arithmetic and the test that follow it. Estimate: 2 + 2.
pub const LOAD_CYCLES: u64 = 4;
/// `Hal::store` with its address arithmetic. Estimate: 1 + 2.
pub const STORE_CYCLES: u64 = 3;
/// `Hal::publish`: a store behind a fence. Estimate: store plus 2 for `fence rw, w`.
pub const PUBLISH_CYCLES: u64 = 5;
/// `Hal::observe`: a load and a fence behind it. Estimate: load plus 2 for `fence r, rw`.
pub const OBSERVE_CYCLES: u64 = 6;
/// `Hal::take` of a slot: sixteen loads from the mailbox and the parser's own work on it.
/// Estimate: 16 × 2 for the words, 28 for flags, kind and dispatch.
pub const TAKE_CYCLES: u64 = 60;
/// `Hal::take` of an empty mailbox: one register read and a branch. Estimate.
pub const TAKE_EMPTY_CYCLES: u64 = 3;
/// `Hal::consume`: one register write. Estimate.
pub const CONSUME_CYCLES: u64 = 2;
/// `Hal::complete`: four words into the outbox and its command word. Estimate.
pub const COMPLETE_CYCLES: u64 = 14;
/// `Hal::write`: address and command word. Estimate; each word adds [`WRITE_WORD_CYCLES`].
pub const WRITE_CYCLES: u64 = 8;
/// `Hal::write`: one word into the outbox. Estimate: a store and the load it came from.
pub const WRITE_WORD_CYCLES: u64 = 3;
/// `Hal::fetch_list`: three register writes. Estimate.
pub const FETCH_LIST_CYCLES: u64 = 6;
/// `Hal::list_entry`: two loads from the list buffer, kind and range check. Estimate.
pub const LIST_ENTRY_CYCLES: u64 = 8;
/// `Hal::raise`: one register write behind a fence. Estimate.
pub const RAISE_CYCLES: u64 = 4;
/// A register read by the firmware: announced epoch, time, list state, notice. Estimate.
pub const REGISTER_CYCLES: u64 = 3;
/// `Hal::event`: four words into the outbox. Estimate, as `complete`.
pub const EVENT_CYCLES: u64 = 14;

/// A command that arrives wakes a core that polls: half a lap of its loop. Derived from
/// [`STEP_CYCLES`].
pub const WAKE_CYCLES: u64 = STEP_CYCLES / 2;
/// How often an idle core looks at its timers: 50 us at 250 MHz. A choice, far below the
/// milliseconds in which those timers count.
pub const IDLE_QUANTUM_US: u64 = 50;

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
