//! The host's end of flue: keeps neighbor, path and connection objects on a card.
//!
//! A [`Session`] takes a card into use through a [`Backing`](backing::Backing). Trees of objects
//! ([`Initiate`], [`Update`], [`Query`], [`Invalidate`], [`Terminate`]) go down through command
//! rings; an [`Outcome`] with a status for every block comes back. A [`Transmitter`] sends
//! packets along the offloaded paths.
//!
//! ```text
//! tree ──► session ──► lane ──► ring ──► dma / bar ══► card
//!            ▲                                           │
//!            └── outcome ◄── reap ◄── completion ring ◄══╛
//! ```
//!
//! The driver refuses only what cannot be expressed; what the card can judge, the card judges.
//! Whatever the card writes back is checked before use.

pub mod audit;
pub mod backing;
pub mod bar;
pub mod barrier;
mod body;
mod bring_up;
pub mod dma;
pub mod error;
pub mod memory;
pub mod outcome;
pub mod ring;
mod run;
pub mod session;
pub mod shadow;
mod spare;
pub mod state;
pub mod trace;
pub mod transmit;
pub mod tree;
pub mod vfio;

pub use audit::{AuditReport, Difference};
pub use dma::HandleList;
pub use error::{AttachError, Error, Refused};
pub use outcome::{BlockResult, Outcome};
pub use session::{Answered, CardEvent, Config, Health, NotTaken, Session, Ticket};
pub use state::{ConnectionState, NeighborState, ObjectHead, ObjectState, PathState};
pub use transmit::{NotPosted, TransmitDone, Transmitter};
pub use tree::{
    Initiate, Invalidate, NeighborBlock, NeighborUpdate, PathBlock, Query, Terminate, Tree, Update,
};
