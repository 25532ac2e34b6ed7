//! Any words in any memory that the card may write, at any moment, while trees are under way.
//!
//! An input is a run of steps: a byte that says what (a word written, the driver polled, time
//! passed, one more tree), then for a word which mapping, which word, which value.
//! Must hold: no panic and no hang in the driver; what it answers is an error or a result; after
//! a reset of the card it serves honest trees again.

#![no_main]

use std::sync::Arc;

use fuzz::Scribbler;
use host_driver::backing::Backing;
use host_driver::{Config, Initiate, NeighborState, PathState, Session};
use libfuzzer_sys::fuzz_target;

/// Steps of one input.
const STEPS: usize = 512;
/// Trees under way at most.
const TREES: usize = 16;

fuzz_target!(|input: &[u8]| {
    let scribbler = Scribbler::new();
    let config = Config { interrupts: false, ..Config::default() };
    let session = Session::attach(Arc::clone(&scribbler), &config).expect("the card is honest yet");
    let mut tickets = Vec::new();
    let mut rest = input;
    for _ in 0..STEPS {
        let Some((&what, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        match what % 8 {
            0 if tickets.len() < TREES => tickets.extend(session.try_submit(tree(what)).ok()),
            0 => tickets.clear(),
            1 => scribbler.relax(),
            2 => {
                session.poll();
                while session.next_event().is_some() {}
            }
            3 => tickets.retain_mut(|ticket| ticket.poll().is_none()),
            _ => {
                let Some((word, after)) = after.split_first_chunk::<7>() else {
                    break;
                };
                scribbler.scribble(word);
                rest = after;
            }
        }
    }
    drop(tickets);
    session.reset().expect("an honest reset is taken");
    let outcome = session.run(tree(0)).expect("the card is honest again");
    assert_eq!(outcome.failed(), 0, "an honest tree is carried out");
});

fn tree(number: u8) -> Initiate {
    let mut tree = Initiate::new();
    let state = NeighborState { destination: [2, 0, 0, 0, 0, number], ..NeighborState::default() };
    let address = |last| std::net::IpAddr::from([192, 0, 2, last]);
    let path = PathState { source: address(1), destination: address(number), mtu: 1500 };
    tree.neighbor(&state).path(&path);
    tree
}
