//! Programs that are Python packages: checkers and synthesis, in environments of their own.
//!
//! What is installed is written down in `rtl-sim/python`, a file an environment, each package by
//! version and hash. Programs are started as modules (`python -m`), because scripts in an
//! environment name a folder that was renamed since.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::bring;
use crate::error::Error;
use crate::project::Project;
use crate::report;
use crate::tool::Tool;

/// What to do where there is no Python.
pub(super) const REMEDY: &str =
    "install Python 3 with venv (Debian: `apt-get install python3-venv`)";
/// Changes when what is done changes, so that older folders are brought again.
const RECIPE: &str = "recipe 1";

/// Packages that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    /// cocotb with its models of AXI and PCI Express.
    Buses,
    /// Yosys, natively and as sby needs it, and the solver Yices.
    Yosys,
    /// Place and route for ECP5.
    Place,
}

/// An environment with a set of packages.
#[derive(Debug)]
pub(super) struct Python {
    root: PathBuf,
}

impl Set {
    /// Name of its list and its folder, and what a person is told that it is.
    const fn named(self) -> (&'static str, &'static str) {
        match self {
            Self::Buses => ("buses", "cocotb with models of AXI and PCI Express: 4 MB"),
            Self::Yosys => ("yosys", "Yosys and the solver Yices: 100 MB"),
            Self::Place => ("place", "place and route for ECP5: 110 MB"),
        }
    }
}

impl Python {
    /// Makes the environment below `folder`, once.
    ///
    /// # Errors
    /// When Python or a package cannot be had.
    pub(super) fn bring(project: &Project, folder: &Path, set: Set) -> Result<Self, Error> {
        let (name, what) = set.named();
        let list = project.read(&format!("rtl-sim/python/{name}.txt"))?;
        let root = folder.join(name);
        let packages: Vec<_> = list.split_whitespace().collect();
        let recipe = format!("{RECIPE} {}", packages.join(" "));
        bring::once(&root, &recipe, |_, new| {
            report::brings(&format!("{what}, from PyPI"));
            let own = environment(project, &new.join("venv"))?;
            let path = new.join("requirements.txt");
            bring::write(&path, &list)?;
            let install = "-m pip --quiet --disable-pip-version-check install --no-deps \
                           --require-hashes -r";
            Tool::new(project, own.as_os_str(), REMEDY).args(install).arg(&path).run_quietly()?;
            Ok(what.to_string())
        })?;
        Ok(Self { root })
    }

    /// Its programs that are not scripts.
    pub(super) fn programs(&self) -> PathBuf {
        self.root.join("venv/bin")
    }

    /// Its interpreter, to be told what to run.
    pub(super) fn tool(&self, project: &Project) -> Tool {
        Tool::new(project, self.programs().join("python").as_os_str(), REMEDY)
    }
}

/// Makes an environment without packages; gives its interpreter.
///
/// # Errors
/// When there is no Python with venv.
pub(super) fn environment(project: &Project, venv: &Path) -> Result<PathBuf, Error> {
    Tool::new(project, OsStr::new("python3"), REMEDY).args("-m venv").arg(venv).run_quietly()?;
    Ok(venv.join("bin/python"))
}
