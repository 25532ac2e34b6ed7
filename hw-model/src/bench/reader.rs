//! The host's end of the mirror: frames in the order in which they crossed, and how many did.
//!
//! From `mirror`, to who judges frames: a capture, an observer. What the card writes is checked;
//! the first thing that cannot be ends the reading, and [`MirrorReader::error`] says what it was.
//! Numbers on the card are 32 bits wide and start at its power-on; here they are 64.

use std::sync::atomic::{AtomicU64, Ordering};

use abi::host::bench::MirrorRecord;
use host_driver::memory::{Memory, Words};

use super::mirror::{self, MirrorError, MirrorShape, MirrorTail};

/// A frame that was read, apart from its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossed {
    /// How many frames crossed before it, since the card was powered on.
    pub number: u64,
    /// Card time in ns.
    pub at_ns: u64,
}

/// Reads the mirror of a served card.
///
/// One reader at a time takes frames out; others may look at the numbers.
#[derive(Debug)]
pub struct MirrorReader {
    memory: Memory,
    tail: MirrorTail,
    /// Number of the frame that was read last.
    last: u64,
    /// Frames that had crossed when that was asked last.
    crossed: AtomicU64,
    error: Option<MirrorError>,
}

impl MirrorReader {
    /// Reads `memory`, which is BAR2 from the mirror's page on, from where the last reader stopped.
    ///
    /// # Panics
    /// When `memory` is smaller than that.
    #[must_use]
    pub fn new(memory: Memory) -> Self {
        assert!(memory.len() >= MirrorShape::BAR2.words(), "the mirror lies in BAR2 to its end");
        let tail = MirrorTail::new(MirrorShape::BAR2, &memory);
        Self { memory, tail, last: 0, crossed: AtomicU64::new(0), error: None }
    }

    /// Frames that crossed the port since power-on. Sampled when a completion is seen, every frame
    /// with this number or a later one crossed after it.
    #[must_use]
    pub fn crossed(&self) -> u64 {
        let frames = mirror::frames(&self.memory);
        // ORDERING: Relaxed, as below. A cache of the number's upper half, which publishes nothing.
        // No loom test: one word.
        let before = self.crossed.load(Ordering::Relaxed);
        let now = extend(before, frames);
        // ORDERING: Relaxed. As above; the larger of two that were seen at the same time stays.
        self.crossed.fetch_max(now, Ordering::Relaxed);
        now
    }

    /// Frames of those that are not in the mirror because it had no room: nobody can judge them.
    #[must_use]
    pub fn lost(&self) -> u64 {
        mirror::lost(&self.memory).into()
    }

    /// Why nothing is read any more, if the card wrote what cannot be.
    #[must_use]
    pub fn error(&self) -> Option<MirrorError> {
        self.error
    }

    /// Takes the oldest frame that is there and puts its bytes in `frame`; `None` when none is there
    /// now, or after an error.
    pub fn next(&mut self, frame: &mut Vec<u8>) -> Option<Crossed> {
        if self.error.is_some() {
            return None;
        }
        match self.tail.next(&self.memory, frame) {
            Ok(record) => record.map(|record| self.told(&record)),
            Err(error) => {
                self.error = Some(error);
                None
            }
        }
    }

    fn told(&mut self, record: &MirrorRecord) -> Crossed {
        self.last = extend(self.last, record.number);
        Crossed { number: self.last, at_ns: record.at_ns }
    }
}

/// The number with this low word that is at or after `before`.
fn extend(before: u64, low: u32) -> u64 {
    before + u64::from(low.wrapping_sub(before as u32))
}

#[cfg(test)]
mod tests {
    use abi::host::bench::{BAR2_BYTES, MIRROR_FRAMES, MIRROR_PAGE, MIRROR_WRITTEN};

    use super::*;
    use crate::bench::BenchBar;
    use crate::config::CardConfig;
    use crate::port::{CounterPort, Port};

    fn bench() -> (Memory, Box<dyn Port>) {
        let memory = Memory::new(BAR2_BYTES as usize).unwrap();
        let mut bar = BenchBar::new(memory.clone(), &CardConfig::default());
        let port = bar.port(Box::new(CounterPort::new().0));
        (memory.part(MIRROR_PAGE as usize, (BAR2_BYTES - MIRROR_PAGE) as usize), port)
    }

    #[test]
    fn the_next_reader_goes_on_where_the_last_one_stopped() {
        let (mirror, mut port) = bench();
        let mut frame = Vec::new();
        for number in 0..3_u8 {
            assert!(port.send(&[number; 60], number.into()));
        }
        let mut reader = MirrorReader::new(mirror.clone());
        assert_eq!(reader.next(&mut frame), Some(Crossed { number: 0, at_ns: 0 }));
        drop(reader);
        let mut reader = MirrorReader::new(mirror);
        assert_eq!(reader.next(&mut frame), Some(Crossed { number: 1, at_ns: 1 }));
        assert_eq!(frame, [1; 60]);
        assert_eq!((reader.crossed(), reader.lost()), (3, 0));
    }

    #[test]
    fn numbers_go_on_past_what_the_card_counts() {
        assert_eq!(extend(0, 7), 7);
        assert_eq!(extend(0xffff_fffe, 1), 0x1_0000_0001);
        assert_eq!(extend(0x5_0000_0003, 3), 0x5_0000_0003);
        let (mirror, _port) = bench();
        let reader = MirrorReader::new(mirror.clone());
        let frames = (MIRROR_FRAMES.offset - MIRROR_PAGE) as usize / 4;
        for (low, expected) in [(u32::MAX, 0xffff_ffff), (2, 0x1_0000_0002_u64)] {
            mirror.store_release(frames, low);
            assert_eq!(reader.crossed(), expected);
        }
    }

    #[test]
    fn after_nonsense_nothing_is_read_and_the_reason_stays() {
        let (mirror, mut port) = bench();
        let mut reader = MirrorReader::new(mirror.clone());
        let written = (MIRROR_WRITTEN.offset - MIRROR_PAGE) as usize / 4;
        mirror.store_release(written, u32::MAX);
        let mut frame = Vec::new();
        assert_eq!(reader.next(&mut frame), None);
        assert!(port.send(&[1; 60], 1));
        assert_eq!(reader.next(&mut frame), None);
        let told = reader.error().unwrap().to_string();
        assert!(told.contains("written up to 4294967295"), "{told}");
    }
}
