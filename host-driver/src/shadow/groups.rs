//! Groups: paths that move together, in chains of which each neighbor has at most one.
//!
//! Below `shadow`. It knows no path: only how many there are in each group.

use abi::host::handle::Handle;

use super::paths::NO_GROUP;

/// Paths that move together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    /// What its paths hang from; null when that left the card before them.
    pub(super) neighbor: Handle,
    pub(super) paths: u32,
    pub(super) next: u32,
    pub(super) previous: u32,
}

/// All groups, those that are free among them.
#[derive(Debug)]
pub(super) struct Groups {
    groups: Vec<Group>,
    /// First free group; the others follow by `next`.
    free: u32,
}

impl Groups {
    pub(super) const fn new() -> Self {
        Self { groups: Vec::new(), free: NO_GROUP }
    }

    #[cfg(test)]
    pub(super) const fn len(&self) -> usize {
        self.groups.len()
    }

    pub(super) fn get(&self, group: u32) -> Option<&Group> {
        self.groups.get(group as usize)
    }

    pub(super) fn get_mut(&mut self, group: u32) -> Option<&mut Group> {
        self.groups.get_mut(group as usize)
    }

    /// A group of `neighbor` without paths.
    pub(super) fn allocate(&mut self, neighbor: Handle) -> u32 {
        let group = Group { neighbor, paths: 0, next: NO_GROUP, previous: NO_GROUP };
        let place = self.free;
        if let Some(free) = self.groups.get_mut(place as usize) {
            self.free = std::mem::replace(free, group).next;
            return place;
        }
        self.groups.push(group);
        // There are never more groups than paths and one, and a handle's index has 30 bits.
        self.groups.len() as u32 - 1
    }

    /// Takes a group out of its chain, for another use.
    pub(super) fn release(&mut self, group: u32) {
        let Some(Group { next, previous, .. }) = self.get(group).copied() else { return };
        self.chain(previous, next);
        self.groups[group as usize].next = std::mem::replace(&mut self.free, group);
    }

    /// Makes `next` follow `previous`; either may be [`NO_GROUP`].
    pub(super) fn chain(&mut self, previous: u32, next: u32) {
        if let Some(group) = self.groups.get_mut(previous as usize) {
            group.next = next;
        }
        if let Some(group) = self.groups.get_mut(next as usize) {
            group.previous = previous;
        }
    }

    /// Says of every group from `first` on whose it is, and gives the last one.
    pub(super) fn readdress(&mut self, first: u32, neighbor: Handle) -> Option<u32> {
        let (mut last, mut place) = (None, first);
        while let Some(group) = self.groups.get_mut(place as usize) {
            group.neighbor = neighbor;
            last = Some(place);
            place = group.next;
        }
        last
    }
}
