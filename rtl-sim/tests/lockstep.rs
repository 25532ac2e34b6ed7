//! The model and the card in SystemVerilog in lockstep: the same commands leave the same bits.
//!
//! Two cards play one random stream against the oracle, quiet between commands, with resets in it.
//! Before each command both clocks are brought into the same millisecond, so that time stamps agree.
//! After it, all of host memory (completions, results, events, transmit completions) and the frames
//! are compared word by word, and the counters of what firmware and datapath did. Tables are
//! compared by what queries say of them. `FLUE_SEED` and `FLUE_CASES` repeat or lengthen a run.
#![cfg(feature = "rtl")]

#[path = "../../hw-model/tests/random/mod.rs"]
mod random;
mod side_by_side;
mod support;

use abi::host::register::Counter;
use host_driver::Config;
use host_driver::backing::{Backing, Registers};
use hw_model::{CardConfig, ModelCard};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use random::action::{Action, streams};
use random::play::Play;
use rtl_sim::{RtlCard, RtlConfig};
use side_by_side::{Watched, WatchedRig, difference};

/// Actions in a stream, and streams.
const ACTIONS: usize = 60;
const STREAMS: u64 = 12;
/// The clock of both: a command has to end in the millisecond in which it began.
const CLOCK_KHZ: u32 = 20_000;
/// A millisecond of card time, in ns.
const MS: u64 = 1_000_000;

#[test]
fn the_model_and_the_rtl_leave_the_same_bits() {
    let number = |name| std::env::var(name).ok().and_then(|text: String| text.parse::<u64>().ok());
    let first = number("FLUE_SEED").unwrap_or(1);
    for seed in first..first + number("FLUE_CASES").unwrap_or(STREAMS) {
        println!("FLUE_SEED={seed} FLUE_CASES=1 repeats this");
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(proptest::test_runner::Config::default(), rng);
        let tree = streams(ACTIONS).new_tree(&mut runner).expect("streams can be made");
        play(tree.current());
    }
}

/// Plays one stream on both.
fn play((has_vlans, actions): (bool, Vec<Action>)) {
    let model = WatchedRig(|mut capabilities: abi::core::Capabilities, port| {
        capabilities.clock_khz = CLOCK_KHZ;
        Ok(ModelCard::timed(CardConfig { capabilities, ..CardConfig::default() }, port))
    });
    let rtl = WatchedRig(|mut capabilities: abi::core::Capabilities, port| {
        capabilities.clock_khz = CLOCK_KHZ;
        RtlCard::new(&RtlConfig::new(capabilities, support::image()), port)
    });
    let mut model = Play::open_with(&model, has_vlans, settings);
    let mut rtl = Play::open_with(&rtl, has_vlans, settings);
    for action in &actions {
        settle(&model, &rtl);
        model.step(action);
        rtl.step(action);
        rest(&*model.scene.card);
        rest(&*rtl.scene.card);
        if let Some(what) = difference(&model.scene.card, &rtl.scene.card) {
            panic!("after {action:?}: {what}");
        }
        let counted = (counted(&*model.scene.card), counted(&*rtl.scene.card));
        assert_eq!(counted.0, counted.1, "after {action:?}");
    }
    model.check_all();
    rtl.check_all();
    let (trees, frames) = (Counter::TREES.offset(), rtl.scene.crossed());
    println!("{} trees, {frames} frames", rtl.scene.card.read(trees));
}

/// One command ring, small rings, the same handles.
fn settings(config: &mut Config) {
    config.command_rings = 1;
    (config.ring_slots, config.transmit_slots, config.event_slots) = (64, 64, 64);
    config.in_flight = 16;
    config.generation_seed = Some(1);
}

/// Brings both clocks to the start of the same next millisecond: each to its first look at it.
fn settle(model: &Play<Watched<ModelCard>>, rtl: &Play<Watched<RtlCard>>) {
    let cards: [&dyn Backing; 2] = [&*model.scene.card, &*rtl.scene.card];
    let now = cards.iter().map(|card| card.clock_ns()).max().unwrap_or(0);
    // A little into it: the card's registers are a few clocks behind its pins.
    let next = (now / MS + 1) * MS + MS / 100;
    for card in cards {
        while card.clock_ns() < next {
            card.relax();
        }
        let over = card.clock_ns() - next;
        assert!(over < MS / 2, "the clock of {} went on by {over} ns", card.describe());
    }
}

/// Gives a card time for what follows a completion: events, what the firmware does when it is idle.
fn rest(card: &dyn Backing) {
    let end = card.clock_ns() + MS / 5;
    while card.clock_ns() < end {
        card.relax();
    }
}

/// What firmware and datapath counted.
fn counted(card: &dyn Registers) -> Vec<u32> {
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
        Counter::HELD_NOW,
    ];
    counters.iter().map(|counter| card.read(counter.offset())).collect()
}
