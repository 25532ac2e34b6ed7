//! Several trees under way at a time, so that host and card work at the same time.
//!
//! Between the jobs that have many trees and the session. Trees go down in order; each outcome is
//! handed on in that order, and while it is looked at the card has the next ones.

use std::collections::VecDeque;

use host_driver::backing::Backing;
use host_driver::{Outcome, Session, Ticket, Tree};

/// Objects of one tree: enough that a tree costs little beside them, few enough that host and card
/// work at the same time.
pub(crate) const PIECE: usize = 4_096;
/// Trees under way at a time.
const TREES_UNDER_WAY: usize = 4;

/// Submits every tree on command ring 0, and gives `settle` what came of each, with what the
/// caller has to say of it.
///
/// # Errors
/// When the session fails, making a tree does, or `settle` does; what is under way is given up then.
pub(crate) fn run<B: Backing, T, E: From<host_driver::Error>>(
    session: &Session<B>,
    trees: impl IntoIterator<Item = Result<(T, Tree), E>>,
    mut settle: impl FnMut(T, Outcome) -> Result<(), E>,
) -> Result<(), E> {
    let mut under_way: VecDeque<(T, Ticket<B>)> = VecDeque::with_capacity(TREES_UNDER_WAY);
    for tree in trees {
        if under_way.len() == TREES_UNDER_WAY
            && let Some((about, ticket)) = under_way.pop_front()
        {
            settle(about, ticket.wait()?)?;
        }
        let (about, tree) = tree?;
        under_way.push_back((about, session.submit(tree)?));
    }
    under_way.into_iter().try_for_each(|(about, ticket)| settle(about, ticket.wait()?))
}
