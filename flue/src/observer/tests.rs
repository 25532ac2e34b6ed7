//! The observer's verdicts, on frames made by hand: each the same at a port and in a mirror.

use abi::host::bench::{BAR2_BYTES, MIRROR_PAGE};
use host_driver::memory::Memory;
use hw_model::CardConfig;
use hw_model::bench::{BenchBar, MirrorReader};
use hw_model::port::{CounterPort, Port};

use super::*;
use crate::failover::plan::Sizes;
use crate::packet::{self, Layer2};
use crate::routes::Table;

/// A few routers and paths, an observer, and the port that frames cross.
struct Scene {
    plan: Arc<Plan>,
    observer: Arc<Observer>,
    port: Box<dyn Port>,
    path: u32,
    sequence: u32,
}

impl Scene {
    /// One of each sight that sees.
    fn both() -> [Self; 2] {
        [Self::new(Sight::Port), Self::new(Sight::Mirror)]
    }

    fn new(sight: Sight) -> Self {
        let table = Table::parse("test", "192.0.2.0/24\n2001:db8::/64\n").unwrap();
        let sizes = Sizes { paths: 200, neighbors: 3, port_vlans: &[], source_macs: 9 };
        let plan = Arc::new(Plan::new(&table, sizes, 1));
        let failed = plan.busiest();
        let successor = plan.successor(failed);
        let path = plan.router_of.iter().position(|router| *router == failed).unwrap() as u32;
        let counter = CounterPort::new().0;
        let (observer, port): (_, Box<dyn Port>) = match sight {
            Sight::Mirror => {
                let (mut port, reader) = mirror();
                assert!(port.send(&[7; 60], 1), "of before: not the observer's business");
                (Observer::at_mirror(&plan, failed, successor, reader), port)
            }
            _ => {
                let observer = Observer::at_port(&plan, failed, successor);
                let port = ObserverPort::new(&observer, counter);
                (observer, Box::new(port))
            }
        };
        Self { plan, observer, port, path, sequence: 0 }
    }

    fn old(&self) -> Layer2 {
        self.plan.routers[usize::from(self.plan.busiest())]
    }

    fn new_router(&self) -> Layer2 {
        self.plan.routers[usize::from(self.plan.successor(self.plan.busiest()))]
    }

    fn note(&self, note: Note) {
        self.observer.note(note, 1);
    }

    /// Lets a frame cross, without looking.
    fn cross(&mut self, layer2: Layer2) {
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
    }

    fn send(&mut self, layer2: Layer2) -> Findings {
        self.cross(layer2);
        self.findings()
    }

    fn findings(&self) -> Findings {
        while self.observer.drain() > 0 {}
        self.observer.findings()
    }
}

/// The port of a served card with a bench, and the reader of its mirror.
fn mirror() -> (Box<dyn Port>, MirrorReader) {
    let memory = Memory::new(BAR2_BYTES as usize).unwrap();
    let mut bench = BenchBar::new(memory.clone(), &CardConfig::default());
    let port = bench.port(Box::new(CounterPort::new().0));
    let mirror = memory.part(MIRROR_PAGE as usize, (BAR2_BYTES - MIRROR_PAGE) as usize);
    (port, MirrorReader::new(mirror))
}

#[test]
fn a_fail_over_as_promised_is_clean() {
    for mut scene in Scene::both() {
        let (old, new) = (scene.old(), scene.new_router());
        scene.send(old);
        scene.note(Note::Invalidated);
        scene.note(Note::Asked(200));
        scene.send(new);
        scene.note(Note::Moved(200));
        let findings = scene.send(new);
        assert!(findings.are_clean(), "{findings:?}");
        assert_eq!((findings.frames, findings.paths_seen_after), (3, 1));
        assert_eq!((findings.checked_after_completion, findings.checked_while_invalid), (1, 2));
    }
}

#[test]
fn a_header_of_two_neighbors_is_mixed_and_so_is_a_new_one_before_it_was_asked_for() {
    for mut scene in Scene::both() {
        let (old, new) = (scene.old(), scene.new_router());
        scene.send(Layer2 { vlan: new.vlan, ..old });
        assert_eq!(scene.send(new).frames_mixed, 2);
        scene.note(Note::Asked(200));
        assert_eq!(scene.send(new).frames_mixed, 2);
        assert_eq!(scene.send(Layer2 { source: old.source, ..new }).frames_mixed, 3);
    }
}

#[test]
fn an_old_header_after_the_completion_and_while_invalid_is_counted() {
    for mut scene in Scene::both() {
        let old = scene.old();
        scene.note(Note::Invalidated);
        assert_eq!(scene.send(old).frames_while_invalid, 1);
        scene.note(Note::Asked(scene.path + 1));
        scene.note(Note::Moved(scene.path));
        assert_eq!(scene.send(old).frames_old_after_completion, 0, "its own completion is due");
        scene.note(Note::Moved(scene.path + 1));
        assert_eq!(scene.send(old).frames_old_after_completion, 1);
    }
}

#[test]
fn a_frame_that_overtakes_or_comes_twice_is_counted() {
    for mut scene in Scene::both() {
        let old = scene.old();
        scene.sequence = 5;
        scene.send(old);
        scene.sequence = 5;
        assert_eq!(scene.send(old).frames_out_of_order, 1);
    }
}

#[test]
fn a_frame_with_foreign_addresses_is_unknown() {
    for mut scene in Scene::both() {
        assert!(scene.port.send(&[0; 60], 1));
        assert_eq!(scene.findings().frames_unknown, 1);
    }
}

#[test]
fn a_frame_is_judged_by_when_it_crossed_however_late_it_is_looked_at() {
    for mut scene in Scene::both() {
        let (old, new) = (scene.old(), scene.new_router());
        scene.cross(old);
        scene.note(Note::Failed);
        scene.cross(old);
        scene.note(Note::Invalidated);
        scene.note(Note::Asked(200));
        scene.cross(new);
        scene.note(Note::Moved(200));
        scene.cross(new);
        scene.cross(old);
        scene.note(Note::Terminated);
        let findings = scene.findings();
        assert_eq!((findings.frames, findings.frames_mixed), (5, 0));
        assert_eq!((findings.frames_while_invalid, findings.checked_while_invalid), (1, 3));
        assert_eq!(findings.frames_old_after_completion, 1);
        assert_eq!(findings.checked_after_completion, 2);
    }
}

#[test]
fn frames_that_a_mirror_had_no_room_for_are_a_broken_promise() {
    let mut scene = Scene::new(Sight::Mirror);
    let frame = vec![0; abi::host::bench::MIRROR_FRAME_MAX as usize + 1];
    assert!(scene.port.send(&frame, 1));
    let old = scene.old();
    let findings = scene.send(old);
    assert_eq!((findings.frames, findings.frames_judged, findings.frames_lost), (2, 1, 1));
    assert_eq!(findings.unseen(), 1);
    assert!(!findings.are_clean());
}
