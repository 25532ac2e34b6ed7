//! Many frames in stages: all connections, then all paths, then all neighbors.
//!
//! Of [`super::resolver`], whose loads these are: each frame goes through the same ones in the same
//! order as it would alone, but the misses of a stage overlap. What a stage needs is asked for
//! before, also across batches: frames that wait behind one are known. It has no reason for what
//! cannot leave.
//!
//! Each stage is a short loop of its own, because a processor looks only so many instructions
//! ahead of a line whose address it has to translate first.

use std::ops::Range;

use abi::core::table::connection;
use abi::host::handle::Handle;
use abi::host::status::Kind;

use super::region::{Entry, Region, Table};
use super::resolver::{NONE, Resolver, Route, place};

/// Frames that go through the stages together, at most: what is between two stages of a frame stays
/// in a first-level cache.
const STAGE: usize = 32;
/// How many frames before its turn the entry that a frame's handle names is asked for, and then
/// its path's: as long as a line takes to come, when others are under way.
const ENTRY_AHEAD: usize = 64;
const PATH_AHEAD: usize = 32;

/// How far frames that wait in order have been asked for: those that are resolved next find what
/// they need in a cache, however few are resolved at a time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lookahead {
    entries: usize,
    paths: usize,
}

impl Lookahead {
    /// Frames that are worth being in a queue behind those that are resolved.
    pub const FRAMES: usize = ENTRY_AHEAD;

    /// Resolves the first frames of `queue`, as many as there are `routes`: a route for each that
    /// can leave by one, and none for the others, for which [`Resolver::resolve`] has the reason.
    /// Asks for what those behind them need; of a queue that goes on with other frames the next
    /// time, nothing is lost but that.
    pub fn routes<T: Table>(
        &mut self,
        resolver: &Resolver<'_, T>,
        queue: &[Handle],
        routes: &mut [Route],
    ) {
        let count = queue.len().min(routes.len());
        for first in (0..count).step_by(STAGE) {
            let end = count.min(first + STAGE);
            resolver.expect(&queue[go_on_to(&mut self.entries, end + ENTRY_AHEAD, queue.len())]);
            resolver.expect_paths(&queue[go_on_to(&mut self.paths, end + PATH_AHEAD, queue.len())]);
            let routes = &mut routes[first..end];
            resolver.start_all(&queue[first..end], routes);
            resolver.go_on_all(routes);
            resolver.arrive_all(routes);
        }
        self.entries = self.entries.saturating_sub(count);
        self.paths = self.paths.saturating_sub(count);
    }
}

/// What has to be asked for now that it was done up to `done`, which becomes `to`.
fn go_on_to(done: &mut usize, to: usize, len: usize) -> Range<usize> {
    let to = to.min(len);
    let from = (*done).min(to);
    *done = to;
    from..to
}

impl<T: Table> Resolver<'_, T> {
    /// Resolves frames behind which nothing waits, as [`Lookahead::routes`] does.
    pub fn routes(&self, handles: &[Handle], routes: &mut [Route]) {
        Lookahead::default().routes(self, handles, routes);
    }

    /// Asks for the entries that these handles name. It reads nothing.
    #[inline(never)]
    fn expect(&self, handles: &[Handle]) {
        let Self { connections, paths, .. } = *self;
        for handle in handles {
            if let Some(entry) = connections.get(place(*handle, Kind::CONNECTION)) {
                entry.prefetch();
            } else if let Some(entry) = paths.get(place(*handle, Kind::PATH)) {
                entry.prefetch();
            }
        }
    }

    /// Asks for the paths of these connections. What it reads is used for nothing else, so it may
    /// be done before the batch in which they are.
    #[inline(never)]
    fn expect_paths(&self, handles: &[Handle]) {
        let Self { connections, paths, .. } = *self;
        for handle in handles {
            if let Some(entry) = connections.get(place(*handle, Kind::CONNECTION)) {
                // ORDERING: Relaxed. Whatever it is, it is not used but to ask for a line.
                // No loom test: it decides nothing.
                let path = entry.load_relaxed(connection::PATH);
                if let Some(entry) = paths.get(path) {
                    entry.prefetch();
                }
            }
        }
    }

    #[inline(never)]
    fn start_all(&self, handles: &[Handle], routes: &mut [Route]) {
        let resolver = *self;
        for (handle, route) in handles.iter().zip(routes) {
            resolver.start(*handle, route);
        }
    }

    #[inline(never)]
    fn go_on_all(&self, routes: &mut [Route]) {
        let resolver = *self;
        for route in routes {
            resolver.go_on(route);
        }
    }

    #[inline(never)]
    fn arrive_all(&self, routes: &mut [Route]) {
        let resolver = *self;
        for route in routes {
            resolver.arrive(route);
        }
    }

    /// First stage of a frame: its path and priority.
    #[inline]
    fn start(self, handle: Handle, route: &mut Route) {
        let origin = self.origin(handle).ok().filter(|origin| !origin.is_invalid);
        let entry = origin.as_ref().and_then(|origin| self.paths.get(origin.path));
        let (Some(origin), Some(entry)) = (origin, entry) else {
            route.path = NONE;
            return;
        };
        entry.prefetch();
        route.path = origin.path;
        route.priority = origin.priority;
    }

    /// Second stage: where the path's link leads.
    #[inline]
    fn go_on(self, route: &mut Route) {
        let passage = self.passage(route.path).filter(|passage| !passage.is_invalid);
        let hop = passage.as_ref().and_then(|passage| self.hop(passage.entry));
        let (Some(passage), Some(hop)) = (passage, hop) else {
            route.neighbor = NONE;
            return;
        };
        if let Some(entry) = self.neighbors.get(hop.neighbor) {
            entry.prefetch();
        }
        route.alias = hop.alias;
        route.neighbor = hop.neighbor;
        route.mtu = passage.mtu;
        route.is_ipv6 = passage.is_ipv6;
    }

    /// Third stage: the neighbor's header.
    #[inline]
    fn arrive(self, route: &mut Route) {
        match self.header(route.neighbor) {
            Ok((generation, header)) => {
                route.generation = generation;
                route.header = header;
            }
            Err(_) => route.neighbor = NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use abi::core::Capabilities;
    use abi::core::table::{Control, STATE_BYTES, TableLayout, alias, neighbor, path};
    use host_driver::memory::Words;

    use super::*;
    use crate::config::CardConfig;
    use crate::datapath::resolver::Verdict;
    use crate::table_memory::TableMemory;

    /// Objects of each kind: more than one stage of frames.
    const OBJECTS: u32 = 300;

    fn card() -> Capabilities {
        let mut card = CardConfig::default().capabilities;
        (card.neighbors, card.paths, card.connections) = (OBJECTS, OBJECTS, OBJECTS);
        (card.aliases, card.state_memory) = (OBJECTS + 1, OBJECTS * STATE_BYTES);
        card
    }

    /// A table in which object `i` of a kind belongs to object `i` of the next, every word of it
    /// different; `change` makes the words of object `i` something else.
    fn table(
        card: &Capabilities,
        layout: &TableLayout,
        change: impl Fn(&dyn Fn(u32, u32), u32),
    ) -> std::sync::Arc<TableMemory> {
        let table = TableMemory::new(layout.words).unwrap();
        let store = |word: u32, value: u32| table.store_relaxed(word as usize, value);
        for i in 0..card.neighbors {
            let (at, line) = (layout.connection(i), layout.path(i));
            store(at + connection::CONTROL, Control::LIVE.0);
            store(at + connection::GENERATION, 1);
            store(at + connection::PATH, i);
            store(at + connection::PRIORITY, i % 8);
            store(line + path::CONTROL, Control::LIVE.0 | (Control::IS_IPV6.0 * (i % 2)));
            store(line + path::GENERATION, 2);
            store(line + path::LINK, i);
            store(line + path::MTU, 1_000 + i);
            store(layout.alias(i) + alias::VIA, i);
            let line = layout.neighbor(i);
            store(line + neighbor::CONTROL, Control::LIVE.0);
            store(line + neighbor::GENERATION, 3);
            store(line + neighbor::SELECT, i);
            (0..4).for_each(|word| store(line + neighbor::BANK0 + word, i * 8 + word));
            (0..4).for_each(|word| store(line + neighbor::BANK1 + word, i * 8 + 4 + word));
            change(&store, i);
        }
        table
    }

    /// The verdict on each of these, looked at alone, is what all of them together gave.
    fn assert_same(resolver: &Resolver<'_, TableMemory>, handles: &[Handle]) -> usize {
        let mut routes = vec![Route { mtu: 7, ..Route::NONE }; handles.len()];
        resolver.routes(handles, &mut routes);
        for (handle, route) in handles.iter().zip(&routes) {
            match resolver.resolve(*handle) {
                Verdict::Send(alone) => assert_eq!(*route, alone, "{handle}"),
                other => assert!(route.is_none(), "{handle}: {route:?}, alone {other:?}"),
            }
        }
        routes.iter().filter(|route| !route.is_none()).count()
    }

    #[test]
    fn many_frames_are_resolved_as_each_alone() {
        let card = card();
        let layout = TableLayout::new(&card).unwrap();
        let table = table(&card, &layout, |_, _| {});
        let resolver = Resolver::new(&*table, &layout, &card);
        let connections = (0..OBJECTS).rev().map(|i| Handle::new(Kind::CONNECTION, i, 1));
        let handles: Vec<_> = connections
            .flat_map(|handle| [handle, Handle::new(Kind::PATH, handle.index() / 2, 2)])
            .collect();
        for count in [1, 2, STAGE - 1, STAGE, STAGE + 1, 2 * OBJECTS as usize] {
            assert_eq!(assert_same(&resolver, &handles[..count]), count);
        }
        let Verdict::Send(route) = resolver.resolve(handles[0]) else { panic!("it can leave") };
        let header = [0, 1, 2, 3].map(|word| (OBJECTS - 1) * 8 + 4 + word);
        assert_eq!((route.header, route.mtu, route.priority), (header, 1_299, 3));
        assert!(route.is_ipv6);
    }

    #[test]
    fn a_queue_gives_the_same_routes_in_parts_of_any_size() {
        let card = card();
        let layout = TableLayout::new(&card).unwrap();
        let table = table(&card, &layout, |_, _| {});
        let resolver = Resolver::new(&*table, &layout, &card);
        let queue: Vec<_> = (0..OBJECTS).map(|i| Handle::new(Kind::CONNECTION, i, 1)).collect();
        let mut whole = vec![Route::NONE; queue.len()];
        resolver.routes(&queue, &mut whole);
        for part in [1, 7, STAGE, STAGE + 1, 2 * ENTRY_AHEAD + 1] {
            for seen in [0, 1, ENTRY_AHEAD, OBJECTS as usize] {
                let (mut lookahead, mut routes) = (Lookahead::default(), Vec::new());
                for at in (0..queue.len()).step_by(part) {
                    let end = queue.len().min(at + part);
                    let mut some = vec![Route::NONE; end - at];
                    let queue = &queue[at..queue.len().min(end + seen)];
                    lookahead.routes(&resolver, queue, &mut some);
                    routes.extend(some);
                }
                assert_eq!(routes, whole, "parts of {part}, {seen} frames seen behind them");
            }
        }
    }

    #[test]
    fn frames_are_asked_for_once() {
        let mut done = 0;
        assert_eq!(go_on_to(&mut done, 10, 100), 0..10);
        assert_eq!(go_on_to(&mut done, 30, 20), 10..20);
        assert_eq!(go_on_to(&mut done, 30, 20), 20..20);
        assert_eq!(go_on_to(&mut done, 30, 5), 5..5, "they have left otherwise");
    }

    #[test]
    fn what_cannot_leave_alone_cannot_leave_among_others() {
        let card = card();
        let layout = TableLayout::new(&card).unwrap();
        let broken = |store: &dyn Fn(u32, u32), i: u32| match i {
            1 => store(layout.connection(i) + connection::CONTROL, 0),
            2 => store(layout.connection(i) + connection::CONTROL, 1 | Control::INVALID.0),
            3 => store(layout.connection(i) + connection::CONTROL, 1 | Control::UPLOAD.0),
            4 => store(layout.connection(i) + connection::PATH, OBJECTS),
            5 => store(layout.path(i) + path::CONTROL, 0),
            6 => store(layout.path(i) + path::CONTROL, 1 | Control::INVALID.0),
            7 => store(layout.path(i) + path::LINK, card.aliases),
            8 => store(layout.alias(i) + alias::VIA, OBJECTS),
            9 => store(layout.neighbor(i) + neighbor::CONTROL, 0),
            10 => store(layout.neighbor(i) + neighbor::CONTROL, 1 | Control::INVALID.0),
            _ => {}
        };
        let table = table(&card, &layout, broken);
        let resolver = Resolver::new(&*table, &layout, &card);
        let mut handles: Vec<_> = (0..12).map(|i| Handle::new(Kind::CONNECTION, i, 1)).collect();
        assert_eq!(assert_same(&resolver, &handles), 2, "the first and the last");
        handles.extend((0..12).map(|i| Handle::new(Kind::PATH, i, 2)));
        handles.extend((1..=3).map(|kind| Handle::new(Kind(kind), 0, 9)));
        handles.extend((0..=3).map(|kind| Handle::new(Kind(kind), OBJECTS, 0)));
        handles.extend([Handle::NULL, Handle::new(Kind::NEIGHBOR, 0, 3)]);
        assert_eq!(assert_same(&resolver, &handles), 2 + 6, "paths 0 to 4 and 11");
        for handle in handles {
            let alone = assert_same(&resolver, &[handle]);
            assert_eq!(alone == 1, matches!(resolver.resolve(handle), Verdict::Send(_)));
        }
    }
}
