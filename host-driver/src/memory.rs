//! Memory that host and card share, as 32-bit words.
//!
//! Below `dma` (which gives a piece of it to one owner) and below every backing's BAR page.
//! It does not know rings or descriptors. No reference to plain data ever points into it:
//! every access is one atomic word, so the other side may write at any time.

#![expect(unsafe_code, reason = "atomic words are formed from the pointer of a mapping")]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use memmap2::{MmapMut, MmapRaw};

/// Bytes of a word.
const WORD_BYTES: usize = size_of::<u32>();

/// Words that two sides share. The rings are written against this, so that the same code runs
/// on mapped memory, on a card's memory in the model, and under loom.
///
/// `word` counts 32-bit words. An index past the end is the caller's mistake and panics.
pub trait Words {
    /// Number of words.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Loads without ordering: what it returns is made valid by another word's Acquire.
    fn load_relaxed(&self, word: usize) -> u32;
    /// Loads with Acquire: what the other side stored before its Release is visible after.
    fn load_acquire(&self, word: usize) -> u32;
    /// Stores without ordering: a later Release makes it visible.
    fn store_relaxed(&self, word: usize, value: u32);
    /// Stores with Release: publishes everything stored before.
    fn store_release(&self, word: usize, value: u32);
    /// Loads as many words as there are `values`, from `first` on, without ordering.
    #[inline]
    fn load_all(&self, first: usize, values: &mut [u32]) {
        for (word, value) in (first..).zip(values) {
            *value = self.load_relaxed(word);
        }
    }
    /// Stores `values` from word `first` on, without ordering.
    #[inline]
    fn store_all(&self, first: usize, values: &[u32]) {
        for (word, value) in (first..).zip(values) {
            self.store_relaxed(word, *value);
        }
    }
    /// Stores `value` into `words` words from `first` on, without ordering.
    #[inline]
    fn fill(&self, first: usize, words: usize, value: u32) {
        for word in first..first + words {
            self.store_relaxed(word, value);
        }
    }
}

/// Words of a mapping, or of a part of one. Clones are the same words.
///
/// The mapping lives as long as any part of it does.
#[derive(Clone, Debug)]
pub struct Memory {
    mapping: Arc<MmapRaw>,
    /// First byte within the mapping; a multiple of 4.
    start: usize,
    bytes: usize,
}

impl Memory {
    /// Maps at least `bytes` bytes (a whole number of words) of anonymous shared memory, zeroed
    /// and aligned to a page. Pages are taken from the system when they are first touched.
    ///
    /// # Errors
    /// What the system says when it has no memory or no address space left.
    pub fn new(bytes: usize) -> io::Result<Self> {
        let mapping = MmapMut::map_anon(bytes.next_multiple_of(WORD_BYTES).max(WORD_BYTES))?;
        Ok(Self::of(mapping.into()))
    }

    /// The words of a mapping: of a file that others map too, of a card's memory in a BAR. Bytes
    /// past the last whole word are left out.
    ///
    /// A mapped file must not shrink while this lives, or an access past its new end ends the
    /// process: take only files that are sealed against that, or that nobody else can open.
    #[must_use]
    pub fn of(mapping: MmapRaw) -> Self {
        let bytes = mapping.len() / WORD_BYTES * WORD_BYTES;
        Self { mapping: Arc::new(mapping), start: 0, bytes }
    }

    /// The `bytes` bytes from byte `start` on, the same words.
    ///
    /// # Panics
    /// When they are not whole words, or not inside.
    #[must_use]
    pub fn part(&self, start: usize, bytes: usize) -> Self {
        let is_whole = start.is_multiple_of(WORD_BYTES) && bytes.is_multiple_of(WORD_BYTES);
        assert!(is_whole, "a part is of whole words, not {bytes} bytes at {start}");
        let is_inside = start <= self.bytes && bytes <= self.bytes - start;
        assert!(is_inside, "{bytes} bytes at {start} of a memory of {}", self.bytes);
        Self { mapping: Arc::clone(&self.mapping), start: self.start + start, bytes }
    }

    /// Bytes in it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Address of the first byte in this process, for a mapping call.
    #[must_use]
    pub fn address(&self) -> usize {
        self.mapping.as_ptr().addr() + self.start
    }

    /// Copies bytes out, a word at a time. Meaningful once the other side has handed them over.
    ///
    /// # Panics
    /// When the range is not inside the memory or `offset` is not a multiple of 4.
    pub fn copy_out(&self, offset: usize, bytes: &mut [u8]) {
        assert!(offset.is_multiple_of(4), "copies start on a word");
        let mut word = offset / 4;
        let mut chunks = bytes.chunks_exact_mut(4);
        for chunk in &mut chunks {
            chunk.copy_from_slice(&self.load_relaxed(word).to_le_bytes());
            word += 1;
        }
        let rest = chunks.into_remainder();
        if !rest.is_empty() {
            let last = self.load_relaxed(word).to_le_bytes();
            rest.copy_from_slice(&last[..rest.len()]);
        }
    }

    /// Copies bytes in, a word at a time; a last partial word keeps its other bytes.
    ///
    /// # Panics
    /// When the range is not inside the memory or `offset` is not a multiple of 4.
    pub fn copy_in(&self, offset: usize, bytes: &[u8]) {
        assert!(offset.is_multiple_of(4), "copies start on a word");
        let mut word = offset / 4;
        let mut chunks = bytes.chunks_exact(4);
        for chunk in &mut chunks {
            let value = u32::from_le_bytes(chunk.try_into().expect("chunks are of four"));
            self.store_relaxed(word, value);
            word += 1;
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut last = self.load_relaxed(word).to_le_bytes();
            last[..rest.len()].copy_from_slice(rest);
            self.store_relaxed(word, u32::from_le_bytes(last));
        }
    }

    #[inline]
    fn cell(&self, word: usize) -> &AtomicU32 {
        assert!(word < self.bytes / WORD_BYTES, "word {word} is past the end of the memory");
        let base = self.mapping.as_mut_ptr().cast::<u32>();
        // SAFETY: `start` and `bytes` lie inside the mapping and `word` inside `bytes`.
        let cell = unsafe { base.add(self.start / WORD_BYTES + word) };
        // SAFETY: a mapping is page-aligned, so the word is aligned; it is valid while `self`
        // lives; everybody who shares it in this process reads and writes aligned atomic words
        // only, and what others do to it is like a card's doing.
        unsafe { AtomicU32::from_ptr(cell) }
    }

    /// Words `first` and the one behind it as one, the first in its lower half.
    #[inline]
    fn pair(&self, first: usize) -> &AtomicU64 {
        let base = std::ptr::from_ref(self.cell(first)).cast_mut();
        let is_whole = first + 1 < self.bytes / WORD_BYTES && base.addr().is_multiple_of(8);
        assert!(is_whole, "words {first} and {} are no pair", first + 1);
        // SAFETY: `first` and the word behind it lie inside the memory, as `cell` has it for one
        // of them, and their address is a multiple of 8. Pairs are used for words that one side
        // owns, from hand-over to hand-over: nobody accesses them as single words meanwhile.
        unsafe { AtomicU64::from_ptr(base.cast()) }
    }

    /// Words before the first pair, and how many pairs there are, of `words` words from `first`.
    #[inline]
    fn pairs(&self, first: usize, words: usize) -> (usize, usize) {
        let is_odd = !(self.address() + first * WORD_BYTES).is_multiple_of(8);
        let head = usize::from(is_odd).min(words);
        (head, (words - head) / 2)
    }
}

impl Words for Memory {
    #[inline]
    fn len(&self) -> usize {
        self.bytes / WORD_BYTES
    }
    #[inline]
    fn load_relaxed(&self, word: usize) -> u32 {
        // ORDERING: Relaxed. Body words; the Acquire of the word that publishes them orders them.
        // Checked by `loom_ring::a_reaped_completion_is_whole`.
        self.cell(word).load(Ordering::Relaxed)
    }
    #[inline]
    fn load_acquire(&self, word: usize) -> u32 {
        // ORDERING: Acquire. Pairs with `store_release` of the other side.
        // Checked by `loom_ring::a_reaped_completion_is_whole`.
        self.cell(word).load(Ordering::Acquire)
    }
    #[inline]
    fn store_relaxed(&self, word: usize, value: u32) {
        // ORDERING: Relaxed. Body words; a later `store_release` publishes them.
        // Checked by `loom_ring::a_fetched_command_is_whole`.
        self.cell(word).store(value, Ordering::Relaxed);
    }
    #[inline]
    fn store_release(&self, word: usize, value: u32) {
        // ORDERING: Release. Pairs with `load_acquire` of the other side; publishes the body.
        // Checked by `loom_ring::a_fetched_command_is_whole`.
        self.cell(word).store(value, Ordering::Release);
    }
    #[inline]
    fn load_all(&self, first: usize, values: &mut [u32]) {
        let (head, pairs) = self.pairs(first, values.len());
        let (before, rest) = values.split_at_mut(head);
        let (middle, after) = rest.split_at_mut(pairs * 2);
        for value in before {
            *value = self.load_relaxed(first);
        }
        let (chunks, _) = middle.as_chunks_mut::<2>();
        for (at, [low, high]) in (first + head..).step_by(2).zip(chunks) {
            // ORDERING: Relaxed. As in `load_relaxed`, two words at once.
            let pair = self.pair(at).load(Ordering::Relaxed);
            (*low, *high) = (pair as u32, (pair >> 32) as u32);
        }
        for value in after {
            *value = self.load_relaxed(first + head + pairs * 2);
        }
    }
    #[inline]
    fn store_all(&self, first: usize, values: &[u32]) {
        let (head, pairs) = self.pairs(first, values.len());
        let (before, rest) = values.split_at(head);
        let (middle, after) = rest.split_at(pairs * 2);
        for value in before {
            self.store_relaxed(first, *value);
        }
        let (chunks, _) = middle.as_chunks::<2>();
        for (at, [low, high]) in (first + head..).step_by(2).zip(chunks) {
            let pair = u64::from(*high) << 32 | u64::from(*low);
            // ORDERING: Relaxed. As in `store_relaxed`, two words at once.
            self.pair(at).store(pair, Ordering::Relaxed);
        }
        for value in after {
            self.store_relaxed(first + head + pairs * 2, *value);
        }
    }
    #[inline]
    fn fill(&self, first: usize, words: usize, value: u32) {
        let (head, pairs) = self.pairs(first, words);
        let rest = first + head + pairs * 2..first + words;
        for word in (first..first + head).chain(rest) {
            self.store_relaxed(word, value);
        }
        let pair = u64::from(value) << 32 | u64::from(value);
        for at in (first + head..).step_by(2).take(pairs) {
            // ORDERING: Relaxed. As in `store_relaxed`, two words at once.
            self.pair(at).store(pair, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_keep_bytes_outside_the_range() {
        let memory = Memory::new(64).unwrap();
        memory.copy_in(0, &[0xff; 16]);
        memory.copy_in(4, &[1, 2, 3, 4, 5]);
        let mut bytes = [0; 16];
        memory.copy_out(0, &mut bytes);
        assert_eq!(bytes[..12], [0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn a_part_is_the_same_words_and_no_others() {
        let memory = Memory::new(64).unwrap();
        let part = memory.part(16, 32).part(8, 16);
        part.store_relaxed(0, 7);
        assert_eq!((memory.load_relaxed(6), part.len(), part.bytes()), (7, 4, 16));
        assert_eq!(part.address(), memory.address() + 24);
        drop(memory);
        assert_eq!(part.load_relaxed(0), 7, "the mapping lives on");
    }

    #[test]
    fn many_words_are_the_words_one_by_one() {
        let memory = Memory::new(64).unwrap();
        for part in [memory.part(0, 64), memory.part(4, 60)] {
            for first in 0..6 {
                for count in 0..7 {
                    part.fill(0, part.len(), 0x55);
                    let values: Vec<u32> = (100..).take(count).collect();
                    part.store_all(first, &values);
                    for word in 0..part.len() {
                        let at = word.checked_sub(first).and_then(|at| values.get(at));
                        assert_eq!(part.load_relaxed(word), *at.unwrap_or(&0x55), "word {word}");
                    }
                    let mut read = vec![0; count];
                    part.load_all(first, &mut read);
                    assert_eq!(read, values, "{count} words from {first}");
                    part.fill(first, count, 7);
                    let sevens = (0..part.len()).filter(|word| part.load_relaxed(*word) == 7);
                    assert_eq!(
                        sevens.collect::<Vec<_>>(),
                        (first..first + count).collect::<Vec<_>>()
                    );
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "past the end of the memory")]
    fn many_words_end_where_the_memory_does() {
        Memory::new(64).unwrap().part(16, 16).store_all(1, &[0; 4]);
    }

    #[test]
    #[should_panic(expected = "word 4 is past the end of the memory")]
    fn a_part_ends_where_it_ends() {
        Memory::new(64).unwrap().part(16, 16).load_relaxed(4);
    }

    #[test]
    #[should_panic(expected = "8 bytes at 60 of a memory of 64")]
    fn a_part_lies_inside() {
        let _ = Memory::new(64).unwrap().part(60, 8);
    }
}
