//! Sources of soft cores, from PyPI: fetched by pip, never run, never kept in the project.

use std::path::{Path, PathBuf};

use super::python;
use crate::bring;
use crate::error::Error;
use crate::project::{Project, create};
use crate::report;
use crate::tool::Tool;

/// A package of sources, and what of it is wanted.
#[derive(Debug)]
pub(super) struct Sources {
    /// Name, version and hash, as pip takes them.
    package: &'static str,
    /// Where a part lies in the package, and what it is called here.
    parts: &'static [(&'static str, &'static str)],
}

/// What VexRiscv's only file is called.
pub(super) const VEX_FILE: &str = "VexRiscv_IMAC.v";
/// Changes when what is done changes, so that older folders are brought again.
const RECIPE: &str = "recipe 1";

impl Sources {
    /// Ibex (Apache-2.0).
    pub(super) const IBEX: Self = Self {
        package: "pythondata-cpu-ibex==0.0.post2937 \
    --hash=sha256:bcb32ffccc75097248a11b3e52031eca92d21c6c6161a29151c8c79d6157e1c9",
        parts: &[
            ("pythondata_cpu_ibex/system_verilog/rtl", "rtl"),
            ("pythondata_cpu_ibex/system_verilog/vendor", "vendor"),
        ],
    };
    /// VexRiscv (MIT) as it was generated with I, M, A and C.
    pub(super) const VEX: Self = Self {
        package: "pythondata-cpu-vexriscv==1.0.1.post407 \
    --hash=sha256:8fbdd9ee58ab2300343846e12a70e8f8f882eced13456c359a6b65a442ce0fbc",
        parts: &[("pythondata_cpu_vexriscv/verilog/VexRiscv_IMAC.v", VEX_FILE)],
    };

    /// Puts the parts into `root`, once.
    ///
    /// # Errors
    /// When they cannot be had.
    pub(super) fn bring(&self, project: &Project, root: &Path) -> Result<(), Error> {
        let recipe = format!("{RECIPE} {}", self.package);
        let bring = |meanwhile: &Path, new: &Path| self.fetch(project, meanwhile, new);
        report::note(&bring::once(root, &recipe, bring)?);
        Ok(())
    }

    fn fetch(&self, project: &Project, meanwhile: &Path, root: &Path) -> Result<String, Error> {
        let name = self.package.split_whitespace().next().unwrap_or_default();
        create(meanwhile)?;
        report::brings(&format!("{name} from PyPI: sources of a core, 10 MB"));
        let own = python::environment(project, &meanwhile.join("venv"))?;
        let list = meanwhile.join("requirements.txt");
        bring::write(&list, &format!("{}\n", self.package))?;
        let python = || Tool::new(project, own.as_os_str(), python::REMEDY);
        let download = "-m pip --quiet --disable-pip-version-check download --no-deps \
                        --only-binary :all: --require-hashes --dest";
        python().args(download).arg(meanwhile).arg("-r").arg(&list).run_quietly()?;
        let wheel = only_wheel(meanwhile)?;
        let unpacked = meanwhile.join("unpacked");
        python().args("-m zipfile -e").arg(wheel).arg(&unpacked).run_quietly()?;
        for (from, to) in self.parts {
            let from = unpacked.join(from);
            std::fs::rename(&from, root.join(to)).map_err(|source| Error::File {
                action: "take sources from",
                path: from,
                source,
            })?;
        }
        Ok(format!("{name} from PyPI"))
    }
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
