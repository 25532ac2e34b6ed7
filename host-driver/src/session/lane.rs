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
use crate::bring_up::{WALL_BACKSTOP, read, start_ring};
use crate::dma::{DmaRegion, ResultBuffers};
use crate::error::Error;
use crate::memory::{Memory, Words};
use crate::outcome::Outcome;
use crate::ring::{Consumer, Producer};
use crate::session::ticket::Recipient;
use crate::trace::HostMark;
use crate::tree::Tree;

/// Words of a command slot.
const SLOT_WORDS: usize = limit::SLOT_BYTES as usize / 4;

/// A tree whose first slots have gone down.
#[derive(Debug)]
pub(super) struct Flying {
    pub(super) tree: Tree,
    pub(super) recipient: Recipient,
    tag: u16,
    results: DmaRegion,
    /// Slots written so far.
    sent: usize,
    /// Position after its last slot, once all are written.
    end: u32,
}

/// A command ring's host end.
#[derive(Debug)]
pub(super) struct Lane {
    backing: Arc<dyn Backing>,
    number: u32,
    size: RingSize,
    slots: DmaRegion,
    completions: DmaRegion,
    producer: Producer,
    consumer: Consumer,
    /// The card has fetched every slot below this position.
    consumed: u32,
    flying: VecDeque<Flying>,
    next_tag: u16,
    progress_ns: u64,
    progress: Instant,
}

/// A tree that is over, with the words of its result buffer.
pub(super) struct Landed {
    pub(super) tree: Tree,
    pub(super) recipient: Recipient,
    pub(super) completion: Completion,
    pub(super) words: Vec<u32>,
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
            producer: Producer::new(size, SLOT_WORDS),
            consumer: Consumer::new(size),
            consumed: 0,
            flying: VecDeque::new(),
            next_tag: 0,
            progress_ns: backing.clock_ns(),
            progress: Instant::now(),
        })
    }

    /// Starts the ring on the card, positions from 0.
    pub(super) fn start(&mut self, vector: u32) {
        zero(self.completions.memory());
        self.producer = Producer::new(self.size, SLOT_WORDS);
        self.consumer = Consumer::new(self.size);
        self.consumed = 0;
        let (base, completions) = (self.slots.iova(), self.completions.iova());
        start_ring(&*self.backing, self.number, base, completions, self.size, vector);
        self.note_progress();
    }

    pub(super) fn flying(&self) -> usize {
        self.flying.len()
    }

    /// Whether another tree can begin: all slots of the one before are written.
    pub(super) fn is_open(&self) -> bool {
        self.flying.back().is_none_or(|last| last.sent == last.tree.slots.len())
            && self.producer.free(self.consumed) != 0
    }

    /// Begins a tree. The caller has asked [`Lane::is_open`].
    pub(super) fn begin(
        &mut self,
        tree: Tree,
        recipient: Recipient,
        buffers: &mut ResultBuffers,
    ) -> Result<(), (Recipient, Error)> {
        let results = match buffers.take(tree.result_bytes as usize) {
            Ok(results) => results,
            Err(source) => {
                let source = Arc::new(source);
                return Err((recipient, Error::Memory { what: "results", source }));
            }
        };
        // The card must write every record; what it leaves out reads as no status.
        zero_words(results.memory(), tree.result_bytes as usize / 4);
        if self.flying.is_empty() {
            self.note_progress();
        }
        let tag = self.next_tag;
        self.next_tag = tag.wrapping_add(1);
        let blocks = tree.blocks;
        self.backing.mark(HostMark::Submitted { ring: self.number, tag, blocks });
        self.flying.push_back(Flying { tree, recipient, tag, results, sent: 0, end: 0 });
        self.push();
        Ok(())
    }

    /// Writes as many slots of the newest tree as there is room for.
    pub(super) fn push(&mut self) {
        let Some(last) = self.flying.back_mut() else { return };
        let total = last.tree.slots.len();
        if last.sent == total {
            return;
        }
        if self.producer.free(self.consumed) == 0 {
            self.learn_fetched();
        }
        let Some(last) = self.flying.back_mut() else { return };
        let room = self.producer.free(self.consumed) as usize;
        for number in last.sent..total.min(last.sent + room) {
            let mut slot = last.tree.slots[number];
            if number == 0 {
                let mut header = CommandHeader::read(&slot);
                header.tag = last.tag;
                header.result = last.results.iova();
                header.result_units = result_units(last.tree.result_bytes);
                header.write(&mut slot);
            }
            self.producer.write(self.slots.memory(), &slot);
            last.sent = number + 1;
        }
        last.end = self.producer.tail();
    }

    /// Rings the doorbell for what was written since the last time.
    pub(super) fn publish(&mut self) {
        if let Some(tail) = self.producer.publish() {
            let doorbell = register::DOORBELL_TAIL.bank(self.number, register::DOORBELL_STRIDE);
            self.backing.write(doorbell.offset, tail);
        }
    }

    /// Takes the next completed tree.
    pub(super) fn reap(&mut self, buffers: &mut ResultBuffers) -> Result<Option<Landed>, Error> {
        let Some(words) = self.consumer.reap(self.completions.memory()) else {
            return Ok(None);
        };
        let completion = Completion::read(&words);
        let expected = self.flying.front().filter(|first| first.tag == completion.tag);
        let Some(first) = expected else {
            return Err(self.nonsense(format!("a completion with tag {}", completion.tag)));
        };
        if first.sent != first.tree.slots.len() {
            return Err(self.nonsense(format!("tree {} completed before its end", first.tag)));
        }
        // Taken out only now: what is not believed is answered with everything else under way.
        let Some(first) = self.flying.pop_front() else { return Ok(None) };
        self.consumed = first.end;
        self.note_progress();
        let Completion { tag, done, .. } = completion;
        self.backing.mark(HostMark::Seen { ring: self.number, tag, done });
        let used = first.tree.result_bytes as usize / 4;
        let memory = first.results.memory();
        let words = (0..used).map(|word| memory.load_relaxed(word)).collect();
        buffers.give_back(first.results);
        Ok(Some(Landed { tree: first.tree, recipient: first.recipient, completion, words }))
    }

    /// Tells the card which completion slots are free again.
    pub(super) fn give_back_slots(&self) {
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
        let waited_ms = self.backing.clock_ns().saturating_sub(self.progress_ns) / 1_000_000;
        if waited_ms > timeout_ms || self.progress.elapsed() > WALL_BACKSTOP {
            let card = self.backing.describe();
            return Err(Error::TimedOut { card, ring: self.number, waited_ms });
        }
        Ok(())
    }

    /// Everything under way, oldest first; none of it is under way afterwards.
    pub(super) fn drain(&mut self, buffers: &mut ResultBuffers) -> Vec<(Tree, Recipient)> {
        let drained = self.flying.drain(..).map(|flying| {
            buffers.give_back(flying.results);
            (flying.tree, flying.recipient)
        });
        drained.collect()
    }

    pub(super) fn nonsense(&self, what: String) -> Error {
        Error::Nonsense { card: self.backing.describe(), ring: self.number, what }
    }

    /// Puts a landed tree's outcome together.
    pub(super) fn outcome(
        &self,
        landed: Landed,
    ) -> Result<(Outcome, Vec<abi::host::command::Slot>, Recipient), (Recipient, Error)> {
        match Outcome::new(landed.tree, landed.completion, landed.words) {
            Ok((outcome, slots)) => Ok((outcome, slots, landed.recipient)),
            Err(what) => Err((landed.recipient, self.nonsense(what))),
        }
    }

    /// Asks the card how far it has fetched, for trees longer than the ring.
    fn learn_fetched(&mut self) {
        let bank = register::RING_FETCHED.bank(self.number, register::RING_STRIDE);
        let fetched = read(&*self.backing, bank);
        let is_possible = self.size.used(fetched, self.producer.published()).is_some();
        if is_possible && fetched.wrapping_sub(self.consumed) as i32 > 0 {
            self.consumed = fetched;
            self.note_progress();
        }
    }

    fn note_progress(&mut self) {
        self.progress_ns = self.backing.clock_ns();
        self.progress = Instant::now();
    }
}

/// Units of the result buffer of a tree that was checked to be expressible.
fn result_units(bytes: u64) -> u16 {
    bytes.div_ceil(u64::from(limit::RESULT_UNIT)) as u16
}

/// Most bytes of results that a tree can have.
pub(super) const RESULT_BYTES_MAX: u64 = u16::MAX as u64 * limit::RESULT_UNIT as u64;

pub(crate) fn zero(memory: &Memory) {
    zero_words(memory, memory.len());
}

fn zero_words(memory: &Memory, words: usize) {
    for word in 0..words.min(memory.len()) {
        memory.store_relaxed(word, 0);
    }
}
