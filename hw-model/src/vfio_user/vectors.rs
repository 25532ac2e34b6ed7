//! The client's ends of the card's MSI-X vectors.
//!
//! Between SET_IRQS and the [`Slot`], which signals them. It knows no rings. A descriptor is taken
//! only when it is an eventfd, and made non-blocking, so that no card thread waits for the client.
//! Invariant: a message changes all the vectors it names, or none.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, read, write};

use super::protocol::{IrqAction, IrqRequest};
use crate::slot::Slot;

/// Kinds of interrupts of a PCI function (`VFIO_PCI_NUM_IRQS`).
pub(crate) const IRQ_KINDS: u32 = 5;
/// The kind that this one has (`VFIO_PCI_MSIX_IRQ_INDEX`).
pub(crate) const IRQ_MSIX: u32 = 2;
/// `VFIO_IRQ_INFO_EVENTFD`. Without `NORESIZE`: vectors can be added one by one.
pub(crate) const IRQ_EVENTFD: u32 = 1 << 0;

/// Eventfds by vector.
#[derive(Debug)]
pub(crate) struct Vectors {
    given: Vec<Option<OwnedFd>>,
}

impl Vectors {
    /// For a card with so many vectors; nobody listens.
    pub(crate) fn new(vectors: u32) -> Self {
        Self { given: (0..vectors).map(|_| None).collect() }
    }

    /// Vectors that can be armed.
    pub(crate) fn len(&self) -> u32 {
        self.given.len() as u32
    }

    /// Carries out a SET_IRQS with what came with it.
    ///
    /// # Errors
    /// `EINVAL` for vectors that the card does not have, for descriptors that are no eventfds, and
    /// for a number of them that is neither the vectors' nor zero.
    pub(crate) fn set(
        &mut self,
        slot: &Slot,
        request: &IrqRequest,
        eventfds: Vec<OwnedFd>,
    ) -> Result<(), Errno> {
        let &IrqRequest { index, start, count, action } = request;
        let kind = if index == IRQ_MSIX { self.len() } else { 0 };
        let end = start.checked_add(count).filter(|end| index < IRQ_KINDS && *end <= kind);
        let named = start as usize..end.ok_or(Errno::INVAL)? as usize;
        match action {
            IrqAction::Trigger if !eventfds.is_empty() => Err(Errno::INVAL),
            IrqAction::Trigger if count == 0 => {
                (0..kind as usize).try_for_each(|vector| self.arm(slot, vector, None))
            }
            IrqAction::Trigger => {
                self.given[named].iter().flatten().for_each(signal);
                Ok(())
            }
            IrqAction::Signal if count == 0 => Err(Errno::INVAL),
            IrqAction::Signal if eventfds.is_empty() => {
                named.into_iter().try_for_each(|vector| self.arm(slot, vector, None))
            }
            IrqAction::Signal if eventfds.len() == named.len() => {
                eventfds.iter().try_for_each(prepare)?;
                let mut pairs = named.zip(eventfds);
                pairs.try_for_each(|(vector, eventfd)| self.arm(slot, vector, Some(eventfd)))
            }
            IrqAction::Signal => Err(Errno::INVAL),
        }
    }

    /// Takes all vectors away.
    pub(crate) fn clear(&mut self, slot: &Slot) {
        self.let_go();
        for (vector, eventfd) in self.given.iter_mut().enumerate() {
            if eventfd.take().is_some() {
                slot.set_vector(vector as u32, None);
            }
        }
    }

    /// Lets every card thread go on that waits in the middle of a signal.
    pub(crate) fn let_go(&self) {
        self.given.iter().flatten().for_each(let_go);
    }

    fn arm(&mut self, slot: &Slot, vector: usize, eventfd: Option<OwnedFd>) -> Result<(), Errno> {
        let own = eventfd.as_ref().map(OwnedFd::try_clone).transpose();
        let own = own.map_err(|_| Errno::MFILE)?;
        // The slot's table changes when nobody is in the middle of a signal.
        self.let_go();
        self.given[vector] = own;
        slot.set_vector(vector as u32, eventfd);
        Ok(())
    }
}

/// Accepts an eventfd and nothing else, and makes it non-blocking.
fn prepare(eventfd: &OwnedFd) -> Result<(), Errno> {
    // What the descriptor is stands nowhere else. No path of a file looks like this.
    let what = fs::read_link(format!("/proc/self/fd/{}", eventfd.as_raw_fd()));
    if what.is_ok_and(|what| what.as_os_str() == "anon_inode:[eventfd]") {
        set_nonblocking(eventfd)
    } else {
        Err(Errno::INVAL)
    }
}

fn set_nonblocking(eventfd: &OwnedFd) -> Result<(), Errno> {
    fcntl_setfl(eventfd, fcntl_getfl(eventfd)? | OFlags::NONBLOCK)
}

/// The client shares the descriptor's flags: it could fill the counter, take back that it does not
/// block, and so catch a card thread in a signal. Emptying a full counter lets that thread go.
fn let_go(eventfd: &OwnedFd) {
    let mut waits = [PollFd::new(eventfd, PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let is_full = poll(&mut waits, Some(&now)).is_ok_and(|ready| ready == 0);
    if is_full && set_nonblocking(eventfd).is_ok() {
        // Nothing to read means that somebody else has emptied it.
        read(eventfd, &mut [0; 8]).ok();
    }
}

/// A counter that is full tells of an interrupt already.
fn signal(eventfd: &OwnedFd) {
    if set_nonblocking(eventfd).is_ok() {
        write(eventfd, &1_u64.to_ne_bytes()).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    use rustix::event::{EventfdFlags, eventfd};

    use super::*;

    #[test]
    fn a_card_thread_that_a_client_has_caught_in_a_signal_is_let_go() {
        let (slot, mut vectors) = (Slot::new(), Vectors::new(2));
        let client = eventfd(0, EventfdFlags::empty()).unwrap();
        let request = IrqRequest { index: IRQ_MSIX, start: 0, count: 1, action: IrqAction::Signal };
        vectors.set(&slot, &request, vec![client.try_clone().unwrap()]).unwrap();
        write(&client, &(u64::MAX - 1).to_ne_bytes()).unwrap();
        fcntl_setfl(&client, OFlags::empty()).unwrap();
        let (caught, raised) = channel();
        let card = thread::spawn({
            let slot = std::sync::Arc::clone(&slot);
            move || caught.send(slot.interrupts.raise(0)).unwrap()
        });
        let patience = Duration::from_secs(20);
        assert!(raised.recv_timeout(Duration::from_millis(50)).is_err(), "it waits for room");
        let (done, cleared) = channel();
        let server = thread::spawn(move || {
            // Another vector, to be sure.
            let other = IrqRequest { start: 1, ..request };
            vectors.set(&slot, &other, Vec::new()).unwrap();
            done.send(()).unwrap();
        });
        cleared.recv_timeout(patience).expect("the vectors are taken away");
        assert!(raised.recv_timeout(patience).expect("the card goes on"));
        card.join().unwrap();
        server.join().unwrap();
    }
}
