//! Relinking N paths by lists: the host's objects, lists and trees, the card, statuses back.
//!
//! The host walks its 64-byte objects as the floor does, and fills lists with their handles.
//! Some lists are under way at a time, so that host and card work at once; each comes back with
//! the status of every entry, is looked at, and is filled anew.

use std::collections::VecDeque;
use std::time::Instant;

use abi::host::handle::Handle;
use abi::host::status::Status;
use host_driver::{HandleList, Ticket, Update};
use hw_model::ModelCard;

use super::{IN_FLIGHT, Rig, landed, sample_step};
use crate::raw::Huge;

/// Entries of a list.
const PIECE: usize = 2048;

/// What the host has of a path: as large as the floor's.
#[repr(C, align(64))]
struct Object {
    handle: Handle,
    upper: [u64; 4],
    changes: u64,
    neighbor: u32,
    id: u32,
    spare: u64,
}

/// A card with paths under one of two neighbors.
pub struct Relink {
    rig: Rig,
    neighbors: [Handle; 2],
    /// Which of the two has the paths.
    at: usize,
    objects: Huge<Object>,
    idle: Vec<HandleList>,
    under_way: VecDeque<Ticket<ModelCard>>,
}

impl Relink {
    /// A card with `count` paths.
    ///
    /// # Panics
    /// When the card refuses one.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let rig = Rig::new();
        let neighbors = rig.neighbors([1, 2]);
        let handles = rig.paths(neighbors[0], count);
        let objects = Huge::new(count, 0, |id| Object {
            handle: handles[id],
            upper: [0; 4],
            changes: 0,
            neighbor: 0,
            id: id as u32,
            spare: 0,
        });
        let piece = PIECE.min(count);
        let list = || rig.session.handle_list(piece).expect("memory for a list");
        let idle = (0..IN_FLIGHT).map(|_| list()).collect();
        Self { rig, neighbors, at: 0, objects, idle, under_way: VecDeque::new() }
    }

    /// Moves the paths `order` names to the other neighbor; ns a path.
    ///
    /// # Panics
    /// When a path was not moved.
    pub fn relink(&mut self, order: &[u32]) -> f64 {
        let target = self.at ^ 1;
        let started = Instant::now();
        for piece in order.chunks(PIECE) {
            let mut list = self.next_list();
            list.clear();
            let objects = &mut self.objects;
            let filled = list.extend(piece.iter().map(|&number| {
                let object = &mut objects[number as usize];
                object.neighbor = target as u32;
                object.changes += 1;
                object.handle
            }));
            filled.expect("a list has room for a piece");
            let mut tree = Update::new();
            tree.neighbor(self.neighbors[target]).relink_list(list);
            let ticket = self.rig.session.submit(tree).expect("the session takes a tree");
            self.under_way.push_back(ticket);
        }
        while !self.under_way.is_empty() {
            let list = self.reap();
            self.idle.push(list);
        }
        let ns = started.elapsed().as_nanos() as f64 / order.len() as f64;
        self.at = target;
        self.check(order);
        ns
    }

    /// A list that can be filled: one that is idle, or the oldest under way once it comes back.
    fn next_list(&mut self) -> HandleList {
        self.idle.pop().unwrap_or_else(|| self.reap())
    }

    /// Waits for the oldest tree, and looks at every status in it.
    fn reap(&mut self) -> HandleList {
        let ticket = self.under_way.pop_front().expect("a list is idle or under way");
        let outcome = landed(ticket);
        let is_other = |any, status: &u8| any | (*status != Status::SUCCESS.0);
        assert!(!outcome.list_status(0).iter().fold(false, is_other), "every path moves");
        let list = outcome.into_lists().pop().expect("the list comes back");
        assert!(!list.is_empty(), "with its entries");
        list
    }

    /// Asks the card: all paths hang from the target, none from where they were.
    fn check(&self, order: &[u32]) {
        let [target, before] = [self.neighbors[self.at], self.neighbors[self.at ^ 1]];
        let (moved, left) = (self.rig.dependents(target), self.rig.dependents(before));
        assert_eq!(
            (moved as usize, left as usize),
            (order.len(), self.objects.len() - order.len())
        );
        for &number in order.iter().step_by(sample_step(order.len())) {
            let object = &self.objects[number as usize];
            assert_eq!((object.id, object.upper, object.spare), (number, [0; 4], 0));
            assert_eq!(self.rig.parent(object.handle), target, "path {number} moved");
        }
    }
}
