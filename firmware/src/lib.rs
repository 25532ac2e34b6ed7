//! The card's firmware: takes command slots, keeps the tables, answers.
//!
//! A library without an operating system, an allocator or a reachable panic. It knows the card
//! only through [`abi::core::Hal`], so the same code runs inside the model, on the card's
//! RISC-V core, and against RTL. Flow: [`ring`] takes slots → `parse` → verbs (`initiate`,
//! `update`, `query`, `invalidate`, `terminate`) → `table` and `link` → results and, after the
//! `fence`, the completion.
//!
//! Invariants: it is the only writer of the tables (but for the reachability ages); every
//! shared word is written by one 32-bit store; it never waits, it looks again in a later
//! [`Firmware::step`]; every loop in a step is bounded.
#![no_std]
#![forbid(unsafe_code)]

mod card;
mod chunk;
mod express;
mod fence;
mod header;
mod initiate;
mod invalidate;
mod link;
mod list;
mod maybe;
pub mod mmio;
mod parked;
pub mod parse;
mod paths;
mod pool;
mod query;
mod reach;
mod relink;
mod result;
pub mod ring;
mod sweep;
mod table;
mod terminate;
mod tree;
mod update;
mod upload;

pub use card::{Activity, Firmware};
