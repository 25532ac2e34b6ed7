//! How long until a router's new MAC address is in every header, as the host sees it?
//!
//! One command, with a fence behind it. Idle, the card has nothing else to do; busy, a batch of
//! 64 frames (of 64 lookups in the floor) is always under way, and the fence waits for its end.
//! Would disappoint us: more than 1.5 times the floor, idle or busy, for any number of paths.

mod brief;

use std::time::Duration;

use benches::engine::command::{Command, Commands};
use benches::floor::chain::Chain;
use benches::floor::command::{Reader, commands};
use brief::{brief, count};
use criterion::{Criterion, criterion_group, criterion_main};

const SIZES: [usize; 2] = [1_000, 100_000];
/// Neighbors of the floor's chain.
const NEIGHBORS: usize = 1_000;

fn mac(criterion: &mut Criterion) {
    for paths in SIZES {
        let chain = Chain::new(paths, NEIGHBORS);
        let mut engine = Commands::new(paths);
        for (word, is_busy) in [("idle", false), ("busy", true)] {
            let name = format!("update/mac_{word}/{}_paths", count(paths));
            let mut group = criterion.benchmark_group(name);
            group.bench_function("flue", |bench| {
                bench.iter_custom(|count| {
                    let histogram = engine.commands(Command::MacUpdate, count, is_busy);
                    Duration::from_nanos(histogram.total_ns() as u64)
                });
            });
            let reader = if is_busy { Reader::Busy(&chain) } else { Reader::Idle };
            group.bench_function("floor", |bench| {
                bench.iter_custom(|count| {
                    Duration::from_nanos(commands(count, &reader).total_ns() as u64)
                });
            });
        }
    }
}

criterion_group! { name = group; config = brief(); targets = mac }
criterion_main!(group);
