//! Random command streams: the model card answers as the oracle does.
//!
//! Small tables, so that every resource runs out; stale handles, wrong kinds, frames in between.
//! `FLUE_SEED` and `FLUE_CASES` repeat or lengthen a run; a failure names its seed.

mod random;
mod seeds;

use std::cell::RefCell;
use std::collections::BTreeSet;

use abi::host::status::Status;
use hw_model::conformance::ModelRig;
use random::action::{Action, streams};
use random::play::Play;

/// Actions in a stream.
const ACTIONS: usize = 60;

#[test]
fn the_timed_card_answers_as_the_oracle_does() {
    let seen = RefCell::default();
    let property = |stream| play(ModelRig::TIMED, stream, &seen);
    seeds::for_each_seed("the timed card and the oracle", 2_000, &streams(ACTIONS), property);
    let seen = seen.into_inner();
    if std::env::var_os("FLUE_CASES").is_none() {
        // Every word but those that no tree that runs to its end can get.
        let missing = |status: &&Status| {
            !seen.contains(*status) && **status != Status::NONE && **status != Status::RESET
        };
        let missing: Vec<_> = Status::ALL.iter().filter(missing).collect();
        assert!(missing.is_empty(), "no stream met {missing:?}");
    }
}

#[test]
fn the_free_running_card_answers_as_the_oracle_does() {
    let seen = RefCell::default();
    let property = |stream| play(ModelRig::FREE_RUNNING, stream, &seen);
    seeds::for_each_seed("the free-running card and the oracle", 100, &streams(ACTIONS), property);
}

/// Plays one stream; adds the statuses it met.
fn play(
    model: ModelRig,
    (has_vlans, actions): (bool, Vec<Action>),
    seen: &RefCell<BTreeSet<Status>>,
) {
    let mut play = Play::open(&model, has_vlans);
    for action in &actions {
        play.step(action);
    }
    play.check_all();
    seen.borrow_mut().extend(play.statuses());
}
