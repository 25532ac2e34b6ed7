//! Claims about query, update and terminate: what state goes down comes back.
//!
//! Rules: `chimney` 1.5, 2 and 3.5, invariants 7, 13, 14 and 18 of section 8; design section 10.

use abi::host::command::{ConnectionCached, ConnectionConst, ConnectionDelegated, TcpState};
use abi::host::status::{Detail, Kind, Status};
use host_driver::{
    ConnectionState, NeighborState, ObjectState, PathState, Query, Terminate, Update,
};

use super::scene::{Scene, first, flow, route, route_ipv6, router, statuses};
use super::{Needs, Rig, Unfit};

/// A neighbor's variables come back as they went down.
pub fn query_gives_a_neighbor_back<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let given = NeighborState {
        destination: [0x02, 1, 2, 3, 4, 5],
        source: [0x06, 5, 4, 3, 2, 1],
        vlan: 4094,
        host_reachability_ms: 5_000,
        card_reachability_ms: 7_000,
    };
    let neighbor = scene.neighbor_with(&given);
    scene.paths(neighbor, 0, 3);
    let Ok(ObjectState::Neighbor(state, head)) = scene.query(neighbor) else {
        panic!("a neighbor's state")
    };
    assert_eq!(
        (state.destination, state.source, state.vlan),
        (given.destination, given.source, given.vlan)
    );
    assert!((5_000..6_000).contains(&state.host_reachability_ms), "{}", state.host_reachability_ms);
    assert!((7_000..8_000).contains(&state.card_reachability_ms), "{}", state.card_reachability_ms);
    assert_eq!((head.invalid, head.dependents, head.parent.is_null()), (false, 3, true));
    Ok(())
}

/// A path's variables come back as they went down, over both IP versions.
pub fn query_gives_a_path_back<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    for given in [PathState { mtu: 1400, ..route(7) }, PathState { mtu: 9216, ..route_ipv6(8) }] {
        let path = scene.path_with(neighbor, &given);
        let Ok(ObjectState::Path(state, head)) = scene.query(path) else {
            panic!("a path's state")
        };
        assert_eq!(state, given);
        assert_eq!((head.invalid, head.dependents, head.parent), (false, 0, neighbor));
    }
    Ok(())
}

/// A connection's const, cached and delegated variables come back bit for bit.
pub fn query_gives_a_connection_back_bit_for_bit<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let given = every_variable();
    let (connection, status) = scene.try_connection(path, &given);
    assert_eq!(status, Status::SUCCESS);
    let Ok(ObjectState::Connection(state, head)) = scene.query(connection) else {
        panic!("its state")
    };
    assert_eq!(*state, given);
    assert_eq!((head.invalid, head.dependents, head.parent), (false, 0, path));
    Ok(())
}

/// Terminate hands the delegated variables back, bit for bit.
pub fn terminate_gives_delegated_state_back<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor_with(&NeighborState { card_reachability_ms: 9_000, ..router(1) });
    let path = scene.path(neighbor, 1);
    let given = every_variable();
    let (connection, _) = scene.try_connection(path, &given);
    let mut tree = Terminate::with_capacity(3);
    tree.neighbor(neighbor);
    tree.path(path);
    tree.connection(connection);
    let outcome = scene.run(tree);
    assert_eq!(statuses(&outcome), [Status::SUCCESS; 3]);
    let Some(ObjectState::Connection(state, _)) = outcome.state(2) else {
        panic!("the delegated state")
    };
    assert_eq!(state.delegated, given.delegated);
    let Some(ObjectState::Neighbor(state, _)) = outcome.state(0) else {
        panic!("the delegated state")
    };
    assert!(
        (9_000..10_000).contains(&state.card_reachability_ms),
        "{}",
        state.card_reachability_ms
    );
    Ok(())
}

/// Offload, upload and offload again keep every variable.
pub fn state_survives_offload_upload_and_offload<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let mut carried = every_variable();
    for _ in 0..3 {
        let (connection, status) = scene.try_connection(path, &carried);
        assert_eq!(status, Status::SUCCESS);
        let mut tree = Terminate::with_capacity(1);
        tree.connection(connection);
        let outcome = scene.run(tree);
        let Some(ObjectState::Connection(state, _)) = outcome.state(0) else { panic!("the state") };
        carried.delegated = state.delegated;
    }
    assert_eq!(carried, every_variable());
    Ok(())
}

/// An update changes the cached variables it carries and nothing else.
pub fn update_changes_cached_variables_only<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor_with(&NeighborState { vlan: 7, ..router(1) });
    let path = scene.path(neighbor, 1);
    let given = every_variable();
    let (connection, _) = scene.try_connection(path, &given);
    let cached = ConnectionCached { ttl_or_hop_limit: 3, max_rt: 1, flow_label: 0, ..given.cached };
    let mut tree = Update::with_capacity(3);
    tree.connection(connection, &cached);
    tree.path_mtu(path, 1300);
    assert_eq!(statuses(&scene.run(tree)), [Status::SUCCESS; 2]);
    assert_eq!(scene.set_mac(neighbor, [0x02, 9, 9, 9, 9, 9]), Status::SUCCESS);
    let Ok(ObjectState::Connection(state, head)) = scene.query(connection) else {
        panic!("its state")
    };
    assert_eq!(*state, ConnectionState { cached, ..given });
    assert_eq!(head.parent, path);
    let Ok(ObjectState::Path(state, head)) = scene.query(path) else { panic!("its state") };
    assert_eq!((state, head.parent), (PathState { mtu: 1300, ..route(1) }, neighbor));
    let Ok(ObjectState::Neighbor(state, _)) = scene.query(neighbor) else { panic!("its state") };
    assert_eq!((state.destination, state.source, state.vlan), ([0x02, 9, 9, 9, 9, 9], [0; 6], 7));
    Ok(())
}

/// An update whose value is out of range fails and the old value goes on.
pub fn a_failed_update_keeps_the_old_value<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let (four, six) = (scene.path(neighbor, 1), scene.path_with(neighbor, &route_ipv6(2)));
    for (path, mtu) in [(four, 67), (four, 9217), (six, 1279), (six, u32::MAX)] {
        let mut tree = Update::with_capacity(1);
        tree.path_mtu(path, mtu);
        let outcome = scene.run(tree);
        let block = outcome.block(0);
        assert_eq!((block.status, block.detail), (Status::FAILURE, Detail::RANGE.0), "{mtu}");
        let Ok(ObjectState::Path(state, _)) = scene.query(path) else { panic!("its state") };
        assert_eq!(state.mtu, 1500);
    }
    assert_eq!(scene.set_mtu(four, 68), Status::SUCCESS);
    assert_eq!(scene.set_mtu(six, 9216), Status::SUCCESS);
    assert_eq!(scene.send(six, 2, 1).left, 1);
    Ok(())
}

/// An update of an invalid object fails, whatever its kind, and changes nothing.
pub fn an_update_of_an_invalid_object_fails<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let connection = scene.connection(path, 1);
    assert_eq!(scene.invalidate(&[neighbor, path, connection]), [Status::SUCCESS; 3]);
    assert_eq!(scene.set_mac(neighbor, [2; 6]), Status::INVALID_OBJECT);
    assert_eq!(scene.set_mtu(path, 1400), Status::INVALID_OBJECT);
    let mut tree = Update::with_capacity(1);
    tree.connection(connection, &ConnectionCached::default());
    assert_eq!(first(&scene.run(tree)).1, Status::INVALID_OBJECT);
    let Ok(ObjectState::Neighbor(state, head)) = scene.query(neighbor) else { panic!("its state") };
    assert_eq!((state.destination, head.invalid), (router(1).destination, true));
    Ok(())
}

/// Invalid objects can be queried and terminated, and stay until they are.
pub fn an_invalid_object_lives_until_it_is_terminated<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    assert_eq!(scene.invalidate(&[neighbor]), [Status::SUCCESS]);
    assert_eq!(scene.invalidate(&[neighbor]), [Status::SUCCESS], "again is success");
    let Ok(ObjectState::Path(_, head)) = scene.query(path) else { panic!("its state") };
    assert!(!head.invalid, "the mark is not copied to dependents");
    let Ok(ObjectState::Neighbor(_, head)) = scene.query(neighbor) else { panic!("its state") };
    assert_eq!((head.invalid, head.dependents), (true, 1));
    assert_eq!(scene.terminate(&[neighbor, path]), [Status::SUCCESS; 2]);
    assert_eq!(scene.query(neighbor).err(), Some(Status::STALE_HANDLE));
    Ok(())
}

/// An object with dependents outside the tree is not terminated; its dependents' links stand.
pub fn terminate_of_an_object_with_dependents_fails_and_keeps_it<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let connection = scene.connection(path, 1);
    assert_eq!(scene.terminate(&[neighbor]), [Status::HAS_DEPENDENTS]);
    assert_eq!(scene.terminate(&[path]), [Status::HAS_DEPENDENTS]);
    assert_eq!(scene.terminate(&[neighbor, path]), [Status::HAS_DEPENDENTS; 2]);
    assert_eq!(scene.send(connection, 1, 1).left, 1);
    assert_eq!(scene.terminate(&[connection]), [Status::SUCCESS]);
    assert_eq!(scene.terminate(&[path]), [Status::SUCCESS]);
    assert_eq!(scene.terminate(&[neighbor]), [Status::SUCCESS]);
    Ok(())
}

/// One terminate tree takes a whole tree off, children first, whatever order it names them in.
pub fn terminate_takes_children_first<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let paths = scene.paths(neighbor, 0, 3);
    let connections: Vec<_> =
        paths.iter().zip(1..).map(|(path, port)| scene.connection(*path, port)).collect();
    let mut named = vec![neighbor];
    named.extend(&paths);
    named.extend(&connections);
    assert_eq!(scene.terminate(&named), vec![Status::SUCCESS; 7]);
    Ok(())
}

/// Several objects of all kinds in one query, and the stale ones among them.
pub fn a_query_tree_answers_each_block<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let gone = scene.path(neighbor, 2);
    let connection = scene.connection(path, 1);
    scene.terminate(&[gone]);
    let mut tree = Query::with_capacity(5);
    tree.connection(connection);
    tree.path(gone);
    tree.neighbor(neighbor);
    tree.neighbor(path);
    tree.path(path);
    let outcome = scene.run(tree);
    let expected = [
        Status::SUCCESS,
        Status::STALE_HANDLE,
        Status::SUCCESS,
        Status::WRONG_KIND,
        Status::SUCCESS,
    ];
    assert_eq!(statuses(&outcome), expected);
    assert_eq!(
        (outcome.status(), outcome.done(), outcome.failed()),
        (Status::PARTIAL_SUCCESS, 3, 2)
    );
    let kinds: Vec<_> =
        (0..5).map(|block| outcome.state(block).map(|state| kind_of(&state))).collect();
    assert_eq!(kinds, [Some(Kind::CONNECTION), None, Some(Kind::NEIGHBOR), None, Some(Kind::PATH)]);
    Ok(())
}

/// No status but success, partial success and the resource words is initiate's alone.
pub fn partial_success_and_resource_words_belong_to_initiate<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let gone = scene.path(neighbor, 2);
    scene.terminate(&[gone]);
    let answers = [
        scene.relink(neighbor, &[path, gone]),
        scene.invalidate(&[path, gone]),
        scene.terminate(&[neighbor, gone]),
        vec![scene.set_mtu(path, 1)],
    ];
    for status in answers.into_iter().flatten() {
        assert!(status != Status::PARTIAL_SUCCESS, "only initiate is partly done");
        let is_resource = (Status::RESOURCES.0..=Status::CONNECTION_REJECTED.0).contains(&status.0);
        assert!(!is_resource, "{status} belongs to initiate");
    }
    Ok(())
}

fn kind_of(state: &ObjectState) -> Kind {
    match state {
        ObjectState::Neighbor(..) => Kind::NEIGHBOR,
        ObjectState::Path(..) => Kind::PATH,
        ObjectState::Connection(..) => Kind::CONNECTION,
    }
}

/// A connection in which every variable has a value of its own.
fn every_variable() -> ConnectionState {
    ConnectionState {
        constant: ConnectionConst {
            flags: 7,
            remote_port: 443,
            local_port: 50_001,
            remote_mss: 1460,
            hash_value: 0xdead_beef,
            snd_wind_scale: 7,
            rcv_wind_scale: 14,
            reserved: 0,
        },
        cached: ConnectionCached {
            flags: 3,
            ka_probe_count: 9,
            ttl_or_hop_limit: 64,
            tos_or_traffic_class: 0x2e,
            user_priority: 5,
            reserved: 0,
            initial_rcv_wnd: 65_536,
            rcv_indication_size: 4096,
            ka_timeout: 7_200_000,
            ka_interval: 1_000,
            max_rt: u32::MAX,
            flow_label: 0xf_ffff,
        },
        delegated: every_delegated(),
    }
}

fn every_delegated() -> ConnectionDelegated {
    ConnectionDelegated {
        state: TcpState::CLOSE_WAIT.0,
        dup_ack_count: 2,
        snd_wnd_probe_count: 3,
        keep_alive_probe_count: 4,
        retransmit_count: 5,
        reserved: 0,
        flags: 0,
        rcv_nxt: 0xffff_fff0,
        rcv_wnd: 11,
        snd_una: 12,
        snd_nxt: 13,
        snd_max: 14,
        snd_wnd: 15,
        max_snd_wnd: 16,
        send_wl1: 17,
        c_wnd: 18,
        ss_thresh: 19,
        s_rtt: 20,
        rtt_var: 21,
        ts_recent: 22,
        ts_recent_age: 23,
        ts_time: 24,
        total_rt: 25,
        keep_alive_timeout_delta: u32::MAX,
        retransmit_timeout_delta: 0,
        send_backlog_size: u32::MAX,
        receive_backlog_size: u32::MAX,
        d_wnd: 28,
        send_data_head: 0x1234_5678_9abc_def0,
        send_data_tail: 0x0fed_cba9_8765_4321,
        buffered_data: 0x1111_2222_3333_4444,
    }
}

/// The default connection of the suite, as the model of what an empty state gives back.
pub fn an_empty_connection_state_comes_back_empty<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let connection = scene.connection(path, 9);
    let Ok(ObjectState::Connection(state, _)) = scene.query(connection) else {
        panic!("its state")
    };
    assert_eq!(*state, flow(9));
    Ok(())
}
