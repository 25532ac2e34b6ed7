//! The datapath: descriptors in, frames out of the port, completions back.
//!
//! Between the transmit rings and the port; reads the table that the firmware writes. Works in
//! batches: `resolve` announces the epoch and decides what becomes of at most 64
//! frames, `hand_over` puts those that leave across the port. Nothing of a batch is
//! left when the next one begins. It takes no lock that firmware or host hold, and a port that
//! is full costs the frame.
//! Invariant: what crosses the port was resolved in the batch that is open.

pub mod reachability;
pub mod reader;
pub mod region;
pub mod resolver;
pub mod stages;

mod batch;
mod frame;
mod hand_over;
mod hold;
mod transmit;

use std::sync::Arc;

use abi::core::Notice;
use abi::host::handle::Handle;
use abi::host::limit::{HOLD_RETRY_BATCH, MTU_MAX, RESOLVE_BATCH, TRANSMIT_RINGS_MAX};
use abi::host::register::{Counter, TRANSMIT_RING_FIRST};
use abi::host::status::{FailCode, TransmitStatus};
use abi::host::transmit::TransmitDescriptor;

use self::hold::{HeldFrame, HoldPool};
use self::reachability::OncePerMs;
use self::reader::Reader;
use self::resolver::Route;
use self::stages::Lookahead;
use self::transmit::TransmitRing;
use crate::dma::PostedQueue;
use crate::iommu::Window;
use crate::notices::NoticeSender;
use crate::outbox::raise_interrupts;
use crate::port::Port;
use crate::rings::RingConfig;
use crate::shared::Shared;
use crate::table_memory::TableMemory;

/// Held frames looked at in one batch: at most half of it, so that newcomers are never shut out.
const RETRIES_MAX: u32 =
    if HOLD_RETRY_BATCH < RESOLVE_BATCH / 2 { HOLD_RETRY_BATCH } else { RESOLVE_BATCH / 2 };
/// Held frames are looked at again after this time even when no epoch was raised, in ms: for a
/// notice that was forgotten.
const HOLD_RESCAN_MS: u32 = 100;

/// What becomes of a frame of the open batch.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It crosses the port.
    Leave(Route),
    /// It is dropped.
    Drop(TransmitStatus),
}

/// A frame of the open batch.
#[derive(Clone, Copy, Debug)]
struct BatchFrame {
    ring: usize,
    descriptor: TransmitDescriptor,
    fate: Fate,
    /// When it crossed the port, or was dropped.
    at: u64,
}

/// What a batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BatchSize {
    /// Frames that were looked at.
    pub(crate) frames: u32,
    /// Cycles until the batch has crossed the port, on a timed card.
    pub(crate) cycles: u64,
    /// Whether the injected fault stops the reader in this batch.
    pub(crate) is_stalled: bool,
}

/// A completion on its way to the host.
type Posted = (usize, [u32; 4]);

/// The datapath of one card.
pub(crate) struct Datapath {
    shared: Arc<Shared>,
    table: Arc<TableMemory>,
    port: Box<dyn Port>,
    notices: NoticeSender,
    reader: Reader,
    hold: HoldPool,
    rings: [Option<TransmitRing>; TRANSMIT_RINGS_MAX as usize],
    /// Rings up to this one have been started.
    served: usize,
    batch: Vec<BatchFrame>,
    /// Room for the frames that a batch looks at: held ones with their slots, new ones with their
    /// rings; then their handles, behind them those of frames that still wait, and where the first
    /// ones lead.
    looked: Vec<(u32, HeldFrame)>,
    newcomers: Vec<(usize, TransmitDescriptor)>,
    handles: Vec<Handle>,
    routes: Vec<Route>,
    lookahead: Lookahead,
    completions: PostedQueue<Posted>,
    noticed_connections: OncePerMs,
    noticed_neighbors: OncePerMs,
    stale_ms: u32,
    /// Ring that the next batch starts with.
    turn: usize,
    /// Batches with a frame in them.
    batches: u32,
    last_pass_ms: u32,
    /// Rings of which this pass has passed a held frame over, because they had no completion slot.
    starved: [bool; TRANSMIT_RINGS_MAX as usize],
    needs_flush: bool,
    /// Frames are held, or the firmware was not told yet that none is any more.
    is_holding: bool,
    /// The frame that is being built, as long as any.
    frame: Box<[u8]>,
}

impl Datapath {
    /// A datapath in reset.
    pub(crate) fn new(
        shared: Arc<Shared>,
        table: Arc<TableMemory>,
        port: Box<dyn Port>,
        notices: NoticeSender,
    ) -> Self {
        let card = &shared.config.capabilities;
        Self {
            hold: HoldPool::new(card.held_per_path, card.held_total),
            noticed_connections: OncePerMs::new(card.connections),
            noticed_neighbors: OncePerMs::new(card.neighbors),
            shared,
            table,
            port,
            notices,
            reader: Reader::default(),
            rings: Default::default(),
            served: 0,
            batch: Vec::with_capacity(RESOLVE_BATCH as usize),
            looked: Vec::with_capacity(RETRIES_MAX as usize),
            newcomers: Vec::with_capacity(RESOLVE_BATCH as usize),
            handles: Vec::with_capacity(RESOLVE_BATCH as usize),
            routes: Vec::with_capacity(RESOLVE_BATCH as usize),
            lookahead: Lookahead::default(),
            completions: PostedQueue::new(),
            stale_ms: 0,
            turn: 0,
            batches: 0,
            last_pass_ms: 0,
            starved: Default::default(),
            needs_flush: false,
            is_holding: false,
            frame: vec![0; MTU_MAX as usize + frame::HEADER_BYTES_MAX].into_boxed_slice(),
        }
    }

    /// Forgets everything and reads `table` from now on.
    pub(crate) fn reset(&mut self, table: Arc<TableMemory>) {
        let card = &self.shared.config.capabilities;
        self.hold = HoldPool::new(card.held_per_path, card.held_total);
        self.table = table;
        self.rings = Default::default();
        self.served = 0;
        self.batch.clear();
        self.completions.clear();
        self.reader.reset();
        self.starved = Default::default();
        self.is_holding = false;
        self.shared.counters.set(Counter::HELD_NOW, 0);
        self.port.flush();
    }

    /// Takes the settings at ENABLE.
    pub(crate) fn enable(&mut self, stale_ms: u32) {
        self.stale_ms = stale_ms;
    }

    /// Serves transmit ring `ring`, from 0, from now on.
    pub(crate) fn start_ring(&mut self, ring: usize, config: RingConfig) {
        if let Some(place) = self.rings.get_mut(ring) {
            *place = Some(TransmitRing::new(ring, config, &self.shared));
            self.served = self.served.max(ring + 1);
        }
    }

    /// Moves descriptors in and completions out, as far as they are due. Returns whether anything
    /// moved.
    pub(crate) fn pump(&mut self, window: &Window<'_>, now: u64) -> bool {
        let mut moved = self.post_completions(window, now);
        let Self { shared, rings, served, .. } = self;
        let banks = &shared.registers.rings[TRANSMIT_RING_FIRST as usize..];
        let served = &mut rings[..*served];
        for (place, bank) in served.iter_mut().zip(banks) {
            let Some(ring) = place.as_mut() else { continue };
            let answer = if bank.is_running() {
                ring.pump(shared, window, now)
            } else {
                Err(FailCode::NONE)
            };
            moved |= answer.unwrap_or_else(|code| {
                // Code NONE: the ring was stopped elsewhere, which left its reason there.
                if code != FailCode::NONE {
                    bank.fail(code);
                }
                *place = None;
                true
            });
        }
        let rings = served.iter_mut().flatten().map(|ring| &mut ring.completions);
        moved | raise_interrupts(shared, window, rings, now)
    }

    /// Whether a batch at `now` would find something: a frame, a held one to look at, an epoch.
    pub(crate) fn has_work(&self, now: u64) -> bool {
        self.reader.is_behind(&self.shared.epochs)
            || self.hold.is_in_pass()
            || self.is_rescan_due(now)
            || self.rings.iter().flatten().any(|ring| {
                ring.next_ready().is_some_and(|due| due <= now) && ring.room(&self.shared) > 0
            })
    }

    /// Whether nothing is to be done, nothing on its way here, and no frame held.
    pub(crate) fn is_at_rest(&self, now: u64) -> bool {
        !self.has_work(now) && self.next_due(now).is_none() && self.hold.len() == 0
    }

    /// Whether there may be anything to do: between two looks of an idle card's thread, which are
    /// short. What only time brings is not in it.
    pub(crate) fn is_rung(&self) -> bool {
        self.is_behind()
            || self.hold.len() > 0
            || self.rings[..self.served].iter().flatten().any(|ring| ring.is_rung(&self.shared))
    }

    /// Whether an epoch was raised that has not been announced.
    pub(crate) fn is_behind(&self) -> bool {
        self.reader.is_behind(&self.shared.epochs)
    }

    /// When something under way is due next, after `now`.
    pub(crate) fn next_due(&self, now: u64) -> Option<u64> {
        let rings = self.rings.iter().flatten();
        let arrivals = rings.clone().filter_map(|ring| ring.next_due(now));
        let interrupts = rings.filter_map(|ring| ring.completions.moderation.next_due());
        let writes = interrupts.chain(self.completions.next_due()).filter(|due| *due > now);
        arrivals.chain(writes).min()
    }

    /// Hands on what the port has buffered, when there is nothing else to do.
    pub(crate) fn rest(&mut self) {
        if std::mem::take(&mut self.needs_flush) {
            self.port.flush();
        }
    }

    fn is_rescan_due(&self, now: u64) -> bool {
        let waited = || self.shared.clock.ms_at(now).wrapping_sub(self.last_pass_ms);
        self.hold.len() > 0 && (waited() >= HOLD_RESCAN_MS || self.is_fed())
    }

    /// Whether a ring that held frames starved on has a completion slot again.
    fn is_fed(&self) -> bool {
        let starved = self.rings.iter().zip(self.starved).filter(|(_, starved)| *starved);
        starved.filter_map(|(ring, _)| ring.as_ref()).any(|ring| ring.room(&self.shared) > 0)
    }

    fn post_completions(&mut self, window: &Window<'_>, now: u64) -> bool {
        if self.completions.next_due().is_none_or(|due| due > now) {
            return false;
        }
        while let Some((ring, entry)) = self.completions.take_due(now) {
            if let Some(at) = &mut self.rings[ring] {
                post(&self.shared, window, at, ring, entry);
            }
        }
        true
    }

    /// Leaves a notice for the firmware; `false` when there was no room and it is forgotten.
    fn notice(&self, notice: Notice) -> bool {
        let is_left = self.notices.leave(notice);
        if !is_left {
            self.shared.counters.add(Counter::NOTICES_LOST, 1);
        }
        self.shared.core_sleeper.wake();
        is_left
    }
}

/// Writes a completion into the ring that it is for, unless that was stopped meanwhile.
#[inline]
fn post(shared: &Shared, window: &Window<'_>, at: &mut TransmitRing, ring: usize, entry: [u32; 4]) {
    let bank = &shared.registers.rings[TRANSMIT_RING_FIRST as usize + ring];
    if !bank.is_running() {
        return;
    }
    match at.completions.publish(window, entry) {
        Ok(posted) => bank.posted.set(posted),
        Err(_refusal) => bank.fail(FailCode::RING_BUS),
    }
}
