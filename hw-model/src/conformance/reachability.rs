//! Claims about reachability: the two ages, the neighbor query, credit for forward progress.
//!
//! Rules: `chimney` 5.3, invariant 15 of section 8; design section 6, *reachability*.

use abi::host::handle::Handle;
use abi::host::register::Counter;
use abi::host::status::{EventKind, Status};
use host_driver::backing::Backing;
use host_driver::{NeighborState, ObjectState, Update};

use super::scene::{PACKET_BYTES, Scene, mac, route, router};
use super::{Needs, Rig, Unfit, packet};

/// Age at which these claims call a neighbor stale, in ms of card time.
const STALE_MS: u32 = 50;

/// Both ages grow with card time from what was given.
pub fn both_ages_grow_with_card_time<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let given = NeighborState { host_reachability_ms: 100, card_reachability_ms: 900, ..router(1) };
    // All by the card's own time: the host's clock may go faster or slower.
    let before = scene.session.time_ms();
    let neighbor = scene.neighbor_with(&given);
    let after = scene.session.time_ms();
    scene.wait_ms(300);
    let asked = scene.session.time_ms();
    let (host, card) = ages(&scene, neighbor);
    let least = asked.wrapping_sub(after);
    let most = scene.session.time_ms().wrapping_sub(before);
    assert!(least > 200, "{least} ms of card time in 300 of the host's");
    assert!((100 + least..=100 + most).contains(&host), "{host} after {least} to {most} ms");
    assert!((900 + least..=900 + most).contains(&card), "{card} after {least} to {most} ms");
    Ok(())
}

/// A MAC update rewrites the host's age and leaves the card's.
pub fn a_mac_update_rewrites_the_hosts_age_only<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let given =
        NeighborState { host_reachability_ms: 60_000, card_reachability_ms: 70_000, ..router(1) };
    let neighbor = scene.neighbor_with(&given);
    let start = scene.session.time_ms();
    let mut tree = Update::with_capacity(1);
    tree.neighbor(neighbor).set(mac(1), 10);
    assert_eq!(scene.run(tree).status(), Status::SUCCESS);
    let (host, card) = ages(&scene, neighbor);
    let passed = scene.session.time_ms().wrapping_sub(start);
    assert!((10..=10 + passed).contains(&host), "{host} after {passed} ms");
    assert!(card >= 70_000, "{card}");
    Ok(())
}

/// When both ages have passed the stale time, the first frame raises one query, and sending goes on.
pub fn a_stale_neighbor_in_use_raises_one_query<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &needs())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 0);
    scene.wait_ms(2 * u64::from(STALE_MS));
    assert_eq!(scene.events(), [], "nobody sends");
    let start = scene.session.time_ms();
    assert_eq!(scene.send(path, 0, 20).left, 20, "sending goes on while the query runs");
    assert_eq!(scene.event(EventKind::NEIGHBOR_QUERY), neighbor);
    assert_eq!(scene.send(path, 0, 5).left, 5);
    scene.wait_ms(5);
    let more = scene.events();
    let passed = scene.session.time_ms().wrapping_sub(start);
    assert!(more.iter().all(|event| event.handle == neighbor), "{more:?}");
    let due = (passed / STALE_MS) as usize;
    assert!(more.len() <= due, "one query in a stale time, not {} in {passed} ms", 1 + more.len());
    Ok(())
}

/// One age that is young is enough: no query.
pub fn a_neighbor_with_one_young_age_raises_no_query<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::configured(|config| config.stale_ms = 60_000))?;
    let young_host = NeighborState { card_reachability_ms: 100_000, ..router(1) };
    let young_card = NeighborState { host_reachability_ms: 100_000, ..router(2) };
    let old =
        NeighborState { host_reachability_ms: 100_000, card_reachability_ms: 100_000, ..router(3) };
    for (number, state) in (0..).zip([young_host, young_card]) {
        let neighbor = scene.neighbor_with(&state);
        let path = scene.path(neighbor, number);
        scene.send(path, number, 3);
    }
    scene.wait_ms(5);
    assert_eq!(scene.events(), []);
    let neighbor = scene.neighbor_with(&old);
    let path = scene.path(neighbor, 9);
    scene.send(path, 9, 1);
    assert_eq!(scene.event(EventKind::NEIGHBOR_QUERY), neighbor);
    Ok(())
}

/// The host's answer moves the age: no second query until it is stale again.
pub fn a_hosts_answer_silences_the_query_for_the_stale_time<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::configured(|config| config.stale_ms = 60_000))?;
    let old =
        NeighborState { host_reachability_ms: 100_000, card_reachability_ms: 100_000, ..router(1) };
    let neighbor = scene.neighbor_with(&old);
    let path = scene.path(neighbor, 0);
    scene.send(path, 0, 1);
    assert_eq!(scene.event(EventKind::NEIGHBOR_QUERY), neighbor);
    assert_eq!(scene.set_mac(neighbor, mac(1)), Status::SUCCESS);
    scene.send(path, 0, 10);
    scene.wait_ms(20);
    assert_eq!(scene.events(), []);
    Ok(())
}

/// Stale time 0 never asks.
pub fn a_stale_time_of_zero_never_asks<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let old =
        NeighborState { host_reachability_ms: 1 << 30, card_reachability_ms: 1 << 30, ..router(1) };
    let neighbor = scene.neighbor_with(&old);
    let path = scene.path(neighbor, 0);
    scene.send(path, 0, 5);
    scene.wait_ms(20);
    assert_eq!(scene.events(), []);
    Ok(())
}

/// Progress of data that left after the link was made is the neighbor's credit.
pub fn forward_progress_makes_the_cards_age_young<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let old = NeighborState { card_reachability_ms: 50_000, ..router(1) };
    let neighbor = scene.neighbor_with(&old);
    let path = scene.path(neighbor, 0);
    scene.wait_ms(5);
    let stamp = scene.session.time_ms();
    let before = scene.session.counter(Counter::PROGRESS_CREDITED);
    confirm(&mut scene, path, stamp);
    assert_eq!(scene.session.counter(Counter::PROGRESS_CREDITED), before + 1);
    let (_, card) = ages(&scene, neighbor);
    assert!(card < 10_000, "{card}");
    Ok(())
}

/// Progress of data sent before the last relink credits nobody; of data sent after it, the new one.
pub fn progress_of_data_sent_before_a_relink_credits_nobody<R: Rig>(rig: &R) -> Result<(), Unfit> {
    for form in 0..3 {
        let mut scene = Scene::open(rig, &Needs::default())?;
        let aged = |n: u8| NeighborState { card_reachability_ms: 50_000, ..router(n) };
        let (old, new) = (scene.neighbor_with(&aged(1)), scene.neighbor_with(&aged(2)));
        let path = scene.path(old, 0);
        scene.wait_ms(5);
        let stamp = scene.session.time_ms();
        scene.wait_ms(5);
        match form {
            0 => drop(scene.relink(new, &[path])),
            1 => drop(scene.relink_list(new, &[path])),
            _ => drop(scene.relink_all(new, old)),
        }
        scene.wait_ms(5);
        let stale = scene.session.counter(Counter::PROGRESS_STALE);
        confirm(&mut scene, path, stamp);
        assert_eq!(scene.session.counter(Counter::PROGRESS_STALE), stale + 1, "form {form}");
        assert!(ages(&scene, new).1 >= 50_000, "form {form}: the new one is not credited");
        assert!(ages(&scene, old).1 >= 50_000, "form {form}: nor is the old one");
        let stamp = scene.session.time_ms();
        confirm(&mut scene, path, stamp);
        assert!(ages(&scene, new).1 < 10_000, "form {form}: data sent after the relink");
        assert!(ages(&scene, old).1 >= 50_000, "form {form}");
    }
    Ok(())
}

/// A neighbor that takes the slot of one that was credited begins with its own age.
pub fn a_reused_slot_inherits_no_credit<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let needs = Needs::sized(|sizes| (sizes.neighbors, sizes.aliases) = (1, 4));
    let mut scene = Scene::open(rig, &needs)?;
    let aged = NeighborState { card_reachability_ms: 50_000, ..router(1) };
    let first = scene.neighbor_with(&aged);
    let path = scene.path(first, 0);
    scene.wait_ms(5);
    let stamp = scene.session.time_ms();
    confirm(&mut scene, path, stamp);
    assert!(ages(&scene, first).1 < 10_000);
    assert_eq!(scene.terminate(&[path, first]), [Status::SUCCESS; 2]);
    let second = scene.neighbor_with(&aged);
    assert_eq!(second.index(), first.index());
    assert!(ages(&scene, second).1 >= 50_000);
    Ok(())
}

fn needs() -> Needs {
    Needs::configured(|config| config.stale_ms = STALE_MS)
}

/// Host's and card's age of a neighbor, as the card tells.
fn ages<B: Backing>(scene: &Scene<B>, neighbor: Handle) -> (u32, u32) {
    match scene.query(neighbor) {
        Ok(ObjectState::Neighbor(state, _)) => {
            (state.host_reachability_ms, state.card_reachability_ms)
        }
        other => panic!("{neighbor} answers {other:?}"),
    }
}

/// Posts a frame that confirms progress of one that left at `stamp`.
fn confirm<B: Backing>(scene: &mut Scene<B>, path: Handle, stamp: u32) {
    let state = route(0);
    let bytes = packet(state.source, state.destination, PACKET_BYTES, 0, 0);
    scene.transmitter().post_progress(path, &bytes, 0, stamp).expect("the ring has room");
    assert_eq!(scene.settle().left, 1);
}
