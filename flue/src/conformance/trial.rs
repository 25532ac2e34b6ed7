//! One claim's trial: whether it held, how long it took, and what it said when it did not.
//!
//! A claim that does not hold panics. While a [`Trial`] lives, what any thread of this process says
//! when it panics is kept for the verdict and not printed.

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hw_model::conformance::{Claim, Rig};

/// Panics that are kept for one verdict; more would only repeat them.
const SAID_MAX: usize = 8;

/// Held by the trial that there is.
static ONE: Mutex<()> = Mutex::new(());
/// What was said since the last verdict.
static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was tried and holds.
    Held,
    /// It was tried and does not.
    Broken,
    /// The card could not be given what it needs.
    Skipped,
}

impl Outcome {
    /// As written in the verdict.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Broken => "broken",
            Self::Skipped => "skipped",
        }
    }
}

/// An outcome with its reason.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
    /// Why it did not hold or was not tried.
    pub(super) why: Option<String>,
}

impl Verdict {
    /// A claim that was not tried.
    pub(super) fn skipped(why: &str) -> Self {
        Self { outcome: Outcome::Skipped, took: Duration::ZERO, why: Some(why.to_owned()) }
    }

    /// Whether the claim was tried and holds.
    pub(super) fn has_held(&self) -> bool {
        self.outcome == Outcome::Held
    }
}

/// Keeps what panics say, until it is dropped. There is one at a time; who wants another waits.
pub(super) struct Trial {
    _one: MutexGuard<'static, ()>,
}

impl Trial {
    /// From here on panics are kept.
    pub(super) fn begin() -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        panic::set_hook(Box::new(keep));
        Self { _one: one }
    }

    /// Tries a claim.
    pub(super) fn of<R: Rig>(&self, claim: &Claim<R>, rig: &R) -> Verdict {
        take_said();
        let started = Instant::now();
        let tried = panic::catch_unwind(AssertUnwindSafe(|| (claim.check)(rig)));
        let took = started.elapsed();
        let said = take_said();
        let (outcome, why) = match tried {
            // The claim is content, but a part of the card or the driver is not.
            Ok(Ok(())) if !said.is_empty() => (Outcome::Broken, Some(said)),
            Ok(Ok(())) => (Outcome::Held, None),
            Ok(Err(unfit)) => (Outcome::Skipped, Some(unfit.to_string())),
            Err(_) => (Outcome::Broken, Some(said)),
        };
        Verdict { outcome, took, why }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        drop(panic::take_hook());
    }
}

fn keep(panic: &PanicHookInfo<'_>) {
    let words = panic.payload_as_str().unwrap_or("it panicked");
    let place = panic.location().map(|at| format!(" ({}:{})", at.file(), at.line()));
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.len() < SAID_MAX {
        said.push(format!("{words}{}", place.unwrap_or_default()));
    }
}

/// What was said, in its order.
fn take_said() -> String {
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *said).join("\n")
}

#[cfg(test)]
mod tests {
    use hw_model::conformance::{ModelRig, Unfit};

    use super::*;

    fn verdict(check: fn(&ModelRig) -> Result<(), Unfit>) -> (Outcome, Option<String>) {
        let trial = Trial::begin();
        let verdict = trial.of(&Claim { name: "of_a_test", check }, &ModelRig::TIMED);
        (verdict.outcome, verdict.why)
    }

    #[test]
    fn a_claim_has_held_only_when_nothing_panicked_and_else_says_why() {
        assert_eq!(verdict(|_| Ok(())), (Outcome::Held, None));
        let (outcome, why) = verdict(|_| Err(Unfit("a second port".to_owned())));
        assert_eq!(outcome, Outcome::Skipped);
        assert_eq!(why.unwrap(), "this body cannot be given a second port");

        let (outcome, why) = verdict(|_| panic!("a frame by the {} router", "old"));
        assert_eq!(outcome, Outcome::Broken);
        let why = why.unwrap();
        assert!(
            why.starts_with("a frame by the old router (") && why.contains("trial.rs:"),
            "{why}"
        );

        let (outcome, why) = verdict(|_| {
            let part = std::thread::spawn(|| panic!("a part of the card broke"));
            assert!(part.join().is_err());
            Ok(())
        });
        assert_eq!(outcome, Outcome::Broken, "though the claim itself was content");
        assert!(why.unwrap().starts_with("a part of the card broke"));
        assert_eq!(verdict(|_| Ok(())), (Outcome::Held, None), "nothing is left of the one before");
    }
}
