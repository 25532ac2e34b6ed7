//! DMA windows: which part of the client's memory files the card may reach, and where.
//!
//! Between DMA_MAP and DMA_UNMAP and the [`Slot`], whose table is what every DMA access of the
//! card goes through. A file is mapped once, whole, for all windows into it: a virtual machine
//! behind an IOMMU opens one for every page. A window without a file (a ROM, another card's BAR)
//! is remembered and never reachable.
//! Invariant: memory that is reachable stays there as long as it is mapped: only files that
//! cannot shrink are taken, and a window is gone from the slot before it is gone from here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use host_driver::memory::Memory;
use memmap2::MmapOptions;
use rustix::fs::{SealFlags, fcntl_get_seals, fstat, fstatfs};
use rustix::io::Errno;

use super::protocol::{MapRequest, UnmapRequest};
use crate::iommu::{MAPPINGS_MAX, Permission};
use crate::slot::Slot;

/// Files of one client that are mapped at a time.
pub const FILES_MAX: usize = 16;
/// Windows begin and end on pages.
const PAGE: u64 = 4096;
/// What `statfs` calls the file system of a memfd of ordinary pages (`TMPFS_MAGIC` of Linux's
/// `include/uapi/linux/magic.h`).
const TMPFS: i64 = 0x0102_1994;

/// Why a window could not be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("a window begins and ends on a page of {PAGE} bytes and is not empty")]
    Shape,
    #[error("another window is there already")]
    Overlap,
    #[error(
        "the card has {MAPPINGS_MAX} windows, its limit: give the machine's driver larger pages"
    )]
    Windows,
    #[error(
        "{FILES_MAX} files are mapped already, the limit: give the machine fewer memory objects"
    )]
    Files,
    #[error("more than one file came with the message")]
    Descriptors,
    #[error(
        "its file can shrink: give the machine memory of sealed memfds (QEMU: memory-backend-memfd)"
    )]
    Unsealed,
    #[error(
        "its file is not of ordinary pages, which the machine could take away: no huge pages here"
    )]
    FileSystem,
    #[error("it reaches past the end of its file")]
    PastEnd,
    #[error("its file has grown since windows were opened to it: close them first")]
    Grown,
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
}

impl Refused {
    /// What the client is told.
    pub(crate) fn errno(&self) -> Errno {
        match self {
            Self::Shape | Self::Descriptors | Self::PastEnd => Errno::INVAL,
            Self::Overlap => Errno::EXIST,
            Self::Windows => Errno::NOSPC,
            Self::Files => Errno::MFILE,
            Self::Grown => Errno::BUSY,
            Self::Unsealed => Errno::PERM,
            Self::FileSystem => Errno::NOTSUP,
            Self::System(error) => Errno::from_io_error(error).unwrap_or(Errno::IO),
        }
    }
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Self {
        Self::System(errno.into())
    }
}

/// A file, wherever it was opened: device and inode.
type FileId = (u64, u64);

/// A file that windows are open to.
#[derive(Debug)]
struct MappedFile {
    id: FileId,
    memory: Memory,
    /// Windows that hold it; it goes with the last one.
    windows: usize,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    /// Inclusive.
    last: u64,
    file: Option<FileId>,
}

/// The windows of one client.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    /// By first address, without overlap.
    by_start: BTreeMap<u64, Window>,
    files: Vec<MappedFile>,
}

impl Windows {
    /// Opens a window to the file that came with the message, if one did.
    pub(crate) fn map(
        &mut self,
        slot: &Slot,
        request: &MapRequest,
        files: Vec<OwnedFd>,
    ) -> Result<(), Refused> {
        let &MapRequest { iova, bytes, offset, read, write } = request;
        let last = bytes.checked_sub(1).and_then(|bytes| iova.checked_add(bytes));
        let last = last.ok_or(Refused::Shape)?;
        if [iova, bytes, offset].iter().any(|edge| !edge.is_multiple_of(PAGE)) {
            return Err(Refused::Shape);
        }
        if self.by_start.range(..=last).next_back().is_some_and(|(_, window)| window.last >= iova) {
            return Err(Refused::Overlap);
        }
        if self.by_start.len() >= MAPPINGS_MAX {
            return Err(Refused::Windows);
        }
        let mut files = files.into_iter();
        let file = match (files.next(), files.next()) {
            (None, _) => None,
            (Some(file), None) => {
                let end = offset.checked_add(bytes).ok_or(Refused::PastEnd)?;
                let (id, memory) = self.file(file, end)?;
                let part = memory.part(offset as usize, bytes as usize);
                slot.map_at(iova, &part, Permission { read, write })?;
                Some(id)
            }
            _ => return Err(Refused::Descriptors),
        };
        self.insert(iova, Window { last, file });
        Ok(())
    }

    /// Closes every window in the range and what part of others lies in it. When it returns, no
    /// DMA to it is under way.
    ///
    /// # Errors
    /// `ENOSPC` when a hole would leave one window too many; more than was asked for is closed
    /// then.
    pub(crate) fn unmap(&mut self, slot: &Slot, request: UnmapRequest) -> Result<(), Errno> {
        let UnmapRequest::Range { first, last: asked } = request else {
            self.clear(slot);
            return Ok(());
        };
        // A window around the range becomes two.
        let around = self.by_start.range(..first).next_back().map(|(_, window)| window.last);
        let rest = around.filter(|end| *end > asked && self.by_start.len() >= MAPPINGS_MAX);
        let last = rest.unwrap_or(asked);
        slot.unmap(first, last);
        if let Some((start, window)) = self.before(first).filter(|(_, window)| window.last >= first)
        {
            self.remove(start);
            self.insert(start, Window { last: first - 1, ..window });
            self.insert_after(last, window);
        }
        while let Some((&start, &window)) = self.by_start.range(first..=last).next() {
            self.remove(start);
            self.insert_after(last, window);
        }
        self.files.retain(|file| file.windows > 0);
        if rest.is_some() { Err(Errno::NOSPC) } else { Ok(()) }
    }

    /// Closes all windows.
    pub(crate) fn clear(&mut self, slot: &Slot) {
        slot.unmap(0, u64::MAX);
        self.by_start.clear();
        self.files.clear();
    }

    /// The memory of a file, mapped up to `end` at least.
    fn file(&mut self, file: OwnedFd, end: u64) -> Result<(FileId, Memory), Refused> {
        // Seals first: only memory files have any, and asking another one might take long.
        match fcntl_get_seals(&file) {
            Ok(seals) if seals.contains(SealFlags::SHRINK) => {}
            _ => return Err(Refused::Unsealed),
        }
        // One that no window came to hold.
        self.files.retain(|file| file.windows > 0);
        let status = fstat(&file)?;
        let id = (status.st_dev, status.st_ino);
        let bytes = u64::try_from(status.st_size).unwrap_or(0);
        if end > bytes {
            return Err(Refused::PastEnd);
        }
        let known = self.files.iter().position(|file| file.id == id);
        if let Some(file) = known.and_then(|at| self.files.get(at))
            && file.memory.bytes() as u64 >= end
        {
            return Ok((id, file.memory.clone()));
        }
        if known.is_some() {
            // Its windows would hold two mappings, and soon any number.
            return Err(Refused::Grown);
        }
        if self.files.len() >= FILES_MAX {
            return Err(Refused::Files);
        }
        let memory = map_whole(file.into(), bytes)?;
        self.files.push(MappedFile { id, memory: memory.clone(), windows: 0 });
        Ok((id, memory))
    }

    fn before(&self, first: u64) -> Option<(u64, Window)> {
        self.by_start.range(..first).next_back().map(|(start, window)| (*start, *window))
    }

    fn insert(&mut self, start: u64, window: Window) {
        if let Some(file) = self.held_file(window) {
            file.windows += 1;
        }
        self.by_start.insert(start, window);
    }

    /// What is left of `window` behind `last`.
    fn insert_after(&mut self, last: u64, window: Window) {
        if window.last > last {
            self.insert(last + 1, window);
        }
    }

    fn remove(&mut self, start: u64) {
        if let Some(window) = self.by_start.remove(&start)
            && let Some(file) = self.held_file(window)
        {
            file.windows -= 1;
        }
    }

    fn held_file(&mut self, window: Window) -> Option<&mut MappedFile> {
        self.files.iter_mut().find(|file| Some(file.id) == window.file)
    }
}

/// Maps a file whole, for reading and writing; the system refuses one that is not open for both.
fn map_whole(file: File, bytes: u64) -> Result<Memory, Refused> {
    // A file of huge pages can lose them to a hole that somebody punches, and the access after
    // that ends the process. Ordinary pages come back as zeros.
    if fstatfs(file.as_fd())?.f_type != TMPFS {
        return Err(Refused::FileSystem);
    }
    let bytes = usize::try_from(bytes).map_err(|_| Refused::PastEnd)?;
    Ok(Memory::of(MmapOptions::new().len(bytes).map_raw(&file)?))
}
