//! Events of a Chrome trace, and how they are written.
//!
//! The last arrow of `chrome`: it knows phases, tracks and JSON, and no trees. Events come out in
//! the order that nests them: by time, the longer one first, an arrow right behind its slice,
//! which is how a viewer knows where it belongs.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::{self, Write};

use super::super::show::{summary, words};
use super::super::timeline::{Timeline, Who, ring_name};
use crate::script::Entries;

/// Track of what concerns no ring.
pub(super) const OWN_TRACK: u32 = 1;
/// Track of ring 0; the others follow.
pub(super) const RING_TRACKS: u32 = 10;

/// How an event is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// A slice on its track.
    Slice,
    /// An asynchronous slice of this category and number begins.
    Begin(&'static str, u64),
    /// It ends.
    End(&'static str, u64),
    /// The arrow of this number begins (`s`), goes on (`t`) or ends (`f`) at the slice here.
    Arrow(&'static str, u64),
}

/// One event of the trace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) ns: u64,
    /// Length of the slice, also of the one that an arrow is at; 0 for a moment.
    pub(super) length_ns: u64,
    pub(super) who: Who,
    pub(super) track: u32,
    pub(super) phase: Phase,
    pub(super) name: &'static str,
    /// What follows the name: a tag.
    pub(super) number: Option<u32>,
    /// The entry whose words are its arguments.
    pub(super) entry: usize,
}

/// Writes the whole file.
pub(super) fn write_events(
    mut events: Vec<Event>,
    timeline: &Timeline,
    output: &mut impl Write,
) -> io::Result<()> {
    events.sort_by_key(|event| (event.ns, Reverse(event.length_ns)));
    output.write_all(b"{\"traceEvents\":[\n")?;
    let tracks: BTreeSet<_> = events.iter().map(|event| (event.who, event.track)).collect();
    for who in Who::ALL {
        write_line(&metadata(who, OWN_TRACK, "process_name", who.word().to_owned()), output)?;
        output.write_all(b",\n")?;
    }
    for (who, track) in tracks {
        write_line(&metadata(who, track, "thread_name", track_name(who, track)), output)?;
        output.write_all(b",\n")?;
    }
    for (number, event) in events.iter().enumerate() {
        if number > 0 {
            output.write_all(b",\n")?;
        }
        write_line(&object(event, timeline), output)?;
    }
    output.write_all(b"\n],\"displayTimeUnit\":\"ns\",\"otherData\":")?;
    write_line(&summary(timeline), output)?;
    output.write_all(b"}\n")
}

fn write_line(entries: &Entries, output: &mut impl Write) -> io::Result<()> {
    Ok(serde_json::to_writer(output, entries)?)
}

fn pid(who: Who) -> u32 {
    who as u32 + 1
}

fn track_name(who: Who, track: u32) -> String {
    match (track.checked_sub(RING_TRACKS), who) {
        (Some(ring), _) => ring_name(ring as u8),
        (None, Who::Firmware) => "core".to_owned(),
        (None, Who::Datapath) => "batches".to_owned(),
        (None, _) => who.word().to_owned(),
    }
}

fn metadata(who: Who, track: u32, what: &'static str, name: String) -> Entries {
    let mut arguments = Entries::default();
    arguments.push("name", name);
    let mut entries = Entries::default();
    entries.push("name", what);
    entries.push("ph", "M");
    entries.push("pid", pid(who));
    entries.push("tid", track);
    entries.push("args", arguments);
    entries
}

fn object(event: &Event, timeline: &Timeline) -> Entries {
    let Event { ns, length_ns, who, track, phase, name, number, entry } = *event;
    let mut entries = Entries::default();
    match number {
        Some(number) => entries.push("name", format!("{name} {number}")),
        None => entries.push("name", name),
    }
    entries.push("ts", us(ns));
    entries.push("pid", pid(who));
    entries.push("tid", track);
    match phase {
        Phase::Slice => {
            entries.push("ph", "X");
            entries.push("dur", us(length_ns));
        }
        Phase::Begin(category, id) | Phase::End(category, id) => {
            let is_begin = matches!(phase, Phase::Begin(..));
            entries.push("ph", if is_begin { "b" } else { "e" });
            entries.push("cat", category);
            entries.push("id", id);
        }
        Phase::Arrow(step, id) => {
            entries.push("ph", step);
            entries.push("cat", "way");
            entries.push("id", id);
            if step == "f" {
                entries.push("bp", "e");
            }
        }
    }
    if !matches!(phase, Phase::Arrow(..) | Phase::End(..)) {
        entries.push("args", words(&timeline.entries[entry].what).fields);
    }
    entries
}

/// As the format has times: in us. Viewers multiply by 1000 and cut off; a slice that begins a ns
/// early would lie in the one before, so the last bit is raised where that would happen.
fn us(ns: u64) -> f64 {
    let us = ns as f64 / 1_000.0;
    if ((us * 1_000.0) as u64) < ns { us.next_up() } else { us }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_that_cuts_off_sees_every_nanosecond() {
        for ns in (0..3_000_000).chain((1 << 50)..(1 << 50) + 1_000) {
            assert_eq!((us(ns) * 1_000.0) as u64, ns);
        }
    }
}
