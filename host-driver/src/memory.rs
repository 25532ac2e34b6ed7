//! Memory that host and card share, as 32-bit words.
//!
//! Below `dma` (which gives a piece of it to one owner) and below every backing's BAR page.
//! It does not know rings or descriptors. No reference to plain data ever points into it:
//! every access is one atomic word, or an aligned pair of words that one side owns, so the other
//! side may write at any time.

#![expect(unsafe_code, reason = "atomic words are formed from the pointer of a mapping")]

use std::io;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use memmap2::{Advice, MmapMut, MmapRaw};

use crate::run::Run;

/// Bytes of a word.
const WORD_BYTES: usize = size_of::<u32>();
/// Bytes of a huge page on x86-64. A mapping of at least that many asks for them.
const HUGE_PAGE_BYTES: usize = 2 << 20;

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
    /// Stores entries of `N` words, one behind the other from word `first` on, without ordering.
    #[inline]
    fn store_entries<const N: usize>(
        &self,
        first: usize,
        entries: impl ExactSizeIterator<Item = [u32; N]>,
    ) {
        for (place, entry) in (first..).step_by(N).zip(entries) {
            self.store_all(place, &entry);
        }
    }
    /// Says that `words` words from `first` on will be stored to soon, so that who had them last
    /// can be asked for their cache lines now. Nothing is stored.
    #[inline]
    fn expect_stores(&self, first: usize, words: usize) {
        let _ = (first, words);
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
    /// The first of its words, inside the mapping.
    first: NonNull<AtomicU32>,
    words: usize,
    mapping: Arc<MmapRaw>,
}

// SAFETY: it is a reference to atomic words with their owner, both of which may cross threads.
unsafe impl Send for Memory {}
// SAFETY: as for `Send`.
unsafe impl Sync for Memory {}

impl Memory {
    /// Maps at least `bytes` bytes (a whole number of words) of anonymous shared memory, zeroed
    /// and aligned to a page. Pages are taken from the system when they are first touched.
    ///
    /// # Errors
    /// What the system says when it has no memory or no address space left.
    pub fn new(bytes: usize) -> io::Result<Self> {
        let mapping = MmapMut::map_anon(bytes.next_multiple_of(WORD_BYTES).max(WORD_BYTES))?;
        if bytes >= HUGE_PAGE_BYTES {
            // A system that has none goes on with small pages: slower, but the same.
            mapping.advise(Advice::HugePage).unwrap_or_default();
        }
        Ok(Self::of(mapping.into()))
    }

    /// The words of a mapping: of a file that others map too, of a card's memory in a BAR. Bytes
    /// past the last whole word are left out.
    ///
    /// A mapped file must not shrink while this lives, or an access past its new end ends the
    /// process: take only files that are sealed against that, or that nobody else can open.
    #[must_use]
    pub fn of(mapping: MmapRaw) -> Self {
        let first = NonNull::new(mapping.as_mut_ptr().cast());
        let first = first.expect("a mapping has an address");
        Self { first, words: mapping.len() / WORD_BYTES, mapping: Arc::new(mapping) }
    }

    /// The `bytes` bytes from byte `start` on, the same words.
    ///
    /// # Panics
    /// When they are not whole words, or not inside.
    #[must_use]
    pub fn part(&self, start: usize, bytes: usize) -> Self {
        let is_whole = start.is_multiple_of(WORD_BYTES) && bytes.is_multiple_of(WORD_BYTES);
        assert!(is_whole, "a part is of whole words, not {bytes} bytes at {start}");
        let is_inside = start <= self.bytes() && bytes <= self.bytes() - start;
        assert!(is_inside, "{bytes} bytes at {start} of a memory of {}", self.bytes());
        // SAFETY: `start` is at most the bytes that lie inside the mapping.
        let first = unsafe { self.first.byte_add(start) };
        Self { first, words: bytes / WORD_BYTES, mapping: Arc::clone(&self.mapping) }
    }

    /// Bytes in it.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.words * WORD_BYTES
    }

    /// Address of the first byte in this process, for a mapping call.
    #[must_use]
    pub fn address(&self) -> usize {
        self.first.addr().get()
    }

    /// Asks for the cache lines of `words` words from `first` on, which will be loaded soon. It reads
    /// nothing, orders nothing and waits for nothing.
    ///
    /// # Panics
    /// When they are not inside.
    #[inline]
    pub fn expect_loads(&self, first: usize, words: usize) {
        self.run(first, words).expect_loads();
    }

    /// All of them.
    #[inline]
    #[must_use]
    pub fn cells(&self) -> &[AtomicU32] {
        // SAFETY: so many words from `first` on lie inside the mapping, which is page-aligned, so
        // they are aligned, and lives as long as `self`; everybody who shares it in this process
        // reads and writes aligned atomic words only, and what others do to it is like a card's
        // doing.
        unsafe { std::slice::from_raw_parts(self.first.as_ptr(), self.words) }
    }

    /// Copies bytes out, a word or two at a time. Meaningful once the other side has handed them
    /// over.
    ///
    /// # Panics
    /// When the range is not inside the memory or `offset` is not a multiple of 4.
    pub fn copy_out(&self, offset: usize, bytes: &mut [u8]) {
        assert!(offset.is_multiple_of(WORD_BYTES), "copies start on a word");
        let (words, rest) = bytes.as_chunks_mut::<WORD_BYTES>();
        let first = offset / WORD_BYTES;
        self.run(first, words.len()).load(words);
        if !rest.is_empty() {
            let last = self.load_relaxed(first + words.len()).to_le_bytes();
            rest.copy_from_slice(&last[..rest.len()]);
        }
    }

    /// Copies bytes in, a word or two at a time; a last partial word keeps its other bytes.
    ///
    /// # Panics
    /// When the range is not inside the memory or `offset` is not a multiple of 4.
    pub fn copy_in(&self, offset: usize, bytes: &[u8]) {
        assert!(offset.is_multiple_of(WORD_BYTES), "copies start on a word");
        let (words, rest) = bytes.as_chunks::<WORD_BYTES>();
        let first = offset / WORD_BYTES;
        self.run(first, words.len()).store(words);
        if !rest.is_empty() {
            let word = first + words.len();
            let mut last = self.load_relaxed(word).to_le_bytes();
            last[..rest.len()].copy_from_slice(rest);
            self.store_relaxed(word, u32::from_le_bytes(last));
        }
    }

    #[inline]
    fn cell(&self, word: usize) -> &AtomicU32 {
        self.cells().get(word).unwrap_or_else(|| past_the_end(word, 1))
    }

    /// The `words` words from `first` on: one look at the bounds for all of them.
    #[inline]
    pub(crate) fn run(&self, first: usize, words: usize) -> Run<'_> {
        let behind = self.cells().get(first..).and_then(|behind| behind.get(..words));
        Run::new(behind.unwrap_or_else(|| past_the_end(first, words)))
    }
}

/// A function of its own: what it says would be laid down before every access.
#[cold]
#[inline(never)]
fn past_the_end(first: usize, words: usize) -> ! {
    panic!("{words} words from {first} on end past the end of the memory");
}

/// Asks the processor to have the line of this word at hand soon. It reads nothing, orders nothing
/// and waits for nothing; without it nothing but time is lost.
#[inline]
pub fn prefetch(word: &AtomicU32) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 processor has the instruction, and it is valid for any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(word).cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = word;
}

impl Words for Memory {
    #[inline]
    fn len(&self) -> usize {
        self.words
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
        self.run(first, values.len()).load(values);
    }
    #[inline]
    fn store_all(&self, first: usize, values: &[u32]) {
        self.run(first, values.len()).store(values);
    }
    #[inline]
    fn store_entries<const N: usize>(
        &self,
        first: usize,
        entries: impl ExactSizeIterator<Item = [u32; N]>,
    ) {
        self.run(first, entries.len() * N).store_entries(entries);
    }
    #[inline]
    fn expect_stores(&self, first: usize, words: usize) {
        self.run(first, words).expect_stores();
    }
    #[inline]
    fn fill(&self, first: usize, words: usize, value: u32) {
        self.run(first, words).fill(value);
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
        let memory = Memory::new(256).unwrap();
        for part in [memory.part(0, 256), memory.part(4, 252)] {
            for first in 0..6 {
                // Words alone, pairs, and lines of sixteen with something behind.
                for count in (0..7).chain(15..19).chain(31..36) {
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
                    let mut bytes = vec![0; count * 4];
                    part.copy_out(first * 4, &mut bytes);
                    let expected: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                    assert_eq!(bytes, expected);
                    part.fill(first, count, 9);
                    part.copy_in(first * 4, &bytes);
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
    fn cells_are_the_words() {
        let memory = Memory::new(64).unwrap();
        let part = memory.part(16, 32);
        memory.store_relaxed(5, 7);
        let cells = part.cells();
        assert_eq!((cells.len(), cells[1].load(Ordering::Relaxed)), (8, 7));
        prefetch(&cells[1]);
        assert!(memory.part(64, 0).cells().is_empty());
    }

    #[test]
    #[should_panic(expected = "1 words from 4 on end past the end of the memory")]
    fn a_part_ends_where_it_ends() {
        Memory::new(64).unwrap().part(16, 16).load_relaxed(4);
    }

    #[test]
    #[should_panic(expected = "8 bytes at 60 of a memory of 64")]
    fn a_part_lies_inside() {
        let _ = Memory::new(64).unwrap().part(60, 8);
    }
}
