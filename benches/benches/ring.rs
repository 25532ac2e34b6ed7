//! What does a 64-byte slot cost to cross, alone and in bursts, on one processor and on two?
//!
//! The floor publishes a position for a burst (*index*), or one in every slot (*slot*); the peers
//! are queues that a Rust program would take. Two processors are 23 to 217 ns apart on virtual
//! machines, from one minute to the next: compare within one run only.
//! Would disappoint us: more than 1.15 times the index floor at bursts of 32, more than 1.2 times
//! the better floor at single slots, or a peer that is faster.

mod brief;

use benches::engine::ring::engine;
use benches::floor::ring::{index, slot};
use benches::peer::queues::{ringbuf, rtrb};
use benches::ring::{Place, through};
use brief::{brief, objects};
use criterion::{Criterion, criterion_group, criterion_main};

const BURSTS: [usize; 3] = [1, 8, 32];
const ELEMENTS: usize = 100_000;

fn ring(criterion: &mut Criterion) {
    for place in [Place::TwoCores, Place::SameCore] {
        for burst in BURSTS {
            let name = format!("ring/{}/burst_{burst}", place.word());
            let mut group = criterion.benchmark_group(name);
            let count = ELEMENTS as u64;
            let group = &mut group;
            objects(group, "flue", ELEMENTS, || through(engine(), place, burst, count));
            objects(group, "index_floor", ELEMENTS, || through(index(), place, burst, count));
            objects(group, "slot_floor", ELEMENTS, || through(slot(), place, burst, count));
            objects(group, "ringbuf", ELEMENTS, || through(ringbuf(), place, burst, count));
            objects(group, "rtrb", ELEMENTS, || through(rtrb(), place, burst, count));
        }
    }
}

criterion_group! { name = group; config = brief(); targets = ring }
criterion_main!(group);
