//! What all users of a session share: trees handed in, the engine driven, outcomes waited for.
//!
//! The only module that knows about threads, between the session's face and the engine. Whoever finds the engine free drives it, one turn or
//! as many as it takes for an answer that is near; a single command on a free card has a road of
//! its own, without queue or cell. Waits have an end: that of the engine, or [`WALL_BACKSTOP`].

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Instant;

use abi::core::Capabilities;
use abi::host::limit;
use crossbeam_queue::ArrayQueue;

use super::config::Config;
use super::engine::{Engine, Request};
use super::interrupts::Interrupts;
use super::lane;
use super::ticket::{Answered, Cell, Deliveries, Recipient, keep_cell, new_cell, opened, taken};
use crate::backing::Backing;
use crate::bring_up::{self, WALL_BACKSTOP};
use crate::error::{AttachError, Error};
use crate::transmit::Wire;
use crate::tree::Tree;

/// Rounds of a wait without work before it sleeps on interrupts.
const ROUNDS: u32 = 200;
/// Turns in which a wait looks for its outcome before it lets go of the engine for the first
/// time: some 2 us, in which a card that is near has answered a single command.
const SPINS: u32 = 128;
/// The same for a command that is alone, in looks at its completion, which are shorter.
const LOOKS: u32 = 512;

/// What all users of a session share.
pub(super) struct Shared<B: Backing> {
    pub(super) backing: Arc<B>,
    pub(super) config: Config,
    pub(super) capabilities: Capabilities,
    pub(super) queue: ArrayQueue<Request>,
    pub(super) engine: Mutex<Engine>,
    pub(super) wires: Vec<Arc<Mutex<Wire>>>,
    pub(super) interrupts: Option<Interrupts>,
}

impl<B: Backing> Shared<B> {
    /// Drives the engine, if nobody else does: one turn, and `spins` more as long as the answer
    /// that `deliveries` keep has not come. `false` when somebody else has the engine.
    pub(super) fn drive(
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

    pub(super) fn drive_once(&self) {
        let mut deliveries = Deliveries::new(None);
        self.drive(&mut None, &mut deliveries, 0);
        deliveries.deliver();
    }

    /// Submits a tree and waits for its outcome, which most often comes while this drives.
    pub(super) fn run(&self, ring: u32, tree: Tree) -> Answered {
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
    pub(super) fn wait(&self, cell: Cell, patience: &mut Patience) -> Answered {
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
    /// it. A [`ShadowView`](super::ShadowView) kept across a wait does that.
    pub(super) fn rest(&self, has_driven: bool, patience: &mut Patience) -> Result<(), Error> {
        if has_driven {
            patience.blocked = None;
        } else if patience.blocked.get_or_insert_with(Instant::now).elapsed() > WALL_BACKSTOP {
            return Err(Error::Blocked { waited_s: WALL_BACKSTOP.as_secs() });
        }
        self.backing.relax();
        patience.idle += 1;
        if patience.idle > ROUNDS
            && let Some(interrupts) = &self.interrupts
            && !self.is_writing()
        {
            interrupts.wait();
        }
        Ok(())
    }

    /// Whether a tree is longer than its ring, and not all of it is there: no interrupt tells that
    /// there is room for more.
    fn is_writing(&self) -> bool {
        self.engine.try_lock().is_ok_and(|engine| engine.is_writing())
    }

    pub(super) fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a request to the engine, waiting for room if need be. What comes back meanwhile is
    /// delivered, but for the answer that `deliveries` keep.
    pub(super) fn enqueue(
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
    pub(super) fn offer(
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
    pub(super) fn request(
        &self,
        ring: u32,
        mut tree: Tree,
        recipient: Recipient,
    ) -> Result<Request, Error> {
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
    pub(super) fn refused(&self, ring: u32, tree: &Tree) -> Error {
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

    pub(super) fn close(&self) -> Result<(), AttachError> {
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

/// How long a wait has gone on.
pub(super) struct Patience {
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
    pub(super) const fn hasty() -> Self {
        Self { idle: 0, blocked: None, spins: 0 }
    }

    /// Turns to look for the outcome now.
    pub(super) const fn spins(&mut self) -> u32 {
        std::mem::replace(&mut self.spins, 0)
    }
}

impl<B: Backing> fmt::Debug for Shared<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shared({})", self.backing.describe())
    }
}
