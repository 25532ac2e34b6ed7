//! Progress bars for a person at a terminal; silent everywhere else.
//!
//! On standard error, so that standard output stays the report's.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Steps between two redraws are indicatif's business; this only counts.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar for `total` steps of `name`. indicatif hides it when standard error is no terminal.
    pub(crate) fn new(name: &'static str, total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{msg:>10} {bar:40} {human_pos} of {human_len}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(name);
        Self { bar }
    }

    /// Shows that `done` steps are done.
    pub(crate) fn show(&self, done: u64) {
        self.bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
