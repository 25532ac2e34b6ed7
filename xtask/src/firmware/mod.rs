//! The firmware as an image for the card's core: built, measured, and refused when it breaks a rule.
//!
//! From `firmware/image` to `target/firmware/*.elf`. The core library comes from wherever this
//! machine has it (`core_library`, `sources`); the ELF file is read (`image`), its functions are
//! followed (`code`, `value`, `calls`) and held against the limits (`audit`). Before that audit is
//! believed by the suite, it has to find flaws that were seeded for it (`canary`).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

mod audit;
mod calls;
mod canary;
mod code;
mod core_library;
mod image;
pub(crate) mod qemu;
mod sources;
mod value;

use crate::bring;
use crate::error::Error;
use crate::project::Project;
use crate::report;
use crate::suite::{IMAGE_TESTS, PROFILE};
use crate::tool::Tool;
use audit::Audit;
use core_library::Core;
use image::Image;

/// The image's package: a workspace of its own.
pub(crate) const MANIFEST: &str = "firmware/image/Cargo.toml";
/// The program that it builds.
const PROGRAM: &str = "flue-firmware";
/// Tells tests where the image is.
pub(crate) const FIRMWARE: &str = "FLUE_FIRMWARE";

/// What `cargo xtask firmware --help` says at its end.
pub(crate) const HELP: &str = "\
The core library for the target is the installed one (`rustup target add TARGET`). Where there is
none it is compiled from rustc's own sources, once, into target/tools: the component rust-src, an
archive beside the project (../shared/toolchain), or Debian's package, whichever there is.

Environment:
  FLUE_CORE_SRC  sources of one's own, before all else: the folder `library` of exactly this rustc,
                 or an archive (.tar.xz) of the files that are needed of it
  FLUE_MIRROR    address of a Debian mirror, where /etc/apt names none

`cargo xtask test firmware` also builds for the other processor and sees this audit find seeded
flaws. `cargo xtask test riscv` runs what needs the image, and QEMU for RISC-V: that of
FLUE_QEMU_RISCV, or of the machine, or one that is brought from Debian into target/tools.";

/// A processor that the image is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Target {
    /// What runs on the card.
    #[value(name = "riscv32imc-unknown-none-elf")]
    Imc,
    /// The same with atomics, which the image does not use.
    #[value(name = "riscv32imac-unknown-none-elf")]
    Imac,
}

impl Target {
    /// Every one.
    const ALL: [Self; 2] = [Self::Imc, Self::Imac];

    /// As rustc knows it.
    fn triple(self) -> &'static str {
        match self {
            Self::Imc => "riscv32imc-unknown-none-elf",
            Self::Imac => "riscv32imac-unknown-none-elf",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Imc => "flue-firmware.elf",
            Self::Imac => "flue-firmware-imac.elf",
        }
    }
}

/// Builds the image, checks it, and says what it takes.
///
/// # Errors
/// When it cannot be built, or breaks a rule.
pub(crate) fn run(project: &Project, target: Target, is_json: bool) -> Result<(), Error> {
    if is_json {
        report::leave_output_to_a_machine();
    }
    let _alone = bring::alone(&folder(project), "cargo xtask firmware")?;
    let core = Core::bring(project, target)?;
    let elf = build(project, target, &core)?;
    let audit = audit(&elf)?;
    if is_json {
        let mut object = audit.json();
        object["target"] = json!(target.triple());
        object["image"] = json!(elf);
        object["core_library"] = json!(core.origin);
        report::object(&object);
    } else {
        audit.lines().iter().for_each(|line| report::note(line));
    }
    verdict(audit)
}

/// The image for the card's core, built if need be.
///
/// # Errors
/// When it cannot be built.
pub(crate) fn image(project: &Project) -> Result<PathBuf, Error> {
    let _alone = bring::alone(&folder(project), "cargo xtask firmware")?;
    build(project, Target::Imc, &Core::bring(project, Target::Imc)?)
}

/// As a step of the suite: lints it, builds it for every target, and sees the audit find flaws.
///
/// # Errors
/// As [`run`], or when clippy has something to say, or when a seeded flaw is not found.
pub(crate) fn check(project: &Project) -> Result<(), Error> {
    let _alone = bring::alone(&folder(project), "cargo xtask firmware")?;
    for target in Target::ALL {
        let core = Core::bring(project, target)?;
        canary::flaws_are_found(project, target, &core)?;
        let clippy = cargo(project, "clippy --quiet --release --locked", target, &core);
        clippy.args("-- --deny warnings").run()?;
        let audit = audit(&build(project, target, &core)?)?;
        audit.lines().iter().for_each(|line| report::note(line));
        verdict(audit)?;
    }
    Ok(())
}

/// As a step of the suite: the tests that need the image, and a QEMU beside the simulator.
///
/// # Errors
/// When something cannot be brought or built, or when a test fails.
pub(crate) fn test(project: &Project) -> Result<(), Error> {
    let _alone = bring::alone(&folder(project), "cargo xtask firmware")?;
    let core = Core::bring(project, Target::Imc)?;
    let elf = build(project, Target::Imc, &core)?;
    let qemu = qemu::Qemu::bring(project)?;
    canary::qemu_is_understood(project, &core, &qemu)?;
    for line in IMAGE_TESTS {
        let cargo = Tool::cargo(project).args("test --quiet --profile").arg(PROFILE).args(line);
        cargo.env(FIRMWARE, &elf).env(qemu::RUNNER, &qemu.runner).run()?;
    }
    Ok(())
}

fn folder(project: &Project) -> PathBuf {
    project.target.join("firmware")
}

/// Builds the image for one target.
fn build(project: &Project, target: Target, core: &Core) -> Result<PathBuf, Error> {
    cargo(project, "build --quiet --release --locked", target, core).run()?;
    let built = folder(project).join("build").join(target.triple()).join("release").join(PROGRAM);
    let elf = folder(project).join(target.file());
    fs::copy(&built, &elf).map_err(|source| Error::File {
        action: "take the image from",
        path: built,
        source,
    })?;
    report::note(&format!("built {}", elf.display()));
    Ok(elf)
}

/// Cargo on the image's own workspace.
fn cargo(project: &Project, line: &str, target: Target, core: &Core) -> Tool {
    Tool::cargo(project)
        .args(line)
        .arg("--manifest-path")
        .arg(MANIFEST)
        .arg("--target")
        .arg(target.triple())
        .env("CARGO_TARGET_DIR", folder(project).join("build"))
        // Before all other sources of flags, so that an image is the same wherever it is built.
        .env("CARGO_ENCODED_RUSTFLAGS", core.flags().join("\u{1f}"))
}

fn audit(elf: &Path) -> Result<Audit, Error> {
    let bytes =
        fs::read(elf).map_err(|source| Error::File { action: "read", path: elf.into(), source })?;
    let image = Image::read(&bytes).map_err(|why| Error::Image { path: elf.into(), why })?;
    Ok(Audit::of(&image))
}

fn verdict(audit: Audit) -> Result<(), Error> {
    if audit.breaches.is_empty() { Ok(()) } else { Err(Error::Limits(audit.breaches.len())) }
}
