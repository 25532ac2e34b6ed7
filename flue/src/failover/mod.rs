//! The main job: the busiest router dies while traffic runs, and its paths go to another.
//!
//! From the command line to a verdict: `plan` draws routers and paths, `offload` puts them on the
//! card, `traffic` keeps frames going, this file fails the router over, the observer at the port
//! judges every frame, `verify` asks the card what it now holds, `report` tells it all.
//! The old router is terminated the moment the relink has completed: that is the promise.

mod offload;
pub(crate) mod plan;
mod progress;
mod report;
pub(crate) mod timeline;
mod traffic;
mod verify;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use abi::host::handle::Handle;
use abi::host::status::{Detail, Status};
use host_driver::backing::Backing;
use host_driver::{Invalidate, Outcome, Session, Terminate, Tree, Update};

use self::offload::Offloaded;
use self::plan::{Plan, Sizes};
use self::progress::Progress;
use self::report::Report;
use self::traffic::{Pump, Traffic};
use crate::args::{FailoverArgs, Mode};
use crate::card::{self, CardError};
use crate::observer::{Observer, ObserverPort};
use crate::routes::{RouteError, Table};

/// Packets posted before the router fails, at least and at most; in between, one a path.
const WARM_FRAMES: (u64, u64) = (5_000, 50_000);
/// Rounds of one packet a path that are sent at the end, at most, until every path was seen.
const ROUNDS_MAX: u32 = 4;

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FailoverError {
    /// The routing table cannot be used.
    #[error(transparent)]
    Routes(#[from] RouteError),
    /// No session with the card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The session failed under way.
    #[error(transparent)]
    Session(#[from] host_driver::Error),
    /// The card did not take something that the job needs.
    #[error("the card refused {name}: {status} ({})", detail.word())]
    Refused { name: String, status: Status, detail: Detail },
    /// The report could not be written.
    #[error("cannot write the report: {0}")]
    Write(#[from] io::Error),
}

/// How long the steps took, on the backing's clock.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    offload_ns: u64,
    invalidate_ns: u64,
    relink_ns: u64,
    relink_cycles: u64,
    terminate_ns: u64,
}

/// What the card answered to the relink and around it.
#[derive(Clone, Copy, Debug, Default)]
struct Moved {
    relinked: u32,
    failed: u32,
    is_invalidated: bool,
    is_terminated: bool,
}

/// Runs the job and writes its report to standard output. Whether everything held.
///
/// # Errors
/// All of [`FailoverError`].
pub(crate) fn run(args: &FailoverArgs) -> Result<bool, FailoverError> {
    let started = Instant::now();
    let table = match &args.routes {
        Some(path) => Table::read(path)?,
        None => Table::shipped()?,
    };
    let capabilities = card::capabilities(&args.card, Some(args.paths as u32));
    let sizes = Sizes {
        paths: args.paths as u32,
        neighbors: args.neighbors as u16,
        port_vlans: &args.card.port_vlans,
        source_macs: capabilities.source_macs,
    };
    let plan = Arc::new(Plan::new(&table, sizes, args.seed));
    let failed = plan.busiest();
    let successor = plan.successor(failed);
    let observer = Observer::new(&plan, failed, successor);
    let (port, capture) = card::port(&args.port)?;
    let port = ObserverPort::new(&observer, port);
    let session = card::attach(&args.card, capabilities, Box::new(port))?;
    let job = Job { args, session: &session, plan: &plan, observer: &observer, failed, successor };
    let mut report = job.run(&table)?;
    // The card goes first, so that the capture is complete when the report is read.
    drop(session);
    if let Some(complaint) = capture.complaint() {
        eprintln!("flue: {complaint}");
        report.ok = false;
    }
    report.wall_clock_ms = started.elapsed().as_millis() as u64;
    let text = if args.json { report.json() } else { report.text() };
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()?;
    Ok(report.ok)
}

/// One fail-over.
struct Job<'a, B: Backing> {
    args: &'a FailoverArgs,
    session: &'a Session<B>,
    plan: &'a Arc<Plan>,
    observer: &'a Observer,
    failed: u16,
    successor: u16,
}

impl<B: Backing> Job<'_, B> {
    fn run(&self, table: &Table) -> Result<Report, FailoverError> {
        let paths = u64::from(self.plan.paths());
        let bar = Progress::new("offload", paths);
        let Offloaded { neighbors, paths: handles, ns } =
            offload::offload(self.session, self.plan, |done| bar.show(done))?;
        let mut times = Times { offload_ns: ns, ..Times::default() };
        let pump =
            Pump::new(self.session.transmitter(0)?, self.plan, handles.clone(), self.args.seed);
        let mut traffic = Traffic::start(self.session, pump, self.args.card.timed);

        let warm = paths.clamp(WARM_FRAMES.0, WARM_FRAMES.1);
        let bar = Progress::new("traffic", warm);
        traffic.let_post(warm, |posted| bar.show(posted));
        let moved = self.fail_over(&mut traffic, &neighbors, &handles, &mut times);
        if let Ok(moved) = &moved {
            self.see_every_path(&mut traffic, moved.relinked);
        }
        // Also after a failure: the traffic's thread must not outlive the job.
        let totals = traffic.finish();
        let moved = moved?;
        let bar = Progress::new("verify", 1);
        let checks = verify::verify(
            self.session,
            self.plan,
            self.failed,
            self.successor,
            &neighbors,
            &handles,
        )?;
        bar.show(1);
        Ok(Report::new(self, table, &times, &moved, &totals, checks))
    }

    /// Invalidate, relink, terminate, each as soon as the one before has completed.
    fn fail_over(
        &self,
        traffic: &mut Traffic<'_, B>,
        neighbors: &[Handle],
        handles: &[Handle],
        times: &mut Times,
    ) -> Result<Moved, FailoverError> {
        let (old, new) =
            (neighbors[usize::from(self.failed)], neighbors[usize::from(self.successor)]);
        // A host knows which paths go by which router; the lists are at hand when one dies.
        let lists = match self.args.mode {
            Mode::List => offload::lists(self.session, self.plan, self.failed, handles)?,
            Mode::All => Vec::new(),
        };
        let mut moved = Moved::default();

        self.observer.failed(self.now());
        let mut tree = Invalidate::new();
        tree.neighbor(old);
        let (outcome, ns) = self.step(traffic, tree)?;
        self.observer.invalidated(self.now());
        (moved.is_invalidated, times.invalidate_ns) = (outcome.block(0).status.is_done(), ns);

        let (before, before_cycles) = (self.now(), self.session.cycles());
        if self.args.mode == Mode::All {
            self.relink_all(traffic, old, new, &mut moved)?;
        } else {
            self.relink_lists(traffic, new, lists, &mut moved)?;
        }
        times.relink_ns = self.now() - before;
        times.relink_cycles = self.session.cycles() - before_cycles;
        self.observer.relinked(self.now());

        let mut tree = Terminate::new();
        tree.neighbor(old);
        let (outcome, ns) = self.step(traffic, tree)?;
        self.observer.terminated(self.now());
        (moved.is_terminated, times.terminate_ns) = (outcome.block(0).status.is_done(), ns);
        Ok(moved)
    }

    fn relink_all(
        &self,
        traffic: &mut Traffic<'_, B>,
        old: Handle,
        new: Handle,
        moved: &mut Moved,
    ) -> Result<(), FailoverError> {
        let mut tree = Update::new();
        tree.neighbor(new).relink_all_of(old);
        self.observer.asked(self.plan.paths());
        let (outcome, _) = self.step(traffic, tree)?;
        self.observer.moved(self.plan.paths());
        let result = outcome.block(0);
        if result.status.is_done() && result.old_status.is_done() {
            moved.relinked = result.detail;
        }
        let share = self.plan.shares()[usize::from(self.failed)];
        moved.failed = share.saturating_sub(moved.relinked);
        Ok(())
    }

    /// All lists are submitted at once; the card carries them out in order, and each completion
    /// is a fence for its own paths.
    fn relink_lists(
        &self,
        traffic: &mut Traffic<'_, B>,
        new: Handle,
        lists: Vec<(host_driver::HandleList, u32)>,
        moved: &mut Moved,
    ) -> Result<(), FailoverError> {
        let mut under_way = std::collections::VecDeque::with_capacity(lists.len());
        for (list, below) in lists {
            let mut tree = Update::new();
            tree.neighbor(new).relink_list(list);
            self.observer.asked(below);
            under_way.push_back((self.session.submit_on(0, tree)?, below));
        }
        for (ticket, below) in under_way {
            let outcome = traffic.wait(ticket)?;
            self.observer.moved(below);
            let statuses = outcome.list_status(0);
            let done = statuses.iter().filter(|status| Status(**status).is_done()).count();
            moved.relinked += done as u32;
            moved.failed += (statuses.len() - done) as u32;
        }
        Ok(())
    }

    /// Runs a tree while traffic goes on; its outcome and how long it took.
    fn step(
        &self,
        traffic: &mut Traffic<'_, B>,
        tree: impl Into<Tree>,
    ) -> Result<(Outcome, u64), FailoverError> {
        let before = self.now();
        let ticket = self.session.submit_on(0, tree)?;
        let outcome = traffic.wait(ticket)?;
        Ok((outcome, self.now() - before))
    }

    /// Keeps traffic going until a frame of every relinked path was seen on the new router.
    fn see_every_path(&self, traffic: &mut Traffic<'_, B>, relinked: u32) {
        let paths = u64::from(self.plan.paths());
        let bar = Progress::new("traffic", paths);
        for _ in 0..ROUNDS_MAX {
            traffic.let_post(paths, |posted| bar.show(posted));
            if self.observer.findings().paths_seen_after >= relinked {
                return;
            }
        }
    }

    fn now(&self) -> u64 {
        self.session.backing().clock_ns()
    }
}
