//! Random programs that never leave their code and never reach past their data.
//!
//! Two kibibytes of code, then four of data. Three registers are never written: `sp` points at
//! the data's begin, `gp` at the code, `s0` at the data's middle. All others hold anything; to
//! use one as an address, an item of two or three instructions makes it one first. Jumps go to
//! the first instruction of an item. Values that are corners of arithmetic are many.

pub(crate) mod encode;

use encode::*;

use crate::seeds::Random;

/// Where the data begin, from the program's base.
pub(crate) const DATA: u32 = 2 << 10;
/// Code and data.
pub(crate) const BYTES: usize = (DATA as usize) + (4 << 10);

const SP: u32 = 2;
const GP: u32 = 3;
const S0: u32 = 8;
/// Bytes of code that random items take; the jump back to the first one still fits behind.
const CODE: usize = DATA as usize - 16;
/// How many items a jump passes at most: 16 of 12 bytes are in reach of every branch.
const REACH: u32 = 16;
const CORNERS: [u32; 10] =
    [0, 1, 2, 0xffff_ffff, 0xffff_fffe, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff, 0xffff_8000];

/// Code and data, and what the registers hold at the begin.
pub(crate) struct Program {
    pub(crate) image: Vec<u8>,
    pub(crate) registers: [u32; 32],
}

/// A few instructions that belong together, and where the jump among them goes.
#[derive(Clone)]
struct Item {
    halves: Vec<u16>,
    jump: Option<Jump>,
}

/// The one instruction of an item whose offset is known only when all items are there.
#[derive(Clone, Copy)]
enum Jump {
    Jal {
        rd: u32,
    },
    Branch {
        funct3: u32,
        rs1: u32,
        rs2: u32,
    },
    ShortJal {
        row: u32,
    },
    ShortBranch {
        row: u32,
        rs1: u32,
    },
    /// `jalr` relative to `gp`.
    Jalr {
        rd: u32,
    },
    /// `addi` relative to `gp`, before a jump through the register.
    Address {
        rd: u32,
    },
}

impl Program {
    pub(crate) fn random(random: &mut Random, base: u32) -> Self {
        let mut items = Vec::new();
        let mut bytes = 0;
        while bytes < CODE - 12 {
            let item = item(random);
            bytes += 2 * item.halves.len();
            items.push(item);
        }
        items.push(Item { halves: vec![0; 2], jump: Some(Jump::Jal { rd: 0 }) });
        let mut image = link(&items, random);
        image.resize(DATA as usize, 0);
        while image.len() < BYTES {
            image.extend(value(random).to_le_bytes());
        }
        let mut registers = [0; 32];
        registers[1..].fill_with(|| value(random));
        registers[SP as usize] = base + DATA;
        registers[GP as usize] = base;
        registers[S0 as usize] = base + DATA + (2 << 10);
        Self { image, registers }
    }
}

/// Chooses where the jumps go and puts the code together. The last item jumps to the first.
fn link(items: &[Item], random: &mut Random) -> Vec<u8> {
    let mut starts = Vec::with_capacity(items.len());
    let mut end = 0;
    for item in items {
        starts.push(end);
        end += 2 * item.halves.len() as u32;
    }
    let last = items.len() - 1;
    let mut image = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let mut halves = item.halves.clone();
        if let Some(jump) = item.jump {
            let target = if at == last { 0 } else { starts[target(jump, at, last, random)] };
            let offset = target.wrapping_sub(starts[at]);
            let word = jump.encode(offset, target);
            halves[0] = word as u16;
            if word & 3 == 3 {
                halves[1] = (word >> 16) as u16;
            }
        }
        image.extend(halves.iter().flat_map(|half| half.to_le_bytes()));
    }
    image
}

/// Mostly forward: a loop that nothing leaves would hide the rest of the program.
fn target(jump: Jump, at: usize, last: usize, random: &mut Random) -> usize {
    let is_certain = !matches!(jump, Jump::Branch { .. } | Jump::ShortBranch { .. });
    let distance = random.within(1..REACH + 1) as usize;
    let is_back = random.within(0..if is_certain { 32 } else { 4 }) == 0;
    if is_back { at.saturating_sub(distance) } else { (at + distance).min(last) }
}

impl Jump {
    fn encode(self, offset: u32, target: u32) -> u32 {
        match self {
            Self::Jal { rd } => jal(rd, offset),
            Self::Branch { funct3, rs1, rs2 } => branch(funct3, rs1, rs2, offset),
            Self::ShortJal { row } => c_jump(row, offset),
            Self::ShortBranch { row, rs1 } => c_branch(row, rs1, offset),
            Self::Jalr { rd } => immediate(JALR, 0, rd, GP, target),
            Self::Address { rd } => immediate(OP_IMM, 0, rd, GP, target),
        }
    }
}

fn item(random: &mut Random) -> Item {
    let (rd, rs1, rs2) = (free(random), any(random), any(random));
    match random.within(0..24) {
        0..6 => plain([registers(random.of(&REGISTERS), rd, rs1, rs2)]),
        6..8 => plain([arithmetic_immediate(random, rd, rs1)]),
        8 => plain([upper(random.of(&[LUI, AUIPC]), rd, random.word())]),
        9 => {
            let corner = random.of(&CORNERS);
            let high = corner.wrapping_add(0x800);
            plain([upper(LUI, rd, high), immediate(OP_IMM, 0, rd, rd, corner)])
        }
        10..13 => plain([access(random, rd, rs2)]),
        13 => through_register(random, rs1),
        14..16 => {
            let funct3 = random.of(&[0, 1, 4, 5, 6, 7]);
            jump(2, Jump::Branch { funct3, rs1, rs2 })
        }
        16 => jump(2, random.of(&[Jump::Jal { rd }, Jump::Jalr { rd }])),
        17 => indirect(random),
        18 if random.within(0..4) == 0 => overflow(random, rd),
        19 if random.within(0..4) == 0 => plain([random.of(&[0x0310_000f, 0x0ff0_000f, 0x100f])]),
        _ => compressed(random),
    }
}

fn arithmetic_immediate(random: &mut Random, rd: u32, rs1: u32) -> u32 {
    match random.within(0..9) {
        6 => immediate(OP_IMM, 1, rd, rs1, random.within(0..32)),
        7 => immediate(OP_IMM, 5, rd, rs1, random.within(0..32)),
        8 => immediate(OP_IMM, 5, rd, rs1, 0x400 | random.within(0..32)),
        which => immediate(OP_IMM, [0, 2, 3, 4, 6, 7][which as usize], rd, rs1, random.word()),
    }
}

/// The lowest number and -1, and what the M extension makes of them: the one quotient that does
/// not fit, which chance alone hardly meets.
fn overflow(random: &mut Random, rd: u32) -> Item {
    let (a, b) = random.of(&[(5, 6), (30, 31), (10, 1)]);
    let operation = random.of(&REGISTERS[10..]);
    plain([upper(LUI, a, 1 << 31), c_six(1, 2, b, 0x3f), registers(operation, rd, a, b)])
}

/// A load or store at `s0` and an offset either way.
fn access(random: &mut Random, rd: u32, rs2: u32) -> u32 {
    let funct3 = random.of(&[0, 1, 2, 4, 5]);
    let offset = random.word() & 0xfff & !((1 << (funct3 & 3)) - 1);
    if random.within(0..2) == 0 {
        immediate(LOAD, funct3, rd, S0, offset)
    } else {
        store(funct3 & 3, S0, rs2, offset)
    }
}

/// A word load or store at an address that is computed from a register.
fn through_register(random: &mut Random, rs1: u32) -> Item {
    let (base, rd, rs2) = (free_not_zero(random), free(random), any(random));
    let mask = immediate(OP_IMM, 7, base, rs1, 0x7fc);
    let access = random.of(&[immediate(LOAD, 2, rd, base, 0), store(2, base, rs2, 0)]);
    plain([mask, registers((0, 0), base, base, S0), access])
}

/// `c.jr` or `c.jalr` to an address that is made just before.
fn indirect(random: &mut Random) -> Item {
    let rd = free_not_zero(random);
    let through = c_registers(random.within(0..2), rd, 0) as u16;
    Item { halves: vec![0, 0, through], jump: Some(Jump::Address { rd }) }
}

fn compressed(random: &mut Random) -> Item {
    let (rd, rs2, six) = (free(random), random.within(1..32), random.word() & 0x3f);
    let (short, other) = (random.within(9..16), random.within(8..16));
    let not_zero = |number: u32| number.max(1);
    match random.within(0..19) {
        0 => plain([c_six(1, 0, rd, six)]),
        1 => plain([c_six(1, 2, rd, six)]),
        2 => plain([c_six(1, 3, rd, not_zero(six))]),
        3 => plain([c_six(2, 0, rd, six & 31)]),
        4 => plain([c_short_six(0, short, six & 31)]),
        5 => plain([c_short_six(1, short, six & 31)]),
        6 => plain([c_short_six(2, short, six)]),
        7 | 8 => plain([c_short_registers(random.within(0..4), short, other)]),
        9 => plain([c_registers(0, rd, rs2)]),
        10 => plain([c_registers(1, rd, rs2)]),
        11 => plain([c_addi4spn(short, 4 * random.within(1..256))]),
        12 => {
            let step = 16 * random.within(1..32);
            plain([c_addi16sp(step), c_addi16sp(step.wrapping_neg())])
        }
        13 => plain([c_word(2, short, S0, 4 * random.within(0..32))]),
        14 => plain([c_word(6, other, S0, 4 * random.within(0..32))]),
        15 => plain([c_lwsp(free_not_zero(random), 4 * random.within(0..64))]),
        16 => plain([c_swsp(any(random), 4 * random.within(0..64))]),
        17 => jump(1, Jump::ShortBranch { row: random.within(6..8), rs1: other }),
        _ => jump(1, Jump::ShortJal { row: random.of(&[1, 5]) }),
    }
}

fn plain<const COUNT: usize>(words: [u32; COUNT]) -> Item {
    let mut halves = Vec::new();
    for word in words {
        halves.push(word as u16);
        if word & 3 == 3 {
            halves.push((word >> 16) as u16);
        }
    }
    Item { halves, jump: None }
}

fn jump(halves: usize, jump: Jump) -> Item {
    Item { halves: vec![0; halves], jump: Some(jump) }
}

/// A register that may be written, `x0` among them.
fn free(random: &mut Random) -> u32 {
    match any(random) {
        SP | GP | S0 => 0,
        register => register,
    }
}

fn free_not_zero(random: &mut Random) -> u32 {
    match free(random) {
        0 => 5,
        register => register,
    }
}

fn any(random: &mut Random) -> u32 {
    random.within(0..32)
}

/// A corner, a small number, or anything.
fn value(random: &mut Random) -> u32 {
    match random.within(0..4) {
        0 | 1 => random.of(&CORNERS),
        2 => random.within(0..64).wrapping_sub(32),
        _ => random.word(),
    }
}
