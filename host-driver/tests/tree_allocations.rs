//! A tree of a million paths costs the memory of its slots, and not one allocation a path.

use std::net::{IpAddr, Ipv4Addr};

use abi::host::command::Slot;
use abi::host::handle::Handle;
use abi::host::status::Kind;
use allocation_counter::{AllocationInfo, measure};
use host_driver::{Initiate, Invalidate, NeighborState, PathState, Terminate, Tree, Update};

const PATHS: u32 = 1_000_000;

fn path(number: u32) -> PathState {
    PathState {
        source: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        destination: IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number)),
        mtu: 1500,
    }
}

/// Builds a tree, checks that it has as many blocks as said, and counts what building took.
fn cost(blocks: usize, build: impl FnOnce() -> Tree) -> AllocationInfo {
    // A thread's first tree makes what the others use again.
    drop(Tree::from(Update::new()));
    let mut built = 0;
    let cost = measure(|| built = build().blocks());
    assert_eq!(built, blocks);
    cost
}

#[test]
fn initiating_a_million_paths_allocates_their_slots_once() {
    let blocks = PATHS as usize + 1;
    let cost = cost(blocks, || {
        let mut tree = Initiate::with_capacity(blocks);
        let mut neighbor = tree.neighbor(&NeighborState::default());
        for number in 0..PATHS {
            neighbor.path(&path(number));
        }
        tree.into()
    });
    assert_eq!(cost.count_total, 1, "{cost:?}");
    assert_eq!(cost.bytes_total, (blocks * size_of::<Slot>()) as u64);
}

#[test]
fn relinking_a_million_paths_one_by_one_allocates_their_slots_once() {
    let blocks = PATHS as usize + 1;
    let cost = cost(blocks, || {
        let mut tree = Update::with_capacity(blocks);
        let mut neighbor = tree.neighbor(Handle::new(Kind::NEIGHBOR, 0, 1));
        for number in 0..PATHS {
            neighbor.relink(Handle::new(Kind::PATH, number, 1));
        }
        tree.into()
    });
    assert_eq!(cost.count_total, 1, "{cost:?}");
}

#[test]
fn a_tree_grows_in_few_steps_without_being_told_its_size() {
    let cost = cost(PATHS as usize + 1, || {
        let mut tree = Initiate::new();
        let mut neighbor = tree.neighbor(&NeighborState::default());
        for number in 0..PATHS {
            neighbor.path(&path(number));
        }
        tree.into()
    });
    assert!(cost.count_total <= 40, "more than doubling takes: {cost:?}");
}

#[test]
fn naming_a_million_paths_takes_the_same_few_allocations_as_naming_ten() {
    let count = |paths: u32| {
        let invalidate = cost(paths as usize, || {
            let mut tree = Invalidate::with_capacity(paths as usize);
            for number in 0..paths {
                tree.path(Handle::new(Kind::PATH, number, 1));
            }
            tree.into()
        });
        let terminate = cost(paths as usize, || {
            let mut tree = Terminate::with_capacity(paths as usize);
            for number in 0..paths {
                tree.path(Handle::new(Kind::PATH, number, 1));
            }
            tree.into()
        });
        (invalidate.count_total, terminate.count_total)
    };
    let (invalidate, terminate) = count(PATHS);
    assert!(invalidate <= 8 && terminate <= 8, "{invalidate} and {terminate} allocations");
}
