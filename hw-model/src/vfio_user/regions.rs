//! The BARs of the served card as files that a client may map, and accesses to them.
//!
//! Beside `function`. A client gets the pages that are plain memory: doorbells in BAR0, the mirror
//! in BAR2; an access to anything else comes as a message. Files are sealed: nobody who gets one
//! can make it shorter under those who have it mapped.

use std::fs::File;
use std::io;
use std::sync::Arc;

use host_driver::memory::Memory;
use memmap2::MmapOptions;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

use super::protocol::{REGION_INFO_BYTES, Reply};

/// Regions of a PCI function (`VFIO_PCI_NUM_REGIONS`): six BARs, ROM, configuration space, VGA.
pub(crate) const REGIONS: u32 = 9;
/// `VFIO_PCI_BAR0_REGION_INDEX`.
pub(crate) const BAR0: u32 = 0;
/// `VFIO_PCI_BAR2_REGION_INDEX`.
pub(crate) const BAR2: u32 = 2;
/// `VFIO_PCI_CONFIG_REGION_INDEX`.
pub(crate) const CONFIG: u32 = 7;

/// `VFIO_REGION_INFO_FLAG_…`.
const FLAG_READ: u32 = 1 << 0;
const FLAG_WRITE: u32 = 1 << 1;
const FLAG_MMAP: u32 = 1 << 2;
const FLAG_CAPABILITIES: u32 = 1 << 3;
/// `VFIO_REGION_INFO_CAP_SPARSE_MMAP`, version 1, the last of the list.
const SPARSE_MMAP: [u32; 2] = [1 | 1 << 16, 0];
/// Bytes of that capability with one area.
const SPARSE_MMAP_BYTES: u32 = 32;

/// A BAR of which a part is plain memory in a file.
#[derive(Debug)]
pub(crate) struct Bar {
    file: Arc<File>,
    /// All of it, whether it is plain memory or not.
    pub(crate) memory: Memory,
    /// First byte and size of what may be mapped.
    area: (u32, u32),
}

impl Bar {
    /// A BAR of `bytes` bytes of which `area` (first byte and size) may be mapped, zeroed.
    pub(crate) fn new(name: &str, bytes: u32, area: (u32, u32)) -> io::Result<Self> {
        let file = memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let file = File::from(file);
        file.set_len(u64::from(bytes))?;
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let memory = Memory::of(MmapOptions::new().len(bytes as usize).map_raw(&file)?);
        Ok(Self { file: Arc::new(file), memory, area })
    }

    /// An access to plain memory: aligned words. Another one reads as zero or is ignored. It lies
    /// inside.
    pub(crate) fn access(&self, offset: u64, bytes: &mut [u8], write: bool) {
        match (offset.is_multiple_of(4), write) {
            (true, true) => self.memory.copy_in(offset as usize, bytes),
            (true, false) => self.memory.copy_out(offset as usize, bytes),
            (false, true) => {}
            (false, false) => bytes.fill(0),
        }
    }
}

/// Answers GET_REGION_INFO for region `index` of `bytes` bytes, in a client's room of `room`
/// bytes.
pub(crate) fn describe(index: u32, bytes: u64, bar: Option<&Bar>, room: u32, reply: &mut Reply) {
    let access = if bytes > 0 { FLAG_READ | FLAG_WRITE } else { 0 };
    let (needed, flags) = match bar {
        Some(_) => (REGION_INFO_BYTES + SPARSE_MMAP_BYTES, access | FLAG_MMAP),
        None => (REGION_INFO_BYTES, access),
    };
    // A client with less room learns how much it takes, and asks again. Until then there is no
    // capability, and no flag that tells of one, or QEMU refuses the region.
    let sparse = bar.filter(|_| room >= needed);
    let (flags, capability) = match sparse {
        Some(_) => (flags | FLAG_CAPABILITIES, REGION_INFO_BYTES),
        None => (flags, 0),
    };
    // The offset is where the region begins in its file.
    reply.u32(needed).u32(flags).u32(index).u32(capability).u64(bytes).u64(0);
    if let Some(bar) = sparse {
        let (start, size) = bar.area;
        SPARSE_MMAP.into_iter().chain([1, 0]).for_each(|word| {
            reply.u32(word);
        });
        reply.u64(u64::from(start)).u64(u64::from(size));
        reply.attach(&bar.file);
    }
}

/// Splits an access as a bus does when it is wider than a register: into words.
pub(crate) fn split(offset: u64, bytes: &mut [u8], mut access: impl FnMut(u64, &mut [u8])) {
    /// Widest access that is one.
    const WHOLE: usize = 8;
    const WORD: usize = 4;
    if bytes.len() <= WHOLE {
        access(offset, bytes);
        return;
    }
    for (word, bytes) in bytes.chunks_mut(WORD).enumerate() {
        access(offset + (word * WORD) as u64, bytes);
    }
}
