//! Sleeping on the card's interrupts.
//!
//! Everything works by polling too: a wait sleeps a bounded time, and looks again.

use std::io;
use std::time::Duration;

use vmm_sys_util::eventfd::EventFd;
use vmm_sys_util::poll::{EpollContext, EpollEvents};

use crate::backing::Backing;

/// Longest sleep: what a lost interrupt costs.
const SLEEP: Duration = Duration::from_millis(1);

/// The eventfds of all vectors.
pub(super) struct Interrupts {
    events: Vec<EventFd>,
    epoll: EpollContext<u32>,
}

impl Interrupts {
    pub(super) fn new(backing: &impl Backing, vectors: u32) -> io::Result<Self> {
        let epoll = EpollContext::new().map_err(io::Error::from)?;
        let mut events = Vec::new();
        for vector in 0..vectors {
            let event = backing.interrupt(vector)?;
            epoll.add(&event, vector).map_err(io::Error::from)?;
            events.push(event);
        }
        Ok(Self { events, epoll })
    }

    /// Sleeps until an interrupt comes, at most [`SLEEP`].
    pub(super) fn wait(&self) {
        let events = EpollEvents::new();
        let Ok(raised) = self.epoll.wait_timeout(&events, SLEEP) else { return };
        for event in raised.iter_readable() {
            if let Some(fd) = self.events.get(event.token() as usize) {
                // Another thread may have read it already: then it would block, and that is fine.
                if fd.read().is_err() {
                    continue;
                }
            }
        }
    }
}
