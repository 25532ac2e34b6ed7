//! What the peers decode a word to, in our terms; `None` where they find it illegal.

use ckb_vm::ckb_vm_definitions::instructions as ckb;
use ckb_vm::instructions::{
    Instruction as CkbInstruction, Itype, Rtype, Stype, Utype, extract_opcode, i,
    instruction_length, m, rvc,
};
use ckb_vm::machine::VERSION2;
use rv32::{Instruction, Op};

/// `rvsim`'s answer. Its `c.mv` is an `addi` of 0; otherwise it says what the specification says.
pub(crate) fn rvsim(word: u32) -> Option<Instruction> {
    use rvsim::Op as Peer;
    let is_short = word & 3 != 3;
    let decoded = if is_short { Peer::parse_c(word as u16) } else { Peer::parse(word) };
    let bytes = if is_short { 2 } else { 4 };
    let triple = |op, rd: usize, rs1: usize, rs2: usize, imm| {
        Some(Instruction { op, rd: rd as u8, rs1: rs1 as u8, rs2: rs2 as u8, imm, bytes })
    };
    match decoded? {
        Peer::Lui { rd, u_imm } => triple(Op::Lui, rd, 0, 0, u_imm),
        Peer::Auipc { rd, u_imm } => triple(Op::Auipc, rd, 0, 0, u_imm),
        Peer::Jal { rd, j_imm } => triple(Op::Jal, rd, 0, 0, j_imm),
        Peer::Jalr { rd, rs1, i_imm } => triple(Op::Jalr, rd, rs1, 0, i_imm),
        Peer::Beq { rs1, rs2, b_imm } => triple(Op::Beq, 0, rs1, rs2, b_imm),
        Peer::Bne { rs1, rs2, b_imm } => triple(Op::Bne, 0, rs1, rs2, b_imm),
        Peer::Blt { rs1, rs2, b_imm } => triple(Op::Blt, 0, rs1, rs2, b_imm),
        Peer::Bge { rs1, rs2, b_imm } => triple(Op::Bge, 0, rs1, rs2, b_imm),
        Peer::Bltu { rs1, rs2, b_imm } => triple(Op::Bltu, 0, rs1, rs2, b_imm),
        Peer::Bgeu { rs1, rs2, b_imm } => triple(Op::Bgeu, 0, rs1, rs2, b_imm),
        Peer::Lb { rd, rs1, i_imm } => triple(Op::Lb, rd, rs1, 0, i_imm),
        Peer::Lh { rd, rs1, i_imm } => triple(Op::Lh, rd, rs1, 0, i_imm),
        Peer::Lw { rd, rs1, i_imm } => triple(Op::Lw, rd, rs1, 0, i_imm),
        Peer::Lbu { rd, rs1, i_imm } => triple(Op::Lbu, rd, rs1, 0, i_imm),
        Peer::Lhu { rd, rs1, i_imm } => triple(Op::Lhu, rd, rs1, 0, i_imm),
        Peer::Sb { rs1, rs2, s_imm } => triple(Op::Sb, 0, rs1, rs2, s_imm),
        Peer::Sh { rs1, rs2, s_imm } => triple(Op::Sh, 0, rs1, rs2, s_imm),
        Peer::Sw { rs1, rs2, s_imm } => triple(Op::Sw, 0, rs1, rs2, s_imm),
        Peer::Addi { rd, rs1, i_imm: 0 } if is_short && word & 0xe003 == 0x8002 => {
            triple(Op::Add, rd, 0, rs1, 0)
        }
        Peer::Addi { rd, rs1, i_imm } => triple(Op::Addi, rd, rs1, 0, i_imm),
        Peer::Slti { rd, rs1, i_imm } => triple(Op::Slti, rd, rs1, 0, i_imm),
        Peer::Sltiu { rd, rs1, i_imm } => triple(Op::Sltiu, rd, rs1, 0, i_imm),
        Peer::Xori { rd, rs1, i_imm } => triple(Op::Xori, rd, rs1, 0, i_imm),
        Peer::Ori { rd, rs1, i_imm } => triple(Op::Ori, rd, rs1, 0, i_imm),
        Peer::Andi { rd, rs1, i_imm } => triple(Op::Andi, rd, rs1, 0, i_imm),
        Peer::Slli { rd, rs1, shamt } => triple(Op::Slli, rd, rs1, 0, shamt as i32),
        Peer::Srli { rd, rs1, shamt } => triple(Op::Srli, rd, rs1, 0, shamt as i32),
        Peer::Srai { rd, rs1, shamt } => triple(Op::Srai, rd, rs1, 0, shamt as i32),
        Peer::Add { rd, rs1, rs2 } => triple(Op::Add, rd, rs1, rs2, 0),
        Peer::Sll { rd, rs1, rs2 } => triple(Op::Sll, rd, rs1, rs2, 0),
        Peer::Slt { rd, rs1, rs2 } => triple(Op::Slt, rd, rs1, rs2, 0),
        Peer::Sltu { rd, rs1, rs2 } => triple(Op::Sltu, rd, rs1, rs2, 0),
        Peer::Xor { rd, rs1, rs2 } => triple(Op::Xor, rd, rs1, rs2, 0),
        Peer::Srl { rd, rs1, rs2 } => triple(Op::Srl, rd, rs1, rs2, 0),
        Peer::Or { rd, rs1, rs2 } => triple(Op::Or, rd, rs1, rs2, 0),
        Peer::And { rd, rs1, rs2 } => triple(Op::And, rd, rs1, rs2, 0),
        Peer::Sub { rd, rs1, rs2 } => triple(Op::Sub, rd, rs1, rs2, 0),
        Peer::Sra { rd, rs1, rs2 } => triple(Op::Sra, rd, rs1, rs2, 0),
        Peer::Fence { .. } => triple(Op::Fence, 0, 0, 0, 0),
        Peer::FenceI => triple(Op::FenceI, 0, 0, 0, 0),
        Peer::Ecall => triple(Op::Ecall, 0, 0, 0, 0),
        Peer::Ebreak => triple(Op::Ebreak, 0, 0, 0, 0),
        Peer::Csrrw { rd, rs1, csr } => triple(Op::Csrrw, rd, rs1, 0, csr as i32),
        Peer::Csrrs { rd, rs1, csr } => triple(Op::Csrrs, rd, rs1, 0, csr as i32),
        Peer::Csrrc { rd, rs1, csr } => triple(Op::Csrrc, rd, rs1, 0, csr as i32),
        Peer::Csrrwi { rd, zimm, csr } => triple(Op::Csrrwi, rd, zimm as usize, 0, csr as i32),
        Peer::Csrrsi { rd, zimm, csr } => triple(Op::Csrrsi, rd, zimm as usize, 0, csr as i32),
        Peer::Csrrci { rd, zimm, csr } => triple(Op::Csrrci, rd, zimm as usize, 0, csr as i32),
        Peer::Mul { rd, rs1, rs2 } => triple(Op::Mul, rd, rs1, rs2, 0),
        Peer::Mulh { rd, rs1, rs2 } => triple(Op::Mulh, rd, rs1, rs2, 0),
        Peer::Mulhsu { rd, rs1, rs2 } => triple(Op::Mulhsu, rd, rs1, rs2, 0),
        Peer::Mulhu { rd, rs1, rs2 } => triple(Op::Mulhu, rd, rs1, rs2, 0),
        Peer::Div { rd, rs1, rs2 } => triple(Op::Div, rd, rs1, rs2, 0),
        Peer::Divu { rd, rs1, rs2 } => triple(Op::Divu, rd, rs1, rs2, 0),
        Peer::Rem { rd, rs1, rs2 } => triple(Op::Rem, rd, rs1, rs2, 0),
        Peer::Remu { rd, rs1, rs2 } => triple(Op::Remu, rd, rs1, rs2, 0),
        // What is left is atomics, which it knows and we do not.
        _ => None,
    }
}

/// Where the fields of an instruction of `ckb-vm` are.
enum Shape {
    Upper,
    Immediate,
    Store,
    Registers,
    Plain,
}

/// `ckb-vm`'s name of an operation, ours, and its shape. Zicsr and machine mode are not there.
const CKB: &[(u16, Op, Shape)] = &[
    (ckb::OP_LUI, Op::Lui, Shape::Upper),
    (ckb::OP_AUIPC, Op::Auipc, Shape::Upper),
    (ckb::OP_JAL, Op::Jal, Shape::Upper),
    (ckb::OP_JALR_VERSION1, Op::Jalr, Shape::Immediate),
    (ckb::OP_BEQ, Op::Beq, Shape::Store),
    (ckb::OP_BNE, Op::Bne, Shape::Store),
    (ckb::OP_BLT, Op::Blt, Shape::Store),
    (ckb::OP_BGE, Op::Bge, Shape::Store),
    (ckb::OP_BLTU, Op::Bltu, Shape::Store),
    (ckb::OP_BGEU, Op::Bgeu, Shape::Store),
    (ckb::OP_LB_VERSION1, Op::Lb, Shape::Immediate),
    (ckb::OP_LH_VERSION1, Op::Lh, Shape::Immediate),
    (ckb::OP_LW_VERSION1, Op::Lw, Shape::Immediate),
    (ckb::OP_LBU_VERSION1, Op::Lbu, Shape::Immediate),
    (ckb::OP_LHU_VERSION1, Op::Lhu, Shape::Immediate),
    (ckb::OP_SB, Op::Sb, Shape::Store),
    (ckb::OP_SH, Op::Sh, Shape::Store),
    (ckb::OP_SW, Op::Sw, Shape::Store),
    (ckb::OP_ADDI, Op::Addi, Shape::Immediate),
    (ckb::OP_SLTI, Op::Slti, Shape::Immediate),
    (ckb::OP_SLTIU, Op::Sltiu, Shape::Immediate),
    (ckb::OP_XORI, Op::Xori, Shape::Immediate),
    (ckb::OP_ORI, Op::Ori, Shape::Immediate),
    (ckb::OP_ANDI, Op::Andi, Shape::Immediate),
    (ckb::OP_SLLI, Op::Slli, Shape::Immediate),
    (ckb::OP_SRLI, Op::Srli, Shape::Immediate),
    (ckb::OP_SRAI, Op::Srai, Shape::Immediate),
    (ckb::OP_ADD, Op::Add, Shape::Registers),
    (ckb::OP_SUB, Op::Sub, Shape::Registers),
    (ckb::OP_SLL, Op::Sll, Shape::Registers),
    (ckb::OP_SLT, Op::Slt, Shape::Registers),
    (ckb::OP_SLTU, Op::Sltu, Shape::Registers),
    (ckb::OP_XOR, Op::Xor, Shape::Registers),
    (ckb::OP_SRL, Op::Srl, Shape::Registers),
    (ckb::OP_SRA, Op::Sra, Shape::Registers),
    (ckb::OP_OR, Op::Or, Shape::Registers),
    (ckb::OP_AND, Op::And, Shape::Registers),
    (ckb::OP_MUL, Op::Mul, Shape::Registers),
    (ckb::OP_MULH, Op::Mulh, Shape::Registers),
    (ckb::OP_MULHSU, Op::Mulhsu, Shape::Registers),
    (ckb::OP_MULHU, Op::Mulhu, Shape::Registers),
    (ckb::OP_DIV, Op::Div, Shape::Registers),
    (ckb::OP_DIVU, Op::Divu, Shape::Registers),
    (ckb::OP_REM, Op::Rem, Shape::Registers),
    (ckb::OP_REMU, Op::Remu, Shape::Registers),
    (ckb::OP_FENCE, Op::Fence, Shape::Plain),
    (ckb::OP_FENCEI, Op::FenceI, Shape::Plain),
    (ckb::OP_ECALL, Op::Ecall, Shape::Plain),
    (ckb::OP_EBREAK, Op::Ebreak, Shape::Plain),
];

/// `ckb-vm`'s answer.
pub(crate) fn ckb_vm(word: u32) -> Option<Instruction> {
    let bits = if word & 3 == 3 { word } else { word & 0xffff };
    let found: CkbInstruction = i::factory::<u32>(bits, VERSION2)
        .or_else(|| m::factory::<u32>(bits, VERSION2))
        .or_else(|| rvc::factory::<u32>(bits, VERSION2))?;
    let opcode = extract_opcode(found);
    let (_, op, shape) = CKB.iter().find(|(peer, ..)| *peer == opcode).expect("it is in the table");
    let (rd, rs1, rs2, imm) = match shape {
        Shape::Upper => (Utype(found).rd(), 0, 0, Utype(found).immediate_s()),
        Shape::Immediate => (Itype(found).rd(), Itype(found).rs1(), 0, Itype(found).immediate_s()),
        Shape::Store => (0, Stype(found).rs1(), Stype(found).rs2(), Stype(found).immediate_s()),
        Shape::Registers => (Rtype(found).rd(), Rtype(found).rs1(), Rtype(found).rs2(), 0),
        Shape::Plain => (0, 0, 0, 0),
    };
    let bytes = instruction_length(found);
    Some(Instruction { op: *op, rd: rd as u8, rs1: rs1 as u8, rs2: rs2 as u8, imm, bytes })
}
