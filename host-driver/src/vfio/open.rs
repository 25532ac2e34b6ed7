//! Opening a device, and why it could not be.
//!
//! Between `VfioCard` and the crate `vfio-ioctls`, whose errors become [`VfioError`]s that say
//! what to do.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;

use memmap2::{MmapOptions, MmapRaw};
use rustix::io::Errno;
use vfio_bindings::bindings::vfio::{
    VFIO_PCI_BAR0_REGION_INDEX, VFIO_PCI_BAR5_REGION_INDEX, VFIO_REGION_INFO_FLAG_MMAP,
};
use vfio_ioctls::{VfioDevice, VfioError as Refusal, VfioOps};

use super::address::PciAddress;
use super::error::VfioError;

/// Where containers are made.
const CONTAINER: &str = "/dev/vfio/vfio";

/// A fresh address space for a card's DMA: an iommufd where the crate is built for it and the
/// kernel has it, else a container.
#[cfg(feature = "iommufd")]
pub(super) fn address_space(address: PciAddress) -> Result<Arc<dyn VfioOps>, VfioError> {
    if !std::path::Path::new("/dev/iommu").exists() {
        return container(address);
    }
    let system = |what| move |source| VfioError::System { address, what, source };
    let iommufd = iommufd_ioctls::IommuFd::new().map_err(io::Error::other);
    let iommufd = Arc::new(iommufd.map_err(system("open /dev/iommu"))?);
    let space = vfio_ioctls::VfioIommufd::new(iommufd, None, None).map_err(io::Error::other);
    Ok(Arc::new(space.map_err(system("make an address space for its DMA"))?))
}

/// A fresh address space for a card's DMA.
#[cfg(not(feature = "iommufd"))]
pub(super) fn address_space(address: PciAddress) -> Result<Arc<dyn VfioOps>, VfioError> {
    container(address)
}

fn container(address: PciAddress) -> Result<Arc<dyn VfioOps>, VfioError> {
    match vfio_ioctls::VfioContainer::new(None) {
        Ok(container) => Ok(Arc::new(container)),
        Err(Refusal::OpenContainer(source)) => Err(unopened(address, CONTAINER.into(), source)),
        Err(error) => {
            let source = io::Error::other(error);
            Err(VfioError::System { address, what: "make an address space for its DMA", source })
        }
    }
}

/// Opens the device in its group.
pub(super) fn device(
    address: PciAddress,
    path: &std::path::Path,
    group: u32,
    ops: &Arc<dyn VfioOps>,
) -> Result<VfioDevice, VfioError> {
    VfioDevice::new(path, Arc::clone(ops), true).map_err(|error| refused(address, group, error))
}

fn refused(address: PciAddress, group: u32, error: Refusal) -> VfioError {
    let what = "open it";
    match error {
        Refusal::OpenGroup(source, group) => {
            unopened(address, PathBuf::from("/dev/vfio").join(group), source)
        }
        // The files of the group were just looked at: somebody else was faster.
        Refusal::GroupViable => VfioError::NotViable { address, group, others: Vec::new() },
        Refusal::GroupSetContainer => VfioError::InUse { address },
        Refusal::ContainerSetIOMMU(errno) if errno.errno() == Errno::PERM.raw_os_error() => {
            VfioError::NoRemapping { address }
        }
        Refusal::GroupGetDeviceFD(errno) if errno.errno() == Errno::BUSY.raw_os_error() => {
            VfioError::InUse { address }
        }
        #[cfg(feature = "iommufd")]
        Refusal::OpenDeviceCdev(source) => unopened(address, "/dev/vfio/devices".into(), source),
        error => VfioError::System { address, what, source: io::Error::other(error) },
    }
}

/// Why a file of VFIO's could not be opened.
fn unopened(address: PciAddress, path: PathBuf, source: io::Error) -> VfioError {
    match source.kind() {
        ErrorKind::NotFound => VfioError::NoVfio { path },
        ErrorKind::PermissionDenied => VfioError::Permission { address, path },
        ErrorKind::ResourceBusy => VfioError::InUse { address },
        _ => VfioError::System { address, what: "open its file in /dev/vfio", source },
    }
}

/// Bytes of a BAR; 0 when there is none.
pub(super) fn bar_bytes(device: &VfioDevice, bar: u32) -> u64 {
    let index = VFIO_PCI_BAR0_REGION_INDEX.saturating_add(bar);
    if index > VFIO_PCI_BAR5_REGION_INDEX { 0 } else { device.get_region_size(index) }
}

/// Maps `bytes` bytes of a BAR, from `offset` on.
pub(super) fn map_bar(
    address: PciAddress,
    device: &VfioDevice,
    bar: u32,
    offset: usize,
    bytes: usize,
) -> Result<MmapRaw, VfioError> {
    check_size(address, bar, bar_bytes(device, bar), offset as u64 + bytes as u64)?;
    let index = VFIO_PCI_BAR0_REGION_INDEX + bar;
    let mapped = if device.get_region_flags(index) & VFIO_REGION_INFO_FLAG_MMAP == 0 {
        Err(io::Error::other(
            "the kernel does not let it be mapped: it is smaller than a page, or shares one",
        ))
    } else {
        let start = device.get_region_offset(index) + offset as u64;
        MmapOptions::new().offset(start).len(bytes).map_raw(device)
    };
    mapped.map_err(|source| VfioError::System { address, what: "map a BAR", source })
}

fn check_size(address: PciAddress, bar: u32, found: u64, expected: u64) -> Result<(), VfioError> {
    if found >= expected {
        return Ok(());
    }
    Err(VfioError::BarSize { address, bar, found, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_that_is_too_small_is_told_with_both_sizes() {
        let address: PciAddress = "00:05.0".parse().unwrap();
        assert!(check_size(address, 0, 0x1_0000, 0x1_0000).is_ok());
        let error = check_size(address, 2, 0x1000, 0x1_0000).unwrap_err().to_string();
        let expected = "vfio:0000:00:05.0: BAR 2 has 0x1000 bytes, expected at least 0x10000";
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        let address: PciAddress = "00:05.0".parse().unwrap();
        let errno = |errno: Errno| vmm_sys_util::errno::Error::new(errno.raw_os_error());
        let group = |kind: ErrorKind| Refusal::OpenGroup(kind.into(), "7".into());
        for (refusal, expected) in [
            (group(ErrorKind::NotFound), "/dev/vfio/7: not there; load the modules"),
            (
                group(ErrorKind::PermissionDenied),
                "/dev/vfio/7: permission denied; as root: chown USER",
            ),
            (group(ErrorKind::ResourceBusy), "vfio:0000:00:05.0: is in use by another process"),
            (Refusal::GroupGetDeviceFD(errno(Errno::BUSY)), "vfio:0000:00:05.0: is in use"),
            (Refusal::ContainerSetIOMMU(errno(Errno::PERM)), "does not remap interrupts"),
            (Refusal::GroupViable, "IOMMU group 7 is not viable"),
            (Refusal::VfioApiVersion, "vfio:0000:00:05.0: cannot open it: vfio API version"),
        ] {
            let error = refused(address, 7, refusal).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
