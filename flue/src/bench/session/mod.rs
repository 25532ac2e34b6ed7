//! `flue bench`: what a card costs its host, from submit to completion.
//!
//! From the command line to [`Figures`], and from these to a table or JSON. Any card, one host
//! thread. Every answer is checked: what the card refused is no figure.

mod page;
mod work;

use std::io::{self, Write as _};

use abi::core::Capabilities;
use host_driver::Session;
use host_driver::backing::Backing;
use hw_model::port::{CounterPort, Port};
use serde::Serialize;

use self::work::Work;
use super::BenchError;
use crate::args::BenchArgs;
use crate::card::{self, Errand, Outside, Wishes};
use crate::progress::Steps;

pub(super) use self::work::FRAMES_TIMEOUT_S;

/// Measures a card and prints what it costs its host.
///
/// # Errors
/// All of [`BenchError`].
pub(super) fn run(args: &BenchArgs) -> Result<(), BenchError> {
    let wishes = Wishes {
        paths: Some(args.paths),
        packet_bytes: Some(work::PACKET_BYTES),
        ..Wishes::default()
    };
    let figures = card::with_session(&args.card, wishes, Measure(args))?;
    let text = match args.json {
        true => serde_json::to_string(&figures).map_err(io::Error::from)? + "\n",
        false => page::of(&figures),
    };
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()?;
    Ok(())
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
struct Figures {
    card: String,
    timed: bool,
    /// Which clock the `_ns` keys count: `card` or `wall`.
    clock: &'static str,
    paths: u32,
    /// Bytes of each packet.
    packet_bytes: u32,
    /// Packets always under way while the commands of the second kind are timed.
    frames_under_way: u32,
    bulk: Vec<Bulk>,
    commands: Vec<Command>,
    frames: Frames,
}

/// Many objects by one job.
#[derive(Debug, Serialize)]
struct Bulk {
    operation: &'static str,
    objects: u32,
    /// Times it was done; the figures are of these.
    rounds: usize,
    ns_per_object: f64,
    ns_per_object_best: f64,
    ns_per_object_worst: f64,
}

/// One command at a time.
#[derive(Debug, Serialize)]
struct Command {
    operation: &'static str,
    /// Whether frames were under way all the while.
    with_frames: bool,
    commands: usize,
    ns_p50: u64,
    ns_p99: u64,
    ns_p99_9: u64,
}

/// Frames as fast as one host thread posts them.
#[derive(Debug, Serialize)]
struct Frames {
    frames: u64,
    ns_per_frame: f64,
    frames_per_second: f64,
}

struct Measure<'a>(&'a BenchArgs);

impl Errand for Measure<'_> {
    type Answer = Figures;
    type Error = BenchError;

    fn port(&mut self, _: &Capabilities) -> Result<Box<dyn Port>, BenchError> {
        Ok(Box::new(CounterPort::new().0))
    }

    fn run<B: Backing>(self, session: Session<B>, _: Outside) -> Result<Figures, BenchError> {
        let Self(args) = self;
        let timed = args.card.is_timed();
        let steps = Steps::new(false);
        let mut work = Work::new(&session, args)?;
        let mut bulk = work.offload_and_terminate(steps)?;
        bulk.push(work.relink_list(steps)?);
        let commands = work.commands(steps)?;
        let frames = work.frames(steps)?;
        Ok(Figures {
            card: session.backing().describe(),
            timed,
            clock: if timed { "card" } else { "wall" },
            paths: args.paths,
            packet_bytes: work::PACKET_BYTES,
            frames_under_way: work::FRAMES_UNDER_WAY,
            bulk,
            commands,
            frames,
        })
    }
}

impl Bulk {
    /// From the ns that each round took.
    fn of(operation: &'static str, objects: u32, mut rounds: Vec<u64>) -> Self {
        rounds.sort_unstable();
        let each = |at: usize| rounds.get(at).map_or(0.0, |ns| *ns as f64 / f64::from(objects));
        Self {
            operation,
            objects,
            rounds: rounds.len(),
            ns_per_object: each(rounds.len() / 2),
            ns_per_object_best: each(0),
            ns_per_object_worst: each(rounds.len().saturating_sub(1)),
        }
    }
}

impl Command {
    /// From the ns that each command took.
    fn of(operation: &'static str, with_frames: bool, mut took: Vec<u64>) -> Self {
        took.sort_unstable();
        let share = |of_1000: usize| took.get(took.len() * of_1000 / 1_000).copied().unwrap_or(0);
        Self {
            operation,
            with_frames,
            commands: took.len(),
            ns_p50: share(500),
            ns_p99: share(990),
            ns_p99_9: share(999),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_sorted_times() {
        let command = Command::of("query", false, (0..1_000).rev().collect());
        assert_eq!((command.ns_p50, command.ns_p99, command.ns_p99_9), (500, 990, 999));
        let bulk = Bulk::of("offload", 10, vec![300, 100, 200]);
        let figures = [bulk.ns_per_object_best, bulk.ns_per_object, bulk.ns_per_object_worst];
        assert_eq!(figures, [10.0, 20.0, 30.0]);
    }
}
