//! Trees: what goes down in one operation, already in the form of slots.
//!
//! From the caller, to `session`. Five builders, one an operation, each giving the number under
//! which a block's result is found in the [`Outcome`](crate::Outcome). A path block can only be
//! made under a neighbor block, a connection block only under a path block. A builder writes
//! slots into one vector and allocates nothing else per block. Nothing is judged here.

mod initiate;
mod named;
mod update;

pub use initiate::{Initiate, NeighborBlock, PathBlock};
pub use named::{Invalidate, Query, Terminate};
pub use update::{NeighborUpdate, Update};

use abi::host::command::{
    CONTINUATION_VARIABLES, CommandHeader, Flag, Opcode, STATE_OFFSET, Slot, VARIABLES,
};
use abi::host::completion::ResultRecord;
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::status::Kind;
use abi::layout::Field;

use crate::body::{Place, PlacedList, ResultLayout};
use crate::dma::HandleList;
use crate::spare::Spare;

/// A tree ready to be submitted.
#[derive(Debug)]
pub struct Tree {
    pub(crate) body: Spare,
}

impl Tree {
    /// The operation.
    #[must_use]
    pub fn opcode(&self) -> Opcode {
        self.body.opcode
    }

    /// Blocks in the tree.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.body.blocks as usize
    }

    /// The slots as they go down, tag and result buffer aside.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.body.slots
    }

    /// Takes the lists back from a tree that was not submitted, in the order of their blocks.
    #[must_use]
    pub fn into_lists(mut self) -> Vec<HandleList> {
        std::mem::take(&mut self.body.lists).into_iter().map(|placed| placed.list).collect()
    }
}

/// Slots of a tree under construction.
#[derive(Debug)]
pub(crate) struct Slots {
    body: Spare,
}

impl Slots {
    pub(crate) fn new(opcode: Opcode, capacity: usize) -> Self {
        let mut body = Spare::with_slots(capacity);
        body.opcode = opcode;
        Self { body }
    }

    pub(crate) fn blocks(&self) -> u32 {
        self.body.blocks
    }

    /// A list that block `block`, which stands in slot `slot`, names.
    pub(crate) fn list(&mut self, list: HandleList, block: u32, slot: u32) {
        self.body.lists.push(PlacedList { list, block, slot, statuses: 0 });
    }

    /// Makes room for `slots` more.
    pub(crate) fn reserve(&mut self, slots: usize) {
        self.body.slots.reserve(slots);
    }

    /// Appends a block; gives its number.
    #[inline]
    pub(crate) fn block(
        &mut self,
        kind: Kind,
        flags: u16,
        handle: Handle,
        fill: impl FnOnce(&mut [u32]),
    ) -> usize {
        let body = &mut *self.body;
        let mut slot = [0; 16];
        let header = CommandHeader {
            opcode: body.opcode.0,
            kind: kind.0,
            flags,
            handle: handle.0,
            ..CommandHeader::default()
        };
        header.write(&mut slot);
        fill(&mut slot[VARIABLES / 4..]);
        body.slots.push(slot);
        body.blocks += 1;
        body.blocks as usize - 1
    }

    /// Appends a continuation slot of the last block with `words` of its variables.
    pub(crate) fn continuation(&mut self, kind: Kind, words: &[u32], has_more: bool) {
        let mut slot = [0; 16];
        let more = if has_more { Flag::MORE.0 } else { 0 };
        let header = CommandHeader {
            opcode: self.body.opcode.0,
            kind: kind.0,
            flags: Flag::CONTINUATION.0 | more,
            ..CommandHeader::default()
        };
        // A continuation has only the first eight bytes of a header.
        let mut head = [0; CommandHeader::BYTES / 4];
        header.write(&mut head);
        let first = CONTINUATION_VARIABLES / 4;
        slot[..first].copy_from_slice(&head[..first]);
        slot[first..first + words.len()].copy_from_slice(words);
        self.body.slots.push(slot);
    }

    /// Slots so far: the number of the next one.
    pub(crate) fn len(&self) -> usize {
        self.body.slots.len()
    }

    /// A slot by its number.
    pub(crate) fn slot_mut(&mut self, number: usize) -> Option<&mut Slot> {
        self.body.slots.get_mut(number)
    }

    /// Closes the tree: frames it and places states and statuses in the result buffer.
    /// `states` gives, a block, the bytes of its state record and its record number.
    pub(crate) fn seal(mut self, states: Option<Vec<(u32, u32)>>) -> Tree {
        let body = &mut *self.body;
        let mut end = u64::from(body.blocks) * ResultRecord::BYTES as u64;
        end = end.next_multiple_of(u64::from(limit::DMA_ALIGN));
        body.layout = match states {
            None => ResultLayout::Records,
            Some(states) => ResultLayout::States(place(&mut body.slots, states, &mut end)),
        };
        for placed in &mut body.lists {
            placed.statuses = end as u32;
            end += (placed.list.len() as u64).next_multiple_of(u64::from(limit::DMA_ALIGN));
            if let Some(slot) = body.slots.get_mut(placed.slot as usize) {
                placed.statuses.put(slot, STATE_OFFSET);
            }
        }
        if let Some(first) = body.slots.first_mut() {
            add_flag(first, Flag::FIRST);
        }
        if let Some(last) = body.slots.last_mut() {
            add_flag(last, Flag::LAST);
        }
        body.result_bytes = end;
        Tree { body: self.body }
    }
}

/// Gives every record that wants one its place for state. Blocks here are single slots.
fn place(slots: &mut [Slot], states: Vec<(u32, u32)>, end: &mut u64) -> Vec<Place> {
    let place = |(bytes, record): (u32, u32)| {
        if bytes == 0 {
            return Place { record, state: 0 };
        }
        let state = *end as u32;
        *end += u64::from(bytes);
        if let Some(slot) = slots.get_mut(record as usize) {
            state.put(slot, STATE_OFFSET);
        }
        Place { record, state }
    };
    states.into_iter().map(place).collect()
}

fn add_flag(slot: &mut Slot, flag: Flag) {
    const FLAGS_AT: usize = 2;
    let flags = u16::get(slot, FLAGS_AT) | flag.0;
    flags.put(slot, FLAGS_AT);
}
