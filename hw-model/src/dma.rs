//! The order of DMA: posted writes leave one after another, reads come back when they are due.
//!
//! Between the engines of the card (`outbox`, `fetch`, `datapath`) and `iommu`. On a
//! free-running card everything is due at once; on a timed one after what `pcie` says.
//! It does not retry: a refused access goes back to the engine that asked.
//! Invariant: writes of one queue reach memory in the order in which they were posted, so results
//! are in memory before their completion, and that before its interrupt.

use std::collections::VecDeque;

/// A posted write and what follows from it. `Meaning` is the engine's own.
#[derive(Debug)]
pub(crate) struct PostedQueue<Meaning> {
    posted: VecDeque<(u64, Meaning)>,
    last_due: u64,
}

impl<Meaning> PostedQueue<Meaning> {
    /// An empty queue. Its bound is the engine's: it posts only what it has reserved.
    pub(crate) fn new() -> Self {
        Self { posted: VecDeque::new(), last_due: 0 }
    }

    /// Posts a write that is due at `due`, but never before the ones posted earlier.
    pub(crate) fn post(&mut self, due: u64, meaning: Meaning) {
        self.last_due = self.last_due.max(due);
        self.posted.push_back((self.last_due, meaning));
    }

    /// Takes the next write that is due at `now`.
    pub(crate) fn take_due(&mut self, now: u64) -> Option<Meaning> {
        self.posted.pop_front_if(|(due, _)| *due <= now).map(|(_, meaning)| meaning)
    }

    /// When the next write is due.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.posted.front().map(|(due, _)| *due)
    }

    /// Writes under way.
    pub(crate) fn len(&self) -> usize {
        self.posted.len()
    }

    /// Forgets everything that is under way.
    pub(crate) fn clear(&mut self) {
        self.posted.clear();
        self.last_due = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_write_does_not_overtake_a_long_one() {
        let mut queue = PostedQueue::new();
        queue.post(100, "results");
        queue.post(40, "completion");
        assert_eq!(queue.take_due(99), None);
        assert_eq!(queue.next_due(), Some(100));
        assert_eq!(queue.take_due(100), Some("results"));
        assert_eq!(queue.take_due(100), Some("completion"));
        assert_eq!(queue.len(), 0);
    }
}
