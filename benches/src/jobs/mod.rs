//! The jobs of `side-by-side`: which cases there are, and who takes part.
//!
//! From the command line to `turns`. Each gives its lines to the caller as they are measured.

pub mod command;
pub mod kernel;
pub mod lookup;
pub mod offload;
pub mod relink;
pub mod ring;
pub mod threads;

use crate::turns::{Plan, Report};

/// Takes a line.
pub type Tell<'a> = dyn FnMut(Vec<Report>) + 'a;

/// Objects of a turn at the least: smaller cases are repeated within it.
const OBJECTS_MIN: usize = 300_000;
/// Repetitions within a turn, and the fewest.
const REPEATS: [usize; 2] = [15, 1];

/// The middle figure of some repetitions, as many as `count` objects ask for. One before them does
/// not count: it brings back into the caches what the series before it drove out.
fn middle(count: usize, mut once: impl FnMut() -> f64) -> f64 {
    let [most, fewest] = REPEATS;
    let repeats = (OBJECTS_MIN / count).clamp(fewest, most);
    once();
    let figures: Vec<f64> = (0..repeats).map(|_| once()).collect();
    crate::turns::median(&figures)
}

/// What `plan` asks for, or less when it is to be quick.
fn sizes(plan: &Plan, most: usize) -> impl Iterator<Item = usize> {
    plan.sizes.iter().copied().filter(move |size| *size <= most)
}
