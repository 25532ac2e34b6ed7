//! Regions of a table: entries of so many words each, found by their number.
//!
//! Below [`super::resolver`], above whatever holds the words: table memory on a card, loom's words
//! or interrupted ones in tests. An entry is looked up once, and then its words are there without
//! another look at a bound. It knows no table layout and decides no ordering.

use host_driver::memory::Words;

/// Words that have regions.
pub trait Table: Words {
    /// A region of entries of `N` words.
    type Region<'a, const N: usize>: Region
    where
        Self: 'a;

    /// The `entries` entries from word `first` on; empty when they are not inside.
    fn region<const N: usize>(&self, first: u32, entries: u32) -> Self::Region<'_, N>;
}

/// Entries one behind the other.
pub trait Region: Copy {
    /// One of them.
    type Entry: Entry;

    /// Entry number `index`, if there are so many.
    fn get(self, index: u32) -> Option<Self::Entry>;
}

/// The words of an entry, counted from its first.
pub trait Entry: Copy {
    /// Loads without ordering.
    fn load_relaxed(self, word: u32) -> u32;
    /// Loads with Acquire: what was stored before its Release is visible after.
    fn load_acquire(self, word: u32) -> u32;
    /// Asks for the entry's line soon. Reads nothing.
    fn prefetch(self) {}
}

/// A region of any words, one look at a bound a word: for tests.
#[derive(Debug)]
pub struct Indexed<'a, W, const N: usize> {
    words: &'a W,
    first: u32,
    entries: u32,
}

/// An entry of an [`Indexed`].
#[derive(Debug)]
pub struct IndexedEntry<'a, W> {
    words: &'a W,
    first: u32,
}

impl<'a, W: Words, const N: usize> Indexed<'a, W, N> {
    /// The `entries` entries of `words` from word `first` on.
    pub fn new(words: &'a W, first: u32, entries: u32) -> Self {
        Self { words, first, entries }
    }
}

impl<W, const N: usize> Clone for Indexed<'_, W, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W, const N: usize> Copy for Indexed<'_, W, N> {}

impl<W> Clone for IndexedEntry<'_, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for IndexedEntry<'_, W> {}

impl<'a, W: Words, const N: usize> Region for Indexed<'a, W, N> {
    type Entry = IndexedEntry<'a, W>;

    fn get(self, index: u32) -> Option<Self::Entry> {
        let Self { words, first, entries } = self;
        (index < entries).then(|| IndexedEntry { words, first: first + index * N as u32 })
    }
}

impl<W: Words> Entry for IndexedEntry<'_, W> {
    fn load_relaxed(self, word: u32) -> u32 {
        // ORDERING: Relaxed. What this trait promises; the resolver says why it is enough.
        // Checked by `loom_header::a_header_is_whole`.
        self.words.load_relaxed((self.first + word) as usize)
    }
    fn load_acquire(self, word: u32) -> u32 {
        // ORDERING: Acquire. What this trait promises; the resolver names the pair.
        // Checked by `loom_link::reader_sees_old_or_new_never_torn`.
        self.words.load_acquire((self.first + word) as usize)
    }
}
