//! Orders and keys that look random and are the same in every run.
//!
//! Beside the flow: floor, engine and peers of a case are given the same ones.

/// Marsaglia's xorshift, 64 bits.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// Starts from `seed`, which is not 0.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    #[inline(always)]
    pub const fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// The next number below `end`.
    #[inline(always)]
    pub const fn below(&mut self, end: u64) -> u64 {
        self.draw() % end
    }
}

/// The numbers below `count`, shuffled.
#[must_use]
pub fn shuffled(count: usize, seed: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    let mut chance = Chance::new(seed);
    for last in (1..count).rev() {
        order.swap(last, chance.below(last as u64 + 1) as usize);
    }
    order
}
