//! A user without root: what he needs, and that he is told what is missing.

use std::os::unix::fs::chown;

use super::{CARD, Guest};
use crate::guest::Failure;
use crate::guest::flue::{USER, as_user, expect_refusal, object};

const JOB: &str = "failover --paths 1000 --json";
/// Memory that a user may lock, in KiB, with which a card of default size can be driven.
const ENOUGH: u32 = 64 << 10;
/// Far below what any card needs.
const LITTLE: u32 = 64;

/// Gives the card to a user for the time of `job`.
fn given(job: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    CARD.bind()?;
    let file = CARD.group_file()?;
    chown(&file, Some(USER), None).map_err(Failure::file("give away", &file))?;
    let result = job();
    chown(&file, Some(0), None).map_err(Failure::file("take back", &file))?;
    result
}

/// Access to one file and a limit are all it takes.
pub(super) fn works(guest: &Guest) -> Result<(), Failure> {
    given(|| {
        let found = object(&guest.run(as_user(CARD, JOB, ENOUGH))?)?;
        Failure::unless(found["ok"] == true, || format!("not ok: {found}"))
    })
}

/// What the card reaches is locked in memory, and that counts against the user's limit.
pub(super) fn memlock(guest: &Guest) -> Result<(), Failure> {
    given(|| {
        expect_refusal(&guest.run(as_user(CARD, JOB, LITTLE))?, &["may lock 64 KiB", "ulimit -l"])
    })
}

/// The group's file belongs to root.
pub(super) fn no_access(guest: &Guest) -> Result<(), Failure> {
    CARD.bind()?;
    let file = CARD.group_file()?.display().to_string();
    let ended = guest.run(as_user(CARD, JOB, ENOUGH))?;
    expect_refusal(&ended, &[CARD.0, &file, "permission denied", "chown"])
}
