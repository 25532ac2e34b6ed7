//! One batch: announce, resolve what waits and what is new, hand all of it to the port.
//!
//! The body of [`super::Datapath`]. Held frames are looked at first, then newcomers, so that
//! frames of one path keep their order; a newcomer whose path has frames waiting goes behind
//! them. It fetches no descriptors and writes no completion ring.

use abi::core::Notice;
use abi::host::handle::Handle;
use abi::host::limit::RESOLVE_BATCH;
use abi::host::register::{Counter, TRANSMIT_RING_FIRST};
use abi::host::status::{Kind, TransmitStatus};
use abi::host::trace::{TraceKind, TraceWriter};
use abi::host::transmit::{PROGRESS, TransmitCompletion, TransmitDescriptor};

use super::frame::Header;
use super::hold::HeldFrame;
use super::reachability::{credit, is_stale};
use super::resolver::{QueueKey, Resolver, Route, Verdict};
use super::transmit::{counter_of, is_well_formed};
use super::{BatchFrame, BatchSize, Datapath, Fate, RETRIES_MAX};
use crate::costs;
use crate::iommu::Window;
use crate::shared::Shared;
use crate::trace::Happening;

impl Datapath {
    /// Announces the epoch, if a new one was raised, between two batches: everything resolved
    /// earlier has crossed the port. Returns whether there is one.
    pub(crate) fn announce(&mut self, now: u64) -> bool {
        let Self { reader, hold, shared, .. } = &mut *self;
        let has_new_epoch = reader.begin(&shared.epochs, |epoch| {
            // Before the announcement: who sees that epoch announced sees these at 0, and knows
            // that what the epoch releases may still be in the pool.
            hold.unsettle();
            show_settled(shared, hold);
            note(shared, now, TraceKind::ANNOUNCED, 0, epoch);
        });
        if has_new_epoch {
            self.begin_pass(now);
        }
        has_new_epoch
    }

    /// Held frames are looked at anew from here on.
    fn begin_pass(&mut self, now: u64) {
        self.starved = Default::default();
        self.last_pass_ms = self.shared.clock.ms_at(now);
        self.shared.core_sleeper.wake();
    }

    /// Opens a batch: announces the epoch, then decides what becomes of its frames.
    pub(crate) fn resolve(&mut self, now: u64) -> BatchSize {
        let now_ms = self.shared.clock.ms_at(now);
        self.announce(now);
        if !self.hold.is_in_pass() && self.is_rescan_due(now) {
            self.hold.rescan();
            self.begin_pass(now);
        }
        let retried = self.retry(now_ms);
        let held = self.hold.len();
        let fresh = self.admit(now, now_ms, RESOLVE_BATCH - retried);
        if retried + fresh > 0 {
            note(&self.shared, now, TraceKind::RESOLVED, retried + fresh, self.reader.announced());
            let more = self.hold.len() - held;
            if more > 0 {
                note(&self.shared, now, TraceKind::HELD, more as u32, 0);
            }
            self.show_held();
        }
        self.size(retried, fresh)
    }

    /// Puts the frames of the open batch across the port and closes it.
    pub(crate) fn hand_over(&mut self, window: &Window<'_>, now: u64) {
        if self.batch.is_empty() {
            return;
        }
        let mut tally = Tally::default();
        let mut batch = std::mem::take(&mut self.batch);
        let frames = batch.len();
        let mut frame = std::mem::take(&mut self.frame);
        let shared = std::sync::Arc::clone(&self.shared);
        let mut at = now;
        for entry in batch.drain(..) {
            // A card that has failed in the meantime has its port off.
            if !shared.registers.is_ready() {
                break;
            }
            let status = match &entry.fate {
                Fate::Drop(status) => *status,
                Fate::Leave(route) => {
                    let cycles = frame_cycles(entry.descriptor.bytes);
                    at = shared.clock.due(at, cycles);
                    self.cross(window, &entry.descriptor, route, &mut frame, at)
                }
            };
            tally.count(status, frame.len() as u64);
            self.complete(&entry, status, at);
        }
        batch.clear();
        note(&shared, now, TraceKind::CROSSED, frames as u32, tally.left as u32);
        tally.add_to(&shared.counters);
        self.needs_flush |= tally.left > 0;
        (self.batch, self.frame) = (batch, frame);
    }

    /// Looks again at held frames, the oldest first, as far as the pass goes in one batch.
    fn retry(&mut self, now_ms: u32) -> u32 {
        let mut looked = 0;
        while looked < RETRIES_MAX {
            let Some((at, held)) = self.hold.next() else {
                break;
            };
            looked += 1;
            self.look_at(at, held, now_ms);
        }
        looked
    }

    fn look_at(&mut self, at: u32, held: HeldFrame, now_ms: u32) {
        let HeldFrame { ring, descriptor } = held;
        let Some(room) = self.rings[ring].as_ref().map(|ring| ring.room(&self.shared)) else {
            // Its ring was stopped: nobody waits for its completion.
            self.hold.remove(at);
            return;
        };
        if room == 0 {
            self.starved[ring] = true;
            return;
        }
        let fate = match self.verdict(&descriptor) {
            Verdict::Hold { queue, is_invalid, .. } => {
                self.hold.keep(at, queue);
                self.notice_held(&descriptor, is_invalid, now_ms);
                return;
            }
            Verdict::Send(route) if descriptor.bytes > route.mtu => {
                Fate::Drop(TransmitStatus::PATH_MTU)
            }
            Verdict::Send(_) if !self.hold.is_front(at) => {
                // The frame before it had no completion slot when this pass came by: it is not
                // settled, and goes in a later pass.
                self.starved[ring] = true;
                return;
            }
            Verdict::Send(route) => self.leave(&descriptor, route, now_ms),
            Verdict::Stale => Fate::Drop(TransmitStatus::STALE_HANDLE),
            Verdict::Upload => Fate::Drop(TransmitStatus::UPLOAD_IN_PROGRESS),
        };
        self.hold.remove(at);
        self.put(ring, descriptor, fate);
    }

    /// Takes up to `budget` new frames, from the rings in turn.
    fn admit(&mut self, now: u64, now_ms: u32, budget: u32) -> u32 {
        let mut taken = 0;
        for i in 0..self.rings.len() {
            let ring = (self.turn + i) % self.rings.len();
            let Some(at) = &self.rings[ring] else {
                continue;
            };
            let mut room = at.room(&self.shared);
            while taken < budget && room > 0 {
                let at = self.rings[ring].as_mut();
                let Some(descriptor) = at.and_then(|ring| ring.take_ready(now)) else {
                    break;
                };
                taken += 1;
                room -= u32::from(self.admit_one(ring, descriptor, now_ms));
            }
        }
        self.turn = (self.turn + 1) % self.rings.len();
        taken
    }

    /// Decides about a new frame. Returns whether it will need a completion slot now.
    fn admit_one(&mut self, ring: usize, descriptor: TransmitDescriptor, now_ms: u32) -> bool {
        if !is_well_formed(&descriptor) {
            self.put(ring, descriptor, Fate::Drop(TransmitStatus::MALFORMED));
            return true;
        }
        let (queue, mtu, is_invalid) = match self.verdict(&descriptor) {
            Verdict::Hold { queue, mtu, is_invalid } => (queue, mtu, is_invalid),
            Verdict::Send(route) => {
                let queue = QueueKey::Path(route.path);
                if !self.hold.has_queue(queue) && descriptor.bytes <= route.mtu {
                    let fate = self.leave(&descriptor, route, now_ms);
                    self.put(ring, descriptor, fate);
                    return true;
                }
                (queue, route.mtu, false)
            }
            Verdict::Stale => {
                self.put(ring, descriptor, Fate::Drop(TransmitStatus::STALE_HANDLE));
                return true;
            }
            Verdict::Upload => {
                self.put(ring, descriptor, Fate::Drop(TransmitStatus::UPLOAD_IN_PROGRESS));
                return true;
            }
        };
        if descriptor.bytes > mtu {
            self.put(ring, descriptor, Fate::Drop(TransmitStatus::PATH_MTU));
            return true;
        }
        if self.hold.push(HeldFrame { ring, descriptor }, queue).is_err() {
            self.put(ring, descriptor, Fate::Drop(TransmitStatus::HOLD_FULL));
            return true;
        }
        self.shared.counters.add(Counter::FRAMES_HELD, 1);
        self.notice_held(&descriptor, is_invalid, now_ms);
        false
    }

    #[inline]
    fn verdict(&self, descriptor: &TransmitDescriptor) -> Verdict {
        let Some(layout) = &self.shared.layout else {
            return Verdict::Stale;
        };
        Resolver::new(&*self.table, layout, &self.shared.config.capabilities)
            .resolve(Handle(descriptor.handle))
    }

    /// A frame is going to leave by `route`: reachability takes note.
    fn leave(&mut self, descriptor: &TransmitDescriptor, route: Route, now_ms: u32) -> Fate {
        if let Some(layout) = &self.shared.layout {
            if descriptor.flags & PROGRESS != 0 {
                let stamp = descriptor.progress_ms;
                let is_credited = credit(&*self.table, layout, &route, stamp, now_ms);
                let counter =
                    if is_credited { Counter::PROGRESS_CREDITED } else { Counter::PROGRESS_STALE };
                self.shared.counters.add(counter, 1);
            }
            if self.stale_ms != 0
                && is_stale(&*self.table, layout, &route, self.stale_ms, now_ms)
                && self.noticed_neighbors.pass(route.neighbor, now_ms)
            {
                let neighbor = Handle::new(Kind::NEIGHBOR, route.neighbor, route.generation);
                self.notice(Notice::Stale(neighbor));
            }
        }
        Fate::Leave(route)
    }

    fn notice_held(&mut self, descriptor: &TransmitDescriptor, is_invalid: bool, now_ms: u32) {
        let handle = Handle(descriptor.handle);
        if is_invalid
            && handle.kind() == Kind::CONNECTION
            && self.noticed_connections.pass(handle.index(), now_ms)
        {
            self.notice(Notice::Held(handle));
        }
    }

    fn put(&mut self, ring: usize, descriptor: TransmitDescriptor, fate: Fate) {
        if let Some(at) = &mut self.rings[ring] {
            at.promised += 1;
        }
        self.batch.push(BatchFrame { ring, descriptor, fate });
    }

    /// Builds the frame and hands it to the port.
    fn cross(
        &mut self,
        window: &Window<'_>,
        descriptor: &TransmitDescriptor,
        route: &Route,
        frame: &mut Vec<u8>,
        at: u64,
    ) -> TransmitStatus {
        let header = Header::of(route);
        let bytes = header.bytes();
        frame.resize(bytes.len() + descriptor.bytes as usize, 0);
        frame[..bytes.len()].copy_from_slice(bytes);
        if window.read_bytes(descriptor.buffer, &mut frame[bytes.len()..]).is_err() {
            return TransmitStatus::BUS;
        }
        if self.port.send(frame, self.shared.clock.ns_at(at)) {
            TransmitStatus::LEFT
        } else {
            TransmitStatus::PORT
        }
    }

    fn complete(&mut self, entry: &BatchFrame, status: TransmitStatus, at: u64) {
        let Some(ring) = &mut self.rings[entry.ring] else {
            return;
        };
        ring.promised = ring.promised.saturating_sub(1);
        ring.completions.commit();
        let completion = TransmitCompletion {
            tag: entry.descriptor.tag,
            stamp_ms: self.shared.clock.ms_at(at),
            status: status.0,
            ..Default::default()
        };
        let mut words = [0; 4];
        completion.write(&mut words);
        let cycles = self.shared.write_cycles(TransmitCompletion::BYTES as u64);
        self.completions.post(self.shared.clock.due(at, cycles), (entry.ring, words));
    }

    fn show_held(&mut self) {
        let held = self.hold.len();
        self.shared.counters.set(Counter::HELD_NOW, held as u64);
        show_settled(&self.shared, &self.hold);
        // A notice that was forgotten is left again with the next batch.
        let was_drained = held == 0 && self.is_holding;
        self.is_holding = held > 0 || was_drained && !self.notice(Notice::Drained);
    }

    /// What the batch takes on a timed card, and whether the injected fault stops it.
    fn size(&mut self, retried: u32, fresh: u32) -> BatchSize {
        let frames = retried + fresh;
        if frames == 0 {
            return BatchSize { cycles: costs::ANNOUNCE_CYCLES, ..BatchSize::default() };
        }
        self.batches = self.batches.wrapping_add(1);
        let leaving = self.batch.iter().filter(|entry| matches!(entry.fate, Fate::Leave(_)));
        let longest = leaving.map(|entry| u64::from(entry.descriptor.bytes)).max();
        // Payload of held frames stayed in host memory: it is read once it is known to leave.
        let payload = match longest {
            Some(bytes) if retried > 0 => self.shared.read_cycles(bytes),
            _ => 0,
        };
        let cycles =
            costs::RESOLVE_PIPELINE_CYCLES + u64::from(frames) * costs::RESOLVE_CYCLES + payload;
        let stall = self.shared.config.reader_stall;
        let is_stalled =
            stall.is_some_and(|stall| self.batches.checked_rem(stall.every_batches) == Some(0));
        BatchSize { frames, cycles, is_stalled }
    }
}

/// Records what happens to a batch.
fn note(shared: &Shared, now: u64, kind: TraceKind, detail: u32, value: u32) {
    shared.note(TraceWriter::DATAPATH, now, Happening { kind, ring: 0, detail, value });
}

/// Cycles that a frame of `bytes` occupies the port's stream, its header included.
fn frame_cycles(bytes: u32) -> u64 {
    let bytes = u64::from(bytes) + super::frame::HEADER_BYTES_MAX as u64;
    bytes.div_ceil(costs::FRAME_BYTES_PER_CYCLE)
}

/// Brings the RING_HELD registers up to date.
fn show_settled(shared: &Shared, hold: &super::hold::HoldPool) {
    let banks = &shared.registers.rings[TRANSMIT_RING_FIRST as usize..];
    for (ring, bank) in
        banks.iter().enumerate().take(shared.config.capabilities.transmit_rings as usize)
    {
        bank.held.set(hold.settled(ring));
    }
}

/// What a batch adds to the counters: added at once, before any of its completions is written.
#[derive(Debug, Default)]
struct Tally {
    left: u64,
    bytes: u64,
    dropped: [(u64, TransmitStatus); 8],
}

impl Tally {
    fn count(&mut self, status: TransmitStatus, frame_bytes: u64) {
        if status == TransmitStatus::LEFT {
            self.left += 1;
            self.bytes += frame_bytes;
        } else if let Some(dropped) = self.dropped.get_mut(usize::from(status.0) - 1) {
            *dropped = (dropped.0 + 1, status);
        }
    }

    fn add_to(&self, counters: &crate::counters::Counters) {
        if self.left > 0 {
            counters.add(Counter::FRAMES_LEFT, self.left);
            counters.add(Counter::BYTES_LEFT, self.bytes);
        }
        for (count, status) in self.dropped.iter().filter(|(count, _)| *count > 0) {
            counters.add(counter_of(*status), *count);
        }
    }
}
