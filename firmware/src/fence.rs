//! The fence: when has every reader left the old state behind?
//!
//! Writer's half of the grace period (design section 8). The firmware stores, raises the epoch,
//! and goes on; a completion, a freed slot or a header bank is kept back until the oldest epoch
//! that a reader announced has reached the one that covers the store. It never spins.
//!
//! | word | writer | readers | store | load | publishes |
//! |---|---|---|---|---|---|
//! | global epoch | firmware ([`Fence::raise`]) | datapath | Release | Acquire | every store before it |
//! | announced epoch | one datapath reader each | firmware ([`Hal::announced`]) | Release | Acquire | that its earlier frames crossed the port |

use abi::core::Hal;
use abi::host::register::Counter;
use abi::host::trace::TraceKind;

/// The epoch last raised, and whether stores wait to be covered by the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fence {
    epoch: u32,
    is_dirty: bool,
}

impl Fence {
    pub(crate) const fn at(epoch: u32) -> Self {
        Self { epoch, is_dirty: false }
    }

    /// Notes that a shared word was stored; gives the epoch that will cover it.
    pub(crate) fn mark(&mut self) -> u32 {
        self.is_dirty = true;
        self.epoch.wrapping_add(1)
    }

    /// Raises the epoch if a store waits for it.
    #[inline(always)]
    pub(crate) fn raise(&mut self, hal: &mut impl Hal) {
        if self.is_dirty {
            self.epoch = self.epoch.wrapping_add(1);
            self.is_dirty = false;
            // Told first: an announcement may be there before this returns.
            hal.trace(TraceKind::RAISED, 0, 0, self.epoch);
            hal.raise(self.epoch);
            hal.count(Counter::FENCES, 1);
        }
    }

    /// Whether every reader has left behind what `epoch` covers.
    ///
    /// Epochs wrap. When all readers are at the newest epoch, everything older has passed,
    /// however long ago it was marked; else the distance decides.
    #[inline(always)]
    pub(crate) fn has_passed(&self, hal: &impl Hal, epoch: u32) -> bool {
        !self.is_unraised(epoch) && self.is_behind(hal.announced(), epoch)
    }

    /// Like [`Fence::has_passed`], and sees to it that the answer will become yes: raises the
    /// epoch if `epoch` still waits to be raised.
    #[inline(always)]
    pub(crate) fn await_passed(&mut self, hal: &mut impl Hal, epoch: u32) -> bool {
        if self.is_unraised(epoch) {
            self.raise_now(hal);
        }
        self.is_behind(hal.announced(), epoch)
    }

    /// [`Fence::await_passed`] for two epochs.
    #[inline(always)]
    pub(crate) fn await_both_passed(&mut self, hal: &mut impl Hal, a: u32, b: u32) -> bool {
        if self.is_unraised(a) || self.is_unraised(b) {
            self.raise_now(hal);
        }
        let announced = hal.announced();
        self.is_behind(announced, a) && self.is_behind(announced, b)
    }

    /// As `raise`, off the way that is usual.
    #[cold]
    fn raise_now(&mut self, hal: &mut impl Hal) {
        self.raise(hal);
    }

    /// Whether readers that have announced `announced` are past `epoch`, which was raised.
    const fn is_behind(&self, announced: u32, epoch: u32) -> bool {
        announced == self.epoch || announced.wrapping_sub(epoch) as i32 >= 0
    }

    fn is_unraised(&self, epoch: u32) -> bool {
        self.is_dirty && epoch == self.epoch.wrapping_add(1)
    }
}
