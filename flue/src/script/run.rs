//! Runs a script: one line after another, each to its end before the next.
//!
//! From a file to standard output. A line is parsed and checked, then carried out, then answered;
//! a line that is wrong ends the run before anything of it reaches the card. A status other than
//! success is an answer like any other.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use host_driver::backing::Backing;
use host_driver::{Error, NotPosted, Session};

use super::answer::Entries;
use super::line::{LineError, Operation};
use super::names::Names;
use super::parse::parse;
use super::sender::Sender;

/// Longest line of a script, in bytes.
const LINE_BYTES_MAX: u64 = 256 << 20;

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// The script could not be opened or read.
    #[error("{}: cannot read the script: {source}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A line is wrong; nothing of it was sent to the card.
    #[error("{}: line {line}: {source}", path.display())]
    Line {
        path: PathBuf,
        line: usize,
        #[source]
        source: LineError,
    },
    /// The card or the way to it failed.
    #[error("{}: line {line}: {source}", path.display())]
    Card {
        path: PathBuf,
        line: usize,
        #[source]
        source: Error,
    },
    /// The transmit ring failed.
    #[error("{}: line {line}: {source}", path.display())]
    Transmit {
        path: PathBuf,
        line: usize,
        #[source]
        source: NotPosted,
    },
    /// An answer could not be written.
    #[error("cannot write the answer: {0}")]
    Write(#[source] io::Error),
}

impl RunError {
    /// Whether the script is to blame.
    pub(crate) fn is_wrong(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Line { .. })
    }
}

/// Why an operation was not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum OperationError {
    /// The line asks for something that cannot be.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The card or the way to it failed.
    #[error(transparent)]
    Card(#[from] Error),
    /// The transmit ring failed.
    #[error(transparent)]
    Transmit(#[from] NotPosted),
}

/// A session with a card, and what a script has said so far.
pub(crate) struct Runner<B: Backing> {
    pub(super) session: Session<B>,
    pub(super) sender: Sender,
    pub(super) names: Names,
    /// Card cycles are answered: the card counts them deterministically.
    counts_cycles: bool,
}

impl<B: Backing> Runner<B> {
    /// Takes over a session on which nothing has been done yet.
    ///
    /// # Errors
    /// When its transmit ring cannot be had.
    pub(crate) fn new(session: Session<B>, counts_cycles: bool) -> Result<Self, Error> {
        let sender = Sender::new(&session)?;
        Ok(Self { session, sender, names: Names::default(), counts_cycles })
    }

    /// Gives back the session and the names, for who wants to look at what a script has left.
    pub(crate) fn into_parts(self) -> (Session<B>, Names) {
        (self.session, self.names)
    }

    /// Carries out one line; its answer. `None` for a blank line.
    fn line(&mut self, number: usize, text: &[u8]) -> Result<Option<Entries>, OperationError> {
        if text.len() as u64 > LINE_BYTES_MAX {
            return Err(LineError(format!("expected at most {LINE_BYTES_MAX} bytes")).into());
        }
        let text = str::from_utf8(text)
            .map_err(|error| LineError(format!("expected UTF-8: {error}")))?
            .trim_end();
        if text.is_empty() {
            return Ok(None);
        }
        let operation = parse(text)?;
        let mut answer = Entries::default();
        answer.push("line", number);
        answer.push("op", operation.word());
        let before = self.session.cycles();
        answer.append(self.carry_out(operation)?);
        if self.counts_cycles {
            answer.push("card_cycles", self.session.cycles() - before);
        }
        Ok(Some(answer))
    }

    fn carry_out(&mut self, operation: Operation) -> Result<Entries, OperationError> {
        match operation {
            Operation::Initiate(roots) => self.initiate(&roots),
            Operation::Update(update) => self.update(update),
            Operation::Relink(relink) => self.relink(&relink),
            Operation::Query(named) => self.query(&named),
            Operation::Invalidate(selected) => self.invalidate(&selected),
            Operation::Terminate(selected) => self.terminate(&selected),
            Operation::Send(send) => self.send(&send),
            Operation::Wait { ms } => self.wait(ms),
            Operation::Events => self.events(),
            Operation::Reset => self.reset(),
        }
    }
}

/// Runs the script at `path` (`-`: standard input) and writes its answers to `output`.
///
/// # Errors
/// All of [`RunError`]; what was answered before stands in `output`.
pub(crate) fn run_file<B: Backing>(
    runner: &mut Runner<B>,
    path: &Path,
    output: &mut impl Write,
) -> Result<(), RunError> {
    let unread = |source| RunError::Read { path: path.to_owned(), source };
    let mut input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(path).map_err(unread)?))
    };
    let mut text = Vec::new();
    for line in 1.. {
        text.clear();
        let mut rest = io::Read::take(&mut input, LINE_BYTES_MAX + 1);
        if rest.read_until(b'\n', &mut text).map_err(unread)? == 0 {
            break;
        }
        let answer = runner.line(line, &text).map_err(|error| match error {
            OperationError::Line(source) => RunError::Line { path: path.to_owned(), line, source },
            OperationError::Card(source) => RunError::Card { path: path.to_owned(), line, source },
            OperationError::Transmit(source) => {
                RunError::Transmit { path: path.to_owned(), line, source }
            }
        })?;
        if let Some(answer) = answer {
            serde_json::to_writer(&mut *output, &answer)
                .map_err(|error| RunError::Write(error.into()))?;
            writeln!(output).and_then(|()| output.flush()).map_err(RunError::Write)?;
        }
    }
    Ok(())
}
