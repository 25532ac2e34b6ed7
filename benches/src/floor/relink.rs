//! Relinking N paths one by one, and offloading them: host object, ring, store on the other side.
//!
//! The host walks its 64-byte objects, notes the change in each, and puts down what the card
//! needs: eight bytes a path in the compact form, a whole 64-byte slot for an offload. The card
//! stores into its table and moves the tail. The host waits until the card has done the last one.
//!
//! | word | writer | reader | store | load | publishes |
//! | --- | --- | --- | --- | --- | --- |
//! | `head` | host | card | Release | Acquire | slots below it |
//! | `tail` | card | host | Release | Acquire | that slots below it were read |
//! | `done` | card | host | Release | Acquire | the table |

use std::hint::spin_loop;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::chance;
use crate::machine::{CARD, HOST, Line, pin};
use crate::raw::{HandOver, Huge};

/// Objects and paths there are; the cases take the first of them.
pub const PATHS: usize = 1 << 20;
/// 64-byte slots of the ring.
const SLOTS: usize = 1024;
/// Entries of the ring in its compact form: as many bytes.
const ENTRIES: usize = SLOTS * 8;
/// Entries that are published at once, and taken at once.
const ENTRY_BATCH: usize = 256;
/// Slots that are published at once, and taken at once.
const SLOT_BATCH: usize = 32;
/// Bytes from a boundary of huge pages to the card's table: a host object and its path are not
/// to fall into the same sets of the caches.
const TABLE_OFFSET: usize = 2112;
/// Words of a path that an offload writes.
const STATE_WORDS: usize = 6;
/// Seed of the shuffled order; the engine takes the same.
const ORDER_SEED: u64 = 42;

/// A path of the card's table.
#[repr(C, align(64))]
struct Path {
    neighbor: AtomicU32,
    version: u32,
    state: [u64; 7],
}

/// What the host has of a path.
#[repr(C, align(64))]
struct Object {
    id: u32,
    neighbor: u32,
    upper: [u64; 4],
    changes: u64,
    spare: [u64; 2],
}

/// In which order paths are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they lie on the card.
    InOrder,
    /// Any.
    Shuffled,
}

impl Order {
    /// The word in a case's name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::InOrder => "in_order",
            Self::Shuffled => "shuffled",
        }
    }

    /// The numbers of `count` paths in this order.
    ///
    /// # Panics
    /// When there are not that many.
    #[must_use]
    pub fn numbers(self, count: usize) -> Vec<u32> {
        assert!(count <= PATHS, "at most {PATHS} paths");
        match self {
            Self::InOrder => (0..count as u32).collect(),
            Self::Shuffled => {
                let all = chance::shuffled(PATHS, ORDER_SEED);
                all.into_iter().filter(|number| (*number as usize) < count).collect()
            }
        }
    }
}

/// Objects, table and rings.
pub struct Floor {
    objects: Huge<Object>,
    paths: Huge<Path>,
    entries: HandOver<u64, ENTRIES>,
    slots: HandOver<[u64; 8], SLOTS>,
    head: Line<AtomicUsize>,
    tail: Line<AtomicUsize>,
    done: Line<AtomicUsize>,
    /// The neighbor that paths were moved to last.
    neighbor: u32,
}

impl Default for Floor {
    fn default() -> Self {
        Self::new()
    }
}

impl Floor {
    /// All objects and paths, from nothing.
    #[must_use]
    pub fn new() -> Self {
        let object =
            |id| Object { id: id as u32, neighbor: 0, upper: [0; 4], changes: 0, spare: [0; 2] };
        let path = |_| Path { neighbor: AtomicU32::new(0), version: 0, state: [0; 7] };
        Self {
            objects: Huge::new(PATHS, 0, object),
            paths: Huge::new(PATHS, TABLE_OFFSET, path),
            entries: HandOver::new(0),
            slots: HandOver::new([0; 8]),
            head: Line::default(),
            tail: Line::default(),
            done: Line::default(),
            neighbor: 1,
        }
    }

    /// Moves the paths `order` names to another neighbor, in the compact form; ns a path.
    ///
    /// # Panics
    /// When a path was not moved.
    pub fn relink(&mut self, order: &[u32]) -> f64 {
        let target = self.next();
        let Self { objects, paths, entries, head, tail, done, .. } = self;
        let (entries, head, tail, done) = (&*entries, &head.0, &tail.0, &done.0);
        let card = || {
            let (mut taken, mut published) = (0, 0);
            while taken < order.len() {
                if !look(head, taken, &mut published) {
                    continue;
                }
                let end = published.min(taken + ENTRY_BATCH);
                for position in taken..end {
                    let entry = entries.read(position);
                    // ORDERING: Release. As a card publishes a link. No loom test: a floor, its
                    // readers are in `floor::chain`.
                    paths[entry as u32 as usize]
                        .neighbor
                        .store((entry >> 32) as u32, Ordering::Release);
                }
                taken = end;
                give_back(tail, taken);
            }
            finish(done, taken);
        };
        let host = || {
            let (mut filled, mut free_from) = (0, 0);
            for piece in order.chunks(ENTRY_BATCH) {
                wait_for_room(tail, (filled + piece.len()).saturating_sub(ENTRIES), &mut free_from);
                for (position, &number) in (filled..).zip(piece) {
                    let object = &mut objects[number as usize];
                    object.neighbor = target;
                    object.changes += 1;
                    entries.write(position, u64::from(object.id) | u64::from(target) << 32);
                }
                filled += piece.len();
                publish(head, filled);
            }
            wait_for(done, order.len());
        };
        let ns = side_by_side([head, tail, done], card, host) / order.len() as f64;
        self.check(order, target);
        ns
    }

    /// Writes the paths `order` names into the table, a 64-byte slot each; ns an object.
    ///
    /// # Panics
    /// When a path was not written.
    pub fn offload(&mut self, order: &[u32]) -> f64 {
        let target = self.next();
        let Self { objects, paths, slots, head, tail, done, .. } = self;
        let (slots, head, tail, done) = (&*slots, &head.0, &tail.0, &done.0);
        let card = || {
            let (mut taken, mut published) = (0, 0);
            while taken < order.len() {
                if !look(head, taken, &mut published) {
                    continue;
                }
                let end = published.min(taken + SLOT_BATCH);
                for position in taken..end {
                    let slot = slots.read(position);
                    let path = &mut paths[slot[0] as u32 as usize];
                    path.state[..STATE_WORDS].copy_from_slice(&slot[2..]);
                    // ORDERING: Release. As a card publishes an object. No loom test: a floor.
                    path.neighbor.store(slot[1] as u32, Ordering::Release);
                }
                taken = end;
                give_back(tail, taken);
            }
            finish(done, taken);
        };
        let host = || {
            let (mut filled, mut free_from) = (0, 0);
            for piece in order.chunks(SLOT_BATCH) {
                wait_for_room(tail, (filled + piece.len()).saturating_sub(SLOTS), &mut free_from);
                for (position, &number) in (filled..).zip(piece) {
                    let object = &mut objects[number as usize];
                    object.neighbor = target;
                    object.changes += 1;
                    let [a, b, c, d] = object.upper;
                    let (id, target) = (u64::from(object.id), u64::from(target));
                    slots
                        .write(position, [id, target, a, b, c, d, object.changes, position as u64]);
                }
                filled += piece.len();
                publish(head, filled);
            }
            wait_for(done, order.len());
        };
        let ns = side_by_side([head, tail, done], card, host) / order.len() as f64;
        self.check(order, target);
        for (position, &number) in order.iter().enumerate() {
            let place = self.paths[number as usize].state[STATE_WORDS - 1];
            assert_eq!(place, position as u64, "path {number} has the state of its slot");
        }
        ns
    }

    fn next(&mut self) -> u32 {
        self.neighbor += 1;
        self.neighbor
    }

    fn check(&mut self, order: &[u32], target: u32) {
        for &number in order {
            let path = &mut self.paths[number as usize];
            assert_eq!(*path.neighbor.get_mut(), target, "the floor moved path {number}");
            assert_eq!(path.version, 0, "nobody writes this word");
            assert_eq!(self.objects[number as usize].spare, [0; 2], "nor these");
        }
    }
}

/// Runs both sides at once, each on its processor; ns from the first piece to the last answer.
fn side_by_side(
    positions: [&AtomicUsize; 3],
    card: impl FnOnce() + Send,
    host: impl FnOnce(),
) -> f64 {
    for position in positions {
        // ORDERING: Relaxed. The barrier below orders it. No loom test: one thread yet.
        position.store(0, Ordering::Relaxed);
    }
    let (barrier, is_there) = (Barrier::new(2), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            pin(CARD);
            barrier.wait();
            // ORDERING: Release. Pairs with the Acquire below; nothing but the word itself.
            // No loom test: one word.
            is_there.store(true, Ordering::Release);
            card();
        });
        pin(HOST);
        barrier.wait();
        // ORDERING: Acquire. Pairs with the Release above. No loom test: one word.
        while !is_there.load(Ordering::Acquire) {
            spin_loop();
        }
        let started = Instant::now();
        host();
        started.elapsed().as_nanos() as f64
    })
}

/// Whether there is something behind `taken`.
#[inline(always)]
fn look(head: &AtomicUsize, taken: usize, published: &mut usize) -> bool {
    if *published != taken {
        return true;
    }
    // ORDERING: Acquire. Pairs with the Release in `publish`: the slots below it are written.
    // No loom test: a floor; the engine's ring has `loom_ring`.
    *published = head.load(Ordering::Acquire);
    if *published == taken {
        spin_loop();
    }
    *published != taken
}

/// Waits until the slots below `needed` have been read.
#[inline(always)]
fn wait_for_room(tail: &AtomicUsize, needed: usize, free_from: &mut usize) {
    while *free_from < needed {
        // ORDERING: Acquire. Pairs with the Release in `give_back`: the slots below were read.
        // No loom test: a floor; the engine's ring has `loom_ring`.
        *free_from = tail.load(Ordering::Acquire);
    }
}

#[inline(always)]
fn publish(head: &AtomicUsize, filled: usize) {
    // ORDERING: Release. Pairs with the Acquire in `look`; publishes the slots below.
    // No loom test: a floor; the engine's ring has `loom_ring`.
    head.store(filled, Ordering::Release);
}

#[inline(always)]
fn give_back(tail: &AtomicUsize, taken: usize) {
    // ORDERING: Release. Pairs with the Acquire in `wait_for_room`: the slots were read before.
    // No loom test: a floor; the engine's ring has `loom_ring`.
    tail.store(taken, Ordering::Release);
}

#[inline(always)]
fn finish(done: &AtomicUsize, taken: usize) {
    // ORDERING: Release. Pairs with the Acquire in `wait_for`; publishes the table.
    // No loom test: a floor.
    done.store(taken, Ordering::Release);
}

#[inline(always)]
fn wait_for(done: &AtomicUsize, count: usize) {
    // ORDERING: Acquire. Pairs with the Release in `finish`. No loom test: a floor.
    while done.load(Ordering::Acquire) != count {
        spin_loop();
    }
}
