//! Waiting for a descriptor, and for the order to stop.
//!
//! Below `socket` and `server`: every wait of theirs is here, so none overlooks the order.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use vmm_sys_util::epoll::{ControlOperation, Epoll, EpollEvent, EventSet};
use vmm_sys_util::eventfd::EventFd;

/// What was waited for came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// The order to stop.
    Stop,
    /// The descriptor.
    Descriptor,
    /// The end of patience.
    Late,
    /// Nothing: a signal interrupted the wait.
    Again,
}

/// Waits for one descriptor. It is to live as long as this is used.
#[derive(Debug)]
pub(crate) struct Readiness {
    epoll: Epoll,
    descriptor: RawFd,
    interest: EventSet,
}

const STOP: u64 = 0;
const DESCRIPTOR: u64 = 1;

impl Readiness {
    /// For `descriptor`, and an order to stop that makes `stop` readable.
    pub(crate) fn new(descriptor: RawFd, stop: &EventFd) -> io::Result<Self> {
        let (epoll, interest) = (Epoll::new()?, EventSet::IN);
        let stop = (stop.as_raw_fd(), STOP);
        for (raw, name) in [stop, (descriptor, DESCRIPTOR)] {
            epoll.ctl(ControlOperation::Add, raw, EpollEvent::new(interest, name))?;
        }
        Ok(Self { epoll, descriptor, interest })
    }

    /// Waits until the descriptor can do `interest`, for as long as `limit` says.
    pub(crate) fn wait(
        &mut self,
        interest: EventSet,
        limit: Option<Duration>,
    ) -> io::Result<Ready> {
        if interest != self.interest {
            let event = EpollEvent::new(interest, DESCRIPTOR);
            self.epoll.ctl(ControlOperation::Modify, self.descriptor, event)?;
            self.interest = interest;
        }
        // A wait of less than a millisecond is still a wait.
        let limit = limit.map_or(-1, |limit| {
            i32::try_from(limit.as_millis().saturating_add(1)).unwrap_or(i32::MAX)
        });
        let mut events = [EpollEvent::default(); 2];
        match self.epoll.wait(limit, &mut events) {
            Ok(0) => Ok(Ready::Late),
            Ok(ready) if events.iter().take(ready).any(|event| event.data() == STOP) => {
                Ok(Ready::Stop)
            }
            Ok(_) => Ok(Ready::Descriptor),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Ready::Again),
            Err(error) => Err(error),
        }
    }
}
