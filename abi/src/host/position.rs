//! Ring positions: free-running 32-bit counters over a power-of-two number of slots.
//!
//! Shared by both ends, so that "full" and "phase" are computed by the same functions.
//! The slot of a position is its low bits; the lap bit above them gives the phase.
//! The phase a reader expects is the lap bit inverted, so that zeroed memory reads as empty.

/// A ring's size: a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingSize(u32);

impl RingSize {
    /// The mirror's ring, whose slots are granules.
    pub const MIRROR: Self = Self(super::bench::MIRROR_GRANULES);

    /// A ring of `slots`, or `None` unless it is a power of two within the contract's limits.
    #[must_use]
    pub const fn new(slots: u32) -> Option<Self> {
        if slots.is_power_of_two()
            && slots >= super::limit::RING_SLOTS_MIN
            && slots <= super::limit::RING_SLOTS_MAX
        {
            Some(Self(slots))
        } else {
            None
        }
    }

    /// Number of slots.
    #[inline]
    #[must_use]
    pub const fn slots(self) -> u32 {
        self.0
    }

    /// The slot that a position names.
    #[inline]
    #[must_use]
    pub const fn slot(self, position: u32) -> u32 {
        position & (self.0 - 1)
    }

    /// The phase bit (0 or 1) that an entry written at `position` carries.
    #[inline]
    #[must_use]
    pub const fn phase(self, position: u32) -> u32 {
        (position & self.0 == 0) as u32
    }

    /// Entries between `head` (consumer) and `tail` (producer), or `None` when that is more
    /// than the ring holds: one of the two was not written by an honest end.
    #[inline]
    #[must_use]
    pub const fn used(self, head: u32, tail: u32) -> Option<u32> {
        let used = tail.wrapping_sub(head);
        if used <= self.0 { Some(used) } else { None }
    }

    /// Entries that can be written before the ring is full; 0 when positions make no sense.
    #[inline]
    #[must_use]
    pub const fn free(self, head: u32, tail: u32) -> u32 {
        match self.used(head, tail) {
            Some(used) => self.0 - used,
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phase_flips_every_lap_and_zeroed_memory_reads_as_empty() {
        for slots in [2, 4, 8, 1024] {
            let size = RingSize::new(slots).unwrap();
            assert_eq!(size.phase(0), 1, "the first lap writes 1 over zeroed memory");
            for position in 0..4 * slots {
                assert_eq!(size.phase(position), 1 - size.phase(position + slots));
            }
        }
    }

    #[test]
    fn used_and_free_survive_the_wrap_of_the_counter() {
        let size = RingSize::new(8).unwrap();
        for start in [0, 5, u32::MAX - 3, u32::MAX] {
            for used in 0..=8 {
                let tail = start.wrapping_add(used);
                assert_eq!(size.used(start, tail), Some(used));
                assert_eq!(size.free(start, tail), 8 - used);
            }
            assert_eq!(size.used(start, start.wrapping_add(9)), None);
            assert_eq!(size.free(start, start.wrapping_sub(1)), 0);
        }
    }

    #[test]
    fn a_size_is_a_power_of_two_within_limits() {
        for slots in [0, 1, 3, 6, u32::MAX, 1 << 31] {
            assert_eq!(RingSize::new(slots), None, "{slots}");
        }
    }
}
