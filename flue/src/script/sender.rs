//! Sends the packets of a script and follows each to its end.
//!
//! From `run` to the transmit ring. A `send` is settled when each of its frames has left, is held
//! by the card, or was dropped. Every packet carries its path's own sequence number, so that each
//! frame can be told from all others.

use std::collections::{HashMap, HashSet};

use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::status::TransmitStatus;
use host_driver::backing::Backing;
use host_driver::{Error, NotPosted, Session, Transmitter};

use super::names::Addresses;
use crate::packet;
use crate::wait::Deadline;

/// Packets posted between two looks at the completions.
const BATCH: u32 = 64;
/// Time for which a wait for frames goes on without any progress, on the card's clock.
const STANDSTILL_NS: u64 = 5_000_000_000;

/// What became of the frames of one `send`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Crossed the port.
    pub(crate) left: u32,
    /// Wait on the card.
    pub(crate) held: u32,
    /// Will never leave.
    pub(crate) dropped: u32,
    /// Of the dropped: the handle names no path and no connection.
    pub(crate) stale: u32,
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// The path or the connection.
    pub(crate) handle: Handle,
    /// The path, whose sequence numbers the frames carry.
    pub(crate) path: Handle,
    /// Whether the object is on the card, as far as the card has said.
    pub(crate) is_live: bool,
    pub(crate) addresses: Addresses,
    /// Bytes of each IP payload.
    pub(crate) bytes: u32,
    pub(crate) count: u32,
}

/// Owns the transmit ring of a run.
pub(crate) struct Sender {
    transmitter: Transmitter,
    /// Next sequence number of each path.
    sequences: HashMap<Handle, u64>,
    packet: Vec<u8>,
    /// Number of the `send` that is under way; the tag of its frames.
    current: u32,
    /// What each `send` was for, by its number.
    handles: Vec<Handle>,
    /// Connections whose upload the card has asked for: what is sent on them is dropped.
    uploads: HashSet<Handle>,
    /// Upload had been asked for when the `send` that is under way began.
    was_uploaded: bool,
    sent: Sent,
}

impl Sender {
    /// Takes the first transmit ring.
    ///
    /// # Errors
    /// What the session says when the ring cannot be had.
    pub(crate) fn new<B: Backing>(session: &Session<B>) -> Result<Self, Error> {
        Ok(Self {
            transmitter: session.transmitter(0)?,
            sequences: HashMap::new(),
            packet: Vec::new(),
            current: 0,
            handles: vec![Handle::NULL],
            uploads: HashSet::new(),
            was_uploaded: false,
            sent: Sent::default(),
        })
    }

    /// Sends packets and waits until each has left, is held, or was dropped.
    ///
    /// # Errors
    /// When the card completes what was never posted.
    pub(crate) fn send<B: Backing>(
        &mut self,
        session: &Session<B>,
        request: Request,
    ) -> Result<Sent, NotPosted> {
        self.reap()?;
        self.current = self.handles.len() as u32;
        self.handles.push(request.handle);
        self.was_uploaded = self.uploads.contains(&request.handle);
        self.sent = Sent::default();
        let Addresses { source, destination } = request.addresses;
        let total = packet::header_bytes(destination) + request.bytes as usize;
        let first = *self.sequences.entry(request.path).or_default();
        self.sequences.insert(request.path, first + u64::from(request.count));
        if total > limit::MTU_MAX as usize {
            // Larger than any path MTU, and larger than a buffer: it could not even be posted.
            let stale = if request.is_live { 0 } else { request.count };
            return Ok(Sent { dropped: request.count, stale, ..Sent::default() });
        }
        for number in 0..request.count {
            let mark = (first + u64::from(number)).to_be_bytes();
            packet::write(&mut self.packet, source, destination, mark, request.bytes as usize);
            self.post(session, request.handle)?;
            if number % BATCH == BATCH - 1 {
                self.transmitter.publish();
                self.reap()?;
            }
        }
        self.settle(session)?;
        self.sent.held = request.count - self.sent.left - self.sent.dropped;
        Ok(self.sent)
    }

    /// Waits until every frame posted has left, is held or was dropped: also those that a relink
    /// has just released.
    ///
    /// # Errors
    /// When the card completes what was never posted.
    pub(crate) fn settle<B: Backing>(&mut self, session: &Session<B>) -> Result<(), NotPosted> {
        self.transmitter.publish();
        let backing = session.backing();
        let mut deadline = Deadline::after(&**backing, STANDSTILL_NS);
        loop {
            let reaped = self.reap()?;
            if self.transmitter.is_settled() {
                return Ok(());
            }
            if reaped > 0 {
                deadline = Deadline::after(&**backing, STANDSTILL_NS);
            }
            if !deadline.relax(&**backing) {
                return Ok(());
            }
        }
    }

    /// Looks at completions without waiting.
    ///
    /// # Errors
    /// When the card completes what was never posted.
    pub(crate) fn reap(&mut self) -> Result<usize, NotPosted> {
        let Self { current, sent, handles, uploads, was_uploaded, .. } = self;
        self.transmitter.reap(|done| {
            let is_upload = done.status == TransmitStatus::UPLOAD_IN_PROGRESS;
            if let Some(handle) = handles.get(done.tag as usize).filter(|_| is_upload) {
                uploads.insert(*handle);
            }
            // A frame that made the card ask for upload was held first; it may be given back
            // before this program has looked, and still it was held.
            if done.tag != *current || is_upload && !*was_uploaded {
                return;
            }
            if done.status == TransmitStatus::LEFT {
                sent.left += 1;
            } else {
                sent.dropped += 1;
                sent.stale += u32::from(done.status == TransmitStatus::STALE_HANDLE);
            }
        })
    }

    /// Posts the packet; waits for room as long as the card makes any.
    fn post<B: Backing>(&mut self, session: &Session<B>, handle: Handle) -> Result<(), NotPosted> {
        let backing = session.backing();
        let mut deadline = None;
        loop {
            let full = match self.transmitter.post(handle, &self.packet, self.current) {
                Err(full @ NotPosted::Full { .. }) => full,
                posted => return posted,
            };
            self.transmitter.publish();
            self.reap()?;
            let deadline =
                deadline.get_or_insert_with(|| Deadline::after(&**backing, STANDSTILL_NS));
            if !deadline.relax(&**backing) {
                return Err(full);
            }
        }
    }
}
