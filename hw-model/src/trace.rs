//! The card's trace in card memory: one ring of fixed-size records a writer.
//!
//! From the firmware (`hal`, or the RISC-V body's stores into its window) and the engines, to the
//! host, which reads through `bar`. Nothing waits and nothing is formatted: a full ring overwrites
//! its oldest records. While the trace is off, a writer pays one load.
//! Invariant: each ring has one writer at a time; `reset` is called while none writes.
//!
//! | word | writer | readers | store | load | publishes |
//! |---|---|---|---|---|---|
//! | `on` | host | writers | Relaxed | Relaxed | nothing |
//! | `filled` | the ring's writer | host | Release | Acquire | the records below it |
//! | `words` | the ring's writer | host | Release | Acquire | that `filled` had reached the record that they belong to |
//!
//! A record may be overwritten while the host reads it. The host reads `filled` again afterwards:
//! who has seen a word of record `n` sees `filled` at `n` or above, and so knows that record
//! `n - TRACE_RECORDS`, which stood there, is gone.

use std::sync::atomic::{AtomicU32, Ordering};

use abi::host::trace::{TRACE_RECORDS, TRACE_STRIDE, TraceKind, TraceRecord, TraceWriter};

use crate::shared::Shared;

/// Words of a record.
const RECORD_WORDS: usize = TraceRecord::BYTES / 4;
/// Words of a ring.
const RING_WORDS: usize = TRACE_RECORDS as usize * RECORD_WORDS;
/// Rings, one a writer.
const WRITERS: usize = TraceWriter::ALL.len();

const _: () = assert!(RING_WORDS * 4 <= TRACE_STRIDE as usize, "a ring fits its stride");

/// What happened, apart from when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Happening {
    /// What.
    pub(crate) kind: TraceKind,
    /// The ring that it concerns, by its register bank.
    pub(crate) ring: u32,
    /// Detail, by kind; the record has 16 bits of it.
    pub(crate) detail: u32,
    /// Value, by kind.
    pub(crate) value: u32,
}

/// The trace of one card.
#[derive(Debug)]
pub(crate) struct Trace {
    on: AtomicU32,
    rings: [Ring; WRITERS],
}

#[derive(Debug)]
struct Ring {
    filled: AtomicU32,
    words: Box<[AtomicU32]>,
}

impl Default for Ring {
    fn default() -> Self {
        let words = (0..RING_WORDS).map(|_| AtomicU32::new(0)).collect();
        Self { filled: AtomicU32::new(0), words }
    }
}

impl Trace {
    /// Off and empty, as after power-on.
    pub(crate) fn new() -> Self {
        Self { on: AtomicU32::new(0), rings: Default::default() }
    }

    /// Whether records are written.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.control() != 0
    }

    /// The TRACE register.
    #[inline]
    pub(crate) fn control(&self) -> u32 {
        // ORDERING: Relaxed. A wish of the host's; a record more or less is nobody's loss.
        // No loom test: one word.
        self.on.load(Ordering::Relaxed)
    }

    /// Sets the TRACE register.
    pub(crate) fn set_control(&self, value: u32) {
        // ORDERING: Relaxed. As in `control`.
        self.on.store(value, Ordering::Relaxed);
    }

    /// Writes a record into the ring of `writer`, whose only writer the caller is. Asks nobody
    /// whether the trace is on.
    pub(crate) fn record(
        &self,
        writer: TraceWriter,
        cycles: u64,
        time_ms: u32,
        happening: Happening,
    ) {
        let Happening { kind, ring, detail, value } = happening;
        let record = TraceRecord {
            cycles: cycles as u32,
            time_ms,
            kind: kind.0,
            ring: ring as u8,
            detail: detail as u16,
            value,
        };
        let mut words = [0; RECORD_WORDS];
        record.write(&mut words);
        let Some(ring) = self.rings.get(writer.0 as usize) else { return };
        // ORDERING: Relaxed. The writer reads back its own word. No loom test: one thread.
        let filled = ring.filled.load(Ordering::Relaxed);
        let first = (filled % TRACE_RECORDS) as usize * RECORD_WORDS;
        for (number, word) in (first..).zip(words) {
            ring.store(number, word);
        }
        ring.publish(filled.wrapping_add(1));
    }

    /// Stores a word of the firmware's ring, as its window has it; past the end it is ignored.
    pub(crate) fn store_word(&self, word: u32, value: u32) {
        if (word as usize) < RING_WORDS {
            self.rings[TraceWriter::FIRMWARE.0 as usize].store(word as usize, value);
        }
    }

    /// A word of the firmware's ring, as its window has it.
    pub(crate) fn load_word(&self, word: u32) -> Option<u32> {
        self.rings[TraceWriter::FIRMWARE.0 as usize].load(word)
    }

    /// Says up to where the firmware's ring is filled: its words below that are stored.
    pub(crate) fn set_filled(&self, position: u32) {
        self.rings[TraceWriter::FIRMWARE.0 as usize].publish(position);
    }

    /// The TRACE_FILLED register of a ring.
    pub(crate) fn filled(&self, writer: u32) -> Option<u32> {
        let ring = self.rings.get(writer as usize)?;
        // ORDERING: Acquire. Pairs with the Release in `publish`: the records below are whole.
        // Checked by `tests::a_reader_tells_what_was_overwritten_under_it`.
        Some(ring.filled.load(Ordering::Acquire))
    }

    /// A word of the trace page, by its byte offset from the page's start.
    pub(crate) fn read(&self, offset: u32) -> Option<u32> {
        let ring = self.rings.get((offset / TRACE_STRIDE) as usize)?;
        ring.load(offset % TRACE_STRIDE / 4)
    }

    /// Empties every ring; TRACE stays as it is. No writer is at work.
    pub(crate) fn reset(&self) {
        for ring in &self.rings {
            ring.publish(0);
        }
    }
}

impl Ring {
    fn store(&self, word: usize, value: u32) {
        // ORDERING: Release. Pairs with the Acquire in `load`: who sees this word sees `filled`
        // at the record that it belongs to, or above. Checked by
        // `tests::a_reader_tells_what_was_overwritten_under_it`.
        self.words[word].store(value, Ordering::Release);
    }

    fn load(&self, word: u32) -> Option<u32> {
        // ORDERING: Acquire. Pairs with the Release in `store`: a later look at `filled` tells
        // whether this word was of the record that was meant. Checked by
        // `tests::a_reader_tells_what_was_overwritten_under_it`.
        Some(self.words.get(word as usize)?.load(Ordering::Acquire))
    }

    fn publish(&self, position: u32) {
        // ORDERING: Release. Pairs with the Acquire in `Trace::filled`: the words of every record
        // below are stored. Checked by `tests::a_reader_tells_what_was_overwritten_under_it`.
        self.filled.store(position, Ordering::Release);
    }
}

impl Shared {
    /// Records what happens at `cycles`, if the trace is on. On a free-running card, where a slice
    /// of work has one time, the record has the time of this call.
    #[inline]
    pub(crate) fn note(&self, writer: TraceWriter, cycles: u64, happening: Happening) {
        if self.trace.is_on() {
            self.note_now(writer, cycles, happening);
        }
    }

    #[cold]
    fn note_now(&self, writer: TraceWriter, cycles: u64, happening: Happening) {
        let cycles = if self.clock.is_counted() { cycles } else { self.clock.cycles() };
        self.trace.record(writer, cycles, self.clock.ms_at(cycles), happening);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use abi::host::limit::BAR_BYTES;
    use abi::host::trace::{TRACE_PAGE, TRACE_WRITERS};
    use host_driver::backing::Registers;
    use host_driver::trace::TraceReader;

    use super::*;
    use crate::clock::Clock;
    use crate::config::CardConfig;
    use crate::slot::Slot;

    /// Records that a writer writes in one go.
    const RECORDS: u32 = 200_000;

    /// A card's registers without its engines.
    struct Bar(std::sync::Arc<Shared>);

    impl Registers for Bar {
        fn read(&self, offset: u32) -> u32 {
            self.0.read_register(offset)
        }

        fn write(&self, offset: u32, value: u32) {
            self.0.write_register(offset, value);
        }
    }

    fn bar() -> Bar {
        Bar(Shared::new(Slot::new(), CardConfig::default(), Clock::counted(250_000)))
    }

    /// A record all of whose words tell its number.
    fn numbered(number: u32) -> Happening {
        let kind = TraceKind(number as u8);
        Happening { kind, ring: number >> 8, detail: number >> 16, value: number }
    }

    #[test]
    fn a_reader_tells_what_was_overwritten_under_it() {
        let bar = bar();
        let mut reader = TraceReader::new(&bar);
        let (mut next, mut seen) = (0_u64, 0_u64);
        let mut take = |reader: &mut TraceReader| {
            for chunk in reader.drain(&bar) {
                next += chunk.lost;
                for record in chunk.records {
                    let whole = u32::from(record.kind)
                        | u32::from(record.ring) << 8
                        | u32::from(record.detail) << 16;
                    let numbers = [record.cycles, record.time_ms, whole, record.value];
                    assert_eq!(numbers.map(u64::from), [next; 4], "whole, and in its place");
                    (next, seen) = (next + 1, seen + 1);
                }
            }
            next
        };
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..RECORDS {
                    let trace = &bar.0.trace;
                    trace.record(TraceWriter::RINGS, number.into(), number, numbered(number));
                }
            });
            while take(&mut reader) < u64::from(RECORDS) {}
        });
        assert!(seen >= u64::from(TRACE_RECORDS) - 1);
    }

    #[test]
    fn the_firmwares_window_is_its_ring_and_nothing_else() {
        let trace = Trace::new();
        let words = RING_WORDS as u32;
        trace.store_word(words - 1, 7);
        trace.store_word(words, 8);
        trace.set_filled(TRACE_RECORDS);
        assert_eq!((trace.load_word(words - 1), trace.load_word(words)), (Some(7), None));
        assert_eq!(trace.read(words * 4 - 4), Some(7));
        assert_eq!(
            [0, 1, 2, 3].map(|writer| trace.filled(writer)),
            [Some(TRACE_RECORDS), Some(0), Some(0), None]
        );
        trace.reset();
        assert_eq!(trace.filled(0), Some(0));
    }

    #[test]
    fn every_word_of_the_page_answers_and_the_bar_ends_with_it() {
        let bar = bar();
        assert_eq!(TRACE_PAGE + TRACE_WRITERS * TRACE_STRIDE, BAR_BYTES);
        let trace = &bar.0.trace;
        for writer in TraceWriter::ALL {
            trace.record(*writer, 1 << 33 | 5, 6, numbered(writer.0));
            let first = TRACE_PAGE + writer.0 * TRACE_STRIDE;
            assert_eq!([first, first + 4, first + 12].map(|at| bar.read(at)), [5, 6, writer.0]);
        }
        assert_eq!(bar.0.counters.get(abi::host::register::Counter::BAD_ACCESSES.0), Some(0));
    }
}
