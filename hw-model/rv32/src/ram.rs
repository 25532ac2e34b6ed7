//! RAM, and beside it each instruction of it as it was decoded.
//!
//! Asked by the hart for every access; an access outside, or not aligned, answers `None` or
//! `false` and changes nothing. An instruction is decoded when it is first met. A store into a
//! line from which something was decoded forgets what it touches; other stores pay one look at
//! that line's mark.
//! Invariant: a slot is empty, or it is what the bytes at its address decode to.

use crate::costs::Costs;
use crate::{Instruction, Op, decode};

/// Words whose instructions share a mark: 64 bytes.
const LINE_WORDS: usize = 16;
/// RAM ends here at the latest: an offset that was rotated because it is not aligned lies behind.
const MAX_BYTES: usize = 1 << 30;
/// The register that takes what is written to `x0`.
pub(crate) const SINK: u8 = 32;

/// An instruction, ready to run. Writes to `x0` go to [`SINK`].
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) op: Op,
    pub(crate) rd: u8,
    pub(crate) rs1: u8,
    pub(crate) rs2: u8,
    pub(crate) imm: i32,
    /// 0 says that nothing was decoded here yet; `op` is illegal then.
    pub(crate) bytes: u8,
    /// As of [`Costs::of`], which keeps it small.
    pub(crate) cost: u8,
    /// `rd` of a load, else [`SINK`], which nobody reads: who reads it next waits.
    pub(crate) loads: u8,
}

impl Slot {
    const EMPTY: Self =
        Self { op: Op::Illegal, rd: SINK, rs1: 0, rs2: 0, imm: 0, bytes: 0, cost: 1, loads: SINK };

    fn new(instruction: Instruction, costs: &Costs) -> Self {
        let Instruction { op, rd, rs1, rs2, imm, bytes } = instruction;
        let rd = if rd == 0 { SINK } else { rd };
        let cost = costs.of(op) as u8;
        let is_load = matches!(op, Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu);
        let loads = if is_load { rd } else { SINK };
        Self { op, rd, rs1, rs2, imm, bytes, cost, loads }
    }

    /// Whether it reads what a load into `loaded` brings.
    #[inline(always)]
    pub(crate) fn reads(&self, loaded: u8) -> bool {
        self.rs1 == loaded || self.rs2 == loaded
    }
}

/// The memory of a hart. Offsets count from its base.
pub(crate) struct Ram {
    pub(crate) base: u32,
    words: Vec<u32>,
    /// One for each halfword.
    slots: Vec<Slot>,
    /// One for each line: whether a byte of it was ever decoded.
    marks: Vec<bool>,
}

impl Ram {
    pub(crate) fn new(base: u32, bytes: usize) -> Self {
        assert!(base.is_multiple_of(4), "RAM begins at a word");
        assert!(bytes.is_multiple_of(4) && bytes <= MAX_BYTES, "RAM is whole words, at most 1 GiB");
        let words = bytes / 4;
        Self {
            base,
            words: vec![0; words],
            slots: vec![Slot::EMPTY; 2 * words],
            marks: vec![false; words.div_ceil(LINE_WORDS)],
        }
    }

    /// The slot at an even offset.
    #[inline(always)]
    pub(crate) fn slot(&self, offset: u32) -> Option<Slot> {
        self.slots.get((offset >> 1) as usize).copied()
    }

    // Rotating takes alignment and range into one comparison: the low bits of an offset that is
    // not aligned become its highest ones.

    #[inline(always)]
    pub(crate) fn word(&self, offset: u32) -> Option<u32> {
        self.words.get(offset.rotate_right(2) as usize).copied()
    }

    #[inline(always)]
    pub(crate) fn half(&self, offset: u32) -> Option<u16> {
        let half = offset.rotate_right(1);
        let word = self.words.get((half >> 1) as usize)?;
        Some((word >> ((half & 1) * 16)) as u16)
    }

    /// Whether an instruction at an even offset lies in two words, which are fetched one by one.
    #[inline(always)]
    pub(crate) fn straddles(&self, offset: u32) -> bool {
        offset & 2 != 0 && self.half(offset).is_some_and(|half| half & 3 == 3)
    }

    #[inline(always)]
    pub(crate) fn byte(&self, offset: u32) -> Option<u8> {
        let word = self.words.get((offset >> 2) as usize)?;
        Some((word >> ((offset & 3) * 8)) as u8)
    }

    #[inline(always)]
    pub(crate) fn set_word(&mut self, offset: u32, value: u32) -> bool {
        self.replace(offset.rotate_right(2), u32::MAX, value)
    }

    #[inline(always)]
    pub(crate) fn set_half(&mut self, offset: u32, value: u16) -> bool {
        let half = offset.rotate_right(1);
        let shift = (half & 1) * 16;
        self.replace(half >> 1, 0xffff << shift, u32::from(value) << shift)
    }

    #[inline(always)]
    pub(crate) fn set_byte(&mut self, offset: u32, value: u8) -> bool {
        let shift = (offset & 3) * 8;
        self.replace(offset >> 2, 0xff << shift, u32::from(value) << shift)
    }

    /// Replaces the bits under `mask` of a word.
    #[inline(always)]
    fn replace(&mut self, word: u32, mask: u32, value: u32) -> bool {
        let word = word as usize;
        let Some(old) = self.words.get_mut(word) else { return false };
        *old = (*old & !mask) | value;
        if self.marks.get(word / LINE_WORDS) == Some(&true) {
            self.forget(word);
        }
        true
    }

    /// Forgets the instructions that a word holds a part of: two that begin in it, and a long
    /// one that began in the halfword before.
    #[cold]
    fn forget(&mut self, word: usize) {
        let end = 2 * word + 2;
        self.slots[(2 * word).saturating_sub(1)..end].fill(Slot::EMPTY);
    }

    /// Decodes the instruction at an even offset inside RAM.
    ///
    /// # Errors
    ///
    /// The offset behind RAM at which its second half would lie.
    #[cold]
    pub(crate) fn fill(&mut self, offset: u32, costs: &Costs) -> Result<(), u32> {
        let word = self.instruction_word(offset)?;
        let slot = Slot::new(decode(word), costs);
        self.slots[(offset >> 1) as usize] = slot;
        for at in [offset, offset + u32::from(slot.bytes) - 1] {
            self.marks[at as usize / (4 * LINE_WORDS)] = true;
        }
        Ok(())
    }

    /// The instruction at an even offset, two bytes or four of it.
    ///
    /// # Errors
    ///
    /// The offset of the half that is not in RAM.
    pub(crate) fn instruction_word(&self, offset: u32) -> Result<u32, u32> {
        let low = self.half(offset).ok_or(offset)?;
        if low & 3 != 3 {
            return Ok(u32::from(low));
        }
        let behind = offset.wrapping_add(2);
        let high = self.half(behind).ok_or(behind)?;
        Ok(u32::from(high) << 16 | u32::from(low))
    }
}
