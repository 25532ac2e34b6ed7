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
use crossbeam_queue::ArrayQueue;

use super::apply::apply;
use super::lane::Lane;
use super::ticket::{Answer, Deliveries, Recipient};
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
    /// Trees under way or waiting.
    pub(super) outstanding: usize,
    /// Most trees that may be.
    pub(super) in_flight: usize,
    pub(super) timeout_ms: u64,
    pub(super) idle_turns: u32,
}

impl Engine {
    /// One turn: takes requests, pushes slots, reaps completions and events. `offered` is taken
    /// when there is room for it and nobody waits before it.
    pub(super) fn turn(
        &mut self,
        queue: &ArrayQueue<Request>,
        offered: &mut Option<Request>,
        deliveries: &mut Deliveries,
    ) {
        for _ in 0..TURN {
            if self.outstanding >= self.in_flight {
                break;
            }
            // To look is cheap; to take from an empty queue is a fence.
            let queued = if queue.is_empty() { None } else { queue.pop() };
            let Some(request) = queued.or_else(|| offered.take()) else { break };
            self.accept(request, deliveries);
        }
        if self.fault.is_some() {
            return;
        }
        self.push(deliveries);
        let before = deliveries.count;
        if let Err(fault) = self.reap(deliveries).and_then(|()| self.look_after(before, deliveries))
        {
            self.fail(*fault, deliveries);
            return;
        }
        self.reap_events();
    }

    /// Whether a tree is not all written yet.
    pub(super) fn is_writing(&self) -> bool {
        self.lanes.iter().any(Lane::is_partly_sent)
    }

    /// Whether ring `ring` can take a tree now that nobody waits before.
    pub(super) fn is_free(&self, ring: usize) -> bool {
        let (lane, waiting) = (&self.lanes[ring], &self.waiting[ring]);
        let is_idle = lane.flying() == 0 && waiting.is_empty() && lane.is_open();
        is_idle && self.fault.is_none() && self.outstanding < self.in_flight
    }

    /// The road of a single command: sends a tree on a ring that is free, and looks for its answer
    /// as long as nobody else wants the engine, at most `looks` times. Without an answer the tree
    /// stays under way, for nobody yet.
    pub(super) fn run_alone(
        &mut self,
        Request { ring, tree }: Request,
        queue: &ArrayQueue<Request>,
        looks: u32,
        deliveries: &mut Deliveries,
    ) -> Option<Answer> {
        let lane = &mut self.lanes[ring];
        if let Err(refused) = lane.begin(tree, &mut self.buffers) {
            return Some(Err(Box::new(refused.1)));
        }
        lane.publish();
        self.outstanding += 1;
        // While the card is at it.
        self.reap_events();
        let mut left = looks;
        let landed = loop {
            let lane = &mut self.lanes[ring];
            match lane.reap(&mut self.buffers) {
                Ok(None) if left > 0 && queue.is_empty() => {
                    lane.expect_results();
                    left -= 1;
                }
                Ok(None) => return None,
                Ok(Some(tree)) => break Ok(tree),
                Err(fault) => break Err(fault),
            }
            if lane.is_partly_sent() {
                lane.push();
                lane.publish();
            }
        };
        let answer = landed.and_then(|tree| {
            self.outstanding -= 1;
            self.lanes[ring].give_back_slots(1);
            self.follow(ring, tree)
        });
        self.idle_turns = 0;
        if let Err(fault) = &answer {
            self.fail((**fault).clone(), deliveries);
        }
        Some(answer)
    }

    /// Lets the answer of the tree that [`Engine::run_alone`] left under way go to `recipient`.
    pub(super) fn hand_over(&mut self, ring: usize, recipient: Recipient) {
        if let Some(tree) = self.lanes[ring].newest() {
            tree.body.recipient = recipient;
        }
    }

    /// Answers everything with `fault`, now and until a reset.
    pub(super) fn fail(&mut self, fault: Error, deliveries: &mut Deliveries) {
        for tree in self.drain() {
            deliveries.put(recipient_of(tree), Err(Box::new(fault.clone())));
        }
        self.fault = Some(fault);
    }

    /// Takes everything under way and waiting, oldest first a ring.
    pub(super) fn drain(&mut self) -> Vec<Tree> {
        let mut drained = Vec::new();
        for (lane, waiting) in self.lanes.iter_mut().zip(&mut self.waiting) {
            drained.extend(lane.drain(&mut self.buffers));
            drained.extend(waiting.drain(..).map(|request| request.tree));
        }
        self.outstanding = 0;
        drained
    }

    /// Begins a tree, or lets it wait for those before it.
    fn accept(&mut self, request: Request, deliveries: &mut Deliveries) {
        if let Some(fault) = &self.fault {
            return deliveries.put(recipient_of(request.tree), Err(Box::new(fault.clone())));
        }
        self.outstanding += 1;
        let (lane, waiting) = (&self.lanes[request.ring], &mut self.waiting[request.ring]);
        if waiting.is_empty() && lane.is_open() {
            self.begin(request, deliveries);
        } else {
            waiting.push_back(request);
        }
    }

    fn begin(&mut self, Request { ring, tree }: Request, deliveries: &mut Deliveries) {
        if let Err(refused) = self.lanes[ring].begin(tree, &mut self.buffers) {
            let (tree, error) = *refused;
            self.outstanding -= 1;
            deliveries.put(recipient_of(tree), Err(Box::new(error)));
        }
    }

    /// Writes what there is room for, and rings the doorbells.
    fn push(&mut self, deliveries: &mut Deliveries) {
        for number in 0..self.lanes.len() {
            if self.lanes[number].is_partly_sent() {
                self.lanes[number].push();
            }
            while !self.waiting[number].is_empty() && self.lanes[number].is_open() {
                let Some(request) = self.waiting[number].pop_front() else { break };
                self.begin(request, deliveries);
            }
            self.lanes[number].publish();
        }
    }

    /// Takes what has come back. Rings on which nothing is under way are looked at when nothing
    /// else is to do: what stands there is nonsense, and has time.
    fn reap(&mut self, deliveries: &mut Deliveries) -> Result<(), Box<Error>> {
        let is_idle = self.outstanding == 0;
        for number in 0..self.lanes.len() {
            if !is_idle && self.lanes[number].flying() == 0 {
                continue;
            }
            let mut reaped = 0;
            while reaped < TURN as u32 {
                let landed = self.lanes[number].reap(&mut self.buffers);
                let Some(mut tree) = landed? else { break };
                reaped += 1;
                self.outstanding -= 1;
                let recipient = std::mem::take(&mut tree.body.recipient);
                match self.follow(number, tree) {
                    Ok(outcome) => deliveries.put(recipient, Ok(outcome)),
                    Err(error) => {
                        deliveries.put(recipient, Err(error.clone()));
                        return Err(error);
                    }
                }
            }
            if reaped > 0 {
                self.lanes[number].give_back_slots(reaped);
            }
        }
        Ok(())
    }

    /// Checks and follows what came back for a tree.
    fn follow(&mut self, number: usize, tree: Tree) -> Answer {
        let followed = Outcome::new(tree).and_then(|mut outcome| {
            apply(&mut self.shadow, &mut outcome)?;
            outcome.shed_slots();
            Ok(outcome)
        });
        followed.map_err(|what| Box::new(self.lanes[number].nonsense(what)))
    }

    /// Now and then, when nothing happens, looks whether the card still lives.
    fn look_after(&mut self, before: usize, deliveries: &Deliveries) -> Result<(), Box<Error>> {
        if deliveries.count != before || self.outstanding == 0 {
            self.idle_turns = 0;
            return Ok(());
        }
        self.idle_turns += 1;
        if !self.idle_turns.is_multiple_of(IDLE_TURNS) {
            return Ok(());
        }
        self.check_health()?;
        let timeout_ms = self.timeout_ms;
        Ok(self.lanes.iter_mut().try_for_each(|lane| lane.check(timeout_ms))?)
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

/// Takes a tree apart for the only thing that is still wanted of it.
fn recipient_of(mut tree: Tree) -> Recipient {
    std::mem::take(&mut tree.body.recipient)
}

/// What trees get that a reset overtook.
pub(super) fn overtaken(drained: Vec<Tree>) -> Deliveries {
    let mut deliveries = Deliveries::new(None);
    for mut tree in drained {
        let recipient = std::mem::take(&mut tree.body.recipient);
        deliveries.put(recipient, Ok(Outcome::reset(tree)));
    }
    deliveries
}
