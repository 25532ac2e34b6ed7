//! How the model is given to the suite: a card a claim, of exactly the sizes it asks for.

use std::sync::Arc;

use super::{Needs, Rig, Unfit};
use crate::body::Body;
use crate::card::ModelCard;
use crate::config::{CardConfig, ReaderStall, Threads};
use crate::port::CapturePort;

/// Frames that a port keeps before it refuses: more than any claim sends between two looks.
const CAPTURED_MAX: usize = 1 << 20;

/// The model, by its way of running and the body of its core.
#[derive(Clone, Debug)]
pub struct ModelRig {
    /// Discrete events on the card's own clock, not threads that poll.
    pub is_timed: bool,
    /// What runs the firmware.
    pub body: Body,
    /// The threads of a card that runs by itself.
    pub threads: Threads,
}

impl ModelRig {
    /// Two threads that poll, the firmware linked in.
    pub const FREE_RUNNING: Self =
        Self { is_timed: false, body: Body::Native, threads: Threads::Two };
    /// One thread that polls, the firmware linked in.
    pub const ONE_THREAD: Self = Self { threads: Threads::One, ..Self::FREE_RUNNING };
    /// Discrete events on the card's clock, the firmware linked in.
    pub const TIMED: Self = Self { is_timed: true, ..Self::FREE_RUNNING };
}

impl Rig for ModelRig {
    type Card = ModelCard;

    fn power_on(&self, needs: &Needs) -> Result<super::Body<ModelCard>, Unfit> {
        let reader_stall = needs
            .slow_reader
            .map(|slow| ReaderStall { every_batches: slow.every_batches, stall_us: slow.stall_us });
        let config = CardConfig {
            capabilities: needs.capabilities,
            body: self.body.clone(),
            reader_stall,
            threads: self.threads,
            ..CardConfig::default()
        };
        let (port, capture) = CapturePort::new(CAPTURED_MAX);
        let card: Arc<ModelCard> = match self.is_timed {
            false => ModelCard::free_running(config, Box::new(port)),
            true => ModelCard::timed(config, Box::new(port)),
        };
        Ok(super::Body { card, capture })
    }
}
