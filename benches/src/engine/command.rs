//! One command with its fence, for any number of paths: relink of all paths, and a new MAC.
//!
//! From the call that makes the tree to the outcome in hand. Idle, the card has nothing else to
//! do; busy, there are always frames on a transmit ring, so that a batch is under way.

use abi::host::handle::Handle;
use host_driver::{Transmitter, Update};

use super::Rig;
use crate::chance::Chance;
use crate::floor::command::{PAUSE_SEED, pause};
use crate::raw::ticks;
use crate::turns::Histogram;

/// Frames that are posted before each command of a busy card: at the longest pause before it, a
/// batch is still under way.
const FRAMES: usize = 256;
/// Commands before those that count.
const WARM_UP: u64 = 200;
/// Seed of the paths that frames are sent along.
const FRAME_SEED: u64 = 99;
/// Bytes of a packet: the smallest that is one, IPv4 and TCP.
const PACKET_BYTES: usize = 40;

/// Which command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// All paths of a neighbor move to another one.
    RelinkAll,
    /// A neighbor has another address.
    MacUpdate,
}

impl Command {
    /// The word in a case's name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RelinkAll => "relink_all",
            Self::MacUpdate => "mac_update",
        }
    }
}

/// A card with paths under one of two neighbors.
pub struct Commands {
    rig: Rig,
    neighbors: [Handle; 2],
    /// Which of the two has the paths.
    at: usize,
    paths: Vec<Handle>,
    transmitter: Transmitter,
    packet: Vec<u8>,
    /// Counts the addresses given to the first neighbor.
    addresses: u32,
}

impl Commands {
    /// A card with `count` paths.
    ///
    /// # Panics
    /// When the card refuses one.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let rig = Rig::new();
        let neighbors = rig.neighbors([1, 2]);
        let paths = rig.paths(neighbors[0], count);
        let transmitter = rig.session.transmitter(0).expect("nobody has the ring");
        let mut packet = vec![0; PACKET_BYTES];
        packet[0] = 0x45;
        Self { rig, neighbors, at: 0, paths, transmitter, packet, addresses: 0 }
    }

    /// Times `count` commands, one after another.
    ///
    /// # Panics
    /// When one of them did not do what it says.
    pub fn commands(&mut self, command: Command, count: u64, is_busy: bool) -> Histogram {
        let (mut histogram, mut pauses) = (Histogram::new(), Chance::new(PAUSE_SEED));
        let mut frames = Chance::new(FRAME_SEED);
        for number in 1..=WARM_UP + count {
            if is_busy {
                self.keep_busy(&mut frames);
                pause(&mut pauses);
                assert!(self.transmitter.in_flight() > 0, "frames are under way");
            }
            let ticks = self.one(command);
            if number > WARM_UP {
                histogram.add(ticks);
            }
        }
        self.check();
        histogram
    }

    fn one(&mut self, command: Command) -> u64 {
        let [source, target] = [self.neighbors[self.at], self.neighbors[self.at ^ 1]];
        let started = ticks();
        let mut tree = Update::new();
        match command {
            Command::RelinkAll => tree.neighbor(target).relink_all_of(source),
            Command::MacUpdate => {
                let [a, b, c, d] = self.addresses.to_be_bytes();
                tree.neighbor(source).set([0x02, 0, a, b, c, d], 0);
            }
        }
        let answer = self.rig.session.run(tree);
        let ended = ticks();
        let outcome = answer.expect("the card answers");
        assert_eq!(outcome.failed(), 0, "the card can do that");
        match command {
            Command::RelinkAll => {
                let moved = outcome.block(0).detail as usize;
                assert_eq!(moved, self.paths.len(), "all paths move");
                self.at ^= 1;
            }
            Command::MacUpdate => self.addresses += 1,
        }
        ended - started
    }

    /// Reaps what has left, and fills up what is under way.
    fn keep_busy(&mut self, chance: &mut Chance) {
        self.transmitter.reap(|_| {}).expect("the card completes what was posted");
        for tag in self.transmitter.in_flight()..FRAMES {
            let path = self.paths[chance.below(self.paths.len() as u64) as usize];
            self.transmitter.post(path, &self.packet, tag as u32).expect("the ring has room");
        }
        self.transmitter.publish();
    }

    /// Asks the card: all paths hang from where they are said to.
    fn check(&self) {
        let [here, there] = [self.at, self.at ^ 1].map(|at| self.neighbors[at]);
        assert_eq!(self.rig.dependents(here) as usize, self.paths.len());
        assert_eq!(self.rig.dependents(there), 0);
    }
}
