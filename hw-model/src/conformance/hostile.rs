//! Claims about hostile bytes: slots that lie, addresses that are not mapped, doorbells that jump.
//!
//! Rules: design section 2, promise 7. Whatever is written, the card answers with a status or an
//! error state, and works again: at once after a bad command, after a reset when a ring failed.

use abi::core::hal::Settings;
use abi::host::command::{
    CLASSES, CommandHeader, Flag, NeighborVariables, Opcode, Slot, VARIABLES,
};
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::register::{self, Counter};
use abi::host::status::{CardState, Detail, FailCode, Kind, RingState, Status};
use host_driver::backing::{Backing, Registers};

use super::raw::{RawCard, SLOTS, path_slot, slot_of, with_state_offset};
use super::{Needs, Rig, Unfit};

/// Opcodes, kinds, flags and reserved fields that mean nothing: each tree is answered, and the
/// next honest one is carried out.
pub fn a_malformed_slot_is_answered_and_the_ring_goes_on<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let good = raw.header(Opcode::QUERY, Kind::NEIGHBOR, Flag::LAST.0);
    let bad = [
        CommandHeader { opcode: 0, ..good },
        CommandHeader { opcode: 6, ..good },
        CommandHeader { opcode: 255, ..good },
        CommandHeader { kind: 0, ..good },
        CommandHeader { kind: 4, ..good },
        CommandHeader { flags: good.flags | 0x8000, ..good },
        CommandHeader { flags: good.flags | Flag::LIST.0, ..good },
        CommandHeader { flags: good.flags | Flag::ALL_OF.0, ..good },
        CommandHeader { flags: good.flags | Flag::IPV6.0, ..good },
    ];
    for header in bad {
        let before = raw.counter(Counter::MALFORMED);
        let completion = raw.run(&[slot_of(&header)]);
        assert!(!Status(completion.status).is_done(), "{header:?}");
        assert_eq!(completion.tag, header.tag, "{header:?}");
        assert!(raw.counter(Counter::MALFORMED) > before, "{header:?}");
        assert!(raw.is_alive(), "{header:?}");
    }
    Ok(())
}

/// FIRST and LAST out of place: what can be told apart is answered, the ring goes on.
pub fn a_tree_with_its_frame_out_of_place_is_answered<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let header = raw.header(Opcode::QUERY, Kind::NEIGHBOR, 0);
    let without_first = CommandHeader { flags: Flag::LAST.0 | Flag::ROOT.0, ..header };
    let completion = raw.run(&[slot_of(&without_first)]);
    assert!(!Status(completion.status).is_done());
    assert!(raw.is_alive());
    // A second FIRST before LAST: the first tree ends there, the second is its own.
    let whole = CommandHeader { flags: header.flags | Flag::LAST.0, tag: 9, ..header };
    raw.put(slot_of(&header));
    let completion = raw.run(&[slot_of(&whole)]);
    assert!(!Status(completion.status).is_done());
    if completion.tag == header.tag {
        assert_eq!(raw.wait_completion().tag, 9, "the second tree is answered too");
    }
    assert!(raw.is_alive());
    Ok(())
}

/// A continuation where none belongs, one that is missing, and a chain that never ends.
pub fn chains_of_the_wrong_length_are_answered<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let header = raw.header(Opcode::INITIATE, Kind::NEIGHBOR, CLASSES | Flag::LAST.0);
    let with = |flags: u16| slot_of(&CommandHeader { flags: header.flags | flags, ..header });
    let completion = raw.run(&[with(Flag::CONTINUATION.0)]);
    assert!(!Status(completion.status).is_done());
    assert!(raw.is_alive());
    let chain = CommandHeader { flags: header.flags & !Flag::LAST.0 | Flag::MORE.0, ..header };
    let more =
        CommandHeader { flags: Flag::CONTINUATION.0 | Flag::MORE.0, ..CommandHeader::default() };
    let more = CommandHeader { opcode: header.opcode, kind: header.kind, ..more };
    let last = CommandHeader { flags: Flag::CONTINUATION.0 | Flag::LAST.0, ..more };
    let mut slots = vec![slot_of(&chain)];
    slots.extend([slot_of(&more); 20]);
    slots.push(slot_of(&last));
    let completion = raw.run(&slots);
    assert!(!Status(completion.status).is_done());
    assert!(raw.is_alive());
    Ok(())
}

/// A result buffer that is too small, not aligned or at the end of the address space.
pub fn a_bad_result_buffer_is_answered_without_a_write<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let header = raw.header(Opcode::QUERY, Kind::NEIGHBOR, Flag::LAST.0);
    let bad = [
        CommandHeader { result_units: 0, ..header },
        CommandHeader { result: header.result + 4, ..header },
        CommandHeader { result: u64::MAX - 63, result_units: u16::MAX, ..header },
    ];
    for header in bad {
        let completion = raw.run(&[slot_of(&header)]);
        assert!(!Status(completion.status).is_done(), "{header:?}");
        assert_eq!(completion.detail, Detail::RESULT_BUFFER.0, "{header:?}");
        assert!(raw.is_alive(), "{header:?}");
    }
    Ok(())
}

/// A state record that would lie behind the end of the result buffer is refused.
pub fn a_state_offset_past_the_buffer_is_refused<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let neighbor = raw.neighbor(1);
    let header = raw.header(Opcode::QUERY, Kind::NEIGHBOR, Flag::LAST.0);
    let header = CommandHeader { handle: neighbor.0, result_units: 1, ..header };
    for offset in [512, 1 << 20, u32::MAX - 63, 64 + 4] {
        let completion = raw.run(&[with_state_offset(slot_of(&header), offset)]);
        assert!(!Status(completion.status).is_done(), "offset {offset}");
        assert!(raw.is_alive(), "offset {offset}");
    }
    let completion = raw.run(&[with_state_offset(slot_of(&header), 448)]);
    assert_eq!(Status(completion.status), Status::SUCCESS, "the last one that fits");
    Ok(())
}

/// Results to memory that is not mapped stop that ring only; a reset makes the card whole.
pub fn an_unmapped_result_buffer_stops_that_ring_only<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let refused = raw.counter(Counter::DMA_REFUSED);
    let header = raw.header(Opcode::QUERY, Kind::NEIGHBOR, Flag::LAST.0);
    let result = raw.unmapped();
    raw.put(slot_of(&CommandHeader { result, ..header }));
    raw.ring();
    raw.until("the ring to fail", |raw| raw.ring_state(0) == RingState::FAILED);
    assert_eq!(raw.ring_error(0), FailCode::RING_BUS.0);
    assert_eq!(raw.state(), CardState::READY, "the card itself goes on");
    assert!(raw.counter(Counter::DMA_REFUSED) > refused);
    raw.recovers();
    Ok(())
}

/// A list at an address that is not mapped fails its block; the engine goes on.
pub fn an_unmapped_list_fails_its_block<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let to = raw.neighbor(1);
    let slot = raw.list_slot(to, raw.unmapped(), 10);
    raw.put(slot);
    raw.ring();
    let mut completion = None;
    raw.until("an answer, or the ring to fail", |raw| {
        completion = raw.completion();
        completion.is_some() || raw.ring_state(0) == RingState::FAILED
    });
    if let Some(completion) = completion {
        assert!(completion.failed > 0);
        assert!(raw.is_alive());
    }
    raw.recovers();
    Ok(())
}

/// Lists that are too long, not aligned, or end behind the address space.
pub fn a_list_that_cannot_be_is_refused<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let to = raw.neighbor(1);
    let list = raw.list();
    let bad = [
        (list, limit::LIST_ENTRIES_MAX + 1),
        (list, u32::MAX),
        (list + 8, 4),
        (u64::MAX - 63, 100),
        (list, 0x2_0000), // more status bytes than the result buffer holds
    ];
    for (iova, count) in bad {
        let slot = raw.list_slot(to, iova, count);
        let completion = raw.run(&[slot]);
        assert!(!Status(completion.status).is_done(), "{count} entries at {iova:#x}");
        assert!(raw.is_alive(), "{count} entries at {iova:#x}");
    }
    raw.write_list(&[Handle::NULL, to]);
    let slot = raw.list_slot(to, list, 2);
    let completion = raw.run(&[slot]);
    assert_eq!((completion.done, completion.failed), (1, 2), "a good list is carried out");
    Ok(())
}

/// A doorbell further ahead than the ring is long stops the ring; a reset makes it whole.
pub fn a_doorbell_too_far_ahead_stops_its_ring<R: Rig>(rig: &R) -> Result<(), Unfit> {
    for ahead in [SLOTS + 1, 2 * SLOTS, 1 << 31, u32::MAX] {
        let mut raw = RawCard::open(rig, &Needs::default())?;
        let before = raw.counter(Counter::BAD_DOORBELLS);
        raw.write_doorbell(register::DOORBELL_TAIL, 0, raw.tail().wrapping_add(ahead));
        raw.until("the ring to fail", |raw| raw.ring_state(0) == RingState::FAILED);
        assert_eq!(raw.ring_error(0), FailCode::DOORBELL.0, "{ahead} ahead");
        assert!(raw.counter(Counter::BAD_DOORBELLS) > before);
        assert_eq!(raw.state(), CardState::READY);
        raw.recovers();
    }
    Ok(())
}

/// Doorbells of rings that do not run do nothing.
pub fn doorbells_of_stopped_rings_do_nothing<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    for ring in (1..4).chain([register::TRANSMIT_RING_FIRST, register::EVENT_RING]) {
        raw.write_doorbell(register::DOORBELL_TAIL, ring, 0xffff);
        raw.write_doorbell(register::DOORBELL_REAPED, ring, 0x1234);
        assert_eq!(raw.ring_state(ring), RingState::STOPPED, "ring {ring}");
    }
    raw.rest_ms(2);
    assert!(raw.is_alive());
    Ok(())
}

/// Ring configurations that make no sense fail that ring, and no other.
pub fn a_ring_that_makes_no_sense_fails_to_start<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    for (ring, log2) in [(1, 0), (2, 17), (3, 255)] {
        raw.write_bank(register::RING_SLOTS_LOG2, ring, log2);
        raw.write_bank(register::RING_START, ring, 1);
        raw.until("the ring to fail", |raw| raw.ring_state(ring) == RingState::FAILED);
        assert_eq!(raw.ring_error(ring), FailCode::RING_CONFIG.0, "2^{log2} slots");
    }
    assert!(raw.is_alive(), "the ring beside them goes on");
    raw.recovers();
    raw.start_ring(1, 4);
    raw.until("the ring to fail", |raw| raw.ring_state(1) == RingState::FAILED);
    assert_eq!(raw.ring_error(1), FailCode::RING_CONFIG.0, "a ring is aligned");
    Ok(())
}

/// A ring in memory that is not mapped stops at its first fetch.
pub fn a_ring_in_unmapped_memory_stops<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    raw.start_ring(1, 0x10_0000_0000);
    raw.write_doorbell(register::DOORBELL_TAIL, 1, 1);
    raw.until("the ring to fail", |raw| raw.ring_state(1) == RingState::FAILED);
    assert_eq!(raw.ring_error(1), FailCode::RING_BUS.0);
    assert!(raw.is_alive(), "the ring beside it goes on");
    raw.recovers();
    Ok(())
}

/// When nobody reaps, the card stops fetching: the completion ring never overflows.
pub fn a_full_completion_ring_stops_fetching<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let header = raw.header(Opcode::QUERY, Kind::NEIGHBOR, Flag::LAST.0);
    for tag in 0..SLOTS as u16 {
        raw.put(slot_of(&CommandHeader { tag, ..header }));
    }
    raw.ring();
    let posted = |raw: &RawCard<R::Card>| raw.card.read(register::RING_POSTED.offset);
    raw.until("a full completion ring", |raw| posted(raw) == SLOTS);
    for tag in 0..8 {
        raw.put(slot_of(&CommandHeader { tag: 1_000 + tag, ..header }));
    }
    raw.ring();
    raw.rest_ms(2);
    assert_eq!(posted(&raw), SLOTS, "a completion had no room");
    for tag in (0..SLOTS as u16).chain(1_000..1_008) {
        assert_eq!(raw.wait_completion().tag, tag);
    }
    assert!(raw.is_alive());
    Ok(())
}

/// A tree whose blocks stand where they cannot: each gets its status, nothing is moved.
pub fn blocks_in_impossible_places_fail_alone<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let neighbor = raw.neighbor(1);
    let opcode = Opcode::INITIATE;
    let first = CommandHeader { handle: neighbor.0, ..raw.header(opcode, Kind::NEIGHBOR, 0) };
    let later = |kind: Kind, flags: u16| CommandHeader {
        opcode: opcode.0,
        kind: kind.0,
        flags,
        ..CommandHeader::default()
    };
    // A connection straight under a neighbor, a new path as a root.
    let orphan = path_slot(later(Kind::PATH, Flag::ROOT.0 | Flag::CONST.0 | Flag::CACHED.0));
    let linker = later(Kind::CONNECTION, Flag::LAST.0);
    let completion = raw.run(&[slot_of(&first), orphan, slot_of(&linker)]);
    assert_eq!(completion.done + completion.failed, 3, "every block is answered");
    assert_eq!(Status(raw.result(1).status), Status::FAILURE);
    assert_eq!(raw.result(1).detail, Detail::POSITION.0);
    assert!(!Status(raw.result(2).status).is_done());
    assert!(raw.is_alive());
    Ok(())
}

/// State for an object that is on the card already: failure, and nothing changes.
pub fn state_for_an_object_that_is_on_the_card_fails<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let neighbor = raw.neighbor(1);
    let header = raw.header(Opcode::INITIATE, Kind::NEIGHBOR, CLASSES);
    let mut again = slot_of(&CommandHeader { handle: neighbor.0, ..header });
    NeighborVariables { destination: [6; 6], ..Default::default() }
        .write(&mut again[VARIABLES / 4..]);
    let flags = Flag::CONST.0 | Flag::CACHED.0 | Flag::LAST.0;
    let path = path_slot(CommandHeader {
        opcode: Opcode::INITIATE.0,
        kind: Kind::PATH.0,
        flags,
        ..CommandHeader::default()
    });
    let completion = raw.run(&[again, path]);
    assert_eq!((completion.done, completion.failed), (0, 2));
    assert_eq!(
        (Status(raw.result(0).status), raw.result(0).detail),
        (Status::FAILURE, Detail::EXISTS.0)
    );
    assert_eq!(
        (Status(raw.result(1).status), raw.result(1).detail),
        (Status::FAILURE, Detail::PARENT.0)
    );
    Ok(())
}

/// A tree that changes its opcode in the middle.
pub fn a_tree_that_changes_its_opcode_is_answered<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let neighbor = raw.neighbor(1);
    let first =
        CommandHeader { handle: neighbor.0, ..raw.header(Opcode::QUERY, Kind::NEIGHBOR, 0) };
    let second = CommandHeader {
        opcode: Opcode::TERMINATE.0,
        kind: Kind::NEIGHBOR.0,
        flags: Flag::ROOT.0 | Flag::LAST.0,
        handle: neighbor.0,
        ..CommandHeader::default()
    };
    let completion = raw.run(&[slot_of(&first), slot_of(&second)]);
    assert_ne!(Status(completion.status), Status::SUCCESS);
    let query = raw.header(Opcode::QUERY, Kind::NEIGHBOR, Flag::LAST.0);
    let completion = raw.run(&[slot_of(&CommandHeader { handle: neighbor.0, ..query })]);
    assert_eq!(Status(completion.status), Status::SUCCESS, "the neighbor was not terminated");
    assert!(raw.is_alive());
    Ok(())
}

/// Slots of pseudo-random bits, thousands of them: the card lives, and a reset makes it new.
pub fn slots_of_random_bits_leave_the_card_alive<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let mut seed = 0x9e37_79b9_u32;
    let mut next = move || {
        // xorshift32: any sequence without short cycles will do.
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        seed
    };
    for _ in 0..3_000 {
        let mut slot: Slot = std::array::from_fn(|_| next());
        // Half of them with the fields that get a slot past the first checks.
        if next() & 1 == 0 {
            let header = raw.header(
                Opcode(next() as u8 % 7),
                Kind(next() as u8 % 5),
                next() as u16 & 0x0fff,
            );
            header.write(&mut slot);
        }
        raw.put(slot);
        raw.ring();
        while raw.completion().is_some() {}
        raw.card.relax();
        if raw.ring_state(0) != RingState::RUNNING {
            raw.bring_up(&Settings { generation_seed: next() >> 1, ..Settings::default() });
        }
        let fetched = |raw: &RawCard<R::Card>| raw.card.read(register::RING_FETCHED.offset);
        raw.until("room in the ring", |raw| {
            while raw.completion().is_some() {}
            raw.tail().wrapping_sub(fetched(raw)) < SLOTS / 2
                || raw.ring_state(0) != RingState::RUNNING
        });
    }
    raw.recovers();
    Ok(())
}

/// Every register takes every value without harm: read-only ones keep theirs.
pub fn registers_take_any_value_without_harm<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let constant: Vec<u32> = (0..0x80).step_by(4).collect();
    let before: Vec<u32> = constant.iter().map(|offset| raw.card.read(*offset)).collect();
    // Leave out what would reset the card, which is a claim of its own, and the vectors, which belong
    // to the machine: where one stands between, they are not the card's at all.
    let vectors = register::MSIX_TABLE..register::MSIX_TABLE + 0x1000;
    let others = [register::RESET.offset, register::ENABLE.offset];
    for offset in (0..limit::BAR_BYTES).step_by(4) {
        if others.contains(&offset) || vectors.contains(&offset) {
            continue;
        }
        for value in [u32::MAX, 0xa5a5_5a5a, 0] {
            raw.card.write(offset, value);
        }
        raw.card.read(offset);
    }
    let after: Vec<u32> = constant.iter().map(|offset| raw.card.read(*offset)).collect();
    assert_eq!(after, before, "identity and capabilities are read-only");
    raw.recovers();
    Ok(())
}
