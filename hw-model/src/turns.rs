//! The turns of a free-running card's thread: slices of the core, batches of frames, and looks
//! whether there is anything for either.
//!
//! Called by `free_running` over and over. A slice looks at everything and so is long; where the
//! last one found nothing, doorbells alone are looked at before the next: what else there may be
//! (the lapse of time, a notice, a ring that was stopped) can wait for so long. A batch is short,
//! because a fence that comes meanwhile waits for its end.

use std::time::{Duration, Instant};

use crate::command_core::CommandCore;
use crate::config::CardThread;
use crate::datapath::Datapath;
use crate::iommu::Window;
use crate::meter::NoMeter;
use crate::shared::Shared;

/// Slices of a busy core before frames are looked at again, where one thread serves both.
const CORE_TURN: u32 = 8;
/// Slices for which one look at the machine's clock does, where one thread serves both: they are
/// short, and nothing on the card counts less than microseconds.
const CLOCK_TURN: u32 = 16;
/// Looks at doorbells that a thread takes, where it found nothing, before the next slice.
const LOOKS: u32 = 16;
/// Frames of a batch: a fence waits for no more of them.
const FRAMES_TURN: u32 = 8;

/// The turns of one thread, on what it has: the core, the datapath, or both.
#[derive(Debug)]
pub(crate) struct Turns<'a> {
    shared: &'a Shared,
    clock: Glance,
    core: Looks,
    datapath: Looks,
    /// The fault: frames are resolved, and until then the port does not see them. A reset may
    /// come by meanwhile.
    stalled_until: Option<Instant>,
}

impl<'a> Turns<'a> {
    /// For the thread of `part`.
    pub(crate) fn new(shared: &'a Shared, part: CardThread) -> Self {
        Self {
            shared,
            clock: Glance::new(if part == CardThread::Both { CLOCK_TURN } else { 1 }),
            core: Looks::default(),
            datapath: Looks::default(),
            stalled_until: None,
        }
    }

    /// Some slices of the core, then one of the datapath, as far as there is anything to do.
    /// Returns whether there was.
    pub(crate) fn take(
        &mut self,
        core: Option<&mut CommandCore<NoMeter>>,
        mut datapath: Option<&mut Datapath>,
        window: &Window<'_>,
    ) -> bool {
        let mut is_busy = false;
        if let Some(core) = core {
            for _ in 0..CORE_TURN {
                if !self.core.is_over(|| core.is_rung(window)) {
                    break;
                }
                let now = self.clock.now(self.shared);
                // Between two batches, on the reader's own thread: nothing older is under way.
                let mut announce = || {
                    let datapath = datapath.as_mut().filter(|_| self.stalled_until.is_none());
                    datapath.is_some_and(|datapath| datapath.announce(now))
                };
                let has_worked = core.slice(window, now, &mut announce);
                self.core.note(has_worked);
                if !has_worked {
                    break;
                }
                is_busy = true;
            }
        }
        if let Some(datapath) = datapath
            && (self.stalled_until.is_some() || self.datapath.is_over(|| datapath.is_rung()))
        {
            let has_worked = self.batch(datapath, window);
            self.datapath.note(has_worked);
            is_busy |= has_worked;
        }
        is_busy
    }

    /// Time has passed outside slices: everything is looked at again.
    pub(crate) fn forget(&mut self) {
        (self.clock.left, self.core.left, self.datapath.left) = (0, 0, 0);
    }

    /// One batch from descriptors to completions. Returns whether there was anything in it.
    fn batch(&mut self, datapath: &mut Datapath, window: &Window<'_>) -> bool {
        let now = self.clock.now(self.shared);
        let moved = match self.stalled_until.take() {
            Some(until) if Instant::now() < until => {
                self.stalled_until = Some(until);
                return false;
            }
            Some(_) => true,
            None => {
                let moved = datapath.pump(window, now);
                let batch = datapath.resolve(now, FRAMES_TURN);
                let stall = self.shared.config.reader_stall.filter(|_| batch.is_stalled);
                if let Some(stall) = stall {
                    let stall = Duration::from_micros(u64::from(stall.stall_us));
                    self.stalled_until = Some(Instant::now() + stall);
                    return true;
                }
                if batch.frames == 0 {
                    return moved;
                }
                true
            }
        };
        datapath.hand_over(window, now);
        moved
    }
}

/// How a thread looks for something to do where the last slice found nothing: at doorbells only,
/// most of the time.
#[derive(Debug, Default)]
struct Looks {
    /// Before the next slice.
    left: u32,
}

impl Looks {
    /// Whether there is to be a slice now. `is_due`: whether one would find something, but for what
    /// may wait.
    #[inline]
    fn is_over(&mut self, is_due: impl FnOnce() -> bool) -> bool {
        let is_over = self.left == 0 || is_due();
        self.left = self.left.saturating_sub(1);
        is_over
    }

    /// A slice has found something to do, or not.
    fn note(&mut self, has_worked: bool) {
        self.left = if has_worked { 0 } else { LOOKS };
    }
}

/// The time of a thread's slices: asked of the machine's clock every few of them, and for each while
/// the trace is on.
#[derive(Debug)]
struct Glance {
    now: u64,
    /// Slices for which `now` still does.
    left: u32,
    turn: u32,
}

impl Glance {
    fn new(turn: u32) -> Self {
        Self { now: 0, left: 0, turn }
    }

    fn now(&mut self, shared: &Shared) -> u64 {
        if self.left == 0 || shared.trace.is_on() {
            self.now = shared.clock.cycles();
            self.left = self.turn;
        }
        self.left -= 1;
        self.now
    }
}
