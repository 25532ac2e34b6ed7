//! Tells verdicts as they come: a line a claim for a person, a JSON object a claim for a script.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::trial::{Outcome, Verdict};
use crate::args::{CardName, ConformanceArgs};
use crate::progress::{Progress, Steps};

/// Writes verdicts to `output`, progress on standard error.
pub(super) struct Report<'a, W: Write> {
    output: W,
    args: &'a ConformanceArgs,
    bar: Progress,
    tally: Tally,
    started: Instant,
}

/// How many there were of each.
#[derive(Debug, Default, Serialize)]
struct Tally {
    card: String,
    timed: bool,
    claims: u64,
    held: u64,
    broken: u64,
    skipped: u64,
}

/// One verdict for a script.
#[derive(Debug, Serialize)]
struct Line<'a> {
    claim: &'a str,
    result: &'static str,
    ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

/// Prints names, one a line.
///
/// # Errors
/// When they cannot be written.
pub(super) fn list(names: &[&str]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    names.iter().try_for_each(|name| writeln!(output, "{name}"))?;
    output.flush()
}

impl<'a, W: Write> Report<'a, W> {
    /// A report of `claims` claims.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn new(args: &'a ConformanceArgs, claims: usize, output: W) -> io::Result<Self> {
        let tally = Tally { card: args.card.to_string(), timed: args.timed, ..Tally::default() };
        let bar = Steps::new(false).bar("claims", claims as u64);
        let mut report = Self { output, args, bar, tally, started: Instant::now() };
        if !args.json {
            let line = format!("{} on {}\n", counted(claims as u64), report.card());
            report.print(&line)?;
        }
        Ok(report)
    }

    /// A claim is being tried.
    pub(super) fn begin(&self, name: &'static str) {
        self.bar.name(name);
    }

    /// A claim has its verdict.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn tell(&mut self, name: &str, verdict: &Verdict) -> io::Result<()> {
        let tally = &mut self.tally;
        tally.claims += 1;
        *match verdict.outcome {
            Outcome::Held => &mut tally.held,
            Outcome::Broken => &mut tally.broken,
            Outcome::Skipped => &mut tally.skipped,
        } += 1;
        let why = verdict.why.as_deref();
        let line = if self.args.json {
            let ms = verdict.took.as_millis() as u64;
            json(&Line { claim: name, result: verdict.outcome.word(), ms, why })?
        } else {
            row(name, verdict.outcome, verdict.took, why)
        };
        self.print(&line)?;
        self.bar.show(self.tally.claims);
        Ok(())
    }

    /// All claims have theirs. Whether every one held.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn end(mut self) -> io::Result<bool> {
        let Tally { claims, held, broken, skipped, .. } = self.tally;
        let line = match self.args.json {
            true => json(&self.tally)?,
            false => format!(
                "\n{} on {}: {held} held, {broken} broken, {skipped} skipped ({:.2} s)",
                counted(claims),
                self.card(),
                self.started.elapsed().as_secs_f64()
            ),
        };
        self.print(&line)?;
        Ok(held == claims)
    }

    fn card(&self) -> String {
        let name = match self.args.card {
            CardName::Model => "the model",
            CardName::Riscv => "the model with a RISC-V core",
            card => return card.to_string(),
        };
        let way = if self.args.timed { "timed" } else { "free-running" };
        format!("{name}, {way}")
    }

    fn print(&mut self, line: &str) -> io::Result<()> {
        let Self { output, bar, .. } = self;
        bar.aside(|| {
            writeln!(output, "{line}")?;
            output.flush()
        })
    }
}

fn counted(claims: u64) -> String {
    format!("{claims} claim{}", if claims == 1 { "" } else { "s" })
}

fn json(value: &impl Serialize) -> io::Result<String> {
    serde_json::to_string(value).map_err(io::Error::from)
}

fn row(name: &str, outcome: Outcome, took: Duration, why: Option<&str>) -> String {
    let sign = match outcome {
        Outcome::Held => '✓',
        Outcome::Broken => '✗',
        Outcome::Skipped => '–',
    };
    let mut row = format!("  {sign} {name:<76} {:>7.1} ms", took.as_secs_f64() * 1e3);
    for line in why.into_iter().flat_map(str::lines) {
        row += &format!("\n      {line}");
    }
    row
}
