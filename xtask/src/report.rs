//! What a person sees: headings, times, the summary.
//!
//! The last line of a summary is `N passed, N failed`.

use std::io::Write;
use std::sync::OnceLock;
use std::time::Duration;

use crate::error::Error;
use crate::guest::Case;
use crate::step::{Ended, Step};

/// Announces a step.
pub(crate) fn begin(step: &Step) {
    println!("\n==> {}: {}", step.name, step.claim);
}

/// Says how a step ended.
pub(crate) fn end(ended: &Ended) {
    match &ended.error {
        None => println!("    {} passed in {:.1} s", ended.step.name, ended.time.as_secs_f64()),
        Some(error) => println!("    {} FAILED: {error}", ended.step.name),
    }
}

/// Set when standard output is for a machine.
static IS_FOR_MACHINE: OnceLock<()> = OnceLock::new();

/// From here on a person reads standard error: standard output is for one JSON object.
pub(crate) fn leave_output_to_a_machine() {
    IS_FOR_MACHINE.get_or_init(|| ());
}

/// Says what is brought, before it is.
pub(crate) fn brings(what: &str) {
    note(&format!("brings {what}"));
}

/// One line about the step under way.
pub(crate) fn note(line: &str) {
    if IS_FOR_MACHINE.get().is_some() {
        eprintln!("    {line}");
    } else {
        println!("    {line}");
    }
}

/// One object for a machine, on a line of its own.
pub(crate) fn object(object: &serde_json::Value) {
    println!("{object}");
}

/// Says which case of a virtual machine is under way; its end follows on the same line.
pub(crate) fn begin_case(name: &str) {
    print!("      {name:<18} ");
    // What cannot be shown now is shown with the next line.
    std::io::stdout().flush().ok();
}

/// Says how a case ended.
pub(crate) fn end_case(case: &Case, took: Duration, why: Option<&str>) {
    let result = if why.is_none() { "ok    " } else { "FAILED" };
    println!("{result} {:>6.1} s  {}", took.as_secs_f64(), case.claim);
    for line in why.unwrap_or_default().lines() {
        println!("        {line}");
    }
}

/// Prints the table at the end.
pub(crate) fn summary(ended: &[Ended]) {
    println!("\n  result      time  step");
    for ended in ended {
        let result = if ended.error.is_none() { "ok    " } else { "FAILED" };
        println!(
            "  {result} {:>7.1} s  {:<10} {}",
            ended.time.as_secs_f64(),
            ended.step.name,
            ended.step.claim
        );
    }
    let seconds: f64 = ended.iter().map(|ended| ended.time.as_secs_f64()).sum();
    println!("         {seconds:>7.1} s  in all");
    let failed = ended.iter().filter(|ended| ended.error.is_some()).count();
    println!("\n{} passed, {failed} failed", ended.len() - failed);
}

/// Prints the steps there are; those marked are what `cargo xtask ci` runs.
pub(crate) fn list(steps: &[Step]) {
    for step in steps {
        let mark = if step.before_push { "*" } else { " " };
        println!("{mark} {:<10} {}", step.name, step.claim);
    }
    println!("\n* also part of `cargo xtask ci`");
}

/// Prints the error that ends the program.
pub(crate) fn failure(error: &Error) {
    eprintln!("cargo xtask: {error}");
}
