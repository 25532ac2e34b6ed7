//! Drivers that meet, die, or lose their card.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::{CARD, Guest};
use crate::bounded::{Ended, Running, Stream};
use crate::guest::Failure;
use crate::guest::flue::{FAILED, NEVER, expect_refusal, last_line, object, on};
use crate::vm::wire::Said;

/// A job that says on standard error where it is.
const JOB: &str = "failover --verbose --paths 100000 --json";
/// What it says.
const OFFLOADED: &str = "offloaded";
const TRAFFIC: &str = "traffic runs";
const RELINKING: &str = "relinking";
const RELINKED: &str = "relinked";
const TERMINATED: &str = "terminated";
/// Tries to stop or kill a driver between two of its lines.
const TRIES: u32 = 8;
/// From a signal until all threads of a driver have stopped.
const FALLS_ASLEEP: Duration = Duration::from_millis(200);
/// Place of the exit code in a process's `stat`, behind the name (proc_pid_stat(5), field 52).
const EXIT_CODE: usize = 49;
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// From the death of a card until its driver has given up, at most.
const GIVES_UP: Duration = Duration::from_secs(30);

/// Starts the job and waits until it says where it is.
fn until(guest: &Guest, text: &str) -> Result<Running, Failure> {
    CARD.bind()?;
    let mut running = guest.start(on(CARD, JOB))?;
    if running.wait_for(Stream::Err, text, guest.limit) {
        return Ok(running);
    }
    let ended = guest.finish(running)?;
    let said = format!("{}{}", ended.err, ended.out);
    Err(Failure::Silent { command: ended.shown, expected: text.into(), said })
}

/// VFIO gives a group to one process; the other one is told so, and the first is not disturbed.
pub(super) fn second(guest: &Guest) -> Result<(), Failure> {
    let first = until(guest, TRAFFIC)?;
    let second = guest.run(on(CARD, "inspect"))?;
    let found = object(&guest.finish(first)?)?;
    expect_refusal(&second, &[CARD.0, "in use by another process"])?;
    Failure::unless(found["ok"] == true, || format!("the first driver is not ok: {found}"))
}

/// The kernel closes what a killed driver had open; the next one resets the card and goes on.
pub(super) fn killed(guest: &Guest) -> Result<(), Failure> {
    for attempt in 1..=TRIES {
        let mut running = until(guest, RELINKING)?;
        running.kill().map_err(Failure::file("kill", "flue"))?;
        let ended = guest.finish(running)?;
        let next = object(&guest.run(on(CARD, "failover --paths 1000 --json"))?)?;
        Failure::unless(next["ok"] == true, || format!("the next driver is not ok: {next}"))?;
        if is_between(&ended) {
            return guest.note(format!("killed in the middle of a relink (attempt {attempt})"));
        }
    }
    Err(Failure::Broken(format!("{TRIES} times the relink was over before its driver was killed")))
}

fn signal(running: &Running, name: &str) -> Result<(), Failure> {
    let (signal, number) = (format!("-{name}"), running.id().to_string());
    let status = Command::new("kill").args([signal, number]).status();
    let status = status.map_err(Failure::file("start", "kill"))?;
    Failure::unless(status.success(), || format!("cannot send SIG{name}"))
}

fn is_between(ended: &Ended) -> bool {
    ended.status.signal() == Some(9) && !ended.err.contains(RELINKED)
}

/// The host kills the server of the card: reads give all ones, nothing completes any more.
///
/// While it does, the driver sleeps: QEMU 11.1 aborts when the server dies with a request that it
/// has not read (`error_setv: Assertion`), and a driver that sleeps makes none. What it had posted
/// is still under way, and it wakes up without a card.
///
/// The end of the process is not waited for: a kernel that closes a card that is gone waits a
/// minute for it to come back from a reset. Its exit status is there before that.
pub(super) fn card_vanishes(guest: &Guest) -> Result<(), Failure> {
    let mut running = asleep_under_traffic(guest)?;
    guest.ask(&Said::WantsServerKilled { card: 0 })?;
    signal(&running, "CONT")?;
    let start = Instant::now();
    let is_told = running.wait_for(Stream::Err, CARD.0, GIVES_UP);
    let took = start.elapsed().as_secs_f64();
    let status = until_status(running.id(), GIVES_UP.saturating_sub(start.elapsed()));
    let said = running.abandon();
    println!("{said}= exit status {status:?}, told after {took:.1} s");
    Failure::unless(is_told, || format!("no error within {GIVES_UP:?}:\n{said}"))?;
    Failure::unless(status == Some(FAILED), || format!("exit status {status:?}:\n{said}"))?;
    let never = NEVER.iter().find(|never| said.contains(**never));
    Failure::unless(never.is_none(), || format!("it says `{}`:\n{said}", never.unwrap_or(&"")))?;
    guest.note(format!("told after {took:.1} s: {}", last_line(&said)))
}

/// A driver that was put to sleep while it has a lot to do.
fn asleep_under_traffic(guest: &Guest) -> Result<Running, Failure> {
    for _ in 0..TRIES {
        let mut running = until(guest, OFFLOADED)?;
        signal(&running, "STOP")?;
        thread::sleep(FALLS_ASLEEP);
        if !running.has_said(Stream::Err, TERMINATED) {
            return Ok(running);
        }
        signal(&running, "CONT")?;
        guest.finish(running)?;
    }
    Err(Failure::Broken(format!("{TRIES} times the job was nearly over before its driver slept")))
}

/// The status with which a process is about to end, as soon as it is.
fn until_status(id: u32, limit: Duration) -> Option<i32> {
    let end = Instant::now() + limit;
    loop {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let status = exit_code(&stat)?;
        if status != 0 || Instant::now() >= end {
            return (status & 0x7f == 0).then_some(status >> 8);
        }
        thread::sleep(LOOK);
    }
}

/// The last field of a process's `stat`: its wait status, 0 while it runs. The second field, in
/// parentheses, may hold blanks.
fn exit_code(stat: &str) -> Option<i32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(EXIT_CODE)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_of_a_process_is_its_last_field() {
        let own = fs::read_to_string("/proc/self/stat").unwrap();
        assert_eq!(exit_code(&own), Some(0));
        let fields = own.rsplit_once(')').unwrap().1.trim_end().rsplit_once(' ').unwrap().0;
        assert_eq!(exit_code(&format!("7 (a ) b){fields} 256\n")), Some(256));
    }
}
