//! Brings up the card that the command line names, with a port, and a session with it.
//!
//! From `args` to a `Session` that `failover`, `run` and `inspect` use alike: each is an
//! [`Errand`], written for any `Backing`, and here is the one place that knows which cards there
//! are. A card in this process is made with a port of the errand's choice; a PCIe card has its
//! own, and shows what leaves it only if it has a bench BAR.

use std::path::PathBuf;
use std::sync::Arc;

use abi::core::Capabilities;
use abi::host::bench::{BAR2_BYTES, BENCH_IDENTITY, IDENTITY_VALUE, MIRROR_PAGE};
use abi::host::{limit, register};
use host_driver::backing::{Backing, Registers};
use host_driver::bar::MappedBar;
use host_driver::memory::Memory;
use host_driver::vfio::{DmaPages, PciAddress, PciId, VfioCard, VfioError};
use host_driver::{AttachError, Config, Session};
use hw_model::bench::MirrorReader;
use hw_model::port::{CounterPort, PcapLog, PcapPort, Port, PortError};
use hw_model::{Body, CardConfig, ModelCard};

use crate::args::{Capacity, CardArgs, CardName, PortArgs};
use crate::image::{self, NoImage};
use crate::trace::{TraceError, TraceTo, Tracing};

/// Slots of the transmit ring: more than the card promises to hold, so that held frames never
/// keep others from being sent.
const TRANSMIT_SLOTS: u32 = 16_384;
/// The BAR that is a bench, if the card has one.
const BENCH_BAR: u32 = 2;
/// Huge pages that a job needs beyond what a session has at attach: trees, lists, results.
const SPARE_HUGE_PAGES: usize = 16;
/// Bytes of a huge page.
const HUGE_PAGE: usize = 2 << 20;

/// Why no session with a card could be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CardError {
    /// The pcap file or the TAP interface cannot be made or written.
    #[error(transparent)]
    Port(#[from] PortError),
    /// More interface VLANs than a card takes.
    #[error("--port-vlans names {0} VLANs, expected at most {max}", max = limit::PORT_VLANS_MAX)]
    PortVlans(usize),
    /// An option that only a model in this process understands.
    #[error("{option} is for the model in this process, not for {card}: {why}")]
    ModelOnly {
        /// As written.
        option: &'static str,
        /// The card that was asked for.
        card: CardName,
        /// What the other card has instead.
        why: &'static str,
    },
    /// An option that only a PCIe card understands.
    #[error("--pci-id is for a PCIe card (--card vfio:BDF); the model in this process has no ID")]
    PciId,
    /// There is no firmware image for the core.
    #[error(transparent)]
    Image(#[from] NoImage),
    /// The card in SystemVerilog cannot be made so.
    #[cfg(feature = "rtl")]
    #[error("--card rtl: {0}")]
    Rtl(hw_model::conformance::Unfit),
    /// The PCIe card could not be taken into use.
    #[error(transparent)]
    Vfio(#[from] VfioError),
    /// The trace cannot be had or written.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The driver refused the card, or the card the driver.
    #[error("cannot attach to the card: {0}")]
    Attach(#[from] AttachError),
}

impl CardError {
    /// Whether the command line is to blame.
    pub(crate) fn is_wrong(&self) -> bool {
        match self {
            Self::Attach(_) | Self::Vfio(_) => false,
            Self::Trace(error) => error.is_wrong(),
            _ => true,
        }
    }
}

/// What a command does with a session, whatever the card is.
pub(crate) trait Errand {
    /// What comes of it.
    type Answer;
    /// What can go wrong.
    type Error: From<CardError>;

    /// Makes the port of a card in this process that will offer `capabilities`.
    ///
    /// # Errors
    /// When it cannot be made.
    fn port(&mut self, capabilities: &Capabilities) -> Result<Box<dyn Port>, Self::Error>;

    /// Does it.
    ///
    /// # Errors
    /// What the errand meets.
    fn run<B: Backing>(
        self,
        session: Session<B>,
        outside: Outside,
    ) -> Result<Self::Answer, Self::Error>;
}

/// What a card outside this process has that a model in it has not.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    /// Shows the frames that leave it, if it has a bench BAR.
    pub(crate) mirror: Option<MirrorReader>,
    /// What the session's DMA memory is made of.
    pub(crate) dma_pages: Option<DmaPages>,
}

/// What a command asks of the card beyond `CardArgs`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wishes<'a> {
    /// Paths it will offload: a model grows to that unless its size was given.
    pub(crate) paths: Option<u32>,
    /// Largest packet it will send; `None` for the largest there is.
    pub(crate) packet_bytes: Option<u32>,
    /// The port that was asked for, if the command takes one.
    pub(crate) port: Option<&'a PortArgs>,
    /// Where its trace goes, if one was asked for.
    pub(crate) trace: Option<TraceTo<'a>>,
}

/// Brings up the card that `args` names, attaches to it, and runs the errand.
///
/// # Errors
/// When options do not go together, the card cannot be had, driver and card do not come together,
/// or the errand fails.
pub(crate) fn with_session<E: Errand>(
    args: &CardArgs,
    wishes: Wishes<'_>,
    mut errand: E,
) -> Result<E::Answer, E::Error> {
    if args.port_vlans.len() > limit::PORT_VLANS_MAX as usize {
        return Err(CardError::PortVlans(args.port_vlans.len()).into());
    }
    let image = image::image(args.card, args.image.as_deref()).map_err(CardError::from)?;
    if let CardName::Vfio(address) = args.card {
        refuse_model_options(args.card, args.timed, &args.capacity, wishes.port)?;
        let card = vfio(address, args.pci_id)?;
        let config = config(args, wishes, card.read(register::RING_SLOTS.offset));
        return in_session(Arc::clone(&card), &config, wishes.trace, errand, || {
            let dma_pages = card.dma_pages();
            warn_of_small_pages(args.card, dma_pages);
            let mirror = bench(&card)?.map(|(_, memory)| MirrorReader::new(memory));
            drop(card);
            Ok(Outside { mirror, dma_pages: Some(dma_pages) })
        });
    }
    refuse_pci_id(args.pci_id)?;
    #[cfg(feature = "rtl")]
    if let (CardName::Rtl, Some(image)) = (args.card, &image) {
        let image = Arc::clone(image);
        refuse_timed(args)?;
        let capabilities = crate::rtl::capabilities(&args.capacity);
        let card = crate::rtl::card(capabilities, image, errand.port(&capabilities)?)
            .map_err(E::Error::from)?;
        let config = config(args, wishes, capabilities.ring_slots);
        return in_session(card, &config, wishes.trace, errand, || Ok(Outside::default()));
    }
    let capabilities = capabilities(&args.capacity, wishes.paths);
    let port = errand.port(&capabilities)?;
    let body = image.map_or(Body::Native, Body::Riscv);
    let card = model(CardConfig { capabilities, body, ..CardConfig::default() }, args.timed, port);
    let config = config(args, wishes, capabilities.ring_slots);
    in_session(card, &config, wishes.trace, errand, || Ok(Outside::default()))
}

/// Attaches to `card` and runs the errand, with a trace if one was asked for.
fn in_session<B: Backing, E: Errand>(
    card: Arc<B>,
    config: &Config,
    trace: Option<TraceTo<'_>>,
    errand: E,
    outside: impl FnOnce() -> Result<Outside, CardError>,
) -> Result<E::Answer, E::Error> {
    let Some(trace) = trace else {
        let session = attach(card, config)?;
        return errand.run(session, outside()?);
    };
    // A wait of a timed card's session never sleeps on interrupts; see `config`.
    let is_timed = !config.interrupts;
    let tracing = Tracing::begin(card, trace, is_timed).map_err(CardError::from)?;
    let attached = attach(tracing.card(), config)
        .and_then(|session| outside().map(|outside| (session, outside)));
    let answer = match attached {
        Ok((session, outside)) => errand.run(session, outside),
        Err(error) => Err(error.into()),
    };
    let complaint = tracing.finish().map_err(CardError::from);
    let answer = answer?;
    if let Some(complaint) = complaint? {
        eprintln!("flue: {complaint}");
    }
    Ok(answer)
}

/// Refuses what only a model in this process can be given.
///
/// # Errors
/// [`CardError::ModelOnly`] when `card` is none and something was given.
pub(crate) fn refuse_model_options(
    card: CardName,
    timed: bool,
    capacity: &Capacity,
    port: Option<&PortArgs>,
) -> Result<(), CardError> {
    let given = [
        (timed, "--timed", "it has a clock of its own"),
        (capacity.is_given(), "--capacity", "its tables have the sizes they have"),
        (
            port.is_some_and(|port| port.pcap.is_some()),
            "--pcap",
            "frames leave by its own port; capture there (of a served model: flue serve --pcap)",
        ),
        #[cfg(feature = "tap")]
        (
            port.is_some_and(|port| port.tap.is_some()),
            "--tap",
            "frames leave by its own port (of a served model: flue serve --tap)",
        ),
    ];
    match given.into_iter().find(|(is_given, ..)| *is_given && !card.is_model()) {
        Some((_, option, why)) => Err(CardError::ModelOnly { option, card, why }),
        None => Ok(()),
    }
}

/// Refuses an ID for a card that is none of PCI.
///
/// # Errors
/// [`CardError::PciId`] when one was given.
pub(crate) fn refuse_pci_id(id: Option<PciId>) -> Result<(), CardError> {
    id.map_or(Ok(()), |_| Err(CardError::PciId))
}

/// Refuses `--timed` for a card whose time is never another.
#[cfg(feature = "rtl")]
fn refuse_timed(args: &CardArgs) -> Result<(), CardError> {
    let why = "it has a clock of its own";
    let refused = CardError::ModelOnly { option: "--timed", card: args.card, why };
    if args.timed { Err(refused) } else { Ok(()) }
}

/// Takes the PCIe card at `address` into use, which has the ID `id` or flue's own.
///
/// # Errors
/// What VFIO says.
pub(crate) fn vfio(address: PciAddress, id: Option<PciId>) -> Result<Arc<VfioCard>, CardError> {
    Ok(Arc::new(VfioCard::open_as(address, id.unwrap_or_default())?))
}

/// The port that the command line asks for: a pcap file, a TAP interface, or one that only counts.
///
/// # Errors
/// When the file or the interface cannot be made.
pub(crate) fn port(args: &PortArgs) -> Result<(Box<dyn Port>, Capture), CardError> {
    #[cfg(feature = "tap")]
    if let Some(name) = &args.tap {
        return Ok((Box::new(hw_model::port::TapPort::open(name)?), Capture::none()));
    }
    let Some(path) = &args.pcap else {
        return Ok((Box::new(CounterPort::new().0), Capture::none()));
    };
    let (port, log) = PcapPort::create(path)?;
    Ok((Box::new(port), Capture(Some((path.to_owned(), log)))))
}

/// What is being captured, if anything.
#[derive(Debug)]
pub(crate) struct Capture(Option<(PathBuf, PcapLog)>);

impl Capture {
    /// Nothing is.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Why the file does not have every frame that left, for a person.
    pub(crate) fn complaint(&self) -> Option<String> {
        let (path, log) = self.0.as_ref()?;
        log.error().map(|error| format!("{}: incomplete: {error}", path.display()))
    }
}

/// What a model card offers, grown to `paths` unless its size was given.
pub(crate) fn capabilities(capacity: &Capacity, paths: Option<u32>) -> Capabilities {
    let mut capabilities = CardConfig::default().capabilities;
    capacity.put(&mut capabilities);
    if let Some(paths) = paths.filter(|_| !capacity.has_paths()) {
        capabilities.paths = capabilities.paths.max(paths);
    }
    capabilities
}

fn model(config: CardConfig, is_timed: bool, port: Box<dyn Port>) -> Arc<ModelCard> {
    match is_timed {
        true => ModelCard::timed(config, port),
        false => ModelCard::free_running(config, port),
    }
}

fn config(args: &CardArgs, wishes: Wishes<'_>, ring_slots: u32) -> Config {
    let default = Config::default();
    // What a card that is none says of its rings is found out at attach.
    let ring_slots = 1 << ring_slots.clamp(1, TRANSMIT_SLOTS).ilog2();
    Config {
        transmit_slots: ring_slots,
        packet_bytes: wishes.packet_bytes.unwrap_or(default.packet_bytes),
        // Handles are the same in every run of a timed card.
        generation_seed: args.is_timed().then_some(1),
        grace_ms: args.grace_ms,
        // On a card with a life of its own a wait sleeps; a timed card goes on only while polled.
        interrupts: !args.is_timed(),
        port_vlans: args.port_vlans.clone(),
        ..default
    }
}

fn attach<B: Backing>(card: Arc<B>, config: &Config) -> Result<Session<B>, CardError> {
    Ok(Session::attach(card, config)?)
}

/// Says on standard error when DMA memory had to do without huge pages.
fn warn_of_small_pages(card: CardName, pages: DmaPages) {
    let DmaPages { huge_bytes, small_bytes } = pages;
    if small_bytes == 0 {
        return;
    }
    let wanted = (huge_bytes + small_bytes).div_ceil(HUGE_PAGE) + SPARE_HUGE_PAGES;
    eprintln!(
        "flue: {card}: warning: {} MiB of DMA memory are in small pages, which makes mapping slow; \
         reserve huge pages first, as root: echo {wanted} > /proc/sys/vm/nr_hugepages",
        small_bytes >> 20,
    );
}

/// The registers of a card's bench BAR, and its memory from the mirror on; `None` for a card that
/// has no bench.
///
/// # Errors
/// When there is one and it cannot be mapped.
pub(crate) fn bench(card: &VfioCard) -> Result<Option<(MappedBar, Memory)>, CardError> {
    if card.bar_bytes(BENCH_BAR) < u64::from(BAR2_BYTES) {
        return Ok(None);
    }
    let registers = card.bar(BENCH_BAR, MIRROR_PAGE as usize)?;
    if registers.read(BENCH_IDENTITY.offset) != IDENTITY_VALUE {
        return Ok(None);
    }
    let bytes = (BAR2_BYTES - MIRROR_PAGE) as usize;
    Ok(Some((registers, card.bar_memory(BENCH_BAR, MIRROR_PAGE as usize, bytes)?)))
}
