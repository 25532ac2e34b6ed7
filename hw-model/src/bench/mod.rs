//! The bench: BAR2 of a served card, by which the host that drives it also builds it and sees its
//! frames.
//!
//! Beside the flow, and no part of a card: silicon has no bench. The contract is `abi::host::bench`.
//! [`BenchBar`] is the card's end, [`BenchRig`] and [`MirrorReader`] are the host's; between them
//! lie the register page and the mirror, a ring of frames. Each end takes what the other writes
//! for hostile.
//! Invariant: nothing here makes a card wait; a frame without room in the mirror is counted lost.

mod bar;
pub mod mirror;
mod port;
mod reader;
mod rig;
mod staged;

pub use bar::BenchBar;
pub use mirror::MirrorError;
pub use reader::{Crossed, MirrorReader};
pub use rig::{BenchError, BenchRig};
