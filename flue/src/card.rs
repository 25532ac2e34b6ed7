//! Brings up the card that the command line names, with a port, and a session with it.
//!
//! From `args` to a `Session` that `failover`, `run` and `inspect` use alike. In this version
//! every card is a model; the commands are written for any `Backing`.

use std::path::PathBuf;
use std::sync::Arc;

use abi::core::Capabilities;
use abi::host::limit;
use host_driver::{AttachError, Config, Session};
use hw_model::port::{CounterPort, PcapLog, PcapPort, Port, PortError};
use hw_model::{CardConfig, ModelCard};

use crate::args::{CardArgs, PortArgs};

/// Slots of the transmit ring: more than the card promises to hold, so that held frames never
/// keep others from being sent.
const TRANSMIT_SLOTS: u32 = 16_384;

/// Why no session with a card could be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CardError {
    /// The pcap file or the TAP interface cannot be made or written.
    #[error(transparent)]
    Port(#[from] PortError),
    /// More interface VLANs than a card takes.
    #[error("--port-vlans names {0} VLANs, expected at most {max}", max = limit::PORT_VLANS_MAX)]
    PortVlans(usize),
    /// The driver refused the card, or the card the driver.
    #[error("cannot attach to the card: {0}")]
    Attach(#[from] AttachError),
}

impl CardError {
    /// Whether the command line is to blame.
    pub(crate) fn is_wrong(&self) -> bool {
        !matches!(self, Self::Attach(_))
    }
}

/// The port that the command line asks for: a pcap file, a TAP interface, or one that only counts.
///
/// # Errors
/// When the file or the interface cannot be made.
pub(crate) fn port(args: &PortArgs) -> Result<(Box<dyn Port>, Capture), CardError> {
    #[cfg(feature = "tap")]
    if let Some(name) = &args.tap {
        return Ok((Box::new(hw_model::port::TapPort::open(name)?), Capture(None)));
    }
    let Some(path) = &args.pcap else {
        return Ok((Box::new(CounterPort::new().0), Capture(None)));
    };
    let (port, log) = PcapPort::create(path)?;
    Ok((Box::new(port), Capture(Some((path.to_owned(), log)))))
}

/// What is being captured, if anything.
#[derive(Debug)]
pub(crate) struct Capture(Option<(PathBuf, PcapLog)>);

impl Capture {
    /// Why the file does not have every frame that left, for a person.
    pub(crate) fn complaint(&self) -> Option<String> {
        let (path, log) = self.0.as_ref()?;
        log.error().map(|error| format!("{}: incomplete: {error}", path.display()))
    }
}

/// What the card that `args` names offers, grown to `paths` unless its size was given.
pub(crate) fn capabilities(args: &CardArgs, paths: Option<u32>) -> Capabilities {
    let mut capabilities = CardConfig::default().capabilities;
    args.capacity.put(&mut capabilities);
    if let Some(paths) = paths.filter(|_| !args.capacity.has_paths()) {
        capabilities.paths = capabilities.paths.max(paths);
    }
    capabilities
}

/// Makes the card and attaches to it.
///
/// # Errors
/// When the settings make no sense, or driver and card do not come together.
pub(crate) fn attach(
    args: &CardArgs,
    capabilities: Capabilities,
    port: Box<dyn Port>,
) -> Result<Session<ModelCard>, CardError> {
    if args.port_vlans.len() > limit::PORT_VLANS_MAX as usize {
        return Err(CardError::PortVlans(args.port_vlans.len()));
    }
    let config = Config {
        transmit_slots: TRANSMIT_SLOTS.min(capabilities.ring_slots),
        // Handles are the same in every run of a timed card.
        generation_seed: args.timed.then_some(1),
        grace_ms: args.grace_ms,
        // On a card with a thread of its own a wait sleeps; a timed card goes on only while polled.
        interrupts: !args.timed,
        port_vlans: args.port_vlans.clone(),
        ..Config::default()
    };
    let card = CardConfig { capabilities, ..CardConfig::default() };
    let card: Arc<ModelCard> =
        if args.timed { ModelCard::timed(card, port) } else { ModelCard::free_running(card, port) };
    Ok(Session::attach(card, &config)?)
}
