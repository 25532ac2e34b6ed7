//! Measures the engine beside floors and peers, judges it, and writes one report.
//!
//! `cargo xtask bench`: from what the machine allows (`conditions`) and the C peers that are brought
//! (`peers`), to programs that run in turn (`run`) and print lines of figures (`line`, `figures`),
//! to the table of goals (`goals`, `judge`), to the report (`report`, `plot`, `page`). Talks to
//! what is measured by processes only, so it knows neither the engine nor the peers.

mod charts;
mod conditions;
mod figures;
mod goals;
mod judge;
mod line;
mod page;
mod peers;
mod plot;
mod report;
mod run;

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::bring;
use crate::error::Error;
use crate::project::{Project, create};
use crate::tool::Tool;
use conditions::Conditions;
use figures::Figures;
use peers::Peers;
use report::Report;
use run::{Job, Plan, Run};

/// Sizes that are measured when none are named: what the goals are about, and a small one.
const SIZES: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
const QUICK_SIZES: [u64; 2] = [1_000, 10_000];
/// Rounds, and turns of a series in each.
const ROUNDS: u32 = 3;
const QUICK_ROUNDS: u32 = 1;
const REPEATS: u32 = 9;
const QUICK_REPEATS: u32 = 3;
/// The floors were measured with all that the processor has, and so is the engine.
const FLAGS: &str = "-C target-cpu=native";
/// Where the report goes, below the target directory.
const FOLDER: &str = "report";

/// What `cargo xtask bench --help` says at its end.
pub(crate) const HELP: &str = "\
What it does: brings DPDK and liburcu (Debian packages, unpacked into target/tools/peers, nothing
is installed) and compiles the C peers; builds side-by-side for this very processor; runs, round
after round, the programs of each job right after one another, each for some seconds and under a
first-in first-out priority where that is allowed; holds the ratios against the table of goals.
Takes about 15 minutes on two processors and never more than 20, less with --quick or --only. It needs two processors;
close what else runs. As root it also makes huge pages for DPDK, and puts their number back.

Report: target/report/bench.json (every figure), bench.html (tables and pictures), bench.log.

Exit status: 0 when everything that was to be measured was, whether the goals are met or not;
1 when something could not be built, brought or run, which the report names; with --check also
1 when a goal is missed. A goal that was not measured never passes.

Environment:
  FLUE_MIRROR   address of a Debian mirror, where /etc/apt names none
  FLUE_PEERS    a root folder with DPDK and liburcu of one's own; `/` for the machine's";

/// What may be asked for.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Smaller sizes, one round, short turns: to see that all works, not to judge by.
    #[arg(long)]
    quick: bool,
    /// Only these parts of the table, separated by commas.
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Job>,
    /// Numbers of objects, separated by commas [default: 1000,10000,100000,1000000].
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    sizes: Vec<u64>,
    /// How often everything is measured [default: 3].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: Option<u32>,
    /// Fails when a goal is missed, not only when something could not be run.
    #[arg(long)]
    check: bool,
    /// Measures nothing: judges target/report/bench.json again, and writes the report anew.
    #[arg(long)]
    again: bool,
}

impl Options {
    fn plan(&self) -> Plan {
        let pick =
            |quick: &[u64], full: &[u64]| if self.quick { quick.to_vec() } else { full.to_vec() };
        let mut sizes = self.sizes.clone();
        sizes.sort_unstable();
        sizes.dedup();
        let is_chosen = |job: &Job| self.only.is_empty() || self.only.contains(job);
        let (rounds, repeats) =
            if self.quick { (QUICK_ROUNDS, QUICK_REPEATS) } else { (ROUNDS, REPEATS) };
        Plan {
            jobs: Job::ALL.into_iter().filter(is_chosen).collect(),
            sizes: if sizes.is_empty() { pick(&QUICK_SIZES, &SIZES) } else { sizes },
            rounds: self.rounds.unwrap_or(rounds),
            repeats,
            is_quick: self.quick,
        }
    }
}

/// Measures, judges, reports.
///
/// # Errors
/// When something could not be built, brought or run; with `check`, when a goal is missed.
pub(crate) fn run(project: &Project, options: &Options) -> Result<(), Error> {
    let folder = project.target.join(FOLDER);
    let _alone = bring::alone(&folder, "cargo xtask bench")?;
    let report = if options.again {
        Report::read(&folder)?
    } else {
        measure(project, &options.plan(), &folder)?
    };
    report.write(&folder)?;
    report.show(&folder);
    let missed = report.missed();
    match (report.trouble.len(), missed) {
        (0, 0) => Ok(()),
        (0, missed) if options.check => Err(Error::Goals(missed)),
        (0, _) => Ok(()),
        (trouble, _) => Err(Error::Incomplete(trouble)),
    }
}

fn measure(project: &Project, plan: &Plan, folder: &Path) -> Result<Report, Error> {
    let start = Instant::now();
    let built = project.target.join("native");
    let (mut peers, mut trouble) = (None, Vec::new());
    if plan.jobs.iter().any(|job| job.peers() != (false, false)) {
        match Peers::make(project, &built.join("peers")) {
            Ok(made) => peers = Some(made),
            Err(why) => trouble.push(format!("DPDK and liburcu are not measured: {why}")),
        }
    }
    trouble.iter().for_each(|why| crate::report::note(why));
    Tool::cargo(project)
        .args("build --release --package benches --bin side-by-side")
        .env("RUSTFLAGS", FLAGS)
        .env("CARGO_TARGET_DIR", &built)
        .run()?;
    let wants_pages = peers.is_some() && plan.jobs.iter().any(|job| job.peers().0);
    let conditions = Conditions::find(project, wants_pages);
    conditions.notes().iter().for_each(|note| crate::report::note(note));
    create(folder)?;
    let path = folder.join("bench.log");
    let log =
        File::create(&path).map_err(|source| Error::File { action: "write", path, source })?;
    let mut run = Run {
        plan,
        conditions: &conditions,
        side_by_side: built.join("release/side-by-side"),
        log,
        figures: Figures::default(),
        trouble,
        rounds: 0,
        peers,
        start: Instant::now(),
        stood_still: Duration::ZERO,
        stuck: None,
    };
    run.measure();
    Ok(Report::of(project, run, start.elapsed()))
}
