//! One command for all paths, and one for a new MAC address, with the datapath idle and busy.

use super::{Tell, sizes};
use crate::engine::command::{Command, Commands};
use crate::floor::chain::Chain;
use crate::floor::command::{Reader, commands};
use crate::floor::relink::PATHS;
use crate::turns::{Plan, Series, latencies};

/// Commands of a turn.
const COMMANDS: u64 = 4_000;
/// Commands of a turn that is to be quick.
const COMMANDS_QUICK: u64 = 1_000;
/// Neighbors of the floor's chain.
const NEIGHBORS: usize = 1024;

/// Measures all sizes, both commands, idle and busy.
pub fn run(plan: &Plan, tell: &mut Tell<'_>) {
    let count = if plan.is_quick { COMMANDS_QUICK } else { COMMANDS };
    for size in sizes(plan, PATHS) {
        let chain = Chain::new(size, NEIGHBORS.min(size));
        let mut engine = Commands::new(size);
        for command in [Command::RelinkAll, Command::MacUpdate] {
            for (word, is_busy) in [("idle", false), ("busy", true)] {
                let case = format!("{}/{word}/{size}", command.word());
                let reader = if is_busy { Reader::Busy(&chain) } else { Reader::Idle };
                let mut series = vec![
                    Series::new("floor", || commands(count, &reader)),
                    Series::new("flue", || engine.commands(command, count, is_busy)),
                ];
                if is_busy {
                    // No goal is held against it: it tells how much of the time frames are.
                    let frames = || commands(count, &Reader::Frames(&chain));
                    series.push(Series::new("floor with frames", frames));
                }
                tell(latencies(("command", &case), plan, series));
            }
        }
    }
}
