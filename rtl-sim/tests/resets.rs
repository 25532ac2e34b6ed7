//! Resets of the whole card at random moments, under load.
//!
//! Each life of a card: its tables are filled to the last entry, trees, lists and frames are under
//! way at a host that is rough in its own way, and after any number of clocks something resets the
//! card. When that is acknowledged nothing is under way on its bus, and nothing comes any more: no
//! access, no vector, no frame. Then the driver takes it into use again: what was under way is
//! answered, handles of before are stale, every table is as large as ever, and a small job passes.
//! `FLUE_SEED` repeats a run.
#![cfg(feature = "rtl")]

#[path = "../src/chance.rs"]
mod chance;
mod support;

use abi::host::handle::Handle;
use abi::host::register::{self, Counter};
use abi::host::status::{CardState, Status};
use chance::Chance;
use host_driver::backing::{Backing, Registers};
use host_driver::{Initiate, Ticket, Update};
use hw_model::conformance::{Needs, Scene};
use rtl_sim::{Faults, Host, RtlCard, RtlRig, Start};

/// Cards, one after another, and resets that each lives through under load.
const CARDS: u64 = 2;
const RESETS: u32 = 16;
/// Entries of the tables: few, so that every life fills them.
const NEIGHBORS: u32 = 6;
const PATHS: u32 = 48;
const CONNECTIONS: u32 = 16;
/// Clocks in which a card that has acknowledged a reset has to keep still.
const STILL_CLOCKS: u32 = 2_000;
/// Clocks that a reset may take: tables are cleared, and the slowest host answers.
const RESET_CLOCKS: u64 = 100_000;
/// Clocks of the slowest host's answers.
const SLOW_CLOCKS: u32 = 20_000;
/// Clocks in which a register of the card's health is read, also while it resets: buses give up
/// after some microseconds.
const ANSWER_CLOCKS: u64 = 32;
/// Clocks that a load may run for before the reset: one of these is drawn first.
const MOMENTS: [u32; 4] = [200, 2_000, 10_000, 40_000];
/// Looks of the driver while it runs.
const LOOKS: u32 = 8;
/// Clocks from ENABLE to the firmware's first beat, about.
const START_CLOCKS: u32 = 26_000;

/// What resets a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// The register.
    Register,
    /// The bus, for this function alone.
    Function,
    /// The pin, with everything at the bus.
    Pin,
    /// The bus is taken away under the card's hands, and then the register.
    BusGone,
    /// The register, and again on the way back: while it drains, clears or starts.
    Again,
}

const CAUSES: [Cause; 5] =
    [Cause::Register, Cause::Function, Cause::Pin, Cause::BusGone, Cause::Again];

#[test]
fn a_card_with_one_kind_of_host_comes_back_from_a_reset_at_any_moment() {
    lives(1);
}

#[test]
fn a_card_with_another_comes_back_from_a_reset_at_any_moment() {
    lives(2);
}

/// All cards of one seed.
fn lives(stream: u64) {
    let seed = std::env::var("FLUE_SEED").ok().and_then(|seed| seed.parse::<u64>().ok());
    let mut found = Found::default();
    for number in 0..CARDS {
        let seed = seed.unwrap_or(1) * 1_000 + stream * 100 + number;
        println!("card {number} of seed {seed}");
        live(&mut Chance::new(seed), &mut found);
    }
    println!("{found:?}");
    // A load that is over before every reset would prove nothing.
    let Found { resets, busy, done, cut_short, held } = found;
    assert!(busy > resets / 4 && done > 0 && cut_short > 0 && held > 0, "{found:?}");
}

/// What resets found, to know that there was something.
#[derive(Debug, Default)]
struct Found {
    resets: u32,
    /// Of them, so many came while an access was under way.
    busy: u32,
    /// Trees that were carried out, and that were not.
    done: u32,
    cut_short: u32,
    /// Frames that were held.
    held: u64,
}

/// The lives of one card.
fn live(chance: &mut Chance, found: &mut Found) {
    let mut rig = RtlRig::new(support::image());
    rig.start = Start::Random(chance.below(u32::MAX));
    let mut needs = Needs::sized(|sizes| {
        (sizes.neighbors, sizes.paths, sizes.connections) = (NEIGHBORS, PATHS, CONNECTIONS);
        sizes.aliases = 2 * NEIGHBORS;
    });
    needs.config.ring_slots = 64;
    needs.config.interrupts = true;
    let mut scene = Scene::open(&rig, &needs).expect("the simulation was built for more");
    for life in 0..RESETS {
        let cause = CAUSES[chance.below(CAUSES.len() as u32) as usize];
        let objects = job(&mut scene, life as u8);
        scene.card.set_host(rough(chance));
        let tickets = load(&mut scene, &objects, chance);
        let moment = MOMENTS[chance.below(MOMENTS.len() as u32) as usize];
        let clocks = chance.below(moment);
        // The driver looks now and then, so that some trees are answered before.
        for _ in 0..LOOKS {
            scene.session.poll();
            scene.card.run(clocks / LOOKS);
        }
        found.held += scene.session.counter(Counter::HELD_NOW);
        found.busy += u32::from(scene.card.traffic().under_way > 0);
        println!("life {life}: {cause:?} after {clocks} clocks: {:?}", scene.card.traffic());
        reset(&scene, cause, chance);
        keeps_still(&mut scene);
        scene.card.set_host(Host::default());
        scene.session.reset().expect("the card comes back");
        found.resets += 1;
        for ticket in tickets {
            let status = ticket.wait().expect("the session goes on").status();
            assert_ne!(status, Status::NONE, "whatever became of a tree, it is answered");
            found.done += u32::from(status == Status::SUCCESS);
            found.cut_short += u32::from(status == Status::RESET);
        }
        scene.settle();
        for handle in [objects.routers[0], objects.paths[1], objects.connections[2]] {
            assert_eq!(scene.query(handle).err(), Some(Status::STALE_HANDLE), "{handle}");
        }
    }
    job(&mut scene, 0);
}

/// A host that is rough in one way or in several.
fn rough(chance: &mut Chance) -> Host {
    let mut some = |most| if chance.is_hit(128) { chance.below(most) } else { 0 };
    let faults = Faults {
        seed: u64::from(some(u32::MAX)),
        jitter_clocks: some(600),
        stalled: some(200),
        port_stalled: some(255),
        refused: 0,
    };
    // Some answer later than tables take to be cleared.
    let slow = if some(2) == 1 { SLOW_CLOCKS } else { 500 };
    Host { read_clocks: 20 + some(slow), write_clocks: 20 + some(slow), faults }
}

/// What is on a card.
struct Objects {
    routers: Vec<Handle>,
    paths: Vec<Handle>,
    connections: Vec<Handle>,
}

/// Fills every table to its last entry, moves all of it, and sends by it.
fn job(scene: &mut Scene<RtlCard>, life: u8) -> Objects {
    let routers: Vec<Handle> = (0..NEIGHBORS as u8).map(|n| scene.neighbor(n + life)).collect();
    let paths = scene.paths(routers[0], 0, PATHS);
    assert_eq!(scene.try_path(routers[0], &route()).1, Status::PATH_ENTRIES, "the table is full");
    let mut tree = Initiate::with_capacity(2 * CONNECTIONS as usize);
    for (port, path) in (0..CONNECTIONS as u16).zip(&paths) {
        tree.path_linker_root(*path).connection(&connection(port));
    }
    let outcome = scene.run(tree);
    assert_eq!(outcome.status(), Status::SUCCESS);
    let connections = (0..CONNECTIONS as usize).map(|n| outcome.block(2 * n + 1).handle).collect();
    let objects = Objects { routers, paths, connections };
    let [old, new, ..] = objects.routers[..] else { unreachable!("there are six") };
    scene.invalidate(&[old]);
    let crossed = scene.crossed();
    assert_eq!(scene.send(objects.paths[3], 3, 4).held, 4);
    let (status, entries) = scene.relink_list(new, &objects.paths[..PATHS as usize / 2]);
    assert_eq!((status, entries.len()), (Status::SUCCESS, PATHS as usize / 2));
    let (_, _, moved) = scene.relink_all(new, old);
    assert_eq!(moved, PATHS / 2);
    assert_eq!(scene.dependents(new), PATHS);
    scene.settle();
    assert_eq!(scene.send(objects.connections[4], 4, 5).left, 5);
    assert_eq!(scene.crossed(), crossed + 9, "each frame once");
    let destination = [0x02, 0, 0, 0, 1, 1 + life];
    for frame in scene.frames().iter().rev().take(9) {
        assert_eq!(frame.destination, destination, "by the router that took over");
    }
    objects
}

fn route() -> host_driver::PathState {
    host_driver::PathState {
        source: std::net::Ipv4Addr::new(192, 0, 2, 1).into(),
        destination: std::net::Ipv4Addr::new(192, 0, 2, 99).into(),
        mtu: 1_500,
    }
}

fn connection(port: u16) -> host_driver::ConnectionState {
    let mut state = host_driver::ConnectionState::default();
    (state.constant.remote_port, state.constant.local_port) = (port, 40_000);
    state.delegated.state = abi::host::command::TcpState::ESTABLISHED.0;
    state
}

/// Sets trees, lists and frames going on every ring, some of the frames to be held.
fn load(scene: &mut Scene<RtlCard>, at: &Objects, chance: &mut Chance) -> Vec<Ticket<RtlCard>> {
    if chance.is_hit(128) {
        scene.invalidate(&at.paths[..8]);
    }
    let mut tickets = Vec::new();
    for number in 0..24 {
        let to = at.routers[1 + chance.below(NEIGHBORS - 1) as usize];
        let mut tree = Update::with_capacity(PATHS as usize + 1);
        match chance.below(3) {
            0 => {
                let long = 1 + chance.below(400) as usize;
                let mut list = scene.session.handle_list(long).expect("memory for a list");
                let entries = at.paths.iter().copied().cycle().take(long);
                list.extend(entries).expect("it was made for these");
                tree.neighbor(to).relink_list(list);
            }
            1 => {
                let mut block = tree.neighbor(to);
                for path in &at.paths[..1 + chance.below(PATHS) as usize] {
                    block.relink(*path);
                }
            }
            _ => {
                tree.neighbor(to).set([0x02, 0, 0, 0, 2, number as u8], 0);
            }
        }
        tickets.push(scene.session.submit_on(number % 4, tree).expect("room"));
    }
    for number in 0..chance.below(100) {
        let owners = if number % 3 == 0 { &at.connections } else { &at.paths };
        let owner = owners[chance.below(owners.len() as u32) as usize];
        scene.post(owner, 100 + number, 60 + chance.below(1_400) as usize, false);
    }
    scene.transmitter().publish();
    scene.session.poll();
    tickets
}

/// Resets the card, and waits until it says so.
fn reset(scene: &Scene<RtlCard>, cause: Cause, chance: &mut Chance) {
    let card = &scene.card;
    let incarnation = || {
        let asked = card.cycles();
        let incarnation = card.read(register::INCARNATION.offset);
        let clocks = card.cycles() - asked;
        assert!(clocks <= ANSWER_CLOCKS, "a register was read in {clocks} clocks");
        incarnation
    };
    let order = || {
        let before = incarnation();
        card.write(register::RESET.offset, 1);
        before
    };
    let acknowledged = |before| {
        let end = card.cycles() + RESET_CLOCKS;
        while incarnation() == before {
            assert!(card.cycles() < end, "a reset takes at most {RESET_CLOCKS} clocks");
        }
    };
    match cause {
        Cause::Register => acknowledged(order()),
        Cause::Function => card.reset_function().expect("the bus resets the function"),
        Cause::Pin => {
            card.reset_all();
            assert_eq!(incarnation(), 0, "as after power-on");
            // Other accesses wait until everything is cleared.
            card.read(register::GENERATION_SEED.offset);
        }
        Cause::BusGone => {
            card.bus_master(false).expect("the bus can be taken");
            card.run(chance.below(3_000));
            acknowledged(order());
        }
        Cause::Again => {
            let before = order();
            if chance.is_hit(128) {
                acknowledged(before);
                card.bus_master(true).expect("the bus can be given");
                card.write(register::ENABLE.offset, 1);
                card.run(chance.below(START_CLOCKS));
                acknowledged(order());
            } else {
                card.run(chance.below(5_000));
                card.write(register::RESET.offset, 1);
                let twice = before.wrapping_add(2);
                let end = card.cycles() + 2 * RESET_CLOCKS;
                while incarnation() != twice {
                    assert!(card.cycles() < end, "each reset counts");
                }
            }
        }
    }
}

/// A card that has acknowledged a reset does nothing to the world until it is enabled.
fn keeps_still(scene: &mut Scene<RtlCard>) {
    let card = &scene.card;
    let (traffic, frames) = (card.traffic(), scene.crossed());
    assert_eq!(traffic.under_way, 0, "nothing is under way any more");
    assert_eq!(card.read(register::STATE.offset), CardState::RESET.0);
    assert_eq!(card.read(register::FAIL_CODE.offset), 0);
    assert_eq!(card.read(Counter::HELD_NOW.offset()), 0);
    for ring in 0..register::RINGS {
        let bank = |first: u32| card.read(first + ring * register::RING_STRIDE);
        let (state, posted) = (register::RING_STATE.offset, register::RING_POSTED.offset);
        assert_eq!((bank(state), bank(posted)), (0, 0), "ring {ring} is as after power-on");
    }
    // With the bus in its hands, too.
    card.bus_master(true).expect("the bus can be given");
    card.run(STILL_CLOCKS);
    assert_eq!(card.traffic(), traffic, "nothing reaches the bus");
    assert_eq!(scene.crossed(), frames, "no frame leaves");
}
