//! What the firmware sends to the host: results, then completion, then interrupt; events.
//!
//! Between the firmware's `write`, `complete`, `event` and host memory. It reads nothing back.
//! One queue keeps the order for all rings. What belongs to a ring that was stopped is dropped;
//! a refused write stops its ring.
//! Invariant: completions always fit, because fetch reserved their slots; results are bounded by
//! [`OUTBOX_RESULTS`] and refused beyond it.

use abi::host::register::{Counter, EVENT_RING};
use abi::host::status::FailCode;

use crate::dma::PostedQueue;
use crate::fetch::CommandRing;
use crate::iommu::{Refusal, Window};
use crate::rings::CompletionRing;
use crate::shared::Shared;

/// Result writes that can be under way.
pub(crate) const OUTBOX_RESULTS: usize = 512;
/// Words in one result write: what the firmware may hand over at once.
pub(crate) const RESULT_WORDS: usize = 16;

/// One thing on its way to the host.
#[derive(Debug)]
enum Outgoing {
    Result { ring: u32, iova: u64, words: [u32; RESULT_WORDS], count: usize },
    Completion { ring: u32, entry: [u32; 4] },
    Event { entry: [u32; 4] },
}

/// The queue towards the host.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: PostedQueue<Outgoing>,
    results: usize,
}

impl Outbox {
    /// An empty outbox.
    pub(crate) fn new() -> Self {
        Self { queue: PostedQueue::new(), results: 0 }
    }

    /// Takes a result write; `false` when there is no room for one more.
    pub(crate) fn result(&mut self, due: u64, ring: u32, iova: u64, words: &[u32]) -> bool {
        let count = words.len().min(RESULT_WORDS);
        if self.results >= OUTBOX_RESULTS {
            return false;
        }
        let mut copy = [0; RESULT_WORDS];
        copy[..count].copy_from_slice(&words[..count]);
        self.results += 1;
        self.queue.post(due, Outgoing::Result { ring, iova, words: copy, count });
        true
    }

    /// Takes a completion whose slot is committed.
    pub(crate) fn completion(&mut self, due: u64, ring: u32, entry: [u32; 4]) {
        self.queue.post(due, Outgoing::Completion { ring, entry });
    }

    /// Takes an event whose slot is committed.
    pub(crate) fn event(&mut self, due: u64, entry: [u32; 4]) {
        self.queue.post(due, Outgoing::Event { entry });
    }

    /// Whether nothing is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.len() == 0
    }

    /// When the next write is due.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.queue.next_due()
    }

    /// Forgets everything under way.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.results = 0;
    }

    /// Writes what is due. Returns whether anything was.
    pub(crate) fn pump(
        &mut self,
        shared: &Shared,
        rings: &mut [Option<CommandRing>],
        events: &mut Option<CompletionRing>,
        now: u64,
    ) -> bool {
        if self.queue.next_due().is_none_or(|due| due > now) {
            return false;
        }
        let window = shared.slot.iommu.window();
        while let Some(outgoing) = self.queue.take_due(now) {
            let (ring, answer) = match outgoing {
                Outgoing::Result { ring, iova, words, count } => {
                    self.results -= 1;
                    (ring, result(shared, &window, ring, iova, &words[..count]))
                }
                Outgoing::Completion { ring, entry } => {
                    let completions = rings.get_mut(ring as usize).and_then(Option::as_mut);
                    let completions = completions.map(|ring| &mut ring.completions);
                    (ring, publish(shared, &window, ring, completions, entry))
                }
                Outgoing::Event { entry } => {
                    (EVENT_RING, publish(shared, &window, EVENT_RING, events.as_mut(), entry))
                }
            };
            if answer.is_err() {
                shared.registers.rings[ring as usize].fail(FailCode::RING_BUS);
            }
        }
        true
    }
}

fn result(
    shared: &Shared,
    window: &Window<'_>,
    ring: u32,
    iova: u64,
    words: &[u32],
) -> Result<(), Refusal> {
    if !shared.registers.rings[ring as usize].is_running() {
        return Ok(());
    }
    window.write(iova, words)
}

fn publish(
    shared: &Shared,
    window: &Window<'_>,
    ring: u32,
    completions: Option<&mut CompletionRing>,
    entry: [u32; 4],
) -> Result<(), Refusal> {
    let bank = &shared.registers.rings[ring as usize];
    if let Some(completions) = completions.filter(|_| bank.is_running()) {
        bank.posted.set(completions.publish(window, entry)?);
    }
    Ok(())
}

/// Raises the interrupts that are due and that moderation lets through.
pub(crate) fn raise_interrupts<'a>(
    shared: &Shared,
    rings: impl Iterator<Item = &'a mut CompletionRing>,
    now: u64,
) -> bool {
    let mut raised = false;
    for ring in rings {
        if let Some(vector) = ring.moderation.take(now) {
            raised = true;
            if shared.slot.raise(vector) {
                shared.counters.add(Counter::INTERRUPTS, 1);
            }
        }
    }
    raised
}
