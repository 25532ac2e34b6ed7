//! Where the sources of the core library are found: exactly those of the compiler that is used.
//!
//! For `core_library`, which compiles them. Other sources do not compile, or compile into something
//! else, so each kind is checked twice: by the version in its name, where it has one, and by the
//! newest release that the sources themselves speak of.

use std::fs;
use std::path::{Path, PathBuf};

use super::core_library::Compiler;
use crate::apt::Apt;
use crate::bring;
use crate::error::Error;
use crate::project::{Project, create};
use crate::report;
use crate::tool::Tool;

/// Sources of one's own: a folder or an archive.
pub(crate) const CORE_SOURCES: &str = "FLUE_CORE_SRC";
/// Where the component rust-src lies in a toolchain.
const COMPONENT: &str = "lib/rustlib/src/rust/library";
/// Where archives may lie, from the root of the project.
const BESIDE: &str = "../shared/toolchain";
/// Debian's package, and where it can be had.
const PACKAGE: &str = "rust-src";
const SUITES: [&str; 2] = ["trixie", "trixie-backports"];
/// What is needed of it, below `library`.
const NEEDED: [&str; 4] = ["core", "compiler-builtins", "portable-simd", "stdarch"];
const ELSEWHERE: &str = "run `rustup component add rust-src` or set FLUE_CORE_SRC instead";
/// How a release stands in the sources, on each thing that became stable.
const SINCE: &str = "since = \"";

/// What it takes to look for sources.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) project: &'a Project,
    pub(crate) compiler: &'a Compiler,
    /// For what is kept.
    pub(crate) tools: &'a Path,
    /// For what is not.
    pub(crate) meanwhile: &'a Path,
}

/// Sources that were found.
#[derive(Debug)]
pub(crate) struct Library {
    /// The folder `library`.
    pub(crate) folder: PathBuf,
    /// What they are, in words.
    pub(crate) origin: String,
}

/// Finds sources: `own` and no others if there is one, else the first that there are.
///
/// # Errors
/// When there are none, or `own` is not usable: what was tried, and what to do.
pub(crate) fn find(
    sources: &Sources<'_>,
    own: Option<&Path>,
    triple: &str,
) -> Result<Library, Error> {
    let release = &sources.compiler.release;
    let none = |tried: Vec<String>| Error::NoCore {
        target: triple.into(),
        release: release.clone(),
        tried: tried.join("\n  "),
    };
    if let Some(own) = own {
        let found = sources.at(own, own.display().to_string());
        return found.map_err(|why| none(vec![format!("{CORE_SOURCES}={}: {why}", own.display())]));
    }
    let mut tried = vec![format!("the installed target {triple}: not there")];
    let component = sources.compiler.sysroot.join(COMPONENT);
    let archive = Path::new(BESIDE).join(format!("core-min-{release}.tar.xz"));
    for (path, what) in [
        (component, format!("the component rust-src of rustc {release}")),
        (sources.project.root.join(&archive), archive.display().to_string()),
    ] {
        match sources.at(&path, what.clone()) {
            Ok(found) => return Ok(found),
            Err(why) => tried.push(format!("{what}: {why}")),
        }
    }
    match sources.debian() {
        Ok(found) => Ok(found),
        Err(why) => {
            tried.push(format!("Debian's {PACKAGE}: {why}"));
            Err(none(tried))
        }
    }
}

impl Sources<'_> {
    /// Those at a path, if they are the compiler's own; otherwise why not.
    fn at(&self, path: &Path, origin: String) -> Result<Library, String> {
        if !path.exists() {
            return Err("not there".into());
        }
        if let Some(named) = path.file_name().and_then(|name| version(&name.to_string_lossy())) {
            self.compare(&named, &self.compiler.release, "named")?;
        }
        let folder = if path.is_dir() { path.into() } else { self.unpack(path)? };
        let folder = library_in(&folder).ok_or("expected core/src/lib.rs in it, found none")?;
        let newest = newest(&folder.join("core/src")).map_err(|error| error.to_string())?;
        let newest = newest.ok_or("expected the sources of a released rustc")?;
        // A third number says that a mistake was corrected: nothing becomes stable by it.
        let own = self.compiler.release.rsplit_once('.').unwrap_or_default().0;
        self.compare(&newest, own, "of")?;
        Ok(Library { folder, origin })
    }

    fn compare(&self, found: &str, own: &str, how: &str) -> Result<(), String> {
        let release = &self.compiler.release;
        if found == own { Ok(()) } else { Err(format!("{how} {found}, not rustc's {release}")) }
    }

    fn unpack(&self, archive: &Path) -> Result<PathBuf, String> {
        let folder = self.meanwhile.join("unpacked");
        let remedy = "install tar and xz-utils";
        let tar = Tool::new(self.project, "tar".as_ref(), remedy).arg("-xf").arg(archive);
        create(&folder)
            .and_then(|()| tar.arg("-C").arg(&folder).run_quietly())
            .map_err(|error| error.to_string())?;
        Ok(folder)
    }

    /// Debian's package of exactly this release; kept, because both targets are made from it.
    fn debian(&self) -> Result<Library, String> {
        let release = &self.compiler.release;
        let root = self.tools.join("debian");
        let recipe = format!("recipe 1, {release}");
        let origin = bring::once(&root, &recipe, |lists, new| {
            let apt = Apt::new(self.project, lists, &SUITES, "", ELSEWHERE)?;
            report::brings("package lists of Debian trixie (about 23 MB on disk, for a moment)");
            apt.update()?;
            let versions = apt.versions(PACKAGE)?;
            let version = versions.iter().find(|version| is_of(version, release));
            let version = version.ok_or_else(|| Error::Bring {
                what: format!("{PACKAGE} {release}: the mirror has {}", versions.join(", ")),
                remedy: ELSEWHERE,
            })?;
            report::brings(&format!("{PACKAGE} {version}: 45 MB to fetch, 55 MB kept"));
            let below = |part: &&str| format!("./usr/src/rustc-{release}/library/{part}");
            let parts: Vec<_> = NEEDED.iter().map(below).collect();
            apt.unpack_parts(PACKAGE, version, &parts, new)?;
            Ok(format!("Debian's {PACKAGE} {version}"))
        });
        let origin = origin.map_err(|error| error.to_string())?;
        self.at(&root.join(format!("usr/src/rustc-{release}/library")), origin)
    }
}

/// The folder with `core` in it: this one, or one below it.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let below = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut folders = std::iter::once(folder.to_path_buf()).chain(below);
    folders.find(|folder| folder.join("core/src/lib.rs").is_file())
}

/// Whether a Debian version is one of a release: `1.95.0+dfsg1-2~bpo13+1` is one of `1.95.0`.
fn is_of(version: &str, release: &str) -> bool {
    let rest = version.strip_prefix(release);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', '-', '~']))
}

/// A version in a file's name: three numbers with dots between them.
fn version(name: &str) -> Option<String> {
    let words = name.split(|sign: char| !sign.is_ascii_digit() && sign != '.');
    words.map(|word| word.trim_matches('.')).find(|word| numbers(word).is_some()).map(String::from)
}

fn numbers(word: &str) -> Option<[u32; 3]> {
    let numbers: Result<Vec<u32>, _> = word.split('.').map(str::parse).collect();
    numbers.ok()?.try_into().ok()
}

/// The newest release that sources name where something became stable, as `1.95`.
fn newest(folder: &Path) -> std::io::Result<Option<String>> {
    let mut newest = None;
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                newest = newest.max(newest_in(&String::from_utf8_lossy(&fs::read(&path)?)));
            }
        }
    }
    Ok(newest.map(|[major, minor, _]| format!("{major}.{minor}")))
}

/// What is deprecated may speak of a release to come; what is stable does not.
fn newest_in(text: &str) -> Option<[u32; 3]> {
    let stable = text.lines().filter(|line| line.contains("stable(feature"));
    let since = stable.filter_map(|line| line.split_once(SINCE)?.1.split_once('"'));
    since.filter_map(|(release, _)| numbers(release)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_a_name() {
        assert_eq!(version("core-min-1.95.0.tar.xz").as_deref(), Some("1.95.0"));
        assert_eq!(version("rustc-1.96.1-src").as_deref(), Some("1.96.1"));
        assert_eq!(version("library"), None);
        assert_eq!(version("rust-1.95"), None);
    }

    #[test]
    fn a_package_of_another_release_is_none_of_this_one() {
        assert!(is_of("1.95.0+dfsg1-2~bpo13+1", "1.95.0"));
        assert!(!is_of("1.96.1+dfsg1-2~bpo13+1", "1.95.0"));
        assert!(!is_of("1.95.01", "1.95.0"));
    }

    #[test]
    fn sources_tell_their_release_by_what_became_stable_last() {
        let text = "#[stable(feature = \"a\", since = \"1.9.0\")]\n\
                    #[rustc_const_stable(feature = \"b\", since = \"1.95.0\")]\n\
                    #[deprecated(since = \"1.99.0\", note = \"\")]\n";
        assert_eq!(newest_in(text), Some([1, 95, 0]));
        assert_eq!(newest_in("fn a() {}"), None);
    }
}
