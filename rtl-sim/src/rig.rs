//! How the simulated card is given to the conformance suite: by its straps.

use std::sync::Arc;

use abi::core::Capabilities;
use hw_model::Image;
use hw_model::conformance::{Body, Needs, Rig, Unfit};
use hw_model::port::CapturePort;

use crate::card::{RtlCard, RtlConfig};
use crate::dut::Start;
use crate::host::Host;

/// Frames that a port keeps: more than any claim sends between two looks.
const CAPTURED_MAX: usize = 1 << 20;
/// The clock that claims get to see: one clock is a microsecond, so that what waits for
/// milliseconds does not simulate a quarter of a million clocks for each. Nothing in the card is
/// faster or slower for it but its timers.
const CLOCK_KHZ: u32 = 1_000;

/// The same where a port is to stand still for milliseconds at every few frames.
const SLOW_CLOCK_KHZ: u32 = 250;

/// Cards for claims.
#[derive(Clone, Debug)]
pub struct RtlRig {
    /// What the core runs.
    pub image: Arc<Image>,
    /// The host memory at the card's bus.
    pub host: Host,
    /// What registers and memories hold before they were written.
    pub start: Start,
}

impl RtlRig {
    /// Cards with a good host, that begin with zeros.
    #[must_use]
    pub fn new(image: Arc<Image>) -> Self {
        Self { image, host: Host::default(), start: Start::default() }
    }
}

impl Rig for RtlRig {
    type Card = RtlCard;

    fn power_on(&self, needs: &Needs) -> Result<Body<RtlCard>, Unfit> {
        let clock_khz = if needs.slow_reader.is_some() { SLOW_CLOCK_KHZ } else { CLOCK_KHZ };
        let config = RtlConfig {
            capabilities: Capabilities { clock_khz, ..needs.capabilities },
            image: Arc::clone(&self.image),
            host: self.host,
            start: self.start,
            slow_reader: needs.slow_reader,
            fst: std::env::var_os("FLUE_FST").map(Into::into),
        };
        let (port, capture) = CapturePort::new(CAPTURED_MAX);
        Ok(Body { card: RtlCard::new(&config, Box::new(port))?, capture })
    }
}
