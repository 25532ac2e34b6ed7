//! Calls of `flue`, and what a person would see of them.
//!
//! Each command, all that it wrote and how it ended go to the guest's console, which is the log.
//! A command that panics fails its case, whatever the case looks at.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::pci::Device;
use super::{Failure, Guest, now};
use crate::bounded::{Ended, Running};

/// Somebody who is not root.
pub(crate) const USER: u32 = 1000;
/// Promises were broken, or something could not be had.
pub(crate) const FAILED: i32 = 1;
/// What no program of ours may ever say.
pub(crate) const NEVER: [&str; 2] = ["panicked", "overflowed its stack"];
/// Most of a command's output that a failure shows, in bytes from its end.
const SHOWN: usize = 1500;

/// `flue`, with blanks between the arguments.
pub(crate) fn flue(line: &str) -> Command {
    let mut command = Command::new("/bin/flue");
    command.args(line.split_whitespace());
    command
}

/// `flue` on a card.
pub(crate) fn on(card: Device, line: &str) -> Command {
    let mut command = flue(line);
    command.args(["--card", &card.as_card()]);
    command
}

/// `flue` on a card, run by a user who may lock so many KiB of memory.
pub(crate) fn as_user(card: Device, line: &str, locked_kib: u32) -> Command {
    let mut command = Command::new("/bin/sh");
    let script = format!("ulimit -l {locked_kib}; exec flue {line} --card {}", card.as_card());
    command.args(["-c", &script]).uid(USER).gid(USER);
    command
}

impl Guest {
    /// Starts a command.
    pub(crate) fn start(&self, command: Command) -> Result<Running, Failure> {
        println!("{} $ {command:?}", now());
        Running::start(command).map_err(Failure::file("start", "flue"))
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, command: Command) -> Result<Ended, Failure> {
        let running = self.start(command)?;
        self.finish(running)
    }

    /// Waits for a command's end.
    pub(crate) fn finish(&self, running: Running) -> Result<Ended, Failure> {
        self.finish_watching(running, self.limit, &mut |_| {})
    }

    /// Waits for a command's end; calls `watch` for each line, and each time `every` has passed.
    pub(crate) fn finish_watching(
        &self,
        running: Running,
        every: Duration,
        watch: &mut dyn FnMut(Option<&str>),
    ) -> Result<Ended, Failure> {
        let ended = running
            .wait_ticking(self.limit, every, watch)
            .map_err(Failure::file("wait for", "flue"))?;
        let took = ended.took;
        println!("{}{}{} {} after {took:?}", ended.out, ended.err, now(), ended.how());
        for never in NEVER {
            if ended.err.contains(never) {
                let (command, unwanted) = (ended.shown.clone(), never.into());
                return Err(Failure::Unwanted { command, unwanted, said: said(&ended) });
            }
        }
        Ok(ended)
    }
}

/// Fails unless it ended with this status.
pub(crate) fn expect_status(ended: &Ended, status: i32) -> Result<(), Failure> {
    if ended.status.code() == Some(status) && !ended.is_late {
        return Ok(());
    }
    Err(Failure::Ended {
        command: ended.shown.clone(),
        how: ended.how(),
        expected: format!("exit status {status}"),
        said: said(ended),
    })
}

/// Fails unless it failed, and its message says all of this.
pub(crate) fn expect_refusal(ended: &Ended, words: &[&str]) -> Result<(), Failure> {
    expect_status(ended, FAILED)?;
    match words.iter().find(|word| !ended.err.contains(**word)) {
        None => Ok(()),
        Some(word) => Err(Failure::Silent {
            command: ended.shown.clone(),
            expected: (*word).into(),
            said: said(ended),
        }),
    }
}

/// Fails if its messages say this.
pub(crate) fn expect_silence(ended: &Ended, unwanted: &str) -> Result<(), Failure> {
    if !ended.err.contains(unwanted) {
        return Ok(());
    }
    let (command, unwanted) = (ended.shown.clone(), unwanted.into());
    Err(Failure::Unwanted { command, unwanted, said: said(ended) })
}

/// The JSON object that it printed, after it ended well.
pub(crate) fn object(ended: &Ended) -> Result<Value, Failure> {
    expect_status(ended, 0)?;
    serde_json::from_str(&ended.out).map_err(|_| Failure::Silent {
        command: ended.shown.clone(),
        expected: "one JSON object".into(),
        said: said(ended),
    })
}

/// The last line that says something.
pub(crate) fn last_line(text: &str) -> &str {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("(it says nothing)")
}

/// What it wrote, as far as a failure shows it: messages first.
fn said(ended: &Ended) -> String {
    let text = format!("{}{}", ended.err, ended.out);
    let from = text.len().saturating_sub(SHOWN);
    let from = (from..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[from..].trim_end().to_string()
}
