//! What a timeline's entries say, in words: lines for a person, or one JSON object a line.
//!
//! The last arrow towards standard output; `chrome` takes the words for its arguments too.

use std::io::{self, Write};

use abi::host::command::Opcode;
use abi::host::status::{Kind, Status};
use abi::host::trace::{TraceKind, TraceRecord};

use super::capture::{HostKind, HostRecord};
use super::timeline::{Entry, Timeline, What, ring_name};
use crate::script::Entries;

/// What an entry says.
pub(super) struct Words {
    pub(super) what: &'static str,
    /// The ring that it concerns, if it does one.
    pub(super) ring: Option<u8>,
    pub(super) fields: Entries,
}

/// Puts an entry into words.
pub(super) fn words(what: &What) -> Words {
    let mut fields = Entries::default();
    let (what, ring) = match what {
        What::Lost(_, count) => {
            fields.push("records", *count);
            ("lost", None)
        }
        What::Host(HostRecord { kind, ring, tag, value, .. }) => {
            let key = match kind {
                HostKind::Submitted => "blocks",
                HostKind::Rung => "position",
                HostKind::Seen => "done",
            };
            if *kind != HostKind::Rung {
                fields.push("tag", *tag);
            }
            fields.push(key, *value);
            (kind.word(), Some(*ring))
        }
        What::Card(record, _) => (record_fields(record, &mut fields), ring_of(record)),
    };
    Words { what, ring, fields }
}

fn ring_of(record: &TraceRecord) -> Option<u8> {
    let has_ring = match TraceKind(record.kind) {
        TraceKind::AWAKE | TraceKind::ASLEEP | TraceKind::RAISED | TraceKind::SWEEP => false,
        kind => kind.0 < 128,
    };
    has_ring.then_some(record.ring)
}

fn record_fields(record: &TraceRecord, fields: &mut Entries) -> &'static str {
    let TraceRecord { kind, detail, value, .. } = *record;
    let kind = TraceKind(kind);
    let (of_detail, of_value) = match kind {
        TraceKind::AWAKE | TraceKind::ASLEEP => ("", ""),
        TraceKind::TREE_BEGUN => {
            fields.push("tag", detail);
            fields.push("opcode", Opcode(value as u8).word());
            ("", "")
        }
        TraceKind::BLOCK | TraceKind::ANSWERED => {
            fields.push("opcode", Opcode((detail >> 8) as u8).word());
            fields.push("kind", Kind(detail as u8).word());
            if kind == TraceKind::ANSWERED {
                fields.push("status", Status(value as u8).word());
                ("", "")
            } else {
                ("", "block")
            }
        }
        TraceKind::LIST_CHUNK => ("entries", "moved"),
        TraceKind::RAISED | TraceKind::ANNOUNCED => ("", "epoch"),
        TraceKind::PARKED | TraceKind::COMPLETED => ("tag", "done"),
        TraceKind::SWEEP => ("", "neighbor"),
        TraceKind::DOORBELL | TraceKind::POSTED => ("", "position"),
        TraceKind::FETCHED => ("count", "position"),
        TraceKind::RESULT => ("words", ""),
        TraceKind::INTERRUPT => ("vector", ""),
        TraceKind::LIST => ("entries", ""),
        TraceKind::RESOLVED => ("frames", "epoch"),
        TraceKind::CROSSED => ("frames", "left"),
        TraceKind::HELD => ("frames", ""),
        TraceKind(unknown) => {
            fields.push("kind", unknown);
            ("detail", "value")
        }
    };
    if !of_detail.is_empty() {
        fields.push(of_detail, detail);
    }
    if !of_value.is_empty() {
        fields.push(of_value, value);
    }
    kind.word()
}

/// Writes a timeline for a person.
pub(super) fn write_page(timeline: &Timeline, output: &mut impl Write) -> io::Result<()> {
    for Entry { ns, who, what } in &timeline.entries {
        let Words { what, ring, fields } = words(what);
        let us = format!("{}.{:03}", ns / 1_000, ns % 1_000);
        let ring = ring.map_or(String::new(), ring_name);
        let fields: Vec<_> = fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let line =
            format!("{us:>15} us  {:<8}  {ring:<11} {what:<10}  {}", who.word(), fields.join(" "));
        writeln!(output, "{}", line.trim_end())?;
    }
    let summary: Vec<_> =
        summary(timeline).iter().map(|(key, value)| format!("{key}={value}")).collect();
    writeln!(output, "{}", summary.join(" "))
}

/// Writes a timeline as one JSON object an entry, and one that sums up.
pub(super) fn write_json(timeline: &Timeline, output: &mut impl Write) -> io::Result<()> {
    for Entry { ns, who, what } in &timeline.entries {
        let mut line = Entries::default();
        line.push("us", *ns as f64 / 1_000.0);
        if let What::Card(_, cycles) = what {
            line.push("cycles", *cycles);
        }
        line.push("who", who.word());
        let Words { what, ring, fields } = words(what);
        if let Some(ring) = ring {
            line.push("ring", ring_name(ring));
        }
        line.push("what", what);
        line.append(fields);
        write_line(&line, output)?;
    }
    write_line(&summary(timeline), output)
}

fn write_line(line: &Entries, output: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *output, line)?;
    output.write_all(b"\n")
}

/// What there is to say of the whole.
pub(super) fn summary(timeline: &Timeline) -> Entries {
    let Timeline { entries, khz, error_ns, lost, not_kept, is_whole } = timeline;
    let mut summary = Entries::default();
    let is_record = |entry: &&Entry| !matches!(entry.what, What::Lost(..));
    summary.push("records", entries.iter().filter(is_record).count());
    summary.push("lost", *lost);
    summary.push("not_kept", *not_kept);
    summary.push("is_whole", *is_whole);
    summary.push("clock_khz", *khz);
    summary.push("host_time_error_ns", *error_ns);
    summary
}
