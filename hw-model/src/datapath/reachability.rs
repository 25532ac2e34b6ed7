//! Reachability of neighbors as frames see it: progress that confirms, ages that grow stale.
//!
//! Beside [`super::resolver`], for frames that leave. Writes the age words, the only table words
//! the datapath writes; leaves notices to the firmware, which asks the host. It holds nothing
//! back: a stale neighbor is used on. Rules: `making-a-neighborreachabilityquery-indication`.
//!
//! | word | writer | readers | store | load | publishes |
//! |---|---|---|---|---|---|
//! | age `GENERATION` | datapath | firmware | Release | Acquire | `CONFIRMED` of that generation |

use abi::core::table::{TableLayout, age, alias, neighbor, path};
use host_driver::memory::Words;

use super::resolver::Route;

/// Whether card time `a` is later than `b`. Both wrap.
fn is_later(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) > 0
}

/// Credits the route's neighbor with progress of a frame that left at `stamp_ms`, unless the
/// path or its alias has moved since, or the stamp lies in the future. Returns whether it did.
pub fn credit<W: Words>(
    table: &W,
    layout: &TableLayout,
    route: &Route,
    stamp_ms: u32,
    now_ms: u32,
) -> bool {
    // ORDERING: Relaxed. The Acquire of LINK and VIA in the resolver made these two valid.
    // Checked by `loom_link::reader_sees_old_or_new_never_torn`.
    let linked = table.load_relaxed((layout.path(route.path) + path::LINKED_MS) as usize);
    let moved = table.load_relaxed((layout.alias(route.alias) + alias::MOVED_MS) as usize);
    if !is_later(stamp_ms, linked) || !is_later(stamp_ms, moved) || is_later(stamp_ms, now_ms) {
        return false;
    }
    let ages = layout.age(route.neighbor);
    // ORDERING: Relaxed, then Release. Pairs with the Acquire in `Hal::observe` of GENERATION:
    // who sees this generation sees a confirmation that belongs to it.
    // Checked by `loom_header::an_age_belongs_to_its_generation`.
    table.store_relaxed((ages + age::CONFIRMED) as usize, now_ms);
    table.store_release((ages + age::GENERATION) as usize, route.generation);
    true
}

/// Whether both confirmations of the route's neighbor are older than `stale_ms`.
pub fn is_stale<W: Words>(
    table: &W,
    layout: &TableLayout,
    route: &Route,
    stale_ms: u32,
    now_ms: u32,
) -> bool {
    // ORDERING: Relaxed. Stamps that stand for themselves; a late one costs one notice more.
    // Checked by `loom_header::an_age_belongs_to_its_generation`.
    let load = |word: u32| table.load_relaxed(word as usize);
    let is_old = |stamp: u32| now_ms.wrapping_sub(stamp) > stale_ms && is_later(now_ms, stamp);
    let line = layout.neighbor(route.neighbor);
    let ages = layout.age(route.neighbor);
    let card = if load(ages + age::GENERATION) == route.generation {
        load(ages + age::CONFIRMED)
    } else {
        load(line + neighbor::CARD_CONFIRMED)
    };
    is_old(card) && is_old(load(line + neighbor::HOST_CONFIRMED))
}

/// Lets each of many objects through once a millisecond.
#[derive(Debug)]
pub(crate) struct OncePerMs {
    last: Vec<u32>,
}

impl OncePerMs {
    /// For `objects` objects.
    pub(crate) fn new(objects: u32) -> Self {
        Self { last: vec![0; objects as usize] }
    }

    /// Whether `object` may pass at `now_ms`. Unknown objects never do.
    pub(crate) fn pass(&mut self, object: u32, now_ms: u32) -> bool {
        // Plus 1, so that a fresh 0 is no time; at the wrap one millisecond is let through twice.
        let stamp = now_ms.wrapping_add(1).max(1);
        self.last
            .get_mut(object as usize)
            .is_some_and(|last| std::mem::replace(last, stamp) != stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::CardConfig;
    use crate::table_memory::TableMemory;

    fn small() -> (std::sync::Arc<TableMemory>, TableLayout, Route) {
        let mut card = CardConfig::default().capabilities;
        (card.neighbors, card.paths, card.connections, card.aliases) = (4, 4, 4, 8);
        let layout = TableLayout::new(&card).unwrap();
        let route = Route {
            path: 1,
            alias: 2,
            neighbor: 3,
            generation: 9,
            header: [0; 4],
            priority: 0,
            mtu: 1500,
            is_ipv6: false,
        };
        (TableMemory::new(layout.words).unwrap(), layout, route)
    }

    #[test]
    fn only_progress_of_data_sent_after_the_last_move_is_credited() {
        let (table, layout, route) = small();
        table.store_relaxed((layout.path(1) + path::LINKED_MS) as usize, u32::MAX - 1);
        table.store_relaxed((layout.alias(2) + alias::MOVED_MS) as usize, 5);
        for (stamp, now, credited) in
            [(u32::MAX, 20, false), (5, 20, false), (6, 20, true), (20, 20, true), (21, 20, false)]
        {
            assert_eq!(credit(&*table, &layout, &route, stamp, now), credited, "stamp {stamp}");
        }
        assert_eq!(table.load_relaxed((layout.age(3) + age::CONFIRMED) as usize), 20);
        assert_eq!(table.load_relaxed((layout.age(3) + age::GENERATION) as usize), 9);
    }

    #[test]
    fn a_neighbor_is_stale_when_both_confirmations_are_old() {
        let (table, layout, route) = small();
        let line = layout.neighbor(3);
        assert!(is_stale(&*table, &layout, &route, 100, 101));
        assert!(!is_stale(&*table, &layout, &route, 100, 100));
        table.store_relaxed((line + neighbor::HOST_CONFIRMED) as usize, 50);
        assert!(!is_stale(&*table, &layout, &route, 100, 101));
        assert!(is_stale(&*table, &layout, &route, 100, 151));
        assert!(credit(&*table, &layout, &route, 150, 151));
        assert!(!is_stale(&*table, &layout, &route, 100, 200));
    }

    #[test]
    fn once_a_millisecond_is_enough() {
        let mut limit = OncePerMs::new(2);
        assert!(limit.pass(1, 0) && !limit.pass(1, 0) && limit.pass(0, 0) && limit.pass(1, 1));
        assert!(!limit.pass(2, 5), "unknown");
    }
}
