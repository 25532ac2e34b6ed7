//! What each operation of a script asks of the card, and how the card's answer is told.
//!
//! Below `run`. Every method resolves its names first, so that a wrong line sends nothing; then
//! it runs one tree to its end and writes down the statuses that came back. The only status that
//! is decided here is `wrong_kind` at `send`: a transmit descriptor does not say which kind it
//! means, so the card cannot judge it.

use abi::host::handle::Handle;
use abi::host::status::{EventKind, Kind, Status};
use host_driver::backing::Backing;
use host_driver::state::{NeighborState, ObjectState};
use host_driver::{Invalidate, Outcome, Query, Terminate, Tree, Update as UpdateTree};

use super::answer::Entries;
use super::initiate;
use super::line::{Moved, Name, Named, Relink, Root, Selected, Send, Update};
use super::names::{Object, Remembered};
use super::run::{OperationError, Runner};
use super::sender::Request;
use super::{state, variables};
use crate::wait::Deadline;

/// Time in which the card raises what is due, on its own clock, before `events` looks.
const EVENTS_SETTLE_NS: u64 = 2_000_000;
const NS_PER_MS: u64 = 1_000_000;

type Answer = Result<Entries, OperationError>;

/// The statuses of the names of a line, in their order; a name that stands twice keeps its first.
fn statuses<'a>(names: impl IntoIterator<Item = (&'a Name, Status)>) -> Entries {
    let mut seen = std::collections::HashSet::new();
    let mut entries = Entries::default();
    for (name, status) in names {
        if seen.insert(name) {
            entries.push(&name.0, status.word());
        }
    }
    entries
}

fn answer(status: Entries) -> Entries {
    let mut answer = Entries::default();
    answer.push("status", status);
    answer
}

impl<B: Backing> Runner<B> {
    /// Runs a tree, then waits until the frames it released have left and those it cost are
    /// dropped.
    fn run(&mut self, tree: impl Into<Tree>) -> Result<Outcome, OperationError> {
        let outcome = self.session.run(tree.into())?;
        self.sender.settle(&self.session)?;
        Ok(outcome)
    }

    pub(super) fn initiate(&mut self, roots: &[Root]) -> Answer {
        if roots.is_empty() {
            return Ok(answer(Entries::default()));
        }
        let initiate::Planned { tree, asked } = initiate::plan(roots, &self.names)?;
        let outcome = self.run(tree)?;
        let named = asked.iter().map(|asked| (&asked.name, outcome.block(asked.block).status));
        let status = statuses(named);
        initiate::accept(asked, &outcome, &mut self.names);
        Ok(answer(status))
    }

    pub(super) fn update(&mut self, update: Update) -> Answer {
        let mut tree = UpdateTree::with_capacity(1);
        let (name, block, after) = match update {
            Update::Neighbor { name, mac, host_reachability_ms } => {
                let object = self.names.known(&name)?;
                let mut state = match &object.state {
                    Remembered::Neighbor(state) => *state,
                    _ => NeighborState::default(),
                };
                state.destination = mac.map_or(state.destination, |mac| mac.0);
                state.host_reachability_ms = host_reachability_ms.unwrap_or(0);
                let block = tree
                    .neighbor(object.handle)
                    .set(state.destination, state.host_reachability_ms)
                    .block();
                (name, block, Some(Remembered::Neighbor(state)))
            }
            Update::Path { name, mtu } => {
                let block = tree.path_mtu(self.names.handle(&name)?, mtu);
                (name, block, None)
            }
            Update::Connection { name, variables } => {
                let object = self.names.known(&name)?;
                let mut after = object.state.clone();
                let mut changed = Default::default();
                if let Remembered::Connection { state, .. } = &mut after {
                    variables.put(state);
                    changed = **state;
                }
                let block = tree.connection(object.handle, &changed.cached);
                (name, block, Some(after))
            }
        };
        let outcome = self.run(tree)?;
        let status = outcome.block(block).status;
        if let (Some(after), true) = (after, status.is_done()) {
            self.names.remember(&name, after);
        }
        Ok(answer(statuses([(&name, status)])))
    }

    pub(super) fn relink(&mut self, relink: &Relink) -> Answer {
        let to = self.names.handle(&relink.to)?;
        match &relink.moved {
            Moved::Paths(paths) => {
                let handles = self.handles(paths)?;
                let mut tree = UpdateTree::with_capacity(1 + handles.len());
                let mut neighbor = tree.neighbor(to);
                let first = neighbor.block();
                let blocks: Vec<usize> =
                    handles.iter().map(|path| neighbor.relink(*path)).collect();
                let outcome = self.run(tree)?;
                let moved = paths
                    .iter()
                    .zip(blocks)
                    .map(|(name, block)| (name, outcome.block(block).status));
                let all = std::iter::once((&relink.to, outcome.block(first).status)).chain(moved);
                Ok(answer(statuses(all)))
            }
            Moved::AllOf(old) => {
                let handle = self.names.handle(old)?;
                let mut tree = UpdateTree::with_capacity(1);
                tree.neighbor(to).relink_all_of(handle);
                let outcome = self.run(tree)?;
                let result = outcome.block(0);
                let mut answer =
                    answer(statuses([(&relink.to, result.status), (old, result.old_status)]));
                let moved = if result.status.is_done() { result.detail } else { 0 };
                answer.push("relinked", moved);
                Ok(answer)
            }
        }
    }

    pub(super) fn query(&mut self, named: &Named) -> Answer {
        let mut tree = Query::new();
        let (kind, name) = kind_of(named);
        let block = tree.object(kind, self.names.handle(name)?);
        let outcome = self.run(tree)?;
        let mut answer = answer(statuses([(name, outcome.block(block).status)]));
        if let Some(state) = outcome.state(block) {
            answer.push("state", state::entries(&state, &self.names));
        }
        Ok(answer)
    }

    pub(super) fn invalidate(&mut self, selected: &Selected) -> Answer {
        let named = self.selected(selected)?;
        let mut tree = Invalidate::with_capacity(named.len());
        for (kind, _, handle) in &named {
            tree.object(*kind, *handle);
        }
        self.answer_named(tree.into(), &named).map(|(status, _)| answer(status))
    }

    pub(super) fn terminate(&mut self, selected: &Selected) -> Answer {
        let named = self.selected(selected)?;
        let mut tree = Terminate::with_capacity(named.len());
        for (kind, _, handle) in &named {
            tree.object(*kind, *handle);
        }
        let (status, outcome) = self.answer_named(tree.into(), &named)?;
        let mut returned = Entries::default();
        let names: Vec<Name> = named.iter().map(|(_, name, _)| (*name).clone()).collect();
        for (block, name) in names.iter().enumerate() {
            let Some(outcome) = &outcome else { break };
            if !outcome.block(block).status.is_done() {
                continue;
            }
            self.names.terminate(name);
            match outcome.state(block) {
                Some(ObjectState::Neighbor(state, _)) => {
                    let mut age = Entries::default();
                    age.push("card_reachability_ms", state.card_reachability_ms);
                    returned.push(&name.0, age);
                }
                Some(ObjectState::Connection(state, _)) => {
                    returned.push(&name.0, variables::returned(&state.delegated));
                }
                Some(ObjectState::Path(..)) | None => {}
            }
        }
        let mut answer = answer(status);
        answer.push("state", returned);
        Ok(answer)
    }

    pub(super) fn send(&mut self, send: &Send) -> Answer {
        let (kind, name) = kind_of(&send.from);
        let Object { handle, state, is_live } = self.names.known(name)?;
        let (addresses, path) = match state {
            Remembered::Path(addresses) => (*addresses, *handle),
            Remembered::Connection { addresses, path, .. } => (*addresses, *path),
            Remembered::Neighbor(_) => return Ok(not_sent(name, send.count)),
        };
        if state.kind() != kind {
            return Ok(not_sent(name, send.count));
        }
        let (handle, bytes, count) = (*handle, send.bytes, send.count);
        let request = Request { handle, path, is_live: *is_live, addresses, bytes, count };
        let sent = self.sender.send(&self.session, request)?;
        if sent.held > 0 && self.session.config().grace_ms == 0 {
            // Upload is asked for at once: what comes next in the script finds that done.
            self.let_pass(EVENTS_SETTLE_NS)?;
        }
        let status = if sent.stale > 0 { Status::STALE_HANDLE } else { Status::SUCCESS };
        let mut answer = answer(statuses([(name, status)]));
        answer.push("sent", sent.left);
        answer.push("held", sent.held);
        answer.push("dropped", sent.dropped);
        Ok(answer)
    }

    pub(super) fn wait(&mut self, ms: u64) -> Answer {
        self.let_pass(ms * NS_PER_MS)?;
        Ok(answer(Entries::default()))
    }

    pub(super) fn events(&mut self) -> Answer {
        self.let_pass(EVENTS_SETTLE_NS)?;
        let mut events = Vec::new();
        while let Some(event) = self.session.next_event() {
            // What is held stands in the answers of `send` and `relink`.
            if event.kind == EventKind::DRAINED {
                continue;
            }
            let mut entries = Entries::default();
            entries.push("event", event.kind.word());
            let name = self.names.show(event.handle);
            match event.kind {
                EventKind::NEIGHBOR_QUERY => entries.push("neighbor", name),
                _ => entries.push("connection", name),
            }
            if event.rescan {
                entries.push("rescan", true);
            }
            events.push(entries);
        }
        let mut answer = answer(Entries::default());
        answer.push("events", events);
        Ok(answer)
    }

    pub(super) fn reset(&mut self) -> Answer {
        self.session.reset()?;
        self.names.reset();
        Ok(answer(Entries::default()))
    }

    /// Lets time pass on the card's clock.
    fn let_pass(&mut self, for_ns: u64) -> Result<(), OperationError> {
        let mut deadline = Deadline::after(&**self.session.backing(), for_ns);
        while deadline.relax(&**self.session.backing()) {
            self.session.poll();
            self.sender.reap()?;
        }
        Ok(())
    }

    fn handles(&self, names: &[Name]) -> Result<Vec<Handle>, OperationError> {
        let handles = names.iter().map(|name| Ok(self.names.handle(name)?));
        handles.collect()
    }

    /// The objects that a line names by kind, with their handles.
    fn selected<'a>(
        &self,
        selected: &'a Selected,
    ) -> Result<Vec<(Kind, &'a Name, Handle)>, OperationError> {
        let neighbors = selected.neighbors.iter().map(|name| (Kind::NEIGHBOR, name));
        let paths = selected.paths.iter().map(|name| (Kind::PATH, name));
        let connections = selected.connections.iter().map(|name| (Kind::CONNECTION, name));
        let all = neighbors.chain(paths).chain(connections);
        all.map(|(kind, name)| Ok((kind, name, self.names.handle(name)?))).collect()
    }

    /// Runs a tree whose blocks are `named`, in this order; no tree for none.
    fn answer_named(
        &mut self,
        tree: Tree,
        named: &[(Kind, &Name, Handle)],
    ) -> Result<(Entries, Option<Outcome>), OperationError> {
        if named.is_empty() {
            return Ok((Entries::default(), None));
        }
        let outcome = self.run(tree)?;
        let all = named.iter().enumerate();
        let status =
            statuses(all.map(|(block, (_, name, _))| (*name, outcome.block(block).status)));
        Ok((status, Some(outcome)))
    }
}

/// The answer of a `send` that names an object of another kind: nothing is posted.
fn not_sent(name: &Name, count: u32) -> Entries {
    let mut answer = answer(statuses([(name, Status::WRONG_KIND)]));
    answer.push("sent", 0);
    answer.push("held", 0);
    answer.push("dropped", count);
    answer
}

fn kind_of(named: &Named) -> (Kind, &Name) {
    match named {
        Named::Neighbor(name) => (Kind::NEIGHBOR, name),
        Named::Path(name) => (Kind::PATH, name),
        Named::Connection(name) => (Kind::CONNECTION, name),
    }
}
