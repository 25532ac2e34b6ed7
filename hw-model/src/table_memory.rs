//! Table memory: the array of 32-bit words that firmware writes and datapath reads.
//!
//! It knows no table layout. Pages are taken from the system when they are first written, so a
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

use host_driver::memory::Words;
use zerocopy::FromZeros;

/// Words of table memory, zero at first.
#[derive(Debug)]
pub struct TableMemory {
    words: Box<[AtomicU32]>,
}

impl TableMemory {
    /// `words` zeroed words, or `None` when the system has no address space for them.
    #[must_use]
    pub fn new(words: u32) -> Option<Arc<Self>> {
        let words = AtomicU32::new_vec_zeroed(words as usize).ok()?;
        Some(Arc::new(Self { words: words.into_boxed_slice() }))
    }

    /// The words themselves.
    #[inline]
    #[must_use]
    pub fn cells(&self) -> &[AtomicU32] {
        &self.words
    }

    /// No words at all.
    #[must_use]
    pub fn none() -> Arc<Self> {
        Arc::new(Self { words: Box::default() })
    }
}

impl Words for TableMemory {
    #[inline]
    fn len(&self) -> usize {
        self.words.len()
    }
    #[inline]
    fn load_relaxed(&self, word: usize) -> u32 {
        // ORDERING: Relaxed. A private word, or one that an Acquire of another word made valid.
        // Checked by `loom_header::a_header_is_whole`.
        self.words[word].load(Ordering::Relaxed)
    }
    #[inline]
    fn load_acquire(&self, word: usize) -> u32 {
        // ORDERING: Acquire. Pairs with `store_release`: what was stored before it is visible.
        // Checked by `loom_link::reader_sees_old_or_new_never_torn`.
        self.words[word].load(Ordering::Acquire)
    }
    #[inline]
    fn store_relaxed(&self, word: usize, value: u32) {
        // ORDERING: Relaxed. A private word, or one that a later `store_release` publishes.
        // Checked by `loom_header::a_header_is_whole`.
        self.words[word].store(value, Ordering::Relaxed);
    }
    #[inline]
    fn store_release(&self, word: usize, value: u32) {
        // ORDERING: Release. Pairs with `load_acquire`: publishes everything stored before.
        // Checked by `loom_link::reader_sees_old_or_new_never_torn`.
        self.words[word].store(value, Ordering::Release);
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
}
