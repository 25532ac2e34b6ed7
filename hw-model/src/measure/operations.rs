//! The operations that are measured: each in its steady state, with nothing else going on.
//!
//! Under `measure`, on any card that the conformance suite can be run on; what is counted is the
//! watch's matter. Every operation runs on objects that are there already, once before it counts;
//! between two the core falls asleep.

use abi::host::command::{CommandHeader, Opcode, Slot};
use abi::host::handle::Handle;
use abi::host::status::{Kind, Status};
use host_driver::backing::Backing;
use host_driver::{Initiate, Invalidate, Query, Terminate, Tree, Update};

use crate::conformance::{Needs, RawCard, Rig, Scene, flow, route, router};

/// How often an operation counts.
pub(super) const TIMES: u32 = 4;
/// Paths of a neighbor that relinks move at once.
const ALL_OF: [u32; 3] = [1, 32, 1_024];
/// Paths that are offloaded in one tree.
const TREE_PATHS: u32 = 512;
/// Objects in one tree where there are several.
const SEVERAL: u32 = 8;

/// What looks at a card while operations are done.
pub(super) trait Watch<B> {
    /// The operation of this name, on so many objects, is about to be done [`TIMES`] times.
    fn begin(&mut self, card: &B, name: &str, objects: u32);
    /// It is about to be done once.
    fn before(&mut self, card: &B);
    /// It was done.
    fn after(&mut self, card: &B);
    /// Lets time pass until nothing is under way.
    fn settle(&mut self, card: &B);
    /// It was done as often as it counts.
    fn end(&mut self, card: &B);
    /// The card has nothing to do.
    fn idle(&mut self, card: &B);
}

/// Does everything on cards of `rig`, with lists of so many paths, before the eyes of `watch`.
pub(super) fn run<R: Rig, W: Watch<R::Card>>(rig: &R, needs: &Needs, lists: &[u32], watch: &mut W) {
    let scene = Scene::open(rig, needs).expect("a card that is measured can be given everything");
    let mut bench = Bench { scene, watch };
    bench.of_one_object();
    bench.of_several();
    bench.relinks_by_tree();
    bench.relinks_all();
    bench.relinks_by_list(lists);
    bench.watch.idle(&bench.scene.card);
    malformed(rig, needs, watch);
}

/// A card, and who watches it.
struct Bench<'w, B: Backing, W> {
    scene: Scene<B>,
    watch: &'w mut W,
}

impl<B: Backing, W: Watch<B>> Bench<'_, B, W> {
    /// Initiate, then what ends objects, of each kind.
    fn of_one_object(&mut self) {
        let home = self.scene.neighbor(1);
        let under = self.scene.path(home, 1);
        let (mut routers, mut paths, mut connections) = (Vec::new(), Vec::new(), Vec::new());
        self.each("initiate neighbor", 1, |scene, _| {
            let mut tree = Initiate::with_capacity(1);
            tree.neighbor(&router(7));
            routers.push(made(scene, tree, 0));
        });
        self.each("initiate path", 1, |scene, turn| {
            let mut tree = Initiate::with_capacity(2);
            tree.neighbor_linker(home).path(&route(100 + turn));
            paths.push(made(scene, tree, 1));
        });
        self.each("initiate connection", 1, |scene, turn| {
            let mut tree = Initiate::with_capacity(2);
            tree.path_linker_root(under).connection(&flow(turn as u16));
            connections.push(made(scene, tree, 1));
        });
        self.each("initiate linker", 1, |scene, _| {
            let mut tree = Initiate::with_capacity(1);
            tree.neighbor_linker(home);
            succeed(scene, tree);
        });
        self.changes(home, under, connections[0]);
        let kinds = [("connection", &connections), ("path", &paths), ("neighbor", &routers)];
        for (word, handles) in kinds {
            self.each(&format!("invalidate {word}"), 1, |scene, turn| {
                succeed(scene, invalidate(&[handles[turn as usize]]));
            });
            self.each(&format!("terminate {word}"), 1, |scene, turn| {
                succeed(scene, terminate(&[handles[turn as usize]]));
            });
        }
    }

    /// Update and query of each kind.
    fn changes(&mut self, router: Handle, path: Handle, connection: Handle) {
        self.each("update neighbor mac", 1, |scene, turn| {
            let mut tree = Update::with_capacity(1);
            tree.neighbor(router).set([2, 0, 0, 0, 9, turn as u8], 0);
            succeed(scene, tree);
        });
        self.each("update path mtu", 1, |scene, turn| {
            let mut tree = Update::with_capacity(1);
            tree.path_mtu(path, 1_400 + turn);
            succeed(scene, tree);
        });
        self.each("update connection cached", 1, |scene, turn| {
            let mut tree = Update::with_capacity(1);
            let mut state = flow(1);
            state.cached.ka_timeout = 7 + turn;
            tree.connection(connection, &state.cached);
            succeed(scene, tree);
        });
        for (word, handle) in [("neighbor", router), ("path", path), ("connection", connection)] {
            self.each(&format!("query {word}"), 1, |scene, _| succeed(scene, query(&[handle])));
        }
    }

    /// The same with several objects in one tree.
    fn of_several(&mut self) {
        let home = self.scene.neighbor(2);
        let mut trees: Vec<Vec<Handle>> = Vec::new();
        self.each(&format!("initiate {SEVERAL} paths in one tree"), SEVERAL, |scene, turn| {
            trees.push(scene.paths(home, 1_000 + turn * SEVERAL, SEVERAL));
        });
        self.each(&format!("query {SEVERAL} paths in one tree"), SEVERAL, |scene, turn| {
            succeed(scene, query(&trees[turn as usize]));
        });
        self.each(&format!("invalidate {SEVERAL} paths in one tree"), SEVERAL, |scene, turn| {
            succeed(scene, invalidate(&trees[turn as usize]));
        });
        self.each(&format!("terminate {SEVERAL} paths in one tree"), SEVERAL, |scene, turn| {
            succeed(scene, terminate(&trees[turn as usize]));
        });
    }

    fn relinks_by_tree(&mut self) {
        let (a, b) = (self.scene.neighbor(3), self.scene.neighbor(4));
        let paths = self.scene.paths(a, 2_000, SEVERAL);
        for count in [1, SEVERAL] {
            let name = if count == 1 {
                "relink path by tree".to_owned()
            } else {
                format!("relink {count} paths by tree")
            };
            self.each(&name, count, |scene, turn| {
                let to = if turn % 2 == 0 { b } else { a };
                let mut tree = Update::with_capacity(1 + count as usize);
                let mut block = tree.neighbor(to);
                for path in &paths[..count as usize] {
                    block.relink(*path);
                }
                succeed(scene, tree);
            });
        }
    }

    fn relinks_all(&mut self) {
        for count in ALL_OF {
            let (a, b) = (self.scene.neighbor(5), self.scene.neighbor(6));
            let paths = self.scene.paths(a, 3_000, count);
            self.each(&format!("relink all of {count}"), count, |scene, turn| {
                let (to, from) = if turn % 2 == 0 { (b, a) } else { (a, b) };
                let mut tree = Update::with_capacity(1);
                tree.neighbor(to).relink_all_of(from);
                succeed(scene, tree);
            });
            let gone = self.scene.terminate(&paths);
            assert!(gone.iter().all(|status| *status == Status::SUCCESS), "{gone:?}");
        }
    }

    /// In the steady state the paths of a list have one alias, and it is not the target's.
    fn relinks_by_list(&mut self, lists: &[u32]) {
        let (a, b) = (self.scene.neighbor(7), self.scene.neighbor(8));
        let most = lists.iter().copied().max().unwrap_or(0);
        let mut paths = Vec::new();
        for first in (0..most).step_by(TREE_PATHS as usize) {
            let some = TREE_PATHS.min(most - first);
            paths.extend(self.scene.paths(a, 8_000 + first, some));
        }
        for &count in lists {
            self.each(&format!("relink list of {count}"), count, |scene, turn| {
                let to = if turn % 2 == 0 { b } else { a };
                let mut list = scene.session.handle_list(count as usize).expect("memory");
                list.extend(paths[..count as usize].iter().copied()).expect("made for these");
                let mut tree = Update::with_capacity(1);
                tree.neighbor(to).relink_list(list);
                succeed(scene, tree);
            });
        }
    }

    /// Does an operation once, and then so often that it counts. It is given the turn.
    fn each(&mut self, name: &str, objects: u32, mut turn: impl FnMut(&Scene<B>, u32)) {
        turn(&self.scene, 0);
        let card = &*self.scene.card;
        self.watch.settle(card);
        self.watch.begin(card, name, objects);
        for number in 1..=TIMES {
            self.watch.before(card);
            turn(&self.scene, number);
            self.watch.after(card);
            self.watch.settle(card);
        }
        self.watch.end(card);
    }
}

/// A slot whose operation is none.
fn malformed<R: Rig, W: Watch<R::Card>>(rig: &R, needs: &Needs, watch: &mut W) {
    let raw = RawCard::open(rig, needs);
    let mut raw = raw.expect("a card that is measured can be given everything");
    let flags = abi::host::command::Flag::LAST.0;
    let header = CommandHeader { opcode: 0, ..raw.header(Opcode::QUERY, Kind::NEIGHBOR, flags) };
    let mut slot = Slot::default();
    header.write(&mut slot);
    raw.run(&[slot]);
    watch.settle(&raw.card);
    watch.begin(&raw.card, "malformed slot", 1);
    for _ in 0..TIMES {
        watch.before(&raw.card);
        raw.run(&[slot]);
        watch.after(&raw.card);
        watch.settle(&raw.card);
    }
    watch.end(&raw.card);
}

fn succeed<B: Backing>(scene: &Scene<B>, tree: impl Into<Tree>) {
    let outcome = scene.run(tree);
    assert_eq!(outcome.status(), Status::SUCCESS, "an operation that is measured is carried out");
}

fn made<B: Backing>(scene: &Scene<B>, tree: Initiate, block: usize) -> Handle {
    let outcome = scene.run(tree);
    assert_eq!(outcome.status(), Status::SUCCESS, "an operation that is measured is carried out");
    outcome.block(block).handle
}

fn query(handles: &[Handle]) -> Query {
    let mut tree = Query::with_capacity(handles.len());
    for handle in handles {
        tree.object(handle.kind(), *handle);
    }
    tree
}

fn invalidate(handles: &[Handle]) -> Invalidate {
    let mut tree = Invalidate::with_capacity(handles.len());
    for handle in handles {
        tree.object(handle.kind(), *handle);
    }
    tree
}

fn terminate(handles: &[Handle]) -> Terminate {
    let mut tree = Terminate::with_capacity(handles.len());
    for handle in handles {
        tree.object(handle.kind(), *handle);
    }
    tree
}
