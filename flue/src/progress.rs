//! What a person sees while long work runs: progress bars at a terminal, or a line a step.
//!
//! On standard error, so that standard output stays the report's. Lines (`--verbose`) are whole
//! and written at once: who reads them may act on them while the job goes on.

use std::io::Write as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How progress is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    is_verbose: bool,
}

impl Steps {
    /// Lines for who asked for them, bars for the others.
    pub(crate) fn new(is_verbose: bool) -> Self {
        Self { is_verbose }
    }

    /// Says a step. The words are not made when nobody listens.
    pub(crate) fn say(self, words: impl FnOnce() -> String) {
        if self.is_verbose {
            let line = words() + "\n";
            let mut stderr = std::io::stderr().lock();
            // Nobody reads any more: the job goes on, its report says how it ended.
            drop(stderr.write_all(line.as_bytes()).and_then(|()| stderr.flush()));
        }
    }

    /// A bar for `total` turns of `name`. indicatif hides it when standard error is no terminal.
    pub(crate) fn bar(self, name: &'static str, total: u64) -> Progress {
        let target = match self.is_verbose {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        let style = ProgressStyle::with_template("{msg:>10} {bar:40} {human_pos} of {human_len}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(name);
        Progress { bar }
    }
}

/// When to redraw is indicatif's business; this only counts.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Shows that `done` are done.
    pub(crate) fn show(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// Shows what is being done now.
    pub(crate) fn name(&self, name: &'static str) {
        self.bar.set_message(name);
    }

    /// Writes something else to the terminal, without the bar in its way.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
