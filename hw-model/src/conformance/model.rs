//! How the model is given to the suite: a card a claim, of exactly the sizes it asks for.

use std::sync::Arc;

use super::{Body, Needs, Rig, Unfit};
use crate::card::ModelCard;
use crate::config::{CardConfig, ReaderStall};
use crate::port::CapturePort;

/// Frames that a port keeps before it refuses: more than any claim sends between two looks.
const CAPTURED_MAX: usize = 1 << 20;

/// The model, by its way of running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelRig {
    /// Threads that poll.
    FreeRunning,
    /// Discrete events on the card's clock.
    Timed,
}

impl Rig for ModelRig {
    type Card = ModelCard;

    fn power_on(&self, needs: &Needs) -> Result<Body<ModelCard>, Unfit> {
        let reader_stall = needs
            .slow_reader
            .map(|slow| ReaderStall { every_batches: slow.every_batches, stall_us: slow.stall_us });
        let config =
            CardConfig { capabilities: needs.capabilities, reader_stall, ..CardConfig::default() };
        let (port, capture) = CapturePort::new(CAPTURED_MAX);
        let card: Arc<ModelCard> = match self {
            Self::FreeRunning => ModelCard::free_running(config, Box::new(port)),
            Self::Timed => ModelCard::timed(config, Box::new(port)),
        };
        Ok(Body { card, capture })
    }
}
