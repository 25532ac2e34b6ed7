//! The card in software: registers, DMA, firmware, datapath, port.
//!
//! Stands where a PCIe card would: a driver reaches it through [`host_driver::backing`] and
//! cannot tell the difference. The firmware library decides what commands mean; this crate is
//! the hardware around it and adds time. It knows no trees and no sessions.
//!
//! ```text
//! command rings ─► fetch ─► mailbox ─► firmware ─► table memory ─► datapath ─► port
//!      ▲                                  │ hal          (resolver, hold)
//!      └── completions, events ◄── outbox ◄┘      transmit rings ─► ┘ └─► completions
//! ```
//!
//! Two ways to run: [`ModelCard::free_running`] polls on two threads, [`ModelCard::timed`] runs
//! events on the card's own clock. Both run the same parts.
#![forbid(unsafe_code)]

mod backing;
mod bar;
pub mod bench;
mod card;
mod clock;
mod command_core;
mod config;
pub mod conformance;
mod control;
pub mod costs;
mod counters;
pub mod datapath;
mod dma;
pub mod epochs;
mod fetch;
mod free_running;
mod hal;
mod interrupts;
mod iommu;
mod meter;
pub mod oracle;
mod outbox;
mod pcie;
pub mod port;
mod registers;
mod rings;
mod shared;
mod sleeper;
mod slot;
pub mod table_memory;
mod timed;
pub mod vfio_user;
mod watchdog;

pub use card::ModelCard;
pub use config::{CardConfig, ReaderStall};
pub use iommu::{MAPPINGS_MAX, Permission, Refusal};
pub use pcie::Pcie;
pub use slot::Slot;
