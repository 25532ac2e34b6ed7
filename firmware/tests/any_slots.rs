//! Whatever slots come, however slow readers and the outbox are: the firmware settles every
//! slot, answers every tree once, comes to rest, and its tables agree with each other.

mod bench;

use abi::host::command::{CommandHeader, FLAGS, Flag, Opcode, SELECTION, Selection, Slot};
use abi::host::command::{PathVariables, VARIABLES};
use abi::host::handle::Handle;
use abi::host::status::Kind;
use bench::Bench;
use bench::trees::{RESULTS, UNITS, neighbor_with_paths};
use proptest::prelude::*;

/// Handles that name something, something stale, or nothing.
fn any_handle() -> impl Strategy<Value = Handle> {
    let near = (0_u8..4, 0_u32..18, 1_u32..4);
    prop_oneof![
        8 => near.prop_map(|(kind, index, generation)| Handle::new(Kind(kind), index, generation)),
        2 => Just(Handle::NULL),
        1 => any::<u64>().prop_map(Handle),
    ]
}

/// A slot that is mostly well-formed.
fn any_slot() -> impl Strategy<Value = Slot> {
    let header = (0_u8..7, 0_u8..5, any::<u16>(), any_handle(), any_handle());
    let flags = prop_oneof![4 => 0..=FLAGS, 1 => any::<u16>()];
    let bits = (any::<bool>(), any::<bool>(), 0_u32..100, 60_u32..1600);
    (header, flags, bits).prop_map(|((opcode, kind, _, handle, other), flags, bits)| {
        let (is_bare, is_placed, count, mtu) = bits;
        let mut slot = [0; 16];
        // Bare slots leave out what makes most of them malformed.
        let odd = Flag::CONTINUATION.0 | Flag::MORE.0 | Flag::PLACEHOLDER.0;
        let flags = if is_bare { flags & !odd } else { flags };
        let is_first = Flag::FIRST.is_in(flags);
        let result = if is_first && is_placed { RESULTS } else { 0 };
        let result_units = if is_first && is_placed { UNITS } else { 0 };
        let header =
            CommandHeader { opcode, kind, flags, tag: 0, result_units, handle: handle.0, result };
        if Kind(kind) == Kind::NEIGHBOR {
            Selection { list: other.0 & !63, count }.write(&mut slot[SELECTION / 4..]);
            if Flag::ALL_OF.is_in(flags) {
                Selection { list: other.0, count: 0 }.write(&mut slot[SELECTION / 4..]);
            }
            slot[15] = 4096;
        } else {
            let state = PathVariables { mtu, ..Default::default() };
            state.write(&mut slot[VARIABLES / 4..]);
        }
        header.write(&mut slot);
        slot
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_slots_leave_the_tables_consistent(
        slots in prop::collection::vec(any_slot(), 1..60),
        refuses_every in prop_oneof![Just(0_u32), 2_u32..5],
        readers_lag in any::<bool>(),
        list in prop::collection::vec(any_handle(), 128),
    ) {
        let (mut bench, mut firmware) = Bench::new(1);
        for mac in 0..4 {
            bench.run(&mut firmware, &neighbor_with_paths(mac, 3), &[]);
        }
        let before = bench.completions.len();
        bench.refuses_every = refuses_every;
        bench.readers_lag = readers_lag;
        bench.set_list(&list);
        bench.push(&slots.concat());
        for _ in 0..200 {
            bench.work(&mut firmware, 10);
            bench.announce();
        }
        bench.check_tables();
        // Whatever is open is ended by a tree of its own, and everything comes to rest.
        bench.push(&bench::trees::named(Opcode::QUERY, Handle::new(Kind::NEIGHBOR, 0, 1)));
        for _ in 0..50 {
            bench.work(&mut firmware, 10);
            bench.announce();
        }
        bench.refuses_every = 0;
        bench.rest(&mut firmware);
        bench.check_tables();
        prop_assert_eq!(bench.unsettled(), 0);
        let trees = count_trees(&slots);
        prop_assert_eq!(bench.completions.len() - before, trees + 1);
    }

    #[test]
    fn any_bytes_are_answered(slots in prop::collection::vec(any::<[u32; 16]>(), 1..40)) {
        let (mut bench, mut firmware) = Bench::new(1);
        bench.push(&slots.concat());
        bench.push(&bench::trees::named(Opcode::QUERY, Handle::NULL));
        bench.rest(&mut firmware);
        bench.check_tables();
        prop_assert_eq!(bench.unsettled(), 0);
    }
}

/// Completions that these slots are owed: one for every FIRST, one for every slot outside a tree.
fn count_trees(slots: &[Slot]) -> usize {
    let (mut trees, mut is_open) = (0, false);
    for slot in slots {
        let flags = CommandHeader::read(slot).flags;
        if Flag::FIRST.is_in(flags) || !is_open {
            trees += 1;
            is_open = Flag::FIRST.is_in(flags);
        }
        if Flag::LAST.is_in(flags) {
            is_open = false;
        }
    }
    trees
}
