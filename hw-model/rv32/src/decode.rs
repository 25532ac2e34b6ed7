//! Instruction words to operations: RV32I, M, Zicsr, Zifencei and the machine's own.
//!
//! From the words of RAM, to the hart and to the audit of a firmware image. Total: every word
//! has an answer, and what the specification reserves is [`Op::Illegal`]. Compressed
//! instructions become the base operation they stand for, so nobody behind this file knows them.
//! Register fields an instruction does not have are 0 in the answer.
//! Spec: Volume I, chapters "RV32I", "Zifencei", "Zicsr", "M" and "RV32/64G Instruction Set
//! Listings"; Volume II, section 3.3 (machine-mode privileged instructions).

use crate::compressed;

/// What an instruction does. The immediate forms of CSR accesses have their number in `rs1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Op {
    /// Not an instruction of RV32IMC, Zicsr, Zifencei or machine mode.
    Illegal,
    /// `rd = imm`, the immediate already shifted.
    Lui,
    /// `rd = pc + imm`.
    Auipc,
    /// Jump to `pc + imm`, `rd` = the address behind.
    Jal,
    /// Jump to `rs1 + imm` with bit 0 cleared, `rd` = the address behind.
    Jalr,
    /// Branch if equal.
    Beq,
    /// Branch if not equal.
    Bne,
    /// Branch if less, signed.
    Blt,
    /// Branch if not less, signed.
    Bge,
    /// Branch if less, unsigned.
    Bltu,
    /// Branch if not less, unsigned.
    Bgeu,
    /// Load a byte, sign-extended.
    Lb,
    /// Load a halfword, sign-extended.
    Lh,
    /// Load a word.
    Lw,
    /// Load a byte, zero-extended.
    Lbu,
    /// Load a halfword, zero-extended.
    Lhu,
    /// Store a byte.
    Sb,
    /// Store a halfword.
    Sh,
    /// Store a word.
    Sw,
    /// `rd = rs1 + imm`.
    Addi,
    /// `rd = rs1 < imm`, signed.
    Slti,
    /// `rd = rs1 < imm`, unsigned after sign extension.
    Sltiu,
    /// `rd = rs1 ^ imm`.
    Xori,
    /// `rd = rs1 | imm`.
    Ori,
    /// `rd = rs1 & imm`.
    Andi,
    /// `rd = rs1 << imm`.
    Slli,
    /// `rd = rs1 >> imm`, zeros in.
    Srli,
    /// `rd = rs1 >> imm`, the sign in.
    Srai,
    /// `rd = rs1 + rs2`.
    Add,
    /// `rd = rs1 - rs2`.
    Sub,
    /// `rd = rs1 << rs2`.
    Sll,
    /// `rd = rs1 < rs2`, signed.
    Slt,
    /// `rd = rs1 < rs2`, unsigned.
    Sltu,
    /// `rd = rs1 ^ rs2`.
    Xor,
    /// `rd = rs1 >> rs2`, zeros in.
    Srl,
    /// `rd = rs1 >> rs2`, the sign in.
    Sra,
    /// `rd = rs1 | rs2`.
    Or,
    /// `rd = rs1 & rs2`.
    And,
    /// The low word of a product.
    Mul,
    /// The high word of a product, signed by signed.
    Mulh,
    /// The high word of a product, signed by unsigned.
    Mulhsu,
    /// The high word of a product, unsigned by unsigned.
    Mulhu,
    /// Quotient, signed.
    Div,
    /// Quotient, unsigned.
    Divu,
    /// Remainder, signed.
    Rem,
    /// Remainder, unsigned.
    Remu,
    /// Orders memory accesses; also `pause` and every reserved form of it.
    Fence,
    /// Orders instruction fetches behind stores.
    FenceI,
    /// Environment call.
    Ecall,
    /// Breakpoint.
    Ebreak,
    /// Return from a machine-mode trap.
    Mret,
    /// Wait for an interrupt.
    Wfi,
    /// Exchange CSR `imm` with `rs1`.
    Csrrw,
    /// Read CSR `imm`, set the bits of `rs1`.
    Csrrs,
    /// Read CSR `imm`, clear the bits of `rs1`.
    Csrrc,
    /// [`Op::Csrrw`] with the number in `rs1`.
    Csrrwi,
    /// [`Op::Csrrs`] with the number in `rs1`.
    Csrrsi,
    /// [`Op::Csrrc`] with the number in `rs1`.
    Csrrci,
}

/// One instruction, decoded. Fields it does not have are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// What it does.
    pub op: Op,
    /// The register it writes; 0 if none.
    pub rd: u8,
    /// Its first source register, or the number of an immediate CSR access.
    pub rs1: u8,
    /// Its second source register.
    pub rs2: u8,
    /// Its immediate, sign-extended and scaled; a shift amount; or a CSR address.
    pub imm: i32,
    /// How long it is: 2 or 4, also when it is illegal.
    pub bytes: u8,
}

impl Instruction {
    /// Not an instruction, `bytes` long.
    pub(crate) const fn illegal(bytes: u8) -> Self {
        Self { op: Op::Illegal, rd: 0, rs1: 0, rs2: 0, imm: 0, bytes }
    }
}

/// Whose an instruction word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extension {
    /// RV32IMC, Zicsr, Zifencei and machine mode: [`decode`] knows it.
    Known,
    /// The AMO opcode: `lr`, `sc` and the read-modify-writes (Volume I, "A").
    Atomic,
    /// Floating point, compressed forms included (Volume I, "F", "D" and "C").
    Float,
    /// None of these: reserved, custom, longer than 32 bits, or another extension.
    Unknown,
}

/// Decodes the instruction in `word`. If its two lowest bits are not both set, it is a
/// compressed one and the upper half is not looked at.
#[must_use]
pub fn decode(word: u32) -> Instruction {
    if word & 3 == 3 { full(word) } else { compressed::expand(word as u16) }
}

/// Says whose the instruction in `word` is; the upper half of a compressed one is ignored.
#[must_use]
pub fn extension(word: u32) -> Extension {
    if decode(word).op != Op::Illegal {
        return Extension::Known;
    }
    if word & 3 != 3 {
        return if compressed::is_float(word as u16) {
            Extension::Float
        } else {
            Extension::Unknown
        };
    }
    match word & 0x7f {
        AMO => Extension::Atomic,
        // Vector loads and stores share these two opcodes; their widths are not those of floats.
        LOAD_FP | STORE_FP if matches!(funct3(word), 1..=4) => Extension::Float,
        MADD | MSUB | NMSUB | NMADD | OP_FP => Extension::Float,
        _ => Extension::Unknown,
    }
}

// Major opcodes: Volume I, "RV32/64G Instruction Set Listings", the base opcode map.
const LOAD: u32 = 0x03;
const LOAD_FP: u32 = 0x07;
const MISC_MEM: u32 = 0x0f;
const OP_IMM: u32 = 0x13;
const AUIPC: u32 = 0x17;
const STORE: u32 = 0x23;
const STORE_FP: u32 = 0x27;
const AMO: u32 = 0x2f;
const OP: u32 = 0x33;
const LUI: u32 = 0x37;
const MADD: u32 = 0x43;
const MSUB: u32 = 0x47;
const NMSUB: u32 = 0x4b;
const NMADD: u32 = 0x4f;
const OP_FP: u32 = 0x53;
const BRANCH: u32 = 0x63;
const JALR: u32 = 0x67;
const JAL: u32 = 0x6f;
const SYSTEM: u32 = 0x73;

/// An instruction of four bytes.
fn full(word: u32) -> Instruction {
    match word & 0x7f {
        LUI => upper(Op::Lui, word),
        AUIPC => upper(Op::Auipc, word),
        JAL => Instruction { op: Op::Jal, rd: rd(word), imm: j_immediate(word), ..NONE },
        JALR if funct3(word) == 0 => immediate(Op::Jalr, word, i_immediate(word)),
        BRANCH => branch(word),
        LOAD => load(word),
        STORE => store(word),
        OP_IMM => arithmetic_immediate(word),
        OP => arithmetic(word),
        // "Memory Ordering Instructions" and "Zifencei": the other fields are for finer fences to come, and a
        // machine that does not know those ignores them.
        MISC_MEM if funct3(word) == 0 => Instruction { op: Op::Fence, ..NONE },
        MISC_MEM if funct3(word) == 1 => Instruction { op: Op::FenceI, ..NONE },
        SYSTEM => system(word),
        _ => NONE,
    }
}

fn upper(op: Op, word: u32) -> Instruction {
    Instruction { op, rd: rd(word), imm: (word & 0xffff_f000) as i32, ..NONE }
}

fn branch(word: u32) -> Instruction {
    let op = match funct3(word) {
        0 => Op::Beq,
        1 => Op::Bne,
        4 => Op::Blt,
        5 => Op::Bge,
        6 => Op::Bltu,
        7 => Op::Bgeu,
        _ => return NONE,
    };
    Instruction { op, rs1: rs1(word), rs2: rs2(word), imm: b_immediate(word), ..NONE }
}

fn load(word: u32) -> Instruction {
    let op = match funct3(word) {
        0 => Op::Lb,
        1 => Op::Lh,
        2 => Op::Lw,
        4 => Op::Lbu,
        5 => Op::Lhu,
        _ => return NONE,
    };
    immediate(op, word, i_immediate(word))
}

fn store(word: u32) -> Instruction {
    let op = match funct3(word) {
        0 => Op::Sb,
        1 => Op::Sh,
        2 => Op::Sw,
        _ => return NONE,
    };
    Instruction { op, rs1: rs1(word), rs2: rs2(word), imm: s_immediate(word), ..NONE }
}

fn arithmetic_immediate(word: u32) -> Instruction {
    let shift = i32::from(rs2(word));
    // A shift amount has five bits on RV32: with bit 25 set, funct7 matches nothing.
    let (op, imm) = match (funct3(word), funct7(word)) {
        (0, _) => (Op::Addi, i_immediate(word)),
        (1, 0) => (Op::Slli, shift),
        (2, _) => (Op::Slti, i_immediate(word)),
        (3, _) => (Op::Sltiu, i_immediate(word)),
        (4, _) => (Op::Xori, i_immediate(word)),
        (5, 0) => (Op::Srli, shift),
        (5, 0x20) => (Op::Srai, shift),
        (6, _) => (Op::Ori, i_immediate(word)),
        (7, _) => (Op::Andi, i_immediate(word)),
        _ => return NONE,
    };
    immediate(op, word, imm)
}

fn arithmetic(word: u32) -> Instruction {
    let op = match (funct7(word), funct3(word)) {
        (0, 0) => Op::Add,
        (0, 1) => Op::Sll,
        (0, 2) => Op::Slt,
        (0, 3) => Op::Sltu,
        (0, 4) => Op::Xor,
        (0, 5) => Op::Srl,
        (0, 6) => Op::Or,
        (0, 7) => Op::And,
        (0x20, 0) => Op::Sub,
        (0x20, 5) => Op::Sra,
        (1, 0) => Op::Mul,
        (1, 1) => Op::Mulh,
        (1, 2) => Op::Mulhsu,
        (1, 3) => Op::Mulhu,
        (1, 4) => Op::Div,
        (1, 5) => Op::Divu,
        (1, 6) => Op::Rem,
        (1, 7) => Op::Remu,
        _ => return NONE,
    };
    Instruction { op, rd: rd(word), rs1: rs1(word), rs2: rs2(word), ..NONE }
}

fn system(word: u32) -> Instruction {
    let op = match funct3(word) {
        // These have no registers: `rd` and `rs1` must be 0, so the whole word is compared.
        0 => match word {
            0x0000_0073 => Op::Ecall,
            0x0010_0073 => Op::Ebreak,
            0x3020_0073 => Op::Mret,
            0x1050_0073 => Op::Wfi,
            _ => return NONE,
        },
        1 => Op::Csrrw,
        2 => Op::Csrrs,
        3 => Op::Csrrc,
        5 => Op::Csrrwi,
        6 => Op::Csrrsi,
        7 => Op::Csrrci,
        _ => return NONE,
    };
    if funct3(word) == 0 {
        return Instruction { op, ..NONE };
    }
    immediate(op, word, (word >> 20) as i32)
}

/// What an instruction of four bytes is until it is known.
const NONE: Instruction = Instruction::illegal(4);

fn immediate(op: Op, word: u32, imm: i32) -> Instruction {
    Instruction { op, rd: rd(word), rs1: rs1(word), imm, ..NONE }
}

fn rd(word: u32) -> u8 {
    (word >> 7 & 31) as u8
}

fn rs1(word: u32) -> u8 {
    (word >> 15 & 31) as u8
}

fn rs2(word: u32) -> u8 {
    (word >> 20 & 31) as u8
}

fn funct3(word: u32) -> u32 {
    word >> 12 & 7
}

fn funct7(word: u32) -> u32 {
    word >> 25
}

// Immediates: Volume I, "Immediate Encoding Variants". An arithmetic shift of the whole word brings the sign.

fn i_immediate(word: u32) -> i32 {
    word as i32 >> 20
}

fn s_immediate(word: u32) -> i32 {
    (word as i32 >> 25 << 5) | (word >> 7 & 0x1f) as i32
}

fn b_immediate(word: u32) -> i32 {
    (word as i32 >> 31 << 12)
        | ((word >> 7 & 1) << 11 | (word >> 25 & 0x3f) << 5 | (word >> 8 & 0xf) << 1) as i32
}

fn j_immediate(word: u32) -> i32 {
    (word as i32 >> 31 << 20)
        | (word & 0x000f_f000 | (word >> 20 & 1) << 11 | (word >> 21 & 0x3ff) << 1) as i32
}
