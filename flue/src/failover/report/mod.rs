//! What the fail-over has shown: one JSON object for scripts, a page for a person.
//!
//! The last arrow of `failover`; `promises` says what was checked and what was broken, `page` is
//! the text for a person. It judges only whether everything held: every promise that the observer
//! watched, every status, and what the card said afterwards. Keys that begin with `wall_clock`
//! differ from run to run; `clock` says which clock the `_ns` keys count: on a timed card it is the
//! card's own, and they are the same for the same seed. What was not observed is null, never 0.

mod page;
mod promises;

use abi::host::register::Counter;
use host_driver::backing::Backing;
use serde::Serialize;

use self::promises::Promise;
use super::job::{Job, Moved, Times};
use super::traffic::Totals;
use super::verify::Checks;
use crate::observer::Sight;
use crate::routes::Table;

/// Everything there is to tell.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) ok: bool,
    paths: u32,
    ipv4_paths: u32,
    ipv6_paths: u32,
    neighbors: u32,
    mode: &'static str,
    card: String,
    timed: bool,
    seed: u64,
    routes: String,
    failed_router: u32,
    successor_router: u32,
    paths_per_router: Vec<u32>,
    relinked: u32,
    failed: u32,
    /// Frames that crossed the port; by the card's own completions when nobody saw them.
    frames: u64,
    /// Where frames were seen: `port`, `mirror` or `none`.
    observer: &'static str,
    frames_per_router: Option<Vec<u64>>,
    frames_old_after_completion: Option<u64>,
    frames_mixed: Option<u64>,
    frames_while_invalid: Option<u64>,
    frames_out_of_order: Option<u64>,
    frames_unknown: Option<u64>,
    /// Frames that crossed and that the observer did not get to see.
    frames_unseen: Option<u64>,
    held: u64,
    dropped: u64,
    clock: &'static str,
    offload_ns: u64,
    invalidate_ns: u64,
    relink_ns: u64,
    relink_ns_per_path: f64,
    terminate_ns: u64,
    /// Card clocks from the submit of the relink until the host saw its last completion.
    #[serde(skip_serializing_if = "Option::is_none")]
    card_cycles: Option<u64>,
    promises: Vec<Promise>,
    pub(crate) wall_clock_ms: u64,
    /// What watching costs: judging one frame, and all of them. At a port of this process that is
    /// the datapath's time, so without an observer the card would be faster by it.
    wall_clock_observer_ns_per_frame: f64,
    wall_clock_observer_ms: f64,
    /// What asking the card about every object took, after the job.
    wall_clock_audit_ms: f64,
    /// Why frames that crossed were not seen, if there is more to say than that they were lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    observer_error: Option<String>,
    #[serde(skip)]
    sight: Sight,
    #[serde(skip)]
    clock_error_ns: u64,
    #[serde(skip)]
    picture: String,
    #[serde(skip)]
    table: String,
}

impl Report {
    pub(super) fn new<B: Backing>(
        job: &Job<'_, B>,
        table: &Table,
        times: &Times,
        moved: &Moved,
        totals: &Totals,
        checks: &Checks,
    ) -> Self {
        let plan = job.plan;
        let findings = job.observer.findings();
        let sight = job.observer.sight();
        let seen = |count: u64| (sight != Sight::None).then_some(count);
        let share = plan.shares()[usize::from(job.failed)];
        let promises = promises::all(sight, &findings, share, moved, totals, checks);
        let ipv6_paths = (0..plan.paths()).filter(|path| plan.is_ipv6(*path)).count() as u32;
        let timed = job.args.card.is_timed();
        let counts_cycles = timed || !job.args.card.card.is_model();
        Self {
            ok: promises.iter().all(Promise::is_kept) && findings.are_clean(),
            paths: plan.paths(),
            ipv4_paths: plan.paths() - ipv6_paths,
            ipv6_paths,
            neighbors: plan.routers.len() as u32,
            mode: job.args.mode.word(),
            card: job.session.backing().describe(),
            timed,
            seed: job.args.seed,
            routes: table.name.clone(),
            failed_router: u32::from(job.failed) + 1,
            successor_router: u32::from(job.successor) + 1,
            paths_per_router: plan.shares(),
            relinked: moved.relinked,
            failed: moved.failed,
            frames: seen(findings.frames).unwrap_or(totals.left()),
            observer: sight.word(),
            frames_per_router: (sight != Sight::None).then(|| findings.by_router.clone()),
            frames_old_after_completion: seen(findings.frames_old_after_completion),
            frames_mixed: seen(findings.frames_mixed),
            frames_while_invalid: seen(findings.frames_while_invalid),
            frames_out_of_order: seen(findings.frames_out_of_order),
            frames_unknown: seen(findings.frames_unknown),
            frames_unseen: seen(findings.unseen()),
            held: job.session.counter(Counter::FRAMES_HELD),
            dropped: totals.dropped(),
            clock: if timed { "card" } else { "wall" },
            offload_ns: times.offload_ns,
            invalidate_ns: times.invalidate_ns,
            relink_ns: times.relink_ns,
            relink_ns_per_path: per_path(times.relink_ns, moved.relinked),
            terminate_ns: times.terminate_ns,
            card_cycles: counts_cycles.then_some(times.relink_cycles),
            promises,
            wall_clock_ms: 0,
            wall_clock_observer_ns_per_frame: findings.cost.ns_per_frame(),
            wall_clock_observer_ms: findings.cost.ns_per_frame() * findings.frames_judged as f64
                / 1e6,
            wall_clock_audit_ms: checks.took.as_secs_f64() * 1e3,
            observer_error: findings.error,
            sight,
            clock_error_ns: times.clock_error_ns,
            picture: job.observer.picture(),
            table: describe(table),
        }
    }

    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        let text = serde_json::to_string(self).expect("a report has only numbers, words and lists");
        text + "\n"
    }
}

fn describe(table: &Table) -> String {
    let skipped = match table.skipped {
        0 => String::new(),
        skipped => format!("; {} entries skipped", grouped(skipped as u64)),
    };
    format!("{} ({} ranges{skipped})", table.name, grouped(table.ranges.len() as u64))
}

fn per_path(ns: u64, paths: u32) -> f64 {
    if paths == 0 { 0.0 } else { ns as f64 / f64::from(paths) }
}

/// A number with a comma between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
