//! Instructions to words, the other way round than the decoder and written apart from it.
//!
//! Registers are numbers; the short ones of compressed instructions are given as 8 to 15.
//! Offsets are bytes, and what an encoding cannot hold is cut off: the caller keeps to its range.

/// `funct7`, `funct3`.
pub(crate) const REGISTERS: [(u32, u32); 18] = [
    (0, 0),
    (0, 1),
    (0, 2),
    (0, 3),
    (0, 4),
    (0, 5),
    (0, 6),
    (0, 7),
    (0x20, 0),
    (0x20, 5),
    (1, 0),
    (1, 1),
    (1, 2),
    (1, 3),
    (1, 4),
    (1, 5),
    (1, 6),
    (1, 7),
];
pub(crate) const OP_IMM: u32 = 0x13;
pub(crate) const LOAD: u32 = 0x03;
pub(crate) const JALR: u32 = 0x67;
pub(crate) const LUI: u32 = 0x37;
pub(crate) const AUIPC: u32 = 0x17;

pub(crate) fn registers(which: (u32, u32), rd: u32, rs1: u32, rs2: u32) -> u32 {
    which.0 << 25 | rs2 << 20 | rs1 << 15 | which.1 << 12 | rd << 7 | 0x33
}

pub(crate) fn immediate(opcode: u32, funct3: u32, rd: u32, rs1: u32, imm: u32) -> u32 {
    imm << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
}

pub(crate) fn upper(opcode: u32, rd: u32, imm: u32) -> u32 {
    imm & 0xffff_f000 | rd << 7 | opcode
}

pub(crate) fn store(funct3: u32, rs1: u32, rs2: u32, imm: u32) -> u32 {
    part(imm, 11, 5) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | part(imm, 4, 0) << 7 | 0x23
}

pub(crate) fn branch(funct3: u32, rs1: u32, rs2: u32, imm: u32) -> u32 {
    part(imm, 12, 12) << 31
        | part(imm, 10, 5) << 25
        | rs2 << 20
        | rs1 << 15
        | funct3 << 12
        | part(imm, 4, 1) << 8
        | part(imm, 11, 11) << 7
        | 0x63
}

pub(crate) fn jal(rd: u32, imm: u32) -> u32 {
    part(imm, 20, 20) << 31
        | part(imm, 10, 1) << 21
        | part(imm, 11, 11) << 20
        | part(imm, 19, 12) << 12
        | rd << 7
        | 0x6f
}

/// `c.addi`, `c.li`, `c.lui`, `c.slli`: a row of a quadrant with a full register and six bits.
pub(crate) fn c_six(quadrant: u32, row: u32, rd: u32, six: u32) -> u32 {
    row << 13 | part(six, 5, 5) << 12 | rd << 7 | part(six, 4, 0) << 2 | quadrant
}

/// `c.srli`, `c.srai`, `c.andi`.
pub(crate) fn c_short_six(kind: u32, rd: u32, six: u32) -> u32 {
    c_six(1, 4, (kind << 3) | (rd - 8), six)
}

/// `c.sub`, `c.xor`, `c.or`, `c.and`.
pub(crate) fn c_short_registers(kind: u32, rd: u32, rs2: u32) -> u32 {
    0x8c01 | (rd - 8) << 7 | kind << 5 | (rs2 - 8) << 2
}

/// `c.mv` and `c.jr` with bit 12 clear, `c.add` and `c.jalr` with it set.
pub(crate) fn c_registers(twelve: u32, rd: u32, rs2: u32) -> u32 {
    0x8002 | twelve << 12 | rd << 7 | rs2 << 2
}

pub(crate) fn c_addi4spn(rd: u32, imm: u32) -> u32 {
    part(imm, 5, 4) << 11
        | part(imm, 9, 6) << 7
        | part(imm, 2, 2) << 6
        | part(imm, 3, 3) << 5
        | (rd - 8) << 2
}

pub(crate) fn c_addi16sp(imm: u32) -> u32 {
    0x6101
        | part(imm, 9, 9) << 12
        | part(imm, 4, 4) << 6
        | part(imm, 6, 6) << 5
        | part(imm, 8, 7) << 3
        | part(imm, 5, 5) << 2
}

/// `c.lw` in row 2, `c.sw` in row 6.
pub(crate) fn c_word(row: u32, register: u32, base: u32, imm: u32) -> u32 {
    row << 13
        | part(imm, 5, 3) << 10
        | (base - 8) << 7
        | part(imm, 2, 2) << 6
        | part(imm, 6, 6) << 5
        | (register - 8) << 2
}

pub(crate) fn c_lwsp(rd: u32, imm: u32) -> u32 {
    0x4002 | part(imm, 5, 5) << 12 | rd << 7 | part(imm, 4, 2) << 4 | part(imm, 7, 6) << 2
}

pub(crate) fn c_swsp(rs2: u32, imm: u32) -> u32 {
    0xc002 | part(imm, 5, 2) << 9 | part(imm, 7, 6) << 7 | rs2 << 2
}

/// `c.jal` in row 1, `c.j` in row 5.
pub(crate) fn c_jump(row: u32, imm: u32) -> u32 {
    row << 13
        | part(imm, 11, 11) << 12
        | part(imm, 4, 4) << 11
        | part(imm, 9, 8) << 9
        | part(imm, 10, 10) << 8
        | part(imm, 6, 6) << 7
        | part(imm, 7, 7) << 6
        | part(imm, 3, 1) << 3
        | part(imm, 5, 5) << 2
        | 1
}

/// `c.beqz` in row 6, `c.bnez` in row 7.
pub(crate) fn c_branch(row: u32, rs1: u32, imm: u32) -> u32 {
    row << 13
        | part(imm, 8, 8) << 12
        | part(imm, 4, 3) << 10
        | (rs1 - 8) << 7
        | part(imm, 7, 6) << 5
        | part(imm, 2, 1) << 3
        | part(imm, 5, 5) << 2
        | 1
}

/// Bits `high` to `low` of an immediate, as the manual writes `imm[high:low]`.
fn part(imm: u32, high: u32, low: u32) -> u32 {
    imm >> low & (u32::MAX >> (31 - (high - low)))
}
