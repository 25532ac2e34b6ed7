//! Two cards in one machine, driven at the same time, with memory from huge pages.

use std::fs;
use std::thread;
use std::time::Duration;

use super::{CARD, Guest, SECOND_CARD, STRANGER};
use crate::guest::Failure;
use crate::guest::flue::{expect_silence, object, on};

const JOB: &str = "failover --paths 50000 --json";
const LOOK: Duration = Duration::from_millis(50);

/// Neither disturbs the other, and both get huge pages.
pub(super) fn at_once(guest: &Guest) -> Result<(), Failure> {
    STRANGER.unbind()?;
    for card in [CARD, SECOND_CARD] {
        card.bind()?;
    }
    let before = free_huge_pages()?;
    let (first, second) = (guest.start(on(CARD, JOB))?, guest.start(on(SECOND_CARD, JOB))?);
    let mut least = before;
    let mut look = |_: Option<&str>| least = least.min(free_huge_pages().unwrap_or(before));
    let first = guest.finish_watching(first, LOOK, &mut look)?;
    let second = guest.finish_watching(second, LOOK, &mut look)?;
    for ended in [&first, &second] {
        let found = object(ended)?;
        Failure::unless(found["ok"] == true, || format!("not ok: {found}"))?;
        expect_silence(ended, "huge page")?;
        expect_silence(ended, "warning")?;
    }
    guest.note(format!("free huge pages: {before} before, {least} while both ran"))?;
    Failure::unless(least < before, || format!("no huge page of {before} was used"))?;
    Failure::unless(settles(before)?, || "huge pages are still used after both ended".into())
}

/// Whether all huge pages are free again, soon: the kernel takes a moment after a process ended.
fn settles(before: u64) -> Result<bool, Failure> {
    for _ in 0..20 {
        if free_huge_pages()? == before {
            return Ok(true);
        }
        thread::sleep(LOOK);
    }
    Ok(false)
}

fn free_huge_pages() -> Result<u64, Failure> {
    let path = "/proc/meminfo";
    let text = fs::read_to_string(path).map_err(Failure::file("read", path))?;
    Ok(free_in(&text).unwrap_or_default())
}

fn free_in(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("HugePages_Free:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_huge_pages_are_read() {
        assert_eq!(free_in("MemFree: 5 kB\nHugePages_Free:       61\n"), Some(61));
        assert_eq!(free_in("MemFree: 5 kB\n"), None);
    }
}
