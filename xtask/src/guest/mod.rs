//! Inside the virtual machine: runs cases, one after another, and tells the host how they end.
//!
//! Started by the guest's first program (`vm/init.sh`), as root, with nothing but the modules
//! loaded. A case calls `flue` as a person would and looks at what a person would see: exit
//! status, output, messages, and what the kernel says. It knows nothing of the inside of `flue`.
//! Invariant: a case leaves the machine as it found it, cards bound to vfio-pci and unused.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) mod cases;
mod failure;
mod flue;
mod pci;

use crate::error::Error;
use crate::vm::wire::{ANSWER, Said};
pub(crate) use failure::Failure;

/// Where the host listens.
const PORT: &str = "/dev/ttyS1";
/// What precedes the cases' names on the kernel's command line.
const CASES: &str = "flue.cases=";
/// The host does what it is asked for within this.
const HOST_ANSWERS: Duration = Duration::from_secs(20);

/// One thing that is shown.
#[derive(Debug)]
pub(crate) struct Case {
    /// Word by which a person asks for it.
    pub(crate) name: &'static str,
    /// What holds when it passes.
    pub(crate) claim: &'static str,
    /// Each command of the case takes at most this long.
    pub(crate) limit: Duration,
    /// Finds out.
    pub(crate) run: fn(&Guest) -> Result<(), Failure>,
}

/// What a case has at hand.
#[derive(Debug)]
pub(crate) struct Guest {
    port: RefCell<File>,
    /// What the host answers.
    answers: Receiver<()>,
    /// Most time for a command.
    limit: Duration,
}

impl Guest {
    /// Tells the host.
    fn say(&self, said: &Said) -> Result<(), Failure> {
        let mut port = self.port.borrow_mut();
        port.write_all(said.to_line().as_bytes()).map_err(Failure::file("write to", PORT))
    }

    /// Asks the host to do something, and waits until it has.
    fn ask(&self, said: &Said) -> Result<(), Failure> {
        self.say(said)?;
        let answer = self.answers.recv_timeout(HOST_ANSWERS);
        answer.map_err(|_| Failure::Broken(format!("no answer to {said:?} in {HOST_ANSWERS:?}")))
    }

    /// Tells a person something that was measured or seen.
    fn note(&self, text: impl Into<String>) -> Result<(), Failure> {
        self.say(&Said::Notes { text: text.into() })
    }
}

/// Runs the cases that the kernel's command line names.
///
/// # Errors
/// When this is no such machine.
pub(crate) fn run() -> Result<(), Error> {
    let failed = |action, path: &str| {
        let path = path.into();
        move |source| Error::File { action, path, source }
    };
    let line = fs::read_to_string("/proc/cmdline").map_err(failed("read", "/proc/cmdline"))?;
    let names = names(&line).ok_or(Error::Content {
        path: "/proc/cmdline".into(),
        expected: "expected flue.cases=…: this command runs in `cargo xtask vm`'s machine only",
    })?;
    // Both ends read what is written as it is.
    let raw = Command::new("stty").args(["-F", PORT, "raw", "-echo"]).status();
    raw.map_err(failed("set up", PORT))?;
    let port = File::options().write(true).open(PORT).map_err(failed("open", PORT))?;
    let answers = listen(File::open(PORT).map_err(failed("open", PORT))?);
    let mut guest = Guest { port: RefCell::new(port), answers, limit: Duration::ZERO };
    let told = talk(&mut guest, &names);
    if let Err(failure) = &told {
        println!("guest: {failure}");
    }
    Ok(())
}

fn talk(guest: &mut Guest, names: &[&str]) -> Result<(), Failure> {
    guest.say(&Said::Ready { uptime_ms: uptime_ms() })?;
    for name in names {
        let known = crate::vm::boot::BOOTS.iter().flat_map(|boot| boot.cases);
        let Some(case) = known.into_iter().find(|case| case.name == *name) else { continue };
        println!("\n==== {name}: {} ({})", case.claim, now());
        guest.say(&Said::Begins { case: case.name.into() })?;
        guest.limit = case.limit;
        let start = Instant::now();
        let why = (case.run)(guest).err().map(|failure| failure.to_string());
        let took = start.elapsed();
        println!("==== {name} {}", why.as_deref().unwrap_or("held"));
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        guest.say(&Said::Ended { ms, why })?;
    }
    guest.say(&Said::Done)
}

/// Reads the host's answers in a thread of its own.
fn listen(port: File) -> Receiver<()> {
    let (heard, answers) = channel();
    thread::spawn(move || {
        for line in BufReader::new(port).lines().map_while(Result::ok) {
            if line.trim() == ANSWER.trim() && heard.send(()).is_err() {
                break; // Nobody asks any more.
            }
        }
    });
    answers
}

fn names(line: &str) -> Option<Vec<&str>> {
    let words = line.split_whitespace().find_map(|word| word.strip_prefix(CASES))?;
    Some(words.split(',').collect())
}

/// The time on the kernel's clock, as its own messages have it.
fn now() -> String {
    format!("[{:.3}]", uptime_ms() as f64 / 1e3)
}

fn uptime_ms() -> u64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    (seconds.unwrap_or_default() * 1e3) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_read_from_the_kernels_command_line() {
        assert_eq!(names("quiet flue.cases=a,b panic=-1\n"), Some(vec!["a", "b"]));
        assert_eq!(names("quiet"), None);
    }
}
