//! Reading a card's trace: whatever its registers say, a look is bounded and nothing torn comes out.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use abi::host::register::{CYCLES_HIGH, CYCLES_LOW, INCARNATION};
use abi::host::trace::{TRACE_FILLED, TRACE_PAGE, TRACE_RECORDS, TraceRecord, TraceWriter};
use host_driver::backing::Registers;
use host_driver::trace::{NoTrace, TraceClock, TraceReader, switch};

/// A card that answers by a rule.
struct Scripted<F> {
    rule: F,
    reads: Cell<u32>,
}

impl<F: Fn(u32) -> u32> Scripted<F> {
    fn new(rule: F) -> Self {
        Self { rule, reads: Cell::new(0) }
    }
}

impl<F: Fn(u32) -> u32> Registers for Scripted<F> {
    fn read(&self, offset: u32) -> u32 {
        self.reads.set(self.reads.get() + 1);
        (self.rule)(offset)
    }

    fn write(&self, _offset: u32, _value: u32) {}
}

const FILLED: u32 = TRACE_FILLED.offset;

/// A ring of which each record's value is its place; every other register is 0.
fn ring(offset: u32) -> u32 {
    let at = offset.checked_sub(TRACE_PAGE).filter(|at| at % 16 == 12);
    at.map_or(0, |at| at / 16 % TRACE_RECORDS)
}

#[test]
fn however_far_a_position_jumps_a_look_takes_one_rings_records() {
    let position = Cell::new(0_u32);
    let card = Scripted::new(|offset| match offset {
        FILLED => position.get(),
        _ => ring(offset),
    });
    let mut reader = TraceReader::new(&card);
    for jump in [1, 5, TRACE_RECORDS, TRACE_RECORDS + 1, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        position.set(position.get().wrapping_add(jump));
        card.reads.set(0);
        let chunks = reader.drain(&card);
        assert!(card.reads.get() <= TRACE_RECORDS * 4 + 16, "{jump}: {} reads", card.reads.get());
        let told: u64 = chunks.iter().map(|chunk| chunk.lost + chunk.records.len() as u64).sum();
        let expected = if jump < 0x8000_0000 { u64::from(jump) } else { 0 };
        assert_eq!(told, expected, "{jump}: taken or counted as lost; going back is neither");
    }
}

#[test]
fn what_may_have_been_overwritten_under_the_reader_is_lost_not_given_out() {
    let looks = Cell::new(0);
    // At the second look at the position, the writer is ten records further.
    let card = Scripted::new(|offset| match offset {
        FILLED => {
            looks.set(looks.get() + 1);
            TRACE_RECORDS + 10 * (looks.get() - 1)
        }
        _ => ring(offset),
    });
    let chunks = TraceReader::new(&card).drain(&card);
    // Ten are overwritten, and the one that the writer may be at.
    assert_eq!((chunks.len(), chunks[0].writer, chunks[0].lost), (1, TraceWriter::FIRMWARE, 11));
    let places: Vec<u32> = chunks[0].records.iter().map(|record| record.value).collect();
    assert_eq!(places, (11..TRACE_RECORDS).collect::<Vec<_>>());
}

#[test]
fn a_reset_begins_anew_and_one_under_the_readers_hands_gives_nothing_out() {
    let (position, incarnation) = (Cell::new(100), Cell::new(1));
    let is_reset_meanwhile = Cell::new(false);
    let card = Scripted::new(|offset| match offset {
        FILLED => position.get(),
        at if at == INCARNATION.offset => {
            if is_reset_meanwhile.get() {
                incarnation.set(incarnation.get() + 1);
            }
            incarnation.get()
        }
        _ => ring(offset),
    });
    let mut reader = TraceReader::new(&card);
    assert_eq!(reader.drain(&card)[0].records.len(), 100);
    position.set(3);
    incarnation.set(2);
    let chunks = reader.drain(&card);
    assert_eq!((chunks[0].lost, chunks[0].records.len()), (0, 3));
    position.set(8);
    is_reset_meanwhile.set(true);
    let chunks = reader.drain(&card);
    assert_eq!((chunks[0].lost, chunks[0].records.len()), (8, 0));
}

#[test]
fn a_card_that_is_gone_has_no_trace() {
    let card = Scripted::new(|_| u32::MAX);
    assert_eq!(TraceReader::new(&card).drain(&card), []);
    assert_eq!(switch(&card, true), Err(NoTrace));
    let card = Scripted::new(|_| 0);
    assert_eq!(switch(&card, true), Err(NoTrace), "a card of contract 1.1");
}

#[test]
fn cycles_are_whole_across_laps_of_their_word_and_of_the_milliseconds() {
    const KHZ: u64 = 250_000;
    let record = |cycles: u64, time_ms: u64| TraceRecord {
        cycles: cycles as u32,
        time_ms: time_ms as u32,
        ..TraceRecord::default()
    };
    // Before and after the moment of the reference; the second crosses the lap of time_ms.
    for now in [KHZ * 1_000_000, KHZ * ((1 << 32) + 5)] {
        let time_ms = (now / KHZ) as u32;
        let clock = TraceClock { khz: KHZ as u32, cycles: now, time_ms };
        for offset in [-200_000_000_000_i64, -7, 0, 1, 4_294_967_296, 500_000_000_000] {
            let cycles = now.wrapping_add_signed(offset);
            for off_ms in [0, 1] {
                // The millisecond may have been read just before, or just after.
                let found = clock.cycles_of(&record(cycles, cycles / KHZ + off_ms));
                assert_eq!(found, cycles, "{offset} cycles from {now}, {off_ms} ms off");
            }
        }
    }
    let clock = TraceClock { khz: u32::MAX, cycles: 0, time_ms: 0 };
    assert_eq!(clock.cycles_of(&record(9, 0x8000_0000)), 9, "before the card's time");
}

#[test]
fn cycles_read_while_the_low_word_laps_are_whole() {
    let cycles = AtomicU64::new((7 << 32) - 1);
    // ORDERING: Relaxed. One thread.
    let tick = || cycles.fetch_add(1, Ordering::Relaxed);
    let card = Scripted::new(|offset| match offset {
        at if at == CYCLES_LOW.offset => tick() as u32,
        at if at == CYCLES_HIGH.offset => (tick() >> 32) as u32,
        _ => 0,
    });
    let read = TraceClock::read(&card);
    assert!(((7 << 32)..(7 << 32) + 6).contains(&read.cycles), "{:#x}", read.cycles);
    assert_eq!(read.khz, 1, "a clock of 0 kHz is none to divide by");
}
