//! What the bench files share: short measurements, and figures that are an object's.
//!
//! All benches together end within minutes on two processors; who wants the last percent asks
//! `side-by-side`, which takes turns and rejects what was disturbed.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};

const WARM_UP: Duration = Duration::from_millis(200);
const MEASUREMENT: Duration = Duration::from_millis(600);
const SAMPLES: usize = 10;

/// Criterion for many short benches.
pub(crate) fn brief() -> Criterion {
    let criterion = Criterion::default().warm_up_time(WARM_UP).measurement_time(MEASUREMENT);
    criterion.sample_size(SAMPLES).configure_from_args()
}

/// Benches a repetition that tells itself how many ns each of its `objects` took.
#[allow(dead_code, reason = "not every bench file has objects")]
pub(crate) fn objects(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    objects: usize,
    mut once: impl FnMut() -> f64,
) {
    group.throughput(Throughput::Elements(objects as u64));
    group.bench_function(name, |bench| {
        bench.iter_custom(|iterations| {
            let ns: f64 = (0..iterations).map(|_| once() * objects as f64).sum();
            Duration::from_nanos(ns as u64)
        });
    });
}

/// The word for so many.
#[allow(dead_code, reason = "not every bench file has sizes")]
pub(crate) fn count(number: usize) -> String {
    match number {
        1_000_000.. => format!("{}M", number / 1_000_000),
        1_000.. => format!("{}k", number / 1_000),
        _ => number.to_string(),
    }
}
