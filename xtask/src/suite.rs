//! The steps there are, in the order in which they are run: cheap ones first.
//!
//! Tests are found by their file names: `tests/loom*.rs` runs under loom, `tests/stress*.rs` also
//! under ThreadSanitizer, all others also under AddressSanitizer. What runs without a tool of its
//! own is built once, optimized and with debug assertions, and shared by the steps.

use std::collections::BTreeSet;

use crate::contract;
use crate::error::Error;
use crate::firmware;
use crate::fuzz;
use crate::project::{CRATES, Project};
use crate::rtl;
use crate::rules;
use crate::sanitize;
use crate::step::Step;
use crate::tool::Tool;
use crate::vm;

/// Optimized, with debug assertions and overflow checks: for tests that take long.
pub(crate) const PROFILE: &str = "checked";

/// Tells the stress tests how many reads make a run; without it they take what CI asks for.
pub(crate) const STRESS_READS: &str = "FLUE_STRESS_READS";
/// Reads under ThreadSanitizer, which is slow and needs few to see a race.
pub(crate) const FEW_READS: &str = "5000000";

/// Tests that need the firmware's image (`FLUE_FIRMWARE`) or a program that runs it elsewhere
/// (`FLUE_IMAGE_RUNNER`): one call of `cargo test` each.
pub(crate) const IMAGE_TESTS: &[&str] = &[
    "--package hw-model --features image --test riscv_image --test riscv_bare --test riscv_counts \
     --test riscv_costs --test riscv_faults --test riscv_lockstep \
     --test riscv_conformance_timed --test riscv_conformance_free_running",
    "--package flue --features image --test riscv",
];

/// Seconds that `cargo xtask test` gives each fuzz target.
const FUZZ_SECONDS: u32 = 8;

/// Every step, in order.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "format", claim: "every file is formatted", before_push: true, run: format },
    Step {
        name: "abi",
        claim: "the printed contract is what the crate says, and compiles",
        before_push: true,
        run: contract::holds,
    },
    Step {
        name: "rules",
        claim: "the source keeps the rules of ARCHITECTURE.md",
        before_push: true,
        run: rules::check,
    },
    Step { name: "lint", claim: "clippy has nothing to say", before_push: true, run: lint },
    Step {
        name: "firmware",
        claim: "the firmware fits the card's core, and no panic is in it",
        before_push: true,
        run: firmware::check,
    },
    Step {
        name: "unit",
        claim: "all tests that need Rust only pass, 10^8 reads under relinks among them",
        before_push: true,
        run: unit,
    },
    Step {
        name: "doc",
        claim: "the documentation builds without a warning",
        before_push: false,
        run: doc,
    },
    Step {
        name: "loom",
        claim: "every lock-free protocol holds in every interleaving",
        before_push: true,
        run: loom,
    },
    Step {
        name: "thread",
        claim: "no data race under ThreadSanitizer",
        before_push: false,
        run: sanitize::thread,
    },
    Step {
        name: "address",
        claim: "no bad access under AddressSanitizer",
        before_push: false,
        run: sanitize::address,
    },
    Step {
        name: "fuzz",
        claim: "hostile bytes hurt nobody, for a while",
        before_push: false,
        run: fuzz_briefly,
    },
    Step {
        name: "smoke",
        claim: "the main job holds its promises, both modes",
        before_push: false,
        run: smoke,
    },
    Step {
        name: "riscv",
        claim: "the image does on a simulated core and on QEMU what the library does",
        before_push: false,
        run: firmware::test,
    },
    Step {
        name: "rtl",
        claim: "the card in SystemVerilog keeps every claim, on two cores and behind two wrappers",
        before_push: false,
        run: |project| rtl::run(project, &rtl::Job::Test { long: false }),
    },
    Step {
        name: "buses",
        claim: "bus models of others find that card, and each of its modules, as they should be",
        before_push: false,
        run: |project| rtl::run(project, &rtl::Job::Buses),
    },
    Step {
        name: "proofs",
        claim: "what is proved of its modules holds, and fails on every seeded bug",
        before_push: false,
        run: rtl::proofs,
    },
    Step {
        name: "vm",
        claim: "a card is driven through the kernel's VFIO, in a virtual machine",
        before_push: false,
        run: vm::all,
    },
];

/// The steps with these names, in the project's order.
///
/// # Errors
/// [`Error::UnknownStep`] for a name that is none.
pub(crate) fn named(names: &[String]) -> Result<Vec<&'static Step>, Error> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        return Err(Error::UnknownStep(unknown.clone()));
    }
    Ok(STEPS.iter().filter(|step| names.iter().any(|name| name == step.name)).collect())
}

fn format(project: &Project) -> Result<(), Error> {
    let remedy = "bring rustfmt with `rustup component add rustfmt`";
    Tool::cargo(project).args("fmt --version").or_else(remedy).probe()?;
    Tool::cargo(project).args("fmt --all --check").run()?;
    for manifest in ["fuzz/Cargo.toml", firmware::MANIFEST] {
        Tool::cargo(project).args("fmt --check --manifest-path").arg(manifest).run()?;
    }
    Ok(())
}

fn lint(project: &Project) -> Result<(), Error> {
    let remedy = "bring clippy with `rustup component add clippy`";
    Tool::cargo(project).args("clippy --version").or_else(remedy).probe()?;
    let tests = "--all-targets --features hw-model/image,flue/image";
    let clippy = Tool::cargo(project).args("clippy --quiet --workspace").args(tests);
    clippy.args("-- --deny warnings").run()
}

fn unit(project: &Project) -> Result<(), Error> {
    let cargo = Tool::cargo(project).args("test --quiet --workspace --no-fail-fast --profile");
    cargo.arg(PROFILE).run()?;
    let cargo = Tool::cargo(project).args("test --quiet --package benches --benches --profile");
    cargo.arg(PROFILE).run()
}

fn doc(project: &Project) -> Result<(), Error> {
    let doc = "doc --quiet --workspace --no-deps --document-private-items";
    Tool::cargo(project).args(doc).env("RUSTDOCFLAGS", "--deny warnings").run()
}

fn loom(project: &Project) -> Result<(), Error> {
    let tests = Tests::of(project, &CRATES, is_loom)?;
    tests
        .on(Tool::cargo(project).args("test --quiet --profile").arg(PROFILE))
        .env("RUSTFLAGS", "--cfg loom")
        .env("CARGO_TARGET_DIR", project.target.join("loom"))
        .run()
}

/// Runs the stress tests ten times as long as the step `unit` does.
///
/// # Errors
/// When one fails, or none is there.
pub(crate) fn long_stress(project: &Project) -> Result<(), Error> {
    let tests = Tests::of(project, &CRATES, is_stress)?;
    let cargo = tests.on(Tool::cargo(project).args("test --profile").arg(PROFILE));
    cargo.args("-- --nocapture").env(STRESS_READS, "1000000000").run()
}

fn fuzz_briefly(project: &Project) -> Result<(), Error> {
    fuzz::run(project, &[], FUZZ_SECONDS)
}

/// As a user calls it: by `cargo run`, without saying which program.
fn smoke(project: &Project) -> Result<(), Error> {
    for line in [
        "failover --paths 20000 --mode list --json",
        "failover --paths 20000 --mode all --json",
        "failover --paths 2000 --mode list --timed --seed 1 --json",
        "failover --paths 2000 --mode all --timed --seed 1 --json",
    ] {
        Tool::cargo(project)
            .args("run --quiet --profile")
            .arg(PROFILE)
            .arg("--")
            .args(line)
            .run()?;
    }
    Ok(())
}

/// Whether a test file runs under loom.
pub(crate) fn is_loom(name: &str) -> bool {
    name.starts_with("loom")
}

/// Whether a test file is a stress test.
pub(crate) fn is_stress(name: &str) -> bool {
    name.starts_with("stress")
}

/// Whether a test file is neither, and so runs anywhere.
pub(crate) fn is_plain(name: &str) -> bool {
    !is_loom(name) && !is_stress(name)
}

/// Test files of some crates, for one call of cargo: what they have in common is built once.
#[derive(Debug, Default)]
pub(crate) struct Tests {
    packages: Vec<&'static str>,
    names: BTreeSet<String>,
}

impl Tests {
    /// Those of `packages` whose names `wanted` takes.
    ///
    /// # Errors
    /// When there are none: something that should be tested is not.
    pub(crate) fn of(
        project: &Project,
        packages: &[&'static str],
        wanted: fn(&str) -> bool,
    ) -> Result<Self, Error> {
        let mut tests = Self::default();
        for package in packages {
            let names = project.tests(package, wanted)?;
            if !names.is_empty() {
                tests.packages.push(package);
                tests.names.extend(names);
            }
        }
        let expected =
            "expected test files of this sort in the crates' folders `tests`, found none";
        if tests.packages.is_empty() {
            return Err(Error::Content { path: project.root.clone(), expected });
        }
        Ok(tests)
    }

    /// Names them on a cargo command line.
    pub(crate) fn on(&self, cargo: Tool) -> Tool {
        let cargo =
            self.packages.iter().fold(cargo, |cargo, name| cargo.arg("--package").arg(name));
        self.names.iter().fold(cargo, |cargo, name| cargo.arg("--test").arg(name))
    }
}
