//! PCI devices in sysfs, as an administrator deals with them: bound, unbound, given away.

use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;

const PROBE: &str = "/sys/bus/pci/drivers_probe";
/// The driver that gives a device to VFIO.
pub(crate) const VFIO: &str = "vfio-pci";

/// A device by its address, `0000:00:05.0`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Device(pub(crate) &'static str);

impl Device {
    /// How `flue` is told to use it.
    pub(crate) fn as_card(self) -> String {
        format!("vfio:{}", self.0)
    }

    /// The driver that has it, if any has.
    pub(crate) fn driver(self) -> Option<String> {
        let link = fs::read_link(self.at("driver")).ok()?;
        Some(link.file_name()?.to_string_lossy().into_owned())
    }

    /// Takes it from its driver, if it has one, and wishes none.
    pub(crate) fn unbind(self) -> Result<(), Failure> {
        write(&self.at("driver_override"), "\n")?;
        match self.driver() {
            None => Ok(()),
            Some(_) => write(&self.at("driver/unbind"), self.0),
        }
    }

    /// Gives it to VFIO.
    pub(crate) fn bind(self) -> Result<(), Failure> {
        if self.driver().as_deref() == Some(VFIO) {
            return Ok(());
        }
        self.unbind()?;
        write(&self.at("driver_override"), VFIO)?;
        // The kernel refuses where there is no IOMMU; what is there afterwards decides.
        let probed = write(Path::new(PROBE), self.0);
        Failure::unless(self.driver().as_deref() == Some(VFIO), || {
            format!("{} cannot be bound to {VFIO} ({probed:?})", self.0)
        })
    }

    /// The file of its IOMMU group in `/dev/vfio`.
    pub(crate) fn group_file(self) -> Result<PathBuf, Failure> {
        let path = self.at("iommu_group");
        let link = fs::read_link(&path).map_err(Failure::file("read", &path))?;
        let group = link.file_name().unwrap_or_default();
        Ok(Path::new("/dev/vfio").join(group))
    }

    fn at(self, file: &str) -> PathBuf {
        Path::new("/sys/bus/pci/devices").join(self.0).join(file)
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(Failure::file("write", path))
}
