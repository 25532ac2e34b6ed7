//! One time axis: what host, rings, firmware and datapath did, in order, in ns of card time.
//!
//! From a `capture` to `show` and `chrome`. Card records get whole cycle counts; host marks are
//! moved to the card's clock by the clock pairs of the capture: from the first one on, at the
//! pace that the second one shows. Nothing in a capture is believed further than that: times
//! that make no sense end up somewhere, not in a panic.

use abi::host::register::{EVENT_RING, TRANSMIT_RING_FIRST};
use abi::host::trace::{TraceKind, TraceRecord, TraceWriter};
use host_driver::trace::ClockPair;

use super::capture::{Capture, HostRecord, Part};

/// Clocks that are further apart than this are none: then the same pace is taken.
const PACE_MAX: f64 = 0.05;
/// Shorter spans between two clock pairs tell nothing of the pace, in ns.
const SPAN_MIN_NS: u64 = 1_000_000;

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Host,
    Rings,
    Firmware,
    Datapath,
}

impl Who {
    pub(super) const ALL: [Self; 4] = [Self::Host, Self::Rings, Self::Firmware, Self::Datapath];

    /// As it is shown.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Rings => "rings",
            Self::Firmware => "firmware",
            Self::Datapath => "datapath",
        }
    }

    fn of(kind: TraceKind) -> Self {
        match kind.0 {
            ..64 => Self::Firmware,
            64..128 => Self::Rings,
            _ => Self::Datapath,
        }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The card wrote this; its cycles since power-on.
    Card(TraceRecord, u64),
    /// The host did this.
    Host(HostRecord),
    /// So many records are missing here: of a ring of the card, or of the host.
    Lost(Option<TraceWriter>, u64),
}

/// One thing that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Card time since the first entry.
    pub(super) ns: u64,
    pub(super) who: Who,
    pub(super) what: What,
}

/// Everything that a capture tells, in order.
#[derive(Debug)]
pub(super) struct Timeline {
    pub(super) entries: Vec<Entry>,
    pub(super) khz: u32,
    /// By how much host times may be off the card's.
    pub(super) error_ns: u64,
    /// Card records that were overwritten before they were read, and host marks not noted.
    pub(super) lost: u64,
    /// Records that did not fit into the file.
    pub(super) not_kept: u64,
    /// The capture has its end.
    pub(super) is_whole: bool,
}

impl Timeline {
    /// Brings a capture onto one axis.
    pub(super) fn new(capture: &Capture) -> Self {
        let Capture { clock, pairs, parts, not_kept, is_whole } = capture;
        let axis = Axis::new(pairs, |pair| clock.ns(pair.cycles));
        let mut lost = 0_u64;
        // What is missing is missing before the next record of the same ring.
        let mut missing = Vec::new();
        let mut timed: Vec<(i128, Who, What)> = Vec::with_capacity(parts.len());
        for part in parts {
            let (ns, who, what, of) = match part {
                Part::Lost(of, count) => {
                    lost = lost.saturating_add(*count);
                    missing.push((*of, *count));
                    continue;
                }
                Part::Card(of, record) => {
                    let cycles = clock.cycles_of(record);
                    let who = Who::of(TraceKind(record.kind));
                    (i128::from(clock.ns(cycles)), who, What::Card(*record, cycles), Some(*of))
                }
                Part::Host(record) => {
                    (axis.card_ns(record.ns), Who::Host, What::Host(*record), None)
                }
            };
            missing.retain(|(writer, count)| {
                let is_here = *writer == of;
                if is_here {
                    timed.push((ns, of.map_or(Who::Host, writer_who), What::Lost(of, *count)));
                }
                !is_here
            });
            timed.push((ns, who, what));
        }
        // At the same time, the host has seen what the card wrote; else the file's order stands.
        timed.sort_by_key(|(ns, who, _)| (*ns, *who == Who::Host));
        let first = timed.first().map_or(0, |(ns, ..)| *ns);
        let entries = timed.into_iter().map(|(ns, who, what)| {
            let ns = u64::try_from(ns - first).unwrap_or(u64::MAX);
            Entry { ns, who, what }
        });
        let (entries, khz) = (entries.collect(), clock.khz);
        let error_ns = pairs.iter().map(|pair| pair.error_ns).max().unwrap_or(u64::MAX);
        Self { entries, khz, error_ns, lost, not_kept: *not_kept, is_whole: *is_whole }
    }
}

fn writer_who(writer: TraceWriter) -> Who {
    match writer {
        TraceWriter::FIRMWARE => Who::Firmware,
        TraceWriter::RINGS => Who::Rings,
        _ => Who::Datapath,
    }
}

/// Moves host times to card time.
struct Axis {
    host_ns: u64,
    card_ns: u64,
    /// Card time that passes in one ns of host time, less 1.
    pace: f64,
}

impl Axis {
    fn new(pairs: &[ClockPair], card_ns: impl Fn(&ClockPair) -> u64) -> Self {
        let Some(first) = pairs.first() else {
            return Self { host_ns: 0, card_ns: 0, pace: 0.0 };
        };
        let origin = card_ns(first);
        let last = pairs.last().unwrap_or(first);
        let host = last.host_ns.saturating_sub(first.host_ns);
        let card = card_ns(last).saturating_sub(origin);
        let gained = (i128::from(card) - i128::from(host)) as f64;
        let is_believed = host >= SPAN_MIN_NS && gained.abs() <= PACE_MAX * host as f64;
        let pace = if is_believed { gained / host as f64 } else { 0.0 };
        Self { host_ns: first.host_ns, card_ns: origin, pace }
    }

    fn card_ns(&self, host_ns: u64) -> i128 {
        let passed = i128::from(host_ns) - i128::from(self.host_ns);
        i128::from(self.card_ns) + passed + (passed as f64 * self.pace).round() as i128
    }
}

/// A ring as it is shown.
pub(super) fn ring_name(ring: u8) -> String {
    let number = u32::from(ring);
    match number {
        ..TRANSMIT_RING_FIRST => format!("command {number}"),
        TRANSMIT_RING_FIRST..EVENT_RING => format!("transmit {}", number - TRANSMIT_RING_FIRST),
        EVENT_RING => "events".to_owned(),
        _ => format!("ring {number}"),
    }
}
