//! Steps: one claim about the tree each, timed, all run even when one fails.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::project::Project;
use crate::report;

/// One thing that is checked.
#[derive(Debug)]
pub(crate) struct Step {
    /// Word by which a person asks for it.
    pub(crate) name: &'static str,
    /// What holds when it passes.
    pub(crate) claim: &'static str,
    /// Whether it belongs to what is run before a push.
    pub(crate) before_push: bool,
    /// Finds out.
    pub(crate) run: fn(&Project) -> Result<(), Error>,
}

/// How a step ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) step: &'static Step,
    pub(crate) time: Duration,
    pub(crate) error: Option<Error>,
}

/// Runs the steps in order, then prints the summary.
///
/// # Errors
/// [`Error::Steps`] with the names of those that failed.
pub(crate) fn run_all(
    project: &Project,
    steps: impl Iterator<Item = &'static Step>,
) -> Result<(), Error> {
    let mut ended = Vec::new();
    for step in steps {
        report::begin(step);
        let start = Instant::now();
        let error = (step.run)(project).err();
        let step = Ended { step, time: start.elapsed(), error };
        report::end(&step);
        ended.push(step);
    }
    report::summary(&ended);
    let failed: Vec<_> =
        ended.iter().filter(|step| step.error.is_some()).map(|step| step.step.name).collect();
    if failed.is_empty() { Ok(()) } else { Err(Error::Steps(failed)) }
}
