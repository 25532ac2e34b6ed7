//! What the system says about a PCI function before anything is opened.
//!
//! From an address to the IOMMU group that VFIO opens, or to the first reason why not. Reads
//! sysfs only and changes nothing: binding a device is an administrator's decision.

use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::address::{PciAddress, PciId};
use super::error::VfioError;

/// The driver that gives a device to VFIO.
const VFIO_PCI: &str = "vfio-pci";

/// A sysfs tree.
#[derive(Debug)]
pub(super) struct Sysfs {
    root: PathBuf,
}

/// A function that is ready to be opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Its folder.
    pub(super) path: PathBuf,
    /// Number of its IOMMU group.
    pub(super) group: u32,
    /// IOVAs that the IOMMU does not translate: its interrupts, memory that firmware reserved.
    pub(super) reserved: Vec<RangeInclusive<u64>>,
}

impl Sysfs {
    /// The system's.
    pub(super) fn system() -> Self {
        Self::at("/sys")
    }

    pub(super) fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where a function is described.
    pub(super) fn path(&self, address: PciAddress) -> PathBuf {
        self.root.join("bus/pci/devices").join(address.to_string())
    }

    /// Checks everything that can be known without opening the device.
    ///
    /// # Errors
    /// The first of [`VfioError`]'s reasons that applies, in the order in which a person would
    /// solve them.
    pub(super) fn find(&self, address: PciAddress, expected: PciId) -> Result<Found, VfioError> {
        let path = self.path(address);
        if !path.exists() {
            return Err(VfioError::NoDevice { address });
        }
        let system = |what| move |source| VfioError::System { address, what, source };
        let found = id(&path).map_err(system("read its ID"))?;
        if found != expected {
            return Err(VfioError::WrongDevice { address, found, expected });
        }
        let group = link_name(&path.join("iommu_group")).and_then(|name| name.parse::<u32>().ok());
        let Some(group) = group else { return Err(VfioError::NoIommu { address }) };
        let driver = link_name(&path.join("driver"));
        if driver.as_deref() != Some(VFIO_PCI) {
            return Err(VfioError::NotBound { address, driver });
        }
        let folder = self.root.join("kernel/iommu_groups").join(group.to_string());
        let others = strangers(&folder.join("devices")).map_err(system("read its IOMMU group"))?;
        if !others.is_empty() {
            return Err(VfioError::NotViable { address, group, others });
        }
        let reserved = fs::read_to_string(folder.join("reserved_regions"));
        let reserved = reserved.map_err(system("read its reserved IOVAs"))?;
        Ok(Found { path, group, reserved: regions(&reserved) })
    }
}

fn id(path: &Path) -> io::Result<PciId> {
    let number = |file: &str| {
        let text = fs::read_to_string(path.join(file))?;
        let digits = text.trim().trim_start_matches("0x");
        u16::from_str_radix(digits, 16).map_err(|_| io::Error::other(format!("{file}: {text}")))
    };
    Ok(PciId { vendor: number("vendor")?, device: number("device")? })
}

/// Last part of what a symbolic link points to.
fn link_name(path: &Path) -> Option<String> {
    let target = fs::read_link(path).ok()?;
    Some(target.file_name()?.to_string_lossy().into_owned())
}

/// Functions of a group that keep it from being viable: bound to a driver that is not VFIO's.
/// Ports and bridges (`pcieport`) do no DMA of their own and are let through, as VFIO does.
fn strangers(folder: &Path) -> io::Result<Vec<String>> {
    let mut strangers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let driver = link_name(&entry.path().join("driver"));
        if let Some(driver) =
            driver.filter(|name| !matches!(name.as_str(), VFIO_PCI | "pcieport" | "pci-stub"))
        {
            strangers.push(format!("{} ({driver})", entry.file_name().to_string_lossy()));
        }
    }
    strangers.sort();
    Ok(strangers)
}

/// Lines of `0xFIRST 0xLAST KIND`; `direct-relaxable` ones may be used.
fn regions(text: &str) -> Vec<RangeInclusive<u64>> {
    let region = |line: &str| {
        let mut words = line.split_whitespace();
        let mut number = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
        let range = number()?..=number()?;
        (words.next() != Some("direct-relaxable")).then_some(range)
    };
    text.lines().filter_map(region).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A sysfs tree with one card, and what is to be different about it.
    fn tree(name: &str) -> PathBuf {
        let root = std::env::temp_dir().join(format!("flue-sysfs-{}-{name}", std::process::id()));
        fs::remove_dir_all(&root).ok();
        let device = root.join("bus/pci/devices/0000:00:05.0");
        let group = root.join("kernel/iommu_groups/7");
        for folder in [&device, &group.join("devices"), &root.join("bus/pci/drivers/vfio-pci")] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(device.join("vendor"), "0x1af4\n").unwrap();
        fs::write(device.join("device"), "0x10f0\n").unwrap();
        symlink(&group, device.join("iommu_group")).unwrap();
        symlink(root.join("bus/pci/drivers/vfio-pci"), device.join("driver")).unwrap();
        symlink(&device, group.join("devices/0000:00:05.0")).unwrap();
        let reserved = "0x00000000fee00000 0x00000000feefffff msi\n0x0 0xfff direct-relaxable\n";
        fs::write(group.join("reserved_regions"), reserved).unwrap();
        root
    }

    fn find(root: &Path) -> Result<Found, VfioError> {
        Sysfs::at(root).find("00:05.0".parse().unwrap(), PciId::default())
    }

    #[test]
    fn a_card_that_is_bound_and_alone_is_found() {
        let root = tree("good");
        let found = find(&root).unwrap();
        assert_eq!((found.group, found.reserved), (7, vec![0xfee0_0000..=0xfeef_ffff]));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn each_reason_is_told_with_what_to_do() {
        type Change = fn(&Path);
        let cases: [(&str, Change, &str); 6] = [
            (
                "gone",
                |root| fs::remove_dir_all(root.join("bus/pci/devices")).unwrap(),
                "no such PCI device",
            ),
            (
                "stranger",
                |root| {
                    fs::write(root.join("bus/pci/devices/0000:00:05.0/device"), "0x1041\n").unwrap()
                },
                "is 1af4:1041, not 1af4:10f0",
            ),
            (
                "no-iommu",
                |root| {
                    fs::remove_file(root.join("bus/pci/devices/0000:00:05.0/iommu_group")).unwrap()
                },
                "no IOMMU translates for it",
            ),
            (
                "free",
                |root| fs::remove_file(root.join("bus/pci/devices/0000:00:05.0/driver")).unwrap(),
                "is bound to no driver, not to vfio-pci",
            ),
            (
                "bound",
                |root| {
                    let driver = root.join("bus/pci/devices/0000:00:05.0/driver");
                    fs::remove_file(&driver).unwrap();
                    symlink(root.join("bus/pci/drivers/e1000e"), driver).unwrap();
                },
                "is bound to e1000e, not to vfio-pci; as root: modprobe vfio-pci",
            ),
            (
                "not-viable",
                |root| {
                    let other = root.join("kernel/iommu_groups/7/devices/0000:00:05.1");
                    fs::create_dir_all(&other).unwrap();
                    symlink(root.join("bus/pci/drivers/ahci"), other.join("driver")).unwrap();
                },
                "IOMMU group 7 is not viable: 0000:00:05.1 (ahci) is in it",
            ),
        ];
        for (name, change, expected) in cases {
            let root = tree(name);
            change(&root);
            let error = find(&root).unwrap_err().to_string();
            assert!(
                error.starts_with("vfio:0000:00:05.0: ") && error.contains(expected),
                "{error}"
            );
            fs::remove_dir_all(root).unwrap();
        }
    }

    #[test]
    fn unbound_functions_and_ports_do_not_keep_a_group_from_being_viable() {
        let root = tree("viable");
        let devices = root.join("kernel/iommu_groups/7/devices");
        fs::create_dir_all(devices.join("0000:00:05.1")).unwrap();
        fs::create_dir_all(devices.join("0000:00:04.0")).unwrap();
        symlink(root.join("bus/pci/drivers/pcieport"), devices.join("0000:00:04.0/driver"))
            .unwrap();
        assert!(find(&root).is_ok());
        fs::remove_dir_all(root).unwrap();
    }
}
