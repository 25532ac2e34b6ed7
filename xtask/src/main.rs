//! The project's own tool: prints the contract, checks the tree, runs every test there is.
//!
//! Called as `cargo xtask`. Knows the crates by name and command line only (of them, it depends on
//! `abi` and `rv32` alone), so that it builds in seconds. What it brings goes to the target directory; nothing
//! is installed on the system. A tool that cannot be had is an error with a remedy, never a skip.

use clap::{Parser, Subcommand};

mod apt;
mod bench;
mod bounded;
mod bring;
mod contract;
mod error;
mod firmware;
mod fuzz;
mod guest;
mod print;
mod project;
mod report;
mod rtl;
mod rules;
mod sanitize;
mod step;
mod suite;
mod tool;
mod vm;

use error::Error;
use project::Project;

/// Prints the contract, checks the tree, runs the tests of flue.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Runs every test there is, brings what is missing, and says how long each step took.
    Test {
        /// Steps to run, in the project's order; all when none is named. See --list.
        steps: Vec<String>,
        /// Lists the steps and what each one shows.
        #[arg(long)]
        list: bool,
    },
    /// Runs what has to hold before a push: format, contract, rules, lints, tests, loom.
    Ci,
    /// Prints the contract (`abi/generated`) from the `abi` crate.
    Abi {
        /// Changes nothing; fails when a printed file is stale and shows the first difference.
        #[arg(long)]
        check: bool,
    },
    /// Fuzzes longer than `test` does. Findings are kept in `fuzz/artifacts`.
    Fuzz {
        /// Targets; all when none is named.
        targets: Vec<String>,
        /// Seconds for each target.
        #[arg(long, default_value_t = 300)]
        seconds: u32,
    },
    /// Runs the stress tests ten times as long as `test` does: 10^9 reads each.
    Stress,
    /// Builds the firmware for the card's core, and holds it against its limits.
    #[command(after_help = firmware::HELP)]
    Firmware {
        /// The processor.
        #[arg(long, value_enum, default_value_t = firmware::Target::Imc)]
        target: firmware::Target,
        /// Prints one JSON object; what is done meanwhile goes to standard error.
        #[arg(long)]
        json: bool,
    },
    /// Measures the engine beside floors and peers, judges it, and writes a report.
    #[command(after_help = bench::HELP)]
    Bench(#[command(flatten)] bench::Options),
    /// Brings what simulates the card in SystemVerilog, and tests that card.
    #[command(after_help = rtl::HELP)]
    Rtl {
        /// What to do.
        #[command(subcommand)]
        job: rtl::Job,
    },
    /// Drives a card through the kernel's VFIO, in a virtual machine that it brings.
    #[command(after_help = vm::HELP)]
    Vm {
        /// Cases or whole boots to run; all when none is named. See --list.
        cases: Vec<String>,
        /// Lists the boots and their cases, and what each one shows.
        #[arg(long)]
        list: bool,
        /// Keeps the guest's first root file system, so that boot.sh beside the logs can boot it.
        #[arg(long)]
        keep: bool,
    },
    /// What runs inside that machine.
    #[command(hide = true)]
    Guest,
}

fn main() -> std::process::ExitCode {
    match run(&Cli::parse().job) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            report::failure(&error);
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(job: &Job) -> Result<(), Error> {
    if matches!(job, Job::Guest) {
        return guest::run(); // There is no project in there.
    }
    let project = Project::find()?;
    match job {
        Job::Test { list: true, .. } => {
            report::list(suite::STEPS);
            Ok(())
        }
        Job::Test { steps, list: false } if steps.is_empty() => {
            step::run_all(&project, suite::STEPS.iter())
        }
        Job::Test { steps, list: false } => {
            step::run_all(&project, suite::named(steps)?.into_iter())
        }
        Job::Ci => step::run_all(&project, suite::STEPS.iter().filter(|step| step.before_push)),
        Job::Abi { check: true } => contract::check(&project),
        Job::Abi { check: false } => contract::print(&project),
        Job::Fuzz { targets, seconds } => fuzz::run(&project, targets, *seconds),
        Job::Firmware { target, json } => firmware::run(&project, *target, *json),
        Job::Bench(options) => bench::run(&project, options),
        Job::Rtl { job } => rtl::run(&project, job),
        Job::Stress => suite::long_stress(&project),
        Job::Vm { list: true, .. } => {
            vm::list();
            Ok(())
        }
        Job::Vm { cases, list: false, keep } => vm::run(&project, cases, *keep),
        Job::Guest => guest::run(),
    }
}
