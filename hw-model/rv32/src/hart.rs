//! A hart: registers, RAM, counters, and the loop that runs it.
//!
//! From a loaded image, to whoever advances a machine's time. Two paths: `sprint` runs what needs
//! nobody else, many instructions at a time; `step` runs one of any kind and knows the bus,
//! CSRs and traps. Both leave the hart between two instructions.
//! What it does not do: time of its own while it waits; the caller says how long that was.
//! Spec: Volume I, chapters "RV32I" and "M"; Volume II, section 3.1 and 3.3.

use std::fmt;

use crate::costs::Costs;
use crate::csr::{Csrs, Moment};
use crate::ram::{Ram, SINK};
use crate::{Bus, Cause};

/// A 32-bit hart in machine mode, with RAM of its own.
pub struct Hart {
    /// `x0` to `x31` and [`SINK`]. So many that a `u8` cannot miss: no index is checked.
    pub(crate) registers: [u32; 256],
    pub(crate) pc: u32,
    pub(crate) cycles: u64,
    pub(crate) instructions: u64,
    /// Where the instruction before has loaded to; [`SINK`] if it was no load.
    pub(crate) loaded: u8,
    /// When it reached the `wfi` at which it waits.
    pub(crate) asleep_since: Option<u64>,
    pub(crate) ram: Ram,
    pub(crate) csrs: Csrs,
    pub(crate) costs: Costs,
}

/// Why [`Hart::run`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Behind a store that the bus called a boundary.
    Boundary,
    /// At a `wfi` with nothing to wake the hart. It asks again when it is run again.
    Waiting,
    /// The next instruction would begin at or after the given cycle.
    Budget,
}

impl Hart {
    /// A hart with `bytes` of zeroed RAM from `base`, and the costs of Ibex. It begins at `base`.
    ///
    /// # Panics
    ///
    /// If RAM is not whole words or larger than 1 GiB.
    #[must_use]
    pub fn new(base: u32, bytes: usize) -> Self {
        Self::with_costs(base, bytes, Costs::IBEX)
    }

    /// The same on another core.
    ///
    /// # Panics
    ///
    /// As [`Hart::new`].
    #[must_use]
    pub fn with_costs(base: u32, bytes: usize, costs: Costs) -> Self {
        Self {
            registers: [0; 256],
            pc: base,
            cycles: 0,
            instructions: 0,
            loaded: SINK,
            asleep_since: None,
            ram: Ram::new(base, bytes),
            csrs: Csrs::default(),
            costs,
        }
    }

    /// Puts `bytes` into RAM at `address`.
    ///
    /// # Errors
    ///
    /// [`OutsideRam`] if not all of them lie in it; some may have been written.
    pub fn load_segment(&mut self, address: u32, bytes: &[u8]) -> Result<(), OutsideRam> {
        let offset = address.wrapping_sub(self.ram.base);
        for (at, &byte) in (0..).zip(bytes) {
            let is_inside = offset.checked_add(at).is_some_and(|at| self.ram.set_byte(at, byte));
            if !is_inside {
                return Err(OutsideRam { address: address.wrapping_add(at) });
            }
        }
        Ok(())
    }

    /// Begins anew at `pc`: registers and CSRs as at power-on. RAM stays, and the counters go on.
    pub fn reset(&mut self, pc: u32) {
        self.registers = [0; 256];
        self.csrs = Csrs::default();
        self.pc = pc & !1;
        self.loaded = SINK;
        self.asleep_since = None;
    }

    /// Runs until the bus calls a boundary, until a `wfi` waits, or until the next instruction
    /// would begin at or after `until_cycle`. Every instruction and every trap takes a cycle at
    /// least, so this returns whatever the firmware does.
    pub fn run<B: Bus>(&mut self, bus: &mut B, until_cycle: u64) -> Stop {
        while self.cycles < until_cycle {
            // The line is looked at before each instruction, but only while it matters.
            let is_watched = self.csrs.is_interruptible();
            if is_watched && bus.wakes() {
                self.trap(Cause::External, 0);
                continue;
            }
            let until = if is_watched { self.cycles + 1 } else { until_cycle };
            self.sprint(until);
            if self.cycles < until
                && let Some(stop) = self.step(bus)
            {
                return stop;
            }
        }
        Stop::Budget
    }

    /// Lets time pass up to `cycle` while the hart waits; an earlier cycle changes nothing.
    pub fn wait_until(&mut self, cycle: u64) {
        self.cycles = self.cycles.max(cycle);
    }

    /// Cycles since the hart was made, waiting included.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Instructions retired since the hart was made. One that traps does not retire.
    #[must_use]
    pub fn instructions(&self) -> u64 {
        self.instructions
    }

    /// Address of the next instruction.
    #[must_use]
    pub fn pc(&self) -> u32 {
        self.pc
    }

    /// The value of register `x0` to `x31`.
    ///
    /// # Panics
    ///
    /// If there is no such register.
    #[must_use]
    pub fn register(&self, number: u8) -> u32 {
        assert!(number < SINK, "a hart has 32 registers");
        self.registers[usize::from(number)]
    }

    /// Sets a register; `x0` stays 0.
    ///
    /// # Panics
    ///
    /// If there is no such register.
    pub fn set_register(&mut self, number: u8, value: u32) {
        assert!(number < SINK, "a hart has 32 registers");
        self.registers[usize::from(if number == 0 { SINK } else { number })] = value;
    }

    /// A CSR as firmware would read it with the interrupt line low; `None` if there is none.
    #[must_use]
    pub fn csr(&self, address: u32) -> Option<u32> {
        self.csrs.read(address, self.moment(false))
    }

    /// A word of RAM; `None` if it is not in RAM or not aligned.
    #[must_use]
    pub fn peek(&self, address: u32) -> Option<u32> {
        self.ram.word(address.wrapping_sub(self.ram.base))
    }

    /// Replaces a word of RAM, also one that holds instructions.
    ///
    /// # Errors
    ///
    /// [`OutsideRam`] if it is not in RAM or not aligned.
    pub fn poke(&mut self, address: u32, value: u32) -> Result<(), OutsideRam> {
        let is_inside = self.ram.set_word(address.wrapping_sub(self.ram.base), value);
        if is_inside { Ok(()) } else { Err(OutsideRam { address }) }
    }

    /// Goes to the trap handler; `pc` is still that of the instruction at fault.
    pub(crate) fn trap(&mut self, cause: Cause, value: u32) {
        self.pc = self.csrs.enter(cause, self.pc, value);
        self.loaded = SINK;
        self.asleep_since = None;
        self.cycles += u64::from(self.costs.trap.max(1));
    }

    /// What the counters say between two instructions.
    pub(crate) fn moment(&self, line: bool) -> Moment {
        Moment { cycles: self.cycles, instructions: self.instructions, line }
    }
}

impl fmt::Debug for Hart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Hart")
            .field("pc", &format_args!("{:#010x}", self.pc))
            .field("cycles", &self.cycles)
            .field("instructions", &self.instructions)
            .field("registers", &&self.registers[..32])
            .field("csrs", &self.csrs)
            .finish_non_exhaustive()
    }
}

/// An address that is not in the hart's RAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutsideRam {
    /// The first that is not.
    pub address: u32,
}

impl fmt::Display for OutsideRam {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "address {:#010x} is not in the hart's RAM, or not aligned", self.address)
    }
}

impl std::error::Error for OutsideRam {}
