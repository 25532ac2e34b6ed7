//! Asks the card, after the fail-over, what it now holds.
//!
//! The observer has judged the frames; this judges the tables, by query only: where a sample of
//! the moved paths hangs, how many paths the successor has, that the old router is gone, and (the
//! driver's audit) that card and host agree on every object.

use std::time::{Duration, Instant};

use abi::host::handle::Handle;
use abi::host::status::Status;
use host_driver::backing::Backing;
use host_driver::state::ObjectState;
use host_driver::{Query, Session};

use super::FailoverError;
use super::plan::Plan;

/// Moved paths that are queried.
const SAMPLE: usize = 256;

/// What the card said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checks {
    /// Moved paths queried, and those of them that hang from the successor.
    pub(crate) queried: u32,
    pub(crate) queried_right: u32,
    /// Paths that the successor should have, and those it has.
    pub(crate) successor_expected: u32,
    pub(crate) successor_paths: u32,
    /// The old router's handle is stale.
    pub(crate) is_old_gone: bool,
    /// Objects that card and host compared, and those on which they differ.
    pub(crate) audited: u64,
    pub(crate) audit_differences: u64,
    /// Wall-clock time that all this took.
    pub(crate) took: Duration,
}

/// Compares the card's tables with what the fail-over from one router to the other should have
/// left.
///
/// # Errors
/// When the session fails.
pub(crate) fn verify<B: Backing>(
    session: &Session<B>,
    plan: &Plan,
    (failed, successor): (u16, u16),
    neighbors: &[Handle],
    paths: &[Handle],
) -> Result<Checks, FailoverError> {
    let started = Instant::now();
    let shares = plan.shares();
    let (moved, kept) = (shares[usize::from(failed)], shares[usize::from(successor)]);
    let (old, new) = (neighbors[usize::from(failed)], neighbors[usize::from(successor)]);
    let mut checks = Checks { successor_expected: moved + kept, ..Checks::default() };

    let mut tree = Query::new();
    let old_block = tree.neighbor(old);
    let new_block = tree.neighbor(new);
    let stride = (moved as usize).div_ceil(SAMPLE).max(1);
    let of_failed = (0..plan.paths()).filter(|path| plan.router_of[*path as usize] == failed);
    let sample: Vec<usize> =
        of_failed.step_by(stride).map(|path| tree.path(paths[path as usize])).collect();
    let outcome = session.run(tree)?;

    checks.is_old_gone = outcome.block(old_block).status == Status::STALE_HANDLE;
    if let Some(ObjectState::Neighbor(_, head)) = outcome.state(new_block) {
        checks.successor_paths = head.dependents;
    }
    for block in sample {
        checks.queried += 1;
        let state = outcome.state(block);
        let is_right = matches!(state, Some(ObjectState::Path(_, head)) if head.parent == new);
        checks.queried_right += u32::from(is_right);
    }
    let audit = session.audit(usize::MAX)?;
    checks.audited = audit.checked as u64;
    checks.audit_differences = audit.different as u64;
    checks.took = started.elapsed();
    Ok(checks)
}
