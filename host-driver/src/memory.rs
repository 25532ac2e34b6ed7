//! Memory that host and card share, as 32-bit words.
//!
//! Below `dma` (which gives a piece of it to one owner) and below every backing's BAR page.
//! It does not know rings or descriptors. No reference to plain data ever points into it:
//! every access is one atomic word, or an aligned pair of words that one side owns, so the other
//! side may write at any time.

#![expect(unsafe_code, reason = "atomic words are formed from the pointer of a mapping")]

use std::io;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use memmap2::{Advice, MmapMut, MmapRaw};

/// Bytes of a word.
const WORD_BYTES: usize = size_of::<u32>();
/// Bytes of two words that are accessed as one.
const PAIR_BYTES: usize = 2 * WORD_BYTES;
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

    /// Copies bytes out, a word or two at a time. Meaningful once the other side has handed them
    /// over.
    ///
    /// # Panics
    /// When the range is not inside the memory or `offset` is not a multiple of 4.
    pub fn copy_out(&self, offset: usize, bytes: &mut [u8]) {
        assert!(offset.is_multiple_of(WORD_BYTES), "copies start on a word");
        let (chunks, rest) = bytes.as_chunks_mut::<WORD_BYTES>();
        let run = self.run(offset / WORD_BYTES, chunks.len());
        let (before, middle) = chunks.split_at_mut(run.head());
        let (doubles, after) = middle.as_chunks_mut::<2>();
        for chunk in before {
            *chunk = run.word(0).to_le_bytes();
        }
        for (double, pair) in doubles.iter_mut().zip(run.load_pairs()) {
            double.as_flattened_mut().copy_from_slice(&pair.to_le_bytes());
        }
        for chunk in after {
            *chunk = run.word(run.words - 1).to_le_bytes();
        }
        if !rest.is_empty() {
            let last = self.load_relaxed(offset / WORD_BYTES + run.words).to_le_bytes();
            rest.copy_from_slice(&last[..rest.len()]);
        }
    }

    /// Copies bytes in, a word or two at a time; a last partial word keeps its other bytes.
    ///
    /// # Panics
    /// When the range is not inside the memory or `offset` is not a multiple of 4.
    pub fn copy_in(&self, offset: usize, bytes: &[u8]) {
        assert!(offset.is_multiple_of(WORD_BYTES), "copies start on a word");
        let (chunks, rest) = bytes.as_chunks::<WORD_BYTES>();
        let run = self.run(offset / WORD_BYTES, chunks.len());
        let (before, middle) = chunks.split_at(run.head());
        let (doubles, after) = middle.as_chunks::<2>();
        for chunk in before {
            run.set_word(0, u32::from_le_bytes(*chunk));
        }
        let join = |[low, high]: &[[u8; WORD_BYTES]; 2]| {
            join(u32::from_le_bytes(*low), u32::from_le_bytes(*high))
        };
        run.store_pairs(doubles.iter().map(join));
        for chunk in after {
            run.set_word(run.words - 1, u32::from_le_bytes(*chunk));
        }
        if !rest.is_empty() {
            let word = offset / WORD_BYTES + run.words;
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

    /// The `words` words from `first` on: one look at the bounds for all of them.
    #[inline]
    pub(crate) fn run(&self, first: usize, words: usize) -> Run<'_> {
        let len = self.bytes / WORD_BYTES;
        let is_inside = first <= len && words <= len - first;
        assert!(is_inside, "{words} words from {first} on end past the end of the memory");
        let base = self.mapping.as_mut_ptr().cast::<u32>();
        // SAFETY: `start` and `bytes` lie inside the mapping, and `first` inside `bytes` or at
        // their end.
        let first = unsafe { base.add(self.start / WORD_BYTES + first) };
        Run { first, words, memory: PhantomData }
    }
}

/// The words of a memory as a slice, for who looks them up all the time: where it lies is found
/// out once. The memory lives as long as this does.
#[derive(Debug)]
pub struct Cells {
    first: NonNull<AtomicU32>,
    words: usize,
    _memory: Memory,
}

// SAFETY: it is a reference to atomic words with their owner, both of which may cross threads.
unsafe impl Send for Cells {}
// SAFETY: as for `Send`.
unsafe impl Sync for Cells {}

impl Cells {
    /// All words of `memory`.
    #[must_use]
    pub fn of(memory: Memory) -> Self {
        let words = memory.bytes / WORD_BYTES;
        let first = if words == 0 { NonNull::dangling() } else { memory.cell(0).into() };
        Self { first, words, _memory: memory }
    }
}

impl std::ops::Deref for Cells {
    type Target = [AtomicU32];

    #[inline]
    fn deref(&self) -> &[AtomicU32] {
        // SAFETY: `first` is the first of so many words of a memory that lives as long as `self`;
        // each of them may be referred to as in `Memory::cell`.
        unsafe { std::slice::from_raw_parts(self.first.as_ptr(), self.words) }
    }
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

/// Words in a row, found to lie inside their memory, that one side owns from hand-over to
/// hand-over: nobody else accesses them meanwhile, so two of them may be accessed as one. What a
/// card does all the same tears a pair into its words, as it would tear any two.
pub(crate) struct Run<'a> {
    first: *mut u32,
    words: usize,
    memory: PhantomData<&'a Memory>,
}

impl Run<'_> {
    /// Words before the first pair: 1 when the run starts in the middle of one.
    #[inline]
    fn head(&self) -> usize {
        usize::from(!self.first.addr().is_multiple_of(PAIR_BYTES)).min(self.words)
    }

    /// Pairs in it.
    #[inline]
    pub(crate) fn pairs(&self) -> usize {
        (self.words - self.head()) / 2
    }

    #[inline]
    fn word_cell(&self, word: usize) -> &AtomicU32 {
        assert!(word < self.words, "the word is past the end of the run");
        // SAFETY: `word` is one of the words that `Memory::run` found inside.
        let cell = unsafe { self.first.add(word) };
        // SAFETY: as in `Memory::cell`; the memory outlives the run.
        unsafe { AtomicU32::from_ptr(cell) }
    }

    /// Every pair, as cells.
    #[inline]
    fn pair_cells(&self) -> impl Iterator<Item = &AtomicU64> {
        let (head, pairs) = (self.head(), self.pairs());
        (0..pairs).map(move |pair| {
            // SAFETY: both words of the pair are words that `Memory::run` found inside.
            let cell = unsafe { self.first.add(head + pair * 2) };
            // SAFETY: as in `Memory::cell` for both words; `head` makes the address a multiple
            // of 8.
            unsafe { AtomicU64::from_ptr(cell.cast()) }
        })
    }

    #[inline]
    fn word(&self, word: usize) -> u32 {
        // ORDERING: Relaxed. As in `Memory::load_relaxed`.
        self.word_cell(word).load(Ordering::Relaxed)
    }

    #[inline]
    fn set_word(&self, word: usize, value: u32) {
        // ORDERING: Relaxed. As in `Memory::store_relaxed`.
        self.word_cell(word).store(value, Ordering::Relaxed);
    }

    /// Every pair, its first word in the lower half.
    #[inline]
    pub(crate) fn load_pairs(&self) -> impl Iterator<Item = u64> {
        // ORDERING: Relaxed. As in `Memory::load_relaxed`, two words at once.
        self.pair_cells().map(|cell| cell.load(Ordering::Relaxed))
    }

    /// Stores pairs, the first word of each in its lower half, from the first on: as many as
    /// there are of both. Gives how many.
    #[inline]
    pub(crate) fn store_pairs(&self, values: impl Iterator<Item = u64>) -> usize {
        let mut stored = 0;
        for (cell, value) in self.pair_cells().zip(values) {
            // ORDERING: Relaxed. As in `Memory::store_relaxed`, two words at once.
            cell.store(value, Ordering::Relaxed);
            stored += 1;
        }
        stored
    }
}

/// Two words as a pair.
#[inline]
fn join(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
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
        let run = self.run(first, values.len());
        let (before, middle) = values.split_at_mut(run.head());
        let (pairs, after) = middle.as_chunks_mut::<2>();
        for value in before {
            *value = run.word(0);
        }
        for (words, pair) in pairs.iter_mut().zip(run.load_pairs()) {
            *words = [pair as u32, (pair >> 32) as u32];
        }
        for value in after {
            *value = run.word(run.words - 1);
        }
    }
    #[inline]
    fn store_all(&self, first: usize, values: &[u32]) {
        let run = self.run(first, values.len());
        let (before, middle) = values.split_at(run.head());
        let (pairs, after) = middle.as_chunks::<2>();
        for value in before {
            run.set_word(0, *value);
        }
        run.store_pairs(pairs.iter().map(|[low, high]| join(*low, *high)));
        for value in after {
            run.set_word(run.words - 1, *value);
        }
    }
    #[inline]
    fn fill(&self, first: usize, words: usize, value: u32) {
        let run = self.run(first, words);
        let (head, pairs) = (run.head(), run.pairs());
        for word in (0..head).chain(head + pairs * 2..words) {
            run.set_word(word, value);
        }
        run.store_pairs(std::iter::repeat(join(value, value)));
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
    fn cells_are_the_words_and_keep_the_memory() {
        let memory = Memory::new(64).unwrap();
        let cells = Cells::of(memory.part(16, 32));
        memory.store_relaxed(5, 7);
        drop(memory);
        assert_eq!((cells.len(), cells[1].load(Ordering::Relaxed)), (8, 7));
        prefetch(&cells[1]);
        let none = Cells::of(Memory::new(64).unwrap().part(64, 0));
        assert!(none.is_empty());
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
