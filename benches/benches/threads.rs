//! What does a command cost when many threads submit to one session?
//!
//! Each thread keeps some updates under way; all share the host's processor, so that a command
//! costs what it costs all of them together.
//! Would disappoint us: a command that costs with eight threads more than 1.5 times what it costs
//! with one.

mod brief;

use benches::engine::threads::Threads;
use brief::{brief, objects};
use criterion::{Criterion, criterion_group, criterion_main};

const THREADS: [usize; 4] = [1, 2, 4, 8];
const COMMANDS: usize = 4_000;

fn update(criterion: &mut Criterion) {
    let mut engine = Threads::new(THREADS[THREADS.len() - 1]);
    let mut group = criterion.benchmark_group("threads/update");
    for threads in THREADS {
        let name = format!("{threads}_threads");
        objects(&mut group, &name, COMMANDS, || engine.update(threads, COMMANDS));
    }
    group.finish();
}

criterion_group! { name = group; config = brief(); targets = update }
criterion_main!(group);
