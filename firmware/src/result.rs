//! Results on their way to host memory: records, state, status bytes of one ring.
//!
//! From the verbs, to [`Hal::write`]. Records of consecutive blocks share a line of 64 bytes.
//! The queue is short and bounded; a ring goes on only while there is room for all that one
//! block can write, so nothing is ever lost or written twice.

use abi::core::Hal;
use abi::host::completion::ResultRecord;

use crate::tree::Tree;

/// Words of one write: a cache line.
const LINE_WORDS: usize = 16;
/// Writes that can wait.
const WRITES_MAX: usize = 12;
/// What one block can write at most: a connection's state, its record, two parents' records.
const BLOCK_WRITES_MAX: usize = 7;

#[derive(Clone, Copy, Debug)]
struct Write {
    iova: u64,
    words: [u32; LINE_WORDS],
    len: u32,
}

/// Writes of one ring that wait for room in the outbox, oldest first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Results {
    writes: [Write; WRITES_MAX],
    first: usize,
    count: usize,
}

impl Results {
    pub(crate) const fn new() -> Self {
        let empty = Write { iova: 0, words: [0; LINE_WORDS], len: 0 };
        Self { writes: [empty; WRITES_MAX], first: 0, count: 0 }
    }

    /// Whether the next block's results are sure to fit.
    pub(crate) const fn has_room(&self) -> bool {
        WRITES_MAX - self.count >= BLOCK_WRITES_MAX
    }

    /// Queues a block's record.
    pub(crate) fn record(&mut self, tree: &Tree, block: u32, record: &ResultRecord) {
        let mut words = [0; ResultRecord::BYTES / 4];
        record.write(&mut words);
        self.push(tree.result.wrapping_add(u64::from(block) * ResultRecord::BYTES as u64), &words);
    }

    /// Queues up to a line of words at byte `offset` of the tree's result buffer.
    pub(crate) fn line(&mut self, tree: &Tree, offset: u32, words: &[u32]) {
        self.push(tree.result.wrapping_add(u64::from(offset)), words);
    }

    fn push(&mut self, iova: u64, words: &[u32]) {
        if self.count > 0 {
            let last = &mut self.writes[(self.first + self.count - 1) % WRITES_MAX];
            let end = last.iova.wrapping_add(u64::from(last.len) * 4);
            let len = last.len as usize;
            let is_same_line = iova / 64 == last.iova / 64;
            if end == iova
                && is_same_line
                && let Some(room) = last.words.get_mut(len..len + words.len())
            {
                room.copy_from_slice(words);
                last.len += words.len() as u32;
                return;
            }
        }
        if self.count == WRITES_MAX {
            return; // Cannot be: a block starts only while `has_room`.
        }
        let write = &mut self.writes[(self.first + self.count) % WRITES_MAX];
        let len = words.len().min(LINE_WORDS);
        write.iova = iova;
        write.len = len as u32;
        for (to, from) in write.words.iter_mut().zip(words) {
            *to = *from;
        }
        self.count += 1;
    }

    /// Hands writes to the outbox: those that are full lines or followed by others, or, when
    /// the tree ends, all. `true` when nothing that was to go is left.
    pub(crate) fn flush(&mut self, hal: &mut impl Hal, ring: u32, is_end: bool) -> bool {
        while self.count > 0 {
            let write = &self.writes[self.first % WRITES_MAX];
            let is_full = write.iova % 64 + u64::from(write.len) * 4 == 64;
            if self.count == 1 && !is_full && !is_end {
                return true;
            }
            let words = write.words.get(..write.len as usize).unwrap_or(&[]);
            if !hal.write(ring, write.iova, words) {
                return false;
            }
            self.first = (self.first + 1) % WRITES_MAX;
            self.count -= 1;
        }
        true
    }
}
