//! The table of goals: what is compared with what, and the ratio that is to hold.
//!
//! Read by `judge`; the only place where a bound stands. A goal is about one job and some of its
//! cases; what it is held against was measured in the same round, right before or after it.

use super::figures::Figure;

/// The engine, as its series are named.
pub(crate) const ENGINE: &str = "flue";
/// What stands behind the name of a case that is measured beside a writer at full rate.
const RELINKED: &str = "/relinked";

// Relink of N listed paths: from objects in the host's memory to completions and statuses.
const LIST_TO_FLOOR: f64 = 2.0;
const LIST_IN_ORDER_TO_HASH: f64 = 8.0;
const LIST_SHUFFLED_TO_HASH: f64 = 3.5;
const LIST_IN_ORDER_TO_KERNEL: f64 = 100.0;
const LIST_SHUFFLED_TO_KERNEL: f64 = 40.0;
// One command that moves all paths, or gives a neighbor a new address.
const COMMAND_TO_FLOOR: f64 = 1.5;
const COMMAND_MANY_TO_FEW: f64 = 1.1;
const COMMAND_TO_KERNEL: f64 = 5.0;
// Lookups beside a writer that relinks at full rate.
const LOOKUP_OF_FLOOR: f64 = 0.85;
const LOOKUP_LOSS: f64 = 0.12;
const LOOKUP_TAIL_TO_FLOOR: f64 = 1.3;
const LOOKUP_TO_HASH: f64 = 2.4;
const LOOKUP_TO_PAPAYA: f64 = 8.0;
const LOOKUP_TO_DASHMAP: f64 = 8.0;
const LOOKUP_TO_SCC: f64 = 6.0;
// The ring between two processors.
const RING_BURST_32_TO_FLOOR: f64 = 1.15;
const RING_BURST_1_TO_FLOOR: f64 = 1.2;
const RING_TO_PEER: f64 = 1.0;
// Initial offload of N objects, tree and completions included.
const OFFLOAD_TO_FLOOR: f64 = 2.5;
const OFFLOAD_TO_HASH: f64 = 3.0;
const OFFLOAD_TO_KERNEL: f64 = 50.0;

/// From so many objects on a goal about N objects is to hold.
const SIZE_LEAST: u64 = 10_000;
/// The two numbers of objects between which a command's time must not grow.
pub(crate) const MANY: &str = "1000000";
pub(crate) const FEW: &str = "1000";

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Goal {
    pub(crate) job: &'static str,
    /// What is to hold, for a person, without the bound.
    pub(crate) claim: &'static str,
    pub(crate) cases: Cases,
    pub(crate) figure: Figure,
    pub(crate) against: Against,
    pub(crate) bound: Bound,
}

/// The cases that a goal is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cases {
    /// This one.
    One(&'static str),
    /// Those that begin so and end in a number of objects that is not too small.
    Sizes(&'static str),
    /// Those that begin so and end in any number of objects.
    AnySize(&'static str),
    /// Those that begin so.
    Begin(&'static str),
    /// Those that begin so, and are measured beside a writer at full rate.
    Relinked(&'static str),
    /// Those that begin so and end in [`MANY`].
    Many(&'static str),
}

/// What the engine's time is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Against {
    /// The best of these series, in the same case.
    Series(&'static [&'static str]),
    /// This series, which needs one processor: the way between two means nothing to it.
    OneProcessor(&'static str),
    /// The engine itself, with [`FEW`] objects.
    Few,
    /// The engine itself, without a writer.
    Alone,
}

/// The bound, and what is bounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    /// The engine takes at most so many times the other's time.
    AtMostTimes(f64),
    /// The engine is at least so many times as fast as the other.
    AtLeastTimes(f64),
    /// The engine loses at most this fraction of its speed.
    LossAtMost(f64),
}

impl Cases {
    /// Whether a case is meant.
    pub(crate) fn take(self, case: &str) -> bool {
        let size = |begin: &str| case.strip_prefix(begin)?.parse::<u64>().ok();
        match self {
            Self::One(one) => case == one,
            Self::Sizes(begin) => size(begin).is_some_and(|size| size >= SIZE_LEAST),
            Self::AnySize(begin) => size(begin).is_some(),
            Self::Begin(begin) => case.starts_with(begin),
            Self::Relinked(begin) => case.starts_with(begin) && case.ends_with(RELINKED),
            Self::Many(begin) => case.starts_with(begin) && case.ends_with(MANY),
        }
    }

    /// What tells a case from the others that are meant.
    pub(crate) fn short(self, case: &str) -> &str {
        match self {
            Self::One(_) => case,
            Self::Sizes(begin)
            | Self::AnySize(begin)
            | Self::Begin(begin)
            | Self::Relinked(begin)
            | Self::Many(begin) => {
                let end = case.strip_prefix(begin).unwrap_or(case);
                end.strip_suffix(RELINKED).unwrap_or(end)
            }
        }
    }

    /// For a person.
    pub(crate) fn shown(self) -> String {
        match self {
            Self::One(one) => one.into(),
            Self::Sizes(begin) => format!("{begin}N, N from {SIZE_LEAST}"),
            Self::AnySize(begin) => format!("{begin}N"),
            Self::Begin(begin) => format!("{begin}…"),
            Self::Relinked(begin) => format!("{begin}…{RELINKED}"),
            Self::Many(begin) => format!("{begin}…{MANY}"),
        }
    }
}

impl Against {
    /// Case and series of what a case is held against.
    pub(crate) fn of(self, case: &str) -> Vec<(String, &'static str)> {
        match self {
            Self::Series(series) => series.iter().map(|one| (case.into(), *one)).collect(),
            Self::OneProcessor(series) => vec![(case.into(), series)],
            Self::Few => {
                let begin = case.strip_suffix(MANY).unwrap_or(case);
                vec![(format!("{begin}{FEW}"), ENGINE)]
            }
            Self::Alone => vec![(case.strip_suffix(RELINKED).unwrap_or(case).into(), ENGINE)],
        }
    }

    /// For a person.
    pub(crate) fn shown(self) -> String {
        match self {
            Self::Series(series) => series.join(" or "),
            Self::OneProcessor(series) => series.into(),
            Self::Few => format!("flue, N = {FEW}"),
            Self::Alone => "flue, no writer".into(),
        }
    }
}

impl Bound {
    /// What is bounded, from the engine's time and the other's.
    pub(crate) fn value(self, ours: f64, other: f64) -> f64 {
        match self {
            Self::AtMostTimes(_) => ours / other,
            Self::AtLeastTimes(_) => other / ours,
            Self::LossAtMost(_) => 1.0 - other / ours,
        }
    }

    /// Whether a value keeps it.
    pub(crate) fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMostTimes(most) | Self::LossAtMost(most) => value <= most,
            Self::AtLeastTimes(least) => value >= least,
        }
    }

    /// The worse of two values.
    pub(crate) fn worse(self, one: f64, other: f64) -> f64 {
        match self {
            Self::AtMostTimes(_) | Self::LossAtMost(_) => one.max(other),
            Self::AtLeastTimes(_) => one.min(other),
        }
    }

    /// For a person.
    pub(crate) fn shown(self) -> String {
        match self {
            Self::AtMostTimes(most) => format!("≤ {most} ×"),
            Self::AtLeastTimes(least) => format!("≥ {least} ×"),
            Self::LossAtMost(most) => format!("≤ {:.0} %", most * 100.0),
        }
    }

    /// A value of this kind, for a person.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::LossAtMost(_) => format!("{:.1} %", value * 100.0),
            _ if value.abs() < 10.0 => format!("{value:.2} ×"),
            _ if value.abs() < 100.0 => format!("{value:.1} ×"),
            _ => format!("{value:.0} ×"),
        }
    }
}

const FLOOR: Against = Against::Series(&["floor"]);

/// A row about medians.
const fn goal(
    job: &'static str,
    claim: &'static str,
    cases: Cases,
    against: Against,
    bound: Bound,
) -> Goal {
    Goal { job, claim, cases, figure: Figure::Median, against, bound }
}

/// Every goal, one a line, in the order of the table.
#[rustfmt::skip]
pub(crate) const GOALS: &[Goal] = {
    use Against::{Alone, Few, OneProcessor, Series};
    use Bound::{AtLeastTimes, AtMostTimes, LossAtMost};
    use Cases::{AnySize, Begin, Many, One, Relinked, Sizes};
    const IN_ORDER: Cases = Sizes("list/in_order/");
    const SHUFFLED: Cases = Sizes("list/shuffled/");
    const HASH_UPDATE: Against = OneProcessor("rte_hash update");
    const ROUTE_MOVE: Against = OneProcessor("linux route nhid");
    const NEXTHOP: Against = OneProcessor("linux nexthop replace, compat mode 0");
    const BATCH_64: Cases = One("batch/64/relinked");
    &[
        goal("relink", "list in order", IN_ORDER, FLOOR, AtMostTimes(LIST_TO_FLOOR)),
        goal("relink", "list shuffled", SHUFFLED, FLOOR, AtMostTimes(LIST_TO_FLOOR)),
        goal("relink", "list in order", IN_ORDER, HASH_UPDATE, AtLeastTimes(LIST_IN_ORDER_TO_HASH)),
        goal("relink", "list shuffled", SHUFFLED, HASH_UPDATE, AtLeastTimes(LIST_SHUFFLED_TO_HASH)),
        goal("relink", "list in order", IN_ORDER, ROUTE_MOVE, AtLeastTimes(LIST_IN_ORDER_TO_KERNEL)),
        goal("relink", "list shuffled", SHUFFLED, ROUTE_MOVE, AtLeastTimes(LIST_SHUFFLED_TO_KERNEL)),
        goal("command", "relink all, datapath idle", AnySize("relink_all/idle/"), FLOOR, AtMostTimes(COMMAND_TO_FLOOR)),
        goal("command", "relink all, datapath busy", AnySize("relink_all/busy/"), FLOOR, AtMostTimes(COMMAND_TO_FLOOR)),
        goal("command", "MAC update, datapath idle", AnySize("mac_update/idle/"), FLOOR, AtMostTimes(COMMAND_TO_FLOOR)),
        goal("command", "MAC update, datapath busy", AnySize("mac_update/busy/"), FLOOR, AtMostTimes(COMMAND_TO_FLOOR)),
        goal("command", "one command for a million paths", Many(""), Few, AtMostTimes(COMMAND_MANY_TO_FEW)),
        goal("command", "relink all, datapath idle", AnySize("relink_all/idle/"), NEXTHOP, AtLeastTimes(COMMAND_TO_KERNEL)),
        goal("lookup", "chain beside a writer, any batch", Relinked("batch/"), FLOOR, AtLeastTimes(LOOKUP_OF_FLOOR)),
        goal("lookup", "what a writer costs, any batch", Relinked("batch/"), Alone, LossAtMost(LOOKUP_LOSS)),
        Goal { figure: Figure::Tail, ..goal("lookup", "single lookups beside a writer, p99.9", One("single/relinked"), FLOOR, AtMostTimes(LOOKUP_TAIL_TO_FLOOR)) },
        goal("lookup", "chain beside a writer, batch 64", BATCH_64, Series(&["rte_hash bulk"]), AtLeastTimes(LOOKUP_TO_HASH)),
        goal("lookup", "chain beside a writer, batch 64", BATCH_64, Series(&["papaya"]), AtLeastTimes(LOOKUP_TO_PAPAYA)),
        goal("lookup", "chain beside a writer, batch 64", BATCH_64, Series(&["dashmap"]), AtLeastTimes(LOOKUP_TO_DASHMAP)),
        goal("lookup", "chain beside a writer, batch 64", BATCH_64, Series(&["scc"]), AtLeastTimes(LOOKUP_TO_SCC)),
        goal("ring", "64-byte commands, burst 32", One("two_cores/burst_32"), Series(&["index floor"]), AtMostTimes(RING_BURST_32_TO_FLOOR)),
        goal("ring", "64-byte commands, burst 1", One("two_cores/burst_1"), Series(&["index floor", "slot floor"]), AtMostTimes(RING_BURST_1_TO_FLOOR)),
        goal("ring", "64-byte commands, any burst", Begin("two_cores/"), Series(&["ringbuf"]), AtLeastTimes(RING_TO_PEER)),
        goal("ring", "64-byte commands, any burst", Begin("two_cores/"), Series(&["rtrb"]), AtLeastTimes(RING_TO_PEER)),
        goal("ring", "64-byte commands, any burst", Begin("two_cores/"), Series(&["rte_ring zero-copy"]), AtLeastTimes(RING_TO_PEER)),
        goal("offload", "N paths", Sizes("path/"), FLOOR, AtMostTimes(OFFLOAD_TO_FLOOR)),
        goal("offload", "N paths", Sizes("path/"), OneProcessor("rte_hash insert"), AtLeastTimes(OFFLOAD_TO_HASH)),
        goal("offload", "N paths", Sizes("path/"), OneProcessor("linux route add nhid"), AtLeastTimes(OFFLOAD_TO_KERNEL)),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_taken_from_the_end_of_a_case() {
        let cases = Cases::Sizes("list/in_order/");
        assert!(cases.take("list/in_order/10000") && cases.take("list/in_order/1000000"));
        assert!(!cases.take("list/in_order/1000"), "too small to count");
        assert!(!cases.take("list/shuffled/10000") && !cases.take("list/in_order/all"));
        assert!(Cases::AnySize("relink_all/idle/").take("relink_all/idle/1000"));
        assert_eq!(cases.short("list/in_order/10000"), "10000");
        assert_eq!(Cases::Relinked("batch/").short("batch/64/relinked"), "64");
    }

    #[test]
    fn what_a_case_is_held_against_follows_from_its_name() {
        let few = Against::Few.of("relink_all/idle/1000000");
        assert_eq!(few, [("relink_all/idle/1000".to_string(), ENGINE)]);
        let alone = Against::Alone.of("batch/64/relinked");
        assert_eq!(alone, [("batch/64".to_string(), ENGINE)]);
        assert!(Cases::Relinked("batch/").take("batch/64/relinked"));
        assert!(!Cases::Relinked("batch/").take("batch/64"));
    }

    #[test]
    fn a_bound_is_of_time_of_speed_or_of_loss() {
        let (most, least, loss) =
            (Bound::AtMostTimes(2.0), Bound::AtLeastTimes(8.0), Bound::LossAtMost(0.12));
        assert!(most.holds(most.value(3.9, 2.0)) && !most.holds(most.value(4.1, 2.0)));
        assert!(least.holds(least.value(2.0, 16.0)) && !least.holds(least.value(2.0, 15.9)));
        assert!(loss.holds(loss.value(11.0, 10.0)) && !loss.holds(loss.value(12.0, 10.0)));
        assert_eq!((most.worse(1.0, 2.0), least.worse(1.0, 2.0)), (2.0, 1.0));
        assert_eq!((most.shown().as_str(), loss.show(0.1).as_str()), ("≤ 2 ×", "10.0 %"));
    }

    #[test]
    fn no_goal_stands_twice() {
        for (i, goal) in GOALS.iter().enumerate() {
            let same = |other: &Goal| {
                (other.job, other.cases.shown(), other.against.shown())
                    == (goal.job, goal.cases.shown(), goal.against.shown())
            };
            assert!(!GOALS[..i].iter().any(same), "{goal:?}");
        }
    }
}
