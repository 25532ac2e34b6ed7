//! `flue bench`: what a card costs, as its host sees it, and what an operation costs its core.
//!
//! From the command line to `session` (any card, through the driver, on whatever clock it has) or
//! to `core` (the firmware's image on a simulated core, counted).

mod core;
mod session;

use std::io;

use abi::host::status::Status;

use crate::args::{BenchArgs, BenchCommand};
use crate::card::CardError;
use crate::image::NoImage;

/// Why nothing was measured, or not told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// There is no firmware image.
    #[error(transparent)]
    Image(#[from] NoImage),
    /// No session with the card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The session failed under way.
    #[error(transparent)]
    Session(#[from] host_driver::Error),
    /// The card says of a packet what cannot be.
    #[error(transparent)]
    Transmit(#[from] host_driver::NotPosted),
    /// The card did not do what was measured.
    #[error("{operation}: the card answered {status} for {failed} objects; nothing was measured")]
    Refused {
        /// What was asked for.
        operation: String,
        /// Status of the tree.
        status: Status,
        /// Blocks and list entries that were not carried out.
        failed: u32,
    },
    /// Frames neither left nor were dropped.
    #[error("{0} packets were sent and have not come back within {limit} s", limit = session::FRAMES_TIMEOUT_S)]
    FramesLost(usize),
    /// The figures could not be written.
    #[error("cannot write the figures: {0}")]
    Write(#[from] io::Error),
}

impl BenchError {
    /// Whether the command line is to blame.
    pub(crate) fn is_wrong(&self) -> bool {
        match self {
            Self::Image(_) => true,
            Self::Card(error) => error.is_wrong(),
            _ => false,
        }
    }
}

/// Measures what was asked for, and prints it.
///
/// # Errors
/// All of [`BenchError`].
pub(crate) fn run(args: &BenchArgs) -> Result<(), BenchError> {
    match &args.what {
        Some(BenchCommand::Card(args)) => core::run(args),
        None => session::run(args),
    }
}
