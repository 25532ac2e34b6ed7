//! What is on the card, by the card's own answers.
//!
//! Behind `session`, which tells it of every block that the card has carried out; from here the
//! host knows what a reset has lost and what hangs from what. It never judges: whether a command
//! makes sense is the card's to say, and a handle that cannot be one of the card's is refused
//! only because there is no slot for it.
//! Invariant: a handle is contained from its `insert` to its `remove`; slots are found by
//! index, and the generation is compared every time, so a stale handle is never contained.
//!
//! Relinking all paths of a neighbor touches no path: paths hang from a *group*, groups from a
//! neighbor, as the card's aliases do. A group without paths is freed and used again.

mod arrivals;
mod groups;
mod paths;

use abi::core::Capabilities;
use abi::host::command::level;
use abi::host::handle::Handle;
use abi::host::status::Kind;

use groups::Groups;
use paths::{NO_GROUP, Paths};

/// The kinds of objects, by level.
const KINDS: [Kind; 3] = [Kind::NEIGHBOR, Kind::PATH, Kind::CONNECTION];

/// A handle that a card of these capabilities cannot have given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the card gave out {handle}, but its table of that kind has {slots} slots; reset the card")]
pub struct ImpossibleHandle {
    /// The handle.
    pub handle: Handle,
    /// Slots that the card says its table of that kind has; 0 when there is no such kind.
    pub slots: u32,
}

/// An object that was on the card when everything was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The object; stale from now on.
    pub handle: Handle,
    /// What it hung from.
    pub parent: Option<Handle>,
}

/// What is on one card.
#[derive(Debug)]
pub struct Shadow {
    /// One table a kind, as far as its slots were ever given out; that of paths is apart.
    tables: [Vec<Slot>; 3],
    paths: Paths,
    /// Slots that the card has of each kind.
    limits: [u32; 3],
    live: [usize; 3],
    groups: Groups,
    highest_generation: u32,
}

/// A neighbor's or connection's slot.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// A connection's path; null for a neighbor.
    path: Handle,
    generation: u32,
    dependents: u32,
    /// The group that new paths of a neighbor join, first of its groups.
    group: u32,
    is_live: bool,
    is_invalid: bool,
}

const VACANT: Slot = Slot {
    path: Handle::NULL,
    generation: 0,
    dependents: 0,
    group: NO_GROUP,
    is_live: false,
    is_invalid: false,
};

impl Shadow {
    /// An empty card of these capabilities. Memory is taken as handles come in.
    #[must_use]
    pub fn new(capabilities: &Capabilities) -> Self {
        Self {
            tables: [Vec::new(), Vec::new(), Vec::new()],
            paths: Paths::default(),
            limits: [capabilities.neighbors, capabilities.paths, capabilities.connections],
            live: [0; 3],
            groups: Groups::new(),
            highest_generation: 0,
        }
    }

    /// Notes that `handle` is on the card and hangs from `parent`. Whatever its slot held before
    /// is gone.
    ///
    /// # Errors
    /// [`ImpossibleHandle`] when the card has no such slot; nothing is noted then.
    pub fn insert(
        &mut self,
        handle: Handle,
        parent: Option<Handle>,
    ) -> Result<(), ImpossibleHandle> {
        if handle.kind() == Kind::PATH {
            return self.arrivals(parent.unwrap_or(Handle::NULL)).insert(handle);
        }
        let (kind, index) = (level(handle.kind()) as usize, handle.index() as usize);
        let slots = self.limits.get(kind).copied().unwrap_or(0);
        if handle.index() >= slots {
            return Err(ImpossibleHandle { handle, slots });
        }
        if let Some(before) = self.tables[kind].get(index).filter(|slot| slot.is_live) {
            self.remove(Handle::new(handle.kind(), handle.index(), before.generation));
        }
        let mut slot = Slot { generation: handle.generation(), is_live: true, ..VACANT };
        if handle.kind() == Kind::CONNECTION {
            slot.path = parent.unwrap_or(Handle::NULL);
            self.paths.count(slot.path, true);
        }
        if index >= self.tables[kind].len() {
            self.tables[kind].resize(index + 1, VACANT);
        }
        self.tables[kind][index] = slot;
        self.live[kind] += 1;
        self.highest_generation = self.highest_generation.max(handle.generation());
        Ok(())
    }

    /// Notes that `handle` has left the card. What hung from it has no parent from now on.
    pub fn remove(&mut self, handle: Handle) {
        let kind = handle.kind();
        if kind == Kind::PATH {
            let Some(removed) = self.paths.take(handle) else { return };
            self.leave(removed.group(), 1);
        } else {
            let Some(slot) = self.slot_mut(kind, handle) else { return };
            let removed = std::mem::replace(slot, VACANT);
            self.groups.readdress(removed.group, Handle::NULL);
            self.paths.count(removed.path, false);
        }
        self.live[level(kind) as usize] -= 1;
    }

    /// Notes that `path` hangs from the neighbor `to` now.
    pub fn relinked(&mut self, path: Handle, to: Handle) {
        self.arrivals(to).relinked(path);
    }

    /// Notes that each of `paths` hangs from the neighbor `to` now. Costs little more than a look
    /// at each when they come from one neighbor.
    pub fn relinked_each(&mut self, to: Handle, paths: impl IntoIterator<Item = Handle>) {
        self.arrivals(to).relinked_each(paths.into_iter());
    }

    /// Notes that all paths of the neighbor `from` hang from the neighbor `to` now.
    /// Costs as much as `from` has groups, however many paths they hold.
    pub fn relinked_all(&mut self, to: Handle, from: Handle) {
        if to == from {
            return;
        }
        let Some(source) = self.slot_mut(Kind::NEIGHBOR, from) else { return };
        let first = std::mem::replace(&mut source.group, NO_GROUP);
        let paths = std::mem::take(&mut source.dependents);
        let Some(target) = self.slot_mut(Kind::NEIGHBOR, to) else {
            self.groups.readdress(first, Handle::NULL);
            return;
        };
        target.dependents += paths;
        let rest = target.group;
        if let Some(last) = self.groups.readdress(first, to) {
            self.groups.chain(last, rest);
            if let Some(target) = self.slot_mut(Kind::NEIGHBOR, to) {
                target.group = first;
            }
        }
    }

    /// Notes that `handle` was invalidated, for as long as it is on the card.
    pub fn mark_invalid(&mut self, handle: Handle) {
        if let Some(path) = self.paths.get_mut(handle) {
            path.mark_invalid();
        } else if let Some(slot) = self.slot_mut(handle.kind(), handle) {
            slot.is_invalid = true;
        }
    }

    /// Whether `handle` is on the card and was itself invalidated.
    #[must_use]
    pub fn is_invalid(&self, handle: Handle) -> bool {
        let is_invalid_path = self.paths.get(handle).is_some_and(|path| path.is_invalid());
        is_invalid_path || self.slot(handle.kind(), handle).is_some_and(|slot| slot.is_invalid)
    }

    /// Whether `handle` is on the card.
    #[must_use]
    pub fn contains(&self, handle: Handle) -> bool {
        self.paths.get(handle).is_some() || self.slot(handle.kind(), handle).is_some()
    }

    /// What `handle` hangs from, when both are on the card.
    #[must_use]
    pub fn parent(&self, handle: Handle) -> Option<Handle> {
        match handle.kind() {
            Kind::PATH => {
                let group = self.groups.get(self.paths.get(handle)?.group());
                group.map(|group| group.neighbor).filter(|neighbor| !neighbor.is_null())
            }
            Kind::CONNECTION => {
                let path = self.slot(Kind::CONNECTION, handle)?.path;
                Some(path).filter(|&path| self.paths.get(path).is_some())
            }
            _ => None,
        }
    }

    /// Number of objects that hang from `handle`; 0 when it is not on the card.
    #[must_use]
    pub fn dependents(&self, handle: Handle) -> u32 {
        let of_path = self.paths.dependents(handle);
        of_path.or_else(|| Some(self.slot(handle.kind(), handle)?.dependents)).unwrap_or(0)
    }

    /// Number of objects of `kind` on the card.
    #[must_use]
    pub fn len(&self, kind: Kind) -> usize {
        self.live.get(level(kind) as usize).copied().unwrap_or(0)
    }

    /// Whether nothing is on the card.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live == [0; 3]
    }

    /// Highest generation of any handle ever inserted; 0 before the first.
    #[must_use]
    pub fn highest_generation(&self) -> u32 {
        self.highest_generation
    }

    /// Every object of `kind` on the card, by index.
    pub fn handles(&self, kind: Kind) -> impl Iterator<Item = Handle> + use<'_> {
        let table = self.tables.get(level(kind) as usize).map_or(&[][..], Vec::as_slice);
        let slots = (0_u32..).zip(table).filter(|(_, slot)| slot.is_live);
        let others = slots.map(move |(index, slot)| Handle::new(kind, index, slot.generation));
        let paths = (kind == Kind::PATH).then(|| self.paths.handles());
        paths.into_iter().flatten().chain(others)
    }

    /// Forgets everything, as a reset of the card does, and gives what was there, parents first.
    /// The highest generation stays.
    pub fn clear(&mut self) -> Vec<Lost> {
        let mut lost = Vec::with_capacity(self.live.iter().sum());
        for kind in KINDS {
            lost.extend(
                self.handles(kind).map(|handle| Lost { handle, parent: self.parent(handle) }),
            );
        }
        self.tables = [Vec::new(), Vec::new(), Vec::new()];
        self.paths = Paths::default();
        self.live = [0; 3];
        self.groups = Groups::new();
        lost
    }

    /// The slot of `handle`, when that is of `kind` and on the card.
    fn slot(&self, kind: Kind, handle: Handle) -> Option<&Slot> {
        let slot = self.tables.get(level(kind) as usize)?.get(handle.index() as usize)?;
        let is_it = slot.is_live && handle.kind() == kind && slot.generation == handle.generation();
        is_it.then_some(slot)
    }

    fn slot_mut(&mut self, kind: Kind, handle: Handle) -> Option<&mut Slot> {
        let slot = self.tables.get_mut(level(kind) as usize)?.get_mut(handle.index() as usize)?;
        let is_it = slot.is_live && handle.kind() == kind && slot.generation == handle.generation();
        is_it.then_some(slot)
    }

    /// The group that new paths of `neighbor` join; [`NO_GROUP`] when it is not on the card.
    /// It may have no paths yet: who asked either brings one or lets [`Shadow::leave`] free it.
    fn home(&mut self, neighbor: Handle) -> u32 {
        let Some(slot) = self.slot(Kind::NEIGHBOR, neighbor) else { return NO_GROUP };
        if slot.group != NO_GROUP {
            return slot.group;
        }
        let home = self.groups.allocate(neighbor);
        if let Some(slot) = self.slot_mut(Kind::NEIGHBOR, neighbor) {
            slot.group = home;
        }
        home
    }

    /// Counts `paths` paths more in `group`.
    fn arrive(&mut self, group: u32, paths: u32) {
        let Some(joined) = self.groups.get_mut(group) else { return };
        joined.paths += paths;
        let neighbor = joined.neighbor;
        if let Some(neighbor) = self.slot_mut(Kind::NEIGHBOR, neighbor) {
            neighbor.dependents += paths;
        }
    }

    /// Counts `paths` paths less in `group` and frees it when those were the last.
    fn leave(&mut self, group: u32, paths: u32) {
        let Some(left) = self.groups.get_mut(group) else { return };
        left.paths -= paths;
        let (is_empty, neighbor, next) = (left.paths == 0, left.neighbor, left.next);
        if let Some(neighbor) = self.slot_mut(Kind::NEIGHBOR, neighbor) {
            neighbor.dependents -= paths;
            if is_empty && neighbor.group == group {
                neighbor.group = next;
            }
        }
        if is_empty {
            self.groups.release(group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Shadow {
        Shadow { limits: [16, 1000, 16], ..Shadow::new(&Capabilities::NONE) }
    }

    fn neighbor(index: u32) -> Handle {
        Handle::new(Kind::NEIGHBOR, index, 1)
    }

    fn path(index: u32) -> Handle {
        Handle::new(Kind::PATH, index, 1)
    }

    #[test]
    fn relinking_all_moves_every_path_without_a_group_more() {
        let mut card = card();
        card.insert(neighbor(0), None).unwrap();
        card.insert(neighbor(1), None).unwrap();
        for index in 0..1000 {
            card.insert(path(index), Some(neighbor(0))).unwrap();
        }
        for _ in 0..10 {
            card.relinked_all(neighbor(1), neighbor(0));
            assert_eq!((card.dependents(neighbor(0)), card.dependents(neighbor(1))), (0, 1000));
            assert_eq!(card.parent(path(999)), Some(neighbor(1)));
            card.relinked_all(neighbor(0), neighbor(1));
        }
        assert_eq!(card.groups.len(), 1);
    }

    #[test]
    fn a_group_without_paths_is_used_again() {
        let mut card = card();
        card.insert(neighbor(0), None).unwrap();
        card.insert(neighbor(1), None).unwrap();
        card.insert(path(0), Some(neighbor(0))).unwrap();
        for _ in 0..100 {
            card.relinked(path(0), neighbor(1));
            card.relinked(path(0), neighbor(0));
        }
        assert_eq!(card.groups.len(), 2);
    }

    #[test]
    fn a_stale_handle_is_not_contained() {
        let mut card = card();
        let (old, new) = (path(3), Handle::new(Kind::PATH, 3, 2));
        card.insert(old, None).unwrap();
        card.remove(old);
        assert!(!card.contains(old));
        card.insert(new, None).unwrap();
        card.mark_invalid(old);
        assert!(!card.contains(old) && card.contains(new) && !card.is_invalid(new));
        assert_eq!((card.highest_generation(), card.len(Kind::PATH)), (2, 1));
    }

    #[test]
    fn a_handle_without_a_slot_is_refused_and_not_counted() {
        let mut card = card();
        for handle in [neighbor(16), Handle::NULL, Handle(u64::MAX)] {
            assert_eq!(card.insert(handle, None).unwrap_err().handle, handle);
        }
        assert!(card.is_empty());
        assert_eq!(card.highest_generation(), 0);
    }
}
