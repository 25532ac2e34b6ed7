//! What the firmware and the card around it share: capabilities, table memory, the [`Hal`].
//!
//! Firmware never addresses host memory and never touches a ring; the card around it does
//! that on its order. The same firmware runs in every body because it knows only this.

pub mod hal;
pub mod link;
pub mod mmio;
pub mod table;

pub use hal::{Capabilities, Fetched, Hal, Notice, Settings};
pub use link::{LinkAnswer, LinkOrder, LinkTable, LinkWalk};
