//! A client of the vfio-user server at the end of a stream in memory, which looks at every reply.
//!
//! Between `sentences` and the server's `converse`. No socket, no thread, no sleep: the next piece
//! is made when the server asks for it. It judges replies: one to each message that wants one, in
//! step, whole, and an error with its number and nothing else.

use std::collections::VecDeque;
use std::os::fd::{BorrowedFd, OwnedFd};

use hw_model::vfio_user::{Channel, Gone, MESSAGE_MAX, Wait};

use crate::possessions::{Item, Possessions, SIGNAL};
use crate::sentences::{Piece, Source, message};

const HEADER: usize = 16;
const DMA_MAP: u16 = 2;
const DMA_UNMAP: u16 = 3;
const SET_IRQS: u16 = 8;
const NO_REPLY: u32 = 0x10;
const TYPE: u32 = 0xf;
const ERROR: u32 = 0x20;
/// Most that the server can be made to hold of one message.
const FILES: usize = 16;

/// The client.
pub struct Peer<'a> {
    source: Source<'a>,
    own: &'a mut Possessions,
    stream: VecDeque<Piece>,
    /// What the server has taken since the last message ended.
    message: Vec<u8>,
    items: Vec<Item>,
    reply: Vec<u8>,
    /// Messages that were taken whole.
    pub messages: u64,
}

impl<'a> Peer<'a> {
    /// A client that says what `input` makes it say, after an honest VERSION if it is to.
    #[must_use]
    pub fn new(input: &'a [u8], is_honest: bool, own: &'a mut Possessions) -> Self {
        let version = Piece { bytes: message(0, 1, 20, 0, &[0, 0, 1, 0]), items: Vec::new() };
        let stream = is_honest.then_some(version).into_iter().collect();
        let (message, items, reply) = (Vec::new(), Vec::new(), Vec::new());
        Self { source: Source(input), own, stream, message, items, reply, messages: 0 }
    }

    /// Looks at what the server answered to the message that it has taken, if it is one.
    ///
    /// # Panics
    /// When it is not what it must be.
    pub fn judge(&mut self) {
        let taken = std::mem::take(&mut self.message);
        let reply = std::mem::take(&mut self.reply);
        let items = std::mem::take(&mut self.items);
        let Some(&[a, b, c, d, ..]) = taken.first_chunk::<HEADER>() else {
            assert!(reply.is_empty(), "a reply to no message");
            return;
        };
        let (bytes, flags) = (word(&taken, 4), word(&taken, 8));
        let is_whole = bytes as usize == taken.len() && flags & TYPE == 0;
        if !is_whole || items.len() > FILES {
            assert!(reply.is_empty(), "a reply to what is no message: {taken:x?}");
            return;
        }
        self.messages += 1;
        let command = u16::from_le_bytes([c, d]);
        if flags & NO_REPLY != 0 {
            assert!(reply.is_empty(), "a reply that nobody wanted: {reply:x?}");
            // Whether it was done cannot be seen: nothing is taken back by it.
            if command != DMA_UNMAP {
                self.note(command, &taken, &items);
            }
            return;
        }
        let is_done = {
            assert_eq!(reply.get(..4), Some(&[a, b, c, d][..]), "in step, to {taken:x?}");
            assert_eq!(word(&reply, 4) as usize, reply.len(), "one reply, whole");
            let (flags, errno) = (word(&reply, 8), word(&reply, 12));
            assert_eq!(flags, if errno == 0 { 1 } else { 1 | ERROR }, "{reply:x?}");
            assert!(errno == 0 || reply.len() == HEADER, "an error has a header only");
            assert!(reply.len() <= MESSAGE_MAX, "within what was agreed on");
            errno == 0
        };
        if is_done {
            let is_right = match command {
                DMA_MAP => items.iter().all(|item| Possessions::is_sealed(*item)),
                SET_IRQS => items.iter().all(|item| *item == SIGNAL),
                _ => items.is_empty(),
            };
            assert!(is_right, "{items:?} were taken by command {command}");
            self.note(command, &taken, &items);
        }
    }

    /// Remembers what the server may touch from now on.
    fn note(&mut self, command: u16, taken: &[u8], items: &[Item]) {
        if command == DMA_MAP && taken.len() == HEADER + 32 {
            let [offset, first, bytes] = [24, 32, 40].map(|at| long(taken, at));
            for item in items.iter().filter(|_| word(taken, 20) & 2 != 0) {
                self.own.lend(*item, offset, first, bytes);
            }
        }
        if command == DMA_UNMAP && taken.len() == HEADER + 24 {
            let (first, bytes) = (long(taken, 24), long(taken, 32));
            match word(taken, 20) {
                0 => self.own.take_back(first, first + (bytes - 1)),
                _ => self.own.take_back(0, u64::MAX),
            }
        }
        self.own.is_signal_lent |= command == SET_IRQS && items.contains(&SIGNAL);
    }
}

impl Channel for Peer<'_> {
    fn receive(
        &mut self,
        bytes: &mut [u8],
        files: &mut Vec<OwnedFd>,
        wait: Wait,
    ) -> Result<usize, Gone> {
        if wait != Wait::Rest {
            self.judge();
        }
        while self.stream.front().is_none_or(|piece| piece.bytes.is_empty()) {
            self.stream.pop_front();
            if self.stream.is_empty() {
                if self.source.is_empty() {
                    return Ok(0);
                }
                self.stream.push_back(self.source.piece(self.own));
            }
        }
        let piece = self.stream.front_mut().expect("the loop has found one");
        let count = bytes.len().min(piece.bytes.len());
        let rest = piece.bytes.split_off(count);
        let taken = std::mem::replace(&mut piece.bytes, rest);
        bytes[..count].copy_from_slice(&taken);
        self.message.extend(taken);
        for item in std::mem::take(&mut piece.items) {
            files.push(self.own.duplicate(item));
            self.items.push(item);
        }
        Ok(count)
    }

    fn send(&mut self, bytes: &[u8], _file: Option<BorrowedFd<'_>>) -> Result<usize, Gone> {
        self.reply.extend(bytes);
        Ok(bytes.len())
    }
}

fn word(message: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|byte| message[at + byte]))
}

fn long(message: &[u8], at: usize) -> u64 {
    u64::from(word(message, at)) | u64::from(word(message, at + 4)) << 32
}
