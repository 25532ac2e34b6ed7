//! New paths one after another, under a neighbor that is there: nearly all of an offload.
//!
//! From `ring`, which would walk them one by one. What the walk keeps in memory from block to block
//! stays in registers, what all of them need of their neighbor is looked up once, and they are
//! counted in at its home alias together. It does the same by the same functions and only when
//! all goes well: a block that is anything else, has to wait, or would be answered with anything but
//! success is left to `ring`, untouched.

use abi::core::Hal;
use abi::core::table::{Control, path, path_addresses};
use abi::host::command::{Flag, Opcode, STATE_OFFSET, Slot, VARIABLES};
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::status::{Kind, Status};
use abi::host::trace::TraceKind;

use crate::initiate::is_mtu;
use crate::maybe::Maybe::Just;
use crate::pool::Room;
use crate::ring::{Ring, has_record};
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
        let Just(tree) = &mut self.tree else { return 0 };
        let home = tables.home(hal, neighbor);
        let now_ms = hal.now_ms();
        let mut made = 0;
        while made < RUN && self.results.has_room() {
            let Some(place) = hal.front(number) else { break };
            let words: Slot = core::array::from_fn(|word| hal.peek(place, word as u32));
            let [head, tag, handle_low, handle_high, result_low, result_high, ..] = words;
            let is_plain = head & !(IPV6 | LAST) == NEW_PATH
                && tag | handle_low | handle_high | result_low | result_high == 0
                && words[STATE].is_multiple_of(limit::DMA_ALIGN);
            let is_ipv6 = head & IPV6 != 0;
            let block = tree.blocks;
            let has_place = has_record(tree, block) && block < limit::TREE_BLOCKS_MAX;
            if !is_plain || !has_place || !is_mtu(words[MTU], is_ipv6) {
                break;
            }
            if tables.paths.room(hal, &mut tables.fence) != Room::Now {
                break;
            }
            let Some((index, generation)) = tables.paths.take(hal) else { break };
            hal.skip(number);
            hal.consume(number);
            hal.trace(TraceKind::BLOCK, number, TRACED, block);
            let line = tables.layout.path(index);
            hal.store(line + path::MTU, words[MTU]);
            hal.store(line + path::CONNECTIONS, 0);
            // Source and destination stand in the block as they stand in the table.
            let addresses = tables.layout.path_addresses(index) + path_addresses::SOURCE;
            for (word, value) in (addresses..).zip(&words[VARIABLE..MTU]) {
                hal.store(word, *value);
            }
            tables.link(hal, line, home, now_ms);
            let ipv6 = if is_ipv6 { Control::IS_IPV6.0 } else { 0 };
            hal.publish(line + path::CONTROL, Control::LIVE.0 | ipv6);
            // The path before it has no dependents to come.
            while let Some((block, answer)) = tree.close(1, true) {
                self.results.record(tree, block, &answer);
            }
            hal.trace(TraceKind::ANSWERED, number, TRACED, u32::from(Status::SUCCESS.0));
            tree.open_path(Handle::new(Kind::PATH, index, generation));
            made += 1;
            if head & LAST != 0 {
                self.is_ending = true;
                break;
            }
        }
        if made != 0 {
            tables.arrive(hal, home, neighbor, made);
        }
        made
    }
}
