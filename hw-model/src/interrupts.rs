//! MSI-X vectors as eventfds, and how often a ring may raise one.
//!
//! Last arrow of the outbox: after a completion is in memory. A vector that nobody asked for is
//! not raised. It never waits: an eventfd that is full is an interrupt that is pending already.

use std::io;
use std::sync::OnceLock;

use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

use abi::host::limit::VECTORS_MAX;

/// The card's vectors.
#[derive(Debug, Default)]
pub(crate) struct Interrupts {
    vectors: [OnceLock<EventFd>; VECTORS_MAX as usize],
}

impl Interrupts {
    /// The eventfd of `vector`; the same one for everybody who asks.
    pub(crate) fn eventfd(&self, vector: u32) -> io::Result<EventFd> {
        let Some(cell) = self.vectors.get(vector as usize) else {
            let message = format!("the card has {VECTORS_MAX} vectors, {vector} is none of them");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        if let Some(eventfd) = cell.get() {
            return eventfd.try_clone();
        }
        let fresh = EventFd::new(EFD_NONBLOCK | EFD_CLOEXEC)?;
        // Whoever came first decides; the loser's eventfd is closed.
        cell.get_or_init(|| fresh).try_clone()
    }

    /// Raises `vector`. Returns whether somebody listens.
    pub(crate) fn raise(&self, vector: u32) -> bool {
        match self.vectors.get(vector as usize).and_then(OnceLock::get) {
            // An error is a full counter: the interrupt is pending, nothing is lost.
            Some(eventfd) => eventfd.write(1).is_ok(),
            None => false,
        }
    }
}

/// One ring's interrupt: due after an entry was posted, at most one in `gap_cycles`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moderation {
    vector: Option<u32>,
    gap_cycles: u64,
    not_before: u64,
    is_due: bool,
}

impl Moderation {
    /// For a ring with `vector`, or none.
    pub(crate) fn new(vector: Option<u32>, gap_cycles: u64) -> Self {
        Self { vector, gap_cycles, not_before: 0, is_due: false }
    }

    /// An entry was posted.
    pub(crate) fn request(&mut self) {
        self.is_due = self.vector.is_some();
    }

    /// The vector to raise at `now`, if one is due and moderation lets it.
    pub(crate) fn take(&mut self, now: u64) -> Option<u32> {
        if !self.is_due || now < self.not_before {
            return None;
        }
        self.is_due = false;
        self.not_before = now.saturating_add(self.gap_cycles);
        self.vector
    }

    /// When the next interrupt is due.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.is_due.then_some(self.not_before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moderation_lets_one_interrupt_through_and_keeps_the_next_for_later() {
        let mut moderation = Moderation::new(Some(3), 100);
        moderation.request();
        assert_eq!(moderation.take(10), Some(3));
        assert_eq!(moderation.take(11), None, "one a batch");
        moderation.request();
        assert_eq!((moderation.take(109), moderation.next_due()), (None, Some(110)));
        assert_eq!(moderation.take(110), Some(3));
        let mut silent = Moderation::new(None, 0);
        silent.request();
        assert_eq!((silent.take(0), silent.next_due()), (None, None));
    }

    #[test]
    fn a_vector_is_one_eventfd_and_unknown_vectors_are_refused() {
        let interrupts = Interrupts::default();
        assert!(!interrupts.raise(0), "nobody listens");
        let (one, two) = (interrupts.eventfd(0).unwrap(), interrupts.eventfd(0).unwrap());
        assert!(interrupts.raise(0));
        assert_eq!(one.read().unwrap(), 1);
        assert!(two.read().is_err(), "it was the same counter");
        assert!(interrupts.eventfd(VECTORS_MAX).is_err());
    }
}
