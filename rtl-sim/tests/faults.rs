//! What the simulated card does at a host that refuses, and whatever it held at power-on.
#![cfg(feature = "rtl")]

mod support;

use abi::host::register::Counter;
use abi::host::status::Status;
use host_driver::backing::{Backing, Registers};
use host_driver::{Config, Initiate, Session};
use hw_model::conformance::{Frame, Needs, Rig, Scene};
use rtl_sim::{Faults, Host, RtlRig, Start};

/// Of 65,536 accesses, so many are refused: one in a few trees.
const REFUSED: u32 = 1_000;
/// Hosts that refuse, and trees that each is given at most.
const HOSTS: u64 = 12;
const TREES: u32 = 60;

/// A ring fails, or a list, or a frame; the card stands, and after a reset all is well.
#[test]
fn a_refused_access_harms_its_ring_only_and_a_reset_heals_it() {
    let rig = RtlRig::new(support::image());
    let mut refused = 0;
    for seed in 1..=HOSTS {
        println!("seed {seed}");
        let needs = Needs::default();
        let body = rig.power_on(&needs).expect("the default card fits");
        let card = body.card;
        let session = Session::attach(card.clone(), &needs.config).expect("a fresh card comes up");
        card.set_host(Host {
            faults: Faults { seed, refused: REFUSED, jitter_clocks: 50, ..Faults::default() },
            ..Host::default()
        });
        for number in 0..TREES {
            let mut tree = Initiate::with_capacity(1);
            tree.neighbor(&neighbor(number as u8));
            if session.run(tree).is_err() {
                break;
            }
        }
        card.set_host(Host::default());
        refused += card.read(Counter::DMA_REFUSED.offset());
        drop(session);
        let session = Session::attach(card.clone(), &Config::default()).expect("it comes up again");
        let mut tree = Initiate::with_capacity(1);
        tree.neighbor(&neighbor(1));
        let outcome = session.run(tree).expect("a good host");
        assert_eq!(outcome.status(), Status::SUCCESS);
        session.detach().expect("the card answers");
        assert!(card.bus_master(false).is_ok());
    }
    assert!(refused > 0, "no host refused anything");
}

/// Clock by clock the same: nothing is read before it was written.
#[test]
fn a_run_is_the_same_whatever_was_in_memories_and_registers_at_power_on() {
    let expected = run(Start::Zeros);
    for start in [Start::Ones, Start::Random(1), Start::Random(2), Start::Random(3)] {
        assert_eq!(run(start), expected, "{start:?}");
    }
}

/// The clock after each step of a short life, and the frames that left in it.
fn run(start: Start) -> (Vec<u64>, Vec<Frame>) {
    let mut rig = RtlRig::new(support::image());
    rig.start = start;
    let needs = Needs::configured(|config| config.generation_seed = Some(1));
    let mut scene = Scene::open(&rig, &needs).expect("the default card fits");
    let mut clocks = vec![scene.card.cycles()];
    let (old, new) = (scene.neighbor(1), scene.neighbor(2));
    let paths = scene.paths(old, 0, 40);
    clocks.push(scene.card.cycles());
    for (stream, path) in (0..).zip(&paths) {
        scene.post(*path, stream, 60 + 31 * stream as usize, false);
    }
    scene.settle();
    clocks.push(scene.card.cycles());
    scene.invalidate(&[old]);
    assert_eq!(scene.send(paths[3], 3, 5).held, 5);
    scene.relink_list(new, &paths[..20]);
    scene.relink_all(new, old);
    assert_eq!(scene.settle().left, 5);
    clocks.push(scene.card.cycles());
    scene.terminate(&[old]);
    clocks.push(scene.card.cycles());
    (clocks, scene.frames())
}

fn neighbor(n: u8) -> host_driver::NeighborState {
    host_driver::NeighborState {
        destination: [0x02, 0, 0, 0, 1, n],
        ..host_driver::NeighborState::default()
    }
}

/// Two simulations in one thread, of which the later one goes first.
#[test]
fn a_card_outlives_one_that_was_made_after_it() {
    let rig = RtlRig::new(support::image());
    let mut scene = Scene::open(&rig, &Needs::default()).expect("the default card fits");
    drop(rig.power_on(&Needs::default()).expect("the default card fits"));
    let router = scene.neighbor(1);
    let path = scene.path(router, 1);
    assert_eq!(scene.send(path, 1, 3).left, 3);
    drop(scene);
}
