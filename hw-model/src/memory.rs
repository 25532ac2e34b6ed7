//! How long table memory takes to answer the core: on the chip, or in memory beside it.
//!
//! Beside `table_memory`, which has the words and takes no time. Asked by both bodies for every
//! access of the firmware and for every fence, so both stand still equally long. It knows no
//! table layout.
//! What it does not model: the datapath's own way to the tables, which is pipelined and has its
//! time in `costs`; refresh; two accesses that meet at one bank.
//! Sources: UltraRAM: AMD UG573 and DS890. High-bandwidth memory from FPGA fabric: AWS
//! `cl_mem_perf`.

use std::cell::Cell;

use crate::clock::Clock;

/// Where table memory lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TablePlace {
    /// In the chip's own memory.
    OnChip,
    /// In memory beside the chip.
    OffChip,
}

/// Largest table that lies on the chip unless said otherwise: the UltraRAM of a VU47P, 960 blocks
/// of 36,864 bytes (DS890). Block RAM is for buffers.
pub const ON_CHIP_BYTES: u64 = 960 * 36_864;
/// Cycles that a core waits for a word from on-chip memory beyond a load's own cost: UltraRAM
/// with its output register, and the register of the port (UG573).
pub const ON_CHIP_LOAD_STALL: u32 = 2;
/// Cycles that a core waits for a word that is in the line buffer: the register of the port.
pub const LINE_HIT_STALL: u32 = 1;
/// A read of memory beside the chip, request to answer, in ns (`cl_mem_perf`).
pub const OFF_CHIP_READ_NS: u64 = 280;
/// A write of memory beside the chip until it is acknowledged, in ns (`cl_mem_perf`).
pub const OFF_CHIP_WRITE_NS: u64 = 172;
/// Words of one line: a controller's port of 512 bits gives a line at a time, and the port to
/// the core keeps the one it got last.
const LINE_WORDS: u32 = 16;
/// No line is kept.
const NO_LINE: u32 = u32::MAX;

impl TablePlace {
    /// Where a table of so many 32-bit words lies unless it was told.
    #[must_use]
    pub fn of(words: u32) -> Self {
        if u64::from(words) * 4 <= ON_CHIP_BYTES { Self::OnChip } else { Self::OffChip }
    }
}

/// The core's port to table memory: how long each access keeps the core waiting.
///
/// Stores are posted: the core goes on at once. A fence waits until the last store has arrived
/// and forgets the line that was kept, so that what the datapath wrote is seen.
#[derive(Debug)]
pub(crate) struct TablePort {
    timing: Timing,
    /// The line that is kept.
    line: Cell<u32>,
    /// When the last store will have arrived.
    stored_at: Cell<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Timing {
    /// The machine's own time passes.
    None,
    OnChip,
    OffChip {
        read_stall: u32,
        write_cycles: u64,
    },
}

impl TablePort {
    /// A port to memory at `place`; on the machine's own clock it takes no time.
    pub(crate) fn new(place: TablePlace, clock: &Clock) -> Self {
        let cycles = |ns| u32::try_from(clock.in_ns(ns)).unwrap_or(u32::MAX);
        let timing = match place {
            _ if !clock.is_counted() => Timing::None,
            TablePlace::OnChip => Timing::OnChip,
            TablePlace::OffChip => Timing::OffChip {
                read_stall: cycles(OFF_CHIP_READ_NS),
                write_cycles: clock.in_ns(OFF_CHIP_WRITE_NS),
            },
        };
        Self { timing, line: Cell::new(NO_LINE), stored_at: Cell::new(0) }
    }

    /// Whether time is counted and the memory lies on the chip.
    pub(crate) const fn is_on_chip(&self) -> bool {
        matches!(self.timing, Timing::OnChip)
    }

    /// Nothing is kept and nothing is under way.
    pub(crate) fn reset(&self) {
        self.line.set(NO_LINE);
        self.stored_at.set(0);
    }

    /// Cycles that a load of `word` stalls.
    #[inline]
    pub(crate) fn load(&self, word: u32) -> u32 {
        match self.timing {
            Timing::None => 0,
            Timing::OnChip => ON_CHIP_LOAD_STALL,
            Timing::OffChip { read_stall, .. } => {
                let line = word / LINE_WORDS;
                if self.line.replace(line) == line { LINE_HIT_STALL } else { read_stall }
            }
        }
    }

    /// Notes a store at cycle `at`. A line that is kept is kept up to date.
    #[inline]
    pub(crate) fn store(&self, at: u64) {
        if let Timing::OffChip { write_cycles, .. } = self.timing {
            self.stored_at.set(self.stored_at.get().max(at.saturating_add(write_cycles)));
        }
    }

    /// Cycles that a fence at cycle `at` stalls.
    #[inline]
    pub(crate) fn fence(&self, at: u64) -> u32 {
        if let Timing::OffChip { .. } = self.timing {
            self.line.set(NO_LINE);
            return u32::try_from(self.stored_at.get().saturating_sub(at)).unwrap_or(u32::MAX);
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn off_chip() -> TablePort {
        TablePort::new(TablePlace::OffChip, &Clock::counted(250_000))
    }

    #[test]
    fn a_line_is_fetched_once_until_another_is_or_a_fence_comes() {
        let port = off_chip();
        assert_eq!([16, 31, 16].map(|word| port.load(word)), [70, 1, 1]);
        assert_eq!([32, 16].map(|word| port.load(word)), [70, 70]);
        assert_eq!(port.fence(0), 0);
        assert_eq!(port.load(16), 70);
    }

    #[test]
    fn a_fence_waits_for_the_last_store_and_a_load_does_not() {
        let port = off_chip();
        port.store(100);
        assert_eq!(port.load(0), 70);
        assert_eq!(port.fence(110), 33);
        assert_eq!(port.fence(143), 0);
    }

    #[test]
    fn small_tables_lie_on_the_chip_and_answer_alike() {
        let words = u32::try_from(ON_CHIP_BYTES / 4).unwrap();
        assert_eq!(TablePlace::of(words), TablePlace::OnChip);
        assert_eq!(TablePlace::of(words + 1), TablePlace::OffChip);
        let port = TablePort::new(TablePlace::OnChip, &Clock::counted(250_000));
        port.store(100);
        assert_eq!((port.load(0), port.load(1), port.fence(100)), (2, 2, 0));
    }

    #[test]
    fn on_the_machines_clock_nothing_stalls() {
        let port = TablePort::new(TablePlace::OffChip, &Clock::machine(250_000));
        port.store(0);
        assert_eq!((port.load(0), port.fence(0)), (0, 0));
    }
}
