//! What a thread keeps for its next tree: bodies of trees, and slots of long ones.
//!
//! Below `tree` and `outcome`. Commands come one after another and are of the same few sizes, so
//! whoever builds one finds the room of one before. What is let go stays with the thread that
//! lets it go; what is kept is bounded in number and size, and what is past the bounds is freed.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

use abi::host::command::Slot;

use crate::body::Body;

/// Bodies that a thread keeps, and vectors of slots.
const KEPT_MAX: usize = 32;
/// Largest vector that is kept, in bytes.
const KEPT_BYTES_MAX: usize = 1 << 20;
/// Slots that a body keeps for itself; those of a longer tree are passed on at once.
const OWN_SLOTS_MAX: usize = 64;

type Shelf<T> = RefCell<Vec<T>>;

thread_local! {
    static BODIES: Shelf<Box<Body>> = const { RefCell::new(Vec::new()) };
    static SLOTS: Shelf<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}

/// The body of a tree, kept when it goes.
#[derive(Debug)]
pub(crate) struct Spare(
    /// There until it goes.
    Option<Box<Body>>,
);

impl Spare {
    /// An empty body with room for `slots` slots.
    pub(crate) fn with_slots(slots: usize) -> Self {
        let mut body = take(&BODIES, |_| true).unwrap_or_default();
        if body.slots.capacity() < slots {
            let kept = take(&SLOTS, |kept| kept.capacity() >= slots);
            let own = kept.unwrap_or_else(|| Vec::with_capacity(slots));
            body.slots = own;
        }
        Self(Some(body))
    }

    /// Passes the slots of a long tree on: whoever keeps the outcome does not need them.
    pub(crate) fn shed_slots(&mut self) {
        if self.slots.capacity() > OWN_SLOTS_MAX {
            keep_slots(std::mem::take(&mut self.slots));
        }
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        self.shed_slots();
        let Some(mut body) = self.0.take() else { return };
        if body.words.capacity() * size_of::<u32>() > KEPT_BYTES_MAX {
            body.words = Vec::new();
        }
        body.clear();
        keep(&BODIES, body);
    }
}

impl Deref for Spare {
    type Target = Body;
    #[inline]
    fn deref(&self) -> &Body {
        self.0.as_deref().expect("the body is there until it goes")
    }
}

impl DerefMut for Spare {
    #[inline]
    fn deref_mut(&mut self) -> &mut Body {
        self.0.as_deref_mut().expect("the body is there until it goes")
    }
}

fn keep_slots(mut slots: Vec<Slot>) {
    if slots.capacity() * size_of::<Slot>() <= KEPT_BYTES_MAX {
        slots.clear();
        keep(&SLOTS, slots);
    }
}

/// The last thing on the shelf that fits. A thread that is ending has none.
pub(crate) fn take<T>(shelf: &'static LocalKey<Shelf<T>>, fits: impl Fn(&T) -> bool) -> Option<T> {
    let taken = shelf.try_with(|shelf| {
        let mut shelf = shelf.borrow_mut();
        let last = shelf.iter().rposition(fits)?;
        Some(shelf.swap_remove(last))
    });
    taken.ok().flatten()
}

/// Puts a thing on the shelf, if there is room. A thread that is ending keeps nothing.
pub(crate) fn keep<T>(shelf: &'static LocalKey<Shelf<T>>, thing: T) {
    let kept = shelf.try_with(|shelf| {
        let mut shelf = shelf.borrow_mut();
        if shelf.len() < KEPT_MAX {
            shelf.push(thing);
        }
    });
    kept.unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_used_again_and_empty_then() {
        let mut first = Spare::with_slots(8);
        first.slots.push([7; 16]);
        first.blocks = 1;
        let place = first.slots.as_ptr();
        drop(first);
        let again = Spare::with_slots(8);
        assert_eq!((again.slots.as_ptr(), again.slots.len(), again.blocks), (place, 0, 0));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut many: Vec<_> = (0..2 * KEPT_MAX).map(|_| Spare::with_slots(100)).collect();
        for body in &mut many {
            body.words.resize(KEPT_BYTES_MAX, 0);
        }
        drop(many);
        drop(Spare::with_slots(KEPT_BYTES_MAX));
        BODIES.with_borrow(|shelf| {
            assert_eq!(shelf.len(), KEPT_MAX);
            assert!(shelf.iter().all(|body| body.words.capacity() == 0));
        });
        SLOTS.with_borrow(|shelf| {
            assert_eq!(shelf.len(), KEPT_MAX);
            assert!(shelf.iter().all(|slots| slots.capacity() * 64 <= KEPT_BYTES_MAX));
        });
    }
}
