//! The engine: a whole session with a free-running card, doing the jobs of the floors.
//!
//! Beside the floors. Nothing is left out: handles, statuses, results and fences are all there,
//! and what the card answered is checked after each repetition.

pub mod command;
pub mod lookup;
pub mod offload;
pub mod relink;
pub mod ring;
pub mod threads;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use abi::host::handle::Handle;
use host_driver::{
    Config, Initiate, NeighborState, ObjectState, Outcome, PathState, Query, Session, Terminate,
    Ticket,
};
use hw_model::port::CounterPort;
use hw_model::{CardConfig, ModelCard, OnStart};

use crate::machine::{CARD, HOST, pin, unpin};

/// Blocks of the trees that prepare a case and clear up after it.
const TREE_BLOCKS: usize = 8192;
/// Trees under way at once.
const IN_FLIGHT: usize = 4;
/// Paths asked for their neighbor after each repetition.
const SAMPLE: usize = 64;
/// Our own address.
const SOURCE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
/// Path MTU in bytes.
pub const MTU: u32 = 1500;

/// A session with a free-running card of the default sizes.
#[derive(Debug)]
pub struct Rig {
    /// The session.
    pub session: Session<ModelCard>,
}

impl Default for Rig {
    fn default() -> Self {
        Self::new()
    }
}

impl Rig {
    /// A card on its processor, taken into use from the host's.
    ///
    /// # Panics
    /// When the model cannot be attached to.
    #[must_use]
    pub fn new() -> Self {
        // A card counts the processors that there are for its threads before they go to theirs:
        // one that is made on a single processor takes it for somebody else's, and gives way.
        unpin();
        let (port, _) = CounterPort::new();
        let config = CardConfig { on_start: OnStart::new(|_| pin(CARD)), ..CardConfig::default() };
        let card = ModelCard::free_running(config, Box::new(port));
        pin(HOST);
        let session = Session::attach(Arc::clone(&card), &Config::default());
        Self { session: session.expect("a model card can be attached to") }
    }

    /// Offloads neighbors with these numbers.
    ///
    /// # Panics
    /// When the card refuses one.
    #[must_use]
    pub fn neighbors<const COUNT: usize>(&self, numbers: [u8; COUNT]) -> [Handle; COUNT] {
        let mut tree = Initiate::with_capacity(COUNT);
        for number in numbers {
            tree.neighbor(&neighbor(number));
        }
        let outcome = self.session.run(tree).expect("the card answers");
        assert_eq!(outcome.failed(), 0, "the card has room for neighbors");
        std::array::from_fn(|block| outcome.block(block).handle)
    }

    /// Offloads `count` paths of `neighbor`.
    ///
    /// # Panics
    /// When the card refuses one.
    #[must_use]
    pub fn paths(&self, neighbor: Handle, count: usize) -> Vec<Handle> {
        let mut handles = Vec::with_capacity(count);
        let numbers: Vec<u32> = (0..count as u32).collect();
        for piece in numbers.chunks(TREE_BLOCKS) {
            let mut tree = Initiate::with_capacity(piece.len() + 1);
            let mut root = tree.neighbor_linker(neighbor);
            for &number in piece {
                root.path(&path(number));
            }
            let outcome = self.session.run(tree).expect("the card answers");
            assert_eq!(outcome.failed(), 0, "the card has room for paths");
            handles.extend((1..outcome.blocks()).map(|block| outcome.block(block).handle));
        }
        handles
    }

    /// Terminates paths.
    ///
    /// # Panics
    /// When the card refuses one.
    pub fn terminate(&self, paths: &[Handle]) {
        for piece in paths.chunks(TREE_BLOCKS) {
            let mut tree = Terminate::with_capacity(piece.len());
            for &path in piece {
                tree.path(path);
            }
            let outcome = self.session.run(tree).expect("the card answers");
            assert_eq!(outcome.failed(), 0, "what is on the card can go");
        }
    }

    /// Paths that hang from `neighbor`, by the card's own count.
    ///
    /// # Panics
    /// When the neighbor is not on the card.
    #[must_use]
    pub fn dependents(&self, neighbor: Handle) -> u32 {
        let mut tree = Query::new();
        tree.neighbor(neighbor);
        let outcome = self.session.run(tree).expect("the card answers");
        match outcome.state(0) {
            Some(ObjectState::Neighbor(_, head)) => head.dependents,
            other => panic!("the neighbor is on the card, not {other:?}"),
        }
    }

    /// The neighbor that `path` hangs from.
    ///
    /// # Panics
    /// When the path is not on the card.
    #[must_use]
    pub fn parent(&self, path: Handle) -> Handle {
        let mut tree = Query::new();
        tree.path(path);
        let outcome = self.session.run(tree).expect("the card answers");
        match outcome.state(0) {
            Some(ObjectState::Path(_, head)) => head.parent,
            other => panic!("the path is on the card, not {other:?}"),
        }
    }
}

/// Waits for a tree by looking all the time, and gives what came of it: all of it was done.
fn landed(mut ticket: Ticket<ModelCard>) -> Outcome {
    let answer = loop {
        if let Some(answer) = ticket.poll() {
            break answer;
        }
    };
    let outcome = answer.expect("the card answers");
    assert_eq!(outcome.failed(), 0, "the card does all of it");
    outcome
}

/// Every so many of `count`, so that about [`SAMPLE`] of them are looked at.
fn sample_step(count: usize) -> usize {
    (count / SAMPLE).max(1)
}

/// A neighbor that differs from others in its last byte.
#[must_use]
pub fn neighbor(number: u8) -> NeighborState {
    NeighborState { destination: [0x02, 0, 0, 0, 1, number], ..NeighborState::default() }
}

/// An IPv4 path that differs from others in its destination.
#[must_use]
pub fn path(number: u32) -> PathState {
    PathState {
        source: IpAddr::V4(SOURCE),
        destination: IpAddr::V4(Ipv4Addr::from(0x0a00_0000 | number)),
        mtu: MTU,
    }
}
