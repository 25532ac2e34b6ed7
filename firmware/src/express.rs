//! The express lane: a tree that is nothing but one relink of all paths.
//!
//! A router has died, and every frame to it is lost until this command is through; so it does not
//! go through the walk of trees in `ring`. One comparison recognizes it, and what the walk keeps
//! in memory from block to block stays in registers. It does the same by the same functions and
//! only when all goes well: whatever has to wait, is malformed, or would be answered with
//! anything but success is left to `ring`, untouched.

use abi::core::Hal;
use abi::host::command::{CommandHeader, Flag, Opcode, SELECTION, STATE_OFFSET};
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::status::{Kind, Status};
use abi::host::trace::TraceKind;

use crate::relink::Moved;
use crate::ring::{Ring, begin};
use crate::table::Tables;
use crate::tree::Answer;

/// First word of such a slot: operation, kind and flags.
const RELINK_ALL: u32 = Opcode::UPDATE.0 as u32
    | (Kind::NEIGHBOR.0 as u32) << 8
    | ((Flag::FIRST.0 | Flag::LAST.0 | Flag::ROOT.0 | Flag::ALL_OF.0) as u32) << 16;

impl Ring {
    /// Takes the slot at `place`, the next of a ring that has no tree under way, and carries it
    /// out, if it is such a tree and can be done now and done wholly. `false`: nothing was done.
    #[inline(always)]
    pub(crate) fn express(
        &mut self,
        number: u32,
        place: u32,
        tables: &mut Tables,
        hal: &mut impl Hal,
    ) -> bool {
        if hal.peek(place, 0) != RELINK_ALL || self.parked.is_full() {
            return false;
        }
        let mut words = [RELINK_ALL, 0, 0, 0, 0, 0];
        for (word, value) in (1..).zip(&mut words[1..]) {
            *value = hal.peek(place, word);
        }
        let head = CommandHeader::read(&words);
        let mut tree = begin(&head);
        let state_offset = hal.peek(place, STATE_OFFSET as u32 / 4);
        if tree.is_poisoned || !state_offset.is_multiple_of(limit::DMA_ALIGN) {
            return false;
        }
        let named = Handle(head.handle);
        let Ok(to) = tables.find_valid(hal, named, Kind::NEIGHBOR) else { return false };
        let old = SELECTION as u32 / 4;
        let old =
            Handle(u64::from(hal.peek(place, old)) | u64::from(hal.peek(place, old + 1)) << 32);
        let Ok(from) = tables.find(hal, old, Kind::NEIGHBOR) else { return false };
        let Moved::Paths(paths, epoch) = tables.relink_all(hal, to, from) else { return false };
        hal.skip(number);
        let traced = u32::from(head.opcode) << 8 | u32::from(head.kind);
        hal.trace(TraceKind::TREE_BEGUN, number, u32::from(head.tag), u32::from(head.opcode));
        hal.trace(TraceKind::BLOCK, number, traced, 0);
        let mut answer = Answer::success(named);
        answer.old_status = Status::SUCCESS;
        answer.detail = paths;
        hal.trace(TraceKind::ANSWERED, number, traced, u32::from(Status::SUCCESS.0));
        tree.blocks = 1;
        tree.done = 1;
        tree.epoch = epoch;
        if self.results.record_at_once(&tree, number, hal, &answer) {
            self.parked.park(number, tables, hal, &tree);
        } else {
            // The outbox is full: `ring` finishes what is open here.
            self.open(tree);
        }
        true
    }
}
