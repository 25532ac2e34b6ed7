//! New paths one after another, under a neighbor that is there: nearly all of an offload.
//!
//! From `ring`, which would walk them one by one. A run goes through them stage by stage: which of
//! the slots that wait are such blocks, a slot of the table for each, the lines, the records. What
//! all of them need of their neighbor is looked up once, and they are counted in at its home alias,
//! and taken out of the mailbox, together. It leaves what the walk would leave, and only when all
//! goes well: a block that is anything else, has to wait, or would be answered with anything but
//! success is left to `ring`, untouched. `tests/paths.rs` holds both against each other.

use abi::core::Hal;
use abi::core::table::{Control, path, path_addresses};
use abi::host::command::{Flag, Opcode, STATE_OFFSET, VARIABLES};
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::status::{Kind, Status};
use abi::host::trace::TraceKind;

use crate::initiate::is_mtu;
use crate::maybe::Maybe::Just;
use crate::ring::{Ring, records};
use crate::table::Tables;

/// Paths made for one ring before the next is served.
pub(crate) const RUN: u32 = 32;
/// Operation and kind of such a slot, as trace records have them, and its first word but for what
/// may differ.
const TRACED: u32 = (Opcode::INITIATE.0 as u32) << 8 | Kind::PATH.0 as u32;
const NEW_PATH: u32 = Opcode::INITIATE.0 as u32
    | (Kind::PATH.0 as u32) << 8
    | ((Flag::CONST.0 | Flag::CACHED.0) as u32) << 16;
const IPV6: u32 = (Flag::IPV6.0 as u32) << 16;
const LAST: u32 = (Flag::LAST.0 as u32) << 16;
/// First word of a slot's variables, of the MTU behind both addresses, and of the state offset.
const VARIABLE: usize = VARIABLES / 4;
const MTU: usize = VARIABLE + ADDRESSES;
const STATE: usize = STATE_OFFSET / 4;
/// Words of both addresses.
const ADDRESSES: usize = 8;
const _: () = assert!(path::MTU == path::LINK + 1 && path::LINKED_MS == path::LINK + 2);
const _: () = assert!(path::CONNECTIONS == path::LINK + 3, "written in one go");

impl Ring {
    /// Makes the paths that come next, as long as they are such; returns how many, at most [`RUN`].
    #[inline(always)]
    pub(crate) fn make_paths(
        &mut self,
        number: u32,
        tables: &mut Tables,
        hal: &mut impl Hal,
    ) -> u32 {
        if self.is_at_block()
            && let Just(tree) = &self.tree
            && tree.opcode == Opcode::INITIATE.0
            && !tree.is_poisoned
            && let Some(neighbor) = tree.neighbor()
            && let Some(place) = hal.front(number)
            && hal.peek(place, 0) & !(IPV6 | LAST) == NEW_PATH
        {
            self.run_of_paths(number, neighbor, tables, hal)
        } else {
            0
        }
    }

    #[inline(never)]
    fn run_of_paths(
        &mut self,
        number: u32,
        neighbor: Handle,
        tables: &mut Tables,
        hal: &mut impl Hal,
    ) -> u32 {
        let Ok(neighbor) = tables.find_valid(hal, neighbor, Kind::NEIGHBOR) else { return 0 };
        // Then there is room for the records of a whole run.
        if !self.results.flush(hal, number, false) {
            return 0;
        }
        let Just(tree) = &mut self.tree else { return 0 };
        let first = tree.blocks;
        let places = records(tree).min(limit::TREE_BLOCKS_MAX).saturating_sub(first);
        let (plain, is_whole) = plain_paths(number, places.min(RUN), hal);
        let mut slots = [0; RUN as usize];
        let slots = slots.get_mut(..plain as usize).unwrap_or_default();
        let made = tables.paths.take_all(hal, &tables.fence, slots);
        let slots = slots.get(..made as usize).unwrap_or_default();
        let Some((last, closed)) = slots.split_last() else { return 0 };
        let home = tables.home(hal, neighbor);
        let now_ms = hal.now_ms();
        for (ahead, index) in (0..).zip(slots) {
            hal.trace(TraceKind::BLOCK, number, TRACED, first + ahead);
            let place = hal.place(number, ahead);
            let line = tables.layout.path(*index);
            // Source and destination stand in the block as they stand in the table.
            let addresses: [u32; ADDRESSES] =
                core::array::from_fn(|word| hal.peek(place, (VARIABLE + word) as u32));
            let source = tables.layout.path_addresses(*index) + path_addresses::SOURCE;
            hal.store_all(source, &addresses);
            // No ordering: nobody follows the link before CONTROL says that the path is there.
            hal.store_all(line + path::LINK, &[home, hal.peek(place, MTU as u32), now_ms, 0]);
            let ipv6 = if hal.peek(place, 0) & IPV6 != 0 { Control::IS_IPV6.0 } else { 0 };
            hal.publish(line + path::CONTROL, Control::LIVE.0 | ipv6);
            hal.trace(TraceKind::ANSWERED, number, TRACED, u32::from(Status::SUCCESS.0));
        }
        // A path is over when the next one comes: all but the last are, and what was open before.
        while let Some((block, answer)) = tree.close(1, true) {
            self.results.record(tree, block, &answer);
        }
        let named = |index| {
            let generation = hal.load(tables.layout.path(index) + path::GENERATION);
            Handle::new(Kind::PATH, index, generation)
        };
        self.results.records(tree, first, closed, named);
        tree.open_paths(made, named(*last));
        hal.consume_next(number, made);
        tables.arrive(hal, home, neighbor, made);
        self.is_ending = is_whole && made == plain;
        made
    }
}

/// How many of the slots that come next, at most `most`, are new paths that nothing is wrong with,
/// and whether the last of them ends its tree.
#[inline(always)]
fn plain_paths(number: u32, most: u32, hal: &impl Hal) -> (u32, bool) {
    let most = most.min(hal.waiting(number));
    for ahead in 0..most {
        let place = hal.place(number, ahead);
        let words: [u32; VARIABLE] = core::array::from_fn(|word| hal.peek(place, word as u32));
        let [head, tag, handle_low, handle_high, result_low, result_high] = words;
        let is_plain = head & !(IPV6 | LAST) == NEW_PATH
            && tag | handle_low | handle_high | result_low | result_high == 0
            && hal.peek(place, STATE as u32).is_multiple_of(limit::DMA_ALIGN)
            && is_mtu(hal.peek(place, MTU as u32), head & IPV6 != 0);
        if !is_plain {
            return (ahead, false);
        }
        if head & LAST != 0 {
            return (ahead + 1, true);
        }
    }
    (most, false)
}
