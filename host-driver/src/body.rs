//! The body of a tree: all that is known of it, from its builder to its outcome.
//!
//! Below everything that has a tree in hand. One piece that stays where it is: builder, session
//! and outcome pass a pointer on, and each writes its own part. It judges nothing.

use abi::host::command::{Opcode, Slot};
use abi::host::completion::Completion;

use crate::dma::{DmaRegion, HandleList};
use crate::session::Recipient;

/// All of a tree.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) opcode: Opcode,
    pub(crate) slots: Vec<Slot>,
    pub(crate) blocks: u32,
    /// Bytes of the result buffer.
    pub(crate) result_bytes: u64,
    pub(crate) layout: ResultLayout,
    pub(crate) lists: Vec<PlacedList>,
    /// Written by the session when the tree is submitted.
    pub(crate) recipient: Recipient,
    /// Written by the lane while the tree is under way.
    pub(crate) flight: Flight,
    /// What the card said of the tree, once it is over.
    pub(crate) completion: Completion,
    /// What the card wrote into the result buffer, once the tree is over.
    pub(crate) words: Vec<u32>,
}

/// What a lane knows of a tree that is under way.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    pub(crate) tag: u16,
    /// Position after its last slot, once all are written.
    pub(crate) end: u32,
    /// Slots written so far.
    pub(crate) sent: usize,
    /// Where the card writes the results; boxed, because it goes from tree to tree.
    pub(crate) results: Option<Box<DmaRegion>>,
}

/// Where in the result buffer a block's answers stand.
#[derive(Debug, Default)]
pub(crate) enum ResultLayout {
    /// Record by block number, no state.
    #[default]
    Records,
    /// Record and state, block by block.
    States(Vec<Place>),
}

/// Where one block's record and state stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) record: u32,
    /// Byte offset of the state record; 0 for none.
    pub(crate) state: u32,
}

/// A list that travels with a tree.
#[derive(Debug)]
pub(crate) struct PlacedList {
    pub(crate) list: HandleList,
    /// The block that names it.
    pub(crate) block: u32,
    /// The slot of that block.
    pub(crate) slot: u32,
    /// Byte offset of its status bytes in the result buffer; known once the tree is closed.
    pub(crate) statuses: u32,
}

impl Body {
    /// Makes it a tree without blocks, which nobody wants. The room that it has stays; what stands
    /// in `words` counts for nothing before the tree is over.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.lists.clear();
        self.layout = ResultLayout::Records;
        (self.blocks, self.result_bytes) = (0, 0);
        self.recipient = Recipient::Driver;
        self.flight = Flight::default();
    }
}
