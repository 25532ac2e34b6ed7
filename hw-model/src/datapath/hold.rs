//! Frames that wait: a bounded pool of descriptors, in order per path.
//!
//! Beside [`super::transmit`], which puts frames in and looks at them again. Only descriptors are
//! held; the payload stays in host memory. It resolves nothing itself.
//! Invariant: a frame leaves the pool for the port only from the front of its queue.
//!
//! A *pass* walks all held frames once, a bounded number a batch, in the order in which they
//! came. A raised epoch starts one; frames count as settled (and in RING_HELD) once the pass has
//! looked at them, so a host that finds every frame completed or settled knows that nothing more
//! will be released.

use std::collections::HashMap;

use abi::host::limit::TRANSMIT_RINGS_MAX;
use abi::host::transmit::TransmitDescriptor;

use super::resolver::QueueKey;

/// A frame that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldFrame {
    /// Transmit ring, from 0.
    pub(crate) ring: usize,
    /// What the host asked for.
    pub(crate) descriptor: TransmitDescriptor,
}

/// The pool or the queue holds as many as it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HoldFull;

/// No slot.
const NONE: u32 = u32::MAX;

/// Neighbors of a slot in one list.
#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    after: u32,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    frame: HeldFrame,
    queue: QueueKey,
    /// In the order of arrival, over all queues.
    all: Link,
    /// In its queue.
    mates: Link,
    /// The pass that settled it; 0 for none.
    settled_by: u64,
}

/// First and last slot of a queue, and how many it has.
#[derive(Clone, Copy, Debug)]
struct Ends {
    first: u32,
    last: u32,
    count: u32,
}

/// The pool.
#[derive(Debug)]
pub(crate) struct HoldPool {
    slots: Vec<Slot>,
    free: Vec<u32>,
    queues: HashMap<QueueKey, Ends>,
    first: u32,
    last: u32,
    /// Next slot of the pass, [`NONE`] when no pass runs.
    cursor: u32,
    /// Counts the passes that epochs started. A frame is settled when this one settled it.
    pass: u64,
    settled: [u32; TRANSMIT_RINGS_MAX as usize],
    per_queue: u32,
    total: usize,
}

impl HoldPool {
    /// A pool for `total` frames, `per_queue` of them in one queue.
    pub(crate) fn new(per_queue: u32, total: u32) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            queues: HashMap::new(),
            first: NONE,
            last: NONE,
            cursor: NONE,
            pass: 1,
            settled: [0; TRANSMIT_RINGS_MAX as usize],
            per_queue,
            total: total as usize,
        }
    }

    /// Frames held.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether frames of `queue` are held, so that newcomers go behind them.
    pub(crate) fn has_queue(&self, queue: QueueKey) -> bool {
        !self.queues.is_empty() && self.queues.contains_key(&queue)
    }

    /// Frames of `ring` that are held and settled.
    pub(crate) fn settled(&self, ring: usize) -> u32 {
        self.settled[ring]
    }

    /// Holds a frame at the end of `queue`. It is settled unless a pass will come by.
    pub(crate) fn push(&mut self, frame: HeldFrame, queue: QueueKey) -> Result<(), HoldFull> {
        let count = self.queues.get(&queue).map_or(0, |ends| ends.count);
        if count >= self.per_queue || self.len() >= self.total {
            return Err(HoldFull);
        }
        let is_settled = !self.is_in_pass();
        let unlinked = Link { before: NONE, after: NONE };
        let slot = Slot {
            frame,
            queue,
            all: Link { before: self.last, after: NONE },
            mates: unlinked,
            settled_by: if is_settled { self.pass } else { 0 },
        };
        let at = match self.free.pop() {
            Some(at) => {
                self.slots[at as usize] = slot;
                at
            }
            None => {
                self.slots.push(slot);
                self.slots.len() as u32 - 1
            }
        };
        match self.last {
            NONE => self.first = at,
            last => self.slots[last as usize].all.after = at,
        }
        self.last = at;
        self.join(at, queue);
        self.settled[frame.ring] += u32::from(is_settled);
        Ok(())
    }

    /// Starts a pass because an epoch was raised: nothing counts as settled before it was looked at.
    pub(crate) fn unsettle(&mut self) {
        self.settled = Default::default();
        self.pass += 1;
        self.cursor = self.first;
    }

    /// Starts a pass from the beginning; what is settled stays so.
    pub(crate) fn rescan(&mut self) {
        self.cursor = self.first;
    }

    /// Whether a pass is under way.
    pub(crate) fn is_in_pass(&self) -> bool {
        self.cursor != NONE
    }

    /// The next frame of the pass. The caller then keeps, moves or removes it, or leaves it.
    pub(crate) fn next(&mut self) -> Option<(u32, HeldFrame)> {
        let at = self.cursor;
        let slot = self.slots.get(at as usize)?;
        self.cursor = slot.all.after;
        Some((at, slot.frame))
    }

    /// Whether the frame at `at` is the first of its queue.
    pub(crate) fn is_front(&self, at: u32) -> bool {
        self.slots[at as usize].mates.before == NONE
    }

    /// The frame at `at` stays, in `queue`.
    pub(crate) fn keep(&mut self, at: u32, queue: QueueKey) {
        if self.slots[at as usize].queue != queue {
            self.leave(at);
            self.join(at, queue);
        }
        let slot = &mut self.slots[at as usize];
        self.settled[slot.frame.ring] += u32::from(slot.settled_by != self.pass);
        slot.settled_by = self.pass;
    }

    /// Takes the frame at `at` out.
    pub(crate) fn remove(&mut self, at: u32) {
        self.leave(at);
        let slot = self.slots[at as usize];
        let Link { before, after } = slot.all;
        match before {
            NONE => self.first = after,
            before => self.slots[before as usize].all.after = after,
        }
        match after {
            NONE => self.last = before,
            after => self.slots[after as usize].all.before = before,
        }
        self.settled[slot.frame.ring] -= u32::from(slot.settled_by == self.pass);
        self.free.push(at);
    }

    fn join(&mut self, at: u32, queue: QueueKey) {
        let empty = Ends { first: NONE, last: NONE, count: 0 };
        let ends = self.queues.entry(queue).or_insert(empty);
        self.slots[at as usize].queue = queue;
        self.slots[at as usize].mates = Link { before: ends.last, after: NONE };
        match ends.last {
            NONE => ends.first = at,
            last => self.slots[last as usize].mates.after = at,
        }
        ends.last = at;
        ends.count += 1;
    }

    fn leave(&mut self, at: u32) {
        let Slot { queue, mates, .. } = self.slots[at as usize];
        match mates.before {
            NONE => {}
            before => self.slots[before as usize].mates.after = mates.after,
        }
        match mates.after {
            NONE => {}
            after => self.slots[after as usize].mates.before = mates.before,
        }
        let ends = self.queues.get_mut(&queue).expect("a held frame's queue exists");
        if ends.first == at {
            ends.first = mates.after;
        }
        if ends.last == at {
            ends.last = mates.before;
        }
        ends.count -= 1;
        if ends.count == 0 {
            self.queues.remove(&queue);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(tag: u32) -> HeldFrame {
        HeldFrame { ring: 0, descriptor: TransmitDescriptor { tag, ..Default::default() } }
    }

    fn walk(pool: &mut HoldPool) -> Vec<(u32, u32, bool)> {
        std::iter::from_fn(|| {
            pool.next().map(|(at, frame)| (at, frame.descriptor.tag, pool.is_front(at)))
        })
        .collect()
    }

    #[test]
    fn a_queue_keeps_its_order_and_only_its_front_may_leave() {
        let mut pool = HoldPool::new(8, 8);
        for (tag, path) in [(0, 1), (1, 2), (2, 1), (3, 1)] {
            pool.push(frame(tag), QueueKey::Path(path)).unwrap();
        }
        pool.rescan();
        let seen = walk(&mut pool);
        let claims: Vec<_> = seen.iter().map(|&(_, tag, front)| (tag, front)).collect();
        assert_eq!(claims, [(0, true), (1, true), (2, false), (3, false)]);
        pool.remove(seen[0].0);
        assert!(pool.is_front(seen[2].0) && !pool.is_front(seen[3].0));
        pool.remove(seen[2].0);
        pool.push(frame(4), QueueKey::Path(1)).unwrap();
        pool.rescan();
        let tags: Vec<_> = walk(&mut pool).iter().map(|&(_, tag, _)| tag).collect();
        assert_eq!(tags, [1, 3, 4]);
    }

    #[test]
    fn limits_hold_per_queue_and_in_all() {
        let mut pool = HoldPool::new(2, 3);
        let (a, b) = (QueueKey::Path(1), QueueKey::Connection(1));
        pool.push(frame(0), a).unwrap();
        pool.push(frame(1), a).unwrap();
        assert_eq!(pool.push(frame(2), a), Err(HoldFull));
        pool.push(frame(3), b).unwrap();
        assert_eq!(pool.push(frame(4), b), Err(HoldFull));
        assert_eq!((pool.len(), pool.settled(0)), (3, 3));
    }

    #[test]
    fn after_a_raised_epoch_frames_settle_one_by_one() {
        let mut pool = HoldPool::new(8, 8);
        for tag in 0..3 {
            pool.push(frame(tag), QueueKey::Path(7)).unwrap();
        }
        pool.unsettle();
        assert_eq!(pool.settled(0), 0);
        let (first, _) = pool.next().unwrap();
        pool.keep(first, QueueKey::Connection(3));
        assert_eq!(pool.settled(0), 1);
        pool.push(frame(3), QueueKey::Path(7)).unwrap();
        while let Some((at, _)) = pool.next() {
            assert_eq!(pool.is_front(at), at == 1, "the first has left this queue");
            pool.keep(at, QueueKey::Path(7));
        }
        assert_eq!((pool.settled(0), pool.is_in_pass()), (4, false));
        pool.remove(first);
        assert!(!pool.has_queue(QueueKey::Connection(3)) && pool.has_queue(QueueKey::Path(7)));
        assert_eq!(pool.settled(0), 3);
    }
}
