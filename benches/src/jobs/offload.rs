//! Offloading N paths.

use super::{Tell, middle, sizes};
use crate::engine::offload::Offload;
use crate::floor::relink::{Floor, Order, PATHS};
use crate::turns::{Plan, Series, samples};

/// Measures all sizes.
pub fn run(plan: &Plan, tell: &mut Tell<'_>) {
    let mut floor = Floor::new();
    for size in sizes(plan, PATHS) {
        let mut engine = Offload::new(size);
        let numbers = Order::InOrder.numbers(size);
        let series = vec![
            Series::new("floor", || middle(size, || floor.offload(&numbers))),
            Series::new("flue", || middle(size, || engine.offload())),
        ];
        tell(samples(("offload", &format!("path/{size}"), "ns/object"), plan, series));
    }
}
