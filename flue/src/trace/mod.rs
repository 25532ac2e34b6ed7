//! Traces: what host, rings, firmware and datapath did, on one time axis.
//!
//! ```text
//! card ─► traced ─► capture (a file) ─► timeline ─► show: lines
//! host ──►┘                                    └─► chrome: a Perfetto trace
//! ```
//!
//! `failover` and `run` make captures, `inspect --trace` shows them. Formatting is done here only:
//! the card writes fixed-size records, and a capture keeps them as they are.

mod capture;
mod chrome;
mod show;
#[cfg(test)]
mod tests;
mod timeline;
mod traced;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use host_driver::backing::Backing;
use host_driver::trace::NoTrace;

use self::capture::{Capture, CaptureError, RECORDS_MAX};
use self::timeline::Timeline;
use self::traced::{BeginError, Follower, Kept, Sink, Traced};

/// What goes wrong with a trace.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TraceError {
    /// The card has none.
    #[error(transparent)]
    NoTrace(NoTrace),
    /// The file cannot be read as a trace.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CaptureError,
    },
    /// A file cannot be made.
    #[error("{}: {source}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The lines could not be written.
    #[error("cannot write: {0}")]
    Output(io::Error),
    /// A file cannot be written to its end.
    #[error("{}: cannot write: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl TraceError {
    /// Whether the command line is to blame.
    pub(crate) fn is_wrong(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Create { .. })
    }
}

/// Where the trace of a job goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TraceTo<'a> {
    /// Into a file.
    File(&'a Path),
    /// Into memory.
    Memory(&'a Mutex<Vec<u8>>),
}

impl TraceTo<'_> {
    /// What a person calls it.
    fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Memory(_) => Path::new("the trace"),
        }
    }

    fn failed(&self, source: io::Error) -> TraceError {
        TraceError::Write { path: self.path().to_owned(), source }
    }
}

/// A trace that is being made.
pub(crate) struct Tracing<'a, B: Backing> {
    to: TraceTo<'a>,
    card: Arc<Traced<B>>,
    follower: Follower,
}

impl<'a, B: Backing> Tracing<'a, B> {
    /// Begins a trace of `card`.
    ///
    /// # Errors
    /// When the card has none, or it cannot be written.
    pub(crate) fn begin(card: Arc<B>, to: TraceTo<'a>, is_timed: bool) -> Result<Self, TraceError> {
        let sink = match to {
            TraceTo::File(path) => Sink::File(create(path)?),
            TraceTo::Memory(_) => Sink::Memory(Vec::new()),
        };
        let (card, follower) =
            Traced::begin(card, sink, is_timed).map_err(|error| match error {
                BeginError::NoTrace(error) => TraceError::NoTrace(error),
                BeginError::Write(source) => to.failed(source),
            })?;
        Ok(Self { to, card, follower })
    }

    /// The card, to be used in place of the one that the trace was begun with.
    pub(crate) fn card(&self) -> Arc<Traced<B>> {
        Arc::clone(&self.card)
    }

    /// Ends the trace, once nobody uses the card any more. What is missing in it, for a person.
    ///
    /// # Errors
    /// When it could not be written.
    pub(crate) fn finish(self) -> Result<Option<String>, TraceError> {
        let kept = self.card.finish(self.follower).map_err(|source| self.to.failed(source))?;
        let Kept { sink, lost, not_kept } = kept;
        if let (TraceTo::Memory(to), Sink::Memory(bytes)) = (self.to, sink) {
            *to.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
        }
        let path = self.to.path().display();
        let mut complaints = Vec::new();
        if lost > 0 {
            complaints.push(format!("{lost} records were overwritten before they were read"));
        }
        if not_kept > 0 {
            complaints.push(format!("{not_kept} records came after its {RECORDS_MAX}th"));
        }
        let complaint = format!("{path}: incomplete: {}", complaints.join("; "));
        Ok((!complaints.is_empty()).then_some(complaint))
    }
}

/// How a trace is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Show<'a> {
    /// One JSON object a line, not lines for a person.
    pub(crate) json: bool,
    /// Writes a Chrome trace here instead.
    pub(crate) chrome: Option<&'a Path>,
}

/// Shows the trace in the file at `path` on `output`.
///
/// # Errors
/// When it cannot be read, or the result cannot be written.
pub(crate) fn show_file(
    path: &Path,
    show: Show<'_>,
    output: &mut impl Write,
) -> Result<(), TraceError> {
    let file = File::open(path).map_err(|source| unread(path, source.into()))?;
    show_trace(path, BufReader::new(file), show, output)
}

/// Shows the trace that was made in memory.
///
/// # Errors
/// When the result cannot be written.
pub(crate) fn show_memory(
    bytes: &[u8],
    show: Show<'_>,
    output: &mut impl Write,
) -> Result<(), TraceError> {
    show_trace(Path::new("the trace"), bytes, show, output)
}

fn show_trace(
    path: &Path,
    source: impl Read,
    show: Show<'_>,
    output: &mut impl Write,
) -> Result<(), TraceError> {
    let capture = Capture::read(source).map_err(|source| unread(path, source))?;
    let timeline = Timeline::new(&capture);
    drop(capture);
    if let Some(path) = show.chrome {
        let mut file = create(path)?;
        let written = chrome::write(&timeline, &mut file).and_then(|()| file.flush());
        return written.map_err(|source| TraceError::Write { path: path.to_owned(), source });
    }
    let shown = match show.json {
        true => show::write_json(&timeline, output),
        false => show::write_page(&timeline, output),
    };
    shown.and_then(|()| output.flush()).map_err(TraceError::Output)
}

fn unread(path: &Path, source: CaptureError) -> TraceError {
    TraceError::Read { path: path.to_owned(), source }
}

fn create(path: &Path) -> Result<BufWriter<File>, TraceError> {
    let file = File::create(path);
    let file = file.map_err(|source| TraceError::Create { path: path.to_owned(), source })?;
    Ok(BufWriter::new(file))
}
