//! Folders in the target directory that are made once, with what a machine may lack.
//!
//! A folder is whole or absent: it is made under another name, stamped, and renamed when all of it
//! works. The stamp says by which recipe it was made, so that a changed recipe makes it again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::error::Error;
use crate::project::create;
use crate::report;

/// Written last into each folder: the recipe, then what is in it.
const STAMP: &str = "stamp";

/// Makes `root` by `recipe` unless it is there already, whole; gives what is in it, in words.
///
/// `make` is given a folder for what is needed only meanwhile, and the folder to fill.
///
/// # Errors
/// What `make` says, or when a folder cannot be written.
pub(crate) fn once(
    root: &Path,
    recipe: &str,
    make: impl FnOnce(&Path, &Path) -> Result<String, Error>,
) -> Result<String, Error> {
    if let Some(what) = made_by(root, recipe) {
        return Ok(what);
    }
    let start = Instant::now();
    let (meanwhile, new) = (beside(root, "meanwhile"), beside(root, "new"));
    for folder in [&meanwhile, &new] {
        remove(folder)?;
    }
    create(&new)?;
    let what = make(&meanwhile, &new)?;
    write(&new.join(STAMP), &format!("{recipe}\n{what}\n"))?;
    // The folder appears whole, or not at all; an older one is of use until then.
    remove(root)?;
    fs::rename(&new, root).map_err(|source| Error::File {
        action: "make",
        path: root.into(),
        source,
    })?;
    remove(&meanwhile)?;
    report::note(&format!("{what}, in {:.1} s", start.elapsed().as_secs_f64()));
    Ok(what)
}

/// What is in `root`, if it is whole and was made by a recipe that begins with `recipe`.
pub(crate) fn made_by(root: &Path, recipe: &str) -> Option<String> {
    let stamp = fs::read_to_string(root.join(STAMP)).ok()?;
    let (made, what) = stamp.split_once('\n')?;
    made.starts_with(recipe).then(|| what.trim_end().to_string())
}

/// Two runs at once would write into one another's folders: the second waits for the lock's end.
///
/// # Errors
/// When the lock cannot be had.
pub(crate) fn alone(folder: &Path, command: &str) -> Result<File, Error> {
    create(folder)?;
    let path = folder.join("lock");
    let failed = |source| Error::File { action: "lock", path: path.clone(), source };
    let file = File::create(&path).map_err(failed)?;
    if file.try_lock().is_err() {
        report::note(&format!("another `{command}` is under way here; waiting for its end"));
        file.lock().map_err(failed)?;
    }
    Ok(file)
}

/// Removes a folder, if it is there.
///
/// # Errors
/// When it cannot be removed.
pub(crate) fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::File { action: "remove", path: folder.into(), source })
        }
        _ => Ok(()),
    }
}

/// Writes a text file.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|source| Error::File {
        action: "write",
        path: path.into(),
        source,
    })
}

/// Reads a text file.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::File {
        action: "read",
        path: path.into(),
        source,
    })
}

/// Makes a symbolic link.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn link(target: &Path, path: &Path) -> Result<(), Error> {
    std::os::unix::fs::symlink(target, path).map_err(|source| Error::File {
        action: "make",
        path: path.into(),
        source,
    })
}

/// A neighbor of `folder`, whose name may have dots of its own.
fn beside(folder: &Path, word: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(word);
    folder.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("flue-{}-{name}-1.2.3", std::process::id()));
        remove(&folder).unwrap();
        folder
    }

    #[test]
    fn a_folder_is_made_once_a_recipe() {
        let root = folder("once");
        let make = |_: &Path, _: &Path| Ok("a thing".to_string());
        assert_eq!(once(&root, "recipe 1", make).unwrap(), "a thing");
        let again = |_: &Path, _: &Path| -> Result<String, Error> { panic!("made twice") };
        assert_eq!(once(&root, "recipe 1", again).unwrap(), "a thing");
        let other = |_: &Path, _: &Path| Ok("another".to_string());
        assert_eq!(once(&root, "recipe 2", other).unwrap(), "another");
        remove(&root).unwrap();
    }

    #[test]
    fn what_was_not_made_to_its_end_is_not_there() {
        let root = folder("end");
        let fails = |_: &Path, new: &Path| {
            write(&new.join("part"), "")?;
            Err(Error::Rules(1))
        };
        assert!(once(&root, "recipe 1", fails).is_err());
        assert!(!root.exists());
        once(&root, "recipe 1", |_, _| Ok("a thing".to_string())).unwrap();
        assert!(once(&root, "recipe 2", fails).is_err());
        assert_eq!(made_by(&root, "recipe 1").as_deref(), Some("a thing"));
        remove(&root).unwrap();
        remove(&beside(&root, "new")).unwrap();
    }
}
