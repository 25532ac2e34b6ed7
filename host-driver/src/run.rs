//! Words in a row of shared memory that one side owns: accessed by pairs and by lines.
//!
//! Below `memory`, which says where a run lies. A list, a slot, a result buffer is written by one
//! side, handed over, read by the other; so its words need no access each. To Rust every access
//! here is one of atomic words, without ordering: a pair is a word of 64 bits, a line is an
//! instruction or a few of the processor's, of which Rust knows that it copies words.
//! It publishes nothing and waits for nothing.

#![expect(unsafe_code, reason = "words are accessed by pairs and by lines")]

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::memory::prefetch;

/// Words of a line: sixteen, as in a slot, and in a cache line of most processors.
const LINE_WORDS: usize = 16;
/// Pairs of a line.
const LINE_PAIRS: usize = LINE_WORDS / 2;
/// Lines ahead of the one that is stored to that are asked for: about what is filled while a line
/// comes from another processor.
const LINES_AHEAD: usize = 8;

/// Words in a row that one side owns from hand-over to hand-over: nobody else accesses them
/// meanwhile, so many of them may be accessed as one. What a card does all the same tears a pair or
/// a line into its words, as it would tear any two.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a>(&'a [AtomicU32]);

/// What stands for a word on this side: its value, or its bytes.
pub(crate) trait Word: Copy {
    /// From the word.
    fn of(word: u32) -> Self;
    /// The word.
    fn word(self) -> u32;
    /// The words of a line.
    #[inline]
    fn line(line: [Self; LINE_WORDS]) -> [u32; LINE_WORDS] {
        line.map(Self::word)
    }
}

impl Word for u32 {
    #[inline]
    fn of(word: u32) -> Self {
        word
    }
    #[inline]
    fn word(self) -> u32 {
        self
    }
    #[inline]
    fn line(line: [Self; LINE_WORDS]) -> [u32; LINE_WORDS] {
        line // Not mapped word by word, so that it stays in registers as it is.
    }
}

impl Word for [u8; 4] {
    #[inline]
    fn of(word: u32) -> Self {
        word.to_le_bytes()
    }
    #[inline]
    fn word(self) -> u32 {
        u32::from_le_bytes(self)
    }
}

/// A run by the sizes of its accesses.
struct Pieces<'a> {
    /// The word before the first pair, when the run starts in the middle of one.
    before: &'a [AtomicU32],
    pairs: &'a [[AtomicU32; 2]],
    /// The word behind the last pair.
    after: &'a [AtomicU32],
}

impl<'a> Run<'a> {
    /// These words.
    #[inline]
    pub(crate) const fn new(words: &'a [AtomicU32]) -> Self {
        Self(words)
    }

    /// Loads all words; there are as many `values`.
    #[inline]
    pub(crate) fn load<W: Word>(self, values: &mut [W]) {
        assert!(values.len() == self.0.len(), "a value for every word");
        let (lines, rest) = self.0.as_chunks();
        let (line_values, values) = values.as_chunks_mut();
        for (line, values) in lines.iter().zip(line_values) {
            *values = line::load(line).map(W::of);
        }
        let Pieces { before, pairs, after } = Run(rest).pieces();
        let (values_before, values) = values.split_at_mut(before.len());
        let (values_pairs, values_after) = values.as_chunks_mut();
        for (value, word) in values_before.iter_mut().zip(before) {
            *value = W::of(load_word(word));
        }
        for (values, pair) in values_pairs.iter_mut().zip(pairs) {
            let pair = load_pair(pair);
            *values = [pair as u32, (pair >> 32) as u32].map(W::of);
        }
        for (value, word) in values_after.iter_mut().zip(after) {
            *value = W::of(load_word(word));
        }
    }

    /// Stores as many `values` as there are words.
    #[inline]
    pub(crate) fn store<W: Word>(self, values: &[W]) {
        assert!(values.len() == self.0.len(), "a value for every word");
        let (lines, rest) = self.0.as_chunks();
        let (line_values, values) = values.as_chunks();
        for (line, values) in lines.iter().zip(line_values) {
            line::store(line, W::line(*values));
        }
        let Pieces { before, pairs, after } = Run(rest).pieces();
        let (values_before, values) = values.split_at(before.len());
        let (values_pairs, values_after) = values.as_chunks();
        for (word, value) in before.iter().zip(values_before) {
            store_word(word, value.word());
        }
        for (pair, values) in pairs.iter().zip(values_pairs) {
            let [low, high] = values.map(W::word);
            store_pair(pair, join(low, high));
        }
        for (word, value) in after.iter().zip(values_after) {
            store_word(word, value.word());
        }
    }

    /// Stores entries of `N` words, one behind the other; there is room for no more than them.
    #[inline]
    pub(crate) fn store_entries<const N: usize>(self, entries: impl Iterator<Item = [u32; N]>) {
        for (place, entry) in self.0.as_chunks::<N>().0.iter().zip(entries) {
            Run(place).store(&entry);
        }
    }

    /// Stores `value` into all words.
    #[inline]
    pub(crate) fn fill(self, value: u32) {
        let Pieces { before, pairs, after } = self.pieces();
        pairs.iter().for_each(|pair| store_pair(pair, join(value, value)));
        before.iter().chain(after).for_each(|word| store_word(word, value));
    }

    /// Every pair, its first word in the lower half.
    #[inline]
    pub(crate) fn load_pairs(self) -> impl Iterator<Item = u64> {
        self.pieces().pairs.iter().map(load_pair)
    }

    /// Stores pairs, the first word of each in its lower half, from the first on: as many as
    /// there are of both. Gives how many.
    #[inline]
    pub(crate) fn store_pairs(self, mut values: impl Iterator<Item = u64>) -> usize {
        let mut stored = 0;
        for line in self.pieces().pairs.chunks(LINE_PAIRS) {
            // Who read these words last still has their lines.
            line::expect_store_ahead(&line[0][0]);
            let before = stored;
            for (pair, value) in line.iter().zip(values.by_ref()) {
                store_pair(pair, value);
                stored += 1;
            }
            if stored - before < line.len() {
                break;
            }
        }
        stored
    }

    /// Asks for the lines of all words, to be loaded.
    #[inline]
    pub(crate) fn expect_loads(self) {
        self.0.iter().step_by(LINE_WORDS).for_each(prefetch);
    }

    /// Asks for the lines of all words, to be stored to.
    #[inline]
    pub(crate) fn expect_stores(self) {
        self.0.iter().step_by(LINE_WORDS).for_each(line::expect_store);
    }

    #[inline]
    fn pieces(self) -> Pieces<'a> {
        let is_paired = self.0.as_ptr().cast::<AtomicU64>().is_aligned();
        let (before, rest) = self.0.split_at(usize::from(!is_paired).min(self.0.len()));
        let (pairs, after) = rest.as_chunks();
        Pieces { before, pairs, after }
    }
}

#[inline]
fn load_word(word: &AtomicU32) -> u32 {
    // ORDERING: Relaxed. As in `Memory::load_relaxed`.
    word.load(Ordering::Relaxed)
}

#[inline]
fn store_word(word: &AtomicU32, value: u32) {
    // ORDERING: Relaxed. As in `Memory::store_relaxed`.
    word.store(value, Ordering::Relaxed);
}

/// Two words as a pair.
#[inline]
fn join(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

#[inline]
fn load_pair(pair: &[AtomicU32; 2]) -> u64 {
    // ORDERING: Relaxed. As in `Memory::load_relaxed`, two words at once.
    pair_cell(pair).load(Ordering::Relaxed)
}

#[inline]
fn store_pair(pair: &[AtomicU32; 2], value: u64) {
    // ORDERING: Relaxed. As in `Memory::store_relaxed`, two words at once.
    pair_cell(pair).store(value, Ordering::Relaxed);
}

/// Two words as one; they are aligned so.
#[inline]
fn pair_cell(pair: &[AtomicU32; 2]) -> &AtomicU64 {
    let cell = pair.as_ptr().cast::<AtomicU64>();
    debug_assert!(cell.is_aligned(), "pairs start where pairs can");
    // SAFETY: both words are inside, `pieces` starts pairs where they are aligned, and all who
    // share them in this process access atomic words.
    unsafe { &*cell }
}

/// A line at once, by the processor's own instructions: to Rust, sixteen relaxed accesses.
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod line {
    use std::arch::asm;
    use std::mem::transmute;
    use std::sync::atomic::AtomicU32;

    use super::{LINE_WORDS, LINES_AHEAD};

    /// A line in one register.
    #[cfg(target_feature = "avx512f")]
    #[inline(always)]
    pub(super) fn load(line: &[AtomicU32; LINE_WORDS]) -> [u32; LINE_WORDS] {
        let words: std::arch::x86_64::__m512i;
        // SAFETY: it loads these words, and nothing else.
        unsafe {
            asm!(
                "vmovups {words}, [{line}]",
                words = out(zmm_reg) words,
                line = in(reg) line.as_ptr(),
                options(readonly, nostack, preserves_flags)
            );
        }
        // SAFETY: both are as many bytes, and every pattern is a value of both.
        unsafe { transmute(words) }
    }

    /// As [`load`].
    #[cfg(target_feature = "avx512f")]
    #[inline(always)]
    pub(super) fn store(line: &[AtomicU32; LINE_WORDS], words: [u32; LINE_WORDS]) {
        // SAFETY: both are as many bytes, and every pattern is a value of both.
        let words: std::arch::x86_64::__m512i = unsafe { transmute(words) };
        // SAFETY: it stores to these words, which are atomic, and to nothing else.
        unsafe {
            asm!(
                "vmovups [{line}], {words}",
                line = in(reg) line.as_ptr(),
                words = in(zmm_reg) words,
                options(nostack, preserves_flags)
            );
        }
    }

    /// A line in four registers.
    #[cfg(not(target_feature = "avx512f"))]
    #[inline(always)]
    pub(super) fn load(line: &[AtomicU32; LINE_WORDS]) -> [u32; LINE_WORDS] {
        let (a, b, c, d): (Four, Four, Four, Four);
        // SAFETY: it loads these words, and nothing else.
        unsafe {
            asm!(
                "movups {a}, [{line}]",
                "movups {b}, [{line} + 16]",
                "movups {c}, [{line} + 32]",
                "movups {d}, [{line} + 48]",
                a = out(xmm_reg) a,
                b = out(xmm_reg) b,
                c = out(xmm_reg) c,
                d = out(xmm_reg) d,
                line = in(reg) line.as_ptr(),
                options(readonly, nostack, preserves_flags)
            );
        }
        // SAFETY: both are as many bytes, and every pattern is a value of both.
        unsafe { transmute([a, b, c, d]) }
    }

    /// As [`load`].
    #[cfg(not(target_feature = "avx512f"))]
    #[inline(always)]
    pub(super) fn store(line: &[AtomicU32; LINE_WORDS], words: [u32; LINE_WORDS]) {
        // SAFETY: both are as many bytes, and every pattern is a value of both.
        let [a, b, c, d]: [Four; 4] = unsafe { transmute(words) };
        // SAFETY: it stores to these words, which are atomic, and to nothing else.
        unsafe {
            asm!(
                "movups [{line}], {a}",
                "movups [{line} + 16], {b}",
                "movups [{line} + 32], {c}",
                "movups [{line} + 48], {d}",
                a = in(xmm_reg) a,
                b = in(xmm_reg) b,
                c = in(xmm_reg) c,
                d = in(xmm_reg) d,
                line = in(reg) line.as_ptr(),
                options(nostack, preserves_flags)
            );
        }
    }

    /// Words of one register.
    #[cfg(not(target_feature = "avx512f"))]
    type Four = std::arch::x86_64::__m128i;

    /// Asks for the line of this word, to be stored to.
    #[inline(always)]
    pub(super) fn expect_store(word: &AtomicU32) {
        // SAFETY: it changes nothing that Rust could see, and is valid for any address; a processor
        // that does not know it does nothing.
        unsafe {
            asm!(
                "prefetchw [{word}]",
                word = in(reg) word.as_ptr().addr(),
                options(nomem, nostack, preserves_flags)
            );
        }
    }

    /// Asks for the line some way behind that of this word, if there is one, to be stored to.
    #[inline(always)]
    pub(super) fn expect_store_ahead(word: &AtomicU32) {
        // SAFETY: as in `expect_store`.
        unsafe {
            asm!(
                "prefetchw [{word}]",
                word = in(reg) word.as_ptr().wrapping_add(LINES_AHEAD * LINE_WORDS).addr(),
                options(nomem, nostack, preserves_flags)
            );
        }
    }
}

/// A line word by word.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
mod line {
    use std::sync::atomic::AtomicU32;

    use super::{LINE_WORDS, load_word, store_word};

    pub(super) fn load(line: &[AtomicU32; LINE_WORDS]) -> [u32; LINE_WORDS] {
        line.each_ref().map(load_word)
    }

    pub(super) fn store(line: &[AtomicU32; LINE_WORDS], words: [u32; LINE_WORDS]) {
        line.iter().zip(words).for_each(|(word, value)| store_word(word, value));
    }

    pub(super) const fn expect_store(_word: &AtomicU32) {}

    pub(super) const fn expect_store_ahead(_word: &AtomicU32) {}
}
