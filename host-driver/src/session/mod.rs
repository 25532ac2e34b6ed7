//! A session with a card: many threads submit trees, and wait, poll or are called back.
//!
//! The face of the driver. Submissions go through a bounded queue; whichever thread finds the
//! engine free drives it (`shared`), so no thread of its own is needed and a timed card works from
//! a single one. Everything in flight is bounded; who submits more waits.

mod apply;
mod config;
mod engine;
mod interrupts;
mod lane;
mod shared;
mod start;
mod ticket;

pub use config::Config;
pub use ticket::{Answered, Ticket};

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use abi::core::Capabilities;
use abi::host::completion::Event;
use abi::host::handle::Handle;
use abi::host::register::{self, Counter};
use abi::host::status::{CardState, EventKind, FailCode};

use crate::backing::Backing;
use crate::bring_up::read;
use crate::dma::HandleList;
use crate::error::{AttachError, Error};
use crate::outcome::Outcome;
use crate::shadow::{Lost, Shadow};
use crate::transmit::Transmitter;
use crate::tree::Tree;
use engine::Engine;
pub(crate) use lane::zero;
use shared::{Patience, Shared};
pub(crate) use ticket::Recipient;
use ticket::{Deliveries, new_cell};

/// A card taken into use. Share it by reference or [`Arc`]; the last one to go resets the card.
pub struct Session<B: Backing> {
    shared: Arc<Shared<B>>,
}

/// Something the card reports of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardEvent {
    /// What.
    pub kind: EventKind,
    /// The object it is about.
    pub handle: Handle,
    /// Card time in ms.
    pub time_ms: u32,
    /// Events were lost before this one: look for yourself.
    pub rescan: bool,
}

/// The card's health registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Reset, ready or failed.
    pub state: CardState,
    /// Why it is failed.
    pub fail_code: FailCode,
    /// Program counter at a trap.
    pub pc: u32,
    /// Cause at a trap, or detail.
    pub cause: u32,
    /// Moves while the firmware runs.
    pub heartbeat: u32,
    /// Counts resets.
    pub incarnation: u32,
    /// Hash of the firmware image that runs; 0 when the firmware is linked into the model.
    pub image_hash: u32,
}

/// A tree that was not taken.
#[derive(Debug)]
pub enum NotTaken {
    /// As many trees as the session takes are under way; the tree comes back.
    Full(Tree),
    /// It cannot be sent.
    Error(Error),
}

impl<B: Backing> Session<B> {
    /// Takes a card into use: checks what it is, resets it, gives it its settings, starts rings.
    ///
    /// # Errors
    /// When it is no card of this contract, lacks what the configuration asks for, does not
    /// answer in time, or the system has no memory for it.
    pub fn attach(backing: Arc<B>, config: &Config) -> Result<Self, AttachError> {
        Ok(Self { shared: Arc::new(start::start(backing, config)?) })
    }

    /// The card's surroundings.
    #[must_use]
    pub fn backing(&self) -> &Arc<B> {
        &self.shared.backing
    }

    /// What the card offers.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.shared.capabilities
    }

    /// What was asked for at attach.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Submits a tree on command ring 0, waiting for room if need be.
    ///
    /// # Errors
    /// When the tree cannot be sent, or the session has failed.
    pub fn submit(&self, tree: impl Into<Tree>) -> Result<Ticket<B>, Error> {
        self.submit_on(0, tree)
    }

    /// Submits a tree on command ring `ring`, waiting for room if need be. Trees of one ring
    /// are carried out in order; between rings there is no order.
    ///
    /// # Errors
    /// When the tree cannot be sent, there is no such ring, or the session has failed.
    pub fn submit_on(&self, ring: u32, tree: impl Into<Tree>) -> Result<Ticket<B>, Error> {
        let cell = new_cell();
        let recipient = Recipient::Ticket(Arc::clone(&cell));
        let request = self.shared.request(ring, tree.into(), recipient)?;
        self.shared.enqueue(request, &mut Deliveries::new(None), &mut Patience::hasty())?;
        Ok(Ticket::new(Arc::clone(&self.shared), cell))
    }

    /// Submits a tree on command ring 0 if there is room now.
    ///
    /// # Errors
    /// [`NotTaken::Full`] gives the tree back; else the tree cannot be sent.
    pub fn try_submit(&self, tree: impl Into<Tree>) -> Result<Ticket<B>, NotTaken> {
        let cell = new_cell();
        let recipient = Recipient::Ticket(Arc::clone(&cell));
        let request = self.shared.request(0, tree.into(), recipient).map_err(NotTaken::Error)?;
        match self.shared.offer(request, &mut Deliveries::new(None), 0).0 {
            None => Ok(Ticket::new(Arc::clone(&self.shared), cell)),
            Some(request) => Err(NotTaken::Full(request.tree)),
        }
    }

    /// Submits a tree on command ring 0; `then` is called with its outcome, on whichever thread
    /// drives the session at that moment. Somebody has to: see [`Session::poll`].
    ///
    /// # Errors
    /// When the tree cannot be sent. `then` is not called then.
    pub fn submit_then(
        &self,
        tree: impl Into<Tree>,
        then: impl FnOnce(Answered) + Send + 'static,
    ) -> Result<(), Error> {
        let recipient = Recipient::Callback(Box::new(Mutex::new(Box::new(then))));
        let request = self.shared.request(0, tree.into(), recipient)?;
        self.shared.enqueue(request, &mut Deliveries::new(None), &mut Patience::hasty())
    }

    /// Submits a tree and waits for its outcome.
    ///
    /// # Errors
    /// When the tree cannot be sent, or the session fails.
    pub fn run(&self, tree: impl Into<Tree>) -> Result<Outcome, Error> {
        self.shared.run(0, tree.into())
    }

    /// Drives the session once: slots down, completions and events up, callbacks called.
    pub fn poll(&self) {
        self.shared.drive_once();
    }

    /// An empty list for `capacity` handles.
    ///
    /// # Errors
    /// When there is no DMA memory for it.
    pub fn handle_list(&self, capacity: usize) -> Result<HandleList, Error> {
        let backing: Arc<dyn Backing> = self.shared.backing.clone();
        HandleList::new(&backing, capacity)
            .map_err(|source| Error::Memory { what: "a list", source: Arc::new(source) })
    }

    /// The host end of transmit ring `ring`; one owner at a time.
    ///
    /// # Errors
    /// When there is no such ring, or it has an owner.
    pub fn transmitter(&self, ring: u32) -> Result<Transmitter, Error> {
        let wires = &self.shared.wires;
        let count = wires.len() as u32;
        let wire = wires.get(ring as usize);
        let wire = wire.ok_or(Error::NoRing { kind: "transmit", ring, count })?;
        Transmitter::open(Arc::clone(wire), ring)
    }

    /// The next event, if one has come.
    pub fn next_event(&self) -> Option<CardEvent> {
        self.shared.drive_once();
        let event = self.shared.engine().events.waiting.pop_front()?;
        Some(CardEvent::from(event))
    }

    /// A counter of the card.
    #[must_use]
    pub fn counter(&self, counter: Counter) -> u64 {
        let backing = &self.shared.backing;
        wide(backing.as_ref(), counter.offset(), counter.offset() + 4)
    }

    /// Card time in ms.
    #[must_use]
    pub fn time_ms(&self) -> u32 {
        read(self.shared.backing.as_ref(), register::TIME_MS)
    }

    /// Card clock cycles.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        let (low, high) = (register::CYCLES_LOW.offset, register::CYCLES_HIGH.offset);
        wide(self.shared.backing.as_ref(), low, high)
    }

    /// The card's health.
    #[must_use]
    pub fn health(&self) -> Health {
        let backing = self.shared.backing.as_ref();
        Health {
            state: CardState(read(backing, register::STATE)),
            fail_code: FailCode(read(backing, register::FAIL_CODE)),
            pc: read(backing, register::FAIL_PC),
            cause: read(backing, register::FAIL_CAUSE),
            heartbeat: read(backing, register::HEARTBEAT),
            incarnation: read(backing, register::INCARNATION),
            image_hash: read(backing, register::IMAGE_HASH),
        }
    }

    /// What is on the card, by its own answers. One look at a time: a second one in the same
    /// statement, or a wait while it is kept, never gets the session.
    #[must_use]
    pub fn shadow(&self) -> ShadowView<'_> {
        ShadowView { engine: self.shared.engine() }
    }

    /// Resets the card and takes it into use again. Trees under way are answered with status
    /// `reset`; handles of before are stale for ever. Gives what was on the card.
    ///
    /// # Errors
    /// When the card does not come back.
    pub fn reset(&self) -> Result<Vec<Lost>, Error> {
        start::restart(&self.shared)
    }

    /// Leaves the card quiet: reset, no DMA, nothing mapped. What was under way is closed.
    ///
    /// # Errors
    /// When the card does not acknowledge the reset.
    pub fn detach(self) -> Result<(), AttachError> {
        let backing = Arc::clone(&self.shared.backing);
        let closed = self.shared.close();
        drop(self);
        backing.trim();
        closed
    }
}

/// A look at what is on the card. While it is held nothing is driven, so drop it before any wait.
pub struct ShadowView<'a> {
    engine: MutexGuard<'a, Engine>,
}

impl std::ops::Deref for ShadowView<'_> {
    type Target = Shadow;
    fn deref(&self) -> &Shadow {
        &self.engine.shadow
    }
}

impl From<Event> for CardEvent {
    fn from(event: Event) -> Self {
        Self {
            kind: EventKind(event.kind),
            handle: Handle(event.handle),
            time_ms: event.time_ms,
            rescan: event.rescan != 0,
        }
    }
}

impl<B: Backing> Clone for Session<B> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<B: Backing> fmt::Debug for Session<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.shared.backing.describe())
    }
}

/// A 64-bit register pair, whole even when it moves between the reads.
pub(crate) fn wide(
    registers: &(impl crate::backing::Registers + ?Sized),
    low: u32,
    high: u32,
) -> u64 {
    const TRIES: u32 = 4;
    let mut upper = registers.read(high);
    for _ in 0..TRIES {
        let lower = registers.read(low);
        let again = registers.read(high);
        if again == upper {
            return u64::from(upper) << 32 | u64::from(lower);
        }
        upper = again;
    }
    u64::from(upper) << 32
}
