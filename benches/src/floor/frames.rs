//! Frames of a busy card, both ends: descriptors and packets down, frames out, completions up.
//!
//! For [`super::command`], as information: what a card's reader has to do for a frame besides the
//! lookup, at the least. A descriptor names what to look up; its packet, in the host's memory, is
//! copied behind a header into a frame, and a completion tells the host that the buffer is its own
//! again. Positions hand all of it over, a batch at a time.
//!
//! | word | writer | reader | store | load | publishes |
//! | --- | --- | --- | --- | --- | --- |
//! | `posted` | host | card | Release | Acquire | descriptors and packets below it |
//! | `left` | card | host | Release | Acquire | completions below it |

use std::hint::black_box;

use super::chain::Chain;
use super::command::BATCH;
use super::ring::Position;
use crate::chance::Chance;
use crate::raw::HandOver;

/// Frames that are posted before each command: at the longest pause before it, a batch is still
/// under way.
const FRAMES: usize = 1024;
/// Bytes of an Ethernet header, and of the packet that fills the smallest frame behind it.
const HEADER_BYTES: usize = 14;
const PACKET_BYTES: usize = 46;
/// Seed of the paths that frames are sent along.
const FRAME_SEED: u64 = 99;

/// What is posted for a frame.
type Descriptor = [u64; 4];
/// A packet, alone on its cache line as buffers of packets are.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Packet([u8; PACKET_BYTES]);
/// What tells that a frame has left.
type Completion = [u64; 2];

/// What both ends share.
pub struct Frames {
    descriptors: HandOver<Descriptor, FRAMES>,
    packets: HandOver<Packet, FRAMES>,
    completions: HandOver<Completion, FRAMES>,
    posted: Position,
    left: Position,
}

/// The host's end.
pub struct Host<'a> {
    frames: &'a Frames,
    posted: usize,
    reaped: usize,
    connections: u64,
    chance: Chance,
}

/// The card's end.
pub struct Card<'a> {
    frames: &'a Frames,
    left: usize,
    posted_seen: usize,
    frame: [u8; HEADER_BYTES + PACKET_BYTES],
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            descriptors: HandOver::new([0; 4]),
            packets: HandOver::new(Packet([0; PACKET_BYTES])),
            completions: HandOver::new([0; 2]),
            posted: Position::default(),
            left: Position::default(),
        }
    }
}

impl Frames {
    /// The host's end, of frames for so many connections.
    #[must_use]
    pub fn host(&self, connections: usize) -> Host<'_> {
        let chance = Chance::new(FRAME_SEED);
        Host { frames: self, posted: 0, reaped: 0, connections: connections as u64, chance }
    }

    /// The card's end.
    #[must_use]
    pub fn card(&self) -> Card<'_> {
        let frame = [0; HEADER_BYTES + PACKET_BYTES];
        Card { frames: self, left: 0, posted_seen: 0, frame }
    }
}

impl Host<'_> {
    /// Reaps what has left, and fills up what is under way.
    ///
    /// # Panics
    /// When a completion is not of the frame that left.
    pub fn keep_busy(&mut self) {
        for position in self.reaped..self.frames.left.look() {
            let [tag, _] = self.frames.completions.read(position);
            assert_eq!(tag, position as u64, "completions come in order");
            self.reaped += 1;
        }
        for position in self.posted..self.reaped + FRAMES {
            let connection = self.chance.below(self.connections);
            self.frames.packets.write(position, Packet([position as u8; PACKET_BYTES]));
            self.frames.descriptors.write(position, [connection, 0, 0, position as u64]);
        }
        self.posted = self.reaped + FRAMES;
        self.frames.posted.show(self.posted);
    }

    /// Whether a batch is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.posted - self.frames.left.look() >= BATCH
    }
}

impl Card<'_> {
    /// Sends the next batch, if there are frames enough for one.
    #[inline(always)]
    pub fn send(&mut self, chain: &Chain) {
        if self.posted_seen - self.left < BATCH {
            self.posted_seen = self.frames.posted.look();
            if self.posted_seen - self.left < BATCH {
                return;
            }
        }
        let batch = self.left..self.left + BATCH;
        let mut descriptors: [Descriptor; BATCH] = [[0; 4]; BATCH];
        let mut keys = [0; BATCH];
        for ((descriptor, key), position) in
            descriptors.iter_mut().zip(&mut keys).zip(batch.clone())
        {
            *descriptor = self.frames.descriptors.read(position);
            *key = descriptor[0] as u32;
        }
        let header = chain.batches::<BATCH>(&keys).to_ne_bytes();
        for (descriptor, position) in descriptors.iter().zip(batch.clone()) {
            let Packet(packet) = self.frames.packets.read(position);
            self.frame[..header.len()].copy_from_slice(&header);
            self.frame[HEADER_BYTES..].copy_from_slice(&packet);
            black_box(&self.frame);
            self.frames.completions.write(position, [descriptor[3], 0]);
        }
        self.left = batch.end;
        self.frames.left.show(self.left);
    }
}
