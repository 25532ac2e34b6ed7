//! A session with an honest card: rings, back-pressure, callbacks, threads, reset, detach.

mod fake;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use abi::host::command::ConnectionCached;
use abi::host::completion::Event;
use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::register;
use abi::host::status::{EventKind, Kind, Status};
use fake::FakeCard;
use host_driver::backing::Backing;
use host_driver::{
    Config, Error, Initiate, Invalidate, NeighborState, NotTaken, PathState, Query, Session,
    Terminate, Tree, Update,
};

/// Longest that a test may take: everything here is over in far less.
const PATIENCE: Duration = Duration::from_secs(30);

fn config() -> Config {
    Config { ring_slots: 8, transmit_slots: 4, event_slots: 4, ..Config::default() }
}

fn attach(card: &Arc<FakeCard>) -> Session<FakeCard> {
    Session::attach(Arc::clone(card), &config()).expect("the card is honest so far")
}

fn path(number: u32) -> PathState {
    PathState {
        source: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        destination: IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number)),
        mtu: 1500,
    }
}

fn one_neighbor() -> Tree {
    let mut tree = Initiate::new();
    tree.neighbor(&NeighborState::default());
    tree.into()
}

fn one_with_paths(paths: u32) -> Tree {
    let mut tree = Initiate::with_capacity(paths as usize + 1);
    let mut neighbor = tree.neighbor(&NeighborState::default());
    for number in 0..paths {
        neighbor.path(&path(number));
    }
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

#[test]
fn a_tree_longer_than_the_ring_goes_down_in_pieces() {
    in_time(|| {
        let card = FakeCard::new();
        let session = attach(&card);
        for paths in [6, 7, 8, 100, 1000] {
            let outcome = session.run(one_with_paths(paths)).unwrap();
            assert_eq!(outcome.status(), Status::SUCCESS);
            assert_eq!(outcome.blocks(), paths as usize + 1);
            assert_eq!(outcome.done(), paths + 1);
            outcome.all_done().unwrap();
        }
    });
}

#[test]
fn the_shadow_follows_the_cards_answers() {
    let card = FakeCard::new();
    let session = attach(&card);
    let outcome = session.run(one_with_paths(10)).unwrap();
    let handle = |block| outcome.block(block).handle;
    let (old, paths) = (handle(0), [handle(1), handle(2), handle(3)]);
    let new = session.run(one_neighbor()).unwrap().block(0).handle;
    assert_eq!(session.shadow().dependents(old), 10);

    let mut tree = Update::new();
    tree.neighbor(new).relink(paths[0]);
    session.run(tree).unwrap();
    assert_eq!(session.shadow().parent(paths[0]), Some(new));

    let mut list = session.handle_list(2).unwrap();
    list.extend([paths[1], paths[2]]).unwrap();
    // The card moves the first entry of a list only.
    card.answer_by(|_, answer| {
        if let Some(last) = answer.statuses.last_mut() {
            *last = Status::STALE_HANDLE.0;
        }
    });
    let mut tree = Update::new();
    tree.neighbor(new).relink_list(list);
    let outcome = session.run(tree).unwrap();
    assert_eq!(outcome.list_status(0), [Status::SUCCESS.0, Status::STALE_HANDLE.0]);
    assert_eq!(session.shadow().parent(paths[1]), Some(new));
    assert_eq!(session.shadow().parent(paths[2]), Some(old));

    let mut tree = Update::new();
    tree.neighbor(new).relink_all_of(old);
    session.run(tree).unwrap();
    let shadow = session.shadow();
    assert_eq!((shadow.dependents(old), shadow.dependents(new)), (0, 10));
    drop(shadow);

    let mut tree = Invalidate::new();
    tree.neighbor(new);
    session.run(tree).unwrap();
    let shadow = session.shadow();
    assert!(shadow.is_invalid(new) && !shadow.is_invalid(old));
    drop(shadow);

    let mut tree = Terminate::new();
    tree.neighbor(old);
    session.run(tree).unwrap();
    let shadow = session.shadow();
    assert!(!shadow.contains(old));
    assert_eq!((shadow.len(Kind::NEIGHBOR), shadow.len(Kind::PATH)), (1, 10));
}

#[test]
fn list_statuses_have_their_place_in_a_tree_of_many_blocks() {
    let card = FakeCard::new();
    let session = attach(&card);
    let new = session.run(one_neighbor()).unwrap().block(0).handle;
    card.answer_by(|_, answer| {
        for (number, status) in answer.statuses.iter_mut().enumerate() {
            *status = if number % 3 == 0 { Status::FAILURE.0 } else { Status::SUCCESS.0 };
        }
    });
    let mut list = session.handle_list(130).unwrap();
    list.extend((0..130).map(|index| Handle::new(Kind::PATH, index, 1))).unwrap();
    let mut tree = Update::new();
    tree.connection(Handle::new(Kind::CONNECTION, 0, 1), &ConnectionCached::default());
    tree.path_mtu(Handle::new(Kind::PATH, 0, 1), 1500);
    tree.neighbor(new).relink_list(list);
    let outcome = session.run(tree).unwrap();
    assert_eq!(outcome.list_status(2).len(), 130);
    for (number, status) in outcome.list_status(2).iter().enumerate() {
        assert_eq!(Status(*status) == Status::FAILURE, number % 3 == 0, "entry {number}");
    }
    outcome.all_done().unwrap();
}

#[test]
fn a_refused_block_changes_nothing_and_is_no_error_of_the_session() {
    let card = FakeCard::new();
    let session = attach(&card);
    card.answer_by(|_, answer| {
        answer.records[1].status = Status::PATH_ENTRIES.0;
        answer.records[1].handle = 0;
        answer.records[0].status = Status::PARTIAL_SUCCESS.0;
        answer.completion.status = Status::PARTIAL_SUCCESS.0;
        (answer.completion.done, answer.completion.failed) = (2, 1);
    });
    let outcome = session.run(one_with_paths(2)).unwrap();
    assert_eq!(outcome.block(1).status, Status::PATH_ENTRIES);
    assert_eq!((outcome.done(), outcome.failed()), (2, 1));
    assert!(outcome.all_done().is_err());
    assert_eq!(session.shadow().dependents(outcome.block(0).handle), 1);
}

#[test]
fn who_submits_more_than_may_be_in_flight_waits() {
    in_time(|| {
        let card = FakeCard::new();
        let in_flight = 5;
        let session =
            Session::attach(Arc::clone(&card), &Config { in_flight, ..config() }).unwrap();
        card.pause(true);
        let mut tickets = Vec::new();
        loop {
            match session.try_submit(one_neighbor()) {
                Ok(ticket) => tickets.push(ticket),
                Err(NotTaken::Full(tree)) => break assert_eq!(tree.blocks(), 1, "it comes back"),
                Err(NotTaken::Error(error)) => panic!("{error}"),
            }
            assert!(tickets.len() <= 100, "more and more is taken");
        }
        // As many as may be under way, and as many again that wait for it.
        assert_eq!(tickets.len(), 2 * in_flight);
        card.pause(false);
        // From here `submit` waits for room instead, and nothing is lost.
        for _ in 0..50 {
            tickets.push(session.submit(one_neighbor()).unwrap());
        }
        let count = tickets.len();
        for ticket in tickets {
            ticket.wait().unwrap().all_done().unwrap();
        }
        assert_eq!(card.trees(), count);
        assert_eq!(session.shadow().len(Kind::NEIGHBOR), count);
    });
}

#[test]
fn outcomes_of_one_ring_come_in_order() {
    in_time(|| {
        let card = FakeCard::new();
        let session = attach(&card);
        let order = Arc::new(Mutex::new(Vec::new()));
        for number in 0..40 {
            let order = Arc::clone(&order);
            let then = move |answer: Result<_, _>| {
                assert!(answer.is_ok());
                order.lock().unwrap().push(number);
            };
            session.submit_then(one_with_paths(number % 12), then).unwrap();
        }
        while order.lock().unwrap().len() < 40 {
            session.poll();
            card.relax();
        }
        assert!(order.lock().unwrap().iter().copied().eq(0..40));
    });
}

#[test]
fn a_callback_may_submit_again() {
    const CHAIN: u32 = 10_000;

    fn next(session: Session<FakeCard>, left: u32, over: mpsc::Sender<()>) {
        if left == 0 {
            return over.send(()).expect("somebody waits");
        }
        let again = session.clone();
        let then = move |_| next(again, left - 1, over);
        let mut query = Query::new();
        query.neighbor(Handle::new(Kind::NEIGHBOR, 0, 1));
        session.submit_then(query, then).unwrap();
    }

    in_time(|| {
        let card = FakeCard::new();
        let session = attach(&card);
        // An answer that is there at once must not nest the callbacks.
        card.be_quick();
        let (over, is_over) = mpsc::channel();
        next(session.clone(), CHAIN, over);
        while is_over.try_recv().is_err() {
            session.poll();
            card.relax();
        }
        assert_eq!(card.trees(), CHAIN as usize);
    });
}

#[test]
fn many_threads_submit_on_many_rings() {
    const THREADS: u32 = 8;
    const TREES: u32 = 100;
    in_time(|| {
        let card = FakeCard::new();
        let session = attach(&card);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let session = &session;
                scope.spawn(move || {
                    for number in 0..TREES {
                        let tree = one_with_paths(number % 20);
                        let ticket = session.submit_on(thread % 4, tree).unwrap();
                        let outcome = ticket.wait().unwrap();
                        assert_eq!(outcome.blocks() as u32, number % 20 + 1);
                        outcome.all_done().unwrap();
                    }
                });
            }
        });
        assert_eq!(session.shadow().len(Kind::NEIGHBOR) as u32, THREADS * TREES);
    });
}

#[test]
fn a_ring_that_is_not_there_takes_nothing() {
    let session = attach(&FakeCard::new());
    let refused = session.submit_on(4, one_neighbor()).unwrap_err();
    assert!(matches!(refused, Error::NoRing { ring: 4, count: 4, .. }), "{refused}");
    let empty = session.submit(Initiate::new()).unwrap_err();
    assert!(matches!(empty, Error::TreeSize { blocks: 0, .. }), "{empty}");
    assert!(session.transmitter(1).is_err());
}

#[test]
fn what_is_under_way_when_the_card_is_reset_completes_as_reset() {
    in_time(|| {
        let card = FakeCard::new();
        let session = attach(&card);
        let old = session.run(one_with_paths(3)).unwrap().block(0).handle;
        card.pause(true);
        let mut tree = Update::new();
        let mut list = session.handle_list(1).unwrap();
        list.push(Handle::new(Kind::PATH, 1, old.generation())).unwrap();
        tree.neighbor(old).relink_list(list);
        let update = session.submit_on(1, tree).unwrap();
        let tickets: Vec<_> =
            (0..20).map(|number| session.submit_on(number % 4, one_with_paths(number))).collect();

        let lost = session.reset().unwrap();
        assert_eq!(lost.len(), 4);
        assert_eq!(lost[0].handle, old);
        assert_eq!(lost[1].parent, Some(old));

        let outcome = update.wait().unwrap();
        assert_eq!(outcome.status(), Status::RESET);
        assert_eq!(outcome.list_status(0), [Status::RESET.0]);
        assert_eq!(
            outcome.into_lists().first().map(host_driver::HandleList::len),
            Some(1),
            "the list comes back"
        );
        for ticket in tickets {
            let outcome = ticket.unwrap().wait().unwrap();
            assert_eq!(outcome.status(), Status::RESET);
            assert_eq!(outcome.block(0).status, Status::RESET);
        }
        let again = session.run(one_neighbor()).unwrap();
        let new = again.block(0).handle;
        assert!(new.generation() > old.generation(), "{new} after {old}");
        let shadow = session.shadow();
        assert!(!shadow.contains(old) && shadow.contains(new));
    });
}

#[test]
fn detach_leaves_the_card_reset_and_nothing_mapped() {
    let card = FakeCard::new();
    let session = attach(&card);
    session.run(one_with_paths(100)).unwrap();
    assert!(card.mapped() > 0 && card.running() > 0);
    let resets = card.resets();
    session.detach().unwrap();
    assert_eq!((card.mapped(), card.running(), card.resets()), (0, 0, resets + 1));
    assert_eq!((card.trims(), card.is_master()), (1, false));
}

#[test]
fn a_dropped_session_leaves_the_card_reset_and_nothing_mapped() {
    let card = FakeCard::new();
    let session = attach(&card);
    let transmitter = session.transmitter(0).unwrap();
    let resets = card.resets();
    drop(session);
    assert_eq!((card.running(), card.resets(), card.is_master()), (0, resets + 1, false));
    drop(transmitter);
    assert_eq!(card.mapped(), 0);
}

#[test]
fn what_is_under_way_at_detach_is_answered() {
    in_time(|| {
        let card = FakeCard::new();
        let session = attach(&card);
        card.pause(true);
        let ticket = session.submit(one_neighbor()).unwrap();
        session.detach().unwrap();
        let answer = ticket.wait();
        assert!(matches!(answer, Err(Error::Closed)), "{answer:?}");
        assert_eq!(card.mapped(), 0);
    });
}

#[test]
fn settings_reach_the_card_before_it_is_enabled() {
    let card = FakeCard::new();
    let config = Config {
        generation_seed: Some(77),
        grace_ms: 5,
        stale_ms: 6,
        port_vlans: vec![10, 20],
        interrupts: true,
        ..config()
    };
    let session = Session::attach(Arc::clone(&card), &config).unwrap();
    assert_eq!(card.get(register::GENERATION_SEED), 77);
    assert_eq!((card.get(register::GRACE_MS), card.get(register::STALE_MS)), (5, 6));
    assert_eq!(card.get(register::PORT_VLANS), 2);
    assert_eq!(card.get(register::PORT_VLAN.bank(1, 4)), 20);
    assert_eq!(card.running(), 4 + 1 + 1, "command rings, transmit ring, event ring");
    session.run(one_neighbor()).unwrap().all_done().unwrap();
}

#[test]
fn events_come_in_order_with_their_rescan_mark() {
    let card = FakeCard::new();
    let session = attach(&card);
    assert_eq!(session.next_event(), None);
    for lap in 0..5_u32 {
        for number in 0..4 {
            card.post_event(Event {
                handle: Handle::new(Kind::NEIGHBOR, number, lap + 1).0,
                time_ms: lap,
                kind: EventKind::NEIGHBOR_QUERY.0,
                rescan: u8::from(number == 2),
                ..Event::default()
            });
        }
        for number in 0..4 {
            let event = session.next_event().expect("it was posted");
            assert_eq!(event.handle, Handle::new(Kind::NEIGHBOR, number, lap + 1));
            assert_eq!((event.kind, event.time_ms), (EventKind::NEIGHBOR_QUERY, lap));
            assert_eq!(event.rescan, number == 2);
        }
        let reaped =
            register::DOORBELL_REAPED.bank(register::EVENT_RING, register::DOORBELL_STRIDE);
        assert_eq!(card.get(reaped), (lap + 1) * 4, "the card has its slots back");
    }
    assert_eq!(session.next_event(), None);
}

#[test]
fn a_tree_with_more_results_than_a_slot_can_name_is_refused() {
    let session = attach(&FakeCard::new());
    let mut query = Query::new();
    for number in 0..limit::TREE_BLOCKS_MAX / 4 {
        query.connection(Handle::new(Kind::CONNECTION, number, 1));
    }
    let refused = session.run(query).unwrap_err();
    assert!(matches!(refused, Error::TreeSize { .. }), "{refused}");
    session.run(one_neighbor()).unwrap();
}
