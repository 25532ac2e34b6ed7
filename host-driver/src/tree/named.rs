//! Query, invalidate and terminate trees: objects named by handle.
//!
//! Block numbers are in the order of the calls. Terminate sends connections first, then paths,
//! then neighbors, so that dependents go before what they hang from.

use abi::host::command::{Flag, Opcode};
use abi::host::completion::{CONNECTION_RECORD_BYTES, STATE_RECORD_BYTES};
use abi::host::handle::Handle;
use abi::host::status::Kind;

use super::{Slots, Tree};

/// Builds a query tree: all three classes of every object come back.
#[derive(Debug, Default)]
pub struct Query {
    named: Vec<(Kind, Handle)>,
}

/// Builds an invalidate tree.
#[derive(Debug, Default)]
pub struct Invalidate {
    named: Vec<(Kind, Handle)>,
}

/// Builds a terminate tree: the delegated state of every object comes back.
#[derive(Debug, Default)]
pub struct Terminate {
    named: Vec<(Kind, Handle)>,
}

macro_rules! naming {
    ($builder:ident, $what:literal) => {
        impl $builder {
            /// An empty tree.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            /// An empty tree with room for `blocks` blocks.
            #[must_use]
            pub fn with_capacity(blocks: usize) -> Self {
                Self { named: Vec::with_capacity(blocks) }
            }

            #[doc = concat!("Names a neighbor to ", $what, "; gives its block number.")]
            pub fn neighbor(&mut self, handle: Handle) -> usize {
                self.object(Kind::NEIGHBOR, handle)
            }

            #[doc = concat!("Names a path to ", $what, "; gives its block number.")]
            pub fn path(&mut self, handle: Handle) -> usize {
                self.object(Kind::PATH, handle)
            }

            #[doc = concat!("Names a connection to ", $what, "; gives its block number.")]
            pub fn connection(&mut self, handle: Handle) -> usize {
                self.object(Kind::CONNECTION, handle)
            }

            #[doc = concat!("Names an object of any kind to ", $what, "; gives its block number.")]
            pub fn object(&mut self, kind: Kind, handle: Handle) -> usize {
                self.named.push((kind, handle));
                self.named.len() - 1
            }
        }
    };
}

naming!(Query, "query");
naming!(Invalidate, "invalidate");
naming!(Terminate, "terminate");

impl From<Query> for Tree {
    fn from(tree: Query) -> Self {
        let order = 0..tree.named.len() as u32;
        named_tree(Opcode::QUERY, &tree.named, order, state_bytes)
    }
}

impl From<Invalidate> for Tree {
    fn from(tree: Invalidate) -> Self {
        let mut slots = Slots::new(Opcode::INVALIDATE, tree.named.len());
        for (kind, handle) in tree.named {
            slots.block(kind, Flag::ROOT.0, handle, |_| {});
        }
        slots.seal(None)
    }
}

impl From<Terminate> for Tree {
    fn from(tree: Terminate) -> Self {
        let mut order: Vec<u32> = (0..tree.named.len() as u32).collect();
        order.sort_by_key(|&block| core::cmp::Reverse(tree.named[block as usize].0));
        named_tree(Opcode::TERMINATE, &tree.named, order, terminate_bytes)
    }
}

const fn state_bytes(kind: Kind) -> u32 {
    if kind.0 == Kind::CONNECTION.0 { CONNECTION_RECORD_BYTES } else { STATE_RECORD_BYTES }
}

/// A path has no delegated variables, so nothing comes back for one.
const fn terminate_bytes(kind: Kind) -> u32 {
    if kind.0 == Kind::PATH.0 { 0 } else { state_bytes(kind) }
}

/// `order` gives, record by record, which block it answers.
fn named_tree(
    opcode: Opcode,
    named: &[(Kind, Handle)],
    order: impl IntoIterator<Item = u32>,
    bytes: fn(Kind) -> u32,
) -> Tree {
    let mut slots = Slots::new(opcode, named.len());
    let mut states = vec![(0, 0); named.len()];
    for block in order {
        let (kind, handle) = named[block as usize];
        let record = slots.blocks();
        slots.block(kind, Flag::ROOT.0, handle, |_| {});
        states[block as usize] = (bytes(kind), record);
    }
    slots.seal(Some(states))
}
