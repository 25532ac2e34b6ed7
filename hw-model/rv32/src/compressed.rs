//! Compressed instructions to the base instructions they stand for.
//!
//! Called by `decode` alone. Hints come out as operations that change nothing, because their
//! destination is `x0` or their operand 0; code points that are reserved, or that RV32 leaves
//! to custom extensions, come out illegal.
//! Spec: Volume I, chapter "C", with its instruction listings for quadrants 0 to 2.

use crate::decode::{Instruction, Op};

/// The base instruction that `half` stands for.
pub(crate) fn expand(half: u16) -> Instruction {
    let bits = u32::from(half);
    match half & 3 {
        0 => quadrant_0(bits),
        1 => quadrant_1(bits),
        _ => quadrant_2(bits),
    }
}

/// Whether `half` is a load or store of a floating-point register: `c.fld`, `c.flw`, `c.fsd`,
/// `c.fsw` and their forms relative to the stack pointer.
pub(crate) fn is_float(half: u16) -> bool {
    matches!(half & 3, 0 | 2) && half >> 13 & 1 == 1
}

/// The stack pointer.
const SP: u8 = 2;
/// The register that `c.jal` and `c.jalr` link to.
const RA: u8 = 1;
/// What an instruction of two bytes is until it is known.
const NONE: Instruction = Instruction::illegal(2);

fn quadrant_0(bits: u32) -> Instruction {
    let (near, far) = (short(bits, 2), short(bits, 7));
    match bits >> 13 {
        // c.addi4spn: an immediate of 0 is reserved, and the all-zero halfword is one of those.
        0 => match stack_offset(bits) {
            0 => NONE,
            imm => operate_immediate(Op::Addi, near, SP, imm),
        },
        2 => operate_immediate(Op::Lw, near, far, word_offset(bits)),
        6 => store(far, near, word_offset(bits)),
        _ => NONE,
    }
}

fn quadrant_1(bits: u32) -> Instruction {
    let rd = register(bits, 7);
    match bits >> 13 {
        0 => operate_immediate(Op::Addi, rd, rd, six(bits)),
        1 => jump(RA, bits),
        2 => operate_immediate(Op::Addi, rd, 0, six(bits)),
        3 => upper(rd, bits),
        4 => arithmetic(bits),
        5 => jump(0, bits),
        6 => branch(Op::Beq, bits),
        _ => branch(Op::Bne, bits),
    }
}

fn quadrant_2(bits: u32) -> Instruction {
    let (rd, rs2) = (register(bits, 7), register(bits, 2));
    match bits >> 13 {
        // c.slli: shift amounts from 32 up are for custom extensions on RV32.
        0 if six(bits) >= 0 => operate_immediate(Op::Slli, rd, rd, six(bits)),
        // c.lwsp to x0 is reserved.
        2 if rd != 0 => operate_immediate(Op::Lw, rd, SP, stack_load_offset(bits)),
        4 => match (bit(bits, 12), rd, rs2) {
            // c.jr of x0 is reserved.
            (0, 0, 0) => NONE,
            (0, _, 0) => operate_immediate(Op::Jalr, 0, rd, 0),
            (0, _, _) => operate(Op::Add, rd, 0, rs2),
            (_, 0, 0) => Instruction { op: Op::Ebreak, ..NONE },
            (_, _, 0) => operate_immediate(Op::Jalr, RA, rd, 0),
            _ => operate(Op::Add, rd, rd, rs2),
        },
        6 => store(SP, rs2, stack_store_offset(bits)),
        _ => NONE,
    }
}

/// `c.lui`, and `c.addi16sp` where its destination would be the stack pointer. An immediate of
/// 0 is reserved in both, whatever the register.
fn upper(rd: u8, bits: u32) -> Instruction {
    if six(bits) == 0 {
        NONE
    } else if rd == SP {
        operate_immediate(Op::Addi, SP, SP, stack_step(bits))
    } else {
        Instruction { op: Op::Lui, rd, imm: six(bits) << 12, ..NONE }
    }
}

/// The instructions on two of the eight short registers. The four with bit 12 set beside
/// `c.sub` and its like are RV64's or reserved.
fn arithmetic(bits: u32) -> Instruction {
    let (rd, rs2) = (short(bits, 7), short(bits, 2));
    let (kind, twelve) = (bits >> 10 & 3, bit(bits, 12));
    let op = match (kind, twelve, bits >> 5 & 3) {
        // Shift amounts from 32 up are for custom extensions on RV32.
        (0, 0, _) => return operate_immediate(Op::Srli, rd, rd, six(bits)),
        (1, 0, _) => return operate_immediate(Op::Srai, rd, rd, six(bits)),
        (2, _, _) => return operate_immediate(Op::Andi, rd, rd, six(bits)),
        (3, 0, 0) => Op::Sub,
        (3, 0, 1) => Op::Xor,
        (3, 0, 2) => Op::Or,
        (3, 0, 3) => Op::And,
        _ => return NONE,
    };
    operate(op, rd, rd, rs2)
}

fn jump(rd: u8, bits: u32) -> Instruction {
    let imm = put(bits, 3, 3, 1)
        | put(bits, 11, 1, 4)
        | put(bits, 2, 1, 5)
        | put(bits, 7, 1, 6)
        | put(bits, 6, 1, 7)
        | put(bits, 9, 2, 8)
        | put(bits, 8, 1, 10)
        | sign(bits, 11);
    Instruction { op: Op::Jal, rd, imm, ..NONE }
}

fn branch(op: Op, bits: u32) -> Instruction {
    let imm = put(bits, 3, 2, 1)
        | put(bits, 10, 2, 3)
        | put(bits, 2, 1, 5)
        | put(bits, 5, 2, 6)
        | sign(bits, 8);
    Instruction { op, rs1: short(bits, 7), imm, ..NONE }
}

fn store(rs1: u8, rs2: u8, imm: i32) -> Instruction {
    Instruction { op: Op::Sw, rs1, rs2, imm, ..NONE }
}

fn operate_immediate(op: Op, rd: u8, rs1: u8, imm: i32) -> Instruction {
    Instruction { op, rd, rs1, imm, ..NONE }
}

fn operate(op: Op, rd: u8, rs1: u8, rs2: u8) -> Instruction {
    Instruction { op, rd, rs1, rs2, ..NONE }
}

/// The six-bit immediate of bits 12 and 6 to 2, sign-extended.
fn six(bits: u32) -> i32 {
    put(bits, 2, 5, 0) | sign(bits, 5)
}

/// The offset of `c.lw` and `c.sw`.
fn word_offset(bits: u32) -> i32 {
    put(bits, 6, 1, 2) | put(bits, 10, 3, 3) | put(bits, 5, 1, 6)
}

/// The offset of `c.addi4spn`.
fn stack_offset(bits: u32) -> i32 {
    put(bits, 6, 1, 2) | put(bits, 5, 1, 3) | put(bits, 11, 2, 4) | put(bits, 7, 4, 6)
}

/// The offset of `c.addi16sp`.
fn stack_step(bits: u32) -> i32 {
    put(bits, 6, 1, 4)
        | put(bits, 2, 1, 5)
        | put(bits, 5, 1, 6)
        | put(bits, 3, 2, 7)
        | sign(bits, 9)
}

/// The offset of `c.lwsp`.
fn stack_load_offset(bits: u32) -> i32 {
    put(bits, 4, 3, 2) | put(bits, 12, 1, 5) | put(bits, 2, 2, 6)
}

/// The offset of `c.swsp`.
fn stack_store_offset(bits: u32) -> i32 {
    put(bits, 9, 4, 2) | put(bits, 7, 2, 6)
}

/// `width` bits of an encoding from bit `from` up, put at bit `to` of an immediate.
fn put(bits: u32, from: u32, width: u32, to: u32) -> i32 {
    ((bits >> from & ((1 << width) - 1)) << to) as i32
}

/// Bit 12, the sign, put at bit `to` of an immediate and all above.
fn sign(bits: u32, to: u32) -> i32 {
    -put(bits, 12, 1, to)
}

fn bit(bits: u32, at: u32) -> u32 {
    bits >> at & 1
}

/// A full register number at bit `at`.
fn register(bits: u32, at: u32) -> u8 {
    (bits >> at & 31) as u8
}

/// One of the eight short registers, `x8` to `x15`, at bit `at`.
fn short(bits: u32, at: u32) -> u8 {
    (bits >> at & 7) as u8 + 8
}
