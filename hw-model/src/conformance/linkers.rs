//! Claims about linkers and placeholders.
//!
//! Rules: `chimney` 1.3; design section 12, operation *initiate*.

use abi::host::status::{Detail, Status};
use host_driver::{Initiate, PathState};

use super::scene::{Scene, first, flow, route, router, statuses};
use super::{Needs, Rig, Unfit};

/// A linker attaches new dependents to an object that is on the card.
pub fn a_linker_takes_new_dependents<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let old = scene.path(neighbor, 1);
    let mut tree = Initiate::with_capacity(5);
    let mut block = tree.neighbor_linker(neighbor);
    block.path(&route(2)).connection(&flow(1));
    block.path_linker(old).connection(&flow(2));
    let outcome = scene.run(tree);
    assert_eq!(statuses(&outcome), [Status::SUCCESS; 5]);
    assert_eq!(outcome.block(0).handle, neighbor, "a linker keeps its handle");
    assert_eq!((scene.dependents(neighbor), scene.dependents(old)), (2, 1));
    let connection = outcome.block(4).handle;
    assert_eq!(scene.send(connection, 1, 1).left, 1);
    Ok(())
}

/// A linker answers for its dependents: all, some or none of them got in.
pub fn a_linker_answers_for_its_dependents<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let bad = PathState { mtu: 1, ..route(9) };
    let cases: [(&[&PathState], Status); 4] = [
        (&[&route(1), &route(2)], Status::SUCCESS),
        (&[&route(3), &bad], Status::PARTIAL_SUCCESS),
        (&[&bad, &bad], Status::FAILURE),
        (&[], Status::SUCCESS),
    ];
    for (paths, expected) in cases {
        let mut tree = Initiate::with_capacity(3);
        let mut block = tree.neighbor_linker(neighbor);
        for path in paths {
            block.path(path);
        }
        assert_eq!(first(&scene.run(tree)).1, expected, "{} paths", paths.len());
    }
    assert_eq!(scene.dependents(neighbor), 3);
    Ok(())
}

/// A linker to a handle that is gone: its own status, and failure below.
pub fn a_stale_linker_fails_what_hangs_from_it<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let gone = scene.neighbor(1);
    assert_eq!(scene.terminate(&[gone]), [Status::SUCCESS]);
    let mut tree = Initiate::with_capacity(3);
    tree.neighbor_linker(gone).path(&route(1)).connection(&flow(1));
    let outcome = scene.run(tree);
    assert_eq!(statuses(&outcome), [Status::STALE_HANDLE, Status::FAILURE, Status::FAILURE]);
    assert_eq!(outcome.block(1).detail, Detail::PARENT.0);
    assert_eq!(outcome.status(), Status::FAILURE);
    Ok(())
}

/// A linker to an invalid object: `invalid_object`, and failure below.
pub fn a_linker_to_an_invalid_object_fails_what_hangs_from_it<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    scene.invalidate(&[path]);
    let mut tree = Initiate::with_capacity(2);
    tree.path_linker_root(path).connection(&flow(1));
    assert_eq!(statuses(&scene.run(tree)), [Status::INVALID_OBJECT, Status::FAILURE]);
    scene.invalidate(&[neighbor]);
    let mut tree = Initiate::with_capacity(2);
    tree.neighbor_linker(neighbor).path(&route(2));
    assert_eq!(statuses(&scene.run(tree)), [Status::INVALID_OBJECT, Status::FAILURE]);
    Ok(())
}

/// A linker whose handle is of another kind: `wrong_kind`, and failure below.
pub fn a_linker_of_the_wrong_kind_fails_what_hangs_from_it<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let mut tree = Initiate::with_capacity(2);
    tree.neighbor_linker(path).path(&route(2));
    assert_eq!(statuses(&scene.run(tree)), [Status::WRONG_KIND, Status::FAILURE]);
    let mut tree = Initiate::with_capacity(2);
    tree.path_linker_root(neighbor).connection(&flow(1));
    assert_eq!(statuses(&scene.run(tree)), [Status::WRONG_KIND, Status::FAILURE]);
    Ok(())
}

/// A path linker that stands under a neighbor it does not hang from fails, and does not move.
pub fn a_path_linker_under_another_neighbor_fails_and_does_not_move<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (home, other) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(home, 1);
    let mut tree = Initiate::with_capacity(3);
    tree.neighbor_linker(other).path_linker(path).connection(&flow(1));
    let outcome = scene.run(tree);
    assert_eq!(statuses(&outcome), [Status::FAILURE; 3]);
    assert_eq!(outcome.block(1).detail, Detail::LINK.0);
    assert_eq!(scene.neighbor_of(path), home);
    assert_eq!((scene.dependents(home), scene.dependents(other)), (1, 0));
    Ok(())
}

/// A placeholder succeeds whatever stands below it, and also alone.
pub fn a_placeholder_always_succeeds<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let mut tree = Initiate::with_capacity(8);
    tree.placeholder();
    let mut block = tree.placeholder();
    block.path_linker(path).connection(&flow(1));
    block.path(&route(2));
    tree.neighbor(&router(2));
    let outcome = scene.run(tree);
    let expected = [
        Status::SUCCESS,
        Status::SUCCESS,
        Status::SUCCESS,
        Status::SUCCESS,
        Status::FAILURE,
        Status::SUCCESS,
    ];
    assert_eq!(statuses(&outcome), expected);
    assert_eq!(outcome.block(4).detail, Detail::POSITION.0, "a new path needs its neighbor");
    assert!(outcome.block(0).handle.is_null(), "a placeholder names nothing");
    Ok(())
}

/// A path linker stands alone as a root as well as under its own neighbor.
pub fn a_path_linker_may_be_a_root<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let mut tree = Initiate::with_capacity(3);
    let mut block = tree.path_linker_root(path);
    block.connection(&flow(1));
    block.connection(&flow(2));
    assert_eq!(statuses(&scene.run(tree)), [Status::SUCCESS; 3]);
    assert_eq!(scene.dependents(path), 2);
    Ok(())
}

/// State for an object that is on the card: failure, nothing changes, what hangs below is untried.
pub fn state_for_a_known_object_fails_and_changes_nothing<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let connection = scene.connection(path, 1);
    let mut tree = Initiate::with_capacity(6);
    tree.neighbor_again(neighbor, &router(9)).path(&route(2));
    tree.neighbor_linker(neighbor)
        .path_again(path, &PathState { mtu: 68, ..route(9) })
        .connection(&flow(2));
    tree.path_linker_root(path).connection_again(connection, &flow(9));
    let outcome = scene.run(tree);
    let expected = [Status::FAILURE; 7];
    assert_eq!(statuses(&outcome), expected, "linkers have no other dependent");
    for (block, detail) in [
        (0, Detail::EXISTS),
        (1, Detail::PARENT),
        (3, Detail::EXISTS),
        (4, Detail::PARENT),
        (6, Detail::EXISTS),
    ] {
        assert_eq!(outcome.block(block).detail, detail.0, "block {block}");
    }
    assert_eq!((scene.dependents(neighbor), scene.dependents(path)), (1, 1));
    assert_eq!(scene.send_sized(path, 1, 1500).left, 1, "its MTU is the old one");
    assert_eq!(scene.frames()[0].destination, router(1).destination);
    Ok(())
}

/// A connection block without state names a connection that is on the card.
pub fn a_connection_linker_names_a_live_connection<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let (path, other) = (scene.path(neighbor, 1), scene.path(neighbor, 2));
    let (here, there) = (scene.connection(path, 1), scene.connection(other, 2));
    let mut tree = Initiate::with_capacity(3);
    let mut block = tree.path_linker_root(path);
    block.connection_linker(here);
    block.connection_linker(there);
    let outcome = scene.run(tree);
    assert_eq!(statuses(&outcome), [Status::PARTIAL_SUCCESS, Status::SUCCESS, Status::FAILURE]);
    assert_eq!(outcome.block(2).detail, Detail::LINK.0);
    Ok(())
}

/// A new connection needs its path: under a placeholder it cannot stand.
pub fn a_new_connection_under_a_placeholder_fails<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let mut tree = Initiate::with_capacity(3);
    tree.neighbor_linker(neighbor).path_placeholder().connection(&flow(1));
    let outcome = scene.run(tree);
    assert_eq!(statuses(&outcome), [Status::SUCCESS, Status::SUCCESS, Status::FAILURE]);
    assert_eq!(outcome.block(2).detail, Detail::POSITION.0);
    Ok(())
}
