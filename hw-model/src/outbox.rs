//! What the firmware sends to the host: results, then completion, then interrupt; events.
//!
//! Between the firmware's `write`, `complete`, `event` and host memory. It reads nothing back.
//! One queue keeps the order for all rings. What belongs to a ring that was stopped is dropped;
//! a refused write stops its ring. Entries take turns, as in the RTL: a completion waits in its turn
//! until every earlier write of its ring was answered.
//! Invariant: no more than [`OUTBOX_ENTRIES`] are under way; the firmware asks before it posts.

use abi::core::mmio::{OUTBOX_ENTRIES, RESULT_WORDS};
use abi::host::limit::COMMAND_RINGS_MAX;
use abi::host::register::{Counter, EVENT_RING, TRANSMIT_RING_FIRST};
use abi::host::status::FailCode;
use abi::host::trace::{TraceKind, TraceWriter};

use crate::costs::{OUTBOX_CYCLES, OUTBOX_TURN_CYCLES, WRITE_ANSWER_CYCLES, WRITE_REQUEST_CYCLES};
use crate::dma::PostedQueue;
use crate::fetch::CommandRing;
use crate::iommu::Window;
use crate::rings::CompletionRing;
use crate::shared::Shared;
use crate::trace::Happening;

/// Words in one result write, as an array's length.
const WORDS_MAX: usize = RESULT_WORDS as usize;

/// One thing on its way to the host.
#[derive(Debug)]
enum Outgoing {
    Result { ring: u32, iova: u64, words: [u32; WORDS_MAX], count: usize },
    Completion { ring: u32, entry: [u32; 4] },
    Event { entry: [u32; 4] },
}

/// The queue towards the host.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: PostedQueue<Outgoing>,
    /// When the next entry can have its turn.
    turn_at: u64,
    /// When the last write of each command ring is seen by the host.
    seen_at: [u64; COMMAND_RINGS_MAX as usize],
}

impl Outbox {
    /// An empty outbox.
    pub(crate) fn new() -> Self {
        Self { queue: PostedQueue::new(), turn_at: 0, seen_at: [0; COMMAND_RINGS_MAX as usize] }
    }

    /// When an entry that is handed over at `at` is seen by the host, on a card's own clock: a
    /// result, or another one if it `waits` for results. A write takes so many cycles on the bus.
    pub(crate) fn due(&mut self, at: u64, ring: u32, waits: bool, write_cycles: u64) -> u64 {
        let mut turn = self.turn_at.max(at.saturating_add(OUTBOX_CYCLES));
        let seen = self.seen_at.get_mut(ring as usize);
        if let Some(seen) = &seen
            && waits
        {
            turn = turn.max(**seen + WRITE_ANSWER_CYCLES);
        }
        self.turn_at = turn.saturating_add(OUTBOX_TURN_CYCLES);
        let due = turn.saturating_add(WRITE_REQUEST_CYCLES + write_cycles);
        if let Some(seen) = seen {
            *seen = due;
        }
        due
    }

    /// Takes a result write. There is room: [`Self::is_full`] was asked.
    pub(crate) fn result(&mut self, due: u64, ring: u32, iova: u64, words: &[u32]) {
        let count = words.len().min(WORDS_MAX);
        let mut copy = [0; WORDS_MAX];
        copy[..count].copy_from_slice(&words[..count]);
        self.queue.post(due, Outgoing::Result { ring, iova, words: copy, count });
    }

    /// Takes a completion whose slot is committed. There is room: [`Self::is_full`] was asked.
    pub(crate) fn completion(&mut self, due: u64, ring: u32, entry: [u32; 4]) {
        self.queue.post(due, Outgoing::Completion { ring, entry });
    }

    /// Takes an event whose slot is committed. There is room: [`Self::is_full`] was asked.
    pub(crate) fn event(&mut self, due: u64, entry: [u32; 4]) {
        self.queue.post(due, Outgoing::Event { entry });
    }

    /// Entries under way.
    pub(crate) fn len(&self) -> u32 {
        self.queue.len() as u32
    }

    /// Whether there is no room for one more.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= OUTBOX_ENTRIES
    }

    /// Whether nothing is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When the next write is due.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.queue.next_due()
    }

    /// Forgets everything under way.
    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Writes what is due. Returns whether anything was.
    pub(crate) fn pump(
        &mut self,
        shared: &Shared,
        window: &Window<'_>,
        rings: &mut [Option<CommandRing>],
        events: &mut Option<CompletionRing>,
        now: u64,
    ) -> bool {
        if self.queue.next_due().is_none_or(|due| due > now) {
            return false;
        }
        while let Some(outgoing) = self.queue.take_due(now) {
            match outgoing {
                Outgoing::Result { ring, iova, words, count } => {
                    result(shared, window, ring, iova, &words[..count], now);
                }
                Outgoing::Completion { ring, entry } => {
                    let completions = rings.get_mut(ring as usize).and_then(Option::as_mut);
                    let completions = completions.map(|ring| &mut ring.completions);
                    publish(shared, window, ring, completions, entry, now);
                }
                Outgoing::Event { entry } => {
                    publish(shared, window, EVENT_RING, events.as_mut(), entry, now);
                }
            }
        }
        true
    }
}

/// Writes words to host memory for `ring`, unless it was stopped.
#[inline]
pub(crate) fn result(
    shared: &Shared,
    window: &Window<'_>,
    ring: u32,
    iova: u64,
    words: &[u32],
    now: u64,
) {
    let Some(bank) = shared.registers.rings.get(ring as usize).filter(|bank| bank.is_running())
    else {
        return;
    };
    if window.write(iova, words).is_err() {
        return bank.fail(FailCode::RING_BUS);
    }
    let (kind, detail) = (TraceKind::RESULT, words.len() as u32);
    shared.note(TraceWriter::RINGS, now, Happening { kind, ring, detail, value: 0 });
}

/// Writes an entry to the completion side of `ring`, unless it was stopped.
#[inline]
pub(crate) fn publish(
    shared: &Shared,
    window: &Window<'_>,
    ring: u32,
    completions: Option<&mut CompletionRing>,
    entry: [u32; 4],
    now: u64,
) {
    let bank = shared.registers.rings.get(ring as usize).filter(|bank| bank.is_running());
    let (Some(bank), Some(completions)) = (bank, completions) else { return };
    let Ok(posted) = completions.publish(window, entry) else {
        return bank.fail(FailCode::RING_BUS);
    };
    bank.posted.set(posted);
    let happening = Happening { kind: TraceKind::POSTED, ring, detail: 0, value: posted };
    shared.note(TraceWriter::RINGS, now, happening);
}

/// Raises the interrupts that are due and that moderation lets through.
pub(crate) fn raise_interrupts<'a>(
    shared: &Shared,
    window: &Window<'_>,
    rings: impl Iterator<Item = &'a mut CompletionRing>,
    now: u64,
) -> bool {
    let mut raised = false;
    for ring in rings {
        raised |= raise_interrupt(shared, window, ring, now);
    }
    raised
}

/// Raises the interrupt of `ring`, if one is due and moderation lets it through.
#[inline]
pub(crate) fn raise_interrupt(
    shared: &Shared,
    window: &Window<'_>,
    ring: &mut CompletionRing,
    now: u64,
) -> bool {
    let vector = ring.moderation.take(now);
    if let Some(vector) = vector {
        signal(shared, window, ring.number, vector, now);
    }
    vector.is_some()
}

fn signal(shared: &Shared, window: &Window<'_>, ring: u32, vector: u32, now: u64) {
    if shared.slot.raise(window, vector) {
        shared.counters.add(Counter::INTERRUPTS, 1);
    }
    let happening = Happening { kind: TraceKind::INTERRUPT, ring, detail: vector, value: 0 };
    shared.note(writer_of(ring), now, happening);
}

/// Who serves ring `number`, and writes what it traces.
fn writer_of(number: u32) -> TraceWriter {
    match number {
        TRANSMIT_RING_FIRST..EVENT_RING => TraceWriter::DATAPATH,
        _ => TraceWriter::RINGS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completion_waits_for_the_answers_of_its_rings_results_only() {
        let mut outbox = Outbox::new();
        let result = outbox.due(100, 0, false, 50);
        assert_eq!(result, 100 + OUTBOX_CYCLES + WRITE_REQUEST_CYCLES + 50);
        let completion = outbox.due(110, 0, true, 50);
        assert_eq!(completion, result + WRITE_ANSWER_CYCLES + WRITE_REQUEST_CYCLES + 50);
        // Who comes behind it waits for its turn, and for nothing else.
        let other = outbox.due(112, 1, true, 50);
        assert_eq!(other, completion + OUTBOX_TURN_CYCLES);
        outbox.clear();
        assert_eq!(outbox.due(100, 0, true, 50), result);
    }
}
