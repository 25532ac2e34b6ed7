//! One batch: announce, look up what waits and what is new, decide about each.
//!
//! First half of [`super::Datapath`]'s work. Held frames are looked at first, then newcomers, so
//! that frames of one path keep their order; a newcomer whose path has frames waiting goes behind
//! them. All are looked up before any is decided about. It fetches no descriptors, and what it
//! decides is carried out in [`super::hand_over`].

use abi::core::Notice;
use abi::host::handle::Handle;
use abi::host::register::{Counter, TRANSMIT_RING_FIRST};
use abi::host::status::{Kind, TransmitStatus};
use abi::host::trace::{TraceKind, TraceWriter};
use abi::host::transmit::{PROGRESS, TransmitDescriptor};

use super::hold::HeldFrame;
use super::reachability::{credit, is_stale};
use super::resolver::{QueueKey, Resolver, Route, Verdict};
use super::stages::Lookahead;
use super::transmit::{TransmitRing, is_well_formed};
use super::{BatchFrame, BatchSize, Datapath, Fate, RETRIES_MAX};
use crate::costs;
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
            if hold.len() > 0 {
                show_settled(shared, hold);
            }
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

    /// Opens a batch: announces the epoch, then decides what becomes of its frames, `most` of them.
    pub(crate) fn resolve(&mut self, now: u64, most: u32) -> BatchSize {
        self.announce(now);
        if self.is_empty() {
            return self.size(0, 0);
        }
        let now_ms = self.shared.clock.ms_at(now);
        if !self.hold.is_in_pass() && self.is_rescan_due(now) {
            self.hold.rescan();
            self.begin_pass(now);
        }
        let retried = self.retry(now_ms, most / 2);
        let held = self.hold.len();
        let fresh = self.admit(now, now_ms, most - retried);
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

    /// Whether there is no frame to look at, ready or not.
    fn is_empty(&self) -> bool {
        let mut rings = self.rings[..self.served].iter().flatten();
        self.hold.len() == 0 && rings.all(|ring| ring.next_ready().is_none())
    }

    /// Looks again at held frames, the oldest first, as far as the pass goes in one batch.
    fn retry(&mut self, now_ms: u32, most: u32) -> u32 {
        if !self.hold.is_in_pass() {
            return 0;
        }
        let mut looked = std::mem::take(&mut self.looked);
        let next = std::iter::from_fn(|| self.hold.next());
        looked.extend(next.take(most.min(RETRIES_MAX) as usize));
        self.look_up(looked.iter().map(|(_, held)| held.descriptor.handle));
        let count = looked.len() as u32;
        for (number, (at, held)) in looked.drain(..).enumerate() {
            self.look_at(at, held, number, now_ms);
        }
        self.looked = looked;
        count
    }

    /// Decides about a held frame, number `number` of those looked up.
    fn look_at(&mut self, at: u32, held: HeldFrame, number: usize, now_ms: u32) {
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
        let fate = match self.verdict(number) {
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
        let mut newcomers = std::mem::take(&mut self.newcomers);
        // A round takes as many as could be completed. Those that are held instead leave room for
        // another round.
        while taken < budget {
            self.take_newcomers(now, (budget - taken) as usize, &mut newcomers);
            if newcomers.is_empty() {
                break;
            }
            taken += newcomers.len() as u32;
            self.look_up_newcomers(&newcomers);
            for (number, (ring, descriptor)) in newcomers.drain(..).enumerate() {
                self.admit_one(ring, descriptor, number, now_ms);
            }
        }
        self.newcomers = newcomers;
        self.turn = (self.turn + 1) % self.served.max(1);
        taken
    }

    /// Takes as many descriptors as there is room to complete, `limit` at most.
    fn take_newcomers(
        &mut self,
        now: u64,
        limit: usize,
        newcomers: &mut Vec<(usize, TransmitDescriptor)>,
    ) {
        for i in 0..self.served {
            let number = (self.turn + i) % self.served;
            let Some(ring) = &mut self.rings[number] else {
                continue;
            };
            if ring.next_ready().is_none() {
                continue;
            }
            let room = (ring.room(&self.shared) as usize).min(limit - newcomers.len());
            let ready = std::iter::from_fn(|| ring.take_ready(now)).take(room);
            newcomers.extend(ready.map(|descriptor| (number, descriptor)));
        }
    }

    /// Decides about a new frame, number `number` of those looked up.
    fn admit_one(
        &mut self,
        ring: usize,
        descriptor: TransmitDescriptor,
        number: usize,
        now_ms: u32,
    ) {
        if !is_well_formed(&descriptor) {
            self.put(ring, descriptor, Fate::Drop(TransmitStatus::MALFORMED));
            return;
        }
        let (queue, mtu, is_invalid) = match self.verdict(number) {
            Verdict::Hold { queue, mtu, is_invalid } => (queue, mtu, is_invalid),
            Verdict::Send(route) => {
                let queue = QueueKey::Path(route.path);
                if !self.hold.has_queue(queue) && descriptor.bytes <= route.mtu {
                    let fate = self.leave(&descriptor, route, now_ms);
                    self.put(ring, descriptor, fate);
                    return;
                }
                (queue, route.mtu, false)
            }
            Verdict::Stale => {
                self.put(ring, descriptor, Fate::Drop(TransmitStatus::STALE_HANDLE));
                return;
            }
            Verdict::Upload => {
                self.put(ring, descriptor, Fate::Drop(TransmitStatus::UPLOAD_IN_PROGRESS));
                return;
            }
        };
        if descriptor.bytes > mtu {
            self.put(ring, descriptor, Fate::Drop(TransmitStatus::PATH_MTU));
            return;
        }
        if self.hold.push(HeldFrame { ring, descriptor }, queue).is_err() {
            self.put(ring, descriptor, Fate::Drop(TransmitStatus::HOLD_FULL));
            return;
        }
        self.shared.counters.add_own(Counter::FRAMES_HELD, 1);
        self.notice_held(&descriptor, is_invalid, now_ms);
    }

    /// Resolves the handles of held frames, all of them before any is decided about.
    fn look_up(&mut self, handles: impl Iterator<Item = u64>) {
        self.handles.clear();
        self.handles.extend(handles.map(Handle));
        let (count, mut lookahead) = (self.handles.len(), Lookahead::default());
        self.look_up_first(count, &mut lookahead);
    }

    /// The same for new frames. What those need that still wait is asked for meanwhile, in the
    /// order in which the next batch takes them.
    fn look_up_newcomers(&mut self, newcomers: &[(usize, TransmitDescriptor)]) {
        let Self { handles, rings, turn, served, .. } = self;
        handles.clear();
        handles.extend(newcomers.iter().map(|(_, descriptor)| Handle(descriptor.handle)));
        let next = (1..=*served).filter_map(|i| rings[(*turn + i) % *served].as_ref());
        let waiting = next.flat_map(TransmitRing::waiting).map(|one| Handle(one.handle));
        handles.extend(waiting.take(Lookahead::FRAMES));
        let mut lookahead = self.lookahead;
        self.look_up_first(newcomers.len(), &mut lookahead);
        self.lookahead = lookahead;
    }

    /// Resolves the first `count` of the handles; the others wait behind them.
    fn look_up_first(&mut self, count: usize, lookahead: &mut Lookahead) {
        let Self { shared, table, handles, routes, .. } = self;
        routes.resize(count, Route::NONE);
        match &shared.layout {
            Some(layout) => {
                let resolver = Resolver::new(&**table, layout, &shared.config.capabilities);
                lookahead.routes(&resolver, handles, routes);
            }
            None => routes.fill(Route::NONE),
        }
    }

    /// What is to become of frame `number` of those looked up.
    #[inline]
    fn verdict(&self, number: usize) -> Verdict {
        let route = self.routes[number];
        if route.is_none() { self.reason(self.handles[number]) } else { Verdict::Send(route) }
    }

    /// Why a frame cannot leave. It can when that has changed since it was looked up.
    #[cold]
    fn reason(&self, handle: Handle) -> Verdict {
        let Some(layout) = &self.shared.layout else {
            return Verdict::Stale;
        };
        Resolver::new(&*self.table, layout, &self.shared.config.capabilities).resolve(handle)
    }

    /// A frame is going to leave by `route`: reachability takes note.
    fn leave(&mut self, descriptor: &TransmitDescriptor, route: Route, now_ms: u32) -> Fate {
        if let Some(layout) = &self.shared.layout {
            if descriptor.flags & PROGRESS != 0 {
                let stamp = descriptor.progress_ms;
                let is_credited = credit(&*self.table, layout, &route, stamp, now_ms);
                let counter =
                    if is_credited { Counter::PROGRESS_CREDITED } else { Counter::PROGRESS_STALE };
                self.shared.counters.add_own(counter, 1);
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
        self.batch.push(BatchFrame { ring, descriptor, fate, at: 0 });
    }

    fn show_held(&mut self) {
        let held = self.hold.len();
        if held == 0 && !self.is_holding {
            return;
        }
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
        let stall = self.shared.config.reader_stall;
        let is_stalled =
            stall.is_some_and(|stall| self.batches.checked_rem(stall.every_batches) == Some(0));
        if !self.shared.clock.is_counted() {
            return BatchSize { frames, cycles: 0, is_stalled };
        }
        let leaving = self.batch.iter().filter(|entry| matches!(entry.fate, Fate::Leave(_)));
        let longest = leaving.map(|entry| u64::from(entry.descriptor.bytes)).max();
        // Payload of held frames stayed in host memory: it is read once it is known to leave.
        let payload = match longest {
            Some(bytes) if retried > 0 => self.shared.read_cycles(bytes),
            _ => 0,
        };
        let cycles =
            costs::RESOLVE_PIPELINE_CYCLES + u64::from(frames) * costs::RESOLVE_CYCLES + payload;
        BatchSize { frames, cycles, is_stalled }
    }
}

/// Records what happens to a batch.
pub(super) fn note(shared: &Shared, now: u64, kind: TraceKind, detail: u32, value: u32) {
    shared.note(TraceWriter::DATAPATH, now, Happening { kind, ring: 0, detail, value });
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
