//! Claims about rings: wraps, order, fairness, back-pressure, many threads.
//!
//! Rules: design section 2, promises 5 and 8, and section 7.

use std::sync::{Arc, Mutex};

use abi::host::handle::Handle;
use abi::host::register::Counter;
use abi::host::status::{EventKind, Status};
use host_driver::backing::Backing;
use host_driver::{Error, Initiate, Outcome, Query, Ticket, Tree, Update};

use super::scene::{PACKET_BYTES, Scene, flow, route, router, statuses};
use super::{Needs, Rig, Unfit};

/// Command and completion ring wrap many times over with every tree answered.
pub fn command_rings_wrap_without_losing_a_tree<R: Rig>(rig: &R) -> Result<(), Unfit> {
    for ring_slots in [2, 4, 8] {
        let scene = Scene::open(rig, &Needs::configured(|config| config.ring_slots = ring_slots))?;
        let neighbor = scene.neighbor(1);
        for round in 0..100 {
            assert!(scene.query(neighbor).is_ok(), "round {round} of {ring_slots} slots");
        }
    }
    Ok(())
}

/// A tree may be longer than its ring: the card starts before its end has arrived.
pub fn a_tree_may_be_longer_than_its_ring<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::configured(|config| config.ring_slots = 8))?;
    let mut tree = Initiate::with_capacity(1_101);
    let mut neighbor = tree.neighbor(&router(1));
    for number in 0..500 {
        let mut path = neighbor.path(&route(number));
        if number % 5 == 0 {
            path.connection(&flow(number as u16));
        }
    }
    let outcome = scene.run(tree);
    assert_eq!((outcome.status(), outcome.done()), (Status::SUCCESS, 601));
    let first = outcome.block(0).handle;
    assert_eq!(scene.dependents(first), 500);
    let all: Vec<_> = (0..outcome.blocks()).map(|block| outcome.block(block).handle).collect();
    assert!(scene.terminate(&all).iter().all(|status| *status == Status::SUCCESS));
    Ok(())
}

/// Trees of every size from one slot to more than the ring has.
pub fn trees_of_every_size_around_the_ring_are_carried_out<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::configured(|config| config.ring_slots = 16))?;
    let neighbor = scene.neighbor(1);
    for paths in [1, 2, 14, 15, 16, 17, 31, 32, 33] {
        let handles = scene.paths(neighbor, 0, paths);
        assert_eq!(scene.dependents(neighbor), paths);
        let statuses = scene.terminate(&handles);
        assert!(statuses.iter().all(|status| *status == Status::SUCCESS), "{paths} paths");
    }
    Ok(())
}

/// A transmit ring wraps many times over; each descriptor comes back once, in order.
pub fn transmit_rings_wrap_without_losing_a_frame<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::configured(|config| config.transmit_slots = 4))?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 0);
    let tags: Vec<u32> = (0..200).map(|_| scene.post(path, 0, PACKET_BYTES, false)).collect();
    scene.until("every frame", |scene| {
        scene.pump();
        scene.transmitter().in_flight() == 0
    });
    let returned: Vec<u32> = scene.take_returned().iter().map(|(tag, _)| *tag).collect();
    assert_eq!(returned, tags);
    assert!(scene.frames().iter().zip(0..).all(|(frame, sequence)| frame.sequence == sequence));
    Ok(())
}

/// An event ring wraps while it is read; while it is not, the next event says that some are lost.
pub fn an_event_ring_that_overflows_asks_for_a_rescan<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let needs = Needs::configured(|config| (config.event_slots, config.grace_ms) = (4, 0));
    let mut scene = Scene::open(rig, &needs)?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 0);
    scene.invalidate(&[neighbor]);
    let mut seen = 0;
    for port in 1..=20 {
        let connection = scene.connection(path, port);
        scene.post(connection, u32::from(port), PACKET_BYTES, false);
        scene.pump();
        assert_eq!(scene.event(EventKind::INVALID_STATE), connection);
        seen += 1;
    }
    assert_eq!(seen, 20, "the ring wrapped five times");
    let many: Vec<_> = (100..200).map(|port| scene.connection(path, port)).collect();
    let before = scene.session.counter(Counter::EVENTS_LOST);
    for connection in &many {
        scene.post(*connection, 1_000, PACKET_BYTES, false);
    }
    scene.transmitter().publish();
    // A hundred events do not fit four slots.
    scene.until_unread("an event to be lost", |scene| {
        scene.session.counter(Counter::EVENTS_LOST) > before
    });
    // The next one that fits says so, whatever it reports.
    let next = scene.connection(path, 300);
    scene.post(next, 2_000, PACKET_BYTES, false);
    scene.transmitter().publish();
    let mut has_mark = false;
    scene.until("a mark that events were lost", |scene| {
        scene.pump();
        let events = scene.all_events();
        has_mark |= events.iter().any(|event| event.rescan);
        has_mark || events.iter().any(|event| event.handle == next)
    });
    assert!(has_mark, "events were lost and the next one does not tell");
    Ok(())
}

/// Completions of one ring come in ring order.
pub fn completions_of_a_ring_come_in_ring_order<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::configured(|config| config.command_rings = 1))?;
    let (left, right) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(left, 0, 200);
    let order = Arc::new(Mutex::new(Vec::new()));
    for round in 0..30_usize {
        let tree = if round % 3 == 0 {
            let mut list = scene.session.handle_list(200).expect("memory for a list");
            list.extend(paths.iter().copied()).expect("it was made for these");
            let mut tree = Update::with_capacity(1);
            tree.neighbor(if round % 2 == 0 { right } else { left }).relink_list(list);
            Tree::from(tree)
        } else {
            let mut tree = Query::with_capacity(1);
            tree.path(paths[round]);
            Tree::from(tree)
        };
        let order = Arc::clone(&order);
        let note = move |_: Result<Outcome, Error>| {
            order.lock().expect("no claim panics here").push(round)
        };
        scene.session.submit_then(tree, note).expect("the card is there");
    }
    let mut scene = scene;
    scene.until("thirty answers", |_| order.lock().expect("no claim panics here").len() == 30);
    let order = order.lock().expect("no claim panics here").clone();
    assert_eq!(order, (0..30).collect::<Vec<_>>());
    Ok(())
}

/// Many trees are submitted without waiting: none is lost, each is answered once.
pub fn more_trees_than_fit_are_all_answered<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let needs = Needs::configured(|config| (config.ring_slots, config.in_flight) = (8, 4));
    let scene = Scene::open(rig, &needs)?;
    let neighbor = scene.neighbor(1);
    let answers = Arc::new(Mutex::new(Vec::new()));
    for round in 0..300 {
        let mut tree = Query::with_capacity(1);
        tree.neighbor(neighbor);
        let answers = Arc::clone(&answers);
        let note = move |outcome: Result<Outcome, Error>| {
            let status = outcome.expect("the card is there").status();
            answers.lock().expect("no claim panics here").push((round, status));
        };
        scene.session.submit_then(tree, note).expect("the card is there");
    }
    let mut scene = scene;
    scene.until("three hundred answers", |_| {
        answers.lock().expect("no claim panics here").len() == 300
    });
    let mut answers = answers.lock().expect("no claim panics here").clone();
    answers.sort_unstable();
    assert!(answers.iter().zip(0..).all(|(answer, round)| *answer == (round, Status::SUCCESS)));
    Ok(())
}

/// Threads that share a session each get their own answers.
pub fn many_threads_share_a_session<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let threads: Vec<_> = (1..=4_u8)
        .map(|n| {
            let session = scene.session.clone();
            std::thread::spawn(move || {
                let mut tree = Initiate::with_capacity(51);
                let mut block = tree.neighbor(&router(n));
                for number in 0..50 {
                    block.path(&route(u32::from(n) * 100 + number));
                }
                let outcome = session.run(tree).expect("the card is there");
                assert_eq!(statuses(&outcome), [Status::SUCCESS; 51]);
                let neighbor = outcome.block(0).handle;
                for _ in 0..50 {
                    let mut tree = Query::with_capacity(1);
                    tree.neighbor(neighbor);
                    let outcome = session.run(tree).expect("the card is there");
                    assert_eq!(outcome.block(0).handle, neighbor);
                }
                neighbor
            })
        })
        .collect();
    for thread in threads {
        let neighbor = thread.join().expect("the thread's claims hold");
        assert_eq!(scene.dependents(neighbor), 50);
    }
    Ok(())
}

/// Every command ring that is started is served.
pub fn every_command_ring_is_served<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let mut handles = Vec::new();
    for ring in 0..4 {
        let mut tree = Initiate::with_capacity(1);
        tree.neighbor(&router(ring as u8));
        let ticket = scene.session.submit_on(ring, tree).expect("room");
        handles.push(ticket.wait().expect("the card is there").block(0).handle);
    }
    for handle in handles {
        assert!(scene.query(handle).is_ok());
    }
    Ok(())
}

/// Rings that are full of work are served in turn: none waits until another is empty.
pub fn busy_rings_are_served_in_turn<R: Rig>(rig: &R) -> Result<(), Unfit> {
    /// Entries of the crowded ring's lists: longer each time, for a host that is slow, or was kept
    /// from its processor and saw all answers at once.
    const LONG: [usize; 8] = [50_000, 50_000, 100_000, 100_000, 200_000, 200_000, 400_000, 800_000];
    let scene = Scene::open(rig, &Needs::default())?;
    let ends = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(ends.0, 1);
    let is_fair =
        LONG.iter().any(|long| quick_rings_overtake_a_crowded_one(&scene, ends, path, *long));
    assert!(is_fair, "three rings with little work were behind the crowded one");
    Ok(())
}

/// Lists on the crowded ring.
const CROWD: usize = 4;
/// Queries on the three others, all together.
const QUICK: usize = 6;

/// Whether queries on three rings were answered while lists on another were not.
fn quick_rings_overtake_a_crowded_one<B: Backing>(
    scene: &Scene<B>,
    (left, right): (Handle, Handle),
    path: Handle,
    long: usize,
) -> bool {
    // All are made before the first goes, and they are few: a host may need longer for one than
    // the card.
    let lists: Vec<Update> = (0..CROWD)
        .map(|round| {
            let mut list = scene.session.handle_list(long).expect("memory for a list");
            list.extend(std::iter::repeat_n(path, long)).expect("it was made for these");
            let mut tree = Update::with_capacity(1);
            tree.neighbor(if round % 2 == 0 { right } else { left }).relink_list(list);
            tree
        })
        .collect();
    let queries: Vec<Query> = (0..QUICK)
        .map(|_| {
            let mut tree = Query::with_capacity(1);
            tree.path(path);
            tree
        })
        .collect();
    let submit = |tree| scene.session.submit_on(0, tree).expect("room");
    let mut crowded: Vec<_> = lists.into_iter().map(submit).collect();
    let submit = |(round, tree)| scene.session.submit_on(1 + round % 3, tree).expect("room");
    let quick: Vec<_> = (0_u32..).zip(queries).map(submit).collect();
    for ticket in quick {
        assert_eq!(ticket.wait().expect("the card is there").status(), Status::SUCCESS);
    }
    let mut last = crowded.pop().expect("some were submitted");
    let early = last.poll();
    let is_overtaken = early.is_none();
    let last = early.unwrap_or_else(|| last.wait());
    for answer in crowded.into_iter().map(Ticket::wait).chain([last]) {
        assert_eq!(answer.expect("the card is there").status(), Status::SUCCESS);
    }
    is_overtaken
}

/// A host that sleeps is woken by the card's interrupts.
pub fn interrupts_wake_a_host_that_sleeps<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::configured(|config| config.interrupts = true))?;
    let neighbor = scene.neighbor(1);
    let paths = scene.paths(neighbor, 0, 300);
    assert!(scene.terminate(&paths).iter().all(|status| *status == Status::SUCCESS));
    assert!(scene.session.counter(Counter::INTERRUPTS) > 0);
    Ok(())
}
