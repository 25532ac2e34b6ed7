//! What does it cost to say a tree? From states to slots, without a card.
//!
//! Floor: writing 64 bytes in order, some 0.3 ns in cache and 2 ns in memory.
//! More than 20 ns a path would disappoint us: serializing would be seen beside the ring.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use host_driver::Tree;

fn serialize(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("serialize/tree");
    for (name, paths) in [("1k_paths", 1_000), ("100k_paths", 100_000)] {
        group.throughput(Throughput::Elements(u64::from(paths)));
        group.bench_function(name, |bench| {
            bench.iter_batched(
                || (),
                |()| Tree::from(benches::tree(paths)),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(group, serialize);
criterion_main!(group);
