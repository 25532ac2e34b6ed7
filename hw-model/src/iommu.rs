//! What host memory the card may reach: IOVA ranges, each with its permission.
//!
//! Between every DMA access of the card and the memory behind it. It takes no time and keeps no
//! order; that is `dma`. An access is inside one range with the permission it needs, or it is
//! refused, counted, and remembered for a report: nothing is ever read or written in part.
//! Invariant: when `unmap` returns, no access to the range is under way and none will start.
//!
//! A reader holds the table through a [`Window`] for one bounded piece of work; `unmap` waits for
//! the windows that are open.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use host_driver::memory::{Memory, Words};

/// Ranges that can be mapped at a time.
pub const MAPPINGS_MAX: usize = 65_536;
/// IOVAs given out start here, so that small numbers are never valid by accident.
const FIRST_IOVA: u64 = 1 << 32;
/// IOVAs end here: 48 bits, what IOMMUs of servers translate.
const LAST_IOVA: u64 = 1 << 48;
/// IOVAs given out are aligned to this, and at least this much apart.
const PAGE: u64 = 4096;

/// What the card may do with a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The card may read.
    pub read: bool,
    /// The card may write.
    pub write: bool,
}

impl Permission {
    /// The card may read and write.
    pub const READ_WRITE: Self = Self { read: true, write: true };
    /// The card may only read.
    pub const READ_ONLY: Self = Self { read: true, write: false };
    /// The card may only write.
    pub const WRITE_ONLY: Self = Self { read: false, write: true };
}

/// A DMA access that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("DMA {} of {bytes} bytes at {iova:#x} refused: not mapped for it", if *is_write { "write" } else { "read" })]
pub struct Refusal {
    /// First byte.
    pub iova: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// Whether it was a write.
    pub is_write: bool,
}

#[derive(Debug)]
struct Range {
    start: u64,
    end: u64,
    memory: Arc<Memory>,
    permission: Permission,
}

#[derive(Debug, Default)]
struct Ranges {
    /// In address order, without overlap.
    sorted: Vec<Range>,
    next_iova: u64,
}

/// The table of ranges.
#[derive(Debug, Default)]
pub(crate) struct Iommu {
    ranges: RwLock<Ranges>,
    refused: AtomicU64,
    last_refused: Mutex<Option<Refusal>>,
}

impl Iommu {
    /// Maps `memory` for reading and writing at an IOVA of the table's choice.
    pub(crate) fn map(&self, memory: &Arc<Memory>) -> io::Result<u64> {
        let mut ranges = self.ranges.write().unwrap_or_else(PoisonError::into_inner);
        let start = ranges.next_iova.max(FIRST_IOVA);
        let end = start + (memory.bytes() as u64).next_multiple_of(PAGE) + PAGE;
        if end > LAST_IOVA {
            return Err(io::Error::other("all IOVAs have been given out: attach the card anew"));
        }
        ranges.insert(start, memory, Permission::READ_WRITE)?;
        ranges.next_iova = end;
        Ok(start)
    }

    /// Maps `memory` at an IOVA of the caller's choice, as a virtual machine's table does.
    pub(crate) fn map_at(
        &self,
        iova: u64,
        memory: &Arc<Memory>,
        permission: Permission,
    ) -> io::Result<()> {
        let mut ranges = self.ranges.write().unwrap_or_else(PoisonError::into_inner);
        ranges.insert(iova, memory, permission)
    }

    /// Takes the range that starts at `iova` away. Waits for open windows.
    pub(crate) fn unmap(&self, iova: u64) {
        let mut ranges = self.ranges.write().unwrap_or_else(PoisonError::into_inner);
        ranges.sorted.retain(|range| range.start != iova);
    }

    /// Opens the table for one bounded piece of work.
    pub(crate) fn window(&self) -> Window<'_> {
        let ranges = self.ranges.read().unwrap_or_else(PoisonError::into_inner);
        Window { iommu: self, ranges, last: Cell::new(0) }
    }

    /// Accesses refused so far.
    pub(crate) fn refused(&self) -> u64 {
        // ORDERING: Relaxed. A count that publishes nothing. No loom test: one word.
        self.refused.load(Ordering::Relaxed)
    }

    /// The access that was refused last.
    pub(crate) fn last_refused(&self) -> Option<Refusal> {
        *self.last_refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    fn refuse(&self, refusal: Refusal) -> Refusal {
        // ORDERING: Relaxed. A count that publishes nothing. No loom test: one word.
        self.refused.fetch_add(1, Ordering::Relaxed);
        *self.last_refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
        refusal
    }
}

impl Ranges {
    fn insert(
        &mut self,
        start: u64,
        memory: &Arc<Memory>,
        permission: Permission,
    ) -> io::Result<()> {
        if self.sorted.len() >= MAPPINGS_MAX {
            let message = format!("the card has {MAPPINGS_MAX} mappings, its limit: unmap some");
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, message));
        }
        let Some(end) = start.checked_add(memory.bytes() as u64) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the range wraps at 2^64"));
        };
        if !start.is_multiple_of(PAGE) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "an IOVA starts on a page"));
        }
        let at = self.sorted.partition_point(|range| range.end <= start);
        if self.sorted.get(at).is_some_and(|range| range.start < end) {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "the range is mapped already",
            ));
        }
        self.sorted.insert(at, Range { start, end, memory: Arc::clone(memory), permission });
        Ok(())
    }
}

/// The table of ranges, held for one bounded piece of work.
#[derive(Debug)]
pub(crate) struct Window<'a> {
    iommu: &'a Iommu,
    ranges: RwLockReadGuard<'a, Ranges>,
    /// The range that was hit last: most accesses hit it again.
    last: Cell<usize>,
}

impl Window<'_> {
    /// Reads whole words at `iova`, a multiple of 4.
    pub(crate) fn read(&self, iova: u64, words: &mut [u32]) -> Result<(), Refusal> {
        let (memory, word) = self.words(iova, words.len(), false)?;
        for (i, value) in words.iter_mut().enumerate() {
            *value = memory.load_relaxed(word + i);
        }
        Ok(())
    }

    /// Reads bytes at any `iova`.
    pub(crate) fn read_bytes(&self, iova: u64, bytes: &mut [u8]) -> Result<(), Refusal> {
        let range = self.find(iova, bytes.len() as u64, false)?;
        let offset = (iova - range.start) as usize;
        let skip = offset % 4;
        if skip == 0 {
            range.memory.copy_out(offset, bytes);
            return Ok(());
        }
        // A buffer that does not start on a word: its first word gives fewer bytes.
        let first = range.memory.load_relaxed(offset / 4).to_le_bytes();
        let head = bytes.len().min(4 - skip);
        bytes[..head].copy_from_slice(&first[skip..skip + head]);
        if bytes.len() > head {
            range.memory.copy_out(offset + head, &mut bytes[head..]);
        }
        Ok(())
    }

    /// Writes whole words at `iova`, a multiple of 4, in order, without publishing them.
    pub(crate) fn write(&self, iova: u64, words: &[u32]) -> Result<(), Refusal> {
        let (memory, word) = self.words(iova, words.len(), true)?;
        for (i, value) in words.iter().enumerate() {
            memory.store_relaxed(word + i, *value);
        }
        Ok(())
    }

    /// Writes an entry of four words at `iova` such that its last word publishes it and every
    /// write before it.
    pub(crate) fn publish(&self, iova: u64, entry: &[u32; 4]) -> Result<(), Refusal> {
        let (memory, word) = self.words(iova, entry.len(), true)?;
        for (i, value) in entry[..3].iter().enumerate() {
            memory.store_relaxed(word + i, *value);
        }
        memory.store_release(word + 3, entry[3]);
        Ok(())
    }

    fn words(&self, iova: u64, words: usize, is_write: bool) -> Result<(&Memory, usize), Refusal> {
        let bytes = words as u64 * 4;
        if !iova.is_multiple_of(4) {
            return Err(self.iommu.refuse(Refusal { iova, bytes, is_write }));
        }
        let range = self.find(iova, bytes, is_write)?;
        Ok((&range.memory, (iova - range.start) as usize / 4))
    }

    #[inline]
    fn find(&self, iova: u64, bytes: u64, is_write: bool) -> Result<&Range, Refusal> {
        let sorted = &self.ranges.sorted;
        let holds = |range: &&Range| {
            let allowed = if is_write { range.permission.write } else { range.permission.read };
            // The subtraction cannot wrap once `iova` is known to lie inside.
            iova >= range.start && iova < range.end && bytes <= range.end - iova && allowed
        };
        if let Some(range) = sorted.get(self.last.get()).filter(holds) {
            return Ok(range);
        }
        let at = sorted.partition_point(|range| range.end <= iova);
        match sorted.get(at).filter(holds) {
            Some(range) => {
                self.last.set(at);
                Ok(range)
            }
            None => Err(self.iommu.refuse(Refusal { iova, bytes, is_write })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(bytes: usize) -> Arc<Memory> {
        Arc::new(Memory::new(bytes).unwrap())
    }

    #[test]
    fn an_access_outside_or_across_an_end_is_refused_counted_and_remembered() {
        let iommu = Iommu::default();
        let (a, b) = (memory(4096), memory(4096));
        let iova = iommu.map(&a).unwrap();
        iommu.map(&b).unwrap();
        let window = iommu.window();
        assert!(window.write(iova + 4092, &[7]).is_ok());
        assert!(window.write(iova + 4092, &[7, 8]).is_err());
        assert!(window.read(iova - 4, &mut [0; 2]).is_err());
        assert!(window.read(u64::MAX - 3, &mut [0; 2]).is_err());
        assert!(window.read(iova + 2, &mut [0]).is_err(), "words are aligned");
        assert_eq!(iommu.refused(), 4);
        let last = iommu.last_refused().unwrap();
        assert_eq!(last, Refusal { iova: iova + 2, bytes: 4, is_write: false });
        assert_eq!(a.load_relaxed(1023), 7);
    }

    #[test]
    fn the_wrong_direction_is_refused() {
        let iommu = Iommu::default();
        iommu.map_at(0x1000, &memory(64), Permission::READ_ONLY).unwrap();
        iommu.map_at(0x2000, &memory(64), Permission::WRITE_ONLY).unwrap();
        let window = iommu.window();
        assert!(window.read(0x1000, &mut [0]).is_ok() && window.write(0x1000, &[0]).is_err());
        assert!(window.read(0x2000, &mut [0]).is_err() && window.write(0x2000, &[0]).is_ok());
    }

    #[test]
    fn bytes_can_be_read_from_any_address() {
        let iommu = Iommu::default();
        let memory = memory(64);
        memory.copy_in(0, &(0..64).collect::<Vec<u8>>());
        let iova = iommu.map(&memory).unwrap();
        for start in 0..9_u64 {
            for length in 0..20_usize {
                let mut bytes = vec![0xff; length];
                iommu.window().read_bytes(iova + start, &mut bytes).unwrap();
                let expected: Vec<u8> = (start as u8..).take(length).collect();
                assert_eq!(bytes, expected, "{length} bytes from {start}");
            }
        }
    }

    #[test]
    fn overlaps_and_nonsense_are_not_mapped_and_unmap_ends_access() {
        let iommu = Iommu::default();
        iommu.map_at(0x1000, &memory(8192), Permission::READ_WRITE).unwrap();
        assert!(iommu.map_at(0x2000, &memory(4096), Permission::READ_WRITE).is_err());
        assert!(iommu.map_at(0x0, &memory(8192), Permission::READ_WRITE).is_err());
        assert!(iommu.map_at(0x8004, &memory(64), Permission::READ_WRITE).is_err());
        assert!(iommu.map_at(!0xfff, &memory(8192), Permission::READ_WRITE).is_err());
        assert!(iommu.window().read(0x2000, &mut [0]).is_ok());
        iommu.unmap(0x1000);
        assert!(iommu.window().read(0x2000, &mut [0]).is_err());
    }
}
