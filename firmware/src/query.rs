//! Query: state records, each a single snapshot; and the record that terminate gives back.
//!
//! From `ring`. Any class, any object, also an invalidated one (`chimney` 3.5). The records
//! have the layout of `abi::host::completion::StateHeader`.

use abi::core::Hal;
use abi::core::table::{Control, connection, connection_state, path, path_addresses};
use abi::host::command::{
    CLASSES, ConnectionCached, ConnectionConst, ConnectionDelegated, Flag, NeighborVariables,
    VARIABLES,
};
use abi::host::completion::{
    CONNECTION_RECORD_BYTES, CONNECTION_RECORD_CACHED, CONNECTION_RECORD_DELEGATED,
    STATE_RECORD_BYTES, StateHeader,
};
use abi::host::handle::Handle;
use abi::host::status::{Detail, Kind, Status};

use crate::parse::Head;
use crate::result::Results;
use crate::table::{Refusal, Tables};
use crate::tree::{Answer, Role, Tree};

const LINE_WORDS: usize = 16;
const FIRST: usize = VARIABLES / 4;

/// Carries out one block of a query tree.
#[inline(never)]
pub(crate) fn query(
    tables: &Tables,
    hal: &impl Hal,
    tree: &Tree,
    results: &mut Results,
    head: &Head,
) -> Answer {
    if Flag::PLACEHOLDER.is_in(head.flags) {
        return Answer::success(Handle::NULL).role(Role::Placeholder);
    }
    let outcome = tables.find(hal, head.handle, head.kind).and_then(|index| {
        has_room(tree, head)?;
        write_state(tables, hal, tree, results, head, index, CLASSES);
        Ok(())
    });
    match outcome {
        Ok(()) => Answer::success(head.handle),
        Err(refusal) => Answer::failed(head.handle, refusal),
    }
}

/// Whether the record fits the result buffer where the host wants it.
pub(crate) fn has_room(tree: &Tree, head: &Head) -> Result<(), Refusal> {
    let is_connection = head.kind == Kind::CONNECTION;
    let bytes = if is_connection { CONNECTION_RECORD_BYTES } else { STATE_RECORD_BYTES };
    match head.state_offset.checked_add(bytes) {
        Some(end) if end <= tree.result_bytes => Ok(()),
        _ => Err((Status::FAILURE, Detail::RESULT_BUFFER)),
    }
}

/// Writes the record of an object, if the host has a place for it. `has_room` was asked.
pub(crate) fn write_state(
    tables: &Tables,
    hal: &impl Hal,
    tree: &Tree,
    results: &mut Results,
    head: &Head,
    index: u32,
    classes: u16,
) {
    if head.state_offset == 0 {
        return;
    }
    let mut words = [0; LINE_WORDS];
    state_header(tables, hal, head, index, classes).write(&mut words);
    match head.kind {
        Kind::NEIGHBOR => neighbor_words(tables, hal, index, &mut words),
        Kind::PATH => path_words(tables, hal, index, &mut words),
        _ => {
            let cold = tables.layout.state(index);
            let constant = words.get_mut(FIRST..).unwrap_or(&mut []);
            load_words(hal, cold + connection_state::CONST, ConnectionConst::BYTES, constant);
        }
    }
    results.line(tree, head.state_offset, &words);
    if head.kind == Kind::CONNECTION {
        connection_lines(tables, hal, tree, results, head, index);
    }
}

fn state_header(
    tables: &Tables,
    hal: &impl Hal,
    head: &Head,
    index: u32,
    classes: u16,
) -> StateHeader {
    let line = tables.line(head.kind, index);
    let control = hal.load(line + path::CONTROL);
    let (dependents, parent) = match head.kind {
        Kind::NEIGHBOR => (tables.paths_of(hal, index), Handle::NULL),
        Kind::PATH => {
            let above = tables.neighbor_of(hal, index);
            (hal.load(line + path::CONNECTIONS), tables.handle(hal, Kind::NEIGHBOR, above))
        }
        _ => {
            let above = hal.load(line + connection::PATH);
            (0, tables.handle(hal, Kind::PATH, above))
        }
    };
    let is_ipv6 = head.kind == Kind::PATH && control & Control::IS_IPV6.0 != 0;
    StateHeader {
        kind: head.kind.0,
        invalid: u8::from(control & Control::INVALID.0 != 0),
        flags: classes & classes_of(head.kind) | if is_ipv6 { Flag::IPV6.0 } else { 0 },
        dependents,
        parent: parent.0,
        reserved: 0,
    }
}

/// The classes that a kind has: a path has no delegated variables.
const fn classes_of(kind: Kind) -> u16 {
    if kind.0 == Kind::PATH.0 { CLASSES & !Flag::DELEGATED.0 } else { CLASSES }
}

fn neighbor_words(tables: &Tables, hal: &impl Hal, index: u32, words: &mut [u32; LINE_WORDS]) {
    let header = tables.header(hal, index);
    let (host_reachability, card_reachability) = tables.ages(hal, index);
    let is_own = header.source == tables.capabilities.port_mac;
    let state = NeighborVariables {
        destination: header.destination,
        source: if is_own { [0; 6] } else { header.source },
        vlan: header.vlan,
        reserved: 0,
        host_reachability,
        card_reachability,
    };
    if let Some(words) = words.get_mut(FIRST..) {
        state.write(words);
    }
}

fn path_words(tables: &Tables, hal: &impl Hal, index: u32, words: &mut [u32; LINE_WORDS]) {
    let first = tables.layout.path_addresses(index) + path_addresses::SOURCE;
    let addresses = (first..first + path_addresses::WORDS).map(|word| hal.load(word));
    let values = addresses.chain([hal.load(tables.layout.path(index) + path::MTU)]);
    for (word, value) in words.iter_mut().skip(FIRST).zip(values) {
        *word = value;
    }
}

fn connection_lines(
    tables: &Tables,
    hal: &impl Hal,
    tree: &Tree,
    results: &mut Results,
    head: &Head,
    index: u32,
) {
    let cold = tables.layout.state(index);
    let mut cached = [0; LINE_WORDS];
    load_words(hal, cold + connection_state::CACHED, ConnectionCached::BYTES, &mut cached);
    results.line(tree, head.state_offset + CONNECTION_RECORD_CACHED, &cached);
    let mut delegated = [0; 2 * LINE_WORDS];
    let bytes = ConnectionDelegated::BYTES;
    load_words(hal, cold + connection_state::DELEGATED, bytes, &mut delegated);
    let at = head.state_offset + CONNECTION_RECORD_DELEGATED;
    let (first, second) = delegated.split_at(LINE_WORDS);
    results.line(tree, at, first);
    results.line(tree, at + LINE_WORDS as u32 * 4, second);
}

fn load_words(hal: &impl Hal, at: u32, bytes: usize, words: &mut [u32]) {
    for (word, at) in words.iter_mut().zip(at..at + bytes as u32 / 4) {
        *word = hal.load(at);
    }
}
