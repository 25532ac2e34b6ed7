//! The fast path: instructions that need neither the bus nor CSRs, one after the other.
//!
//! Called by `run`, again and again. Stops before the first instruction it cannot do whole: one
//! not decoded yet, an access that RAM does not answer, anything of the system; `step` does
//! that one. What changes with each instruction is in locals, and goes back at the end.
//! No trap is taken here, so nothing is ever undone.

use crate::ram::Ram;
use crate::{Hart, Op};

impl Hart {
    /// Runs until the next instruction would begin at or after `until`, or is not for this path.
    pub(crate) fn sprint(&mut self, until: u64) {
        let Self { registers, ram, costs, .. } = self;
        let base = ram.base;
        let (taken, spared) = (costs.added_if_taken(), costs.spared_by_zero());
        let (load_use, straddled) = (u64::from(costs.load_use), u64::from(costs.straddled_target));
        let (mut cycles, mut instructions) = (self.cycles, self.instructions);
        let mut loaded = self.loaded;
        let mut offset = self.pc.wrapping_sub(base);
        while cycles < until {
            let Some(slot) = ram.slot(offset) else { break };
            let a = registers[usize::from(slot.rs1)];
            let b = registers[usize::from(slot.rs2)];
            let imm = slot.imm as u32;
            let reach = a.wrapping_add(imm).wrapping_sub(base);
            let behind = offset.wrapping_add(u32::from(slot.bytes));
            let mut next = behind;
            let mut cost = u64::from(slot.cost);
            if slot.reads(loaded) {
                cost += load_use;
            }
            let mut jumps = false;
            let mut branch = |is_taken: bool| {
                if is_taken {
                    next = offset.wrapping_add(imm);
                    cost += taken;
                    jumps = true;
                }
                0
            };
            let value = match slot.op {
                Op::Beq => branch(a == b),
                Op::Bne => branch(a != b),
                Op::Blt => branch(a.cast_signed() < b.cast_signed()),
                Op::Bge => branch(a.cast_signed() >= b.cast_signed()),
                Op::Bltu => branch(a < b),
                Op::Bgeu => branch(a >= b),
                Op::Jal => {
                    next = offset.wrapping_add(imm);
                    jumps = true;
                    base.wrapping_add(behind)
                }
                Op::Jalr => {
                    next = reach & !1;
                    jumps = true;
                    base.wrapping_add(behind)
                }
                Op::Auipc => base.wrapping_add(offset).wrapping_add(imm),
                Op::Sw if ram.set_word(reach, b) => 0,
                Op::Sh if ram.set_half(reach, b as u16) => 0,
                Op::Sb if ram.set_byte(reach, b as u8) => 0,
                Op::Div | Op::Divu | Op::Rem | Op::Remu => {
                    cost -= if b == 0 { spared } else { 0 };
                    divide(slot.op, a, b)
                }
                op => match arithmetic(op, a, b, imm).or_else(|| load(ram, op, reach)) {
                    Some(value) => value,
                    None => break,
                },
            };
            registers[usize::from(slot.rd)] = value;
            if jumps && ram.straddles(next) {
                cost += straddled;
            }
            loaded = slot.loads;
            offset = next;
            cycles += cost;
            instructions += 1;
        }
        self.pc = base.wrapping_add(offset);
        self.cycles = cycles;
        self.instructions = instructions;
        self.loaded = loaded;
    }
}

/// What a load from RAM gives; `None` if it is not one, or not from there, or not aligned.
#[inline(always)]
fn load(ram: &Ram, op: Op, reach: u32) -> Option<u32> {
    match op {
        Op::Lw => ram.word(reach),
        Op::Lh => ram.half(reach).map(|half| i32::from(half.cast_signed()).cast_unsigned()),
        Op::Lhu => ram.half(reach).map(u32::from),
        Op::Lb => ram.byte(reach).map(|byte| i32::from(byte.cast_signed()).cast_unsigned()),
        Op::Lbu => ram.byte(reach).map(u32::from),
        _ => None,
    }
}

/// What an instruction on registers alone gives; `None` for any other.
#[inline(always)]
fn arithmetic(op: Op, a: u32, b: u32, imm: u32) -> Option<u32> {
    let (signed_a, signed_b) = (a.cast_signed(), b.cast_signed());
    Some(match op {
        Op::Lui => imm,
        Op::Addi => a.wrapping_add(imm),
        Op::Slti => u32::from(signed_a < imm.cast_signed()),
        Op::Sltiu => u32::from(a < imm),
        Op::Xori => a ^ imm,
        Op::Ori => a | imm,
        Op::Andi => a & imm,
        Op::Slli => a << (imm & 31),
        Op::Srli => a >> (imm & 31),
        Op::Srai => (signed_a >> (imm & 31)).cast_unsigned(),
        Op::Add => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Sll => a << (b & 31),
        Op::Slt => u32::from(signed_a < signed_b),
        Op::Sltu => u32::from(a < b),
        Op::Xor => a ^ b,
        Op::Srl => a >> (b & 31),
        Op::Sra => (signed_a >> (b & 31)).cast_unsigned(),
        Op::Or => a | b,
        Op::And => a & b,
        Op::Mul => a.wrapping_mul(b),
        Op::Mulh => ((i64::from(signed_a) * i64::from(signed_b)) >> 32) as u32,
        Op::Mulhsu => ((i64::from(signed_a) * i64::from(b)) >> 32) as u32,
        Op::Mulhu => ((u64::from(a) * u64::from(b)) >> 32) as u32,
        _ => return None,
    })
}

/// Quotients and remainders: defined also for a divisor of 0 and for the one overflow (Volume I,
/// "M", "Division Operations").
#[inline]
fn divide(op: Op, a: u32, b: u32) -> u32 {
    let (signed_a, signed_b) = (a.cast_signed(), b.cast_signed());
    match op {
        Op::Div if b == 0 => u32::MAX,
        Op::Div => signed_a.wrapping_div(signed_b).cast_unsigned(),
        Op::Divu => a.checked_div(b).unwrap_or(u32::MAX),
        Op::Rem if b != 0 => signed_a.wrapping_rem(signed_b).cast_unsigned(),
        Op::Remu if b != 0 => a % b,
        _ => a,
    }
}
