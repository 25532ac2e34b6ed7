//! Any slots in a command ring, between honest objects.
//!
//! An input is a run of slots. Two fields are read as wishes, so that depth is reached without
//! luck: a small handle names an honest object, and a result address that is small, or in the
//! memory that holds the rings, is the honest buffer (a host that has results written over its own
//! completions asked for it). All else is taken as it comes.
//! Must hold: no panic, no hang, the card is not failed by a command, it recovers by a reset.

#![no_main]

use abi::host::command::CommandHeader;
use abi::host::status::{CardState, Status};
use fuzz::{Scene, slot};
use libfuzzer_sys::fuzz_target;

/// Slots of one input that are put into the ring.
const SLOTS: usize = 48;
/// Result addresses below this mean the honest buffer.
const PAGE: u64 = 4096;
/// Card time in which everything that can be carried out has been.
const SETTLED_MS: u64 = 2;

fuzz_target!(|input: &[u8]| {
    let mut scene = Scene::open();
    let mut put = 0;
    for bytes in input.chunks(64).take(SLOTS) {
        let mut slot = slot(bytes);
        let mut header = CommandHeader::read(&slot);
        header.handle = scene.handle(header.handle);
        let honest = scene.raw.results();
        if header.result < PAGE || header.result >> 32 == honest >> 32 {
            header.result = if header.result_units == 0 { 0 } else { honest };
        }
        header.write(&mut slot);
        scene.raw.put(slot);
        put += 1;
    }
    scene.raw.ring();
    scene.raw.rest_ms(SETTLED_MS);
    assert_eq!(scene.raw.state(), CardState::READY, "a command failed the card");
    for _ in 0..put {
        let Some(completion) = scene.raw.completion() else {
            break;
        };
        assert!(Status::ALL.contains(&Status(completion.status)), "{completion:?}");
    }
    assert!(scene.raw.completion().is_none(), "more completions than slots");
    scene.check_recovery();
});
