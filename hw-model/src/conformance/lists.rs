//! Claims about lists: every size around the chunk, and what happens between chunks.
//!
//! Rules: design section 7, *a subset relink carries a list*.

use abi::host::handle::Handle;
use abi::host::limit;
use abi::host::status::{Detail, Kind, Status};
use host_driver::backing::Backing;
use host_driver::{Invalidate, ObjectState, Query, Terminate, Update};

use super::raw::{RawCard, with_state_offset};
use super::scene::{Scene, statuses};
use super::{Needs, Rig, Unfit};

/// Sizes around a chunk: none, one, one less, exactly, one more, and twice with a rest.
pub fn lists_of_every_size_around_the_chunk_are_carried_out<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (left, right) = (scene.neighbor(1), scene.neighbor(2));
    let chunk = limit::LIST_CHUNK as usize;
    let paths = scene.paths(left, 0, 3 * limit::LIST_CHUNK);
    for size in [0, 1, 2, 3, chunk - 1, chunk, chunk + 1, 2 * chunk, 2 * chunk + 7] {
        let (status, entries) = scene.relink_list(right, &paths[..size]);
        assert_eq!(
            (status, entries),
            (Status::SUCCESS, vec![Status::SUCCESS; size]),
            "{size} entries"
        );
        assert_eq!(scene.dependents(right) as usize, size);
        assert_eq!(scene.relink_all(left, right).2 as usize, size);
    }
    Ok(())
}

/// A list that names every path of a full table.
pub fn a_list_of_the_whole_table_is_carried_out<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let needs = Needs::default();
    let scene = Scene::open(rig, &needs)?;
    let (left, right) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(left, 0, needs.capabilities.paths);
    let (status, entries) = scene.relink_list(right, &paths);
    assert_eq!((status, entries), (Status::SUCCESS, vec![Status::SUCCESS; paths.len()]));
    assert_eq!((scene.dependents(left), scene.dependents(right) as usize), (0, paths.len()));
    Ok(())
}

/// Done and failed of the completion count the block and the entries of its list.
pub fn a_completion_counts_the_entries_of_a_list<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (left, right) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(left, 0, 100);
    scene.terminate(&paths[90..]);
    let outcome = scene.run(list_of(&scene, right, &paths));
    assert_eq!((outcome.done(), outcome.failed()), (1 + 90, 10));
    assert_eq!(outcome.status(), Status::PARTIAL_SUCCESS);
    assert_eq!((outcome.block(0).status, outcome.block(0).detail), (Status::SUCCESS, 90));
    Ok(())
}

/// The same handle many times in a list: each entry is carried out.
pub fn a_list_may_name_a_path_many_times<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (left, right) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(left, 1);
    let (status, entries) = scene.relink_list(right, &[path; 200]);
    assert_eq!((status, entries), (Status::SUCCESS, vec![Status::SUCCESS; 200]));
    assert_eq!((scene.dependents(left), scene.dependents(right)), (0, 1));
    Ok(())
}

/// Handles of every sort of nonsense in a list get their statuses; the good ones move.
pub fn nonsense_in_a_list_fails_alone<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (left, right) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(left, 1);
    let connection = scene.connection(path, 1);
    let never = Handle::new(Kind::PATH, 4_000, path.generation());
    let outside = Handle::new(Kind::PATH, u32::MAX, path.generation());
    let other = Handle::new(Kind::PATH, path.index(), path.generation().wrapping_add(1));
    let named = [Handle::NULL, never, outside, other, connection, left, path];
    let (status, entries) = scene.relink_list(right, &named);
    assert_eq!(status, Status::SUCCESS);
    assert!(!entries[0].is_done());
    let expected = [
        Status::STALE_HANDLE,
        Status::STALE_HANDLE,
        Status::STALE_HANDLE,
        Status::WRONG_KIND,
        Status::WRONG_KIND,
        Status::SUCCESS,
    ];
    assert_eq!(entries[1..], expected);
    Ok(())
}

/// Other rings are served between the chunks of a long list.
///
/// A host that was kept from its processor meanwhile sees both answers at once, which shows
/// nothing; it tries again. A card that lets the list through first never shows it.
pub fn a_long_list_does_not_hold_up_other_rings<R: Rig>(rig: &R) -> Result<(), Unfit> {
    const TRIES: usize = 20;
    /// Doublings of the list's length.
    const LONGEST: usize = 5;
    let scene = Scene::open(rig, &Needs::default())?;
    let (left, right) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(left, 1);
    let mut was_overtaken = false;
    for attempt in 0..TRIES {
        // Longer each time, up to where a list outlasts the system's time slices.
        let named = vec![path; LONG_LIST << attempt.min(LONGEST)];
        let long = scene.session.submit_on(0, list_of(&scene, right, &named));
        let mut long = long.expect("the ring has room");
        let mut query = Query::with_capacity(1);
        query.neighbor(left);
        let quick = scene.session.submit_on(1, query).expect("the ring has room");
        assert_eq!(quick.wait().expect("the card is there").status(), Status::SUCCESS);
        let early = long.poll();
        was_overtaken = early.is_none();
        let outcome = early.unwrap_or_else(|| long.wait()).expect("the card is there");
        assert_eq!(outcome.done() as usize, named.len() + 1);
        if was_overtaken {
            break;
        }
    }
    assert!(was_overtaken, "no query of another ring was answered before a long list was over");
    Ok(())
}

/// The new neighbor is invalidated in the middle of a list: what has moved stays there, the rest
/// fails and stays where it was.
pub fn a_destination_invalidated_in_the_middle_of_a_list_stops_it<R: Rig>(
    rig: &R,
) -> Result<(), Unfit> {
    let mut scene = Scene::open(rig, &Needs::default())?;
    let old = scene.neighbor(0);
    let paths = scene.paths(old, 0, 1_000);
    // The first path stands in the list many times, so that its middle is long; longer where the
    // card is faster than the host.
    let longer = [LONG_LIST, 4 * LONG_LIST, 16 * LONG_LIST, 40 * LONG_LIST];
    for size in longer {
        let to = scene.neighbor(1);
        let mut named = vec![paths[0]; size];
        named.extend(&paths[1..]);
        let list = scene.session.submit_on(0, list_of(&scene, to, &named)).expect("room");
        scene.until("the list to begin", |scene| dependents_by(scene, 1, to) > 0);
        let mut stop = Invalidate::with_capacity(1);
        stop.neighbor(to);
        let stopped =
            scene.session.submit_on(1, stop).expect("room").wait().expect("the card is there");
        assert_eq!(stopped.status(), Status::SUCCESS);
        let outcome = list.wait().expect("the card is there");
        let entries = outcome.list_status(0);
        let moved = entries.iter().take_while(|byte| Status(**byte) == Status::SUCCESS).count();
        assert!(
            entries[moved..].iter().all(|byte| Status(*byte) == Status::FAILURE),
            "the rest fails"
        );
        if moved < size {
            assert_eq!(outcome.block(0).detail, Detail::TARGET_INVALIDATED.0);
            assert_eq!((scene.dependents(to), scene.dependents(old)), (1, 999));
            assert_eq!(scene.send(paths[0], 0, 3).held, 3, "what has moved is held");
            assert_eq!(scene.send(paths[1], 1, 3).left, 3, "what has not moved goes on");
            assert_eq!(scene.relink(old, &[paths[0]]), [Status::SUCCESS; 2]);
            assert_eq!(scene.terminate(&[to]), [Status::SUCCESS], "it is pinned no longer");
            return Ok(());
        }
        scene.relink_all(old, to);
        assert_eq!(scene.terminate(&[to]), [Status::SUCCESS]);
    }
    panic!("no list of up to {} entries was caught in its middle", longer[3]);
}

/// While a list runs its destination cannot be terminated; afterwards its paths forbid it.
pub fn a_destination_is_pinned_while_a_list_runs<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (old, to) = (scene.neighbor(1), scene.neighbor(2));
    let path = scene.path(old, 1);
    let list = scene.session.submit_on(0, list_of(&scene, to, &[path; LONG_LIST])).expect("room");
    for _ in 0..20 {
        let mut tree = Terminate::with_capacity(1);
        tree.neighbor(to);
        let outcome =
            scene.session.submit_on(1, tree).expect("room").wait().expect("the card is there");
        let status = outcome.block(0).status;
        if status == Status::SUCCESS {
            // The terminate overtook the list's beginning: between rings there is no order.
            let outcome = list.wait().expect("the card is there");
            assert_eq!(outcome.block(0).status, Status::STALE_HANDLE);
            assert!(outcome.list_status(0).iter().all(|byte| Status(*byte) == Status::FAILURE));
            return Ok(());
        }
        assert_eq!(status, Status::HAS_DEPENDENTS);
    }
    assert_eq!(list.wait().expect("the card is there").block(0).status, Status::SUCCESS);
    assert_eq!(scene.relink(old, &[path]), [Status::SUCCESS; 2]);
    assert_eq!(scene.terminate(&[to]), [Status::SUCCESS]);
    Ok(())
}

/// A list stands beside other blocks in one tree, each with its own status.
pub fn a_tree_may_hold_a_list_beside_other_blocks<R: Rig>(rig: &R) -> Result<(), Unfit> {
    let scene = Scene::open(rig, &Needs::default())?;
    let (old, left, right) = (scene.neighbor(0), scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(old, 0, 150);
    let mut list = scene.session.handle_list(70).expect("memory for a list");
    list.extend(paths[..70].iter().copied()).expect("it was made for these");
    let mut tree = Update::with_capacity(5);
    tree.path_mtu(paths[149], 1400);
    tree.neighbor(left).relink_list(list);
    tree.neighbor(right).relink(paths[69]);
    tree.neighbor(right).relink_all_of(old);
    let outcome = scene.run(tree);
    assert_eq!(statuses(&outcome), [Status::SUCCESS; 5]);
    assert_eq!((outcome.list_status(1).len(), outcome.block(4).detail), (70, 80));
    let counts = [old, left, right].map(|neighbor| scene.dependents(neighbor));
    assert_eq!(counts, [0, 69, 81]);
    Ok(())
}

/// Wherever a list lies in its pages, and wherever the statuses of its entries go: all of them are
/// read and written, and nothing beside them. A machine may have mapped every page by itself.
pub fn a_list_that_straddles_pages_is_carried_out<R: Rig>(rig: &R) -> Result<(), Unfit> {
    const ENTRIES: usize = 1_500;
    const CANARY: u8 = 0xa5;
    const MARGIN: usize = 64;
    let mut raw = RawCard::open(rig, &Needs::default())?;
    let ends = [raw.neighbor(1), raw.neighbor(2)];
    let path = raw.path(ends[0]);
    let page = 4_096;
    for (round, (list, answers)) in
        [(0, 64), (64, page - 64), (page - 64, page), (page - 192, 2 * page - 128)]
            .iter()
            .enumerate()
    {
        raw.write_list_at(*list, &[path; ENTRIES]);
        raw.fill_results(answers - MARGIN, ENTRIES + 2 * MARGIN, CANARY);
        let iova = raw.list() + *list as u64;
        let slot = raw.list_slot(ends[(round + 1) % 2], iova, ENTRIES as u32);
        let completion = raw.run(&[with_state_offset(slot, *answers as u32)]);
        let counts = (completion.done as usize, completion.failed);
        assert_eq!(counts, (1 + ENTRIES, 0), "list at {list}, answers at {answers}");
        let bytes = raw.result_bytes(*answers, ENTRIES + MARGIN);
        let (inside, behind) = bytes.split_at(ENTRIES);
        assert!(inside.iter().all(|byte| Status(*byte) == Status::SUCCESS), "answers at {answers}");
        assert_eq!(behind, [CANARY; MARGIN], "behind the answers at {answers}");
        if answers - MARGIN >= MARGIN {
            assert_eq!(raw.result_bytes(answers - MARGIN, MARGIN), [CANARY; MARGIN]);
        }
    }
    Ok(())
}

/// Entries of a list that takes much longer than a command of another ring.
const LONG_LIST: usize = 100_000;

/// Objects that hang from a neighbor, asked for on a command ring of one's own.
fn dependents_by<B: Backing>(scene: &Scene<B>, ring: u32, neighbor: Handle) -> u32 {
    let mut query = Query::with_capacity(1);
    query.neighbor(neighbor);
    let outcome =
        scene.session.submit_on(ring, query).expect("room").wait().expect("the card is there");
    match outcome.state(0) {
        Some(ObjectState::Neighbor(_, head)) => head.dependents,
        other => panic!("{neighbor} answers {other:?}"),
    }
}

fn list_of<B: Backing>(scene: &Scene<B>, to: Handle, paths: &[Handle]) -> Update {
    let mut list = scene.session.handle_list(paths.len()).expect("memory for a list");
    list.extend(paths.iter().copied()).expect("it was made for these");
    let mut tree = Update::with_capacity(1);
    tree.neighbor(to).relink_list(list);
    tree
}
