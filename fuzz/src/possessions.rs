//! What a client of the vfio-user server has that it can send, and what must not happen to it.
//!
//! Between `sentences`, which picks, and the target, which looks afterwards. Memory holds a pattern
//! that tells every word from every other; so a byte that changed, changed somewhere.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};

use host_driver::memory::{Memory, Words};
use memmap2::MmapOptions;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::pipe::{PipeFlags, pipe_with};

/// Bytes of a page.
pub(crate) const PAGE: usize = 4096;
/// Pages of each memory file.
const PAGES: usize = 16;
/// Memory files: two that are sealed as they should be, one that is not.
const SEALED: usize = 2;
const MEMORIES: usize = 3;

/// A file that can be sent, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Item(pub(crate) usize);

/// Memory files, an eventfd, a pipe, and nothing in particular.
pub struct Possessions {
    files: Vec<OwnedFd>,
    memories: Vec<Memory>,
    /// What each is to hold where it is not lent: the pattern, and what the client itself wrote.
    expected: Vec<Vec<u8>>,
    /// Pages that the client wrote since the pattern was there.
    own: BTreeSet<(usize, usize)>,
    /// Windows that are open for writing, as far as can be seen.
    lent: Vec<Window>,
    /// Pages that were lent at any time since the pattern was there.
    was_lent: BTreeSet<(usize, usize)>,
    /// Whether the eventfd went to the server as one.
    pub(crate) is_signal_lent: bool,
    pipe_end: OwnedFd,
}

/// A window that the server was given, from `first` to `last`, inclusive.
#[derive(Clone, Copy, Debug)]
struct Window {
    first: u64,
    last: u64,
    file: usize,
    /// Page of the file that stands at `first`.
    page: usize,
}

impl Window {
    fn pages(&self) -> impl Iterator<Item = (usize, usize)> {
        let count = (self.last - self.first) as usize / PAGE + 1;
        let file = self.file;
        (self.page..(self.page + count).min(PAGES)).map(move |page| (file, page))
    }

    /// The part from `first` to `last`, if there is one.
    fn part(&self, first: u64, last: u64) -> Option<Self> {
        let page = self.page + first.saturating_sub(self.first) as usize / PAGE;
        let (first, last) = (first.max(self.first), last.min(self.last));
        (first <= last).then_some(Self { first, last, page, ..*self })
    }
}

/// The item that is an eventfd.
pub(crate) const SIGNAL: Item = Item(MEMORIES);
/// How many items there are.
pub(crate) const ITEMS: usize = MEMORIES + 3;

/// A page of the pattern.
fn pattern(file: usize, page: usize) -> impl Iterator<Item = u8> {
    let words = page * PAGE / 4..(page + 1) * PAGE / 4;
    words.flat_map(move |word| (0x5a00_0000 | (file as u32) << 20 | word as u32).to_le_bytes())
}

impl Possessions {
    /// A fresh set.
    ///
    /// # Panics
    /// When the system has no files left.
    #[must_use]
    pub fn new() -> Self {
        let (mut files, mut memories) = (Vec::new(), Vec::new());
        for number in 0..MEMORIES {
            let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
            let file = memfd_create("fuzz", flags).expect("a memory file");
            ftruncate(&file, (PAGES * PAGE) as u64).expect("pages for it");
            if number < SEALED {
                fcntl_add_seals(&file, SealFlags::SHRINK).expect("a seal for it");
            }
            let mapping = MmapOptions::new().map_raw(&file).expect("room for it");
            memories.push(Memory::of(mapping));
            files.push(file);
        }
        files.push(eventfd(0, EventfdFlags::NONBLOCK).expect("an eventfd"));
        let (read, write) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).expect("a pipe");
        files.push(write);
        let null = std::fs::File::options().read(true).write(true).open("/dev/null");
        files.push(null.expect("it is everywhere").into());
        let mut all = Self {
            files,
            memories,
            expected: vec![vec![0; PAGES * PAGE]; MEMORIES],
            own: BTreeSet::new(),
            lent: Vec::new(),
            was_lent: BTreeSet::new(),
            is_signal_lent: false,
            pipe_end: read,
        };
        for file in 0..MEMORIES {
            (0..PAGES).for_each(|page| all.restore(file, page));
        }
        all
    }

    /// A duplicate, as sending makes one.
    pub(crate) fn duplicate(&self, item: Item) -> OwnedFd {
        self.files[item.0].try_clone().expect("the limit of open files is higher than this")
    }

    /// The client writes a word of its own memory.
    pub(crate) fn write(&mut self, file: usize, word: usize, value: u32) {
        let (file, word) = (file % SEALED, word % (PAGES * PAGE / 4));
        self.memories[file].store_release(word, value);
        self.expected[file][word * 4..(word + 1) * 4].copy_from_slice(&value.to_le_bytes());
        self.own.insert((file, word * 4 / PAGE));
    }

    /// Whether the server may take a window to it.
    pub(crate) fn is_sealed(item: Item) -> bool {
        item.0 < SEALED
    }

    /// The server may write there from now on: a part of what was sent as `item`, at `first`.
    pub(crate) fn lend(&mut self, item: Item, offset: u64, first: u64, bytes: u64) {
        let last = bytes.checked_sub(1).and_then(|bytes| first.checked_add(bytes));
        let page = offset as usize / PAGE;
        if let Some(last) = last.filter(|_| Self::is_sealed(item) && page < PAGES) {
            let window = Window { first, last, file: item.0, page };
            self.was_lent.extend(window.pages());
            self.lent.push(window);
        }
    }

    /// The server has said that it will not touch what lies from `first` to `last` any more.
    pub(crate) fn take_back(&mut self, first: u64, last: u64) {
        let lent = std::mem::take(&mut self.lent);
        for window in &lent {
            let below = first.checked_sub(1).and_then(|last| window.part(0, last));
            let above = last.checked_add(1).and_then(|first| window.part(first, u64::MAX));
            self.lent.extend(below.into_iter().chain(above));
        }
        // Pages that no window shows any more stay as they are from now on.
        let shown = self.shown();
        let hidden = lent.iter().flat_map(Window::pages).filter(|page| !shown.contains(page));
        for (file, page) in hidden.collect::<Vec<_>>() {
            let bytes = page * PAGE..(page + 1) * PAGE;
            self.memories[file].copy_out(bytes.start, &mut self.expected[file][bytes]);
        }
    }

    /// Pages that can be written through a window.
    fn shown(&self) -> BTreeSet<(usize, usize)> {
        self.lent.iter().flat_map(Window::pages).collect()
    }

    /// Looks whether anything was touched that was not lent, and makes everything as it was.
    ///
    /// # Panics
    /// When something was.
    pub fn check_and_restore(&mut self) {
        let mut touched = std::mem::take(&mut self.own);
        touched.append(&mut self.was_lent);
        let shown = self.shown();
        self.lent.clear();
        for file in 0..MEMORIES {
            for page in (0..PAGES).filter(|page| !shown.contains(&(file, *page))) {
                let mut found = [0; PAGE];
                self.memories[file].copy_out(page * PAGE, &mut found);
                let expected = &self.expected[file][page * PAGE..(page + 1) * PAGE];
                assert!(found == expected, "page {page} of file {file} has changed");
            }
        }
        touched.into_iter().for_each(|(file, page)| self.restore(file, page));
        let mut bytes = [0; 8];
        let was_signaled = rustix::io::read(&self.files[SIGNAL.0], &mut bytes).is_ok();
        assert!(!was_signaled || self.is_signal_lent, "an eventfd that was not given is signaled");
        self.is_signal_lent = false;
        let piped = rustix::io::read(self.pipe_end.as_fd(), &mut bytes);
        assert_eq!(piped, Err(rustix::io::Errno::AGAIN), "something came through the pipe");
    }

    fn restore(&mut self, file: usize, page: usize) {
        let bytes: Vec<u8> = pattern(file, page).collect();
        self.memories[file].copy_in(page * PAGE, &bytes);
        self.expected[file][page * PAGE..(page + 1) * PAGE].copy_from_slice(&bytes);
    }
}

impl Default for Possessions {
    fn default() -> Self {
        Self::new()
    }
}
