//! Accesses to what the table maps: words, bytes, entries that publish.

use std::cell::Cell;
use std::sync::RwLockReadGuard;

use host_driver::memory::{Memory, Words};

use super::ranges::Ranges;
use super::{Iommu, Refusal};

/// The table of ranges, held for one bounded piece of work.
#[derive(Debug)]
pub(crate) struct Window<'a> {
    iommu: &'a Iommu,
    ranges: RwLockReadGuard<'a, Ranges>,
    /// The range that was hit last: most accesses hit it again.
    last: Cell<usize>,
}

impl<'a> Window<'a> {
    pub(super) fn new(iommu: &'a Iommu, ranges: RwLockReadGuard<'a, Ranges>) -> Self {
        Self { iommu, ranges, last: Cell::new(0) }
    }

    /// Whether the card may master the bus.
    pub(crate) fn is_master(&self) -> bool {
        self.ranges.is_master
    }

    /// Reads whole words at `iova`, a multiple of 4.
    pub(crate) fn read(&self, iova: u64, words: &mut [u32]) -> Result<(), Refusal> {
        let mut words = words;
        self.words(iova, words.len(), false, |memory, first, count| {
            memory.load_all(first, words.split_off_mut(..count).unwrap_or_default());
        })
    }

    /// Reads bytes at any `iova`.
    pub(crate) fn read_bytes(&self, iova: u64, bytes: &mut [u8]) -> Result<(), Refusal> {
        let mut done = 0;
        self.pieces(iova, bytes.len() as u64, false, |memory, offset, count| {
            copy_out(memory, offset, &mut bytes[done..done + count]);
            done += count;
        })
    }

    /// Writes whole words at `iova`, a multiple of 4, in order, without publishing them.
    pub(crate) fn write(&self, iova: u64, words: &[u32]) -> Result<(), Refusal> {
        let mut words = words;
        self.words(iova, words.len(), true, |memory, first, count| {
            memory.store_all(first, words.split_off(..count).unwrap_or_default());
        })
    }

    /// Writes an entry of four words at `iova` such that its last word publishes it and every
    /// write before it.
    pub(crate) fn publish(&self, iova: u64, entry: &[u32; 4]) -> Result<(), Refusal> {
        let mut written = 0;
        self.words(iova, entry.len(), true, |memory, first, count| {
            for word in first..first + count {
                match written {
                    3 => memory.store_release(word, entry[3]),
                    _ => memory.store_relaxed(word, entry[written]),
                }
                written += 1;
            }
        })
    }

    /// Hands out the words at `iova`, range by range: memory, first word, number of words.
    fn words(
        &self,
        iova: u64,
        words: usize,
        is_write: bool,
        mut piece: impl FnMut(&Memory, usize, usize),
    ) -> Result<(), Refusal> {
        let bytes = words as u64 * 4;
        if !iova.is_multiple_of(4) {
            return Err(self.iommu.refuse(Refusal { iova, bytes, is_write }));
        }
        self.pieces(iova, bytes, is_write, |memory, offset, count| {
            piece(memory, offset / 4, count / 4);
        })
    }

    /// Hands out the bytes at `iova`, range by range: memory, first byte, number of bytes. Nothing
    /// is handed out unless all of them may be accessed.
    #[inline]
    fn pieces(
        &self,
        iova: u64,
        bytes: u64,
        is_write: bool,
        mut piece: impl FnMut(&Memory, usize, usize),
    ) -> Result<(), Refusal> {
        let sorted = &self.ranges.sorted;
        let last = self.last.get();
        let at = if sorted.get(last).is_some_and(|range| range.holds(iova)) {
            last
        } else {
            sorted.partition_point(|range| range.last < iova)
        };
        let end = self.end(at, iova, bytes, is_write);
        let Some(end) = end.filter(|_| self.ranges.is_master) else {
            return Err(self.iommu.refuse(Refusal { iova, bytes, is_write }));
        };
        self.last.set(end);
        let (mut iova, mut left) = (iova, bytes);
        for range in &sorted[at..=end] {
            let offset = iova - range.first;
            let count = left.min(range.last - iova + 1);
            piece(&range.memory, offset as usize, count as usize);
            iova = iova.wrapping_add(count);
            left -= count;
        }
        Ok(())
    }

    /// The range in which an access ends that begins in range `at`; `None` when something of it
    /// is not mapped for that.
    #[inline]
    fn end(&self, at: usize, iova: u64, bytes: u64, is_write: bool) -> Option<usize> {
        let last = iova.checked_add(bytes.saturating_sub(1))?;
        let mut range = self.ranges.sorted.get(at)?;
        let mut end = at;
        if !range.holds(iova) || !range.allows(is_write) {
            return None;
        }
        while range.last < last {
            end += 1;
            let next = self.ranges.sorted.get(end)?;
            if next.first != range.last + 1 || !next.allows(is_write) {
                return None;
            }
            range = next;
        }
        Some(end)
    }
}

/// Copies bytes from any byte on.
fn copy_out(memory: &Memory, offset: usize, bytes: &mut [u8]) {
    let skip = offset % 4;
    if skip == 0 {
        memory.copy_out(offset, bytes);
        return;
    }
    // What does not start on a word: its first word gives fewer bytes.
    let first = memory.load_relaxed(offset / 4).to_le_bytes();
    let head = bytes.len().min(4 - skip);
    bytes[..head].copy_from_slice(&first[skip..skip + head]);
    if bytes.len() > head {
        memory.copy_out(offset + head, &mut bytes[head..]);
    }
}
