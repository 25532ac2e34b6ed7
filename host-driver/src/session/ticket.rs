//! The receipt for a tree: where its outcome is put, and by whom it is waited for.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::backing::Backing;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::session::{Patience, Shared};

/// What a tree comes to.
pub type Answered = Result<Outcome, Error>;

/// A callback for a tree's outcome.
pub(crate) type Callback = Box<dyn FnOnce(Answered) + Send>;

/// Where an outcome waits for its ticket.
pub(crate) type Cell = Arc<Mutex<Option<Answered>>>;

/// Who wants the outcome.
pub(crate) enum Recipient {
    Ticket(Cell),
    Callback(Callback),
}

impl Recipient {
    /// Delivers the outcome. Called without the engine's lock: a callback may submit again.
    pub(crate) fn deliver(self, answer: Answered) {
        match self {
            Self::Ticket(cell) => {
                *cell.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            }
            Self::Callback(callback) => call_in_turn(callback, answer),
        }
    }
}

thread_local! {
    /// Callbacks of this thread: one is being called, or none; those that came meanwhile wait.
    static CALLS: RefCell<Calls> =
        const { RefCell::new(Calls { is_calling: false, waiting: VecDeque::new() }) };
}

/// What waits is bounded by what is under way.
struct Calls {
    is_calling: bool,
    waiting: VecDeque<(Callback, Answered)>,
}

/// Ends a thread's turn of calling, also when a callback panics.
struct Turn;

impl Drop for Turn {
    fn drop(&mut self) {
        CALLS.with_borrow_mut(|calls| calls.is_calling = false);
    }
}

/// Calls callbacks one after another, never one inside another: a callback that submits and finds
/// the next outcome there already must not take more stack each time.
fn call_in_turn(callback: Callback, answer: Answered) {
    let is_nested = CALLS.with_borrow_mut(|calls| {
        calls.waiting.push_back((callback, answer));
        std::mem::replace(&mut calls.is_calling, true)
    });
    if is_nested {
        return;
    }
    let _turn = Turn;
    while let Some((callback, answer)) = CALLS.with_borrow_mut(|calls| calls.waiting.pop_front()) {
        callback(answer);
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ticket(_) => "Ticket",
            Self::Callback(_) => "Callback",
        })
    }
}

/// The receipt for a submitted tree. Dropping it gives the outcome up, not the tree.
pub struct Ticket<B: Backing> {
    shared: Arc<Shared<B>>,
    cell: Cell,
}

impl<B: Backing> Ticket<B> {
    pub(crate) const fn new(shared: Arc<Shared<B>>, cell: Cell) -> Self {
        Self { shared, cell }
    }

    /// Drives the session once and gives the outcome if it has come. Gives it once.
    pub fn poll(&mut self) -> Option<Answered> {
        if let Some(answer) = self.take() {
            return Some(answer);
        }
        self.shared.drive();
        self.take()
    }

    /// Waits for the outcome.
    ///
    /// # Errors
    /// When the card fails, vanishes, or makes no progress within
    /// [`Config::command_timeout_ms`](crate::Config::command_timeout_ms).
    pub fn wait(mut self) -> Answered {
        let mut patience = Patience::default();
        loop {
            if let Some(answer) = self.poll() {
                return answer;
            }
            self.shared.rest(&mut patience)?;
        }
    }

    fn take(&self) -> Option<Answered> {
        self.cell.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<B: Backing> fmt::Debug for Ticket<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({})", self.shared.backing.describe())
    }
}
