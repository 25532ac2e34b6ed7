//! Native and RISC-V in lockstep: the same commands leave the same bits everywhere.
//!
//! Two timed cards play one random stream against the oracle, quiet between commands. Before each
//! command both clocks are brought into the same millisecond, so that time stamps agree. After it,
//! host memory (completions, results, events, transmit completions), table memory and frames are
//! compared word by word, and the counters of what the firmware did.
//! `FLUE_SEED` and `FLUE_CASES` repeat or lengthen a run; a failure names its seed.
#![cfg(feature = "image")]

mod image;
mod lockstep;
mod random;
mod seeds;

use std::cell::Cell;

use abi::host::register::Counter;
use host_driver::Config;
use host_driver::backing::Backing;
use hw_model::Body;
use lockstep::{Watched, WatchedRig};
use random::action::{Action, streams};
use random::play::Play;

/// Actions in a stream.
const ACTIONS: usize = 200;
/// Streams, and the commands that they have to come to.
const STREAMS: u64 = 1_600;
const COMMANDS: u64 = 100_000;
/// A millisecond of card time, in ns.
const MS: u64 = 1_000_000;

#[test]
fn native_and_riscv_leave_the_same_bits() {
    let commands = Cell::new(0);
    let property = |stream| play(stream, &commands);
    seeds::for_each_seed("native and RISC-V in lockstep", STREAMS, &streams(ACTIONS), property);
    println!("{} commands", commands.get());
    if std::env::var_os("FLUE_CASES").is_none() {
        assert!(commands.get() >= COMMANDS, "{} commands", commands.get());
    }
}

/// Plays one stream on both; adds its commands.
fn play((has_vlans, actions): (bool, Vec<Action>), commands: &Cell<u64>) {
    let open = |body| Play::open_with(&WatchedRig(body), has_vlans, settings);
    let mut plays = [open(Body::Native), open(image::body())];
    for action in &actions {
        settle(&plays);
        for play in &mut plays {
            play.step(action);
        }
        settle(&plays);
        let [native, riscv] = plays.each_ref().map(|play| &play.scene.card);
        if let Some(what) = native.difference(riscv) {
            panic!("after {action:?}: {what} differs");
        }
        assert_eq!(counted(native), counted(riscv), "after {action:?}");
    }
    plays.iter_mut().for_each(Play::check_all);
    let trees = Counter::TREES.offset();
    commands.set(commands.get() + u64::from(read_counter(&plays[0].scene.card, trees)));
}

/// One command ring, small rings, the same handles.
fn settings(config: &mut Config) {
    config.command_rings = 1;
    (config.ring_slots, config.transmit_slots, config.event_slots) = (64, 64, 64);
    config.in_flight = 16;
    config.generation_seed = Some(1);
}

/// Brings both clocks to the start of the same next millisecond: each to its first look at it.
fn settle(plays: &[Play<Watched>; 2]) {
    let now = plays.iter().map(|play| play.scene.card.clock_ns()).max().unwrap_or(0);
    let next = (now / MS + 1) * MS;
    for play in plays {
        let card = &play.scene.card;
        while card.clock_ns() < next {
            card.relax();
        }
        assert!(
            card.clock_ns() < next + MS / 2,
            "the clock went on by {} ns",
            card.clock_ns() - next
        );
    }
}

/// What the firmware counted.
fn counted(card: &Watched) -> Vec<u32> {
    let counters = [
        Counter::TREES,
        Counter::BLOCKS_DONE,
        Counter::BLOCKS_FAILED,
        Counter::MALFORMED,
        Counter::PATHS_RELINKED,
        Counter::FENCES,
        Counter::SWEEPS,
        Counter::EVENTS,
        Counter::EVENTS_LOST,
    ];
    counters.iter().map(|counter| read_counter(card, counter.offset())).collect()
}

fn read_counter(card: &Watched, offset: u32) -> u32 {
    host_driver::backing::Registers::read(card, offset)
}
