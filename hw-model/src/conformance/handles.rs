//! Claims about handles: stale ones, reused slots, wrong kinds, spent generations.
//!
//! Rules: design section 2, promise 6; `chimney` 1.4.

use std::collections::HashSet;

use abi::host::handle::Handle;
use abi::host::register::Counter;
use abi::host::status::{Kind, Status};
use host_driver::{ConnectionState, Invalidate, ObjectState, Query, Terminate, Update};

use super::scene::{Scene, flow, route, router, statuses};
use super::{Needs, Rig, Unfit};

/// A terminated object's handle is stale in every operation.
pub fn a_terminated_handle_is_stale_everywhere<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let connection = scene.connection(path, 1);
    let gone = [neighbor, path, connection];
    assert_eq!(scene.terminate(&gone), [Status::SUCCESS; 3]);
    for handle in gone {
        assert_eq!(scene.query(handle).err(), Some(Status::STALE_HANDLE), "{handle}");
    }
    assert_eq!(scene.invalidate(&gone), [Status::STALE_HANDLE; 3]);
    assert_eq!(scene.terminate(&gone), [Status::STALE_HANDLE; 3]);
    assert_eq!(scene.set_mac(neighbor, [2; 6]), Status::STALE_HANDLE);
    assert_eq!(scene.set_mtu(path, 1400), Status::STALE_HANDLE);
    let mut tree = Update::with_capacity(1);
    tree.connection(connection, &flow(1).cached);
    assert_eq!(statuses(&scene.run(tree)), [Status::STALE_HANDLE]);
    Ok(())
}

/// A slot that is used again gives another handle; the old one does not hit the new object.
pub fn a_reused_slot_gets_a_handle_that_was_never_seen<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::sized(|sizes| (sizes.paths, sizes.connections) = (1, 1)))?;
    let neighbor = scene.neighbor(1);
    let mut seen = HashSet::new();
    for round in 0..50 {
        let path = scene.path(neighbor, round);
        assert!(seen.insert(path), "{path} was seen before");
        for old in seen.iter().filter(|old| **old != path) {
            assert_eq!(scene.query(*old).err(), Some(Status::STALE_HANDLE), "{old}");
        }
        assert_eq!(scene.terminate(&[path]), [Status::SUCCESS]);
    }
    Ok(())
}

/// A stale handle does nothing to the object that lives in its slot now.
pub fn a_stale_handle_never_hits_the_new_object<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::sized(|sizes| sizes.paths = 1))?;
    let (left, right) = (scene.neighbor(1), scene.neighbor(2));
    let old = scene.path(left, 1);
    scene.terminate(&[old]);
    let new = scene.path(left, 2);
    assert_eq!(new.index(), old.index(), "a table of one has one slot");
    assert_eq!(scene.invalidate(&[old]), [Status::STALE_HANDLE]);
    assert_eq!(scene.relink(right, &[old]), [Status::SUCCESS, Status::STALE_HANDLE]);
    assert_eq!(scene.set_mtu(old, 100), Status::STALE_HANDLE);
    assert_eq!(scene.send(old, 1, 1).dropped, 1);
    let Ok(ObjectState::Path(state, head)) = scene.query(new) else { panic!("its state") };
    assert_eq!((state, head.invalid, head.parent), (route(2), false, left));
    Ok(())
}

/// A handle used as another kind is `wrong_kind`, in every operation.
pub fn a_handle_of_another_kind_is_wrong_kind_everywhere<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let connection = scene.connection(path, 1);
    let expected = [Status::WRONG_KIND; 3];
    let mut tree = Query::with_capacity(3);
    tree.neighbor(path);
    tree.path(connection);
    tree.connection(neighbor);
    assert_eq!(statuses(&scene.run(tree)), expected);
    let mut tree = Invalidate::with_capacity(3);
    tree.neighbor(connection);
    tree.path(neighbor);
    tree.connection(path);
    assert_eq!(statuses(&scene.run(tree)), expected);
    let mut tree = Terminate::with_capacity(3);
    tree.neighbor(path);
    tree.path(connection);
    tree.connection(neighbor);
    assert_eq!(statuses(&scene.run(tree)), expected);
    assert_eq!(scene.set_mac(path, [2; 6]), Status::WRONG_KIND);
    assert_eq!(scene.set_mtu(connection, 1400), Status::WRONG_KIND);
    assert!(
        scene.query(neighbor).is_ok()
            && scene.query(path).is_ok()
            && scene.query(connection).is_ok()
    );
    Ok(())
}

/// Handles that were never given out are stale, wherever they point.
pub fn a_handle_that_was_never_given_out_is_stale<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let generation = neighbor.generation();
    for kind in [Kind::NEIGHBOR, Kind::PATH, Kind::CONNECTION] {
        for index in [1, 255, 256, 4_096, 0x3fff_ffff] {
            for generation in [0, 1, generation, generation.wrapping_sub(1), u32::MAX] {
                let handle = Handle::new(kind, index, generation);
                assert_eq!(scene.query(handle).err(), Some(Status::STALE_HANDLE), "{handle}");
            }
        }
    }
    let next = Handle::new(Kind::NEIGHBOR, neighbor.index(), generation.wrapping_add(1));
    assert_eq!(scene.query(next).err(), Some(Status::STALE_HANDLE), "a generation to come");
    Ok(())
}

/// A slot whose generations are spent is retired and counted; no handle is given out twice.
pub fn a_slot_whose_generations_are_spent_is_retired<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut needs = Needs::sized(|sizes| {
        (sizes.neighbors, sizes.aliases, sizes.paths, sizes.connections) = (2, 8, 2, 2);
    });
    needs.config.generation_seed = Some(u32::MAX - 2);
    let scene = Scene::open(rig, &needs)?;
    let mut seen = HashSet::new();
    let end = loop {
        let (handle, status) = scene.try_neighbor(&router(1));
        if status != Status::SUCCESS {
            break status;
        }
        assert!(seen.insert(handle), "{handle} was given out twice");
        assert!(handle.generation() >= u32::MAX - 2, "{handle} wrapped");
        assert_eq!(scene.terminate(&[handle]), [Status::SUCCESS]);
        assert!(seen.len() <= 6, "more handles than generations were left");
    };
    assert_eq!(end, Status::NEIGHBOR_ENTRIES, "a table of retired slots is full");
    assert!(seen.len() >= 4, "{} handles of 2 slots with 3 generations each", seen.len());
    assert_eq!(scene.session.counter(Counter::RETIRED_SLOTS), 2);
    for handle in seen {
        assert_eq!(scene.query(handle).err(), Some(Status::STALE_HANDLE));
    }
    Ok(())
}

/// Paths and connections retire their slots as neighbors do, and the rest of the table goes on.
pub fn retired_slots_of_every_kind_are_counted<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut needs = Needs::sized(|sizes| (sizes.paths, sizes.connections) = (2, 2));
    needs.config.generation_seed = Some(u32::MAX - 1);
    let scene = Scene::open(rig, &needs)?;
    let neighbor = scene.neighbor(1);
    let mut paths = 0;
    while let (path, Status::SUCCESS) = scene.try_path(neighbor, &route(paths)) {
        paths += 1;
        if paths == 1 {
            let mut connections = 0;
            while let (connection, Status::SUCCESS) = scene.try_connection(path, &flow(9)) {
                connections += 1;
                assert_eq!(scene.terminate(&[connection]), [Status::SUCCESS]);
                assert!(connections <= 4, "more connections than generations were left");
            }
        }
        assert_eq!(scene.terminate(&[path]), [Status::SUCCESS]);
        assert!(paths <= 4, "more paths than generations were left");
    }
    assert_eq!(scene.session.counter(Counter::RETIRED_SLOTS), 4);
    assert_eq!(scene.try_connection(neighbor, &ConnectionState::default()).1, Status::FAILURE);
    Ok(())
}

/// An object named twice in one terminate: the first goes, the second is stale.
pub fn an_object_named_twice_in_a_terminate_goes_once<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    assert_eq!(scene.terminate(&[path, path]), [Status::SUCCESS, Status::STALE_HANDLE]);
    assert_eq!(scene.terminate(&[neighbor, neighbor]), [Status::SUCCESS, Status::STALE_HANDLE]);
    Ok(())
}

/// An object named twice in a query or an invalidate is answered twice.
pub fn an_object_named_twice_is_answered_twice<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let mut tree = Query::with_capacity(2);
    tree.neighbor(neighbor);
    tree.neighbor(neighbor);
    let outcome = scene.run(tree);
    assert_eq!(statuses(&outcome), [Status::SUCCESS; 2]);
    assert!(outcome.state(0).is_some() && outcome.state(1).is_some());
    assert_eq!(scene.invalidate(&[neighbor, neighbor]), [Status::SUCCESS; 2]);
    Ok(())
}
