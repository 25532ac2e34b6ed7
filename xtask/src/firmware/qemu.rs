//! A second machine for the image: QEMU's, where nothing answers and all memory is a file.
//!
//! What the firmware would be told by a card is written into the file beforehand, and what it did
//! is read out of it afterwards. Address 0x8000_0000 is the file's first byte. The image ends the
//! run itself, by the finisher of QEMU's `virt` machine; a run that does not end is ended here.
//! Tests get all this as one program, so that QEMU's command line stands here only.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::apt::Apt;
use crate::bounded::Running;
use crate::bring;
use crate::error::Error;
use crate::project::Project;
use crate::report;
use crate::tool::Tool;
use crate::vm::tools::{LIBRARIES, LOADER, merge_usr};

/// A QEMU of one's own.
const QEMU: &str = "FLUE_QEMU_RISCV";
/// Tells tests which program runs an image: see [`Qemu::runner`].
pub(crate) const RUNNER: &str = "FLUE_IMAGE_RUNNER";
const PROGRAM: &str = "qemu-system-riscv32";
/// Where QEMU comes from if it is not there. The keyring of bookworm verifies trixie already.
const SUITES: [&str; 1] = ["trixie"];
const PACKAGE: &str = "qemu-system-riscv";
const RECIPE: &str = "recipe 1";
const ELSEWHERE: &str = "install a qemu-system-riscv32, or set FLUE_QEMU_RISCV to one";
/// All that the image can reach above the control page: 2 GiB from 0x8000_0000.
const MACHINE: &str = "-nodefaults -no-user-config -display none -monitor none -serial none \
    -bios none -machine virt,memory-backend=ram -m 2G";
const MEMORY: &str = "memory-backend-file,id=ram,size=2G,share=on,mem-path=";
/// QEMU's own errors end it with this status; they are told, and an image tells nothing.
const OWN_ERROR: i32 = 1;

/// A QEMU that can be used.
#[derive(Debug)]
pub(crate) struct Qemu {
    /// A program that takes an image and a memory file. It ends with status 0 when the image says
    /// that it is done, and with N when it says that it failed with N. When QEMU itself fails, that
    /// is 1 with words on standard error.
    pub(crate) runner: PathBuf,
}

/// How an image ended its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It is done.
    Done,
    /// It failed, with this number.
    Failed(i32),
    /// It was still there at the limit.
    Late,
}

impl Qemu {
    /// Finds a QEMU, or brings one.
    ///
    /// # Errors
    /// When none can be brought, or the one named is not usable.
    pub(crate) fn bring(project: &Project) -> Result<Self, Error> {
        let words = match std::env::var_os(QEMU) {
            Some(own) => vec![own],
            None if is_usable(project, &[PROGRAM.into()]) => vec![PROGRAM.into()],
            None => {
                let root = project.target.join("tools/qemu-riscv");
                bring::once(&root, RECIPE, |lists, new| unpack(project, lists, new))?;
                unpacked(&root)
            }
        };
        if !is_usable(project, &words) {
            let what = format!("a QEMU for RISC-V: `{}` is none", words[0].to_string_lossy());
            return Err(Error::Bring { what, remedy: ELSEWHERE });
        }
        let runner = project.target.join("firmware/run-image");
        bring::write(&runner, &script(&words))?;
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&runner, executable).map_err(|source| Error::File {
            action: "make a program of",
            path: runner.clone(),
            source,
        })?;
        Ok(Self { runner })
    }

    /// Runs an image on the memory in a file, so long at most.
    ///
    /// # Errors
    /// When QEMU cannot be started, or has an error of its own.
    pub(crate) fn run(&self, elf: &Path, memory: &Path, limit: Duration) -> Result<Ending, Error> {
        let mut command = Command::new(&self.runner);
        command.arg(elf).arg(memory);
        let ended = Running::start(command).and_then(|running| running.wait(limit));
        let ended = ended.map_err(|source| Error::Start {
            program: self.runner.display().to_string(),
            remedy: ELSEWHERE,
            source,
        })?;
        match ended.status.code() {
            _ if ended.is_late => Ok(Ending::Late),
            Some(0) => Ok(Ending::Done),
            Some(number) if number != OWN_ERROR || ended.err.is_empty() => {
                Ok(Ending::Failed(number))
            }
            _ => {
                ended.err.lines().for_each(report::note);
                Err(Error::Failed { command: ended.shown.clone(), status: ended.how() })
            }
        }
    }
}

/// Brings QEMU with what it needs.
fn unpack(project: &Project, lists: &Path, root: &Path) -> Result<String, Error> {
    let apt = Apt::new(project, lists, &SUITES, "", ELSEWHERE)?;
    report::brings("package lists of Debian trixie (about 20 MB on disk, for a moment)");
    apt.update()?;
    let packages = apt.missing(&[PACKAGE])?;
    let megabytes = packages.iter().map(|package| package.bytes).sum::<u64>() as f64 / 1e6;
    report::brings(&format!(
        "QEMU for RISC-V with what it needs: {} packages to fetch, {megabytes:.1} MB; about \
         140 MB unpacked",
        packages.len()
    ));
    merge_usr(root)?;
    apt.unpack_all(&[PACKAGE], root)?;
    Ok("QEMU for RISC-V".into())
}

/// It runs with the C library that it was built for, not the machine's.
fn unpacked(root: &Path) -> Vec<OsString> {
    let at = |path: &str| root.join(path).into_os_string();
    vec![at(LOADER), "--library-path".into(), at(LIBRARIES), at("usr/bin/qemu-system-riscv32")]
}

fn is_usable(project: &Project, words: &[OsString]) -> bool {
    let Some((program, arguments)) = words.split_first() else { return false };
    let tool = Tool::new(project, program, ELSEWHERE);
    let tool = arguments.iter().fold(tool, |tool, argument| tool.arg(argument));
    tool.args("-machine help").capture().is_ok_and(|output| {
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("\nvirt ")
    })
}

fn script(words: &[OsString]) -> String {
    let quoted = |word: &OsString| format!("'{}'", word.to_string_lossy().replace('\'', "'\\''"));
    let qemu = words.iter().map(quoted).collect::<Vec<_>>().join(" ");
    format!(
        "#!/bin/sh\n# Runs an image on the memory in a file: run-image ELF MEMORY\n\
         exec {qemu} {MACHINE} -object {MEMORY}\"$2\" -kernel \"$1\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_keeps_words_whole() {
        let text = script(&["/a b/q'emu".into(), "-x".into()]);
        assert!(text.contains("exec '/a b/q'\\''emu' '-x' -nodefaults"), "{text}");
        assert!(text.ends_with("mem-path=\"$2\" -kernel \"$1\"\n"), "{text}");
    }
}
