//! Benches in Python: the card between bus models of others, and its modules one by one.
//!
//! Brings cocotb and hands over to `rtl-sim/cocotb/run.py`, which builds and runs what stands there
//! and prints a line a test. Does not know what a bench does.

use std::path::Path;

use super::python::{Python, Set};
use super::tools::Tools;
use crate::error::Error;
use crate::firmware;
use crate::project::Project;

const RUN: &str = "rtl-sim/cocotb/run.py";
/// Where it builds, below the target folder.
const BUILDS: &str = "rtl-buses";
const BUILDS_VARIABLE: &str = "FLUE_BUILDS";
/// What a simulation loads; a small system has only the interpreter.
const LIBRARY: &str = "the shared library of this Python (libpython3.*.so)";
const LIBRARY_REMEDY: &str = "install it (Debian: `apt-get install libpython3-dev`)";

/// Builds what has changed and runs every bench.
///
/// # Errors
/// When something cannot be brought or built, or a test fails.
pub(super) fn run(project: &Project, folder: &Path, tools: &Tools) -> Result<(), Error> {
    let python = Python::bring(project, folder, Set::Buses)?;
    let has_library =
        "import find_libpython, sys; sys.exit(find_libpython.find_libpython() is None)";
    let output = python.tool(project).arg("-c").arg(has_library).capture()?;
    if !output.status.success() {
        return Err(Error::Bring { what: LIBRARY.into(), remedy: LIBRARY_REMEDY });
    }
    let image = firmware::image(project)?;
    let tool = python.tool(project).args("-B").arg(RUN);
    let tool = tools.on(tool).env(firmware::FIRMWARE, image);
    tool.env(BUILDS_VARIABLE, project.target.join(BUILDS)).run()
}
