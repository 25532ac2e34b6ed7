//! Measures floor, engine and peers side by side: one JSON object a line.
//!
//! From the command line to standard output; what it does meanwhile goes to standard error. It
//! pins its own threads; who wants them undisturbed starts it under a first-in first-out policy.

use std::io::{self, Write};
use std::process::ExitCode;

use benches::jobs::{self, Tell};
use benches::machine::Facts;
use benches::peer::kernel::KernelError;
use benches::turns::{Plan, Report};
use clap::{Parser, ValueEnum};

/// Measures floor, engine and peers side by side.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure.
    job: Job,
    /// Objects of the cases that come in sizes.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    sizes: Vec<usize>,
    /// Turns of a case.
    #[arg(long, default_value_t = 9)]
    repeats: usize,
    /// Be short rather than exact.
    #[arg(long)]
    quick: bool,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Job {
    /// What the machine is.
    Machine,
    /// Slots through a ring.
    Ring,
    /// Lookups of the whole chain.
    Lookup,
    /// Relink of N paths by list.
    Relink,
    /// Relink of all paths, and a new MAC address.
    Command,
    /// Offload of N paths.
    Offload,
    /// Many threads that submit.
    Threads,
    /// The kernel's routes, in a network namespace of this process's own.
    Kernel,
}

/// Exit status when the system does not let a job be measured.
const NOT_PERMITTED: u8 = 77;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Arguments { sizes, repeats, quick, .. } = arguments;
    let plan = Plan { sizes, repeats, is_quick: quick };
    let mut tell = |reports: Vec<Report>| {
        let mut output = io::stdout().lock();
        for report in reports {
            let line = serde_json::to_string(&report).expect("a report is plain data");
            writeln!(output, "{line}").expect("somebody reads the figures");
        }
    };
    match arguments.job {
        Job::Machine => tell(vec![Report::Machine(Facts::look())]),
        Job::Ring => jobs::ring::run(&plan, &mut tell),
        Job::Lookup => jobs::lookup::run(&plan, &mut tell),
        Job::Relink => jobs::relink::run(&plan, &mut tell),
        Job::Command => jobs::command::run(&plan, &mut tell),
        Job::Offload => jobs::offload::run(&plan, &mut tell),
        Job::Threads => jobs::threads::run(&plan, &mut tell),
        Job::Kernel => return kernel(&plan, &mut tell),
    }
    ExitCode::SUCCESS
}

fn kernel(plan: &Plan, tell: &mut Tell<'_>) -> ExitCode {
    let Err(error) = jobs::kernel::run(plan, tell) else { return ExitCode::SUCCESS };
    match error {
        KernelError::NotPermitted { .. } | KernelError::NotSupported { .. } => {
            eprintln!("the kernel is not measured: {error}");
            ExitCode::from(NOT_PERMITTED)
        }
        KernelError::Other { ref source, .. } => {
            eprintln!("{error}: {source}");
            ExitCode::FAILURE
        }
    }
}
