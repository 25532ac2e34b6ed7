//! Programs that are run: cargo, the compiler, what they built.
//!
//! Shows each command line before it runs, so that a person can run it alone. Output goes
//! straight to the terminal; only what is asked for is captured.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::error::Error;
use crate::project::Project;
use crate::report;

/// The one target that is supported.
pub(crate) const TARGET: &str = "x86_64-unknown-linux-gnu";
const TOOLCHAIN: &str = "install the Rust toolchain named in rust-toolchain.toml with rustup";

/// A command line in the making.
#[derive(Debug)]
pub(crate) struct Tool {
    command: Command,
    shown: String,
    remedy: &'static str,
}

impl Tool {
    /// Cargo in the root of the project.
    pub(crate) fn cargo(project: &Project) -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut tool = Self::new(project, &cargo, TOOLCHAIN);
        tool.shown = "cargo".into();
        tool
    }

    /// The Rust compiler of this toolchain.
    pub(crate) fn rustc(project: &Project) -> Self {
        Self::new(project, OsStr::new("rustc"), TOOLCHAIN)
    }

    /// Any program, with what to do when it is not there.
    pub(crate) fn new(project: &Project, program: &OsStr, remedy: &'static str) -> Self {
        let mut command = Command::new(program);
        command.current_dir(&project.root).stdin(Stdio::null());
        let shown = Path::new(program).strip_prefix(&project.root).unwrap_or(Path::new(program));
        Self { command, shown: shown.to_string_lossy().into_owned(), remedy }
    }

    /// Adds arguments, separated by blanks.
    pub(crate) fn args(self, line: &str) -> Self {
        line.split_whitespace().fold(self, |tool, argument| tool.arg(argument))
    }

    /// Adds one argument.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(&argument);
        self.shown.push(' ');
        self.shown.push_str(&argument.as_ref().to_string_lossy());
        self
    }

    /// Sets an environment variable, shown in front of the command.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, &value);
        let value = value.as_ref().to_string_lossy();
        let quote = if value.contains(' ') { "\"" } else { "" };
        self.shown = format!("{name}={quote}{value}{quote} {}", self.shown);
        self
    }

    /// Runs it, output to the terminal.
    pub(crate) fn run(mut self) -> Result<(), Error> {
        report::note(&format!("$ {}", self.shown));
        let status = self.command.status().map_err(|source| self.start_error(source))?;
        if status.success() {
            Ok(())
        } else {
            Err(Error::Failed { command: self.shown, status: status.to_string() })
        }
    }

    /// Runs it and shows of its output only the lines that begin with `kept`; all of it if it fails.
    pub(crate) fn run_showing(mut self, kept: &str) -> Result<(), Error> {
        report::note(&format!("$ {}", self.shown));
        let output = self.command.output().map_err(|source| self.start_error(source))?;
        let text = [&output.stdout[..], &output.stderr[..]].concat();
        let is_good = output.status.success();
        let text = String::from_utf8_lossy(&text);
        for line in text.lines().filter(|line| !is_good || line.starts_with(kept)) {
            report::note(line);
        }
        if is_good {
            Ok(())
        } else {
            Err(Error::Failed { command: self.shown, status: output.status.to_string() })
        }
    }

    /// Runs it and shows nothing, unless it fails.
    pub(crate) fn run_quietly(self) -> Result<(), Error> {
        let shown = self.shown.clone();
        let output = self.capture()?;
        if output.status.success() {
            return Ok(());
        }
        report::note(&format!("$ {shown}"));
        for text in [&output.stdout, &output.stderr] {
            String::from_utf8_lossy(text).lines().for_each(report::note);
        }
        Err(Error::Failed { command: shown, status: output.status.to_string() })
    }

    /// Runs it quietly, with what it writes going into `next`, which runs at the same time.
    pub(crate) fn run_into(mut self, mut next: Self) -> Result<(), Error> {
        let child = self.command.stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|source| self.start_error(source))?;
        let pipe = child.stdout.take().map_or_else(Stdio::null, Stdio::from);
        let then = next.command.stdin(pipe).status();
        // Only now is the pipe's other end closed, should `next` have ended early.
        drop(std::mem::replace(&mut next.command, Command::new(next.shown.clone())));
        let first = child.wait().map_err(|source| self.start_error(source))?;
        let then = then.map_err(|source| next.start_error(source))?;
        match (first.success(), then.success()) {
            (true, true) => Ok(()),
            (_, false) => Err(Error::Failed { command: next.shown, status: then.to_string() }),
            (false, _) => Err(Error::Failed { command: self.shown, status: first.to_string() }),
        }
    }

    /// Runs it and gives back what it wrote and how it ended; an error only if it cannot start.
    pub(crate) fn capture(mut self) -> Result<Output, Error> {
        self.command.output().map_err(|source| self.start_error(source))
    }

    /// Runs it silently to see whether it is there and works.
    pub(crate) fn probe(self) -> Result<(), Error> {
        let (program, remedy) = (self.shown.clone(), self.remedy);
        match self.capture()?.status.success() {
            true => Ok(()),
            false => Err(Error::Missing { program, remedy }),
        }
    }

    /// Runs it in another folder than the root of the project.
    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// The command itself, for who starts it in a way of their own, and how it is shown.
    pub(crate) fn into_parts(self) -> (Command, String) {
        (self.command, self.shown)
    }

    /// Replaces the remedy.
    pub(crate) fn or_else(mut self, remedy: &'static str) -> Self {
        self.remedy = remedy;
        self
    }

    fn start_error(&self, source: std::io::Error) -> Error {
        Error::Start { program: self.shown.clone(), remedy: self.remedy, source }
    }
}
