//! Lookups: by batches, alone and beside a writer, one by one, and against the writer's rate.

use std::cell::Cell;
use std::time::Instant;

use super::Tell;
use crate::engine::lookup::Lookup;
use crate::floor::chain::{BATCHES, Chain};
use crate::peer::maps::{DashMap, LeftRight, Papaya, Scc};
use crate::table::{Rate, Table, beside_writer};
use crate::turns::{Histogram, Plan, Series, latencies, samples};

/// Paths and connections, and the entries of a peer's table.
const ENTRIES: usize = 1 << 20;
/// Neighbors of the chains.
const NEIGHBORS: usize = 1024;
/// Keys of a repetition: a multiple of every batch.
const KEYS: usize = 1 << 17;
/// Keys of a repetition that is to be quick.
const KEYS_QUICK: usize = 1 << 16;
/// Keys there are: repetitions take one piece of them after another.
const KEYS_ALL: usize = 1 << 20;
/// Batch of the cases in which peers take part, and that vary the writer's rate.
const PEER_BATCH: usize = 64;
/// Tables that are whole chains: the first ones.
const CHAINS: usize = 2;
/// Rates of the writer, in changes a second.
const RATES: [Rate; 5] = [
    Rate::None,
    Rate::PerSecond(100_000),
    Rate::PerSecond(1_000_000),
    Rate::PerSecond(10_000_000),
    Rate::Full,
];

/// Measures all cases.
pub fn run(plan: &Plan, tell: &mut Tell<'_>) {
    let (floor, engine) = (Chain::new(ENTRIES, NEIGHBORS), Lookup::new(ENTRIES, NEIGHBORS));
    let (papaya, dashmap) = (Papaya::default(), DashMap::default());
    let (scc, left_right) = (Scc::default(), LeftRight::default());
    let tables: [(&str, &dyn Table); 6] = [
        ("floor", &floor),
        ("flue", &engine),
        ("papaya", &papaya),
        ("dashmap", &dashmap),
        ("scc", &scc),
        ("left-right", &left_right),
    ];
    let keys = Keys::new(floor.keys(KEYS_ALL), if plan.is_quick { KEYS_QUICK } else { KEYS });
    for batch in BATCHES {
        // Peers have no batches to speak of: one size says it.
        let tables = if batch == PEER_BATCH { &tables[..] } else { &tables[..CHAINS] };
        by_batches(plan, tell, &format!("batch/{batch}"), tables, &keys, (batch, Rate::None));
        let case = format!("batch/{batch}/relinked");
        by_batches(plan, tell, &case, tables, &keys, (batch, Rate::Full));
    }
    for rate in RATES {
        let case = format!("rate/{}", rate.word());
        by_batches(plan, tell, &case, &tables, &keys, (PEER_BATCH, rate));
    }
    for (case, rate) in [("single", Rate::None), ("single/relinked", Rate::Full)] {
        one_by_one(plan, tell, case, &tables, &keys, rate);
    }
}

/// Keys, a piece at a time.
struct Keys {
    all: Vec<u32>,
    piece: usize,
    next: Cell<usize>,
}

impl Keys {
    fn new(all: Vec<u32>, piece: usize) -> Self {
        Self { all, piece, next: Cell::new(0) }
    }

    fn next(&self) -> &[u32] {
        let first = self.next.get();
        self.next.set((first + self.piece) % self.all.len());
        &self.all[first..first + self.piece]
    }
}

fn by_batches(
    plan: &Plan,
    tell: &mut Tell<'_>,
    case: &str,
    tables: &[(&str, &dyn Table)],
    keys: &Keys,
    (batch, rate): (usize, Rate),
) {
    let once = |table: &dyn Table| {
        let (before, keys) = (keys.next(), keys.next());
        let (ns, rate) = beside_writer(table, rate, || {
            // Brings back into the caches what the series before this one drove out.
            assert_eq!(table.look_up(before, batch), 0, "every lookup finds a whole value");
            let started = Instant::now();
            let torn = table.look_up(keys, batch);
            let ns = started.elapsed().as_nanos() as f64 / keys.len() as f64;
            assert_eq!(torn, 0, "every lookup finds a whole value");
            ns
        });
        (ns, rate)
    };
    let rates: Vec<Cell<f64>> = tables.iter().map(|_| Cell::new(0.0)).collect();
    let series = tables.iter().zip(&rates).map(|(&(name, table), seen)| {
        Series::new(name, move || {
            let (ns, rate) = once(table);
            seen.set(rate);
            ns
        })
    });
    let series = series.collect();
    let mut reports = samples(("lookup", case, "ns/lookup"), plan, series);
    reports.iter_mut().zip(&rates).for_each(|(report, rate)| report.set_rate(rate.get()));
    tell(reports);
}

fn one_by_one(
    plan: &Plan,
    tell: &mut Tell<'_>,
    case: &str,
    tables: &[(&str, &dyn Table)],
    keys: &Keys,
    rate: Rate,
) {
    let once = |table: &dyn Table| {
        let keys = keys.next();
        let mut histogram = Histogram::new();
        let (torn, _) = beside_writer(table, rate, || table.time(keys, &mut histogram));
        assert_eq!(torn, 0, "every lookup finds a whole value");
        histogram
    };
    let series = tables.iter().map(|&(name, table)| Series::new(name, move || once(table)));
    let series = series.collect();
    tell(latencies(("lookup", case), plan, series));
}
