//! Decoding against two other decoders: all 16-bit words, and random 32-bit ones.
//!
//! Where the peers are known to differ from the specification, they are not asked: reserved code
//! points that they accept (compressed shifts by 32 and more, `c.lui` of 0, `c.jr x0`, `c.lwsp`
//! to `x0`; `ckb-vm` also shifts by 32 in four bytes), and what they do not have (machine mode,
//! fences with reserved fields; `ckb-vm` has no Zicsr). What the specification says of those is
//! tried here against a list of its own. Hints need only have no effect, and be legal in both.

mod decoders;
mod seeds;

use rv32::{Extension, Instruction, Op, decode, extension};
use seeds::Random;

/// Random words a seed.
const WORDS: u32 = 100_000;

/// What the specification says of a compressed word, by its tables of code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Hint,
    Reserved,
    Float,
}

#[test]
fn every_compressed_word_decodes_as_in_both_peers() {
    let mut counts = [0; 4];
    for word in (0..=0xffff).filter(|word| word & 3 != 3) {
        let kind = kind(word);
        counts[kind as usize] += 1;
        let ours = decode(word);
        assert_eq!(ours.bytes, 2, "{word:#06x}");
        match kind {
            Kind::Plain => {
                assert_eq!(Some(ours), decoders::rvsim(word), "rvsim on {word:#06x}");
                assert_eq!(Some(ours), decoders::ckb_vm(word), "ckb-vm on {word:#06x}");
            }
            Kind::Hint => {
                assert!(has_no_effect(ours), "{word:#06x} is a hint: {ours:?}");
                assert!(decoders::rvsim(word).is_some_and(has_no_effect), "rvsim on {word:#06x}");
            }
            Kind::Reserved | Kind::Float => {
                assert_eq!(ours.op, Op::Illegal, "{word:#06x} is {kind:?}");
            }
        }
        let expected = match kind {
            Kind::Plain | Kind::Hint => Extension::Known,
            Kind::Reserved => Extension::Unknown,
            Kind::Float => Extension::Float,
        };
        assert_eq!(extension(word), expected, "{word:#06x}");
    }
    // 1.5 of 8 rows of the three quadrants are floating point, the rest as the tables have it.
    println!("plain, hint, reserved, float: {counts:?}");
    assert_eq!(counts.iter().sum::<u32>(), 3 << 14, "every word of three quadrants");
    assert_eq!(counts[Kind::Float as usize], 8 << 11, "eight rows are floating point");
}

#[test]
fn random_words_decode_as_in_both_peers() {
    let mut legal = 0_u64;
    seeds::for_each_seed("words and two decoders", 20, |random| {
        for _ in 0..WORDS {
            let word = full_word(random);
            let ours = decode(word);
            assert_eq!(ours.bytes, 4, "{word:#010x}");
            let ours = (ours.op != Op::Illegal).then_some(ours);
            legal += u64::from(ours.is_some());
            let is_atomic = word & 0x7f == 0x2f;
            assert_eq!(extension(word) == Extension::Atomic, is_atomic, "{word:#010x}");
            if !is_left_out_by_both(word) {
                assert_eq!(ours, decoders::rvsim(word), "rvsim on {word:#010x}");
                if !is_left_out_by_ckb_vm(word) {
                    assert_eq!(ours, decoders::ckb_vm(word), "ckb-vm on {word:#010x}");
                }
            }
        }
    });
    println!("{legal} of the words were legal");
    if seeds::is_whole_run() {
        assert!(legal > 500_000, "half of the opcodes are chosen among those there are");
    }
}

/// Volume I, "C": the notes at its listings name what is reserved and what is a hint.
fn kind(word: u32) -> Kind {
    let field = |from: u32, width: u32| word >> from & ((1 << width) - 1);
    let (row, rd, rs2) = (field(13, 3), field(7, 5), field(2, 5));
    let (twelve, amount) = (field(12, 1), field(2, 5));
    let is = |reserved: bool, hint: bool| match (reserved, hint) {
        (true, _) => Kind::Reserved,
        (_, true) => Kind::Hint,
        _ => Kind::Plain,
    };
    match (word & 3, row) {
        (0 | 2, 1 | 3 | 5 | 7) => Kind::Float,
        (0, 0) => is(field(5, 8) == 0, false),
        (0, 4) => Kind::Reserved,
        (1, 0) => is(false, (rd == 0) != (twelve == 0 && amount == 0)),
        (1, 2) => is(false, rd == 0),
        (1, 3) => is(twelve == 0 && amount == 0, rd == 0),
        (1, 4) if field(10, 2) < 2 => is(twelve == 1, amount == 0),
        (1, 4) if field(10, 2) == 3 => is(twelve == 1, false),
        (2, 0) => is(twelve == 1, rd == 0 || amount == 0),
        (2, 2) => is(rd == 0, false),
        (2, 4) if rs2 == 0 => is(twelve == 0 && rd == 0, false),
        (2, 4) => is(false, rd == 0),
        _ => Kind::Plain,
    }
}

/// Whether an instruction leaves the registers as they are, and all else too.
fn has_no_effect(instruction: Instruction) -> bool {
    let Instruction { op, rd, rs1, imm, .. } = instruction;
    match op {
        Op::Addi | Op::Slli | Op::Srli | Op::Srai => rd == 0 || (rd == rs1 && imm == 0),
        Op::Lui | Op::Add => rd == 0,
        _ => false,
    }
}

/// A word of four bytes: half of them with an opcode and a `funct7` that exist.
fn full_word(random: &mut Random) -> u32 {
    const OPCODES: [u32; 12] =
        [0x03, 0x0f, 0x13, 0x17, 0x23, 0x2f, 0x33, 0x37, 0x63, 0x67, 0x6f, 0x73];
    let word = random.word() | 3;
    let word = if random.within(0..2) == 0 { word } else { word & !0x7f | random.of(&OPCODES) };
    if random.within(0..2) == 0 {
        word
    } else {
        word & 0x01ff_ffff | random.of(&[0, 0x20, 1]) << 25
    }
}

/// Atomics, which `rvsim` has; fences with reserved fields and machine mode, which it has not.
fn is_left_out_by_both(word: u32) -> bool {
    let is_fence = word & 0x7f == 0x0f && word >> 12 & 7 < 2;
    let is_plain_fence = word & 0xf00f_ffff == 0x0f || word == 0x100f;
    word & 0x7f == 0x2f
        || (is_fence && !is_plain_fence)
        || [0x3020_0073, 0x1050_0073].contains(&word)
}

/// Zicsr, which `ckb-vm` has not, and shifts by 32 and more, which it masks.
fn is_left_out_by_ckb_vm(word: u32) -> bool {
    let is_shift = word & 0x7f == 0x13 && word >> 12 & 3 == 1;
    (word & 0x7f == 0x73 && word >> 12 & 7 != 0) || (is_shift && word >> 25 & 1 == 1)
}
