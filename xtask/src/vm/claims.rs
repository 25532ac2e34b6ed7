//! The conformance suite's results, from wherever it ran, and whether all that ran it agree.
//!
//! Reads what `flue conformance --json` prints: one object a claim, a last one with the counts.
//! The same claims must have been checked everywhere, and all must hold; a claim that was skipped
//! did not hold.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

/// How a claim that held is reported.
const HELD: &str = "held";

/// What one run of the suite found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    /// Who ran it.
    pub(crate) by: String,
    /// Each claim's result and, where it is not held, why.
    results: BTreeMap<String, (String, String)>,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Claims {
    /// Reads lines; what is no claim is left out.
    pub(crate) fn read<'a>(by: &str, lines: impl Iterator<Item = &'a str>, took: Duration) -> Self {
        Self { by: by.into(), results: lines.filter_map(claim).collect(), took }
    }

    /// How many there are with this result.
    pub(crate) fn count(&self, result: &str) -> usize {
        self.results.values().filter(|(found, _)| found == result).count()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.results.len()
    }

    /// What is wrong with the runs taken together: nothing, one hopes.
    pub(crate) fn compare(runs: &[Self]) -> Vec<String> {
        let all: BTreeSet<_> = runs.iter().flat_map(|run| run.results.keys()).collect();
        let mut wrong = Vec::new();
        for run in runs {
            if run.results.is_empty() {
                wrong.push(format!("{}: no claim was checked", run.by));
                continue;
            }
            let missing = all.iter().filter(|name| !run.results.contains_key(**name));
            wrong.extend(missing.map(|name| format!("{}: `{name}` was not checked", run.by)));
            let not_held = run.results.iter().filter(|(_, (result, _))| result != HELD);
            wrong.extend(
                not_held
                    .map(|(name, (result, why))| format!("{}: `{name}` {result}: {why}", run.by)),
            );
        }
        wrong
    }

    /// One line of the table for a person; [`Claims::HEAD`] is its head.
    pub(crate) fn line(&self) -> String {
        let counts = [HELD, "broken", "skipped"].map(|result| self.count(result));
        format!(
            "{:<22} {:>6} {:>6} {:>7} {:>8} {:>8.1} s",
            self.by,
            self.len(),
            counts[0],
            counts[1],
            counts[2],
            self.took.as_secs_f64()
        )
    }

    /// The head of the table.
    pub(crate) const HEAD: &str =
        "conformance            claims   held  broken  skipped       time";
}

/// Name, result and reason in a line of `flue conformance --json`.
fn claim(line: &str) -> Option<(String, (String, String))> {
    let object: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| object[name].as_str().map(String::from);
    Some((text("claim")?, (text("result")?, text("why").unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(by: &str, lines: &[&str]) -> Claims {
        Claims::read(by, lines.iter().copied(), Duration::ZERO)
    }

    const A: &str = r#"{"claim":"a","result":"held","ms":1}"#;
    const B: &str = r#"{"claim":"b","result":"held","ms":1}"#;
    const END: &str = r#"{"card":"model","claims":2,"held":2,"broken":0,"skipped":0}"#;

    #[test]
    fn runs_with_the_same_claims_that_all_hold_agree() {
        let runs = [run("model", &[A, B, END]), run("guest", &[B, A, END])];
        assert_eq!(Claims::compare(&runs), Vec::<String>::new());
        assert_eq!((runs[0].len(), runs[0].count(HELD)), (2, 2));
    }

    #[test]
    fn a_claim_that_one_did_not_check_is_told() {
        let runs = [run("model", &[A, B]), run("guest", &[A])];
        assert_eq!(Claims::compare(&runs), ["guest: `b` was not checked"]);
    }

    #[test]
    fn a_claim_skipped_or_broken_is_told_with_its_reason() {
        let skipped = r#"{"claim":"b","result":"skipped","why":"no bench"}"#;
        let runs = [run("model", &[A, B]), run("guest", &[A, skipped])];
        assert_eq!(Claims::compare(&runs), ["guest: `b` skipped: no bench"]);
    }

    #[test]
    fn nothing_at_all_is_no_agreement() {
        assert_eq!(Claims::compare(&[run("model", &["garbage"])]).len(), 1);
    }
}
