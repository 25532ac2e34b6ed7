//! What a card is for: the whole contract, the main job, and a look at the card.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use super::{CARD, Guest};
use crate::guest::Failure;
use crate::guest::flue::{last_line, object, on};
use crate::guest::pci::Device;
use crate::vm::wire::Said;

/// How often interrupts are looked at while a job runs: they are gone with the driver.
const LOOK: Duration = Duration::from_millis(20);

/// Every claim; the host compares their names with those of the model.
pub(super) fn conformance(guest: &Guest) -> Result<(), Failure> {
    CARD.bind()?;
    let running = guest.start(on(CARD, "conformance --json"))?;
    let mut told = Ok(());
    let ended = guest.finish_watching(running, guest.limit, &mut |line| {
        if let (Some(line), true) = (line.filter(|line| line.contains("\"claim\"")), told.is_ok()) {
            told = guest.say(&Said::Claims { line: line.trim_end().into() });
        }
    })?;
    told?;
    // The host says which claims do not hold; here it is enough that there are some.
    Failure::unless(ended.status.success() && !ended.is_late, || {
        format!("`{}`: {}; {}", ended.shown, ended.how(), last_line(&ended.out))
    })
}

/// The main job, and the interrupts by which the card tells of completions.
pub(super) fn failover(guest: &Guest) -> Result<(), Failure> {
    fail_over(guest, "failover --paths 100000 --json")
}

/// The same on the simulated card, whose tables are smaller.
pub(super) fn failover_rtl(guest: &Guest) -> Result<(), Failure> {
    fail_over(guest, "failover --paths 4000 --json")
}

fn fail_over(guest: &Guest, command: &str) -> Result<(), Failure> {
    CARD.bind()?;
    let running = guest.start(on(CARD, command))?;
    let mut interrupts = Interrupts::default();
    let ended = guest.finish_watching(running, LOOK, &mut |_| interrupts.look(CARD))?;
    let found = object(&ended)?;
    Failure::unless(found["ok"] == true, || format!("not ok: {found}"))?;
    let fired = interrupts.fired();
    guest.note(format!("interrupts while it ran: {}", interrupts.shown()))?;
    guest.note(times(&found))?;
    Failure::unless(fired > 0, || "no MSI-X vector fired while it ran".into())
}

/// What a fail-over said about its times.
pub(super) fn times(found: &serde_json::Value) -> String {
    let shown = ["offload_ns", "invalidate_ns", "relink_ns", "terminate_ns"].map(|name| {
        let ms = found[name].as_u64().unwrap_or_default() as f64 / 1e6;
        format!("{} {ms:.2} ms", name.trim_end_matches("_ns"))
    });
    format!("{} (emulated processor)", shown.join(", "))
}

/// A look at a card.
pub(super) fn inspect(guest: &Guest) -> Result<(), Failure> {
    CARD.bind()?;
    let found = object(&guest.run(on(CARD, "inspect --json"))?)?;
    for part in ["card", "capabilities", "counters"] {
        let is_there = found[part].as_object().is_some_and(|part| !part.is_empty());
        Failure::unless(is_there, || format!("nothing about `{part}` in {found}"))?;
    }
    let card = found["card"].to_string();
    Failure::unless(card.contains(CARD.0), || format!("{} is not named in {card}", CARD.0))
}

/// What `/proc/interrupts` said while a driver had a card.
#[derive(Debug, Default)]
struct Interrupts {
    /// First and last count by name of the vector.
    seen: BTreeMap<String, (u64, u64)>,
}

impl Interrupts {
    fn look(&mut self, card: Device) {
        // It can always be read; when not, nothing is seen, and the case fails.
        self.read(&fs::read_to_string("/proc/interrupts").unwrap_or_default(), card);
    }

    fn read(&mut self, text: &str, card: Device) {
        let lines = text.lines().filter(|line| line.contains("vfio") && line.contains(card.0));
        for line in lines {
            let mut words = line.split_whitespace().skip(1).peekable();
            let mut count = 0;
            while let Some(one) = words.peek().and_then(|word| word.parse::<u64>().ok()) {
                count += one; // One column a processor.
                words.next();
            }
            let name = words.last().unwrap_or_default().to_string();
            self.seen.entry(name).or_insert((count, count)).1 = count;
        }
    }

    /// Vectors whose counts moved, or were not zero when first seen.
    fn fired(&self) -> usize {
        self.seen.values().filter(|(_, last)| *last > 0).count()
    }

    /// Those that fired, with what they stood at; of the others, how many there are.
    fn shown(&self) -> String {
        let fired = self.seen.iter().filter(|(_, (_, last))| *last > 0);
        let shown = fired.map(|(name, (first, last))| format!("{name} {first}..{last}"));
        let shown = shown.collect::<Vec<_>>().join(", ");
        format!("{shown}; {} more silent", self.seen.len() - self.fired())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_counted_over_all_processors() {
        let card = Device("0000:00:05.0");
        let mut interrupts = Interrupts::default();
        let line = |a, b| {
            format!(
                "           CPU0       CPU1\n 24:  9  9  PCI-MSI 1-edge  other\n \
                 31:   {a}   {b}  IR-PCI-MSI 81920-edge      vfio-msix[0](0000:00:05.0)\n"
            )
        };
        interrupts.read(&line(0, 0), card);
        assert_eq!(interrupts.fired(), 0);
        interrupts.read(&line(3, 4), card);
        assert_eq!(interrupts.fired(), 1);
        assert_eq!(interrupts.shown(), "vfio-msix[0](0000:00:05.0) 0..7; 0 more silent");
        interrupts.read(&line(8, 8), Device("0000:00:06.0"));
        assert_eq!(interrupts.shown(), "vfio-msix[0](0000:00:05.0) 0..7; 0 more silent");
    }
}
