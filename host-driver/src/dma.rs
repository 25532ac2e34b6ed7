//! DMA memory that one owner can name, and what is made of it: lists, result buffers.
//!
//! Between `memory` and whoever fills or reads it. A region is its owner's while the owner lives,
//! and given back when it goes; nobody else has its IOVA or its words.

use std::fmt;
use std::io;
use std::sync::Arc;

use abi::host::handle::Handle;
use abi::host::limit;

use crate::backing::{Backing, Reachable};
use crate::memory::Memory;
use crate::run::Run;

/// Result buffers are kept for reuse up to this many bytes each; larger ones are given back.
const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Result buffers kept for reuse.
const KEPT_MAX: usize = 64;
/// Smallest result buffer: a page.
const RESULT_BYTES_MIN: usize = 4096;

/// A piece of memory that the card can reach, given back when it goes.
pub struct DmaRegion {
    memory: Memory,
    iova: u64,
    backing: Arc<dyn Backing>,
}

impl DmaRegion {
    /// Takes `bytes` bytes; what is in them is anything.
    ///
    /// # Errors
    /// When the system has no memory, or the backing no room to map it.
    pub fn new(backing: &Arc<dyn Backing>, bytes: usize) -> io::Result<Self> {
        let Reachable { memory, iova } = backing.allocate(bytes)?;
        Ok(Self { memory, iova, backing: Arc::clone(backing) })
    }

    /// Where the card finds it.
    #[must_use]
    pub const fn iova(&self) -> u64 {
        self.iova
    }

    /// Its words.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }
}

impl Drop for DmaRegion {
    fn drop(&mut self) {
        let memory = self.memory.clone();
        self.backing.release(Reachable { memory, iova: self.iova });
    }
}

impl fmt::Debug for DmaRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { memory, iova, .. } = self;
        write!(f, "DmaRegion {{ iova: {iova:#x}, bytes: {} }}", memory.bytes())
    }
}

/// Handles of paths to relink, in memory that the card reads.
#[derive(Debug)]
pub struct HandleList {
    region: DmaRegion,
    len: usize,
    capacity: usize,
}

/// The list is as long as it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list is full: it was made for {capacity} handles")]
pub struct ListFull {
    /// Handles it was made for.
    pub capacity: usize,
}

impl HandleList {
    pub(crate) fn new(backing: &Arc<dyn Backing>, capacity: usize) -> io::Result<Self> {
        let capacity = capacity.min(limit::LIST_ENTRIES_MAX as usize);
        let region = DmaRegion::new(backing, (capacity * 8).max(8))?;
        Ok(Self { region, len: 0, capacity })
    }

    /// Appends a handle.
    ///
    /// # Errors
    /// When the list is full.
    pub fn push(&mut self, handle: Handle) -> Result<(), ListFull> {
        self.extend([handle])
    }

    /// Appends handles.
    ///
    /// # Errors
    /// When the list is full; what fitted is in it.
    pub fn extend(&mut self, handles: impl IntoIterator<Item = Handle>) -> Result<(), ListFull> {
        let room = self.entries(self.len, self.capacity - self.len);
        let mut handles = handles.into_iter();
        self.len += room.store_pairs(handles.by_ref().map(|handle| handle.0));
        match handles.next() {
            Some(_) => Err(ListFull { capacity: self.capacity }),
            None => Ok(()),
        }
    }

    /// Empties the list.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// Handles in it.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Handles it was made for.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Handle `entry`.
    #[must_use]
    pub fn get(&self, entry: usize) -> Option<Handle> {
        let entry = (entry < self.len).then(|| self.entries(entry, 1))?;
        entry.load_pairs().next().map(Handle)
    }

    /// The handles in it, in order: a pair of words each.
    pub(crate) fn handles(&self) -> Run<'_> {
        self.entries(0, self.len)
    }

    pub(crate) const fn iova(&self) -> u64 {
        self.region.iova()
    }

    /// Entries `first` and on, `count` of them: a pair of words each.
    fn entries(&self, first: usize, count: usize) -> Run<'_> {
        self.region.memory().run(first * 2, count * 2)
    }
}

/// Result buffers, taken for a tree and given back with its completion.
#[derive(Debug)]
pub(crate) struct ResultBuffers {
    backing: Arc<dyn Backing>,
    #[expect(clippy::vec_box, reason = "they go from hand to hand with every tree")]
    kept: Vec<Box<DmaRegion>>,
}

impl ResultBuffers {
    pub(crate) const fn new(backing: Arc<dyn Backing>) -> Self {
        Self { backing, kept: Vec::new() }
    }

    /// A buffer of at least `bytes` bytes.
    pub(crate) fn take(&mut self, bytes: usize) -> io::Result<Box<DmaRegion>> {
        if let Some(at) = self.kept.iter().rposition(|kept| kept.memory().bytes() >= bytes) {
            return Ok(self.kept.swap_remove(at));
        }
        let bytes = bytes.max(RESULT_BYTES_MIN);
        let bytes = bytes.next_multiple_of(limit::RESULT_UNIT as usize);
        Ok(Box::new(DmaRegion::new(&self.backing, bytes)?))
    }

    pub(crate) fn give_back(&mut self, buffer: Box<DmaRegion>) {
        if self.kept.len() < KEPT_MAX && buffer.memory().bytes() <= KEPT_BYTES_MAX {
            self.kept.push(buffer);
        }
    }
}

impl fmt::Debug for dyn Backing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}
