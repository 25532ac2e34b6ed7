//! Seeds that are printed and can be given back, and the numbers that follow from one.
//!
//! `FLUE_SEED` is the first seed (default 1), `FLUE_CASES` how many follow it; a failure names
//! the seed that repeats it.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Tries `property` on `cases` seeds.
pub(crate) fn for_each_seed(name: &str, cases: u64, mut property: impl FnMut(&mut Random)) {
    let first = from_environment("FLUE_SEED").unwrap_or(1);
    let cases = from_environment("FLUE_CASES").unwrap_or(cases);
    println!("{name}: seeds {first} to {}", first + cases - 1);
    for seed in first..first + cases {
        let tried = catch_unwind(AssertUnwindSafe(|| property(&mut Random(seed))));
        if let Err(failure) = tried {
            eprintln!("{name}: FLUE_SEED={seed} FLUE_CASES=1 repeats this");
            resume_unwind(failure);
        }
    }
}

/// Whether the whole number of cases is run, so that what they meet can be asked for.
pub(crate) fn is_whole_run() -> bool {
    std::env::var_os("FLUE_CASES").is_none()
}

fn from_environment(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text}: a number was expected")))
}

/// SplitMix64: good enough for programs, and the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn word(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 32) as u32
    }

    /// One of a range that is not empty.
    pub(crate) fn within(&mut self, range: Range<u32>) -> u32 {
        range.start + self.word() % (range.end - range.start)
    }

    /// One of several.
    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.word() as usize % choices.len()]
    }
}
