//! Frames that crossed, kept in memory up to a bound, for observers and tests.
//!
//! From a [`CapturePort`], which keeps frames as they cross, or from a mirror of a served card, which
//! is read whenever somebody looks. Frames are numbered at the crossing: the host samples
//! [`Capture::crossed`] when it sees a completion, and every frame with that number or a later one
//! left after it. When a capture is full its port refuses frames, so that the card counts the drops,
//! and a mirror is left to count what it loses; nothing is overwritten.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Port;
use crate::bench::MirrorReader;

/// A frame as it crossed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// How many frames crossed before it.
    pub number: u64,
    /// Card time in ns.
    pub at_ns: u64,
    /// The frame, from the destination MAC on.
    pub bytes: Vec<u8>,
}

/// Keeps frames; at most `capacity` that nobody has taken yet.
#[derive(Debug)]
pub struct CapturePort {
    capture: Capture,
}

/// Reads frames that crossed. Clones read the same frames.
#[derive(Clone, Debug)]
pub struct Capture {
    kept: Arc<Mutex<Kept>>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Kept {
    frames: Vec<Captured>,
    crossed: u64,
    mirror: Option<Mirrored>,
}

/// Where frames come from that cross elsewhere.
#[derive(Debug)]
struct Mirrored {
    reader: MirrorReader,
    /// The frame that is being read, so that none allocates twice.
    frame: Vec<u8>,
    /// Tells who made this that it still reads.
    _lease: Arc<()>,
}

impl CapturePort {
    /// A port that keeps up to `capacity` frames, and its reader.
    #[must_use]
    pub fn new(capacity: usize) -> (Self, Capture) {
        let capture = Capture { kept: Arc::default(), capacity };
        (Self { capture: capture.clone() }, capture)
    }
}

impl Capture {
    /// What `reader` reads, up to `capacity` frames that nobody has taken; the `lease` is held as
    /// long as any clone of this lives.
    pub(crate) fn mirrored(reader: MirrorReader, capacity: usize, lease: Arc<()>) -> Self {
        let mirror = Some(Mirrored { reader, frame: Vec::new(), _lease: lease });
        Self { kept: Arc::new(Mutex::new(Kept { mirror, ..Kept::default() })), capacity }
    }

    /// Frames that crossed so far, taken away or not.
    #[must_use]
    pub fn crossed(&self) -> u64 {
        let kept = self.lock();
        kept.mirror.as_ref().map_or(kept.crossed, |mirror| mirror.reader.crossed())
    }

    /// Takes the frames that are kept, oldest first, and makes room.
    #[must_use]
    pub fn take(&self) -> Vec<Captured> {
        let mut kept = self.lock();
        kept.pump(self.capacity);
        std::mem::take(&mut kept.frames)
    }

    /// Copies the frames that are kept, oldest first.
    #[must_use]
    pub fn frames(&self) -> Vec<Captured> {
        let mut kept = self.lock();
        kept.pump(self.capacity);
        kept.frames.clone()
    }

    /// Why frames that crossed are missing here, if any are: whoever judges by them cannot.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        let kept = self.lock();
        let reader = &kept.mirror.as_ref()?.reader;
        if let Some(error) = reader.error() {
            return Some(error.to_string());
        }
        let lost = reader.lost();
        (lost > 0).then(|| format!("the mirror had no room for {lost} frames: look more often"))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // A holder that panicked left whole frames behind: every change is one push or one take.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Takes over what the mirror has, as far as there is room.
    fn pump(&mut self, capacity: usize) {
        let Some(mirror) = &mut self.mirror else {
            return;
        };
        while self.frames.len() < capacity {
            let Some(crossed) = mirror.reader.next(&mut mirror.frame) else {
                return;
            };
            let bytes = mirror.frame.clone();
            self.frames.push(Captured { number: crossed.number, at_ns: crossed.at_ns, bytes });
        }
    }
}

impl Port for CapturePort {
    fn send(&mut self, frame: &[u8], at_ns: u64) -> bool {
        let mut kept = self.capture.lock();
        if kept.frames.len() >= self.capture.capacity {
            return false;
        }
        let number = kept.crossed;
        kept.crossed += 1;
        kept.frames.push(Captured { number, at_ns, bytes: frame.to_vec() });
        true
    }
}

#[cfg(test)]
mod tests {
    use abi::host::bench::{BAR2_BYTES, MIRROR_PAGE, MIRROR_RING_BYTES};
    use host_driver::memory::Memory;

    use super::*;
    use crate::bench::BenchBar;
    use crate::config::CardConfig;
    use crate::port::CounterPort;

    #[test]
    fn a_full_capture_refuses_and_goes_on_once_it_was_taken() {
        let (mut port, capture) = CapturePort::new(2);
        assert!(port.send(&[1], 10));
        assert!(port.send(&[2], 20));
        assert!(!port.send(&[3], 30), "no room for a third");
        assert_eq!(capture.crossed(), 2);
        assert_eq!(capture.take().len(), 2);
        assert!(port.send(&[4], 40));
        let last = capture.clone().frames();
        assert_eq!(last, [Captured { number: 2, at_ns: 40, bytes: vec![4] }]);
    }

    #[test]
    fn a_capture_of_a_mirror_reads_on_while_somebody_looks_and_says_when_it_cannot() {
        const BYTES: usize = 9_000;
        let memory = Memory::new(BAR2_BYTES as usize).unwrap();
        let mut bar = BenchBar::new(memory.clone(), &CardConfig::default());
        let mut port = bar.port(Box::new(CounterPort::new().0));
        let mirror = memory.part(MIRROR_PAGE as usize, (BAR2_BYTES - MIRROR_PAGE) as usize);
        let capture = Capture::mirrored(MirrorReader::new(mirror), 2, Arc::default());
        for number in 0..3_u8 {
            assert!(port.send(&[number; BYTES], number.into()));
        }
        assert_eq!((capture.crossed(), capture.frames().len()), (3, 2));
        assert_eq!(capture.take()[1], Captured { number: 1, at_ns: 1, bytes: vec![1; BYTES] });
        assert_eq!(capture.take()[0].number, 2, "the third had waited in the mirror");
        assert_eq!(capture.complaint(), None);
        for _ in 0..=MIRROR_RING_BYTES as usize / BYTES {
            assert!(port.send(&[7; BYTES], 7));
        }
        let complaint = capture.complaint().unwrap();
        assert!(complaint.contains("no room for"), "{complaint}");
    }
}
