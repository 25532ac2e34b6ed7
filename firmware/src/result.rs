//! Results on their way to host memory: records, state, status bytes of one ring.
//!
//! From the verbs, to [`Hal::write`]. Records of consecutive blocks share a line of 64 bytes.
//! The queue is short and bounded; a ring goes on only while there is room for all that one
//! block can write, so nothing is ever lost or written twice.

use abi::core::Hal;
use abi::host::completion::ResultRecord;
use abi::host::handle::Handle;

use crate::tree::{Answer, Tree};

/// Words of one write: a cache line.
pub(crate) const LINE_WORDS: usize = 16;
/// Bytes of a record, and records of a line.
const RECORD_BYTES: u32 = ResultRecord::BYTES as u32;
const LINE_RECORDS: u32 = LINE_WORDS as u32 * 4 / RECORD_BYTES;
/// Writes that can wait.
const WRITES_MAX: u32 = 16;
const WRITES_MASK: u32 = WRITES_MAX - 1;
const _: () = assert!(WRITES_MAX.is_power_of_two(), "places follow from positions");
/// What one block can write at most: a connection's state, its record, two parents' records.
pub(crate) const BLOCK_WRITES_MAX: u32 = 7;

#[derive(Clone, Copy, Debug)]
struct Write {
    iova: u64,
    words: [u32; LINE_WORDS],
    len: u32,
    /// All of them are the first.
    is_fill: bool,
}

/// Writes of one ring that wait for room in the outbox, oldest first.
#[derive(Clone, Debug)]
#[repr(C)]
pub(crate) struct Results {
    first: u32,
    end: u32,
    writes: [Write; WRITES_MAX as usize],
}

impl Results {
    pub(crate) const fn new() -> Self {
        let empty = Write { iova: 0, words: [0; LINE_WORDS], len: 0, is_fill: false };
        Self { writes: [empty; WRITES_MAX as usize], first: 0, end: 0 }
    }

    /// Forgets what waits.
    pub(crate) fn clear(&mut self) {
        self.first = self.end;
    }

    const fn count(&self) -> u32 {
        self.end.wrapping_sub(self.first)
    }

    /// Whether the next block's results are sure to fit.
    pub(crate) const fn has_room(&self) -> bool {
        WRITES_MAX - self.count() >= BLOCK_WRITES_MAX
    }

    /// Queues a block's record.
    pub(crate) fn record(&mut self, tree: &Tree, block: u32, answer: &Answer) {
        let mut words = [0; ResultRecord::BYTES / 4];
        answer.record().write(&mut words);
        let iova = tree.result.wrapping_add(u64::from(block) * ResultRecord::BYTES as u64);
        self.push(iova, &words);
    }

    /// Queues the records of blocks `first` and on: an object of each of `slots`, and its handle is
    /// what `named` says. There is room for them: a line for each four, and two.
    #[inline(always)]
    pub(crate) fn records(
        &mut self,
        tree: &Tree,
        first: u32,
        slots: &[u32],
        named: impl Fn(u32) -> Handle,
    ) {
        let answer = |slot: &u32| Answer::success(named(*slot));
        // Blocks up to the first whose record begins a line; then line by line.
        let start = (tree.result as u32 / RECORD_BYTES).wrapping_add(first);
        let before = start.wrapping_neg() % LINE_RECORDS;
        let (before, rest) = slots.split_at_checked(before as usize).unwrap_or((slots, &[]));
        let (lines, after) = rest.as_chunks::<{ LINE_RECORDS as usize }>();
        let mut block = first;
        for slot in before {
            self.record(tree, block, &answer(slot));
            block += 1;
        }
        for slots in lines {
            let words = self.open_line(tree, block * RECORD_BYTES);
            let (records, _) = words.as_chunks_mut::<{ ResultRecord::BYTES / 4 }>();
            for (words, slot) in records.iter_mut().zip(slots) {
                answer(slot).record().write(words);
            }
            self.close_line(LINE_WORDS as u32);
            block += LINE_RECORDS;
        }
        for slot in after {
            self.record(tree, block, &answer(slot));
            block += 1;
        }
    }

    /// Hands the record of a tree's only block to the outbox. `false`: the outbox is full, or
    /// something waits already; the record waits too.
    #[inline(always)]
    pub(crate) fn record_at_once(
        &mut self,
        tree: &Tree,
        ring: u32,
        hal: &mut impl Hal,
        answer: &Answer,
    ) -> bool {
        let mut words = [0; ResultRecord::BYTES / 4];
        answer.record().write(&mut words);
        let is_gone = self.first == self.end && hal.write(ring, tree.result, &words);
        if !is_gone {
            self.record(tree, 0, answer);
        }
        is_gone
    }

    /// Queues up to a line of words at byte `offset` of the tree's result buffer.
    pub(crate) fn line(&mut self, tree: &Tree, offset: u32, words: &[u32]) {
        self.push(tree.result.wrapping_add(u64::from(offset)), words);
    }

    /// Opens a line at byte `offset` of the tree's result buffer, to be filled where it waits;
    /// [`Results::close_line`] queues it. There is room for it while [`Results::has_room`].
    pub(crate) fn open_line(&mut self, tree: &Tree, offset: u32) -> &mut [u32; LINE_WORDS] {
        let write = &mut self.writes[(self.end & WRITES_MASK) as usize];
        write.iova = tree.result.wrapping_add(u64::from(offset));
        &mut write.words
    }

    /// Queues the first `words` words of the line that was opened last.
    pub(crate) fn close_line(&mut self, words: u32) {
        let write = &mut self.writes[(self.end & WRITES_MASK) as usize];
        write.len = words;
        write.is_fill = false;
        self.end = self.end.wrapping_add(1);
    }

    /// Queues `words` words, each of them `value`, at byte `offset` of the tree's result buffer. There
    /// is room for them while [`Results::has_room`].
    pub(crate) fn fill(&mut self, tree: &Tree, offset: u32, words: u32, value: u32) {
        let write = &mut self.writes[(self.end & WRITES_MASK) as usize];
        write.iova = tree.result.wrapping_add(u64::from(offset));
        write.words[0] = value;
        write.len = words;
        write.is_fill = true;
        self.end = self.end.wrapping_add(1);
    }

    fn push(&mut self, iova: u64, words: &[u32]) {
        if self.first != self.end {
            let last = &mut self.writes[(self.end.wrapping_sub(1) & WRITES_MASK) as usize];
            let is_next = last.iova.wrapping_add(u64::from(last.len) * 4) == iova;
            // A line ends where its address does: what follows starts another one.
            if is_next && !iova.is_multiple_of(64) && last.append(words) {
                return;
            }
        }
        if self.count() == WRITES_MAX {
            return; // Cannot be: a block starts only while `has_room`.
        }
        let write = &mut self.writes[(self.end & WRITES_MASK) as usize];
        write.iova = iova;
        write.len = 0;
        write.is_fill = false;
        write.append(words);
        self.end = self.end.wrapping_add(1);
    }

    /// Hands writes to the outbox: those that are full lines or followed by others, or, when
    /// the tree ends, all. `true` when nothing that was to go is left.
    pub(crate) fn flush(&mut self, hal: &mut impl Hal, ring: u32, is_end: bool) -> bool {
        while self.first != self.end {
            let write = &self.writes[(self.first & WRITES_MASK) as usize];
            let is_full = (write.iova as u32 % 64) + write.len * 4 == 64;
            if self.count() == 1 && !is_full && !is_end {
                return true;
            }
            let is_gone = if write.is_fill {
                hal.fill(ring, write.iova, write.len, write.words[0])
            } else if write.len as usize == LINE_WORDS {
                // Of known length: the usual one, copied without a loop.
                hal.write(ring, write.iova, &write.words)
            } else {
                let words = write.words.get(..write.len as usize).unwrap_or(&[]);
                hal.write(ring, write.iova, words)
            };
            if !is_gone {
                return false;
            }
            self.first = self.first.wrapping_add(1);
        }
        true
    }
}

impl Write {
    /// Appends words; `false`, and nothing is appended, when the line has no room for them.
    fn append(&mut self, words: &[u32]) -> bool {
        let Some(room) = self.words.get_mut(self.len as usize..) else { return false };
        if self.is_fill || words.len() > room.len() {
            return false;
        }
        for (to, from) in room.iter_mut().zip(words) {
            *to = *from;
        }
        self.len += words.len() as u32;
        true
    }
}
