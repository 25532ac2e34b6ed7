//! The free-running way: threads that poll shared memory, one for the core and one for frames, or
//! one for both.
//!
//! For throughput and for real concurrency between firmware, datapath and host. It adds no
//! latency of its own. Each engine sits behind a lock; the thread that runs it keeps the lock, and
//! its window to host memory, from one bounded slice to the next and gives both back when a control
//! register wants the engines, a mapping changes, or there is nothing to do. So nothing on the
//! datapath waits for firmware.
//! Invariant: while a control register is carried out, no thread is inside a slice.
//!
//! One thread serves the core and the datapath in turn. It is its own reader: what the firmware
//! raises between two batches is announced at once, so a fence costs no hand-over. Which way fits
//! the machine is the matter of [`Threads`](crate::Threads).
//!
//! An idle thread spins (for [`SPIN`], where the host has a processor besides), then yields, then
//! rests, first for [`REST`] and the longer it was idle the longer, up to [`REST_LONGEST`]; it is
//! woken by what the card itself does. A doorbell written through a mapping wakes nobody and is
//! found by polling.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use abi::host::limit::RESET_DEADLINE_MS;
use abi::host::status::FailCode;

use crate::command_core::CommandCore;
use crate::config::CardThread;
use crate::control::{Order, carry_out};
use crate::datapath::Datapath;
use crate::meter::NoMeter;
use crate::shared::Shared;
use crate::sleeper::Sleeper;
use crate::turns::Turns;

/// Busy turns after which a thread lets others run where threads outnumber processors, and looks
/// how long it has been busy where they do not.
const BUSY_TURN: u32 = 4;
/// How long an idle thread spins before it yields, and a busy one goes on before it does, where the
/// host has a processor besides: the host may have more threads than processors, and whoever shares
/// one with the card is not kept waiting for a whole time slice of the system's.
const SPIN: Duration = Duration::from_micros(50);
/// Turns without work between two looks at how long that was, and before the first yield where
/// threads outnumber processors.
const SPINS: u32 = 32;
/// Yields before an idle thread rests.
const YIELDS: u32 = 256;
/// Rest of a thread of a ready card that has just become idle.
const REST: Duration = Duration::from_micros(50);
/// Rests of one length before they get twice as long.
const RESTS: u32 = 16;
/// Rest of a thread of a ready card that has been idle for long, about 25 ms.
const REST_LONGEST: Duration = Duration::from_millis(1);
/// Longest rest of a thread of a card that is not ready.
const REST_OFF: Duration = Duration::from_millis(2);

/// The threads and what they share.
#[derive(Debug)]
pub(crate) struct FreeRunning {
    engines: Arc<Engines>,
    threads: Vec<JoinHandle<()>>,
}

struct Engines {
    shared: Arc<Shared>,
    core: Mutex<CommandCore<NoMeter>>,
    datapath: Mutex<Datapath>,
    /// Who waits for an engine: threads give theirs back and stay away meanwhile.
    waiting: AtomicU32,
    is_over: AtomicBool,
    /// There are not more processors than threads of this card: an idle thread is in somebody's way.
    is_crowded: bool,
}

impl std::fmt::Debug for Engines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engines").field("shared", &self.shared).finish_non_exhaustive()
    }
}

impl FreeRunning {
    /// Starts the threads.
    ///
    /// # Panics
    /// When the system has no threads left: there is no card without them.
    pub(crate) fn start(
        shared: Arc<Shared>,
        core: CommandCore<NoMeter>,
        datapath: Datapath,
    ) -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let parts = shared.config.threads.parts(processors);
        let engines = Arc::new(Engines {
            shared,
            core: Mutex::new(core),
            datapath: Mutex::new(datapath),
            waiting: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
            is_crowded: processors <= parts.len(),
        });
        let spawn = |part: &CardThread| {
            let (engines, part) = (Arc::clone(&engines), *part);
            let thread = thread::Builder::new().name(part.word().to_owned());
            let run = move || {
                engines.shared.config.on_start.call(part);
                engines.run(part);
            };
            thread.spawn(run).expect("a process that runs has two threads left")
        };
        let threads = parts.iter().map(spawn).collect();
        Self { engines, threads }
    }

    /// The command side, between two slices.
    pub(crate) fn with_core<T>(&self, look: impl FnOnce(&mut CommandCore<NoMeter>) -> T) -> T {
        self.engines.while_wanted(|| look(&mut lock(&self.engines.core)))
    }

    /// Carries out what a control register asks for, with both engines at rest.
    pub(crate) fn control(&self, order: Order) {
        self.engines.control(order);
    }
}

impl Drop for FreeRunning {
    fn drop(&mut self) {
        // ORDERING: Relaxed. Nothing but the wish to stop; joining orders the rest.
        // No loom test: one word.
        self.engines.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A thread that panicked has been reported by the panic itself.
            if thread.join().is_err() {
                self.engines.shared.registers.fail(FailCode::TRAP, 0, 0);
            }
        }
    }
}

impl Engines {
    /// What the thread of `part` does until the card goes.
    fn run(&self, part: CardThread) {
        let sleeper = match part {
            CardThread::Datapath => &self.shared.datapath_sleeper,
            CardThread::Core | CardThread::Both => &self.shared.core_sleeper,
        };
        let mut turns = Turns::new(&self.shared, part);
        let mut backoff = Backoff::new(self.is_crowded, part);
        while self.goes_on() {
            let mut core = part.has_core().then(|| lock(&self.core));
            let mut datapath = part.has_datapath().then(|| lock(&self.datapath));
            let window = self.shared.slot.iommu.window();
            // With everything at hand, until somebody wants some of it or there is nothing to do.
            let pause = loop {
                let is_ready = self.shared.registers.is_ready();
                let is_busy =
                    is_ready && turns.take(core.as_deref_mut(), datapath.as_deref_mut(), &window);
                if let Some(datapath) = datapath.as_mut().filter(|_| !is_busy) {
                    datapath.rest();
                }
                if let Some(pause) = backoff.after(is_busy, is_ready) {
                    break pause;
                }
                if self.is_wanted() || self.shared.slot.iommu.is_wanted() {
                    break Pause::None;
                }
            };
            drop((core, datapath, window));
            pause.take(sleeper);
            turns.forget();
        }
        if part.has_datapath() {
            lock(&self.datapath).rest();
        }
    }

    /// Whether the thread goes on; stays here while somebody waits for an engine.
    fn goes_on(&self) -> bool {
        // ORDERING: Relaxed. A courtesy to a waiting control register; the locks decide.
        // No loom test: nothing is published.
        while self.waiting.load(Ordering::Relaxed) > 0 {
            thread::yield_now();
        }
        // ORDERING: Relaxed. As in `FreeRunning::drop`.
        !self.is_over.load(Ordering::Relaxed)
    }

    /// Whether a thread is to give its engines back.
    fn is_wanted(&self) -> bool {
        // ORDERING: Relaxed. As in `goes_on`.
        self.waiting.load(Ordering::Relaxed) > 0 || self.is_over.load(Ordering::Relaxed)
    }

    /// Keeps the threads away from their engines meanwhile, or soon.
    fn while_wanted<T>(&self, work: impl FnOnce() -> T) -> T {
        // ORDERING: Relaxed. As in `goes_on`.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let answer = work();
        // ORDERING: Relaxed. As in `goes_on`.
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        answer
    }

    fn control(&self, order: Order) {
        let deadline = Instant::now() + Duration::from_millis(u64::from(RESET_DEADLINE_MS));
        self.while_wanted(|| {
            match (lock_until(&self.core, deadline), lock_until(&self.datapath, deadline)) {
                (Some(mut core), Some(mut datapath)) => {
                    let now = self.shared.clock.cycles();
                    carry_out(order, &self.shared, &mut core, &mut datapath, now);
                }
                _ => self.shared.registers.fail(FailCode::DRAIN, 0, 0),
            }
        });
        self.shared.core_sleeper.wake();
        self.shared.datapath_sleeper.wake();
    }
}

/// A panic of another thread has left the engine as it was; a reset clears it.
fn lock<T>(engine: &Mutex<T>) -> MutexGuard<'_, T> {
    engine.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lock_until<T>(engine: &Mutex<T>, deadline: Instant) -> Option<MutexGuard<'_, T>> {
    loop {
        match engine.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => return None,
            Err(TryLockError::WouldBlock) => thread::yield_now(),
        }
    }
}

/// What a thread does between two runs of slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    /// Nothing: it only gave back what it had.
    None,
    /// It lets others run.
    Yield,
    /// It rests, for at most so long.
    Rest(Duration),
}

impl Pause {
    fn take(self, sleeper: &Sleeper) {
        match self {
            Self::None => {}
            Self::Yield => thread::yield_now(),
            Self::Rest(limit) => sleeper.rest(limit),
        }
    }
}

/// How a thread gives its processor away.
#[derive(Debug)]
struct Backoff {
    is_crowded: bool,
    /// A busy thread gives way too: it serves frames, which may come for ever.
    gives_way: bool,
    busy: u32,
    /// Since when it has been busy without giving way.
    busy_since: Option<Instant>,
    idle: u32,
    /// When it was seen first that there is nothing to do.
    since: Option<Instant>,
    /// Pauses since there was something to do.
    pauses: u32,
}

impl Backoff {
    fn new(is_crowded: bool, part: CardThread) -> Self {
        let gives_way = part.has_datapath();
        Self { is_crowded, gives_way, busy: 0, busy_since: None, idle: 0, since: None, pauses: 0 }
    }

    /// What the thread is to do after a slice, if it is not to go on at once.
    #[inline]
    fn after(&mut self, is_busy: bool, is_ready: bool) -> Option<Pause> {
        if is_busy {
            (self.idle, self.pauses, self.since) = (0, 0, None);
            self.busy = self.busy.wrapping_add(1);
            let is_over = self.gives_way
                && self.busy.is_multiple_of(BUSY_TURN)
                && (self.is_crowded || self.was_long_busy());
            return is_over.then_some(Pause::Yield);
        }
        if !is_ready {
            return Some(Pause::Rest(REST_OFF));
        }
        self.idle = self.idle.wrapping_add(1);
        if self.pauses == 0 && (!self.idle.is_multiple_of(SPINS) || self.spins_on()) {
            return None;
        }
        self.pauses = self.pauses.saturating_add(1);
        Some(match self.pauses {
            ..=YIELDS => Pause::Yield,
            rests => Pause::Rest(rest_after(rests - YIELDS - 1)),
        })
    }

    /// Whether it has been busy for long since it gave way; if so, it does now.
    fn was_long_busy(&mut self) -> bool {
        let is_long = self.busy_since.get_or_insert_with(Instant::now).elapsed() >= SPIN;
        self.busy_since.take_if(|_| is_long);
        is_long
    }

    /// Whether the processor is not needed by others and it is not long that there was nothing.
    fn spins_on(&mut self) -> bool {
        !self.is_crowded && self.since.get_or_insert_with(Instant::now).elapsed() < SPIN
    }
}

/// How long a thread rests that has rested so often without work.
fn rest_after(rests: u32) -> Duration {
    let longer = 1_u32.checked_shl(rests / RESTS).unwrap_or(u32::MAX);
    REST.saturating_mul(longer).min(REST_LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_get_longer_up_to_a_bound() {
        assert_eq!([0, RESTS - 1, RESTS].map(rest_after), [REST, REST, 2 * REST]);
        assert_eq!(rest_after(u32::MAX), REST_LONGEST);
        let before: Duration = (0..).map(rest_after).take_while(|rest| *rest < REST_LONGEST).sum();
        assert!((20..30).contains(&before.as_millis()), "{before:?}");
    }

    #[test]
    fn an_idle_thread_spins_first_where_nobody_needs_its_processor() {
        let mut crowded = Backoff::new(true, CardThread::Both);
        let pauses: Vec<_> = (0..SPINS + YIELDS).map(|_| crowded.after(false, true)).collect();
        let (spins, yields) = pauses.split_at(SPINS as usize - 1);
        assert!(spins.iter().all(Option::is_none) && yields[0] == Some(Pause::Yield));
        assert_eq!(pauses.last(), Some(&Some(Pause::Rest(REST))));
        assert_eq!(crowded.after(true, true), None, "there is something again");
        assert_eq!(crowded.after(false, true), None);
        let mut roomy = Backoff::new(false, CardThread::Both);
        let started = Instant::now();
        while roomy.after(false, true).is_none() {}
        assert!(started.elapsed() >= SPIN);
    }

    #[test]
    fn a_busy_thread_that_serves_frames_gives_way_now_and_then() {
        let mut datapath = Backoff::new(false, CardThread::Both);
        for _ in 0..2 {
            let started = Instant::now();
            while datapath.after(true, true).is_none() {}
            assert!(started.elapsed() >= SPIN);
        }
        let mut core = Backoff::new(false, CardThread::Core);
        let started = Instant::now();
        while started.elapsed() < 2 * SPIN {
            assert_eq!(core.after(true, true), None, "commands come to an end by themselves");
        }
    }
}
