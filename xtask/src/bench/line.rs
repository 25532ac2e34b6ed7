//! What a measuring program prints: one JSON object a line.
//!
//! From programs, to `figures`. Other lines are for a person and are passed over; a line that
//! begins like an object and is none, or holds a figure that cannot be, is an error, so that
//! nothing is lost silently.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How far two figures of the hop may be apart to count as the same.
pub(crate) const HOP_CHANGE: f64 = 1.5;

/// One line.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Line {
    /// Facts of the machine.
    Machine(Map<String, Value>),
    /// Times of operations, one a turn.
    Sample(Sample),
    /// The distribution of single operations.
    Latency(Latency),
}

/// What was measured, by whom, and between which two hops.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Subject {
    pub(crate) job: String,
    pub(crate) case: String,
    pub(crate) series: String,
    pub(crate) unit: String,
    /// Turns that were thrown away as disturbed.
    #[serde(default)]
    pub(crate) rejected: u64,
    /// One way of a cache line from processor to processor, before and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hop_ns: Option<[f64; 2]>,
    /// What a writer really did beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) relinks_per_second: Option<f64>,
}

/// Times of operations, the mean of each turn.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Sample {
    #[serde(flatten)]
    pub(crate) of: Subject,
    pub(crate) samples: Vec<f64>,
}

/// The distribution of single operations.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Latency {
    #[serde(flatten)]
    pub(crate) of: Subject,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p99_9: f64,
    /// Time, and the fraction that was no slower, in ascending order.
    #[serde(default)]
    pub(crate) points: Vec<(f64, f64)>,
}

impl Line {
    /// Reads a line; none for one that is for a person.
    ///
    /// # Errors
    /// Why it is no line of figures.
    pub(crate) fn read(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim();
        if !text.starts_with('{') {
            return Ok(None);
        }
        let line: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let is_time = |time: &f64| time.is_finite() && *time > 0.0;
        let is_good = match &line {
            Self::Machine(_) => true,
            Self::Sample(of) => !of.samples.is_empty() && of.samples.iter().all(is_time),
            Self::Latency(of) => [of.p50, of.p99, of.p99_9].iter().all(is_time),
        };
        if is_good { Ok(Some(line)) } else { Err("a time is not above zero".into()) }
    }

    /// What it is about; nothing for the machine.
    pub(crate) fn subject(&self) -> Option<&Subject> {
        match self {
            Self::Machine(_) => None,
            Self::Sample(sample) => Some(&sample.of),
            Self::Latency(latency) => Some(&latency.of),
        }
    }
}

impl Subject {
    /// Whether the way between the processors stayed the same, during each and from one to the other.
    pub(crate) fn is_comparable(&self, other: &Self) -> bool {
        let hops = [self.hop_ns, other.hop_ns].into_iter().flatten().flatten();
        let (least, most) = hops
            .fold((f64::INFINITY, 0.0_f64), |(least, most), hop| (least.min(hop), most.max(hop)));
        most <= least * HOP_CHANGE
    }
}

/// The middle of some figures; none of none.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(figures[odd / 2]),
        even => Some(f64::midpoint(figures[even / 2 - 1], figures[even / 2])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"{"kind":"sample","job":"relink","case":"list/in_order/10000",
        "series":"flue","unit":"ns/path","samples":[3.0,1.0,2.0],"rejected":1,"hop_ns":[25.0,26.0]}"#;

    fn subject(hops: Option<[f64; 2]>) -> Subject {
        let Some(Line::Sample(mut sample)) = Line::read(SAMPLE).unwrap() else { panic!("sample") };
        sample.of.hop_ns = hops;
        sample.of
    }

    #[test]
    fn a_sample_is_read_and_written_again() {
        let line = Line::read(SAMPLE).unwrap().unwrap();
        let Line::Sample(sample) = &line else { panic!("{line:?}") };
        assert_eq!(median(sample.samples.iter().copied()), Some(2.0));
        assert_eq!((sample.of.rejected, sample.of.hop_ns), (1, Some([25.0, 26.0])));
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(Line::read(&text).unwrap().unwrap(), line);
    }

    #[test]
    fn a_latency_needs_no_points_and_no_hop() {
        let text = r#"{"kind":"latency","job":"command","case":"relink_all/idle/1000","series":"x",
            "unit":"ns","p50":100.0,"p99":150.0,"p99_9":200.5}"#;
        let Some(Line::Latency(latency)) = Line::read(text).unwrap() else { panic!("latency") };
        assert_eq!((latency.p99_9, latency.of.hop_ns), (200.5, None));
    }

    #[test]
    fn the_machine_says_what_it_likes() {
        let line = Line::read(r#"{"kind":"machine","cpu":"x","cores":2}"#).unwrap().unwrap();
        let Line::Machine(facts) = &line else { panic!("{line:?}") };
        assert_eq!(facts["cores"], 2);
        assert!(line.subject().is_none());
    }

    #[test]
    fn words_for_a_person_are_passed_over_and_broken_objects_are_not() {
        assert_eq!(Line::read("EAL: Detected CPU lcores: 2\n"), Ok(None));
        assert_eq!(Line::read(""), Ok(None));
        assert!(Line::read("{\"kind\":\"sample\"").is_err());
        assert!(Line::read("{\"kind\":\"other\"}").is_err());
    }

    #[test]
    fn a_figure_that_cannot_be_is_an_error() {
        for samples in ["[]", "[1.0,null]", "[1.0,0.0]", "[-1.0]"] {
            assert!(Line::read(&SAMPLE.replace("[3.0,1.0,2.0]", samples)).is_err(), "{samples}");
        }
    }

    #[test]
    fn series_compare_where_the_hop_is_about_the_same() {
        let near = subject(Some([25.0, 30.0]));
        assert!(near.is_comparable(&subject(Some([24.0, 31.0]))));
        assert!(!near.is_comparable(&subject(Some([24.0, 200.0]))), "it changed during one");
        assert!(!near.is_comparable(&subject(Some([200.0, 200.0]))), "it changed between them");
        assert!(near.is_comparable(&subject(None)), "one that needs one processor says nothing");
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median([5.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median([1.0, 2.0]), Some(1.5));
        assert_eq!(median([]), None);
    }
}
