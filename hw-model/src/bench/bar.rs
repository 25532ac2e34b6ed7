//! The card's end of the bench: its register page, and the mirror that a port of it writes.
//!
//! Between a server's BAR2 and the server, which carries power cycles out: this says what a card
//! is to be built with, not how. Every access is answered; one of the wrong width, alignment or
//! direction reads as zero or is ignored.

use std::sync::Arc;

use abi::host::bench::{
    BAR2_BYTES, BENCH_CYCLES, BENCH_IDENTITY, BENCH_POWER_CYCLE, IDENTITY_VALUE, MIRROR_PAGE,
};
use host_driver::memory::{Memory, Words};

use super::mirror::{MirrorShape, MirrorWriter};
use super::port::MirrorPort;
use super::staged::{REGISTERS, Staged};
use crate::config::CardConfig;
use crate::port::Port;

/// Bytes of a register.
const WORD: u64 = size_of::<u32>() as u64;

/// BAR2 of a served card.
#[derive(Debug)]
pub struct BenchBar {
    /// From the mirror's page to the end of the BAR.
    mirror: Memory,
    base: CardConfig,
    staged: Staged,
    cycles: u32,
    /// Shared with the port that writes the mirror, so that there is never a second one.
    lease: Arc<()>,
}

impl BenchBar {
    /// The bench over `memory`, all of BAR2 as one mapping; `config` is that of the first card, and
    /// what is staged at first.
    ///
    /// # Panics
    /// When `memory` is smaller than the BAR.
    #[must_use]
    pub fn new(memory: Memory, config: &CardConfig) -> Self {
        let mirror = memory.part(MIRROR_PAGE as usize, (BAR2_BYTES - MIRROR_PAGE) as usize);
        let staged = Staged::of(&config.capabilities, config.reader_stall);
        Self { mirror, base: config.clone(), staged, cycles: 0, lease: Arc::default() }
    }

    /// The port for the next card: passes frames on to `inner` and mirrors them, from an empty
    /// mirror on.
    ///
    /// # Panics
    /// When the card that was given the last port is still there: a mirror has one writer.
    pub fn port(&mut self, inner: Box<dyn Port>) -> Box<dyn Port> {
        assert_eq!(Arc::strong_count(&self.lease), 1, "the card before is gone before the next");
        Box::new(MirrorPort {
            inner,
            memory: self.mirror.clone(),
            writer: MirrorWriter::new(MirrorShape::BAR2, &self.mirror),
            _lease: Arc::clone(&self.lease),
        })
    }

    /// The card that was asked for is there, with a port of this bench.
    pub fn cycled(&mut self) {
        self.cycles = self.cycles.wrapping_add(1);
    }

    /// An access to BAR2 of any offset and width, as a bus delivers it. `Some` is the order to take
    /// the card off and build it so: then a port, the card, and [`BenchBar::cycled`].
    pub fn access(&mut self, offset: u64, bytes: &mut [u8], write: bool) -> Option<CardConfig> {
        let value = match *bytes {
            [a, b, c, d] if offset.is_multiple_of(WORD) => u32::from_le_bytes([a, b, c, d]),
            _ => {
                clear(bytes, write);
                return None;
            }
        };
        if write {
            return self.write(offset, value);
        }
        bytes.copy_from_slice(&self.read(offset).to_le_bytes());
        None
    }

    fn read(&self, offset: u64) -> u32 {
        if let Some(word) = self.mirror_word(offset) {
            return self.mirror.load_acquire(word);
        }
        if offset == u64::from(BENCH_IDENTITY.offset) {
            return IDENTITY_VALUE;
        }
        if offset == u64::from(BENCH_CYCLES.offset) {
            return self.cycles;
        }
        staged_word(offset).map_or(0, |word| self.staged.0[word])
    }

    fn write(&mut self, offset: u64, value: u32) -> Option<CardConfig> {
        if let Some(word) = self.mirror_word(offset) {
            self.mirror.store_release(word, value);
        } else if let Some(word) = staged_word(offset) {
            self.staged.0[word] = value;
        } else if offset == u64::from(BENCH_POWER_CYCLE.offset) && value == 1 {
            return self.staged.card(&self.base);
        }
        None
    }

    /// The word behind the register page that `offset` names: plain memory, mapped or not.
    fn mirror_word(&self, offset: u64) -> Option<usize> {
        let word = offset.checked_sub(u64::from(MIRROR_PAGE))? / WORD;
        usize::try_from(word).ok().filter(|word| *word < self.mirror.len())
    }
}

fn staged_word(offset: u64) -> Option<usize> {
    REGISTERS.iter().position(|register| u64::from(register.offset) == offset)
}

/// Answers an access that makes no sense.
fn clear(bytes: &mut [u8], write: bool) {
    if !write {
        bytes.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use abi::host::bench::{BENCH_NEIGHBORS, BENCH_REGISTERS, MIRROR_FRAMES, MIRROR_REAPED};

    use super::*;
    use crate::port::CounterPort;

    fn bench() -> BenchBar {
        BenchBar::new(Memory::new(BAR2_BYTES as usize).unwrap(), &CardConfig::default())
    }

    fn read(bench: &mut BenchBar, offset: u32) -> u32 {
        let mut bytes = [0xaa; 4];
        assert!(bench.access(offset.into(), &mut bytes, false).is_none());
        u32::from_le_bytes(bytes)
    }

    fn write(bench: &mut BenchBar, offset: u32, value: u32) -> Option<CardConfig> {
        bench.access(offset.into(), &mut value.to_le_bytes(), true)
    }

    #[test]
    fn every_register_answers_as_its_row_says() {
        let mut bench = bench();
        for row in BENCH_REGISTERS.rows {
            let offset = row.offset as u32;
            let before = read(&mut bench, offset);
            assert!(write(&mut bench, offset, 0x1234).is_none(), "{}", row.name);
            let is_kept = read(&mut bench, offset) == 0x1234;
            assert_eq!(is_kept, row.doc.starts_with("Rw."), "{}", row.name);
            assert!(is_kept || read(&mut bench, offset) == before, "{}", row.name);
        }
    }

    #[test]
    fn any_access_of_any_width_is_answered() {
        let mut bench = bench();
        let end = u64::from(BAR2_BYTES);
        for offset in [0, 1, 2, 8, 0x1000, 0x1002, end - 4, end - 1, end, u64::MAX - 3, u64::MAX] {
            for width in [0, 1, 2, 3, 4, 5, 8, 64] {
                let mut bytes = vec![0xaa; width];
                bench.access(offset, &mut bytes, false);
                let is_word = width == 4 && offset.is_multiple_of(4) && offset < end;
                assert!(is_word || bytes.iter().all(|byte| *byte == 0), "{width} at {offset:#x}");
                assert!(bench.access(offset, &mut vec![0xaa; width], true).is_none());
            }
        }
    }

    #[test]
    fn only_a_one_orders_a_power_cycle_and_only_of_a_card_that_can_be() {
        let mut bench = bench();
        let power = BENCH_POWER_CYCLE.offset;
        assert!(write(&mut bench, power, 2).is_none());
        write(&mut bench, BENCH_NEIGHBORS.offset, 77);
        let config = write(&mut bench, power, 1).unwrap();
        assert_eq!(config.capabilities.neighbors, 77);
        write(&mut bench, BENCH_NEIGHBORS.offset, u32::MAX);
        assert!(write(&mut bench, power, 1).is_none());
        assert_eq!(read(&mut bench, BENCH_NEIGHBORS.offset), u32::MAX, "it can be looked at");
        assert_eq!(read(&mut bench, BENCH_CYCLES.offset), 0, "nothing was carried out");
        bench.cycled();
        assert_eq!(read(&mut bench, BENCH_CYCLES.offset), 1);
    }

    /// Takes every other frame.
    struct Picky(bool);

    impl Port for Picky {
        fn send(&mut self, _frame: &[u8], _at_ns: u64) -> bool {
            self.0 = !self.0;
            self.0
        }
    }

    #[test]
    fn what_the_inner_port_refuses_did_not_cross() {
        let mut bench = bench();
        let mut port = bench.port(Box::new(Picky(false)));
        let taken: Vec<bool> = (0..4).map(|at| port.send(&[0; 60], at)).collect();
        assert_eq!(taken, [true, false, true, false]);
        assert_eq!(read(&mut bench, MIRROR_FRAMES.offset), 2);
    }

    #[test]
    fn a_mirror_without_room_refuses_no_frame_and_a_new_port_starts_it_afresh() {
        let mut bench = bench();
        let mut port = bench.port(Box::new(CounterPort::new().0));
        write(&mut bench, MIRROR_REAPED.offset, 12_345);
        assert!(port.send(&[0; 60], 0), "the host's nonsense does not stop a frame");
        drop(port);
        let mut port = bench.port(Box::new(CounterPort::new().0));
        assert_eq!(read(&mut bench, MIRROR_FRAMES.offset), 0);
        assert_eq!(read(&mut bench, MIRROR_REAPED.offset), 0);
        assert!(port.send(&[0; 60], 0));
        assert_eq!(read(&mut bench, MIRROR_FRAMES.offset), 1);
    }

    #[test]
    #[should_panic(expected = "the card before is gone before the next")]
    fn a_mirror_has_one_writer() {
        let mut bench = bench();
        let _first = bench.port(Box::new(CounterPort::new().0));
        let _second = bench.port(Box::new(CounterPort::new().0));
    }
}
