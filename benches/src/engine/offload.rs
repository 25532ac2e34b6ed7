//! Offloading N paths: the host's objects become trees, the card takes them, handles come back.
//!
//! Trees hang their paths from a neighbor that is on the card already. Some are under way at a
//! time; each outcome is read block by block, because the handle of every path is in it.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use abi::host::handle::Handle;
use host_driver::{Initiate, PathState, Ticket};
use hw_model::ModelCard;

use super::{IN_FLIGHT, MTU, Rig, SOURCE, landed, sample_step};
use crate::raw::Huge;

/// Paths of a tree.
const PIECE: usize = 1024;

/// What the host has of a path: as large as the floor's.
#[repr(C, align(64))]
struct Object {
    handle: Handle,
    destination: u64,
    upper: [u64; 3],
    changes: u64,
    neighbor: u32,
    id: u32,
    spare: u64,
}

/// A card with a neighbor, and the host's objects for the paths to be.
pub struct Offload {
    rig: Rig,
    neighbor: Handle,
    objects: Huge<Object>,
}

impl Offload {
    /// Objects for `count` paths; none of them is on the card.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let rig = Rig::new();
        let [neighbor] = rig.neighbors([1]);
        let object = |id| Object {
            handle: Handle::NULL,
            destination: 0x0a00_0000 | id as u64,
            upper: [0; 3],
            changes: 0,
            neighbor: 0,
            id: id as u32,
            spare: 0,
        };
        Self { rig, neighbor, objects: Huge::new(count, 0, object) }
    }

    /// Offloads all, and takes them back, which is not counted; ns an object.
    ///
    /// # Panics
    /// When the card refuses one.
    pub fn offload(&mut self) -> f64 {
        let count = self.objects.len();
        let mut under_way = VecDeque::with_capacity(IN_FLIGHT);
        let started = Instant::now();
        for first in (0..count).step_by(PIECE) {
            if under_way.len() == IN_FLIGHT {
                self.reap(&mut under_way);
            }
            let last = (first + PIECE).min(count);
            let mut tree = Initiate::with_capacity(last - first + 1);
            let mut root = tree.neighbor_linker(self.neighbor);
            for object in &mut self.objects[first..last] {
                object.neighbor = 1;
                object.changes += 1;
                let destination = IpAddr::V4(Ipv4Addr::from(object.destination as u32));
                root.path(&PathState { source: IpAddr::V4(SOURCE), destination, mtu: MTU });
            }
            let ticket = self.rig.session.submit(tree).expect("the session takes a tree");
            under_way.push_back((first, ticket));
        }
        while !under_way.is_empty() {
            self.reap(&mut under_way);
        }
        let ns = started.elapsed().as_nanos() as f64 / count as f64;
        self.check();
        self.clear();
        ns
    }

    /// Waits for the oldest tree, and notes the handle of every path in it.
    fn reap(&mut self, under_way: &mut VecDeque<(usize, Ticket<ModelCard>)>) {
        let Some((first, ticket)) = under_way.pop_front() else { return };
        let outcome = landed(ticket);
        // The first answer is the neighbor's.
        for (result, object) in outcome.results().skip(1).zip(&mut self.objects[first..]) {
            object.handle = result.handle;
        }
    }

    /// Asks the card: all paths hang from the neighbor.
    fn check(&self) {
        assert_eq!(self.rig.dependents(self.neighbor) as usize, self.objects.len());
        for object in self.objects.iter().step_by(sample_step(self.objects.len())) {
            assert_eq!((object.upper, object.spare, object.neighbor), ([0; 3], 0, 1));
            assert_eq!(
                self.rig.parent(object.handle),
                self.neighbor,
                "path {} is there",
                object.id
            );
        }
    }

    fn clear(&mut self) {
        let handles: Vec<Handle> = self.objects.iter().map(|object| object.handle).collect();
        self.rig.terminate(&handles);
        for object in &mut *self.objects {
            object.handle = Handle::NULL;
        }
    }
}
