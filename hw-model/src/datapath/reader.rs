//! The reader's half of a grace period: load the epoch, announce it, resolve, hand over, repeat.
//!
//! Around [`super::resolver`]; the firmware waits for what is announced here. It knows no frames.
//! Invariant: an epoch is announced only when everything resolved before it was loaded has
//! crossed the port.
//!
//! The order matters and is the whole protocol. The epoch is loaded *before* the batch is
//! resolved, so the batch sees every store from before that epoch was raised. It is announced
//! *after* the batch before has crossed, so no frame resolved without those stores is left.

use host_driver::memory::Words;

use crate::epochs::{ANNOUNCED, GLOBAL};

/// A reader of the table.
#[derive(Debug, Default)]
pub struct Reader {
    announced: u32,
}

impl Reader {
    /// Looks at the epoch, at the start of a batch: whether one was raised since the last.
    #[inline]
    pub fn is_behind<W: Words>(&self, epochs: &W) -> bool {
        // ORDERING: Relaxed. A hint to start a batch, which then loads the epoch with Acquire.
        // Checked by `loom_fence::no_frame_after_the_fence`.
        epochs.load_relaxed(GLOBAL) != self.announced
    }

    /// The epoch that was announced last.
    pub(crate) fn announced(&self) -> u32 {
        self.announced
    }

    /// Starts a batch: everything resolved earlier has crossed the port. Returns whether there is
    /// a new epoch, after `before_announcing` was told of it and it was announced.
    #[inline]
    pub fn begin<W: Words>(&mut self, epochs: &W, before_announcing: impl FnOnce(u32)) -> bool {
        // ORDERING: Acquire. Pairs with the Release in `Hal::raise`: this batch sees every store
        // from before the raise. Checked by `loom_fence::no_frame_after_the_fence`.
        let epoch = epochs.load_acquire(GLOBAL);
        if epoch == self.announced {
            return false;
        }
        before_announcing(epoch);
        self.announced = epoch;
        // ORDERING: Release. Pairs with the Acquire in `Hal::announced`: that the last batch has
        // crossed is visible to who sees this epoch. Checked by `loom_fence::no_frame_after_the_fence`.
        epochs.store_release(ANNOUNCED, epoch);
        true
    }

    /// Starts anew, at a reset: both words are 0.
    pub fn reset(&mut self) {
        self.announced = 0;
    }
}
