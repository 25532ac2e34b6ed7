//! What can go wrong while checking the tree, and what to do about it.

use std::io;
use std::path::PathBuf;

/// An error of this tool; the message says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A program could not be started.
    #[error("cannot start `{program}`: {source}; {remedy}")]
    Start {
        /// The program.
        program: String,
        /// What brings it.
        remedy: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A program is there and says it cannot be used.
    #[error("`{program}` is not usable; {remedy}")]
    Missing {
        /// The program.
        program: String,
        /// What brings it.
        remedy: &'static str,
    },
    /// A command ended with an error; it has said why.
    #[error("`{command}` failed ({status}); its messages stand above")]
    Failed {
        /// The command line.
        command: String,
        /// How it ended.
        status: String,
    },
    /// A seeded bug was not found: the tool that should have found it is blind here.
    #[error(
        "{sanitizer} did not report the bug seeded in {canary}; its other results mean nothing"
    )]
    Blind {
        /// The sanitizer.
        sanitizer: &'static str,
        /// The program that holds the seeded bug.
        canary: String,
    },
    /// Printed files are not what the contract gives.
    #[error("{} stale: {}\n{hint}\nrun `cargo xtask abi` and commit the result", .paths.len(), .paths.join(", "))]
    Stale {
        /// The files.
        paths: Vec<String>,
        /// The first difference.
        hint: String,
    },
    /// The source breaks rules of the house.
    #[error("{0} place(s) break a rule of ARCHITECTURE.md; they are listed above")]
    Rules(usize),
    /// What was measured is not good enough.
    #[error("missed: {0}")]
    Missed(String),
    /// Steps failed.
    #[error("failed: {}", .0.join(", "))]
    Steps(Vec<&'static str>),
    /// A step was named that does not exist.
    #[error("there is no step `{0}`; `cargo xtask test --list` shows all")]
    UnknownStep(String),
    /// A fuzz target was named that does not exist.
    #[error("there is no fuzz target `{name}`; there are: {known}")]
    UnknownTarget {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// Something cannot be brought, or what is there is not usable.
    #[error("cannot bring {what}; {remedy}")]
    Bring {
        /// What.
        what: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A proof was named that does not exist.
    #[error("there is no proof `{0}`; `cargo xtask rtl prove --list` shows all")]
    UnknownProof(String),
    /// A number that a proof wants otherwise.
    #[error("`{0}` stands in no package, or more than once")]
    Size(&'static str),
    /// A seeded bug has no place any more.
    #[error("a bug cannot be seeded in {module}: `{from}` does not stand there once")]
    Seed {
        /// The module.
        module: String,
        /// What should stand there.
        from: &'static str,
    },
    /// Proofs failed, or did not find what they should.
    #[error("{failed} of {of} proofs failed; they are named above")]
    Proofs {
        /// How many.
        failed: usize,
        /// Of how many.
        of: usize,
    },
    /// A case or a boot of the virtual machine was named that does not exist.
    #[error("there is no case or boot `{0}`; `cargo xtask vm --list` shows all")]
    UnknownCase(String),
    /// Something on the host's side of a virtual machine went wrong.
    #[error("boot `{boot}`: {what}; its logs are in {}", .logs.display())]
    Boot {
        /// Which boot.
        boot: &'static str,
        /// What happened.
        what: String,
        /// Where to look.
        logs: PathBuf,
    },
    /// Cases in the virtual machine failed, or boots did not come to an end.
    #[error("{failed} of {of} did not hold; what failed and where its logs are stands above")]
    Cases {
        /// How many failed.
        failed: usize,
        /// How many there were.
        of: usize,
    },
    /// A file or folder could not be read or written.
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
    /// There is no core library for the firmware's processor, and nothing to make one from.
    #[error(
        "no core library for {target} and rustc {release}; tried:\n  {tried}\n\
         any of these helps:\n  rustup target add {target}\n  rustup component add rust-src\n  \
         FLUE_CORE_SRC=… with the folder `library` of the sources of rustc {release}, or an archive"
    )]
    NoCore {
        /// The processor.
        target: String,
        /// The compiler's release.
        release: String,
        /// What was tried, and why it did not do.
        tried: String,
    },
    /// A firmware image cannot be read.
    #[error("{} is no firmware image: {why}", .path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A firmware image takes too much, or contains what it must not.
    #[error("the image breaks {0} rule(s); they are listed above")]
    Limits(usize),
    /// Goals of speed were missed.
    #[error("{0} goal(s) missed; the table above says which")]
    Goals(usize),
    /// Something that was to be measured was not.
    #[error("the measurement is not complete: {0} part(s) of it failed; they are listed above")]
    Incomplete(usize),
    /// A file is there but does not say what it must.
    #[error("{}: {expected}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What was expected of it.
        expected: &'static str,
    },
}
