//! Flaws that are seeded for the audit to find, and a run on QEMU that has to be understood.
//!
//! For the suite: what never finds anything proves nothing. Each flaw is a small image
//! (`xtask/canary/firmware.rs`) that has it and no other; the same image without one has to pass.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Duration;

use super::audit::{Audit, Rule};
use super::code::Flaw;
use super::core_library::Core;
use super::qemu::{Ending, Qemu};
use super::{Target, audit, folder};
use crate::error::Error;
use crate::project::{Project, create};
use crate::report;
use crate::tool::Tool;

const SOURCE: &str = "xtask/canary/firmware.rs";
const SCRIPT: &str = "xtask/canary/firmware.ld";
/// Every flaw, and the rule that the audit has to say it breaks.
const FLAWS: [(&str, Rule); 12] = [
    ("panic", Rule::Panic),
    ("recursion", Rule::Recursion),
    ("division", Rule::Division),
    ("soft_float", Rule::SoftFloat),
    ("atomic", Rule::Flaw(Flaw::Atomic)),
    ("float", Rule::Flaw(Flaw::Float)),
    ("illegal", Rule::Flaw(Flaw::Illegal)),
    ("indirect", Rule::Flaw(Flaw::Indirect)),
    ("stack", Rule::Flaw(Flaw::Stack)),
    ("frame", Rule::Stack),
    ("ram", Rule::Ram),
    ("code", Rule::Code),
];
/// Which word the canary is given on QEMU, and how its run has to end.
const RUNS: [(u32, Ending); 4] =
    [(0, Ending::Done), (1, Ending::Failed(1)), (7, Ending::Failed(7)), (u32::MAX, Ending::Late)];
/// From the start of the memory file to the word that is given.
const GIVEN: u64 = 0x2000_0000;
const MEMORY_BYTES: u64 = 2 << 30;
/// A run that ends does so in a tenth of a second, on a machine that has time for it.
const LIMIT: Duration = Duration::from_secs(60);
/// For the run that never ends.
const SHORT_LIMIT: Duration = Duration::from_secs(3);

/// The audit finds every flaw, and none where there is none.
///
/// # Errors
/// The first that it did not find.
pub(crate) fn flaws_are_found(project: &Project, target: Target, core: &Core) -> Result<(), Error> {
    let blind = |flaw: &str| Error::Blind {
        sanitizer: "the firmware's audit",
        canary: format!("{SOURCE} as `{flaw}`"),
    };
    let clean = audited(project, target, core, None)?;
    if let Some(breach) = clean.breaches.first() {
        report::note(&format!("the canary without a flaw: {}", breach.what));
        return Err(Error::Limits(clean.breaches.len()));
    }
    for (flaw, rule) in FLAWS {
        let audit = audited(project, target, core, Some(flaw))?;
        if !audit.breaks(rule) {
            audit.lines().iter().for_each(|line| report::note(line));
            return Err(blind(flaw));
        }
    }
    let names: Vec<_> = FLAWS.iter().map(|(flaw, _)| *flaw).collect();
    report::note(&format!("the audit found what was seeded in {SOURCE}: {}", names.join(", ")));
    Ok(())
}

/// What is written into QEMU's memory arrives, what the image writes comes back, and a run that
/// ends well, ends badly, or never ends is told from the others.
///
/// # Errors
/// When it is not so.
pub(crate) fn qemu_is_understood(project: &Project, core: &Core, qemu: &Qemu) -> Result<(), Error> {
    let elf = built(project, Target::Imc, core, None)?;
    let memory = folder(project).join("canary/memory");
    for (given, ending) in RUNS {
        let failed = |source| Error::File { action: "use", path: memory.clone(), source };
        let file = File::create_new(&memory).or_else(|_| {
            fs::remove_file(&memory)?;
            File::create_new(&memory)
        });
        let file = file.map_err(failed)?;
        file.set_len(MEMORY_BYTES).map_err(failed)?;
        file.write_all_at(&given.to_le_bytes(), GIVEN).map_err(failed)?;
        drop(file);
        let limit = if ending == Ending::Late { SHORT_LIMIT } else { LIMIT };
        let found = qemu.run(&elf, &memory, limit)?;
        let mut word = [0; 4];
        let file = File::open(&memory).map_err(failed)?;
        file.read_exact_at(&mut word, GIVEN + 4).map_err(failed)?;
        fs::remove_file(&memory).map_err(failed)?;
        if (found, u32::from_le_bytes(word)) != (ending, given.wrapping_add(1)) {
            report::note(&format!("given {given}: {found:?}, and {word:?} came back"));
            return Err(Error::Blind { sanitizer: "QEMU for RISC-V", canary: SOURCE.into() });
        }
    }
    report::note("QEMU runs an image on a memory file, and its endings are told apart");
    Ok(())
}

fn audited(
    project: &Project,
    target: Target,
    core: &Core,
    flaw: Option<&str>,
) -> Result<Audit, Error> {
    audit(&built(project, target, core, flaw)?)
}

fn built(
    project: &Project,
    target: Target,
    core: &Core,
    flaw: Option<&str>,
) -> Result<PathBuf, Error> {
    let folder = folder(project).join("canary");
    create(&folder)?;
    let elf = folder.join(format!("{}-{}.elf", target.triple(), flaw.unwrap_or("clean")));
    let rustc = Tool::rustc(project)
        .args("--edition 2024 -Copt-level=3 -Cpanic=abort --target")
        .arg(target.triple())
        .arg(SOURCE)
        .arg(format!("-Clink-arg=-T{SCRIPT}"))
        .arg("-o")
        .arg(&elf);
    let rustc = flaw.iter().fold(rustc, |rustc, flaw| {
        rustc.args("--cfg flawed --cfg").arg(format!("flaw=\"{flaw}\""))
    });
    core.flags().iter().fold(rustc, |rustc, flag| rustc.arg(flag)).run_quietly()?;
    Ok(elf)
}
