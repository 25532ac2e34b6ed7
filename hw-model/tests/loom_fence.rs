//! The fence under loom: once the host has seen a completion, no frame of the old state leaves.
#![cfg(loom)]

#[path = "support/loom_card.rs"]
mod loom_card;
mod support;

use std::sync::atomic::{AtomicU32, Ordering};

use abi::host::command::{Opcode, Slot};
use abi::host::handle::Handle;
use hw_model::datapath::resolver::Verdict;
use loom_card::{Writer, whole};
use support::{new_neighbor, new_path, one, relink_all, relink_path};

/// Batches of the reader, one frame each.
const BATCHES: usize = 3;

/// Steps of the firmware: enough to begin, to wait for a fence or two, and to complete.
const STEPS: usize = 8;

/// Runs one command against a reader with traffic; `old` is the MAC that must not leave once the
/// completion was seen. Returns in how many interleavings the completion came.
fn check(
    old: u8,
    command: impl Fn(&[Handle], &[Handle]) -> Vec<Slot> + Sync + Send + 'static,
) -> u32 {
    // Counts over all interleavings, so it is not loom's.
    let completions = std::sync::Arc::new(AtomicU32::new(0));
    let counted = std::sync::Arc::clone(&completions);
    loom_card::check(3, move || {
        let (card, mut writer, mut reader) = Writer::new();
        let first = writer.must(&mut reader, vec![new_neighbor(1, 0), new_path()]);
        let second = writer.must(&mut reader, vec![new_neighbor(2, 0)]);
        let before = card.completed();
        writer.submit(command(&first, &second));
        let writing = loom_card::spawn(move || writer.steps(STEPS, 1));
        for _ in 0..BATCHES {
            reader.begin(&card.epochs, |_| {});
            if let Verdict::Send(route) = card.resolve(first[1]) {
                loom_card::pause();
                // The frame crosses the port: what has the host seen by then?
                let has_completed = card.completed() > before;
                assert!(!has_completed || whole(&route) != old, "old state after the fence");
            }
        }
        // ORDERING: Relaxed. A tally over all interleavings, read when loom is done.
        counted.fetch_add(writing.join().unwrap(), Ordering::Relaxed);
    });
    // ORDERING: Relaxed. As above.
    completions.load(Ordering::Relaxed)
}

#[test]
fn no_frame_after_the_fence() {
    let seen = [
        check(1, |first, second| relink_path(second[0], first[1])),
        check(1, |first, second| vec![relink_all(second[0], first[0])]),
        check(1, |first, _| vec![one(Opcode::INVALIDATE, first[0])]),
        check(1, |first, _| vec![one(Opcode::TERMINATE, first[1])]),
    ];
    assert!(seen.iter().all(|completions| *completions > 0), "nothing was checked: {seen:?}");
}

/// The control: a reader that announces while a frame it has resolved has not crossed yet.
#[test]
#[should_panic(expected = "old state after the fence")]
fn a_reader_that_announces_too_early_is_caught() {
    loom_card::check(3, || {
        let (card, mut writer, mut reader) = Writer::new();
        let first = writer.must(&mut reader, vec![new_neighbor(1, 0), new_path()]);
        let before = card.completed();
        writer.submit(vec![one(Opcode::INVALIDATE, first[0])]);
        let writing = loom_card::spawn(move || writer.steps(STEPS, 1));
        for _ in 0..BATCHES {
            let verdict = card.resolve(first[1]);
            reader.begin(&card.epochs, |_| {});
            loom_card::pause();
            let has_completed = card.completed() > before;
            let leaves = matches!(verdict, Verdict::Send(_));
            assert!(!has_completed || !leaves, "old state after the fence");
        }
        writing.join().unwrap();
    });
}
