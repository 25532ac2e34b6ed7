//! Paths that come to one neighbor, one after another: new ones, and ones that were relinked.
//!
//! Between `shadow` and whoever follows a tree or a list. Paths stand in runs: many that are new,
//! many that leave the same group. What a run leaves and where it comes is counted once, at its
//! end; until then only the path itself is touched.

use abi::host::command::level;
use abi::host::handle::Handle;
use abi::host::status::Kind;

use super::paths::{NO_GROUP, Path};
use super::{ImpossibleHandle, Shadow};

/// Paths on their way to one neighbor; counted at the latest when this goes.
pub(crate) struct Arrivals<'a> {
    shadow: &'a mut Shadow,
    neighbor: Handle,
    /// The group they come to; [`NO_GROUP`] when the neighbor is not on the card.
    home: u32,
    /// The group that the paths of this run left.
    old: u32,
    /// Paths of this run that left it.
    moved: u32,
    /// Paths of this run that are new.
    created: u32,
    highest_generation: u32,
}

impl Shadow {
    /// Paths that come to `neighbor` from now on; to none, when it is not on the card.
    pub(crate) fn arrivals(&mut self, neighbor: Handle) -> Arrivals<'_> {
        let home = self.home(neighbor);
        Arrivals {
            shadow: self,
            neighbor,
            home,
            old: NO_GROUP,
            moved: 0,
            created: 0,
            highest_generation: 0,
        }
    }
}

impl Arrivals<'_> {
    /// A path that was on the card under another neighbor, or this one.
    #[inline]
    pub(crate) fn relinked(&mut self, path: Handle) {
        let home = self.home;
        let Some(path) = self.shadow.paths.get_mut(path) else { return };
        let old = path.group();
        if old == home {
            return;
        }
        path.set_group(home);
        if old != self.old {
            self.count();
            self.old = old;
        }
        self.moved += 1;
    }

    /// As [`Arrivals::relinked`], for each of `paths`.
    #[inline]
    pub(crate) fn relinked_each(&mut self, paths: impl Iterator<Item = Handle>) {
        let mut paths = paths;
        loop {
            let of_a_run = paths.by_ref();
            let (moved, other) = self.shadow.paths.move_all(of_a_run, self.old, self.home);
            self.moved += moved;
            // The next run begins, or a path that stays where it is comes between.
            let Some(other) = other else { return };
            self.relinked(other);
        }
    }

    /// A path that was not on the card. Whatever its slot held before is gone.
    ///
    /// # Errors
    /// [`ImpossibleHandle`] when it is no path, or the card has no such slot; nothing is noted
    /// then.
    #[inline]
    pub(crate) fn insert(&mut self, path: Handle) -> Result<(), ImpossibleHandle> {
        let slots = self.shadow.limits[level(Kind::PATH) as usize];
        if path.kind() != Kind::PATH || path.index() >= slots {
            return Err(ImpossibleHandle { handle: path, slots });
        }
        let (index, generation) = (path.index(), path.generation());
        if !self.shadow.paths.put(index, Path::new(generation, self.home)) {
            self.replace(index, generation);
        }
        self.created += 1;
        self.highest_generation = self.highest_generation.max(generation);
        Ok(())
    }

    /// As [`Arrivals::insert`], over a path that never was seen to leave.
    #[cold]
    fn replace(&mut self, index: u32, generation: u32) {
        self.count();
        let shadow = &mut *self.shadow;
        if let Some(before) = shadow.paths.at(index) {
            shadow.remove(Handle::new(Kind::PATH, index, before.generation()));
        }
        // It may have been the last path of the group that these come to.
        self.home = shadow.home(self.neighbor);
        shadow.paths.put(index, Path::new(generation, self.home));
    }

    /// Counts the run so far.
    #[inline(never)]
    fn count(&mut self) {
        let (moved, created) = (std::mem::take(&mut self.moved), std::mem::take(&mut self.created));
        let shadow = &mut *self.shadow;
        shadow.live[level(Kind::PATH) as usize] += created as usize;
        // They come before they go, so that no group of this neighbor is freed in between.
        shadow.arrive(self.home, moved + created);
        shadow.leave(self.old, moved);
    }
}

impl Drop for Arrivals<'_> {
    fn drop(&mut self) {
        self.count();
        let shadow = &mut *self.shadow;
        shadow.highest_generation = shadow.highest_generation.max(self.highest_generation);
        // Frees the group when nothing has come.
        shadow.leave(self.home, 0);
    }
}
