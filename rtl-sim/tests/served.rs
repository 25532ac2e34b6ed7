//! The simulated card at a socket: a client of the protocol drives it, and the driver over that.
//!
//! What QEMU and a guest's driver do between a card and a driver is done by `remote`, which the
//! model's server is tested with, too: windows to memory files, doorbells by plain stores, eventfds,
//! resets by configuration space. Frames come back by the mirror in BAR2; each test's card is built at
//! its bench.
#![cfg(feature = "rtl")]

#[path = "../../hw-model/tests/benches/mod.rs"]
mod benches;
#[path = "../../hw-model/tests/remote/mod.rs"]
mod remote;
mod support;
#[path = "../../hw-model/tests/vfio_user_support/mod.rs"]
mod vfio_user_support;

use abi::core::Capabilities;
use abi::host::register::Counter;
use abi::host::status::{CardState, Status};
use benches::Benches;
use host_driver::backing::Backing;
use host_driver::{Ticket, Update};
use hw_model::CardConfig;
use hw_model::conformance::{self, Body, Needs, Rig, Scene, Unfit};
use hw_model::port::CounterPort;
use hw_model::vfio_user::Function;
use remote::{BenchPage, Card};
use rtl_sim::{RtlConfig, SERVED_CLOCK_KHZ, ServedCards};
use vfio_user_support::Served;

static BENCHES: Benches<Card, BenchPage> = Benches::new(|| {
    let capabilities = Capabilities { clock_khz: SERVED_CLOCK_KHZ, ..RtlConfig::LARGEST };
    let config = CardConfig { capabilities, ..CardConfig::default() };
    let cards = Box::new(ServedCards { image: support::image() });
    let port = Box::new(CounterPort::new().0);
    let function = Function::around(cards, config, port, true).expect("a card can be made");
    remote::bench_of(Served::of(function))
});

/// Simulated cards at sockets.
#[derive(Clone, Copy, Debug)]
struct ServedRig;

impl Rig for ServedRig {
    type Card = Card;

    fn power_on(&self, needs: &Needs) -> Result<Body<Card>, Unfit> {
        let mut needs = needs.clone();
        needs.capabilities.clock_khz = SERVED_CLOCK_KHZ;
        BENCHES.power_on(&needs)
    }
}

/// The main job: objects and frames, a router dies, its paths are relinked, by list and all at once.
#[test]
fn a_fail_over_passes_at_a_socket() {
    for interrupts in [false, true] {
        let needs = Needs::configured(|config| config.interrupts = interrupts);
        let mut scene = Scene::open(&ServedRig, &needs).expect("the bench builds it");
        let (old, new) = (scene.neighbor(1), scene.neighbor(2));
        let paths = scene.paths(old, 0, 200);
        for (stream, path) in (0..).zip(&paths) {
            scene.post(*path, stream, 60 + 5 * stream as usize, false);
        }
        assert_eq!(scene.settle().left, 200);
        scene.invalidate(&[old]);
        assert_eq!(scene.send(paths[7], 7, 9).held, 9);
        let (status, entries) = scene.relink_list(new, &paths[..150]);
        assert_eq!((status, entries.len()), (Status::SUCCESS, 150));
        let (_, _, moved) = scene.relink_all(new, old);
        assert_eq!(moved, 50);
        assert_eq!(scene.settle().left, 9);
        scene.terminate(&[old]);
        assert_eq!(scene.send(paths[199], 199, 3).left, 3);
        let frames = scene.frames();
        assert_eq!(frames.len(), 212, "every frame is seen in the mirror");
        assert!(frames[..200].iter().all(|frame| frame.destination == [2, 0, 0, 0, 1, 1]));
        assert!(frames[200..].iter().all(|frame| frame.destination == [2, 0, 0, 0, 1, 2]));
        let report = scene.session.audit(usize::MAX).expect("the card answers");
        assert!(report.is_clean(), "{report:?}");
    }
}

/// Resets by register and by configuration space while trees are under way; doorbells of before are
/// forgotten with everything else.
#[test]
fn a_served_card_comes_back_from_resets_under_load() {
    let scene = Scene::open(&ServedRig, &Needs::default()).expect("the bench builds it");
    for round in 0..4 {
        let (left, right) = (scene.neighbor(1), scene.neighbor(2));
        let paths = scene.paths(left, 0, 50);
        let trees = (0..8).map(|_| {
            let mut tree = Update::with_capacity(51);
            let mut block = tree.neighbor(right);
            for path in &paths {
                block.relink(*path);
            }
            tree
        });
        let trees: Vec<Update> = trees.collect();
        let submit = |tree| scene.session.submit(tree).expect("room");
        let tickets: Vec<Ticket<Card>> = trees.into_iter().map(submit).collect();
        scene.session.poll();
        if round % 2 == 0 {
            scene.card.reset_function().expect("the bus resets the function");
            assert_eq!(scene.session.health().state, CardState::RESET);
        }
        scene.session.reset().expect("the card comes back");
        for ticket in tickets {
            let status = ticket.wait().expect("the session goes on").status();
            assert!([Status::SUCCESS, Status::RESET].contains(&status), "{status}");
        }
        assert_eq!(scene.query(paths[0]).err(), Some(Status::STALE_HANDLE));
    }
    assert!(scene.session.counter(Counter::TREES) > 0);
}

/// Nobody says a word for a while; then everything is as ever.
#[test]
fn a_card_that_rested_is_there_at_once() {
    let scene = Scene::open(&ServedRig, &Needs::default()).expect("the bench builds it");
    let neighbor = scene.neighbor(1);
    std::thread::sleep(std::time::Duration::from_secs(2));
    let asked = std::time::Instant::now();
    let path = scene.path(neighbor, 1);
    assert!(asked.elapsed().as_millis() < 1_000, "{:?}", asked.elapsed());
    assert_eq!(scene.neighbor_of(path), neighbor);
}

/// What no card of this simulation can be is not built, and the one that is there stays.
#[test]
fn a_card_that_is_too_large_is_declined() {
    let needs = Needs::sized(|sizes| sizes.paths = RtlConfig::LARGEST.paths + 1);
    assert!(ServedRig.power_on(&needs).is_err());
}

/// A few claims of the suite, of those that ask most of a bus.
#[test]
fn claims_about_the_bus_hold() {
    for name in [
        "interrupts_wake_a_host_that_sleeps",
        "a_doorbell_too_far_ahead_stops_its_ring",
        "a_session_that_lost_the_bus_goes_on_after_a_reset",
        "a_ring_in_unmapped_memory_stops",
        "reset_answers_everything_outstanding",
    ] {
        let claims = conformance::claims::<ServedRig>();
        let claim = claims.iter().find(|claim| claim.name == name);
        let claim = claim.unwrap_or_else(|| panic!("no claim is called {name}"));
        (claim.check)(&ServedRig).expect("the bench builds it");
    }
}
