//! A port that keeps every frame in memory, up to a bound.
//!
//! For observers and tests. The reader numbers frames at the crossing: the host samples
//! [`Capture::crossed`] when it sees a completion, and every frame with that number or a later
//! one left after it. When the capture is full the port refuses frames, so that the card counts
//! the drops; nothing is overwritten.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Port;

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

/// Reads what a [`CapturePort`] keeps. Clones read the same frames.
#[derive(Clone, Debug)]
pub struct Capture {
    kept: Arc<Mutex<Kept>>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Kept {
    frames: Vec<Captured>,
    crossed: u64,
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
    /// Frames that crossed so far, taken away or not.
    #[must_use]
    pub fn crossed(&self) -> u64 {
        self.lock().crossed
    }

    /// Takes the frames that are kept, oldest first, and makes room.
    #[must_use]
    pub fn take(&self) -> Vec<Captured> {
        std::mem::take(&mut self.lock().frames)
    }

    /// Copies the frames that are kept, oldest first.
    #[must_use]
    pub fn frames(&self) -> Vec<Captured> {
        self.lock().frames.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // A holder that panicked left whole frames behind: every change is one push or one take.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
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
    use super::*;

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
}
