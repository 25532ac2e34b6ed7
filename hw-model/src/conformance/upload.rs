//! Claims about upload requests: the grace time, the strict mode, what a stopped connection sends.
//!
//! Rules: `chimney` 3.4, 3.6 and 6; design section 6, *invalidate*.

use abi::host::register::Counter;
use abi::host::status::{EventKind, Status};

use super::scene::{Fates, Scene, mac};
use super::{Needs, Rig, Unfit};

/// Grace time of these claims, in ms of card time.
const GRACE_MS: u32 = 40;
/// How often a claim is tried that needs a host which is quick enough: one that was kept from its
/// processor meanwhile has shown nothing.
const TRIES: u16 = 10;

/// A connection that has something to send asks for upload once its grace time has passed.
pub fn upload_is_asked_for_after_the_grace_time<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &needs(GRACE_MS))?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 0);
    let connection = scene.connection(path, 1);
    scene.invalidate(&[neighbor]);
    let start = scene.session.time_ms();
    assert_eq!(scene.send(connection, 1, 3).held, 3);
    assert_eq!(scene.event(EventKind::INVALID_STATE), connection);
    let waited = scene.session.time_ms().wrapping_sub(start);
    assert!(waited >= GRACE_MS, "asked after {waited} ms");
    scene.wait_ms(3 * u64::from(GRACE_MS));
    assert_eq!(scene.events(), [], "one event a connection");
    Ok(())
}

/// Grace 0 asks at the first frame.
pub fn in_strict_mode_upload_is_asked_for_at_once<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &needs(0))?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 0);
    let idle = scene.connection(path, 99);
    scene.invalidate(&[neighbor]);
    let asks_at_once = (1..=TRIES).any(|port| {
        let busy = scene.connection(path, port);
        scene.wait_ms(5);
        assert_eq!(scene.events(), [], "nobody has anything to send");
        let start = scene.session.time_ms();
        scene.send(busy, port.into(), 1);
        assert_eq!(scene.event(EventKind::INVALID_STATE), busy);
        let waited = scene.session.time_ms().wrapping_sub(start);
        scene.wait_ms(5);
        assert_eq!(scene.events(), [], "{idle} has nothing to send");
        waited <= GRACE_MS
    });
    assert!(asks_at_once, "no connection was asked about within {GRACE_MS} ms");
    Ok(())
}

/// Whoever has nothing to send, and a path by itself, is not asked about.
pub fn only_a_connection_with_something_to_send_asks_for_upload<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &needs(GRACE_MS))?;
    let (stopped, other) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(stopped, 0);
    let elsewhere = scene.path(other, 1);
    let _idle = scene.connection(path, 1);
    let running = scene.connection(elsewhere, 2);
    scene.invalidate(&[stopped]);
    assert_eq!(scene.send(path, 0, 5).held, 5);
    assert_eq!(scene.send(running, 2, 5).left, 5);
    scene.wait_ms(4 * u64::from(GRACE_MS));
    assert_eq!(scene.events(), []);
    Ok(())
}

/// A relink within the grace time: no event, and everything that was held leaves.
pub fn a_relink_within_the_grace_time_raises_nothing<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let grace_ms = 10 * GRACE_MS;
    let mut scene = Scene::open(rig, &needs(grace_ms))?;
    for port in 1..=TRIES {
        let (old, new) = (scene.neighbor(1), scene.neighbor(2));
        let path = scene.path(old, port.into());
        let connection = scene.connection(path, port);
        scene.invalidate(&[old]);
        let start = scene.session.time_ms();
        assert_eq!(scene.send(connection, 1, 4).held, 4);
        assert_eq!(scene.relink(new, &[path]), [Status::SUCCESS; 2]);
        let was_quick = scene.session.time_ms().wrapping_sub(start) < grace_ms;
        if was_quick {
            assert_eq!(scene.settle().left, 4);
            scene.wait_ms(2 * u64::from(grace_ms));
            assert_eq!(scene.events(), []);
            assert_eq!(scene.send(connection, 1, 1).left, 1);
            return Ok(());
        }
        scene.settle();
        scene.events();
    }
    panic!("this host never relinks within {grace_ms} ms");
}

/// Once asked for, a connection sends nothing more, relink or not, until it is terminated;
/// its path goes on.
pub fn a_connection_whose_upload_was_asked_for_stays_stopped<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &needs(0))?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(old, 0);
    let (stopped, other) = (scene.connection(path, 1), scene.connection(path, 2));
    scene.invalidate(&[old]);
    let before = scene.session.counter(Counter::DROPPED_UPLOAD);
    scene.post(stopped, 1, 100, false);
    scene.pump();
    assert_eq!(scene.event(EventKind::INVALID_STATE), stopped);
    assert_eq!(scene.relink(new, &[path]), [Status::SUCCESS; 2]);
    assert_eq!(scene.settle(), Fates { dropped: 1, ..Fates::default() }, "the host has it back");
    assert_eq!(scene.send(stopped, 1, 2).dropped, 2);
    assert_eq!(scene.session.counter(Counter::DROPPED_UPLOAD), before + 3);
    assert_eq!(scene.send(other, 2, 2).left, 2);
    assert_eq!(scene.send(path, 0, 2).left, 2);
    assert!(scene.frames().iter().all(|frame| frame.destination == mac(2)));
    assert!(scene.query(stopped).is_ok(), "it lives until it is terminated");
    assert_eq!(scene.terminate(&[stopped]), [Status::SUCCESS]);
    let again = scene.connection(path, 1);
    assert_eq!(scene.send(again, 1, 1).left, 1);
    Ok(())
}

/// Many connections at once: each asks exactly once.
pub fn every_connection_asks_once<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &needs(5))?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 0);
    let mut expected: Vec<_> = (1..=40).map(|port| scene.connection(path, port)).collect();
    scene.invalidate(&[neighbor]);
    for round in 0..120 {
        scene.post(expected[round % 40], 0, 100, false);
    }
    scene.pump();
    let mut asked = Vec::new();
    scene.until("every connection to ask", |scene| {
        scene.pump();
        asked.extend(scene.events().into_iter().map(|event| event.handle));
        asked.len() >= 40
    });
    scene.wait_ms(50);
    asked.extend(scene.events().into_iter().map(|event| event.handle));
    asked.sort_unstable();
    expected.sort_unstable();
    assert_eq!(asked, expected);
    Ok(())
}

/// An invalid connection itself asks as well, when it has something to send.
pub fn an_invalid_connection_asks_for_upload_too<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &needs(GRACE_MS))?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 0);
    let connection = scene.connection(path, 1);
    scene.invalidate(&[connection]);
    scene.send(connection, 1, 1);
    assert_eq!(scene.event(EventKind::INVALID_STATE), connection);
    Ok(())
}

/// A connection that was terminated within the grace time is not asked about any more.
pub fn a_connection_that_goes_within_the_grace_time_asks_nothing<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let grace_ms = 5 * GRACE_MS;
    let mut scene = Scene::open(rig, &needs(grace_ms))?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 0);
    let connections: Vec<_> = (1..=TRIES).map(|port| scene.connection(path, port)).collect();
    scene.invalidate(&[neighbor]);
    for gone in connections {
        let start = scene.session.time_ms();
        scene.send(gone, 1, 1);
        assert_eq!(scene.terminate(&[gone]), [Status::SUCCESS]);
        let was_quick = scene.session.time_ms().wrapping_sub(start) < grace_ms;
        if was_quick {
            scene.wait_ms(2 * u64::from(grace_ms) + 100);
            assert_eq!(scene.events(), []);
            return Ok(());
        }
        scene.events();
    }
    panic!("this host never terminates within {grace_ms} ms");
}

fn needs(grace_ms: u32) -> Needs {
    Needs::configured(|config| config.grace_ms = grace_ms)
}
