//! Chance by a seed: what a bus that is not always ready does in each clock.

/// A small generator (xorshift64*, Vigna 2016), the same for the same seed everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The generator of `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        // Nothing but zeros would stay so.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`; 0 for an `end` of 0.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32;
        ((u64::from(drawn) * u64::from(end)) >> 32) as u32
    }

    /// Whether something happens that does so `times` times out of 256.
    pub(crate) fn is_hit(&mut self, times: u32) -> bool {
        times > 0 && self.below(256) < times
    }
}
