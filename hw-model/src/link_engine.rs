//! The link engine of a timed card: links moved as `abi::core::link` says, and what that takes.
//!
//! Under `peripherals`, for both bodies. It walks in no time and says how long it took: the core
//! waits, so nothing comes between. Table memory is its own meanwhile.

use abi::core::table::TableLayout;
use abi::core::{LinkOrder, LinkTable, LinkWalk};
use abi::host::handle::Handle;
use host_driver::memory::Words;

use crate::costs::{LINK_LOOK_CYCLES, LINK_PATH_CYCLES, LINK_PIPELINE_CYCLES};
use crate::shared::Shared;
use crate::table_memory::TableMemory;

/// Carries out an order, and the cycles from its store to the answer.
pub(crate) fn carry_out(
    shared: &Shared,
    table: &TableMemory,
    order: &LinkOrder,
    entry: impl Fn(u32) -> Handle,
) -> (LinkWalk, u32) {
    let layout = shared.layout.unwrap_or(TableLayout::NONE);
    let paths = shared.config.capabilities.paths;
    let walk = LinkWalk::run(order, &layout, paths, entry, &mut Table(table));
    let entries = walk.next.saturating_sub(order.first);
    let cycles = LINK_PIPELINE_CYCLES + entries * LINK_PATH_CYCLES + walk.looks * LINK_LOOK_CYCLES;
    (walk, cycles)
}

struct Table<'a>(&'a TableMemory);

impl LinkTable for Table<'_> {
    fn load(&self, word: u32) -> u32 {
        // A word past the table is broken firmware's: it reads as zero, and nothing is stored there.
        if (word as usize) < self.0.len() { self.0.load_relaxed(word as usize) } else { 0 }
    }
    fn link(&mut self, (stamp, now_ms): (u32, u32), (link, alias): (u32, u32)) {
        self.0.store_relaxed(stamp as usize, now_ms);
        // ORDERING: Release. As the core's store of a link: pairs with the Acquire of the datapath.
        // Checked by `loom_link::reader_sees_old_or_new_never_torn`.
        self.0.store_release(link as usize, alias);
    }
}
