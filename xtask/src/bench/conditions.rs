//! What the machine allows a measurement: a fixed priority, huge pages, a network of its own.
//!
//! Asked once, before anything is measured. What cannot be had is said in the report, with the
//! reason, and the figures are taken without it. Changes one thing of the machine, the number of
//! huge pages, and that is put back whatever happens, even if this program is killed.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::project::Project;
use crate::tool::Tool;

/// Priority under the first-in first-out policy of what measures.
const PRIORITY: &str = "1";
/// Where the number of huge pages is read and written.
const HUGE_PAGES: &str = "/proc/sys/vm/nr_hugepages";
const MEMORY: &str = "/proc/meminfo";
/// Huge pages of 2 MiB that DPDK needs for a table of a million keys, generously.
const PAGES: u64 = 512;
const PAGE_KIB: &str = "2048 kB";
/// Puts the number of pages back when its standard input closes for whatever reason.
const KEEPER: &str = "trap '' INT TERM HUP QUIT; read -r line; echo \"$0\" > \"$1\"";
/// DPDK with huge pages, and without. No devices, no files, no sockets.
const EAL_HUGE: &str = "--in-memory --no-pci --no-telemetry";
const EAL_SMALL: &str = "--no-huge -m 1024 --no-shconf --no-pci --no-telemetry";
/// Ways into a network namespace of one's own: as root, and with a user namespace.
const NAMESPACES: [&str; 2] = ["-n", "-rn"];

/// What was found.
#[derive(Debug)]
pub(crate) struct Conditions {
    /// Why there is no fixed priority, if there is none.
    no_fifo: Option<String>,
    /// The option of `unshare`, or why there is none.
    namespace: Result<&'static str, String>,
    /// Why there are no huge pages, if they are wanted and there are none.
    no_pages: Option<String>,
    /// Puts them back.
    _keeper: Option<Keeper>,
}

impl Conditions {
    /// Finds out, and makes huge pages if they are wanted.
    pub(crate) fn find(project: &Project, wants_pages: bool) -> Self {
        let [prlimit, words @ ..] = fixed_priority(Duration::from_secs(1));
        let prlimit = Tool::new(project, prlimit.as_ref(), "").args(&words.join(" "));
        let no_fifo = works(prlimit.arg("true"), "chrt").err();
        let mut why = String::new();
        let option = NAMESPACES.into_iter().find(|option| {
            let unshare = Tool::new(project, "unshare".as_ref(), "").arg(option).arg("true");
            works(unshare, "unshare").map_err(|error| why = error).is_ok()
        });
        let pages = if wants_pages { Keeper::raise() } else { Ok(None) };
        let (keeper, no_pages) = match pages {
            Ok(keeper) => (keeper, None),
            Err(why) => (None, Some(why)),
        };
        Self { no_fifo, namespace: option.ok_or(why), no_pages, _keeper: keeper }
    }

    /// What stands before a program: nothing takes its processors away, if that is allowed.
    pub(crate) fn prefix(&self, limit: Duration) -> Vec<OsString> {
        let is_fifo = self.no_fifo.is_none();
        let words = is_fifo.then(|| fixed_priority(limit));
        words.into_iter().flatten().map(OsString::from).collect()
    }

    /// What stands before a program that changes a network.
    ///
    /// # Errors
    /// Why there is no network namespace.
    pub(crate) fn own_network(&self) -> Result<Vec<OsString>, String> {
        let option = self.namespace.clone()?;
        Ok(vec!["unshare".into(), option.into()])
    }

    /// The words of DPDK's own command line.
    pub(crate) fn eal(&self) -> impl Iterator<Item = OsString> {
        let words = if self.no_pages.is_none() { EAL_HUGE } else { EAL_SMALL };
        words.split_whitespace().map(OsString::from)
    }

    /// What is not as it should be, for a person.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(why) = &self.no_fifo {
            notes.push(format!(
                "no fixed priority ({why}): whatever else runs here disturbs the figures"
            ));
        }
        if let Some(why) = &self.no_pages {
            notes.push(format!("DPDK without huge pages ({why}): its table is slower than it is"));
        }
        if let Err(why) = &self.namespace {
            notes.push(format!("no network namespace ({why}): the kernel is not measured"));
        }
        notes
    }

    /// The same for a machine.
    pub(crate) fn json(&self) -> Value {
        json!({
            "is_fifo": self.no_fifo.is_none(),
            "has_huge_pages_for_dpdk": self.no_pages.is_none(),
            "has_network_namespace": self.namespace.is_ok(),
            "notes": self.notes(),
        })
    }
}

/// Gives huge pages back when it is dropped, or when this program is gone.
#[derive(Debug)]
struct Keeper {
    shell: Child,
}

impl Keeper {
    /// Makes as many pages as are missing; none when there are enough.
    fn raise() -> Result<Option<Self>, String> {
        let pages = || -> io::Result<String> { fs::read_to_string(HUGE_PAGES) };
        let before = pages().map_err(|error| error.to_string())?.trim().to_string();
        let memory = fs::read_to_string(MEMORY).map_err(|error| error.to_string())?;
        if !memory.lines().any(|line| in_meminfo(line, "Hugepagesize:") == Some(PAGE_KIB)) {
            return Err("they are not of 2 MiB here".into());
        }
        if free_pages(&memory) >= PAGES {
            return Ok(None);
        }
        let had: u64 = before.parse().map_err(|_| format!("{HUGE_PAGES} says `{before}`"))?;
        let keeper = Self::start(&before).map_err(|error| error.to_string())?;
        fs::write(HUGE_PAGES, (had + PAGES).to_string()).map_err(|error| error.to_string())?;
        let memory = fs::read_to_string(MEMORY).map_err(|error| error.to_string())?;
        match free_pages(&memory) {
            enough if enough >= PAGES => Ok(Some(keeper)),
            few => Err(format!("the kernel has {few} of the {PAGES} that are needed")),
        }
    }

    fn start(before: &str) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, before, HUGE_PAGES]).stdin(Stdio::piped());
        let shell = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Self { shell })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // There is nobody left to tell; the kernel's own file shows what there is.
        self.shell.wait().ok();
    }
}

fn free_pages(memory: &str) -> u64 {
    let free = memory.lines().find_map(|line| in_meminfo(line, "HugePages_Free:"));
    free.and_then(|free| free.parse().ok()).unwrap_or(0)
}

fn in_meminfo<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.strip_prefix(name).map(str::trim)
}

/// Whether a command does what it should; else what it says.
fn works(tool: Tool, name: &str) -> Result<(), String> {
    let output = tool.capture().map_err(|_| format!("`{name}` is not there"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().next().unwrap_or("it failed and did not say why").trim().to_string())
}

/// Gives a program the fixed priority, and has the system end it when it has kept a processor for
/// `limit`: it spins, and who would end it may not come to a processor. Nothing of ours may wait for
/// it at such a priority: the kernel's end of a wait spins, too, until whoever reads about the child
/// in /proc goes on, who may be without a processor for as long.
fn fixed_priority(limit: Duration) -> [String; 5] {
    let us = limit.as_micros();
    ["prlimit".into(), format!("--rttime={us}:{us}"), "chrt".into(), "-f".into(), PRIORITY.into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(no_fifo: Option<&str>) -> Conditions {
        Conditions {
            no_fifo: no_fifo.map(String::from),
            namespace: Ok("-rn"),
            no_pages: Some("not root".into()),
            _keeper: None,
        }
    }

    #[test]
    fn a_program_that_keeps_its_processor_is_ended_by_the_system() {
        let words = conditions(None).prefix(Duration::from_secs(40));
        let line = words.join(" ".as_ref()).into_string().unwrap();
        assert_eq!(line, "prlimit --rttime=40000000:40000000 chrt -f 1");
        assert!(conditions(Some("no")).prefix(Duration::from_secs(40)).is_empty());
    }

    #[test]
    fn what_cannot_be_had_is_said() {
        let notes = conditions(Some("not permitted")).notes();
        assert!(notes.len() == 2 && notes[0].contains("not permitted"), "{notes:?}");
        assert!(conditions(None).eal().any(|word| word == "--no-huge"));
    }

    #[test]
    fn free_pages_are_read_from_the_kernels_table() {
        let memory = "MemTotal: 1 kB\nHugePages_Free:     12\nHugepagesize:       2048 kB\n";
        assert_eq!(free_pages(memory), 12);
        assert_eq!(free_pages(""), 0);
        assert_eq!(in_meminfo("Hugepagesize:       2048 kB", "Hugepagesize:"), Some(PAGE_KIB));
    }
}
