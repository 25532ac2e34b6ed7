//! The card's counters: 64 bits each, they wrap, a reset leaves them alone.
//!
//! Written by the engines of the card, read through the counter page of BAR0. A gauge (frames
//! held now) is set, the others only grow. They publish nothing. What the firmware counts nobody else
//! does, so that it need not be added to as one.

use std::sync::atomic::{AtomicU64, Ordering};

use abi::host::register::{COUNTERS, Counter};

/// One cell a counter, on lines that hold nothing else: the card writes them all the time.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Counters {
    cells: [AtomicU64; COUNTERS],
}

impl Counters {
    /// All zero.
    pub(crate) fn new() -> Self {
        Self { cells: [const { AtomicU64::new(0) }; COUNTERS] }
    }

    /// Adds to a counter; one that the contract does not name is ignored.
    pub(crate) fn add(&self, counter: Counter, amount: u64) {
        if let Some(cell) = self.cells.get(counter.0 as usize) {
            // ORDERING: Relaxed. A count; what it counts is published by completions, and is
            // counted before them. No loom test: nothing else is read through it.
            cell.fetch_add(amount, Ordering::Relaxed);
        }
    }

    /// Adds to a counter that only the caller's engine adds to.
    #[inline]
    pub(crate) fn add_own(&self, counter: Counter, amount: u64) {
        if let Some(cell) = self.cells.get(counter.0 as usize) {
            // ORDERING: Relaxed. As in `add`; nobody else writes between the two.
            cell.store(cell.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
        }
    }

    /// Sets a gauge.
    pub(crate) fn set(&self, counter: Counter, value: u64) {
        if let Some(cell) = self.cells.get(counter.0 as usize) {
            // ORDERING: Relaxed. As in `add`.
            cell.store(value, Ordering::Relaxed);
        }
    }

    /// Reads counter number `number`.
    pub(crate) fn get(&self, number: u32) -> Option<u64> {
        // ORDERING: Relaxed. As in `add`.
        self.cells.get(number as usize).map(|cell| cell.load(Ordering::Relaxed))
    }
}
