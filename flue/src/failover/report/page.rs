//! The report as a page for a person.
//!
//! Beside the JSON object, of the same report. A mark for what held, one for what did not, and
//! none for what nobody could see.

use std::fmt::Write as _;

use super::super::timeline::duration;
use super::{Promise, Report, grouped, per_path};
use crate::observer::Sight;

impl Report {
    /// A page for a person.
    pub(in super::super) fn text(&self) -> String {
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
        let way = match (self.timed, self.sight) {
            (true, _) => "timed (one thread, card clock)",
            (false, Sight::Port) => "free-running",
            (false, Sight::Mirror) => "observed in its mirror",
            (false, Sight::None) => "not observed",
        };
        writeln!(page, "  card {}, {way}; mode {}; seed {}\n", self.card, self.mode, self.seed)?;
        self.write_picture(page)?;
        self.write_times(page)?;
        self.write_promises(page)?;
        writeln!(page, "{} ({:.2} s in all)", self.verdict(), self.wall_clock_ms as f64 / 1e3)
    }

    fn write_picture(&self, page: &mut String) -> std::fmt::Result {
        if self.sight == Sight::None {
            return writeln!(
                page,
                "What left the port was not looked at: the card has no bench BAR with a mirror of its\n\
                 frames, which only a served model has (flue serve --bench). To see the change of\n\
                 router, capture behind the port of the card.\n"
            );
        }
        writeln!(page, "Frames that left, by router, around the fail-over\n")?;
        write!(page, "{}", self.picture)?;
        if self.sight == Sight::Mirror {
            let error = duration(self.clock_error_ns);
            writeln!(
                page,
                "\n  Frames are stamped by the card, whose clock was set against the host's to within\n  \
                 ±{error}; before or after a mark is exact, by their numbers."
            )?;
        }
        writeln!(page)
    }

    fn write_times(&self, page: &mut String) -> std::fmt::Result {
        let clock = if self.timed { "card clock" } else { "wall clock" };
        writeln!(page, "Times ({clock})\n")?;
        let each = |ns: u64, count: u32| match count {
            0 => String::new(),
            _ => format!("{} paths, {:.1} ns each", grouped(count.into()), per_path(ns, count)),
        };
        let relink = match self.mode {
            "all" => format!("{} paths by one command", grouped(self.relinked.into())),
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
        let left = match self.sight {
            Sight::None => "left, says the card",
            _ => "left",
        };
        writeln!(
            page,
            "  frames     {:>11} {left}; {} of them held for a while, {} dropped",
            grouped(self.frames),
            grouped(self.held),
            grouped(self.dropped)
        )?;
        self.write_overhead(page)
    }

    /// What the checks themselves took, so that nobody takes it for the card's.
    fn write_overhead(&self, page: &mut String) -> std::fmt::Result {
        let in_the_way = match (self.timed, self.sight) {
            (true, _) => "; none of it on the card's clock",
            (false, Sight::Port) => ", in the way of the datapath",
            (false, _) => ", beside the card",
        };
        if self.sight != Sight::None {
            let (ns, ms) = (self.wall_clock_observer_ns_per_frame, self.wall_clock_observer_ms);
            let all = duration((ms * 1e6) as u64);
            writeln!(page, "  observer   {all:>11}   {ns:.0} ns a frame{in_the_way}")?;
        }
        let audit = duration((self.wall_clock_audit_ms * 1e6) as u64);
        writeln!(page, "  audit      {audit:>11}   every object asked of the card, at the end\n")
    }

    fn write_promises(&self, page: &mut String) -> std::fmt::Result {
        writeln!(page, "{:<64} {:>11} {:>8}\n", "Promises and checks", "checked", "broken")?;
        for Promise { promise, checked, broken } in &self.promises {
            let Some(broken) = broken else {
                writeln!(page, "    {promise:<60} {:>20}", "not observed")?;
                continue;
            };
            let sign = if *broken == 0 { '✓' } else { '✗' };
            writeln!(
                page,
                "  {sign} {promise:<60} {:>11} {:>8}",
                grouped(*checked),
                grouped(*broken)
            )?;
        }
        if let Some(error) = &self.observer_error {
            writeln!(page, "\n  the observer's mirror: {error}")?;
        }
        writeln!(page)
    }

    fn verdict(&self) -> String {
        let unseen = self.promises.iter().filter(|promise| promise.broken.is_none()).count();
        match (self.ok, unseen) {
            (false, _) => "NOT ok: a promise was broken or a check failed".to_owned(),
            (true, 0) => "ok: every promise held".to_owned(),
            (true, _) => format!(
                "ok: everything that could be checked held; {unseen} promises about frames were not \
                 observed"
            ),
        }
    }
}
