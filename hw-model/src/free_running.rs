//! The free-running way: two threads that poll shared memory, one for the core, one for frames.
//!
//! For throughput and for real concurrency between firmware, datapath and host. It adds no
//! latency of its own. Each engine sits behind a lock that its thread takes for one bounded slice
//! at a time; only a control register takes both, so nothing on the datapath waits for firmware.
//! Invariant: while a control register is carried out, neither thread is inside a slice.
//!
//! An idle thread spins, then yields, then rests, first for [`REST`] and the longer it was idle the
//! longer, up to [`REST_LONGEST`]; it is woken by what the card itself does. A doorbell written
//! through a mapping wakes nobody and is found by polling.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use abi::host::limit::RESET_DEADLINE_MS;
use abi::host::status::FailCode;

use crate::command_core::CommandCore;
use crate::control::{Order, carry_out};
use crate::datapath::Datapath;
use crate::meter::NoMeter;
use crate::shared::Shared;
use crate::sleeper::Sleeper;

/// Batches after which a busy datapath lets others run: where threads outnumber processors, host
/// and firmware are not kept waiting for a whole time slice of the system's.
const TURN: u32 = 4;
/// Slices without work before an idle thread yields.
const SPINS: u32 = 32;
/// Slices without work before an idle thread rests.
const YIELDS: u32 = 256;
/// Rest of a thread of a ready card that has just become idle.
const REST: Duration = Duration::from_micros(50);
/// Rests of one length before they get twice as long.
const RESTS: u32 = 16;
/// Rest of a thread of a ready card that has been idle for long, about 25 ms.
const REST_LONGEST: Duration = Duration::from_millis(1);
/// Longest rest of a thread of a card that is not ready.
const REST_OFF: Duration = Duration::from_millis(2);

/// The two threads and what they share.
#[derive(Debug)]
pub(crate) struct FreeRunning {
    engines: Arc<Engines>,
    threads: Vec<JoinHandle<()>>,
}

struct Engines {
    shared: Arc<Shared>,
    core: Mutex<CommandCore<NoMeter>>,
    datapath: Mutex<Datapath>,
    /// Control registers that wait for both engines: threads stay away meanwhile.
    waiting: AtomicU32,
    is_over: AtomicBool,
}

impl std::fmt::Debug for Engines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engines").field("shared", &self.shared).finish_non_exhaustive()
    }
}

impl FreeRunning {
    /// Starts both threads.
    ///
    /// # Panics
    /// When the system has no threads left: there is no card without them.
    pub(crate) fn start(
        shared: Arc<Shared>,
        core: CommandCore<NoMeter>,
        datapath: Datapath,
    ) -> Self {
        let engines = Arc::new(Engines {
            shared,
            core: Mutex::new(core),
            datapath: Mutex::new(datapath),
            waiting: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
        });
        let spawn = |name: &str, run: fn(&Engines)| {
            let engines = Arc::clone(&engines);
            let thread = thread::Builder::new().name(name.to_owned());
            thread.spawn(move || run(&engines)).expect("a process that runs has two threads left")
        };
        let threads = vec![
            spawn("card-core", Engines::run_core),
            spawn("card-datapath", Engines::run_datapath),
        ];
        Self { engines, threads }
    }

    /// The command side, between two slices.
    pub(crate) fn with_core<T>(&self, look: impl FnOnce(&mut CommandCore<NoMeter>) -> T) -> T {
        look(&mut lock(&self.engines.core))
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
    fn run_core(&self) {
        let mut backoff = Backoff::default();
        while self.goes_on() {
            let is_ready = self.shared.registers.is_ready();
            let is_busy = is_ready && {
                let mut core = lock(&self.core);
                core.slice(self.shared.clock.cycles())
            };
            backoff.after(is_busy, is_ready, &self.shared.core_sleeper);
        }
    }

    fn run_datapath(&self) {
        let mut backoff = Backoff::default();
        let mut batches = 0_u32;
        while self.goes_on() {
            let is_ready = self.shared.registers.is_ready();
            let is_busy = is_ready && self.datapath_slice();
            if !is_busy {
                lock(&self.datapath).rest();
            }
            batches = batches.wrapping_add(u32::from(is_busy));
            if is_busy && batches.is_multiple_of(TURN) {
                thread::yield_now();
            }
            backoff.after(is_busy, is_ready, &self.shared.datapath_sleeper);
        }
        lock(&self.datapath).rest();
    }

    /// One batch from descriptors to completions. Returns whether there was anything in it.
    fn datapath_slice(&self) -> bool {
        let now = self.shared.clock.cycles();
        let mut datapath = lock(&self.datapath);
        let moved = datapath.pump(now);
        let batch = datapath.resolve(now);
        if batch.is_stalled
            && let Some(stall) = self.shared.config.reader_stall
        {
            // The fault: frames are resolved, the port has not seen them. A reset may come by.
            drop(datapath);
            thread::sleep(Duration::from_micros(u64::from(stall.stall_us)));
            datapath = lock(&self.datapath);
        }
        if batch.frames > 0 {
            datapath.hand_over(now);
            datapath.pump(now);
        }
        moved || batch.frames > 0
    }

    /// Whether the thread goes on; stays here while a control register wants the engines.
    fn goes_on(&self) -> bool {
        // ORDERING: Relaxed. A courtesy to a waiting control register; the locks decide.
        // No loom test: nothing is published.
        while self.waiting.load(Ordering::Relaxed) > 0 {
            thread::yield_now();
        }
        // ORDERING: Relaxed. As in `FreeRunning::drop`.
        !self.is_over.load(Ordering::Relaxed)
    }

    fn control(&self, order: Order) {
        // ORDERING: Relaxed. As in `goes_on`.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let deadline = Instant::now() + Duration::from_millis(u64::from(RESET_DEADLINE_MS));
        match (lock_until(&self.core, deadline), lock_until(&self.datapath, deadline)) {
            (Some(mut core), Some(mut datapath)) => {
                let now = self.shared.clock.cycles();
                carry_out(order, &self.shared, &mut core, &mut datapath, now);
            }
            _ => self.shared.registers.fail(FailCode::DRAIN, 0, 0),
        }
        // ORDERING: Relaxed. As in `goes_on`.
        self.waiting.fetch_sub(1, Ordering::Relaxed);
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

/// How a thread that finds nothing gives the processor away.
#[derive(Debug, Default)]
struct Backoff {
    idle: u32,
}

impl Backoff {
    fn after(&mut self, is_busy: bool, is_ready: bool, sleeper: &Sleeper) {
        if is_busy {
            self.idle = 0;
            return;
        }
        self.idle = self.idle.saturating_add(1);
        match self.idle {
            _ if !is_ready => sleeper.rest(REST_OFF),
            ..SPINS => std::hint::spin_loop(),
            SPINS..YIELDS => thread::yield_now(),
            idle => sleeper.rest(rest_after(idle - YIELDS)),
        }
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
}
