//! The engine of a session: whoever holds it moves trees down and completions up.
//!
//! Between the submission queue and the lanes. One thread at a time drives it; the others find
//! it taken and wait for their outcome. After a fatal fault everything under way is answered
//! with it, and so is everything that comes, until a reset.

use std::collections::VecDeque;
use std::sync::Arc;

use abi::host::completion::Event;
use abi::host::position::RingSize;
use abi::host::register;
use abi::host::status::{CardState, FailCode};

use super::apply::apply;
use super::lane::Lane;
use super::ticket::{Answered, Recipient};
use crate::backing::Backing;
use crate::bring_up::read;
use crate::dma::{DmaRegion, ResultBuffers};
use crate::error::Error;
use crate::outcome::Outcome;
use crate::ring::Consumer;
use crate::shadow::Shadow;
use crate::tree::Tree;

/// Trees begun, and completions taken, in one turn.
const TURN: usize = 256;
/// Turns without work after which the card's health is looked at.
const IDLE_TURNS: u32 = 256;
/// Events that wait for the caller; more stay on the ring, and then are the card's to count.
const EVENTS_MAX: usize = 4096;

/// A tree waiting to go down.
pub(super) struct Request {
    pub(super) ring: usize,
    pub(super) tree: Tree,
    pub(super) recipient: Recipient,
}

/// The event ring's host end.
pub(super) struct EventLane {
    pub(super) size: RingSize,
    pub(super) region: DmaRegion,
    pub(super) consumer: Consumer,
    pub(super) waiting: VecDeque<Event>,
}

pub(super) struct Engine {
    pub(super) backing: Arc<dyn Backing>,
    pub(super) lanes: Vec<Lane>,
    pub(super) events: EventLane,
    pub(super) buffers: ResultBuffers,
    pub(super) shadow: Shadow,
    pub(super) fault: Option<Error>,
    /// Requests that their lane has no room for yet, a queue a lane.
    pub(super) waiting: Vec<VecDeque<Request>>,
    pub(super) timeout_ms: u64,
    pub(super) idle_turns: u32,
}

/// Outcomes to be delivered once the engine's lock is gone.
pub(super) type Deliveries = Vec<(Recipient, Answered)>;

impl Engine {
    /// One turn: takes requests, pushes slots, reaps completions and events.
    pub(super) fn turn(&mut self, next: impl Fn() -> Option<Request>, deliveries: &mut Deliveries) {
        for _ in 0..TURN {
            let Some(request) = next() else { break };
            match &self.fault {
                Some(fault) => deliveries.push((request.recipient, Err(fault.clone()))),
                None => self.waiting[request.ring].push_back(request),
            }
        }
        if self.fault.is_some() {
            return;
        }
        self.begin_waiting(deliveries);
        let before = deliveries.len();
        if let Err(fault) = self.reap(deliveries).and_then(|()| self.look_after(before, deliveries))
        {
            self.fail(fault, deliveries);
            return;
        }
        self.reap_events();
    }

    /// Trees under way or waiting.
    pub(super) fn outstanding(&self) -> usize {
        let flying: usize = self.lanes.iter().map(Lane::flying).sum();
        flying + self.waiting.iter().map(VecDeque::len).sum::<usize>()
    }

    /// Answers everything with `fault`, now and until a reset.
    pub(super) fn fail(&mut self, fault: Error, deliveries: &mut Deliveries) {
        for (_, recipient) in self.drain() {
            deliveries.push((recipient, Err(fault.clone())));
        }
        self.fault = Some(fault);
    }

    /// Takes everything under way and waiting, oldest first a ring.
    pub(super) fn drain(&mut self) -> Vec<(Tree, Recipient)> {
        let mut drained = Vec::new();
        for (lane, waiting) in self.lanes.iter_mut().zip(&mut self.waiting) {
            drained.extend(lane.drain(&mut self.buffers));
            drained.extend(waiting.drain(..).map(|request| (request.tree, request.recipient)));
        }
        drained
    }

    fn begin_waiting(&mut self, deliveries: &mut Deliveries) {
        for (lane, waiting) in self.lanes.iter_mut().zip(&mut self.waiting) {
            lane.push();
            while lane.is_open() {
                let Some(request) = waiting.pop_front() else { break };
                let begun = lane.begin(request.tree, request.recipient, &mut self.buffers);
                if let Err((recipient, error)) = begun {
                    deliveries.push((recipient, Err(error)));
                }
            }
            lane.publish();
        }
    }

    fn reap(&mut self, deliveries: &mut Deliveries) -> Result<(), Error> {
        for lane in &mut self.lanes {
            let mut has_reaped = false;
            for _ in 0..TURN {
                let Some(landed) = lane.reap(&mut self.buffers)? else { break };
                has_reaped = true;
                let (outcome, slots, recipient) = match lane.outcome(landed) {
                    Ok(parts) => parts,
                    Err((recipient, error)) => {
                        deliveries.push((recipient, Err(error.clone())));
                        return Err(error);
                    }
                };
                match apply(&mut self.shadow, &outcome, &slots) {
                    Ok(()) => deliveries.push((recipient, Ok(outcome))),
                    Err(what) => {
                        let error = lane.nonsense(what);
                        deliveries.push((recipient, Err(error.clone())));
                        return Err(error);
                    }
                }
            }
            if has_reaped {
                lane.give_back_slots();
            }
        }
        Ok(())
    }

    /// Now and then, when nothing happens, looks whether the card still lives.
    fn look_after(&mut self, before: usize, deliveries: &Deliveries) -> Result<(), Error> {
        if deliveries.len() != before || self.outstanding() == 0 {
            self.idle_turns = 0;
            return Ok(());
        }
        self.idle_turns += 1;
        if !self.idle_turns.is_multiple_of(IDLE_TURNS) {
            return Ok(());
        }
        self.check_health()?;
        self.lanes.iter_mut().try_for_each(|lane| lane.check(self.timeout_ms))
    }

    /// Whether the card is there and well.
    pub(super) fn check_health(&self) -> Result<(), Error> {
        let backing = &*self.backing;
        let state = read(backing, register::STATE);
        let card = backing.describe();
        if state == u32::MAX {
            return Err(Error::Vanished { card });
        }
        if CardState(state) == CardState::FAILED {
            let code = FailCode(read(backing, register::FAIL_CODE));
            let pc = read(backing, register::FAIL_PC);
            let cause = read(backing, register::FAIL_CAUSE);
            return Err(Error::Failed { card, code, pc, cause });
        }
        Ok(())
    }

    fn reap_events(&mut self) {
        let events = &mut self.events;
        let mut has_reaped = false;
        while events.waiting.len() < EVENTS_MAX {
            let Some(words) = events.consumer.reap(events.region.memory()) else { break };
            events.waiting.push_back(Event::read(&words));
            has_reaped = true;
        }
        if has_reaped {
            let ring = register::EVENT_RING;
            let doorbell = register::DOORBELL_REAPED.bank(ring, register::DOORBELL_STRIDE);
            self.backing.write(doorbell.offset, events.consumer.reaped());
        }
    }
}

/// What trees get that a reset overtook.
pub(super) fn overtaken(drained: Vec<(Tree, Recipient)>) -> Deliveries {
    let overtaken = drained.into_iter();
    overtaken.map(|(tree, recipient)| (recipient, Ok(Outcome::reset(tree)))).collect()
}
