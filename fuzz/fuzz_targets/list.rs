//! Any list: entries, count and pointer.
//!
//! An input is a count (4 bytes), a pointer (8 bytes, where 0 is the honest list), then entries
//! of 8 bytes, where a small one names an honest object.
//! Must hold: one completion; every entry of a list that was carried out has a status byte that
//! is one; the counts of the completion add up; the card recovers by a reset.

#![no_main]

use abi::host::command::{Flag, Opcode, SELECTION, STATE_OFFSET, Selection};
use abi::host::handle::Handle;
use abi::host::status::{CardState, Detail, Kind};
use fuzz::{Scene, slot, words64};
use libfuzzer_sys::fuzz_target;

/// Entries of one input.
const ENTRIES: usize = 256;
/// Byte offset of the status bytes in the result buffer.
const STATUSES: u32 = 64;
/// Card time in which the list has been carried out, or will never be.
const SETTLED_MS: u64 = 5;

fuzz_target!(|input: &[u8]| {
    let Some((head, entries)) = input.split_at_checked(12) else {
        return;
    };
    let head = slot(head);
    let (count, pointer) = (head[0], u64::from(head[1]) | u64::from(head[2]) << 32);
    let mut scene = Scene::open();
    let handles: Vec<_> =
        words64(entries).take(ENTRIES).map(|word| Handle(scene.handle(word))).collect();
    scene.raw.write_list(&handles);
    let mut tree = [0; 16];
    let mut header = scene.raw.header(Opcode::UPDATE, Kind::NEIGHBOR, Flag::LAST.0 | Flag::LIST.0);
    header.handle = scene.handles[1].0;
    header.write(&mut tree);
    let list = if pointer == 0 { scene.raw.list() } else { pointer };
    Selection { list, count }.write(&mut tree[SELECTION / 4..]);
    tree[STATE_OFFSET / 4] = STATUSES;
    scene.raw.put(tree);
    scene.raw.ring();
    scene.raw.rest_ms(SETTLED_MS);
    assert_eq!(scene.raw.state(), CardState::READY, "a list failed the card");
    if let Some(completion) = scene.raw.completion() {
        let counted = u64::from(completion.done) + u64::from(completion.failed);
        let refused = completion.detail != Detail::NONE.0 || completion.done == 0;
        assert!(counted == u64::from(count) + 1 || refused, "{completion:?} for {count} entries");
    }
    assert!(scene.raw.completion().is_none(), "one tree, one completion");
    scene.check_recovery();
});
