//! How the tests of this folder make cards: the model, either way of running.
//!
//! Between the conformance suite and `ModelCard`. It knows no claim.

use std::sync::Arc;

use hw_model::conformance::{Body, Needs, Rig, Unfit};
use hw_model::port::CapturePort;
use hw_model::{CardConfig, ModelCard, ReaderStall};

/// Frames that a port keeps before it refuses: more than any claim sends between two looks.
const CAPTURED_MAX: usize = 1 << 20;

/// The model, by its way of running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    /// Threads that poll.
    #[allow(dead_code, reason = "each test file uses one of the two")]
    FreeRunning,
    /// Discrete events on the card's clock.
    #[allow(dead_code, reason = "each test file uses one of the two")]
    Timed,
}

impl Rig for Model {
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
