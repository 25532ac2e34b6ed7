//! A netlink socket to the kernel's route family: batches down, one acknowledgement back.

use std::io;

use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_ROUTE;

use super::message::{ACKNOWLEDGE, HEADER_BYTES, Message};

/// Bytes of the socket's receive buffer, and of ours.
const RECEIVE_BYTES: usize = 1 << 20;
/// A message that says how a request ended.
const ERROR: u16 = 2;
/// Where the flags stand in a message.
const FLAGS_AT: usize = 6;

/// A batch under construction and the socket it goes down.
pub(super) struct Link {
    socket: Socket,
    batch: Vec<u8>,
    /// Where the last message of the batch begins.
    last: usize,
    /// Number of the last message.
    number: u32,
    received: Vec<u8>,
}

impl Link {
    pub(super) fn new() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        // Answers without the request that they answer.
        socket.set_cap_ack(true)?;
        socket.set_rx_buf_sz(RECEIVE_BYTES as u32)?;
        let received = Vec::with_capacity(RECEIVE_BYTES);
        Ok(Self { socket, batch: Vec::new(), last: 0, number: 0, received })
    }

    /// Appends a message to the batch.
    pub(super) fn add(&mut self, message: Message) {
        self.last = self.batch.len();
        self.number = self.number.wrapping_add(1);
        message.append(self.number, &mut self.batch);
    }

    /// Sends one message and waits for its end.
    pub(super) fn send(&mut self, message: Message) -> io::Result<()> {
        self.add(message);
        self.flush()
    }

    /// Sends the batch and waits until its last message was carried out.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let flags = &mut self.batch[self.last + FLAGS_AT..][..2];
        let asked = u16::from_ne_bytes([flags[0], flags[1]]) | ACKNOWLEDGE;
        flags.copy_from_slice(&asked.to_ne_bytes());
        let sent = self.socket.send(&self.batch, 0)?;
        let is_whole = sent == self.batch.len();
        self.batch.clear();
        if !is_whole {
            return Err(io::Error::other("the kernel took half a batch"));
        }
        while !self.receive()? {}
        Ok(())
    }

    /// Takes answers; whether the last message's was among them.
    ///
    /// # Errors
    /// The first error in them, of whichever message.
    fn receive(&mut self) -> io::Result<bool> {
        self.received.clear();
        self.socket.recv(&mut self.received, 0)?;
        let mut rest = self.received.as_slice();
        let mut is_last = false;
        while let Some((header, body)) = rest.split_first_chunk::<HEADER_BYTES>() {
            let word =
                |at: usize| u32::from_ne_bytes(std::array::from_fn(|byte| header[at + byte]));
            let (length, kind, number) = (word(0) as usize, word(4) as u16, word(8));
            if kind == ERROR {
                let code = body.first_chunk::<4>().map_or(0, |code| i32::from_ne_bytes(*code));
                if code != 0 {
                    return Err(io::Error::from_raw_os_error(-code));
                }
                is_last |= number == self.number;
            }
            let next = length.max(HEADER_BYTES).next_multiple_of(4);
            rest = rest.get(next..).unwrap_or(&[]);
        }
        Ok(is_last)
    }
}
