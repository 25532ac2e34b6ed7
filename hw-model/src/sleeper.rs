//! A card thread at rest, and how it is woken early.
//!
//! Used by `free_running` only; on a timed card nobody sleeps and every wake is nothing. It
//! saves the machine's processors and adds no meaning: a wake that is missed costs the rest of
//! one bounded sleep, because a thread that sleeps looks again by itself.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// The thread that rests here, if any.
#[derive(Debug, Default)]
pub(crate) struct Sleeper {
    thread: OnceLock<Thread>,
    is_asleep: AtomicBool,
}

impl Sleeper {
    /// Rests for at most `limit`. Always called by the same thread.
    pub(crate) fn rest(&self, limit: Duration) {
        self.thread.get_or_init(thread::current);
        // ORDERING: Relaxed. A hint; a wake that misses it is made up for by `limit`.
        // No loom test: nothing is published.
        self.is_asleep.store(true, Ordering::Relaxed);
        thread::park_timeout(limit);
        // ORDERING: Relaxed. As above.
        self.is_asleep.store(false, Ordering::Relaxed);
    }

    /// Wakes the thread if it rests.
    pub(crate) fn wake(&self) {
        // ORDERING: Relaxed. As in `rest`.
        if self.is_asleep.load(Ordering::Relaxed)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }
}
