//! How long until a table of paths is on the card, trees and handles included?
//!
//! A whole session beside its floor, which copies 64 bytes a path from one processor to the other
//! and keeps no handles.
//! Would disappoint us: more than 2.5 times the floor.

mod brief;

use benches::engine::offload::Offload;
use benches::floor::relink::{Floor, Order};
use brief::{brief, count, objects};
use criterion::{Criterion, criterion_group, criterion_main};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

fn paths(criterion: &mut Criterion) {
    let mut floor = Floor::new();
    for paths in SIZES {
        let mut engine = Offload::new(paths);
        let numbers = Order::InOrder.numbers(paths);
        let name = format!("offload/path/{}_paths", count(paths));
        let mut group = criterion.benchmark_group(name);
        objects(&mut group, "flue", paths, || engine.offload());
        objects(&mut group, "floor", paths, || floor.offload(&numbers));
    }
}

criterion_group! { name = group; config = brief(); targets = paths }
criterion_main!(group);
