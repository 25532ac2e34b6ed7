//! The image on two processors that share no line of code: QEMU's and ours.
//!
//! Without a card around it (feature word 0) the firmware works off what lies in memory and ends
//! the run. So the same memory is given to `qemu-system-riscv32` (its RAM is a file) and to the
//! simulator; afterwards every word must be the same: RAM with the stack in it, registers, outbox
//! with all completions and results, tables. `FLUE_IMAGE_RUNNER` names a program that runs an
//! image on the memory in a file; `cargo xtask test riscv` brings one.
#![cfg(feature = "image")]

mod bare;
mod image;
mod seeds;

use abi::core::mmio::{MAIL_TAKEN, OUTBOX_FILLED, REGISTERS};
use bare::commands::{Load, load};
use bare::{Memory, on_qemu, on_simulator};

/// Runs of each way.
const CASES: u64 = 24;

#[test]
fn every_word_is_the_same_as_under_qemu() {
    seeds::for_each_seed("riscv_bare", CASES, &load(), |load: Load| {
        let before = load.memory();
        let (mut ours, mut theirs) = (before.clone(), before);
        on_simulator(&mut ours);
        on_qemu(&mut theirs);
        if let Some(difference) = ours.difference(&theirs) {
            panic!("{difference}");
        }
    });
}

#[test]
fn a_run_carries_out_what_lies_in_memory() {
    // The comparison would be worth nothing if nothing had happened.
    let load = Load::sample();
    let mut memory = load.memory();
    on_simulator(&mut memory);
    assert_eq!(memory.word(REGISTERS + MAIL_TAKEN.offset), load.slots_of(0));
    assert!(memory.word(REGISTERS + OUTBOX_FILLED.offset) >= load.trees());
    let statuses = memory.completions();
    assert!(statuses.len() as u32 == load.trees(), "{statuses:?}");
    let done = statuses.iter().filter(|status| status.is_done()).count();
    assert!(done > 5, "{statuses:?}");
}

#[test]
fn a_difference_of_one_word_is_found() {
    let mut memory = Load::sample().memory();
    on_simulator(&mut memory);
    for address in Memory::samples() {
        let mut other = memory.clone();
        other.set(address, other.word(address) ^ 1);
        let difference = memory.difference(&other).expect("one word differs");
        assert!(difference.contains(&format!("{address:#010x}")), "{difference}");
    }
}
