//! What each operation costs the core: run one by one on a timed card of its own.
//!
//! Beside the flow, like the conformance suite: it drives a card through the host driver and reads
//! the core's account (`ModelCard::core_work`). An operation's cost is that of all steps in which
//! something was taken, stored, posted, asked for or raised, from the slot in the mailbox to the
//! posted completion; steps that only wait (for a fence, for a list) are apart. `operations` is
//! what is measured, `fit` makes the native body's table of costs from it. `clocks` measures the same
//! operations from outside, as the host sees them, on any card.

mod clocks;
mod fit;
mod operations;

use crate::body::Body;
use crate::card::ModelCard;
use crate::conformance::{ModelRig, Needs};
use crate::memory::TablePlace;
use crate::work::CoreWork;
use host_driver::backing::Backing;

pub use clocks::{Clocks, Stopwatch, clocks, model_clocks};
pub use fit::{fit, fitted_source};

/// One operation, and what it cost.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What it is.
    pub name: String,
    /// Objects that it names: for a cost an object.
    pub objects: u32,
    /// How often it was done.
    pub times: u32,
    /// What the core did for all of them.
    pub work: CoreWork,
    /// Whether its waiting is what was measured: the idle step.
    pub is_waiting: bool,
}

impl Measured {
    /// Instructions of one; none on a native body.
    #[must_use]
    pub fn instructions(&self) -> f64 {
        self.one(self.steps().instructions)
    }

    /// Cycles of one, stalls included.
    #[must_use]
    pub fn cycles(&self) -> f64 {
        self.one(self.steps().cycles)
    }

    /// Cycles of one in which the core waited for table memory.
    #[must_use]
    pub fn stalls(&self) -> f64 {
        self.one(self.steps().stalls)
    }

    /// The steps that count.
    fn steps(&self) -> &crate::work::Steps {
        if self.is_waiting { &self.work.waiting } else { &self.work.working }
    }

    /// What a native body was charged for in them.
    fn tally(&self) -> &crate::meter::Tally {
        if self.is_waiting { &self.work.waiting_tally } else { &self.work.tally }
    }

    fn one(&self, sum: u64) -> f64 {
        let times = if self.is_waiting { self.steps().steps } else { u64::from(self.times) };
        sum as f64 / times.max(1) as f64
    }
}

/// Measures every operation on a card with this body and tables that lie there.
///
/// # Panics
/// When the card does not do what it is told: then there is nothing to be measured.
#[must_use]
pub fn measure(body: &Body, place: TablePlace) -> Vec<Measured> {
    let rig = ModelRig { body: body.clone(), ..ModelRig::TIMED };
    let mut needs = Needs::sized(|sizes| sizes.paths = PATHS);
    if place == TablePlace::OffChip {
        // As large as cards are by default: far more than the chip has room for.
        needs.capabilities = crate::config::CardConfig::default().capabilities;
    }
    needs.config.generation_seed = Some(1);
    let mut account = Account { measured: Vec::new(), work: None };
    operations::run(&rig, &needs, &LISTS, &mut account);
    account.measured
}

/// Lengths of lists that are measured.
const LISTS: [u32; 2] = [64, 4_096];
/// Steps without work after which nothing is under way any more.
const QUIET_STEPS: u64 = 3;
/// Idle steps that are measured.
const IDLE_STEPS: u64 = 100;

/// Reads the core's account before and after each operation.
struct Account {
    measured: Vec<Measured>,
    /// What the core had done before the operation that is being done.
    work: Option<CoreWork>,
}

impl operations::Watch<ModelCard> for Account {
    fn begin(&mut self, card: &ModelCard, name: &str, objects: u32) {
        let (name, work) = (name.to_owned(), card.core_work());
        self.work = Some(work.clone());
        let times = operations::TIMES;
        self.measured.push(Measured { name, objects, times, work, is_waiting: false });
    }

    fn before(&mut self, _card: &ModelCard) {}

    fn after(&mut self, _card: &ModelCard) {}

    fn settle(&mut self, card: &ModelCard) {
        settle(card);
    }

    fn end(&mut self, card: &ModelCard) {
        if let (Some(measured), Some(before)) = (self.measured.last_mut(), self.work.take()) {
            measured.work = card.core_work().since(&before);
        }
    }

    fn idle(&mut self, card: &ModelCard) {
        settle(card);
        let before = card.core_work();
        let mut work = before.clone();
        while work.waiting.steps < before.waiting.steps + IDLE_STEPS {
            card.relax();
            work = card.core_work();
        }
        self.measured.push(Measured {
            name: "idle step".to_owned(),
            objects: 1,
            times: 1,
            work: work.since(&before),
            is_waiting: true,
        });
    }
}

/// Lets time pass until the core has nothing to do.
fn settle(card: &ModelCard) {
    let mut quiet = card.core_work();
    loop {
        card.relax();
        let work = card.core_work();
        if work.working.steps != quiet.working.steps {
            quiet = work;
        } else if work.waiting.steps >= quiet.waiting.steps + QUIET_STEPS {
            return;
        }
    }
}

/// Paths of a card whose tables fit the chip.
const PATHS: u32 = 8_192;

/// Clock of the cards that are measured, in kHz.
#[must_use]
pub fn clock_khz() -> u32 {
    Needs::default().capabilities.clock_khz
}
