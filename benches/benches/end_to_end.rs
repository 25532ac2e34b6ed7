//! What does a single command cost from call to answer, and what a whole offload?
//!
//! On the free-running model. One command crosses from thread to thread four times (doorbell,
//! fetch, completion, reap); a cache line takes 25 to 200 ns one way, so 2 us is what can be had.
//! Would disappoint us: more than 20 us for one command when the cores are free, or more than
//! 300 ns a path for an offload.

use std::hint::black_box;

use benches::Offloaded;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use host_driver::{Query, Terminate, Update};

fn one_command(criterion: &mut Criterion) {
    let card = Offloaded::new(1);
    let mut mtu = (1400..1500).cycle();
    criterion.bench_function("end_to_end/update/1_path", |bench| {
        bench.iter(|| {
            let mut tree = Update::new();
            tree.path_mtu(card.paths[0], mtu.next().expect("a cycle does not end"));
            black_box(card.session.run(tree).expect("the card answers"))
        });
    });
    criterion.bench_function("end_to_end/query/1_path", |bench| {
        bench.iter(|| {
            let mut tree = Query::new();
            tree.path(card.paths[0]);
            black_box(card.session.run(tree).expect("the card answers"))
        });
    });
}

fn offload(criterion: &mut Criterion) {
    const PATHS: u32 = 10_000;
    let card = Offloaded::new(1);
    let mut group = criterion.benchmark_group("end_to_end/initiate_and_terminate");
    group.sample_size(10).throughput(Throughput::Elements(u64::from(PATHS)));
    group.bench_function("10k_paths", |bench| {
        bench.iter_batched(
            || benches::tree(PATHS),
            |tree| {
                let made = card.session.run(tree).expect("the card answers");
                let mut tree = Terminate::with_capacity(made.blocks());
                tree.neighbor(made.block(0).handle);
                for block in 1..made.blocks() {
                    tree.path(made.block(block).handle);
                }
                black_box(card.session.run(tree).expect("the card answers"))
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(group, one_command, offload);
criterion_main!(group);
