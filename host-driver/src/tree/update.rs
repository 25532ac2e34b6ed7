//! Update trees: cached variables, and paths moved to another neighbor.
//!
//! A path block under a neighbor says "this path's neighbor is that one". Many paths go in a
//! list, all paths of a neighbor in one block.

use abi::host::command::{
    ConnectionCached, Flag, NeighborVariables, Opcode, PathVariables, SELECTION, Selection,
    VARIABLES,
};
use abi::host::handle::Handle;
use abi::host::status::Kind;
use abi::layout::Field;

use super::{Slots, Tree, add_flag};
use crate::dma::HandleList;

/// Builds an update tree.
#[derive(Debug)]
pub struct Update {
    slots: Slots,
}

/// A neighbor block: what is said of it, and the paths that come to it.
#[derive(Debug)]
pub struct NeighborUpdate<'a> {
    update: &'a mut Update,
    block: usize,
    /// Its slot.
    slot: usize,
}

impl Default for Update {
    fn default() -> Self {
        Self::with_capacity(1)
    }
}

impl Update {
    /// An empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty tree with room for `blocks` neighbor and path blocks.
    #[must_use]
    pub fn with_capacity(blocks: usize) -> Self {
        Self { slots: Slots::new(Opcode::UPDATE, blocks) }
    }

    /// A neighbor that is on the card.
    pub fn neighbor(&mut self, handle: Handle) -> NeighborUpdate<'_> {
        let slot = self.slots.len();
        let block = self.slots.block(Kind::NEIGHBOR, Flag::ROOT.0, handle, |_| {});
        NeighborUpdate { update: self, block, slot }
    }

    /// Sets a path's MTU in bytes; gives the block number.
    pub fn path_mtu(&mut self, handle: Handle, mtu: u32) -> usize {
        let flags = Flag::ROOT.0 | Flag::CACHED.0;
        let variables = PathVariables { mtu, ..PathVariables::default() };
        self.slots.block(Kind::PATH, flags, handle, |words| variables.write(words))
    }

    /// Sets a connection's cached variables; gives the block number.
    pub fn connection(&mut self, handle: Handle, cached: &ConnectionCached) -> usize {
        let flags = Flag::ROOT.0 | Flag::CACHED.0 | Flag::MORE.0;
        let block = self.slots.block(Kind::CONNECTION, flags, handle, |_| {});
        let mut words = [0; ConnectionCached::BYTES / 4];
        cached.write(&mut words);
        self.slots.continuation(Kind::CONNECTION, &words, false);
        block
    }
}

impl NeighborUpdate<'_> {
    /// Number of this block in the tree.
    #[must_use]
    pub const fn block(&self) -> usize {
        self.block
    }

    /// Sets the next hop's MAC address and the age in ms of the host's last confirmation.
    pub fn set(self, destination: [u8; 6], host_reachability_ms: u32) -> Self {
        let state = NeighborVariables {
            destination,
            host_reachability: host_reachability_ms,
            ..NeighborVariables::default()
        };
        if let Some(slot) = self.update.slots.slot_mut(self.slot) {
            state.write(&mut slot[VARIABLES / 4..]);
            add_flag(slot, Flag::CACHED);
        }
        self
    }

    /// Moves one path to this neighbor; gives its block number.
    #[inline]
    pub fn relink(&mut self, path: Handle) -> usize {
        self.update.slots.block(Kind::PATH, 0, path, |_| {})
    }

    /// Moves one path to this neighbor and sets its MTU; gives its block number.
    pub fn relink_with_mtu(&mut self, path: Handle, mtu: u32) -> usize {
        let variables = PathVariables { mtu, ..PathVariables::default() };
        let fill = |words: &mut [u32]| variables.write(words);
        self.update.slots.block(Kind::PATH, Flag::CACHED.0, path, fill)
    }

    /// Moves all paths of neighbor `old` to this one.
    pub fn relink_all_of(self, old: Handle) {
        self.select(Flag::ALL_OF, Selection { list: old.0, count: 0 });
    }

    /// Moves the listed paths to this neighbor. The list comes back with the outcome.
    pub fn relink_list(self, list: HandleList) {
        let selection = Selection { list: list.iova(), count: list.len() as u32 };
        let (block, slot) = (self.block as u32, self.slot as u32);
        let update = self.select(Flag::LIST, selection);
        update.slots.list(list, block, slot);
    }

    fn select<'b>(self, flag: Flag, selection: Selection) -> &'b mut Update
    where
        Self: 'b,
    {
        let update = self.update;
        if let Some(slot) = update.slots.slot_mut(self.slot) {
            selection.write(&mut slot[SELECTION / 4..]);
            add_flag(slot, flag);
            0_u32.put(slot, abi::host::command::STATE_OFFSET);
        }
        update
    }
}

impl From<Update> for Tree {
    fn from(tree: Update) -> Self {
        tree.slots.seal(None)
    }
}
