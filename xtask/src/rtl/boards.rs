//! Wrappers of boards: read by two readers of SystemVerilog.
//!
//! What a vendor has (a shell's ports, a macro) stands in `rtl-sim/fpga/lint` as pins without
//! behaviour. No board is built here: that takes the vendor's tools.

use std::path::Path;

use super::python::{Python, Set};
use super::tools::Tools;
use super::{PACKAGES, linter};
use crate::error::Error;
use crate::project::Project;

/// Where wrappers are, and where the pins of what is a vendor's.
const WRAPPERS: &str = "rtl-sim/fpga/rtl";
const PINS: &str = "rtl-sim/fpga/lint";
/// Where the wrappers get the card's pins.
const SIMULATED: &str = "rtl-sim/fpga/sim";
/// Tops: folder, module, what Verilator is told besides.
const TOPS: [(&str, &str, &str); 7] = [
    (WRAPPERS, "cl_flue", ""),
    (WRAPPERS, "flue_bridge", ""),
    (WRAPPERS, "flue_bridge", "-GHAS_MSIX_TABLE=0"),
    (WRAPPERS, "mac_crossing", "rtl-sim/fpga/lint/vendor.sv"),
    (SIMULATED, "board_pins", ""),
    (SIMULATED, "board_pins", "-GHAS_MSIX_TABLE=0"),
    (SIMULATED, "board_pins", "-GIS_F2=1'b1"),
];
/// Tops that Yosys reads with slang, with what is read before.
const READ: [(&str, &str); 3] =
    [("cl_flue", ""), ("flue_bridge", ""), ("mac_crossing", "rtl-sim/fpga/lint/vendor.sv")];
/// Features of `rtl-sim`, a wrapper each.
pub(super) const FEATURES: [&str; 3] = ["bridge", "lines", "f2"];
/// Runs a command of Yosys, and says why when it does not succeed.
const YOSYS: &str =
    "import sys; from pyosys import libyosys as ys; ys.run_pass(sys.argv[1], ys.Design())";

/// Neither Verilator nor slang has anything to say of the wrappers.
///
/// # Errors
/// When one has, or cannot be brought.
pub(super) fn lint(project: &Project, tools: &Tools, folder: &Path) -> Result<(), Error> {
    for (place, top, besides) in TOPS {
        let tool = linter(project, tools)?.arg("rtl-sim/lint/fpga.vlt");
        let tool = tool.args(&format!("-y {WRAPPERS} +incdir+{WRAPPERS} +incdir+{PINS} {besides}"));
        let tool = tool.args(&format!("--top-module {top} {place}/{top}.sv"));
        tool.run_quietly()?;
    }
    let yosys = Python::bring(project, folder, Set::Yosys)?;
    let macros = tools.ibex_macros().map(|folder| format!("-I {} ", folder.display()));
    let modules = tools.ibex_modules(project)?;
    let modules: String = modules.iter().map(|file| format!("{} ", file.display())).collect();
    for (top, before) in READ {
        // The image is read where a board is built.
        let image = if top == "cl_flue" { "-G IMAGE=\"\"" } else { "" };
        let command = format!(
            "read_slang -D SYNTHESIS -D DV_FCOV_DISABLE --top {top} {image} -y rtl-sim/rtl \
             -y {WRAPPERS} -Y .sv -I {WRAPPERS} -I {PINS} {} {modules} {} {before} \
             {WRAPPERS}/{top}.sv",
            macros.concat(),
            PACKAGES.replace('\n', " ")
        );
        yosys.tool(project).arg("-c").arg(YOSYS).arg(command).run_quietly()?;
    }
    Ok(())
}
