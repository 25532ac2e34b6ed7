//! Benches for tests that run side by side.
//!
//! Between the suite and `BenchRig`, which has one card at a time: each test takes a bench that is
//! free, or has another one made, and leaves it as it is.

use std::sync::{Mutex, PoisonError};

use host_driver::backing::{Backing, Registers};
use hw_model::bench::BenchRig;
use hw_model::conformance::{Body, Needs, Rig, Unfit};

/// Benches that were made so far, and how another one is.
pub(crate) struct Benches<B, R> {
    made: Mutex<Vec<BenchRig<B, R>>>,
    make: fn() -> BenchRig<B, R>,
}

impl<B, R> Benches<B, R> {
    /// None yet.
    pub(crate) const fn new(make: fn() -> BenchRig<B, R>) -> Self {
        Self { made: Mutex::new(Vec::new()), make }
    }
}

impl<B: Backing, R: Registers> Benches<B, R> {
    /// A card on a bench that is free.
    pub(crate) fn power_on(&self, needs: &Needs) -> Result<Body<B>, Unfit> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        for bench in made.iter() {
            match bench.power_on(needs) {
                Err(Unfit(why)) if why.starts_with("a second card") => {}
                answer => return answer,
            }
        }
        let bench = (self.make)();
        let body = bench.power_on(needs);
        made.push(bench);
        body
    }
}
