//! Claims about reset: everything is forgotten, everything outstanding is answered.
//!
//! Rules: design section 2, promises 2, 5 and 6, and section 7, *Reset*.

use abi::host::handle::Handle;
use abi::host::register::Counter;
use abi::host::status::{CardState, Kind, Status};
use host_driver::{ObjectState, Update};

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
    let (left, right) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(left, 1);
    let mut tickets = Vec::new();
    for ring in 0..4 {
        for _ in 0..8 {
            let mut list = scene.session.handle_list(5_000).expect("memory for a list");
            list.extend(std::iter::repeat_n(path, 5_000)).expect("it was made for these");
            let mut tree = Update::with_capacity(1);
            tree.neighbor(right).relink_list(list);
            tickets.push(scene.session.submit_on(ring, tree).expect("room"));
        }
    }
    scene.session.poll();
    scene.session.reset().expect("the card comes back");
    let mut answers = [0, 0];
    for ticket in tickets {
        let status = ticket.wait().expect("the session goes on").status();
        assert!(status == Status::SUCCESS || status == Status::RESET, "{status}");
        answers[usize::from(status == Status::RESET)] += 1;
    }
    assert!(answers[1] > 0, "all {} trees were over before the reset", answers[0]);
    assert_eq!(scene.neighbor(3).kind(), Kind::NEIGHBOR, "the session goes on");
    Ok(())
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
