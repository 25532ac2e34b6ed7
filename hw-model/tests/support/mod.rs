//! Commands as bare slots, for tests of the card that use no driver.
//!
//! Only what these tests need: one neighbor with paths, the ways of moving them, invalidate,
//! terminate. Whole trees are the driver's matter and are tested with it.
#![allow(dead_code, reason = "each test file uses its own part")]

use abi::host::command::{
    CommandHeader, Flag, NeighborVariables, Opcode, PathVariables, SELECTION, STATE_OFFSET,
    Selection, Slot, VARIABLES,
};
use abi::host::handle::Handle;
use abi::host::status::Kind;

/// Byte offset of state records and list statuses in the result buffer of these tests.
pub(crate) const STATE_AT: u32 = 1024;
/// Length of the result buffer of these tests, in units of 512 bytes.
pub(crate) const RESULT_UNITS: u16 = 4;
/// A block of an initiate tree that carries everything.
const ALL: u16 = Flag::CONST.0 | Flag::CACHED.0 | Flag::DELEGATED.0;

/// One block: kind, flags, handle.
pub(crate) fn block(opcode: Opcode, kind: Kind, flags: u16, handle: Handle) -> Slot {
    let mut slot = Slot::default();
    let head = CommandHeader {
        opcode: opcode.0,
        kind: kind.0,
        flags,
        handle: handle.0,
        ..Default::default()
    };
    head.write(&mut slot);
    slot
}

/// A new neighbor whose destination MAC has `mac` in both of the words it is stored in.
pub(crate) fn new_neighbor(mac: u8, vlan: u16) -> Slot {
    let mut slot = block(Opcode::INITIATE, Kind::NEIGHBOR, ALL | Flag::ROOT.0, Handle::NULL);
    let state = NeighborVariables {
        destination: [2, 0, 0, mac, 0, mac],
        source: [2, 0, 0, 0, 0x0a, mac],
        vlan,
        ..Default::default()
    };
    state.write(&mut slot[VARIABLES / 4..]);
    slot
}

/// A new IPv4 path under the neighbor block before it.
pub(crate) fn new_path() -> Slot {
    let flags = Flag::CONST.0 | Flag::CACHED.0;
    let mut slot = block(Opcode::INITIATE, Kind::PATH, flags, Handle::NULL);
    let mut state = PathVariables { mtu: 1500, ..Default::default() };
    state.source[..4].copy_from_slice(&[192, 0, 2, 10]);
    state.destination[..4].copy_from_slice(&[198, 51, 100, 7]);
    state.write(&mut slot[VARIABLES / 4..]);
    slot
}

/// Relinks all paths of `old` to `new`.
pub(crate) fn relink_all(new: Handle, old: Handle) -> Slot {
    let flags = Flag::ROOT.0 | Flag::ALL_OF.0;
    let mut slot = block(Opcode::UPDATE, Kind::NEIGHBOR, flags, new);
    Selection { list: old.0, count: 0 }.write(&mut slot[SELECTION / 4..]);
    slot[STATE_OFFSET / 4] = STATE_AT;
    slot
}

/// Relinks one path to `new`, as a tree of two blocks.
pub(crate) fn relink_path(new: Handle, path: Handle) -> Vec<Slot> {
    vec![
        block(Opcode::UPDATE, Kind::NEIGHBOR, Flag::ROOT.0, new),
        block(Opcode::UPDATE, Kind::PATH, 0, path),
    ]
}

/// A new destination MAC, made of `mac` in the same way.
pub(crate) fn new_mac(neighbor: Handle, mac: u8) -> Slot {
    let flags = Flag::ROOT.0 | Flag::CACHED.0;
    let mut slot = block(Opcode::UPDATE, Kind::NEIGHBOR, flags, neighbor);
    let state = NeighborVariables { destination: [2, 0, 0, mac, 0, mac], ..Default::default() };
    state.write(&mut slot[VARIABLES / 4..]);
    slot
}

/// Invalidates or terminates one object.
pub(crate) fn one(opcode: Opcode, handle: Handle) -> Slot {
    block(opcode, handle.kind(), Flag::ROOT.0, handle)
}

/// Makes a tree of blocks: first and last flag, tag, result buffer.
pub(crate) fn tree(mut blocks: Vec<Slot>, tag: u16, result: u64) -> Vec<Slot> {
    let last = blocks.len() - 1;
    for (i, slot) in blocks.iter_mut().enumerate() {
        let mut head = CommandHeader::read(slot);
        if i == 0 {
            head.flags |= Flag::FIRST.0;
            (head.tag, head.result_units, head.result) = (tag, RESULT_UNITS, result);
        }
        if i == last {
            head.flags |= Flag::LAST.0;
        }
        head.write(slot);
    }
    blocks
}
