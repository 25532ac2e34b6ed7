//! Relinking N paths by list, in order and shuffled.

use super::{Tell, middle, sizes};
use crate::engine::relink::Relink;
use crate::floor::relink::{Floor, Order, PATHS};
use crate::turns::{Plan, Series, samples};

/// Measures all sizes in both orders.
pub fn run(plan: &Plan, tell: &mut Tell<'_>) {
    let mut floor = Floor::new();
    for size in sizes(plan, PATHS) {
        let mut engine = Relink::new(size);
        for order in [Order::InOrder, Order::Shuffled] {
            let numbers = order.numbers(size);
            let case = format!("list/{}/{size}", order.word());
            let series = vec![
                Series::new("floor", || middle(size, || floor.relink(&numbers))),
                Series::new("flue", || middle(size, || engine.relink(&numbers))),
            ];
            tell(samples(("relink", &case, "ns/path"), plan, series));
        }
    }
}
