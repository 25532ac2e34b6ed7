//! What host memory the card may reach: IOVA ranges, each with its permission, and bus mastering.
//!
//! Between every DMA access of the card and the memory behind it. It takes no time and keeps no
//! order; that is `dma`. An access lies inside ranges with the permission it needs, without a
//! gap, or it is refused, counted, and remembered for a report: nothing is ever read or written
//! in part. A machine's own table has ranges as small as a page, so an access may span several.
//! Invariant: when a range or the bus has been taken away, no access to it is under way and none
//! will start.
//!
//! A reader holds the table through a [`Window`] and gives it back when [`Iommu::is_wanted`] says so,
//! at the latest after one bounded piece of work; who takes something away waits for the windows
//! that are open. A thread has one window at a time: one that opened a second might wait for somebody
//! who waits for its first.

mod ranges;
mod window;

use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use host_driver::memory::Memory;

use self::ranges::Ranges;
pub(crate) use self::window::Window;

/// Ranges that can be mapped at a time: what the VFIO driver of Linux lets one container map.
pub const MAPPINGS_MAX: usize = 65_535;
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

/// The table of ranges.
#[derive(Debug, Default)]
pub(crate) struct Iommu {
    ranges: RwLock<Ranges>,
    /// Who waits to change the table.
    waiting: AtomicU32,
    refused: AtomicU64,
    last_refused: Mutex<Option<Refusal>>,
}

impl Iommu {
    /// Maps `memory` for reading and writing at an IOVA of the table's choice.
    pub(crate) fn map(&self, memory: &Memory) -> io::Result<u64> {
        let mut ranges = self.change();
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
        memory: &Memory,
        permission: Permission,
    ) -> io::Result<()> {
        self.change().insert(iova, memory, permission)
    }

    /// Takes everything from `first` to `last`, inclusive, away. Waits for open windows.
    pub(crate) fn unmap(&self, first: u64, last: u64) {
        self.change().remove(first, last);
    }

    /// Ranges that are mapped.
    pub(crate) fn mappings(&self) -> usize {
        self.look().sorted.len()
    }

    /// Lets the card master the bus, or not. Waits for open windows.
    pub(crate) fn set_master(&self, is_master: bool) {
        self.change().is_master = is_master;
    }

    /// Opens the table for one bounded piece of work.
    pub(crate) fn window(&self) -> Window<'_> {
        Window::new(self, self.look())
    }

    /// Whether somebody waits for open windows to be given back.
    #[inline]
    pub(crate) fn is_wanted(&self) -> bool {
        // ORDERING: Relaxed. A courtesy to who waits; the lock decides.
        // No loom test: nothing is published.
        self.waiting.load(Ordering::Relaxed) > 0
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

    /// As after power-on: no bus mastering, nothing refused. What is mapped is the machine's
    /// matter and stays.
    pub(crate) fn power_on(&self) {
        self.set_master(false);
        // ORDERING: Relaxed. As in `refused`.
        self.refused.store(0, Ordering::Relaxed);
        *self.last_refused.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn look(&self) -> RwLockReadGuard<'_, Ranges> {
        self.ranges.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Ranges> {
        // ORDERING: Relaxed. As in `is_wanted`.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let ranges = self.ranges.write().unwrap_or_else(PoisonError::into_inner);
        // ORDERING: Relaxed. As in `is_wanted`.
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        ranges
    }

    #[cold]
    fn refuse(&self, refusal: Refusal) -> Refusal {
        // ORDERING: Relaxed. A count that publishes nothing. No loom test: one word.
        self.refused.fetch_add(1, Ordering::Relaxed);
        *self.last_refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
        refusal
    }
}

#[cfg(test)]
mod tests {
    use host_driver::memory::Words;

    use super::*;

    fn memory(bytes: usize) -> Memory {
        Memory::new(bytes).unwrap()
    }

    fn mastering() -> Iommu {
        let iommu = Iommu::default();
        iommu.set_master(true);
        iommu
    }

    #[test]
    fn an_access_outside_or_across_an_end_is_refused_counted_and_remembered() {
        let iommu = mastering();
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
        let iommu = mastering();
        iommu.map_at(0x1000, &memory(64), Permission::READ_ONLY).unwrap();
        iommu.map_at(0x2000, &memory(64), Permission::WRITE_ONLY).unwrap();
        let window = iommu.window();
        assert!(window.read(0x1000, &mut [0]).is_ok() && window.write(0x1000, &[0]).is_err());
        assert!(window.read(0x2000, &mut [0]).is_err() && window.write(0x2000, &[0]).is_ok());
    }

    #[test]
    fn bytes_can_be_read_from_any_address() {
        let iommu = mastering();
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
        let iommu = mastering();
        iommu.map_at(0x1000, &memory(8192), Permission::READ_WRITE).unwrap();
        assert!(iommu.map_at(0x2000, &memory(4096), Permission::READ_WRITE).is_err());
        assert!(iommu.map_at(0x0, &memory(8192), Permission::READ_WRITE).is_err());
        assert!(iommu.map_at(0x8004, &memory(64), Permission::READ_WRITE).is_err());
        assert!(iommu.map_at(!0xfff, &memory(8192), Permission::READ_WRITE).is_err());
        assert!(iommu.window().read(0x2000, &mut [0]).is_ok());
        iommu.unmap(0x1000, 0x2fff);
        assert!(iommu.window().read(0x2000, &mut [0]).is_err());
    }

    #[test]
    fn an_access_may_span_ranges_that_follow_each_other_and_only_those() {
        let iommu = mastering();
        let (a, b, c) = (memory(4096), memory(4096), memory(4096));
        iommu.map_at(0x2000, &b, Permission::READ_WRITE).unwrap();
        iommu.map_at(0x1000, &a, Permission::READ_WRITE).unwrap();
        iommu.map_at(0x4000, &c, Permission::READ_WRITE).unwrap();
        iommu.map_at(0x3000, &memory(4096), Permission::READ_ONLY).unwrap();
        let window = iommu.window();
        window.write(0x1ff8, &[1, 2, 3, 4]).unwrap();
        assert_eq!([a.load_relaxed(1023), b.load_relaxed(0)], [2, 3]);
        window.publish(0x1ffc, &[5, 6, 7, 8]).unwrap();
        assert_eq!([a.load_relaxed(1023), b.load_relaxed(0), b.load_relaxed(2)], [5, 6, 8]);
        let mut bytes = [0; 5];
        window.read_bytes(0x1ffe, &mut bytes).unwrap();
        assert_eq!(bytes, [0, 0, 6, 0, 0]);
        window.read(0x1000, &mut [0; 3072]).unwrap();
        assert!(window.write(0x2ffc, &[9, 9]).is_err(), "the next range is read-only");
        assert_eq!(b.load_relaxed(1023), 0, "nothing is written in part");
        assert!(window.read(0x4ffc, &mut [0; 2]).is_err(), "nothing follows");
    }

    #[test]
    fn an_unmap_takes_what_it_names_and_leaves_the_rest() {
        let iommu = mastering();
        let all = memory(0x4000);
        let reads = |iova| iommu.window().read(iova, &mut [0]).is_ok();
        let map = || {
            iommu.unmap(0, u64::MAX);
            iommu.map_at(0x1000, &all, Permission::READ_WRITE).unwrap();
            iommu.map_at(0x5000, &all, Permission::READ_WRITE).unwrap();
        };
        map();
        iommu.unmap(0x2000, 0x5fff);
        all.store_relaxed(0x2000 / 4, 77);
        let left: Vec<u64> = (1..10).map(|page| page << 12).filter(|iova| reads(*iova)).collect();
        assert_eq!(left, [0x1000, 0x6000, 0x7000, 0x8000]);
        let mut word = [0];
        iommu.window().read(0x7000, &mut word).unwrap();
        assert_eq!((word, iommu.mappings()), ([77], 2), "the same memory as before");
        map();
        iommu.unmap(0x2000, 0x2fff);
        assert_eq!((reads(0x1ffc), reads(0x2000), reads(0x3000)), (true, false, true));
        map();
        iommu.unmap(0x9000, u64::MAX);
        assert_eq!(iommu.mappings(), 2);
        iommu.unmap(0, 0xfff);
        assert_eq!(iommu.mappings(), 2);
    }

    #[test]
    fn a_range_may_end_where_addresses_end() {
        let iommu = mastering();
        iommu.map_at(!0xfff, &memory(4096), Permission::READ_WRITE).unwrap();
        assert!(iommu.window().read(u64::MAX - 3, &mut [0]).is_ok());
        assert!(iommu.window().read(u64::MAX - 3, &mut [0; 2]).is_err());
        iommu.unmap(!0xfff, u64::MAX);
        assert_eq!(iommu.mappings(), 0);
    }

    #[test]
    fn without_the_bus_every_access_is_refused() {
        let iommu = Iommu::default();
        let iova = iommu.map(&memory(4096)).unwrap();
        assert!(iommu.window().write(iova, &[1]).is_err());
        iommu.set_master(true);
        assert!(iommu.window().write(iova, &[1]).is_ok());
        assert_eq!((iommu.refused(), iommu.mappings()), (1, 1));
        iommu.power_on();
        assert!(!iommu.window().is_master() && iommu.refused() == 0 && iommu.mappings() == 1);
    }
}
