//! Claims about initiate: order, statuses, partial success.
//!
//! Rules: `chimney` 1.3 and 3.1, invariants 1 to 5 of section 8; design section 12.

use abi::host::command::TcpState;
use abi::host::limit;
use abi::host::status::{Detail, Status};
use host_driver::{Initiate, NeighborState, PathState};

use super::scene::{Scene, flow, route, route_ipv6, router, statuses};
use super::{Needs, Rig, Unfit};

/// A tree of two neighbors, three paths and five connections: every block gets a handle of its own.
pub fn initiate_gives_every_block_a_status_and_a_handle<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let outcome = scene.run(ten_blocks());
    assert_eq!(outcome.blocks(), 10);
    assert_eq!(outcome.status(), Status::SUCCESS);
    assert_eq!((outcome.done(), outcome.failed()), (10, 0));
    let mut handles: Vec<_> = (0..10).map(|block| outcome.block(block).handle).collect();
    assert!(handles.iter().all(|handle| !handle.is_null()));
    handles.sort();
    handles.dedup();
    assert_eq!(handles.len(), 10, "no two objects share a handle");
    Ok(())
}

/// With room for three connections it is the first three of the walk that get in.
pub fn initiate_walks_parents_first_then_siblings<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::sized(|sizes| sizes.connections = 3))?;
    let outcome = scene.run(ten_blocks());
    // A dependent that is itself partial counts as offloaded, so N2 has no failed dependent.
    let expected = [
        Status::SUCCESS,         // N1
        Status::SUCCESS,         // P1
        Status::SUCCESS,         // T1
        Status::SUCCESS,         // T2
        Status::SUCCESS,         // P2
        Status::SUCCESS,         // T3
        Status::SUCCESS,         // N2
        Status::PARTIAL_SUCCESS, // P3
        Status::TCP_ENTRIES,     // T4
        Status::TCP_ENTRIES,     // T5
    ];
    assert_eq!(statuses(&outcome), expected);
    Ok(())
}

/// The worked example of the rules: N1, P1, T1, T2 (no room), P2 (hard failure), T3 (never tried).
pub fn the_partial_failure_example_gives_its_six_values<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::sized(|sizes| sizes.connections = 1))?;
    let mut tree = Initiate::with_capacity(6);
    let mut neighbor = tree.neighbor(&router(1));
    let mut path = neighbor.path(&route(1));
    path.connection(&flow(1));
    path.connection(&flow(2));
    neighbor.path(&PathState { mtu: 1, ..route(2) }).connection(&flow(3));
    let outcome = scene.run(tree);
    let expected = [
        Status::PARTIAL_SUCCESS,
        Status::PARTIAL_SUCCESS,
        Status::SUCCESS,
        Status::TCP_ENTRIES,
        Status::PATH_MTU,
        Status::FAILURE,
    ];
    assert_eq!(statuses(&outcome), expected);
    assert_eq!(outcome.status(), Status::PARTIAL_SUCCESS);
    assert_eq!((outcome.done(), outcome.failed()), (3, 3));
    Ok(())
}

/// After a failed block the walk goes on with its next sibling; its own dependents are not tried.
pub fn a_failed_block_fails_its_dependents_untried_and_the_walk_goes_on<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let mut tree = Initiate::with_capacity(8);
    tree.neighbor(&bad_neighbor()).path(&route(1)).connection(&flow(1));
    let mut good = tree.neighbor(&router(2));
    good.path(&PathState { mtu: 10_000, ..route(2) }).connection(&flow(2));
    good.path(&route(3)).connection(&flow(3));
    let outcome = scene.run(tree);
    let expected = [
        Status::FAILURE,
        Status::FAILURE,
        Status::FAILURE,
        Status::PARTIAL_SUCCESS,
        Status::PATH_MTU,
        Status::FAILURE,
        Status::SUCCESS,
        Status::SUCCESS,
    ];
    assert_eq!(statuses(&outcome), expected);
    for untried in [1, 2, 5] {
        assert_eq!(outcome.block(untried).detail, Detail::PARENT.0, "block {untried}");
    }
    Ok(())
}

/// What failed gives no handle and leaves nothing behind: tables and counts are as before.
pub fn a_failed_block_leaves_nothing_behind<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::sized(|sizes| (sizes.neighbors, sizes.paths) = (1, 1)))?;
    let neighbor = scene.neighbor(1);
    let (handle, status) = scene.try_path(neighbor, &PathState { mtu: 67, ..route(1) });
    assert_eq!((handle.is_null(), status), (true, Status::PATH_MTU));
    assert_eq!(scene.dependents(neighbor), 0);
    scene.path(neighbor, 2);
    assert_eq!(scene.dependents(neighbor), 1);
    let (handle, status) = scene.try_path(neighbor, &route(3));
    assert_eq!((handle.is_null(), status), (true, Status::PATH_ENTRIES));
    assert_eq!(scene.dependents(neighbor), 1);
    Ok(())
}

/// An object whose dependents all failed is on the card all the same.
pub fn a_new_object_stays_when_all_its_dependents_failed<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let mut tree = Initiate::with_capacity(2);
    tree.neighbor(&router(1)).path(&PathState { mtu: 0, ..route(1) });
    let outcome = scene.run(tree);
    assert_eq!(statuses(&outcome), [Status::PARTIAL_SUCCESS, Status::PATH_MTU]);
    assert_eq!(scene.dependents(outcome.block(0).handle), 0);
    Ok(())
}

/// A dependent that is itself partial counts as offloaded for its parent.
pub fn a_partial_dependent_counts_as_offloaded<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::sized(|sizes| sizes.connections = 1))?;
    let mut tree = Initiate::with_capacity(4);
    let mut neighbor = tree.neighbor(&router(1));
    let mut path = neighbor.path(&route(1));
    path.connection(&flow(1));
    path.connection(&flow(2));
    let outcome = scene.run(tree);
    let expected = [Status::SUCCESS, Status::PARTIAL_SUCCESS, Status::SUCCESS, Status::TCP_ENTRIES];
    assert_eq!(statuses(&outcome), expected);
    Ok(())
}

/// An MTU is accepted from the IP version's least to the card's most, and not beside.
pub fn a_path_mtu_outside_its_limits_is_refused<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let least = [(route(1), limit::MTU_MIN_IPV4), (route_ipv6(1), limit::MTU_MIN_IPV6)];
    for (state, least) in least {
        let cases = [
            (least - 1, Status::PATH_MTU),
            (least, Status::SUCCESS),
            (limit::MTU_MAX, Status::SUCCESS),
            (limit::MTU_MAX + 1, Status::PATH_MTU),
            (0, Status::PATH_MTU),
            (u32::MAX, Status::PATH_MTU),
        ];
        for (mtu, expected) in cases {
            let (_, status) = scene.try_path(neighbor, &PathState { mtu, ..state });
            assert_eq!(status, expected, "{state:?} with {mtu}");
        }
    }
    Ok(())
}

/// Every TCP state is taken or rejected as the rules say.
pub fn a_connection_in_a_state_that_may_not_be_offloaded_is_rejected<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let mut accepted = 0;
    for state in TcpState::ALL.iter().copied().chain([TcpState(11), TcpState(255)]) {
        let mut connection = flow(u16::from(state.0) + 1);
        connection.delegated.state = state.0;
        let (handle, status) = scene.try_connection(path, &connection);
        let expected =
            if state.may_be_offloaded() { Status::SUCCESS } else { Status::CONNECTION_REJECTED };
        assert_eq!(status, expected, "{state:?}");
        assert_eq!(handle.is_null(), !state.may_be_offloaded(), "{state:?}");
        accepted += u32::from(state.may_be_offloaded());
    }
    assert_eq!((accepted, scene.dependents(path)), (6, 6));
    Ok(())
}

/// VLAN 4095 and above is none.
pub fn a_vlan_above_4094_is_refused<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let mut tree = Initiate::with_capacity(1);
    tree.neighbor(&bad_neighbor());
    let outcome = scene.run(tree);
    assert_eq!(
        (outcome.block(0).status, outcome.block(0).detail),
        (Status::FAILURE, Detail::RANGE.0)
    );
    let last = NeighborState { vlan: 4094, ..router(1) };
    assert_eq!(scene.try_neighbor(&last).1, Status::SUCCESS);
    Ok(())
}

/// Two neighbors may carry the same MAC: identity is the handle only.
pub fn two_neighbors_with_one_mac_are_two_objects<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let (first, second) = (scene.neighbor(1), scene.neighbor(1));
    assert_ne!(first, second);
    let path = scene.path(second, 1);
    scene.invalidate(&[first]);
    assert_eq!(scene.send(path, 1, 1).left, 1, "the other neighbor is valid");
    Ok(())
}

/// A tree with no block below a root, many roots, several kinds of root.
pub fn a_tree_may_have_several_roots<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let old = scene.neighbor(1);
    let path = scene.path(old, 1);
    let mut tree = Initiate::with_capacity(6);
    tree.neighbor(&router(2));
    tree.path_linker_root(path).connection(&flow(1));
    tree.neighbor_linker(old).path(&route(2));
    let outcome = scene.run(tree);
    assert_eq!(statuses(&outcome), [Status::SUCCESS; 5]);
    assert_eq!((scene.dependents(old), scene.dependents(path)), (2, 1));
    Ok(())
}

/// Both IP versions live behind one neighbor, which has no address family.
pub fn one_neighbor_carries_ipv4_and_ipv6_paths<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let (four, six) = (scene.path(neighbor, 4), scene.path_with(neighbor, &route_ipv6(6)));
    assert_eq!(scene.send(four, 4, 1).left, 1);
    assert_eq!(scene.send_ipv6(six, 6).left, 1);
    let kinds: Vec<_> = scene.frames().iter().map(|frame| (frame.stream, frame.ipv6)).collect();
    assert_eq!(kinds, [(4, false), (6, true)]);
    Ok(())
}

/// Neighbors N1 and N2, paths P1 to P3, connections T1 to T5, as in the rules.
fn ten_blocks() -> Initiate {
    let mut tree = Initiate::with_capacity(10);
    let mut first = tree.neighbor(&router(1));
    let mut path = first.path(&route(1));
    path.connection(&flow(1));
    path.connection(&flow(2));
    first.path(&route(2)).connection(&flow(3));
    let mut second = tree.neighbor(&router(2));
    let mut path = second.path(&route(3));
    path.connection(&flow(4));
    path.connection(&flow(5));
    tree
}

fn bad_neighbor() -> NeighborState {
    NeighborState { vlan: 4095, ..router(9) }
}
