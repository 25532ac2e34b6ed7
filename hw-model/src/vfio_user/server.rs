//! Clients one after another, at a socket in the file system.
//!
//! Top of the flow. One thread, that of the caller; a client that comes while another is served
//! waits. A client's end is never the server's: only an order to stop is, or a system that cannot
//! make the next card.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use vmm_sys_util::epoll::EventSet;
use vmm_sys_util::eventfd::EventFd;

use super::connection::{Gone, converse};
use super::event::ServeEvent;
use super::function::Function;
use super::readiness::{Readiness, Ready};
use super::socket::{PATIENCE, Socket};

/// Rest after a client could not be accepted because this process or the system had no file
/// descriptors left: others may give some back.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Why a card cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another server listens there.
    #[error("{} is in use: another server listens there; stop it, or choose another path", path.display())]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// Something that is no socket is there.
    #[error("{} is there already and is no socket: choose another path, or remove it", path.display())]
    NoSocket {
        /// What is there.
        path: PathBuf,
    },
    /// The socket could not be made.
    #[error(
        "cannot listen at {}: check that its folder exists and is writable, and that the path is \
         shorter than 108 bytes",
        path.display()
    )]
    Bind {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// No client can be accepted any more.
    #[error("cannot accept clients")]
    Accept(#[source] io::Error),
    /// The system could not make the next client's card.
    #[error("cannot make a card for the next client: check memory and the limit of open files")]
    Renew(#[source] io::Error),
}

/// Listens at a socket, which goes away with it.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the socket file, to remove no other.
    file: Option<(u64, u64)>,
    patience: Duration,
}

impl Server {
    /// Makes the socket at `path`. One that a server which is gone has left behind is replaced.
    ///
    /// # Errors
    /// [`ServeError::InUse`], [`ServeError::NoSocket`] or [`ServeError::Bind`].
    pub fn bind(path: &Path) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Bind { path: path.to_owned(), source };
        remove_stale(path)?;
        let listener = UnixListener::bind(path).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self { listener, path: path.to_owned(), file: file_at(path), patience: PATIENCE })
    }

    /// Gives clients less or more time than [`PATIENCE`] for a message.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The socket.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Serves one client after another until `stop` can be read.
    ///
    /// # Errors
    /// [`ServeError::Accept`] or [`ServeError::Renew`].
    pub fn run(
        &self,
        function: &mut Function,
        stop: &EventFd,
        report: &mut dyn FnMut(ServeEvent),
    ) -> Result<(), ServeError> {
        if !function.is_there() {
            function.renew().map_err(ServeError::Renew)?;
        }
        let listener = self.listener.as_raw_fd();
        let mut readiness = Readiness::new(listener, stop).map_err(ServeError::Accept)?;
        loop {
            let Some(stream) = self.next_client(&mut readiness)? else {
                return Ok(());
            };
            report(ServeEvent::Connected);
            let gone = match Socket::new(stream, stop, self.patience) {
                Ok(mut socket) => converse(&mut socket, function, report),
                Err(error) => Gone::System(error),
            };
            function.renew().map_err(ServeError::Renew)?;
            report(ServeEvent::Gone { why: chain(&gone) });
            if matches!(gone, Gone::Stopped) {
                return Ok(());
            }
        }
    }

    /// The next client; `None` when it is time to stop.
    fn next_client(&self, readiness: &mut Readiness) -> Result<Option<UnixStream>, ServeError> {
        let mut rest = None;
        loop {
            // After exhaustion only the order to stop is waited for: the listener stays ready.
            let interest = if rest.is_some() { EventSet::empty() } else { EventSet::IN };
            if readiness.wait(interest, rest).map_err(ServeError::Accept)? == Ready::Stop {
                return Ok(None);
            }
            rest = None;
            match self.listener.accept() {
                Ok((stream, _)) => return Ok(Some(stream)),
                Err(error) if is_exhausted(&error) => rest = Some(EXHAUSTED),
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(ServeError::Accept(error)),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.file.is_some() && file_at(&self.path) == self.file {
            // Somebody else may have removed it meanwhile, which is as good.
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Removes a socket that nobody listens at.
fn remove_stale(path: &Path) -> Result<(), ServeError> {
    let failed = |source| ServeError::Bind { path: path.to_owned(), source };
    let there = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        there => there.map_err(failed)?,
    };
    if !there.file_type().is_socket() {
        return Err(ServeError::NoSocket { path: path.to_owned() });
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed)
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(failed(error)),
        _ => Err(ServeError::InUse { path: path.to_owned() }),
    }
}

fn file_at(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|there| (there.dev(), there.ino()))
}

/// No descriptors or memory left, in this process or in the system.
fn is_exhausted(error: &io::Error) -> bool {
    let exhausted = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|errno| exhausted.contains(&errno))
}

/// A client that went before it was accepted, or nothing at all.
fn is_passing(error: &io::Error) -> bool {
    let kinds =
        [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted, io::ErrorKind::ConnectionAborted];
    kinds.contains(&error.kind())
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line = format!("{line}: {error}");
        source = error.source();
    }
    line
}
