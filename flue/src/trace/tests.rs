//! From captures made by hand to what is shown of them.

use abi::host::trace::{TraceKind, TraceRecord, TraceWriter};
use host_driver::trace::{ClockPair, TraceChunk, TraceClock};
use serde_json::Value;

use super::capture::{Capture, HostKind, HostRecord, Writer};
use super::timeline::{Timeline, What, Who};
use super::{chrome, show};

const KHZ: u32 = 250_000;
/// The card has run for a while: the low word of its cycles has lapped.
const START: u64 = (3 << 32) - 100;

fn pair(host_ns: u64, cycles: u64) -> ClockPair {
    ClockPair { host_ns, cycles, error_ns: 40 }
}

fn mark(ns: u64, kind: HostKind, tag: u16) -> HostRecord {
    HostRecord { ns, kind, ring: 0, tag, value: 1 }
}

/// A record `after` cycles after [`START`].
fn record(after: u64, kind: TraceKind, detail: u16, value: u32) -> TraceRecord {
    let cycles = START + after;
    let time_ms = (cycles / u64::from(KHZ)) as u32;
    TraceRecord { cycles: cycles as u32, time_ms, kind: kind.0, ring: 0, detail, value }
}

fn timeline(pairs: &[ClockPair], chunks: &[TraceChunk], marks: &[HostRecord]) -> Timeline {
    let time_ms = (START / u64::from(KHZ)) as u32;
    let clock = TraceClock { khz: KHZ, cycles: START, time_ms };
    let mut writer = Writer::begin(Vec::new(), &clock).unwrap();
    pairs.iter().for_each(|pair| writer.clocks(pair).unwrap());
    writer.host(marks, 0).unwrap();
    chunks.iter().for_each(|chunk| writer.card(chunk).unwrap());
    Timeline::new(&Capture::read(&*writer.end().unwrap().0).unwrap())
}

/// A tree of two blocks from the host down and back, with a fence and a batch.
fn one_tree(lost: u64) -> Timeline {
    let firmware = vec![
        record(200, TraceKind::AWAKE, 0, 0),
        record(210, TraceKind::TREE_BEGUN, 5, 2),
        record(211, TraceKind::BLOCK, 0x0201, 0),
        record(220, TraceKind::ANSWERED, 0x0201, 0),
        record(221, TraceKind::BLOCK, 0x0202, 1),
        record(230, TraceKind::ANSWERED, 0x0202, 0),
        record(231, TraceKind::RAISED, 0, 9),
        record(232, TraceKind::PARKED, 5, 2),
        record(300, TraceKind::COMPLETED, 5, 2),
        record(310, TraceKind::ASLEEP, 0, 0),
    ];
    let rings = vec![
        record(100, TraceKind::DOORBELL, 0, 2),
        record(190, TraceKind::FETCHED, 2, 2),
        record(400, TraceKind::POSTED, 0, 1),
    ];
    let datapath = vec![
        record(240, TraceKind::RESOLVED, 64, 8),
        record(280, TraceKind::CROSSED, 64, 64),
        record(281, TraceKind::ANNOUNCED, 0, 9),
    ];
    let chunks = [
        TraceChunk { writer: TraceWriter::FIRMWARE, lost, records: firmware },
        TraceChunk { writer: TraceWriter::RINGS, lost: 0, records: rings },
        TraceChunk { writer: TraceWriter::DATAPATH, lost: 0, records: datapath },
    ];
    let marks = [
        mark(7_000, HostKind::Submitted, 5),
        mark(7_040, HostKind::Rung, 0),
        mark(7_000 + 410 * 4, HostKind::Seen, 5),
    ];
    timeline(&[pair(7_000, START)], &chunks, &marks)
}

fn chrome_events(timeline: &Timeline) -> Vec<Value> {
    let mut bytes = Vec::new();
    chrome::write(timeline, &mut bytes).unwrap();
    let whole: Value = serde_json::from_slice(&bytes).unwrap();
    whole["traceEvents"].as_array().unwrap().clone()
}

#[test]
fn host_and_card_lie_on_one_axis_in_card_time() {
    let timeline = one_tree(0);
    let order: Vec<_> = timeline.entries.iter().map(|entry| (entry.ns, entry.who)).collect();
    assert_eq!(order[..3], [(0, Who::Host), (40, Who::Host), (400, Who::Rings)]);
    assert_eq!(order.last(), Some(&(1_640, Who::Host)), "seen after it was posted at 1600");
    assert_eq!((timeline.error_ns, timeline.lost, timeline.is_whole), (40, 0, true));
}

#[test]
fn a_host_clock_that_runs_at_another_pace_is_followed() {
    // In one second of the host's, the card's clock makes 100 us more.
    let card_ns = 1_000_100_000;
    let pairs = [pair(5_000, START), pair(1_000_005_000, START + card_ns / 4)];
    let marks = [0, 500_000_000, 1_000_000_000].map(|ns| mark(5_000 + ns, HostKind::Rung, 0));
    let times: Vec<_> =
        timeline(&pairs, &[], &marks).entries.iter().map(|entry| entry.ns).collect();
    assert_eq!(times, [0, 500_050_000, 1_000_100_000]);
    // Clocks that are no clocks are not followed.
    let pairs = [pair(5_000, START), pair(1_000_005_000, START + (1 << 50))];
    let times: Vec<_> =
        timeline(&pairs, &[], &marks).entries.iter().map(|entry| entry.ns).collect();
    assert_eq!(times, [0, 500_000_000, 1_000_000_000]);
}

#[test]
fn a_gap_stands_before_what_came_after_it() {
    let timeline = one_tree(17);
    let firmware: Vec<_> =
        timeline.entries.iter().filter(|entry| entry.who == Who::Firmware).collect();
    assert_eq!(firmware[0].what, What::Lost(Some(TraceWriter::FIRMWARE), 17));
    assert_eq!((firmware[0].ns, timeline.lost), (800, 17));
}

#[test]
fn times_that_make_no_sense_end_up_somewhere() {
    let wild = TraceRecord { cycles: 5, time_ms: 0x8000_0000, ..TraceRecord::default() };
    let chunk = TraceChunk { writer: TraceWriter::RINGS, lost: u64::MAX, records: vec![wild] };
    let marks = [0, u64::MAX].map(|ns| mark(ns, HostKind::Seen, 1));
    for pairs in [vec![], vec![pair(u64::MAX, 0), pair(0, u64::MAX)]] {
        let timeline = timeline(&pairs, std::slice::from_ref(&chunk), &marks);
        assert_eq!(timeline.entries.len(), 4);
        assert!(!chrome_events(&timeline).is_empty());
        show::write_page(&timeline, &mut Vec::new()).unwrap();
    }
}

#[test]
fn slices_of_a_chrome_trace_nest_and_tell_the_trees_way() {
    let events = chrome_events(&one_tree(0));
    let slices: Vec<_> = events
        .iter()
        .filter(|event| event["ph"] == "X" && event["dur"] != 0.0)
        .map(|event| {
            let time = |key: &str| (event[key].as_f64().unwrap() * 1e3).round() as u64;
            (event["name"].as_str().unwrap(), time("ts"), time("dur"))
        })
        .collect();
    assert_eq!(
        slices,
        [
            ("submit 5", 0, 40),
            ("awake", 800, 440),
            ("update 5", 840, 88),
            ("block", 844, 36),
            ("block", 884, 36),
            ("batch", 960, 160),
        ]
    );
    let way: Vec<_> = events
        .iter()
        .filter(|event| event["cat"] == "way")
        .map(|event| (event["ph"].as_str().unwrap(), event["pid"].as_u64().unwrap()))
        .collect();
    assert_eq!(way, [("s", 1), ("t", 3), ("t", 2), ("f", 1)], "host, firmware, ring, host");
    let spans: Vec<_> = events.iter().filter(|event| event["ph"] == "b").collect();
    let names: Vec<_> = spans.iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["tree", "tree", "fence"]);
    assert_eq!(spans[2]["args"]["epoch"], 9);
}

#[test]
fn what_a_gap_leaves_open_is_a_moment() {
    let begun = vec![
        record(0, TraceKind::TREE_BEGUN, 5, 2),
        record(1, TraceKind::BLOCK, 0x0201, 0),
        record(2, TraceKind::RAISED, 0, 1),
    ];
    let later = vec![record(9, TraceKind::PARKED, 5, 2), record(9, TraceKind::ANSWERED, 0, 0)];
    let writer = TraceWriter::FIRMWARE;
    let chunks = [
        TraceChunk { writer, lost: 0, records: begun },
        TraceChunk { writer, lost: 4, records: later },
    ];
    let events = chrome_events(&timeline(&[pair(0, START)], &chunks, &[]));
    let slices: Vec<_> = events.iter().filter(|event| event["ph"] == "X").collect();
    assert!(slices.iter().all(|event| event["dur"] == 0.0), "nothing is made up");
    let names: Vec<_> = slices.iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["tree_begun", "block", "raised", "lost", "parked", "answered"]);
}

#[test]
fn a_kind_of_a_later_card_is_shown_with_its_number() {
    let chunk = TraceChunk {
        writer: TraceWriter::DATAPATH,
        lost: 0,
        records: vec![record(0, TraceKind(200), 3, 4)],
    };
    let mut bytes = Vec::new();
    show::write_json(&timeline(&[], &[chunk], &[]), &mut bytes).unwrap();
    let line = String::from_utf8(bytes).unwrap();
    let expected = r#""who":"datapath","what":"unknown","kind":200,"detail":3,"value":4}"#;
    assert!(line.lines().next().unwrap().ends_with(expected), "{line}");
}
