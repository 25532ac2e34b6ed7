//! A card that lies, hangs, fails or leaves: the session says so, answers everybody, and hurts
//! nobody. Whatever the card writes back is checked before use.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected comes")]

mod fake;

use std::sync::{Arc, mpsc};
use std::time::Duration;

use abi::host::completion::Completion;
use abi::host::handle::Handle;
use abi::host::register;
use abi::host::status::{CardState, FailCode, Kind, Status, TransmitStatus};
use abi::host::transmit::TransmitCompletion;
use abi::layout::{Reg, Ro};
use fake::{Answer, FakeCard, Seen};
use host_driver::backing::Backing;
use host_driver::{
    AttachError, Config, Error, Initiate, NeighborState, NotPosted, Query, Session, Ticket,
    TransmitDone, Tree, Update,
};

/// Longest that a test may take: everything here is over in far less.
const PATIENCE: Duration = Duration::from_secs(30);
const TIMEOUT_MS: u64 = 50;

fn config() -> Config {
    Config {
        ring_slots: 8,
        transmit_slots: 4,
        event_slots: 4,
        command_timeout_ms: TIMEOUT_MS,
        ..Config::default()
    }
}

fn attach(card: &Arc<FakeCard>) -> Session<FakeCard> {
    Session::attach(Arc::clone(card), &config()).expect("the card is honest so far")
}

fn refusal(card: &Arc<FakeCard>) -> AttachError {
    Session::attach(Arc::clone(card), &config()).expect_err("it must be refused")
}

fn neighbors(count: usize) -> Tree {
    let mut tree = Initiate::with_capacity(count);
    for _ in 0..count {
        tree.neighbor(&NeighborState::default());
    }
    tree.into()
}

fn query(handle: Handle) -> Tree {
    let mut tree = Query::new();
    tree.object(handle.kind(), handle);
    tree.into()
}

/// Runs `claim`, and fails when it takes for ever.
fn in_time(claim: impl FnOnce() + Send + 'static) {
    let (over, is_over) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        claim();
        over.send(()).expect("somebody waits");
    });
    match is_over.recv_timeout(PATIENCE) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("still not over after {PATIENCE:?}"),
        _ => worker.join().expect("the claim holds"),
    }
}

/// Every ticket is answered, with the same error; then a reset makes the session whole again.
fn all_are_answered_and_a_reset_helps(
    session: &Session<FakeCard>,
    tickets: Vec<Ticket<FakeCard>>,
    is_it: impl Fn(&Error) -> bool,
) {
    for ticket in tickets {
        let error = ticket.wait().expect_err("the card cannot be believed");
        assert!(is_it(&error), "{error}");
        assert!(error.is_fatal() && error.to_string().starts_with("fake: "), "{error}");
    }
    let later = session.run(neighbors(1)).expect_err("until a reset");
    assert!(is_it(&later), "{later}");
    session.backing().answer_by(|_, _| {});
    session.backing().pause(false);
    session.reset().unwrap();
    session.run(neighbors(2)).unwrap().all_done().unwrap();
}

fn is_nonsense(error: &Error) -> bool {
    matches!(error, Error::Nonsense { ring: 0, .. })
}

/// A card that answers the second of three trees by `lie`.
fn a_lie_is_noticed(lie: impl Fn(&Seen, &mut Answer) + Send + 'static) {
    in_time(move || {
        let card = FakeCard::new();
        let session = attach(&card);
        let known = session.run(neighbors(1)).unwrap().block(0).handle;
        let mut number = 0;
        card.answer_by(move |seen, answer| {
            number += 1;
            if number == 2 {
                lie(seen, answer);
            }
        });
        card.pause(true);
        let mut update = Update::new();
        let mut neighbor = update.neighbor(known);
        neighbor.relink(Handle::new(Kind::PATH, 3, 1));
        let first = session.submit(query(known)).unwrap();
        let second = session.submit(update).unwrap();
        let third = session.submit(neighbors(1)).unwrap();
        card.pause(false);
        first.wait().unwrap();
        all_are_answered_and_a_reset_helps(&session, vec![second, third], is_nonsense);
    });
}

#[test]
fn a_completion_with_another_tag_is_noticed() {
    a_lie_is_noticed(|_, answer| answer.completion.tag ^= 0x8000);
}

#[test]
fn a_completion_of_the_next_tree_is_noticed() {
    a_lie_is_noticed(|_, answer| answer.completion.tag += 1);
}

#[test]
fn a_completion_with_an_unknown_status_is_noticed() {
    a_lie_is_noticed(|_, answer| answer.completion.status = 200);
    a_lie_is_noticed(|_, answer| answer.completion.status = Status::NONE.0);
}

#[test]
fn a_block_without_a_status_is_noticed() {
    a_lie_is_noticed(|_, answer| answer.records[1].status = Status::NONE.0);
    a_lie_is_noticed(|_, answer| answer.records.truncate(1));
}

#[test]
fn a_block_with_an_unknown_status_is_noticed() {
    a_lie_is_noticed(|_, answer| answer.records[0].status = 0xff);
}

#[test]
fn an_answer_for_another_object_is_noticed() {
    a_lie_is_noticed(|_, answer| answer.records[1].handle ^= 1);
}

/// A card whose answer to an initiate tree has `handle` in its first record.
fn a_handle_is_noticed(handle: Handle) {
    in_time(move || {
        let card = FakeCard::new();
        let session = attach(&card);
        card.answer_by(move |_, answer| answer.records[0].handle = handle.0);
        let ticket = session.submit(neighbors(1)).unwrap();
        all_are_answered_and_a_reset_helps(&session, vec![ticket], is_nonsense);
    });
}

#[test]
fn a_new_object_without_a_handle_is_noticed() {
    a_handle_is_noticed(Handle::NULL);
}

#[test]
fn a_new_object_of_another_kind_is_noticed() {
    a_handle_is_noticed(Handle::new(Kind::PATH, 0, 1));
}

#[test]
fn a_new_object_past_the_end_of_the_cards_table_is_noticed() {
    a_handle_is_noticed(Handle::new(Kind::NEIGHBOR, (1 << 30) - 1, 1));
}

#[test]
fn a_completion_of_a_tree_that_was_never_sent_is_noticed() {
    in_time(|| {
        let card = FakeCard::new();
        let session = attach(&card);
        session.run(neighbors(1)).unwrap();
        card.post_unasked(0, Completion { status: Status::SUCCESS.0, ..Completion::default() });
        session.poll();
        all_are_answered_and_a_reset_helps(&session, Vec::new(), is_nonsense);
    });
}

#[test]
fn a_tree_that_completes_before_its_end_was_sent_is_noticed() {
    in_time(|| {
        let card = FakeCard::new();
        let session = attach(&card);
        card.pause(true);
        let ticket = session.submit(neighbors(100)).unwrap();
        card.post_unasked(0, Completion { status: Status::SUCCESS.0, ..Completion::default() });
        all_are_answered_and_a_reset_helps(&session, vec![ticket], is_nonsense);
    });
}

#[test]
fn a_completion_with_the_phase_of_another_lap_does_not_count() {
    in_time(|| {
        let card = FakeCard::new();
        let session = attach(&card);
        card.answer_by(|_, answer| answer.has_wrong_phase = true);
        let ticket = session.submit(neighbors(1)).unwrap();
        let is_it = |error: &Error| matches!(error, Error::TimedOut { ring: 0, .. });
        all_are_answered_and_a_reset_helps(&session, vec![ticket], is_it);
    });
}

#[test]
fn a_card_that_hangs_is_given_up_after_the_timeout_on_its_own_clock() {
    in_time(|| {
        let card = FakeCard::new();
        let session = attach(&card);
        card.pause(true);
        let tickets = (0..30).map(|number| session.submit_on(number % 4, neighbors(5)).unwrap());
        let tickets: Vec<_> = tickets.collect();
        let start_ns = card.clock_ns();
        let is_it = |error: &Error| matches!(error, Error::TimedOut { .. });
        all_are_answered_and_a_reset_helps(&session, tickets, is_it);
        let waited_ms = (card.clock_ns() - start_ns) / 1_000_000;
        assert!((TIMEOUT_MS..TIMEOUT_MS * 4).contains(&waited_ms), "waited {waited_ms} ms");
    });
}

#[test]
fn a_slow_card_that_makes_progress_is_not_given_up() {
    in_time(|| {
        let card = FakeCard::new();
        let session = attach(&card);
        // Each tree alone is within the timeout; all of them are far beyond it.
        let steps = TIMEOUT_MS * 1_000_000 / fake::STEP_NS * 2 / 3;
        card.pause(true);
        let tickets: Vec<_> = (0..6).map(|_| session.submit(neighbors(1)).unwrap()).collect();
        for (number, ticket) in tickets.into_iter().enumerate() {
            let mut ticket = ticket;
            for _ in 0..steps {
                assert!(ticket.poll().is_none(), "tree {number}");
                card.relax();
            }
            card.step_once(1);
            ticket.wait().unwrap();
        }
    });
}

#[test]
fn a_vanished_card_is_noticed_by_everybody() {
    in_time(|| {
        let card = FakeCard::new();
        let session = attach(&card);
        card.pause(true);
        let tickets: Vec<_> =
            (0..10).map(|number| session.submit_on(number % 4, neighbors(3)).unwrap()).collect();
        card.vanish();
        for ticket in tickets {
            let error = ticket.wait().expect_err("it is not there");
            assert!(matches!(error, Error::Vanished { .. }), "{error}");
        }
        // Nor does anybody wait for it: not for an instant of its time.
        let before = card.clock_ns();
        let gone = session.reset().expect_err("it is not there");
        assert!(matches!(gone, Error::Attach(AttachError::Vanished { .. })), "{gone}");
        assert!(session.run(neighbors(1)).is_err());
        let gone = session.detach().expect_err("it is not there");
        assert!(matches!(gone, AttachError::Vanished { .. }), "{gone}");
        assert_eq!((card.clock_ns(), card.mapped()), (before, 0));
    });
}

#[test]
fn a_failed_card_says_why() {
    in_time(|| {
        let card = FakeCard::new();
        let session = attach(&card);
        card.pause(true);
        let ticket = session.submit(neighbors(1)).unwrap();
        card.fail(FailCode::TRAP, 0x8000_1234, 7);
        let health = session.health();
        assert_eq!((health.state, health.fail_code), (CardState::FAILED, FailCode::TRAP));
        let is_it = |error: &Error| {
            matches!(error, Error::Failed { code: FailCode::TRAP, pc: 0x8000_1234, cause: 7, .. })
        };
        all_are_answered_and_a_reset_helps(&session, vec![ticket], is_it);
    });
}

#[test]
fn a_stopped_ring_says_why() {
    in_time(|| {
        let card = FakeCard::new();
        let session = attach(&card);
        card.pause(true);
        let ticket = session.submit_on(2, neighbors(1)).unwrap();
        card.stop_ring(2, FailCode::RING_BUS);
        let is_it = |error: &Error| {
            matches!(error, Error::RingStopped { ring: 2, code: FailCode::RING_BUS, .. })
        };
        all_are_answered_and_a_reset_helps(&session, vec![ticket], is_it);
    });
}

#[test]
fn something_else_is_not_attached_to() {
    let card = FakeCard::new();
    card.set(register::IDENTITY, 0x1234_5678);
    let refused = refusal(&card);
    assert!(matches!(refused, AttachError::NotACard { found: 0x1234_5678, .. }), "{refused}");
    let gone = FakeCard::new();
    gone.vanish();
    assert!(matches!(refusal(&gone), AttachError::NotACard { found: u32::MAX, .. }));
    assert_eq!(card.resets(), 0, "what is not known is not touched");
}

#[test]
fn another_major_version_is_not_attached_to() {
    let card = FakeCard::new();
    card.set(register::VERSION, abi::VERSION + (1 << 16));
    let refused = refusal(&card);
    assert!(matches!(refused, AttachError::Version { .. }), "{refused}");
    let (major, minor) = (abi::VERSION_MAJOR, abi::VERSION_MINOR);
    let both = format!("version {}.{minor}, this driver {major}.{minor}", major + 1);
    assert!(refused.to_string().contains(&both), "{refused}");
}

#[test]
fn other_tables_are_not_attached_to_and_both_hashes_are_named() {
    let card = FakeCard::new();
    card.set(register::ABI_HASH, 0xdead_beef);
    let refused = refusal(&card);
    let said = refused.to_string();
    assert!(matches!(refused, AttachError::AbiHash { .. }), "{said}");
    assert!(said.contains("0xdeadbeef") && said.contains(&format!("{:#010x}", abi::ABI_HASH)));
}

#[test]
fn capabilities_that_make_no_sense_are_named() {
    let registers: [(Reg<Ro>, u32, &str); 8] = [
        (register::NEIGHBORS, 0, "NEIGHBORS"),
        (register::PATHS, u32::MAX, "PATHS"),
        (register::COMMAND_RINGS, 0, "COMMAND_RINGS"),
        (register::COMMAND_RINGS, 9, "COMMAND_RINGS"),
        (register::TRANSMIT_RINGS, 9, "TRANSMIT_RINGS"),
        (register::RING_SLOTS, 1, "RING_SLOTS"),
        (register::VECTORS, 17, "VECTORS"),
        (register::CLOCK_KHZ, 0, "CLOCK_KHZ"),
    ];
    for (register, value, named) in registers {
        let card = FakeCard::new();
        card.set(register, value);
        match refusal(&card) {
            AttachError::Capability { name, value: read, .. } => {
                assert_eq!((name, read), (named, value));
            }
            other => panic!("{named} = {value}: {other}"),
        }
        assert_eq!(card.mapped(), 0);
    }
}

#[test]
fn more_than_the_card_offers_is_refused() {
    for config in [
        Config { command_rings: 9, ..config() },
        Config { transmit_rings: 9, ..config() },
        Config { ring_slots: 8192, ..config() },
        Config { event_slots: 6, ..config() },
        Config { port_vlans: vec![1; 17], ..config() },
    ] {
        let card = FakeCard::new();
        let refused = Session::attach(Arc::clone(&card), &config).expect_err("not on offer");
        assert!(matches!(refused, AttachError::Offered { .. }), "{refused}");
        assert_eq!(card.mapped(), 0);
    }
}

#[test]
fn a_card_that_does_not_acknowledge_a_reset_is_not_attached_to() {
    in_time(|| {
        let card = FakeCard::new();
        card.ignore_reset(true);
        let refused = refusal(&card);
        assert!(matches!(refused, AttachError::TimedOut { .. }), "{refused}");
        assert_eq!(card.mapped(), 0);
    });
}

#[test]
fn packets_come_back_with_their_tags_whatever_the_order() {
    let card = FakeCard::new();
    let session = attach(&card);
    let mut transmitter = session.transmitter(0).unwrap();
    assert!(session.transmitter(0).is_err(), "a ring has one owner");
    let handle = Handle::new(Kind::PATH, 0, 1);
    // Every third frame is held.
    let mut number = 0;
    card.transmit_by(move |descriptor| {
        number += 1;
        let status = TransmitStatus::LEFT.0;
        let stamp_ms = descriptor.bytes;
        let done =
            TransmitCompletion { tag: descriptor.tag, stamp_ms, status, ..Default::default() };
        (number % 3 != 0).then_some(done)
    });
    for tag in 0..4 {
        transmitter.post(handle, &[0x45; 20], 100 + tag).unwrap();
    }
    let full = transmitter.post(handle, &[0x45; 20], 9).expect_err("it has four buffers");
    assert_eq!(full, NotPosted::Full { in_flight: 4 });
    assert!(!transmitter.is_settled());
    transmitter.publish();
    card.relax();
    let mut done: Vec<TransmitDone> = Vec::new();
    assert_eq!(transmitter.reap(|packet| done.push(packet)).unwrap(), 3);
    assert_eq!(done.iter().map(|packet| packet.tag).collect::<Vec<_>>(), [100, 101, 103]);
    assert!(
        done.iter().all(|packet| (packet.status, packet.stamp_ms) == (TransmitStatus::LEFT, 20))
    );
    assert_eq!((transmitter.in_flight(), transmitter.held(), transmitter.fetched()), (1, 1, 4));
    assert!(transmitter.is_settled());
    let long = transmitter.post(handle, &[0; 9217], 1).expect_err("longer than any packet");
    assert!(matches!(long, NotPosted::TooLong { .. }));
}

#[test]
fn a_transmit_completion_of_a_packet_that_is_not_under_way_is_noticed() {
    for wrong in [1, 4, u32::MAX] {
        let card = FakeCard::new();
        let session = attach(&card);
        let mut transmitter = session.transmitter(0).unwrap();
        card.transmit_by(move |descriptor| {
            let (tag, status) = (descriptor.tag.wrapping_add(wrong), TransmitStatus::LEFT.0);
            Some(TransmitCompletion { tag, status, ..TransmitCompletion::default() })
        });
        transmitter.post(Handle::new(Kind::PATH, 0, 1), &[0x45; 20], 1).unwrap();
        transmitter.publish();
        card.relax();
        let error = transmitter.reap(|_| {}).expect_err("no such packet");
        assert!(matches!(error, NotPosted::Nonsense { .. }), "{error}");
    }
}

#[test]
fn a_card_that_claims_to_have_fetched_what_was_not_published_breaks_nothing() {
    let card = FakeCard::new();
    let session = attach(&card);
    let mut transmitter = session.transmitter(0).unwrap();
    card.pause(true);
    let handle = Handle::new(Kind::PATH, 0, 1);
    for tag in 0..4 {
        transmitter.post(handle, &[0x45; 20], tag).unwrap();
    }
    // Nothing is published, yet the card completes all four and says it fetched them.
    for tag in 0..4 {
        card.post_transmitted(register::TRANSMIT_RING_FIRST, tag);
    }
    card.set(register::RING_FETCHED.bank(register::TRANSMIT_RING_FIRST, register::RING_STRIDE), 4);
    assert_eq!(transmitter.reap(|_| {}).unwrap(), 4);
    let posted = transmitter.post(handle, &[0x45; 20], 9);
    assert!(matches!(posted, Err(NotPosted::Full { .. })), "{posted:?}");
}
