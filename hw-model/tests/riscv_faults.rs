//! A RISC-V core that goes wrong: the host is told where and why, and its next attach works.
//!
//! Faults are planted into the running image where the core waits, so that they come as soon as it
//! wakes: an illegal instruction, a store to nowhere, an endless loop.
#![cfg(feature = "image")]

mod image;

use abi::host::status::{FailCode, Status};
use host_driver::{Error, Query, Update};
use hw_model::ModelCard;
use hw_model::conformance::{Needs, Scene};
use image::RiscvRig;

/// `c.unimp`: all zeros are no instruction.
const ILLEGAL: [u8; 2] = [0, 0];
/// `sw zero, 0(zero)`: nothing lies at address 0.
const WILD_STORE: [u8; 4] = 0x0000_2023_u32.to_le_bytes();
/// `c.j .`: for ever.
const ENDLESS: [u8; 2] = 0xa001_u16.to_le_bytes();
/// Looks at a core that is to fall asleep.
const PATIENCE: u32 = 10_000;

#[test]
fn an_illegal_instruction_is_reported_with_its_pc() {
    for is_timed in [true, false] {
        let (error, pc) = failed_by(&ILLEGAL, is_timed);
        expect_trap(&error, pc, 2, "illegal instruction");
    }
}

#[test]
fn a_store_to_nowhere_is_reported_with_its_pc() {
    for is_timed in [true, false] {
        let (error, pc) = failed_by(&WILD_STORE, is_timed);
        expect_trap(&error, pc, 7, "store access fault");
    }
}

#[test]
fn an_endless_loop_is_found_by_the_heartbeat() {
    for is_timed in [true, false] {
        let (error, _) = failed_by(&ENDLESS, is_timed);
        assert!(matches!(error, Error::Failed { code: FailCode::HEARTBEAT, .. }), "{error}");
        assert!(error.to_string().contains("stood still"), "{error}");
    }
}

#[test]
fn nothing_is_planted_outside_ram_or_before_enable() {
    let scene = Scene::open(&RiscvRig { is_timed: true }, &Needs::default()).expect("a card");
    let pc = scene.card.core_pc().expect("the core runs");
    assert!(scene.card.plant(pc, &ILLEGAL));
    assert!(!scene.card.plant(0x1000, &ILLEGAL));
    host_driver::backing::Backing::reset_function(&*scene.card).expect("a model resets");
    assert!(!scene.card.plant(pc, &ILLEGAL));
    assert_eq!(scene.card.core_pc(), None);
}

fn expect_trap(error: &Error, at: u32, expected: u32, word: &str) {
    match *error {
        Error::Failed { code: FailCode::TRAP, pc, cause, .. } => {
            assert_eq!((pc, cause), (at, expected), "{error}");
        }
        _ => panic!("{error}"),
    }
    let words = error.to_string();
    assert!(words.contains(word) && words.contains(&format!("{at:#010x}")), "{words}");
}

/// Plants a fault where the core waits, and gives it something to do. What the driver says, and
/// where it was planted. Then the session is reset, and the card does what it did before.
fn failed_by(fault: &[u8], is_timed: bool) -> (Error, u32) {
    let scene = Scene::open(&RiscvRig { is_timed }, &Needs::default()).expect("a card");
    let router = scene.neighbor(1);
    let pc = asleep(&scene.card);
    assert!(scene.card.plant(pc, fault), "RAM is there");
    let mut tree = Query::with_capacity(1);
    tree.neighbor(router);
    let error = scene.session.run(tree).expect_err("the core does not answer");

    scene.session.reset().expect("a reset brings the image back");
    let router = scene.neighbor(2);
    let path = scene.path(router, 1);
    let mut tree = Update::with_capacity(2);
    tree.neighbor(scene.neighbor(3)).relink(path);
    let outcome = scene.session.run(tree).expect("the card is as before");
    assert_eq!(outcome.status(), Status::SUCCESS);
    (error, pc)
}

/// Waits until the core sleeps; the address of its WFI.
fn asleep(card: &ModelCard) -> u32 {
    let mut waits = None;
    for _ in 0..PATIENCE {
        host_driver::backing::Backing::relax(card);
        let pc = card.core_pc();
        // It is where it was a step ago: a step ends where the core waits.
        if let Some(pc) = pc.filter(|pc| waits == Some(*pc)) {
            return pc;
        }
        waits = pc;
    }
    panic!("the core does not sleep: {waits:?}");
}
