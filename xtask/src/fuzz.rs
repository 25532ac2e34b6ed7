//! libFuzzer on the targets in `fuzz/fuzz_targets`.
//!
//! The folder is laid out for `cargo fuzz`, whose coverage options are repeated here, so that
//! nothing has to be installed and the stable toolchain is enough. No sanitizer: nearly all code
//! is safe, what is not runs under one in the step `address`, and without it a target does three
//! times as much. The corpus starts from the golden images.
//! A finding is kept in `fuzz/artifacts`; run the target's program with that file to see it again.

use std::fs;
use std::path::Path;

use crate::error::Error;
use crate::project::{Project, create};
use crate::report;
use crate::tool::{TARGET, Tool};

/// Coverage as libFuzzer wants it.
const OPTIONS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0";
/// Longest input, in bytes: a tree of 64 slots.
const INPUT_BYTES: u32 = 4096;
/// An input that takes longer is a hang, in seconds.
const HANG_SECONDS: u32 = 20;

/// Builds the targets named (all when none is) and runs each for `seconds`.
///
/// # Errors
/// When a target is unknown, does not build, or finds something.
pub(crate) fn run(project: &Project, names: &[String], seconds: u32) -> Result<(), Error> {
    let known = targets(project)?;
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        return Err(Error::UnknownTarget { name: name.clone(), known: known.join(", ") });
    }
    let remedy = "libFuzzer is C++: install a C++ compiler (Debian: `apt-get install g++`)";
    Tool::new(project, "c++".as_ref(), remedy).args("--version").probe()?;
    let folder = project.target.join("fuzz");
    report::brings("libFuzzer, compiled from the crate libfuzzer-sys, into target/fuzz");
    Tool::cargo(project)
        .args("build --quiet --release --locked --manifest-path fuzz/Cargo.toml --target")
        .arg(TARGET)
        .env("RUSTFLAGS", OPTIONS.split_whitespace().collect::<Vec<_>>().join(" "))
        .env("CARGO_TARGET_DIR", &folder)
        .run()?;
    let chosen = if names.is_empty() { &known[..] } else { names };
    let programs = folder.join(TARGET).join("release");
    chosen.iter().try_for_each(|name| fuzz(project, &programs.join(name), name, seconds))
}

fn fuzz(project: &Project, program: &Path, name: &str, seconds: u32) -> Result<(), Error> {
    let corpus = project.root.join("fuzz/corpus").join(name);
    let artifacts = project.root.join("fuzz/artifacts").join(name);
    create(&artifacts)?;
    create(&corpus)?;
    seed(project, &corpus)?;
    let remedy = "build it with `cargo xtask fuzz`";
    Tool::new(project, program.as_os_str(), remedy)
        .arg(&corpus)
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(&format!("-max_total_time={seconds} -max_len={INPUT_BYTES} -timeout={HANG_SECONDS}"))
        .args("-rss_limit_mb=4096 -verbosity=0 -print_funcs=0 -print_final_stats=1")
        .run_showing("stat::number_of_")
}

fn targets(project: &Project) -> Result<Vec<String>, Error> {
    let files = project.sources("fuzz/fuzz_targets")?;
    Ok(files
        .iter()
        .filter_map(|file| Path::new(file).file_stem()?.to_str())
        .map(String::from)
        .collect())
}

/// Puts the golden images into a corpus, as bytes.
fn seed(project: &Project, corpus: &Path) -> Result<(), Error> {
    let folder = project.root.join("abi/golden");
    let failed = |source| Error::File { action: "list", path: folder.clone(), source };
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|extension| extension != "hex") {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|source| Error::File {
            action: "read",
            path: path.clone(),
            source,
        })?;
        let bytes = image(&text).ok_or(Error::Content {
            path: path.clone(),
            expected: "expected one 32-bit hex word a line",
        })?;
        let seed = corpus.join(path.file_stem().unwrap_or_default());
        fs::write(&seed, bytes).map_err(|source| Error::File {
            action: "write",
            path: seed,
            source,
        })?;
    }
    Ok(())
}

/// The bytes of a golden image: one word a line, comments after `//`.
fn image(text: &str) -> Option<Vec<u8>> {
    let words = text.lines().filter_map(|line| line.split("//").next()).map(str::trim);
    let words = words.filter(|word| !word.is_empty());
    let words: Option<Vec<_>> = words.map(|word| u32::from_str_radix(word, 16).ok()).collect();
    Some(words?.into_iter().flat_map(u32::to_le_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_read_word_by_word() {
        assert_eq!(
            image("// head\n04030201 // first\n\n00000005\n").unwrap(),
            [1, 2, 3, 4, 5, 0, 0, 0]
        );
        assert_eq!(image("xyz"), None);
    }
}
