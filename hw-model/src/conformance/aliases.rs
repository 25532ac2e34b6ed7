//! Claims about relinking everything again and again: constant work, and the sweep behind it.
//!
//! Rules: design section 8, *links and aliases*, with the hard case *a fifth alias*.

use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::register::Counter;
use abi::host::status::Status;
use host_driver::{Query, Update};

use super::scene::{Scene, mac};
use super::{Needs, Rig, Unfit};

/// More neighbors are folded into one than it can have aliases: the command waits for the sweep
/// and is carried out in the end, with every path where it should be.
pub fn a_fifth_alias_waits_for_the_sweep_and_is_carried_out<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let target = scene.neighbor(0);
    let mut expected = 0;
    let count = 2 * limit::NEIGHBOR_ALIASES_MAX as u8 + 1;
    let mut paths = Vec::new();
    for n in 1..=count {
        let neighbor = scene.neighbor(n);
        paths.push(scene.paths(neighbor, u32::from(n) * 100, 20)[0]);
        assert_eq!(scene.relink_all(target, neighbor), (Status::SUCCESS, Status::SUCCESS, 20));
        expected += 20;
        assert_eq!(scene.dependents(target), expected);
        assert_eq!(scene.terminate(&[neighbor]), [Status::SUCCESS]);
    }
    assert!(scene.session.counter(Counter::SWEEPS) > 0, "no command waited for the sweep");
    for (stream, path) in (0..).zip(&paths) {
        assert_eq!(scene.neighbor_of(*path), target);
        scene.send(*path, stream, 1);
    }
    assert!(scene.frames().iter().all(|frame| frame.destination == mac(0)));
    Ok(())
}

/// A command that waits for the sweep holds up its own ring only.
pub fn a_command_that_waits_for_the_sweep_parks_its_ring_only<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let target = scene.neighbor(0);
    let olds: Vec<Handle> = (1..=8).map(|n| scene.neighbor(n)).collect();
    for (n, old) in (1..).zip(&olds) {
        scene.paths(*old, n * 400, 400);
    }
    let mut parked = Vec::new();
    for old in &olds {
        let mut tree = Update::with_capacity(1);
        tree.neighbor(target).relink_all_of(*old);
        parked.push(scene.session.submit_on(0, tree).expect("room"));
    }
    let mut query = Query::with_capacity(1);
    query.neighbor(target);
    let quick = scene.session.submit_on(1, query).expect("room").wait().expect("the card is there");
    assert_eq!(quick.status(), Status::SUCCESS);
    for ticket in parked {
        assert_eq!(ticket.wait().expect("the card is there").block(0).detail, 400);
    }
    assert_eq!(scene.dependents(target), 8 * 400);
    Ok(())
}

/// Flapping between two routers costs the same each time: aliases without paths are freed.
pub fn flapping_between_two_routers_needs_no_sweep<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (left, right) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.paths(left, 0, 50)[0];
    let before = scene.session.counter(Counter::SWEEPS);
    for _ in 0..20 {
        assert_eq!(scene.relink_all(right, left).2, 50);
        assert_eq!(scene.relink_all(left, right).2, 50);
    }
    assert_eq!(scene.neighbor_of(path), left);
    assert_eq!(scene.session.counter(Counter::SWEEPS), before);
    Ok(())
}

/// With as few aliases as a card may have, everything can still be relinked, one after another.
pub fn the_fewest_aliases_are_enough<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let needs = Needs::sized(|sizes| (sizes.neighbors, sizes.aliases) = (4, 5));
    let scene = Scene::open(rig, &needs)?;
    let all: Vec<Handle> = (0..4).map(|n| scene.neighbor(n)).collect();
    for (n, neighbor) in (0..).zip(&all) {
        scene.paths(*neighbor, n * 10, 10);
    }
    for round in 0..12 {
        let (to, from) = (all[(round + 1) % 4], all[round % 4]);
        let before = scene.dependents(to) + scene.dependents(from);
        let (new, old, _) = scene.relink_all(to, from);
        assert_eq!((new, old), (Status::SUCCESS, Status::SUCCESS), "round {round}");
        assert_eq!((scene.dependents(to), scene.dependents(from)), (before, 0), "round {round}");
    }
    Ok(())
}

/// Paths offloaded, moved one by one and moved all together in turn are counted right.
pub fn counts_stay_right_through_every_sort_of_move<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let routers: Vec<Handle> = (0..5).map(|n| scene.neighbor(n)).collect();
    let paths = scene.paths(routers[0], 0, 60);
    let mut home = vec![0_usize; 60];
    for round in 0..40_usize {
        let (from, to) = (round * 7 % 5, round * 3 % 5);
        if round % 2 == 0 {
            scene.relink_all(routers[to], routers[from]);
            home.iter_mut().filter(|at| **at == from).for_each(|at| *at = to);
        } else {
            let some: Vec<usize> = (0..60).filter(|path| path % 4 == round % 4).collect();
            let named: Vec<Handle> = some.iter().map(|path| paths[*path]).collect();
            scene.relink_list(routers[to], &named);
            some.iter().for_each(|path| home[*path] = to);
        }
        for (n, neighbor) in routers.iter().enumerate() {
            let expected = home.iter().filter(|at| **at == n).count();
            assert_eq!(scene.dependents(*neighbor) as usize, expected, "round {round}, router {n}");
        }
    }
    for (path, at) in paths.iter().zip(home) {
        assert_eq!(scene.neighbor_of(*path), routers[at]);
    }
    Ok(())
}

/// Moving all paths writes as many words for thousands as for one: no path is written at all.
pub fn relink_all_writes_no_path_whatever_their_number<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let mut written = Vec::new();
    for (n, paths) in [(1, 1), (3, 4_000)] {
        let (old, new) = (scene.neighbor(n), scene.neighbor(n + 1));
        scene.paths(old, 0, paths);
        let read =
            || [Counter::ALIASES_MOVED, Counter::PATHS_RELINKED].map(|c| scene.session.counter(c));
        let before = read();
        assert_eq!(scene.relink_all(new, old), (Status::SUCCESS, Status::SUCCESS, paths));
        let after = read();
        written.push([after[0] - before[0], after[1] - before[1]]);
    }
    assert_eq!(written, [[1, 0], [1, 0]], "aliases and paths written");
    Ok(())
}
