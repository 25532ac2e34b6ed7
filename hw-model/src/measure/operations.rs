//! The operations that are measured: each in its steady state, with nothing else going on.
//!
//! Under `measure`. Every operation runs on objects that are there already, once before it counts;
//! between two the core falls asleep.

use abi::host::command::{CommandHeader, Opcode, Slot};
use abi::host::handle::Handle;
use abi::host::status::{Kind, Status};
use host_driver::backing::Backing;
use host_driver::{Initiate, Invalidate, Query, Terminate, Tree, Update};

use super::Measured;
use crate::card::ModelCard;
use crate::conformance::{ModelRig, Needs, RawCard, Scene, flow, route, router};
use crate::work::CoreWork;

/// How often an operation counts.
const TIMES: u32 = 4;
/// Steps without work after which nothing is under way any more.
const QUIET_STEPS: u64 = 3;
/// Idle steps that are measured.
const IDLE_STEPS: u64 = 100;
/// Paths of a neighbor that relinks move: all of it, and by list.
const ALL_OF: [u32; 3] = [1, 32, 1_024];
const LISTS: [u32; 2] = [64, LIST_PATHS];
const LIST_PATHS: u32 = 4_096;
/// Paths that are offloaded in one tree.
const TREE_PATHS: u32 = 512;
/// Objects in one tree where there are several.
const SEVERAL: u32 = 8;

/// Measures everything on cards of `rig`.
pub(super) fn run(rig: &ModelRig, needs: &Needs) -> Vec<Measured> {
    let scene = Scene::open(rig, needs).expect("a model can be given everything");
    let mut bench = Bench { scene, measured: Vec::new() };
    bench.of_one_object();
    bench.of_several();
    bench.relinks_by_tree();
    bench.relinks_all();
    bench.relinks_by_list();
    bench.idle();
    let mut measured = bench.measured;
    measured.push(malformed(rig, needs));
    measured
}

/// A card, and what was measured on it.
struct Bench {
    scene: Scene<ModelCard>,
    measured: Vec<Measured>,
}

impl Bench {
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
    fn relinks_by_list(&mut self) {
        let (a, b) = (self.scene.neighbor(7), self.scene.neighbor(8));
        let mut paths = Vec::new();
        while paths.len() < LIST_PATHS as usize {
            paths.extend(self.scene.paths(a, 8_000 + paths.len() as u32, TREE_PATHS));
        }
        for count in LISTS {
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

    fn idle(&mut self) {
        let before = settled(&self.scene.card);
        let mut work = before.clone();
        while work.waiting.steps < before.waiting.steps + IDLE_STEPS {
            self.scene.card.relax();
            work = self.scene.card.core_work();
        }
        self.measured.push(Measured {
            name: "idle step".to_owned(),
            objects: 1,
            times: 1,
            work: work.since(&before),
            is_waiting: true,
        });
    }

    /// Does an operation once, and then so often that it counts. It is given the turn.
    fn each(&mut self, name: &str, objects: u32, mut turn: impl FnMut(&Scene<ModelCard>, u32)) {
        turn(&self.scene, 0);
        let before = settled(&self.scene.card);
        for number in 1..=TIMES {
            turn(&self.scene, number);
            settled(&self.scene.card);
        }
        let work = self.scene.card.core_work().since(&before);
        let (name, is_waiting) = (name.to_owned(), false);
        self.measured.push(Measured { name, objects, times: TIMES, work, is_waiting });
    }
}

/// A slot whose operation is none.
fn malformed(rig: &ModelRig, needs: &Needs) -> Measured {
    let mut raw = RawCard::open(rig, needs).expect("a model can be given everything");
    let flags = abi::host::command::Flag::LAST.0;
    let header = CommandHeader { opcode: 0, ..raw.header(Opcode::QUERY, Kind::NEIGHBOR, flags) };
    let mut slot = Slot::default();
    header.write(&mut slot);
    raw.run(&[slot]);
    let before = settled(&raw.card);
    for _ in 0..TIMES {
        raw.run(&[slot]);
        settled(&raw.card);
    }
    let work = raw.card.core_work().since(&before);
    let name = "malformed slot".to_owned();
    Measured { name, objects: 1, times: TIMES, work, is_waiting: false }
}

/// Lets time pass until the core has nothing to do; what it has done by then.
fn settled(card: &ModelCard) -> CoreWork {
    let mut quiet = card.core_work();
    loop {
        card.relax();
        let work = card.core_work();
        if work.working.steps != quiet.working.steps {
            quiet = work;
        } else if work.waiting.steps >= quiet.waiting.steps + QUIET_STEPS {
            return work;
        }
    }
}

fn succeed(scene: &Scene<ModelCard>, tree: impl Into<Tree>) {
    let outcome = scene.run(tree);
    assert_eq!(outcome.status(), Status::SUCCESS, "an operation that is measured is carried out");
}

fn made(scene: &Scene<ModelCard>, tree: Initiate, block: usize) -> Handle {
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
