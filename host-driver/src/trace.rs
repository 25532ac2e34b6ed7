//! Reads a card's trace through its BAR, and says where card time lies on the host's clock.
//!
//! Beside a session, through the same [`Backing`]; it needs none. What the card says of its
//! rings is bounded before use: however far a position jumps, one look takes at most a ring's
//! records. Decoding, keeping and showing them is for those above.
//! Invariant: a record that may have been overwritten while it was read is never given out; it
//! is counted as lost.

use abi::host::register::{CLOCK_KHZ, CYCLES_HIGH, CYCLES_LOW, INCARNATION, TIME_MS};
use abi::host::trace::{
    TRACE, TRACE_FILLED, TRACE_PAGE, TRACE_RECORDS, TRACE_STRIDE, TraceRecord, TraceWriter,
};

use crate::backing::{Backing, Registers};
use crate::bring_up::{read, write};
use crate::session::wide;

/// Words of a record.
const RECORD_WORDS: usize = TraceRecord::BYTES / 4;
/// Looks at both clocks, of which the quickest is believed.
const CLOCK_LOOKS: u32 = 8;

/// What the driver does, told to its [`Backing`] for who traces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostMark {
    /// A tree's first slot is being written.
    Submitted {
        /// Its command ring.
        ring: u32,
        /// Its tag.
        tag: u16,
        /// Its blocks.
        blocks: u32,
    },
    /// A tree's completion was seen.
    Seen {
        /// Its command ring.
        ring: u32,
        /// Its tag.
        tag: u16,
        /// Blocks and list entries done.
        done: u32,
    },
}

/// The card has no trace: it speaks a contract older than 1.2, or is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the card does not switch its trace on; it has none, or is gone")]
pub struct NoTrace;

/// Switches the card's trace on or off.
///
/// # Errors
/// When the card does not take it.
pub fn switch(card: &impl Registers, on: bool) -> Result<(), NoTrace> {
    let wanted = u32::from(on);
    write(card, TRACE, wanted);
    if read(card, TRACE) == wanted { Ok(()) } else { Err(NoTrace) }
}

/// Records of one ring, in the order in which they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceChunk {
    /// Whose ring.
    pub writer: TraceWriter,
    /// Records before these that were overwritten before anybody read them.
    pub lost: u64,
    /// The records.
    pub records: Vec<TraceRecord>,
}

/// Follows the trace rings of a card.
#[derive(Clone, Debug)]
pub struct TraceReader {
    /// Position of the next record of each ring.
    next: [u32; TraceWriter::ALL.len()],
    incarnation: u32,
}

impl TraceReader {
    /// A reader that begins with the oldest records that the card still has.
    #[must_use]
    pub fn new(card: &impl Registers) -> Self {
        Self { next: Default::default(), incarnation: read(card, INCARNATION) }
    }

    /// Takes what is new in every ring, at most a ring's records of each. Gives a chunk for each
    /// ring that has news, be it only that some is lost.
    pub fn drain(&mut self, card: &impl Registers) -> Vec<TraceChunk> {
        let incarnation = read(card, INCARNATION);
        if incarnation == u32::MAX {
            // Gone: all ones are no positions.
            return Vec::new();
        }
        if incarnation != self.incarnation {
            self.incarnation = incarnation;
            self.next = Default::default();
        }
        let rings = TraceWriter::ALL.iter().zip(&mut self.next);
        let mut chunks: Vec<_> =
            rings.filter_map(|(writer, next)| drain_ring(card, *writer, next)).collect();
        if !chunks.is_empty() && read(card, INCARNATION) != incarnation {
            // Reset under our hands: what was read may be of before or of after.
            for chunk in &mut chunks {
                chunk.lost += chunk.records.drain(..).len() as u64;
            }
        }
        chunks
    }
}

fn drain_ring(card: &impl Registers, writer: TraceWriter, next: &mut u32) -> Option<TraceChunk> {
    let filled = TRACE_FILLED.bank(writer.0, 4);
    let end = read(card, filled);
    let ahead = end.wrapping_sub(*next);
    if ahead as i32 <= 0 {
        // Nothing new; or the position went back without a reset that we know of: begin there.
        *next = end;
        return None;
    }
    let kept = ahead.min(TRACE_RECORDS);
    let first = end.wrapping_sub(kept);
    let mut records: Vec<_> =
        (0..kept).map(|at| record(card, writer, first.wrapping_add(at))).collect();
    // Where the writer is now, the record that stood a ring's length before may be half gone.
    let now = read(card, filled);
    let oldest_safe = now.wrapping_sub(TRACE_RECORDS - 1);
    let overwritten = (oldest_safe.wrapping_sub(first) as i32).clamp(0, kept as i32);
    records.drain(..overwritten as usize);
    let lost = u64::from(ahead - kept) + overwritten as u64;
    *next = end;
    Some(TraceChunk { writer, lost, records })
}

fn record(card: &impl Registers, writer: TraceWriter, position: u32) -> TraceRecord {
    let start =
        TRACE_PAGE + writer.0 * TRACE_STRIDE + position % TRACE_RECORDS * TraceRecord::BYTES as u32;
    let mut words = [0; RECORD_WORDS];
    for (word, offset) in words.iter_mut().zip((start..).step_by(4)) {
        *word = card.read(offset);
    }
    TraceRecord::read(&words)
}

/// Makes whole cycle counts out of the low words that records carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceClock {
    /// Card clock in kHz; not 0.
    pub khz: u32,
    /// Cycles at some moment near the records: within 24 days.
    pub cycles: u64,
    /// Card time in ms at that moment.
    pub time_ms: u32,
}

impl TraceClock {
    /// Reads the card's clock.
    #[must_use]
    pub fn read(card: &impl Registers) -> Self {
        Self {
            khz: read(card, CLOCK_KHZ).max(1),
            cycles: cycles(card),
            time_ms: read(card, TIME_MS),
        }
    }

    /// Cycles since power-on at which a record was written.
    ///
    /// The milliseconds tell roughly when, the low word tells exactly: of all counts with that
    /// low word, it is the nearest one. So the two need not have been read at the same moment.
    #[must_use]
    pub fn cycles_of(&self, record: &TraceRecord) -> u64 {
        const LAP: i128 = 1 << 32;
        let passed_ms = record.time_ms.wrapping_sub(self.time_ms) as i32;
        let khz = i128::from(self.khz);
        // In the middle of the millisecond.
        let estimate = i128::from(self.cycles) + i128::from(passed_ms) * khz + khz / 2;
        let ahead = (i128::from(record.cycles) - estimate).rem_euclid(LAP);
        let nearest = if ahead > LAP / 2 { estimate + ahead - LAP } else { estimate + ahead };
        // A record that lies before the card's own time is nonsense; it is shown at its start.
        u64::try_from(nearest).unwrap_or(u64::from(record.cycles))
    }

    /// Nanoseconds at `cycles`.
    #[must_use]
    pub fn ns(&self, cycles: u64) -> u64 {
        let ns = u128::from(cycles) * 1_000_000 / u128::from(self.khz);
        u64::try_from(ns).unwrap_or(u64::MAX)
    }
}

/// One moment on both clocks: the backing's and the card's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockPair {
    /// On the clock of the backing.
    pub host_ns: u64,
    /// On the card's.
    pub cycles: u64,
    /// By how much the two may be apart: half of what the look took.
    pub error_ns: u64,
}

impl ClockPair {
    /// Looks at both clocks a few times and believes the quickest look. On a timed card, whose
    /// time stands still meanwhile, it is exact.
    #[must_use]
    pub fn look<B: Backing + ?Sized>(card: &B) -> Self {
        let look = |_| {
            let before = card.clock_ns();
            let cycles = cycles(card);
            let took = card.clock_ns().saturating_sub(before);
            Self { host_ns: before + took / 2, cycles, error_ns: took.div_ceil(2) }
        };
        let looks = (0..CLOCK_LOOKS).map(look).min_by_key(|pair| pair.error_ns);
        looks.expect("there is at least one look")
    }
}

fn cycles(card: &(impl Registers + ?Sized)) -> u64 {
    wide(card, CYCLES_LOW.offset, CYCLES_HIGH.offset)
}
