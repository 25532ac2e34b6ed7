//! Keeping the shadow: what an answered tree changed on the card.
//!
//! From `engine`, for every outcome. It follows the card's statuses and judges nothing.

use abi::host::command::{CommandHeader, Flag, Opcode, SELECTION, Selection, Slot, level};
use abi::host::handle::Handle;
use abi::host::status::{Kind, Status};

use crate::outcome::Outcome;
use crate::shadow::Shadow;

/// Follows one answered tree. `Err`: the card's answer cannot be true.
pub(super) fn apply(shadow: &mut Shadow, outcome: &Outcome, slots: &[Slot]) -> Result<(), String> {
    if outcome.status() == Status::RESET {
        return Ok(());
    }
    // A terminate or query tree gives its block numbers in another order than its slots; the
    // slots carry the handles, so only the statuses are looked up by record.
    let heads = slots.iter().map(|slot| (slot, CommandHeader::read(slot)));
    let heads = heads.filter(|(_, head)| !Flag::CONTINUATION.is_in(head.flags));
    let mut parents = [Handle::NULL; 2];
    for (record, (slot, head)) in heads.enumerate() {
        let result = outcome.by_record(record);
        let kind = Kind(head.kind);
        let is_done = result.status.is_done();
        let above = level(kind).checked_sub(1).and_then(|at| parents.get(at as usize)).copied();
        let is_root = Flag::ROOT.is_in(head.flags);
        let parent = above.filter(|above| !is_root && !above.is_null());
        if let Some(place) = parents.get_mut(level(kind) as usize) {
            *place = if is_done { result.handle } else { Handle::NULL };
        }
        match Opcode(head.opcode) {
            Opcode::INITIATE if is_done && head.handle == 0 && !result.handle.is_null() => {
                shadow.insert(result.handle, parent).map_err(|error| error.to_string())?;
            }
            Opcode::UPDATE if kind == Kind::NEIGHBOR => {
                selected(shadow, outcome, record, slot, &head);
            }
            Opcode::UPDATE if is_done && kind == Kind::PATH => {
                if let Some(to) = parent {
                    shadow.relinked(Handle(head.handle), to);
                }
            }
            Opcode::INVALIDATE if is_done => shadow.mark_invalid(Handle(head.handle)),
            Opcode::TERMINATE if is_done => shadow.remove(Handle(head.handle)),
            _ => {}
        }
    }
    Ok(())
}

/// Paths that came to a neighbor by list, or all of another one's.
fn selected(
    shadow: &mut Shadow,
    outcome: &Outcome,
    record: usize,
    slot: &Slot,
    head: &CommandHeader,
) {
    let to = Handle(head.handle);
    let result = outcome.by_record(record);
    if Flag::ALL_OF.is_in(head.flags) {
        let old = Handle(Selection::read(&slot[SELECTION / 4..]).list);
        if result.status.is_done() && result.old_status == Status::SUCCESS && old != to {
            shadow.relinked_all(to, old);
        }
    } else if Flag::LIST.is_in(head.flags)
        && let Some(list) = outcome.list(record)
    {
        // What moved before the target was invalidated stays moved.
        for (entry, status) in outcome.list_status(record).iter().enumerate() {
            if Status(*status) == Status::SUCCESS
                && let Some(path) = list.get(entry)
            {
                shadow.relinked(path, to);
            }
        }
    }
}
