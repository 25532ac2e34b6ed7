//! Links and aliases: which neighbor a path goes through.
//!
//! A path's link word names an alias; the alias names the neighbor. New paths and paths moved
//! one by one attach to the neighbor's *home* alias. Moving all paths of a neighbor writes only
//! the aliases that lead to it (at most four), whatever the number of paths.
//!
//! | word | writer | readers | store | load | publishes |
//! |---|---|---|---|---|---|
//! | path LINK | firmware ([`Tables::attach`]) | `hw_model::datapath::resolver` | Release | Acquire | the alias |
//! | alias VIA | firmware ([`Tables::point`]) | the same | Release | Acquire | the neighbor's line |
//!
//! Counts of paths are private to the firmware. An alias without paths that is not a home is
//! retired at once and given out again after its grace period.
//! Checked by `loom_link::reader_sees_old_or_new_never_torn` and `loom_alias`.

use abi::core::Hal;
use abi::core::table::{alias, alias_private, neighbor_private, path};
use abi::host::limit::NEIGHBOR_ALIASES_MAX;

use crate::table::{Tables, add, subtract};

impl Tables {
    /// The neighbor that a path goes through.
    #[inline]
    pub(crate) fn neighbor_of(&self, hal: &impl Hal, path: u32) -> u32 {
        let link = hal.load(self.layout.path(path) + path::LINK);
        hal.load(self.layout.alias(link) + alias::VIA)
    }

    /// Paths that go through a neighbor.
    pub(crate) fn paths_of(&self, hal: &impl Hal, neighbor: u32) -> u32 {
        hal.load(self.layout.neighbor_private(neighbor) + neighbor_private::PATHS)
    }

    /// The home alias of a neighbor.
    #[inline]
    pub(crate) fn home(&self, hal: &impl Hal, neighbor: u32) -> u32 {
        hal.load(self.layout.neighbor_private(neighbor) + neighbor_private::HOME)
    }

    /// Paths whose link word names `alias`.
    pub(crate) fn paths_on(&self, hal: &impl Hal, alias: u32) -> u32 {
        hal.load(self.layout.alias_private(alias) + alias_private::PATHS)
    }

    /// Lets an alias lead to a neighbor: one store moves all its paths.
    #[inline(always)]
    pub(crate) fn point(&self, hal: &mut impl Hal, alias: u32, neighbor: u32) {
        let at = self.layout.alias(alias);
        hal.store(at + alias::MOVED_MS, hal.now_ms());
        hal.publish(at + alias::VIA, neighbor);
    }

    /// Makes a fresh alias the home of a neighbor. The caller has taken it from the pool, or
    /// from another neighbor, and nobody links to it.
    pub(crate) fn make_home(&self, hal: &mut impl Hal, neighbor: u32, alias: u32) {
        self.point(hal, alias, neighbor);
        hal.store(self.layout.alias_private(alias) + alias_private::PATHS, 0);
        let own = self.layout.neighbor_private(neighbor);
        hal.store(own + neighbor_private::HOME, alias);
        self.chain(hal, neighbor, alias);
    }

    /// Puts an alias into the chain of those that lead to a neighbor.
    #[inline(always)]
    pub(crate) fn chain(&self, hal: &mut impl Hal, neighbor: u32, alias: u32) {
        let own = self.layout.neighbor_private(neighbor) + neighbor_private::ALIASES;
        let next = hal.load(own);
        hal.store(self.layout.alias_private(alias) + alias_private::NEXT, next);
        hal.store(own, alias + 1);
    }

    /// Takes an alias out of the chain of a neighbor.
    pub(crate) fn unchain(&self, hal: &mut impl Hal, neighbor: u32, alias: u32) {
        let mut word = self.layout.neighbor_private(neighbor) + neighbor_private::ALIASES;
        let rest = hal.load(self.layout.alias_private(alias) + alias_private::NEXT);
        for _ in 0..CHAIN_MAX {
            match hal.load(word) {
                0 => return,
                at if at == alias + 1 => return hal.store(word, rest),
                at => word = self.layout.alias_private(at - 1) + alias_private::NEXT,
            }
        }
    }

    /// The aliases that lead to a neighbor, home included.
    #[inline]
    pub(crate) fn aliases_of<H: Hal>(&self, hal: &H, neighbor: u32) -> impl Iterator<Item = u32> {
        let mut at = hal.load(self.layout.neighbor_private(neighbor) + neighbor_private::ALIASES);
        (0..CHAIN_MAX).map_while(move |_| {
            let alias = at.checked_sub(1)?;
            at = hal.load(self.layout.alias_private(alias) + alias_private::NEXT);
            Some(alias)
        })
    }

    /// Whether a neighbor has no alias but its home.
    pub(crate) fn has_one_alias(&self, hal: &impl Hal, neighbor: u32) -> bool {
        self.aliases_of(hal, neighbor).nth(1).is_none()
    }

    /// Links a path to the home alias of a neighbor. The path is new, or has been detached.
    pub(crate) fn attach(&self, hal: &mut impl Hal, path: u32, neighbor: u32) {
        let home = self.home(hal, neighbor);
        let now_ms = hal.now_ms();
        self.link(hal, self.layout.path(path), home, now_ms);
        self.arrive(hal, home, neighbor, 1);
    }

    /// Writes the link of the path whose line begins at `line`.
    #[inline(always)]
    pub(crate) fn link(&self, hal: &mut impl Hal, line: u32, alias: u32, now_ms: u32) {
        hal.store(line + path::LINKED_MS, now_ms);
        // From here frames of this path go through the new neighbor.
        hal.publish(line + path::LINK, alias);
    }

    /// Counts paths in at an alias of a neighbor.
    pub(crate) fn arrive(&self, hal: &mut impl Hal, alias: u32, neighbor: u32, paths: u32) {
        add(hal, self.layout.alias_private(alias) + alias_private::PATHS, paths);
        add(hal, self.layout.neighbor_private(neighbor) + neighbor_private::PATHS, paths);
    }

    /// Counts paths out that have left `alias`; frees it when it is empty and no home.
    ///
    /// Until the fence, a slow reader may still follow their old links over this alias, so it
    /// must lead nowhere else before: the neighbor's FENCE word says so.
    pub(crate) fn depart(&mut self, hal: &mut impl Hal, alias: u32, paths: u32) {
        let neighbor = hal.load(self.layout.alias(alias) + alias::VIA);
        let left = subtract(hal, self.layout.alias_private(alias) + alias_private::PATHS, paths);
        let own = self.layout.neighbor_private(neighbor);
        subtract(hal, own + neighbor_private::PATHS, paths);
        let epoch = self.mark_fence(hal, neighbor);
        if left == 0 && self.home(hal, neighbor) != alias {
            self.unchain(hal, neighbor, alias);
            self.aliases.retire(hal, alias, epoch);
        }
    }
}

/// Aliases that a chain can have: the most a neighbor keeps, and its home.
pub(crate) const CHAIN_MAX: u32 = NEIGHBOR_ALIASES_MAX + 1;
