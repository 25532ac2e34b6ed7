//! A session on a fresh card, the frames that cross its port, and short words for what claims say.
//!
//! Between a claim and the host driver. Every call runs to its end before it returns; claims about
//! what overlaps use the session itself. What goes wrong with the test, not with the claim (no
//! memory, a lost card), panics too.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use abi::host::handle::Handle;
use abi::host::status::{EventKind, Kind, Status, TransmitStatus};
use host_driver::backing::Backing;
use host_driver::{
    CardEvent, ConnectionState, Initiate, Invalidate, NeighborState, ObjectState, Outcome,
    PathState, Query, Session, Terminate, Transmitter, Tree, Update,
};

use super::{Frame, Needs, Rig, Unfit, packet};
use crate::port::Capture;

/// The port's own MAC.
pub(super) const PORT_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0xfe];
/// Bytes of a packet unless a claim says otherwise.
pub(super) const PACKET_BYTES: usize = 100;
/// Card time that a wait may take.
pub(super) const WAIT_NS: u64 = 20_000_000_000;
/// The machine's time after which a card is given up whose own time did not end a wait. It says
/// nothing of the card: a simulated one on a busy machine is slow.
pub(super) const WAIT_WALL: Duration = Duration::from_secs(600);

/// A session on a fresh card.
pub struct Scene<B: Backing> {
    /// The session.
    pub session: Session<B>,
    /// The card behind it.
    pub card: Arc<B>,
    transmitter: Transmitter,
    next_sequence: HashMap<u32, u64>,
    posted: u32,
    given_back: Vec<(u32, TransmitStatus)>,
    /// Goes last: where there is one card only, it is free for the next claim from here on.
    capture: Capture,
}

/// What became of frames that were posted together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// Frames that crossed the port.
    pub left: usize,
    /// Frames that are held.
    pub held: usize,
    /// Frames that were dropped.
    pub dropped: usize,
}

impl<B: Backing> Scene<B> {
    /// Powers a card on and attaches.
    ///
    /// # Errors
    /// [`Unfit`] when the body cannot be given what is needed.
    ///
    /// # Panics
    /// When the card does not come up.
    pub fn open<R: Rig<Card = B>>(rig: &R, needs: &Needs) -> Result<Self, Unfit> {
        let body = rig.power_on(needs)?;
        let session =
            Session::attach(Arc::clone(&body.card), &needs.config).expect("a fresh card comes up");
        let transmitter = session.transmitter(0).expect("the first transmit ring is free");
        Ok(Self {
            session,
            card: body.card,
            capture: body.capture,
            transmitter,
            next_sequence: HashMap::new(),
            posted: 0,
            given_back: Vec::new(),
        })
    }

    /// Runs a tree to its completion.
    ///
    /// # Panics
    /// When the session loses the card.
    pub fn run(&self, tree: impl Into<Tree>) -> Outcome {
        self.session.run(tree).expect("the session keeps the card")
    }

    /// Offloads a neighbor whose MAC ends in `n`.
    pub fn neighbor(&self, n: u8) -> Handle {
        self.neighbor_with(&router(n))
    }

    /// Offloads a neighbor.
    pub fn neighbor_with(&self, state: &NeighborState) -> Handle {
        let (handle, status) = self.try_neighbor(state);
        assert_eq!(status, Status::SUCCESS, "{state:?}");
        handle
    }

    /// Tries to offload a neighbor.
    pub fn try_neighbor(&self, state: &NeighborState) -> (Handle, Status) {
        let mut tree = Initiate::with_capacity(1);
        tree.neighbor(state);
        first(&self.run(tree))
    }

    /// Offloads `count` IPv4 paths behind a neighbor, numbered from `from`.
    pub fn paths(&self, neighbor: Handle, from: u32, count: u32) -> Vec<Handle> {
        let mut tree = Initiate::with_capacity(count as usize + 1);
        let mut block = tree.neighbor_linker(neighbor);
        for number in from..from + count {
            block.path(&route(number));
        }
        let outcome = self.run(tree);
        assert_eq!(outcome.status(), Status::SUCCESS);
        (1..=count as usize).map(|block| outcome.block(block).handle).collect()
    }

    /// Offloads one IPv4 path behind a neighbor.
    pub fn path(&self, neighbor: Handle, number: u32) -> Handle {
        self.path_with(neighbor, &route(number))
    }

    /// Offloads one path behind a neighbor.
    pub fn path_with(&self, neighbor: Handle, state: &PathState) -> Handle {
        let (handle, status) = self.try_path(neighbor, state);
        assert_eq!(status, Status::SUCCESS, "{state:?}");
        handle
    }

    /// Tries to offload a path behind a neighbor.
    pub fn try_path(&self, neighbor: Handle, state: &PathState) -> (Handle, Status) {
        let mut tree = Initiate::with_capacity(2);
        tree.neighbor_linker(neighbor).path(state);
        let outcome = self.run(tree);
        (outcome.block(1).handle, outcome.block(1).status)
    }

    /// Offloads a connection on a path.
    pub fn connection(&self, path: Handle, port: u16) -> Handle {
        let (handle, status) = self.try_connection(path, &flow(port));
        assert_eq!(status, Status::SUCCESS, "port {port}");
        handle
    }

    /// Tries to offload a connection on a path.
    pub fn try_connection(&self, path: Handle, state: &ConnectionState) -> (Handle, Status) {
        let mut tree = Initiate::with_capacity(2);
        tree.path_linker_root(path).connection(state);
        let outcome = self.run(tree);
        (outcome.block(1).handle, outcome.block(1).status)
    }

    /// Relinks paths by blocks; the statuses of `to` and of each path.
    pub fn relink(&self, to: Handle, paths: &[Handle]) -> Vec<Status> {
        let mut tree = Update::with_capacity(paths.len() + 1);
        let mut block = tree.neighbor(to);
        for path in paths {
            block.relink(*path);
        }
        statuses(&self.run(tree))
    }

    /// Relinks paths by a list; the status of `to` and of each entry.
    pub fn relink_list(&self, to: Handle, paths: &[Handle]) -> (Status, Vec<Status>) {
        let mut list = self.session.handle_list(paths.len()).expect("memory for a list");
        list.extend(paths.iter().copied()).expect("it was made for these");
        let mut tree = Update::with_capacity(1);
        tree.neighbor(to).relink_list(list);
        let outcome = self.run(tree);
        let entries = outcome.list_status(0).iter().map(|byte| Status(*byte)).collect();
        (outcome.block(0).status, entries)
    }

    /// Relinks all paths of `old`: statuses of `to` and `old`, and how many moved.
    pub fn relink_all(&self, to: Handle, old: Handle) -> (Status, Status, u32) {
        let mut tree = Update::with_capacity(1);
        tree.neighbor(to).relink_all_of(old);
        let block = self.run(tree).block(0);
        (block.status, block.old_status, if block.status.is_done() { block.detail } else { 0 })
    }

    /// Updates a neighbor's MAC.
    pub fn set_mac(&self, neighbor: Handle, destination: [u8; 6]) -> Status {
        let mut tree = Update::with_capacity(1);
        tree.neighbor(neighbor).set(destination, 0);
        first(&self.run(tree)).1
    }

    /// Updates a path's MTU.
    pub fn set_mtu(&self, path: Handle, mtu: u32) -> Status {
        let mut tree = Update::with_capacity(1);
        tree.path_mtu(path, mtu);
        first(&self.run(tree)).1
    }

    /// Invalidates objects of any kind; a status each.
    pub fn invalidate(&self, handles: &[Handle]) -> Vec<Status> {
        let mut tree = Invalidate::with_capacity(handles.len());
        for handle in handles {
            match handle.kind() {
                Kind::NEIGHBOR => tree.neighbor(*handle),
                Kind::PATH => tree.path(*handle),
                _ => tree.connection(*handle),
            };
        }
        statuses(&self.run(tree))
    }

    /// Terminates objects of any kind; a status each.
    pub fn terminate(&self, handles: &[Handle]) -> Vec<Status> {
        let mut tree = Terminate::with_capacity(handles.len());
        for handle in handles {
            match handle.kind() {
                Kind::NEIGHBOR => tree.neighbor(*handle),
                Kind::PATH => tree.path(*handle),
                _ => tree.connection(*handle),
            };
        }
        statuses(&self.run(tree))
    }

    /// Asks for an object's state; its status when it gives none.
    pub fn query(&self, handle: Handle) -> Result<ObjectState, Status> {
        let mut tree = Query::with_capacity(1);
        match handle.kind() {
            Kind::NEIGHBOR => tree.neighbor(handle),
            Kind::PATH => tree.path(handle),
            _ => tree.connection(handle),
        };
        let outcome = self.run(tree);
        match outcome.block(0).status {
            Status::SUCCESS => Ok(outcome.state(0).expect("a query that succeeded has the state")),
            status => Err(status),
        }
    }

    /// Objects that hang from an object, as the card counts them.
    pub fn dependents(&self, handle: Handle) -> u32 {
        match self.query(handle).expect("the object is on the card") {
            ObjectState::Neighbor(_, head)
            | ObjectState::Path(_, head)
            | ObjectState::Connection(_, head) => head.dependents,
        }
    }

    /// The neighbor that a path is linked to, as the card says.
    pub fn neighbor_of(&self, path: Handle) -> Handle {
        match self.query(path) {
            Ok(ObjectState::Path(_, head)) => head.parent,
            other => panic!("{path} answers {other:?}"),
        }
    }

    /// Posts `count` IPv4 packets for a path or connection and waits for what becomes of them.
    pub fn send(&mut self, handle: Handle, stream: u32, count: usize) -> Fates {
        for _ in 0..count {
            self.post(handle, stream, PACKET_BYTES, false);
        }
        self.settle()
    }

    /// Posts one IPv6 packet and waits for what becomes of it.
    pub fn send_ipv6(&mut self, handle: Handle, stream: u32) -> Fates {
        self.post(handle, stream, PACKET_BYTES, true);
        self.settle()
    }

    /// Posts one packet of `bytes` bytes and waits for what becomes of it.
    pub fn send_sized(&mut self, handle: Handle, stream: u32, bytes: usize) -> Fates {
        self.post(handle, stream, bytes, false);
        self.settle()
    }

    /// Posts one packet; waits only for room. Gives the tag of its descriptor.
    pub fn post(&mut self, handle: Handle, stream: u32, bytes: usize, ipv6: bool) -> u32 {
        let sequence = self.next_sequence.entry(stream).or_default();
        let (source, destination) = addresses(stream, ipv6);
        let packet = packet(source, destination, bytes, stream, *sequence);
        *sequence += 1;
        let tag = self.posted;
        self.posted += 1;
        let deadline = self.deadline();
        while self.transmitter.post(handle, &packet, tag).is_err() {
            self.transmitter.publish();
            self.reap();
            self.rest(deadline, "room in the transmit ring");
        }
        tag
    }

    /// Publishes what was posted and takes what came back; does not wait.
    pub fn pump(&mut self) {
        self.transmitter.publish();
        self.reap();
        self.session.poll();
        self.card.relax();
    }

    /// Waits until everything posted has left, is held, or was dropped; counts what came back
    /// since the last call.
    pub fn settle(&mut self) -> Fates {
        let returned = self.settle_returned();
        let left = returned.iter().filter(|(_, status)| *status == TransmitStatus::LEFT).count();
        Fates { left, held: self.transmitter.held() as usize, dropped: returned.len() - left }
    }

    /// Waits like [`Scene::settle`]; gives tags and statuses of what came back.
    pub fn settle_returned(&mut self) -> Vec<(u32, TransmitStatus)> {
        self.transmitter.publish();
        let deadline = self.deadline();
        while !self.transmitter.is_settled() {
            self.reap();
            self.rest(deadline, "all frames to leave, be held or be dropped");
        }
        self.reap();
        self.take_returned()
    }

    /// Tags and statuses of the descriptors that came back and nobody has asked for.
    pub fn take_returned(&mut self) -> Vec<(u32, TransmitStatus)> {
        std::mem::take(&mut self.given_back)
    }

    /// The transmit ring of the scene.
    pub fn transmitter(&mut self) -> &mut Transmitter {
        &mut self.transmitter
    }

    /// Frames that crossed the port and were not taken yet.
    ///
    /// # Panics
    /// When some that crossed cannot be had: then no claim can be judged.
    pub fn frames(&self) -> Vec<Frame> {
        let frames = self.capture.take().iter().map(Frame::parse).collect();
        assert_eq!(self.capture.complaint(), None, "every frame that crossed can be judged");
        frames
    }

    /// Frames that crossed the port so far.
    pub fn crossed(&self) -> u64 {
        self.capture.crossed()
    }

    /// Lets card time pass.
    pub fn wait_ms(&mut self, ms: u64) {
        let end = self.card.clock_ns() + ms * 1_000_000;
        let deadline = self.deadline();
        while self.card.clock_ns() < end {
            self.reap();
            self.rest(deadline, "card time to pass");
        }
    }

    /// Waits until `is_so` says so without reaping anything.
    pub fn until_unread(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let (card_ns, wall) = self.deadline();
        while !is_so(self) {
            let has_time = self.card.clock_ns() < card_ns && Instant::now() < wall;
            assert!(has_time, "waited too long for {what}");
            self.card.relax();
        }
    }

    /// Waits until `is_so` says so.
    pub fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let deadline = self.deadline();
        while !is_so(self) {
            self.rest(deadline, what);
        }
    }

    /// Takes the events by which the card asks for something. That holding has ended is news,
    /// not a question: see [`Scene::event`].
    pub fn events(&self) -> Vec<CardEvent> {
        let mut events = self.all_events();
        events.retain(|event| event.kind != EventKind::DRAINED);
        events
    }

    /// Takes all events.
    pub fn all_events(&self) -> Vec<CardEvent> {
        self.session.poll();
        std::iter::from_fn(|| self.session.next_event()).collect()
    }

    /// Waits for the next event of a kind and gives its object.
    pub fn event(&mut self, kind: EventKind) -> Handle {
        let mut found = None;
        self.until("an event", |scene| {
            found = scene.all_events().into_iter().find(|event| event.kind == kind);
            found.is_some()
        });
        found.expect("the wait ended with one").handle
    }

    fn reap(&mut self) {
        let given_back = &mut self.given_back;
        let reaped = self.transmitter.reap(|done| given_back.push((done.tag, done.status)));
        reaped.expect("the card gives back what it was given");
    }

    fn deadline(&self) -> (u64, Instant) {
        (self.card.clock_ns() + WAIT_NS, Instant::now() + WAIT_WALL)
    }

    fn rest(&self, (card_ns, wall): (u64, Instant), what: &str) {
        assert!(
            self.card.clock_ns() < card_ns && Instant::now() < wall,
            "waited too long for {what}"
        );
        self.session.poll();
        self.card.relax();
    }
}

/// A neighbor whose MAC ends in `n`, without VLAN or source MAC of its own.
pub(crate) fn router(n: u8) -> NeighborState {
    NeighborState { destination: mac(n), ..NeighborState::default() }
}

/// The MAC of [`router`] `n`.
pub(super) fn mac(n: u8) -> [u8; 6] {
    [0x02, 0, 0, 0, 1, n]
}

/// Path number `number` over IPv4.
pub(crate) fn route(number: u32) -> PathState {
    let (source, destination) = addresses(number, false);
    PathState { source, destination, mtu: 1500 }
}

/// Path number `number` over IPv6.
pub(super) fn route_ipv6(number: u32) -> PathState {
    let (source, destination) = addresses(number, true);
    PathState { source, destination, mtu: 1500 }
}

/// An established connection to `port`.
pub(crate) fn flow(port: u16) -> ConnectionState {
    let mut state = ConnectionState::default();
    state.constant.remote_port = port;
    state.constant.local_port = 40_000;
    state.delegated.state = abi::host::command::TcpState::ESTABLISHED.0;
    state
}

fn addresses(number: u32, ipv6: bool) -> (IpAddr, IpAddr) {
    let [_, high, middle, low] = number.to_be_bytes();
    if ipv6 {
        let of = |net: u16| {
            Ipv6Addr::new(
                0x2001,
                0xdb8,
                net,
                0,
                0,
                0,
                high.into(),
                u16::from_be_bytes([middle, low]),
            )
        };
        (IpAddr::V6(of(1)), IpAddr::V6(of(2)))
    } else {
        (IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V4(Ipv4Addr::new(10, high, middle, low)))
    }
}

/// The status of every block of a tree.
pub(super) fn statuses(outcome: &Outcome) -> Vec<Status> {
    (0..outcome.blocks()).map(|block| outcome.block(block).status).collect()
}

/// Handle and status of a tree's first block.
pub(super) fn first(outcome: &Outcome) -> (Handle, Status) {
    let block = outcome.block(0);
    (block.handle, block.status)
}
