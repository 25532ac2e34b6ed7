//! The contract between host and card, written once.
//!
//! Two faces. [`host`] is what the driver and the card share: BAR registers, rings,
//! commands, completions, results, events, transmit descriptors. [`core`] is what the
//! firmware and the card around it share: capabilities, table memory, and the [`core::Hal`]
//! through which the firmware reaches everything else.
//!
//! No code here touches hardware or memory; these are numbers, layouts and total functions
//! on words. Everything is little-endian; MAC and IP addresses are in network order.
//! `cargo xtask abi` prints this crate as Markdown, a C header and a SystemVerilog package.
#![no_std]
#![forbid(unsafe_code)]

#[macro_use]
pub mod layout;
pub mod core;
pub mod host;
pub mod tables;

/// Major version of this contract. Host and card must agree on it.
pub const VERSION_MAJOR: u32 = 1;
/// Minor version: grows when something is added that an older side can ignore.
pub const VERSION_MINOR: u32 = 2;
/// What the VERSION register holds: major in the upper half, minor in the lower.
pub const VERSION: u32 = VERSION_MAJOR << 16 | VERSION_MINOR;

/// The number by which host and card agree that they were built from the same tables.
///
/// FNV-1a over every name, offset and width in [`tables::TABLES`].
pub const ABI_HASH: u32 = layout::hash(tables::TABLES);
