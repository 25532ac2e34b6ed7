//! Judges the promises by the bytes of every frame that leaves.
//!
//! It knows a frame's bytes and its number, who was linked to whom, and what the host has seen,
//! noted with the number of frames that had crossed by then; it never looks into the card. Notes
//! come before the frames that they are about; a frame is judged by the notes that its number has
//! reached, whenever it is shown.
//!
//! Limits of its knowledge: one router fails, its paths go to one other in ascending order of
//! their numbers, which is what `failover` asks for.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Findings, NUMBER_BYTES};
use crate::failover::plan::Plan;
use crate::failover::timeline::{Mark, ROWS, Timeline};
use crate::packet::Frame;

/// What the host has seen, or is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// The router has died: the host is about to invalidate it.
    Failed,
    /// The host has seen the invalidate of the failed router complete.
    Invalidated,
    /// The host is about to ask for a relink of the paths with numbers below this.
    Asked(u32),
    /// The host has seen the relink of the paths with numbers below this complete.
    Moved(u32),
    /// The host has seen the last relink complete.
    Relinked,
    /// The host has seen the terminate of the failed router complete.
    Terminated,
}

/// A note, and when it was made.
#[derive(Clone, Copy, Debug)]
struct Noted {
    note: Note,
    /// Frames that had crossed: those with this number and later ones crossed after it.
    crossed: u64,
    at_ns: u64,
}

/// Judges frames, in the order of their numbers.
#[derive(Debug)]
pub(super) struct Judge {
    plan: Arc<Plan>,
    failed: u16,
    successor: u16,
    findings: Findings,
    /// Notes that no frame has reached yet, in order.
    noted: VecDeque<Noted>,
    /// Time of the last note that a frame has reached.
    reached_ns: u64,
    is_invalid: bool,
    /// Paths of the failed router with a lower number may have moved.
    asked_below: u32,
    /// Paths of the failed router with a lower number have moved: the host saw the completion.
    moved_below: u32,
    /// Sequence number that the next frame of a path must not be below.
    next: Vec<u32>,
    was_seen_after: Vec<bool>,
    row_of: Vec<u8>,
    timeline: Timeline,
}

impl Judge {
    /// A judge of `plan`, in which `successor` will take over from `failed`.
    pub(super) fn new(plan: &Arc<Plan>, failed: u16, successor: u16) -> Self {
        let paths = plan.paths() as usize;
        let routers = plan.routers.len();
        Self {
            plan: Arc::clone(plan),
            failed,
            successor,
            findings: Findings { by_router: vec![0; routers], ..Findings::default() },
            noted: VecDeque::new(),
            reached_ns: 0,
            is_invalid: false,
            asked_below: 0,
            moved_below: 0,
            next: vec![0; paths],
            was_seen_after: vec![false; paths],
            row_of: rows(plan, failed, successor),
            timeline: Timeline::new(),
        }
    }

    /// Frames judged so far; at a port, the number of the next one.
    pub(super) fn judged(&self) -> u64 {
        self.findings.frames_judged
    }

    /// What was found so far.
    pub(super) fn findings(&self) -> Findings {
        Findings { frames: self.findings.frames_judged, ..self.findings.clone() }
    }

    /// The row of the picture in which each router stands.
    pub(super) fn rows(&self) -> &[u8] {
        &self.row_of
    }

    /// The picture's frames and marks, with every note that was made.
    pub(super) fn timeline(&mut self) -> &Timeline {
        self.reach(u64::MAX);
        &self.timeline
    }

    /// Takes a note, made at `at_ns` when `crossed` frames had crossed. No frame that was judged
    /// before may have that number or a later one.
    pub(super) fn note(&mut self, note: Note, crossed: u64, at_ns: u64) {
        self.noted.push_back(Noted { note, crossed, at_ns });
    }

    /// Judges the frame with number `number`, which crossed at about `at_ns`.
    pub(super) fn frame(&mut self, number: u64, at_ns: u64, bytes: &[u8]) {
        self.reach(number);
        // What crossed between two notes is drawn between them, whatever the clocks say.
        let until_ns = self.noted.front().map_or(u64::MAX, |noted| noted.at_ns);
        let at_ns = at_ns.min(until_ns).max(self.reached_ns);
        self.findings.frames_judged += 1;
        self.findings.checked_while_invalid += u64::from(self.is_invalid);
        let Some((path, sequence, frame)) = self.identify(bytes) else {
            self.findings.frames_unknown += 1;
            return;
        };
        let router = self.judge_header(path, &frame);
        self.judge_order(path, sequence);
        if let Some(router) = router {
            self.findings.by_router[usize::from(router)] += 1;
            self.timeline.frame(at_ns, self.row_of[usize::from(router)].into());
        }
    }

    /// Takes the notes to heart that a frame with this number crossed after.
    fn reach(&mut self, number: u64) {
        while let Some(noted) = self.noted.pop_front_if(|noted| noted.crossed <= number) {
            self.reached_ns = noted.at_ns;
            let mark = |name| Mark { name, at_ns: noted.at_ns };
            match noted.note {
                Note::Failed => self.timeline.mark(mark("router fails")),
                Note::Invalidated => {
                    self.is_invalid = true;
                    self.timeline.mark(mark("invalidated"));
                }
                Note::Asked(below) => self.asked_below = below,
                Note::Moved(below) => self.moved_below = below,
                Note::Relinked => self.timeline.mark(mark("relinked")),
                Note::Terminated => self.timeline.close(mark("terminated")),
            }
        }
    }

    /// Which path a frame is of: by its mark, and its addresses must agree.
    fn identify(&self, bytes: &[u8]) -> Option<(u32, u32, Frame)> {
        let frame = Frame::parse(bytes)?;
        let (path, sequence) = frame.mark.split_at(NUMBER_BYTES);
        let path = u32::from_be_bytes(path.try_into().ok()?);
        let sequence = u32::from_be_bytes(sequence.try_into().ok()?);
        let is_ours = path < self.plan.paths()
            && self.plan.addresses(path) == (frame.source, frame.destination);
        is_ours.then_some((path, sequence, frame))
    }

    /// Compares the header with those the path may have now; gives the router it is of.
    fn judge_header(&mut self, path: u32, frame: &Frame) -> Option<u16> {
        let home = self.plan.router_of[path as usize];
        let is_home = self.plan.routers[usize::from(home)] == frame.layer2;
        if home != self.failed {
            self.findings.frames_mixed += u64::from(!is_home);
            return is_home.then_some(home);
        }
        let is_new = self.plan.routers[usize::from(self.successor)] == frame.layer2;
        if is_home {
            self.findings.frames_while_invalid += u64::from(self.is_invalid);
        }
        if path < self.moved_below {
            self.findings.checked_after_completion += 1;
            self.findings.frames_old_after_completion += u64::from(is_home);
            let was_seen = &mut self.was_seen_after[path as usize];
            if is_new && !*was_seen {
                *was_seen = true;
                self.findings.paths_seen_after += 1;
            }
        }
        let is_linked = is_home || is_new && path < self.asked_below;
        self.findings.frames_mixed += u64::from(!is_linked);
        match (is_home, is_new) {
            (true, _) => Some(home),
            (_, true) => Some(self.successor),
            _ => None,
        }
    }

    fn judge_order(&mut self, path: u32, sequence: u32) {
        let next = &mut self.next[path as usize];
        if *next > 0 {
            self.findings.checked_order += 1;
            self.findings.frames_out_of_order += u64::from(sequence < *next);
        }
        *next = sequence.saturating_add(1).max(*next);
    }
}

/// The row of the picture in which each router stands.
fn rows(plan: &Plan, failed: u16, successor: u16) -> Vec<u8> {
    let mut next = 2;
    let row = |router: usize| match router as u16 {
        router if router == failed => 0,
        router if router == successor => 1,
        _ => {
            let row = next;
            next = (next + 1).min(ROWS as u8 - 1);
            row
        }
    };
    (0..plan.routers.len()).map(row).collect()
}
