//! The receipt for a tree: where its outcome is put, and by whom it is waited for.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::backing::Backing;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::session::shared::{Patience, Shared};
use crate::spare;

/// What a tree comes to.
pub type Answered = Result<Outcome, Error>;

/// A callback for a tree's outcome.
pub(crate) type Callback = Box<dyn FnOnce(Answered) + Send>;

/// Where an outcome waits for its ticket. Whoever delivers lets go of the cell after that, so a
/// cell with one owner left needs no look inside to know that nothing will come any more.
pub(crate) type Cell = Arc<Mutex<Option<Answer>>>;

/// As [`Answered`], and small, because it is handed on several times.
pub(crate) type Answer = Result<Outcome, Box<Error>>;

/// Who wants the outcome.
#[derive(Default)]
pub(crate) enum Recipient {
    Ticket(Cell),
    /// Boxed, because a recipient is handed on with its tree; locked by nobody: whoever takes it
    /// out of its tree has it alone.
    Callback(Box<Mutex<Callback>>),
    /// Whoever drives the engine just now, and sees by itself what has come.
    #[default]
    Driver,
}

/// Outcomes on their way to their recipients.
pub(crate) struct Deliveries {
    /// Whose answer is kept here instead of in its cell: that of who is driving.
    own: *const Mutex<Option<Answer>>,
    pub(crate) answer: Option<Answer>,
    /// Called once the engine's lock is gone: a callback may submit again.
    callbacks: Vec<(Callback, Answer)>,
    /// How many have come.
    pub(crate) count: usize,
}

impl Deliveries {
    /// Nothing yet; the answer that `own` waits for will be kept.
    pub(crate) fn new(own: Option<&Cell>) -> Self {
        let own = own.map_or(std::ptr::null(), Arc::as_ptr);
        Self { own, answer: None, callbacks: Vec::new(), count: 0 }
    }

    /// An outcome for `recipient`.
    pub(crate) fn put(&mut self, recipient: Recipient, answer: Answer) {
        self.count += 1;
        match recipient {
            Recipient::Ticket(cell) if Arc::as_ptr(&cell) == self.own => self.answer = Some(answer),
            Recipient::Ticket(cell) => {
                *cell.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            }
            Recipient::Callback(callback) => {
                let callback = callback.into_inner().unwrap_or_else(PoisonError::into_inner);
                self.callbacks.push((callback, answer));
            }
            Recipient::Driver => {}
        }
    }

    /// Calls what wants to be called, without the engine's lock.
    pub(crate) fn call(&mut self) {
        for (callback, answer) in std::mem::take(&mut self.callbacks) {
            call_in_turn(callback, opened(answer));
        }
    }

    /// Calls what wants to be called; gives the answer that was kept.
    pub(crate) fn deliver(mut self) -> Option<Answer> {
        self.call();
        self.answer
    }
}

thread_local! {
    /// Cells for the next tickets of this thread.
    static CELLS: RefCell<Vec<Cell>> = const { RefCell::new(Vec::new()) };
}

/// An empty cell.
pub(crate) fn new_cell() -> Cell {
    spare::take(&CELLS, |_| true).unwrap_or_default()
}

/// Keeps a cell for the next ticket, unless somebody else may still put an answer into it.
pub(crate) fn keep_cell(mut cell: Cell) {
    let Some(inner) = Arc::get_mut(&mut cell) else { return };
    *inner.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
    spare::keep(&CELLS, cell);
}

/// An answer as its recipient gets it.
pub(crate) fn opened(answer: Answer) -> Answered {
    answer.map_err(|error| *error)
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
            Self::Driver => "Driver",
        })
    }
}

/// Takes the answer out of a cell, if it was put there.
pub(crate) fn taken(cell: &Cell) -> Option<Answer> {
    if Arc::strong_count(cell) > 1 {
        return None;
    }
    cell.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// The receipt for a submitted tree. Dropping it gives the outcome up, not the tree.
pub struct Ticket<B: Backing> {
    shared: Arc<Shared<B>>,
    /// There until the ticket goes.
    cell: Option<Cell>,
}

impl<B: Backing> Ticket<B> {
    pub(super) const fn new(shared: Arc<Shared<B>>, cell: Cell) -> Self {
        Self { shared, cell: Some(cell) }
    }

    /// Drives the session once and gives the outcome if it has come. Gives it once.
    pub fn poll(&mut self) -> Option<Answered> {
        let cell = self.cell.as_ref()?;
        if let Some(answer) = taken(cell) {
            return Some(opened(answer));
        }
        let mut deliveries = Deliveries::new(Some(cell));
        self.shared.drive(&mut None, &mut deliveries, 0);
        deliveries.deliver().or_else(|| taken(cell)).map(opened)
    }

    /// Waits for the outcome.
    ///
    /// # Errors
    /// When the card fails, vanishes, or makes no progress within
    /// [`Config::command_timeout_ms`](crate::Config::command_timeout_ms).
    pub fn wait(mut self) -> Answered {
        let cell = self.cell.take().ok_or(Error::Closed)?;
        self.shared.wait(cell, &mut Patience::default())
    }
}

impl<B: Backing> Drop for Ticket<B> {
    fn drop(&mut self) {
        if let Some(cell) = self.cell.take() {
            keep_cell(cell);
        }
    }
}

impl<B: Backing> fmt::Debug for Ticket<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({})", self.shared.backing.describe())
    }
}
