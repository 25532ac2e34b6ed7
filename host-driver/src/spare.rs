//! Vectors that a thread keeps for its next tree: slots of trees, words of results.
//!
//! Beside `tree` and `outcome`. Commands come one after another and are of the same few sizes, so
//! whoever builds one finds the room of one before. A vector goes to the thread that drops it;
//! what is kept is bounded in number and size, and what is past the bounds is freed.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

use abi::host::command::Slot;

/// Vectors of a kind that a thread keeps.
const KEPT_MAX: usize = 16;
/// Largest vector that is kept, in bytes.
const KEPT_BYTES_MAX: usize = 1 << 20;

type Shelf<T> = RefCell<Vec<Vec<T>>>;

thread_local! {
    static SLOTS: Shelf<Slot> = const { RefCell::new(Vec::new()) };
    static WORDS: Shelf<u32> = const { RefCell::new(Vec::new()) };
}

/// What vectors are kept of.
pub(crate) trait Kept: Sized + 'static {
    /// Where this thread keeps them.
    fn shelf() -> &'static LocalKey<Shelf<Self>>;
}

impl Kept for Slot {
    fn shelf() -> &'static LocalKey<Shelf<Self>> {
        &SLOTS
    }
}

impl Kept for u32 {
    fn shelf() -> &'static LocalKey<Shelf<Self>> {
        &WORDS
    }
}

/// A vector that is kept when it goes.
#[derive(Debug)]
pub(crate) struct Spare<T: Kept>(Vec<T>);

impl<T: Kept> Spare<T> {
    /// An empty vector with room for `capacity`.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let mut vector = Self::take(capacity);
        vector.clear();
        vector
    }

    /// A vector with room for `capacity`, and anything in it.
    fn take(capacity: usize) -> Self {
        // A thread that is ending keeps nothing.
        let kept = T::shelf().try_with(|shelf| {
            let mut shelf = shelf.borrow_mut();
            let fits = shelf.iter().rposition(|vector| vector.capacity() >= capacity)?;
            Some(shelf.swap_remove(fits))
        });
        Self(kept.ok().flatten().unwrap_or_else(|| Vec::with_capacity(capacity)))
    }
}

impl Spare<u32> {
    /// `len` words, each of them anything.
    pub(crate) fn words(len: usize) -> Self {
        let mut vector = Self::take(len);
        if vector.len() < len {
            vector.resize(len, 0);
        } else {
            vector.truncate(len);
        }
        vector
    }
}

impl<T: Kept> Drop for Spare<T> {
    fn drop(&mut self) {
        let bytes = self.0.capacity() * size_of::<T>();
        if bytes == 0 || bytes > KEPT_BYTES_MAX {
            return;
        }
        let vector = std::mem::take(&mut self.0);
        // Without a shelf the thread is ending, and the vector with it.
        T::shelf()
            .try_with(|shelf| {
                let mut shelf = shelf.borrow_mut();
                if shelf.len() < KEPT_MAX {
                    shelf.push(vector);
                }
            })
            .unwrap_or_default();
    }
}

impl<T: Kept> Deref for Spare<T> {
    type Target = Vec<T>;
    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Kept> DerefMut for Spare<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_used_again_and_empty_then() {
        let mut first = Spare::<u32>::with_capacity(8);
        first.push(7);
        let place = first.as_ptr();
        drop(first);
        let again = Spare::<u32>::with_capacity(8);
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let many: Vec<_> = (0..2 * KEPT_MAX).map(|_| Spare::<u32>::words(3)).collect();
        drop(many);
        drop(Spare::<u32>::words(KEPT_BYTES_MAX));
        WORDS.with_borrow(|shelf| {
            assert_eq!(shelf.len(), KEPT_MAX);
            assert!(shelf.iter().all(|vector| vector.capacity() * 4 <= KEPT_BYTES_MAX));
        });
    }
}
