//! The peers that are C: brought from Debian, compiled here, named with their versions.
//!
//! DPDK and liburcu are unpacked below target/tools, not installed; the programs in
//! `benches/peers` are linked with what lies there and find it again by themselves. Only the
//! libraries that are needed are brought. The C library and the compiler are the machine's.

use std::path::{Path, PathBuf};

use crate::apt::Apt;
use crate::bring;
use crate::error::Error;
use crate::project::{Project, create};
use crate::report;
use crate::tool::Tool;
use crate::vm::tools::merge_usr;

/// A root folder with DPDK 22.11 or newer and liburcu of one's own; `/` for the machine's.
pub(crate) const OWN: &str = "FLUE_PEERS";
/// Where they come from.
const SUITES: [&str; 1] = ["bookworm"];
/// Brought with all that it depends on, except [`MACHINES`].
const DPDK_LIBRARY: &str = "librte-hash23";
/// Brought in parts: all of it, with its dependencies, is some hundred packages.
const DPDK_HEADERS: &str = "libdpdk-dev";
const DPDK_PARTS: [&str; 5] = [
    "./usr/include/dpdk",
    "./usr/include/x86_64-linux-gnu/dpdk",
    "./usr/lib/x86_64-linux-gnu/librte_hash.so",
    "./usr/lib/x86_64-linux-gnu/librte_ring.so",
    "./usr/lib/x86_64-linux-gnu/librte_eal.so",
];
const URCU: &str = "liburcu-dev";
const URCU_PACKAGES: [&str; 2] = ["liburcu8", URCU];
/// What every machine with a compiler has, and two of in one process do not go together.
const MACHINES: [&str; 4] = ["libc6", "libgcc-s1", "gcc-12-base", "libcrypt1"];
/// Changes when what is brought changes, so that older folders are brought again.
const RECIPE: &str = "recipe 1";
const ELSEWHERE: &str = "set FLUE_PEERS to a folder that has usr/include and usr/lib with DPDK and \
                         liburcu (`/` for the machine's own)";
const NO_COMPILER: &str = "install a C compiler (Debian: `apt-get install gcc libc6-dev`)";
/// Where the sources of the programs are.
const SOURCES: &str = "benches/peers";
const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";
const OPTIONS: &str = "-std=gnu11 -O3 -march=native -Wall -Wextra -pthread";

/// The programs, and what they are made of.
#[derive(Debug)]
pub(crate) struct Peers {
    pub(crate) dpdk: PathBuf,
    pub(crate) urcu: PathBuf,
    /// Versions, for the report.
    pub(crate) versions: String,
}

impl Peers {
    /// Brings what is missing and compiles the programs into `folder`.
    ///
    /// # Errors
    /// When something cannot be brought, or does not compile.
    pub(crate) fn make(project: &Project, folder: &Path) -> Result<Self, Error> {
        let compiler = Tool::new(project, "cc".as_ref(), NO_COMPILER).arg("--version").capture()?;
        let compiler = String::from_utf8_lossy(&compiler.stdout);
        let compiler = compiler.lines().next().unwrap_or("cc").to_string();
        let (root, brought) = match std::env::var_os(OWN) {
            Some(own) => {
                let what = format!("DPDK and liburcu from {}", Path::new(&own).display());
                (PathBuf::from(own), what)
            }
            None => {
                let root = project.target.join("tools/peers");
                create(&project.target.join("tools"))?;
                let what = bring::once(&root, RECIPE, |lists, new| bring(project, lists, new))?;
                (root, what)
            }
        };
        create(folder)?;
        let dpdk = folder.join("dpdk");
        let headers = ["usr/include/x86_64-linux-gnu/dpdk", "usr/include/dpdk"];
        let options = "-include rte_config.h";
        let libraries = ["rte_hash", "rte_ring", "rte_eal"];
        compile(project, &root, ("dpdk.c", options), &headers, &libraries, &dpdk)?;
        let urcu = folder.join("urcu");
        let headers = ["usr/include/x86_64-linux-gnu", "usr/include"];
        let libraries = ["urcu-qsbr", "urcu-cds", "urcu-common"];
        compile(project, &root, ("urcu.c", ""), &headers, &libraries, &urcu)?;
        Ok(Self { dpdk, urcu, versions: format!("{brought}; {compiler}") })
    }
}

fn bring(project: &Project, lists: &Path, root: &Path) -> Result<String, Error> {
    let apt = Apt::new(project, lists, &SUITES, "", ELSEWHERE)?;
    report::brings("package lists of Debian bookworm (about 19 MB on disk, for a moment)");
    apt.update()?;
    let newest = |package: &str| -> Result<String, Error> {
        apt.versions(package)?.into_iter().next().ok_or(Error::Bring {
            what: format!("`{package}`: the mirror does not have it"),
            remedy: ELSEWHERE,
        })
    };
    let (dpdk, urcu) = (newest(DPDK_HEADERS)?, newest(URCU)?);
    let libraries = apt.missing(&[DPDK_LIBRARY])?;
    let names = libraries.iter().filter_map(|package| package.file.split('_').next());
    let mut packages: Vec<_> = names.filter(|name| !MACHINES.contains(name)).collect();
    packages.extend(URCU_PACKAGES);
    report::brings(&format!(
        "DPDK {dpdk} and liburcu {urcu}: {} packages, about 10 MB; 12 MB unpacked",
        packages.len() + 1
    ));
    merge_usr(root)?;
    apt.unpack_only(&packages, root)?;
    apt.unpack_parts(DPDK_HEADERS, &dpdk, &DPDK_PARTS.map(String::from), root)?;
    Ok(format!("DPDK {dpdk} and liburcu {urcu} from Debian bookworm"))
}

fn compile(
    project: &Project,
    root: &Path,
    (source, options): (&str, &str),
    headers: &[&str],
    libraries: &[&str],
    program: &Path,
) -> Result<(), Error> {
    let sources = project.root.join(SOURCES);
    let compiler = Tool::new(project, "cc".as_ref(), NO_COMPILER).args(OPTIONS);
    let is_machines = root == Path::new("/");
    // The machine's own headers are found without help, except for those in a folder of their own.
    let headers = headers.iter().filter(|header| !is_machines || header.contains("dpdk"));
    let compiler =
        headers.fold(compiler, |compiler, header| compiler.arg("-isystem").arg(root.join(header)));
    let compiler = compiler.args(options).arg(sources.join(source)).arg(sources.join("peer.c"));
    let compiler = if is_machines {
        compiler
    } else {
        let folder = root.join(LIBRARIES);
        // The older of the two kinds of path counts for what the libraries need, too.
        let path = format!("-Wl,--disable-new-dtags,-rpath,{}", folder.display());
        compiler.arg("-L").arg(&folder).arg(path)
    };
    let compiler =
        libraries.iter().fold(compiler, |compiler, name| compiler.arg(format!("-l{name}")));
    compiler.arg("-o").arg(program).run_quietly()
}
