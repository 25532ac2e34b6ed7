//! Cycles an instruction takes, each a named constant with its source.
//!
//! Asked once for each instruction that is decoded; what depends on operands (a branch taken, a
//! divisor of zero) or on what stands around it (a load just before, a target in two words) is kept
//! apart. The core is Ibex with a writeback stage, a branch target ALU and the single-cycle
//! multiplier; RAM answers in one cycle. Stalls of a bus come on top.
//! Source: Ibex reference guide, "Pipeline Details": its table counts stall cycles, which are
//! one less than the cycles here. "Fit" is a measurement on the core's RTL: these costs brought
//! 8.5 million instructions of firmware within 1.4 % of its cycles.

use crate::Op;

/// Arithmetic and logic. Ibex: no stall.
pub const ARITHMETIC_CYCLES: u32 = 1;
/// A load from RAM. Ibex: one stall without the writeback stage, which hides it. Fit.
pub const LOAD_CYCLES: u32 = 1;
/// What an instruction waits that reads the register which the one before it loads. Ibex: the value
/// is written to the register file when it comes, and not forwarded ("Load-use hazard" of the
/// writeback stage).
pub const LOAD_USE_CYCLES: u32 = 1;
/// A store to RAM. As a load. Fit.
pub const STORE_CYCLES: u32 = 1;
/// `jal`, `jalr`. Ibex: one stall, to fetch from the target.
pub const JUMP_CYCLES: u32 = 2;
/// A branch not taken. Ibex: no stall.
pub const BRANCH_CYCLES: u32 = 1;
/// A branch taken. Ibex: one stall with the branch target ALU. Fit.
pub const BRANCH_TAKEN_CYCLES: u32 = 2;
/// What a jump or a taken branch takes longer to an instruction of four bytes that begins in the
/// middle of a word. Ibex: the prefetch buffer begins anew with one word a cycle, and has to have
/// both.
pub const STRADDLED_TARGET_CYCLES: u32 = 1;
/// `mul`. Ibex: no stall with the single-cycle multiplier.
pub const MULTIPLY_CYCLES: u32 = 1;
/// `mulh`, `mulhsu`, `mulhu`. Ibex: one stall with the single-cycle multiplier.
pub const MULTIPLY_HIGH_CYCLES: u32 = 2;
/// `div`, `divu`, `rem`, `remu`. The states of Ibex's divider: 31 steps and 6 around them. The
/// fit found 18, on a program with few divisions; a division then hardly shows in the sum, so
/// the states count, which do not depend on the operands.
pub const DIVIDE_CYCLES: u32 = 37;
/// The same with a divisor of 0. Ibex: one stall, the first and the last state.
pub const DIVIDE_BY_ZERO_CYCLES: u32 = 2;
/// An access to a CSR. Ibex: no stall.
pub const CSR_CYCLES: u32 = 1;
/// `fence`. A core that completes its accesses in order has nothing to wait for.
pub const FENCE_CYCLES: u32 = 1;
/// `fence.i`. Ibex: a jump to the next instruction.
pub const FENCE_I_CYCLES: u32 = JUMP_CYCLES;
/// Entering a trap. Estimate: the pipeline is flushed, then a jump through the vector.
pub const TRAP_CYCLES: u32 = 4;
/// `mret`. Estimate: as entering.
pub const MRET_CYCLES: u32 = 4;
/// A `wfi` that falls through. The states of Ibex's controller: DECODE, FLUSH, WAIT_SLEEP, SLEEP,
/// FIRST_FETCH.
pub const WFI_CYCLES: u32 = 5;
/// From the line that ends a sleep to the next instruction, at least: SLEEP sees it, FIRST_FETCH.
pub const AWAKE_CYCLES: u32 = 2;

/// What an instruction costs at most.
const MAX_CYCLES: u32 = u8::MAX as u32;

/// The costs of one core. A cost of 0 counts as 1, since time passes with every instruction; one
/// beyond 255 counts as 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// See [`ARITHMETIC_CYCLES`].
    pub arithmetic: u32,
    /// See [`LOAD_CYCLES`].
    pub load: u32,
    /// See [`LOAD_USE_CYCLES`]; 0 where values are forwarded.
    pub load_use: u32,
    /// See [`STORE_CYCLES`].
    pub store: u32,
    /// See [`JUMP_CYCLES`].
    pub jump: u32,
    /// See [`BRANCH_CYCLES`].
    pub branch: u32,
    /// See [`BRANCH_TAKEN_CYCLES`].
    pub branch_taken: u32,
    /// See [`STRADDLED_TARGET_CYCLES`]; 0 where fetches are not of words.
    pub straddled_target: u32,
    /// See [`MULTIPLY_CYCLES`].
    pub multiply: u32,
    /// See [`MULTIPLY_HIGH_CYCLES`].
    pub multiply_high: u32,
    /// See [`DIVIDE_CYCLES`].
    pub divide: u32,
    /// See [`DIVIDE_BY_ZERO_CYCLES`].
    pub divide_by_zero: u32,
    /// See [`CSR_CYCLES`].
    pub csr: u32,
    /// See [`FENCE_CYCLES`].
    pub fence: u32,
    /// See [`FENCE_I_CYCLES`].
    pub fence_i: u32,
    /// See [`TRAP_CYCLES`].
    pub trap: u32,
    /// See [`MRET_CYCLES`].
    pub mret: u32,
    /// See [`WFI_CYCLES`].
    pub wfi: u32,
    /// See [`AWAKE_CYCLES`].
    pub awake: u32,
}

impl Costs {
    /// The core that this file describes.
    pub const IBEX: Self = Self {
        arithmetic: ARITHMETIC_CYCLES,
        load: LOAD_CYCLES,
        load_use: LOAD_USE_CYCLES,
        store: STORE_CYCLES,
        jump: JUMP_CYCLES,
        branch: BRANCH_CYCLES,
        branch_taken: BRANCH_TAKEN_CYCLES,
        straddled_target: STRADDLED_TARGET_CYCLES,
        multiply: MULTIPLY_CYCLES,
        multiply_high: MULTIPLY_HIGH_CYCLES,
        divide: DIVIDE_CYCLES,
        divide_by_zero: DIVIDE_BY_ZERO_CYCLES,
        csr: CSR_CYCLES,
        fence: FENCE_CYCLES,
        fence_i: FENCE_I_CYCLES,
        trap: TRAP_CYCLES,
        mret: MRET_CYCLES,
        wfi: WFI_CYCLES,
        awake: AWAKE_CYCLES,
    };

    /// What `op` costs with a branch not taken and a divisor that is not 0. A trap has its own
    /// cost in place of this.
    #[must_use]
    pub fn of(&self, op: Op) -> u32 {
        let cycles = match op {
            Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu => self.load,
            Op::Sb | Op::Sh | Op::Sw => self.store,
            Op::Jal | Op::Jalr => self.jump,
            Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => self.branch,
            Op::Mul => self.multiply,
            Op::Mulh | Op::Mulhsu | Op::Mulhu => self.multiply_high,
            Op::Div | Op::Divu | Op::Rem | Op::Remu => self.divide,
            Op::Csrrw | Op::Csrrs | Op::Csrrc | Op::Csrrwi | Op::Csrrsi | Op::Csrrci => self.csr,
            Op::Fence => self.fence,
            Op::FenceI => self.fence_i,
            Op::Mret => self.mret,
            Op::Wfi => self.wfi,
            Op::Illegal | Op::Ecall | Op::Ebreak => self.trap,
            _ => self.arithmetic,
        };
        cycles.clamp(1, MAX_CYCLES)
    }

    /// What a branch that is taken costs beyond one that is not.
    pub(crate) fn added_if_taken(&self) -> u64 {
        u64::from(self.branch_taken.saturating_sub(self.of(Op::Beq)))
    }

    /// What a division by 0 spares.
    pub(crate) fn spared_by_zero(&self) -> u64 {
        u64::from(self.of(Op::Div).saturating_sub(self.divide_by_zero.max(1)))
    }
}

impl Default for Costs {
    fn default() -> Self {
        Self::IBEX
    }
}
