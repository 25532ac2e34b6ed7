//! Relink all: moving every path of a neighbor costs the same for one and for a million.
//!
//! From `update`. Each alias of the old neighbor X that has paths is pointed at Y; X keeps an
//! empty home. Where Y's own home has no paths, the first alias that comes takes its place and
//! X gets it in exchange: fail over and back again needs no new alias and no sweep, ever.
//! A neighbor that would get a fifth alias waits for `sweep`; so does one for whom none is free.

use abi::core::Hal;
use abi::core::table::{alias_private, neighbor_private};
use abi::host::limit::NEIGHBOR_ALIASES_MAX;
use abi::host::register::Counter;

use crate::link::CHAIN_MAX;
use crate::pool::Room;
use crate::table::{Tables, add};

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
    #[inline(always)]
    pub(crate) fn relink_all(&mut self, hal: &mut impl Hal, to: u32, from: u32) -> Moved {
        let own_from = self.layout.neighbor_private(from);
        let own_to = self.layout.neighbor_private(to);
        let paths = hal.load(own_from + neighbor_private::PATHS);
        if to == from || paths == 0 {
            return Moved::Paths(0, None);
        }
        if self.sweep.concerns(to) || self.sweep.concerns(from) {
            return Moved::Later;
        }
        let fence_to = hal.load(own_to + neighbor_private::FENCE);
        let fence_from = hal.load(own_from + neighbor_private::FENCE);
        if !self.fence.await_both_passed(hal, fence_to, fence_from) {
            return Moved::Later;
        }
        let home = hal.load(own_to + neighbor_private::HOME);
        let swaps_home = self.paths_on(hal, home) == 0;
        let first_to = hal.load(own_to + neighbor_private::ALIASES);
        let rest = hal.load(self.layout.alias_private(home) + alias_private::NEXT);
        // A neighbor that gives its only alias away has room for all that another can have.
        let has_room = swaps_home && first_to == home + 1 && rest == 0;
        if !has_room && !self.has_alias_room(hal, to, from, swaps_home) {
            return Moved::Later;
        }
        let old_home = hal.load(own_from + neighbor_private::HOME);
        let is_home_moved = self.paths_on(hal, old_home) != 0;
        let fresh = match (is_home_moved, swaps_home) {
            (false, _) => None,
            (true, true) => Some(home),
            (true, false) => match self.fresh_alias(hal) {
                Some(alias) => Some(alias),
                None => return Moved::Later,
            },
        };
        let mut taken = first_to;
        if swaps_home {
            taken = if first_to == home + 1 { rest } else { self.unchain_home(hal, to, home) };
        }
        let (first, taken, mut kept) = self.move_aliases(hal, own_from, to, taken);
        let epoch = self.fence.mark();
        if swaps_home {
            hal.store(own_to + neighbor_private::HOME, first);
            if !is_home_moved {
                self.aliases.retire(hal, home, epoch);
            }
        }
        if let Some(alias) = fresh {
            self.point(hal, alias, from);
            hal.store(self.layout.alias_private(alias) + alias_private::NEXT, kept);
            hal.store(own_from + neighbor_private::HOME, alias);
            kept = alias + 1;
        }
        hal.store(own_from + neighbor_private::ALIASES, kept);
        hal.store(own_from + neighbor_private::PATHS, 0);
        hal.store(own_from + neighbor_private::FENCE, epoch);
        hal.store(own_to + neighbor_private::ALIASES, taken);
        add(hal, own_to + neighbor_private::PATHS, paths);
        hal.store(own_to + neighbor_private::FENCE, epoch);
        Moved::Paths(paths, Some(epoch))
    }

    /// Takes a home that is not the first of its chain out of it; gives the chain's first.
    #[inline(never)]
    fn unchain_home(&self, hal: &mut impl Hal, neighbor: u32, home: u32) -> u32 {
        self.unchain(hal, neighbor, home);
        hal.load(self.layout.neighbor_private(neighbor) + neighbor_private::ALIASES)
    }

    /// An alias without paths, for a neighbor that gives its home away and gets none in exchange.
    #[inline(never)]
    fn fresh_alias(&mut self, hal: &mut impl Hal) -> Option<u32> {
        if !self.has_alias(hal) {
            return None;
        }
        let (alias, _) = self.aliases.take(hal)?;
        hal.store(self.layout.alias_private(alias) + alias_private::PATHS, 0);
        Some(alias)
    }

    /// Notes a store that the next command on this neighbor has to wait for; gives its epoch.
    pub(crate) fn mark_fence(&mut self, hal: &mut impl Hal, neighbor: u32) -> u32 {
        let epoch = self.fence.mark();
        hal.store(self.layout.neighbor_private(neighbor) + neighbor_private::FENCE, epoch);
        epoch
    }

    /// Whether the fences of earlier commands on this neighbor have passed.
    #[inline(always)]
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

    /// Whether `to` may have all aliases of `from` that have paths; if not, sees to a sweep.
    #[inline(never)]
    fn has_alias_room(&mut self, hal: &mut impl Hal, to: u32, from: u32, swaps_home: bool) -> bool {
        let coming = self.aliases_of(hal, from).filter(|a| self.paths_on(hal, *a) != 0).count();
        let own = self.aliases_of(hal, to).count() - usize::from(swaps_home);
        let has_room = own + coming <= NEIGHBOR_ALIASES_MAX as usize;
        if !has_room {
            self.sweep.request(hal, if self.has_one_alias(hal, to) { from } else { to });
        }
        has_room
    }

    /// Points every alias that has paths at `to` and chains it before `taken`. `own` are the
    /// private words of the neighbor whose aliases they are. Gives the first that was moved, the
    /// chain of those moved, and the chain of those that were not.
    #[inline(always)]
    fn move_aliases(
        &self,
        hal: &mut impl Hal,
        own: u32,
        to: u32,
        mut taken: u32,
    ) -> (u32, u32, u32) {
        let mut at = hal.load(own + neighbor_private::ALIASES);
        let (mut first, mut moved, mut kept) = (0, 0, 0);
        for _ in 0..CHAIN_MAX {
            let Some(alias) = at.checked_sub(1) else { break };
            let private = self.layout.alias_private(alias);
            let next = hal.load(private + alias_private::NEXT);
            if hal.load(private + alias_private::PATHS) == 0 {
                hal.store(private + alias_private::NEXT, kept);
                kept = at;
            } else {
                hal.store(private + alias_private::NEXT, taken);
                taken = at;
                self.point(hal, alias, to);
                if moved == 0 {
                    first = alias;
                }
                moved += 1;
            }
            at = next;
        }
        hal.count(Counter::ALIASES_MOVED, moved);
        (first, taken, kept)
    }
}
