//! The lookup chain: connection to path to neighbor to header, one 64-byte line an object.
//!
//! A batch goes through the chain step by step, and asks for the next step's lines of all its
//! members before it looks at the first of them. One word a path is what a relink stores.
//!
//! | word | writer | reader | store | load | publishes |
//! | --- | --- | --- | --- | --- | --- |
//! | path `neighbor` | relinker | lookups | Release | Acquire | nothing: neighbors stay |

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::chance::{self, Chance};
use crate::raw::{Huge, prefetch};
use crate::table::{Pace, Table};

/// Seed of the tables.
const TABLE_SEED: u64 = 77;
/// Seed of the keys.
const KEY_SEED: u64 = 99;
/// Batches that there are.
pub const BATCHES: [usize; 7] = [1, 8, 16, 32, 64, 128, 256];

#[repr(C, align(64))]
struct Neighbor {
    header: [AtomicU64; 2],
    spare: [u64; 6],
}

#[repr(C, align(64))]
struct Path {
    neighbor: AtomicU32,
    mtu: u32,
    addresses: [u64; 4],
    spare: [u64; 3],
}

#[repr(C, align(64))]
struct Connection {
    path: u32,
    flags: u32,
    spare: [u64; 7],
}

/// The tables of a chain.
pub struct Chain {
    connections: Huge<Connection>,
    paths: Huge<Path>,
    neighbors: Huge<Neighbor>,
}

impl Chain {
    /// As many connections as paths, in any order, over `neighbors` neighbors.
    #[must_use]
    pub fn new(paths: usize, neighbors: usize) -> Self {
        let mut chance = Chance::new(TABLE_SEED);
        let order = chance::shuffled(paths, TABLE_SEED);
        let header = |number| {
            [const { AtomicU64::new(0) }; 2]
                .map(|_| AtomicU64::new(u64::from_ne_bytes([number as u8; 8])))
        };
        Self {
            connections: Huge::new(paths, 0, |number| Connection {
                path: order[number],
                flags: 0,
                spare: [0; 7],
            }),
            paths: Huge::new(paths, 0, |_| Path {
                neighbor: AtomicU32::new(chance.below(neighbors as u64) as u32),
                mtu: 0,
                addresses: [0; 4],
                spare: [0; 3],
            }),
            neighbors: Huge::new(neighbors, 0, |number| Neighbor {
                header: header(number),
                spare: [0; 6],
            }),
        }
    }

    /// Random connections, the same in every run; as many as `count`.
    #[must_use]
    pub fn keys(&self, count: usize) -> Vec<u32> {
        let mut chance = Chance::new(KEY_SEED);
        (0..count).map(|_| chance.below(self.connections.len() as u64) as u32).collect()
    }

    /// How many paths there are, and how many neighbors.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        (self.paths.len(), self.neighbors.len())
    }

    /// One lookup, by itself.
    #[inline(always)]
    #[must_use]
    pub fn one(&self, connection: u32) -> u64 {
        let path = &self.paths[self.connections[connection as usize].path as usize];
        header(&self.neighbors[neighbor_of(path)]) ^ u64::from(path.mtu)
    }

    /// Looks all `keys` up, `BATCH` at a time; what does not fill a batch is left out.
    #[must_use]
    pub fn batches<const BATCH: usize>(&self, keys: &[u32]) -> u64 {
        let (mut sum, mut at) = (0_u64, [0_u32; BATCH]);
        for batch in keys.chunks_exact(BATCH) {
            for key in batch {
                prefetch(&self.connections[*key as usize]);
            }
            for (at, key) in at.iter_mut().zip(batch) {
                *at = self.connections[*key as usize].path;
                prefetch(&self.paths[*at as usize]);
            }
            for at in &mut at {
                let path = &self.paths[*at as usize];
                sum ^= u64::from(path.mtu);
                *at = neighbor_of(path) as u32;
                prefetch(&self.neighbors[*at as usize]);
            }
            for at in &at {
                sum = sum.wrapping_add(header(&self.neighbors[*at as usize]));
            }
        }
        sum
    }

    /// What a relink is, at the least.
    #[inline(always)]
    pub fn relink(&self, path: usize, neighbor: u32) {
        // ORDERING: Release. Pairs with the Acquire in `neighbor_of`; what it publishes is the
        // neighbor, which never changes here. No loom test: one word, a floor.
        self.paths[path].neighbor.store(neighbor, Ordering::Release);
    }

    /// The neighbor a path has.
    #[must_use]
    pub fn neighbor(&self, path: usize) -> u32 {
        neighbor_of(&self.paths[path]) as u32
    }
}

#[inline(always)]
fn neighbor_of(path: &Path) -> usize {
    // ORDERING: Acquire. Pairs with the Release in `Chain::relink`. No loom test: one word.
    path.neighbor.load(Ordering::Acquire) as usize
}

#[inline(always)]
fn header(neighbor: &Neighbor) -> u64 {
    // ORDERING: Relaxed. Nobody writes it. Loads that are never left out, as a frame's would not.
    // No loom test: it does not change.
    neighbor.header[0].load(Ordering::Relaxed) ^ neighbor.header[1].load(Ordering::Relaxed)
}

impl Table for Chain {
    fn look_up(&self, keys: &[u32], batch: usize) -> u64 {
        // Both words of a header are the same, and no path has an MTU: a whole value is zero.
        match batch {
            1 => self.batches::<1>(keys),
            8 => self.batches::<8>(keys),
            16 => self.batches::<16>(keys),
            32 => self.batches::<32>(keys),
            64 => self.batches::<64>(keys),
            128 => self.batches::<128>(keys),
            256 => self.batches::<256>(keys),
            _ => panic!("there is no batch of {batch}"),
        }
    }

    #[inline(always)]
    fn one(&self, key: u32) -> u64 {
        Self::one(self, key)
    }

    fn change(&self, pace: &mut Pace<'_>) -> u64 {
        let (paths, neighbors) = self.sizes();
        while let Some(number) = pace.draw() {
            let neighbor = (number >> 32) as usize & (neighbors - 1);
            self.relink(number as usize & (paths - 1), neighbor as u32);
        }
        pace.changes()
    }
}
