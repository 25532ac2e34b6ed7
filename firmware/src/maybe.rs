//! An option whose absence is all zero bytes.
//!
//! `Option` puts its absence wherever a niche is, so state with nothing in it would be anything
//! but zero and would be carried in the image, byte for byte. Zero costs nothing.

/// A value, or nothing.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(crate) enum Maybe<T> {
    /// Nothing.
    Nothing = 0,
    /// A value.
    Just(T) = 1,
}

impl<T> Maybe<T> {
    pub(crate) const fn is_just(&self) -> bool {
        matches!(self, Self::Just(_))
    }

    pub(crate) const fn is_nothing(&self) -> bool {
        !self.is_just()
    }

    /// Takes the value away.
    pub(crate) fn take(&mut self) -> Option<T> {
        match core::mem::replace(self, Self::Nothing) {
            Self::Just(value) => Some(value),
            Self::Nothing => None,
        }
    }
}
