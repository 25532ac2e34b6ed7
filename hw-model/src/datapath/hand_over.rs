//! The frames of a batch that is decided about: across the port, then their completions.
//!
//! Second half of [`super::Datapath`]'s work, after [`super::batch`]. What it adds to the counters
//! is added once, before any of the completions is written. It decides nothing.

use abi::host::register::Counter;
use abi::host::status::TransmitStatus;
use abi::host::trace::TraceKind;
use abi::host::transmit::{TransmitCompletion, TransmitDescriptor};

use super::batch::note;
use super::frame::{HEADER_BYTES_MAX, Header};
use super::resolver::Route;
use super::transmit::{TransmitRing, counter_of};
use super::{BatchFrame, Datapath, Fate, Posted, post};
use crate::clock::Clock;
use crate::costs;
use crate::counters::Counters;
use crate::dma::PostedQueue;
use crate::iommu::Window;
use crate::port::Port;
use crate::shared::Shared;

impl Datapath {
    /// Puts the frames of the open batch across the port and closes it.
    pub(crate) fn hand_over(&mut self, window: &Window<'_>, now: u64) {
        if self.batch.is_empty() {
            return;
        }
        let Self { shared, batch, frame, port, rings, completions, .. } = self;
        let mut tally = Tally::default();
        let mut moment = Moment::new(&shared.clock, now);
        let mut crossed = 0;
        for entry in &mut *batch {
            // A card that has failed in the meantime has its port off.
            if !shared.registers.is_ready() {
                break;
            }
            crossed += 1;
            match &entry.fate {
                Fate::Drop(status) => tally.drop(*status),
                Fate::Leave(route) => {
                    moment.pass(&shared.clock, || frame_cycles(entry.descriptor.bytes));
                    match cross(&mut **port, window, &entry.descriptor, route, frame, &moment) {
                        Ok(bytes) => tally.leave(bytes),
                        Err(status) => {
                            tally.drop(status);
                            entry.fate = Fate::Drop(status);
                        }
                    }
                }
            }
            entry.at = moment.at;
        }
        note(shared, now, TraceKind::CROSSED, batch.len() as u32, tally.left as u32);
        // Counted before any of the completions is written.
        tally.add_to(&shared.counters);
        let mut stamp = Stamp { at: now, ms: shared.clock.ms_at(now) };
        for entry in &batch[..crossed] {
            if stamp.at != entry.at {
                stamp = Stamp { at: entry.at, ms: shared.clock.ms_at(entry.at) };
            }
            complete(shared, window, rings, completions, entry, &stamp);
        }
        batch.clear();
        self.needs_flush |= tally.left > 0;
    }
}

/// Cycles that a frame of `bytes` occupies the port's stream, its header included.
fn frame_cycles(bytes: u32) -> u64 {
    let bytes = u64::from(bytes) + HEADER_BYTES_MAX as u64;
    bytes.div_ceil(costs::FRAME_BYTES_PER_CYCLE)
}

/// Builds the frame and hands it to the port. Returns its bytes.
fn cross(
    port: &mut dyn Port,
    window: &Window<'_>,
    descriptor: &TransmitDescriptor,
    route: &Route,
    frame: &mut [u8],
    moment: &Moment,
) -> Result<usize, TransmitStatus> {
    let header = Header::of(route);
    let (head, rest) = frame.split_at_mut(header.bytes().len());
    head.copy_from_slice(header.bytes());
    let payload = rest.get_mut(..descriptor.bytes as usize).ok_or(TransmitStatus::MALFORMED)?;
    window.read_bytes(descriptor.buffer, payload).map_err(|_refusal| TransmitStatus::BUS)?;
    let bytes = head.len() + payload.len();
    let is_taken = port.send(&frame[..bytes], moment.ns);
    is_taken.then_some(bytes).ok_or(TransmitStatus::PORT)
}

/// Sends the completion of a frame that is settled: at once where everything is.
#[inline]
fn complete(
    shared: &Shared,
    window: &Window<'_>,
    rings: &mut [Option<TransmitRing>],
    posted: &mut PostedQueue<Posted>,
    entry: &BatchFrame,
    stamp: &Stamp,
) {
    let Some(ring) = &mut rings[entry.ring] else {
        return;
    };
    ring.promised = ring.promised.saturating_sub(1);
    ring.completions.commit();
    let status = match entry.fate {
        Fate::Leave(_) => TransmitStatus::LEFT,
        Fate::Drop(status) => status,
    };
    let completion = TransmitCompletion {
        tag: entry.descriptor.tag,
        stamp_ms: stamp.ms,
        status: status.0,
        ..Default::default()
    };
    let mut words = [0; 4];
    completion.write(&mut words);
    if shared.clock.is_counted() {
        let cycles = shared.write_cycles(TransmitCompletion::BYTES as u64);
        posted.post(shared.clock.due(entry.at, cycles), (entry.ring, words));
    } else {
        post(shared, window, ring, entry.ring, words);
    }
}

/// The time at which a frame crosses, in the units that are asked for. On a card's own clock it
/// passes with each frame; on the machine's a batch has one.
struct Moment {
    at: u64,
    ns: u64,
}

impl Moment {
    fn new(clock: &Clock, at: u64) -> Self {
        Self { at, ns: clock.ns_at(at) }
    }

    fn pass(&mut self, clock: &Clock, cycles: impl FnOnce() -> u64) {
        if clock.is_counted() {
            *self = Self::new(clock, clock.due(self.at, cycles()));
        }
    }
}

/// The time that a completion carries.
struct Stamp {
    at: u64,
    ms: u32,
}

/// What a batch adds to the counters: added at once, before any of its completions is written.
#[derive(Debug, Default)]
struct Tally {
    left: u64,
    bytes: u64,
    has_dropped: bool,
    dropped: [(u64, TransmitStatus); 8],
}

impl Tally {
    fn leave(&mut self, frame_bytes: usize) {
        self.left += 1;
        self.bytes += frame_bytes as u64;
    }

    #[cold]
    fn drop(&mut self, status: TransmitStatus) {
        self.has_dropped = true;
        if let Some(dropped) = self.dropped.get_mut(usize::from(status.0) - 1) {
            *dropped = (dropped.0 + 1, status);
        }
    }

    fn add_to(&self, counters: &Counters) {
        if self.left > 0 {
            counters.add_own(Counter::FRAMES_LEFT, self.left);
            counters.add_own(Counter::BYTES_LEFT, self.bytes);
        }
        if !self.has_dropped {
            return;
        }
        for (count, status) in self.dropped.iter().filter(|(count, _)| *count > 0) {
            counters.add_own(counter_of(*status), *count);
        }
    }
}
