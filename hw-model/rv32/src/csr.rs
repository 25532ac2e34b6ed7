//! The control and status registers of machine mode.
//!
//! Written by the firmware's CSR instructions and by traps; asked by the hart for its vector and
//! for what wakes it. Those that are here are the ones that firmware of a bare machine needs;
//! every other address is an illegal instruction.
//! Spec: Volume II, chapter 2 (addresses) and section 3.1 (machine-level CSRs); Volume I,
//! "Zicntr" for the counters' shadows.

/// Status: `MIE` in bit 3, `MPIE` in bit 7; `MPP` always says machine mode.
pub const MSTATUS: u32 = 0x300;
/// The instruction set: RV32IMC. Writes are ignored.
pub const MISA: u32 = 0x301;
/// Which interrupts are enabled: bit 11, the external one.
pub const MIE: u32 = 0x304;
/// Where traps go: bit 0 says vectored.
pub const MTVEC: u32 = 0x305;
/// A word for the trap handler.
pub const MSCRATCH: u32 = 0x340;
/// Where the trap came from.
pub const MEPC: u32 = 0x341;
/// Why the trap came.
pub const MCAUSE: u32 = 0x342;
/// The address or instruction at fault.
pub const MTVAL: u32 = 0x343;
/// Which interrupts are pending. Writes are ignored.
pub const MIP: u32 = 0x344;
/// Cycles, low word.
pub const MCYCLE: u32 = 0xb00;
/// Instructions retired, low word.
pub const MINSTRET: u32 = 0xb02;
/// Cycles, high word.
pub const MCYCLEH: u32 = 0xb80;
/// Instructions retired, high word.
pub const MINSTRETH: u32 = 0xb82;
/// [`MCYCLE`], read-only.
pub const CYCLE: u32 = 0xc00;
/// [`MINSTRET`], read-only.
pub const INSTRET: u32 = 0xc02;
/// [`MCYCLEH`], read-only.
pub const CYCLEH: u32 = 0xc80;
/// [`MINSTRETH`], read-only.
pub const INSTRETH: u32 = 0xc82;
/// Vendor: 0, not a commercial core.
pub const MVENDORID: u32 = 0xf11;
/// Architecture: 0.
pub const MARCHID: u32 = 0xf12;
/// Implementation: 0.
pub const MIMPID: u32 = 0xf13;
/// This hart: 0, the only one.
pub const MHARTID: u32 = 0xf14;

const STATUS_MIE: u32 = 1 << 3;
const STATUS_MPIE: u32 = 1 << 7;
/// `MPP`: the mode before the trap. There is only one.
const STATUS_MPP: u32 = 3 << 11;
/// The machine external interrupt, in `mie` and `mip`.
const EXTERNAL: u32 = 1 << 11;
/// 32 bits wide; extensions I, M and C.
const ISA: u32 = 1 << 30 | 1 << 12 | 1 << 8 | 1 << 2;
const VECTORED: u32 = 1;
/// The highest bit of `mcause`: an interrupt.
const INTERRUPT: u32 = 1 << 31;

/// What a read needs to know of the hart around the registers.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) cycles: u64,
    pub(crate) instructions: u64,
    /// The external interrupt line.
    pub(crate) line: bool,
}

/// The registers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Csrs {
    is_enabled: bool,
    was_enabled: bool,
    external_enabled: bool,
    mtvec: u32,
    mscratch: u32,
    mepc: u32,
    mcause: u32,
    mtval: u32,
    /// What the firmware's writes added to the hart's counters.
    cycle_shift: u64,
    instret_shift: u64,
}

impl Csrs {
    /// Whether the external interrupt is enabled by itself: the line then ends a `wfi`.
    pub(crate) fn is_woken_by_line(&self) -> bool {
        self.external_enabled
    }

    /// Whether the external interrupt would be taken.
    pub(crate) fn is_interruptible(&self) -> bool {
        self.is_enabled && self.external_enabled
    }

    /// Notes a trap. Answers the address of its handler.
    pub(crate) fn enter(&mut self, cause: Cause, pc: u32, value: u32) -> u32 {
        self.mepc = pc;
        self.mcause = cause.code();
        self.mtval = value;
        self.was_enabled = std::mem::take(&mut self.is_enabled);
        let base = self.mtvec & !3;
        match cause {
            Cause::External if self.mtvec & VECTORED != 0 => {
                base.wrapping_add(4 * (cause.code() & !INTERRUPT))
            }
            _ => base,
        }
    }

    /// Leaves a trap. Answers the address to go on at.
    pub(crate) fn leave(&mut self) -> u32 {
        self.is_enabled = std::mem::replace(&mut self.was_enabled, true);
        self.mepc
    }

    /// What is at `address`, or `None` if nothing is.
    pub(crate) fn read(&self, address: u32, moment: Moment) -> Option<u32> {
        let cycles = moment.cycles.wrapping_add(self.cycle_shift);
        let instret = moment.instructions.wrapping_add(self.instret_shift);
        Some(match address {
            MSTATUS => self.status(),
            MISA => ISA,
            MIE => if_set(self.external_enabled, EXTERNAL),
            MTVEC => self.mtvec,
            MSCRATCH => self.mscratch,
            MEPC => self.mepc,
            MCAUSE => self.mcause,
            MTVAL => self.mtval,
            MIP => if_set(moment.line, EXTERNAL),
            MCYCLE | CYCLE => cycles as u32,
            MCYCLEH | CYCLEH => (cycles >> 32) as u32,
            MINSTRET | INSTRET => instret as u32,
            MINSTRETH | INSTRETH => (instret >> 32) as u32,
            MVENDORID | MARCHID | MIMPID | MHARTID => 0,
            _ => return None,
        })
    }

    /// Writes a register that can be read. `behind` is the moment at which the instruction is
    /// done: a counter has the written value then. Answers whether the register takes writes
    /// at all; bits that are not implemented are ignored.
    pub(crate) fn write(&mut self, address: u32, value: u32, behind: Moment) -> bool {
        match address {
            MSTATUS => {
                self.is_enabled = value & STATUS_MIE != 0;
                self.was_enabled = value & STATUS_MPIE != 0;
            }
            MISA | MIP => {}
            MIE => self.external_enabled = value & EXTERNAL != 0,
            MTVEC => self.mtvec = value & !2,
            MSCRATCH => self.mscratch = value,
            MEPC => self.mepc = value & !1,
            MCAUSE => self.mcause = value,
            MTVAL => self.mtval = value,
            MCYCLE | MCYCLEH => shift(&mut self.cycle_shift, behind.cycles, address, value),
            MINSTRET | MINSTRETH => {
                shift(&mut self.instret_shift, behind.instructions, address, value);
            }
            _ => return false,
        }
        true
    }

    fn status(&self) -> u32 {
        STATUS_MPP | if_set(self.is_enabled, STATUS_MIE) | if_set(self.was_enabled, STATUS_MPIE)
    }
}

/// Why a trap is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    FetchFault,
    Illegal,
    Breakpoint,
    LoadMisaligned,
    LoadFault,
    StoreMisaligned,
    StoreFault,
    Call,
    External,
}

impl Cause {
    /// As in `mcause`: Volume II, table 14.
    fn code(self) -> u32 {
        match self {
            Self::FetchFault => 1,
            Self::Illegal => 2,
            Self::Breakpoint => 3,
            Self::LoadMisaligned => 4,
            Self::LoadFault => 5,
            Self::StoreMisaligned => 6,
            Self::StoreFault => 7,
            Self::Call => 11,
            Self::External => INTERRUPT | 11,
        }
    }
}

/// Moves a counter so that its low or high word reads as `value`.
fn shift(shift: &mut u64, counter: u64, address: u32, value: u32) {
    let old = counter.wrapping_add(*shift);
    let new = if matches!(address, MCYCLEH | MINSTRETH) {
        old & 0xffff_ffff | u64::from(value) << 32
    } else {
        old & !0xffff_ffff | u64::from(value)
    };
    *shift = new.wrapping_sub(counter);
}

fn if_set(is_set: bool, bits: u32) -> u32 {
    if is_set { bits } else { 0 }
}
