//! Claims about relink: which paths move, which do not, and what follows them.
//!
//! Rules: `chimney` 3.3, 4 and 5.1, invariants 8, 9, 11 and 18 of section 8; design section 12.

use abi::host::status::{Detail, Status};
use host_driver::{NeighborState, ObjectState, Update};

use super::scene::{Scene, mac, route_ipv6, router, statuses};
use super::{Needs, Rig, Unfit};

/// Named paths move, the others stay, and frames go accordingly.
pub fn relink_moves_the_named_paths_only<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(old, 0, 6);
    assert_eq!(scene.relink(new, &paths[..3]), [Status::SUCCESS; 4]);
    assert_eq!((scene.dependents(old), scene.dependents(new)), (3, 3));
    for (stream, path) in (0..).zip(&paths) {
        scene.send(*path, stream, 1);
    }
    for frame in scene.frames() {
        assert_eq!(
            frame.destination,
            mac(if frame.stream < 3 { 2 } else { 1 }),
            "stream {}",
            frame.stream
        );
    }
    Ok(())
}

/// A list moves like blocks do, with a status an entry.
pub fn relink_by_list_moves_the_named_paths_only<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(old, 0, 4);
    let gone = paths[1];
    scene.terminate(&[gone]);
    scene.invalidate(&[paths[2]]);
    let (to, entries) = scene.relink_list(new, &[paths[0], gone, paths[2], new, paths[3]]);
    assert_eq!(to, Status::SUCCESS, "a block answers for itself");
    let expected = [
        Status::SUCCESS,
        Status::STALE_HANDLE,
        Status::INVALID_OBJECT,
        Status::WRONG_KIND,
        Status::SUCCESS,
    ];
    assert_eq!(entries, expected);
    assert_eq!((scene.neighbor_of(paths[0]), scene.neighbor_of(paths[2])), (new, old));
    Ok(())
}

/// All paths of a neighbor move with one block; the answer tells how many.
pub fn relink_all_moves_every_path_and_counts_them<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (old, new, other) = (scene.neighbor(1), scene.neighbor(2), scene.neighbor(3));
    let paths = scene.paths(old, 0, 100);
    let bystander = scene.path(other, 200);
    assert_eq!(scene.relink_all(new, old), (Status::SUCCESS, Status::SUCCESS, 100));
    assert_eq!(
        (scene.dependents(old), scene.dependents(new), scene.dependents(other)),
        (0, 100, 1)
    );
    assert_eq!(scene.neighbor_of(paths[99]), new);
    assert_eq!(scene.neighbor_of(bystander), other);
    scene.send(paths[50], 50, 1);
    scene.send(bystander, 200, 1);
    let seen: Vec<_> = scene.frames().iter().map(|frame| frame.destination).collect();
    assert_eq!(seen, [mac(2), mac(3)]);
    assert_eq!(scene.relink_all(new, old), (Status::SUCCESS, Status::SUCCESS, 0), "none is left");
    assert_eq!(scene.relink_all(new, new), (Status::SUCCESS, Status::SUCCESS, 0), "onto itself");
    assert_eq!(scene.dependents(new), 100);
    Ok(())
}

/// The old neighbor of a relink-all may be invalid; the new one may not.
pub fn relink_all_takes_an_invalid_old_neighbor_and_refuses_an_invalid_new_one<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    scene.paths(old, 0, 3);
    scene.invalidate(&[old]);
    assert_eq!(scene.relink_all(new, old), (Status::SUCCESS, Status::SUCCESS, 3));
    let (to, from, _) = scene.relink_all(old, new);
    assert_eq!((to, from), (Status::INVALID_OBJECT, Status::FAILURE));
    assert_eq!(scene.dependents(new), 3);
    Ok(())
}

/// A stale or wrong old neighbor is named by its own status; nothing moves.
pub fn relink_all_of_a_neighbor_that_is_none_says_so<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (gone, new) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(new, 1);
    scene.terminate(&[gone]);
    let (to, old, _) = scene.relink_all(new, gone);
    assert_eq!((to, old), (Status::SUCCESS, Status::STALE_HANDLE));
    let (to, old, _) = scene.relink_all(new, path);
    assert_eq!((to, old), (Status::SUCCESS, Status::WRONG_KIND));
    let (to, old, _) = scene.relink_all(gone, new);
    assert_eq!((to, old), (Status::STALE_HANDLE, Status::FAILURE));
    assert_eq!(scene.dependents(new), 1);
    Ok(())
}

/// A bad destination fails every path under it; they keep their links and go on sending.
pub fn a_bad_destination_fails_every_path_and_moves_none<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (old, invalid, gone) = (scene.neighbor(1), scene.neighbor(2), scene.neighbor(3));
    let paths = scene.paths(old, 0, 3);
    scene.invalidate(&[invalid]);
    scene.terminate(&[gone]);
    for (to, own) in [
        (invalid, Status::INVALID_OBJECT),
        (gone, Status::STALE_HANDLE),
        (paths[0], Status::WRONG_KIND),
    ] {
        let expected = [own, Status::FAILURE, Status::FAILURE, Status::FAILURE];
        assert_eq!(scene.relink(to, &paths), expected);
        assert_eq!(scene.relink_list(to, &paths), (own, vec![Status::FAILURE; 3]));
    }
    assert_eq!(scene.dependents(old), 3);
    assert_eq!(scene.send(paths[1], 1, 1).left, 1);
    assert_eq!(scene.frames()[0].destination, mac(1));
    Ok(())
}

/// A path that cannot move fails alone: the blocks beside it are carried out.
pub fn a_path_that_cannot_move_fails_alone<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(old, 0, 4);
    let connection = scene.connection(paths[0], 1);
    scene.terminate(&[paths[1]]);
    scene.invalidate(&[paths[2]]);
    let named = [paths[0], paths[1], paths[2], connection, old, paths[3]];
    let expected = [
        Status::SUCCESS,
        Status::SUCCESS,
        Status::STALE_HANDLE,
        Status::INVALID_OBJECT,
        Status::WRONG_KIND,
        Status::WRONG_KIND,
        Status::SUCCESS,
    ];
    assert_eq!(scene.relink(new, &named), expected);
    assert_eq!((scene.dependents(old), scene.dependents(new)), (1, 2));
    Ok(())
}

/// To where it is already: success, and nothing changes.
pub fn relink_to_the_same_neighbor_is_success<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    assert_eq!(scene.relink(neighbor, &[path]), [Status::SUCCESS; 2]);
    assert_eq!(scene.relink_list(neighbor, &[path]), (Status::SUCCESS, vec![Status::SUCCESS]));
    assert_eq!(scene.dependents(neighbor), 1);
    assert_eq!(scene.send(path, 1, 1).left, 1);
    Ok(())
}

/// A relink of no path at all succeeds in all three forms.
pub fn relink_of_nothing_is_success<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    assert_eq!(scene.relink(new, &[]), [Status::SUCCESS]);
    assert_eq!(scene.relink_list(new, &[]), (Status::SUCCESS, vec![]));
    assert_eq!(scene.relink_all(new, old), (Status::SUCCESS, Status::SUCCESS, 0));
    Ok(())
}

/// The same path twice in one tree: both are carried out, the last one stands.
pub fn the_same_path_twice_in_a_tree_ends_at_the_last<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (first, second, third) = (scene.neighbor(1), scene.neighbor(2), scene.neighbor(3));
    let path = scene.path(first, 1);
    let mut tree = Update::with_capacity(4);
    tree.neighbor(second).relink(path);
    tree.neighbor(third).relink(path);
    assert_eq!(statuses(&scene.run(tree)), [Status::SUCCESS; 4]);
    assert_eq!(scene.neighbor_of(path), third);
    let counts = [first, second, third].map(|neighbor| scene.dependents(neighbor));
    assert_eq!(counts, [0, 0, 1]);
    assert_eq!(scene.relink(first, &[path, path]), [Status::SUCCESS; 3]);
    assert_eq!(scene.dependents(first), 1);
    Ok(())
}

/// One tree may name several destinations and give them new variables too.
pub fn one_update_may_relink_and_set_variables<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (old, left, right) = (scene.neighbor(1), scene.neighbor(2), scene.neighbor(3));
    let paths = scene.paths(old, 0, 4);
    let mut tree = Update::with_capacity(7);
    let mut block = tree.neighbor(left).set(mac(20), 0);
    block.relink(paths[0]);
    block.relink(paths[1]);
    tree.neighbor(right).relink(paths[2]);
    tree.path_mtu(paths[3], 1400);
    assert_eq!(statuses(&scene.run(tree)), [Status::SUCCESS; 6]);
    for (stream, path) in (0..).zip(&paths) {
        scene.send(*path, stream, 1);
    }
    let seen: Vec<_> = scene.frames().iter().map(|frame| frame.destination).collect();
    assert_eq!(seen, [mac(20), mac(20), mac(3), mac(1)]);
    Ok(())
}

/// Back and forth, by every form, ends where the last one says.
pub fn relink_back_and_forth_ends_where_it_should<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (left, right) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(left, 0, 5);
    for round in 0..10 {
        let (to, from) = if round % 2 == 0 { (right, left) } else { (left, right) };
        match round % 3 {
            0 => assert_eq!(scene.relink_all(to, from), (Status::SUCCESS, Status::SUCCESS, 5)),
            1 => assert_eq!(scene.relink(to, &paths), [Status::SUCCESS; 6]),
            _ => assert_eq!(
                scene.relink_list(to, &paths),
                (Status::SUCCESS, vec![Status::SUCCESS; 5])
            ),
        }
        assert_eq!((scene.dependents(to), scene.dependents(from)), (5, 0), "round {round}");
        scene.send(paths[4], 4, 1);
        let expected = if to == right { mac(2) } else { mac(1) };
        assert_eq!(scene.frames()[0].destination, expected, "round {round}");
    }
    Ok(())
}

/// Connections follow their path; their own links and state do not change.
pub fn connections_follow_their_path<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(old, 1);
    let connection = scene.connection(path, 1);
    let Ok(ObjectState::Connection(before, _)) = scene.query(connection) else {
        panic!("its state")
    };
    assert_eq!(scene.relink(new, &[path]), [Status::SUCCESS; 2]);
    assert_eq!(scene.send(connection, 1, 1).left, 1);
    assert_eq!(scene.frames()[0].destination, mac(2));
    let Ok(ObjectState::Connection(after, head)) = scene.query(connection) else {
        panic!("its state")
    };
    assert_eq!((after, head.parent), (before, path));
    Ok(())
}

/// Destination MAC, source MAC and VLAN follow together, for both IP versions.
pub fn vlan_and_source_mac_follow_a_relink<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let source = [0x02, 0, 0, 0, 0x0a, 2];
    let plain = scene.neighbor(1);
    let tagged = scene.neighbor_with(&NeighborState { source, vlan: 77, ..router(2) });
    let (four, six) = (scene.path(plain, 4), scene.path_with(plain, &route_ipv6(6)));
    for (to, expected) in [
        (tagged, (mac(2), source, Some((0, 77)))),
        (plain, (mac(1), super::scene::PORT_MAC, None)),
        (tagged, (mac(2), source, Some((0, 77)))),
    ] {
        assert_eq!(scene.relink(to, &[four, six]), [Status::SUCCESS; 3]);
        scene.send(four, 4, 1);
        scene.send_ipv6(six, 6);
        let frames = scene.frames();
        assert_eq!(frames.len(), 2);
        for frame in frames {
            assert_eq!((frame.destination, frame.source, frame.tag), expected);
        }
    }
    Ok(())
}

/// After a relink by any form the old neighbor can be terminated at once.
pub fn the_old_neighbor_can_be_terminated_right_after<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let mut old = scene.neighbor(0);
    let paths = scene.paths(old, 0, 3);
    for round in 1..10 {
        let new = scene.neighbor(round);
        match round % 3 {
            0 => drop(scene.relink(new, &paths)),
            1 => drop(scene.relink_list(new, &paths)),
            _ => drop(scene.relink_all(new, old)),
        }
        assert_eq!(scene.terminate(&[old]), [Status::SUCCESS], "round {round}");
        scene.send(paths[0], 0, 1);
        assert_eq!(scene.frames()[0].destination, mac(round));
        old = new;
    }
    Ok(())
}

/// A MAC update leaves links alone; all paths of the neighbor send to the new MAC.
pub fn a_mac_update_moves_every_path_and_no_link<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (updated, other) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(updated, 0, 3);
    let bystander = scene.path(other, 9);
    for round in 0..5 {
        let now = mac(100 + round);
        assert_eq!(scene.set_mac(updated, now), Status::SUCCESS);
        for (stream, path) in (0..).zip(&paths) {
            scene.send(*path, stream, 1);
        }
        scene.send(bystander, 9, 1);
        let seen: Vec<_> = scene.frames().iter().map(|frame| frame.destination).collect();
        assert_eq!(seen, [now, now, now, mac(2)], "round {round}");
    }
    assert_eq!(scene.dependents(updated), 3);
    Ok(())
}

/// The statuses of a relink that names a path under a failed block say that it was not tried.
pub fn an_untried_path_says_that_its_parent_failed<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (home, gone) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(home, 1);
    scene.terminate(&[gone]);
    let mut tree = Update::with_capacity(2);
    tree.neighbor(gone).relink(path);
    let outcome = scene.run(tree);
    assert_eq!(outcome.block(1).detail, Detail::PARENT.0);
    assert_eq!(outcome.block(0).handle, gone, "a block keeps the handle it was given");
    Ok(())
}
