//! Initiate: new objects, linkers and placeholders, parents first.
//!
//! From `ring`, one block at a time. `chimney` 3.1 has the statuses; a parent's is known when
//! its last dependent is, so `tree` writes it then. A new object is reachable for the datapath
//! from the store of its CONTROL word on, which comes last.

use abi::core::Hal;
use abi::core::table::{
    Control, STATE_BYTES, connection, connection_state, neighbor, neighbor_private, path,
    path_addresses,
};
use abi::host::command::{
    CLASSES, ConnectionCached, ConnectionConst, ConnectionDelegated, Flag, NeighborVariables,
    PathVariables, TcpState, VARIABLES, has_state, level,
};
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::status::{Detail, Kind, Status};

use crate::header::Header;
use crate::parse::{Block, Head};
use crate::pool::Room;
use crate::ring::Step;
use crate::table::{Refusal, Tables, add};
use crate::tree::{Answer, Parent, Role, Tree};

/// Variables in a block's first slot.
pub(crate) const fn variables(block: &Block) -> &[u32; 10] {
    let [_, _, _, _, _, _, words @ ..] = block.first();
    words
}
const _: () = assert!(VARIABLES == 24, "six words stand before the variables");

/// Carries out one block of an initiate tree.
#[inline(never)]
pub(crate) fn initiate(
    tables: &mut Tables,
    hal: &mut impl Hal,
    tree: &Tree,
    head: &Head,
    block: &Block,
) -> Step {
    if Flag::PLACEHOLDER.is_in(head.flags) {
        return Step::Answer(Answer::success(Handle::NULL).role(Role::Placeholder));
    }
    let is_root = Flag::ROOT.is_in(head.flags) || head.kind == Kind::NEIGHBOR;
    let parent = if is_root { None } else { tree.parent(level(head.kind)) };
    let outcome = if !is_root && parent.is_none() {
        Err((Status::FAILURE, Detail::POSITION))
    } else if parent.is_some_and(|p| p.answer.role == Role::Failed) {
        Err((Status::FAILURE, Detail::PARENT))
    } else if !head.handle.is_null() {
        link(tables, hal, parent, head)
    } else {
        match create(tables, hal, parent, head, block) {
            Some(outcome) => outcome,
            None => return Step::Later,
        }
    };
    Step::Answer(match outcome {
        Ok(answer) => answer,
        Err(refusal) => Answer::failed(head.handle, refusal),
    })
}

/// A block that names an object on the card.
fn link(
    tables: &Tables,
    hal: &impl Hal,
    parent: Option<&Parent>,
    head: &Head,
) -> Result<Answer, Refusal> {
    let index = tables.find(hal, head.handle, head.kind)?;
    if has_state(head.flags) {
        return Err((Status::FAILURE, Detail::EXISTS));
    }
    if tables.is_invalid(hal, head.kind, index) {
        return Err((Status::INVALID_OBJECT, Detail::NONE));
    }
    is_linked(tables, hal, parent, head.kind, index)?;
    Ok(Answer::success(head.handle).role(Role::Linker))
}

/// Whether the object hangs from the parent block it stands under.
pub(crate) fn is_linked(
    tables: &Tables,
    hal: &impl Hal,
    parent: Option<&Parent>,
    kind: Kind,
    index: u32,
) -> Result<(), Refusal> {
    let Some(parent) = parent.filter(|p| p.answer.role != Role::Placeholder) else {
        return Ok(());
    };
    let above = match kind {
        Kind::PATH => tables.neighbor_of(hal, index),
        _ => hal.load(tables.layout.connection(index) + connection::PATH),
    };
    let above_kind = if kind == Kind::PATH { Kind::NEIGHBOR } else { Kind::PATH };
    if tables.handle(hal, above_kind, above) == parent.answer.handle {
        Ok(())
    } else {
        Err((Status::FAILURE, Detail::LINK))
    }
}

/// A new object. `None`: a slot or an alias is waited for.
fn create(
    tables: &mut Tables,
    hal: &mut impl Hal,
    parent: Option<&Parent>,
    head: &Head,
    block: &Block,
) -> Option<Result<Answer, Refusal>> {
    let classes = if head.kind == Kind::PATH { CLASSES & !Flag::DELEGATED.0 } else { CLASSES };
    if head.flags & classes != classes {
        return Some(Err((Status::FAILURE, Detail::CLASS)));
    }
    if head.kind == Kind::NEIGHBOR {
        return create_neighbor(tables, hal, block);
    }
    let above_kind = if head.kind == Kind::PATH { Kind::NEIGHBOR } else { Kind::PATH };
    let above = match parent {
        Some(parent) if parent.answer.role != Role::Placeholder => parent.answer.handle,
        _ => return Some(Err((Status::FAILURE, Detail::POSITION))),
    };
    // Another ring may have taken the parent away, or invalidated it, since its block.
    let Ok(above) = tables.find_valid(hal, above, above_kind) else {
        return Some(Err((Status::FAILURE, Detail::PARENT)));
    };
    if head.kind == Kind::PATH {
        create_path(tables, hal, above, head, block)
    } else {
        create_connection(tables, hal, above, block)
    }
}

fn create_neighbor(
    tables: &mut Tables,
    hal: &mut impl Hal,
    block: &Block,
) -> Option<Result<Answer, Refusal>> {
    let state = NeighborVariables::read(variables(block));
    if u32::from(state.vlan) > limit::VLAN_MAX || state.reserved != 0 {
        return Some(Err((Status::FAILURE, Detail::RANGE)));
    }
    if tables.neighbors.live() >= tables.neighbors.capacity() {
        return Some(Err((Status::NEIGHBOR_ENTRIES, Detail::NONE)));
    }
    let port_mac = tables.capabilities.port_mac;
    let source = if state.source == [0; 6] { port_mac } else { state.source };
    let Some(slot) = tables.source_slot(hal, source) else {
        return Some(Err((Status::HW_ADDRESS_ENTRIES, Detail::NONE)));
    };
    if !tables.has_vlan_room(hal, state.vlan) {
        return Some(Err((Status::VLAN_ENTRIES, Detail::NONE)));
    }
    if !tables.admits_vlan(state.vlan) {
        return Some(Err((Status::VLAN_MISMATCH, Detail::NONE)));
    }
    match tables.neighbors.room(hal, &mut tables.fence) {
        Room::Now => {}
        other => return later_or(other, Status::NEIGHBOR_ENTRIES),
    }
    if !tables.has_alias(hal) {
        return None;
    }
    let (alias, _) = tables.aliases.take(hal)?;
    let (index, generation) = tables.neighbors.take(hal)?;
    tables.use_addresses(hal, slot, source, state.vlan);
    let own = tables.layout.neighbor_private(index);
    hal.store(own + neighbor_private::ALIASES, 0);
    hal.store(own + neighbor_private::PATHS, 0);
    hal.store(own + neighbor_private::PINS, 0);
    hal.store(own + neighbor_private::SOURCE_SLOT, slot);
    hal.store(own + neighbor_private::FENCE, hal.announced());
    tables.make_home(hal, index, alias);
    let header = Header { destination: state.destination, source, vlan: state.vlan };
    tables.write_first_header(hal, index, header);
    tables.start_ages(hal, index, state.host_reachability, state.card_reachability);
    hal.publish(tables.layout.neighbor(index) + neighbor::CONTROL, Control::LIVE.0);
    Some(Ok(Answer::success(Handle::new(Kind::NEIGHBOR, index, generation))))
}

fn create_path(
    tables: &mut Tables,
    hal: &mut impl Hal,
    neighbor: u32,
    head: &Head,
    block: &Block,
) -> Option<Result<Answer, Refusal>> {
    let state = PathVariables::read(variables(block));
    let is_ipv6 = Flag::IPV6.is_in(head.flags);
    if !is_mtu(state.mtu, is_ipv6) {
        return Some(Err((Status::PATH_MTU, Detail::RANGE)));
    }
    match tables.paths.room(hal, &mut tables.fence) {
        Room::Now => {}
        other => return later_or(other, Status::PATH_ENTRIES),
    }
    let (index, generation) = tables.paths.take(hal)?;
    let line = tables.layout.path(index);
    hal.store(line + path::MTU, state.mtu);
    hal.store(line + path::CONNECTIONS, 0);
    // Source and destination stand in the block as they stand in the table: eight words.
    let addresses = tables.layout.path_addresses(index) + path_addresses::SOURCE;
    for (word, value) in (addresses..addresses + path_addresses::WORDS).zip(variables(block)) {
        hal.store(word, *value);
    }
    tables.attach(hal, index, neighbor);
    let control = if is_ipv6 { Control::LIVE.0 | Control::IS_IPV6.0 } else { Control::LIVE.0 };
    hal.publish(line + path::CONTROL, control);
    Some(Ok(Answer::success(Handle::new(Kind::PATH, index, generation))))
}

fn create_connection(
    tables: &mut Tables,
    hal: &mut impl Hal,
    path: u32,
    block: &Block,
) -> Option<Result<Answer, Refusal>> {
    let constant = ConnectionConst::read(variables(block));
    let cached = ConnectionCached::read(block.continuation::<1>());
    let state = delegated_words(block);
    if constant.reserved != 0 || !is_cached_in_range(&cached) {
        return Some(Err((Status::FAILURE, Detail::RANGE)));
    }
    if !TcpState(ConnectionDelegated::read(&state).state).may_be_offloaded() {
        return Some(Err((Status::CONNECTION_REJECTED, Detail::TCP_STATE)));
    }
    if tables.connections.live() >= tables.connections.capacity() {
        return Some(Err((Status::TCP_ENTRIES, Detail::NONE)));
    }
    if tables.connections.live() >= tables.capabilities.state_memory / STATE_BYTES {
        return Some(Err((Status::RESOURCES, Detail::NONE)));
    }
    match tables.connections.room(hal, &mut tables.fence) {
        Room::Now => {}
        other => return later_or(other, Status::TCP_ENTRIES),
    }
    let (index, generation) = tables.connections.take(hal)?;
    let cold = tables.layout.state(index);
    store_words(hal, cold + connection_state::CONST, variables(block), ConnectionConst::BYTES);
    let words = block.continuation::<1>();
    store_words(hal, cold + connection_state::CACHED, words, ConnectionCached::BYTES);
    store_words(hal, cold + connection_state::DELEGATED, &state, ConnectionDelegated::BYTES);
    let line = tables.layout.connection(index);
    hal.store(line + connection::PATH, path);
    hal.store(line + connection::PRIORITY, u32::from(cached.user_priority));
    add(hal, tables.layout.path(path) + path::CONNECTIONS, 1);
    hal.publish(line + connection::CONTROL, Control::LIVE.0);
    Some(Ok(Answer::success(Handle::new(Kind::CONNECTION, index, generation))))
}

/// Whether a path MTU is one the card can send.
pub(crate) const fn is_mtu(mtu: u32, is_ipv6: bool) -> bool {
    let least = if is_ipv6 { limit::MTU_MIN_IPV6 } else { limit::MTU_MIN_IPV4 };
    mtu >= least && mtu <= limit::MTU_MAX
}

/// Whether the cached variables are within their widths.
pub(crate) const fn is_cached_in_range(cached: &ConnectionCached) -> bool {
    const PRIORITY_MAX: u8 = 7;
    const FLOW_LABEL_MAX: u32 = (1 << 20) - 1;
    cached.user_priority <= PRIORITY_MAX
        && cached.flow_label <= FLOW_LABEL_MAX
        && cached.reserved == 0
}

/// Stores the first `bytes` of `words` from table word `at` on.
pub(crate) fn store_words(hal: &mut impl Hal, at: u32, words: &[u32], bytes: usize) {
    for (word, value) in (0..bytes as u32 / 4).zip(words) {
        hal.store(at + word, *value);
    }
}

/// The delegated variables, put together from their two slots.
fn delegated_words(block: &Block) -> [u32; ConnectionDelegated::BYTES / 4] {
    const HALF: usize = ConnectionDelegated::BYTES / 8;
    let mut words = [0; ConnectionDelegated::BYTES / 4];
    let halves = block.continuation::<2>().iter().take(HALF);
    let halves = halves.chain(block.continuation::<3>().iter().take(HALF));
    for (word, value) in words.iter_mut().zip(halves) {
        *word = *value;
    }
    words
}

fn later_or(room: Room, full: Status) -> Option<Result<Answer, Refusal>> {
    match room {
        Room::Later => None,
        _ => Some(Err((full, Detail::NONE))),
    }
}
