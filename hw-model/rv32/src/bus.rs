//! What a hart meets outside its RAM.
//!
//! From `step`, which asks for every access that RAM does not answer, to whoever builds a
//! machine around the hart. The hart checks alignment before it asks.
//! Times are the hart's own cycles; an answer's stall is added to them.

/// The rest of the machine, as the hart sees it.
pub trait Bus {
    /// Loads from `address`. `at` is the cycle at which the instruction began. The upper bits of
    /// a value narrower than a word are ignored.
    ///
    /// # Errors
    ///
    /// [`Fault`] if nothing answers there: the hart traps with a load access fault.
    fn load(&mut self, at: u64, address: u32, width: Width) -> Result<Access, Fault>;

    /// Stores the low bits of `value` to `address`; `at` as in [`Bus::load`].
    ///
    /// # Errors
    ///
    /// [`Fault`] if nothing answers there: the hart traps with a store access fault.
    fn store(&mut self, at: u64, address: u32, width: Width, value: u32) -> Result<Stored, Fault>;

    /// A `fence` began at cycle `at`. Answers how many cycles it stalls, beyond its own cost,
    /// until earlier accesses are done. `fence.i` does not come here.
    fn fence(&mut self, at: u64) -> u32;

    /// Whether the external interrupt line is high. Asked at `wfi`, when `mip` is read, and
    /// before each instruction while the firmware has enabled the interrupt.
    fn wakes(&mut self) -> bool;
}

/// How wide an access is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// 8 bits.
    Byte,
    /// 16 bits.
    Half,
    /// 32 bits.
    Word,
}

impl Width {
    /// Bytes of an access.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        match self {
            Self::Byte => 1,
            Self::Half => 2,
            Self::Word => 4,
        }
    }
}

/// The answer to a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// What was there.
    pub value: u32,
    /// Cycles that the hart waits beyond the instruction's own cost.
    pub stall: u32,
}

/// The answer to a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Cycles that the hart waits beyond the instruction's own cost.
    pub stall: u32,
    /// Whether [`crate::Hart::run`] returns behind this store.
    pub is_boundary: bool,
}

/// Nothing answers at that address, or not in that way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault;
