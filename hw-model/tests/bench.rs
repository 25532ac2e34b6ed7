//! A bench under a host that stages whatever it likes, and what a rig says to what it cannot have.
//!
//! What is staged is drawn from what is at and around each limit; each card that is built answers.
//! Sensible benches are tried by `conformance_bench`. `FLUE_SEED` and `FLUE_CASES` as in the other
//! randomised tests.

mod benches;
mod seeds;
mod served;

use std::cell::Cell;
use std::time::{Duration, Instant};

use abi::host::bench::{self, BENCH_CYCLES, BENCH_POWER_CYCLE, BENCH_REGISTERS};
use abi::host::limit;
use abi::host::register;
use abi::host::status::CardState;
use host_driver::backing::{Backing, Registers};
use hw_model::bench::BenchRig;
use hw_model::conformance::{Needs, Rig, Unfit};
use proptest::prelude::*;

/// A page of registers that is no bench.
struct Nothing;

impl Registers for Nothing {
    fn read(&self, _offset: u32) -> u32 {
        u32::MAX
    }
    fn write(&self, _offset: u32, _value: u32) {}
}

#[test]
fn what_is_no_bench_is_refused() {
    let (card, page, mirror) = served::serve();
    let error = BenchRig::new(card.clone(), Nothing, mirror.clone()).err().unwrap();
    assert!(error.to_string().starts_with("BAR2 reads 0xffffffff where a bench says"), "{error}");
    let short = mirror.part(0, mirror.bytes() - 4);
    let error = BenchRig::new(card, page, short).err().unwrap();
    assert!(error.to_string().contains("a mirror needs"), "{error}");
}

#[test]
fn a_rig_declines_what_its_bench_cannot_give() {
    let (card, page, mirror) = served::serve();
    let rig = BenchRig::new(card, page, mirror).unwrap();
    let large = Needs::sized(|sizes| sizes.paths = bench::TABLE_ENTRIES_MAX + 1);
    let declined = rig.power_on(&large).err().unwrap();
    assert_eq!(declined, Unfit("a card beyond the limits of a bench".to_owned()));
    let first = rig.power_on(&Needs::default()).unwrap();
    assert_eq!(first.capture.crossed(), 0);
    let declined = rig.power_on(&Needs::default()).err().unwrap();
    assert_eq!(declined, Unfit("a second card: a bench has one at a time".to_owned()));
    drop(first);
    assert!(rig.power_on(&Needs::default()).is_ok());
}

/// Longest that a card may take to answer ENABLE.
const ANSWER_WALL: Duration = Duration::from_secs(10);

/// A value for a staged register: a limit of some register, one more or less, or anything.
fn value() -> impl Strategy<Value = u32> {
    let limits = [
        0,
        1,
        256,
        limit::COMMAND_RINGS_MAX,
        limit::VECTORS_MAX,
        limit::VLAN_MAX,
        limit::RING_SLOTS_MAX,
        bench::CLOCK_KHZ_MIN,
        bench::CLOCK_KHZ_MAX,
        bench::HELD_MAX,
        bench::TABLE_ENTRIES_MAX,
        bench::STALL_US_MAX,
    ];
    prop_oneof![
        8 => (prop::sample::select(limits.to_vec()), -1_i32..=1)
            .prop_map(|(limit, step)| limit.wrapping_add_signed(step)),
        1 => any::<u32>(),
    ]
}

#[test]
fn any_card_that_a_bench_builds_answers() {
    let staged: Vec<u32> = BENCH_REGISTERS
        .rows
        .iter()
        .filter(|row| row.doc.starts_with("Rw."))
        .map(|row| row.offset as u32)
        .collect();
    let (card, page, _mirror) = served::serve();
    let good: Vec<u32> = staged.iter().map(|offset| page.read(*offset)).collect();
    // Some registers get other values; with all of them no card would ever be built.
    let changes = prop::collection::vec((0..staged.len(), value()), 0..5);
    let built = Cell::new(0);
    seeds::for_each_seed("bench", 60, &changes, |changes| {
        for (offset, value) in staged.iter().zip(&good) {
            page.write(*offset, *value);
        }
        for (register, value) in changes {
            page.write(staged[register], value);
        }
        let before = page.read(BENCH_CYCLES.offset);
        page.write(BENCH_POWER_CYCLE.offset, 1);
        if page.read(BENCH_CYCLES.offset) == before {
            return;
        }
        built.set(built.get() + 1);
        assert_eq!(CardState(card.read(register::STATE.offset)), CardState::RESET);
        card.write(register::ENABLE.offset, 1);
        let deadline = Instant::now() + ANSWER_WALL;
        while CardState(card.read(register::STATE.offset)) == CardState::RESET {
            assert!(Instant::now() < deadline, "the card does not answer ENABLE");
            card.relax();
        }
        for offset in (0..limit::BAR_BYTES).step_by(4) {
            card.read(offset);
        }
    });
    assert!(built.get() > 10, "only {} cards were built", built.get());
}
