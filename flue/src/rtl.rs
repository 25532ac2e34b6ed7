//! The card in SystemVerilog: made for a command, and for claims.
//!
//! From `--card rtl` to a simulated card. Without feature `rtl` nobody comes here: the name is
//! refused where it is read.

use std::sync::Arc;

use abi::core::Capabilities;
use hw_model::port::Port;
use hw_model::{CardConfig, Image};
use rtl_sim::{RtlCard, RtlConfig, RtlRig, SERVED_CLOCK_KHZ, ServedCards};

use crate::args::Capacity;
use crate::card::CardError;

/// Names the file that waveforms go to, in a build that has them.
const FST: &str = "FLUE_FST";

/// What a card offers that is as large as the simulation, but for the sizes that were given.
pub(crate) fn capabilities(capacity: &Capacity) -> Capabilities {
    let mut capabilities = RtlConfig::LARGEST;
    capacity.put(&mut capabilities);
    capabilities
}

/// A card whose core runs `image`.
///
/// # Errors
/// When it is to be larger than the simulation, or a file for the image cannot be written.
pub(crate) fn card(
    capabilities: Capabilities,
    image: Arc<Image>,
    port: Box<dyn Port>,
) -> Result<Arc<RtlCard>, CardError> {
    let mut config = RtlConfig::new(capabilities, image);
    config.fst = std::env::var_os(FST).map(Into::into);
    RtlCard::new(&config, port).map_err(CardError::Rtl)
}

/// Cards for a server, and the first one's sizes.
///
/// # Errors
/// When it is to be larger than the simulation.
pub(crate) fn served(
    capacity: &Capacity,
    image: Arc<Image>,
) -> Result<(ServedCards, CardConfig), CardError> {
    let capabilities = Capabilities { clock_khz: SERVED_CLOCK_KHZ, ..capabilities(capacity) };
    let config = CardConfig { capabilities, ..CardConfig::default() };
    let cards = ServedCards { image };
    cards.check(&config).map_err(CardError::Rtl)?;
    Ok((cards, config))
}

/// Cards for claims.
pub(crate) fn rig(image: Arc<Image>) -> RtlRig {
    RtlRig::new(image)
}
