//! One client's stream of messages: framed, answered one by one, in order.
//!
//! Between a [`Channel`] and [`Function`]. Every message is read whole before anything is done
//! about it, whatever it is, and answered once unless it says otherwise, so the stream stays in
//! step; what cannot be framed ends the connection and nothing else.
//! Invariant: no more than [`MESSAGE_MAX`] bytes and [`FILES_PER_MESSAGE_MAX`] files of a client
//! are held at a time.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use abi::host::limit::VECTORS_MAX;
use rustix::io::Errno;

use super::event::ServeEvent;
use super::function::Function;
use super::protocol::{HEADER_BYTES, Header, MESSAGE_MAX, Reply, Request, TRANSFER_MAX, command};
use crate::iommu::MAPPINGS_MAX;

/// Files that may come with one message: an eventfd a vector.
pub const FILES_PER_MESSAGE_MAX: usize = VECTORS_MAX as usize;
/// Version of the protocol that is spoken.
const MAJOR: u16 = 0;
const MINOR: u16 = 1;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A message that agrees on a version; all until then within a bound.
    First,
    /// The next message, as long as it takes.
    Message,
    /// The rest of a message that has begun, within a bound.
    Rest,
}

/// A stream of bytes and files to and from a client.
pub trait Channel {
    /// Reads at least one byte into the front of `bytes` and appends the files that come with
    /// them. Returns how many bytes; 0 at the end of the stream.
    ///
    /// # Errors
    /// Why there will be no more.
    fn receive(
        &mut self,
        bytes: &mut [u8],
        files: &mut Vec<OwnedFd>,
        wait: Wait,
    ) -> Result<usize, Gone>;

    /// Writes at least one byte from the front of `bytes`, with `file`. Returns how many.
    ///
    /// # Errors
    /// Why nothing will be written any more.
    fn send(&mut self, bytes: &[u8], file: Option<BorrowedFd<'_>>) -> Result<usize, Gone>;
}

/// Why a connection has ended.
#[derive(Debug, thiserror::Error)]
pub enum Gone {
    /// The client has closed it, between two messages.
    #[error("it has closed the connection")]
    Closed,
    /// The server was asked to stop.
    #[error("the server was asked to stop")]
    Stopped,
    /// The client has closed it, or died, within a message.
    #[error("it has closed the connection within a message")]
    Cut,
    /// The first message, the rest of one, or room for a reply, did not come in time.
    #[error(
        "it was too slow: {waited_ms} ms to agree on a version, for the rest of a message, or to take a reply"
    )]
    Slow {
        /// How long that was waited for.
        waited_ms: u64,
    },
    /// A message is shorter than its header, or longer than any.
    #[error("a message of {bytes} bytes; {HEADER_BYTES} to {MESSAGE_MAX} are taken")]
    Size {
        /// What its header says.
        bytes: u32,
    },
    /// A reply came to a command that was never sent.
    #[error("a message that is no command: flags for a reply, which nobody waits for")]
    NotACommand,
    /// More files came with a message than any needs.
    #[error("more than {FILES_PER_MESSAGE_MAX} files with one message")]
    Files,
    /// The client speaks another version.
    #[error("it speaks version {major}, not {MAJOR}")]
    Version {
        /// Which one.
        major: u16,
    },
    /// The system refused to read or write.
    #[error("the connection failed")]
    System(#[source] io::Error),
}

/// Answers a client until it goes, and says why it went. What it had is still there; then
/// [`Function::renew`] is due.
pub fn converse(
    channel: &mut dyn Channel,
    function: &mut Function,
    report: &mut dyn FnMut(ServeEvent),
) -> Gone {
    let mut connection = Connection { channel, body: Vec::new(), is_negotiated: false };
    let mut reply = Reply::default();
    loop {
        if let Err(gone) = connection.step(function, &mut reply, report) {
            return gone;
        }
    }
}

struct Connection<'a> {
    channel: &'a mut dyn Channel,
    body: Vec<u8>,
    is_negotiated: bool,
}

impl Connection<'_> {
    /// One message and its answer.
    fn step(
        &mut self,
        function: &mut Function,
        reply: &mut Reply,
        report: &mut dyn FnMut(ServeEvent),
    ) -> Result<(), Gone> {
        let (header, files) = self.receive()?;
        reply.clear();
        let mut end = None;
        let request = Request::parse(header.command, &self.body);
        let result = request.and_then(|request| match request {
            Request::Version { .. } if self.is_negotiated || !files.is_empty() => Err(Errno::INVAL),
            Request::Version { major: MAJOR, minor } => {
                self.is_negotiated = true;
                agree(minor, reply);
                Ok(())
            }
            Request::Version { major, .. } => {
                end = Some(Gone::Version { major });
                Err(Errno::INVAL)
            }
            _ if !self.is_negotiated => Err(Errno::INVAL),
            request => function.answer(request, files, reply, report),
        });
        if result.is_ok() && header.command == command::DMA_UNMAP {
            reply.bytes(&self.body);
        }
        if let Err(errno) = result
            && [command::DMA_MAP, command::DMA_UNMAP].contains(&header.command)
        {
            function.miss_window(errno);
        }
        if header.wants_reply() {
            reply.close(&header, result);
            self.send(reply)?;
        }
        end.map_or(Ok(()), Err)
    }

    /// Reads a message whole: its body is in `self.body` then.
    fn receive(&mut self) -> Result<(Header, Vec<OwnedFd>), Gone> {
        let mut files = Vec::new();
        let mut header = [0; HEADER_BYTES];
        let wait = if self.is_negotiated { Wait::Message } else { Wait::First };
        let first = self.channel.receive(&mut header, &mut files, wait)?;
        if first == 0 {
            return Err(Gone::Closed);
        }
        check(&files)?;
        fill(self.channel, &mut header[first..], &mut files)?;
        let header = Header::parse(&header);
        let bytes = header.bytes as usize;
        if !(HEADER_BYTES..=MESSAGE_MAX).contains(&bytes) {
            return Err(Gone::Size { bytes: header.bytes });
        }
        if !header.is_command() {
            return Err(Gone::NotACommand);
        }
        self.body.resize(bytes - HEADER_BYTES, 0);
        fill(self.channel, &mut self.body, &mut files)?;
        Ok((header, files))
    }

    fn send(&mut self, reply: &Reply) -> Result<(), Gone> {
        let mut file = reply.file().map(|file| file.as_fd());
        let mut rest = reply.message();
        while !rest.is_empty() {
            let sent = self.channel.send(rest, file.take())?;
            rest = rest.get(sent..).unwrap_or_default();
        }
        Ok(())
    }
}

/// Reads the rest of a message.
fn fill(
    channel: &mut dyn Channel,
    mut bytes: &mut [u8],
    files: &mut Vec<OwnedFd>,
) -> Result<(), Gone> {
    while !bytes.is_empty() {
        let read = channel.receive(bytes, files, Wait::Rest)?;
        if read == 0 {
            return Err(Gone::Cut);
        }
        bytes = bytes.get_mut(read..).unwrap_or_default();
        check(files)?;
    }
    Ok(())
}

/// Looks whether more files have come than any message needs.
fn check(files: &[OwnedFd]) -> Result<(), Gone> {
    if files.len() > FILES_PER_MESSAGE_MAX { Err(Gone::Files) } else { Ok(()) }
}

/// Answers VERSION: the lower minor version, and what the server takes.
fn agree(minor: u16, reply: &mut Reply) {
    reply.bytes(&MAJOR.to_le_bytes()).bytes(&minor.min(MINOR).to_le_bytes());
    let text = format!(
        "{{\"capabilities\":{{\"max_msg_fds\":{FILES_PER_MESSAGE_MAX},\
         \"max_data_xfer_size\":{TRANSFER_MAX},\"max_dma_maps\":{MAPPINGS_MAX},\
         \"pgsizes\":4096}}}}"
    );
    reply.bytes(text.as_bytes()).bytes(&[0]);
}
