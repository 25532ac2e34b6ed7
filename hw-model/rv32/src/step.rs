//! The whole path: one instruction of any kind that `sprint` left, with bus, CSRs and traps.
//!
//! Called by `run` for the instruction at `pc`. Each ends in one of two ways: it retires, or it
//! traps and changes nothing but what the trap records.
//! Spec: Volume II, section 3.1.15 for the order of exceptions, 3.3.3 for `wfi`.

use crate::bus::{Access, Bus, Stored, Width};
use crate::csr::Moment;
use crate::ram::Slot;
use crate::{Cause, Hart, Op, Stop};

impl Hart {
    /// Runs the instruction at `pc`, or only decodes it if it was not yet.
    #[inline(never)]
    pub(crate) fn step<B: Bus>(&mut self, bus: &mut B) -> Option<Stop> {
        let offset = self.pc.wrapping_sub(self.ram.base);
        let Some(slot) = self.ram.slot(offset) else {
            self.trap(Cause::FetchFault, self.pc);
            return None;
        };
        if slot.bytes == 0 {
            if let Err(outside) = self.ram.fill(offset, &self.costs) {
                self.trap(Cause::FetchFault, self.ram.base.wrapping_add(outside));
            }
            return None;
        }
        match slot.op {
            Op::Lb => self.load(bus, slot, Width::Byte, |value| value as i8 as u32),
            Op::Lbu => self.load(bus, slot, Width::Byte, |value| value & 0xff),
            Op::Lh => self.load(bus, slot, Width::Half, |value| value as i16 as u32),
            Op::Lhu => self.load(bus, slot, Width::Half, |value| value & 0xffff),
            Op::Lw => self.load(bus, slot, Width::Word, |value| value),
            Op::Sb => return self.store(bus, slot, Width::Byte),
            Op::Sh => return self.store(bus, slot, Width::Half),
            Op::Sw => return self.store(bus, slot, Width::Word),
            Op::Fence => {
                let stall = bus.fence(self.cycles);
                self.retire(slot, stall);
            }
            // Stores forget what they overwrite at once, so there is nothing to wait for.
            Op::FenceI => self.retire(slot, 0),
            Op::Wfi => return self.wait(bus, slot),
            Op::Mret => {
                self.retire(slot, 0);
                self.pc = self.csrs.leave();
            }
            Op::Ecall => self.trap(Cause::Call, 0),
            Op::Ebreak => self.trap(Cause::Breakpoint, self.pc),
            Op::Csrrw | Op::Csrrwi | Op::Csrrs | Op::Csrrsi | Op::Csrrc | Op::Csrrci => {
                self.access_csr(bus, slot);
            }
            _ => self.illegal(),
        }
        None
    }

    fn load<B: Bus>(&mut self, bus: &mut B, slot: Slot, width: Width, extend: fn(u32) -> u32) {
        let address = self.reach(slot);
        if !address.is_multiple_of(width.bytes()) {
            return self.trap(Cause::LoadMisaligned, address);
        }
        match bus.load(self.cycles, address, width) {
            Ok(Access { value, stall }) => {
                self.registers[usize::from(slot.rd)] = extend(value);
                self.retire(slot, stall);
            }
            Err(_) => self.trap(Cause::LoadFault, address),
        }
    }

    fn store<B: Bus>(&mut self, bus: &mut B, slot: Slot, width: Width) -> Option<Stop> {
        let address = self.reach(slot);
        if !address.is_multiple_of(width.bytes()) {
            self.trap(Cause::StoreMisaligned, address);
            return None;
        }
        let mask = u32::MAX >> (32 - 8 * width.bytes());
        let value = self.registers[usize::from(slot.rs2)] & mask;
        match bus.store(self.cycles, address, width, value) {
            Ok(Stored { stall, is_boundary }) => {
                self.retire(slot, stall);
                is_boundary.then_some(Stop::Boundary)
            }
            Err(_) => {
                self.trap(Cause::StoreFault, address);
                None
            }
        }
    }

    /// `wfi`: falls through while the line is high and its interrupt enabled by itself, whatever
    /// `mstatus` says. If it is enabled there too, `run` takes it before the next instruction.
    fn wait<B: Bus>(&mut self, bus: &mut B, slot: Slot) -> Option<Stop> {
        if !(self.csrs.is_woken_by_line() && bus.wakes()) {
            self.asleep_since.get_or_insert(self.cycles);
            return Some(Stop::Waiting);
        }
        let woken = self.cycles;
        let began = self.asleep_since.take();
        self.retire(slot, 0);
        if let Some(began) = began {
            let earliest = began + u64::from(slot.cost);
            self.cycles = earliest.max(woken + u64::from(self.costs.awake.max(1)));
        }
        None
    }

    /// A CSR instruction. It writes unless it would set or clear with `x0` or with 0 (Volume I,
    /// "Zicsr", table 9).
    fn access_csr<B: Bus>(&mut self, bus: &mut B, slot: Slot) {
        let address = slot.imm as u32;
        let line = address == crate::csr::MIP && bus.wakes();
        let Some(old) = self.csrs.read(address, self.moment(line)) else {
            return self.illegal();
        };
        let operand = match slot.op {
            Op::Csrrw | Op::Csrrs | Op::Csrrc => self.registers[usize::from(slot.rs1)],
            _ => u32::from(slot.rs1),
        };
        let new = match slot.op {
            Op::Csrrw | Op::Csrrwi => Some(operand),
            _ if slot.rs1 == 0 => None,
            Op::Csrrs | Op::Csrrsi => Some(old | operand),
            _ => Some(old & !operand),
        };
        let behind = Moment {
            cycles: self.cycles + u64::from(slot.cost),
            instructions: self.instructions + 1,
            line,
        };
        if new.is_some_and(|new| !self.csrs.write(address, new, behind)) {
            return self.illegal();
        }
        self.registers[usize::from(slot.rd)] = old;
        self.retire(slot, 0);
    }

    /// Traps with the instruction's own bits.
    fn illegal(&mut self) {
        let word = self.ram.instruction_word(self.pc.wrapping_sub(self.ram.base));
        self.trap(Cause::Illegal, word.expect("it was decoded from RAM"));
    }

    /// The instruction is done: time passes, the next one is behind it.
    fn retire(&mut self, slot: Slot, stall: u32) {
        self.pc = self.pc.wrapping_add(u32::from(slot.bytes));
        self.cycles += u64::from(slot.cost) + u64::from(stall) + self.waits(slot);
        self.loaded = slot.loads;
        self.instructions += 1;
    }

    /// Cycles that the instruction waits for what was loaded just before it.
    fn waits(&self, slot: Slot) -> u64 {
        // What these have in place of a register is a number.
        let is_number = matches!(slot.op, Op::Csrrwi | Op::Csrrsi | Op::Csrrci);
        let waits = slot.reads(self.loaded) && !is_number;
        if waits { u64::from(self.costs.load_use) } else { 0 }
    }

    /// The address of a load or store.
    fn reach(&self, slot: Slot) -> u32 {
        self.registers[usize::from(slot.rs1)].wrapping_add_signed(slot.imm)
    }
}
