//! How long until all paths of a dead router have moved, as the host sees it?
//!
//! From submit to the completion seen, on the free-running model: two threads of the card beside
//! the host's on this machine's cores. `list` names every path; `all` says one word.
//! Would disappoint us: more than 50 ns a path by list, or an `all` that knows how many paths
//! there are (its 1k and 100k figures apart by more than the noise).

use abi::host::handle::Handle;
use benches::Offloaded;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use host_driver::{HandleList, Update};

const SIZES: [(&str, u32); 2] = [("1k_paths", 1_000), ("100k_paths", 100_000)];

fn by_list(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("relink/list");
    group.sample_size(20);
    for (name, paths) in SIZES {
        let card = Offloaded::new(paths);
        let mut targets = card.neighbors.iter().rev().cycle();
        let mut list = Some(filled(&card));
        group.throughput(Throughput::Elements(u64::from(paths)));
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let mut tree = Update::new();
                let given = list.take().unwrap_or_else(|| filled(&card));
                tree.neighbor(next(&mut targets)).relink_list(given);
                let outcome = card.session.run(tree).expect("the card answers");
                assert_eq!(outcome.failed(), 0, "every path moves");
                list = outcome.into_lists().pop();
            });
        });
    }
    group.finish();
}

fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("relink/all");
    group.sample_size(20);
    for (name, paths) in SIZES {
        let card = Offloaded::new(paths);
        let [first, second] = card.neighbors;
        let mut turns = [(second, first), (first, second)].into_iter().cycle();
        group.bench_function(name, |bench| {
            bench.iter_batched(
                || turns.next().expect("a cycle does not end"),
                |(to, old)| {
                    let mut tree = Update::new();
                    tree.neighbor(to).relink_all_of(old);
                    let outcome = card.session.run(tree).expect("the card answers");
                    assert_eq!(outcome.failed(), 0, "all paths move");
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn filled(card: &Offloaded) -> HandleList {
    let mut list = card.session.handle_list(card.paths.len()).expect("memory for a list");
    list.extend(card.paths.iter().copied()).expect("the list has room for every path");
    list
}

fn next<'a>(targets: &mut impl Iterator<Item = &'a Handle>) -> Handle {
    *targets.next().expect("a cycle does not end")
}

criterion_group!(group, by_list, all);
criterion_main!(group);
