//! How long until the paths of a dead router have moved, as the host sees it?
//!
//! By list, a whole session beside its floor: the host walks its objects, the card stores links,
//! statuses come back. All at once: one command, whatever hangs from the neighbor.
//! Would disappoint us: a list that takes more than twice its floor, in order or shuffled; an
//! *all* that knows how many paths there are, or takes more than 1.5 times its floor.

mod brief;

use std::time::Duration;

use benches::engine::command::{Command, Commands};
use benches::engine::relink::Relink;
use benches::floor::command::{Reader, commands};
use benches::floor::relink::{Floor, Order};
use brief::{brief, count, objects};
use criterion::{Criterion, criterion_group, criterion_main};

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
const SIZES_ALL: [usize; 2] = [1_000, 1_000_000];

fn by_list(criterion: &mut Criterion) {
    let mut floor = Floor::new();
    for paths in SIZES {
        let mut engine = Relink::new(paths);
        for order in [Order::InOrder, Order::Shuffled] {
            let numbers = order.numbers(paths);
            let name = format!("relink/list_{}/{}_paths", order.word(), count(paths));
            let mut group = criterion.benchmark_group(name);
            objects(&mut group, "flue", paths, || engine.relink(&numbers));
            objects(&mut group, "floor", paths, || floor.relink(&numbers));
        }
    }
}

fn all(criterion: &mut Criterion) {
    for paths in SIZES_ALL {
        let mut engine = Commands::new(paths);
        let name = format!("relink/all/{}_paths", count(paths));
        let mut group = criterion.benchmark_group(name);
        group.bench_function("flue", |bench| {
            bench.iter_custom(|count| {
                let histogram = engine.commands(Command::RelinkAll, count, false);
                Duration::from_nanos(histogram.total_ns() as u64)
            });
        });
        group.bench_function("floor", |bench| {
            bench.iter_custom(|count| {
                Duration::from_nanos(commands(count, &Reader::Idle).total_ns() as u64)
            });
        });
    }
}

criterion_group! { name = group; config = brief(); targets = by_list, all }
criterion_main!(group);
