//! Transmit: the host's end of a transmit ring, with the packet buffers that it owns.
//!
//! From the caller, to the card. A packet is copied into a buffer; the buffer is the card's from
//! the doorbell until its completion, which may come late if the frame is held. The ring's
//! memory outlives a reset of the card; packets of before it are forgotten.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::position::RingSize;
use abi::host::register;
use abi::host::status::TransmitStatus;
use abi::host::transmit::{PROGRESS, TransmitCompletion, TransmitDescriptor};

use crate::backing::Backing;
use crate::bring_up::{read, start_ring};
use crate::dma::DmaRegion;
use crate::error::Error;
use crate::ring::{Consumer, Producer};
use crate::session::zero;

/// Packet buffers start on cache lines.
const BUFFER_ALIGN: usize = 64;
/// Words of a transmit descriptor.
const DESCRIPTOR_WORDS: usize = TransmitDescriptor::BYTES / 4;

/// A packet that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPosted {
    /// All buffers are under way or held; reap, and try again.
    #[error("the transmit ring is full: {in_flight} packets are under way")]
    Full {
        /// Packets under way.
        in_flight: usize,
    },
    /// Longer than any packet that the session was set up for.
    #[error(
        "the packet has {bytes} bytes; this session sends at most {most} (Config::packet_bytes)"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest.
        most: usize,
    },
    /// The card reports the end of a packet that is not under way.
    #[error(
        "transmit ring {ring}: the card completed packet {packet}, which is not under way; reset it"
    )]
    Nonsense {
        /// Which ring.
        ring: u32,
        /// What the completion says.
        packet: u32,
    },
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransmitDone {
    /// The tag given with it.
    pub tag: u32,
    /// Card time in ms.
    pub stamp_ms: u32,
    /// Left, or why it was dropped.
    pub status: TransmitStatus,
}

/// A transmit ring's memory and positions.
#[derive(Debug)]
pub(crate) struct Wire {
    backing: Arc<dyn Backing>,
    number: u32,
    size: RingSize,
    descriptors: DmaRegion,
    completions: DmaRegion,
    buffers: DmaRegion,
    /// Longest packet.
    packet_bytes: usize,
    /// Distance of two buffers in bytes.
    stride: usize,
    producer: Producer<DESCRIPTOR_WORDS>,
    consumer: Consumer,
    fetched: u32,
    free: Vec<u32>,
    /// Tag of the packet in each buffer, while it is under way.
    tags: Vec<Option<u32>>,
    has_owner: bool,
}

impl Wire {
    /// Transmit ring `number`, for packets of at most `packet_bytes`.
    pub(crate) fn new(
        backing: &Arc<dyn Backing>,
        number: u32,
        size: RingSize,
        packet_bytes: u32,
    ) -> io::Result<Self> {
        let slots = size.slots() as usize;
        let packet_bytes = packet_bytes.min(limit::MTU_MAX) as usize;
        let stride = packet_bytes.next_multiple_of(BUFFER_ALIGN).max(BUFFER_ALIGN);
        Ok(Self {
            backing: Arc::clone(backing),
            number,
            size,
            descriptors: DmaRegion::new(backing, slots * TransmitDescriptor::BYTES)?,
            completions: DmaRegion::new(backing, slots * TransmitCompletion::BYTES)?,
            buffers: DmaRegion::new(backing, slots * stride)?,
            packet_bytes,
            stride,
            producer: Producer::new(size),
            consumer: Consumer::new(size),
            fetched: 0,
            free: Vec::new(),
            tags: Vec::new(),
            has_owner: false,
        })
    }

    /// Starts the ring on the card, positions from 0; every buffer is free.
    pub(crate) fn start(&mut self, vector: u32) {
        let slots = self.size.slots();
        zero(self.completions.memory());
        self.producer = Producer::new(self.size);
        self.consumer = Consumer::new(self.size);
        self.fetched = 0;
        self.free = (0..slots).rev().collect();
        self.tags = vec![None; slots as usize];
        let (base, completions) = (self.descriptors.iova(), self.completions.iova());
        start_ring(&*self.backing, self.number, base, completions, self.size, vector);
    }

    fn post(
        &mut self,
        handle: Handle,
        packet: &[u8],
        tag: u32,
        progress_ms: Option<u32>,
    ) -> Result<(), NotPosted> {
        if packet.len() > self.packet_bytes {
            return Err(NotPosted::TooLong { bytes: packet.len(), most: self.packet_bytes });
        }
        let in_flight = self.in_flight();
        if self.free.is_empty() || self.room() == 0 {
            return Err(NotPosted::Full { in_flight });
        }
        let Some(buffer) = self.free.pop() else { return Err(NotPosted::Full { in_flight }) };
        let offset = buffer as usize * self.stride;
        self.buffers.memory().copy_in(offset, packet);
        self.tags[buffer as usize] = Some(tag);
        let descriptor = TransmitDescriptor {
            handle: handle.0,
            buffer: self.buffers.iova() + offset as u64,
            bytes: packet.len() as u32,
            tag: buffer,
            progress_ms: progress_ms.unwrap_or(0),
            flags: if progress_ms.is_some() { PROGRESS } else { 0 },
        };
        let mut words = [0; DESCRIPTOR_WORDS];
        descriptor.write(&mut words);
        self.producer.write(self.descriptors.memory(), &words);
        Ok(())
    }

    /// Free slots; asks the card how far it has fetched only when none is known to be free.
    fn room(&mut self) -> u32 {
        if self.producer.free(self.fetched) == 0 {
            self.fetched = self.learn_fetched();
        }
        self.producer.free(self.fetched)
    }

    fn learn_fetched(&self) -> u32 {
        let bank = register::RING_FETCHED.bank(self.number, register::RING_STRIDE);
        let fetched = read(&*self.backing, bank);
        let is_possible = self.size.used(fetched, self.producer.published()).is_some();
        if is_possible { fetched } else { self.fetched }
    }

    fn publish(&mut self) {
        if let Some(tail) = self.producer.publish() {
            let doorbell = register::DOORBELL_TAIL.bank(self.number, register::DOORBELL_STRIDE);
            self.backing.write(doorbell.offset, tail);
        }
    }

    fn reap(&mut self, mut done: impl FnMut(TransmitDone)) -> Result<usize, NotPosted> {
        let mut reaped = 0;
        let slots = self.size.slots() as usize;
        while reaped < slots {
            let Some(words) = self.consumer.reap(self.completions.memory()) else { break };
            reaped += 1;
            let completion = TransmitCompletion::read(&words);
            let buffer = completion.tag;
            let tag = self.tags.get_mut(buffer as usize).and_then(Option::take);
            let Some(tag) = tag else {
                return Err(NotPosted::Nonsense { ring: self.number, packet: buffer });
            };
            self.free.push(buffer);
            let status = TransmitStatus(completion.status);
            done(TransmitDone { tag, stamp_ms: completion.stamp_ms, status });
        }
        if reaped != 0 {
            let doorbell = register::DOORBELL_REAPED.bank(self.number, register::DOORBELL_STRIDE);
            self.backing.write(doorbell.offset, self.consumer.reaped());
        }
        Ok(reaped)
    }

    fn in_flight(&self) -> usize {
        self.tags.len() - self.free.len()
    }
}

/// The owner of a transmit ring.
#[derive(Debug)]
pub struct Transmitter {
    wire: Arc<Mutex<Wire>>,
}

impl Transmitter {
    pub(crate) fn open(wire: Arc<Mutex<Wire>>, ring: u32) -> Result<Self, Error> {
        let mut locked = wire.lock().unwrap_or_else(PoisonError::into_inner);
        if locked.has_owner {
            return Err(Error::RingTaken { ring });
        }
        locked.has_owner = true;
        drop(locked);
        Ok(Self { wire })
    }

    /// Copies an IP packet into the ring, for a path or a connection. It goes with the next
    /// [`Transmitter::publish`].
    ///
    /// # Errors
    /// When the ring is full or the packet too long.
    pub fn post(&mut self, handle: Handle, packet: &[u8], tag: u32) -> Result<(), NotPosted> {
        self.wire().post(handle, packet, tag, None)
    }

    /// Like [`Transmitter::post`], and reports forward progress: a frame that left at card time
    /// `progress_ms` (its [`TransmitDone::stamp_ms`]) has since been acknowledged.
    ///
    /// # Errors
    /// When the ring is full or the packet too long.
    pub fn post_progress(
        &mut self,
        handle: Handle,
        packet: &[u8],
        tag: u32,
        progress_ms: u32,
    ) -> Result<(), NotPosted> {
        self.wire().post(handle, packet, tag, Some(progress_ms))
    }

    /// Rings the doorbell for all that was posted since the last time.
    pub fn publish(&mut self) {
        self.wire().publish();
    }

    /// Takes what has left or was dropped; gives its number.
    ///
    /// # Errors
    /// When the card completes what was not under way.
    pub fn reap(&mut self, done: impl FnMut(TransmitDone)) -> Result<usize, NotPosted> {
        self.wire().reap(done)
    }

    /// Packets posted whose end has not been reaped.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.wire().in_flight()
    }

    /// Frames of this ring that the card holds now. Reads the BAR.
    #[must_use]
    pub fn held(&self) -> u32 {
        let wire = self.wire();
        read(&*wire.backing, register::RING_HELD.bank(wire.number, register::RING_STRIDE))
    }

    /// Position up to which the card has fetched. Reads the BAR.
    #[must_use]
    pub fn fetched(&self) -> u32 {
        self.wire().learn_fetched()
    }

    /// Whether the card has taken every packet posted, and each has left, was dropped (and
    /// reaped), or is held. Reads the BAR.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let held = self.held() as usize;
        let wire = self.wire();
        wire.learn_fetched() == wire.producer.tail() && wire.in_flight() == held
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Transmitter {
    fn drop(&mut self) {
        self.wire().has_owner = false;
    }
}
