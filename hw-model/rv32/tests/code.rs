//! Code that changes: whatever is written over an instruction is what runs next.

mod rig;

use rig::{BASE, Board, hart};
use rv32::{Hart, Stop};

const ENOUGH: u64 = 10_000;
/// Places for the code that changes: within a word and across two, within a line of 64 bytes and
/// across two, and as the last of a line.
const PLACES: [u32; 5] = [0x140, 0x142, 0x13e, 0x13c, 0x15e];

#[test]
fn a_store_over_an_instruction_is_seen_at_once() {
    // Each changes `addi a0, a0, 1` in another way.
    let cases = [
        // Text, store, offset from the instruction, value, a0 behind the new one.
        ("second half", 0x00c5_9023, 2, 0x0055_0513 >> 16, 5),
        ("first half", 0x00c5_9023, 0, 0x051d, 7),
        ("last byte", 0x00c5_8023, 3, 0x01, 17),
        ("third byte", 0x00c5_8023, 2, 0x25, 2),
        ("second byte, to a6 instead", 0x00c5_8023, 1, 0x08, 0),
    ];
    for place in PLACES {
        for (text, store, offset, value, expected) in cases {
            // Calls the code, changes it, calls it again.
            let mut hart = hart(&[
                0x0006_8467, // jalr s0, 0(a3)
                store,
                0x4501,      // c.li a0, 0
                0x0006_8467, // jalr s0, 0(a3)
            ]);
            prepare(&mut hart, place, &[0x0015_0513, 0x0004_0067]);
            hart.set_register(11, BASE + place + offset);
            hart.set_register(12, value);
            assert_eq!(
                hart.run(&mut Board::default(), ENOUGH),
                Stop::Waiting,
                "{text}, {place:#x}"
            );
            assert_eq!(hart.register(10), expected, "{text} at {place:#x}");
        }
    }
}

#[test]
fn a_word_store_changes_every_instruction_it_touches() {
    // The word at 0x140 is: the end of the first addition, the second one, the begin of the third.
    let code = [0x0015_0513, 0x0509, 0x0045_0513, 0x0004_0067];
    for (place, value, expected) in [
        // Behind it: 16 for the first, 2 still for the second one.
        (0x13e, 0x0105_0513 >> 16 | 0x0509 << 16, 22),
        // Behind it: 1, 8 for the second one, and 4.
        (0x13e, 0x0015_0513 >> 16 | 0x0521 << 16, 13),
        // Behind it: 1, 8, and the third now adds to a6, which is not a0.
        (0x13c, 0x0521 | (0x0045_0813 & 0xffff) << 16, 9),
    ] {
        let mut hart = hart(&[
            0x0006_8467, // jalr s0, 0(a3)
            0x00c5_a023, // sw a2, 0(a1)
            0x4501,      // c.li a0, 0
            0x0006_8467, // jalr s0, 0(a3)
        ]);
        prepare(&mut hart, place, &code);
        hart.set_register(11, BASE + 0x140);
        hart.set_register(12, value);
        assert_eq!(hart.run(&mut Board::default(), ENOUGH), Stop::Waiting);
        assert_eq!(hart.register(10), expected, "{place:#x}: {value:#x}");
    }
}

#[test]
fn the_half_of_an_instruction_in_a_line_of_its_own_counts() {
    // Nothing else is ever decoded in the line of the second half. Changed, it returns 4 further.
    let mut hart = hart(&[
        0x0006_8467, // jalr s0, 0(a3)
        0x00c6_9123, // sh a2, 2(a3)
        0x0006_8467, // jalr s0, 0(a3)
        0x0015_0513, // addi a0, a0, 1
    ]);
    prepare(&mut hart, 0x13e, &[0x0004_0067]);
    hart.set_register(12, 0x0044_0067 >> 16);
    assert_eq!(hart.run(&mut Board::default(), ENOUGH), Stop::Waiting);
    assert_eq!(hart.register(10), 0, "the addition is passed over");
}

#[test]
fn the_backdoor_changes_code_too() {
    for is_poked in [true, false] {
        let mut hart = hart(&[0x0006_8467]);
        prepare(&mut hart, 0x140, &[0x0015_0513, 0x0004_0067]);
        assert_eq!(hart.run(&mut Board::default(), ENOUGH), Stop::Waiting);
        let new: u32 = 0x0095_0513;
        if is_poked {
            hart.poke(BASE + 0x140, new).expect("inside RAM");
        } else {
            hart.load_segment(BASE + 0x140, &new.to_le_bytes()).expect("inside RAM");
        }
        hart.reset(BASE);
        hart.set_register(13, BASE + 0x140);
        assert_eq!(hart.run(&mut Board::default(), ENOUGH), Stop::Waiting);
        assert_eq!(hart.register(10), 9);
    }
}

/// Puts `code` at `place`, whose address a3 gets.
fn prepare(hart: &mut Hart, place: u32, code: &[u32]) {
    let mut at = BASE + place;
    for word in code {
        let bytes = if word & 3 == 3 { 4 } else { 2 };
        hart.load_segment(at, &word.to_le_bytes()[..bytes]).expect("inside RAM");
        at += bytes as u32;
    }
    hart.set_register(13, BASE + place);
}
