//! Which files the card is made of, and what its lint leaves out.

use std::fmt;

use serde_json::{Value, json};

use super::tools::Tools;
use super::{CARD, PACKAGES};
use crate::error::Error;
use crate::project::Project;

/// Where the modules are, and the waivers.
const MODULES: &str = "rtl-sim/rtl";
const WAIVERS: [&str; 3] =
    ["rtl-sim/lint/verilator.vlt", "rtl-sim/lint/datapath.vlt", "rtl-sim/lint/fpga.vlt"];
/// Modules that need a core's sources.
const WITH_CORE: [&str; 5] = ["core", "core_ibex", "core_vex", "prim_buf", "flue_card"];

/// Arguments to slang for our own modules, without those around a core.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn own(project: &Project) -> Result<Vec<String>, Error> {
    let mut files: Vec<String> = PACKAGES.lines().map(String::from).collect();
    let is_own = |path: &String| {
        let name = path.rsplit('/').next().and_then(|name| name.strip_suffix(".sv"));
        name.is_some_and(|name| !WITH_CORE.contains(&name) && !name.ends_with("_pkg"))
    };
    files.extend(project.modules(MODULES)?.into_iter().filter(is_own));
    Ok(files)
}

/// The same for the whole card with Ibex in it.
///
/// # Errors
/// When a folder or the list of Ibex's modules cannot be read.
pub(super) fn whole(project: &Project, tools: &Tools) -> Result<Vec<String>, Error> {
    let mut files: Vec<String> = vec!["-DDV_FCOV_DISABLE".into()];
    files.extend(tools.ibex_macros().map(|folder| format!("-I{}", folder.display())));
    files.extend(tools.ibex_modules(project)?.iter().map(|file| file.display().to_string()));
    files.extend(own(project)?);
    files.extend(["core", "core_ibex", "prim_buf"].map(|name| format!("{MODULES}/{name}.sv")));
    files.push(CARD.into());
    Ok(files)
}

/// What the lint leaves out.
#[derive(Debug, Default)]
pub(super) struct Waivers {
    count: usize,
    /// Those without a reason above them.
    bare: Vec<String>,
}

impl Waivers {
    /// Reads them. A reason is a comment above a group of waivers.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn of(project: &Project) -> Result<Self, Error> {
        let mut waivers = Self::default();
        for path in WAIVERS {
            waivers.take(path, &project.read(path)?);
        }
        Ok(waivers)
    }

    fn take(&mut self, path: &str, text: &str) {
        let mut has_reason = false;
        for (number, line) in (1..).zip(text.lines()) {
            match line.trim() {
                "" => has_reason = false,
                line if line.starts_with("//") => has_reason = true,
                line if line.starts_with("lint_off") => {
                    self.count += 1;
                    if !has_reason {
                        self.bare.push(format!("{path}:{number}: a waiver without a reason"));
                    }
                }
                _ => {}
            }
        }
    }

    pub(super) fn missed(&self) -> Vec<String> {
        self.bare.clone()
    }

    pub(super) fn value(&self) -> Value {
        json!({ "count": self.count, "without_reason": self.bare })
    }
}

impl fmt::Display for Waivers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, bare) = (self.count, self.bare.len());
        write!(f, "{count} waivers, of which {bare} have no reason beside them.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiver_without_a_reason_above_it_is_found() {
        let mut waivers = Waivers::default();
        waivers.take("a.vlt", "// Why.\nlint_off a\nlint_off b\n\nlint_off c\n");
        assert_eq!(
            (waivers.count, waivers.missed()),
            (3, vec!["a.vlt:5: a waiver without a reason".to_owned()])
        );
    }
}
