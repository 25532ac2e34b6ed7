//! The real road, in a virtual machine: `flue` drives a card through the kernel's own VFIO.
//!
//! The card is the model, served by `flue serve` to QEMU as a PCIe device; kernel, IOMMU,
//! `/dev/vfio` and interrupts are what a machine with a real card has. From `tools` to a first
//! root file system (`initramfs`, `cpio`), to machines (`boot`, `qemu`, `machine`), to results. What is checked is in `guest`. Nothing is installed, and nothing needs root or KVM.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

pub(crate) mod boot;
mod children;
mod claims;
mod cpio;
mod initramfs;
mod machine;
mod qemu;
pub(crate) mod tools;
pub(crate) mod wire;

use crate::bounded::Running;
use crate::bring;
use crate::error::Error;
use crate::firmware;
use crate::guest::Case;
use crate::project::Project;
use crate::report;
use crate::suite::PROFILE;
use crate::tool::Tool;
use boot::{Boot, Serves};
use claims::Claims;
use machine::{Booted, Host};
use tools::Tools;

/// The suite on the model takes at most this long, either way.
const CONFORMANCE: Duration = Duration::from_secs(120);
/// Name of the case whose claims are compared with the model's.
pub(crate) const CONFORMANCE_CASE: &str = "conformance";

/// What `cargo xtask vm --help` says at its end.
pub(crate) const HELP: &str = "\
What it does: brings QEMU (at least 10.1, with vfio-user-pci) and a Debian kernel into
target/tools/vm, once, about 65 MB to fetch; builds flue; starts `flue serve` and boots a machine
whose PCIe device is that card; runs the cases in it; compares the conformance suite's claims with
those of the model. Nothing is installed; neither root nor KVM is needed.

`cargo xtask vm rtl` serves the card in SystemVerilog instead, simulated; it needs `cargo xtask rtl setup`
and is never run unless it is named.

Logs: target/vm/BOOT: console.log (the guest, each command with its output), qemu.log (command
line, messages, what the guest said), card0.log (the server), boot.sh (boots it again).

Environment:
  FLUE_MIRROR   address of a Debian mirror, where /etc/apt names none
  FLUE_QEMU     a QEMU of one's own instead of the one that is brought
  FLUE_KERNEL   a folder with boot/vmlinuz-* and lib/modules of one's own; `/` for the machine's
  FLUE_BUSYBOX  a static busybox of one's own";

/// Prints the boots and their cases.
pub(crate) fn list() {
    for boot in boot::BOOTS {
        println!("{}: {}", boot.name, boot.machine);
        for case in boot.cases {
            println!("  {:<18} {}", case.name, case.claim);
        }
    }
}

/// Everything there is, as a step of the suite.
///
/// # Errors
/// As [`run`].
pub(crate) fn all(project: &Project) -> Result<(), Error> {
    run(project, &[], false)
}

/// Runs the cases named, or all.
///
/// # Errors
/// When something cannot be brought, built or started, or when a case fails.
pub(crate) fn run(project: &Project, names: &[String], keep: bool) -> Result<(), Error> {
    let chosen = boot::chosen(names).map_err(Error::UnknownCase)?;
    let folder = project.target.join("vm");
    let _alone = bring::alone(&folder, "cargo xtask vm")?;
    let tools = Tools::bring(project)?;
    let is_rtl = |(boot, _): &(&Boot, _)| boot.serves == Serves::Rtl;
    let (simulated, modelled): (Vec<_>, Vec<_>) = chosen.into_iter().partition(is_rtl);
    if !modelled.is_empty() {
        on_cards(project, &tools, &modelled, None, keep)?;
    }
    if simulated.is_empty() {
        return Ok(());
    }
    on_cards(project, &tools, &simulated, Some(firmware::image(project)?), keep)
}

/// Runs cases with servers of one sort: with an image, of simulated cards.
fn on_cards(
    project: &Project,
    tools: &Tools,
    chosen: &[(&'static Boot, Vec<&'static Case>)],
    image: Option<PathBuf>,
    keep: bool,
) -> Result<(), Error> {
    let folder = project.target.join("vm");
    let build = Tool::cargo(project).args("build --quiet --package flue --profile").arg(PROFILE);
    let features = if image.is_some() { "--features rtl" } else { "" };
    build.args(features).run()?;
    let flue = project.target.join(PROFILE).join("flue");
    let initramfs = folder.join("initramfs.cpio");
    let this = std::env::current_exe().map_err(|source| Error::File {
        action: "find",
        path: "this program".into(),
        source,
    })?;
    initramfs::write(project, tools, &[("flue", &flue), ("xtask", &this)], &initramfs)?;
    let host = Host { project, tools, flue, image, initramfs: initramfs.clone() };
    let result = boots(&host, chosen);
    if keep {
        report::note(&format!("kept {}; boot with target/vm/BOOT/boot.sh", initramfs.display()));
    } else {
        std::fs::remove_file(&initramfs).ok();
    }
    result
}

fn boots(host: &Host<'_>, chosen: &[(&'static Boot, Vec<&'static Case>)]) -> Result<(), Error> {
    let (mut failed, mut of) = (0, 0);
    for (boot, cases) in chosen {
        let limit = boot.limit.as_secs();
        report::note(&format!("boot {}: {} (at most {limit} s)", boot.name, boot.machine));
        let booted = host.boot(boot, cases)?;
        let compares = cases.iter().any(|case| case.name == CONFORMANCE_CASE);
        let wrong = if compares { compare(host, &booted)? } else { Vec::new() };
        of += cases.len() + usize::from(compares);
        failed += summarize(host, boot, cases, &booted, wrong);
    }
    if failed == 0 { Ok(()) } else { Err(Error::Cases { failed, of }) }
}

/// Says how a boot went; gives the number of cases that did not hold.
fn summarize(
    host: &Host<'_>,
    boot: &'static Boot,
    cases: &[&'static Case],
    booted: &Booted,
    wrong: Vec<String>,
) -> usize {
    let held = booted.cases.iter().filter(|ended| ended.why.is_none()).count();
    let not_run: Vec<_> = cases
        .iter()
        .filter(|case| booted.cases.iter().all(|ended| ended.case.name != case.name))
        .map(|case| case.name)
        .collect();
    let took = booted.took.as_secs_f64();
    report::note(&format!("boot {}: {held} of {} held, {took:.1} s", boot.name, cases.len()));
    if !not_run.is_empty() {
        report::note(&format!("not run: {}", not_run.join(", ")));
    }
    for trouble in booted.trouble.iter().chain(&wrong) {
        trouble.lines().for_each(report::note);
    }
    let failed = cases.len() - held + usize::from(!wrong.is_empty());
    // Trouble without a case that failed is a failure too.
    let failed = failed.max(usize::from(!booted.trouble.is_empty()));
    if failed > 0 {
        report::note(&format!("logs: {}", host.logs(boot).display()));
    }
    failed
}

/// The suite on the model, both ways, beside the guest's; gives what is wrong.
fn compare(host: &Host<'_>, booted: &Booted) -> Result<Vec<String>, Error> {
    let guest = booted.cases.iter().find(|ended| ended.case.name == CONFORMANCE_CASE);
    let took = guest.map_or(Duration::ZERO, |ended| ended.took);
    let runs = [
        on_host(host, "model, free-running", &[])?,
        on_host(host, "model, timed", &["--timed"])?,
        Claims::read("guest, through VFIO", booted.claims.iter().map(String::as_str), took),
    ];
    report::note(Claims::HEAD);
    runs.iter().for_each(|run| report::note(&run.line()));
    Ok(Claims::compare(&runs))
}

fn on_host(host: &Host<'_>, by: &str, arguments: &[&str]) -> Result<Claims, Error> {
    let mut command = Command::new(&host.flue);
    command.args(["conformance", "--json"]).args(arguments);
    let start = Instant::now();
    let ended = Running::start(command).and_then(|running| running.wait(CONFORMANCE));
    let ended = ended.map_err(|source| Error::Start {
        program: host.flue.display().to_string(),
        remedy: "build it with `cargo build --package flue`",
        source,
    })?;
    if ended.is_late {
        return Err(Error::Failed { command: ended.shown.clone(), status: ended.how() });
    }
    ended.err.lines().for_each(report::note);
    Ok(Claims::read(by, ended.out.lines(), start.elapsed()))
}
