//! The total parser: any 64 bytes to a head, or to the reason why not.
//!
//! From `ring`, to the verbs. It judges form only (opcode, kind, flags, chaining, reserved
//! fields); whether a handle names anything is for the table to say. Never panics, whatever
//! the bytes; `abi::host::command` has the layout.

use abi::host::command::{
    CLASSES, CommandHeader, FLAGS, Flag, Opcode, STATE_OFFSET, Slot, VARIABLES, continuations,
};
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::status::{Detail, Kind};
use abi::layout::Field;

/// Words of a block with all its continuation slots.
const BLOCK_WORDS: usize = limit::BLOCK_SLOTS_MAX as usize * 16;

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

/// A block: its slots one after another.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    words: [u32; BLOCK_WORDS],
    slots: u32,
}

impl Block {
    /// A block of one slot so far.
    #[must_use]
    pub fn new(slot: &Slot) -> Self {
        let mut words = [0; BLOCK_WORDS];
        for (word, value) in words.iter_mut().zip(slot) {
            *word = *value;
        }
        Self { words, slots: 1 }
    }

    /// Appends a continuation slot; past the longest block it is dropped.
    pub fn push(&mut self, slot: &Slot) {
        let start = self.slots as usize * 16;
        if let Some(room) = self.words.get_mut(start..start + 16) {
            for (word, value) in room.iter_mut().zip(slot) {
                *word = *value;
            }
            self.slots += 1;
        }
    }

    /// Slots so far.
    #[must_use]
    pub const fn slots(&self) -> u32 {
        self.slots
    }

    /// Words from byte `offset` of the block.
    pub(crate) fn at(&self, offset: usize) -> &[u32] {
        self.words.get(offset / 4..).unwrap_or(&[])
    }

    /// Words of the variables in the first slot.
    pub(crate) fn variables(&self) -> &[u32] {
        self.at(VARIABLES)
    }

    /// Parses the first slot.
    ///
    /// # Errors
    /// The detail with which the block fails.
    pub fn head(&self) -> Result<Head, Detail> {
        head(&self.words)
    }
}

/// The fields that only a tree's first slot carries.
#[must_use]
pub fn header(slot: &Slot) -> CommandHeader {
    CommandHeader::read(slot)
}

fn head(words: &[u32; BLOCK_WORDS]) -> Result<Head, Detail> {
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
        let mut block = Block::new(&[1; 16]);
        for _ in 0..9 {
            block.push(&[2; 16]);
        }
        assert_eq!(block.slots(), limit::BLOCK_SLOTS_MAX);
    }

    #[test]
    fn zeroed_and_all_ones_slots_are_refused() {
        assert_eq!(Block::new(&[0; 16]).head(), Err(Detail::OPCODE));
        assert_eq!(Block::new(&[u32::MAX; 16]).head(), Err(Detail::OPCODE));
    }
}
