//! What the fail-over has shown: one JSON object for scripts, a page for a person.
//!
//! The last arrow of `failover`. It judges only whether everything held: every promise that the
//! observer watched, every status, and what the card said afterwards. Keys that begin with
//! `wall_clock` differ from run to run; `clock` says which clock the `_ns` keys count: on a
//! timed card it is the card's own, and they are the same for the same seed.

use std::fmt::Write as _;

use abi::host::register::Counter;
use host_driver::backing::Backing;
use serde::Serialize;

use super::timeline::duration;
use super::traffic::Totals;
use super::verify::Checks;
use super::{Job, Moved, Times};
use crate::observer::Findings;
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
    frames: u64,
    frames_per_router: Vec<u64>,
    frames_old_after_completion: u64,
    frames_mixed: u64,
    frames_while_invalid: u64,
    frames_out_of_order: u64,
    frames_unknown: u64,
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
    #[serde(skip)]
    picture: String,
    #[serde(skip)]
    table: String,
}

/// One promise, or one check of what the card holds afterwards.
#[derive(Debug, Serialize)]
struct Promise {
    promise: &'static str,
    /// How often it was looked at.
    checked: u64,
    /// How often it did not hold.
    broken: u64,
}

impl Report {
    pub(super) fn new<B: Backing>(
        job: &Job<'_, B>,
        table: &Table,
        times: &Times,
        moved: &Moved,
        totals: &Totals,
        checks: Checks,
    ) -> Self {
        let plan = job.plan;
        let findings = job.observer.findings();
        let ipv6_paths = (0..plan.paths()).filter(|path| plan.is_ipv6(*path)).count() as u32;
        let promises = promises(job, moved, totals, &checks);
        let timed = job.args.card.timed;
        Self {
            ok: promises.iter().all(|promise| promise.broken == 0) && findings.are_clean(),
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
            frames: findings.frames,
            frames_per_router: findings.by_router.clone(),
            frames_old_after_completion: findings.frames_old_after_completion,
            frames_mixed: findings.frames_mixed,
            frames_while_invalid: findings.frames_while_invalid,
            frames_out_of_order: findings.frames_out_of_order,
            frames_unknown: findings.frames_unknown,
            held: job.session.counter(Counter::FRAMES_HELD),
            dropped: totals.dropped(),
            clock: if timed { "card" } else { "wall" },
            offload_ns: times.offload_ns,
            invalidate_ns: times.invalidate_ns,
            relink_ns: times.relink_ns,
            relink_ns_per_path: per_path(times.relink_ns, moved.relinked),
            terminate_ns: times.terminate_ns,
            card_cycles: timed.then_some(times.relink_cycles),
            promises,
            wall_clock_ms: 0,
            picture: job.observer.picture(),
            table: describe(table),
        }
    }

    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        let text = serde_json::to_string(self).expect("a report has only numbers, words and lists");
        text + "\n"
    }

    /// A page for a person.
    pub(super) fn text(&self) -> String {
        let mut page = String::new();
        self.write_text(&mut page).expect("writing into a string does not fail");
        page
    }

    fn write_text(&self, page: &mut String) -> std::fmt::Result {
        let Self { failed_router, successor_router, neighbors, .. } = self;
        writeln!(
            page,
            "Router {failed_router} of {neighbors} died; its {} paths went to router {successor_router}.\n",
            grouped(self.relinked.into())
        )?;
        writeln!(
            page,
            "  {} paths ({} IPv4, {} IPv6) towards {}",
            grouped(self.paths.into()),
            grouped(self.ipv4_paths.into()),
            grouped(self.ipv6_paths.into()),
            self.table
        )?;
        let way = if self.timed { "timed (one thread, card clock)" } else { "free-running" };
        writeln!(page, "  card {}, {way}; mode {}; seed {}\n", self.card, self.mode, self.seed)?;
        writeln!(page, "Frames that left, by router, around the fail-over\n")?;
        writeln!(page, "{}", self.picture)?;
        self.write_times(page)?;
        self.write_promises(page)?;
        let seconds = self.wall_clock_ms as f64 / 1e3;
        let verdict = if self.ok {
            "ok: every promise held"
        } else {
            "NOT ok: a promise was broken or a check failed"
        };
        writeln!(page, "{verdict} ({seconds:.2} s in all)")
    }

    fn write_times(&self, page: &mut String) -> std::fmt::Result {
        let clock = if self.timed { "card clock" } else { "wall clock" };
        writeln!(page, "Times ({clock})\n")?;
        let each = |ns: u64, count: u32| match count {
            0 => String::new(),
            _ => format!("{} paths, {:.1} ns each", grouped(count.into()), per_path(ns, count)),
        };
        let relink = match (self.mode, self.card_cycles) {
            ("all", _) => format!("{} paths by one command", grouped(self.relinked.into())),
            _ => each(self.relink_ns, self.relinked),
        };
        let cycles = self.card_cycles.map(|cycles| format!("; {} card cycles", grouped(cycles)));
        let rows = [
            ("offload", self.offload_ns, each(self.offload_ns, self.paths)),
            ("invalidate", self.invalidate_ns, String::new()),
            ("relink", self.relink_ns, relink + &cycles.unwrap_or_default()),
            ("terminate", self.terminate_ns, "the old router, at once".to_owned()),
        ];
        for (name, ns, note) in rows {
            writeln!(page, "{}", format!("  {name:<10} {:>11}   {note}", duration(ns)).trim_end())?;
        }
        writeln!(
            page,
            "  frames     {:>11} left; {} of them held for a while, {} dropped\n",
            grouped(self.frames),
            grouped(self.held),
            grouped(self.dropped)
        )
    }

    fn write_promises(&self, page: &mut String) -> std::fmt::Result {
        writeln!(page, "{:<64} {:>11} {:>8}\n", "Promises and checks", "checked", "broken")?;
        for Promise { promise, checked, broken } in &self.promises {
            let sign = if *broken == 0 { '✓' } else { '✗' };
            writeln!(
                page,
                "  {sign} {promise:<60} {:>11} {:>8}",
                grouped(*checked),
                grouped(*broken)
            )?;
        }
        writeln!(page)
    }
}

fn promises<B: Backing>(
    job: &Job<'_, B>,
    moved: &Moved,
    totals: &Totals,
    checks: &Checks,
) -> Vec<Promise> {
    let findings = job.observer.findings();
    let share = job.plan.shares()[usize::from(job.failed)];
    let mut rows = Vec::from(of_frames(&findings));
    rows.extend([
        row(
            "every path of the failed router was relinked",
            share.into(),
            differ(share, moved.relinked).max(moved.failed.into()),
        ),
        row(
            "every relinked path sent by the new router afterwards",
            moved.relinked.into(),
            differ(moved.relinked, findings.paths_seen_after),
        ),
        row("every packet left, or was dropped for want of room to hold it", totals.posted, {
            totals.open() + totals.lost() + totals.left().abs_diff(findings.frames)
        }),
    ]);
    rows.extend(of_card(moved, checks));
    rows
}

/// What the observer saw at the port.
fn of_frames(findings: &Findings) -> [Promise; 5] {
    [
        row(
            "a frame carries one neighbor's header whole, old or new",
            findings.frames,
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
        row("every frame is one that was sent", findings.frames, findings.frames_unknown),
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
    Promise { promise, checked, broken }
}

fn differ(a: u32, b: u32) -> u64 {
    a.abs_diff(b).into()
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
fn grouped(number: u64) -> String {
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
