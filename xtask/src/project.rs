//! Where things are: the root of the project, the crates, their files, the target directory.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Crates whose sources are checked and whose tests are run.
pub(crate) const CRATES: [&str; 9] =
    ["abi", "host-driver", "firmware", "rv32", "hw-model", "rtl-sim", "flue", "benches", "xtask"];
/// Crates that are not in a folder of their name, but in another crate's, for which they are.
const INNER: [(&str, &str); 2] = [("rv32", "hw-model/rv32"), ("firmware-image", "firmware/image")];
/// Holds what cargo builds; never sources.
const BUILT: &str = "target";

/// The folder of a crate, from the root.
pub(crate) fn folder(package: &str) -> &str {
    INNER.iter().find(|(name, _)| *name == package).map_or(package, |(_, folder)| folder)
}

/// The project on disk.
#[derive(Debug)]
pub(crate) struct Project {
    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where everything that is built goes.
    pub(crate) target: PathBuf,
}

impl Project {
    /// Finds the project that this tool was built in.
    pub(crate) fn find() -> Result<Self, Error> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.parent().unwrap_or(here);
        let root = root.canonicalize().map_err(|source| Error::File {
            action: "find the project at",
            path: root.into(),
            source,
        })?;
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |dir| root.join(dir));
        Ok(Self { root, target })
    }

    /// Reads a text file given by its path from the root.
    pub(crate) fn read(&self, path: &str) -> Result<String, Error> {
        let path = self.root.join(path);
        fs::read_to_string(&path).map_err(|source| Error::File { action: "read", path, source })
    }

    /// Writes a text file given by its path from the root, with the folders above it.
    pub(crate) fn write(&self, path: &str, text: &str) -> Result<(), Error> {
        let path = self.root.join(path);
        if let Some(folder) = path.parent() {
            create(folder)?;
        }
        fs::write(&path, text).map_err(|source| Error::File { action: "write", path, source })
    }

    /// Every Rust file below `folder`, as paths from the root, sorted.
    pub(crate) fn sources(&self, folder: &str) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        self.collect(Path::new(folder), "rs", &mut found)?;
        found.sort();
        Ok(found)
    }

    /// Every SystemVerilog file below `folder`, in the same way.
    pub(crate) fn modules(&self, folder: &str) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        self.collect(Path::new(folder), "sv", &mut found)?;
        found.sort();
        Ok(found)
    }

    /// The integration tests of a crate that `wanted` takes by their names.
    pub(crate) fn tests(
        &self,
        package: &str,
        wanted: fn(&str) -> bool,
    ) -> Result<Vec<String>, Error> {
        let folder = format!("{}/tests/", folder(package));
        let files = self.sources(folder.trim_end_matches('/'))?;
        let names = files.iter().filter_map(|file| file.strip_prefix(&folder)?.strip_suffix(".rs"));
        // What lies in a folder below is a part of a test, not one of its own.
        Ok(names.filter(|name| !name.contains('/') && wanted(name)).map(String::from).collect())
    }

    fn collect(&self, folder: &Path, ending: &str, found: &mut Vec<String>) -> Result<(), Error> {
        let path = self.root.join(folder);
        if !path.is_dir() {
            return Ok(());
        }
        let failed = |source| Error::File { action: "list", path: path.clone(), source };
        for entry in fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = folder.join(entry.file_name());
            if entry.file_type().map_err(failed)?.is_dir() {
                if entry.file_name() == BUILT {
                    continue;
                }
                self.collect(&name, ending, found)?;
            } else if name.extension().is_some_and(|extension| extension == ending) {
                found.push(name.to_string_lossy().into_owned());
            }
        }
        Ok(())
    }
}

/// Creates a folder and those above it.
pub(crate) fn create(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|source| Error::File {
        action: "create",
        path: folder.into(),
        source,
    })
}
