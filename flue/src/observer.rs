//! The observer at the port: judges the promises by the bytes of every frame that leaves.
//!
//! Stands between the datapath and any other port. It knows a frame's bytes, who was linked to
//! whom, and what the host told it that it had seen; it never looks into the card. Frames are
//! numbered at the crossing, and what the host has seen is noted under the same lock, so "after
//! the completion" means exactly: every frame with a later number.
//!
//! Limits of its knowledge: one router fails, its paths go to one other in ascending order of
//! their numbers, which is what `failover` asks for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hw_model::port::Port;

use crate::failover::plan::Plan;
use crate::failover::timeline::{Mark, ROWS, Timeline};
use crate::packet::{Frame, MARK_BYTES};

/// Bytes of a mark: the path's number, then how many frames of it came before.
const NUMBER_BYTES: usize = MARK_BYTES / 2;

/// What a frame of `failover` says about itself.
pub(crate) fn mark_of(path: u32, sequence: u32) -> [u8; MARK_BYTES] {
    let mut mark = [0; MARK_BYTES];
    mark[..NUMBER_BYTES].copy_from_slice(&path.to_be_bytes());
    mark[NUMBER_BYTES..].copy_from_slice(&sequence.to_be_bytes());
    mark
}

/// What was counted, and how often each promise was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Frames that crossed the port.
    pub(crate) frames: u64,
    /// Frames whose header is not wholly that of a neighbor their path was linked to.
    pub(crate) frames_mixed: u64,
    /// Frames that left by the old neighbor after the host had seen their relink complete.
    pub(crate) frames_old_after_completion: u64,
    /// Frames that left by the neighbor after the host had seen its invalidate complete.
    pub(crate) frames_while_invalid: u64,
    /// Frames that overtook an earlier one of their path, or came twice.
    pub(crate) frames_out_of_order: u64,
    /// Frames that are none of ours, or whose addresses are not their path's.
    pub(crate) frames_unknown: u64,
    /// Frames of relinked paths that left after the completion: each was checked for the old header.
    pub(crate) checked_after_completion: u64,
    /// Frames that left after the invalidate completed: each was checked for the invalid header.
    pub(crate) checked_while_invalid: u64,
    /// Frames checked for their order: all but the first of each path.
    pub(crate) checked_order: u64,
    /// Relinked paths of which at least one frame left by the new neighbor after the completion.
    pub(crate) paths_seen_after: u32,
    /// Frames that left by each router.
    pub(crate) by_router: Vec<u64>,
}

impl Findings {
    /// Whether no promise was broken.
    pub(crate) fn are_clean(&self) -> bool {
        self.frames_mixed == 0
            && self.frames_old_after_completion == 0
            && self.frames_while_invalid == 0
            && self.frames_out_of_order == 0
            && self.frames_unknown == 0
    }
}

/// Shared by the port, which shows it frames, and the host, which tells it what it has seen.
#[derive(Debug)]
pub(crate) struct Observer {
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    plan: Arc<Plan>,
    failed: u16,
    successor: u16,
    findings: Findings,
    is_invalid: bool,
    /// Paths of the failed router with a lower number may have moved.
    asked_below: u32,
    /// Paths of the failed router with a lower number have moved: the host saw the completion.
    moved_below: u32,
    /// Sequence number that the next frame of a path must not be below.
    next: Vec<u32>,
    was_seen_after: Vec<bool>,
    row_of: Vec<u8>,
    timeline: Timeline,
}

impl Observer {
    /// An observer of `plan`, in which `successor` will take over from `failed`.
    pub(crate) fn new(plan: &Arc<Plan>, failed: u16, successor: u16) -> Arc<Self> {
        let paths = plan.paths() as usize;
        let routers = plan.routers.len();
        let findings = Findings { by_router: vec![0; routers], ..Findings::default() };
        let seen = Seen {
            plan: Arc::clone(plan),
            failed,
            successor,
            findings,
            is_invalid: false,
            asked_below: 0,
            moved_below: 0,
            next: vec![0; paths],
            was_seen_after: vec![false; paths],
            row_of: rows(plan, failed, successor),
            timeline: Timeline::new(),
        };
        Arc::new(Self { seen: Mutex::new(seen) })
    }

    /// The router has died: the host is about to invalidate it.
    pub(crate) fn failed(&self, at_ns: u64) {
        self.lock().timeline.mark(Mark { name: "router fails", at_ns });
    }

    /// The host has seen the invalidate of the failed router complete.
    pub(crate) fn invalidated(&self, at_ns: u64) {
        let mut seen = self.lock();
        seen.is_invalid = true;
        seen.timeline.mark(Mark { name: "invalidated", at_ns });
    }

    /// The host is about to ask for a relink of the paths with numbers below `below`.
    pub(crate) fn asked(&self, below: u32) {
        self.lock().asked_below = below;
    }

    /// The host has seen the relink of the paths with numbers below `below` complete.
    pub(crate) fn moved(&self, below: u32) {
        self.lock().moved_below = below;
    }

    /// The host has seen the last relink complete.
    pub(crate) fn relinked(&self, at_ns: u64) {
        self.lock().timeline.mark(Mark { name: "relinked", at_ns });
    }

    /// The host has seen the terminate of the failed router complete.
    pub(crate) fn terminated(&self, at_ns: u64) {
        self.lock().timeline.close(Mark { name: "terminated", at_ns });
    }

    /// What was found so far.
    pub(crate) fn findings(&self) -> Findings {
        self.lock().findings.clone()
    }

    /// The picture of the fail-over.
    pub(crate) fn picture(&self) -> String {
        let seen = self.lock();
        let name = |row: usize| {
            let mut routers =
                (0..seen.row_of.len()).filter(|r| usize::from(seen.row_of[*r]) == row);
            let router = routers.next()? + 1;
            Some(match (row, routers.count()) {
                (0, _) => format!("router {router} (fails)"),
                (1, _) => format!("router {router} (takes over)"),
                (_, 0) => format!("router {router}"),
                (_, more) => format!("{} other routers", more + 1),
            })
        };
        let names: Vec<String> = (0..ROWS).map_while(name).collect();
        seen.timeline.draw(&names)
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // A holder that panicked leaves counts behind that are at most one frame short.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The row of the picture in which each router stands.
fn rows(plan: &Plan, failed: u16, successor: u16) -> Vec<u8> {
    let mut next = 2;
    let row = |router: usize| match router as u16 {
        router if router == failed => 0,
        router if router == successor => 1,
        _ => {
            let row = next;
            next = (next + 1).min(ROWS as u8 - 1);
            row
        }
    };
    (0..plan.routers.len()).map(row).collect()
}

impl Seen {
    fn crossed(&mut self, bytes: &[u8], at_ns: u64) {
        self.findings.frames += 1;
        self.findings.checked_while_invalid += u64::from(self.is_invalid);
        let Some((path, sequence, frame)) = self.identify(bytes) else {
            self.findings.frames_unknown += 1;
            return;
        };
        let router = self.judge_header(path, &frame);
        self.judge_order(path, sequence);
        if let Some(router) = router {
            self.findings.by_router[usize::from(router)] += 1;
            self.timeline.frame(at_ns, self.row_of[usize::from(router)].into());
        }
    }

    /// Which path a frame is of: by its mark, and its addresses must agree.
    fn identify(&self, bytes: &[u8]) -> Option<(u32, u32, Frame)> {
        let frame = Frame::parse(bytes)?;
        let (path, sequence) = frame.mark.split_at(NUMBER_BYTES);
        let path = u32::from_be_bytes(path.try_into().ok()?);
        let sequence = u32::from_be_bytes(sequence.try_into().ok()?);
        let is_ours = path < self.plan.paths()
            && self.plan.addresses(path) == (frame.source, frame.destination);
        is_ours.then_some((path, sequence, frame))
    }

    /// Compares the header with those the path may have now; gives the router it is of.
    fn judge_header(&mut self, path: u32, frame: &Frame) -> Option<u16> {
        let home = self.plan.router_of[path as usize];
        let is_home = self.plan.routers[usize::from(home)] == frame.layer2;
        if home != self.failed {
            self.findings.frames_mixed += u64::from(!is_home);
            return is_home.then_some(home);
        }
        let is_new = self.plan.routers[usize::from(self.successor)] == frame.layer2;
        if is_home {
            self.findings.frames_while_invalid += u64::from(self.is_invalid);
        }
        if path < self.moved_below {
            self.findings.checked_after_completion += 1;
            self.findings.frames_old_after_completion += u64::from(is_home);
            let was_seen = &mut self.was_seen_after[path as usize];
            if is_new && !*was_seen {
                *was_seen = true;
                self.findings.paths_seen_after += 1;
            }
        }
        let is_linked = is_home || is_new && path < self.asked_below;
        self.findings.frames_mixed += u64::from(!is_linked);
        match (is_home, is_new) {
            (true, _) => Some(home),
            (_, true) => Some(self.successor),
            _ => None,
        }
    }

    fn judge_order(&mut self, path: u32, sequence: u32) {
        let next = &mut self.next[path as usize];
        if *next > 0 {
            self.findings.checked_order += 1;
            self.findings.frames_out_of_order += u64::from(sequence < *next);
        }
        *next = sequence.saturating_add(1).max(*next);
    }
}

/// A port that shows every frame to an observer as it crosses.
pub(crate) struct ObserverPort<P> {
    observer: Arc<Observer>,
    port: P,
}

impl<P: Port> ObserverPort<P> {
    /// Puts `observer` in front of `port`.
    pub(crate) fn new(observer: &Arc<Observer>, port: P) -> Self {
        Self { observer: Arc::clone(observer), port }
    }
}

impl<P: Port> Port for ObserverPort<P> {
    fn send(&mut self, frame: &[u8], at_ns: u64) -> bool {
        // The lock is held while the frame crosses: nothing the host notes can fall in between.
        let mut seen = self.observer.lock();
        let crosses = self.port.send(frame, at_ns);
        if crosses {
            seen.crossed(frame, at_ns);
        }
        crosses
    }

    fn flush(&mut self) {
        self.port.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failover::plan::Sizes;
    use crate::packet::{self, Layer2};
    use crate::routes::Table;
    use hw_model::port::CounterPort;

    struct Scene {
        plan: Arc<Plan>,
        observer: Arc<Observer>,
        port: ObserverPort<CounterPort>,
        path: u32,
        sequence: u32,
    }

    impl Scene {
        fn new() -> Self {
            let table = Table::parse("test", "192.0.2.0/24\n2001:db8::/64\n").unwrap();
            let sizes = Sizes { paths: 200, neighbors: 3, port_vlans: &[], source_macs: 9 };
            let plan = Arc::new(Plan::new(&table, sizes, 1));
            let failed = plan.busiest();
            let observer = Observer::new(&plan, failed, plan.successor(failed));
            let path = plan.router_of.iter().position(|router| *router == failed).unwrap() as u32;
            let port = ObserverPort::new(&observer, CounterPort::new().0);
            Self { plan, observer, port, path, sequence: 0 }
        }

        fn old(&self) -> Layer2 {
            self.plan.routers[usize::from(self.plan.busiest())]
        }

        fn new_router(&self) -> Layer2 {
            self.plan.routers[usize::from(self.plan.successor(self.plan.busiest()))]
        }

        fn send(&mut self, layer2: Layer2) -> Findings {
            let (source, destination) = self.plan.addresses(self.path);
            let mut ip = Vec::new();
            packet::write(&mut ip, source, destination, mark_of(self.path, self.sequence), 26);
            self.sequence += 1;
            let mut frame = [layer2.destination, layer2.source].concat();
            frame.extend_from_slice(&[0x81, 0]);
            frame.extend_from_slice(&layer2.vlan.to_be_bytes());
            frame.extend_from_slice(if destination.is_ipv6() { &[0x86, 0xdd] } else { &[8, 0] });
            frame.extend_from_slice(&ip);
            assert!(self.port.send(&frame, 7));
            self.observer.findings()
        }
    }

    #[test]
    fn a_fail_over_as_promised_is_clean() {
        let mut scene = Scene::new();
        let (old, new) = (scene.old(), scene.new_router());
        scene.send(old);
        scene.observer.invalidated(1);
        scene.observer.asked(200);
        scene.send(new);
        scene.observer.moved(200);
        let findings = scene.send(new);
        assert!(findings.are_clean(), "{findings:?}");
        assert_eq!((findings.frames, findings.paths_seen_after), (3, 1));
        assert_eq!((findings.checked_after_completion, findings.checked_while_invalid), (1, 2));
    }

    #[test]
    fn a_header_of_two_neighbors_is_mixed_and_so_is_a_new_one_before_it_was_asked_for() {
        let mut scene = Scene::new();
        let (old, new) = (scene.old(), scene.new_router());
        scene.send(Layer2 { vlan: new.vlan, ..old });
        assert_eq!(scene.send(new).frames_mixed, 2);
        scene.observer.asked(200);
        assert_eq!(scene.send(new).frames_mixed, 2);
        assert_eq!(scene.send(Layer2 { source: old.source, ..new }).frames_mixed, 3);
    }

    #[test]
    fn an_old_header_after_the_completion_and_while_invalid_is_counted() {
        let mut scene = Scene::new();
        let old = scene.old();
        scene.observer.invalidated(1);
        assert_eq!(scene.send(old).frames_while_invalid, 1);
        scene.observer.asked(scene.path + 1);
        scene.observer.moved(scene.path);
        assert_eq!(scene.send(old).frames_old_after_completion, 0, "its own completion is due");
        scene.observer.moved(scene.path + 1);
        assert_eq!(scene.send(old).frames_old_after_completion, 1);
    }

    #[test]
    fn a_frame_that_overtakes_or_comes_twice_is_counted() {
        let mut scene = Scene::new();
        let old = scene.old();
        scene.sequence = 5;
        scene.send(old);
        scene.sequence = 5;
        assert_eq!(scene.send(old).frames_out_of_order, 1);
    }

    #[test]
    fn a_frame_with_foreign_addresses_is_unknown() {
        let mut scene = Scene::new();
        assert!(scene.port.send(&[0; 60], 1));
        assert_eq!(scene.observer.findings().frames_unknown, 1);
    }
}
