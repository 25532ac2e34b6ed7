//! The core library for a processor that this toolchain may not bring one for.
//!
//! Installed, or compiled from rustc's own sources into a private sysroot by two calls of rustc:
//! no registry, no unstable cargo, nothing written into the toolchain. The bootstrap switch is on
//! for those two calls only; the image itself is built with stable flags. What the image becomes
//! does not depend on where the sources came from: their files are the same, and their paths are
//! not kept.

use std::path::{Path, PathBuf};

use super::Target;
use super::sources::{self, CORE_SOURCES, Sources};
use crate::bring;
use crate::error::Error;
use crate::project::{Project, create};
use crate::report;
use crate::tool::Tool;

/// Changes when a sysroot is made in another way, so that older ones are made again.
const RECIPE: &str = "recipe 1";
/// For both crates. One codegen unit: not slower here, and the same result each time.
const OPTIONS: &str = "--edition 2024 --crate-type rlib --cap-lints allow --emit metadata,link \
    -Copt-level=3 -Cpanic=abort -Cembed-bitcode=yes -Ccodegen-units=1 \
    -Zforce-unstable-if-unmarked";
/// Sorts small, and so needs fewer files: an archive holds no others.
const CORE_FEATURES: &[&str] = &["optimize_for_size"];
/// `mem` is memcpy and its like, which nothing else brings to a machine without a C library.
const HELPER_FEATURES: &[&str] = &["compiler-builtins", "mem", "rustc-dep-of-std"];
/// What rustc would say of files of its own.
const NO_PATH: &str = "/rustc/library";

/// A core library that can be used.
#[derive(Debug)]
pub(crate) struct Core {
    /// Where it is, if it is not the toolchain's own.
    sysroot: Option<PathBuf>,
    /// Where it came from, in words.
    pub(crate) origin: String,
}

/// The compiler that is used.
#[derive(Debug)]
pub(crate) struct Compiler {
    /// Such as `1.95.0`.
    pub(crate) release: String,
    /// The whole first line, with the commit.
    pub(crate) version: String,
    host: String,
    /// Where its libraries are.
    pub(crate) sysroot: PathBuf,
}

impl Core {
    /// Finds it, or makes it, and says which.
    ///
    /// # Errors
    /// When there is neither a library nor its sources: what was tried, and what to do.
    pub(crate) fn bring(project: &Project, target: Target) -> Result<Self, Error> {
        let compiler = Compiler::find(project)?;
        let triple = target.triple();
        // The tools that read it run in the root of the project, not where this one was started.
        let own = std::env::var_os(CORE_SOURCES).map(PathBuf::from);
        let own = own.map(|own| std::path::absolute(&own).unwrap_or(own));
        if own.is_none() && has_core(&compiler.sysroot, triple) {
            let origin = format!("the installed target of rustc {}", compiler.release);
            report::note(&format!("core library: {origin}"));
            return Ok(Self { sysroot: None, origin });
        }
        let tools = project.target.join("tools").join(format!("riscv-core-{}", compiler.release));
        create(&tools)?;
        let root = tools.join(triple);
        // Sources that were asked for are part of the recipe; others are as good as one another.
        let recipe = format!("{RECIPE}, {}", compiler.version);
        let recipe = own
            .as_ref()
            .map_or(recipe.clone(), |own| format!("{recipe}, {CORE_SOURCES} {}", own.display()));
        if let Some(origin) = bring::made_by(&root, &recipe) {
            report::note(&origin);
            return Ok(Self { sysroot: Some(root), origin });
        }
        let origin = bring::once(&root, &recipe, |meanwhile, new| {
            let wanted = Sources { project, compiler: &compiler, tools: &tools, meanwhile };
            let library = sources::find(&wanted, own.as_deref(), triple)?;
            report::brings(&format!(
                "a core library for {triple}, compiled from {} (about 15 s)",
                library.origin
            ));
            compile(project, &compiler, &library.folder, triple, new)?;
            Ok(format!("core library for {triple}, compiled from {}", library.origin))
        })?;
        Ok(Self { sysroot: Some(root), origin })
    }

    /// What rustc has to be told to use it.
    pub(crate) fn flags(&self) -> Vec<String> {
        self.sysroot.iter().map(|sysroot| format!("--sysroot={}", sysroot.display())).collect()
    }
}

impl Compiler {
    fn find(project: &Project) -> Result<Self, Error> {
        let said = |line: &str| -> Result<String, Error> {
            let output = Tool::rustc(project).args(line).capture()?;
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
        };
        let (about, sysroot) = (said("--version --verbose")?, said("--print sysroot")?);
        let field = |name: &str| about.lines().find_map(|line| line.strip_prefix(name));
        let (Some(release), Some(host)) = (field("release: "), field("host: ")) else {
            let expected = "expected a compiler that says its release and host (`rustc -vV`)";
            return Err(Error::Content { path: "rustc".into(), expected });
        };
        Ok(Self {
            release: release.into(),
            host: host.into(),
            version: about.lines().next().unwrap_or_default().into(),
            sysroot: sysroot.into(),
        })
    }
}

/// Whether a sysroot has the core library for a target.
fn has_core(sysroot: &Path, triple: &str) -> bool {
    let folder = sysroot.join("lib/rustlib").join(triple).join("lib");
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .any(|name| name.starts_with("libcore-") && name.ends_with(".rlib"))
}

/// Compiles core and the compiler's helpers into a sysroot of their own.
fn compile(
    project: &Project,
    compiler: &Compiler,
    library: &Path,
    triple: &str,
    root: &Path,
) -> Result<(), Error> {
    let rustlib = root.join("lib/rustlib");
    let out = rustlib.join(triple).join("lib");
    create(&out)?;
    // The linker is looked for beside the host's libraries; build scripts need these, too.
    let host = rustlib.join(&compiler.host);
    bring::link(&compiler.sysroot.join("lib/rustlib").join(&compiler.host), &host)?;
    let rustc = |name: &str, source: &str, features: &[&str]| {
        let rustc = Tool::rustc(project)
            .args("--crate-name")
            .arg(name)
            .arg(library.join(source))
            .args(OPTIONS)
            .args(&format!("--target {triple} -Cmetadata=flue -Cextra-filename=-flue"))
            .arg(format!("--remap-path-prefix={}={NO_PATH}", library.display()))
            .arg(format!("--sysroot={}", root.display()))
            .arg("--out-dir")
            .arg(&out)
            .env("RUSTC_BOOTSTRAP", "1");
        features
            .iter()
            .fold(rustc, |rustc, feature| rustc.arg("--cfg").arg(format!("feature=\"{feature}\"")))
    };
    rustc("core", "core/src/lib.rs", CORE_FEATURES).run_quietly()?;
    let helpers = "compiler-builtins/compiler-builtins/src/lib.rs";
    rustc("compiler_builtins", helpers, HELPER_FEATURES).run_quietly()
}
