//! A card with paths on it, for benches that look at one stage.
//!
//! Beside the flow.

use std::sync::Arc;

use abi::host::handle::Handle;
use host_driver::{Config, Initiate, Session};
use hw_model::port::CounterPort;
use hw_model::{CardConfig, ModelCard};

use crate::engine::{neighbor, path};

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
