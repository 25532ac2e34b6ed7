//! Why a case failed: what was expected, what was seen instead.

use std::io;
use std::path::{Path, PathBuf};

/// A case failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A command ended in another way than it must.
    #[error("`{command}`: {how}, expected {expected}\n{said}")]
    Ended {
        /// The command line.
        command: String,
        /// How it ended.
        how: String,
        /// How it had to end.
        expected: String,
        /// What it wrote.
        said: String,
    },
    /// A command's output lacks something.
    #[error("`{command}` does not say `{expected}`\n{said}")]
    Silent {
        /// The command line.
        command: String,
        /// What it had to say.
        expected: String,
        /// What it wrote.
        said: String,
    },
    /// A command wrote something that it never may.
    #[error("`{command}` says `{unwanted}`\n{said}")]
    Unwanted {
        /// The command line.
        command: String,
        /// What it says.
        unwanted: String,
        /// What it wrote.
        said: String,
    },
    /// What must hold in the guest does not.
    #[error("{0}")]
    Broken(String),
    /// A file of the guest could not be used.
    #[error("cannot {action} {}: {source}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Failure {
    /// A file that could not be used, for `map_err`.
    pub(crate) fn file(
        action: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::File { action, path, source }
    }

    /// Fails unless it holds.
    pub(crate) fn unless(holds: bool, what: impl FnOnce() -> String) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self::Broken(what())) }
    }
}
