//! Many threads submit to one session: an update of one path each time, some under way a thread.
//!
//! All of them share the host's processor, as threads of one program do on a machine that has no
//! more; what a command costs in all is what counts.

use std::collections::VecDeque;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use abi::host::handle::Handle;
use host_driver::{ObjectState, Query, Session, Ticket, Update};
use hw_model::ModelCard;

use super::{MTU, Rig};
use crate::machine::{HOST, pin};

/// Commands of a thread that are under way at once.
const IN_FLIGHT: usize = 16;

/// A card with a path for each thread.
pub struct Threads {
    rig: Rig,
    paths: Vec<Handle>,
    /// Moves with every repetition, so that each writes something else.
    mtu: u32,
}

impl Threads {
    /// A card for up to `threads` threads.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        let rig = Rig::new();
        let [neighbor] = rig.neighbors([1]);
        let paths = rig.paths(neighbor, threads);
        Self { rig, paths, mtu: MTU }
    }

    /// Lets `threads` threads submit `count` commands together; ns a command.
    ///
    /// # Panics
    /// When the card did not carry one out.
    pub fn update(&mut self, threads: usize, count: usize) -> f64 {
        self.mtu = if self.mtu > MTU / 2 { self.mtu - 1 } else { MTU };
        let (share, mtu, session) = (count / threads, self.mtu, &self.rig.session);
        let barrier = Barrier::new(threads);
        let run = |path: Handle| {
            pin(HOST);
            barrier.wait();
            let started = Instant::now();
            submit(session, path, mtu, share);
            [started, Instant::now()]
        };
        let times: Vec<[Instant; 2]> = thread::scope(|scope| {
            let paths = self.paths[..threads].iter();
            let threads: Vec<_> = paths.map(|path| scope.spawn(|| run(*path))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread submits all")).collect()
        });
        // Who came first may have been done before another one began.
        let first = times.iter().map(|[started, _]| *started).min().expect("there are threads");
        let last = times.iter().map(|[_, ended]| *ended).max().expect("there are threads");
        let ns = (last - first).as_nanos() as f64 / (share * threads) as f64;
        for path in &self.paths[..threads] {
            assert_eq!(self.mtu_of(*path), self.mtu, "the last update holds");
        }
        ns
    }

    /// What the card has.
    fn mtu_of(&self, path: Handle) -> u32 {
        let mut tree = Query::new();
        tree.path(path);
        let outcome = self.rig.session.run(tree).expect("the card answers");
        match outcome.state(0) {
            Some(ObjectState::Path(state, _)) => state.mtu,
            other => panic!("the path is on the card, not {other:?}"),
        }
    }
}

/// Submits `count` updates that end with `mtu`, and waits for all of them.
fn submit(session: &Session<ModelCard>, path: Handle, mtu: u32, count: usize) {
    let mut under_way = VecDeque::with_capacity(IN_FLIGHT);
    for number in 1..=count {
        if under_way.len() == IN_FLIGHT {
            reap(&mut under_way);
        }
        let mut tree = Update::new();
        tree.path_mtu(path, if number == count { mtu } else { MTU });
        under_way.push_back(session.submit(tree).expect("the session takes a tree"));
    }
    while !under_way.is_empty() {
        reap(&mut under_way);
    }
}

fn reap(under_way: &mut VecDeque<Ticket<ModelCard>>) {
    let Some(ticket) = under_way.pop_front() else { return };
    let outcome = ticket.wait().expect("the card answers");
    assert_eq!(outcome.failed(), 0, "the card can do that");
}
