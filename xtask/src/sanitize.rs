//! ThreadSanitizer on the stress tests, AddressSanitizer on the libraries.
//!
//! With the stable toolchain, as design section 8 has it: the compiler is asked to take unstable
//! options, and the standard library stays as it is shipped, not instrumented. What follows from
//! that: a hand-over through a *contended* lock or channel of `std` is reported though it is
//! right, so stress tests share through atomics and join only, and the harness's own channel is
//! suppressed (`xtask/tsan.suppressions`). Atomics, reference counts, spawn and join are exact.
//! Before a sanitizer is believed it has to find a bug that was seeded for it (`xtask/canary`).

use crate::error::Error;
use crate::project::{CRATES, Project, create};
use crate::suite::{self, Tests};
use crate::tool::{TARGET, Tool};

/// Options that turn a sanitizer on, besides `-Zsanitizer=…`.
const OPTIONS: &str = "-Cunsafe-allow-abi-mismatch=sanitizer";
/// What is tested under AddressSanitizer. Not `rv32`: nothing in it, or below it, is unsafe.
const LIBRARIES: [&str; 4] = ["abi", "host-driver", "firmware", "hw-model"];
const RUNTIME: &str =
    "the toolchain must bring the sanitizers' runtime for x86-64 Linux, as those of rustup do";

/// Stress tests under ThreadSanitizer.
///
/// # Errors
/// When the seeded race is not found, when a test fails, or when a race is found.
pub(crate) fn thread(project: &Project) -> Result<(), Error> {
    seeded_bug_is_found(project, "thread", "race", "ThreadSanitizer: data race")?;
    let suppressions = project.root.join("xtask/tsan.suppressions");
    let tests = Tests::of(project, &CRATES, suite::is_stress)?;
    let options = format!("halt_on_error=1 suppressions={}", suppressions.display());
    let cargo = tests.on(sanitized(project, "thread")).env("TSAN_OPTIONS", options);
    cargo.env(suite::STRESS_READS, suite::FEW_READS).run()
}

/// The tests of the libraries under AddressSanitizer, leaks included.
///
/// # Errors
/// When the seeded use after free is not found, when a test fails, or when a bad access is found.
pub(crate) fn address(project: &Project) -> Result<(), Error> {
    const REPORT: &str = "AddressSanitizer: heap-use-after-free";
    seeded_bug_is_found(project, "address", "use_after_free", REPORT)?;
    let tests = Tests::of(project, &LIBRARIES, suite::is_plain)?;
    tests.on(sanitized(project, "address")).arg("--lib").run()
}

fn sanitized(project: &Project, sanitizer: &str) -> Tool {
    Tool::cargo(project)
        .args("test --quiet --profile")
        .arg(suite::PROFILE)
        .args("--target")
        .arg(TARGET)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", format!("-Zsanitizer={sanitizer} {OPTIONS}"))
        .env("CARGO_TARGET_DIR", project.target.join(sanitizer))
}

/// Compiles and runs a program with a known bug; the sanitizer has to say `report`.
fn seeded_bug_is_found(
    project: &Project,
    sanitizer: &'static str,
    canary: &str,
    report: &str,
) -> Result<(), Error> {
    let folder = project.target.join(sanitizer);
    create(&folder)?;
    let (source, program) = (format!("xtask/canary/{canary}.rs"), folder.join(canary));
    Tool::rustc(project)
        .args("--edition 2024 -O")
        .arg(&source)
        .arg("-o")
        .arg(&program)
        .arg(format!("-Zsanitizer={sanitizer}"))
        .arg(OPTIONS)
        .env("RUSTC_BOOTSTRAP", "1")
        .or_else(RUNTIME)
        .run()?;
    let output = Tool::new(project, program.as_os_str(), RUNTIME).capture()?;
    if String::from_utf8_lossy(&output.stderr).contains(report) && !output.status.success() {
        crate::report::note(&format!("found the bug seeded in {source}"));
        Ok(())
    } else {
        Err(Error::Blind { sanitizer, canary: source })
    }
}
