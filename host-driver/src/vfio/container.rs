//! The IOMMU behind a VFIO container (or an iommufd): which memory the card may reach.
//!
//! Below `arena`. The only file that hands memory to a device.

#![expect(unsafe_code, reason = "mapping memory for a device is for the caller to answer for")]

use std::io;
use std::ptr;
use std::sync::Arc;

use rustix::process::{Resource, getrlimit};
use vfio_ioctls::VfioOps;

use super::arena::Translation;
use crate::memory::Memory;

/// Mappings of one card's address space.
pub(super) struct Container(pub(super) Arc<dyn VfioOps>);

impl Translation for Container {
    fn map(&self, iova: u64, memory: &Memory) -> io::Result<()> {
        let (bytes, address) = (memory.bytes(), ptr::with_exposed_provenance_mut(memory.address()));
        // SAFETY: `Memory` is accessed as atomic words only and no reference to plain data is ever
        // formed from it; the arena keeps it, and its pages with it, until `unmap` has succeeded.
        let mapped = unsafe { self.0.vfio_dma_map(iova, bytes, address) };
        mapped.map_err(|error| refused(bytes, &error))
    }

    fn unmap(&self, iova: u64, bytes: usize) -> io::Result<()> {
        self.0.vfio_dma_unmap(iova, bytes).map_err(io::Error::other)
    }
}

/// Why a mapping was refused, with what a person can do about it.
fn refused(bytes: usize, error: &vfio_ioctls::VfioError) -> io::Error {
    let kib = bytes / 1024;
    let limit = match getrlimit(Resource::Memlock).current {
        Some(limit) => format!(
            "this process may lock {} KiB of memory in all (ulimit -l; LimitMEMLOCK of a service): raise that, or run it with CAP_IPC_LOCK",
            limit / 1024
        ),
        None => "locked memory is not limited, so the system is out of it, or has too many mappings (dma_entry_limit of vfio_iommu_type1)".to_owned(),
    };
    io::Error::new(
        io::ErrorKind::OutOfMemory,
        format!("cannot pin {kib} KiB for DMA: {error}; {limit}"),
    )
}

impl std::fmt::Debug for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Container")
    }
}
