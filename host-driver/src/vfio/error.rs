//! Why a PCI function could not be taken into use, each with what to do about it.

use std::io;
use std::path::PathBuf;

use super::address::{PciAddress, PciId};

/// A PCI function could not be taken into use through VFIO.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VfioError {
    /// There is no such function.
    #[error("vfio:{address}: no such PCI device; `lspci -D` lists what is there")]
    NoDevice {
        /// Which.
        address: PciAddress,
    },
    /// It is something else.
    #[error(
        "vfio:{address}: is {found}, not {expected}; name another device, or say its ID if it is a card with an ID of its own"
    )]
    WrongDevice {
        /// Which.
        address: PciAddress,
        /// Its ID.
        found: PciId,
        /// The ID of a card.
        expected: PciId,
    },
    /// No IOMMU guards its DMA.
    #[error(
        "vfio:{address}: no IOMMU translates for it; turn VT-d or AMD-Vi on in the firmware's setup and boot with intel_iommu=on or amd_iommu=on"
    )]
    NoIommu {
        /// Which.
        address: PciAddress,
    },
    /// VFIO does not have it.
    #[error(
        "vfio:{address}: is bound to {}, not to vfio-pci; as root: {}",
        driver.as_deref().unwrap_or("no driver"), bind_command(address, driver.is_some())
    )]
    NotBound {
        /// Which.
        address: PciAddress,
        /// The driver that has it.
        driver: Option<String>,
    },
    /// Other functions of its IOMMU group belong to other drivers.
    #[error(
        "vfio:{address}: IOMMU group {group} is not viable: {} in it, which must be unbound or bound to vfio-pci too: all of a group can reach each other's memory",
        are(others)
    )]
    NotViable {
        /// Which.
        address: PciAddress,
        /// Its group.
        group: u32,
        /// The others, each with its driver.
        others: Vec<String>,
    },
    /// The IOMMU does not keep interrupts apart.
    #[error(
        "vfio:{address}: its IOMMU does not remap interrupts, so VFIO keeps it from users: a device could raise any interrupt; turn interrupt remapping on in the firmware's setup"
    )]
    NoRemapping {
        /// Which.
        address: PciAddress,
    },
    /// The VFIO modules are not loaded.
    #[error("{}: not there; load the modules: modprobe vfio-pci", path.display())]
    NoVfio {
        /// The missing file.
        path: PathBuf,
    },
    /// The user may not open the group.
    #[error(
        "vfio:{address}: {}: permission denied; as root: chown USER {}",
        path.display(), path.display()
    )]
    Permission {
        /// Which.
        address: PciAddress,
        /// The file.
        path: PathBuf,
    },
    /// Somebody else has it.
    #[error("vfio:{address}: is in use by another process; `fuser -v /dev/vfio/*` names it")]
    InUse {
        /// Which.
        address: PciAddress,
    },
    /// It has no such BAR, or a smaller one.
    #[error(
        "vfio:{address}: BAR {bar} has {found:#x} bytes, expected at least {expected:#x}; is it a card of this contract?"
    )]
    BarSize {
        /// Which.
        address: PciAddress,
        /// Which BAR.
        bar: u32,
        /// Its size.
        found: u64,
        /// The size that is needed.
        expected: u64,
    },
    /// The system refused something else.
    #[error("vfio:{address}: cannot {what}: {source}")]
    System {
        /// Which.
        address: PciAddress,
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

fn bind_command(address: &PciAddress, has_driver: bool) -> String {
    let device = format!("/sys/bus/pci/devices/{address}");
    let unbind = if has_driver {
        format!("; echo {address} > {device}/driver/unbind")
    } else {
        String::new()
    };
    format!(
        "modprobe vfio-pci; echo vfio-pci > {device}/driver_override{unbind}; echo {address} > /sys/bus/pci/drivers_probe"
    )
}

fn are(others: &[String]) -> String {
    if others.is_empty() {
        return "another driver's device is".to_owned();
    }
    let verb = if others.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unbound_device_comes_with_the_commands_that_bind_it() {
        let address: PciAddress = "0000:00:05.0".parse().unwrap();
        let bound = VfioError::NotBound { address, driver: Some("e1000e".into()) }.to_string();
        assert!(bound.contains("is bound to e1000e, not to vfio-pci"), "{bound}");
        assert!(
            bound.contains("echo 0000:00:05.0 > /sys/bus/pci/devices/0000:00:05.0/driver/unbind")
        );
        let free = VfioError::NotBound { address, driver: None }.to_string();
        assert!(free.contains("is bound to no driver") && !free.contains("unbind"), "{free}");
        assert!(free.ends_with("echo 0000:00:05.0 > /sys/bus/pci/drivers_probe"), "{free}");
    }
}
