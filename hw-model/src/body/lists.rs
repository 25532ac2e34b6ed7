//! Chunks of lists that are due at once: what a free-running card's firmware reads from.
//!
//! Under `native`. Where time is counted, a chunk lies in the ring's own buffers (`fetch`).

use abi::core::Fetched;
use abi::core::mmio::{LIST_BUFFERS, list_place};
use abi::host::handle::Handle;
use abi::host::limit::{COMMAND_RINGS_MAX, LIST_CHUNK};

use crate::iommu::Window;

/// Words of a handle.
pub(super) const HANDLE_WORDS: usize = 2;
/// A chunk: handles, each as it stands in memory: lower word, upper word.
type Chunk = [[u32; HANDLE_WORDS]; LIST_CHUNK as usize];
/// List buffers of all rings.
const CHUNKS: usize = (COMMAND_RINGS_MAX * LIST_BUFFERS) as usize;

/// The list buffers of all rings.
pub(super) struct Lists {
    chunks: Box<[Chunk; CHUNKS]>,
    /// How the chunk stands that each ring asked for last.
    asked: [Fetched; COMMAND_RINGS_MAX as usize],
}

impl Default for Lists {
    fn default() -> Self {
        let chunks = Box::new([[[0; HANDLE_WORDS]; LIST_CHUNK as usize]; CHUNKS]);
        Self { chunks, asked: [Fetched::Pending; COMMAND_RINGS_MAX as usize] }
    }
}

impl Lists {
    /// Reads a chunk into a list buffer.
    #[inline]
    pub(super) fn fetch(
        &mut self,
        window: &Window<'_>,
        ring: u32,
        buffer: u32,
        iova: u64,
        entries: u32,
    ) {
        let chunk = &mut self.chunks[place(ring, buffer)];
        let handles = &mut chunk[..(entries as usize).min(LIST_CHUNK as usize)];
        let is_read = window.read(iova, handles.as_flattened_mut()).is_ok();
        self.asked[(ring % COMMAND_RINGS_MAX) as usize] =
            if is_read { Fetched::Ready } else { Fetched::Failed };
    }

    /// How the chunk stands that a ring asked for last.
    #[inline(always)]
    pub(super) fn state(&self, ring: u32) -> Fetched {
        self.asked[(ring % COMMAND_RINGS_MAX) as usize]
    }

    /// The first handles of a list buffer.
    #[inline(always)]
    pub(super) fn handles(&self, ring: u32, buffer: u32, entries: u32) -> &[[u32; HANDLE_WORDS]] {
        &self.chunks[place(ring, buffer)][..entries.min(LIST_CHUNK) as usize]
    }

    /// An entry of a list buffer.
    #[inline(always)]
    pub(super) fn entry(&self, ring: u32, buffer: u32, entry: u32) -> Handle {
        let [low, high] = self.chunks[place(ring, buffer)][entry as usize % LIST_CHUNK as usize];
        Handle(u64::from(high) << 32 | u64::from(low))
    }
}

/// Where the chunk of a list buffer of command ring `ring` is kept.
#[inline(always)]
const fn place(ring: u32, buffer: u32) -> usize {
    list_place(ring, buffer) as usize % CHUNKS
}
