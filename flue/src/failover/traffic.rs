//! Traffic that runs while the fail-over goes on.
//!
//! A [`Pump`] posts one packet of path after path on the transmit ring and takes completions. On a
//! free-running card it has a thread of its own; on a timed card, where time passes only while
//! somebody waits, every wait turns it. Like a host stack, it stops sending to a router whose
//! frames all wait (a window), and goes on with the others. It knows nothing of the fail-over; it
//! turns the observer too, so that a mirror of the frames that leave never runs over.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use abi::host::handle::Handle;
use abi::host::status::{CardState, TransmitStatus};
use host_driver::backing::Backing;
use host_driver::{NotPosted, Outcome, Session, Ticket, Transmitter};

use super::plan::Plan;
use crate::observer::{Observer, mark_of};
use crate::packet;
use crate::seed;
use crate::wait::Deadline;

/// Packets posted before the doorbell is rung.
const BATCH: u32 = 16;
/// Packets posted that the card has not fetched yet, at most: the queue in front of it stays short.
const UNFETCHED_MAX: u32 = 128;
/// Frames under way to one router, at most.
const WINDOW: u32 = 4_096;
/// IP payload of every packet: with an IPv4 header it fills the smallest Ethernet frame.
const PAYLOAD_BYTES: usize = 26;
/// Bytes of the largest packet.
pub(super) const PACKET_BYTES: u32 = (packet::IPV6_BYTES + PAYLOAD_BYTES) as u32;
/// Time without any completion after which traffic is given up, on the card's clock.
const STANDSTILL_NS: u64 = 5_000_000_000;
/// Time without any packet posted after which the card's health is looked at.
const DOUBT_NS: u64 = 100_000_000;
/// Rest of a traffic thread whose packets all wait to be fetched: less than the card needs for them.
const REST: Duration = Duration::from_micros(20);
/// Transmit statuses there are.
const STATUSES: usize = TransmitStatus::ALL.len();

/// What became of the packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Packets posted.
    pub(crate) posted: u64,
    /// Completions by their status; the last for one without a name.
    pub(crate) by_status: [u64; STATUSES + 1],
}

impl Totals {
    /// Frames that crossed the port.
    pub(crate) fn left(&self) -> u64 {
        self.by_status[TransmitStatus::LEFT.0 as usize]
    }

    /// Frames given back without having left, for whatever reason.
    pub(crate) fn dropped(&self) -> u64 {
        self.by_status.iter().sum::<u64>() - self.left()
    }

    /// Frames dropped for another reason than that the card can hold no more.
    pub(crate) fn lost(&self) -> u64 {
        self.dropped() - self.by_status[TransmitStatus::HOLD_FULL.0 as usize]
    }

    /// Frames of which it is not known what became of them.
    pub(crate) fn open(&self) -> u64 {
        self.posted - self.by_status.iter().sum::<u64>()
    }
}

/// Posts packets, takes completions, shows the observer what crossed.
pub(crate) struct Pump {
    transmitter: Transmitter,
    observer: Arc<Observer>,
    plan: Arc<Plan>,
    handles: Arc<Vec<Handle>>,
    path: u64,
    step: u64,
    sequences: Vec<u32>,
    under_way: Vec<u32>,
    packet: Vec<u8>,
    totals: Totals,
    /// Why no more completions are taken: the card made one up.
    fault: Option<NotPosted>,
}

impl Pump {
    /// A pump for the paths of `plan`, whose handles are `handles`.
    pub(crate) fn new(
        transmitter: Transmitter,
        plan: &Arc<Plan>,
        handles: Vec<Handle>,
        seed: u64,
        observer: &Arc<Observer>,
    ) -> Self {
        let paths = u64::from(plan.paths());
        Self {
            transmitter,
            observer: Arc::clone(observer),
            plan: Arc::clone(plan),
            handles: Arc::new(handles),
            path: seed::mix(seed) % paths,
            step: seed::coprime_step(seed, paths),
            sequences: vec![0; paths as usize],
            under_way: vec![0; plan.routers.len()],
            packet: Vec::with_capacity(PACKET_BYTES as usize),
            totals: Totals::default(),
            fault: None,
        }
    }

    /// Posts up to a batch of packets and takes what has completed. Whether anything moved.
    fn turn(&mut self) -> bool {
        if self.fault.is_some() {
            return false;
        }
        // Positions are free-running 32-bit numbers from 0: their difference survives the wrap.
        let unfetched = (self.totals.posted as u32).wrapping_sub(self.transmitter.fetched());
        let room = BATCH.min(UNFETCHED_MAX.saturating_sub(unfetched));
        let mut posted = 0;
        for _ in 0..room {
            if self.post_next() {
                posted += 1;
            }
        }
        if posted > 0 {
            self.transmitter.publish();
        }
        self.reap() + posted + self.observer.drain() > 0
    }

    fn post_next(&mut self) -> bool {
        let path = self.path as u32;
        self.path = (self.path + self.step) % self.handles.len() as u64;
        let router = usize::from(self.plan.router_of[path as usize]);
        if self.under_way[router] >= WINDOW {
            return false;
        }
        let (source, destination) = self.plan.addresses(path);
        let sequence = self.sequences[path as usize];
        let mark = mark_of(path, sequence);
        packet::write(&mut self.packet, source, destination, mark, PAYLOAD_BYTES);
        if self.transmitter.post(self.handles[path as usize], &self.packet, path).is_err() {
            return false;
        }
        self.sequences[path as usize] = sequence.wrapping_add(1);
        self.under_way[router] += 1;
        self.totals.posted += 1;
        true
    }

    fn reap(&mut self) -> usize {
        let (totals, under_way, plan) = (&mut self.totals, &mut self.under_way, &self.plan);
        let mut reaped = 0;
        let taken = self.transmitter.reap(|done| {
            reaped += 1;
            let status = usize::from(done.status.0).min(STATUSES);
            totals.by_status[status] += 1;
            if let Some(router) = plan.router_of.get(done.tag as usize) {
                let frames = &mut under_way[usize::from(*router)];
                *frames = frames.saturating_sub(1);
            }
        });
        if let Err(fault) = taken {
            self.fault = Some(fault);
        }
        reaped
    }

    /// Waits until nothing is under way any more, or nothing moves.
    fn drain<B: Backing>(&mut self, backing: &B) {
        self.transmitter.publish();
        let mut deadline = Deadline::after(backing, STANDSTILL_NS);
        while self.totals.open() > 0 && self.fault.is_none() {
            if self.reap() + self.observer.drain() > 0 {
                deadline = Deadline::after(backing, STANDSTILL_NS);
            } else if !deadline.relax(backing) {
                return;
            }
        }
        self.observer.catch_up();
    }

    fn ended(self) -> Result<Totals, NotPosted> {
        self.fault.map_or(Ok(self.totals), Err)
    }
}

/// What the host tells a pump that runs in a thread, and what it answers.
#[derive(Debug, Default)]
struct Desk {
    is_over: bool,
    /// The card is lost: nothing more will complete.
    is_lost: bool,
    posted: u64,
}

/// A pump at work.
pub(crate) struct Traffic<'a, B: Backing> {
    session: &'a Session<B>,
    road: Road,
}

enum Road {
    /// Turned by whoever waits.
    Inline(Box<Pump>),
    /// Turns by itself.
    Thread { desk: Arc<Mutex<Desk>>, thread: thread::JoinHandle<Pump> },
}

impl<'a, B: Backing> Traffic<'a, B> {
    /// Starts traffic: in a thread, or (`is_timed`) within the waits of this one.
    pub(crate) fn start(session: &'a Session<B>, mut pump: Pump, is_timed: bool) -> Self {
        if is_timed {
            return Self { session, road: Road::Inline(Box::new(pump)) };
        }
        let desk = Arc::new(Mutex::new(Desk::default()));
        let (shared, backing) = (Arc::clone(&desk), Arc::clone(session.backing()));
        let turn_until_over = move || {
            loop {
                if !pump.turn() {
                    thread::sleep(REST);
                }
                let mut desk = shared.lock().unwrap_or_else(PoisonError::into_inner);
                desk.posted = pump.totals.posted;
                if desk.is_lost {
                    return pump;
                }
                if desk.is_over {
                    break;
                }
            }
            pump.drain(&*backing);
            pump
        };
        Self { session, road: Road::Thread { desk, thread: thread::spawn(turn_until_over) } }
    }

    /// Waits for a tree while traffic runs.
    ///
    /// # Errors
    /// What the ticket says.
    pub(crate) fn wait(&mut self, mut ticket: Ticket<B>) -> Result<Outcome, host_driver::Error> {
        match &mut self.road {
            Road::Thread { .. } => ticket.wait(),
            Road::Inline(pump) => loop {
                self.session.poll();
                if let Some(result) = ticket.poll() {
                    return result;
                }
                pump.turn();
                self.session.backing().relax();
            },
        }
    }

    /// Lets `frames` more packets be posted. `false` when the card did not take them.
    pub(crate) fn let_post(&mut self, frames: u64, mut progress: impl FnMut(u64)) -> bool {
        let backing = self.session.backing();
        let before = self.posted();
        let mut last = before;
        let mut deadline = Deadline::after(&**backing, STANDSTILL_NS);
        let mut doubt = Deadline::after(&**backing, DOUBT_NS);
        loop {
            if let Road::Inline(pump) = &mut self.road {
                pump.turn();
            }
            let is_over = !deadline.relax(&**backing);
            let posted = self.posted();
            if posted != last {
                last = posted;
                deadline = Deadline::after(&**backing, STANDSTILL_NS);
                doubt = Deadline::after(&**backing, DOUBT_NS);
                progress((posted - before).min(frames));
            }
            let is_posted = posted - before >= frames;
            if is_over || is_posted {
                return is_posted;
            }
            if doubt.is_over(&**backing) {
                if self.session.health().state != CardState::READY {
                    return false;
                }
                doubt = Deadline::after(&**backing, DOUBT_NS);
            }
        }
    }

    /// Stops posting, waits until nothing is under way any more; what became of all packets.
    ///
    /// # Errors
    /// When the card completed a packet that was not under way.
    pub(crate) fn finish(self) -> Result<Totals, NotPosted> {
        match self.road {
            Road::Inline(mut pump) => {
                pump.drain(&**self.session.backing());
                pump.ended()
            }
            Road::Thread { desk, thread } => {
                desk.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
                joined(thread).ended()
            }
        }
    }

    /// Ends traffic on a card that is lost: waits for nothing but its own thread.
    pub(crate) fn give_up(self) {
        if let Road::Thread { desk, thread } = self.road {
            desk.lock().unwrap_or_else(PoisonError::into_inner).is_lost = true;
            joined(thread);
        }
    }

    fn posted(&self) -> u64 {
        match &self.road {
            Road::Inline(pump) => pump.totals.posted,
            Road::Thread { desk, .. } => desk.lock().unwrap_or_else(PoisonError::into_inner).posted,
        }
    }
}

fn joined(thread: thread::JoinHandle<Pump>) -> Pump {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
