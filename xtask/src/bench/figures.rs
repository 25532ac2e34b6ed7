//! All that was measured: lines by round, and the questions that are asked of them.
//!
//! From `run`, to `judge` and the report. Rounds are kept apart, because the machine changes
//! between them: two series are compared within a round, and only then are rounds put together.

use super::line::{Latency, Line, Subject, median};

/// Everything that the programs printed.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    taken: Vec<Taken>,
}

/// A line, and the round in which it was printed.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) round: u32,
    pub(crate) line: Line,
}

/// Which figure of a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    /// The median of the turns, or of the distribution.
    Median,
    /// What one in a thousand exceeds.
    Tail,
}

impl Figures {
    /// Keeps a line.
    pub(crate) fn add(&mut self, round: u32, line: Line) {
        self.taken.push(Taken { round, line });
    }

    /// Everything, in the order in which it came.
    pub(crate) fn all(&self) -> &[Taken] {
        &self.taken
    }

    /// The cases of a job of which `series` has figures, as often as there are rounds of it once.
    pub(crate) fn cases(&self, job: &str, series: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for of in self.subjects(job).filter(|of| of.series == series) {
            if !found.contains(&of.case) {
                found.push(of.case.clone());
            }
        }
        found
    }

    /// The series of a case, in the order in which they came.
    pub(crate) fn series(&self, job: &str, case: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for of in self.subjects(job).filter(|of| of.case == case) {
            if !found.contains(&of.series) {
                found.push(of.series.clone());
            }
        }
        found
    }

    /// The figure of a series in each round, with what it is about.
    pub(crate) fn rounds(
        &self,
        (job, case, series): (&str, &str, &str),
        figure: Figure,
    ) -> Vec<(u32, f64, &Subject)> {
        let found = self.taken.iter().filter_map(|taken| {
            let of = taken.line.subject()?;
            let is_meant = of.job == job && of.case == case && of.series == series;
            let value = if is_meant { value(&taken.line, figure)? } else { return None };
            Some((taken.round, value, of))
        });
        found.collect()
    }

    /// The figure of a series over all rounds.
    pub(crate) fn value(&self, of: (&str, &str, &str), figure: Figure) -> Option<f64> {
        median(self.rounds(of, figure).into_iter().map(|(_, value, _)| value))
    }

    /// The distribution of a series: that of the round whose median is the middle one.
    pub(crate) fn latency(&self, (job, case, series): (&str, &str, &str)) -> Option<&Latency> {
        let found = self.taken.iter().filter_map(|taken| match &taken.line {
            Line::Latency(latency) => Some(latency),
            _ => None,
        });
        let is_meant = |of: &Subject| of.job == job && of.case == case && of.series == series;
        let mut found: Vec<_> = found.filter(|latency| is_meant(&latency.of)).collect();
        found.sort_by(|a, b| a.p50.total_cmp(&b.p50));
        found.get(found.len() / 2).copied()
    }

    fn subjects<'a>(&'a self, job: &'a str) -> impl Iterator<Item = &'a Subject> {
        let all = self.taken.iter().filter_map(|taken| taken.line.subject());
        all.filter(move |of| of.job == job)
    }
}

fn value(line: &Line, figure: Figure) -> Option<f64> {
    match (line, figure) {
        (Line::Sample(sample), Figure::Median) => median(sample.samples.iter().copied()),
        (Line::Latency(latency), Figure::Median) => Some(latency.p50),
        (Line::Latency(latency), Figure::Tail) => Some(latency.p99_9),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A line with one figure.
    pub(crate) fn sample(job: &str, case: &str, series: &str, ns: f64, hop_ns: f64) -> Line {
        let text = serde_json::json!({
            "kind": "sample", "job": job, "case": case, "series": series, "unit": "ns",
            "samples": [ns], "hop_ns": [hop_ns, hop_ns],
        });
        Line::read(&text.to_string()).unwrap().unwrap()
    }

    #[test]
    fn rounds_are_kept_apart_and_put_together_at_the_end() {
        let mut figures = Figures::default();
        for (round, ns) in [(1, 3.0), (2, 9.0), (3, 4.0)] {
            figures.add(round, sample("ring", "two_cores/burst_1", "flue", ns, 25.0));
        }
        let of = ("ring", "two_cores/burst_1", "flue");
        assert_eq!(figures.rounds(of, Figure::Median).len(), 3);
        assert_eq!(figures.value(of, Figure::Median), Some(4.0));
        assert_eq!(figures.value(of, Figure::Tail), None);
        assert_eq!(figures.cases("ring", "flue"), ["two_cores/burst_1"]);
        assert_eq!(figures.series("ring", "two_cores/burst_1"), ["flue"]);
    }
}
