//! Hostile hosts: any slot, any doorbell, any access to BAR0, in any order.
//!
//! Whatever came before, the card is alive afterwards: the next attach works, and counters tell
//! what was refused. `FLUE_SEED` and `FLUE_CASES` repeat or lengthen a run.

mod seeds;

use std::sync::Arc;

use abi::host::command::{CommandHeader, Flag, Opcode, Slot};
use abi::host::limit::BAR_BYTES;
use abi::host::register::{self, Counter};
use abi::host::status::{CardState, Kind, Status};
use host_driver::backing::{Backing, Registers};
use host_driver::{Config, Initiate, NeighborState, Session};
use hw_model::ModelCard;
use hw_model::conformance::{ModelRig, Needs, RawCard, Rig};
use proptest::collection::vec;
use proptest::prelude::*;

/// What a hostile host does.
#[derive(Clone, Debug)]
enum Deed {
    /// Puts a slot of any bits.
    Slot([u32; 16]),
    /// Puts a slot whose header gets past the first checks, with any bits behind it.
    Plausible { opcode: u8, kind: u8, flags: u16, handle: u64, bits: [u32; 10] },
    /// Rings for what was put.
    Ring,
    /// Writes a doorbell of any ring.
    Doorbell { ring: u32, is_tail: bool, value: u32 },
    /// Reads or writes BAR0 anywhere, any number of bytes.
    Access { offset: u64, bytes: Vec<u8>, is_write: bool },
    /// Lets the card go on.
    Wait(u8),
    /// Resets, enables and starts the ring again.
    BringUp,
}

fn deed() -> impl Strategy<Value = Deed> {
    let any_slot = any::<[u32; 16]>().prop_map(Deed::Slot);
    let handle = prop_oneof![
        any::<u64>(),
        (0..3_u64, 1..4_u64).prop_map(|(index, kind)| 1 << 32 | kind << 30 | index)
    ];
    let flags =
        (0..0x1000_u16).prop_map(|flags| flags & Flag::LIST.0.wrapping_neg() | flags & 0xff);
    let plausible = (0..7_u8, 0..5_u8, flags, handle, any::<[u32; 10]>()).prop_map(
        |(opcode, kind, flags, handle, bits)| Deed::Plausible { opcode, kind, flags, handle, bits },
    );
    let doorbell = (0..20_u32, any::<bool>(), prop_oneof![0..80_u32, any::<u32>()])
        .prop_map(|(ring, is_tail, value)| Deed::Doorbell { ring, is_tail, value });
    let offset = prop_oneof![4 => 0..u64::from(BAR_BYTES) + 64, 1 => any::<u64>()];
    let access = (offset, vec(any::<u8>(), 0..17), any::<bool>())
        .prop_map(|(offset, bytes, is_write)| Deed::Access { offset, bytes, is_write });
    prop_oneof![
        3 => any_slot,
        6 => plausible,
        4 => Just(Deed::Ring),
        1 => doorbell,
        3 => access,
        4 => any::<u8>().prop_map(Deed::Wait),
        1 => Just(Deed::BringUp),
    ]
}

#[test]
fn a_timed_card_outlives_any_host() {
    seeds::for_each_seed("a hostile host, timed", 300, &vec(deed(), 1..80), |deeds| {
        outlive(ModelRig::TIMED, &deeds)
    });
}

#[test]
fn a_free_running_card_outlives_any_host() {
    let property = |deeds: Vec<Deed>| outlive(ModelRig::FREE_RUNNING, &deeds);
    seeds::for_each_seed("a hostile host, free-running", 60, &vec(deed(), 1..80), property);
}

fn outlive(model: ModelRig, deeds: &[Deed]) {
    let mut raw =
        RawCard::open(&model, &Needs::default()).expect("the model can be given everything");
    for deed in deeds {
        commit(&mut raw, deed);
    }
    is_usable(Arc::clone(&raw.card));
}

fn commit(raw: &mut RawCard<ModelCard>, deed: &Deed) {
    match deed {
        Deed::Slot(slot) => raw.put(*slot),
        Deed::Plausible { opcode, kind, flags, handle, bits } => {
            let header = raw.header(Opcode(*opcode), Kind(*kind), 0);
            let is_first = Flag::FIRST.is_in(*flags);
            let header = CommandHeader {
                flags: *flags,
                handle: *handle,
                tag: if is_first { header.tag } else { 0 },
                result_units: if is_first { header.result_units } else { 0 },
                result: if is_first { header.result } else { 0 },
                ..header
            };
            let mut slot: Slot = [0; 16];
            header.write(&mut slot);
            slot[6..].copy_from_slice(bits);
            raw.put(slot);
        }
        Deed::Ring => raw.ring(),
        Deed::Doorbell { ring, is_tail, value } => {
            let doorbell =
                if *is_tail { register::DOORBELL_TAIL } else { register::DOORBELL_REAPED };
            raw.write_doorbell(doorbell, *ring, *value);
        }
        Deed::Access { offset, bytes, is_write } => {
            raw.card.bar_access(*offset, &mut bytes.clone(), *is_write);
        }
        Deed::Wait(turns) => (0..*turns).for_each(|_| raw.card.relax()),
        Deed::BringUp => {
            raw.bring_up(&abi::core::Settings { generation_seed: 3, ..Default::default() })
        }
    }
}

/// A new session comes up on the card and is served.
fn is_usable(card: Arc<ModelCard>) {
    let session = Session::attach(card, &Config::default()).expect("the card comes up again");
    let mut tree = Initiate::with_capacity(1);
    tree.neighbor(&NeighborState::default());
    assert_eq!(session.run(tree).expect("the card answers").status(), Status::SUCCESS);
}

#[test]
fn accesses_of_the_wrong_width_are_counted_and_change_nothing() {
    for model in [ModelRig::TIMED, ModelRig::FREE_RUNNING, ModelRig::ONE_THREAD] {
        let raw =
            RawCard::open(&model, &Needs::default()).expect("the model can be given everything");
        let count = || u64::from(raw.counter(Counter::BAD_ACCESSES));
        for (offset, width) in
            [(0, 1), (0, 2), (1, 4), (2, 4), (3, 1), (0x108, 2), (0x10a, 4), (BAR_BYTES, 4)]
        {
            for is_write in [false, true] {
                let before = count();
                let mut bytes = vec![0xff; width];
                raw.card.bar_access(u64::from(offset), &mut bytes, is_write);
                assert!(count() > before, "{width} bytes at {offset:#x}, write {is_write}");
                if !is_write {
                    assert!(
                        bytes.iter().all(|byte| *byte == 0),
                        "{width} bytes at {offset:#x}: {bytes:?}"
                    );
                }
            }
        }
        assert_eq!(raw.read(register::IDENTITY), register::IDENTITY_VALUE);
        assert_eq!(raw.read(register::GENERATION_SEED), 1, "as it was set at the attach");
    }
}

#[test]
fn a_card_that_was_reset_in_the_middle_of_everything_is_as_new() {
    for model in [ModelRig::TIMED, ModelRig::FREE_RUNNING, ModelRig::ONE_THREAD] {
        let body = model.power_on(&Needs::default()).expect("the model can be given everything");
        for round in 0..20 {
            let session =
                Session::attach(Arc::clone(&body.card), &Config::default()).expect("it comes up");
            for ring in 0..4 {
                let mut tree = Initiate::with_capacity(200);
                for _ in 0..50 {
                    tree.neighbor(&NeighborState::default());
                }
                drop(session.submit_on(ring, tree).expect("room"));
            }
            (0..round * 3).for_each(|_| body.card.relax());
            body.card.write(register::RESET.offset, 1);
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
            while CardState(body.card.read(register::STATE.offset)) != CardState::RESET {
                assert!(
                    std::time::Instant::now() < deadline,
                    "round {round}: the reset is not acknowledged"
                );
                body.card.relax();
            }
        }
        is_usable(body.card);
    }
}
