//! Puts routers and paths on the card, and prepares what moves them.
//!
//! From a [`Plan`] to handles. Paths go down in trees of a bounded size, several under way at a
//! time, so that a million of them need no more memory than a few thousand. Nothing is moved here.

use abi::host::handle::Handle;
use abi::host::status::{Detail, Status};
use host_driver::backing::Backing;
use host_driver::state::{NeighborState, PathState};
use host_driver::{HandleList, Initiate, Outcome, Session};

use super::FailoverError;
use super::plan::Plan;
use crate::pipeline::{self, PIECE};

/// Handles in one list.
const LIST_PATHS: usize = 65_536;
/// MTU of every path.
const PATH_MTU: u32 = 1_500;

/// What is on the card.
#[derive(Debug)]
pub(crate) struct Offloaded {
    /// Handles of the routers.
    pub(crate) neighbors: Vec<Handle>,
    /// Handles of the paths, by their numbers.
    pub(crate) paths: Vec<Handle>,
    /// Time from the first submit to the last completion, on the backing's clock.
    pub(crate) ns: u64,
}

/// Offloads a plan; `progress` is told how many paths are on the card.
///
/// # Errors
/// When the session fails, or the card refuses a router or a path.
pub(crate) fn offload<B: Backing>(
    session: &Session<B>,
    plan: &Plan,
    mut progress: impl FnMut(u64),
) -> Result<Offloaded, FailoverError> {
    let started = session.backing().clock_ns();
    let neighbors = offload_neighbors(session, plan)?;
    let mut paths = vec![Handle::NULL; plan.paths() as usize];
    let mut done = 0;
    let numbers = by_router(plan);
    let chunks = numbers.iter().zip(&neighbors).flat_map(|(numbers, neighbor)| {
        numbers.chunks(PIECE).map(|chunk| Ok((chunk, tree(plan, *neighbor, chunk).into())))
    });
    pipeline::run(session, chunks, |chunk, outcome| {
        for (index, number) in chunk.iter().enumerate() {
            paths[*number as usize] = accepted(&outcome, index + 1, || format!("path {number}"))?;
        }
        done += chunk.len() as u64;
        progress(done);
        Ok::<(), FailoverError>(())
    })?;
    let ns = session.backing().clock_ns() - started;
    Ok(Offloaded { neighbors, paths, ns })
}

fn offload_neighbors<B: Backing>(
    session: &Session<B>,
    plan: &Plan,
) -> Result<Vec<Handle>, FailoverError> {
    let mut tree = Initiate::with_capacity(plan.routers.len());
    for router in &plan.routers {
        tree.neighbor(&NeighborState {
            destination: router.destination,
            source: router.source,
            vlan: router.vlan,
            ..NeighborState::default()
        });
    }
    let outcome = session.run(tree)?;
    let handle = |index| accepted(&outcome, index, || format!("router {}", index + 1));
    (0..plan.routers.len()).map(handle).collect()
}

fn tree(plan: &Plan, neighbor: Handle, numbers: &[u32]) -> Initiate {
    let mut tree = Initiate::with_capacity(numbers.len() + 1);
    let mut neighbor = tree.neighbor_linker(neighbor);
    for number in numbers {
        let (source, destination) = plan.addresses(*number);
        neighbor.path(&PathState { source, destination, mtu: PATH_MTU });
    }
    tree
}

/// Numbers of each router's paths, ascending.
fn by_router(plan: &Plan) -> Vec<Vec<u32>> {
    let shares = plan.shares();
    let mut numbers: Vec<Vec<u32>> =
        shares.iter().map(|share| Vec::with_capacity(*share as usize)).collect();
    for (path, router) in plan.router_of.iter().enumerate() {
        numbers[usize::from(*router)].push(path as u32);
    }
    numbers
}

fn accepted(
    outcome: &Outcome,
    block: usize,
    name: impl FnOnce() -> String,
) -> Result<Handle, FailoverError> {
    let result = outcome.block(block);
    if result.status == Status::SUCCESS {
        return Ok(result.handle);
    }
    let detail = if result.status.is_done() { 0 } else { result.detail };
    Err(FailoverError::Refused { name: name(), status: result.status, detail: Detail(detail) })
}

/// Lists of the paths of `router`, each with the number below which its paths lie; in order.
///
/// # Errors
/// When there is no DMA memory for them.
pub(crate) fn lists<B: Backing>(
    session: &Session<B>,
    plan: &Plan,
    router: u16,
    paths: &[Handle],
) -> Result<Vec<(HandleList, u32)>, FailoverError> {
    let numbers = by_router(plan).swap_remove(usize::from(router));
    let mut lists = Vec::with_capacity(numbers.len().div_ceil(LIST_PATHS));
    for chunk in numbers.chunks(LIST_PATHS) {
        let mut list = session.handle_list(chunk.len())?;
        let handles = chunk.iter().map(|number| paths[*number as usize]);
        list.extend(handles).expect("the list was made for this chunk");
        lists.push((list, chunk[chunk.len() - 1] + 1));
    }
    Ok(lists)
}
