//! The firmware image of a RISC-V core: which file, and where it is looked for.
//!
//! From `--card riscv --image FILE` to the body that a card is made with. Without a name it is the
//! one that `cargo xtask firmware` has built beside this program. What is in it is `hw_model`'s
//! to judge.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hw_model::{Body, Image, ImageError};

use crate::args::CardName;

/// Where `cargo xtask firmware` puts the image, under a target folder.
const BUILT: &str = "firmware/flue-firmware.elf";

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoImage {
    /// `--image` for a card that takes none.
    #[error("--image is for a core that runs one (--card riscv), not for {0}")]
    NotFor(CardName),
    /// None was named and none was built.
    #[error(
        "--card {card}: no {BUILT} in a folder above {}; build it with `cargo xtask firmware`, \
         or name one with --image FILE", .program.display()
    )]
    NotBuilt {
        /// The card that needs one.
        card: CardName,
        /// This program.
        program: PathBuf,
    },
    /// Where this program lies cannot be known.
    #[error("--card {0}: cannot tell where this program is: {1}; name the image with --image FILE")]
    Nowhere(CardName, #[source] std::io::Error),
    /// It is none.
    #[error("{}: {source}; build one with `cargo xtask firmware`", .path.display())]
    Bad {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: ImageError,
    },
}

/// What runs the firmware of `card`, whose image is in the file `named`, if it takes one.
///
/// # Errors
/// All of [`NoImage`].
pub(crate) fn body(card: CardName, named: Option<&Path>) -> Result<Body, NoImage> {
    Ok(image(card, named)?.map_or(Body::Native, Body::Riscv))
}

/// What the core of `card` runs, if it takes an image.
///
/// # Errors
/// All of [`NoImage`].
pub(crate) fn image(card: CardName, named: Option<&Path>) -> Result<Option<Arc<Image>>, NoImage> {
    match (card, named) {
        (CardName::Riscv | CardName::Rtl, Some(path)) => read(path).map(Some),
        (CardName::Riscv | CardName::Rtl, None) => {
            let program =
                std::env::current_exe().map_err(|source| NoImage::Nowhere(card, source))?;
            read(&built(&program).ok_or(NoImage::NotBuilt { card, program })?).map(Some)
        }
        (_, Some(_)) => Err(NoImage::NotFor(card)),
        (_, None) => Ok(None),
    }
}

fn read(path: &Path) -> Result<Arc<Image>, NoImage> {
    let bad = |source| NoImage::Bad { path: path.to_owned(), source };
    let image = Image::open(path).map_err(bad)?;
    Ok(Arc::new(image))
}

/// The image in the nearest folder above `program` that has one.
fn built(program: &Path) -> Option<PathBuf> {
    program.ancestors().skip(1).map(|folder| folder.join(BUILT)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_that_was_built_beside_the_program_is_found() {
        let target = std::env::temp_dir().join(format!("flue-image-{}", std::process::id()));
        let program = target.join("release/deps/flue");
        assert_eq!(built(&program), None);
        std::fs::create_dir_all(target.join("firmware")).unwrap();
        std::fs::write(target.join(BUILT), "").unwrap();
        let found = built(&program);
        std::fs::remove_dir_all(&target).unwrap();
        assert_eq!(found, Some(target.join(BUILT)));
    }

    #[test]
    fn an_image_is_only_for_a_core_that_runs_one() {
        let error = body(CardName::Model, Some(Path::new("x"))).unwrap_err().to_string();
        assert!(error.contains("--card riscv") && error.ends_with("model"), "{error}");
    }
}
