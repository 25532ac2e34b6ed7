//! What is read out of a function, on instructions written by hand.

use super::super::image::{Section, Use};
use super::*;

const BASE: u32 = 0x8000_0000;
const TABLE: u32 = 0x8001_0000;
const NOP: u32 = 0x0000_0013;
const RET: u32 = 0x0000_8067;
/// `lui t0, 0x80010`: the table's address.
const TABLE_TO_T0: u32 = 0x8001_02b7;

fn addi(rd: u32, rs1: u32, imm: i32) -> u32 {
    0x13 | rd << 7 | rs1 << 15 | (imm as u32) << 20
}

fn add(rd: u32, rs1: u32, rs2: u32) -> u32 {
    0x33 | rd << 7 | rs1 << 15 | rs2 << 20
}

fn sub(rd: u32, rs1: u32, rs2: u32) -> u32 {
    add(rd, rs1, rs2) | 0x4000_0000
}

/// `beq a0, a1` over so many bytes, less than 32 and forward.
fn beq(bytes: u32) -> u32 {
    0x00b5_0063 | (bytes >> 1 & 15) << 8
}

fn jal(rd: u32, bytes: i32) -> u32 {
    let bytes = bytes as u32;
    let (high, low) = (bytes >> 20 & 1, bytes >> 1 & 0x3ff);
    0x6f | rd << 7 | high << 31 | low << 21 | (bytes >> 11 & 1) << 20 | (bytes >> 12 & 0xff) << 12
}

fn read_with(words: &[u32], table: &[u32]) -> Function {
    let section = |name: &str, address, used_as, words: &[u32]| Section {
        name: name.into(),
        address,
        bytes: words.len() as u32 * 4,
        used_as,
        loaded: words.iter().flat_map(|word| word.to_le_bytes()).collect(),
    };
    let sections = vec![
        section(".text", BASE, Use::Code, words),
        section(".rodata", TABLE, Use::Constants, table),
    ];
    let end = BASE + words.len() as u32 * 4;
    let symbol = Symbol { name: "f".into(), address: BASE, end };
    Function::read(&Image { sections, ..Image::default() }, &symbol)
}

fn read(words: &[u32]) -> Function {
    read_with(words, &[])
}

fn flaws(words: &[u32]) -> Vec<(Flaw, u32)> {
    read(words).flaws.into_iter().map(|(flaw, at)| (flaw, at - BASE)).collect()
}

#[test]
fn a_frame_is_the_deepest_place_on_any_way() {
    let two_steps = [addi(2, 2, -32), addi(2, 2, -64), addi(2, 2, 96), RET];
    assert_eq!((read(&two_steps).frame, flaws(&two_steps)), (96, vec![]));
    // One way is deeper than the other; both come to an end.
    let two_ways =
        [beq(16), addi(2, 2, -160), addi(2, 2, 160), RET, addi(2, 2, -16), addi(2, 2, 16), RET];
    assert_eq!((read(&two_ways).frame, flaws(&two_ways)), (160, vec![]));
}

#[test]
fn a_frame_larger_than_an_immediate_is_read_through_a_register() {
    // lui t0, 1; addi t0, t0, 0x100; sub sp, sp, t0
    let words = [0x0000_12b7, addi(5, 5, 0x100), sub(2, 2, 5), add(2, 2, 5), RET];
    assert_eq!((read(&words).frame, flaws(&words)), (0x1100, vec![]));
}

#[test]
fn a_frame_that_is_aligned_counts_with_what_that_may_cost() {
    // s0 keeps where the frame began.
    let words =
        [addi(2, 2, -64), addi(8, 2, 64), 0xfe01_7113, addi(2, 8, -64), addi(2, 2, 64), RET];
    assert_eq!(read(&words).frame, 64 + 31);
    assert_eq!(flaws(&words), []);
}

#[test]
fn a_stack_pointer_that_cannot_be_told_is_told_once() {
    let words = [sub(2, 2, 10), addi(2, 2, -16), addi(2, 2, 16), RET];
    assert_eq!(flaws(&words), [(Flaw::Stack, 0)]);
    // A loop that pushes for ever.
    let words = [addi(2, 2, -16), addi(2, 2, -16), jal(0, -8)];
    assert_eq!(flaws(&words).len(), 1);
}

#[test]
fn who_loads_the_stack_pointer_begins_a_stack() {
    // auipc sp, 1; addi sp, sp, -512; addi sp, sp, -16 behind something else
    let words = [0x0000_1117, addi(2, 2, -512), NOP, addi(2, 2, -16), jal(0, 0)];
    assert_eq!((read(&words).frame, flaws(&words)), (16, vec![]));
}

#[test]
fn calls_are_found_with_the_stack_in_use() {
    // jal ra, +0x100; then auipc ra, 1; jalr ra, 8(ra); then a tail call behind the frame.
    let words =
        [addi(2, 2, -16), jal(1, 0x100), 0x0000_1097, 0x0080_80e7, addi(2, 2, 16), jal(0, 0x200)];
    let expected = [
        Call { to: BASE + 4 + 0x100, depth: 16 },
        Call { to: BASE + 20 + 0x200, depth: 0 },
        Call { to: BASE + 8 + 0x1000 + 8, depth: 16 },
    ];
    assert_eq!(read(&words).calls, expected);
    assert_eq!(flaws(&words), []);
}

#[test]
fn the_zero_register_stays_zero() {
    // jalr ra, 0x100(zero)
    let words = [addi(0, 0, 8), 0x1000_00e7, RET];
    assert_eq!(read(&words).calls, [Call { to: 0x100, depth: 0 }]);
}

#[test]
fn a_jump_through_a_table_inside_the_function_is_no_flaw() {
    // add t0, t0, a0; lw a1, 0(t0); jr a1
    let words = [
        TABLE_TO_T0,
        add(5, 5, 10),
        0x0002_a583,
        0x0005_8067,
        RET,
        addi(2, 2, -48),
        addi(2, 2, 48),
        RET,
    ];
    let table = [BASE + 16, BASE + 20, 7];
    let function = read_with(&words, &table);
    assert_eq!((function.frame, function.flaws), (48, vec![]));
    let elsewhere = read_with(&words, &[BASE + 0x1000]);
    assert_eq!(elsewhere.flaws, [(Flaw::Indirect, BASE + 12)]);
}

#[test]
fn a_call_of_what_cannot_be_told_is_a_flaw() {
    assert_eq!(flaws(&[0x0005_00e7, RET]), [(Flaw::Indirect, 0)]); // jalr ra, 0(a0)
    assert_eq!(flaws(&[0x0005_0067]), [(Flaw::Indirect, 0)]); // jr a0
}

#[test]
fn a_return_with_a_part_of_the_frame_is_a_flaw() {
    assert_eq!(flaws(&[addi(2, 2, -16), RET]), [(Flaw::Return, 4)]);
}

#[test]
fn words_that_are_not_the_cores_are_told_apart() {
    let amoadd = 0x00b5_252f;
    let fadd = 0x00b5_7553;
    let compressed_fld = 0x0001_2000; // c.fld, then c.nop
    assert_eq!(flaws(&[amoadd, RET]), [(Flaw::Atomic, 0)]);
    assert_eq!(flaws(&[fadd, RET]), [(Flaw::Float, 0)]);
    assert_eq!(flaws(&[RET, 0]), [(Flaw::Illegal, 4), (Flaw::Illegal, 6)]); // Not reached, and still there.
    assert_eq!(flaws(&[compressed_fld, RET]), [(Flaw::Float, 0)]);
}

#[test]
fn where_traps_go_is_read_where_it_is_set() {
    // csrw mtvec, t0
    let set = 0x3052_9073;
    assert_eq!(read(&[0x0000_0297, addi(5, 5, 0x101), set, RET]).traps_to, Some(BASE + 0x100));
    assert_eq!(flaws(&[set, RET]), [(Flaw::Trap, 0)]);
}

#[test]
fn what_is_not_reached_is_followed_too_and_changes_nothing() {
    // Entries of a vector table: only the first one is reached from the start.
    let words = [jal(0, 0x100), jal(0, 0x200), jal(0, 0x300)];
    let targets: Vec<_> = read(&words).calls.into_iter().map(|call| call.to - BASE).collect();
    assert_eq!(targets, [0x100, 0x204, 0x308]);
}
