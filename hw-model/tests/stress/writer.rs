//! The writer: the firmware, given one command after another by a host that remembers.
//!
//! Every command has a number, later ones higher ones, and the headers it makes carry it. When
//! the completion of a command was seen, the paths that it concerned are told.

use std::sync::Arc;

use abi::host::command::Slot;
use abi::host::handle::Handle;
use host_driver::{Initiate, Invalidate, NeighborState, PathState, Terminate, Tree, Update};
use hw_model::bare::{BareCore, Guard};

use super::{LIFE_MAX, PATHS, Shared, Stamp};

/// Neighbors that are on the card at a time, at most.
const NEIGHBORS_MAX: usize = 7;

/// A neighbor as the host remembers it.
#[derive(Clone, Debug)]
struct Router {
    handle: Handle,
    birth: u32,
    paths: Vec<usize>,
}

/// The firmware and its host.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    core: BareCore,
    routers: Vec<Router>,
    /// Number of the command last given.
    number: u32,
    seed: u32,
}

impl Writer {
    /// Puts one neighbor with every path on the card.
    pub(crate) fn new(shared: Arc<Shared>, guard: Guard) -> Self {
        let core = BareCore::start(Arc::clone(&shared.bare), guard);
        let mut writer = Self { shared, core, routers: Vec::new(), number: 1, seed: 0x2545_f491 };
        writer.bear();
        for path in 0..PATHS {
            writer.offload(path, 0);
        }
        writer
    }

    /// Gives the next command; how many there were so far.
    pub(crate) fn turn(&mut self) -> u32 {
        self.number += 1;
        let at = self.pick(self.routers.len());
        let is_old = self.number - self.routers[at].birth > LIFE_MAX;
        match self.pick(16) {
            _ if self.routers.len() + 3 > NEIGHBORS_MAX => self.fold(at),
            _ if is_old => self.replace(at),
            0 => self.replace(at),
            1 | 2 => self.set(at),
            3 => self.move_some_to_a_new_one(at),
            4 => self.fold(at),
            5 => self.fail_over(at),
            6 => self.offload_anew(at),
            7 | 8 => self.set_in_a_row(at),
            9..=11 => self.replace_and_reuse_at_once(at),
            _ => self.move_some_and_then_the_rest(at),
        }
        self.number
    }

    /// A new neighbor takes all paths of `at`, which goes.
    fn replace(&mut self, at: usize) {
        let to = self.bear();
        self.link(&self.routers[at].paths, to);
        let (new, old) = (self.routers[to].handle, self.routers[at].handle);
        let mut tree = Update::new();
        tree.neighbor(new).relink_all_of(old);
        self.run(tree);
        self.routers[to].paths = std::mem::take(&mut self.routers[at].paths);
        self.complete(to);
        self.bury(at);
    }

    /// A new MAC for neighbor `at`.
    fn set(&mut self, at: usize) {
        let stamp = self.stamp(at);
        let mut tree = Update::new();
        tree.neighbor(self.routers[at].handle).set(stamp.destination(), 0);
        self.run(tree);
        self.complete(at);
    }

    /// Three new MACs for neighbor `at`, none of them waited for.
    fn set_in_a_row(&mut self, at: usize) {
        let mut trees = Vec::new();
        for _ in 0..3 {
            self.number += 1;
            let mut tree = Update::new();
            tree.neighbor(self.routers[at].handle).set(self.stamp(at).destination(), 0);
            trees.push(Tree::from(tree).slots().to_vec());
        }
        self.run_all(trees);
        self.complete(at);
    }

    /// Some paths of `at` go to one new neighbor by a list, the rest to another, unwaited-for:
    /// a reader that still follows the old link must not end at the other one.
    fn move_some_and_then_the_rest(&mut self, at: usize) {
        let first = self.bear();
        self.number += 1;
        let second = self.bear();
        let keep = self.pick(self.routers[at].paths.len() + 1);
        let moved = self.routers[at].paths.split_off(keep);
        let rest = std::mem::take(&mut self.routers[at].paths);
        self.link(&moved, first);
        self.link(&rest, second);
        let list = self.list_slot(first, &moved);
        let mut tree = Update::new();
        tree.neighbor(self.routers[second].handle).relink_all_of(self.routers[at].handle);
        self.run_all(vec![vec![list], Tree::from(tree).slots().to_vec()]);
        // Both are newer than what was left; the lower of the two numbers is the floor of each.
        (self.routers[first].paths, self.routers[second].paths) = (moved, rest);
        for to in [first, second] {
            for path in &self.routers[to].paths {
                self.shared.complete(*path, self.routers[to].birth);
            }
        }
        self.bury(at);
    }

    /// All paths leave `at`, which goes, and its slot is asked for again, unwaited-for: a reader
    /// that still looks at the slot must not find the newcomer's header.
    fn replace_and_reuse_at_once(&mut self, at: usize) {
        let to = self.bear();
        self.number += 1;
        let paths = std::mem::take(&mut self.routers[at].paths);
        self.link(&paths, to);
        let mut relink = Update::new();
        relink.neighbor(self.routers[to].handle).relink_all_of(self.routers[at].handle);
        let mut terminate = Terminate::new();
        terminate.neighbor(self.routers[at].handle);
        let newcomer = self.newborn();
        let trees = [Tree::from(relink), Tree::from(terminate), Tree::from(newcomer)];
        self.run_all(trees.iter().map(|tree| tree.slots().to_vec()).collect());
        for path in &paths {
            self.shared.complete(*path, self.routers[to].birth);
        }
        self.routers[to].paths = paths;
        let handle = self.core.result(2, 0);
        self.routers[at] = Router { handle, birth: self.number, paths: Vec::new() };
    }

    /// The readers may find these paths behind router `to` from now on.
    fn link(&self, paths: &[usize], to: usize) {
        for path in paths {
            self.shared.link(*path, self.routers[to].birth);
        }
    }

    /// A new neighbor takes some paths of `at` by a list.
    fn move_some_to_a_new_one(&mut self, at: usize) {
        let to = self.bear();
        let keep = self.pick(self.routers[at].paths.len() + 1);
        let moved = self.routers[at].paths.split_off(keep);
        self.link(&moved, to);
        let slot = self.list_slot(to, &moved);
        self.run_all(vec![vec![slot]]);
        self.routers[to].paths = moved;
        self.complete(to);
    }

    /// Another neighbor gets a new MAC and all paths of `at` in one tree; `at` goes.
    fn fold(&mut self, at: usize) {
        let to = (at + 1) % self.routers.len();
        if to == at || self.number - self.routers[to].birth > LIFE_MAX {
            return self.replace(at);
        }
        let stamp = self.stamp(to);
        self.link(&self.routers[at].paths, to);
        let mut tree = Update::new();
        let block = tree.neighbor(self.routers[to].handle).set(stamp.destination(), 0);
        block.relink_all_of(self.routers[at].handle);
        self.run(tree);
        let moved = std::mem::take(&mut self.routers[at].paths);
        self.routers[to].paths.extend(moved);
        self.complete(to);
        self.bury(at);
    }

    /// Neighbor `at` is invalidated: nothing that is older than the fail-over may cross.
    fn fail_over(&mut self, at: usize) {
        let mut tree = Invalidate::new();
        tree.neighbor(self.routers[at].handle);
        self.run(tree);
        self.number += 1;
        self.complete(at);
        self.replace(at);
    }

    /// A path of `at` is terminated and offloaded again behind a new neighbor, unwaited-for, in
    /// the one slot there is: its old handle must not find the newcomer's link.
    fn offload_anew(&mut self, at: usize) {
        let Some(path) = self.routers[at].paths.pop() else { return self.set(at) };
        let to = self.bear();
        let old = self.shared.handle(path);
        let mut terminate = Terminate::new();
        terminate.path(old);
        let offload = self.offloading(path, to);
        let trees = [Tree::from(terminate), Tree::from(offload)];
        self.run_all(trees.iter().map(|tree| tree.slots().to_vec()).collect());
        self.shared.bury(path, old);
        self.link(&[path], to);
        self.shared.set_handle(path, self.core.result(1, 1));
        self.shared.complete(path, self.routers[to].birth);
        self.routers[to].paths.push(path);
    }

    fn offloading(&self, path: usize, at: usize) -> Initiate {
        let mut tree = Initiate::new();
        let address = |last: u8| std::net::IpAddr::from([10, 0, last, path as u8]);
        let state = PathState { source: address(1), destination: address(2), mtu: 1500 };
        tree.neighbor_linker(self.routers[at].handle).path(&state);
        tree
    }

    fn offload(&mut self, path: usize, at: usize) {
        let tree = self.offloading(path, at);
        self.link(&[path], at);
        self.run(tree);
        self.shared.set_handle(path, self.core.result(0, 1));
        self.routers[at].paths.push(path);
    }

    /// Puts a new neighbor on the card; its place among the routers.
    fn bear(&mut self) -> usize {
        let tree = self.newborn();
        self.run(tree);
        let router =
            Router { handle: self.core.result(0, 0), birth: self.number, paths: Vec::new() };
        self.routers.push(router);
        self.routers.len() - 1
    }

    /// A tree with a neighbor that is born with the present command.
    fn newborn(&self) -> Initiate {
        let stamp = Stamp { number: self.number, birth: self.number };
        let state = NeighborState {
            destination: stamp.destination(),
            source: stamp.source(),
            vlan: stamp.vlan(),
            ..NeighborState::default()
        };
        let mut tree = Initiate::new();
        tree.neighbor(&state);
        tree
    }

    /// Takes a neighbor without paths off the card.
    fn bury(&mut self, at: usize) {
        let gone = self.routers.swap_remove(at);
        assert!(gone.paths.is_empty(), "it was left before");
        let mut tree = Terminate::new();
        tree.neighbor(gone.handle);
        self.run(tree);
    }

    fn stamp(&self, at: usize) -> Stamp {
        Stamp { number: self.number, birth: self.routers[at].birth }
    }

    /// The completion of the present command was seen: tells the paths of `at`.
    fn complete(&self, at: usize) {
        for path in &self.routers[at].paths {
            self.shared.complete(*path, self.number);
        }
    }

    fn run(&mut self, tree: impl Into<Tree>) {
        self.run_all(vec![tree.into().slots().to_vec()]);
    }

    /// Gives the firmware trees one behind the other and waits until all are answered.
    fn run_all(&mut self, trees: Vec<Vec<Slot>>) {
        self.core.run(&trees.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }

    /// The one slot of a relink of these paths by list.
    fn list_slot(&mut self, to: usize, moved: &[usize]) -> Slot {
        self.core.set_list(moved.iter().map(|path| self.shared.handle(*path)).collect());
        self.core.relink(self.routers[to].handle, 0, moved.len() as u32)
    }

    fn pick(&mut self, below: usize) -> usize {
        // xorshift32: any sequence without short cycles will do.
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        self.seed as usize % below.max(1)
    }
}
