//! Claims about invalidate and what it holds: limits, order, release.
//!
//! Rules: `chimney` 3.4 and 6, invariant 12 of section 8; design sections 6, 8 and 12.

use abi::host::handle::Handle;
use abi::host::register::Counter;
use abi::host::status::{EventKind, Status, TransmitStatus};
use host_driver::Update;

use super::scene::{Fates, PACKET_BYTES, Scene, mac, statuses};
use super::{Needs, Rig, Unfit};

/// Frames behind an invalid neighbor are held; a relink lets them go, in order, to the new one.
pub fn frames_behind_an_invalid_neighbor_are_held_until_a_relink<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    for form in 0..3 {
        let mut scene = Scene::open(rig, &Needs::default())?;
        let (old, new) = (scene.neighbor(1), scene.neighbor(2));
        let paths = scene.paths(old, 0, 2);
        let connection = scene.connection(paths[0], 1);
        assert_eq!(scene.invalidate(&[old]), [Status::SUCCESS]);
        // Stream 0 is the path and its connection in turn: one order for both.
        for _ in 0..10 {
            scene.post(paths[0], 0, PACKET_BYTES, false);
            scene.post(connection, 0, PACKET_BYTES, false);
            scene.post(paths[1], 1, PACKET_BYTES, false);
        }
        assert_eq!(scene.settle(), Fates { held: 30, ..Fates::default() });
        assert!(scene.frames().is_empty());
        match form {
            0 => assert_eq!(scene.relink(new, &paths), [Status::SUCCESS; 3]),
            1 => assert_eq!(
                scene.relink_list(new, &paths),
                (Status::SUCCESS, vec![Status::SUCCESS; 2])
            ),
            _ => assert_eq!(scene.relink_all(new, old), (Status::SUCCESS, Status::SUCCESS, 2)),
        }
        assert_eq!(scene.settle(), Fates { left: 30, ..Fates::default() });
        let mut next = [0, 0];
        for frame in scene.frames() {
            assert_eq!(frame.destination, mac(2));
            assert_eq!(
                frame.sequence, next[frame.stream as usize],
                "order of stream {}",
                frame.stream
            );
            next[frame.stream as usize] += 1;
        }
        assert_eq!(next, [20, 10]);
    }
    Ok(())
}

/// That the last held frame is gone is an event, whether it left or was given back.
pub fn the_end_of_holding_is_an_event<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(old, 0, 2);
    scene.invalidate(&[old]);
    for (stream, path) in (0..).zip(&paths) {
        scene.send(*path, stream, 5);
    }
    assert_eq!(scene.settle().held, 10);
    scene.relink(new, &paths[..1]);
    assert_eq!(scene.settle().held, 5, "the other path is still held");
    assert!(scene.terminate(&paths[1..]).iter().all(|status| *status == Status::SUCCESS));
    assert_eq!(scene.event(EventKind::DRAINED), Handle::NULL);
    assert_eq!(scene.session.counter(Counter::HELD_NOW), 0);
    Ok(())
}

/// A newcomer goes behind what its path has waiting, also while that is let go.
pub fn newcomers_go_behind_what_is_held<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(old, 0, 8);
    scene.invalidate(&[old]);
    for round in 0..400 {
        scene.post(paths[round % 8], (round % 8) as u32, PACKET_BYTES, false);
    }
    scene.settle();
    let mut tree = Update::with_capacity(1);
    tree.neighbor(new).relink_all_of(old);
    let mut ticket = scene.session.submit(tree).expect("the card is there");
    let mut round = 0;
    let outcome = loop {
        scene.post(paths[round % 8], (round % 8) as u32, PACKET_BYTES, false);
        round += 1;
        scene.pump();
        if let Some(outcome) = ticket.poll() {
            break outcome.expect("the card is there");
        }
    };
    assert_eq!(statuses(&outcome), [Status::SUCCESS]);
    for round in round..round + 100 {
        scene.post(paths[round % 8], (round % 8) as u32, PACKET_BYTES, false);
    }
    let fates = scene.settle();
    assert_eq!((fates.held, fates.dropped), (0, 0));
    let mut next = [0; 8];
    for frame in scene.frames() {
        assert_eq!(frame.sequence, next[frame.stream as usize], "order of stream {}", frame.stream);
        next[frame.stream as usize] += 1;
    }
    Ok(())
}

/// A path holds as many as it can; what is more is dropped and counted.
pub fn a_path_holds_as_many_as_its_limit<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let needs = Needs::default();
    let limit = needs.capabilities.held_per_path as usize;
    let mut scene = Scene::open(rig, &needs)?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(old, 0, 2);
    scene.invalidate(&[old]);
    let before = scene.session.counter(Counter::DROPPED_HOLD);
    assert_eq!(scene.send(paths[0], 0, limit + 44), Fates { held: limit, dropped: 44, left: 0 });
    assert_eq!(scene.session.counter(Counter::DROPPED_HOLD), before + 44);
    assert_eq!(scene.send(paths[1], 1, 5), Fates { held: limit + 5, ..Fates::default() });
    assert_eq!(scene.session.counter(Counter::HELD_NOW) as usize, limit + 5);
    scene.relink(new, &paths);
    assert_eq!(scene.settle().left, limit + 5);
    let kept =
        scene.frames().iter().filter(|frame| frame.stream == 0).map(|frame| frame.sequence).max();
    assert_eq!(kept, Some(limit as u64 - 1), "the first ones are kept, the late ones dropped");
    Ok(())
}

/// The card holds as many as it can, over all paths.
pub fn a_card_holds_as_many_as_its_limit<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let needs = Needs::sized(|sizes| (sizes.held_per_path, sizes.held_total) = (256, 600));
    let mut scene = Scene::open(rig, &needs)?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(old, 0, 3);
    scene.invalidate(&[old]);
    for (stream, path) in (0..).zip(&paths) {
        scene.send(*path, stream, 250);
    }
    assert_eq!(scene.transmitter().held(), 600);
    scene.relink(new, &paths);
    assert_eq!(scene.settle().left, 600);
    assert_eq!(scene.session.counter(Counter::HELD_NOW), 0);
    scene.invalidate(&[new]);
    assert_eq!(scene.send(paths[0], 0, 100).held, 100, "the pool is whole again");
    Ok(())
}

/// A path that was invalidated itself is held alone; relinking does not wake it.
pub fn an_invalid_path_is_held_alone_and_no_relink_wakes_it<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(old, 0, 2);
    let connection = scene.connection(paths[0], 1);
    scene.invalidate(&[paths[0]]);
    assert_eq!(scene.send(paths[0], 0, 3).held, 3);
    assert_eq!(scene.send(connection, 0, 2).held, 5);
    assert_eq!(scene.send(paths[1], 1, 4), Fates { left: 4, held: 5, dropped: 0 });
    assert_eq!(scene.relink(new, &[paths[0]]), [Status::SUCCESS, Status::INVALID_OBJECT]);
    assert_eq!(scene.relink_all(new, old).0, Status::SUCCESS);
    assert_eq!(scene.settle().held, 5, "a path that is invalid itself stays held");
    Ok(())
}

/// An invalid connection is held alone: its path and the path's other connections go on.
pub fn an_invalid_connection_is_held_alone<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 0);
    let (stopped, other) = (scene.connection(path, 1), scene.connection(path, 2));
    scene.invalidate(&[stopped]);
    assert_eq!(scene.send(stopped, 1, 3).held, 3);
    assert_eq!(scene.send(path, 0, 3), Fates { left: 3, held: 3, dropped: 0 });
    assert_eq!(scene.send(other, 2, 3), Fates { left: 3, held: 3, dropped: 0 });
    assert_eq!(scene.terminate(&[stopped]), [Status::SUCCESS]);
    assert_eq!(scene.settle(), Fates { dropped: 3, ..Fates::default() });
    Ok(())
}

/// Frames held for a path that is terminated are dropped, counted and given back.
pub fn frames_held_for_a_path_that_goes_are_dropped<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let paths = scene.paths(neighbor, 0, 2);
    scene.invalidate(&[neighbor]);
    let before = scene.session.counter(Counter::DROPPED_STALE);
    scene.send(paths[0], 0, 7);
    scene.send(paths[1], 1, 2);
    assert_eq!(scene.terminate(&[paths[0]]), [Status::SUCCESS]);
    assert_eq!(scene.settle(), Fates { dropped: 7, held: 2, left: 0 });
    assert_eq!(scene.session.counter(Counter::DROPPED_STALE), before + 7);
    assert_eq!(scene.terminate(&[paths[1], neighbor]), [Status::SUCCESS; 2]);
    assert_eq!(scene.settle(), Fates { dropped: 2, ..Fates::default() });
    Ok(())
}

/// Only the paths that moved are let go; the others of the invalid neighbor stay held.
pub fn a_relink_releases_only_what_it_moved<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(old, 0, 3);
    scene.invalidate(&[old]);
    for (stream, path) in (0..).zip(&paths) {
        scene.send(*path, stream, 4);
    }
    scene.relink(new, &paths[..1]);
    assert_eq!(scene.settle(), Fates { left: 4, held: 8, dropped: 0 });
    assert!(scene.frames().iter().all(|frame| frame.stream == 0));
    scene.relink_list(new, &paths[1..2]);
    assert_eq!(scene.settle(), Fates { left: 4, held: 4, dropped: 0 });
    scene.relink_all(new, old);
    assert_eq!(scene.settle(), Fates { left: 4, held: 0, dropped: 0 });
    Ok(())
}

/// A relink to another invalid neighbor is refused and lets nothing go.
pub fn a_refused_relink_releases_nothing<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(old, 0);
    scene.invalidate(&[old, new]);
    scene.send(path, 0, 4);
    assert_eq!(scene.relink(new, &[path]), [Status::INVALID_OBJECT, Status::FAILURE]);
    assert_eq!(scene.settle(), Fates { held: 4, ..Fates::default() });
    Ok(())
}

/// A frame that no longer fits when it is let go is dropped for that.
pub fn a_held_frame_meets_the_mtu_of_its_release<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(old, 0);
    scene.invalidate(&[old]);
    let large = scene.post(path, 0, 1400, false);
    let small = scene.post(path, 0, 100, false);
    assert_eq!(scene.settle().held, 2);
    assert_eq!(scene.set_mtu(path, 1000), Status::SUCCESS, "the path itself is valid");
    scene.relink(new, &[path]);
    scene.until("both frames", |scene| {
        scene.pump();
        scene.transmitter().in_flight() == 0
    });
    let mut returned = scene.take_returned();
    returned.sort_unstable();
    assert_eq!(returned, [(large, TransmitStatus::PATH_MTU), (small, TransmitStatus::LEFT)]);
    Ok(())
}

/// Nothing that is held is counted as left; what is let go is counted once.
pub fn held_frames_are_counted_as_held<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(old, 0);
    scene.invalidate(&[old]);
    let read = |scene: &Scene<R::Card>| {
        [Counter::FRAMES_LEFT, Counter::FRAMES_HELD, Counter::HELD_NOW]
            .map(|c| scene.session.counter(c))
    };
    let before = read(&scene);
    scene.send(path, 0, 9);
    assert_eq!(read(&scene), [before[0], before[1] + 9, before[2] + 9]);
    scene.relink(new, &[path]);
    scene.settle();
    assert_eq!(read(&scene), [before[0] + 9, before[1] + 9, before[2]]);
    Ok(())
}
