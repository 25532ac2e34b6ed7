//! Following an answered tree: every block of the answer is checked, then noted in the shadow.
//!
//! From `engine`, for every outcome. It follows the card's statuses and judges only whether they
//! can be. One walk over slots and records; paths of one neighbor that stand one after another,
//! which is what long trees are made of, go through a road of their own.

use abi::host::command::{CommandHeader, Flag, Opcode, SELECTION, Selection, level};
use abi::host::handle::Handle;
use abi::host::status::{Kind, Status};

use crate::outcome::{BlockResult, Outcome};
use crate::shadow::Shadow;

/// Flags of blocks that are no paths of the neighbor above them.
const APART: u16 = Flag::CONTINUATION.0 | Flag::ROOT.0 | Flag::PLACEHOLDER.0;

/// Follows one answered tree. `Err`: the card's answer cannot be true.
pub(super) fn apply(shadow: &mut Shadow, outcome: &mut Outcome) -> Result<(), String> {
    let is_followed = outcome.status() != Status::RESET;
    // A terminate or query tree gives its block numbers in another order than its slots; the
    // slots carry the handles, so only the statuses are looked up by record.
    let (mut record, mut number) = (0, 0);
    let mut parents = [Handle::NULL; 2];
    while let Some(slot) = outcome.slots().get(number) {
        let head = CommandHeader::read(slot);
        if is_path_below(&head) && is_followed {
            let run = paths_of_one(shadow, outcome, number, record, parents[0])?;
            if run.length > 0 {
                (record, number) = (record + run.length, number + run.length);
                parents[1] = run.last;
                continue;
            }
        }
        number += 1;
        if Flag::CONTINUATION.is_in(head.flags) {
            continue;
        }
        let selection = Selection::read(&slot[SELECTION / 4..]);
        let result = outcome.answer(record, &head)?;
        let is_success = Flag::LIST.is_in(head.flags) && outcome.check_list(record)?;
        if is_followed {
            let listed = Listed { block: record, is_success };
            block(shadow, outcome, &head, selection, result, listed, &mut parents)?;
        }
        record += 1;
    }
    Ok(())
}

/// Paths of a tree that were done, one after another.
struct PathRun {
    /// Blocks, and slots: a path's block is one slot.
    length: usize,
    last: Handle,
}

/// What is known of the list that a block may have named.
struct Listed {
    block: usize,
    /// Whether all of it moved.
    is_success: bool,
}

/// Whether a block is a path under the neighbor that stands above it.
fn is_path_below(head: &CommandHeader) -> bool {
    let is_path = Kind(head.kind) == Kind::PATH && head.flags & APART == 0;
    is_path && matches!(Opcode(head.opcode), Opcode::INITIATE | Opcode::UPDATE)
}

/// Follows new and relinked paths under `neighbor`, from slot `first` and its record on, up to the
/// first that is anything else or was not plainly done: that one is looked at by itself.
fn paths_of_one(
    shadow: &mut Shadow,
    outcome: &Outcome,
    first: usize,
    record: usize,
    neighbor: Handle,
) -> Result<PathRun, String> {
    let mut run = PathRun { length: 0, last: Handle::NULL };
    let mut arrivals = shadow.arrivals(neighbor);
    for (slot, record) in outcome.slots()[first..].iter().zip(outcome.records(record)) {
        let (head, path) = (CommandHeader::read(slot), Handle(record.handle));
        if !is_path_below(&head) || Status(record.status) != Status::SUCCESS {
            break;
        }
        if Opcode(head.opcode) == Opcode::INITIATE {
            if head.handle != 0 || path.kind() != Kind::PATH {
                break;
            }
            arrivals.insert(path).map_err(|error| error.to_string())?;
        } else {
            if neighbor.is_null() || path != head.named() || path.kind() != Kind::PATH {
                break;
            }
            arrivals.relinked(path);
        }
        run.length += 1;
        run.last = path;
    }
    Ok(run)
}

/// Follows one block that was answered with `result`.
fn block(
    shadow: &mut Shadow,
    outcome: &Outcome,
    head: &CommandHeader,
    selection: Selection,
    result: BlockResult,
    listed: Listed,
    parents: &mut [Handle; 2],
) -> Result<(), String> {
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
        Opcode::UPDATE
            if Flag::ALL_OF.is_in(head.flags)
                && is_done
                && result.old_status == Status::SUCCESS =>
        {
            shadow.relinked_all(head.named(), Handle(selection.list));
        }
        Opcode::UPDATE if Flag::LIST.is_in(head.flags) => {
            relinked_list(shadow, outcome, head.named(), listed);
        }
        Opcode::UPDATE if is_done && kind == Kind::PATH => {
            if let Some(to) = parent {
                shadow.relinked(head.named(), to);
            }
        }
        Opcode::INVALIDATE if is_done => shadow.mark_invalid(head.named()),
        Opcode::TERMINATE if is_done => shadow.remove(head.named()),
        _ => {}
    }
    Ok(())
}

/// Follows the list of paths that came to the neighbor `to`.
fn relinked_list(shadow: &mut Shadow, outcome: &Outcome, to: Handle, listed: Listed) {
    let Some(list) = outcome.list(listed.block) else { return };
    let handles = list.handles();
    let paths = handles.load_pairs().map(Handle);
    if listed.is_success {
        return shadow.relinked_each(to, paths);
    }
    // What moved before the target was invalidated stays moved.
    let moved = paths.zip(outcome.list_status(listed.block));
    let moved = moved.filter(|(_, status)| Status(**status) == Status::SUCCESS);
    shadow.relinked_each(to, moved.map(|(path, _)| path));
}
