//! Plays a random stream against a card and the oracle, and compares after every step.
//!
//! Compared: the status of every block and list entry, counts, details that the rules fix, the
//! state and links that a query gives, what came back of every frame, and every header that
//! crossed the port, in order per path.

use std::collections::{BTreeSet, HashMap};

use abi::host::handle::Handle;
use abi::host::status::{Kind, Status};
use host_driver::backing::Backing;
use host_driver::{
    Config, ConnectionState, Initiate, Invalidate, NeighborBlock, NeighborState, ObjectState,
    PathState, Query, Terminate, Update,
};
use hw_model::conformance::{Needs, Rig, Scene};
use hw_model::oracle::{
    Fate, Found, FoundState, InitiateRoot, Name, Named, NeighborNode, NeighborWhat, Oracle,
    PathNode, PathWhat, Released, Selected, UpdateRoot,
};

use super::action::{self, Action, ConnectionSpec, NeighborSpec, PathSpec, Pick};

/// Stream number of frames whose handle never named a path.
const NO_STREAM: Name = Name::MAX;

/// A card, the oracle of it, and how names and handles go together.
pub(crate) struct Play<B: Backing> {
    pub(crate) scene: Scene<B>,
    pub(super) oracle: Oracle,
    pub(super) handles: HashMap<Name, Handle>,
    pub(super) next_name: Name,
    /// Which frame has this stream and sequence number.
    pub(super) frames: HashMap<(u32, u64), u32>,
    pub(super) next_sequence: HashMap<u32, u64>,
    pub(super) statuses: BTreeSet<Status>,
}

/// Blocks of a tree that give new handles: block number and name.
type Created = Vec<(usize, Name)>;

impl<B: Backing> Play<B> {
    pub(crate) fn open<R: Rig<Card = B>>(rig: &R, has_vlans: bool) -> Self {
        Self::open_with(rig, has_vlans, |_| {})
    }

    /// The same on a session with other settings.
    pub(crate) fn open_with<R: Rig<Card = B>>(
        rig: &R,
        has_vlans: bool,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mut needs = Needs::sized(|sizes| {
            (sizes.neighbors, sizes.paths, sizes.connections, sizes.aliases) = (5, 9, 7, 7);
            (sizes.source_macs, sizes.vlans) = (2, 2);
            // With room in memory for more than the table holds, and for less.
            sizes.state_memory = if has_vlans { 5 } else { 9 } * abi::core::table::STATE_BYTES;
            (sizes.held_per_path, sizes.held_total) = (6, 12);
        });
        needs.config.grace_ms = 1_000_000;
        let port_vlans: &[u16] = if has_vlans { &[10, 20] } else { &[] };
        needs.config.port_vlans = port_vlans.to_vec();
        change(&mut needs.config);
        let scene = Scene::open(rig, &needs).expect("the model can be given everything");
        Self {
            scene,
            oracle: Oracle::new(&needs.capabilities, port_vlans),
            handles: HashMap::new(),
            next_name: 1,
            frames: HashMap::new(),
            next_sequence: HashMap::new(),
            statuses: BTreeSet::new(),
        }
    }

    pub(crate) fn step(&mut self, action: &Action) {
        match action {
            Action::Initiate(roots) => self.initiate(roots),
            Action::Update(roots) => self.update(roots),
            Action::List { to, paths } => self.list(*to, paths),
            Action::Query(named) => self.query(&self.named(named)),
            Action::Invalidate(named) => self.invalidate(&self.named(named)),
            Action::Terminate(named) => self.terminate(&self.named(named)),
            Action::Send { owner, is_connection, bytes, count } => {
                self.send(*owner, *is_connection, *bytes, *count);
            }
            Action::Reset => self.reset(),
        }
    }

    /// Every status that was met.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = Status> {
        self.statuses.iter().copied()
    }

    /// At the end: everything on the card is as the oracle has it.
    pub(crate) fn check_all(&mut self) {
        let names: Vec<Name> = self.handles.keys().copied().collect();
        let named: Vec<Named> =
            names.iter().filter_map(|name| Some((self.oracle.kind(*name)?, *name))).collect();
        self.query(&named);
    }

    fn initiate(&mut self, roots: &[action::Root]) {
        let mut tree = Initiate::with_capacity(16);
        let (mut asked, mut created) = (Vec::new(), Created::new());
        for root in roots {
            match root {
                action::Root::Path(of, connections) => {
                    let Some((linker, handle)) = self.pick(*of, Kind::PATH) else { continue };
                    let mut block = tree.path_linker_root(handle);
                    let connections = self
                        .connections(connections, &mut created, |state| block.connection(state));
                    asked.push(InitiateRoot::Path { linker, connections });
                }
                action::Root::New(spec, paths) => {
                    let (name, state) = (self.new_name(), neighbor_state(*spec));
                    let block = tree.neighbor(&state);
                    created.push((block.block(), name));
                    let paths = self.paths(paths, block, &mut created);
                    asked.push(InitiateRoot::Neighbor(NeighborNode {
                        what: NeighborWhat::New(name, state),
                        paths,
                    }));
                }
                action::Root::Linker(of, paths) => {
                    let Some((name, handle)) = self.pick(*of, Kind::NEIGHBOR) else { continue };
                    let paths = self.paths(paths, tree.neighbor_linker(handle), &mut created);
                    asked.push(InitiateRoot::Neighbor(NeighborNode {
                        what: NeighborWhat::Linker(name),
                        paths,
                    }));
                }
                action::Root::Placeholder(paths) => {
                    let paths = self.paths(paths, tree.placeholder(), &mut created);
                    asked.push(InitiateRoot::Neighbor(NeighborNode {
                        what: NeighborWhat::Placeholder,
                        paths,
                    }));
                }
            }
        }
        if asked.is_empty() {
            return;
        }
        let outcome = self.scene.run(tree);
        let report = self.oracle.initiate(&asked);
        for (block, name) in created {
            let result = outcome.block(block);
            assert_eq!(
                result.handle.is_null(),
                !result.status.is_done(),
                "block {block}: {result:?}"
            );
            if result.status.is_done() {
                assert!(
                    !self.handles.values().any(|old| *old == result.handle),
                    "{} again",
                    result.handle
                );
                self.handles.insert(name, result.handle);
            }
        }
        self.compare(&outcome, &report);
    }

    fn paths(
        &mut self,
        specs: &[action::PathNode],
        mut parent: NeighborBlock<'_>,
        created: &mut Created,
    ) -> Vec<PathNode> {
        let mut nodes = Vec::new();
        for spec in specs {
            let (what, below, mut block) = match spec {
                action::PathNode::New(spec, below) => {
                    let (name, state) = (self.new_name(), path_state(*spec));
                    let block = parent.path(&state);
                    created.push((block.block(), name));
                    (PathWhat::New(name, state), below, block)
                }
                action::PathNode::Linker(of, below) => {
                    let Some((name, handle)) = self.pick(*of, Kind::PATH) else { continue };
                    (PathWhat::Linker(name), below, parent.path_linker(handle))
                }
            };
            let connections = self.connections(below, created, |state| block.connection(state));
            nodes.push(PathNode { what, connections });
        }
        nodes
    }

    fn connections(
        &mut self,
        specs: &[ConnectionSpec],
        created: &mut Created,
        mut add: impl FnMut(&ConnectionState) -> usize,
    ) -> Vec<(Name, ConnectionState)> {
        let mut nodes = Vec::new();
        for spec in specs {
            let (name, state) = (self.new_name(), connection_state(*spec));
            created.push((add(&state), name));
            nodes.push((name, state));
        }
        nodes
    }

    fn update(&mut self, roots: &[action::UpdateRoot]) {
        let mut tree = Update::with_capacity(16);
        let mut asked = Vec::new();
        for root in roots {
            match root {
                action::UpdateRoot::Blocks { to, set, paths } => {
                    let Some((name, handle)) = self.pick(*to, Kind::NEIGHBOR) else { continue };
                    let set = set.map(|n| (mac(n), 5));
                    let mut block = tree.neighbor(handle);
                    if let Some((destination, age)) = set {
                        block = block.set(destination, age);
                    }
                    let paths: Vec<_> =
                        paths.iter().filter_map(|of| self.pick(*of, Kind::PATH)).collect();
                    for (_, path) in &paths {
                        block.relink(*path);
                    }
                    let relink = Selected::Blocks(paths.iter().map(|(name, _)| *name).collect());
                    asked.push(UpdateRoot::Neighbor { name, set, relink });
                }
                action::UpdateRoot::AllOf { to, set, old } => {
                    let picked =
                        self.pick(*to, Kind::NEIGHBOR).zip(self.pick(*old, Kind::NEIGHBOR));
                    let Some(((name, handle), (old, old_handle))) = picked else { continue };
                    let set = set.map(|n| (mac(n), 5));
                    let mut block = tree.neighbor(handle);
                    if let Some((destination, age)) = set {
                        block = block.set(destination, age);
                    }
                    block.relink_all_of(old_handle);
                    asked.push(UpdateRoot::Neighbor { name, set, relink: Selected::AllOf(old) });
                }
                action::UpdateRoot::Mtu(of, mtu) => {
                    let Some((name, handle)) = self.pick(*of, Kind::PATH) else { continue };
                    tree.path_mtu(handle, *mtu);
                    asked.push(UpdateRoot::PathMtu(name, *mtu));
                }
                action::UpdateRoot::Connection(of, spec) => {
                    let Some((name, handle)) = self.pick(*of, Kind::CONNECTION) else { continue };
                    let cached = connection_state(*spec).cached;
                    tree.connection(handle, &cached);
                    asked.push(UpdateRoot::Connection(name, cached));
                }
            }
        }
        if asked.is_empty() {
            return;
        }
        let outcome = self.scene.run(tree);
        let report = self.oracle.update(&asked);
        self.compare(&outcome, &report);
    }

    fn list(&mut self, to: Pick, paths: &[Pick]) {
        let Some((name, handle)) = self.pick(to, Kind::NEIGHBOR) else { return };
        let paths: Vec<_> = paths.iter().filter_map(|of| self.pick(*of, Kind::PATH)).collect();
        let mut list = self.scene.session.handle_list(paths.len()).expect("memory for a list");
        list.extend(paths.iter().map(|(_, handle)| *handle)).expect("it was made for these");
        let mut tree = Update::with_capacity(1);
        tree.neighbor(handle).relink_list(list);
        let outcome = self.scene.run(tree);
        let relink = Selected::List(paths.iter().map(|(name, _)| *name).collect());
        let report = self.oracle.update(&[UpdateRoot::Neighbor { name, set: None, relink }]);
        self.compare(&outcome, &report);
    }

    fn query(&mut self, named: &[Named]) {
        if named.is_empty() {
            return;
        }
        let mut tree = Query::with_capacity(named.len());
        for (kind, name) in named {
            tree.object(*kind, self.handles[name]);
        }
        let outcome = self.scene.run(tree);
        let report = self.oracle.query(named);
        for (block, (_, name)) in named.iter().enumerate() {
            if report.blocks[block].status.is_done() {
                let found = self.oracle.find(*name).expect("what is live is found");
                let state = outcome.state(block).expect("a query that succeeded has the state");
                self.compare_state(&found, &state);
            }
        }
        self.compare(&outcome, &report);
    }

    fn invalidate(&mut self, named: &[Named]) {
        if named.is_empty() {
            return;
        }
        let mut tree = Invalidate::with_capacity(named.len());
        for (kind, name) in named {
            tree.object(*kind, self.handles[name]);
        }
        let outcome = self.scene.run(tree);
        let report = self.oracle.invalidate(named);
        self.compare(&outcome, &report);
    }

    fn terminate(&mut self, named: &[Named]) {
        if named.is_empty() {
            return;
        }
        let mut tree = Terminate::with_capacity(named.len());
        for (kind, name) in named {
            tree.object(*kind, self.handles[name]);
        }
        let found: Vec<_> = named.iter().map(|(_, name)| self.oracle.find(*name)).collect();
        let outcome = self.scene.run(tree);
        let report = self.oracle.terminate(named);
        for (block, found) in found.into_iter().enumerate() {
            let Some(Found { state: FoundState::Connection(given), .. }) = found else { continue };
            if report.blocks[block].status.is_done() {
                let Some(ObjectState::Connection(back, _)) = outcome.state(block) else {
                    panic!("its state")
                };
                assert_eq!(back.delegated, given.delegated, "what was delegated comes back");
            }
        }
        self.compare(&outcome, &report);
    }

    fn send(&mut self, owner: Pick, is_connection: bool, bytes: u16, count: u8) {
        let kind = if is_connection { Kind::CONNECTION } else { Kind::PATH };
        let Some((name, handle)) = self.pick(owner, kind) else { return };
        let path = if self.oracle.live(Kind::PATH).contains(&name) {
            Some(name)
        } else {
            self.oracle.path_of(name)
        };
        let stream = path.unwrap_or(NO_STREAM);
        let is_ipv6 = path.and_then(|path| self.oracle.find(path)).is_some_and(
            |found| matches!(found.state, FoundState::Path(state) if state.destination.is_ipv6()),
        );
        let mut expected = Vec::new();
        for _ in 0..count {
            let frame = self.scene.post(handle, stream, usize::from(bytes), is_ipv6);
            let sequence = self.next_sequence.entry(stream).or_default();
            self.frames.insert((stream, *sequence), frame);
            *sequence += 1;
            let fate = self.oracle.send(frame, name, u32::from(bytes));
            if fate != Fate::Held {
                expected.push(Released { frame, fates: vec![fate] });
            }
        }
        self.compare_frames(&expected);
    }

    fn reset(&mut self) {
        self.scene.session.reset().expect("the card comes back");
        self.oracle.reset();
        self.scene.pump();
        // What was held is forgotten: the driver says so or not at all, and no frame leaves.
        drop(self.scene.settle_returned());
        assert_eq!(self.scene.frames(), [], "a frame left at a reset");
    }

    fn new_name(&mut self) -> Name {
        self.next_name += 1;
        self.next_name
    }

    fn named(&self, picks: &[(action::Level, Pick)]) -> Vec<Named> {
        let name = |(level, of): &(action::Level, Pick)| {
            let kind = Kind(*level);
            self.pick(*of, kind).map(|(name, _)| (kind, name))
        };
        picks.iter().filter_map(name).collect()
    }

    fn pick(&self, of: Pick, kind: Kind) -> Option<(Name, Handle)> {
        let mut names: Vec<Name> = self.handles.keys().copied().collect();
        names.retain(|name| of.may_be_of_any_kind || self.oracle.kind(*name) == Some(kind));
        names.retain(|name| of.may_be_stale || self.oracle.is_live(*name));
        names.sort_unstable();
        let name = *names.get(usize::from(of.number) % names.len().max(1))?;
        Some((name, self.handles[&name]))
    }
}

fn mac(n: u8) -> [u8; 6] {
    [0x02, 0, 0, 0, 7, n]
}

fn neighbor_state(spec: NeighborSpec) -> NeighborState {
    let source = if spec.source == 0 { [0; 6] } else { [0x06, 0, 0, 0, 0, spec.source] };
    NeighborState {
        destination: mac(spec.mac),
        source,
        vlan: spec.vlan,
        ..NeighborState::default()
    }
}

fn path_state(spec: PathSpec) -> PathState {
    let (source, destination) =
        if spec.is_ipv6 { ("2001:db8::1", "2001:db8::2") } else { ("192.0.2.1", "198.51.100.1") };
    let address = |text: &str| text.parse().expect("an address");
    PathState { source: address(source), destination: address(destination), mtu: spec.mtu }
}

fn connection_state(spec: ConnectionSpec) -> ConnectionState {
    let mut state = ConnectionState::default();
    state.constant.hash_value = spec.fill;
    state.constant.local_port = spec.fill as u16;
    state.cached.user_priority = spec.priority;
    state.cached.ka_timeout = spec.fill.rotate_left(7);
    state.delegated.state = spec.state;
    state.delegated.snd_nxt = spec.fill.rotate_left(13);
    state.delegated.buffered_data = u64::from(spec.fill) << 17;
    state
}
