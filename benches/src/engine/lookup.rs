//! Lookups of the whole chain by the card's own resolver, while the firmware relinks.
//!
//! Tables, firmware and resolver without rings and frames: what a reader pays for a header, and
//! what it loses while paths move. Frames name connections; a batch starts with the reader's
//! announcement, as on a card, and the firmware waits for it; the frames behind it are known, as on
//! a card.
//! Invariant: a neighbor's MAC address says its number twice, so that a torn header is seen.

use std::sync::{Arc, Mutex, PoisonError};

use abi::core::table::bank;
use abi::host::command::TcpState;
use abi::host::handle::Handle;
use abi::host::status::Kind;
use host_driver::{ConnectionState, Initiate, NeighborState, Tree};
use hw_model::CardConfig;
use hw_model::bare::{Bare, BareCore, Guard};
use hw_model::datapath::reader::Reader;
use hw_model::datapath::resolver::{Route, Verdict};
use hw_model::datapath::stages::Lookahead;

use super::path;
use crate::chance::{self, Chance};
use crate::table::{Pace, Rate, Table};

/// Blocks of the trees that build the tables.
const TREE_BLOCKS: usize = 1024;
/// Largest batch.
const BATCH_MAX: usize = 256;
/// Frames that are made known at a time; they wait as in a card's rings.
const QUEUE: usize = 1024;
/// Seed of the order in which connections hang from paths; the floor's is the same.
const ORDER_SEED: u64 = 77;
/// Seed of the order in which paths are moved.
const RELINK_SEED: u64 = 5;
/// Paths that the firmware moves by one list when nothing holds it back.
const LIST: u32 = 4096;
/// Paths of a list when it is to keep a pace.
const LIST_PACED: u32 = 64;

/// Tables with connections, and the firmware that wrote them.
pub struct Lookup {
    bare: Arc<Bare>,
    reader: Mutex<Reader>,
    writer: Mutex<Writer>,
    /// What all connections' handles have in common.
    generation: u32,
}

/// The firmware, and what it relinks.
struct Writer {
    core: BareCore,
    neighbors: Vec<Handle>,
    paths: usize,
    /// Place in the list of paths from which it goes on.
    next: usize,
    chance: Chance,
}

impl Lookup {
    /// As many connections as paths, in any order, over `neighbors` neighbors.
    ///
    /// # Panics
    /// When the firmware refuses one.
    #[must_use]
    pub fn new(count: usize, neighbors: usize) -> Self {
        let bare = Bare::new(CardConfig::default().capabilities, 1).expect("memory for tables");
        let mut core = BareCore::start(Arc::clone(&bare), Guard::TakenAway);
        let neighbors: Vec<Handle> =
            (0..neighbors).map(|number| neighbor(&mut core, number)).collect();
        let paths = paths(&mut core, &neighbors, count);
        let order = chance::shuffled(count, ORDER_SEED);
        let connections = connections(&mut core, order.iter().map(|path| paths[*path as usize]));
        let generation = connections[0].generation();
        for (index, handle) in connections.iter().enumerate() {
            assert_eq!(*handle, Handle::new(Kind::CONNECTION, index as u32, generation));
        }
        let order = chance::shuffled(count, RELINK_SEED);
        core.set_list(order.iter().map(|path| paths[*path as usize]).collect());
        core.set_guard(Guard::GracePeriod);
        let chance = Chance::new(RELINK_SEED);
        let writer = Writer { core, neighbors, paths: count, next: 0, chance };
        let reader = Mutex::new(Reader::default());
        Self { bare, reader, writer: Mutex::new(writer), generation }
    }

    #[inline(always)]
    fn handle(&self, key: u32) -> Handle {
        Handle::new(Kind::CONNECTION, key, self.generation)
    }

    fn with_reader<T>(&self, read: impl FnOnce(&mut Reader) -> T) -> T {
        read(&mut self.reader.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Table for Lookup {
    fn look_up(&self, keys: &[u32], batch: usize) -> u64 {
        let (resolver, epochs) = (self.bare.resolver(), self.bare.epochs(0));
        self.with_reader(|reader| {
            let mut keys = keys.iter();
            let (mut queue, mut next) = (Vec::with_capacity(QUEUE), 0);
            let (mut lookahead, mut routes) = (Lookahead::default(), [Route::NONE; BATCH_MAX]);
            let routes = &mut routes[..batch];
            let mut torn = 0;
            loop {
                if queue.len() < next + batch + Lookahead::FRAMES {
                    queue.drain(..next);
                    next = 0;
                    let room = QUEUE - queue.len();
                    queue.extend(keys.by_ref().take(room).map(|key| self.handle(*key)));
                }
                let waiting = &queue[next..];
                if waiting.len() < batch {
                    break;
                }
                reader.begin(epochs, |_| {});
                lookahead.routes(&resolver, waiting, routes);
                next += batch;
                for route in &*routes {
                    torn += u64::from(route.is_none()) | is_other(&route.header);
                }
            }
            torn
        })
    }

    #[inline(always)]
    fn one(&self, key: u32) -> u64 {
        let epochs = self.bare.epochs(0);
        self.with_reader(|reader| reader.begin(epochs, |_| {}));
        is_torn(&self.bare.resolver().resolve(self.handle(key)))
    }

    fn change(&self, pace: &mut Pace<'_>) -> u64 {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let count = if pace.rate() == Rate::Full { LIST } else { LIST_PACED };
        while pace.draw_many(u64::from(count)) {
            writer.relink(count);
        }
        pace.changes()
    }

    fn rest(&self) {
        self.with_reader(|reader| reader.begin(self.bare.epochs(0), |_| {}));
    }
}

impl Writer {
    /// Moves the next paths of the list to some neighbor.
    fn relink(&mut self, count: u32) {
        let neighbor = self.neighbors[self.chance.below(self.neighbors.len() as u64) as usize];
        // A list ends with the paths.
        let count = count.min((self.paths - self.next) as u32);
        let slot = self.core.relink(neighbor, self.next, count);
        self.core.run(&[&[slot]]);
        self.next = (self.next + count as usize) % self.paths;
    }
}

/// Whether a frame would not leave with one neighbor's header, whole.
#[inline(always)]
fn is_torn(verdict: &Verdict) -> u64 {
    match verdict {
        Verdict::Send(route) => is_other(&route.header),
        _ => 1,
    }
}

/// Both halves of a MAC address say the same number; 0 then.
#[inline(always)]
fn is_other(header: &[u32; bank::WORDS as usize]) -> u64 {
    let (first, second) = (header[bank::DESTINATION as usize], header[bank::ADDRESSES as usize]);
    u64::from(((first >> 8) ^ second) & 0xffff)
}

fn neighbor(core: &mut BareCore, number: usize) -> Handle {
    let [low, high, ..] = number.to_le_bytes();
    let state =
        NeighborState { destination: [2, low, high, 2, low, high], ..NeighborState::default() };
    let mut tree = Initiate::new();
    tree.neighbor(&state);
    made(core, tree)[0]
}

fn paths(core: &mut BareCore, neighbors: &[Handle], count: usize) -> Vec<Handle> {
    let mut paths = Vec::with_capacity(count);
    let numbers: Vec<u32> = (0..count as u32).collect();
    for (piece, neighbor) in numbers.chunks(TREE_BLOCKS).zip(neighbors.iter().cycle()) {
        let mut tree = Initiate::with_capacity(piece.len() + 1);
        let mut root = tree.neighbor_linker(*neighbor);
        for &number in piece {
            root.path(&path(number));
        }
        paths.extend(&made(core, tree)[1..]);
    }
    paths
}

fn connections(core: &mut BareCore, paths: impl Iterator<Item = Handle>) -> Vec<Handle> {
    let (mut connections, paths) = (Vec::new(), paths.collect::<Vec<_>>());
    let mut state = ConnectionState::default();
    state.delegated.state = TcpState::ESTABLISHED.0;
    for piece in paths.chunks(TREE_BLOCKS / 2) {
        let mut tree = Initiate::with_capacity(piece.len() * 2);
        for path in piece {
            tree.path_linker_root(*path).connection(&state);
        }
        connections.extend(made(core, tree).iter().skip(1).step_by(2));
    }
    connections
}

/// Runs a tree and gives the handle of each of its blocks.
fn made(core: &mut BareCore, tree: Initiate) -> Vec<Handle> {
    let tree = Tree::from(tree);
    core.run(&[tree.slots()]);
    (0..tree.blocks()).map(|block| core.result(0, block)).collect()
}
