//! The driver reads the golden answers, events and transmit completions, and writes the golden
//! transmit descriptors.
//!
//! A canned card writes the images where a card would. The firmware is tested against the same
//! files.

mod canned;
#[path = "../../abi/tests/image/mod.rs"]
mod image;
#[allow(dead_code, reason = "shared with `golden.rs`, which uses the rest")]
mod sample;

use std::sync::Arc;

use abi::host::completion::{Completion, ResultRecord};
use abi::host::handle::Handle;
use abi::host::register::{EVENT_RING, TRANSMIT_RING_FIRST};
use abi::host::status::{Detail, EventKind, Status, TransmitStatus};
use abi::host::transmit::TransmitDescriptor;
use canned::Canned;
use host_driver::{
    CardEvent, Config, Initiate, ObjectHead, ObjectState, Query, Session, TransmitDone, Update,
};
use sample::{
    CONNECTION, NEIGHBOR, OTHER_NEIGHBOR, PATH_IPV4, PATH_IPV6, connection, neighbor, path_ipv4,
    path_ipv6,
};

fn attach() -> (Arc<Canned>, Session<Canned>) {
    let card = Canned::new();
    let config = Config {
        command_rings: 1,
        ring_slots: 64,
        transmit_slots: 64,
        event_slots: 64,
        ..Config::default()
    };
    let session = Session::attach(Arc::clone(&card), &config).expect("the card is a card");
    (card, session)
}

/// Completion `number` of the image.
fn completion(number: usize) -> Completion {
    Completion::read(&image::read("completions")[number * Completion::BYTES / 4..])
}

fn success(handle: Handle) -> Vec<u32> {
    let mut words = vec![0; ResultRecord::BYTES / 4];
    let record =
        ResultRecord { handle: handle.0, status: Status::SUCCESS.0, ..ResultRecord::default() };
    record.write(&mut words);
    words
}

#[test]
fn golden_state_is_read_back_whole() {
    let (card, session) = attach();
    let mut results = [NEIGHBOR, PATH_IPV4, PATH_IPV6, CONNECTION].map(success).concat();
    results.extend(image::read("state_records"));
    card.answer(&results, completion(0));
    let mut tree = Query::new();
    tree.neighbor(NEIGHBOR);
    tree.path(PATH_IPV4);
    tree.path(PATH_IPV6);
    tree.connection(CONNECTION);
    let outcome = session.run(tree).unwrap();
    let head = |dependents, parent| ObjectHead { invalid: false, dependents, parent };
    let expected = [
        ObjectState::Neighbor(neighbor(), head(2, Handle::NULL)),
        ObjectState::Path(path_ipv4(), head(1, NEIGHBOR)),
        ObjectState::Path(path_ipv6(), head(0, NEIGHBOR)),
        ObjectState::Connection(Box::new(connection()), head(0, PATH_IPV4)),
    ];
    for (block, state) in expected.into_iter().enumerate() {
        assert_eq!(outcome.state(block), Some(state), "block {block}");
    }
    assert_eq!((outcome.status(), outcome.done(), outcome.failed()), (Status::SUCCESS, 4, 0));
}

#[test]
fn golden_results_are_told_block_by_block() {
    let (card, session) = attach();
    let records = image::read("result_records");
    let (of_initiate, of_update) = records.split_at(3 * ResultRecord::BYTES / 4);
    card.answer(of_initiate, completion(1));
    let mut tree = Initiate::new();
    let mut root = tree.neighbor(&neighbor());
    root.path(&path_ipv4()).connection(&connection());
    let outcome = session.run(tree).unwrap();
    let answers: Vec<_> = (0..3).map(|block| outcome.block(block)).collect();
    assert_eq!(answers[0].handle, NEIGHBOR);
    let statuses = [Status::SUCCESS, Status::PATH_ENTRIES, Status::FAILURE];
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), statuses);
    assert_eq!(answers[2].detail, Detail::PARENT.0);
    let counts = (outcome.status(), outcome.done(), outcome.failed());
    assert_eq!(counts, (Status::PARTIAL_SUCCESS, 1, 2));

    card.answer(of_update, completion(1));
    let mut tree = Update::new();
    tree.neighbor(OTHER_NEIGHBOR).relink_all_of(NEIGHBOR);
    tree.neighbor(OTHER_NEIGHBOR).relink_all_of(NEIGHBOR);
    let outcome = session.run(tree).unwrap();
    let (moved, stale) = (outcome.block(0), outcome.block(1));
    assert_eq!(
        (moved.status, moved.old_status, moved.detail),
        (Status::SUCCESS, Status::SUCCESS, 5)
    );
    assert_eq!((stale.status, stale.old_status), (Status::SUCCESS, Status::STALE_HANDLE));
}

#[test]
fn golden_events_are_told() {
    let (card, session) = attach();
    card.post(EVENT_RING, 0, &image::read("events"));
    let expected = [
        CardEvent {
            kind: EventKind::INVALID_STATE,
            handle: CONNECTION,
            time_ms: 1000,
            rescan: false,
        },
        CardEvent {
            kind: EventKind::NEIGHBOR_QUERY,
            handle: NEIGHBOR,
            time_ms: 30_000,
            rescan: true,
        },
    ];
    for event in expected {
        assert_eq!(session.next_event(), Some(event));
    }
    assert_eq!(session.next_event(), None);
}

#[test]
fn transmit_descriptors_and_completions_are_the_golden_ones() {
    const WORDS: usize = TransmitDescriptor::BYTES / 4;
    let (card, session) = attach();
    let mut transmitter = session.transmitter(0).unwrap();
    transmitter.post(PATH_IPV4, &[0; 128], 0xabcd_0001).unwrap();
    transmitter.post_progress(CONNECTION, &[0; 9216], 0xabcd_0002, 900).unwrap();
    transmitter.publish();
    for (entry, golden) in (0..).zip(image::read("transmit").chunks_exact(WORDS)) {
        let found = TransmitDescriptor::read(&card.slot(TRANSMIT_RING_FIRST, entry, WORDS));
        let golden = TransmitDescriptor::read(golden);
        // Which buffer is the driver's choice.
        assert_eq!(TransmitDescriptor { buffer: golden.buffer, ..found }, golden);
    }
    card.post(TRANSMIT_RING_FIRST, 0, &image::read("transmit_completions"));
    let mut done = Vec::new();
    assert_eq!(transmitter.reap(|one| done.push(one)).unwrap(), 2);
    let one = |tag, status| TransmitDone { tag, stamp_ms: 1000, status };
    let expected =
        [one(0xabcd_0001, TransmitStatus::LEFT), one(0xabcd_0002, TransmitStatus::PATH_MTU)];
    assert_eq!(done, expected);
}
