//! The figures of `flue bench` for a person.
//!
//! From `session`. Knows how numbers stand in columns and nothing of what they mean.

use std::fmt::Write;

use super::{Bulk, Command, Figures};
use crate::failover::{duration, grouped};

/// The tables, with what they were measured on.
pub(super) fn of(figures: &Figures) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    write(&mut text, figures).ok();
    text
}

fn write(text: &mut String, figures: &Figures) -> std::fmt::Result {
    let way = match (figures.timed, figures.card.as_str()) {
        (true, _) => "timed: simulated time of the card, the driver's own work costs nothing",
        (false, "model" | "riscv") => {
            "free-running: what driver and model cost on this machine, not what a card would"
        }
        (false, _) => "wall clock",
    };
    writeln!(text, "card {}, {} paths; {way}\n", figures.card, grouped(figures.paths.into()))?;
    writeln!(
        text,
        "{:<32} {:>11} {:>11} {:>11} {:>9}",
        "many at once, a path", "median", "best", "worst", "rounds"
    )?;
    for Bulk {
        operation, rounds, ns_per_object, ns_per_object_best, ns_per_object_worst, ..
    } in &figures.bulk
    {
        let [median, best, worst] = [ns_per_object, ns_per_object_best, ns_per_object_worst]
            .map(|ns| format!("{ns:.1} ns"));
        writeln!(text, "{operation:<32} {median:>11} {best:>11} {worst:>11} {rounds:>9}")?;
    }
    for with_frames in [false, true] {
        let title = match with_frames {
            false => "one command, card idle".to_owned(),
            true => format!("one command, {} frames under way", figures.frames_under_way),
        };
        writeln!(
            text,
            "\n{title:<32} {:>11} {:>11} {:>11} {:>9}",
            "median", "p99", "p99.9", "commands"
        )?;
        let commands = figures.commands.iter().filter(|command| command.with_frames == with_frames);
        for Command { operation, commands, ns_p50, ns_p99, ns_p99_9, .. } in commands {
            let [p50, p99, p99_9] = [ns_p50, ns_p99, ns_p99_9].map(|ns| duration(*ns));
            let commands = grouped(*commands as u64);
            writeln!(text, "{operation:<32} {p50:>11} {p99:>11} {p99_9:>11} {commands:>9}")?;
        }
    }
    let frames = &figures.frames;
    writeln!(
        text,
        "\nframes, {}-byte packets, one thread: {:.0} ns each, {:.2} million a second ({} sent)",
        figures.packet_bytes,
        frames.ns_per_frame,
        frames.frames_per_second / 1e6,
        grouped(frames.frames)
    )
}
