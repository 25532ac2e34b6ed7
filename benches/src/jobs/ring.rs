//! 64-byte slots through a ring, in bursts, on one processor and on two.

use super::Tell;
use crate::engine::ring::engine;
use crate::floor::ring::{index, slot};
use crate::peer::queues::{ringbuf, rtrb};
use crate::ring::{Place, through};
use crate::turns::{Plan, Series, samples};

/// Slots of a burst.
const BURSTS: [usize; 3] = [1, 8, 32];
/// Slots of a repetition.
const ELEMENTS: u64 = 500_000;
/// Slots of a repetition that is to be quick.
const ELEMENTS_QUICK: u64 = 100_000;

/// Measures all bursts in both places.
pub fn run(plan: &Plan, tell: &mut Tell<'_>) {
    let count = if plan.is_quick { ELEMENTS_QUICK } else { ELEMENTS };
    for place in [Place::TwoCores, Place::SameCore] {
        for burst in BURSTS {
            let case = format!("{}/burst_{burst}", place.word());
            let series = vec![
                Series::new("flue", || through(engine(), place, burst, count)),
                Series::new("index floor", || through(index(), place, burst, count)),
                Series::new("slot floor", || through(slot(), place, burst, count)),
                Series::new("ringbuf", || through(ringbuf(), place, burst, count)),
                Series::new("rtrb", || through(rtrb(), place, burst, count)),
            ];
            tell(samples(("ring", &case, "ns/slot"), plan, series));
        }
    }
}
