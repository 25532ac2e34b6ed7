//! One function of an image: its frame, whom it calls, and what it must not contain.
//!
//! From `image`, to `calls`. Every word of it is decoded; then all its ways are followed, with
//! what registers hold (`value`), so that the deepest stack pointer and the target of each call
//! are known. Follows no memory: a stack pointer that was loaded, and a jump to an address that
//! was computed, are flaws. A jump through a table of places inside the function is none.

use std::collections::{BTreeMap, BTreeSet};

use rv32::{Extension, Instruction, Op};

use super::image::{Image, Symbol};
use super::value::{Registers, SP, Value};

/// A stack that is deeper than this grows with every turn of a loop.
const DEEPEST: i32 = -(1 << 20);
/// The CSR that holds where traps go.
const MTVEC: i32 = 0x305;
/// Registers that a function returns through.
const LINKS: [u8; 2] = [1, 5];

/// What firmware must not contain, or what cannot be told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flaw {
    /// `lr`, `sc` or a read-modify-write.
    Atomic,
    /// A floating-point instruction.
    Float,
    /// No instruction of the core, or one that is there to trap.
    Illegal,
    /// A jump or call to an address that cannot be told.
    Indirect,
    /// The stack pointer cannot be told, or grows without end.
    Stack,
    /// It returns with a part of its frame.
    Return,
    /// Where traps go cannot be told.
    Trap,
}

/// A function that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    /// Where to.
    pub(crate) to: u32,
    /// How many bytes of the caller's frame are in use then.
    pub(crate) depth: u32,
}

/// What one function does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) address: u32,
    /// Its largest frame in bytes.
    pub(crate) frame: u32,
    /// Calls, tail calls included.
    pub(crate) calls: Vec<Call>,
    /// Where it has traps go to.
    pub(crate) traps_to: Option<u32>,
    /// How many instructions it has.
    pub(crate) instructions: u32,
    /// What is wrong, and where.
    pub(crate) flaws: Vec<(Flaw, u32)>,
}

impl Function {
    /// Reads a function of an image.
    pub(crate) fn read(image: &Image, symbol: &Symbol) -> Self {
        let mut walk = Walk {
            image,
            end: symbol.end,
            words: BTreeMap::new(),
            seen: BTreeMap::new(),
            settled: BTreeSet::new(),
            open: Vec::new(),
            function: Self {
                name: symbol.name.clone(),
                address: symbol.address,
                ..Self::default()
            },
        };
        walk.decode();
        walk.follow();
        let mut function = walk.function;
        function.calls.sort();
        function.calls.dedup();
        function.flaws.sort_by_key(|(flaw, at)| (*at, *flaw));
        function.flaws.dedup();
        function
    }
}

struct Walk<'a> {
    image: &'a Image,
    end: u32,
    words: BTreeMap<u32, Instruction>,
    /// What registers hold before each instruction that was reached.
    seen: BTreeMap<u32, Registers>,
    /// What was reached from the start; what was not reached must not change it.
    settled: BTreeSet<u32>,
    /// Where to go on.
    open: Vec<u32>,
    function: Function,
}

impl Walk<'_> {
    /// Every word of the function, reached or not.
    fn decode(&mut self) {
        let mut at = self.function.address;
        while at < self.end {
            let Some(word) = self.image.instruction(at) else {
                return self.flaw(Flaw::Illegal, at);
            };
            match rv32::extension(word) {
                Extension::Known => {}
                Extension::Atomic => self.flaw(Flaw::Atomic, at),
                Extension::Float => self.flaw(Flaw::Float, at),
                Extension::Unknown => self.flaw(Flaw::Illegal, at),
            }
            let instruction = rv32::decode(word);
            self.words.insert(at, instruction);
            self.function.instructions += 1;
            at = at.saturating_add(u32::from(instruction.bytes));
        }
    }

    /// All ways from the start; then from whatever none of them reached.
    fn follow(&mut self) {
        let mut next = Some(self.function.address);
        while let Some(start) = next {
            self.reach(start, &Registers::at_entry());
            while let Some(at) = self.open.pop() {
                self.step(at);
            }
            self.settled.extend(self.seen.keys());
            next = self.words.keys().copied().find(|at| !self.settled.contains(at));
        }
    }

    /// One instruction, and where it leads.
    fn step(&mut self, at: u32) {
        let (Some(word), Some(before)) = (self.words.get(&at).copied(), self.seen.get(&at)) else {
            return self.flaw(Flaw::Illegal, at); // A jump into the middle of an instruction.
        };
        let (mut registers, before_stack) = (before.clone(), before.stack());
        let next = at.wrapping_add(u32::from(word.bytes));
        let target = at.wrapping_add_signed(word.imm);
        match word.op {
            Op::Illegal | Op::Mret => {}
            Op::Jal => self.go(target, word.rd, &registers, next),
            Op::Jalr => self.jump(at, word, &registers, next),
            Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => {
                self.go(target, 0, &registers, next);
                self.go(next, 0, &registers, next);
            }
            _ => {
                if is_trap_vector(word) {
                    self.traps(at, registers.get(word.rs1));
                }
                registers.step(at, word, |address| self.image.constant(address));
                self.deepen(at, before_stack, &mut registers);
                self.go(next, 0, &registers, next);
            }
        }
    }

    /// Goes to `target`: with a link, as a call that comes back to `next`.
    fn go(&mut self, target: u32, link: u8, registers: &Registers, next: u32) {
        let is_inside = (self.function.address..self.end).contains(&target);
        if link == 0 && is_inside {
            return self.reach(target, registers);
        }
        let depth = registers.stack().map_or(0, |offset| offset.min(0).unsigned_abs());
        self.function.calls.push(Call { to: target, depth });
        self.come_back(link, registers, next);
    }

    /// Goes on behind a call. One at the end of a function is one that never comes back.
    fn come_back(&mut self, link: u8, registers: &Registers, next: u32) {
        if link != 0 && next < self.end {
            let mut after = registers.clone();
            after.forget_over_call();
            self.reach(next, &after);
        }
    }

    /// A jump through a register: a return, a far call, a `switch`, or a flaw.
    fn jump(&mut self, at: u32, word: Instruction, registers: &Registers, next: u32) {
        match registers.get(word.rs1) {
            Value::Known(base) => {
                self.go(base.wrapping_add_signed(word.imm) & !1, word.rd, registers, next);
            }
            Value::Entry(table) if word.rd == 0 && word.imm == 0 => {
                let targets = self.targets(table);
                if targets.is_empty() {
                    self.flaw(Flaw::Indirect, at);
                }
                targets.into_iter().for_each(|target| self.reach(target, registers));
            }
            _ if word.rd == 0 && LINKS.contains(&word.rs1) => {
                if registers.stack().is_some_and(|offset| offset < 0) {
                    self.flaw(Flaw::Return, at);
                }
            }
            _ => {
                self.flaw(Flaw::Indirect, at);
                self.come_back(word.rd, registers, next);
            }
        }
    }

    /// Places inside the function that a table names. The words of a table behind it may be read
    /// as well, which makes the answer larger and no less safe.
    fn targets(&self, table: u32) -> Vec<u32> {
        let entries = (table..).step_by(4).map_while(|address| self.image.constant(address));
        entries.take_while(|entry| self.words.contains_key(entry)).collect()
    }

    fn reach(&mut self, at: u32, registers: &Registers) {
        if self.settled.contains(&at) {
            return;
        }
        let both = match self.seen.get(&at) {
            Some(seen) => seen.meet(registers),
            None => registers.clone(),
        };
        if self.seen.get(&at) != Some(&both) {
            self.seen.insert(at, both);
            self.open.push(at);
        }
    }

    fn traps(&mut self, at: u32, to: Value) {
        match to {
            // The two low bits say how traps go there.
            Value::Known(to) => self.function.traps_to = Some(to & !3),
            _ => self.flaw(Flaw::Trap, at),
        }
    }

    /// Notes how deep the stack is now; a stack pointer that cannot be told any more is told once.
    fn deepen(&mut self, at: u32, before: Option<i32>, registers: &mut Registers) {
        match registers.stack() {
            Some(offset) if offset > DEEPEST => {
                let depth = offset.min(0).unsigned_abs();
                self.function.frame = self.function.frame.max(depth);
            }
            _ if before.is_some() => {
                self.flaw(Flaw::Stack, at);
                registers.set(SP, Value::Unknown);
            }
            _ => {}
        }
    }

    fn flaw(&mut self, flaw: Flaw, at: u32) {
        self.function.flaws.push((flaw, at));
    }
}

/// Whether an instruction says where traps go.
fn is_trap_vector(word: Instruction) -> bool {
    word.op == Op::Csrrw && word.imm == MTVEC
}

#[cfg(test)]
mod tests;
