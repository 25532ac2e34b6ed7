//! Promises and checks, one row each: how often looked at, how often broken.
//!
//! From what the observer found, what the card answered and what became of the packets. A row
//! about frames of a card that shows them to nobody has no verdict: it was not observed.

use serde::Serialize;

use super::super::job::Moved;
use super::super::traffic::Totals;
use super::super::verify::Checks;
use crate::observer::{Findings, Sight};

/// One promise, or one check of what the card holds afterwards.
#[derive(Debug, Serialize)]
pub(super) struct Promise {
    pub(super) promise: &'static str,
    /// How often it was looked at.
    pub(super) checked: u64,
    /// How often it did not hold; `None` when nobody could see it.
    pub(super) broken: Option<u64>,
}

impl Promise {
    /// Whether nothing speaks against it.
    pub(super) fn is_kept(&self) -> bool {
        self.broken.is_none_or(|broken| broken == 0)
    }
}

/// Every row, in the order of the page. `share` is the number of the failed router's paths.
pub(super) fn all(
    sight: Sight,
    findings: &Findings,
    share: u32,
    moved: &Moved,
    totals: &Totals,
    checks: &Checks,
) -> Vec<Promise> {
    let is_seen = sight != Sight::None;
    let seen = |row: Promise| match is_seen {
        true => row,
        false => Promise { checked: 0, broken: None, ..row },
    };
    let uncounted = if is_seen { totals.left().abs_diff(findings.frames) } else { 0 };
    let mut rows = Vec::from(of_frames(findings).map(seen));
    if sight == Sight::Mirror {
        let unseen = findings.unseen();
        rows.push(row("the observer saw every frame that left", findings.frames, unseen));
    }
    rows.extend([
        row(
            "every path of the failed router was relinked",
            share.into(),
            differ(share, moved.relinked).max(moved.failed.into()),
        ),
        seen(row(
            "every relinked path sent by the new router afterwards",
            moved.relinked.into(),
            differ(moved.relinked, findings.paths_seen_after),
        )),
        row(
            "every packet left, or was dropped for want of room to hold it",
            totals.posted,
            totals.open() + totals.lost() + uncounted,
        ),
    ]);
    rows.extend(of_card(moved, checks));
    rows
}

/// What the observer saw at the port.
fn of_frames(findings: &Findings) -> [Promise; 5] {
    [
        row(
            "a frame carries one neighbor's header whole, old or new",
            findings.frames_judged,
            findings.frames_mixed,
        ),
        row(
            "no frame by the old router once the host saw the completion",
            findings.checked_after_completion,
            findings.frames_old_after_completion,
        ),
        row(
            "no frame by an invalidated router",
            findings.checked_while_invalid,
            findings.frames_while_invalid,
        ),
        row(
            "frames of a path leave in their order",
            findings.checked_order,
            findings.frames_out_of_order,
        ),
        row("every frame is one that was sent", findings.frames_judged, findings.frames_unknown),
    ]
}

/// What the card answered, and what it held afterwards.
fn of_card(moved: &Moved, checks: &Checks) -> [Promise; 3] {
    let steps = [moved.is_invalidated, moved.is_terminated, checks.is_old_gone];
    let missed = steps.iter().filter(|held| !**held).count();
    [
        row(
            "the old router was invalidated, then terminated at once",
            steps.len() as u64,
            missed as u64,
        ),
        row(
            "the card's links are those that were asked for (by query)",
            u64::from(checks.queried) + u64::from(checks.successor_expected),
            differ(checks.queried, checks.queried_right)
                + differ(checks.successor_expected, checks.successor_paths),
        ),
        row(
            "card and host agree on every object (audit)",
            checks.audited,
            checks.audit_differences,
        ),
    ]
}

fn row(promise: &'static str, checked: u64, broken: u64) -> Promise {
    Promise { promise, checked, broken: Some(broken) }
}

fn differ(a: u32, b: u32) -> u64 {
    a.abs_diff(b).into()
}
