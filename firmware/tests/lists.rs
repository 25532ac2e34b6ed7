//! The link engine's road and the core's leave the same: tables, status bytes, completions, counts.
//!
//! Two cards get the same trees; one has a link engine. Lists are longer than a chunk; they name paths
//! of many neighbors, some twice, and what is no path or no more one. What an entry's status byte has to
//! be is looked up in the tables.

mod bench;

use abi::core::Capabilities;
use abi::core::table::{Control, alias, neighbor_private, path};
use abi::host::command::{Flag, Opcode, SELECTION, STATE_OFFSET, Selection};
use abi::host::handle::Handle;
use abi::host::register::Counter;
use abi::host::status::{Kind, Status};
use bench::{Bench, LIST_AT, capabilities, trees};
use firmware::Firmware;
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeSet;

/// Neighbors that are made at the start: their homes alone are more aliases than one order leaves.
const NEIGHBORS: u32 = 12;
const PATHS_EACH: u8 = 6;
/// Steps that a card gets while its readers lag: enough to come to where it has to wait.
const STEPS: usize = 60;
/// Where status bytes go in the result buffer.
const STATUSES: u32 = 256;

/// An entry of a list.
#[derive(Clone, Debug)]
enum Entry {
    Path(Index),
    /// The same as the entry so many before it.
    Again(usize),
    Stale(Index),
    Neighbor(Index),
    Any(u64),
}

/// What the cards get.
#[derive(Clone, Debug)]
enum Step {
    /// The entries again and again, up to so many.
    List {
        to: Index,
        entries: Vec<Entry>,
        count: usize,
    },
    RelinkAll {
        to: Index,
        from: Index,
    },
    RelinkOne {
        to: Index,
        path: Index,
    },
    Invalidate(Index),
    Terminate(Index),
    /// From now on readers announce epochs late; or at once.
    Lag(bool),
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_link_engine_and_the_core_leave_the_same(
        steps in prop::collection::vec(step(), 1..20),
        refuses_every in prop_oneof![Just(0_u32), 2..9_u32],
    ) {
        let (mut engine, mut core) = (Card::new(true, refuses_every), Card::new(false, refuses_every));
        let mut orders = 0;
        for (time, step) in (0..).zip(&steps) {
            (engine.bench.now_ms, core.bench.now_ms) = (time, time);
            let words = engine.words(step);
            match step {
                Step::Lag(lags) => {
                    (engine.bench.readers_lag, core.bench.readers_lag) = (*lags, *lags);
                }
                Step::List { to, entries, count } => {
                    let (to, list) = (*to.get(&core.neighbors), engine.list(entries, *count));
                    let (moves, counted) = (core.moves(to, &list), core.moved());
                    engine.carry_out(&words, &list);
                    let has_waited = core.carry_out(&words, &list);
                    core.check_statuses(to, &list);
                    prop_assert_eq!(core.bench.records(1)[0].detail, moves);
                    // The list's own block was done, too.
                    let refused = list.iter().filter(|path| core.leads_to(**path).is_none()).count();
                    let [done, failed, ..] = core.bench.completions[0];
                    prop_assert_eq!(failed as usize, refused);
                    prop_assert_eq!(done as usize, list.len() - refused + 1);
                    prop_assert!(!core.is_pinned(to));
                    prop_assert_eq!(core.moved() - counted, moves);
                    prop_assert!(has_waited || !core.bench.readers_lag || moves == 0);
                }
                _ => {
                    engine.carry_out(&words, &[]);
                    core.carry_out(&words, &[]);
                }
            }
            prop_assert_eq!(&engine.bench.completions, &core.bench.completions);
            prop_assert_eq!(&engine.bench.written, &core.bench.written);
            prop_assert_eq!(&engine.bench.table, &core.bench.table);
            prop_assert_eq!(&engine.bench.counts, &core.bench.counts);
            engine.bench.check_tables();
            orders += engine.bench.walks.drain(..).count();
        }
        prop_assert!(core.bench.walks.is_empty());
        let has_list = steps.iter().any(|step| matches!(step, Step::List { .. }));
        prop_assert!(has_list || orders == 0);
    }
}

#[test]
fn an_order_ends_before_the_ninth_alias() {
    let mut card = Card::new(true, 0);
    let of = |card: &Card, neighbor: u32| card.paths[(neighbor * u32::from(PATHS_EACH)) as usize];
    let list: Vec<_> = (1..NEIGHBORS).map(|neighbor| of(&card, neighbor)).collect();
    let to = card.neighbors[0];
    card.carry_out(&relink_list(to, list.len() as u32), &list);
    let ends: Vec<_> = card.bench.walks.iter().map(|walk| (walk.next, walk.aliases)).collect();
    assert_eq!(ends, [(8, 8), (NEIGHBORS - 1, NEIGHBORS - 1 - 8)]);
    card.bench.check_tables();
}

struct Card {
    bench: Bench,
    firmware: Firmware,
    neighbors: Vec<Handle>,
    paths: Vec<Handle>,
}

impl Card {
    fn new(has_link_engine: bool, refuses_every: u32) -> Self {
        let capabilities = Capabilities { neighbors: 16, paths: 96, aliases: 48, ..capabilities() };
        let (mut bench, mut firmware) = Bench::of(capabilities, 1, 0);
        bench.has_link_engine = has_link_engine;
        let (mut neighbors, mut paths) = (Vec::new(), Vec::new());
        for number in 0..NEIGHBORS {
            let tree = trees::neighbor_with_paths(number as u8, PATHS_EACH);
            let handles = bench.handles(&mut firmware, &tree, usize::from(PATHS_EACH) + 1);
            neighbors.push(handles[0]);
            paths.extend(&handles[1..]);
        }
        bench.refuses_every = refuses_every;
        Self { bench, firmware, neighbors, paths }
    }

    /// Lets the card work on a tree until nothing is left. Returns whether readers were waited for.
    fn carry_out(&mut self, words: &[u32], list: &[Handle]) -> bool {
        self.bench.written.clear();
        self.bench.completions.clear();
        self.bench.set_list(list);
        self.bench.push(words);
        self.bench.work(&mut self.firmware, STEPS);
        let has_waited = self.bench.completions.is_empty();
        // Readers that lag catch up as often as it takes.
        while self.bench.completions.is_empty() && !words.is_empty() {
            self.bench.announce();
            self.bench.work(&mut self.firmware, STEPS);
        }
        self.bench.announce();
        self.bench.rest(&mut self.firmware);
        has_waited
    }

    /// The neighbor that a handle's path leads to; none when it names no valid path.
    fn leads_to(&self, handle: Handle) -> Option<u32> {
        let layout = self.bench.layout();
        let at = |word: u32| self.bench.table[word as usize];
        let paths = self.bench.capabilities.paths;
        let line = (handle.kind() == Kind::PATH && handle.index() < paths)
            .then(|| layout.path(handle.index()))?;
        let control = at(line + path::CONTROL) & (Control::LIVE.0 | Control::INVALID.0);
        let is_it = at(line + path::GENERATION) == handle.generation();
        (control == Control::LIVE.0 && is_it)
            .then(|| at(layout.alias(at(line + path::LINK)) + alias::VIA))
    }

    /// How many paths of a list are not at `to`.
    fn moves(&self, to: Handle, list: &[Handle]) -> u32 {
        let moves = |handle: &&Handle| self.leads_to(**handle).is_some_and(|via| via != to.index());
        list.iter().filter(moves).collect::<BTreeSet<_>>().len() as u32
    }

    /// Paths that were counted as moved.
    fn moved(&self) -> u32 {
        self.bench.counted(Counter::PATHS_RELINKED)
    }

    /// Whether a neighbor may not go.
    fn is_pinned(&self, neighbor: Handle) -> bool {
        let own = self.bench.layout().neighbor_private(neighbor.index());
        self.bench.table[(own + neighbor_private::PINS) as usize] != 0
    }

    /// Every entry that names a path is a success, and the path is at `to`; no other one is. The last
    /// word is zero behind them.
    fn check_statuses(&self, to: Handle, list: &[Handle]) {
        let status = |number: usize| {
            let place = trees::RESULTS + u64::from(STATUSES) + number as u64;
            self.bench.written[&(place & !3)].to_le_bytes()[place as usize % 4]
        };
        for (number, handle) in list.iter().enumerate() {
            let via = self.leads_to(*handle);
            assert_eq!(status(number) == Status::SUCCESS.0, via.is_some(), "{number}, {handle:?}");
            assert!(via.is_none_or(|via| via == to.index()), "{number}, {handle:?}");
        }
        for number in list.len()..list.len().next_multiple_of(4) {
            assert_eq!(status(number), 0, "behind the last entry");
        }
    }

    /// The tree of a step.
    fn words(&self, step: &Step) -> Vec<u32> {
        let neighbor = |index: &Index| *index.get(&self.neighbors);
        let path = |index: &Index| *index.get(&self.paths);
        match step {
            Step::List { to, count, .. } => relink_list(neighbor(to), *count as u32),
            Step::RelinkAll { to, from } => trees::relink_all(neighbor(to), neighbor(from)),
            Step::RelinkOne { to, path: moved } => trees::relink(neighbor(to), path(moved)),
            Step::Invalidate(gone) => trees::named(Opcode::INVALIDATE, path(gone)),
            Step::Terminate(gone) => trees::named(Opcode::TERMINATE, path(gone)),
            Step::Lag(_) => Vec::new(),
        }
    }

    fn list(&self, entries: &[Entry], count: usize) -> Vec<Handle> {
        let mut list: Vec<Handle> = Vec::new();
        for entry in entries.iter().cycle().take(count) {
            list.push(match entry {
                Entry::Path(index) => *index.get(&self.paths),
                Entry::Again(before) if *before < list.len() => list[list.len() - 1 - before],
                Entry::Again(_) => Handle::NULL,
                Entry::Stale(index) => Handle(index.get(&self.paths).0 ^ 1 << 40),
                Entry::Neighbor(index) => *index.get(&self.neighbors),
                Entry::Any(bits) => Handle(*bits),
            });
        }
        list
    }
}

/// Moves the paths of a list to `to`.
fn relink_list(to: Handle, count: u32) -> Vec<u32> {
    let mut words = trees::slot(Opcode::UPDATE, Kind::NEIGHBOR, Flag::ROOT.0 | Flag::LIST.0, to);
    Selection { list: LIST_AT, count }.write(&mut words[SELECTION / 4..]);
    words[STATE_OFFSET / 4] = STATUSES;
    trees::tree(vec![words])
}

fn step() -> impl Strategy<Value = Step> {
    let entries = prop::collection::vec(entry(), 1..160);
    let list = (any::<Index>(), entries, 1..400_usize);
    let two = || (any::<Index>(), any::<Index>());
    prop_oneof![
        6 => list.prop_map(|(to, entries, count)| Step::List { to, entries, count }),
        3 => two().prop_map(|(to, from)| Step::RelinkAll { to, from }),
        2 => two().prop_map(|(to, path)| Step::RelinkOne { to, path }),
        1 => any::<Index>().prop_map(Step::Invalidate),
        1 => any::<Index>().prop_map(Step::Terminate),
        1 => any::<bool>().prop_map(Step::Lag),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        12 => any::<Index>().prop_map(Entry::Path),
        2 => (0..6_usize).prop_map(Entry::Again),
        1 => any::<Index>().prop_map(Entry::Stale),
        1 => any::<Index>().prop_map(Entry::Neighbor),
        1 => any::<u64>().prop_map(Entry::Any),
    ]
}
