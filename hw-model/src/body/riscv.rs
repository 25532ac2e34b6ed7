//! The RISC-V body: a firmware image on a simulated hart.
//!
//! Between `command_core` and `rv32`; what lies outside the hart's RAM is `bus`. A step is what the
//! image does from one clearing of WAKE to the next, or until it sleeps. The hart's cycles are
//! those of the card clock, which waits while the hart sleeps. Where something arrives meanwhile, the
//! step is cut, so that the image sees it as soon as it looks.
//! Invariant: a step ends whatever the image does; one that does not come to its end is continued
//! in the next, and a firmware that hangs is found by the heartbeat's watchdog.

use std::sync::Arc;

use abi::host::status::CardState;
use rv32::{Hart, Stop};

use super::Step;
use super::bus::CoreBus;
use super::windows::Windows;
use crate::image::Image;
use crate::peripherals::Peripherals;

/// Cycles of one step before the engines around the core are looked at again: more than any step
/// of a healthy firmware, and less than a tenth of its heartbeat's deadline.
const STEP_CYCLES_MAX: u64 = 100_000;
/// Cycles that the image has to come up; clearing its statics takes about a sixth of them.
const START_CYCLES_MAX: u64 = 200_000;

/// The image, and the hart once it was started.
pub(crate) struct RiscvBody {
    image: Arc<Image>,
    run: Option<Run>,
}

/// A hart between ENABLE and reset.
struct Run {
    hart: Box<Hart>,
    windows: Windows,
    /// The hart waits in WFI.
    is_asleep: bool,
    /// The step before this one was cut.
    is_cut: bool,
}

impl RiscvBody {
    pub(super) fn new(image: Arc<Image>) -> Self {
        Self { image, run: None }
    }

    pub(super) fn reset(&mut self) {
        self.run = None;
    }

    /// Starts the hart at the image's entry, with fresh RAM, up to its first step.
    pub(super) fn enable(&mut self, side: &mut Peripherals) -> bool {
        let mut hart = Box::new(self.image.hart());
        hart.wait_until(side.time(side.now));
        let mut run = Run { hart, windows: Windows::new(), is_asleep: false, is_cut: false };
        run.advance(side, START_CYCLES_MAX);
        self.run = Some(run);
        side.shared.registers.state.get() != CardState::FAILED.0
    }

    pub(super) fn step(&mut self, side: &mut Peripherals, until: Option<u64>) -> Step {
        self.run.as_mut().map_or_else(Step::default, |run| run.step(side, until))
    }

    pub(super) fn pc(&self) -> Option<u32> {
        self.run.as_ref().map(|run| run.hart.pc())
    }

    pub(super) fn plant(&mut self, address: u32, bytes: &[u8]) -> bool {
        self.run.as_mut().is_some_and(|run| run.hart.load_segment(address, bytes).is_ok())
    }
}

impl Run {
    fn step(&mut self, side: &mut Peripherals, until: Option<u64>) -> Step {
        let now = side.now;
        // What is new during a step keeps the hart awake behind it.
        let has_news = std::mem::take(&mut side.has_news);
        self.windows.wake |= u32::from(has_news && self.is_cut);
        let instructions = self.hart.instructions();
        let started = self.hart.cycles();
        // On the machine's clock the hart has cycles of its own, which nobody waits for.
        self.hart.wait_until(side.time(now).max(started));
        let began = if side.shared.clock.is_counted() { now } else { started };
        let limit = until.map_or(STEP_CYCLES_MAX, |until| until.saturating_sub(now));
        let (stop, stalls) = self.advance(side, limit.clamp(1, STEP_CYCLES_MAX));
        self.is_cut = stop == Stop::Budget || std::mem::take(&mut self.windows.has_asked);
        Step {
            is_busy: stop != Stop::Waiting,
            is_cut: self.is_cut,
            is_at_rest: false,
            cycles: self.hart.cycles() - began.min(self.hart.cycles()),
            instructions: self.hart.instructions() - instructions,
            stalls,
        }
    }

    /// Runs to the end of the step, for at most `limit` cycles. Why it stopped, and its stalls.
    fn advance(&mut self, side: &mut Peripherals, limit: u64) -> (Stop, u64) {
        let until = self.hart.cycles() + limit;
        // A hart that slept is woken: by something new, or because 50 us have passed.
        self.windows.wake |= u32::from(self.is_asleep);
        let mut begins = self.is_asleep;
        let mut bus = CoreBus { side, windows: &mut self.windows, stalls: 0 };
        let stop = loop {
            match self.hart.run(&mut bus, until) {
                // Woken, it clears WAKE first: there the step begins.
                Stop::Boundary if begins && !bus.windows.has_asked => begins = false,
                stop => break stop,
            }
        };
        self.is_asleep = stop == Stop::Waiting;
        (stop, bus.stalls)
    }
}
