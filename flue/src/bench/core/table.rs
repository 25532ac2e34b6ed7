//! The figures of `flue bench card` for a person.
//!
//! From `bench`. Knows how numbers stand in columns and nothing of what they mean.

use std::fmt::Write;

use super::{Cost, Report};

/// Both tables, with what they were measured on.
pub(super) fn of(report: &Report) -> String {
    let mut text = String::new();
    let mhz = f64::from(report.clock_khz) / 1e3;
    let image = report.image_hash.as_deref().unwrap_or("none");
    // Writing to a string does not fail.
    writeln!(text, "core at {mhz} MHz, firmware image {image}; a tree each, waiting apart\n").ok();
    rows(&mut text, "tables on the chip", &report.on_chip);
    text.push('\n');
    rows(&mut text, "tables beside the chip", &report.off_chip);
    text
}

fn rows(text: &mut String, title: &str, costs: &[Cost]) {
    writeln!(
        text,
        "{title:<32} {:>12} {:>10} {:>9} {:>10} {:>10} {:>7}",
        "instructions", "cycles", "stalled", "ns", "native", "off"
    )
    .ok();
    for cost in costs {
        writeln!(
            text,
            "{:<32} {:>12} {:>10} {:>9} {:>10} {:>10} {:>6.1}%",
            cost.operation,
            number(cost.instructions),
            number(cost.cycles),
            number(cost.stalls),
            number(cost.ns),
            number(cost.native_cycles),
            cost.native_off_percent,
        )
        .ok();
    }
}

/// Without decimals where they say nothing.
fn number(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}
