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
    /// The ranges that were hit last, by some bits of the IOVA: most accesses hit one of them again.
    hits: [Cell<u32>; HITS],
}

/// Ranges that are remembered.
const HITS: usize = 16;
/// IOVAs that differ below this bit share a place among them.
const HIT_SHIFT: u32 = 14;

impl<'a> Window<'a> {
    pub(super) fn new(iommu: &'a Iommu, ranges: RwLockReadGuard<'a, Ranges>) -> Self {
        Self { iommu, ranges, hits: [const { Cell::new(0) }; HITS] }
    }

    /// Whether the card may master the bus.
    pub(crate) fn is_master(&self) -> bool {
        self.ranges.is_master
    }

    /// Reads whole words at `iova`, a multiple of 4.
    #[inline]
    pub(crate) fn read(&self, iova: u64, words: &mut [u32]) -> Result<(), Refusal> {
        if let Some((memory, first)) = self.hit(iova, words.len(), false) {
            memory.load_all(first, words);
            return Ok(());
        }
        self.read_pieces(iova, words)
    }

    /// Asks for the lines of the words at `iova`, which will be read soon. Nothing comes of it where
    /// they may not be read, or lie in a range that was not hit for long.
    #[inline]
    pub(crate) fn expect_reads(&self, iova: u64, words: usize) {
        if let Some((memory, first)) = self.hit(iova, words, false) {
            memory.expect_loads(first, words);
        }
    }

    #[cold]
    fn read_pieces(&self, iova: u64, words: &mut [u32]) -> Result<(), Refusal> {
        let mut words = words;
        self.words(iova, words.len(), false, |memory, first, count| {
            memory.load_all(first, words.split_off_mut(..count).unwrap_or_default());
        })
    }

    /// Reads bytes at any `iova`.
    #[inline]
    pub(crate) fn read_bytes(&self, iova: u64, bytes: &mut [u8]) -> Result<(), Refusal> {
        if let Some((memory, first)) = self.hit(iova, bytes.len().div_ceil(4), false) {
            memory.copy_out(first * 4, bytes);
            return Ok(());
        }
        self.read_bytes_pieces(iova, bytes)
    }

    #[cold]
    fn read_bytes_pieces(&self, iova: u64, bytes: &mut [u8]) -> Result<(), Refusal> {
        let mut done = 0;
        self.pieces(iova, bytes.len() as u64, false, |memory, offset, count| {
            copy_out(memory, offset, &mut bytes[done..done + count]);
            done += count;
        })
    }

    /// Writes whole words at `iova`, a multiple of 4, in order, without publishing them.
    #[inline]
    pub(crate) fn write(&self, iova: u64, words: &[u32]) -> Result<(), Refusal> {
        if let Some((memory, first)) = self.hit(iova, words.len(), true) {
            memory.store_all(first, words);
            return Ok(());
        }
        self.write_pieces(iova, words)
    }

    #[cold]
    fn write_pieces(&self, iova: u64, words: &[u32]) -> Result<(), Refusal> {
        let mut words = words;
        self.words(iova, words.len(), true, |memory, first, count| {
            memory.store_all(first, words.split_off(..count).unwrap_or_default());
        })
    }

    /// Writes an entry of four words at `iova` such that its last word publishes it and every
    /// write before it.
    #[inline]
    pub(crate) fn publish(&self, iova: u64, entry: &[u32; 4]) -> Result<(), Refusal> {
        if let Some((memory, first)) = self.hit(iova, entry.len(), true) {
            let [body @ .., last] = entry;
            memory.store_all(first, body);
            memory.store_release(first + body.len(), *last);
            return Ok(());
        }
        self.publish_pieces(iova, entry)
    }

    #[cold]
    fn publish_pieces(&self, iova: u64, entry: &[u32; 4]) -> Result<(), Refusal> {
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

    /// The memory and the first word of an access that lies in a range that was hit before and may
    /// be accessed so: nearly every one.
    #[inline]
    fn hit(&self, iova: u64, words: usize, is_write: bool) -> Option<(&Memory, usize)> {
        let range = self.ranges.sorted.get(self.place(iova).get() as usize)?;
        let offset = iova.checked_sub(range.first)?;
        let left = (range.last - range.first).checked_sub(offset)?;
        let is_inside = words > 0 && words as u64 * 4 - 1 <= left && iova.is_multiple_of(4);
        let is_allowed = self.ranges.is_master && range.allows(is_write);
        (is_inside && is_allowed).then_some((&range.memory, offset as usize / 4))
    }

    /// Where the range that `iova` hit is remembered.
    #[inline]
    fn place(&self, iova: u64) -> &Cell<u32> {
        &self.hits[(iova >> HIT_SHIFT) as usize % HITS]
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
        let last = self.place(iova).get() as usize;
        let at = if sorted.get(last).is_some_and(|range| range.holds(iova)) {
            last
        } else {
            sorted.partition_point(|range| range.last < iova)
        };
        let end = self.end(at, iova, bytes, is_write);
        let Some(end) = end.filter(|_| self.ranges.is_master) else {
            return Err(self.iommu.refuse(Refusal { iova, bytes, is_write }));
        };
        // Ranges are far fewer than 2^32.
        self.place(iova).set(at as u32);
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
