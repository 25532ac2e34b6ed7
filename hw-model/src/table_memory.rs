//! Table memory: the array of 32-bit words that firmware writes and datapath reads.
//!
//! It knows no table layout. Pages, large ones where the system has them, are taken from the system when they are first written, so a
//! full-sized card with few objects is small. A reset does not clear it word by word: it takes
//! a fresh one and gives the old one's pages back.
//!
//! | word | writer | readers | store | load | publishes |
//! |---|---|---|---|---|---|
//! | shared words | firmware | datapath | Release by `publish`, or Relaxed before one | Acquire where it is a hand-over, else Relaxed | the words stored before |
//! | private words | firmware | firmware | Relaxed | Relaxed | nothing |
//! | ages | datapath | firmware | CONFIRMED Relaxed, then GENERATION Release | Acquire | CONFIRMED |

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use host_driver::memory::{Memory, Words, prefetch};

use crate::datapath::region::{Entry, Region, Table};

/// Words of table memory, zero at first.
#[derive(Debug)]
pub struct TableMemory {
    words: Memory,
}

impl TableMemory {
    /// `words` zeroed words, or `None` when the system has no address space for them. They start
    /// on a page, so entries that are a line are one.
    #[must_use]
    pub fn new(words: u32) -> Option<Arc<Self>> {
        let memory = Memory::new(words as usize * size_of::<u32>()).ok()?;
        Some(Arc::new(Self { words: memory.part(0, words as usize * size_of::<u32>()) }))
    }

    /// The words themselves.
    #[inline]
    #[must_use]
    pub fn cells(&self) -> &[AtomicU32] {
        self.words.cells()
    }

    /// No words at all.
    ///
    /// # Panics
    /// When the system has not even a page left.
    #[must_use]
    pub fn none() -> Arc<Self> {
        Self::new(0).expect("a page of memory")
    }
}

impl Words for TableMemory {
    #[inline]
    fn len(&self) -> usize {
        self.cells().len()
    }
    #[inline]
    fn load_relaxed(&self, word: usize) -> u32 {
        // ORDERING: Relaxed. A private word, or one that an Acquire of another word made valid.
        // Checked by `loom_header::a_header_is_whole`.
        self.cells()[word].load(Ordering::Relaxed)
    }
    #[inline]
    fn load_acquire(&self, word: usize) -> u32 {
        // ORDERING: Acquire. Pairs with `store_release`: what was stored before it is visible.
        // Checked by `loom_link::reader_sees_old_or_new_never_torn`.
        self.cells()[word].load(Ordering::Acquire)
    }
    #[inline]
    fn store_relaxed(&self, word: usize, value: u32) {
        // ORDERING: Relaxed. A private word, or one that a later `store_release` publishes.
        // Checked by `loom_header::a_header_is_whole`.
        self.cells()[word].store(value, Ordering::Relaxed);
    }
    #[inline]
    fn store_release(&self, word: usize, value: u32) {
        // ORDERING: Release. Pairs with `load_acquire`: publishes everything stored before.
        // Checked by `loom_link::reader_sees_old_or_new_never_torn`.
        self.cells()[word].store(value, Ordering::Release);
    }
}

impl Table for TableMemory {
    type Region<'a, const N: usize> = &'a [[AtomicU32; N]];

    #[inline]
    fn region<const N: usize>(&self, first: u32, entries: u32) -> &[[AtomicU32; N]] {
        let first = first as usize;
        let words = self.cells().get(first..first + entries as usize * N);
        words.unwrap_or_default().as_chunks().0
    }
}

impl<'a, const N: usize> Region for &'a [[AtomicU32; N]] {
    type Entry = &'a [AtomicU32; N];

    #[inline]
    fn get(self, index: u32) -> Option<&'a [AtomicU32; N]> {
        <[_]>::get(self, index as usize)
    }
}

impl<const N: usize> Entry for &[AtomicU32; N] {
    #[inline]
    fn load_relaxed(self, word: u32) -> u32 {
        // ORDERING: Relaxed. As in `TableMemory::load_relaxed`.
        self[word as usize].load(Ordering::Relaxed)
    }
    #[inline]
    fn load_acquire(self, word: u32) -> u32 {
        // ORDERING: Acquire. As in `TableMemory::load_acquire`.
        self[word as usize].load(Ordering::Acquire)
    }
    #[inline]
    fn prefetch(self) {
        prefetch(&self[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_memory_reads_as_zero() {
        let table = TableMemory::new(1 << 20).unwrap();
        assert_eq!(table.len(), 1 << 20);
        assert!((0..table.len()).step_by(4099).all(|word| table.load_acquire(word) == 0));
    }

    #[test]
    fn a_region_ends_where_it_ends() {
        let table = TableMemory::new(64).unwrap();
        table.store_relaxed(35, 7);
        let region = table.region::<16>(16, 2);
        assert_eq!(Region::get(region, 1).map(|entry| entry.load_relaxed(3)), Some(7));
        assert!(Region::get(region, 2).is_none());
        assert!(table.region::<16>(32, 3).is_empty(), "not inside");
        assert!(TableMemory::none().region::<2>(0, 1).is_empty());
    }
}
