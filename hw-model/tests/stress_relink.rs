//! One writer that is the firmware, real readers, a small hot table: no torn header, none older
//! than a completion that was seen, none of a neighbor that the path was never linked to.
//!
//! And the control: with the grace period taken away the same readers see all three, so the test can
//! see what it looks for. `FLUE_STRESS_READS` is the number of reads (default 10^8; 10^9 for a
//! long run, fewer under a sanitizer).
//! Threads share atomics only, and are joined: exact under ThreadSanitizer.

mod stress;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hw_model::bare::Guard;
use stress::reader::{Sightings, read};
use stress::writer::Writer;
use stress::{READERS, Shared};

/// Reads in a run of CI.
const READS: u64 = 100_000_000;
/// The writer gives at least one command in this many reads, or the run tells little.
const READS_A_COMMAND: u64 = 100_000;
/// The control gives up after this long.
const CONTROL_MAX: Duration = Duration::from_secs(60);

#[test]
fn no_header_is_torn_or_older_than_a_completion_that_was_seen() {
    let reads = reads();
    let (seen, commands) = run(Guard::GracePeriod, reads);
    println!("{} reads, {} headers, {commands} commands: {seen:?}", seen.reads, seen.headers);
    assert!(seen.reads >= reads, "{seen:?}");
    assert!(seen.headers > seen.reads / 2, "most reads find a header: {seen:?}");
    assert!(
        u64::from(commands) > reads / READS_A_COMMAND,
        "the writer gave only {commands} commands"
    );
    assert_eq!((seen.torn, seen.old, seen.foreign), (0, 0, 0), "{seen:?}");
}

#[test]
fn without_the_grace_period_headers_tear_and_old_ones_cross() {
    let started = Instant::now();
    let mut total = Sightings::default();
    while total.torn == 0 || total.old == 0 || total.foreign == 0 {
        assert!(started.elapsed() < CONTROL_MAX, "the control saw {total:?} in {CONTROL_MAX:?}");
        let (seen, _) = run(Guard::TakenAway, 2_000_000);
        total += seen;
    }
    println!("without the guard: {total:?}");
}

/// Runs the writer until the readers have read `reads` frames between them; what they saw, and
/// how many commands were given meanwhile.
fn run(guard: Guard, reads: u64) -> (Sightings, u32) {
    let shared = Shared::new();
    let readers: Vec<_> = (0..READERS)
        .map(|number| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || read(&shared, number, reads.div_ceil(READERS as u64)))
        })
        .collect();
    let mut writer = Writer::new(Arc::clone(&shared), guard);
    let mut commands = 0;
    while shared.readers_done() < READERS {
        commands = writer.turn();
    }
    shared.stop();
    let mut seen = Sightings::default();
    for reader in readers {
        seen += reader.join().expect("a reader does not panic");
    }
    (seen, commands)
}

fn reads() -> u64 {
    match std::env::var("FLUE_STRESS_READS") {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("FLUE_STRESS_READS={text}: a number was expected")),
        Err(_) => READS,
    }
}
