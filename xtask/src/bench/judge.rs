//! Holds what was measured against the goals: pass, miss, or not measured.
//!
//! From `figures` and `goals`, to the report. A ratio is taken within a round, and the rounds'
//! ratios are put together by their median; a round in which the way between the processors
//! changed counts only where there is no better one, and the case is marked then.
//! Invariant: nothing that was not measured passes.

use super::figures::Figures;
use super::goals::{Against, ENGINE, GOALS, Goal};
use super::line::{Subject, median};

/// How a goal was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Miss,
    NotMeasured,
}

/// A goal, and how it was met.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) goal: &'static Goal,
    pub(crate) verdict: Verdict,
    /// The worst case's value.
    pub(crate) value: Option<f64>,
    pub(crate) cases: Vec<Case>,
    /// What is missing.
    pub(crate) missing: Vec<String>,
}

/// One case of a goal.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) case: String,
    pub(crate) value: f64,
    /// The engine's time and that of what it is held against, over the rounds that count.
    pub(crate) ours_ns: f64,
    pub(crate) other_ns: f64,
    /// The value in each round that counts.
    pub(crate) rounds: Vec<f64>,
    /// Whether the way between the processors changed in every round.
    pub(crate) is_disturbed: bool,
}

/// A round of a case.
#[derive(Debug)]
struct Pair {
    ours_ns: f64,
    other_ns: f64,
    is_quiet: bool,
}

impl Verdict {
    /// For a person.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Miss => "miss",
            Self::NotMeasured => "not measured",
        }
    }
}

impl Judged {
    /// The case with the worst value.
    pub(crate) fn worst(&self) -> Option<&Case> {
        let value = self.value?;
        self.cases.iter().find(|case| case.value == value)
    }

    /// Whether a case of it keeps the bound.
    pub(crate) fn verdict_of(&self, case: &Case) -> Verdict {
        if self.goal.bound.holds(case.value) { Verdict::Pass } else { Verdict::Miss }
    }

    /// The cases that miss, by what tells them apart.
    pub(crate) fn misses(&self) -> Vec<&str> {
        let missed = self.cases.iter().filter(|case| self.verdict_of(case) == Verdict::Miss);
        missed.map(|case| self.goal.cases.short(&case.case)).collect()
    }

    /// Whether a case of it has no quiet round.
    pub(crate) fn is_disturbed(&self) -> bool {
        self.cases.iter().any(|case| case.is_disturbed)
    }
}

/// Judges every goal of the jobs that `is_chosen`.
pub(crate) fn judge(figures: &Figures, is_chosen: impl Fn(&str) -> bool) -> Vec<Judged> {
    GOALS.iter().filter(|goal| is_chosen(goal.job)).map(|goal| one(figures, goal)).collect()
}

fn one(figures: &Figures, goal: &'static Goal) -> Judged {
    let taken = figures.cases(goal.job, ENGINE).into_iter().filter(|case| goal.cases.take(case));
    let (mut cases, mut missing) = (Vec::new(), Vec::new());
    for case in taken {
        match held_against(figures, goal, &case) {
            Some(held) => cases.push(held),
            None => missing.push(format!("{case}: {}", goal.against.shown())),
        }
    }
    if cases.is_empty() && missing.is_empty() {
        missing.push(format!("{}: {ENGINE}", goal.cases.shown()));
    }
    let worst = |one: f64, other: f64| goal.bound.worse(one, other);
    let value = cases.iter().map(|case: &Case| case.value).reduce(worst);
    let verdict = match value {
        // One case is enough to miss; to pass takes all of them.
        Some(value) if !goal.bound.holds(value) => Verdict::Miss,
        Some(_) if missing.is_empty() => Verdict::Pass,
        _ => Verdict::NotMeasured,
    };
    Judged { goal, verdict, value, cases, missing }
}

fn held_against(figures: &Figures, goal: &Goal, case: &str) -> Option<Case> {
    let pairs = pairs(figures, goal, case);
    let is_disturbed = pairs.iter().all(|pair| !pair.is_quiet);
    let kept: Vec<_> = pairs.iter().filter(|pair| pair.is_quiet || is_disturbed).collect();
    let rounds: Vec<f64> =
        kept.iter().map(|pair| goal.bound.value(pair.ours_ns, pair.other_ns)).collect();
    Some(Case {
        case: case.into(),
        value: median(rounds.iter().copied())?,
        ours_ns: median(kept.iter().map(|pair| pair.ours_ns))?,
        other_ns: median(kept.iter().map(|pair| pair.other_ns))?,
        rounds,
        is_disturbed,
    })
}

/// The rounds in which the engine and something it is held against were both measured.
fn pairs(figures: &Figures, goal: &Goal, case: &str) -> Vec<Pair> {
    let others: Vec<_> = goal
        .against
        .of(case)
        .into_iter()
        .flat_map(|(case, series)| figures.rounds((goal.job, &case, series), goal.figure))
        .collect();
    let ours = figures.rounds((goal.job, case, ENGINE), goal.figure);
    let pairs = ours.into_iter().filter_map(|(round, ours_ns, of): (u32, f64, &Subject)| {
        let same_round = others.iter().filter(|(other, ..)| *other == round);
        let (_, other_ns, other) = same_round.min_by(|a, b| a.1.total_cmp(&b.1))?;
        let is_quiet = match goal.against {
            Against::OneProcessor(_) => of.is_comparable(of),
            _ => of.is_comparable(other),
        };
        Some(Pair { ours_ns, other_ns: *other_ns, is_quiet })
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::sample;
    use super::*;

    const NEAR: f64 = 25.0;
    const FAR: f64 = 200.0;

    fn figures(lines: &[(u32, &str, &str, f64, f64)]) -> Figures {
        let mut figures = Figures::default();
        for (round, case, series, ns, hop_ns) in lines {
            figures.add(*round, sample("relink", case, series, *ns, *hop_ns));
        }
        figures
    }

    /// The first goal of the table: a list in order, at most twice its floor.
    fn first(figures: &Figures) -> Judged {
        judge(figures, |job| job == "relink").swap_remove(0)
    }

    #[test]
    fn a_goal_that_holds_in_every_case_passes() {
        let judged = first(&figures(&[
            (1, "list/in_order/10000", "flue", 3.0, NEAR),
            (1, "list/in_order/10000", "floor", 2.0, NEAR),
            (1, "list/in_order/100000", "flue", 3.9, NEAR),
            (1, "list/in_order/100000", "floor", 2.0, NEAR),
        ]));
        assert_eq!((judged.verdict, judged.value), (Verdict::Pass, Some(1.95)));
        assert_eq!(judged.worst().unwrap().case, "list/in_order/100000");
        assert!(!judged.is_disturbed());
    }

    #[test]
    fn one_case_is_enough_to_miss() {
        let judged = first(&figures(&[
            (1, "list/in_order/10000", "flue", 3.0, NEAR),
            (1, "list/in_order/10000", "floor", 2.0, NEAR),
            (1, "list/in_order/100000", "flue", 5.0, NEAR),
            (1, "list/in_order/100000", "floor", 2.0, NEAR),
        ]));
        assert_eq!((judged.verdict, judged.value), (Verdict::Miss, Some(2.5)));
        assert_eq!((judged.cases.len(), judged.misses()), (2, vec!["100000"]));
        assert_eq!(judged.verdict_of(&judged.cases[0]), Verdict::Pass);
    }

    #[test]
    fn what_has_no_peer_is_not_measured_and_never_passes() {
        let nothing = first(&Figures::default());
        assert_eq!((nothing.verdict, nothing.value), (Verdict::NotMeasured, None));
        let judged = first(&figures(&[(1, "list/in_order/10000", "flue", 3.0, NEAR)]));
        assert_eq!(judged.verdict, Verdict::NotMeasured);
        assert_eq!(judged.missing, ["list/in_order/10000: floor"]);
    }

    #[test]
    fn a_case_without_its_peer_keeps_the_others_from_passing() {
        let mut lines = vec![
            (1, "list/in_order/10000", "flue", 3.0, NEAR),
            (1, "list/in_order/10000", "floor", 2.0, NEAR),
            (1, "list/in_order/100000", "flue", 3.0, NEAR),
        ];
        assert_eq!(first(&figures(&lines)).verdict, Verdict::NotMeasured);
        lines[0].3 = 30.0;
        assert_eq!(first(&figures(&lines)).verdict, Verdict::Miss);
    }

    #[test]
    fn a_size_below_the_goals_does_not_count() {
        let judged = first(&figures(&[
            (1, "list/in_order/1000", "flue", 30.0, NEAR),
            (1, "list/in_order/1000", "floor", 1.0, NEAR),
        ]));
        assert_eq!(judged.verdict, Verdict::NotMeasured);
    }

    #[test]
    fn a_ratio_is_taken_within_a_round() {
        // Near in one round and far in the other: the ratio is the same, the times are not.
        let judged = first(&figures(&[
            (1, "list/in_order/10000", "flue", 3.0, NEAR),
            (1, "list/in_order/10000", "floor", 2.0, NEAR),
            (2, "list/in_order/10000", "flue", 15.0, FAR),
            (2, "list/in_order/10000", "floor", 10.0, FAR),
        ]));
        assert_eq!(judged.value, Some(1.5));
        assert_eq!(judged.cases[0].rounds, [1.5, 1.5]);
    }

    #[test]
    fn a_round_in_which_the_hop_changed_counts_only_if_there_is_no_other() {
        let mut lines = vec![
            (1, "list/in_order/10000", "flue", 15.0, FAR),
            (1, "list/in_order/10000", "floor", 2.0, NEAR),
        ];
        let judged = first(&figures(&lines));
        assert_eq!((judged.value, judged.is_disturbed()), (Some(7.5), true));
        lines.push((2, "list/in_order/10000", "flue", 15.0, FAR));
        lines.push((2, "list/in_order/10000", "floor", 10.0, FAR));
        let judged = first(&figures(&lines));
        assert_eq!((judged.value, judged.is_disturbed()), (Some(1.5), false));
    }

    #[test]
    fn the_way_between_processors_means_nothing_to_what_needs_one() {
        let figures = figures(&[
            (1, "list/in_order/10000", "flue", 1.0, NEAR),
            (1, "list/in_order/10000", "rte_hash update", 9.0, FAR),
        ]);
        let judged = judge(&figures, |job| job == "relink");
        let hash = judged.iter().find(|judged| judged.value == Some(9.0)).unwrap();
        assert_eq!((hash.verdict, hash.is_disturbed()), (Verdict::Pass, false));
    }

    #[test]
    fn the_better_of_two_floors_is_the_floor() {
        let mut figures = Figures::default();
        for (series, ns) in [("flue", 6.0), ("index floor", 10.0), ("slot floor", 4.0)] {
            figures.add(1, sample("ring", "two_cores/burst_1", series, ns, NEAR));
        }
        let judged = judge(&figures, |job| job == "ring");
        let burst_1 = judged.iter().find(|judged| judged.value == Some(1.5));
        assert_eq!(burst_1.map(|judged| judged.verdict), Some(Verdict::Miss));
    }
}
