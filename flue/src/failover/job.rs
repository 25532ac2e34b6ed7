//! Fails the router over: invalidate, relink, terminate, each as soon as the one before is done.
//!
//! From a session, a plan and an observer to a report. The old router is terminated the moment the
//! relink has completed: that is the promise. What the host has seen is noted with the observer
//! the moment it is seen. Invariant: whatever happens to the card, the traffic's thread has ended
//! when the job has.

use std::collections::VecDeque;
use std::sync::Arc;

use abi::host::handle::Handle;
use abi::host::status::Status;
use host_driver::backing::Backing;
use host_driver::{HandleList, Invalidate, Outcome, Session, Terminate, Tree, Update};

use super::offload::{self, Offloaded};
use super::plan::Plan;
use super::report::{Report, grouped};
use super::traffic::{Pump, Traffic};
use super::{FailoverError, Scene, verify};
use crate::args::{FailoverArgs, Mode};
use crate::observer::{Note, Observer, Sight};
use crate::progress::Steps;
use crate::routes::Table;

/// Packets posted before the router fails, at least and at most; in between, one a path.
const WARM_FRAMES: (u64, u64) = (5_000, 50_000);
/// Rounds of one packet a path that are sent at the end, at most, until every path was seen.
const ROUNDS_MAX: u32 = 4;
/// Packets posted after a round to let the round's last ones leave: more than wait to be fetched.
const STRAGGLERS: u64 = 1_024;
/// Looks at the card's clock, of which the quickest is believed.
const CLOCK_LOOKS: u32 = 8;

/// How long the steps took, on the backing's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    pub(super) offload_ns: u64,
    pub(super) invalidate_ns: u64,
    pub(super) relink_ns: u64,
    pub(super) relink_cycles: u64,
    pub(super) terminate_ns: u64,
    /// By how much a mirrored frame's time may be off the host's clock.
    pub(super) clock_error_ns: u64,
}

/// What the card answered to the relink and around it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moved {
    pub(super) relinked: u32,
    pub(super) failed: u32,
    pub(super) is_invalidated: bool,
    pub(super) is_terminated: bool,
}

/// One fail-over.
pub(super) struct Job<'a, B: Backing> {
    pub(super) args: &'a FailoverArgs,
    pub(super) session: &'a Session<B>,
    pub(super) plan: &'a Arc<Plan>,
    pub(super) observer: &'a Arc<Observer>,
    pub(super) failed: u16,
    pub(super) successor: u16,
    steps: Steps,
}

impl<'a, B: Backing> Job<'a, B> {
    /// A job on a session on which nothing has been done yet.
    pub(super) fn new(
        args: &'a FailoverArgs,
        session: &'a Session<B>,
        scene: &'a Scene,
        observer: &'a Arc<Observer>,
    ) -> Self {
        let Scene { plan, failed, successor } = scene;
        let steps = Steps::new(args.verbose);
        Self { args, session, plan, observer, failed: *failed, successor: *successor, steps }
    }

    /// Runs it.
    ///
    /// # Errors
    /// When the session fails or the card refuses what the job needs.
    pub(super) fn run(&self, table: &Table) -> Result<Report, FailoverError> {
        let paths = u64::from(self.plan.paths());
        let bar = self.steps.bar("offload", paths);
        let Offloaded { neighbors, paths: handles, ns } =
            offload::offload(self.session, self.plan, |done| bar.show(done))?;
        drop(bar);
        self.steps.say(|| {
            format!("offloaded {} paths behind {} routers", grouped(paths), neighbors.len())
        });
        let mut times = Times { offload_ns: ns, ..Times::default() };
        let transmitter = self.session.transmitter(0)?;
        let pump =
            Pump::new(transmitter, self.plan, handles.clone(), self.args.seed, self.observer);
        times.clock_error_ns = self.set_clock();
        let mut traffic = Traffic::start(self.session, pump, self.args.card.is_timed());

        let warm = paths.clamp(WARM_FRAMES.0, WARM_FRAMES.1);
        let bar = self.steps.bar("traffic", warm);
        traffic.let_post(warm, |posted| bar.show(posted));
        drop(bar);
        self.steps.say(|| format!("traffic runs: {} packets posted", grouped(warm)));
        let moved = match self.fail_over(&mut traffic, &neighbors, &handles, &mut times) {
            Ok(moved) => moved,
            Err(error) => {
                // The traffic's thread must not outlive the job; nothing will complete any more.
                traffic.give_up();
                return Err(error);
            }
        };
        self.see_every_path(&mut traffic, moved.relinked);
        let totals = traffic.finish()?;
        let bar = self.steps.bar("verify", 1);
        let routers = (self.failed, self.successor);
        let checks = verify::verify(self.session, self.plan, routers, &neighbors, &handles)?;
        bar.show(1);
        drop(bar);
        self.steps.say(|| format!("audited {} objects", grouped(checks.audited)));
        Ok(Report::new(self, table, &times, &moved, &totals, &checks))
    }

    /// Sets the clock that stamps mirrored frames against the host's: by how much it may be off.
    fn set_clock(&self) -> u64 {
        if self.observer.sight() != Sight::Mirror {
            return 0;
        }
        let khz = u128::from(self.session.capabilities().clock_khz.max(1));
        let look = |_| {
            let before = self.now();
            let card = u128::from(self.session.cycles()) * 1_000_000 / khz;
            let half = self.now().saturating_sub(before) / 2;
            let card = i64::try_from(card).unwrap_or(i64::MAX);
            let host = i64::try_from(before + half).unwrap_or(i64::MAX);
            (half, card.saturating_sub(host))
        };
        let (error_ns, ahead_ns) = (0..CLOCK_LOOKS).map(look).min().unwrap_or_default();
        self.observer.set_clock(ahead_ns);
        error_ns
    }

    /// Invalidate, relink, terminate, each as soon as the one before has completed.
    fn fail_over(
        &self,
        traffic: &mut Traffic<'_, B>,
        neighbors: &[Handle],
        handles: &[Handle],
        times: &mut Times,
    ) -> Result<Moved, FailoverError> {
        let (failed, successor) = (usize::from(self.failed), usize::from(self.successor));
        let (old, new) = (neighbors[failed], neighbors[successor]);
        // A host knows which paths go by which router; the lists are at hand when one dies.
        let lists = match self.args.mode {
            Mode::List => offload::lists(self.session, self.plan, self.failed, handles)?,
            Mode::All => Vec::new(),
        };
        let mut moved = Moved::default();

        self.note(Note::Failed);
        let mut tree = Invalidate::new();
        tree.neighbor(old);
        let (outcome, ns) = self.step(traffic, tree)?;
        self.note(Note::Invalidated);
        (moved.is_invalidated, times.invalidate_ns) = (outcome.block(0).status.is_done(), ns);
        self.steps.say(|| format!("invalidated router {}", failed + 1));

        let share = self.plan.shares()[failed];
        self.steps.say(|| format!("relinking {} paths", grouped(share.into())));
        let before_cycles = self.session.cycles();
        let before = self.now();
        if self.args.mode == Mode::All {
            self.relink_all(traffic, (old, new), share, &mut moved)?;
        } else {
            self.relink_lists(traffic, new, lists, &mut moved)?;
        }
        times.relink_ns = self.now().saturating_sub(before);
        self.note(Note::Relinked);
        times.relink_cycles = self.session.cycles().saturating_sub(before_cycles);
        self.steps.say(|| format!("relinked {} paths", grouped(moved.relinked.into())));

        let mut tree = Terminate::new();
        tree.neighbor(old);
        let (outcome, ns) = self.step(traffic, tree)?;
        self.note(Note::Terminated);
        (moved.is_terminated, times.terminate_ns) = (outcome.block(0).status.is_done(), ns);
        self.steps.say(|| format!("terminated router {}", failed + 1));
        Ok(moved)
    }

    fn relink_all(
        &self,
        traffic: &mut Traffic<'_, B>,
        (old, new): (Handle, Handle),
        share: u32,
        moved: &mut Moved,
    ) -> Result<(), FailoverError> {
        let mut tree = Update::new();
        tree.neighbor(new).relink_all_of(old);
        self.note(Note::Asked(self.plan.paths()));
        let (outcome, _) = self.step(traffic, tree)?;
        self.note(Note::Moved(self.plan.paths()));
        let result = outcome.block(0);
        if result.status.is_done() && result.old_status.is_done() {
            moved.relinked = result.detail;
        }
        moved.failed = share.saturating_sub(moved.relinked);
        Ok(())
    }

    /// All lists are submitted at once; the card carries them out in order, and each completion
    /// is a fence for its own paths.
    fn relink_lists(
        &self,
        traffic: &mut Traffic<'_, B>,
        new: Handle,
        lists: Vec<(HandleList, u32)>,
        moved: &mut Moved,
    ) -> Result<(), FailoverError> {
        let mut under_way = VecDeque::with_capacity(lists.len());
        for (list, below) in lists {
            let mut tree = Update::new();
            tree.neighbor(new).relink_list(list);
            self.note(Note::Asked(below));
            under_way.push_back((self.session.submit_on(0, tree)?, below));
        }
        for (ticket, below) in under_way {
            let outcome = traffic.wait(ticket)?;
            self.note(Note::Moved(below));
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
        Ok((outcome, self.now().saturating_sub(before)))
    }

    /// Keeps traffic going until a frame of every relinked path was seen on the new router.
    fn see_every_path(&self, traffic: &mut Traffic<'_, B>, relinked: u32) {
        let paths = u64::from(self.plan.paths());
        let bar = self.steps.bar("traffic", paths);
        let is_seen = || {
            self.observer.catch_up();
            self.observer.findings().paths_seen_after >= relinked
        };
        for _ in 0..ROUNDS_MAX {
            let runs = traffic.let_post(paths, |posted| bar.show(posted));
            // Who sees no frame sends every path one, and leaves it at that.
            if !runs || self.observer.sight() == Sight::None || is_seen() {
                return;
            }
            if !traffic.let_post(STRAGGLERS, |_| {}) || is_seen() {
                return;
            }
        }
    }

    fn note(&self, note: Note) {
        self.observer.note(note, self.now());
    }

    fn now(&self) -> u64 {
        self.session.backing().clock_ns()
    }
}
