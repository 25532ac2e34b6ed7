//! What does it cost to say a tree? From states to slots, or to a list, without a card.
//!
//! Floor: writing 64 bytes in order, some 0.3 ns in cache and 2 ns in memory; 8 bytes of a list,
//! an eighth of that.
//! Would disappoint us: more than 5 ns a path inline, or more than 1 ns a path by list.

mod brief;

use benches::engine::{Rig, neighbor, path};
use brief::{brief, count};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use host_driver::{Initiate, Tree, Update};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

fn tree(paths: usize) -> Tree {
    let mut tree = Initiate::with_capacity(paths + 1);
    let mut root = tree.neighbor(&neighbor(1));
    for number in 0..paths as u32 {
        root.path(&path(number));
    }
    Tree::from(tree)
}

fn inline(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("serialize/inline");
    for paths in SIZES {
        group.throughput(Throughput::Elements(paths as u64));
        group.bench_function(format!("{}_paths", count(paths)), |bench| {
            bench.iter_batched(|| (), |()| tree(paths), BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn list(criterion: &mut Criterion) {
    let rig = Rig::new();
    let [neighbor] = rig.neighbors([1]);
    let handles = rig.paths(neighbor, SIZES[SIZES.len() - 1]);
    let mut group = criterion.benchmark_group("serialize/list");
    for paths in SIZES {
        group.throughput(Throughput::Elements(paths as u64));
        let mut list = rig.session.handle_list(paths).ok();
        group.bench_function(format!("{}_paths", count(paths)), |bench| {
            bench.iter(|| {
                let mut filled = list.take().expect("the list comes back");
                filled.clear();
                filled.extend(handles[..paths].iter().copied()).expect("the list has room");
                let mut tree = Update::new();
                tree.neighbor(neighbor).relink_list(filled);
                list = Tree::from(tree).into_lists().pop();
            });
        });
    }
    group.finish();
}

criterion_group! { name = group; config = brief(); targets = inline, list }
criterion_main!(group);
