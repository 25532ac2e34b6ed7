//! The total parser: any 64 bytes to a head, or to the reason why not.
//!
//! From `ring`, to the verbs. It judges form only (opcode, kind, flags, chaining, reserved
//! fields); whether a handle names anything is for the table to say. Never panics, whatever
//! the bytes; `abi::host::command` has the layout.

use abi::host::command::{
    CLASSES, CONTINUATION_VARIABLES, CommandHeader, FLAGS, Flag, Opcode, STATE_OFFSET, Slot,
    continuations,
};
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::status::{Detail, Kind};
use abi::layout::Field;

/// Words of a slot.
const SLOT_WORDS: usize = limit::SLOT_BYTES as usize / 4;
/// Words of variables in a continuation slot.
pub(crate) const CONTINUATION_WORDS: usize = SLOT_WORDS - CONTINUATION_VARIABLES / 4;
const _: () = assert!(CONTINUATION_VARIABLES == 8, "two words stand before the variables");
const _: () = assert!(limit::BLOCK_SLOTS_MAX.is_power_of_two(), "`place` cuts by a mask");

/// What the first slot of a block says, checked for form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// One of the five operations.
    pub opcode: Opcode,
    /// Neighbor, path or connection.
    pub kind: Kind,
    /// Flags; no unknown ones.
    pub flags: u16,
    /// The object named, or null.
    pub handle: Handle,
    /// Continuation slots that follow.
    pub continuations: u32,
    /// Where in the result buffer state or status bytes go; 0 for nowhere.
    pub state_offset: u32,
}

/// A block: its slots one after another, and a place for the slot behind them.
#[derive(Clone, Debug)]
pub struct Block {
    slots: [Slot; limit::BLOCK_SLOTS_MAX as usize],
    /// Slots that are the block's.
    count: u32,
}

impl Default for Block {
    fn default() -> Self {
        Self::empty()
    }
}

impl Block {
    /// A block without slots.
    #[must_use]
    pub const fn empty() -> Self {
        Self { slots: [[0; SLOT_WORDS]; limit::BLOCK_SLOTS_MAX as usize], count: 0 }
    }

    /// The place for the next slot: the first of a new block, or, if the block `goes_on`, the one
    /// behind its own. Past the longest block the last place is used again.
    pub fn next_slot(&mut self, goes_on: bool) -> &mut Slot {
        if !goes_on {
            self.count = 0;
        }
        &mut self.slots[place(self.count)]
    }

    /// The slot behind the block's own: the one that came last.
    #[must_use]
    pub fn latest(&self) -> &Slot {
        &self.slots[place(self.count)]
    }

    /// The slot that came last is the block's.
    pub fn keep_latest(&mut self) {
        if self.count < limit::BLOCK_SLOTS_MAX {
            self.count += 1;
        }
    }

    /// Makes the slot that came last the first of a new block.
    pub fn restart(&mut self) {
        self.slots[0] = *self.latest();
        self.count = 0;
    }

    /// Slots so far.
    #[must_use]
    pub const fn slots(&self) -> u32 {
        self.count
    }

    /// The handle that the first slot carries, whatever it is.
    pub(crate) fn handle(&self) -> Handle {
        Handle(header(self.first()).handle)
    }

    /// The first slot, where a block's variables and its selection stand.
    pub(crate) const fn first(&self) -> &Slot {
        &self.slots[0]
    }

    /// Variables of continuation slot `NUMBER`, from 1.
    pub(crate) fn continuation<const NUMBER: usize>(&self) -> &[u32; CONTINUATION_WORDS] {
        const { assert!(NUMBER > 0 && NUMBER < limit::BLOCK_SLOTS_MAX as usize) };
        let [_, _, words @ ..] = &self.slots[NUMBER];
        words
    }

    /// Parses the first slot.
    ///
    /// # Errors
    /// The detail with which the block fails.
    pub fn head(&self) -> Result<Head, Detail> {
        head(self.first())
    }
}

/// The fields that only a tree's first slot carries.
#[must_use]
pub fn header(slot: &Slot) -> CommandHeader {
    CommandHeader::read(slot)
}

/// The place of slot `number` in a block.
const fn place(number: u32) -> usize {
    (number & (limit::BLOCK_SLOTS_MAX - 1)) as usize
}

fn head(words: &Slot) -> Result<Head, Detail> {
    let header = CommandHeader::read(words);
    let opcode = Opcode(header.opcode);
    if !Opcode::ALL.contains(&opcode) {
        return Err(Detail::OPCODE);
    }
    let kind = Kind(header.kind);
    let is_kind = kind == Kind::NEIGHBOR || kind == Kind::PATH || kind == Kind::CONNECTION;
    let flags = header.flags;
    if !is_kind || flags & !FLAGS != 0 || !fits(opcode, kind, flags) {
        return Err(Detail::KIND);
    }
    let is_first = Flag::FIRST.is_in(flags);
    if !is_first && (header.tag != 0 || header.result_units != 0 || header.result != 0) {
        return Err(Detail::RESERVED);
    }
    if Flag::PLACEHOLDER.is_in(flags) && header.handle != 0 {
        return Err(Detail::RESERVED);
    }
    let state_offset = u32::get(words, STATE_OFFSET);
    if !state_offset.is_multiple_of(limit::DMA_ALIGN) {
        return Err(Detail::RESULT_BUFFER);
    }
    Ok(Head {
        opcode,
        kind,
        flags,
        handle: Handle(header.handle),
        continuations: continuations(opcode, kind, flags),
        state_offset,
    })
}

/// Whether the flags have a meaning for this operation on this kind.
fn fits(opcode: Opcode, kind: Kind, flags: u16) -> bool {
    let is_placeholder = Flag::PLACEHOLDER.is_in(flags);
    let is_selection = Flag::LIST.is_in(flags) || Flag::ALL_OF.is_in(flags);
    if is_placeholder && (flags & CLASSES != 0 || is_selection || kind == Kind::CONNECTION) {
        return false;
    }
    if is_selection
        && (opcode != Opcode::UPDATE
            || kind != Kind::NEIGHBOR
            || Flag::LIST.is_in(flags) && Flag::ALL_OF.is_in(flags))
    {
        return false;
    }
    // IPV6 tells how a path's addresses read; nothing else has any.
    !Flag::IPV6.is_in(flags) || kind == Kind::PATH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_continuation_past_the_longest_block_is_dropped() {
        let mut block = Block::empty();
        for goes_on in [false, true, true, true, true, true] {
            *block.next_slot(goes_on) = [2; 16];
            block.keep_latest();
        }
        assert_eq!(block.slots(), limit::BLOCK_SLOTS_MAX);
    }

    #[test]
    fn zeroed_and_all_ones_slots_are_refused() {
        for byte in [0, u32::MAX] {
            let mut block = Block::empty();
            *block.next_slot(false) = [byte; 16];
            assert_eq!(block.head(), Err(Detail::OPCODE));
        }
    }
}
