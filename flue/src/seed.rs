//! A small generator of numbers whose sequence is part of the program's behaviour.
//!
//! Whoever gives the same `--seed` gets the same paths, routers and traffic, with every later
//! version of every dependency; therefore the generator is written down here (SplitMix64, Steele,
//! Lea and Flood, OOPSLA 2014). Not for secrets.

/// Odd constant by which the state advances: 2^64 divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes `value` into 64 bits that look random; the same for the same `value`, always.
pub(crate) const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(STEP);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

/// A number in `0..1` for `value` under `seed`.
pub(crate) fn fraction(seed: u64, value: u64) -> f64 {
    const BITS: u32 = 53;
    (mix(seed ^ mix(value)) >> (u64::BITS - BITS)) as f64 / (1_u64 << BITS) as f64
}

/// A step that is coprime to `length`: repeated from any start it visits every index once.
pub(crate) fn coprime_step(seed: u64, length: u64) -> u64 {
    if length <= 2 {
        return 1;
    }
    let mut step = mix(seed) % length;
    while common_divisor(step, length) != 1 {
        step = (step + 1) % length;
    }
    step
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coprime_step_visits_every_index_once() {
        for length in [1, 2, 3, 4, 12, 100, 1021] {
            let step = coprime_step(7, length);
            let mut seen = vec![false; length as usize];
            let mut index = 0;
            for _ in 0..length {
                assert!(!seen[index as usize], "{index} twice with length {length}");
                seen[index as usize] = true;
                index = (index + step) % length;
            }
        }
    }

    #[test]
    fn fractions_lie_in_the_unit_interval_and_depend_on_the_seed() {
        for value in 0..1000 {
            assert!((0.0..1.0).contains(&fraction(1, value)));
        }
        assert_ne!(fraction(1, 5), fraction(2, 5));
    }
}
