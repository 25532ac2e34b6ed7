//! DMA memory in large pieces, mapped once each and given out in pages.
//!
//! Between the backing's `allocate` and the IOMMU. Mapping is what costs (each page is pinned and
//! entered into a table), so memory that was given back stays mapped and is given out again; what
//! is wholly unused is taken away by [`Arena::trim`], or when there is more of it than
//! [`KEPT_BYTES_MAX`]. Huge pages are used while the system has free ones.
//! What is as large as a piece has one of its own. Invariants: two owners never share a page; a piece that the IOMMU does not let go of is never
//! given out and never unmapped from this process, so that the card writes into nobody's memory.

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};

use memmap2::{Advice, MmapMut, MmapOptions};

use crate::backing::{OWN_MAPPING_BYTES, Reachable};
use crate::memory::Memory;

/// What is given out is a multiple of this, and aligned to it: a page of the processor.
const PAGE: usize = 4096;
/// What is mapped is a multiple of this, and aligned to it in IOVAs: a huge page.
const PIECE: usize = OWN_MAPPING_BYTES;
/// Binary logarithm of [`PIECE`], for the system call.
const PIECE_LOG2: u8 = 21;
/// Bytes of unused pieces that stay mapped: the packet buffers of a session of default size, and
/// as much again.
const KEPT_BYTES_MAX: usize = 64 << 20;
/// IOVAs given out start here, so that small numbers are never valid by accident.
const FIRST_IOVA: u64 = 1 << 32;
/// They end here: the least that IOMMUs translate is 39 bits (VT-d specification 3.3, 3.6).
const LAST_IOVA: u64 = (1 << 39) - 1;

/// Memory that a card may still write to though its arena is gone, because it could not be
/// unmapped: nobody else may ever get these pages.
static OUT_OF_USE: Mutex<Vec<Memory>> = Mutex::new(Vec::new());

/// The IOMMU, as far as the arena needs it.
pub(super) trait Translation: Send + Sync {
    /// Lets the card reach `memory` at `iova`.
    fn map(&self, iova: u64, memory: &Memory) -> io::Result<()>;
    /// Takes that away again. An error says that the card may still reach it.
    fn unmap(&self, iova: u64, bytes: usize) -> io::Result<()>;
}

/// What DMA memory is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DmaPages {
    /// Bytes in huge pages of 2 MiB.
    pub huge_bytes: usize,
    /// Bytes in pages of 4 KiB, because the system had no free huge page.
    pub small_bytes: usize,
}

/// All DMA memory of one card.
#[derive(Debug)]
pub(super) struct Arena<T: Translation> {
    translation: T,
    pieces: Mutex<Pieces>,
}

#[derive(Debug, Default)]
struct Pieces {
    /// By IOVA.
    mapped: BTreeMap<u64, Piece>,
    /// Ranges that the IOMMU does not translate.
    reserved: Vec<RangeInclusive<u64>>,
}

#[derive(Debug)]
struct Piece {
    memory: Memory,
    is_huge: bool,
    /// Could not be unmapped: never given out again.
    is_stuck: bool,
    /// Unused bytes: length by start, without neighbors that touch.
    free: BTreeMap<usize, usize>,
}

impl<T: Translation> Arena<T> {
    /// An arena with nothing in it.
    pub(super) fn new(translation: T, reserved: Vec<RangeInclusive<u64>>) -> Self {
        let pieces = Pieces { mapped: BTreeMap::new(), reserved };
        Self { translation, pieces: Mutex::new(pieces) }
    }

    /// Gives `bytes` bytes, in whole pages.
    pub(super) fn allocate(&self, bytes: usize) -> io::Result<Reachable> {
        let size = size(bytes)?;
        let mut pieces = self.pieces();
        let (iova, start) = match pieces.take(size) {
            Some(place) => place,
            None => self.grow(&mut pieces, size)?,
        };
        let memory = pieces.mapped[&iova].memory.part(start, bytes.next_multiple_of(4).max(4));
        Ok(Reachable { memory, iova: iova + start as u64 })
    }

    /// Takes memory back. It stays mapped unless there is a lot of it.
    pub(super) fn release(&self, reachable: &Reachable) {
        let mut pieces = self.pieces();
        let Ok(size) = size(reachable.memory.bytes()) else { return };
        let Some((iova, piece)) = pieces.mapped.range_mut(..=reachable.iova).next_back() else {
            return;
        };
        let size = if size < PIECE { size } else { piece.memory.bytes() };
        piece.give_back((reachable.iova - iova) as usize, size);
        let unused: usize = pieces.unused().map(|(_, bytes)| bytes).sum();
        if unused > KEPT_BYTES_MAX {
            self.unmap_unused(&mut pieces, unused - KEPT_BYTES_MAX);
        }
    }

    /// Unmaps every piece of which nothing is given out.
    pub(super) fn trim(&self) {
        self.unmap_unused(&mut self.pieces(), usize::MAX);
    }

    /// What it is made of.
    pub(super) fn pages(&self) -> DmaPages {
        let mut pages = DmaPages::default();
        for piece in self.pieces().mapped.values() {
            let kind = if piece.is_huge { &mut pages.huge_bytes } else { &mut pages.small_bytes };
            *kind += piece.memory.bytes();
        }
        pages
    }

    /// Maps another piece, with room for `size` bytes, and takes them.
    fn grow(&self, pieces: &mut Pieces, size: usize) -> io::Result<(u64, usize)> {
        let bytes = size.next_multiple_of(PIECE);
        let iova = pieces.gap(bytes as u64).ok_or_else(|| {
            io::Error::other(format!("no gap of {bytes} bytes left below IOVA {LAST_IOVA:#x}"))
        })?;
        let (memory, is_huge) = piece(bytes)?;
        self.translation.map(iova, &memory)?;
        let rest = if size < PIECE { bytes - size } else { 0 };
        let free = (rest > 0).then_some((size, rest)).into_iter().collect();
        pieces.mapped.insert(iova, Piece { memory, is_huge, is_stuck: false, free });
        Ok((iova, 0))
    }

    /// Unmaps unused pieces until at least `enough` bytes are.
    fn unmap_unused(&self, pieces: &mut Pieces, enough: usize) {
        let unused: Vec<(u64, usize)> = pieces.unused().collect();
        let mut done = 0;
        for (iova, bytes) in unused {
            if done >= enough {
                return;
            }
            done += bytes;
            if self.translation.unmap(iova, bytes).is_ok() {
                pieces.mapped.remove(&iova);
            } else if let Some(piece) = pieces.mapped.get_mut(&iova) {
                piece.is_stuck = true;
            }
        }
    }

    fn pieces(&self) -> MutexGuard<'_, Pieces> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Translation> Drop for Arena<T> {
    fn drop(&mut self) {
        let pieces = self.pieces.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (iova, piece) in std::mem::take(&mut pieces.mapped) {
            if self.translation.unmap(iova, piece.memory.bytes()).is_err() {
                OUT_OF_USE.lock().unwrap_or_else(PoisonError::into_inner).push(piece.memory);
            }
        }
    }
}

impl Pieces {
    /// Takes `size` bytes from a piece that is there; small ones from one that is begun, if they
    /// can be had there.
    fn take(&mut self, size: usize) -> Option<(u64, usize)> {
        let mut find = |from: fn(&mut Piece, usize) -> Option<usize>| {
            self.mapped.iter_mut().find_map(|(iova, piece)| Some((*iova, from(piece, size)?)))
        };
        if size >= PIECE {
            return find(Piece::take_whole);
        }
        find(Piece::take_begun).or_else(|| find(Piece::take))
    }

    /// Pieces of which nothing is given out, with their sizes.
    fn unused(&self) -> impl Iterator<Item = (u64, usize)> {
        let unused = self.mapped.iter().filter(|(_, piece)| piece.is_unused());
        unused.map(|(iova, piece)| (*iova, piece.memory.bytes()))
    }

    /// The first IOVA at which `bytes` bytes fit, with a piece's distance to the ones before and
    /// after, so that a run past an end hits nothing.
    fn gap(&self, bytes: u64) -> Option<u64> {
        let piece = PIECE as u64;
        let mapped = self.mapped.iter().map(|(iova, piece)| (*iova, piece.memory.bytes() as u64));
        let mapped = mapped.map(|(iova, bytes)| iova..=iova + (bytes - 1) + piece);
        let mut taken: Vec<_> = mapped.chain(self.reserved.iter().cloned()).collect();
        taken.sort_by_key(|range| *range.start());
        let mut start = FIRST_IOVA;
        for range in taken {
            if *range.end() < start {
                continue;
            }
            if start + bytes + piece <= *range.start() {
                break;
            }
            start = range.end().checked_add(1)?.checked_next_multiple_of(piece)?;
        }
        (start.checked_add(bytes)? <= LAST_IOVA).then_some(start)
    }
}

impl Piece {
    fn is_unused(&self) -> bool {
        !self.is_stuck && self.free.get(&0) == Some(&self.memory.bytes())
    }

    /// Takes `size` bytes from the first run that has them.
    fn take(&mut self, size: usize) -> Option<usize> {
        if self.is_stuck {
            return None;
        }
        let (start, length) = self.free.iter().find(|(_, length)| **length >= size)?;
        let (start, length) = (*start, *length);
        self.free.remove(&start);
        if length > size {
            self.free.insert(start + size, length - size);
        }
        Some(start)
    }

    /// As [`Piece::take`], of a piece that is in use already.
    fn take_begun(&mut self, size: usize) -> Option<usize> {
        if self.is_unused() { None } else { self.take(size) }
    }

    /// Takes all of an unused piece for `size` bytes, unless more than half would be wasted.
    fn take_whole(&mut self, size: usize) -> Option<usize> {
        let bytes = self.memory.bytes();
        if !self.is_unused() || size > bytes || size < bytes / 2 {
            return None;
        }
        self.free.clear();
        Some(0)
    }

    /// Takes a run back and joins it with the unused ones that it touches.
    fn give_back(&mut self, mut start: usize, mut size: usize) {
        if let Some(next) = self.free.remove(&(start + size)) {
            size += next;
        }
        if let Some((before, length)) = self.free.range(..start).next_back()
            && before + length == start
        {
            (start, size) = (*before, length + size);
        }
        self.free.insert(start, size);
    }
}

/// Whole pages for `bytes` bytes.
fn size(bytes: usize) -> io::Result<usize> {
    let size =
        bytes.max(1).checked_next_multiple_of(PAGE).filter(|size| *size <= isize::MAX as usize / 2);
    size.ok_or_else(|| io::Error::other(format!("{bytes} bytes are more than there are addresses")))
}

/// Memory of huge pages if there are free ones, else of small ones; and which of the two.
fn piece(bytes: usize) -> io::Result<(Memory, bool)> {
    let huge = MmapOptions::new().len(bytes).huge(Some(PIECE_LOG2)).map_anon();
    let is_huge = huge.is_ok();
    let mapping = huge.or_else(|_| MmapMut::map_anon(bytes))?;
    // A child process would get the pages on the next write of its parent, and the card would go
    // on writing into the child's.
    mapping.advise(Advice::DontFork)?;
    Ok((Memory::of(mapping.into()), is_huge))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// What the IOMMU of a test did.
    #[derive(Debug, Default)]
    struct Fake {
        mapped: Mutex<RefCell<BTreeMap<u64, usize>>>,
        refuses_unmap: bool,
    }

    impl Fake {
        fn bytes(&self) -> usize {
            self.mapped.lock().unwrap().borrow().values().sum()
        }
    }

    impl Translation for &Fake {
        fn map(&self, iova: u64, memory: &Memory) -> io::Result<()> {
            assert!(iova.is_multiple_of(PIECE as u64) && memory.bytes().is_multiple_of(PIECE));
            let before = self.mapped.lock().unwrap().borrow_mut().insert(iova, memory.bytes());
            assert_eq!(before, None);
            Ok(())
        }
        fn unmap(&self, iova: u64, bytes: usize) -> io::Result<()> {
            if self.refuses_unmap {
                return Err(io::ErrorKind::Other.into());
            }
            assert_eq!(self.mapped.lock().unwrap().borrow_mut().remove(&iova), Some(bytes));
            Ok(())
        }
    }

    #[test]
    fn owners_share_pieces_but_no_page() {
        let fake = Fake::default();
        let arena = Arena::new(&fake, Vec::new());
        let all: Vec<Reachable> =
            [1, 4096, 4097, 100_000, 64].map(|bytes| arena.allocate(bytes).unwrap()).into();
        assert_eq!(fake.bytes(), PIECE, "one piece for all of them");
        let mut pages: Vec<u64> = Vec::new();
        for one in &all {
            let last = one.iova + one.memory.bytes() as u64 - 1;
            pages.extend(one.iova / 4096..=last / 4096);
            assert!(one.iova.is_multiple_of(4096));
            assert_eq!(one.memory.address() % 4096, 0);
        }
        let count = pages.len();
        pages.dedup();
        assert_eq!(pages.len(), count);
        assert_eq!(all[0].memory.bytes(), 4);
    }

    #[test]
    fn what_is_given_back_is_given_out_again_without_mapping() {
        let fake = Fake::default();
        let arena = Arena::new(&fake, Vec::new());
        let first: Vec<_> = (0..8).map(|_| arena.allocate(PIECE / 8).unwrap()).collect();
        let iovas: Vec<u64> = first.iter().map(|one| one.iova).collect();
        // In an order that needs joining on both sides.
        for at in [0, 2, 1, 5, 7, 6, 3, 4] {
            arena.release(&first[at]);
        }
        let whole = arena.allocate(PIECE).unwrap();
        assert_eq!((whole.iova, fake.bytes()), (iovas[0], PIECE));
    }

    #[test]
    fn trim_unmaps_what_nobody_has_and_dropping_all() {
        let fake = Fake::default();
        let arena = Arena::new(&fake, Vec::new());
        let (small, large) = (arena.allocate(64).unwrap(), arena.allocate(3 * PIECE).unwrap());
        arena.release(&large);
        assert_eq!(fake.bytes(), 4 * PIECE, "kept");
        arena.trim();
        assert_eq!(fake.bytes(), PIECE, "what is given out stays");
        drop(arena);
        assert_eq!(fake.bytes(), 0);
        drop(small);
    }

    #[test]
    fn what_is_large_shares_its_mapping_with_nobody() {
        let fake = Fake::default();
        let arena = Arena::new(&fake, Vec::new());
        let large = arena.allocate(PIECE + 1).unwrap();
        let small = arena.allocate(64).unwrap();
        assert_eq!(fake.bytes(), 3 * PIECE);
        arena.release(&large);
        let again = arena.allocate(2 * PIECE).unwrap();
        assert_eq!((again.iova, fake.bytes()), (large.iova, 3 * PIECE), "kept and given out again");
        arena.release(&again);
        let page = arena.allocate(PIECE - 4096).unwrap();
        assert_ne!(page.iova / PIECE as u64, again.iova / PIECE as u64, "first the piece begun");
        arena.trim();
        assert_eq!(fake.bytes(), PIECE, "gone, though small memory is in use");
        drop(small);
    }

    #[test]
    fn more_than_enough_unused_memory_is_unmapped_by_itself() {
        let fake = Fake::default();
        let arena = Arena::new(&fake, Vec::new());
        for _ in 0..2 {
            let large: Vec<_> = (0..4).map(|_| arena.allocate(20 << 20).unwrap()).collect();
            large.iter().for_each(|one| arena.release(one));
            assert!(fake.bytes() <= KEPT_BYTES_MAX, "{}", fake.bytes());
        }
    }

    #[test]
    fn a_piece_that_cannot_be_unmapped_is_never_given_out_again() {
        let fake = Fake { refuses_unmap: true, ..Fake::default() };
        let arena = Arena::new(&fake, Vec::new());
        let stuck = arena.allocate(64).unwrap();
        arena.release(&stuck);
        arena.trim();
        assert_ne!(arena.allocate(64).unwrap().iova, stuck.iova);
    }

    #[test]
    fn reserved_iovas_are_left_out() {
        let fake = Fake::default();
        let piece = PIECE as u64;
        let reserved = vec![FIRST_IOVA + 3 * piece..=FIRST_IOVA + 3 * piece, 0..=FIRST_IOVA + 5];
        let arena = Arena::new(&fake, reserved);
        let iovas: Vec<u64> = (0..3).map(|_| arena.allocate(PIECE).unwrap().iova).collect();
        let expected = [1, 4, 6].map(|pieces| FIRST_IOVA + pieces * piece);
        assert_eq!(iovas, expected, "a piece apart from each other and from what is reserved");
        let everything = Arena::new(&fake, vec![0..=u64::MAX]);
        assert!(everything.allocate(64).unwrap_err().to_string().starts_with("no gap"));
    }
}
