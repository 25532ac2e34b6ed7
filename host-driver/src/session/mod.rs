//! A session with a card: many threads submit trees, and wait, poll or are called back.
//!
//! The only module that knows about threads. Submissions go through a bounded queue; whichever
//! thread finds the engine free drives it, so no thread of its own is needed and a timed card
//! works from a single one. Everything in flight is bounded; who submits more waits.

mod apply;
mod config;
mod engine;
mod interrupts;
mod lane;
mod start;
mod ticket;

pub use config::Config;
pub use ticket::{Answered, Ticket};

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Instant;

use abi::core::Capabilities;
use abi::host::completion::Event;
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::register::{self, Counter};
use abi::host::status::{CardState, EventKind, FailCode};
use crossbeam_queue::ArrayQueue;

use crate::backing::Backing;
use crate::bring_up::{self, WALL_BACKSTOP, read};
use crate::dma::HandleList;
use crate::error::{AttachError, Error};
use crate::outcome::Outcome;
use crate::shadow::{Lost, Shadow};
use crate::transmit::{Transmitter, Wire};
use crate::tree::Tree;
use engine::{Engine, Request};
use interrupts::Interrupts;
pub(crate) use lane::zero;
pub(crate) use ticket::Recipient;
use ticket::{Cell, Deliveries, keep_cell, new_cell, opened, taken};

/// Rounds of a wait without work before it sleeps on interrupts.
const ROUNDS: u32 = 200;
/// Turns in which a wait looks for its outcome before it lets go of the engine for the first
/// time: some 2 us, in which a card that is near has answered a single command.
const SPINS: u32 = 128;
/// The same for a command that is alone, in looks at its completion, which are shorter.
const LOOKS: u32 = 512;

/// A card taken into use. Share it by reference or [`Arc`]; the last one to go resets the card.
pub struct Session<B: Backing> {
    shared: Arc<Shared<B>>,
}

/// What all users of a session share.
pub(crate) struct Shared<B: Backing> {
    backing: Arc<B>,
    config: Config,
    capabilities: Capabilities,
    queue: ArrayQueue<Request>,
    engine: Mutex<Engine>,
    wires: Vec<Arc<Mutex<Wire>>>,
    interrupts: Option<Interrupts>,
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

impl<B: Backing> Shared<B> {
    /// Drives the engine, if nobody else does: one turn, and `spins` more as long as the answer
    /// that `deliveries` keep has not come. `false` when somebody else has the engine.
    fn drive(
        &self,
        offered: &mut Option<Request>,
        deliveries: &mut Deliveries,
        spins: u32,
    ) -> bool {
        let mut engine = match self.engine.try_lock() {
            Ok(engine) => engine,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        for _ in 0..=spins {
            engine.turn(&self.queue, offered, deliveries);
            if deliveries.answer.is_some() {
                break;
            }
        }
        true
    }

    fn drive_once(&self) {
        let mut deliveries = Deliveries::new(None);
        self.drive(&mut None, &mut deliveries, 0);
        deliveries.deliver();
    }

    /// Submits a tree and waits for its outcome, which most often comes while this drives.
    fn run(&self, ring: u32, tree: Tree) -> Answered {
        let mut request = self.request(ring, tree, Recipient::Driver)?;
        let ring = request.ring;
        if let Ok(mut engine) = self.engine.try_lock()
            && self.queue.is_empty()
            && engine.is_free(ring)
        {
            let mut deliveries = Deliveries::new(None);
            let answer = engine.run_alone(request, &self.queue, LOOKS, &mut deliveries);
            if let Some(answer) = answer {
                drop(engine);
                deliveries.deliver();
                return opened(answer);
            }
            let cell = new_cell();
            engine.hand_over(ring, Recipient::Ticket(Arc::clone(&cell)));
            drop(engine);
            // It has looked long enough.
            return self.wait(cell, &mut Patience::hasty());
        }
        let cell = new_cell();
        request.tree.body.recipient = Recipient::Ticket(Arc::clone(&cell));
        let (mut deliveries, mut patience) = (Deliveries::new(Some(&cell)), Patience::default());
        self.enqueue(request, &mut deliveries, &mut patience)?;
        match deliveries.answer {
            Some(answer) => opened(answer),
            None => self.wait(cell, &mut patience),
        }
    }

    /// Waits for the answer that is put into `cell`.
    fn wait(&self, cell: Cell, patience: &mut Patience) -> Answered {
        let answer = loop {
            if let Some(answer) = taken(&cell) {
                break answer;
            }
            let mut deliveries = Deliveries::new(Some(&cell));
            let has_driven = self.drive(&mut None, &mut deliveries, patience.spins());
            if let Some(answer) = deliveries.deliver() {
                break answer;
            }
            self.rest(has_driven, patience)?;
        };
        keep_cell(cell);
        opened(answer)
    }

    /// One pause of a wait, so that a simulated card goes on, the processor rests, interrupts are
    /// awaited.
    ///
    /// # Errors
    /// When nobody could drive for [`WALL_BACKSTOP`]: whoever has the engine does not let go of
    /// it. A [`ShadowView`] kept across a wait does that.
    fn rest(&self, has_driven: bool, patience: &mut Patience) -> Result<(), Error> {
        if has_driven {
            patience.blocked = None;
        } else if patience.blocked.get_or_insert_with(Instant::now).elapsed() > WALL_BACKSTOP {
            return Err(Error::Blocked { waited_s: WALL_BACKSTOP.as_secs() });
        }
        self.backing.relax();
        patience.idle += 1;
        if patience.idle > ROUNDS
            && let Some(interrupts) = &self.interrupts
        {
            interrupts.wait();
        }
        Ok(())
    }

    fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a request to the engine, waiting for room if need be. What comes back meanwhile is
    /// delivered, but for the answer that `deliveries` keep.
    fn enqueue(
        &self,
        request: Request,
        deliveries: &mut Deliveries,
        patience: &mut Patience,
    ) -> Result<(), Error> {
        let mut request = request;
        loop {
            let (back, has_driven) = self.offer(request, deliveries, patience.spins());
            let Some(back) = back else { return Ok(()) };
            request = back;
            self.rest(has_driven, patience)?;
        }
    }

    /// Hands a request to the engine, at once when that is free; gives it back when as many trees
    /// are under way and wait as may. Also whether the engine could be driven.
    fn offer(
        &self,
        request: Request,
        deliveries: &mut Deliveries,
        spins: u32,
    ) -> (Option<Request>, bool) {
        let mut offered = Some(request);
        let mut has_driven = self.drive(&mut offered, deliveries, spins);
        if let Some(request) = offered {
            offered = self.queue.push(request).err();
            has_driven |= self.drive(&mut None, deliveries, 0);
        }
        deliveries.call();
        (offered, has_driven)
    }

    #[inline]
    fn request(&self, ring: u32, mut tree: Tree, recipient: Recipient) -> Result<Request, Error> {
        let body = &mut *tree.body;
        let is_sized = (1..=limit::TREE_BLOCKS_MAX).contains(&body.blocks);
        if !is_sized
            || body.result_bytes > lane::RESULT_BYTES_MAX
            || ring >= self.config.command_rings
        {
            return Err(self.refused(ring, &tree));
        }
        body.recipient = recipient;
        Ok(Request { ring: ring as usize, tree })
    }

    /// Why a tree is not taken.
    #[cold]
    fn refused(&self, ring: u32, tree: &Tree) -> Error {
        let count = self.config.command_rings;
        if ring >= count {
            return Error::NoRing { kind: "command", ring, count };
        }
        Error::TreeSize {
            blocks: tree.body.blocks,
            result_bytes: tree.body.result_bytes,
            blocks_max: limit::TREE_BLOCKS_MAX,
            result_bytes_max: lane::RESULT_BYTES_MAX,
        }
    }

    fn close(&self) -> Result<(), AttachError> {
        let mut deliveries = Deliveries::new(None);
        let reset = {
            let mut engine = self.engine();
            let reset = bring_up::quiesce(self.backing.as_ref());
            engine.fail(Error::Closed, &mut deliveries);
            reset
        };
        deliveries.deliver();
        self.drive_once();
        reset
    }
}

impl<B: Backing> Drop for Shared<B> {
    fn drop(&mut self) {
        let engine = self.engine.get_mut().unwrap_or_else(PoisonError::into_inner);
        let is_closed = matches!(engine.fault, Some(Error::Closed));
        // A card that does not answer is unmapped all the same: then it reaches nothing.
        if !is_closed && bring_up::quiesce(self.backing.as_ref()).is_err() {
            engine.fault = Some(Error::Closed);
        }
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

impl<B: Backing> fmt::Debug for Shared<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shared({})", self.backing.describe())
    }
}

/// How long a wait has gone on.
pub(crate) struct Patience {
    idle: u32,
    /// Since when nobody could drive.
    blocked: Option<Instant>,
    /// Turns to look for the outcome before the first pause.
    spins: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { idle: 0, blocked: None, spins: SPINS }
    }
}

impl Patience {
    /// For who does not want to wait for an outcome.
    const fn hasty() -> Self {
        Self { idle: 0, blocked: None, spins: 0 }
    }

    /// Turns to look for the outcome now.
    const fn spins(&mut self) -> u32 {
        std::mem::replace(&mut self.spins, 0)
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
