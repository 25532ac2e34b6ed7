//! Runs a property over seeds that are printed and can be given back.
//!
//! `FLUE_SEED` is the first seed (default 1), `FLUE_CASES` how many follow it. A failure names
//! the seed that repeats it; proptest has made the input small by then.

use std::fmt::Debug;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// Tries `property` on `cases` inputs, each from a seed of its own.
pub(crate) fn for_each_seed<S: Strategy>(
    name: &str,
    cases: u64,
    strategy: &S,
    property: impl Fn(S::Value),
) where
    S::Value: Debug,
{
    let first = from_environment("FLUE_SEED").unwrap_or(1);
    let cases = from_environment("FLUE_CASES").unwrap_or(cases);
    println!("{name}: seeds {first} to {}", first + cases - 1);
    for seed in first..first + cases {
        let config = Config {
            cases: 1,
            failure_persistence: None,
            max_shrink_iters: 4_000,
            ..Config::default()
        };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let tried = runner.run(strategy, |input| {
            property(input);
            Ok::<(), TestCaseError>(())
        });
        if let Err(failure) = tried {
            panic!("{name}: FLUE_SEED={seed} FLUE_CASES=1 repeats this: {failure}");
        }
    }
}

fn from_environment(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text}: a number was expected")))
}
