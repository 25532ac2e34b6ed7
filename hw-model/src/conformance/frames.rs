//! Claims about frames: the header in front, the packet behind it, and what is dropped.
//!
//! Rules: `chimney` 2.1 and 6.1; design sections 10 and 12.

use abi::host::command::ConnectionCached;
use abi::host::handle::Handle;
use abi::host::limit::MTU_MAX;
use abi::host::register::Counter;
use abi::host::status::{Kind, Status, TransmitStatus};
use host_driver::{ConnectionState, NeighborState, PathState, Update};

use super::scene::{
    Fates, PACKET_BYTES, PORT_MAC, Scene, first, flow, mac, route, route_ipv6, router,
};
use super::{Needs, Rig, Unfit, packet};

/// Without a source MAC and a VLAN: the port's own MAC, no tag; the packet as it was posted.
pub fn a_frame_carries_its_neighbors_header_and_the_whole_packet<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    for bytes in [32, 33, 34, 35, 63, 64, 65, 100, 1499, 1500] {
        assert_eq!(
            scene.send_sized(path, 1, bytes),
            Fates { left: 1, ..Fates::default() },
            "{bytes} bytes"
        );
    }
    let state = route(1);
    for (sequence, frame) in (0..).zip(scene.frames()) {
        let expected = packet(state.source, state.destination, frame.packet.len(), 1, sequence);
        assert_eq!(frame.packet, expected, "frame {sequence}");
        assert_eq!((frame.destination, frame.source, frame.tag), (mac(1), PORT_MAC, None));
    }
    Ok(())
}

/// A neighbor's source MAC and VLAN stand in every frame that goes to it.
pub fn a_frame_carries_source_mac_and_vlan_of_its_neighbor<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let source = [0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0xee];
    let neighbor = scene.neighbor_with(&NeighborState { source, vlan: 4094, ..router(1) });
    let (four, six) = (scene.path(neighbor, 4), scene.path_with(neighbor, &route_ipv6(6)));
    scene.send(four, 4, 1);
    scene.send_ipv6(six, 6);
    let frames = scene.frames();
    assert_eq!(frames.len(), 2);
    for frame in frames {
        assert_eq!((frame.destination, frame.source, frame.tag), (mac(1), source, Some((0, 4094))));
        assert_eq!(frame.ipv6, frame.stream == 6);
    }
    Ok(())
}

/// A connection's priority makes a tag, with VLAN 0 where the neighbor has none.
pub fn a_connections_priority_stands_in_the_tag<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let plain = scene.neighbor(1);
    let tagged = scene.neighbor_with(&NeighborState { vlan: 5, ..router(2) });
    let path = scene.path(plain, 1);
    let cached = ConnectionCached { user_priority: 6, ..ConnectionCached::default() };
    let (connection, status) = scene.try_connection(path, &ConnectionState { cached, ..flow(1) });
    assert_eq!(status, Status::SUCCESS);
    scene.send(connection, 1, 1);
    scene.send(path, 2, 1);
    scene.relink(tagged, &[path]);
    scene.send(connection, 1, 1);
    let mut tree = Update::with_capacity(1);
    tree.connection(connection, &ConnectionCached { user_priority: 0, ..cached });
    assert_eq!(first(&scene.run(tree)).1, Status::SUCCESS);
    scene.send(connection, 1, 1);
    let tags: Vec<_> = scene.frames().iter().map(|frame| frame.tag).collect();
    assert_eq!(tags, [Some((6, 0)), None, Some((6, 5)), Some((0, 5))]);
    Ok(())
}

/// As large as the MTU leaves, one byte more is dropped and counted; an update moves the limit.
pub fn a_packet_larger_than_the_path_mtu_is_dropped<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &needs_of_large_packets())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path_with(neighbor, &PathState { mtu: 1000, ..route(1) });
    let before = scene.session.counter(Counter::DROPPED_MTU);
    assert_eq!(scene.send_sized(path, 1, 1000).left, 1);
    assert_eq!(scene.send_sized(path, 1, 1001).dropped, 1);
    assert_eq!(scene.set_mtu(path, 1001), Status::SUCCESS);
    assert_eq!(scene.send_sized(path, 1, 1001).left, 1);
    assert_eq!(scene.set_mtu(path, 9216), Status::SUCCESS);
    assert_eq!(scene.send_sized(path, 1, 9216).left, 1);
    assert_eq!(scene.session.counter(Counter::DROPPED_MTU), before + 1);
    Ok(())
}

/// Frames for a handle that is gone, of another kind, or never was are dropped and counted.
pub fn a_frame_for_a_stale_handle_is_dropped<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let gone = scene.path(neighbor, 1);
    scene.terminate(&[gone]);
    let reused = scene.path(neighbor, 2);
    let never = Handle::new(Kind::CONNECTION, 3, 1);
    let outside = Handle::new(Kind::PATH, u32::MAX, reused.generation());
    let before = scene.session.counter(Counter::DROPPED_STALE);
    for handle in [gone, neighbor, never, outside, Handle::NULL] {
        scene.post(handle, 1, PACKET_BYTES, false);
    }
    assert_eq!(scene.settle(), Fates { dropped: 5, ..Fates::default() });
    assert_eq!(scene.session.counter(Counter::DROPPED_STALE), before + 5);
    assert!(scene.frames().is_empty());
    Ok(())
}

/// What came back says of each descriptor what became of it.
pub fn a_transmit_completion_names_its_descriptor_and_its_fate<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 1);
    let expected = [
        (scene.post(path, 1, 100, false), TransmitStatus::LEFT),
        (scene.post(path, 1, 1501, false), TransmitStatus::PATH_MTU),
        (scene.post(neighbor, 1, 100, false), TransmitStatus::STALE_HANDLE),
        (scene.post(path, 1, 1500, false), TransmitStatus::LEFT),
    ];
    scene.until("four completions", |scene| {
        scene.pump();
        scene.transmitter().in_flight() == 0
    });
    assert_eq!(scene.take_returned(), expected);
    Ok(())
}

/// Frames of a path leave in the order in which they were posted.
pub fn frames_of_a_path_leave_in_order<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let paths = scene.paths(neighbor, 0, 7);
    for round in 0..500 {
        scene.post(paths[round % 7], (round % 7) as u32, PACKET_BYTES, false);
    }
    assert_eq!(scene.settle().left, 500);
    let mut next = [0; 7];
    for frame in scene.frames() {
        assert_eq!(frame.sequence, next[frame.stream as usize], "stream {}", frame.stream);
        next[frame.stream as usize] += 1;
    }
    assert_eq!(next.iter().sum::<u64>(), 500);
    Ok(())
}

/// Counters tell how many frames and bytes crossed the port.
pub fn frames_and_bytes_that_left_are_counted<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor_with(&NeighborState { vlan: 9, ..router(1) });
    let path = scene.path(neighbor, 1);
    let read = |scene: &Scene<R::Card>| {
        [Counter::FRAMES_LEFT, Counter::BYTES_LEFT].map(|counter| scene.session.counter(counter))
    };
    let before = read(&scene);
    assert_eq!(scene.send(path, 1, 10).left, 10);
    let after = read(&scene);
    let frame_bytes = (14 + 4 + PACKET_BYTES) as u64;
    assert_eq!([after[0] - before[0], after[1] - before[1]], [10, 10 * frame_bytes]);
    Ok(())
}

/// A second transmit ring is a source of its own with its own completions.
pub fn two_transmit_rings_are_served_side_by_side<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::configured(|config| config.transmit_rings = 2))?;
    let neighbor = scene.neighbor(1);
    let paths = scene.paths(neighbor, 0, 2);
    let mut second = scene.session.transmitter(1).expect("the second ring is free");
    let state = route(1);
    for sequence in 0..50 {
        scene.post(paths[0], 0, PACKET_BYTES, false);
        let bytes = packet(state.source, state.destination, PACKET_BYTES, 1, sequence);
        second.post(paths[1], &bytes, sequence as u32).expect("room for fifty");
    }
    second.publish();
    assert_eq!(scene.settle().left, 50);
    let mut tags = Vec::new();
    scene.until("the second ring's frames", |_| {
        second
            .reap(|done| tags.push((done.tag, done.status)))
            .expect("the card gives back what it got");
        tags.len() == 50
    });
    assert!(tags.iter().zip(0..).all(|(done, tag)| *done == (tag, TransmitStatus::LEFT)));
    let frames = scene.frames();
    assert_eq!(frames.iter().filter(|frame| frame.stream == 1).count(), 50);
    Ok(())
}

/// Wherever a packet lies in its pages, the whole of it leaves. A machine may have mapped every page
/// by itself.
pub fn a_packet_that_straddles_pages_leaves_whole<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &needs_of_large_packets())?;
    let neighbor = scene.neighbor(1);
    let state = PathState { mtu: MTU_MAX, ..route(1) };
    let path = scene.path_with(neighbor, &state);
    // Buffers follow each other at a distance that is no multiple of a page.
    let sizes = [4_095, 4_096, 4_097, 8_191, 8_192, 8_193, 9_216, 5_001];
    for bytes in sizes.iter().cycle().take(4 * sizes.len()) {
        assert_eq!(scene.send_sized(path, 1, *bytes).left, 1, "{bytes} bytes");
    }
    let frames = scene.frames();
    assert_eq!(frames.len(), 4 * sizes.len());
    for ((sequence, frame), bytes) in (0..).zip(frames).zip(sizes.iter().cycle()) {
        let expected = packet(state.source, state.destination, *bytes, 1, sequence);
        assert!(frame.packet == expected, "frame {sequence} of {bytes} bytes is not whole");
    }
    Ok(())
}

/// A session with few buffers, each for the largest packet there is.
fn needs_of_large_packets() -> Needs {
    Needs::configured(|config| (config.transmit_slots, config.packet_bytes) = (16, MTU_MAX))
}
