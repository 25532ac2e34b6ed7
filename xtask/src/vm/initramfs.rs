//! What the guest finds when it wakes up: busybox, modules, `flue`, this program, their libraries.
//!
//! Made anew for each run, in memory, and written as one uncompressed file: to unpack it would
//! cost the emulated processor more than to copy it. The guest has no disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::cpio::Cpio;
use super::tools::Tools;
use crate::error::Error;
use crate::project::Project;
use crate::tool::Tool;

/// What VFIO needs, in the order in which it must be loaded. A kernel may have some built in, and
/// `vfio_virqfd` is a part of the first since 6.2.
const MODULES: [&str; 6] =
    ["irqbypass", "vfio", "vfio_virqfd", "vfio_iommu_type1", "vfio-pci-core", "vfio-pci"];
/// Folders that are there from the start.
const FOLDERS: [&str; 7] = ["bin", "dev", "etc", "modules", "proc", "sys", "tmp"];
/// The first program.
const INIT: &str = include_str!("init.sh");
const LDD: &str = "`ldd` comes with the C library (Debian: the package libc-bin)";
const BUSYBOX: &str = "point FLUE_BUSYBOX to a busybox that needs no library, or unset it";

/// Puts it together and writes it to `path`; gives its size in bytes.
///
/// # Errors
/// When a part cannot be read, or the file cannot be written.
pub(crate) fn write(
    project: &Project,
    tools: &Tools,
    programs: &[(&str, &Path)],
    path: &Path,
) -> Result<usize, Error> {
    let mut archive = Cpio::default();
    FOLDERS.iter().for_each(|folder| archive.folder(folder));
    // Before anything is mounted, the kernel opens this for the first program.
    archive.device("dev/console", 5, 1);
    archive.program("init", INIT.as_bytes());
    archive.program("bin/busybox", &read(&tools.busybox)?);
    archive.link("bin/sh", "busybox");
    modules(project, tools, &mut archive)?;
    let mut libraries = BTreeSet::new();
    for (name, program) in programs {
        archive.program(&format!("bin/{name}"), &read(program)?);
        libraries.extend(libraries_of(project, program)?);
    }
    let mut folders = BTreeSet::new();
    for library in libraries {
        let name = library.trim_start_matches('/');
        for above in Path::new(name).ancestors().skip(1).collect::<Vec<_>>().iter().rev() {
            let above = above.to_string_lossy();
            if !above.is_empty() && folders.insert(above.to_string()) {
                archive.folder(&above);
            }
        }
        archive.program(name, &read(Path::new(&library))?);
    }
    let bytes = archive.finish();
    fs::write(path, &bytes).map_err(|source| Error::File {
        action: "write",
        path: path.into(),
        source,
    })?;
    Ok(bytes.len())
}

/// The modules that are there, unpacked, and the order in which to load them.
fn modules(project: &Project, tools: &Tools, archive: &mut Cpio) -> Result<(), Error> {
    let mut files = Vec::new();
    collect(&tools.modules, &mut files)?;
    let mut order = String::new();
    for module in MODULES {
        let found = files.iter().find_map(|file| {
            let name = file.file_name()?.to_str()?;
            Some((file, name.strip_prefix(module)?.strip_prefix(".ko")?))
        });
        let bytes = match found {
            None => continue, // Built in; the guest says clearly when there is no VFIO.
            Some((file, "")) => read(file)?,
            Some((file, ".xz")) => unpacked(project, tools, "xzcat", file)?,
            Some((file, ".gz")) => unpacked(project, tools, "zcat", file)?,
            Some((file, _)) => {
                let expected = "expected a module that is not packed, or packed by xz or gzip; \
                                unset FLUE_KERNEL, so that such a kernel is brought";
                return Err(Error::Content { path: file.clone(), expected });
            }
        };
        archive.program(&format!("modules/{module}.ko"), &bytes);
        order.push_str(&format!("{module}.ko\n"));
    }
    archive.program("modules/order", order.as_bytes());
    Ok(())
}

fn unpacked(project: &Project, tools: &Tools, applet: &str, file: &Path) -> Result<Vec<u8>, Error> {
    let tool = Tool::new(project, tools.busybox.as_os_str(), BUSYBOX).arg(applet).arg(file);
    let output = tool.capture()?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Error::Content { path: file.into(), expected: "expected a packed module" })
    }
}

/// The shared libraries of a program, by the paths that its loader will look for.
fn libraries_of(project: &Project, program: &Path) -> Result<Vec<String>, Error> {
    let output = Tool::new(project, "ldd".as_ref(), LDD).arg(program).capture()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.contains("not found") || !output.status.success() {
        let expected = "expected a program for this machine, with all its libraries";
        return Err(Error::Content { path: program.into(), expected });
    }
    Ok(text.lines().filter_map(library).map(String::from).collect())
}

/// The path in a line of `ldd`; there is none for what the kernel provides.
fn library(line: &str) -> Option<&str> {
    line.split_whitespace().find(|word| word.starts_with('/'))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |source| Error::File { action: "list", path: folder.into(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        match entry.file_type().map_err(failed)?.is_dir() {
            true => collect(&entry.path(), files)?,
            false => files.push(entry.path()),
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::File { action: "read", path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_those_with_a_path() {
        let text = "\tlinux-vdso.so.1 (0x00007ffd)\n\
                    \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        let found: Vec<_> = text.lines().filter_map(library).collect();
        assert_eq!(found, ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]);
    }
}
