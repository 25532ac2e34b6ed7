//! Terminate: objects leave the card, children first; their delegated state goes back.
//!
//! From `ring`. An object that others still hang from, or that a relink is under way to, stays
//! (`chimney` 3.6, 4). The slot is dead for the datapath from the store of its CONTROL word on,
//! and is given out again only after its grace period; the completion waits for the same epoch.

use abi::core::Hal;
use abi::core::table::{connection, neighbor_private, path};
use abi::host::command::{CLASSES, Flag};
use abi::host::handle::Handle;
use abi::host::status::{Detail, Kind, Status};

use crate::link::CHAIN_MAX;
use crate::parse::Head;
use crate::query::{has_room, write_state};
use crate::result::Results;
use crate::table::{Refusal, Tables, subtract};
use crate::tree::{Answer, Role, Tree};

/// Carries out one block of a terminate tree.
#[inline(never)]
pub(crate) fn terminate(
    tables: &mut Tables,
    hal: &mut impl Hal,
    tree: &mut Tree,
    results: &mut Results,
    head: &Head,
) -> Answer {
    if Flag::PLACEHOLDER.is_in(head.flags) {
        return Answer::success(Handle::NULL).role(Role::Placeholder);
    }
    let index = match check(tables, hal, tree, head) {
        Ok(index) => index,
        Err(refusal) => return Answer::failed(head.handle, refusal),
    };
    write_state(tables, hal, tree, results, head, index, Flag::DELEGATED.0);
    // From here the handle is stale for the datapath.
    hal.publish(tables.line(head.kind, index) + path::CONTROL, 0);
    let epoch = tables.fence.mark();
    tree.epoch = Some(epoch);
    match head.kind {
        Kind::NEIGHBOR => free_neighbor(tables, hal, index, epoch),
        Kind::PATH => {
            let link = hal.load(tables.layout.path(index) + path::LINK);
            tables.depart(hal, link, 1);
            tables.paths.retire(hal, index, epoch);
        }
        _ => {
            tables.cancel_upload(hal, index);
            let above = hal.load(tables.layout.connection(index) + connection::PATH);
            subtract(hal, tables.layout.path(above) + path::CONNECTIONS, 1);
            tables.connections.retire(hal, index, epoch);
        }
    }
    Answer::success(head.handle)
}

fn check(tables: &Tables, hal: &impl Hal, tree: &Tree, head: &Head) -> Result<u32, Refusal> {
    if head.flags & CLASSES != 0 {
        return Err((Status::FAILURE, Detail::CLASS));
    }
    let index = tables.find(hal, head.handle, head.kind)?;
    let dependents = match head.kind {
        Kind::NEIGHBOR => {
            let own = tables.layout.neighbor_private(index);
            hal.load(own + neighbor_private::PATHS) | hal.load(own + neighbor_private::PINS)
        }
        Kind::PATH => hal.load(tables.layout.path(index) + path::CONNECTIONS),
        _ => 0,
    };
    if dependents != 0 {
        return Err((Status::HAS_DEPENDENTS, Detail::NONE));
    }
    if head.state_offset != 0 {
        has_room(tree, head)?;
    }
    Ok(index)
}

fn free_neighbor(tables: &mut Tables, hal: &mut impl Hal, index: u32, epoch: u32) {
    let own = tables.layout.neighbor_private(index);
    let vlan = tables.header(hal, index).vlan;
    let slot = hal.load(own + neighbor_private::SOURCE_SLOT);
    tables.release_addresses(hal, slot, vlan);
    // No path is left, so each of its aliases is empty.
    for _ in 0..CHAIN_MAX {
        let Some(alias) = tables.aliases_of(hal, index).next() else { break };
        tables.unchain(hal, index, alias);
        tables.aliases.retire(hal, alias, epoch);
    }
    hal.store(own + neighbor_private::ALIASES, 0);
    tables.neighbors.retire(hal, index, epoch);
}
