//! Debian packages, fetched and verified by the machine's own apt, and only unpacked.
//!
//! Everything apt keeps is in a folder of ours: package lists, an empty list of what is installed,
//! the cache. So nothing is installed, nothing of the machine changes, and no root is needed. The
//! mirror is the one in the machine's own apt sources; its host stands nowhere in this project.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bring::write;
use crate::error::Error;
use crate::project::{Project, create};
use crate::tool::Tool;

/// Names a mirror where the machine's own sources have none.
pub(crate) const MIRROR: &str = "FLUE_MIRROR";
const NO_APT: &str = "bringing it needs Debian's apt-get and dpkg-deb";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Where apt's sources stand: one file, and a folder of files.
const SOURCES: [&str; 2] = ["/etc/apt/sources.list", "/etc/apt/sources.list.d"];

/// How a line of apt begins that is shown though all went well.
const WARNING: &str = "W:";

/// An apt of our own for some suites of one mirror.
#[derive(Debug)]
pub(crate) struct Apt<'a> {
    project: &'a Project,
    folder: PathBuf,
    /// What to do where packages cannot be had.
    elsewhere: &'static str,
}

/// A package that is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its file.
    pub(crate) file: String,
    /// Its size in bytes.
    pub(crate) bytes: u64,
}

impl<'a> Apt<'a> {
    /// Sets one up in `folder`; `pins` are preferences in apt's own format, and `elsewhere` says
    /// what to do where packages cannot be had.
    ///
    /// # Errors
    /// When apt, the keyring or a mirror is missing, or `folder` cannot be written.
    pub(crate) fn new(
        project: &'a Project,
        folder: &Path,
        suites: &[&str],
        pins: &str,
        elsewhere: &'static str,
    ) -> Result<Self, Error> {
        for program in ["apt-get", "dpkg-deb"] {
            Tool::new(project, program.as_ref(), NO_APT).arg("--version").probe().map_err(
                |_| {
                    let what = format!("Debian packages without `{program}`");
                    Error::Bring { what, remedy: elsewhere }
                },
            )?;
        }
        if !Path::new(KEYRING).is_file() {
            let remedy = "install the package debian-archive-keyring";
            return Err(Error::Bring { what: "Debian's keyring".into(), remedy });
        }
        let mirror = mirror()?;
        for part in ["lists/partial", "cache/archives/partial"] {
            create(&folder.join(part))?;
        }
        let sources =
            suites.iter().map(|suite| format!("deb [signed-by={KEYRING}] {mirror} {suite} main\n"));
        write(&folder.join("sources.list"), &sources.collect::<String>())?;
        write(&folder.join("preferences"), pins)?;
        write(&folder.join("status"), "")?;
        write(&folder.join("apt.conf"), &configuration(folder))?;
        Ok(Self { project, folder: folder.into(), elsewhere })
    }

    /// Fetches the package lists.
    ///
    /// # Errors
    /// When a list cannot be fetched or verified.
    pub(crate) fn update(&self) -> Result<(), Error> {
        self.fetched("apt-get", "--quiet=2 --option APT::Update::Error-Mode=any update", &[])
    }

    /// What has to be fetched for `packages` and all that they depend on.
    ///
    /// # Errors
    /// When a package is unknown.
    pub(crate) fn missing(&self, packages: &[&str]) -> Result<Vec<Package>, Error> {
        let text = self.answer("apt-get", "--quiet=2 --yes --print-uris install", packages)?;
        Ok(text.lines().filter_map(package).collect())
    }

    /// What `package` depends on first.
    ///
    /// # Errors
    /// When it is unknown, or depends on nothing.
    pub(crate) fn dependency(&self, package: &str) -> Result<String, Error> {
        let text = self.answer("apt-cache", "depends", &[package])?;
        let found = text.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
        found.map(String::from).ok_or(Error::Bring {
            what: format!("what `{package}` stands for"),
            remedy: "the mirror does not have it; set FLUE_MIRROR to one that does",
        })
    }

    /// Fetches `packages` and all that they depend on, and unpacks them into `root`.
    ///
    /// # Errors
    /// When one cannot be fetched, verified or unpacked.
    pub(crate) fn unpack_all(&self, packages: &[&str], root: &Path) -> Result<(), Error> {
        self.fetched("apt-get", "--quiet=2 --yes --download-only install", packages)?;
        self.unpack(&self.folder.join("cache/archives"), root)
    }

    /// Fetches `packages` alone, and unpacks them into `root`.
    ///
    /// # Errors
    /// When one cannot be fetched, verified or unpacked.
    pub(crate) fn unpack_only(&self, packages: &[&str], root: &Path) -> Result<(), Error> {
        let folder = self.folder.join("cache/only");
        create(&folder)?;
        self.download(packages, &folder)?;
        self.unpack(&folder, root)
    }

    /// The versions there are of `package`, newest first.
    ///
    /// # Errors
    /// When apt cannot answer.
    pub(crate) fn versions(&self, package: &str) -> Result<Vec<String>, Error> {
        let text = self.answer("apt-cache", "madison", &[package])?;
        Ok(text.lines().filter_map(version).collect())
    }

    /// Fetches one version of a package, and unpacks into `root` only what lies at `paths`.
    ///
    /// # Errors
    /// When it cannot be fetched, verified or unpacked.
    pub(crate) fn unpack_parts(
        &self,
        package: &str,
        version: &str,
        paths: &[String],
        root: &Path,
    ) -> Result<(), Error> {
        let folder = self.folder.join("cache/parts");
        create(&folder)?;
        self.download(&[&format!("{package}={version}")], &folder)?;
        for archive in debs(&folder)? {
            let whole = Tool::new(self.project, "dpkg-deb".as_ref(), NO_APT);
            let tar = Tool::new(self.project, "tar".as_ref(), "install tar").args("-x -C");
            let tar = paths.iter().fold(tar.arg(root), |tar, path| tar.arg(path));
            whole.arg("--fsys-tarfile").arg(&archive).run_into(tar)?;
        }
        Ok(())
    }

    fn download(&self, packages: &[&str], folder: &Path) -> Result<(), Error> {
        let tool = self.tool("apt-get", "--quiet=2 download", packages).within(folder);
        tool.run_showing(WARNING).map_err(|_| self.fetch_failed("packages"))
    }

    fn unpack(&self, archives: &Path, root: &Path) -> Result<(), Error> {
        for archive in debs(archives)? {
            let tool = Tool::new(self.project, "dpkg-deb".as_ref(), NO_APT).arg("--extract");
            tool.arg(&archive).arg(root).run_quietly()?;
        }
        Ok(())
    }

    fn fetched(&self, program: &str, line: &str, packages: &[&str]) -> Result<(), Error> {
        let what = if packages.is_empty() { "package lists" } else { "packages" };
        self.tool(program, line, packages).run_showing(WARNING).map_err(|_| self.fetch_failed(what))
    }

    fn answer(&self, program: &str, line: &str, packages: &[&str]) -> Result<String, Error> {
        let output = self.tool(program, line, packages).capture()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
        Err(Error::Bring {
            what: format!("{} ({said})", packages.join(", ")),
            remedy: "the mirror does not have it; set FLUE_MIRROR to one that does",
        })
    }

    fn fetch_failed(&self, what: &str) -> Error {
        let what = format!(
            "{what} from the Debian mirror (apt's messages stand above): check the network and run \
             it again, or set FLUE_MIRROR"
        );
        Error::Bring { what, remedy: self.elsewhere }
    }

    fn tool(&self, program: &str, line: &str, packages: &[&str]) -> Tool {
        let tool = Tool::new(self.project, program.as_ref(), NO_APT)
            .args(line)
            .env("APT_CONFIG", self.folder.join("apt.conf"))
            .env("LC_ALL", "C");
        packages.iter().fold(tool, |tool, package| tool.arg(package))
    }
}

/// The packages in a folder.
fn debs(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::File { action: "list", path: folder.into(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            found.push(path);
        }
    }
    Ok(found)
}

fn configuration(folder: &Path) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    format!(
        "Dir::Etc::sourcelist \"{}\";\n\
         Dir::Etc::sourceparts \"/dev/null\";\n\
         Dir::Etc::preferences \"{}\";\n\
         Dir::Etc::preferencesparts \"/dev/null\";\n\
         Dir::State::lists \"{}\";\n\
         Dir::State::status \"{}\";\n\
         Dir::Cache \"{}\";\n\
         APT::Architecture \"amd64\";\n\
         APT::Architectures {{ \"amd64\"; }};\n\
         APT::Install-Recommends \"false\";\n\
         APT::Sandbox::User \"root\";\n\
         Acquire::Languages \"none\";\n\
         Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n\
         Acquire::Retries \"2\";\n\
         Acquire::http::Timeout \"30\";\n\
         Debug::NoLocking \"true\";\n",
        at("sources.list"),
        at("preferences"),
        at("lists"),
        at("status"),
        at("cache"),
    )
}

/// The Debian mirror that this machine uses already, or the one it is told to use.
fn mirror() -> Result<String, Error> {
    if let Some(mirror) = std::env::var_os(MIRROR) {
        return Ok(mirror.to_string_lossy().into_owned());
    }
    let [file, folder] = SOURCES.map(PathBuf::from);
    let mut files = vec![file];
    if let Ok(entries) = fs::read_dir(folder) {
        files.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    files.sort();
    let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    texts.into_iter().find_map(|text| mirror_in(&text)).ok_or(Error::Bring {
        what: "Debian packages: no Debian mirror in /etc/apt".into(),
        remedy: "set FLUE_MIRROR to the address of one (it ends in /debian)",
    })
}

/// The first address of a Debian archive in an apt source, one-line or deb822.
fn mirror_in(text: &str) -> Option<String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut words = lines.flat_map(str::split_whitespace);
    let is_web = |word: &&str| word.starts_with("http://") || word.starts_with("https://");
    let mirror = words.find(|word| is_web(word) && word.trim_end_matches('/').ends_with("/debian"));
    mirror.map(|mirror| mirror.trim_end_matches('/').to_string())
}

/// A line of `--print-uris`: address, file, size, hash.
fn package(line: &str) -> Option<Package> {
    let mut words = line.strip_prefix('\'')?.split_whitespace().skip(1);
    Some(Package { file: words.next()?.into(), bytes: words.next()?.parse().ok()? })
}

/// A line of `apt-cache madison`: package, version, source.
fn version(line: &str) -> Option<String> {
    line.split('|').nth(1).map(|version| version.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_found_in_both_formats_of_apt_sources() {
        let deb822 =
            "Types: deb\n# http://old.example/debian\nURIs: http://a.example/debian/\nSuites: x\n";
        assert_eq!(mirror_in(deb822).as_deref(), Some("http://a.example/debian"));
        let line = "deb [arch=amd64] https://b.example/debian bookworm main\n";
        assert_eq!(mirror_in(line).as_deref(), Some("https://b.example/debian"));
    }

    #[test]
    fn security_archives_and_other_systems_are_no_mirror() {
        assert_eq!(mirror_in("deb http://a.example/debian-security x main"), None);
        assert_eq!(mirror_in("deb http://a.example/ubuntu x main"), None);
        assert_eq!(mirror_in("# deb http://a.example/debian x main"), None);
        assert_eq!(mirror_in(""), None);
    }

    #[test]
    fn sizes_are_read_from_what_apt_would_fetch() {
        let line = "'http://a.example/pool/q_1%3a2_amd64.deb' q_1%3a2_amd64.deb 123456 SHA256:00";
        assert_eq!(
            package(line),
            Some(Package { file: "q_1%3a2_amd64.deb".into(), bytes: 123_456 })
        );
        assert_eq!(package("Reading package lists..."), None);
    }

    #[test]
    fn versions_are_read_from_the_second_column() {
        let line = "  rust-src | 1.95.0+dfsg1-2~bpo13+1 | http://a.example/debian x/main amd64";
        assert_eq!(version(line).as_deref(), Some("1.95.0+dfsg1-2~bpo13+1"));
        assert_eq!(version(""), None);
    }
}
