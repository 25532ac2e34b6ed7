//! A timeline as a Chrome trace, which Perfetto opens: tracks of host, rings, firmware, datapath.
//!
//! From `timeline` to a file in the Trace Event Format (JSON, times in us). What has a begin and an
//! end becomes a slice: a tree's way down, its work on the card, its blocks, a batch, the
//! firmware's waking time. What overlaps (trees under way, fences) becomes an asynchronous slice.
//! Arrows follow a tree from its submission through firmware and ring to the host that sees it
//! completed. Where a capture has gaps, what was open is shown as a moment.

mod event;

use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};

use abi::host::command::Opcode;
use abi::host::trace::{TraceKind, TraceRecord};

use self::event::{Event, OWN_TRACK, Phase, RING_TRACKS, write_events};
use super::capture::{HostKind, HostRecord};
use super::timeline::{Timeline, What, Who};

/// A tree that the host has submitted.
#[derive(Clone, Copy)]
struct Submitted {
    entry: usize,
    arrow: u64,
    is_rung: bool,
}

/// What is open while the timeline is gone through.
struct Export<'a> {
    timeline: &'a Timeline,
    events: Vec<Event>,
    arrows: u64,
    spans: u64,
    /// By command ring and tag.
    submitted: HashMap<(u8, u16), Submitted>,
    /// The tree and the block that the firmware works on, by ring: the entry of their begin.
    tree: HashMap<u8, usize>,
    block: HashMap<u8, usize>,
    /// Trees begun and not completed, by ring and tag.
    under_way: HashMap<(u8, u16), usize>,
    /// Tags of completions on their way, by ring.
    completed: HashMap<u8, VecDeque<u16>>,
    awake: Option<usize>,
    fences: VecDeque<usize>,
    batch: Option<usize>,
}

/// Writes a timeline as a Chrome trace.
pub(super) fn write(timeline: &Timeline, output: &mut impl Write) -> io::Result<()> {
    let mut export = Export {
        timeline,
        events: Vec::with_capacity(timeline.entries.len()),
        arrows: 0,
        spans: 0,
        submitted: HashMap::new(),
        tree: HashMap::new(),
        block: HashMap::new(),
        under_way: HashMap::new(),
        completed: HashMap::new(),
        awake: None,
        fences: VecDeque::new(),
        batch: None,
    };
    for (entry, found) in timeline.entries.iter().enumerate() {
        match found.what {
            What::Host(record) => export.host(entry, &record),
            What::Card(record, _) => export.card(entry, &record),
            What::Lost(..) => export.lost(entry),
        }
    }
    export.close_all();
    write_events(export.events, timeline, output)
}

impl Export<'_> {
    fn host(&mut self, entry: usize, record: &HostRecord) {
        let HostRecord { kind, ring, tag, .. } = *record;
        match kind {
            HostKind::Submitted => {
                self.arrows += 1;
                let submitted = Submitted { entry, arrow: self.arrows, is_rung: false };
                self.submitted.insert((ring, tag), submitted);
            }
            HostKind::Rung => self.rung(entry, ring),
            HostKind::Seen => {
                self.moment(entry, "seen", ring);
                if let Some(Submitted { entry: begun, arrow, .. }) =
                    self.submitted.remove(&(ring, tag))
                {
                    self.span(begun, entry, "host", "tree");
                    self.arrow((entry, entry), ring, "f", arrow);
                }
            }
        }
    }

    /// The way of trees down to the doorbell that tells of them.
    fn rung(&mut self, entry: usize, ring: u8) {
        let waiting =
            self.submitted.iter_mut().filter(|((at, _), tree)| *at == ring && !tree.is_rung);
        let mut rung: Vec<_> = waiting
            .map(|((_, tag), tree)| {
                tree.is_rung = true;
                (tree.entry, *tag, tree.arrow)
            })
            .collect();
        rung.sort_unstable();
        let track = RING_TRACKS + u32::from(ring);
        for (begun, tag, arrow) in rung {
            self.slice((begun, entry), Who::Host, track, "submit", Some(u32::from(tag)));
            self.arrow((begun, entry), ring, "s", arrow);
        }
        self.moment(entry, "rung", ring);
    }

    fn card(&mut self, entry: usize, record: &TraceRecord) {
        let TraceRecord { kind, ring, detail, value, .. } = *record;
        let kind = TraceKind(kind);
        match kind {
            TraceKind::AWAKE => self.awake = Some(entry),
            TraceKind::ASLEEP => {
                if let Some(begun) = self.awake.take() {
                    self.slice((begun, entry), Who::Firmware, OWN_TRACK, "awake", None);
                }
            }
            TraceKind::TREE_BEGUN => {
                self.close_tree(ring);
                self.tree.insert(ring, entry);
                self.under_way.insert((ring, detail), entry);
            }
            TraceKind::BLOCK => self.block_begun(ring, entry),
            TraceKind::ANSWERED => self.block_answered(ring, entry),
            TraceKind::PARKED => self.tree_parked(ring, entry, detail),
            TraceKind::COMPLETED => {
                self.moment(entry, kind.word(), ring);
                if let Some(begun) = self.under_way.remove(&(ring, detail)) {
                    self.span(begun, entry, "card", "tree");
                }
                self.completed.entry(ring).or_default().push_back(detail);
            }
            TraceKind::POSTED => self.posted(entry, ring),
            TraceKind::RAISED => {
                self.own_moment(entry, kind.word());
                self.fences.push_back(entry);
            }
            TraceKind::ANNOUNCED => self.announced(entry, value),
            TraceKind::RESOLVED => {
                self.close_batch();
                self.batch = Some(entry);
            }
            TraceKind::CROSSED => match self.batch.take() {
                Some(begun) => {
                    self.slice((begun, entry), Who::Datapath, OWN_TRACK, "batch", None);
                }
                None => self.own_moment(entry, kind.word()),
            },
            TraceKind::HELD | TraceKind::SWEEP => self.own_moment(entry, kind.word()),
            kind if kind.0 < 128 => self.moment(entry, kind.word(), ring),
            _ => self.own_moment(entry, kind.word()),
        }
    }

    fn block_begun(&mut self, ring: u8, entry: usize) {
        if let Some(open) = self.block.insert(ring, entry) {
            self.moment(open, TraceKind::BLOCK.word(), ring);
        }
    }

    fn block_answered(&mut self, ring: u8, entry: usize) {
        let track = RING_TRACKS + u32::from(ring);
        match self.block.remove(&ring) {
            Some(begun) => self.slice((begun, entry), Who::Firmware, track, "block", None),
            None => self.moment(entry, TraceKind::ANSWERED.word(), ring),
        }
    }

    fn tree_parked(&mut self, ring: u8, entry: usize, tag: u16) {
        let Some(begun) = self.tree.remove(&ring) else {
            return self.moment(entry, TraceKind::PARKED.word(), ring);
        };
        let track = RING_TRACKS + u32::from(ring);
        let name = match self.timeline.entries[begun].what {
            What::Card(record, _) => Opcode(record.value as u8).word(),
            _ => "tree",
        };
        self.slice((begun, entry), Who::Firmware, track, name, Some(u32::from(tag)));
        if let Some(Submitted { arrow, .. }) = self.submitted.get(&(ring, tag)) {
            self.arrow((begun, entry), ring, "t", *arrow);
        }
    }

    /// Completions are posted in the order in which the firmware gave them.
    fn posted(&mut self, entry: usize, ring: u8) {
        self.moment(entry, TraceKind::POSTED.word(), ring);
        let tag = self.completed.get_mut(&ring).and_then(VecDeque::pop_front);
        let tree = tag.and_then(|tag| self.submitted.get(&(ring, tag)));
        if let Some(Submitted { arrow, .. }) = tree {
            self.arrow((entry, entry), ring, "t", *arrow);
        }
    }

    /// An announced epoch ends its own fence and all before it.
    fn announced(&mut self, entry: usize, epoch: u32) {
        self.own_moment(entry, TraceKind::ANNOUNCED.word());
        while let Some(raised) = self.fences.front().copied() {
            let number = match self.timeline.entries[raised].what {
                What::Card(record, _) => record.value,
                _ => epoch,
            };
            if (epoch.wrapping_sub(number) as i32) < 0 {
                return;
            }
            self.fences.pop_front();
            self.span(raised, entry, "card", "fence");
        }
    }

    /// Records are missing: what was open cannot be matched any more.
    fn lost(&mut self, entry: usize) {
        self.own_moment(entry, "lost");
        match self.timeline.entries[entry].who {
            Who::Host => self.submitted.clear(),
            Who::Firmware => {
                self.close_firmware();
                self.completed.clear();
            }
            Who::Rings => self.completed.clear(),
            Who::Datapath => {
                self.close_batch();
                self.fences.clear();
            }
        }
    }

    fn close_all(&mut self) {
        self.close_firmware();
        self.close_batch();
        let open: Vec<_> = self.submitted.drain().filter(|(_, tree)| !tree.is_rung).collect();
        for ((ring, _), Submitted { entry, .. }) in open {
            self.moment(entry, HostKind::Submitted.word(), ring);
        }
    }

    fn close_firmware(&mut self) {
        let rings: Vec<_> = self.tree.keys().chain(self.block.keys()).copied().collect();
        rings.into_iter().for_each(|ring| self.close_tree(ring));
        self.under_way.clear();
        if let Some(open) = self.awake.take() {
            self.own_moment(open, TraceKind::AWAKE.word());
        }
    }

    fn close_tree(&mut self, ring: u8) {
        if let Some(open) = self.block.remove(&ring) {
            self.moment(open, TraceKind::BLOCK.word(), ring);
        }
        if let Some(open) = self.tree.remove(&ring) {
            self.moment(open, TraceKind::TREE_BEGUN.word(), ring);
        }
    }

    fn close_batch(&mut self) {
        if let Some(open) = self.batch.take() {
            self.own_moment(open, TraceKind::RESOLVED.word());
        }
    }

    fn ns(&self, entry: usize) -> u64 {
        self.timeline.entries[entry].ns
    }

    fn slice(
        &mut self,
        (begun, ended): (usize, usize),
        who: Who,
        track: u32,
        name: &'static str,
        number: Option<u32>,
    ) {
        let ns = self.ns(begun);
        let length_ns = self.ns(ended).saturating_sub(ns);
        let (phase, entry) = (Phase::Slice, begun);
        self.events.push(Event { ns, length_ns, who, track, phase, name, number, entry });
    }

    fn moment(&mut self, entry: usize, name: &'static str, ring: u8) {
        let who = self.timeline.entries[entry].who;
        self.slice((entry, entry), who, RING_TRACKS + u32::from(ring), name, None);
    }

    fn own_moment(&mut self, entry: usize, name: &'static str) {
        let who = self.timeline.entries[entry].who;
        self.slice((entry, entry), who, OWN_TRACK, name, None);
    }

    fn span(&mut self, begun: usize, ended: usize, category: &'static str, name: &'static str) {
        self.spans += 1;
        let (who, ns) = (self.timeline.entries[begun].who, self.ns(begun));
        let ended_ns = self.ns(ended).max(ns);
        let (length_ns, track, number) = (0, OWN_TRACK, None);
        for (ns, phase, entry) in [
            (ns, Phase::Begin(category, self.spans), begun),
            (ended_ns, Phase::End(category, self.spans), ended),
        ] {
            self.events.push(Event { ns, length_ns, who, track, phase, name, number, entry });
        }
    }

    /// At a step of a tree's way: the slice between two entries, on the track of `ring`.
    fn arrow(&mut self, (begun, ended): (usize, usize), ring: u8, step: &'static str, way: u64) {
        let (who, ns) = (self.timeline.entries[begun].who, self.ns(begun));
        let length_ns = self.ns(ended).saturating_sub(ns);
        let (track, phase) = (RING_TRACKS + u32::from(ring), Phase::Arrow(step, way));
        let (name, number, entry) = ("way", None, begun);
        self.events.push(Event { ns, length_ns, who, track, phase, name, number, entry });
    }
}
