//! What the datapath leaves for the firmware: a bounded queue, and a count that tells of it.
//!
//! From `datapath` to `peripherals`. The core looks at each of its steps, and nearly always there is
//! nothing: that answer costs one load.
//! Invariant: a notice that is counted is in the queue.
//!
//! | word | writer | reader | store | load | publishes |
//! |---|---|---|---|---|---|
//! | `left` | datapath | core | Release | Acquire | nothing: the queue orders itself |

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use abi::core::Notice;
use abi::host::limit::NOTICES_MAX;

/// Both ends of an empty queue.
pub(crate) fn notices() -> (NoticeSender, NoticeReceiver) {
    let (sender, receiver) = sync_channel(NOTICES_MAX as usize);
    let left = Arc::new(AtomicU32::new(0));
    let sender = NoticeSender { queue: sender, left: Arc::clone(&left) };
    (sender, NoticeReceiver { queue: receiver, left, taken: 0 })
}

/// The datapath's end.
#[derive(Debug)]
pub(crate) struct NoticeSender {
    queue: SyncSender<Notice>,
    left: Arc<AtomicU32>,
}

impl NoticeSender {
    /// Leaves a notice; `false` when there is no room and it is forgotten.
    pub(crate) fn leave(&self, notice: Notice) -> bool {
        let is_left = self.queue.try_send(notice).is_ok();
        if is_left {
            // ORDERING: Relaxed. Written here only. No loom test: one writer.
            let left = self.left.load(Ordering::Relaxed);
            // ORDERING: Release. Pairs with the Acquire in `NoticeReceiver::next`: the notice is in
            // the queue. No loom test: the queue has its own order, this only tells when to look.
            self.left.store(left.wrapping_add(1), Ordering::Release);
        }
        is_left
    }
}

/// The core's end.
#[derive(Debug)]
pub(crate) struct NoticeReceiver {
    queue: Receiver<Notice>,
    left: Arc<AtomicU32>,
    taken: u32,
}

impl NoticeReceiver {
    /// The next notice.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Notice> {
        // ORDERING: Acquire. Pairs with the Release in `NoticeSender::leave`; see there.
        if self.left.load(Ordering::Acquire) == self.taken {
            return None;
        }
        let notice = self.queue.try_recv().ok()?;
        self.taken = self.taken.wrapping_add(1);
        Some(notice)
    }

    /// Forgets what was left.
    pub(crate) fn clear(&mut self) {
        while self.next().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_is_taken_in_order_and_what_had_no_room_is_not() {
        let (sender, mut receiver) = notices();
        assert_eq!(receiver.next(), None);
        let left = (0..=NOTICES_MAX).filter(|_| sender.leave(Notice::Drained)).count();
        assert_eq!(left, NOTICES_MAX as usize);
        assert_eq!(receiver.next(), Some(Notice::Drained));
        receiver.clear();
        assert_eq!(receiver.next(), None);
        assert!(sender.leave(Notice::Drained), "there is room again");
        assert_eq!(receiver.next(), Some(Notice::Drained));
    }
}
