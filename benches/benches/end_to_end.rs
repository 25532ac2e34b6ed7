//! What does a single command cost from call to answer, and what a whole life on the card?
//!
//! On the free-running model. One command crosses from processor to processor four times
//! (doorbell, slot, completion, reaped): 0.1 to 0.9 us of hops alone.
//! Would disappoint us: more than 2 us for one command when the processors are free, or more than
//! 100 ns for a path that comes and goes.

mod brief;

use std::hint::black_box;

use benches::engine::{Rig, neighbor, path};
use brief::{brief, count};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use host_driver::{Initiate, Query, Terminate, Update};

const PATHS: usize = 10_000;

fn one_command(criterion: &mut Criterion) {
    let rig = Rig::new();
    let [neighbor] = rig.neighbors([1]);
    let paths = rig.paths(neighbor, 1);
    let mut mtu = (1400..1500).cycle();
    criterion.bench_function("end_to_end/update/1_path", |bench| {
        bench.iter(|| {
            let mut tree = Update::new();
            tree.path_mtu(paths[0], mtu.next().expect("a cycle does not end"));
            black_box(rig.session.run(tree).expect("the card answers"))
        });
    });
    criterion.bench_function("end_to_end/query/1_path", |bench| {
        bench.iter(|| {
            let mut tree = Query::new();
            tree.path(paths[0]);
            black_box(rig.session.run(tree).expect("the card answers"))
        });
    });
}

fn come_and_go(criterion: &mut Criterion) {
    let rig = Rig::new();
    let mut group = criterion.benchmark_group("end_to_end/initiate_and_terminate");
    group.throughput(Throughput::Elements(PATHS as u64));
    group.bench_function(format!("{}_paths", count(PATHS)), |bench| {
        bench.iter_batched(
            tree,
            |tree| {
                let made = rig.session.run(tree).expect("the card answers");
                assert_eq!(made.failed(), 0, "the card has room");
                let mut tree = Terminate::with_capacity(made.blocks());
                for block in (0..made.blocks()).rev() {
                    match block {
                        0 => tree.neighbor(made.block(0).handle),
                        _ => tree.path(made.block(block).handle),
                    };
                }
                let gone = rig.session.run(tree).expect("the card answers");
                assert_eq!(gone.failed(), 0, "what is on the card can go");
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn tree() -> Initiate {
    let mut tree = Initiate::with_capacity(PATHS + 1);
    let mut root = tree.neighbor(&neighbor(1));
    for number in 0..PATHS as u32 {
        root.path(&path(number));
    }
    tree
}

criterion_group! { name = group; config = brief(); targets = one_command, come_and_go }
criterion_main!(group);
