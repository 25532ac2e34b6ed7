//! Rules of the house that neither the compiler nor clippy knows, checked by reading the source.
//!
//! Looks at text, line by line, comments apart; so a rule is something that can be seen in a line.
//! The list of files that may hold unsafe code is read from ARCHITECTURE.md and nowhere else.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::error::Error;
use crate::project::{CRATES, Project, folder};
use crate::report;

/// Longest source file, in lines.
const FILE_LINES: usize = 500;
/// An ordering's comment stands at most this many lines above it.
const COMMENT_REACH: usize = 8;
/// This file.
const RULES: &str = "xtask/src/rules.rs";
const ARCHITECTURE: &str = "ARCHITECTURE.md";
/// Heading of the list of files that may hold unsafe code.
const UNSAFE_HEADING: &str = "## Where unsafe may live";
const UNSAFE: [&str; 5] = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe trait"];
const ORDERINGS: [&str; 5] = [
    "Ordering::Relaxed",
    "Ordering::Acquire",
    "Ordering::Release",
    "Ordering::AcqRel",
    "Ordering::SeqCst",
];
/// Firmware shares words through its `Hal` alone, which has 32-bit loads and stores only.
const NOT_IN_FIRMWARE: [&str; 3] = ["sync::atomic", "extern crate alloc", "extern crate std"];
/// What declares a table of the contract, at the start of a line in `abi`.
const DECLARES: [&str; 5] = ["registers! {", "limits! {", "codes! {", "descriptor! {", "words! {"];
const UNFINISHED: [&str; 4] = ["TODO", "FIXME", "todo!(", "unimplemented!("];
/// Crates that only their callers may print for.
const LIBRARIES: [&str; 5] = ["abi/", "host-driver/", "firmware/", "hw-model/", "rtl-sim/src/"];
const PRINTS: [&str; 4] = ["println!(", "print!(", "dbg!(", "eprint!("];
/// Which crate may name which: the arrows of the design, and no others.
const ARROWS: [(&str, &[&str]); 10] = [
    ("abi", &[]),
    ("host-driver", &["abi"]),
    ("firmware", &["abi"]),
    ("firmware-image", &["abi", "firmware"]),
    ("rv32", &[]),
    ("hw-model", &["abi", "firmware", "host-driver", "rv32"]),
    ("rtl-sim", &["abi", "host-driver", "hw-model"]),
    ("flue", &["abi", "host-driver", "firmware", "rv32", "hw-model", "rtl-sim"]),
    ("benches", &["abi", "host-driver", "firmware", "rv32", "hw-model", "flue"]),
    ("xtask", &["abi", "rv32"]),
];

/// Checks every rule and names every place that breaks one.
///
/// # Errors
/// [`Error::Rules`] with the number of places.
pub(crate) fn check(project: &Project) -> Result<(), Error> {
    let allowed = unsafe_files(project)?;
    let mut broken = Vec::new();
    let mut declared = 0;
    // A crate in another's folder is read with that one.
    let folders = CRATES.iter().filter(|name| folder(name) == **name).chain(&["fuzz/fuzz_targets"]);
    for files in folders.map(|folder| project.sources(folder)) {
        for path in files? {
            let source = Source { text: project.read(&path)?, path };
            source.check(allowed.contains(&source.path), &mut broken);
            declared += source.tables();
        }
    }
    let printed = abi::tables::TABLES.len();
    if declared != printed {
        broken.push(format!(
            "abi/src/tables.rs names {printed} tables and `abi` has {declared}: what is not named is \
             neither printed nor hashed"
        ));
    }
    for (package, arrows) in ARROWS {
        check_arrows(
            package,
            arrows,
            &project.read(&format!("{}/Cargo.toml", folder(package)))?,
            &mut broken,
        );
    }
    broken.iter().for_each(|line| report::note(line));
    if broken.is_empty() { Ok(()) } else { Err(Error::Rules(broken.len())) }
}

struct Source {
    path: String,
    text: String,
}

impl Source {
    fn check(&self, may_be_unsafe: bool, broken: &mut Vec<String>) {
        if !self.text.starts_with("//") && !self.text.starts_with("#!") {
            broken.push(self.at(0, "opens without a module header"));
        }
        let lines: Vec<&str> = self.text.lines().collect();
        if lines.len() > FILE_LINES && self.is_product() {
            broken.push(
                self.at(FILE_LINES, "is longer than 500 lines: split it at an arrow of the flow"),
            );
        }
        let is_unsafe = lines.iter().any(|line| has(code(line), &UNSAFE));
        if may_be_unsafe && !is_unsafe {
            broken.push(
                self.at(0, "stands in ARCHITECTURE.md as unsafe and is not: take it off the list"),
            );
        }
        let end = lines.iter().position(|line| *line == "#[cfg(test)]").unwrap_or(lines.len());
        if self.path == RULES {
            return; // It spells the words that it looks for.
        }
        for (i, line) in lines.iter().enumerate() {
            let product = i < end && self.is_product();
            if let Some(rule) = self.broken_rule(code(line), may_be_unsafe, product) {
                broken.push(self.at(i, rule));
            } else if has(line, &UNFINISHED) {
                broken.push(self.at(i, "is not finished"));
            } else if product && has(code(line), &ORDERINGS) && !has_reason(&lines, i) {
                broken.push(
                    self.at(i, "uses an ordering without an `// ORDERING:` comment above it"),
                );
            }
        }
    }

    fn broken_rule(&self, code: &str, may_be_unsafe: bool, product: bool) -> Option<&'static str> {
        let is_library = LIBRARIES.iter().any(|library| self.path.starts_with(library));
        if !may_be_unsafe && has(code, &UNSAFE) {
            Some("is unsafe, and the file is not on ARCHITECTURE.md's list")
        } else if product && self.path.starts_with("firmware/") && has(code, &NOT_IN_FIRMWARE) {
            Some("is not for firmware: it shares words through `Hal` only and allocates nothing")
        } else if product && is_library && has(code, &PRINTS) {
            Some("prints; a library returns, or counts")
        } else {
            None
        }
    }

    /// Tables of the contract that it declares.
    fn tables(&self) -> usize {
        let is_contract = self.path.starts_with("abi/src/");
        let declares = |line: &&str| DECLARES.iter().any(|word| line.starts_with(word));
        self.text.lines().filter(|line| is_contract && declares(line)).count()
    }

    /// Whether it is shipped; `tests.rs` is a module's tests in a file of their own.
    fn is_product(&self) -> bool {
        self.path.contains("/src/") && !self.path.ends_with("/tests.rs")
    }

    fn at(&self, line: usize, rule: &str) -> String {
        format!("{}:{} {rule}", self.path, line + 1)
    }
}

fn has(line: &str, any: &[&str]) -> bool {
    any.iter().any(|word| line.contains(word))
}

/// The line without its comment. A `//` inside a string cuts too early, which only hides text.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// Whether a reason stands on the line or close above; several orderings can share one.
fn has_reason(lines: &[&str], line: usize) -> bool {
    lines[line.saturating_sub(COMMENT_REACH)..=line]
        .iter()
        .any(|line| line.contains("// ORDERING:"))
}

fn unsafe_files(project: &Project) -> Result<BTreeSet<String>, Error> {
    let text = project.read(ARCHITECTURE)?;
    let list = text
        .split(UNSAFE_HEADING)
        .nth(1)
        .map(|rest| rest.split("\n## ").next().unwrap_or_default());
    let path = || PathBuf::from(ARCHITECTURE);
    let expected = "expected the heading `## Where unsafe may live` and below it one line `- `path`: why` a file";
    let list = list.ok_or(Error::Content { path: path(), expected })?;
    let files: BTreeSet<_> = list.lines().filter_map(listed).map(String::from).collect();
    let missing = files.iter().any(|file| !project.root.join(file).is_file());
    let expected = "a file on the list of unsafe files does not exist: take it off";
    if missing { Err(Error::Content { path: path(), expected }) } else { Ok(files) }
}

fn listed(line: &str) -> Option<&str> {
    line.strip_prefix("- `")?.split('`').next()
}

fn check_arrows(package: &str, arrows: &[&str], manifest: &str, broken: &mut Vec<String>) {
    for (i, line) in manifest.lines().enumerate() {
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        if CRATES.contains(&name) && !arrows.contains(&name) {
            let folder = folder(package);
            broken
                .push(format!("{folder}/Cargo.toml:{} `{package}` must not know `{name}`", i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<String> {
        let mut broken = Vec::new();
        Source { path: path.into(), text: text.into() }.check(false, &mut broken);
        broken
    }

    #[test]
    fn an_ordering_needs_its_reason_in_the_product_only() {
        let bare = "//! Head.\nx.load(Ordering::Acquire)\n";
        assert_eq!(broken("flue/src/a.rs", bare).len(), 1);
        assert_eq!(broken("flue/tests/a.rs", bare).len(), 0);
        assert_eq!(broken("flue/src/a/tests.rs", bare).len(), 0);
        let told = "//! Head.\n// ORDERING: Acquire. Pairs with `b`.\nx.load(Ordering::Acquire)\n";
        assert_eq!(broken("flue/src/a.rs", told).len(), 0);
        let test = "//! Head.\n#[cfg(test)]\nx.load(Ordering::Acquire)\n";
        assert_eq!(broken("flue/src/a.rs", test).len(), 0);
    }

    #[test]
    fn unsafe_code_needs_a_place_on_the_list() {
        assert_eq!(broken("flue/src/a.rs", "//! Head.\nunsafe { x }\n").len(), 1);
        assert_eq!(broken("flue/src/a.rs", "//! Head.\n// unsafe { x }\n").len(), 0);
    }

    #[test]
    fn tables_of_the_contract_are_counted() {
        let tables = |path: &str, text: &str| {
            Source { path: path.to_string(), text: text.to_string() }.tables()
        };
        let two = "//! Head.\nwords! {\n    a: 1 {\n}\ncodes! {\n// codes! {\n";
        assert_eq!((tables("abi/src/core/a.rs", two), tables("firmware/src/a.rs", two)), (2, 0));
    }

    #[test]
    fn firmware_knows_no_atomics() {
        assert_eq!(
            broken("firmware/src/a.rs", "//! Head.\nuse core::sync::atomic::AtomicU32;\n").len(),
            1
        );
        assert_eq!(
            broken("firmware/image/src/a.rs", "//! Head.\nuse core::sync::atomic::fence;\n").len(),
            1
        );
        assert_eq!(
            broken("hw-model/src/a.rs", "//! Head.\nuse core::sync::atomic::AtomicU32;\n").len(),
            0
        );
    }

    #[test]
    fn a_crate_in_anothers_folder_keeps_the_rules() {
        let prints = "//! Head.\nprintln!(\"x\");\n";
        assert_eq!(broken("hw-model/rv32/src/a.rs", prints).len(), 1);
        assert_eq!(broken("firmware/image/src/a.rs", prints).len(), 1);
    }

    #[test]
    fn a_crate_names_only_what_its_arrows_allow() {
        let mut broken = Vec::new();
        check_arrows("firmware", &["abi"], "[dependencies]\nabi.workspace = true\n", &mut broken);
        assert_eq!(broken.len(), 0);
        check_arrows(
            "firmware",
            &["abi"],
            "[dev-dependencies]\nhost-driver.workspace = true\n",
            &mut broken,
        );
        assert_eq!(broken.len(), 1);
        check_arrows("rv32", &[], "[dependencies]\nabi.workspace = true\n", &mut broken);
        assert!(broken[1].starts_with("hw-model/rv32/Cargo.toml:2 "), "{broken:?}");
    }
}
