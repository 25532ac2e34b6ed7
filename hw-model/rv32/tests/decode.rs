//! Decoding by hand: every instruction once, and what the specification reserves.
//!
//! The words come from another assembler, what is expected from the text beside them.

use rv32::{Extension, Instruction, Op, decode, extension};

/// Text, word, operation, rd, rs1, rs2, immediate.
type Row = (&'static str, u32, Op, u8, u8, u8, i32);

#[rustfmt::skip]
const BASE: &[Row] = &[
    ("lui a0, 0xfffff", 0xffff_f537, Op::Lui, 10, 0, 0, -1 << 12),
    ("auipc t6, 0x12345", 0x1234_5f97, Op::Auipc, 31, 0, 0, 74565 << 12),
    ("jal ra, -1048576", 0x8000_00ef, Op::Jal, 1, 0, 0, -1048576),
    ("jal zero, 1048574", 0x7fff_f06f, Op::Jal, 0, 0, 0, 1048574),
    ("jalr a1, -2048(a2)", 0x8006_05e7, Op::Jalr, 11, 12, 0, -2048),
    ("beq a0, a1, -4096", 0x80b5_0063, Op::Beq, 0, 10, 11, -4096),
    ("bne s2, s3, 4094", 0x7f39_1fe3, Op::Bne, 0, 18, 19, 4094),
    ("blt a0, a1, 8", 0x00b5_4463, Op::Blt, 0, 10, 11, 8),
    ("bge a0, a1, 16", 0x00b5_5863, Op::Bge, 0, 10, 11, 16),
    ("bltu a0, a1, -2", 0xfeb5_6fe3, Op::Bltu, 0, 10, 11, -2),
    ("bgeu t5, t6, 2048", 0x01ff_70e3, Op::Bgeu, 0, 30, 31, 2048),
    ("lb a0, -1(a1)", 0xfff5_8503, Op::Lb, 10, 11, 0, -1),
    ("lh a0, 2(a1)", 0x0025_9503, Op::Lh, 10, 11, 0, 2),
    ("lw a0, 2047(a1)", 0x7ff5_a503, Op::Lw, 10, 11, 0, 2047),
    ("lbu a0, 0(a1)", 0x0005_c503, Op::Lbu, 10, 11, 0, 0),
    ("lhu a0, -2048(a1)", 0x8005_d503, Op::Lhu, 10, 11, 0, -2048),
    ("sb a0, -1(a1)", 0xfea5_8fa3, Op::Sb, 0, 11, 10, -1),
    ("sh s11, 2047(t3)", 0x7fbe_1fa3, Op::Sh, 0, 28, 27, 2047),
    ("sw a0, -2048(a1)", 0x80a5_a023, Op::Sw, 0, 11, 10, -2048),
    ("addi a0, a1, -1", 0xfff5_8513, Op::Addi, 10, 11, 0, -1),
    ("slti a0, a1, 5", 0x0055_a513, Op::Slti, 10, 11, 0, 5),
    ("sltiu a0, a1, -5", 0xffb5_b513, Op::Sltiu, 10, 11, 0, -5),
    ("xori a0, a1, 0x555", 0x5555_c513, Op::Xori, 10, 11, 0, 1365),
    ("ori a0, a1, -2048", 0x8005_e513, Op::Ori, 10, 11, 0, -2048),
    ("andi a0, a1, 2047", 0x7ff5_f513, Op::Andi, 10, 11, 0, 2047),
    ("slli a0, a1, 31", 0x01f5_9513, Op::Slli, 10, 11, 0, 31),
    ("srli a0, a1, 1", 0x0015_d513, Op::Srli, 10, 11, 0, 1),
    ("srai a0, a1, 17", 0x4115_d513, Op::Srai, 10, 11, 0, 17),
    ("add a0, a1, a2", 0x00c5_8533, Op::Add, 10, 11, 12, 0),
    ("sub a0, a1, a2", 0x40c5_8533, Op::Sub, 10, 11, 12, 0),
    ("sll a0, a1, a2", 0x00c5_9533, Op::Sll, 10, 11, 12, 0),
    ("slt a0, a1, a2", 0x00c5_a533, Op::Slt, 10, 11, 12, 0),
    ("sltu a0, a1, a2", 0x00c5_b533, Op::Sltu, 10, 11, 12, 0),
    ("xor a0, a1, a2", 0x00c5_c533, Op::Xor, 10, 11, 12, 0),
    ("srl a0, a1, a2", 0x00c5_d533, Op::Srl, 10, 11, 12, 0),
    ("sra a0, a1, a2", 0x40c5_d533, Op::Sra, 10, 11, 12, 0),
    ("or a0, a1, a2", 0x00c5_e533, Op::Or, 10, 11, 12, 0),
    ("and t6, t5, t4", 0x01df_7fb3, Op::And, 31, 30, 29, 0),
    ("mul a0, a1, a2", 0x02c5_8533, Op::Mul, 10, 11, 12, 0),
    ("mulh a0, a1, a2", 0x02c5_9533, Op::Mulh, 10, 11, 12, 0),
    ("mulhsu a0, a1, a2", 0x02c5_a533, Op::Mulhsu, 10, 11, 12, 0),
    ("mulhu a0, a1, a2", 0x02c5_b533, Op::Mulhu, 10, 11, 12, 0),
    ("div a0, a1, a2", 0x02c5_c533, Op::Div, 10, 11, 12, 0),
    ("divu a0, a1, a2", 0x02c5_d533, Op::Divu, 10, 11, 12, 0),
    ("rem a0, a1, a2", 0x02c5_e533, Op::Rem, 10, 11, 12, 0),
    ("remu a0, a1, a2", 0x02c5_f533, Op::Remu, 10, 11, 12, 0),
    ("fence rw, w", 0x0310_000f, Op::Fence, 0, 0, 0, 0),
    ("fence iorw, iorw", 0x0ff0_000f, Op::Fence, 0, 0, 0, 0),
    ("fence.i", 0x0000_100f, Op::FenceI, 0, 0, 0, 0),
    ("ecall", 0x0000_0073, Op::Ecall, 0, 0, 0, 0),
    ("ebreak", 0x0010_0073, Op::Ebreak, 0, 0, 0, 0),
    ("mret", 0x3020_0073, Op::Mret, 0, 0, 0, 0),
    ("wfi", 0x1050_0073, Op::Wfi, 0, 0, 0, 0),
    ("csrrw a0, mscratch, a1", 0x3405_9573, Op::Csrrw, 10, 11, 0, 0x340),
    ("csrrs a0, mepc, a1", 0x3415_a573, Op::Csrrs, 10, 11, 0, 0x341),
    ("csrrc a0, mstatus, a1", 0x3005_b573, Op::Csrrc, 10, 11, 0, 0x300),
    ("csrrwi a0, mtvec, 31", 0x305f_d573, Op::Csrrwi, 10, 31, 0, 0x305),
    ("csrrsi a0, mie, 8", 0x3044_6573, Op::Csrrsi, 10, 8, 0, 0x304),
    ("csrrci a0, 0xfff, 1", 0xfff0_f573, Op::Csrrci, 10, 1, 0, 0xfff),
];

#[rustfmt::skip]
const COMPRESSED: &[Row] = &[
    ("c.addi4spn a0, sp, 1020", 0x1fe8, Op::Addi, 10, 2, 0, 1020),
    ("c.addi4spn s0, sp, 4", 0x0040, Op::Addi, 8, 2, 0, 4),
    ("c.lw s0, 124(a5)", 0x5fe0, Op::Lw, 8, 15, 0, 124),
    ("c.lw a5, 64(s1)", 0x40bc, Op::Lw, 15, 9, 0, 64),
    ("c.sw a0, 4(a1)", 0xc1c8, Op::Sw, 0, 11, 10, 4),
    ("c.nop", 0x0001, Op::Addi, 0, 0, 0, 0),
    ("c.addi t6, -32", 0x1f81, Op::Addi, 31, 31, 0, -32),
    ("c.jal -2048", 0x3001, Op::Jal, 1, 0, 0, -2048),
    ("c.jal 2046", 0x2ffd, Op::Jal, 1, 0, 0, 2046),
    ("c.li a0, 31", 0x457d, Op::Addi, 10, 0, 0, 31),
    ("c.addi16sp sp, -512", 0x7101, Op::Addi, 2, 2, 0, -512),
    ("c.addi16sp sp, 496", 0x617d, Op::Addi, 2, 2, 0, 496),
    ("c.addi16sp sp, 16", 0x6141, Op::Addi, 2, 2, 0, 16),
    ("c.lui a0, 0xfffe0", 0x7501, Op::Lui, 10, 0, 0, -32 << 12),
    ("c.lui t6, 31", 0x6ffd, Op::Lui, 31, 0, 0, 31 << 12),
    ("c.srli a0, 31", 0x817d, Op::Srli, 10, 10, 0, 31),
    ("c.srai s1, 1", 0x8485, Op::Srai, 9, 9, 0, 1),
    ("c.andi a5, -32", 0x9b81, Op::Andi, 15, 15, 0, -32),
    ("c.sub a0, a1", 0x8d0d, Op::Sub, 10, 10, 11, 0),
    ("c.xor a0, a1", 0x8d2d, Op::Xor, 10, 10, 11, 0),
    ("c.or a0, a1", 0x8d4d, Op::Or, 10, 10, 11, 0),
    ("c.and s0, a5", 0x8c7d, Op::And, 8, 8, 15, 0),
    ("c.j -2", 0xbffd, Op::Jal, 0, 0, 0, -2),
    ("c.j 1170", 0xa949, Op::Jal, 0, 0, 0, 1170),
    ("c.beqz a0, -256", 0xd101, Op::Beq, 0, 10, 0, -256),
    ("c.bnez a5, 254", 0xeffd, Op::Bne, 0, 15, 0, 254),
    ("c.slli t6, 31", 0x0ffe, Op::Slli, 31, 31, 0, 31),
    ("c.lwsp a0, 252(sp)", 0x557e, Op::Lw, 10, 2, 0, 252),
    ("c.lwsp ra, 4(sp)", 0x4092, Op::Lw, 1, 2, 0, 4),
    ("c.jr ra", 0x8082, Op::Jalr, 0, 1, 0, 0),
    ("c.mv a0, t6", 0x857e, Op::Add, 10, 0, 31, 0),
    ("c.ebreak", 0x9002, Op::Ebreak, 0, 0, 0, 0),
    ("c.jalr a0", 0x9502, Op::Jalr, 1, 10, 0, 0),
    ("c.add s11, s2", 0x9dca, Op::Add, 27, 27, 18, 0),
    ("c.swsp a0, 252(sp)", 0xdfaa, Op::Sw, 0, 2, 10, 252),
    ("c.swsp t6, 64(sp)", 0xc0fe, Op::Sw, 0, 2, 31, 64),
];

#[test]
fn every_base_instruction_decodes_as_its_text_says() {
    assert_rows(BASE, 4);
}

#[test]
fn every_compressed_instruction_is_the_base_one_it_stands_for() {
    assert_rows(COMPRESSED, 2);
}

#[test]
fn the_upper_half_of_a_compressed_word_is_not_looked_at() {
    for (text, word, ..) in COMPRESSED {
        assert_eq!(decode(*word), decode(word | 0xffff_0000), "{text}");
        assert_eq!(extension(word | 0xffff_0000), Extension::Known, "{text}");
    }
}

#[test]
fn the_tables_name_every_operation() {
    // The last of the enum tells how many there are.
    for number in 1..=Op::Csrrci as u8 {
        assert!(BASE.iter().any(|row| row.2 as u8 == number), "operation {number}");
    }
}

#[test]
fn reserved_words_are_illegal() {
    let reserved = [
        ("all zeros", 0x0000),
        ("c.addi4spn of 0", 0x0008),
        ("quadrant 0, row 4", 0x8000),
        ("c.lui of 0", 0x6501),
        ("c.lui of 0 to x0", 0x6001),
        ("c.addi16sp of 0", 0x6101),
        ("c.srli by 32", 0x9101),
        ("c.srai by 63", 0x95fd),
        ("c.subw", 0x9d0d),
        ("c.addw", 0x9d2d),
        ("quadrant 1, row 4, reserved", 0x9d4d),
        ("quadrant 1, row 4, reserved", 0x9d6d),
        ("c.slli by 32", 0x1502),
        ("c.lwsp to x0", 0x4002),
        ("c.jr x0", 0x8002),
        ("all ones", 0xffff_ffff),
        ("slli by 32", 0x0205_9513),
        ("srli by 32", 0x0205_d513),
        ("srai by 32", 0x4205_d513),
        ("slli with funct7 of srai", 0x4015_9513),
        ("jalr with funct3 1", 0x0006_15e7),
        ("branch with funct3 2", 0x00b5_2463),
        ("branch with funct3 3", 0x00b5_3463),
        ("ld", 0x0005_b503),
        ("lwu", 0x0005_e503),
        ("load with funct3 7", 0x0005_f503),
        ("sd", 0x00a5_b023),
        ("addiw", 0x0015_851b),
        ("addw", 0x00c5_853b),
        ("and with funct7 of sub", 0x40c5_f533),
        ("funct7 2", 0x04c5_8533),
        ("misc-mem with funct3 2", 0x0000_200f),
        ("uret", 0x0020_0073),
        ("sret", 0x1020_0073),
        ("mret with rd", 0x3020_00f3),
        ("ecall with rs1", 0x0000_8073),
        ("wfi with rs1", 0x1050_8073),
        ("sfence.vma", 0x1200_0073),
        ("hypervisor load", 0x6005_4573),
        ("48 bits long", 0x0000_001f),
        ("64 bits long", 0x0000_003f),
        ("custom-0", 0x0000_000b),
    ];
    for (text, word) in reserved {
        let bytes = if word & 3 == 3 { 4 } else { 2 };
        let illegal = Instruction { op: Op::Illegal, rd: 0, rs1: 0, rs2: 0, imm: 0, bytes };
        assert_eq!(decode(word), illegal, "{text}: {word:#x}");
        assert_eq!(extension(word), Extension::Unknown, "{text}: {word:#x}");
    }
}

#[test]
fn fences_with_reserved_fields_are_fences() {
    let fences = [
        ("pause", 0x0100_000f, Op::Fence),
        ("fence.tso", 0x8330_000f, Op::Fence),
        ("fence with rd and rs1", 0x0ff5_058f, Op::Fence),
        ("fence with a reserved mode", 0x7ff0_000f, Op::Fence),
        ("fence.i with rd, rs1 and an immediate", 0xfff5_958f, Op::FenceI),
    ];
    for (text, word, op) in fences {
        let expected = Instruction { op, rd: 0, rs1: 0, rs2: 0, imm: 0, bytes: 4 };
        assert_eq!(decode(word), expected, "{text}");
    }
}

#[test]
fn foreign_words_are_told_by_their_extension() {
    let foreign = [
        ("lr.w", 0x1005_a52f, Extension::Atomic),
        ("sc.w", 0x18c5_a52f, Extension::Atomic),
        ("amoadd.w", 0x00c5_a52f, Extension::Atomic),
        ("amomaxu.w.aqrl", 0xe6c5_a52f, Extension::Atomic),
        ("flw", 0x0005_a507, Extension::Float),
        ("fld", 0x0005_b507, Extension::Float),
        ("fsw", 0x00a5_a027, Extension::Float),
        ("fsd", 0x00a5_b027, Extension::Float),
        ("fmadd.s", 0x68c5_f543, Extension::Float),
        ("fmsub.s", 0x68c5_f547, Extension::Float),
        ("fnmsub.s", 0x68c5_f54b, Extension::Float),
        ("fnmadd.s", 0x68c5_f54f, Extension::Float),
        ("fadd.d", 0x02c5_f553, Extension::Float),
        ("c.flw", 0x6188, Extension::Float),
        ("c.fld", 0x2188, Extension::Float),
        ("c.fsw", 0xe188, Extension::Float),
        ("c.fsd", 0xa188, Extension::Float),
        ("c.flwsp", 0x6502, Extension::Float),
        ("c.fldsp", 0x2502, Extension::Float),
        ("c.fswsp", 0xe02a, Extension::Float),
        ("c.fsdsp", 0xa02a, Extension::Float),
        ("vle8.v", 0x0205_0507, Extension::Unknown),
        ("vse32.v", 0x0205_6527, Extension::Unknown),
    ];
    for (text, word, expected) in foreign {
        assert_eq!(decode(word).op, Op::Illegal, "{text}");
        assert_eq!(extension(word), expected, "{text}");
    }
}

fn assert_rows(rows: &[Row], bytes: u8) {
    for &(text, word, op, rd, rs1, rs2, imm) in rows {
        assert_eq!(decode(word), Instruction { op, rd, rs1, rs2, imm, bytes }, "{text}");
        assert_eq!(extension(word), Extension::Known, "{text}");
    }
}
