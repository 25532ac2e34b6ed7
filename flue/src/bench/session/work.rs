//! The jobs that `flue bench` times, one after another, on one session.
//!
//! Two routers; all paths hang from the first of them between two jobs. Each job repeats itself
//! for a bounded time and a bounded number of rounds, and checks every answer.

use std::iter;
use std::time::{Duration, Instant};

use abi::host::handle::Handle;
use host_driver::backing::Backing;
use host_driver::state::{NeighborState, PathState};
use host_driver::{
    HandleList, Initiate, NotPosted, Outcome, Query, Session, Terminate, Transmitter, Tree, Update,
};

use super::{BenchError, Bulk, Command, Frames};
use crate::args::BenchArgs;
use crate::pipeline::{self, PIECE};
use crate::progress::Steps;
use crate::wait::Deadline;

/// Bytes of every packet: with its Ethernet header it fills the smallest frame.
pub(super) const PACKET_BYTES: u32 = 46;
/// Packets under way while commands are timed: as many as the card resolves at once.
pub(super) const FRAMES_UNDER_WAY: u32 = 64;
/// Time after which packets that have not come back are given up.
pub(in super::super) const FRAMES_TIMEOUT_S: u64 = 5;

/// Rounds of a job, at least and at most.
const ROUNDS: (usize, usize) = (3, 15);
/// Commands of one kind, at least and at most.
const COMMANDS: (usize, usize) = (100, 20_000);
/// Frames of the frame job, at least.
const FRAMES: u64 = 500_000;
/// MTU of every path.
const MTU: u32 = 1_500;
/// Rounds of a job whose time is not counted: caches and pages are as they will be.
const WARM_ROUNDS: usize = 1;

/// A session with what is on its card.
pub(super) struct Work<'a, B: Backing> {
    session: &'a Session<B>,
    /// Whether time is the card's.
    is_timed: bool,
    /// Wall-clock time of a job, after which it has had enough rounds.
    budget: Duration,
    started: Instant,
    routers: [Handle; 2],
    paths: Vec<Handle>,
    count: u32,
    transmitter: Transmitter,
    packet: Vec<u8>,
}

impl<'a, B: Backing> Work<'a, B> {
    /// Two routers, and no path yet, on a session on which nothing has been done.
    pub(super) fn new(session: &'a Session<B>, args: &BenchArgs) -> Result<Self, BenchError> {
        let mut tree = Initiate::with_capacity(2);
        for number in 1..=2 {
            tree.neighbor(&NeighborState { destination: mac(number), ..NeighborState::default() });
        }
        let outcome = done("offload of two routers", session.run(tree)?)?;
        Ok(Self {
            session,
            is_timed: args.card.is_timed(),
            budget: Duration::from_secs(args.seconds),
            started: Instant::now(),
            routers: [outcome.block(0).handle, outcome.block(1).handle],
            paths: Vec::with_capacity(args.paths as usize),
            count: args.paths,
            transmitter: session.transmitter(0)?,
            packet: vec![0; PACKET_BYTES as usize],
        })
    }

    /// All paths onto the card and off it, again and again; they stay on it in the end.
    pub(super) fn offload_and_terminate(&mut self, steps: Steps) -> Result<Vec<Bulk>, BenchError> {
        let (mut offloads, mut terminates) = (Vec::new(), Vec::new());
        let bar = steps.bar("offload", ROUNDS.1 as u64);
        let began = Instant::now();
        for round in 0.. {
            let before = self.now();
            self.offload()?;
            let offloaded = self.now();
            bar.show(round as u64);
            if round >= WARM_ROUNDS {
                offloads.push(offloaded - before);
            }
            if self.is_enough(offloads.len(), ROUNDS, began) {
                break;
            }
            let before = self.now();
            self.terminate()?;
            if round >= WARM_ROUNDS {
                terminates.push(self.now() - before);
            }
        }
        Ok(vec![
            Bulk::of("offload paths", self.count, offloads),
            Bulk::of("terminate paths", self.count, terminates),
        ])
    }

    fn offload(&mut self) -> Result<(), BenchError> {
        let Self { session, routers, paths, count, .. } = self;
        paths.clear();
        let mut first = 0;
        let trees = iter::from_fn(|| {
            let end = (first + PIECE as u32).min(*count);
            let piece = std::mem::replace(&mut first, end)..end;
            let mut tree = Initiate::with_capacity(piece.len() + 1);
            let mut router = tree.neighbor_linker(routers[0]);
            for number in piece.clone() {
                router.path(&path(number));
            }
            (!piece.is_empty()).then(|| Ok((piece.len(), tree.into())))
        });
        pipeline::run(session, trees, |count, outcome| {
            let outcome = done("offload paths", outcome)?;
            paths.extend((1..=count).map(|block| outcome.block(block).handle));
            Ok(())
        })
    }

    fn terminate(&mut self) -> Result<(), BenchError> {
        let trees = self.paths.chunks(PIECE).map(|piece| {
            let mut tree = Terminate::with_capacity(piece.len());
            for path in piece {
                tree.path(*path);
            }
            Ok(((), Tree::from(tree)))
        });
        pipeline::run(self.session, trees, |(), outcome| {
            done("terminate paths", outcome).map(|_| ())
        })
    }

    /// All paths by list to the other router, and back.
    pub(super) fn relink_list(&mut self, steps: Steps) -> Result<Bulk, BenchError> {
        let bar = steps.bar("relink", ROUNDS.1 as u64);
        let began = Instant::now();
        let mut lists: Vec<HandleList> = Vec::new();
        for piece in self.paths.chunks(PIECE) {
            lists.push(self.session.handle_list(piece.len())?);
        }
        let mut rounds = Vec::new();
        for round in 0.. {
            let before = self.now();
            // The other one in every round; who is first has all paths in the end.
            self.routers.reverse();
            lists = self.move_all(lists)?;
            bar.show(round as u64);
            if round >= WARM_ROUNDS {
                rounds.push(self.now() - before);
            }
            if self.is_enough(rounds.len(), ROUNDS, began) {
                break;
            }
        }
        Ok(Bulk::of("relink by list", self.count, rounds))
    }

    /// Fills the lists and moves what they name to the first router. Gives the lists back.
    fn move_all(&self, lists: Vec<HandleList>) -> Result<Vec<HandleList>, BenchError> {
        let mut back = Vec::with_capacity(lists.len());
        let trees = lists.into_iter().zip(self.paths.chunks(PIECE)).map(|(mut list, piece)| {
            list.clear();
            list.extend(piece.iter().copied()).expect("the list was made for this piece");
            let mut tree = Update::new();
            tree.neighbor(self.routers[0]).relink_list(list);
            Ok(((), Tree::from(tree)))
        });
        pipeline::run(self.session, trees, |(), outcome| {
            back.extend(done("relink by list", outcome)?.into_lists());
            Ok::<(), BenchError>(())
        })?;
        Ok(back)
    }

    /// Commands one by one, on an idle card and with frames under way.
    pub(super) fn commands(&mut self, steps: Steps) -> Result<Vec<Command>, BenchError> {
        let operations = [Operation::Mac, Operation::RelinkAll, Operation::Query];
        let bar = steps.bar("commands", 2 * operations.len() as u64);
        let mut commands = Vec::new();
        for with_frames in [false, true] {
            for operation in operations {
                let took = self.repeat(operation, with_frames)?;
                commands.push(Command::of(operation.words(), with_frames, took));
                bar.show(commands.len() as u64);
            }
        }
        self.come_back()?;
        Ok(commands)
    }

    fn repeat(&mut self, operation: Operation, with_frames: bool) -> Result<Vec<u64>, BenchError> {
        let mut took = Vec::with_capacity(COMMANDS.1);
        let began = Instant::now();
        for number in 0.. {
            if with_frames {
                self.keep_frames_going()?;
            }
            let tree = self.tree(operation, number);
            let before = self.now();
            let outcome = self.session.run(tree)?;
            took.push(self.now() - before);
            done(operation.words(), outcome)?;
            if self.is_enough(took.len(), COMMANDS, began) {
                break;
            }
        }
        Ok(took)
    }

    fn tree(&mut self, operation: Operation, number: u32) -> Tree {
        match operation {
            Operation::Mac => {
                let mut tree = Update::new();
                tree.neighbor(self.routers[0]).set(mac(number), 0);
                tree.into()
            }
            Operation::RelinkAll => {
                let old = self.routers[0];
                self.routers.reverse();
                let mut tree = Update::new();
                tree.neighbor(self.routers[0]).relink_all_of(old);
                tree.into()
            }
            Operation::Query => {
                let mut tree = Query::new();
                tree.path(self.paths[number as usize % self.paths.len()]);
                tree.into()
            }
        }
    }

    /// Posts packets until [`FRAMES_UNDER_WAY`] are, taking back what has left.
    fn keep_frames_going(&mut self) -> Result<(), BenchError> {
        self.transmitter.reap(|_| {})?;
        let missing = (FRAMES_UNDER_WAY as usize).saturating_sub(self.transmitter.in_flight());
        for _ in 0..missing {
            self.post()?;
        }
        self.transmitter.publish();
        Ok(())
    }

    /// Posts one packet, to one path after another. `false`: the ring is full.
    fn post(&mut self) -> Result<bool, BenchError> {
        let number =
            self.packet.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte));
        let path = self.paths[number % self.paths.len()];
        match self.transmitter.post(path, &self.packet, 0) {
            Ok(()) => {}
            Err(NotPosted::Full { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let next = (number + 1) as u32;
        self.packet[..4].copy_from_slice(&next.to_le_bytes());
        Ok(true)
    }

    /// Frames as fast as this thread posts them.
    pub(super) fn frames(&mut self, steps: Steps) -> Result<Frames, BenchError> {
        let bar = steps.bar("frames", FRAMES);
        let began = Instant::now();
        let before = self.now();
        let mut left = 0_u64;
        let mut deadline = self.deadline();
        while left == 0 || left < FRAMES && began.elapsed() < self.budget {
            let mut posted = 0;
            while posted < FRAMES_UNDER_WAY && self.post()? {
                posted += 1;
            }
            self.transmitter.publish();
            let reaped = self.transmitter.reap(|_| {})? as u64;
            left += reaped;
            bar.show(left);
            if reaped > 0 {
                deadline = self.deadline();
            } else if !deadline.relax(self.session.backing().as_ref()) {
                return Err(BenchError::FramesLost(self.transmitter.in_flight()));
            }
        }
        left += self.come_back()?;
        let ns = (self.now() - before) as f64;
        Ok(Frames {
            frames: left,
            ns_per_frame: ns / left as f64,
            frames_per_second: left as f64 * 1e9 / ns,
        })
    }

    /// Waits until no packet is under way; how many came back.
    fn come_back(&mut self) -> Result<u64, BenchError> {
        let mut deadline = self.deadline();
        let mut back = 0;
        while self.transmitter.in_flight() > 0 {
            back += self.transmitter.reap(|_| {})? as u64;
            if !deadline.relax(self.session.backing().as_ref()) {
                return Err(BenchError::FramesLost(self.transmitter.in_flight()));
            }
        }
        Ok(back)
    }

    fn deadline(&self) -> Deadline {
        let ns = Duration::from_secs(FRAMES_TIMEOUT_S).as_nanos() as u64;
        Deadline::after(self.session.backing().as_ref(), ns)
    }

    /// Whether a job that has done `count` rounds since `began` has had enough.
    fn is_enough(&self, count: usize, (least, most): (usize, usize), began: Instant) -> bool {
        count >= most || count >= least && began.elapsed() > self.budget
    }

    /// Time in ns: the card's if it has one of its own, else the machine's.
    fn now(&self) -> u64 {
        if self.is_timed {
            self.session.backing().clock_ns()
        } else {
            self.started.elapsed().as_nanos() as u64
        }
    }
}

/// A command that is timed by itself.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Mac,
    RelinkAll,
    Query,
}

impl Operation {
    fn words(self) -> &'static str {
        match self {
            Self::Mac => "change a router's MAC",
            Self::RelinkAll => "relink all paths",
            Self::Query => "query a path",
        }
    }
}

/// The outcome, if all of it was done.
fn done(operation: &str, outcome: Outcome) -> Result<Outcome, BenchError> {
    if outcome.failed() == 0 {
        return Ok(outcome);
    }
    let (status, failed) = (outcome.status(), outcome.failed());
    Err(BenchError::Refused { operation: operation.to_owned(), status, failed })
}

/// A MAC address that tells `number`.
fn mac(number: u32) -> [u8; 6] {
    let [a, b, c, d] = number.to_be_bytes();
    [0x02, 0x01, a, b, c, d]
}

/// An IPv4 path with a destination of its own, in 10.0.0.0/8.
fn path(number: u32) -> PathState {
    const SOURCE: [u8; 4] = [192, 0, 2, 10];
    let [_, b, c, d] = number.to_be_bytes();
    PathState { source: SOURCE.into(), destination: [10, b, c, d].into(), mtu: MTU }
}
