//! What a register may hold at one place of a function, as far as the audit can tell.
//!
//! For `code`: enough to follow the stack pointer, to resolve calls through `auipc` and `lui`, and
//! to find the table behind a `switch`. Anything else is unknown, which is never wrong.

use rv32::{Instruction, Op};

/// The stack pointer.
pub(crate) const SP: u8 = 2;
/// Kept over a call: `sp`, `gp`, `tp` and `s0` to `s11`.
const KEPT: [u8; 15] = [2, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Anything.
    Unknown,
    /// This.
    Known(u32),
    /// The stack pointer as the function began, and so many bytes.
    Stack(i32),
    /// An address in a table that starts here.
    InTable(u32),
    /// A word of the table that starts here.
    Entry(u32),
}

/// All registers at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registers([Value; 32]);

impl Registers {
    /// As a function begins.
    pub(crate) fn at_entry() -> Self {
        let mut registers = Self([Value::Unknown; 32]);
        registers.0[0] = Value::Known(0);
        registers.0[usize::from(SP)] = Value::Stack(0);
        registers
    }

    /// What a register holds.
    pub(crate) fn get(&self, register: u8) -> Value {
        self.0[usize::from(register & 31)]
    }

    /// How far the stack pointer is from where it was, if it can be told. Who loads it with an
    /// address begins a stack of their own.
    pub(crate) fn stack(&self) -> Option<i32> {
        match self.get(SP) {
            Value::Stack(offset) => Some(offset),
            Value::Known(_) => Some(0),
            _ => None,
        }
    }

    /// Puts a value into a register.
    pub(crate) fn set(&mut self, register: u8, value: Value) {
        if register != 0 {
            self.0[usize::from(register & 31)] = value;
        }
    }

    /// Forgets what a called function may change.
    pub(crate) fn forget_over_call(&mut self) {
        for register in (1..32).filter(|register| !KEPT.contains(register)) {
            self.set(register, Value::Unknown);
        }
    }

    /// Where two ways meet: what holds on both. The stack pointer is the lower one.
    pub(crate) fn meet(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (register, (one, two)) in self.0.iter().zip(other.0).enumerate() {
            both.0[register] = match (*one, two) {
                (one, two) if one == two => one,
                (Value::Stack(one), Value::Stack(two)) if register == usize::from(SP) => {
                    Value::Stack(one.min(two))
                }
                _ => Value::Unknown,
            };
        }
        both
    }

    /// Does what an instruction without a jump does.
    pub(crate) fn step(
        &mut self,
        at: u32,
        word: Instruction,
        constant: impl Fn(u32) -> Option<u32>,
    ) {
        // An address is loaded in two instructions; behind them a stack begins.
        if let (Value::Known(_), true) = (self.get(SP), word.rd != SP) {
            self.set(SP, Value::Stack(0));
        }
        let (one, two, imm) = (self.get(word.rs1), self.get(word.rs2), word.imm);
        let value = match word.op {
            Op::Lui => Value::Known(imm as u32),
            Op::Auipc => Value::Known(at.wrapping_add(imm as u32)),
            Op::Addi => moved(one, imm),
            Op::Add if word.rs1 == 0 => two,
            Op::Add if word.rs2 == 0 => one,
            Op::Add => sum(one, two),
            Op::Sub => difference(one, two),
            // Rounds down, at most so far.
            Op::Andi => match one {
                Value::Known(known) => Value::Known(known & imm as u32),
                Value::Stack(offset) if imm < 0 => {
                    Value::Stack(offset.saturating_add(imm).saturating_add(1))
                }
                _ => Value::Unknown,
            },
            Op::Lw => match moved(one, imm) {
                Value::Known(address) => constant(address).map_or(Value::Unknown, Value::Known),
                Value::InTable(table) => Value::Entry(table),
                _ => Value::Unknown,
            },
            _ => Value::Unknown,
        };
        self.set(word.rd, value);
    }
}

fn moved(value: Value, by: i32) -> Value {
    match value {
        Value::Known(known) => Value::Known(known.wrapping_add_signed(by)),
        Value::Stack(offset) => Value::Stack(offset.saturating_add(by)),
        Value::InTable(table) => Value::InTable(table.wrapping_add_signed(by)),
        Value::Unknown | Value::Entry(_) => Value::Unknown,
    }
}

fn sum(one: Value, two: Value) -> Value {
    match (one, two) {
        (Value::Known(known), other) | (other, Value::Known(known)) => match other {
            Value::Unknown => Value::InTable(known),
            other => moved(other, known as i32),
        },
        (Value::InTable(table), Value::Unknown) | (Value::Unknown, Value::InTable(table)) => {
            Value::InTable(table)
        }
        _ => Value::Unknown,
    }
}

fn difference(one: Value, two: Value) -> Value {
    match (one, two) {
        (one, Value::Known(known)) if one != Value::Unknown => {
            moved(one, (known as i32).wrapping_neg())
        }
        _ => Value::Unknown,
    }
}
