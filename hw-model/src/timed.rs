//! The timed way: one event after another on the card's own clock, on the caller's thread.
//!
//! Deterministic: the same calls give the same frames at the same cycles. Time passes only in
//! [`Timed::relax`], which runs whatever is due next; the host's own work takes none. The core
//! and the datapath each do one thing at a time, and their transfers come back when `pcie` says.
//! Invariant: no event runs before its time, and the clock never passes one that is due.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abi::host::limit::RESOLVE_BATCH;

use crate::command_core::CommandCore;
use crate::control::{Order, carry_out};
use crate::costs;
use crate::datapath::Datapath;
use crate::iommu::Window;
use crate::meter::CycleMeter;
use crate::shared::Shared;

/// The event loop, behind the one mutex of a timed card.
pub(crate) struct Timed {
    shared: Arc<Shared>,
    events: Mutex<EventLoop>,
}

impl std::fmt::Debug for Timed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timed").field("shared", &self.shared).finish_non_exhaustive()
    }
}

/// Where the core stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CoreState {
    /// In a step, or about to begin one, at this time.
    Busy(u64),
    /// Idle since the first time; looks at its timers at the second.
    Idle(u64, u64),
}

/// Where the datapath stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DatapathState {
    /// Nothing to do.
    Idle,
    /// Opens a batch at this time.
    Opens(u64),
    /// Its batch crosses the port at this time.
    Crosses(u64),
}

struct EventLoop {
    core: CommandCore<CycleMeter>,
    datapath: Datapath,
    core_state: CoreState,
    datapath_state: DatapathState,
}

impl Timed {
    /// A timed card in reset.
    pub(crate) fn new(
        shared: Arc<Shared>,
        core: CommandCore<CycleMeter>,
        datapath: Datapath,
    ) -> Self {
        let events = EventLoop {
            core,
            datapath,
            core_state: CoreState::Busy(0),
            datapath_state: DatapathState::Idle,
        };
        Self { shared, events: Mutex::new(events) }
    }

    /// Carries out what a control register asks for.
    pub(crate) fn control(&self, order: Order) {
        let now = self.shared.clock.cycles();
        let EventLoop { core, datapath, core_state, datapath_state } = &mut *self.lock();
        carry_out(order, &self.shared, core, datapath, now);
        if matches!(order, Order::Reset | Order::Enable) {
            *core_state = CoreState::Busy(now);
            *datapath_state = DatapathState::Idle;
        }
    }

    /// Lets card time go on to the next event and runs it.
    pub(crate) fn relax(&self) {
        let mut events = self.lock();
        let now = self.shared.clock.cycles();
        let quantum = self.shared.clock.in_us(costs::IDLE_QUANTUM_US);
        if !self.shared.registers.is_ready() {
            self.shared.clock.advance_to(now + quantum);
            events.datapath.rest();
            return;
        }
        let window = self.shared.slot.iommu.window();
        // What the host has written since is asked for before the clock moves.
        events.pump(&window, now);
        let next = events.next(now).min(now + quantum);
        self.shared.clock.advance_to(next);
        events.run(&window, next, quantum, &self.shared);
    }

    /// The command side, between two events.
    pub(crate) fn with_core<T>(&self, look: impl FnOnce(&mut CommandCore<CycleMeter>) -> T) -> T {
        look(&mut self.lock().core)
    }

    fn lock(&self) -> MutexGuard<'_, EventLoop> {
        // A panic under the lock has left the engines as they were; a reset clears them.
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        self.lock().datapath.rest();
    }
}

impl EventLoop {
    /// Moves what is due between host memory and the engines, and wakes those it is for.
    fn pump(&mut self, window: &Window<'_>, now: u64) {
        if self.core.pump(window, now) {
            self.wake_core(now);
        }
        self.datapath.pump(window, now);
        if self.datapath_state == DatapathState::Idle && self.datapath.has_work(now) {
            let delay = if self.datapath.is_behind() { costs::ANNOUNCE_CYCLES } else { 0 };
            self.datapath_state = DatapathState::Opens(now + delay);
        }
    }

    /// When the next event is.
    fn next(&self, now: u64) -> u64 {
        let core = match self.core_state {
            CoreState::Busy(at) | CoreState::Idle(_, at) => at,
        };
        let datapath = match self.datapath_state {
            DatapathState::Idle => None,
            DatapathState::Opens(at) | DatapathState::Crosses(at) => Some(at),
        };
        let transfers = self.core.next_due(now).into_iter().chain(self.datapath.next_due(now));
        transfers.chain(datapath).chain([core]).min().unwrap_or(core).max(now)
    }

    /// Runs everything that is due at `now`.
    fn run(&mut self, window: &Window<'_>, now: u64, quantum: u64, shared: &Shared) {
        self.pump(window, now);
        match self.datapath_state {
            DatapathState::Crosses(at) if at <= now => {
                self.datapath.hand_over(window, now);
                self.datapath_state = DatapathState::Idle;
                self.wake_core(now);
            }
            DatapathState::Opens(at) if at <= now => {
                let size = self.datapath.resolve(now, RESOLVE_BATCH);
                let stall = shared.config.reader_stall.filter(|_| size.is_stalled);
                let stall = stall.map_or(0, |stall| shared.clock.in_us(u64::from(stall.stall_us)));
                self.datapath_state = DatapathState::Crosses(now + size.cycles + stall);
                self.wake_core(now);
            }
            _ => {}
        }
        match self.core_state {
            CoreState::Busy(at) | CoreState::Idle(_, at) if at <= now => {
                let is_idle = self.datapath_state == DatapathState::Idle;
                self.core.tell_reader(is_idle && self.datapath.is_at_rest(now));
                let step = self.core.step(window, now, &mut || false);
                let free = now + step.cycles;
                self.core_state = match step.is_busy {
                    true => CoreState::Busy(free),
                    false => CoreState::Idle(free, free + quantum),
                };
            }
            _ => {}
        }
        self.pump(window, now);
        if self.datapath_state == DatapathState::Idle && self.core_is_quiet(now) {
            self.datapath.rest();
        }
    }

    fn core_is_quiet(&self, now: u64) -> bool {
        matches!(self.core_state, CoreState::Idle(since, _) if since <= now)
    }

    /// Something arrived for the core: if it sleeps, that wakes it.
    fn wake_core(&mut self, now: u64) {
        if let CoreState::Idle(since, _) = self.core_state {
            self.core_state = CoreState::Busy(since.max(now + costs::WAKE_CYCLES));
        }
    }
}
