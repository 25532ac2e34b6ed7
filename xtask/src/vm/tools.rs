//! What a virtual machine is made of: QEMU, a kernel with its modules, a static busybox.
//!
//! Brought once into `target/tools/vm`, from Debian, or taken from where environment variables
//! point. Does not know what will run inside.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::apt::Apt;
use crate::bring;
use crate::error::Error;
use crate::project::{Project, create};
use crate::report;
use crate::tool::Tool;

/// A QEMU of one's own.
pub(crate) const QEMU: &str = "FLUE_QEMU";
/// A root folder with a kernel of one's own: `boot/vmlinuz-*`, `lib/modules`.
pub(crate) const KERNEL: &str = "FLUE_KERNEL";
/// A static busybox of one's own.
pub(crate) const BUSYBOX: &str = "FLUE_BUSYBOX";

/// The first QEMU that has vfio-user-pci.
const QEMU_NEEDED: (u32, u32) = (10, 1);
/// Where QEMU comes from. The keyring of bookworm verifies trixie already.
const QEMU_SUITES: [&str; 2] = ["trixie", "trixie-backports"];
const QEMU_PINS: &str =
    "Package: *qemu* seabios*\nPin: release n=trixie-backports\nPin-Priority: 990\n";
const QEMU_PACKAGES: [&str; 1] = ["qemu-system-x86"];
const QEMU_PROGRAM: &str = "usr/bin/qemu-system-x86_64";
/// QEMU runs with the C library that it was built for, not the machine's.
pub(crate) const LOADER: &str = "lib64/ld-linux-x86-64.so.2";
pub(crate) const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";
const FIRMWARE: [&str; 2] = ["usr/share/seabios", "usr/share/qemu"];
/// Where the kernel comes from: the smallest of Debian's that has VFIO and the Intel IOMMU.
const KERNEL_SUITES: [&str; 1] = ["bookworm"];
const KERNEL_PACKAGE: &str = "linux-image-cloud-amd64";
const BUSYBOX_PACKAGE: &str = "busybox-static";
/// Changes when what is brought changes, so that older folders are brought again.
const RECIPE: &str = "recipe 1";
/// What to do where Debian's packages cannot be had.
const ELSEWHERE: &str = "set FLUE_QEMU, FLUE_KERNEL and FLUE_BUSYBOX (`cargo xtask vm --help`)";
const NOT_USABLE: &str = "point FLUE_QEMU to a QEMU of at least 10.1 for x86-64 with vfio-user-pci, \
                          or unset it, so that one is brought";

/// All that is needed to boot.
#[derive(Debug)]
pub(crate) struct Tools {
    /// Program and first arguments.
    pub(crate) qemu: Vec<OsString>,
    /// The kernel's image.
    pub(crate) kernel: PathBuf,
    /// Its modules' folder.
    pub(crate) modules: PathBuf,
    /// A shell and more, without libraries.
    pub(crate) busybox: PathBuf,
}

impl Tools {
    /// Finds them, brings what is missing, and says what that is.
    ///
    /// # Errors
    /// When something cannot be brought, or what was pointed to is not usable.
    pub(crate) fn bring(project: &Project) -> Result<Self, Error> {
        let folder = project.target.join("tools/vm");
        create(&folder)?;
        let qemu = match std::env::var_os(QEMU) {
            Some(own) => vec![own],
            None => {
                let root = folder.join("qemu");
                bring::once(&root, RECIPE, |lists, new| bring_qemu(project, lists, new))?;
                unpacked_qemu(&root)
            }
        };
        check_qemu(project, &qemu)?;
        let (own, own_busybox) = (std::env::var_os(KERNEL), std::env::var_os(BUSYBOX));
        let brought = folder.join("kernel");
        if own.is_none() || own_busybox.is_none() {
            bring::once(&brought, RECIPE, |lists, new| bring_kernel(project, lists, new))?;
        }
        let busybox = own_busybox.map_or_else(|| brought.join("bin/busybox"), PathBuf::from);
        let (kernel, modules) = kernel_in(&own.map_or(brought, PathBuf::from))?;
        Ok(Self { qemu, kernel, modules, busybox })
    }

    /// A QEMU command line in the making.
    pub(crate) fn qemu(&self, project: &Project) -> Tool {
        command(project, &self.qemu)
    }
}

fn bring_qemu(project: &Project, lists: &Path, root: &Path) -> Result<String, Error> {
    let apt = Apt::new(project, lists, &QEMU_SUITES, QEMU_PINS, ELSEWHERE)?;
    report::brings("package lists of Debian trixie (about 21 MB on disk, for a moment)");
    apt.update()?;
    let packages = apt.missing(&QEMU_PACKAGES)?;
    let megabytes = packages.iter().map(|package| package.bytes).sum::<u64>() as f64 / 1e6;
    report::brings(&format!(
        "QEMU with what it needs: {} packages to fetch, {megabytes:.1} MB; about 175 MB unpacked",
        packages.len()
    ));
    merge_usr(root)?;
    apt.unpack_all(&QEMU_PACKAGES, root)?;
    check_qemu(project, &unpacked_qemu(root))
}

/// Lays a root folder out as Debian does, so that packages for `/lib` and `/usr/lib` meet.
///
/// # Errors
/// When a folder or link cannot be made.
pub(crate) fn merge_usr(root: &Path) -> Result<(), Error> {
    for (name, target) in
        [("bin", "usr/bin"), ("sbin", "usr/sbin"), ("lib", "usr/lib"), ("lib64", "usr/lib64")]
    {
        create(&root.join(target))?;
        bring::link(Path::new(target), &root.join(name))?;
    }
    Ok(())
}

fn bring_kernel(project: &Project, lists: &Path, root: &Path) -> Result<String, Error> {
    let apt = Apt::new(project, lists, &KERNEL_SUITES, "", ELSEWHERE)?;
    report::brings("package lists of Debian bookworm (about 19 MB on disk, for a moment)");
    apt.update()?;
    // The name without a version is an empty package that depends on the newest one.
    let kernel = apt.dependency(KERNEL_PACKAGE)?;
    report::brings(&format!("{kernel} and {BUSYBOX_PACKAGE}: about 27 MB; 107 MB unpacked"));
    apt.unpack_only(&[&kernel, BUSYBOX_PACKAGE], root)?;
    kernel_in(root)?;
    Ok(kernel)
}

fn unpacked_qemu(root: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec![
        root.join(LOADER).into(),
        "--library-path".into(),
        root.join(LIBRARIES).into(),
        root.join(QEMU_PROGRAM).into(),
    ];
    for folder in FIRMWARE {
        words.extend(["-L".into(), root.join(folder).into()]);
    }
    words
}

/// Asks a QEMU for its version and for the device that everything depends on.
fn check_qemu(project: &Project, qemu: &[OsString]) -> Result<String, Error> {
    let output = command(project, qemu).arg("--version").capture()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let unusable = |why: String| Error::Bring { what: why, remedy: NOT_USABLE };
    let shown = qemu.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let version = version(&text).ok_or_else(|| unusable(format!("a QEMU: `{shown}` is none")))?;
    let (major, minor) = QEMU_NEEDED;
    if version < QEMU_NEEDED {
        let (had, has) = version;
        return Err(unusable(format!("`{shown}`: it is QEMU {had}.{has}, below {major}.{minor}")));
    }
    let help = command(project, qemu).args("-M none -device vfio-user-pci,help").capture()?;
    if !String::from_utf8_lossy(&help.stdout).contains("socket=") {
        return Err(unusable(format!("`{shown}`: it was built without vfio-user-pci")));
    }
    Ok(text.lines().next().unwrap_or_default().replace(" emulator version", ""))
}

/// Major and minor number from `QEMU emulator version 11.1.3 (Debian …)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_once("version ")?.1.split(['.', ' ']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.trim().parse().ok()?))
}

/// The newest kernel below a root folder, and its modules.
fn kernel_in(root: &Path) -> Result<(PathBuf, PathBuf), Error> {
    let missing = |expected| Error::Content { path: root.into(), expected };
    let images = fs::read_dir(root.join("boot")).into_iter().flatten().filter_map(|entry| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        Some(name.strip_prefix("vmlinuz-")?.to_string())
    });
    let version =
        images.max().ok_or_else(|| missing("expected a kernel, boot/vmlinuz-*, in this folder"))?;
    let (image, modules) = (
        root.join("boot").join(format!("vmlinuz-{version}")),
        root.join("lib/modules").join(version),
    );
    if !modules.is_dir() {
        return Err(missing("expected the newest kernel's modules in lib/modules of this folder"));
    }
    Ok((image, modules))
}

fn command(project: &Project, words: &[OsString]) -> Tool {
    let (program, arguments) = words.split_first().expect("a command has a program");
    let tool = Tool::new(project, program, NOT_USABLE);
    arguments.iter().fold(tool, |tool, argument| tool.arg(argument))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_qemu_says() {
        let text = "QEMU emulator version 11.1.3 (Debian 1:11.1.3+ds-1~bpo13+1)\nCopyright";
        assert_eq!(version(text), Some((11, 1)));
        assert_eq!(version("QEMU emulator version 7.2.0\n"), Some((7, 2)));
        assert!(version("QEMU emulator version 9.2.4").is_some_and(|old| old < QEMU_NEEDED));
        assert_eq!(version("no version"), None);
    }
}
