//! A client's Unix socket as a [`Channel`].
//!
//! Below `connection`. Every wait also waits for the order to stop, and is bounded once a message
//! has begun. It does not look into bytes.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use vmm_sys_util::epoll::EventSet;
use vmm_sys_util::eventfd::EventFd;

use super::connection::{Channel, FILES_PER_MESSAGE_MAX, Gone, Wait};
use super::readiness::{Readiness, Ready};

/// How long a client may take to agree on a version, for the rest of a message, or to make room
/// for a reply: as long as QEMU waits for one.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The client's end, and who may order to stop.
#[derive(Debug)]
pub(crate) struct Socket {
    readiness: Readiness,
    stream: UnixStream,
    patience: Duration,
    /// When patience with the message under way ends.
    deadline: Instant,
}

impl Socket {
    /// A connection that was accepted.
    pub(crate) fn new(stream: UnixStream, stop: &EventFd, patience: Duration) -> io::Result<Self> {
        let readiness = Readiness::new(stream.as_raw_fd(), stop)?;
        let deadline = Instant::now() + patience;
        Ok(Self { readiness, stream, patience, deadline })
    }

    /// Waits until the stream can do `interest`.
    fn wait(&mut self, interest: EventSet, wait: Wait) -> Result<(), Gone> {
        let limit = match wait {
            Wait::Message => None,
            Wait::First | Wait::Rest => {
                Some(self.deadline.saturating_duration_since(Instant::now()))
            }
        };
        match self.readiness.wait(interest, limit) {
            Ok(Ready::Descriptor | Ready::Again) => Ok(()),
            Ok(Ready::Stop) => Err(Gone::Stopped),
            Ok(Ready::Late) => Err(Gone::Slow { waited_ms: self.patience.as_millis() as u64 }),
            Err(error) => Err(Gone::System(error)),
        }
    }
}

impl Channel for Socket {
    fn receive(
        &mut self,
        bytes: &mut [u8],
        files: &mut Vec<OwnedFd>,
        wait: Wait,
    ) -> Result<usize, Gone> {
        loop {
            // Before every message, so that one who never stops sending cannot keep the server.
            if wait != Wait::Rest {
                self.wait(EventSet::IN, wait)?;
            }
            match receive(self.stream.as_fd(), bytes, files) {
                Err(Errno::AGAIN | Errno::INTR) => self.wait(EventSet::IN, wait)?,
                Err(errno) => return Err(gone(errno)),
                Ok((_, true)) => return Err(Gone::Files),
                Ok((read, false)) => {
                    if wait == Wait::Message {
                        self.deadline = Instant::now() + self.patience;
                    }
                    return Ok(read);
                }
            }
        }
    }

    fn send(&mut self, bytes: &[u8], file: Option<BorrowedFd<'_>>) -> Result<usize, Gone> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let file = file.as_slice();
        loop {
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !file.is_empty() {
                assert!(
                    control.push(SendAncillaryMessage::ScmRights(file)),
                    "the space is for one file"
                );
            }
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            match sendmsg(&self.stream, &[IoSlice::new(bytes)], &mut control, flags) {
                Err(Errno::AGAIN | Errno::INTR) => self.wait(EventSet::OUT, Wait::Rest)?,
                Err(errno) => return Err(gone(errno)),
                Ok(sent) => return Ok(sent),
            }
        }
    }
}

/// Reads once, and says whether more files came than fit.
fn receive(
    stream: BorrowedFd<'_>,
    bytes: &mut [u8],
    files: &mut Vec<OwnedFd>,
) -> Result<(usize, bool), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES_PER_MESSAGE_MAX))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(stream, &mut [IoSliceMut::new(bytes)], &mut control, flags)?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            files.extend(received);
        }
    }
    Ok((received.bytes, received.flags.contains(ReturnFlags::CTRUNC)))
}

fn gone(errno: Errno) -> Gone {
    match errno {
        Errno::CONNRESET | Errno::PIPE => Gone::Cut,
        errno => Gone::System(errno.into()),
    }
}
