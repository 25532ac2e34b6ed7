//! Relink all: moving every path of a neighbor costs the same for one and for a million.
//!
//! From `update`. Each alias of the old neighbor X that has paths is pointed at Y; X keeps an
//! empty home. Where Y's own home has no paths, the first alias that comes takes its place and
//! X gets it in exchange: fail over and back again needs no new alias and no sweep, ever.
//! A neighbor that would get a fifth alias waits for `sweep`; so does one for whom none is free.

use abi::core::Hal;
use abi::core::table::neighbor_private;
use abi::host::limit::NEIGHBOR_ALIASES_MAX;
use abi::host::register::Counter;

use crate::pool::Room;
use crate::table::{Tables, add, subtract};

/// What became of a relink of all paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// So many paths go through the new neighbor now; the epoch covers the stores, if any.
    Paths(u32, Option<u32>),
    /// Not now: a fence, the sweep or an alias is waited for.
    Later,
}

impl Tables {
    /// Moves all paths of neighbor `from` to neighbor `to`. Both are live.
    pub(crate) fn relink_all(&mut self, hal: &mut impl Hal, to: u32, from: u32) -> Moved {
        if to == from || self.paths_of(hal, from) == 0 {
            return Moved::Paths(0, None);
        }
        if self.sweep.concerns(to) || self.sweep.concerns(from) {
            return Moved::Later;
        }
        if !self.fence_passed(hal, to) || !self.fence_passed(hal, from) {
            return Moved::Later;
        }
        let home = self.home(hal, to);
        let swaps_home = self.paths_on(hal, home) == 0;
        if self.aliases_after(hal, to, from, swaps_home) > NEIGHBOR_ALIASES_MAX as usize {
            self.sweep.request(hal, if self.aliases_of(hal, to).len() > 1 { to } else { from });
            return Moved::Later;
        }
        let Some(fresh) = self.fresh_home(hal, to, from, swaps_home) else {
            return Moved::Later;
        };
        let moved = self.move_aliases(hal, to, from, swaps_home);
        if let Some(alias) = fresh {
            self.make_home(hal, from, alias);
        }
        self.mark_fence(hal, from);
        let epoch = self.mark_fence(hal, to);
        Moved::Paths(moved, Some(epoch))
    }

    /// Notes a store that the next command on this neighbor has to wait for; gives its epoch.
    pub(crate) fn mark_fence(&mut self, hal: &mut impl Hal, neighbor: u32) -> u32 {
        let epoch = self.fence.mark();
        hal.store(self.layout.neighbor_private(neighbor) + neighbor_private::FENCE, epoch);
        epoch
    }

    /// Whether the fences of earlier commands on this neighbor have passed.
    pub(crate) fn fence_passed(&mut self, hal: &mut impl Hal, neighbor: u32) -> bool {
        let own = self.layout.neighbor_private(neighbor);
        let epoch = hal.load(own + neighbor_private::FENCE);
        self.fence.await_passed(hal, epoch)
    }

    /// Whether an alias is free; if none is, sees to it that one will be.
    pub(crate) fn has_alias(&mut self, hal: &mut impl Hal) -> bool {
        match self.aliases.room(hal, &mut self.fence) {
            Room::Now => true,
            Room::Later => false,
            Room::Full => {
                self.sweep.request_any(hal);
                false
            }
        }
    }

    /// How many aliases `to` would have.
    fn aliases_after(&self, hal: &impl Hal, to: u32, from: u32, swaps_home: bool) -> usize {
        let aliases = self.aliases_of(hal, from);
        let coming = aliases.iter().filter(|&a| self.paths_on(hal, a) != 0).count();
        self.aliases_of(hal, to).len() - usize::from(swaps_home) + coming
    }

    /// An alias for `from` to have as its empty home, if it needs one. `None`: not now.
    fn fresh_home(
        &mut self,
        hal: &mut impl Hal,
        to: u32,
        from: u32,
        swaps_home: bool,
    ) -> Option<Option<u32>> {
        let old_home = self.home(hal, from);
        if self.paths_on(hal, old_home) == 0 {
            return Some(None);
        }
        if swaps_home {
            return Some(Some(self.home(hal, to)));
        }
        if !self.has_alias(hal) {
            return None;
        }
        self.aliases.take(hal).map(|(alias, _)| Some(alias))
    }

    /// Points every alias of `from` that has paths at `to`; gives the number of paths.
    fn move_aliases(&mut self, hal: &mut impl Hal, to: u32, from: u32, swaps_home: bool) -> u32 {
        let old_home = self.home(hal, to);
        let is_home_moved = self.paths_on(hal, self.home(hal, from)) != 0;
        let mut is_first = true;
        let mut moved = 0;
        for alias in self.aliases_of(hal, from).iter() {
            let paths = self.paths_on(hal, alias);
            if paths == 0 {
                continue;
            }
            self.unchain(hal, from, alias);
            self.point(hal, alias, to);
            self.chain(hal, to, alias);
            if is_first && swaps_home {
                self.unchain(hal, to, old_home);
                let own = self.layout.neighbor_private(to);
                hal.store(own + neighbor_private::HOME, alias);
                if !is_home_moved {
                    let epoch = self.fence.mark();
                    self.aliases.retire(hal, old_home, epoch);
                }
            }
            is_first = false;
            moved += paths;
            hal.count(Counter::ALIASES_MOVED, 1);
        }
        subtract(hal, self.layout.neighbor_private(from) + neighbor_private::PATHS, moved);
        add(hal, self.layout.neighbor_private(to) + neighbor_private::PATHS, moved);
        moved
    }
}
