//! What the core has done: steps, instructions and cycles, work apart from waiting.
//!
//! Kept by `command_core` for either body, read through `ModelCard::core_work` by `measure` and by
//! tests. A step counts as work when in it something was taken out of a mailbox, stored into table
//! memory, posted to the host, asked of it or raised; else the core only looked and waited.

use crate::body::Step;
use crate::charge::CHARGES;
use crate::meter::Tally;

/// Steps of one sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// How many.
    pub steps: u64,
    /// Instructions retired; none on a native body.
    pub instructions: u64,
    /// Cycles of the card clock.
    pub cycles: u64,
    /// Cycles among them in which the core waited for table memory.
    pub stalls: u64,
}

impl Steps {
    fn add(&mut self, step: &Step) {
        self.steps += 1;
        self.instructions += step.instructions;
        self.cycles += step.cycles;
        self.stalls += step.stalls;
    }

    fn since(self, before: Self) -> Self {
        Self {
            steps: self.steps - before.steps,
            instructions: self.instructions - before.instructions,
            cycles: self.cycles - before.cycles,
            stalls: self.stalls - before.stalls,
        }
    }
}

/// What the core of a card has done since the card was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreWork {
    /// Steps with work in them.
    pub working: Steps,
    /// Steps that found nothing to do.
    pub waiting: Steps,
    /// What a native body was charged for in working steps.
    pub tally: Tally,
    /// The same of waiting steps.
    pub waiting_tally: Tally,
}

impl CoreWork {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        const NONE: Steps = Steps { steps: 0, instructions: 0, cycles: 0, stalls: 0 };
        Self { working: NONE, waiting: NONE, tally: [0; CHARGES], waiting_tally: [0; CHARGES] }
    }

    /// Notes a step; returns the tally that its charges belong to.
    pub(crate) fn add(&mut self, step: &Step, has_acted: bool) -> &mut Tally {
        if has_acted {
            self.working.add(step);
            &mut self.tally
        } else {
            self.waiting.add(step);
            &mut self.waiting_tally
        }
    }

    /// What was done since `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let difference = |now: &Tally, then: &Tally| std::array::from_fn(|i| now[i] - then[i]);
        Self {
            working: self.working.since(before.working),
            waiting: self.waiting.since(before.waiting),
            tally: difference(&self.tally, &before.tally),
            waiting_tally: difference(&self.waiting_tally, &before.waiting_tally),
        }
    }
}
