//! `flue`: the command line, where every crate comes together.
//!
//! From arguments to one of the commands, and from its result to an exit status: 0 when
//! everything that was asked held, 1 when a promise or a check failed, 2 when what was asked makes
//! no sense. Answers go to standard output, everything else to standard error.

mod args;
mod bench;
mod card;
mod conformance;
mod failover;
mod image;
mod inspect;
mod observer;
mod packet;
mod pipeline;
mod progress;
mod routes;
#[cfg(feature = "rtl")]
mod rtl;
mod script;
mod seed;
mod serve;
mod trace;
mod wait;

use std::io;
use std::process::ExitCode;

use abi::core::Capabilities;
use clap::Parser;
use host_driver::Session;
use host_driver::backing::Backing;
use hw_model::port::Port;

use crate::args::{Cli, Command, RunArgs};
use crate::bench::BenchError;
use crate::card::{Capture, CardError, Errand, Outside, Wishes};
use crate::conformance::ConformanceError;
use crate::failover::FailoverError;
use crate::inspect::InspectError;
use crate::script::{RunError, Runner};
use crate::serve::ServeError;
use crate::trace::{TraceError, TraceTo};

/// Exit status when a promise or a check failed, or the card did.
const FAILED: u8 = 1;
/// Exit status for a command line, script or routing table that is wrong; clap uses it too.
const WRONG: u8 = 2;

/// What stopped a command.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Failover(#[from] FailoverError),
    #[error(transparent)]
    Card(#[from] CardError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Inspect(#[from] InspectError),
    #[error(transparent)]
    Conformance(#[from] ConformanceError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Bench(#[from] BenchError),
    #[error(transparent)]
    Session(#[from] host_driver::Error),
}

impl CommandError {
    fn exit_status(&self) -> u8 {
        let is_wrong = match self {
            Self::Failover(error) => match error {
                FailoverError::Routes(_) => true,
                FailoverError::Card(error) => error.is_wrong(),
                _ => false,
            },
            Self::Card(error) => error.is_wrong(),
            Self::Run(error) => error.is_wrong(),
            Self::Inspect(error) => error.is_wrong(),
            Self::Conformance(error) => error.is_wrong(),
            Self::Serve(error) => error.is_wrong(),
            Self::Bench(error) => error.is_wrong(),
            Self::Session(_) => false,
        };
        if is_wrong { WRONG } else { FAILED }
    }

    /// Nobody reads the answers any more; that is no failure worth a message.
    fn is_broken_pipe(&self) -> bool {
        let error = match self {
            Self::Failover(FailoverError::Write(error)) | Self::Run(RunError::Write(error)) => {
                error
            }
            Self::Inspect(
                InspectError::Write(error) | InspectError::Trace(TraceError::Output(error)),
            )
            | Self::Conformance(ConformanceError::Write(error))
            | Self::Serve(ServeError::Write(error))
            | Self::Bench(BenchError::Write(error)) => error,
            _ => return false,
        };
        error.kind() == io::ErrorKind::BrokenPipe
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        Command::Failover(args) => failover::run(args).map_err(CommandError::from),
        Command::Run(args) => run(args),
        Command::Inspect(args) => inspect::run(args).map(|()| true).map_err(CommandError::from),
        Command::Conformance(args) => conformance::run(args).map_err(CommandError::from),
        Command::Serve(args) => serve::run(args).map_err(CommandError::from),
        Command::Bench(args) => bench::run(args).map(|()| true).map_err(CommandError::from),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(error) => {
            if !error.is_broken_pipe() {
                eprintln!("flue: {error}");
            }
            ExitCode::from(error.exit_status())
        }
    }
}

/// Runs a script. Whether the capture is complete.
fn run(args: &RunArgs) -> Result<bool, CommandError> {
    let trace = args.trace.trace.as_deref().map(TraceTo::File);
    let wishes = Wishes { port: Some(&args.port), trace, ..Wishes::default() };
    card::with_session(&args.card, wishes, Script { args, capture: Capture::none() })
}

/// One script to be run.
struct Script<'a> {
    args: &'a RunArgs,
    capture: Capture,
}

impl Errand for Script<'_> {
    type Answer = bool;
    type Error = CommandError;

    fn port(&mut self, _: &Capabilities) -> Result<Box<dyn Port>, CommandError> {
        let (port, capture) = card::port(&self.args.port)?;
        self.capture = capture;
        Ok(port)
    }

    fn run<B: Backing>(self, session: Session<B>, _: Outside) -> Result<bool, CommandError> {
        let mut runner = Runner::new(session, self.args.card.is_timed())?;
        let ended = script::run_file(&mut runner, &self.args.script, &mut io::stdout().lock());
        // The card goes first, so that the capture is complete.
        drop(runner);
        ended?;
        if let Some(complaint) = self.capture.complaint() {
            eprintln!("flue: {complaint}");
            return Ok(false);
        }
        Ok(true)
    }
}
