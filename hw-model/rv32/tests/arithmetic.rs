//! The corners of arithmetic by hand: what the specification's tables and words say.

mod rig;

use rig::{BASE, Board, hart};
use rv32::Stop;

const MIN: u32 = 1 << 31;
const MAX: u32 = MIN - 1;
/// -1, and the largest without a sign.
const ONES: u32 = u32::MAX;

#[test]
fn results_at_the_corners_are_the_specifications() {
    let cases = [
        // Word, a1, a2, a0.
        (0x02c5_c533, MIN, ONES, MIN),
        (0x02c5_e533, MIN, ONES, 0),
        (0x02c5_c533, 7, 0, ONES),
        (0x02c5_d533, 7, 0, ONES),
        (0x02c5_e533, 7, 0, 7),
        (0x02c5_f533, 7, 0, 7),
        (0x02c5_c533, ONES - 6, 2, ONES - 2),
        (0x02c5_e533, ONES - 6, 2, ONES),
        (0x02c5_e533, 7, ONES - 1, 1),
        (0x02c5_d533, MIN, ONES, 0),
        (0x02c5_f533, MIN, ONES, MIN),
        (0x02c5_8533, MIN, ONES, MIN),
        (0x02c5_9533, MIN, MIN, 1 << 30),
        (0x02c5_9533, ONES, ONES, 0),
        (0x02c5_a533, ONES, ONES, ONES),
        (0x02c5_a533, MIN, ONES, MIN),
        (0x02c5_b533, ONES, ONES, ONES - 1),
        (0x02c5_b533, MIN, MIN, 1 << 30),
        (0x00c5_9533, 3, 33, 6),
        (0x00c5_d533, MIN, ONES, 1),
        (0x40c5_d533, MIN, 63, ONES),
        (0x41f5_d513, MIN, 0, ONES),
        (0x01f5_d513, MIN, 0, 1),
        (0x01f5_9513, ONES, 0, MIN),
        (0x00c5_a533, MIN, MAX, 1),
        (0x00c5_b533, MIN, MAX, 0),
        (0xfff5_a513, MIN, 0, 1),
        (0xfff5_b513, MAX, 0, 1),
        (0x40c5_8533, MIN, 1, MAX),
        (0xfff5_8513, MIN, 0, MAX),
        (0xfff5_c513, 0xff, 0, 0xffff_ff00),
        (0xffff_f537, 0, 0, 0xffff_f000),
        (0x8000_0517, 0, 0, BASE.wrapping_add(MIN)),
    ];
    for (word, a, b, expected) in cases {
        let mut hart = hart(&[word]);
        hart.set_register(11, a);
        hart.set_register(12, b);
        assert_eq!(hart.run(&mut Board::default(), 1_000), Stop::Waiting);
        assert_eq!(hart.register(10), expected, "{word:#010x} of {a:#x}, {b:#x}");
    }
}

#[test]
fn x0_stays_zero_whatever_is_written_to_it() {
    let words = [
        0x0055_8013, // addi zero, a1, 5
        0x1234_5037, // lui zero, 0x12345
        0x0040_006f, // jal zero, 4
        0x02b5_8033, // mul zero, a1, a1
        0x0006_2003, // lw zero, 0(a2)
        0xb000_2073, // csrrs zero, mcycle, zero
        0x0000_0533, // add a0, zero, zero
    ];
    let mut hart = hart(&words);
    hart.set_register(0, 9);
    hart.set_register(10, 9);
    hart.set_register(11, 3);
    hart.set_register(12, BASE);
    assert_eq!(hart.run(&mut Board::default(), 1_000), Stop::Waiting);
    assert_eq!((hart.register(0), hart.register(10)), (0, 0));
}
