//! Serves a model card, or the simulated one, over vfio-user until somebody says stop.
//!
//! From the command line to `hw_model`'s server, and from what happens there to a person or a
//! script. SIGINT and SIGTERM stop it in good order: the client's card is taken away, the socket
//! removed, the capture flushed; a second one ends the process at once. It knows nothing of the
//! protocol.

use std::error::Error as _;
use std::io::{self, Write};
use std::thread;

use hw_model::CardConfig;
use hw_model::port::Port;
use hw_model::vfio_user::{self, Function, ServeEvent, Server};
use serde::Serialize;
use signal_hook::consts::signal::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

use crate::args::{CardName, ServeArgs};
use crate::card::{self, CardError};
use crate::image;

/// The cards that can be served, for a message.
const SERVED: &str =
    if cfg!(feature = "rtl") { "`model`, `riscv` and `rtl`" } else { "`model` and `riscv`" };

/// What is tried first.
const MAKE: &str = "make a card to serve";

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// The port cannot be made.
    #[error(transparent)]
    Card(#[from] CardError),
    /// A card that is in no process of ours.
    #[error("--card {0}: a PCIe card is there already; flue serve has {SERVED}")]
    NoModel(CardName),
    /// A card without a time of its own.
    #[error(
        "--timed: a timed card's time passes only while the driver in its own process waits, and the driver of a served card is in another; serve it without"
    )]
    Timed,
    /// The listening socket, or a card for the next client.
    #[error("{}", chain(.0))]
    Server(#[from] vfio_user::ServeError),
    /// The first card cannot be made, or signals not be taken.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// An event could not be written.
    #[error("cannot write what happens: {0}")]
    Write(#[from] io::Error),
}

impl ServeError {
    /// Whether the command line is to blame.
    pub(crate) fn is_wrong(&self) -> bool {
        use vfio_user::ServeError::{Bind, InUse, NoSocket};
        match self {
            Self::Card(error) => error.is_wrong(),
            Self::NoModel(_) | Self::Timed => true,
            Self::Server(error) => {
                matches!(error, Bind { .. } | InUse { .. } | NoSocket { .. })
            }
            Self::System { .. } | Self::Write(_) => false,
        }
    }
}

/// Serves clients one after another. Whether the capture is complete.
///
/// # Errors
/// All of [`ServeError`].
pub(crate) fn run(args: &ServeArgs) -> Result<bool, ServeError> {
    if !args.card.is_model() && !args.card.is_simulated() {
        return Err(ServeError::NoModel(args.card));
    }
    if args.timed {
        return Err(ServeError::Timed);
    }
    let system = |what| move |source| ServeError::System { what, source };
    let (port, capture) = card::port(&args.port)?;
    let server = Server::bind(&args.socket)?;
    let mut function = function(args, port)?;
    let stop = stop_on_signals().map_err(system("take signals"))?;

    let mut teller = Teller { is_json: args.json, failed: None };
    let socket = args.socket.display().to_string();
    let with = if args.bench { " with a bench BAR" } else { "" };
    teller.tell(&Event::Listening { socket, bench: args.bench }, || {
        format!(
            "listening at {}: the {} card{with}; Ctrl-C stops",
            args.socket.display(),
            args.card
        )
    });
    let ended = server.run(&mut function, &stop, &mut |event| {
        teller.tell(&Event::of(&event), || event.to_string());
    });
    // The card goes first, so that the capture is complete, and the socket before the last word.
    drop(function);
    drop(server);
    ended?;
    teller.tell(&Event::Stopped, || "stopped".to_owned());
    if let Some(error) = teller.failed {
        return Err(error.into());
    }
    if let Some(complaint) = capture.complaint() {
        eprintln!("flue: {complaint}");
        return Ok(false);
    }
    Ok(true)
}

/// The card that was asked for, as a function of the bus.
fn function(args: &ServeArgs, port: Box<dyn Port>) -> Result<Function, ServeError> {
    #[cfg(feature = "rtl")]
    if args.card.is_simulated() {
        return simulated(args, port);
    }
    let body = image::body(args.card, args.image.as_deref()).map_err(CardError::from)?;
    let capabilities = card::capabilities(&args.capacity, None);
    let config = CardConfig { capabilities, body, ..CardConfig::default() };
    let function = Function::new(config, port, args.bench);
    function.map_err(|source| ServeError::System { what: MAKE, source })
}

/// The card in SystemVerilog.
#[cfg(feature = "rtl")]
fn simulated(args: &ServeArgs, port: Box<dyn Port>) -> Result<Function, ServeError> {
    let image = image::image(args.card, args.image.as_deref()).map_err(CardError::from)?;
    let image = image.expect("a card with a simulated core has an image");
    let (cards, config) = crate::rtl::served(&args.capacity, image)?;
    let function = Function::around(Box::new(cards), config, port, args.bench);
    function.map_err(|source| ServeError::System { what: MAKE, source })
}

/// An eventfd that can be read once SIGINT or SIGTERM has come. The next one does what it does to
/// any process.
fn stop_on_signals() -> io::Result<EventFd> {
    let stop = EventFd::new(EFD_NONBLOCK | EFD_CLOEXEC)?;
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let order = stop.try_clone()?;
    thread::spawn(move || {
        let mut signals = signals.forever();
        // Without the order, or with a second one, what is left is to go.
        let signal = match signals.next().map(|first| (first, order.write(1))) {
            Some((_, Ok(()))) => signals.next(),
            Some((first, Err(_))) => Some(first),
            None => None,
        };
        if let Some(signal) = signal {
            emulate_default_handler(signal).ok();
        }
    });
    Ok(stop)
}

/// What is told.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event<'a> {
    Listening { socket: String, bench: bool },
    Connected,
    Gone { why: &'a str },
    Reset,
    Slept,
    PowerCycled,
    WindowRefused { iova: String, why: &'a str },
    Stopped,
}

impl<'a> Event<'a> {
    fn of(event: &'a ServeEvent) -> Self {
        match event {
            ServeEvent::Connected => Self::Connected,
            ServeEvent::Gone { why } => Self::Gone { why },
            ServeEvent::Reset => Self::Reset,
            ServeEvent::Slept => Self::Slept,
            ServeEvent::PowerCycled => Self::PowerCycled,
            ServeEvent::WindowRefused { iova, why } => {
                Self::WindowRefused { iova: format!("{iova:#x}"), why }
            }
        }
    }
}

/// Tells events as they come, to a script on standard output or to a person on standard error.
struct Teller {
    is_json: bool,
    /// Why a script was not told something; clients are served all the same.
    failed: Option<io::Error>,
}

impl Teller {
    fn tell(&mut self, event: &Event<'_>, words: impl FnOnce() -> String) {
        if !self.is_json {
            eprintln!("flue: {}", words());
        } else if let Err(error) = write(event) {
            self.failed.get_or_insert(error);
        }
    }
}

fn write(event: &Event<'_>) -> io::Result<()> {
    let line = serde_json::to_string(event)? + "\n";
    let mut output = io::stdout().lock();
    output.write_all(line.as_bytes())?;
    output.flush()
}

/// An error and what caused it, in one line.
fn chain(error: &vfio_user::ServeError) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line = format!("{line}: {error}");
        source = error.source();
    }
    line
}
