//! The card in software: registers, DMA, firmware, datapath, port.
//!
//! Stands where a PCIe card would: a driver reaches it through [`host_driver::backing`] and
//! cannot tell the difference. The firmware decides what commands mean; this crate is
//! the hardware around it and adds time. It knows no trees and no sessions.
//!
//! ```text
//! command rings ─► fetch ─► mailbox ─► firmware ─► table memory ─► datapath ─► port
//!      ▲                                  │ hal          (resolver, hold)
//!      └── completions, events ◄── outbox ◄┘      transmit rings ─► ┘ └─► completions
//! ```
//!
//! Two bodies for the firmware: the library linked in, or the image on a simulated RISC-V hart
//! ([`Body`]). Same answers; on the clock, cycles of a table or cycles counted an instruction.
//!
//! Two ways to run: [`ModelCard::free_running`] polls on two threads, [`ModelCard::timed`] runs
//! events on the card's own clock. Both run the same parts.
#![forbid(unsafe_code)]

mod backing;
mod bar;
pub mod bare;
pub mod bench;
mod body;
mod card;
pub mod charge;
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
mod fitted;
mod free_running;
mod image;
mod interrupts;
mod iommu;
mod link_engine;
pub mod measure;
pub mod memory;
mod meter;
mod notices;
pub mod oracle;
mod outbox;
mod pcie;
mod peripherals;
pub mod port;
mod registers;
mod rings;
mod shared;
mod sleeper;
mod slot;
pub mod slots;
pub mod table_memory;
mod timed;
mod trace;
mod turns;
pub mod vfio_user;
mod watchdog;
mod work;

pub use body::Body;
pub use card::ModelCard;
pub use config::{CardConfig, CardThread, OnStart, ReaderStall, Threads};
pub use image::{Image, ImageError, RamRange};
pub use iommu::{MAPPINGS_MAX, Permission, Refusal};
pub use meter::Tally;
pub use pcie::{FixedBus, HostBus, Pcie};
pub use slot::Slot;
pub use work::{CoreWork, Steps};
