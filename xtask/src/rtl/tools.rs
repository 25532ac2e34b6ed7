//! Brings what simulates the card: Verilator, Ibex, VexRiscv. A C++ compiler is the machine's.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::sources::{self, Sources};
use crate::apt::Apt;
use crate::bring;
use crate::error::Error;
use crate::project::{Project, create};
use crate::report;
use crate::tool::Tool;
use crate::vm::tools::{LIBRARIES, LOADER, merge_usr};

/// A Verilator of one's own.
const VERILATOR: &str = "VERILATOR";
/// A VexRiscv of one's own: the file VexRiscv_IMAC.v.
const VEX: &str = "FLUE_VEX";
/// A folder with Ibex of one's own: `rtl/ibex_core.sv`, `vendor`.
const IBEX: &str = "FLUE_IBEX";

/// What is taken of Ibex, a module a line.
const IBEX_MODULES: &str = "rtl-sim/ibex.txt";
/// Where it has its macros.
const IBEX_MACROS: [&str; 2] =
    ["vendor/lowrisc_ip/ip/prim/rtl", "vendor/lowrisc_ip/dv/sv/dv_utils"];

/// The first Verilator that is known to do.
const VERILATOR_NEEDED: (u32, u32) = (5, 32);
/// Where it comes from, with the libraries that it runs with.
const SUITES: [&str; 1] = ["trixie"];
const PACKAGES: [&str; 4] = ["verilator", "libc6", "libstdc++6", "libgcc-s1"];
/// Changes when what is brought changes, so that older folders are brought again.
const RECIPE: &str = "recipe 1";
pub(super) const ELSEWHERE: &str = "set VERILATOR to one of at least 5.032";
const NO_COMPILER: &str = "install a C++ compiler (Debian: `apt-get install g++`)";

/// Programs and sources that a simulation is made of.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) verilator: OsString,
    pub(super) ibex: PathBuf,
    pub(super) vex: PathBuf,
}

impl Tools {
    /// Brings what is not named by the environment into `folder`.
    ///
    /// # Errors
    /// When something cannot be had.
    pub(super) fn bring(project: &Project, folder: &Path) -> Result<Self, Error> {
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
                Sources::IBEX.bring(project, &root)?;
                root
            }
        };
        let vex = match std::env::var_os(VEX) {
            Some(own) => own.into(),
            None => {
                let root = folder.join("vex");
                Sources::VEX.bring(project, &root)?;
                root.join(sources::VEX_FILE)
            }
        };
        let expected = "expected the sources of Ibex: rtl/ibex_core.sv and more";
        match ibex.join("rtl/ibex_core.sv").is_file() {
            true => Ok(Self { verilator, ibex, vex }),
            false => Err(Error::Content { path: ibex, expected }),
        }
    }

    /// What is taken of Ibex, each module before those that use it.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub(super) fn ibex_modules(&self, project: &Project) -> Result<Vec<PathBuf>, Error> {
        let list = project.read(IBEX_MODULES)?;
        Ok(list.lines().map(|name| self.ibex.join(format!("rtl/{name}.sv"))).collect())
    }

    /// Where Ibex has its macros.
    pub(super) fn ibex_macros(&self) -> [PathBuf; 2] {
        IBEX_MACROS.map(|folder| self.ibex.join(folder))
    }

    /// Tells the build of `rtl-sim` where they are.
    pub(super) fn on(&self, tool: Tool) -> Tool {
        tool.env(VERILATOR, &self.verilator).env(IBEX, &self.ibex).env(VEX, &self.vex)
    }
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
