//! What the observer has found: counts, and what it took to find it.

use std::time::Instant;

/// What was counted, and how often each promise was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Frames that crossed the port.
    pub(crate) frames: u64,
    /// Frames that crossed and were judged.
    pub(crate) frames_judged: u64,
    /// Frames that crossed and that a mirror had no room for.
    pub(crate) frames_lost: u64,
    /// Frames whose header is not wholly that of a neighbor their path was linked to.
    pub(crate) frames_mixed: u64,
    /// Frames that left by the old neighbor after the host had seen their relink complete.
    pub(crate) frames_old_after_completion: u64,
    /// Frames that left by the neighbor after the host had seen its invalidate complete.
    pub(crate) frames_while_invalid: u64,
    /// Frames that overtook an earlier one of their path, or came twice.
    pub(crate) frames_out_of_order: u64,
    /// Frames that are none of ours, or whose addresses are not their path's.
    pub(crate) frames_unknown: u64,
    /// Frames of relinked paths that left after the completion: each was checked for the old header.
    pub(crate) checked_after_completion: u64,
    /// Frames that left after the invalidate completed: each was checked for the invalid header.
    pub(crate) checked_while_invalid: u64,
    /// Frames checked for their order: all but the first of each path.
    pub(crate) checked_order: u64,
    /// Relinked paths of which at least one frame left by the new neighbor after the completion.
    pub(crate) paths_seen_after: u32,
    /// Frames that left by each router.
    pub(crate) by_router: Vec<u64>,
    /// Why nothing more is read of a mirror.
    pub(crate) error: Option<String>,
    /// What the judging itself took.
    pub(crate) cost: Cost,
}

/// Wall-clock time that judging took, from a sample of the frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    sampled: u64,
    sampled_ns: u64,
}

/// One frame in so many is timed: looking at the clock takes about as long as judging.
const SAMPLE: u64 = 64;

impl Cost {
    /// Runs `judge` on frame `number`, and takes its time if that is one of the sample.
    pub(super) fn of(number: u64, judge: impl FnOnce()) -> Self {
        if !number.is_multiple_of(SAMPLE) {
            judge();
            return Self::default();
        }
        let before = Instant::now();
        judge();
        Self { sampled: 1, sampled_ns: before.elapsed().as_nanos() as u64 }
    }

    /// Adds what more frames took.
    pub(super) fn add(&mut self, more: Self) {
        self.sampled += more.sampled;
        self.sampled_ns += more.sampled_ns;
    }

    /// Time a frame, in ns; 0 before the first.
    pub(crate) fn ns_per_frame(&self) -> f64 {
        if self.sampled == 0 { 0.0 } else { self.sampled_ns as f64 / self.sampled as f64 }
    }
}

impl Findings {
    /// Frames that crossed and were not judged: who counts promises must count these too.
    pub(crate) fn unseen(&self) -> u64 {
        self.frames_lost.max(self.frames.abs_diff(self.frames_judged))
    }

    /// Whether no promise was broken.
    pub(crate) fn are_clean(&self) -> bool {
        self.frames_mixed == 0
            && self.frames_old_after_completion == 0
            && self.frames_while_invalid == 0
            && self.frames_out_of_order == 0
            && self.frames_unknown == 0
            && self.unseen() == 0
            && self.error.is_none()
    }
}
