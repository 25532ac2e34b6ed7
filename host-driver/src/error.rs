//! What can go wrong, by layer. What the card says of a block is not an error here: it is a
//! status in the [`Outcome`](crate::Outcome), and [`Refused`] when a caller wants it as one.

use std::io;
use std::sync::Arc;

use abi::host::status::{CardState, Detail, FailCode, Status};

/// A card could not be taken into use.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The identity register says it is something else.
    #[error(
        "{card}: not a flue card: IDENTITY reads {found:#010x}, not {expected:#010x}; is it the right device, and is its memory space enabled?"
    )]
    NotACard {
        /// Which card.
        card: String,
        /// What the register reads.
        found: u32,
        /// What it should read.
        expected: u32,
    },
    /// The major version of the contract differs.
    #[error("{card}: speaks contract version {}.{}, this driver {}.{}; use a driver and a card of one major version", .card_version >> 16, .card_version & 0xffff, .driver_version >> 16, .driver_version & 0xffff)]
    Version {
        /// Which card.
        card: String,
        /// The card's.
        card_version: u32,
        /// The driver's.
        driver_version: u32,
    },
    /// Same version, other tables.
    #[error(
        "{card}: built from other contract tables: hash {card_hash:#010x}, this driver's is {driver_hash:#010x}; rebuild one of the two"
    )]
    AbiHash {
        /// Which card.
        card: String,
        /// The card's.
        card_hash: u32,
        /// The driver's.
        driver_hash: u32,
    },
    /// A capability register makes no sense.
    #[error("{card}: capability {name} reads {value}, which no card can mean; reset or replace it")]
    Capability {
        /// Which card.
        card: String,
        /// Name of the register.
        name: &'static str,
        /// What it reads.
        value: u32,
    },
    /// More is asked for than the card has.
    #[error("{card}: {what} {asked} asked for, the card has {offered}")]
    Offered {
        /// Which card.
        card: String,
        /// What of.
        what: &'static str,
        /// Asked for.
        asked: u32,
        /// Offered.
        offered: u32,
    },
    /// Reads of the card return all ones: it has left the bus.
    #[error("{card}: has vanished: its registers read all ones")]
    Vanished {
        /// Which card.
        card: String,
    },
    /// The card did not do what it was told within the bound.
    #[error("{card}: did not {what} within {waited_ms} ms; state is {state}")]
    TimedOut {
        /// Which card.
        card: String,
        /// What was waited for.
        what: &'static str,
        /// How long, on the card's clock.
        waited_ms: u64,
        /// Its state.
        state: CardState,
    },
    /// Memory or an interrupt could not be had.
    #[error("{card}: {what}: {source}")]
    System {
        /// Which card.
        card: String,
        /// What for.
        what: &'static str,
        /// What the system said.
        source: Arc<io::Error>,
    },
}

/// A session could not do what was asked. After [`Error::is_fatal`] errors only a reset helps.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reads of the card return all ones: it has left the bus.
    #[error("{card}: has vanished: its registers read all ones")]
    Vanished {
        /// Which card.
        card: String,
    },
    /// The card reports *failed*.
    #[error("{card}: failed: {}; reset it to go on", why(*.code, *.pc, *.cause))]
    Failed {
        /// Which card.
        card: String,
        /// Why.
        code: FailCode,
        /// Program counter at a trap.
        pc: u32,
        /// Cause at a trap, or detail.
        cause: u32,
    },
    /// A ring was stopped by an error.
    #[error("{card}: ring {ring} was stopped: {code}; reset the card to go on")]
    RingStopped {
        /// Which card.
        card: String,
        /// Which ring.
        ring: u32,
        /// Why.
        code: FailCode,
    },
    /// No completion came within the bound.
    #[error("{card}: no progress on ring {ring} for {waited_ms} ms; reset the card to go on")]
    TimedOut {
        /// Which card.
        card: String,
        /// Which ring.
        ring: u32,
        /// How long, on the card's clock.
        waited_ms: u64,
    },
    /// The card wrote back something that cannot be.
    #[error("{card}: ring {ring}: the card's answer makes no sense: {what}; reset it to go on")]
    Nonsense {
        /// Which card.
        card: String,
        /// Which ring.
        ring: u32,
        /// What is wrong with it.
        what: String,
    },
    /// The tree needs a larger result buffer than can be named, or has no block.
    #[error(
        "the tree cannot be sent: {blocks} blocks and {result_bytes} bytes of results, at most {blocks_max} and {result_bytes_max}, at least 1; split it"
    )]
    TreeSize {
        /// Blocks.
        blocks: u32,
        /// Bytes of results.
        result_bytes: u64,
        /// Most blocks.
        blocks_max: u32,
        /// Most bytes.
        result_bytes_max: u64,
    },
    /// There is no such ring.
    #[error("there is no {kind} ring {ring}: this session has {count}")]
    NoRing {
        /// Command or transmit.
        kind: &'static str,
        /// The number given.
        ring: u32,
        /// How many there are.
        count: u32,
    },
    /// A transmit ring has one owner at a time.
    #[error("transmit ring {ring} has an owner already")]
    RingTaken {
        /// Which ring.
        ring: u32,
    },
    /// DMA memory could not be had.
    #[error("no DMA memory for {what}: {source}")]
    Memory {
        /// What for.
        what: &'static str,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// Taking the card into use again failed.
    #[error("after the reset: {0}")]
    Attach(#[from] AttachError),
    /// After this reset handles could repeat.
    #[error(
        "{card}: a slot was given out with the last generation there is, so handles of before could name new objects; forget them, detach and attach anew"
    )]
    GenerationsSpent {
        /// Which card.
        card: String,
    },
    /// Nobody could drive the session.
    #[error(
        "for {waited_s} s nobody could drive the session: a look at its shadow is kept somewhere; drop it before waiting"
    )]
    Blocked {
        /// How long, in s.
        waited_s: u64,
    },
    /// The session was closed while this waited.
    #[error("the session was closed")]
    Closed,
}

impl Error {
    /// Whether the session is of no use any more without a reset.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        !matches!(
            self,
            Self::Blocked { .. }
                | Self::TreeSize { .. }
                | Self::NoRing { .. }
                | Self::RingTaken { .. }
                | Self::Memory { .. }
        )
    }
}

/// Why a card is *failed*, in words.
fn why(code: FailCode, pc: u32, cause: u32) -> String {
    match code {
        FailCode::TRAP => match trap(cause) {
            Some(word) => format!("{code}: {word} at pc {pc:#010x} (cause {cause})"),
            None => format!("{code} at pc {pc:#010x} (cause {cause:#x})"),
        },
        FailCode::HEARTBEAT => format!("{code}: the firmware stood still"),
        _ => format!("{code} (pc {pc:#010x}, cause {cause:#x})"),
    }
}

/// What a RISC-V core calls the cause of a trap: The RISC-V Instruction Set Manual Volume II
/// (20240411), table 14, as far as a core without user mode and translation can meet it.
const fn trap(cause: u32) -> Option<&'static str> {
    Some(match cause {
        1 => "instruction access fault",
        2 => "illegal instruction",
        3 => "breakpoint",
        4 => "load address misaligned",
        5 => "load access fault",
        6 => "store address misaligned",
        7 => "store access fault",
        11 => "environment call",
        _ => return None,
    })
}

/// The card refused a block; see [`Outcome::block`](crate::Outcome::block).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the card answered {status} ({}) for block {block}", .detail.word())]
pub struct Refused {
    /// The block.
    pub block: usize,
    /// Its status.
    pub status: Status,
    /// Why.
    pub detail: Detail,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_card_is_reported_with_what_its_core_met() {
        let words = |code, pc, cause| {
            let card = "riscv".to_owned();
            Error::Failed { card, code, pc, cause }.to_string()
        };
        assert_eq!(
            words(FailCode::TRAP, 0x8000_0123, 2),
            "riscv: failed: trap: illegal instruction at pc 0x80000123 (cause 2); reset it to go on"
        );
        assert!(words(FailCode::TRAP, 0, 0x18).contains("trap at pc 0x00000000 (cause 0x18)"));
        assert!(words(FailCode::HEARTBEAT, 0, 0).contains("the firmware stood still"));
        assert!(words(FailCode::FENCE, 0, 3).contains("fence (pc 0x00000000, cause 0x3)"));
    }
}
