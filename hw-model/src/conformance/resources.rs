//! Claims about full tables: every resource status, and that room comes back.
//!
//! Rules: `chimney` 3.1 (codes and the VLAN test); design section 12, `--capacity`.

use abi::core::table::STATE_BYTES;
use abi::host::status::Status;
use host_driver::NeighborState;

use super::scene::{PORT_MAC, Scene, flow, route, router};
use super::{Needs, Rig, Unfit};

/// A full neighbor table answers `neighbor_entries` until one goes.
pub fn a_full_neighbor_table_says_so_and_recovers<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::sized(|sizes| sizes.neighbors = 2))?;
    let (first, _second) = (scene.neighbor(1), scene.neighbor(2));
    assert_eq!(scene.try_neighbor(&router(3)).1, Status::NEIGHBOR_ENTRIES);
    assert_eq!(scene.terminate(&[first]), [Status::SUCCESS]);
    assert_eq!(scene.try_neighbor(&router(3)).1, Status::SUCCESS);
    assert_eq!(scene.try_neighbor(&router(4)).1, Status::NEIGHBOR_ENTRIES);
    Ok(())
}

/// A full path table answers `path_entries` until one goes.
pub fn a_full_path_table_says_so_and_recovers<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::sized(|sizes| sizes.paths = 3))?;
    let neighbor = scene.neighbor(1);
    let paths = scene.paths(neighbor, 0, 3);
    assert_eq!(scene.try_path(neighbor, &route(4)).1, Status::PATH_ENTRIES);
    assert_eq!(scene.terminate(&paths[1..2]), [Status::SUCCESS]);
    assert_eq!(scene.try_path(neighbor, &route(4)).1, Status::SUCCESS);
    assert_eq!(scene.try_path(neighbor, &route(5)).1, Status::PATH_ENTRIES);
    Ok(())
}

/// A full connection table answers `tcp_entries` until one goes.
pub fn a_full_connection_table_says_so_and_recovers<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::sized(|sizes| sizes.connections = 1))?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let only = scene.connection(path, 1);
    assert_eq!(scene.try_connection(path, &flow(2)).1, Status::TCP_ENTRIES);
    assert_eq!(scene.terminate(&[only]), [Status::SUCCESS]);
    assert_eq!(scene.try_connection(path, &flow(2)).1, Status::SUCCESS);
    Ok(())
}

/// Card memory for connection state that is used up answers `resources` until some is free.
pub fn exhausted_state_memory_says_so_and_recovers<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let needs =
        Needs::sized(|sizes| (sizes.connections, sizes.state_memory) = (8, 2 * STATE_BYTES));
    let scene = Scene::open(rig, &needs)?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let (first, _second) = (scene.connection(path, 1), scene.connection(path, 2));
    assert_eq!(scene.try_connection(path, &flow(3)).1, Status::RESOURCES);
    assert_eq!(scene.terminate(&[first]), [Status::SUCCESS]);
    assert_eq!(scene.try_connection(path, &flow(3)).1, Status::SUCCESS);
    Ok(())
}

/// Source MACs are shared by those who use the same one; one too many is `hw_address_entries`.
pub fn a_full_source_mac_table_says_so_and_recovers<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::sized(|sizes| sizes.source_macs = 1))?;
    let with = |n: u8, source: [u8; 6]| NeighborState { source, ..router(n) };
    let (one, two) = ([0x02, 0, 0, 0, 0x0a, 1], [0x02, 0, 0, 0, 0x0a, 2]);
    let first = scene.neighbor_with(&with(1, one));
    let second = scene.neighbor_with(&with(2, one));
    assert_eq!(scene.try_neighbor(&with(3, two)).1, Status::HW_ADDRESS_ENTRIES);
    assert_eq!(
        scene.try_neighbor(&with(4, [0; 6])).1,
        Status::SUCCESS,
        "the port's own takes no room"
    );
    assert_eq!(
        scene.try_neighbor(&with(5, PORT_MAC)).1,
        Status::SUCCESS,
        "the port's own takes no room"
    );
    assert_eq!(scene.terminate(&[first]), [Status::SUCCESS]);
    assert_eq!(
        scene.try_neighbor(&with(3, two)).1,
        Status::HW_ADDRESS_ENTRIES,
        "another one still uses it"
    );
    assert_eq!(scene.terminate(&[second]), [Status::SUCCESS]);
    assert_eq!(scene.try_neighbor(&with(3, two)).1, Status::SUCCESS);
    Ok(())
}

/// VLANs are shared by those who use the same one; one too many is `vlan_entries`.
pub fn a_full_vlan_table_says_so_and_recovers<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::sized(|sizes| sizes.vlans = 2))?;
    let with = |n: u8, vlan: u16| NeighborState { vlan, ..router(n) };
    let ten = scene.neighbor_with(&with(1, 10));
    scene.neighbor_with(&with(2, 20));
    scene.neighbor_with(&with(3, 20));
    assert_eq!(scene.try_neighbor(&with(4, 30)).1, Status::VLAN_ENTRIES);
    assert_eq!(scene.try_neighbor(&with(5, 0)).1, Status::SUCCESS, "no VLAN takes no room");
    assert_eq!(scene.terminate(&[ten]), [Status::SUCCESS]);
    assert_eq!(scene.try_neighbor(&with(4, 30)).1, Status::SUCCESS);
    Ok(())
}

/// With interface VLANs only those and none at all are accepted; without, every one.
pub fn a_vlan_that_the_interface_has_not_is_a_mismatch<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::configured(|config| config.port_vlans = vec![10, 20]))?;
    let with = |vlan: u16| NeighborState { vlan, ..router(1) };
    for (vlan, expected) in [
        (0, Status::SUCCESS),
        (10, Status::SUCCESS),
        (20, Status::SUCCESS),
        (30, Status::VLAN_MISMATCH),
        (4094, Status::VLAN_MISMATCH),
    ] {
        assert_eq!(scene.try_neighbor(&with(vlan)).1, expected, "VLAN {vlan}");
    }
    // A bench holds one card at a time.
    drop(scene);
    let free = Scene::open(rig, &Needs::default())?;
    assert_eq!(free.try_neighbor(&with(30)).1, Status::SUCCESS);
    Ok(())
}

/// When several things are missing the statuses come in the order of the rules.
pub fn missing_resources_are_named_in_a_fixed_order<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let needs = || {
        let mut needs = Needs::sized(|sizes| {
            (sizes.neighbors, sizes.source_macs, sizes.vlans) = (2, 1, 1);
        });
        needs.config.port_vlans = vec![10];
        needs
    };
    let scene = Scene::open(rig, &needs())?;
    let source = [0x02, 0, 0, 0, 0x0a, 1];
    scene.neighbor_with(&NeighborState { source, vlan: 10, ..router(1) });
    let other = NeighborState { source: [0x02, 0, 0, 0, 0x0a, 2], vlan: 30, ..router(2) };
    assert_eq!(scene.try_neighbor(&other).1, Status::HW_ADDRESS_ENTRIES);
    assert_eq!(scene.try_neighbor(&NeighborState { source, ..other }).1, Status::VLAN_ENTRIES);
    scene.neighbor(3);
    assert_eq!(scene.try_neighbor(&other).1, Status::NEIGHBOR_ENTRIES);
    Ok(())
}

/// Filling the whole path table and emptying it leaves all of it usable again.
pub fn a_table_filled_and_emptied_is_whole_again<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let needs = Needs::default();
    let scene = Scene::open(rig, &needs)?;
    let neighbor = scene.neighbor(1);
    for round in 0..3 {
        let paths = scene.paths(neighbor, 0, needs.capabilities.paths);
        assert_eq!(scene.try_path(neighbor, &route(0)).1, Status::PATH_ENTRIES, "round {round}");
        let statuses = scene.terminate(&paths);
        assert!(statuses.iter().all(|status| *status == Status::SUCCESS), "round {round}");
        assert_eq!(scene.dependents(neighbor), 0);
    }
    Ok(())
}
