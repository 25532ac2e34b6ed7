//! One session, many threads that submit.

use super::Tell;
use crate::engine::threads::Threads;
use crate::turns::{Plan, Series, samples};

/// Threads that submit.
const THREADS: [usize; 4] = [1, 2, 4, 8];
/// Commands of a repetition.
const COMMANDS: usize = 20_000;
/// Commands of a repetition that is to be quick.
const COMMANDS_QUICK: usize = 4_000;

/// Measures all numbers of threads.
pub fn run(plan: &Plan, tell: &mut Tell<'_>) {
    let count = if plan.is_quick { COMMANDS_QUICK } else { COMMANDS };
    let mut engine = Threads::new(THREADS[THREADS.len() - 1]);
    for threads in THREADS {
        let series = vec![Series::new("flue", || engine.update(threads, count))];
        tell(samples(("threads", &format!("update/{threads}"), "ns/command"), plan, series));
    }
}
