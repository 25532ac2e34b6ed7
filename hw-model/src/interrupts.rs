//! MSI-X vectors as eventfds, and how often a ring may raise one.
//!
//! Last arrow of the outbox: after a completion is in memory. It never waits: an eventfd that is
//! full is an interrupt that is pending already. A vector that nobody listens to stays pending,
//! as in the pending bit array of a PCI function, and is signaled once somebody does: a machine
//! that arms its vectors anew loses none meanwhile.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

use abi::host::limit::VECTORS_MAX;

/// Who is signaled.
#[derive(Debug)]
enum Listener {
    /// An eventfd of this table, given out to who asks.
    Own(EventFd),
    /// An eventfd that the machine gave.
    Given(File),
}

type Vectors = [Option<Listener>; VECTORS_MAX as usize];

/// The card's vectors.
#[derive(Debug, Default)]
pub(crate) struct Interrupts {
    vectors: RwLock<Vectors>,
    /// A bit a vector that was raised while nobody listened.
    pending: AtomicU32,
}

impl Interrupts {
    /// The eventfd of `vector`; the same one for everybody who asks.
    pub(crate) fn eventfd(&self, vector: u32) -> io::Result<EventFd> {
        let mut vectors = self.change();
        let Some(cell) = vectors.get_mut(vector as usize) else {
            let message = format!("the card has {VECTORS_MAX} vectors, {vector} is none of them");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        if let Some(Listener::Own(eventfd)) = cell {
            return eventfd.try_clone();
        }
        let fresh = EventFd::new(EFD_NONBLOCK | EFD_CLOEXEC)?;
        let given_out = fresh.try_clone()?;
        self.hand_over(vector, cell.insert(Listener::Own(fresh)));
        Ok(given_out)
    }

    /// Gives `vector` an eventfd of the machine's, or none. One past the last is ignored.
    pub(crate) fn set(&self, vector: u32, eventfd: Option<OwnedFd>) {
        let mut vectors = self.change();
        if let Some(cell) = vectors.get_mut(vector as usize) {
            *cell = eventfd.map(|eventfd| Listener::Given(eventfd.into()));
            if let Some(listener) = cell {
                self.hand_over(vector, listener);
            }
        }
    }

    /// Raises `vector`. Returns whether somebody listens.
    pub(crate) fn raise(&self, vector: u32) -> bool {
        let vectors = self.vectors.read().unwrap_or_else(PoisonError::into_inner);
        match vectors.get(vector as usize) {
            Some(Some(listener)) => listener.signal(),
            Some(None) => {
                // ORDERING: Relaxed. The lock orders it with `hand_over`.
                // No loom test: only the lock is relied on.
                self.pending.fetch_or(1 << vector, Ordering::Relaxed);
                false
            }
            None => false,
        }
    }

    /// A bit a vector that is pending.
    pub(crate) fn pending(&self) -> u32 {
        // ORDERING: Relaxed. A register that tells of a moment. No loom test: one word.
        self.pending.load(Ordering::Relaxed)
    }

    /// As after power-on or a reset: nothing is pending.
    pub(crate) fn reset(&self) {
        let vectors = self.change();
        // ORDERING: Relaxed. As in `raise`.
        self.pending.store(0, Ordering::Relaxed);
        drop(vectors);
    }

    /// Signals a new listener if its vector is pending. The table is locked for writing.
    fn hand_over(&self, vector: u32, listener: &Listener) {
        // ORDERING: Relaxed. As in `raise`.
        if self.pending.fetch_and(!(1 << vector), Ordering::Relaxed) & 1 << vector != 0 {
            listener.signal();
        }
    }

    fn change(&self) -> RwLockWriteGuard<'_, Vectors> {
        self.vectors.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    /// An error is a full counter: the interrupt is pending, nothing is lost.
    fn signal(&self) -> bool {
        match self {
            Self::Own(eventfd) => eventfd.write(1).is_ok(),
            Self::Given(eventfd) => {
                let one = 1_u64.to_ne_bytes();
                (&*eventfd).write(&one).is_ok_and(|written| written == one.len())
            }
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
    #[inline]
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
        let (one, two) = (interrupts.eventfd(0).unwrap(), interrupts.eventfd(0).unwrap());
        assert!(interrupts.raise(0));
        assert_eq!(one.read().unwrap(), 1);
        assert!(two.read().is_err(), "it was the same counter");
        assert!(interrupts.eventfd(VECTORS_MAX).is_err());
        interrupts.set(0, None);
        assert!(!interrupts.raise(0), "nobody listens any more");
        interrupts.set(VECTORS_MAX, None);
        assert!(!interrupts.raise(VECTORS_MAX));
    }

    #[test]
    fn a_vector_without_listener_stays_pending_until_somebody_listens_or_a_reset() {
        let interrupts = Interrupts::default();
        assert!(!interrupts.raise(3), "nobody listens");
        assert_eq!(interrupts.pending(), 1 << 3);
        let own = interrupts.eventfd(3).unwrap();
        assert_eq!((own.read().unwrap(), interrupts.pending()), (1, 0));
        let given = rustix::event::eventfd(0, rustix::event::EventfdFlags::NONBLOCK).unwrap();
        let count = || {
            let mut count = [0; 8];
            rustix::io::read(&given, &mut count).map(|_| u64::from_ne_bytes(count))
        };
        interrupts.set(3, None);
        interrupts.raise(3);
        interrupts.raise(3);
        interrupts.set(3, Some(given.try_clone().unwrap()));
        assert_eq!(count(), Ok(1), "pending once, signaled once");
        assert!(interrupts.raise(3));
        assert_eq!(count(), Ok(1));
        assert!(own.read().is_err(), "it listens no more");
        interrupts.set(3, None);
        interrupts.raise(3);
        interrupts.reset();
        interrupts.set(3, Some(given.try_clone().unwrap()));
        assert!(count().is_err(), "a reset forgets");
    }
}
