//! One command ring and its completion ring: trees down in order, completions back in order.
//!
//! Below `engine`, above `ring`. A tree longer than the ring goes down in pieces as the card
//! fetches. Completions are matched against the oldest tree; anything else is nonsense.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use abi::host::command::CommandHeader;
use abi::host::completion::Completion;
use abi::host::limit;
use abi::host::position::RingSize;
use abi::host::register;
use abi::host::status::{FailCode, RingState};

use crate::backing::Backing;
use crate::body::Body;
use crate::bring_up::{WALL_BACKSTOP, read, start_ring};
use crate::dma::{DmaRegion, ResultBuffers};
use crate::error::Error;
use crate::memory::{Memory, Words};
use crate::ring::{Consumer, ENTRY_WORDS, Producer};
use crate::trace::HostMark;
use crate::tree::Tree;

/// Words of a command slot.
const SLOT_WORDS: usize = limit::SLOT_BYTES as usize / 4;
/// Slots that are written before the doorbell is rung, so that the card goes to work on a long tree
/// while the rest of it is written.
const PIECE: usize = 128;
/// The part of a ring whose completion slots are given back at once, so that a command alone does
/// not cost a doorbell more: a quarter.
const GIVEN_BACK_SHIFT: u32 = 2;
/// The part of a ring that a look at the card's fetching has to gain, or the next look waits.
const GAINED_SHIFT: u32 = 2;
/// For how many turns it waits: a sixteenth of the ring's slots. A look is a read of the BAR.
const LOOK_SHIFT: u32 = 4;

/// A command ring's host end.
#[derive(Debug)]
pub(super) struct Lane {
    backing: Arc<dyn Backing>,
    number: u32,
    size: RingSize,
    slots: DmaRegion,
    completions: DmaRegion,
    producer: Producer<SLOT_WORDS>,
    consumer: Consumer,
    /// The card has fetched every slot below this position.
    consumed: u32,
    /// Trees whose first slots have gone down, oldest first.
    flying: VecDeque<Tree>,
    next_tag: u16,
    /// Completions taken whose slots the card has not been given back.
    not_given_back: u32,
    /// Turns until the card is asked again how far it has fetched.
    look_in: u32,
    /// Counts what has happened, so that [`Lane::check`] sees whether anything did.
    progress: u64,
    checked: Checked,
}

/// What [`Lane::check`] saw when something had happened since the time before.
#[derive(Debug)]
struct Checked {
    progress: u64,
    card_ns: u64,
    wall: Instant,
}

impl Lane {
    pub(super) fn new(backing: &Arc<dyn Backing>, number: u32, size: RingSize) -> io::Result<Self> {
        let slots = size.slots() as usize;
        Ok(Self {
            backing: Arc::clone(backing),
            number,
            size,
            slots: DmaRegion::new(backing, slots * SLOT_WORDS * 4)?,
            completions: DmaRegion::new(backing, slots * Completion::BYTES)?,
            producer: Producer::new(size),
            consumer: Consumer::new(size),
            consumed: 0,
            flying: VecDeque::new(),
            next_tag: 0,
            not_given_back: 0,
            look_in: 0,
            progress: 0,
            checked: Checked { progress: 0, card_ns: backing.clock_ns(), wall: Instant::now() },
        })
    }

    /// Starts the ring on the card, positions from 0.
    pub(super) fn start(&mut self, vector: u32) {
        zero(self.completions.memory());
        self.producer = Producer::new(self.size);
        self.consumer = Consumer::new(self.size);
        (self.consumed, self.not_given_back, self.look_in) = (0, 0, 0);
        let (base, completions) = (self.slots.iova(), self.completions.iova());
        start_ring(&*self.backing, self.number, base, completions, self.size, vector);
        self.progress += 1;
    }

    pub(super) fn flying(&self) -> usize {
        self.flying.len()
    }

    /// Whether another tree can begin: all slots of the one before are written.
    pub(super) fn is_open(&self) -> bool {
        !self.is_partly_sent() && self.producer.free(self.consumed) != 0
    }

    /// Whether slots of the newest tree are still to be written.
    pub(super) fn is_partly_sent(&self) -> bool {
        self.flying.back().is_some_and(|last| last.body.flight.sent < last.body.slots.len())
    }

    /// Begins a tree. The caller has asked [`Lane::is_open`]. The tree comes back when there is no
    /// memory for its results.
    pub(super) fn begin(
        &mut self,
        mut tree: Tree,
        buffers: &mut ResultBuffers,
    ) -> Result<(), Box<(Tree, Error)>> {
        let body = &mut *tree.body;
        let results = match buffers.take(body.result_bytes as usize) {
            Ok(results) => results,
            Err(source) => {
                let source = Arc::new(source);
                return Err(Box::new((tree, Error::Memory { what: "results", source })));
            }
        };
        // The card must write every record; what it leaves out reads as no status.
        let words = body.result_bytes as usize / 4;
        results.memory().fill(0, words.min(results.memory().len()), 0);
        let tag = self.next_tag;
        self.next_tag = tag.wrapping_add(1);
        if let Some(first) = body.slots.first_mut() {
            let mut header = CommandHeader::read(first);
            header.tag = tag;
            header.result = results.iova();
            header.result_units = result_units(body.result_bytes);
            header.write(first);
        }
        if self.flying.is_empty() {
            self.progress += 1;
        }
        let blocks = body.blocks;
        self.backing.mark(HostMark::Submitted { ring: self.number, tag, blocks });
        body.flight.tag = tag;
        body.flight.sent = 0;
        body.flight.results = Some(results);
        self.flying.push_back(tree);
        self.push();
        Ok(())
    }

    /// The newest tree under way.
    pub(super) fn newest(&mut self) -> Option<&mut Tree> {
        self.flying.back_mut()
    }

    /// Writes as many slots of the newest tree as there is room for; rings the doorbell for all but
    /// the last piece of them.
    pub(super) fn push(&mut self) {
        if self.is_partly_sent() && self.producer.free(self.consumed) == 0 {
            self.look_in = match self.look_in.checked_sub(1) {
                Some(left) => left,
                None => self.look(),
            };
        }
        let Some(last) = self.flying.back_mut() else { return };
        let Body { slots, flight, .. } = &mut *last.body;
        let room = self.producer.free(self.consumed) as usize;
        let slots = &slots[flight.sent..];
        let slots = &slots[..slots.len().min(room)];
        for (number, piece) in slots.chunks(PIECE).enumerate() {
            if number != 0 {
                publish(&mut self.producer, &*self.backing, self.number);
            }
            self.producer.write_all(self.slots.memory(), piece.iter().copied());
        }
        flight.sent += slots.len();
        flight.end = self.producer.tail();
    }

    /// Asks the card how far it has fetched; for how many turns not to ask again.
    fn look(&mut self) -> u32 {
        self.learn_fetched();
        let has_gained = self.producer.free(self.consumed) >= self.size.slots() >> GAINED_SHIFT;
        if has_gained { 0 } else { self.size.slots() >> LOOK_SHIFT }
    }

    /// Rings the doorbell for what was written since the last time.
    pub(super) fn publish(&mut self) {
        publish(&mut self.producer, &*self.backing, self.number);
    }

    /// Takes the next completed tree.
    #[inline]
    pub(super) fn reap(&mut self, buffers: &mut ResultBuffers) -> Result<Option<Tree>, Box<Error>> {
        match self.consumer.reap(self.completions.memory()) {
            Some(words) => self.land(words, buffers),
            None => Ok(None),
        }
    }

    /// Takes the oldest tree, for which the card has posted this completion.
    #[inline(never)]
    fn land(
        &mut self,
        words: [u32; ENTRY_WORDS],
        buffers: &mut ResultBuffers,
    ) -> Result<Option<Tree>, Box<Error>> {
        let completion = Completion::read(&words);
        let is_expected = |first: &&mut Tree| {
            let Body { slots, flight, .. } = &*first.body;
            flight.tag == completion.tag && flight.sent == slots.len()
        };
        let Some(first) = self.flying.front_mut().filter(is_expected) else {
            return Err(Box::new(self.unexpected(completion.tag)));
        };
        let body = &mut *first.body;
        body.completion = completion;
        // What was in the words before is overwritten: a buffer has as many as were asked for.
        body.words.resize(body.result_bytes as usize / 4, 0);
        if let Some(results) = body.flight.results.take() {
            results.memory().load_all(0, &mut body.words);
            buffers.give_back(results);
        }
        self.consumed = body.flight.end;
        // The card has gone on, and so it has with what came behind.
        self.look_in = 0;
        self.progress += 1;
        let Completion { tag, done, .. } = completion;
        self.backing.mark(HostMark::Seen { ring: self.number, tag, done });
        Ok(self.flying.pop_front())
    }

    /// Results of the oldest tree are going to be read: asks for their first line, which the card
    /// writes before the completion.
    pub(super) fn expect_results(&self) {
        let oldest = self.flying.front().and_then(|tree| tree.body.flight.results.as_ref());
        if let Some(results) = oldest {
            results.memory().expect_loads(0, 1);
        }
    }

    /// What is wrong with a completion that is not the oldest tree's, or came before its end was
    /// sent. The tree is still under way, and is answered with everything else.
    #[cold]
    fn unexpected(&self, tag: u16) -> Error {
        let oldest = self.flying.front().filter(|first| first.body.flight.tag == tag);
        self.nonsense(match oldest {
            Some(_) => format!("tree {tag} completed before its end"),
            None => format!("a completion with tag {tag}"),
        })
    }

    /// Tells the card which completion slots are free again, once those are a part of the ring
    /// that is worth a doorbell; the others are free to it all the time.
    pub(super) fn give_back_slots(&mut self, reaped: u32) {
        self.not_given_back += reaped;
        if self.not_given_back < (self.size.slots() >> GIVEN_BACK_SHIFT).max(1) {
            return;
        }
        self.not_given_back = 0;
        let doorbell = register::DOORBELL_REAPED.bank(self.number, register::DOORBELL_STRIDE);
        self.backing.write(doorbell.offset, self.consumer.reaped());
    }

    /// Whether the ring still runs and makes progress. Reads the BAR: not for the hot path.
    pub(super) fn check(&mut self, timeout_ms: u64) -> Result<(), Error> {
        let bank = |register: abi::layout::Reg<abi::layout::Ro>| {
            register.bank(self.number, register::RING_STRIDE)
        };
        let state = RingState(read(&*self.backing, bank(register::RING_STATE)));
        if state == RingState::FAILED {
            let code = FailCode(read(&*self.backing, bank(register::RING_ERROR)));
            let card = self.backing.describe();
            return Err(Error::RingStopped { card, ring: self.number, code });
        }
        if self.flying.is_empty() {
            return Ok(());
        }
        self.learn_fetched();
        let card_ns = self.backing.clock_ns();
        if self.checked.progress != self.progress {
            self.checked = Checked { progress: self.progress, card_ns, wall: Instant::now() };
        }
        let waited_ms = card_ns.saturating_sub(self.checked.card_ns) / 1_000_000;
        if waited_ms > timeout_ms || self.checked.wall.elapsed() > WALL_BACKSTOP {
            let card = self.backing.describe();
            return Err(Error::TimedOut { card, ring: self.number, waited_ms });
        }
        Ok(())
    }

    /// Everything under way, oldest first; none of it is under way afterwards.
    pub(super) fn drain(&mut self, buffers: &mut ResultBuffers) -> Vec<Tree> {
        let mut drained: Vec<_> = self.flying.drain(..).collect();
        for tree in &mut drained {
            if let Some(results) = tree.body.flight.results.take() {
                buffers.give_back(results);
            }
        }
        drained
    }

    pub(super) fn nonsense(&self, what: String) -> Error {
        Error::Nonsense { card: self.backing.describe(), ring: self.number, what }
    }

    /// Asks the card how far it has fetched, for trees longer than the ring.
    fn learn_fetched(&mut self) {
        let bank = register::RING_FETCHED.bank(self.number, register::RING_STRIDE);
        let fetched = read(&*self.backing, bank);
        let is_possible = self.size.used(fetched, self.producer.published()).is_some();
        if is_possible && fetched.wrapping_sub(self.consumed) as i32 > 0 {
            self.consumed = fetched;
            self.progress += 1;
        }
    }
}

/// Rings the doorbell of ring `number` for what was written since the last time.
fn publish(producer: &mut Producer<SLOT_WORDS>, backing: &dyn Backing, number: u32) {
    if let Some(tail) = producer.publish() {
        let doorbell = register::DOORBELL_TAIL.bank(number, register::DOORBELL_STRIDE);
        backing.write(doorbell.offset, tail);
    }
}

/// Units of the result buffer of a tree that was checked to be expressible.
fn result_units(bytes: u64) -> u16 {
    bytes.div_ceil(u64::from(limit::RESULT_UNIT)) as u16
}

/// Most bytes of results that a tree can have.
pub(super) const RESULT_BYTES_MAX: u64 = u16::MAX as u64 * limit::RESULT_UNIT as u64;

pub(crate) fn zero(memory: &Memory) {
    memory.fill(0, memory.len(), 0);
}
