//! Claims about reset: everything is forgotten, everything outstanding is answered.
//!
//! Rules: design section 2, promises 2, 5 and 6, and section 7, *Reset*.

use abi::core::hal::Settings;
use abi::host::command::{Flag, Opcode};
use abi::host::handle::Handle;
use abi::host::register::{self, Counter};
use abi::host::status::{CardState, FailCode, Kind, RingState, Status};
use host_driver::backing::Backing;
use host_driver::{ObjectState, Ticket, Update};

use super::raw::{RawCard, slot_of};
use super::scene::{PACKET_BYTES, Scene};
use super::{Needs, Rig, Unfit};

/// The card forgets all objects; their handles are stale, and new ones are new.
pub fn reset_forgets_every_object<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let connection = scene.connection(path, 1);
    scene.session.reset().expect("the card comes back");
    for handle in [neighbor, path, connection] {
        assert_eq!(scene.query(handle).err(), Some(Status::STALE_HANDLE), "{handle}");
    }
    let again = scene.neighbor(1);
    assert_ne!(again, neighbor);
    assert!(again.generation() > neighbor.generation(), "generations go on where they were");
    assert_eq!(scene.query(neighbor).err(), Some(Status::STALE_HANDLE));
    assert_eq!(scene.dependents(again), 0);
    Ok(())
}

/// The report of a reset names what was on the card.
pub fn reset_reports_what_was_on_the_card<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    scene.paths(neighbor, 0, 3);
    let lost = scene.session.reset().expect("the card comes back");
    assert_eq!(lost.len(), 4);
    assert_eq!(scene.session.reset().expect("the card comes back").len(), 0);
    Ok(())
}

/// Trees under way are answered, each once: carried out, or `reset`.
pub fn reset_answers_everything_outstanding<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let was_cut_short = LONG.iter().any(|long| {
        let tickets = submit_long_lists(&scene, *long);
        scene.session.reset().expect("the card comes back");
        all_are_answered(tickets)
    });
    assert!(was_cut_short, "all trees were over before every reset");
    assert_eq!(scene.neighbor(3).kind(), Kind::NEIGHBOR, "the session goes on");
    Ok(())
}

/// Entries of a list that is under way when a reset comes: longer each time, for a host that is slow.
const LONG: [usize; 5] = [5_000, 5_000, 20_000, 40_000, 80_000];

/// Fills four rings with lists; they are submitted together, whatever making them takes.
fn submit_long_lists<B: Backing>(scene: &Scene<B>, long: usize) -> Vec<Ticket<B>> {
    let (left, right) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(left, 1);
    let trees = (0..32).map(|round| {
        let mut list = scene.session.handle_list(long).expect("memory for a list");
        list.extend(std::iter::repeat_n(path, long)).expect("it was made for these");
        let mut tree = Update::with_capacity(1);
        tree.neighbor(right).relink_list(list);
        (round % 4, tree)
    });
    let trees: Vec<_> = trees.collect();
    let submit = |(ring, tree)| scene.session.submit_on(ring, tree).expect("room");
    let tickets = trees.into_iter().map(submit).collect();
    scene.session.poll();
    tickets
}

/// Checks that every tree was carried out or reset; whether there was one that was reset.
fn all_are_answered<B: Backing>(tickets: Vec<Ticket<B>>) -> bool {
    let mut was_cut_short = false;
    for ticket in tickets {
        let status = ticket.wait().expect("the session goes on").status();
        assert!(status == Status::SUCCESS || status == Status::RESET, "{status}");
        was_cut_short |= status == Status::RESET;
    }
    was_cut_short
}

/// No frame leaves after a reset was seen, held ones neither; the port is on again afterwards.
pub fn reset_stops_every_frame<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let paths = scene.paths(neighbor, 0, 2);
    scene.invalidate(&[paths[0]]);
    scene.send(paths[0], 0, 20);
    for _ in 0..100 {
        scene.post(paths[1], 1, PACKET_BYTES, false);
    }
    scene.pump();
    scene.session.reset().expect("the card comes back");
    let fence = scene.crossed();
    scene.wait_ms(5);
    assert_eq!(scene.crossed(), fence, "a frame left after the reset was seen");
    assert_eq!(scene.session.counter(Counter::HELD_NOW), 0);
    Ok(())
}

/// Frames of objects offloaded after a reset leave as ever, on the same transmitter.
pub fn traffic_goes_on_after_a_reset<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    for round in 0..3 {
        let neighbor = scene.neighbor(round);
        let path = scene.path(neighbor, 0);
        assert_eq!(scene.send(path, 0, 10).left, 10, "round {round}");
        scene.session.reset().expect("the card comes back");
        assert_eq!(scene.send(path, 0, 1).dropped, 1, "round {round}");
    }
    Ok(())
}

/// Every reset counts one incarnation; counters go on.
pub fn every_reset_is_a_new_incarnation<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    scene.neighbor(1);
    let trees = scene.session.counter(Counter::TREES);
    assert!(trees >= 1);
    let mut last = scene.session.health().incarnation;
    for _ in 0..5 {
        scene.session.reset().expect("the card comes back");
        let health = scene.session.health();
        assert_eq!((health.incarnation, health.state), (last + 1, CardState::READY));
        last = health.incarnation;
    }
    assert!(scene.session.counter(Counter::TREES) >= trees, "a reset clears no counter");
    Ok(())
}

/// What the session believes to be on the card is what the card says.
pub fn the_session_knows_what_is_on_the_card<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (left, right) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(left, 0, 20);
    let connection = scene.connection(paths[0], 1);
    scene.relink_list(right, &paths[..5]);
    scene.relink_all(left, right);
    scene.relink(right, &paths[3..4]);
    scene.terminate(&paths[19..]);
    scene.invalidate(&[right, paths[7]]);
    let kinds = [Kind::NEIGHBOR, Kind::PATH, Kind::CONNECTION];
    let known = kinds.map(|kind| scene.session.shadow().len(kind));
    assert_eq!(known, [2, 19, 1]);
    for handle in [left, right, connection].iter().chain(&paths[..19]) {
        let head = match scene.query(*handle).expect("the object is on the card") {
            ObjectState::Neighbor(_, head)
            | ObjectState::Path(_, head)
            | ObjectState::Connection(_, head) => head,
        };
        let shadow = scene.session.shadow();
        assert_eq!(shadow.is_invalid(*handle), head.invalid, "{handle}");
        assert_eq!(shadow.dependents(*handle), head.dependents, "{handle}");
        let parent = shadow.parent(*handle).unwrap_or(Handle::NULL);
        assert_eq!(parent, head.parent, "{handle}");
    }
    let report = scene.session.audit(usize::MAX).expect("the card answers");
    assert_eq!((report.checked, report.is_clean()), (22, true), "{report:?}");
    Ok(())
}

/// The bus's own reset does what the register's does; the session finds its way back.
pub fn a_function_level_reset_forgets_every_object<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let connection = scene.connection(path, 1);
    scene.invalidate(&[path]);
    assert_eq!(scene.send(connection, 1, 5).held, 5);
    let before = scene.session.health();
    scene.card.reset_function().expect("the bus resets the function");
    let after = scene.session.health();
    assert!(after.incarnation > before.incarnation, "{after:?}");
    assert_eq!(after.state, CardState::RESET);
    let fence = scene.crossed();
    let lost = scene.session.reset().expect("the card comes back");
    assert_eq!(lost.len(), 3);
    for handle in [neighbor, path, connection] {
        assert_eq!(scene.query(handle).err(), Some(Status::STALE_HANDLE), "{handle}");
    }
    assert_eq!(scene.crossed(), fence, "what was held is gone");
    let again = scene.neighbor(2);
    assert!(again.generation() > neighbor.generation(), "generations go on where they were");
    let path = scene.path(again, 1);
    assert_eq!(scene.send(path, 1, 3).left, 3);
    Ok(())
}

/// Under load: trees and frames are under way, each tree is answered once, and no frame leaves after
/// the reset.
pub fn a_function_level_reset_under_load_answers_everything_outstanding<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(9);
    let path = scene.path(neighbor, 9);
    let tickets = submit_long_lists(&scene, LONG[0]);
    for _ in 0..200 {
        scene.post(path, 9, PACKET_BYTES, false);
    }
    scene.transmitter().publish();
    scene.card.reset_function().expect("the bus resets the function");
    let fence = scene.crossed();
    scene.wait_ms(2);
    assert_eq!(scene.crossed(), fence, "a frame left after the reset");
    scene.session.reset().expect("the card comes back");
    all_are_answered(tickets);
    // Some had left before the reset, the others never will.
    scene.settle();
    let neighbor = scene.neighbor(3);
    let path = scene.path(neighbor, 3);
    assert_eq!(scene.send(path, 3, 10).left, 10, "the session goes on");
    Ok(())
}

/// After the bus's own reset the card has no bus until it is given it again.
pub fn a_function_level_reset_takes_the_bus_away<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let incarnation = raw.read(register::INCARNATION);
    raw.card.reset_function().expect("the bus resets the function");
    raw.until("the reset to be over", |raw| raw.state() == CardState::RESET);
    assert!(raw.read(register::INCARNATION) > incarnation);
    raw.enable(&Settings { generation_seed: 5, ..Settings::default() });
    let refused = raw.counter(Counter::DMA_REFUSED);
    raw.put(slot_of(&raw.header(Opcode::QUERY, Kind::NEIGHBOR, Flag::LAST.0)));
    raw.ring();
    raw.until("the ring to fail", |raw| raw.ring_state(0) == RingState::FAILED);
    assert_eq!(raw.ring_error(0), FailCode::RING_BUS.0);
    assert!(raw.counter(Counter::DMA_REFUSED) > refused);
    raw.recovers();
    Ok(())
}
