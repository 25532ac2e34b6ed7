//! Handles: how the host names an object on the card.
//!
//! Written by the card at initiate, opaque to everybody who only passes it on.
//! 64 bits: generation (32, upper), kind (2), index (30). A reused slot gets a new generation,
//! so a stale handle never hits a new object; see design section 2, promise 6.

use super::status::Kind;

limits! {
    /// Where the parts of a handle stand.
    LAYOUT = "handle" {
        /// Lowest bit of the kind; the index stands below it.
        KIND_SHIFT: u32 = 30,
        /// Lowest bit of the generation.
        GENERATION_SHIFT: u32 = 32,
    }
}

const INDEX_MASK: u32 = (1 << KIND_SHIFT) - 1;

/// A handle: index and kind in the lower half, generation in the upper. 0 names nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Handle(pub u64);

impl Handle {
    /// Names nothing: what a block carries whose object is not on the card yet.
    pub const NULL: Self = Self(0);

    /// Builds a handle; bits of `index` past the 30th are dropped.
    #[inline]
    #[must_use]
    pub const fn new(kind: Kind, index: u32, generation: u32) -> Self {
        let low = (kind.0 as u32 & 3) << KIND_SHIFT | index & INDEX_MASK;
        Self((generation as u64) << GENERATION_SHIFT | low as u64)
    }

    /// The slot in the table of its kind.
    #[inline]
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0 as u32 & INDEX_MASK
    }

    /// Neighbor, path or connection; [`Kind::NONE`] for the null handle.
    #[inline]
    #[must_use]
    pub const fn kind(self) -> Kind {
        Kind((self.0 as u32 >> KIND_SHIFT) as u8)
    }

    /// How often the slot was given out, counted from the seed of the attach.
    #[inline]
    #[must_use]
    pub const fn generation(self) -> u32 {
        (self.0 >> GENERATION_SHIFT) as u32
    }

    /// Whether it names nothing.
    #[inline]
    #[must_use]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }
}

impl core::fmt::Debug for Handle {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}:{}@{:#x}", self.kind(), self.index(), self.generation())
    }
}

impl core::fmt::Display for Handle {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self, f)
    }
}
