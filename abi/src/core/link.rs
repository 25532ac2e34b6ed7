//! The link engine: what it is ordered to do, what it answers, and what it does, word for word.
//!
//! A card may have an engine that relinks the paths of a list, one a clock, while the core waits.
//! [`LinkWalk`] is its specification: bodies in software carry it out, hardware is held against it.
//! It moves links and nothing else: counts, fences, status bytes are the firmware's.
//! Invariant: it never leaves more than [`LINK_ALIASES`] aliases in one order; before the path that
//! would be the first to leave another, it stops.

use super::mmio::{LINK_ALIASES, LINK_REFUSED_WORDS};
use super::table::{Control, TableLayout, alias, path};
use crate::host::handle::Handle;
use crate::host::limit::NEIGHBOR_ALIASES_MAX;
use crate::host::status::Kind;

/// What the engine is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkOrder {
    /// The command ring in one of whose list buffers the handles lie.
    pub ring: u32,
    /// Which of them.
    pub buffer: u32,
    /// Its first entry that is to be relinked.
    pub first: u32,
    /// The entry behind the last.
    pub end: u32,
    /// The neighbor that the paths go to.
    pub to: u32,
    /// Its home alias: what a moved path's link word becomes.
    pub home: u32,
    /// Card time in ms that a moved path is stamped with.
    pub now_ms: u32,
}

/// What an order came to. [`super::Hal::refused_entries`] and [`super::Hal::left_alias`] have the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkAnswer {
    /// The entry behind the last that is answered.
    pub next: u32,
    /// Aliases that paths have left.
    pub aliases: u32,
    /// Whether entries were refused.
    pub has_refused: bool,
}

/// Table memory, for an engine.
pub trait LinkTable {
    /// Reads a word.
    fn load(&self, word: u32) -> u32;
    /// Writes the two words of a path's link, in one clock or in this order.
    fn link(&mut self, stamp: (u32, u32), link: (u32, u32));
}

/// An order that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkWalk {
    /// The entry behind the last that is answered.
    pub next: u32,
    /// A bit an entry, counted from the start of the list buffer: it was refused.
    pub refused: [u32; LINK_REFUSED_WORDS as usize],
    /// Aliases that paths have left and how many each, in the order in which they were first left.
    pub left: [(u32, u32); LINK_ALIASES as usize],
    /// How many of them there are.
    pub aliases: u32,
    /// Aliases that had to be looked up: the engine remembers what it has seen in this order.
    pub looks: u32,
}

impl LinkWalk {
    /// Carries out `order` on a table of `paths` paths; `entry` gives the handles of its list.
    pub fn run(
        order: &LinkOrder,
        layout: &TableLayout,
        paths: u32,
        entry: impl Fn(u32) -> Handle,
        table: &mut impl LinkTable,
    ) -> Self {
        let mut walk = Self {
            next: order.first,
            refused: [0; LINK_REFUSED_WORDS as usize],
            left: [(0, 0); LINK_ALIASES as usize],
            aliases: 0,
            looks: 0,
        };
        // Aliases that were met and lead to the target, beside its home: as many as a neighbor has.
        let mut near = [order.home; NEIGHBOR_ALIASES_MAX as usize];
        let mut turn = 0;
        while walk.next < order.end {
            let handle = entry(walk.next);
            // A handle of another kind becomes an index past the table.
            let index = handle.0 as u32 ^ Handle::new(Kind::PATH, 0, 0).0 as u32;
            let line = layout.path(if index < paths { index } else { 0 });
            let control = table.load(line + path::CONTROL) & (Control::LIVE.0 | Control::INVALID.0);
            let is_same = table.load(line + path::GENERATION) == handle.generation();
            if index >= paths || control != Control::LIVE.0 || !is_same {
                if let Some(word) = walk.refused.get_mut(walk.next as usize / 32) {
                    *word |= 1 << (walk.next % 32);
                }
                walk.next += 1;
                continue;
            }
            let link = table.load(line + path::LINK);
            if link != order.home && !near.contains(&link) {
                if walk.place(link).is_none() {
                    walk.looks += 1;
                    if table.load(layout.alias(link) + alias::VIA) == order.to {
                        if let Some(place) = near.get_mut(turn % NEIGHBOR_ALIASES_MAX as usize) {
                            *place = link;
                        }
                        turn += 1;
                        walk.next += 1;
                        continue;
                    }
                    let Some(place) = walk.left.get_mut(walk.aliases as usize) else {
                        return walk;
                    };
                    *place = (link, 0);
                    walk.aliases += 1;
                }
                if let Some(place) = walk.place(link).and_then(|place| walk.left.get_mut(place)) {
                    place.1 += 1;
                }
                table.link((line + path::LINKED_MS, order.now_ms), (line + path::LINK, order.home));
            }
            walk.next += 1;
        }
        walk
    }

    /// What the core is told of it.
    #[must_use]
    pub fn answer(&self) -> LinkAnswer {
        let has_refused = self.refused.iter().any(|word| *word != 0);
        LinkAnswer { next: self.next, aliases: self.aliases, has_refused }
    }

    /// Where an alias that was left stands.
    fn place(&self, alias: u32) -> Option<usize> {
        self.left.iter().take(self.aliases as usize).position(|(left, _)| *left == alias)
    }
}
