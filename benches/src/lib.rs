//! What the benches share: states to offload, and a free-running card with paths on it.
//!
//! Beside the flow. Wall-clock figures of a model: they tell what driver and firmware cost on
//! this machine, never what a card's silicon would. Each bench file opens with its question and
//! the figure that would disappoint us.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use abi::host::handle::Handle;
use host_driver::{Config, Initiate, NeighborState, PathState, Session};
use hw_model::port::CounterPort;
use hw_model::{CardConfig, ModelCard};

/// A neighbor that differs from others in its last byte.
#[must_use]
pub fn neighbor(number: u8) -> NeighborState {
    NeighborState { destination: [0x02, 0, 0, 0, 1, number], ..NeighborState::default() }
}

/// An IPv4 path that differs from others in its destination.
#[must_use]
pub fn path(number: u32) -> PathState {
    PathState {
        source: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10)),
        destination: IpAddr::V4(Ipv4Addr::from(0x0a00_0000 | number)),
        mtu: 1500,
    }
}

/// A tree of one new neighbor with `paths` new paths.
#[must_use]
pub fn tree(paths: u32) -> Initiate {
    let mut tree = Initiate::with_capacity(paths as usize + 1);
    let mut root = tree.neighbor(&neighbor(1));
    for number in 0..paths {
        root.path(&path(number));
    }
    tree
}

/// A session with a free-running card that holds two neighbors and paths under the first.
#[derive(Debug)]
pub struct Offloaded {
    /// The session.
    pub session: Session<ModelCard>,
    /// Both neighbors.
    pub neighbors: [Handle; 2],
    /// The paths, in the order in which they were made.
    pub paths: Vec<Handle>,
}

impl Offloaded {
    /// Offloads `paths` paths on a new card.
    ///
    /// # Panics
    /// When the model refuses what it has room for.
    #[must_use]
    pub fn new(paths: u32) -> Self {
        let (port, _) = CounterPort::new();
        let card = ModelCard::free_running(CardConfig::default(), Box::new(port));
        let session = Session::attach(Arc::clone(&card), &Config::default());
        let session = session.expect("a model card can be attached to");
        let mut tree = tree(paths);
        tree.neighbor(&neighbor(2));
        let outcome = session.run(tree).expect("the card answers");
        let handle = |block| outcome.block(block).handle;
        let last = outcome.blocks() - 1;
        assert_eq!(outcome.failed(), 0, "the tables have room");
        Self {
            neighbors: [handle(0), handle(last)],
            paths: (1..last).map(handle).collect(),
            session,
        }
    }
}
