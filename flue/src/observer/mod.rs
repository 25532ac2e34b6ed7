//! The observer at the port: sees every frame that leaves, and hears what the host has seen.
//!
//! Frames come to it in one of two ways, and are judged by the same code. On a card in this
//! process it stands in front of the port ([`ObserverPort`]). On a card that a server holds it
//! reads the mirror of that card's bench BAR, whenever somebody calls [`Observer::drain`]. In both
//! ways frames are numbered at the crossing, and what the host has seen is noted with the number
//! of frames that had crossed by then. So "after the completion" means exactly: every frame with
//! that number or a later one, however late it is looked at.
//!
//! Invariant: a note's number is taken under the lock under which frames are judged. No frame that
//! crossed after the note was judged before it.

mod findings;
mod judge;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abi::host::bench;
use hw_model::bench::MirrorReader;
use hw_model::port::Port;

use crate::failover::plan::Plan;
use crate::failover::timeline::ROWS;
use crate::packet::MARK_BYTES;

use findings::Cost;
pub(crate) use findings::Findings;
use judge::Judge;
pub(crate) use judge::Note;

/// Bytes of a mark: the path's number, then how many frames of it came before.
const NUMBER_BYTES: usize = MARK_BYTES / 2;
/// Frames that one [`Observer::drain`] takes at most: the lock is free again after as many.
const DRAIN_FRAMES: usize = 256;

/// What a frame of `failover` says about itself.
pub(crate) fn mark_of(path: u32, sequence: u32) -> [u8; MARK_BYTES] {
    let mut mark = [0; MARK_BYTES];
    mark[..NUMBER_BYTES].copy_from_slice(&path.to_be_bytes());
    mark[NUMBER_BYTES..].copy_from_slice(&sequence.to_be_bytes());
    mark
}

/// Where the observer sees frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sight {
    /// At the port of a card in this process.
    Port,
    /// In the mirror of a served card's bench BAR.
    Mirror,
    /// Nowhere: this card shows nobody what leaves it.
    #[default]
    None,
}

impl Sight {
    /// As written in the report.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Mirror => "mirror",
            Self::None => "none",
        }
    }
}

/// Shared by who shows it frames, and the host, which tells it what it has seen.
#[derive(Debug)]
pub(crate) struct Observer {
    seen: Mutex<Seen>,
    sight: Sight,
}

#[derive(Debug)]
struct Seen {
    judge: Judge,
    mirror: Option<Mirror>,
    cost: Cost,
}

/// The mirror, and what its words were when the observer began to look.
struct Mirror {
    reader: MirrorReader,
    crossed_before: u64,
    lost_before: u64,
    /// By how much the card's clock, which stamps frames, is ahead of the host's.
    ahead_ns: i64,
    frame: Vec<u8>,
}

impl Observer {
    /// An observer at a port of this process, of `plan`, in which `successor` will take over from
    /// `failed`.
    pub(crate) fn at_port(plan: &Arc<Plan>, failed: u16, successor: u16) -> Arc<Self> {
        Self::new(Judge::new(plan, failed, successor), None, Sight::Port)
    }

    /// An observer that reads a mirror. What crossed before is none of its business.
    pub(crate) fn at_mirror(
        plan: &Arc<Plan>,
        failed: u16,
        successor: u16,
        mut reader: MirrorReader,
    ) -> Arc<Self> {
        let mut frame = Vec::new();
        // No more than what it holds: the card is quiet now, but it may say what it likes.
        for _ in 0..bench::MIRROR_GRANULES {
            if reader.next(&mut frame).is_none() {
                break;
            }
        }
        let (crossed_before, lost_before) = (reader.crossed(), reader.lost());
        let mirror = Mirror { reader, crossed_before, lost_before, ahead_ns: 0, frame };
        Self::new(Judge::new(plan, failed, successor), Some(mirror), Sight::Mirror)
    }

    /// An observer that sees no frame, only what the host does.
    pub(crate) fn blind(plan: &Arc<Plan>, failed: u16, successor: u16) -> Arc<Self> {
        Self::new(Judge::new(plan, failed, successor), None, Sight::None)
    }

    fn new(judge: Judge, mirror: Option<Mirror>, sight: Sight) -> Arc<Self> {
        Arc::new(Self { seen: Mutex::new(Seen { judge, mirror, cost: Cost::default() }), sight })
    }

    /// Where it sees frames.
    pub(crate) fn sight(&self) -> Sight {
        self.sight
    }

    /// Says by how much the clock that stamps mirrored frames is ahead of the host's.
    pub(crate) fn set_clock(&self, ahead_ns: i64) {
        if let Some(mirror) = &mut self.lock().mirror {
            mirror.ahead_ns = ahead_ns;
        }
    }

    /// Notes what the host has just seen, or is about to do, at `at_ns` on the host's clock.
    pub(crate) fn note(&self, note: Note, at_ns: u64) {
        let seen = &mut *self.lock();
        let crossed = match &seen.mirror {
            Some(mirror) => mirror.crossed(),
            None => seen.judge.judged(),
        };
        seen.judge.note(note, crossed, at_ns);
    }

    /// Judges frames that are waiting in the mirror, a bounded number. How many there were.
    pub(crate) fn drain(&self) -> usize {
        if self.sight != Sight::Mirror {
            return 0;
        }
        let Seen { judge, mirror, cost } = &mut *self.lock();
        let Some(mirror) = mirror else { return 0 };
        for taken in 0..DRAIN_FRAMES {
            let Some(crossed) = mirror.reader.next(&mut mirror.frame) else { return taken };
            let number = crossed.number.saturating_sub(mirror.crossed_before);
            let at_ns = crossed.at_ns.saturating_add_signed(mirror.ahead_ns.saturating_neg());
            cost.add(Cost::of(number, || judge.frame(number, at_ns, &mirror.frame)));
        }
        DRAIN_FRAMES
    }

    /// Judges what is waiting in the mirror now, at most as many frames as it holds.
    pub(crate) fn catch_up(&self) {
        let mut taken = 0;
        while taken < bench::MIRROR_GRANULES as usize {
            match self.drain() {
                0 => return,
                frames => taken += frames,
            }
        }
    }

    /// What was found so far.
    pub(crate) fn findings(&self) -> Findings {
        let seen = self.lock();
        let mut findings = Findings { cost: seen.cost, ..seen.judge.findings() };
        if let Some(mirror) = &seen.mirror {
            findings.frames = mirror.crossed();
            findings.frames_lost = mirror.reader.lost().saturating_sub(mirror.lost_before);
            findings.error = mirror.reader.error().map(|error| error.to_string());
        }
        findings
    }

    /// The picture of the fail-over; none without sight.
    pub(crate) fn picture(&self) -> String {
        if self.sight == Sight::None {
            return String::new();
        }
        let mut seen = self.lock();
        let rows = seen.judge.rows().to_vec();
        let name = |row: usize| {
            let mut routers = (0..rows.len()).filter(|router| usize::from(rows[*router]) == row);
            let router = routers.next()? + 1;
            Some(match (row, routers.count()) {
                (0, _) => format!("router {router} (fails)"),
                (1, _) => format!("router {router} (takes over)"),
                (_, 0) => format!("router {router}"),
                (_, more) => format!("{} other routers", more + 1),
            })
        };
        let names: Vec<String> = (0..ROWS).map_while(name).collect();
        seen.judge.timeline().draw(&names)
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // A holder that panicked leaves counts behind that are at most one frame short.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mirror {
    /// Frames that crossed since the observer began to look.
    fn crossed(&self) -> u64 {
        self.reader.crossed().saturating_sub(self.crossed_before)
    }
}

impl std::fmt::Debug for Mirror {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mirror({} crossed)", self.crossed())
    }
}

/// A port that shows every frame to an observer as it crosses.
pub(crate) struct ObserverPort<P> {
    observer: Arc<Observer>,
    port: P,
}

impl<P: Port> ObserverPort<P> {
    /// Puts `observer` in front of `port`.
    pub(crate) fn new(observer: &Arc<Observer>, port: P) -> Self {
        Self { observer: Arc::clone(observer), port }
    }
}

impl<P: Port> Port for ObserverPort<P> {
    fn send(&mut self, frame: &[u8], at_ns: u64) -> bool {
        // The lock is held while the frame crosses: nothing the host notes can fall in between.
        let Seen { judge, cost, .. } = &mut *self.observer.lock();
        let crosses = self.port.send(frame, at_ns);
        if crosses {
            let number = judge.judged();
            cost.add(Cost::of(number, || judge.frame(number, at_ns, frame)));
        }
        crosses
    }

    fn flush(&mut self) {
        self.port.flush();
    }
}
