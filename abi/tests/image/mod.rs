//! Golden images as words: reads `abi/golden/*.hex`.
//!
//! Shared by the golden tests of `abi`, `host-driver` and `firmware`, so that all three read the
//! same files in the same way, as `$readmemh` does: one 32-bit word a line, comments after `//`.

use std::path::PathBuf;

/// The folder of the images, seen from any crate of the workspace.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../abi/golden")
}

/// The words of image `name`.
///
/// # Panics
/// When there is no such image, or a line is not a word: the tree is broken then.
pub(crate) fn read(name: &str) -> Vec<u32> {
    let path = folder().join(name).with_extension("hex");
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let words = text.lines().map(|line| line.split("//").next().unwrap_or_default().trim());
    words
        .filter(|word| !word.is_empty())
        .map(|word| {
            u32::from_str_radix(word, 16)
                .unwrap_or_else(|error| panic!("{}: `{word}`: {error}", path.display()))
        })
        .collect()
}
