//! Taking turns: floor, engine and peers of one case, again and again, disturbed turns left out.
//!
//! From the workloads, to the lines that `side-by-side` prints. A figure counts only beside the
//! others of its turn, because the machine changes under them.
//! Invariant: a turn counts for all its series or for none.

use serde::Serialize;

use crate::machine;

/// A turn in which the hop changed by more than this is left out.
const HOP_CHANGE_MAX: f64 = 1.5;
/// Times the measuring thread may be taken off its processor in a turn.
const DISTURBED_MAX: u64 = 20;
/// Turns left out, for each that is wanted, before a case goes on with what it has.
const REJECTED_MAX: usize = 2;

/// Points of a latency distribution that are printed.
const POINTS: usize = 64;
/// Buckets of the histogram for each doubling: a bucket is as wide as 1.6 % of its value.
const BUCKETS: usize = 64;
const BUCKET_BITS: u32 = BUCKETS.ilog2();

/// What a run was asked for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Objects of the cases that come in sizes.
    pub sizes: Vec<usize>,
    /// Turns of a case.
    pub repeats: usize,
    /// Whether to be short rather than exact.
    pub is_quick: bool,
}

/// One line of the output.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Report {
    /// The machine.
    Machine(machine::Facts),
    /// Figures of one series of a case.
    Sample(Sample),
    /// A distribution of one series of a case.
    Latency(Latency),
}

impl Report {
    /// Notes what a writer did beside the figures.
    pub const fn set_rate(&mut self, relinks_per_second: f64) {
        if let Self::Sample(sample) = self {
            sample.relinks_per_second = Some(relinks_per_second);
        }
    }
}

/// Figures of one series of a case, one a turn.
#[derive(Debug, Serialize)]
pub struct Sample {
    /// The job.
    pub job: &'static str,
    /// The case.
    pub case: String,
    /// Who did it.
    pub series: String,
    /// What is counted.
    pub unit: &'static str,
    /// One figure a turn.
    pub samples: Vec<f64>,
    /// What a writer beside it did, in relinks a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relinks_per_second: Option<f64>,
    /// Turns that were left out.
    pub rejected: usize,
    /// The hop before the case and after it.
    pub hop_ns: [f64; 2],
}

/// A distribution of one series of a case.
#[derive(Debug, Serialize)]
pub struct Latency {
    /// The job.
    pub job: &'static str,
    /// The case.
    pub case: String,
    /// Who did it.
    pub series: String,
    /// What is counted.
    pub unit: &'static str,
    /// Half of them were no slower.
    pub p50: f64,
    /// 99 % were no slower.
    pub p99: f64,
    /// 99.9 % were no slower.
    pub p99_9: f64,
    /// Latency, and the share that was no slower.
    pub points: Vec<(f64, f64)>,
    /// How many there were.
    pub count: u64,
    /// Turns that were left out.
    pub rejected: usize,
    /// The hop before the case and after it.
    pub hop_ns: [f64; 2],
}

/// Who does the job of a case, and how it is measured once.
pub struct Series<'a, T> {
    name: String,
    once: Box<dyn FnMut() -> T + 'a>,
}

impl<'a, T> Series<'a, T> {
    /// A series by its name; `once` measures it for one turn.
    pub fn new(name: impl Into<String>, once: impl FnMut() -> T + 'a) -> Self {
        Self { name: name.into(), once: Box::new(once) }
    }
}

/// What the turns of a case gave.
struct Turns<T> {
    series: Vec<(String, Vec<T>)>,
    rejected: usize,
    hop_ns: [f64; 2],
}

/// Measures a case whose series give one figure a turn.
pub fn samples(
    (job, case, unit): (&'static str, &str, &'static str),
    plan: &Plan,
    series: Vec<Series<'_, f64>>,
) -> Vec<Report> {
    let Turns { series, rejected, hop_ns } = take(job, case, plan, series);
    let report = |(series, samples): (String, Vec<f64>)| {
        let middle = median(&samples);
        eprintln!("  {series:<28} {middle:10.2} {unit}");
        let case = case.to_owned();
        Report::Sample(Sample {
            job,
            case,
            series,
            unit,
            samples,
            relinks_per_second: None,
            rejected,
            hop_ns,
        })
    };
    series.into_iter().map(report).collect()
}

/// Measures a case whose series give a distribution a turn; those of all turns are put together.
pub fn latencies(
    (job, case): (&'static str, &str),
    plan: &Plan,
    series: Vec<Series<'_, Histogram>>,
) -> Vec<Report> {
    let Turns { series, rejected, hop_ns } = take(job, case, plan, series);
    let report = |(series, turns): (String, Vec<Histogram>)| {
        let mut all = Histogram::new();
        turns.iter().for_each(|turn| all.merge(turn));
        let [p50, p99, p99_9] = [0.5, 0.99, 0.999].map(|share| all.quantile_ns(share));
        eprintln!("  {series:<28} p50 {p50:9.0}  p99 {p99:9.0}  p99.9 {p99_9:9.0} ns");
        let (case, unit, points, count) = (case.to_owned(), "ns", all.points(), all.count);
        Report::Latency(Latency {
            job,
            case,
            series,
            unit,
            p50,
            p99,
            p99_9,
            points,
            count,
            rejected,
            hop_ns,
        })
    };
    series.into_iter().map(report).collect()
}

fn take<T>(job: &str, case: &str, plan: &Plan, mut series: Vec<Series<'_, T>>) -> Turns<T> {
    let mut kept: Vec<Vec<T>> = series.iter().map(|_| Vec::new()).collect();
    let mut rejected = 0;
    let is_fifo = machine::is_fifo();
    let first = machine::hop_ns();
    let mut before = first;
    loop {
        let disturbed = machine::times_disturbed();
        let turn: Vec<T> = series.iter_mut().map(|one| (one.once)()).collect();
        let disturbed = machine::times_disturbed() - disturbed;
        let after = machine::hop_ns();
        let change = (before / after).max(after / before);
        before = after;
        let is_quiet = change <= HOP_CHANGE_MAX && (is_fifo || disturbed <= DISTURBED_MAX);
        let is_hopeless = rejected >= plan.repeats * REJECTED_MAX;
        if is_quiet || is_hopeless {
            kept.iter_mut().zip(turn).for_each(|(kept, figure)| kept.push(figure));
        } else {
            rejected += 1;
        }
        if kept.first().is_none_or(|kept| kept.len() >= plan.repeats) {
            break;
        }
    }
    eprintln!("{job} {case}  (hop {first:.0} to {before:.0} ns, {rejected} turns rejected)");
    let names = series.into_iter().map(|one| one.name);
    Turns { series: names.zip(kept).collect(), rejected, hop_ns: [first, before] }
}

/// The figure in the middle; NaN of none.
#[must_use]
pub fn median(figures: &[f64]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Counts durations in ticks, in buckets that get wider with the duration.
#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    ticks: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    /// Nothing counted.
    #[must_use]
    pub fn new() -> Self {
        let doublings = (u64::BITS - BUCKET_BITS + 1) as usize;
        Self { buckets: vec![0; doublings * BUCKETS], count: 0, ticks: 0 }
    }

    /// Counts one.
    #[inline]
    pub fn add(&mut self, ticks: u64) {
        self.buckets[Self::bucket(ticks)] += 1;
        self.count += 1;
        self.ticks += ticks;
    }

    /// How many were counted.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// All of them together, in ns.
    #[must_use]
    pub fn total_ns(&self) -> f64 {
        self.ticks as f64 / machine::ticks_per_ns()
    }

    /// Takes all of `other` in.
    pub fn merge(&mut self, other: &Self) {
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(all, more)| *all += more);
        self.count += other.count;
        self.ticks += other.ticks;
    }

    /// The duration in ns that a `share` of them did not exceed.
    #[must_use]
    pub fn quantile_ns(&self, share: f64) -> f64 {
        let wanted = (self.count as f64 * share) as u64;
        let mut below = 0;
        let found = self.buckets.iter().position(|count| {
            below += count;
            below > wanted
        });
        found.map_or(f64::NAN, |bucket| Self::middle(bucket) / machine::ticks_per_ns())
    }

    /// At most `POINTS` of the distribution, from the fastest to the slowest.
    #[must_use]
    pub fn points(&self) -> Vec<(f64, f64)> {
        let mut points = Vec::with_capacity(POINTS);
        let (mut below, mut bucket) = (0, 0);
        for point in 1..=POINTS {
            // Half of the points lie in the slowest tenth, where the eye looks.
            let share = share_of(point as f64 / POINTS as f64);
            let wanted = (share * self.count as f64).ceil() as u64;
            let before = bucket;
            while bucket < self.buckets.len() && below < wanted {
                below += self.buckets[bucket];
                bucket += 1;
            }
            if bucket != before {
                let ns = Self::middle(bucket - 1) / machine::ticks_per_ns();
                points.push((ns, below as f64 / self.count as f64));
            }
        }
        points
    }

    #[inline]
    fn bucket(ticks: u64) -> usize {
        let doubling = (u64::BITS - ticks.leading_zeros()).saturating_sub(BUCKET_BITS + 1);
        ((doubling as usize) << BUCKET_BITS) + (ticks >> doubling) as usize
    }

    fn middle(bucket: usize) -> f64 {
        if bucket < 2 * BUCKETS {
            return bucket as f64;
        }
        let doubling = (bucket >> BUCKET_BITS) - 1;
        let first = (bucket - (doubling << BUCKET_BITS)) << doubling;
        first as f64 + ((1_u64 << doubling) as f64 - 1.0) / 2.0
    }
}

/// Spreads points evenly up to nine tenths, then ever closer to one.
fn share_of(along: f64) -> f64 {
    const TAIL: f64 = 0.9;
    const DECADES: f64 = 3.0;
    if along < 0.5 {
        return along * 2.0 * TAIL;
    }
    if along >= 1.0 {
        return 1.0;
    }
    1.0 - (1.0 - TAIL) * 10_f64.powf(-(along - 0.5) * 2.0 * DECADES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_as_wide_as_a_small_share_of_its_value() {
        let mut last = 0;
        for ticks in (0..100_000).chain((17..60).map(|bit| 1 << bit)) {
            let bucket = Histogram::bucket(ticks);
            assert!(bucket >= last, "buckets are in order");
            last = bucket;
            let off = (Histogram::middle(bucket) - ticks as f64).abs();
            assert!(off <= ticks as f64 / BUCKETS as f64, "{ticks} ticks are {off} off");
        }
        assert!(Histogram::bucket(u64::MAX) < Histogram::new().buckets.len());
    }

    #[test]
    fn points_end_with_the_slowest() {
        let mut histogram = Histogram::new();
        (0..10_000).for_each(|ticks| histogram.add(ticks));
        let points = histogram.points();
        assert!(points.len() <= POINTS && points.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
        assert_eq!(points.last().map(|point| point.1), Some(1.0));
    }
}
