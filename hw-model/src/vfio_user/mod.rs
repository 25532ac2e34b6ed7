//! A card as a PCIe endpoint of another process: a server of the vfio-user protocol.
//!
//! Around the model, or any other card ([`Seated`]), in a [`Slot`](crate::Slot): a virtual machine (QEMU's
//! `vfio-user-pci`) or any other client finds a PCI function at the end of a Unix socket, maps its
//! doorbells, opens windows to its own memory and is signaled by eventfd. It adds the bus around
//! the card and nothing to the card. To read first: QEMU, `docs/interop/vfio-user.rst`.
//!
//! ```text
//! socket ─► connection ─► protocol ─► function ─┬─► config_space   what a machine finds
//!              ▲                          │     ├─► regions        BARs, as files
//!              └────────── reply ◄────────┘     ├─► windows ─────► slot: DMA ranges
//!                                               ├─► vectors ─────► slot: eventfds
//!                                               └─► card, bench
//! ```
//!
//! A client is hostile until it has gone: it reaches what it opened windows to and its own
//! doorbells, and can end its own connection, which takes everything away that it had.

mod config_space;
mod connection;
mod event;
mod function;
mod protocol;
mod readiness;
mod regions;
mod seated;
mod server;
mod socket;
mod vectors;
mod windows;

pub use config_space::CLASS_CODE;
pub use connection::{Channel, FILES_PER_MESSAGE_MAX, Gone, Wait, converse};
pub use event::ServeEvent;
pub use function::Function;
pub use protocol::MESSAGE_MAX;
pub use seated::{Cards, Seated};
pub use server::{ServeError, Server};
pub use socket::PATIENCE;
pub use windows::FILES_MAX;
