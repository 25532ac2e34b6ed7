//! Claims about the promises under traffic: old or new and never a mix, completion is a fence.
//!
//! Rules: design sections 2 and 8, with the hard cases by name. An observer at the port numbers
//! frames; the number is sampled when a completion is seen, and from there on only the new
//! header may leave.

use std::collections::HashMap;

use abi::host::handle::Handle;
use abi::host::status::Status;
use host_driver::backing::Backing;
use host_driver::{Initiate, Invalidate, NeighborState, Terminate, Tree, Update};

use super::scene::{PACKET_BYTES, Scene, mac, route, router};
use super::{Needs, Rig, SlowReader, Unfit};

/// Paths that carry traffic.
const STREAMS: u32 = 12;
/// Frames posted before and after a step, besides those posted while it runs.
const AROUND: usize = 40;

/// A, B and C with headers that differ in all three parts, paths behind A, traffic on all of them.
struct Watch<B: Backing> {
    scene: Scene<B>,
    paths: Vec<Handle>,
    /// Which router each stream must leave by.
    expected: HashMap<u32, u8>,
    next: u32,
}

impl<B: Backing> Watch<B> {
    fn open<R: Rig<Card = B>>(rig: &R, needs: &Needs) -> Result<(Self, [Handle; 3]), Unfit> {
        let scene = Scene::open(rig, needs)?;
        let routers = [1, 2, 3].map(|n| scene.neighbor_with(&distinct(n)));
        let paths = scene.paths(routers[0], 0, STREAMS);
        let expected = (0..STREAMS).map(|stream| (stream, 1)).collect();
        Ok((Self { scene, paths, expected, next: 0 }, routers))
    }

    fn post_some(&mut self, count: usize) {
        for _ in 0..count {
            let stream = self.next % STREAMS;
            self.next += 1;
            self.scene.post(self.paths[stream as usize], stream, PACKET_BYTES, false);
        }
    }

    /// Runs a tree while frames are posted; checks every frame that left since the last step.
    /// `moved` tells which streams leave by which router once it is done.
    fn step(&mut self, tree: impl Into<Tree>, moved: &[(u32, u8)]) {
        self.post_some(AROUND);
        self.scene.pump();
        let ticket = self.scene.session.submit(tree).expect("the card is there");
        let mut ticket = ticket;
        let outcome = loop {
            self.post_some(2);
            self.scene.pump();
            if let Some(outcome) = ticket.poll() {
                break outcome.expect("the card is there");
            }
        };
        let fence = self.scene.crossed();
        assert_eq!(outcome.status(), Status::SUCCESS);
        let before = self.expected.clone();
        self.expected.extend(moved.iter().copied());
        self.post_some(AROUND);
        self.scene.settle();
        for frame in self.scene.frames() {
            let new = self.expected[&frame.stream];
            let header = (frame.destination, frame.source, frame.vlan());
            let of = |n: u8| (mac(n), distinct(n).source, distinct(n).vlan);
            let is_old = header == of(before[&frame.stream]);
            assert!(header == of(new) || is_old, "stream {}: {header:?} is a mix", frame.stream);
            let is_late = frame.number >= fence && header != of(new);
            assert!(
                !is_late,
                "stream {}: frame {} left by the old router",
                frame.stream, frame.number
            );
        }
    }

    fn terminate_at_once(&self, neighbor: Handle) {
        assert_eq!(self.scene.terminate(&[neighbor]), [Status::SUCCESS]);
    }

    fn list(&self, to: Handle, streams: &[u32]) -> Update {
        let mut list = self.scene.session.handle_list(streams.len()).expect("memory for a list");
        list.extend(streams.iter().map(|stream| self.paths[*stream as usize]))
            .expect("it was made for these");
        let mut tree = Update::with_capacity(1);
        tree.neighbor(to).relink_list(list);
        tree
    }
}

/// Fail over from A to B, B to C and back to A, with subsets moved between, traffic on all the
/// time, and the router that was left terminated right after each.
pub fn failing_over_a_to_b_to_c_and_back_leaves_no_old_frame<R: Rig>(rig: &R) -> Result<(), Unfit> {
    fail_over_in_a_circle(rig, &Needs::default())
}

/// The same with a reader that stands still between resolving and sending.
pub fn a_slow_reader_delays_completions_and_breaks_no_promise<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let slow = SlowReader { every_batches: 5, stall_us: 1_500 };
    fail_over_in_a_circle(rig, &Needs { slow_reader: Some(slow), ..Needs::default() })
}

fn fail_over_in_a_circle<R: Rig>(rig: &R, needs: &Needs) -> Result<(), Unfit> {
    let (mut watch, [a, b, c]) = Watch::open(rig, needs)?;
    let all = |n: u8| (0..STREAMS).map(|stream| (stream, n)).collect::<Vec<_>>();
    watch.step(watch.list(b, &[0, 1, 2]), &[(0, 2), (1, 2), (2, 2)]);
    watch.step(all_of(b, a), &all(2));
    watch.terminate_at_once(a);
    watch.step(watch.list(c, &[5, 6]), &[(5, 3), (6, 3)]);
    watch.step(watch.list(b, &[6]), &[(6, 2)]);
    watch.step(all_of(c, b), &all(3));
    watch.terminate_at_once(b);
    let a = watch.scene.neighbor_with(&distinct(1));
    watch.step(blocks(a, &watch.paths[3..5]), &[(3, 1), (4, 1)]);
    watch.step(all_of(a, c), &all(1));
    watch.terminate_at_once(c);
    assert_eq!(watch.scene.dependents(a), STREAMS);
    Ok(())
}

/// The path moves away by list, then its old alias moves elsewhere: the frame in the slow
/// reader's hand must not leave by a router that its path never had.
pub fn a_slow_reader_never_leaves_by_a_router_its_path_never_had<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let slow = SlowReader { every_batches: 3, stall_us: 2_000 };
    let needs = Needs { slow_reader: Some(slow), ..Needs::default() };
    let (mut watch, [a, b, c]) = Watch::open(rig, &needs)?;
    let all: Vec<u32> = (0..STREAMS).collect();
    let streams = |n: u8| (0..STREAMS).map(|stream| (stream, n)).collect::<Vec<_>>();
    for _ in 0..6 {
        // Everything leaves A for B; then what is left of A (nothing) goes to C.
        watch.step(watch.list(b, &all), &streams(2));
        watch.step(all_of(c, a), &[]);
        watch.step(all_of(a, b), &streams(1));
    }
    Ok(())
}

/// Each of many fail-overs in a row is a fence, by every form of relink.
pub fn a_relinks_completion_is_a_fence<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let (mut watch, [a, b, _]) = Watch::open(rig, &Needs::default())?;
    let all: Vec<u32> = (0..STREAMS).collect();
    let mut from = (a, 1);
    let mut to = (b, 2);
    for round in 0..12 {
        let moved: Vec<_> = all.iter().map(|stream| (*stream, to.1)).collect();
        let tree = match round % 3 {
            0 => watch.list(to.0, &all),
            1 => all_of(to.0, from.0),
            _ => blocks(to.0, &watch.paths),
        };
        watch.step(tree, &moved);
        (from, to) = (to, from);
    }
    Ok(())
}

/// Source and destination MAC of a neighbor change together, and completion is a fence.
pub fn a_mac_updates_completion_is_a_fence<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(0);
    let path = scene.path(neighbor, 1);
    for round in 1..40 {
        let mut tree = Update::with_capacity(1);
        tree.neighbor(neighbor).set(mac(round), 0);
        let mut ticket = scene.session.submit(tree).expect("the card is there");
        let outcome = loop {
            scene.post(path, 1, PACKET_BYTES, false);
            scene.pump();
            if let Some(outcome) = ticket.poll() {
                break outcome.expect("the card is there");
            }
        };
        let fence = scene.crossed();
        assert_eq!(outcome.status(), Status::SUCCESS);
        scene.send(path, 1, 3);
        for frame in scene.frames() {
            let is_new = frame.destination == mac(round);
            assert!(
                is_new || frame.destination == mac(round - 1),
                "{:?} is a mix",
                frame.destination
            );
            assert!(
                is_new || frame.number < fence,
                "round {round}: an old frame left after the fence"
            );
        }
    }
    Ok(())
}

/// Once the completion of an invalidate was seen, nothing leaves any more by that neighbor.
pub fn an_invalidates_completion_is_a_fence<R: Rig>(rig: &R) -> Result<(), Unfit> {
    for round in 0..8 {
        let mut scene = Scene::open(rig, &Needs::default())?;
        let neighbor = scene.neighbor(1);
        let path = scene.path(neighbor, 1);
        let mut tree = Invalidate::with_capacity(1);
        if round % 2 == 0 {
            tree.neighbor(neighbor);
        } else {
            tree.path(path);
        }
        for _ in 0..AROUND {
            scene.post(path, 1, PACKET_BYTES, false);
        }
        scene.pump();
        let mut ticket = scene.session.submit(tree).expect("the card is there");
        let outcome = loop {
            scene.post(path, 1, PACKET_BYTES, false);
            scene.pump();
            if let Some(outcome) = ticket.poll() {
                break outcome.expect("the card is there");
            }
        };
        let fence = scene.crossed();
        assert_eq!(outcome.status(), Status::SUCCESS);
        scene.send(path, 1, AROUND);
        assert_eq!(scene.crossed(), fence, "a frame left after the invalidate was seen");
    }
    Ok(())
}

/// Once the completion of a terminate was seen, nothing of that path leaves.
pub fn a_terminates_completion_is_a_fence<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    for round in 0..10 {
        let path = scene.path(neighbor, round);
        for _ in 0..AROUND {
            scene.post(path, round, PACKET_BYTES, false);
        }
        scene.pump();
        let mut tree = Terminate::with_capacity(1);
        tree.path(path);
        let mut ticket = scene.session.submit(tree).expect("the card is there");
        let outcome = loop {
            scene.post(path, round, PACKET_BYTES, false);
            scene.pump();
            if let Some(outcome) = ticket.poll() {
                break outcome.expect("the card is there");
            }
        };
        let fence = scene.crossed();
        assert_eq!(outcome.status(), Status::SUCCESS);
        scene.settle();
        assert_eq!(scene.crossed(), fence, "a frame left after the terminate was seen");
    }
    Ok(())
}

/// A neighbor's slot that is freed and taken again at once never lends its old header to the new
/// occupant, nor the new one's to an old frame.
pub fn a_neighbor_slot_freed_and_reused_at_once_mixes_nothing<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let needs = Needs::sized(|sizes| (sizes.neighbors, sizes.aliases) = (2, 8));
    let (mut scene, mut from) = {
        let scene = Scene::open(rig, &needs)?;
        let first = scene.neighbor_with(&distinct(1));
        (scene, (first, 1))
    };
    let path = scene.path(from.0, 0);
    for round in 2..30 {
        let to = scene.neighbor_with(&distinct(round));
        for _ in 0..AROUND {
            scene.post(path, 0, PACKET_BYTES, false);
        }
        scene.pump();
        let (new, old, moved) = scene.relink_all(to, from.0);
        let fence = scene.crossed();
        assert_eq!((new, old, moved), (Status::SUCCESS, Status::SUCCESS, 1));
        assert_eq!(scene.terminate(&[from.0]), [Status::SUCCESS]);
        let reused = scene.neighbor_with(&distinct(200));
        scene.send(path, 0, 5);
        for frame in scene.frames() {
            let header = (frame.destination, frame.source, frame.vlan());
            let of = |n: u8| (mac(n), distinct(n).source, distinct(n).vlan);
            assert!(
                header == of(round) || header == of(from.1) && frame.number < fence,
                "{header:?}"
            );
        }
        assert_eq!(scene.terminate(&[reused]), [Status::SUCCESS]);
        from = (to, round);
    }
    Ok(())
}

/// Offload while traffic runs: a path sends as soon as it is on the card, other paths go on.
pub fn traffic_goes_on_while_trees_are_offloaded<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let neighbor = scene.neighbor(1);
    let path = scene.path(neighbor, 0);
    let mut tree = Initiate::with_capacity(501);
    let mut block = tree.neighbor(&router(2));
    for number in 1..=500 {
        block.path(&route(number));
    }
    let mut ticket = scene.session.submit(tree).expect("the card is there");
    let outcome = loop {
        scene.post(path, 0, PACKET_BYTES, false);
        scene.pump();
        if let Some(outcome) = ticket.poll() {
            break outcome.expect("the card is there");
        }
    };
    assert_eq!(outcome.done(), 501);
    let fates = scene.settle();
    assert_eq!((fates.held, fates.dropped), (0, 0));
    let frames = scene.frames();
    assert!(frames.iter().zip(0..).all(|(frame, sequence)| frame.sequence == sequence), "in order");
    Ok(())
}

fn all_of(to: Handle, old: Handle) -> Update {
    let mut tree = Update::with_capacity(1);
    tree.neighbor(to).relink_all_of(old);
    tree
}

fn blocks(to: Handle, paths: &[Handle]) -> Update {
    let mut tree = Update::with_capacity(paths.len() + 1);
    let mut block = tree.neighbor(to);
    for path in paths {
        block.relink(*path);
    }
    tree
}

/// A neighbor whose MAC, source MAC and VLAN all tell who it is. Sixteen source MACs and VLANs
/// are enough for all that live at a time.
fn distinct(n: u8) -> NeighborState {
    NeighborState { source: [0x02, 0, 0, 0, 0x0a, n], vlan: 100 + u16::from(n), ..router(n) }
}
