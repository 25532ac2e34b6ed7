//! The card in SystemVerilog: its tools are brought, its sources linted, its tests run.
//!
//! From `rtl-sim` to Verilator (Debian's, unpacked with the C library that it was built for) and Ibex
//! (from PyPI, by pip in an environment of its own), both below target/tools/rtl. Nothing is
//! installed, and no source of another project is kept in this one. The build of `rtl-sim` finds
//! both there by itself. Does not know what the card is.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::apt::Apt;
use crate::bring;
use crate::error::Error;
use crate::firmware;
use crate::project::{Project, create};
use crate::report;
use crate::suite::PROFILE;
use crate::tool::Tool;
use crate::vm::tools::{LIBRARIES, LOADER, merge_usr};

/// A Verilator of one's own.
const VERILATOR: &str = "VERILATOR";
/// A VexRiscv of one's own: the file VexRiscv_IMAC.v.
const VEX: &str = "FLUE_VEX";
/// A folder with Ibex of one's own: `rtl/ibex_core.sv`, `vendor`.
const IBEX: &str = "FLUE_IBEX";

/// The first Verilator that is known to do.
const VERILATOR_NEEDED: (u32, u32) = (5, 32);
/// Where it comes from, with the libraries that it runs with.
const SUITES: [&str; 1] = ["trixie"];
const PACKAGES: [&str; 4] = ["verilator", "libc6", "libstdc++6", "libgcc-s1"];
/// What PyPI has of Ibex, by the hash of its file: sources and nothing that runs.
const IBEX_PACKAGE: &str = "pythondata-cpu-ibex==0.0.post2937 \
    --hash=sha256:bcb32ffccc75097248a11b3e52031eca92d21c6c6161a29151c8c79d6157e1c9";
/// What is taken of it, and where that lies.
const IBEX_PARTS: [(&str, &str); 2] = [
    ("pythondata_cpu_ibex/system_verilog/rtl", "rtl"),
    ("pythondata_cpu_ibex/system_verilog/vendor", "vendor"),
];
/// The same of VexRiscv.
const VEX_PACKAGE: &str = "pythondata-cpu-vexriscv==1.0.1.post407 \
    --hash=sha256:8fbdd9ee58ab2300343846e12a70e8f8f882eced13456c359a6b65a442ce0fbc";
const VEX_FILE: &str = "VexRiscv_IMAC.v";
const VEX_PARTS: [(&str, &str); 1] =
    [("pythondata_cpu_vexriscv/verilog/VexRiscv_IMAC.v", VEX_FILE)];
/// Changes when what is brought changes, so that older folders are brought again.
const RECIPE: &str = "recipe 1";
const ELSEWHERE: &str = "set VERILATOR to one of at least 5.032";
const NO_PYTHON: &str = "install Python 3 with venv (Debian: `apt-get install python3-venv`), or set \
                         FLUE_IBEX to a folder with Ibex (rtl/ibex_core.sv)";
const NO_COMPILER: &str = "install a C++ compiler (Debian: `apt-get install g++`)";
/// What is taken of Ibex, a module a line.
const IBEX_MODULES: &str = "rtl-sim/ibex.txt";
/// The card's packages, each before those that use it, and its top.
const PACKAGES_AND_TOP: [&str; 4] = [
    "abi/generated/offload_abi_pkg.sv",
    "rtl-sim/rtl/flue_rtl_pkg.sv",
    "rtl-sim/rtl/datapath_pkg.sv",
    "rtl-sim/rtl/flue_card.sv",
];

/// What `cargo xtask rtl --help` says at its end.
pub(crate) const HELP: &str = "\
Tools are brought once into target/tools/rtl: Verilator 5.032 from Debian trixie (11 MB to fetch), and
the sources of Ibex and VexRiscv from PyPI (10 MB each). Nothing is installed. A C++ compiler and
Python 3 with venv are the machine's.

Environment:
  VERILATOR    a Verilator of one's own, 5.032 or newer
  FLUE_IBEX    a folder with the sources of Ibex (rtl/ibex_core.sv, vendor)
  FLUE_VEX     the file VexRiscv_IMAC.v
  FLUE_MIRROR  address of a Debian mirror, where /etc/apt names none";

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Job {
    /// Brings Verilator, Ibex and VexRiscv.
    Setup,
    /// Brings them, and runs every test of the card, the conformance suite among them.
    Test,
}

/// Programs and sources that a simulation is made of.
#[derive(Debug)]
struct Tools {
    verilator: OsString,
    ibex: PathBuf,
    vex: PathBuf,
}

/// Does it.
///
/// # Errors
/// When something cannot be brought or built, or a test fails.
pub(crate) fn run(project: &Project, job: Job) -> Result<(), Error> {
    let folder = project.target.join("tools/rtl");
    let _alone = bring::alone(&folder, "cargo xtask rtl")?;
    let tools = Tools::bring(project, &folder)?;
    match job {
        Job::Setup => Ok(()),
        Job::Test => test(project, &tools),
    }
}

impl Tools {
    fn bring(project: &Project, folder: &Path) -> Result<Self, Error> {
        create(folder)?;
        Tool::new(project, "c++".as_ref(), NO_COMPILER).arg("--version").probe()?;
        let verilator = match std::env::var_os(VERILATOR) {
            Some(own) => own,
            None => {
                let root = folder.join("verilator");
                let bring = |lists: &Path, new: &Path| bring_verilator(project, lists, new);
                bring::once(&root, RECIPE, bring)?;
                program(&root).into()
            }
        };
        report::note(&check(project, &verilator)?);
        let ibex = match std::env::var_os(IBEX) {
            Some(own) => own.into(),
            None => {
                let root = folder.join("ibex");
                bring_sources(project, &root, IBEX_PACKAGE, &IBEX_PARTS)?;
                root
            }
        };
        let vex = match std::env::var_os(VEX) {
            Some(own) => own.into(),
            None => {
                let root = folder.join("vex");
                bring_sources(project, &root, VEX_PACKAGE, &VEX_PARTS)?;
                root.join(VEX_FILE)
            }
        };
        let expected = "expected the sources of Ibex: rtl/ibex_core.sv and more";
        match ibex.join("rtl/ibex_core.sv").is_file() {
            true => Ok(Self { verilator, ibex, vex }),
            false => Err(Error::Content { path: ibex, expected }),
        }
    }

    /// Tells the build of `rtl-sim` where they are.
    fn on(&self, tool: Tool) -> Tool {
        tool.env(VERILATOR, &self.verilator).env(IBEX, &self.ibex).env(VEX, &self.vex)
    }
}

fn test(project: &Project, tools: &Tools) -> Result<(), Error> {
    lint(project, tools)?;
    let image = firmware::image(project)?;
    let line = "test --package rtl-sim --features rtl --no-fail-fast --profile";
    let cargo = tools.on(Tool::cargo(project)).args(line).arg(PROFILE);
    cargo.env(firmware::FIRMWARE, &image).run()
}

/// Verilator has nothing to say of the card.
fn lint(project: &Project, tools: &Tools) -> Result<(), Error> {
    let tool = Tool::new(project, &tools.verilator, ELSEWHERE).args("--lint-only -Wall --assert");
    let tool = tool.args("+define+DV_FCOV_DISABLE --top-module flue_card -y rtl-sim/rtl");
    let macros = ["vendor/lowrisc_ip/ip/prim/rtl", "vendor/lowrisc_ip/dv/sv/dv_utils"];
    let include =
        |tool: Tool, folder| tool.arg(format!("+incdir+{}", tools.ibex.join(folder).display()));
    let tool = macros.into_iter().fold(tool, include);
    let tool = tool.args("rtl-sim/lint/verilator.vlt rtl-sim/lint/datapath.vlt");
    let modules = project.read(IBEX_MODULES)?;
    let module = |name| tools.ibex.join(format!("rtl/{name}.sv"));
    let tool = modules.lines().map(module).fold(tool, |tool, file| tool.arg(file));
    PACKAGES_AND_TOP.into_iter().fold(tool, |tool, file| tool.arg(file)).run_quietly()
}

/// Verilator below a root folder, started with the libraries there.
fn program(root: &Path) -> PathBuf {
    root.join("bin/flue-verilator")
}

fn bring_verilator(project: &Project, lists: &Path, root: &Path) -> Result<String, Error> {
    let apt = Apt::new(project, lists, &SUITES, "", ELSEWHERE)?;
    report::brings("package lists of Debian trixie (about 21 MB on disk, for a moment)");
    apt.update()?;
    report::brings("Verilator with the libraries that it runs with: 11 MB; 60 MB unpacked");
    merge_usr(root)?;
    apt.unpack_only(&PACKAGES, root)?;
    // By itself, wherever the folder will be; the script that comes with it needs Perl.
    let script = format!(
        "#!/bin/sh\n\
         root=$(CDPATH= cd -- \"$(dirname -- \"$0\")/..\" && pwd)\n\
         VERILATOR_ROOT=$root/usr/share/verilator \
         exec \"$root/{LOADER}\" --library-path \"$root/{LIBRARIES}\" \
         \"$root/usr/bin/verilator_bin\" \"$@\"\n"
    );
    let path = program(root);
    bring::write(&path, &script)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
        .map_err(|source| Error::File { action: "make executable", path: path.clone(), source })?;
    check(project, path.as_os_str())
}

/// Asks a Verilator for its version.
fn check(project: &Project, verilator: &std::ffi::OsStr) -> Result<String, Error> {
    let output = Tool::new(project, verilator, ELSEWHERE).arg("--version").capture()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let shown = verilator.to_string_lossy();
    match version(&text) {
        Some(version) if version >= VERILATOR_NEEDED => Ok(text),
        Some((major, minor)) => Err(Error::Bring {
            what: format!("`{shown}`: it is Verilator {major}.{minor:03}"),
            remedy: ELSEWHERE,
        }),
        None => Err(Error::Bring { what: format!("`{shown}`: no Verilator"), remedy: ELSEWHERE }),
    }
}

/// Major and minor number from `Verilator 5.032 2025-01-01 rev …`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("Verilator ")?.split(['.', ' ']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Sources that PyPI has as a package: the parts of it that are wanted, in `root`.
fn bring_sources(
    project: &Project,
    root: &Path,
    package: &str,
    parts: &[(&str, &str)],
) -> Result<(), Error> {
    let recipe = format!("{RECIPE} {package}");
    let bring = |meanwhile: &Path, new: &Path| fetch(project, meanwhile, new, package, parts);
    report::note(&bring::once(root, &recipe, bring)?);
    Ok(())
}

fn fetch(
    project: &Project,
    meanwhile: &Path,
    root: &Path,
    package: &str,
    parts: &[(&str, &str)],
) -> Result<String, Error> {
    let name = package.split_whitespace().next().unwrap_or_default();
    let python = |program: &std::ffi::OsStr| Tool::new(project, program, NO_PYTHON);
    create(meanwhile)?;
    report::brings(&format!("{name} from PyPI: sources of a core, 10 MB"));
    let venv = meanwhile.join("venv");
    python("python3".as_ref()).args("-m venv").arg(&venv).run_quietly()?;
    let list = meanwhile.join("requirements.txt");
    bring::write(&list, &format!("{package}\n"))?;
    let own = venv.join("bin/python");
    let download = "-m pip --quiet --disable-pip-version-check download --no-deps \
                    --only-binary :all: --require-hashes --dest";
    let pip = python(own.as_os_str()).args(download).arg(meanwhile).arg("-r").arg(&list);
    pip.run_quietly()?;
    let wheel = only_wheel(meanwhile)?;
    let unpacked = meanwhile.join("unpacked");
    let unpack = python(own.as_os_str()).args("-m zipfile -e").arg(wheel).arg(&unpacked);
    unpack.run_quietly()?;
    for (from, to) in parts {
        let from = unpacked.join(from);
        std::fs::rename(&from, root.join(to)).map_err(|source| Error::File {
            action: "take sources from",
            path: from,
            source,
        })?;
    }
    Ok(format!("{name} from PyPI"))
}

/// The wheel in a folder that has one.
fn only_wheel(folder: &Path) -> Result<PathBuf, Error> {
    let failed = |source| Error::File { action: "list", path: folder.into(), source };
    let mut files = std::fs::read_dir(folder).map_err(failed)?.filter_map(Result::ok);
    let is_wheel = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "whl");
    let expected = "expected the wheel that pip has fetched";
    files
        .find_map(|file| Some(file.path()).filter(is_wheel))
        .ok_or(Error::Content { path: folder.into(), expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_verilator_says() {
        let text = "Verilator 5.032 2025-01-01 rev (Debian 5.032-1+b2)";
        assert_eq!(version(text), Some((5, 32)));
        assert!(
            version("Verilator 5.006 2023-01-22 rev").is_some_and(|old| old < VERILATOR_NEEDED)
        );
        assert_eq!(version("no version"), None);
    }
}
