//! What does the datapath pay for a header, and what does it lose while paths are relinked?
//!
//! A million connections, as many paths, a thousand neighbors; random keys. The floor goes from
//! connection to path to neighbor with one line each and prefetches; the engine's resolver checks
//! handles, follows an alias and takes a header bank. Relinked: the firmware moves paths at full
//! rate on the other processor.
//! Would disappoint us: less than 85 % of the floor's lookups at the same batch, or more than 12 %
//! lost to a relinker.

mod brief;

use std::cell::Cell;
use std::time::Instant;

use benches::engine::lookup::Lookup;
use benches::floor::chain::{BATCHES, Chain};
use benches::peer::maps::{DashMap, LeftRight, Papaya, Scc};
use benches::table::{Rate, Table, beside_writer};
use brief::{brief, objects};
use criterion::{Criterion, criterion_group, criterion_main};

const ENTRIES: usize = 1 << 20;
const NEIGHBORS: usize = 1 << 10;
/// Keys of a repetition: a multiple of every batch.
const KEYS: usize = 1 << 15;
/// The batch at which peers are looked at.
const PEER_BATCH: usize = 64;

fn lookup(criterion: &mut Criterion) {
    let (floor, engine) = (Chain::new(ENTRIES, NEIGHBORS), Lookup::new(ENTRIES, NEIGHBORS));
    let keys = floor.keys(ENTRIES);
    let tables: [(&str, &dyn Table); 2] = [("flue", &engine), ("floor", &floor)];
    for batch in BATCHES {
        bench(criterion, &tables, &keys, batch);
    }
    let (papaya, dashmap) = (Papaya::default(), DashMap::default());
    let (scc, left_right) = (Scc::default(), LeftRight::default());
    let tables: [(&str, &dyn Table); 4] =
        [("papaya", &papaya), ("dashmap", &dashmap), ("scc", &scc), ("left-right", &left_right)];
    bench(criterion, &tables, &keys, PEER_BATCH);
}

fn bench(criterion: &mut Criterion, tables: &[(&str, &dyn Table)], keys: &[u32], batch: usize) {
    for (word, rate) in [("alone", Rate::None), ("relinked", Rate::Full)] {
        let mut group = criterion.benchmark_group(format!("lookup/{word}/batch_{batch}"));
        for (name, table) in tables {
            let first = Cell::new(0);
            objects(&mut group, name, KEYS, || {
                let keys = &keys[first.get()..first.get() + KEYS];
                first.set((first.get() + KEYS) % ENTRIES);
                let (ns, _) = beside_writer(*table, rate, || {
                    let started = Instant::now();
                    assert_eq!(table.look_up(keys, batch), 0, "every lookup finds a whole value");
                    started.elapsed().as_nanos() as f64 / KEYS as f64
                });
                ns
            });
        }
    }
}

criterion_group! { name = group; config = brief(); targets = lookup }
criterion_main!(group);
