//! Update: cached variables, and moving paths to another neighbor.
//!
//! From `ring`, one block at a time. A block that changes nothing (a reference, a placeholder)
//! is answered for itself only. What fails keeps its old values and its old link
//! (`chimney` 3.2, 3.3). The completion waits for the epoch of the last store.

use abi::core::Hal;
use abi::core::table::{connection, connection_state, path};
use abi::host::command::{
    CLASSES, ConnectionCached, Flag, NeighborVariables, PathVariables, SELECTION, Selection, level,
};
use abi::host::handle::Handle;
use abi::host::register::Counter;
use abi::host::status::{Detail, Kind, Status};

use crate::initiate::{is_cached_in_range, is_linked, is_mtu, store_words, variables};
use crate::list::List;
use crate::parse::{Block, Head};
use crate::relink::Moved;
use crate::ring::Step;
use crate::table::{Refusal, Tables};
use crate::tree::{Answer, Parent, Role, Tree};

/// Carries out one block of an update tree.
pub(crate) fn update(
    tables: &mut Tables,
    hal: &mut impl Hal,
    tree: &mut Tree,
    head: &Head,
    block: &Block,
) -> Step {
    if Flag::PLACEHOLDER.is_in(head.flags) {
        return Step::Answer(Answer::success(Handle::NULL).role(Role::Placeholder));
    }
    let parent = if Flag::ROOT.is_in(head.flags) { None } else { tree.parent(level(head.kind)) };
    let parent = parent.copied();
    let outcome = if head.flags & CLASSES & !Flag::CACHED.0 != 0 {
        Err((Status::FAILURE, Detail::CLASS))
    } else if parent.is_some_and(|p| p.answer.role == Role::Failed) {
        Err((Status::FAILURE, Detail::PARENT))
    } else {
        match head.kind {
            Kind::NEIGHBOR => return update_neighbor(tables, hal, tree, head, block),
            Kind::PATH => update_path(tables, hal, tree, parent.as_ref(), head, block),
            _ => update_connection(tables, hal, tree, parent.as_ref(), head, block),
        }
    };
    Step::Answer(match outcome {
        Ok(()) => Answer::success(head.handle),
        Err(refusal) => Answer::failed(head.handle, refusal),
    })
}

/// What a neighbor's block selects.
fn selection(block: &Block) -> Selection {
    let [.., a, b, c, _] = block.first();
    Selection::read(&[*a, *b, *c])
}
const _: () = assert!(SELECTION == 48 && Selection::BYTES == 12, "before the state offset");

fn update_neighbor(
    tables: &mut Tables,
    hal: &mut impl Hal,
    tree: &mut Tree,
    head: &Head,
    block: &Block,
) -> Step {
    let index = match tables.find_valid(hal, head.handle, Kind::NEIGHBOR) {
        Ok(index) => index,
        Err(refusal) if Flag::LIST.is_in(head.flags) => {
            let selection = selection(block);
            return List::start(tables, hal, tree, head, Err(refusal), &selection);
        }
        Err(refusal) => {
            let mut answer = Answer::failed(head.handle, refusal);
            if Flag::ALL_OF.is_in(head.flags) {
                answer.old_status = Status::FAILURE;
            }
            return Step::Answer(answer);
        }
    };
    // A command that touches a neighbor starts only after earlier fences on it.
    if !tree.is_first_stage_done && !tables.fence_passed(hal, index) {
        return Step::Later;
    }
    if Flag::CACHED.is_in(head.flags) && !tree.is_first_stage_done {
        let state = NeighborVariables::read(variables(block));
        let epoch = tables.change_destination(hal, index, state.destination);
        tables.confirm(hal, index, state.host_reachability);
        tree.epoch = Some(epoch);
        tree.is_first_stage_done = true;
    }
    let selection = selection(block);
    if Flag::LIST.is_in(head.flags) {
        List::start(tables, hal, tree, head, Ok(index), &selection)
    } else if Flag::ALL_OF.is_in(head.flags) {
        relink_all(tables, hal, tree, head, index, Handle(selection.list))
    } else {
        Step::Answer(Answer::success(head.handle))
    }
}

#[inline(always)]
fn relink_all(
    tables: &mut Tables,
    hal: &mut impl Hal,
    tree: &mut Tree,
    head: &Head,
    to: u32,
    old: Handle,
) -> Step {
    let mut answer = Answer::success(head.handle);
    match tables.find(hal, old, Kind::NEIGHBOR) {
        Err((status, _)) => answer.old_status = status,
        Ok(from) => match tables.relink_all(hal, to, from) {
            Moved::Later => return Step::Later,
            Moved::Paths(paths, epoch) => {
                answer.old_status = Status::SUCCESS;
                answer.detail = paths;
                tree.epoch = epoch.or(tree.epoch);
            }
        },
    }
    Step::Answer(answer)
}

/// A path: under a neighbor it is relinked to it, with cached state its MTU is set.
#[inline(never)]
fn update_path(
    tables: &mut Tables,
    hal: &mut impl Hal,
    tree: &mut Tree,
    parent: Option<&Parent>,
    head: &Head,
    block: &Block,
) -> Result<(), Refusal> {
    let index = tables.find_valid(hal, head.handle, Kind::PATH)?;
    let line = tables.layout.path(index);
    let mtu = PathVariables::read(variables(block)).mtu;
    let has_mtu = Flag::CACHED.is_in(head.flags);
    let is_ipv6 = hal.load(line + path::CONTROL) & abi::core::table::Control::IS_IPV6.0 != 0;
    if has_mtu && !is_mtu(mtu, is_ipv6) {
        return Err((Status::FAILURE, Detail::RANGE));
    }
    if let Some(parent) = parent.filter(|p| p.answer.role == Role::Object) {
        // Another ring may have taken the neighbor away, or invalidated it, since its block.
        let to = tables.find_valid(hal, parent.answer.handle, Kind::NEIGHBOR);
        let to = to.map_err(|_| (Status::FAILURE, Detail::PARENT))?;
        let link = hal.load(line + path::LINK);
        if tables.neighbor_of(hal, index) != to {
            tables.attach(hal, index, to);
            tables.depart(hal, link, 1);
            tree.epoch = Some(tables.mark_fence(hal, to));
            hal.count(Counter::PATHS_RELINKED, 1);
        }
    }
    if has_mtu {
        hal.publish(line + path::MTU, mtu);
        tree.epoch = Some(tables.fence.mark());
    }
    Ok(())
}

#[inline(never)]
fn update_connection(
    tables: &mut Tables,
    hal: &mut impl Hal,
    tree: &mut Tree,
    parent: Option<&Parent>,
    head: &Head,
    block: &Block,
) -> Result<(), Refusal> {
    let index = tables.find_valid(hal, head.handle, Kind::CONNECTION)?;
    is_linked(tables, hal, parent, Kind::CONNECTION, index)?;
    if !Flag::CACHED.is_in(head.flags) {
        return Ok(());
    }
    let words = block.continuation::<1>();
    let cached = ConnectionCached::read(words);
    if !is_cached_in_range(&cached) {
        return Err((Status::FAILURE, Detail::RANGE));
    }
    let cold = tables.layout.state(index);
    restart_timers(hal, cold, &cached);
    store_words(hal, cold + connection_state::CACHED, words, ConnectionCached::BYTES);
    let line = tables.layout.connection(index);
    let priority = u32::from(cached.user_priority);
    if hal.load(line + connection::PRIORITY) != priority {
        hal.publish(line + connection::PRIORITY, priority);
        tree.epoch = Some(tables.fence.mark());
    }
    Ok(())
}

/// KEEP_ALIVE_RESTART and MAX_RT_RESTART (`chimney` 2.3): a changed probe count or time-out
/// starts the keep-alive anew under either flag; the latter also clears TotalRT.
fn restart_timers(hal: &mut impl Hal, cold: u32, cached: &ConnectionCached) {
    const KEEP_ALIVE_RESTART: u16 = 4;
    const MAX_RT_RESTART: u16 = 8;
    const NOT_RUNNING: u32 = u32::MAX;
    const KEEP_ALIVE_ENABLED: u16 = 1;
    /// Words of the delegated variables that a restart touches.
    const COUNTS: u32 = connection_state::DELEGATED;
    const TOTAL_RT: u32 = connection_state::DELEGATED + 16;
    const KEEP_ALIVE_DELTA: u32 = connection_state::DELEGATED + 17;
    if cached.flags & (KEEP_ALIVE_RESTART | MAX_RT_RESTART) == 0 {
        return;
    }
    // KeepAlive.ProbeCount is the highest byte of the first word.
    let counts = hal.load(cold + COUNTS) & 0x00ff_ffff;
    hal.store(cold + COUNTS, counts);
    let is_on = cached.flags & KEEP_ALIVE_ENABLED != 0;
    hal.store(cold + KEEP_ALIVE_DELTA, if is_on { cached.ka_timeout } else { NOT_RUNNING });
    if cached.flags & MAX_RT_RESTART != 0 {
        hal.store(cold + TOTAL_RT, 0);
    }
}
