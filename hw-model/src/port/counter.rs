//! A port that counts what crosses it and keeps nothing.
//!
//! For throughput and for tests that look at numbers only. It never refuses a frame.
//! The numbers can be read by any thread while frames cross.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Port;

/// Counts frames and bytes.
#[derive(Debug, Default)]
pub struct CounterPort {
    crossings: Arc<Crossings>,
}

/// What crossed a [`CounterPort`].
#[derive(Debug, Default)]
pub struct Crossings {
    frames: AtomicU64,
    bytes: AtomicU64,
}

impl CounterPort {
    /// A port, and the place where its counts can be read.
    #[must_use]
    pub fn new() -> (Self, Arc<Crossings>) {
        let port = Self::default();
        let crossings = Arc::clone(&port.crossings);
        (port, crossings)
    }
}

impl Crossings {
    /// Frames that crossed so far.
    #[must_use]
    pub fn frames(&self) -> u64 {
        // ORDERING: Acquire. Pairs with the Release in `CounterPort::send`: who sees a frame counted
        // sees its bytes counted. No loom test: nothing but the counts themselves is published.
        self.frames.load(Ordering::Acquire)
    }

    /// Bytes of those frames, Ethernet header included.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        // ORDERING: Relaxed. A count of its own; `frames` orders it for who reads that first.
        // No loom test: nothing but the counts themselves is published.
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Port for CounterPort {
    fn send(&mut self, frame: &[u8], _at_ns: u64) -> bool {
        let Crossings { frames, bytes } = &*self.crossings;
        // ORDERING: Relaxed, all three. This port is the only writer, and the Release below
        // publishes the bytes. No loom test: nothing but the counts themselves is published.
        let seen = (frames.load(Ordering::Relaxed), bytes.load(Ordering::Relaxed));
        bytes.store(seen.1 + frame.len() as u64, Ordering::Relaxed);
        // ORDERING: Release. Pairs with the Acquire in `Crossings::frames`; publishes the bytes.
        // No loom test: nothing but the counts themselves is published.
        frames.store(seen.0 + 1, Ordering::Release);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_every_frame_and_byte() {
        let (mut port, crossings) = CounterPort::new();
        assert!(port.send(&[0; 60], 1));
        assert!(port.send(&[0; 14], 2));
        assert_eq!((crossings.frames(), crossings.bytes()), (2, 74));
    }
}
