//! A trace as a file: what the card wrote, what the host did, how their clocks relate.
//!
//! From `traced`, which writes it while a job runs, to `timeline`, which reads it later, maybe on
//! another machine. Little-endian, all pieces multiples of 16 bytes:
//!
//! | piece | bytes | fields |
//! |---|---|---|
//! | header | 32 | `FLUETRAC`, version: u32, clock in kHz: u32, cycles: u64, card time in ms: u32, contract: u32 |
//! | chunk | 16 | kind: u32 (see below), records: u32, lost before these: u64 |
//! | card record | 16 | as the contract has it (`TraceRecord`) |
//! | host mark | 16 | host time in ns: u64, kind: u8, ring: u8, tag: u16, value: u32 |
//! | clock pair | 32 | host time in ns: u64, cycles: u64, error in ns: u64, 0: u64; counts as two records |
//!
//! Chunk kinds: the number of the trace ring for card records, 16 host marks, 17 a clock pair, 18
//! the end, whose `lost` counts records that did not fit into the file. A file without an end was
//! cut off; what is there is whole. Whatever a file says, reading it ends and takes bounded memory.

use std::io::{self, Read, Write};

use abi::host::trace::{TraceRecord, TraceWriter};
use host_driver::trace::{ClockPair, TraceChunk, TraceClock};

/// How a capture begins.
const MAGIC: [u8; 8] = *b"FLUETRAC";
/// Version of the file format.
const VERSION: u32 = 1;
/// Bytes of a record of any kind, and of a chunk's head.
const UNIT: usize = 16;
/// Records that a file keeps: 64 MiB.
pub(super) const RECORDS_MAX: u64 = 4 << 20;
/// Records of one chunk.
const CHUNK_MAX: u32 = 1 << 16;
const HOST: u32 = 16;
const CLOCKS: u32 = 17;
const END: u32 = 18;

/// Why a capture cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaptureError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// The file is something else.
    #[error("it is no trace of flue: it does not begin with FLUETRAC")]
    Magic,
    /// The file is of another version of flue.
    #[error("it is a trace of format {0}, expected {VERSION}")]
    Version(u32),
    /// A field of the header or of a chunk makes no sense.
    #[error("{what} is {value} at byte {at}")]
    Nonsense {
        /// The field.
        what: &'static str,
        /// What it says.
        value: u64,
        /// Where the piece begins.
        at: u64,
    },
}

/// What the host did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostKind {
    /// A tree's first slot was about to be written.
    Submitted,
    /// A command ring's doorbell was about to be rung.
    Rung,
    /// A tree's completion was seen.
    Seen,
}

impl HostKind {
    const ALL: [(u8, Self, &'static str); 3] =
        [(1, Self::Submitted, "submitted"), (2, Self::Rung, "rung"), (3, Self::Seen, "seen")];

    /// As it is shown.
    pub(super) fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, kind, _)| *kind == self).map_or("", |(.., word)| word)
    }
}

/// One thing that the host did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HostRecord {
    /// On the backing's clock.
    pub(super) ns: u64,
    pub(super) kind: HostKind,
    /// Command ring.
    pub(super) ring: u8,
    /// Of the tree; 0 for a doorbell.
    pub(super) tag: u16,
    /// Blocks of the tree, position of the doorbell, blocks done.
    pub(super) value: u32,
}

/// Writes a capture, up to [`RECORDS_MAX`] records of it.
pub(super) struct Writer<W> {
    sink: W,
    room: u64,
    not_kept: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a capture.
    pub(super) fn begin(mut sink: W, clock: &TraceClock) -> io::Result<Self> {
        sink.write_all(&MAGIC)?;
        sink.write_all(&VERSION.to_le_bytes())?;
        sink.write_all(&clock.khz.to_le_bytes())?;
        sink.write_all(&clock.cycles.to_le_bytes())?;
        sink.write_all(&clock.time_ms.to_le_bytes())?;
        sink.write_all(&abi::VERSION.to_le_bytes())?;
        Ok(Self { sink, room: RECORDS_MAX, not_kept: 0 })
    }

    /// Appends where card time lies on the host's clock.
    pub(super) fn clocks(&mut self, pair: &ClockPair) -> io::Result<()> {
        self.head(CLOCKS, 2, 0)?;
        for field in [pair.host_ns, pair.cycles, pair.error_ns, 0] {
            self.sink.write_all(&field.to_le_bytes())?;
        }
        Ok(())
    }

    /// Appends what the card wrote.
    pub(super) fn card(&mut self, chunk: &TraceChunk) -> io::Result<()> {
        let TraceChunk { writer, lost, records } = chunk;
        let kept = self.take(records.len());
        // What is lost is told even when there is room for nothing more.
        self.head(writer.0, kept, *lost)?;
        for record in &records[..kept] {
            let mut words = [0; UNIT / 4];
            record.write(&mut words);
            for word in words {
                self.sink.write_all(&word.to_le_bytes())?;
            }
        }
        Ok(())
    }

    /// Appends what the host did; `lost` marks before these were not noted.
    pub(super) fn host(&mut self, marks: &[HostRecord], lost: u64) -> io::Result<()> {
        for (number, marks) in marks.chunks(CHUNK_MAX as usize).enumerate() {
            let kept = self.take(marks.len());
            self.head(HOST, kept, if number == 0 { lost } else { 0 })?;
            for mark in &marks[..kept] {
                let code = HostKind::ALL.into_iter().find(|(_, kind, _)| *kind == mark.kind);
                let code = code.map_or(0, |(code, ..)| code);
                self.sink.write_all(&mark.ns.to_le_bytes())?;
                self.sink.write_all(&[code, mark.ring])?;
                self.sink.write_all(&mark.tag.to_le_bytes())?;
                self.sink.write_all(&mark.value.to_le_bytes())?;
            }
        }
        Ok(())
    }

    /// Ends the capture; how many records did not fit into it.
    pub(super) fn end(mut self) -> io::Result<(W, u64)> {
        self.head(END, 0, self.not_kept)?;
        self.sink.flush()?;
        Ok((self.sink, self.not_kept))
    }

    fn head(&mut self, kind: u32, records: usize, lost: u64) -> io::Result<()> {
        self.sink.write_all(&kind.to_le_bytes())?;
        self.sink.write_all(&(records as u32).to_le_bytes())?;
        self.sink.write_all(&lost.to_le_bytes())
    }

    /// Takes room for `records`; how many of them have any.
    fn take(&mut self, records: usize) -> usize {
        let kept = self.room.min(records as u64);
        self.room -= kept;
        self.not_kept += records as u64 - kept;
        kept as usize
    }
}

/// A part of a capture, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The card wrote a record.
    Card(TraceWriter, TraceRecord),
    /// The host did something.
    Host(HostRecord),
    /// Records are missing here: of a ring of the card, or (`None`) of the host.
    Lost(Option<TraceWriter>, u64),
}

/// A capture as it was read.
#[derive(Debug)]
pub(super) struct Capture {
    pub(super) clock: TraceClock,
    pub(super) pairs: Vec<ClockPair>,
    pub(super) parts: Vec<Part>,
    /// Records that did not fit into the file.
    pub(super) not_kept: u64,
    /// The end is there.
    pub(super) is_whole: bool,
}

impl Capture {
    /// Reads a capture.
    ///
    /// # Errors
    /// All of [`CaptureError`]. A capture that was cut off is none.
    pub(super) fn read(source: impl Read) -> Result<Self, CaptureError> {
        let mut units = Units { source, at: 0 };
        let clock = header(&mut units)?;
        let (pairs, parts) = (Vec::new(), Vec::new());
        let mut capture = Self { clock, pairs, parts, not_kept: 0, is_whole: false };
        // Chunks without a record count too: nothing that a file says goes on for ever.
        let mut budget = 2 * RECORDS_MAX;
        while !capture.is_whole {
            let at = units.at;
            let Some([low, high]) = units.next()? else { break };
            let (kind, records, lost) = (low as u32, low >> 32, high);
            let nonsense = |what, value| Err(CaptureError::Nonsense { what, value, at });
            if records > u64::from(CHUNK_MAX) {
                return nonsense("the number of records of a chunk", records);
            }
            budget = match budget.checked_sub(records + 1) {
                Some(left) => left,
                None => return nonsense("more than a trace holds", 2 * RECORDS_MAX),
            };
            match kind {
                END => (capture.not_kept, capture.is_whole) = (lost, true),
                CLOCKS if records == 2 && capture.pairs.len() < 2 => {
                    let (Some([host_ns, cycles]), Some([error_ns, _])) =
                        (units.next()?, units.next()?)
                    else {
                        break;
                    };
                    capture.pairs.push(ClockPair { host_ns, cycles, error_ns });
                }
                HOST => capture.host(&mut units, records, lost)?,
                writer if TraceWriter::ALL.contains(&TraceWriter(writer)) => {
                    capture.card(&mut units, TraceWriter(writer), records, lost)?;
                }
                _ => return nonsense("the kind of a chunk", u64::from(kind)),
            }
        }
        Ok(capture)
    }

    fn card(
        &mut self,
        units: &mut Units<impl Read>,
        writer: TraceWriter,
        records: u64,
        lost: u64,
    ) -> Result<(), CaptureError> {
        if lost > 0 {
            self.parts.push(Part::Lost(Some(writer), lost));
        }
        for _ in 0..records {
            let Some([low, high]) = units.next()? else { break };
            let words = [low as u32, (low >> 32) as u32, high as u32, (high >> 32) as u32];
            self.parts.push(Part::Card(writer, TraceRecord::read(&words)));
        }
        Ok(())
    }

    fn host(
        &mut self,
        units: &mut Units<impl Read>,
        records: u64,
        lost: u64,
    ) -> Result<(), CaptureError> {
        if lost > 0 {
            self.parts.push(Part::Lost(None, lost));
        }
        for _ in 0..records {
            let at = units.at;
            let Some([ns, rest]) = units.next()? else { break };
            let code = rest as u8;
            let found = HostKind::ALL.into_iter().find(|(number, ..)| *number == code);
            let Some((_, kind, _)) = found else {
                let (what, value) = ("the kind of a host mark", u64::from(code));
                return Err(CaptureError::Nonsense { what, value, at });
            };
            let (ring, tag) = ((rest >> 8) as u8, (rest >> 16) as u16);
            let value = (rest >> 32) as u32;
            self.parts.push(Part::Host(HostRecord { ns, kind, ring, tag, value }));
        }
        Ok(())
    }
}

fn header(units: &mut Units<impl Read>) -> Result<TraceClock, CaptureError> {
    let Some([magic, rest]) = units.next()? else { return Err(CaptureError::Magic) };
    if magic.to_le_bytes() != MAGIC {
        return Err(CaptureError::Magic);
    }
    if rest as u32 != VERSION {
        return Err(CaptureError::Version(rest as u32));
    }
    let khz = (rest >> 32) as u32;
    let Some([cycles, rest]) = units.next()? else { return Err(CaptureError::Magic) };
    if khz == 0 {
        return Err(CaptureError::Nonsense { what: "the card's clock in kHz", value: 0, at: 12 });
    }
    Ok(TraceClock { khz, cycles, time_ms: rest as u32 })
}

/// A file in pieces of [`UNIT`] bytes, each as two words.
struct Units<R> {
    source: R,
    at: u64,
}

impl<R: Read> Units<R> {
    /// The next piece; `None` when no whole one is left.
    fn next(&mut self) -> io::Result<Option<[u64; 2]>> {
        let mut bytes = [0; UNIT];
        if let Err(error) = self.source.read_exact(&mut bytes) {
            let is_over = error.kind() == io::ErrorKind::UnexpectedEof;
            return if is_over { Ok(None) } else { Err(error) };
        }
        self.at += UNIT as u64;
        let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte]));
        Ok(Some([word(0), word(8)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: TraceClock = TraceClock { khz: 250_000, cycles: 1 << 40, time_ms: 9 };

    fn capture() -> Vec<u8> {
        let mut writer = Writer::begin(Vec::new(), &CLOCK).unwrap();
        writer.clocks(&ClockPair { host_ns: 5, cycles: 6, error_ns: 7 }).unwrap();
        let records = vec![TraceRecord { cycles: 1, kind: 2, ..Default::default() }; 3];
        let writer_of = TraceWriter::RINGS;
        writer.card(&TraceChunk { writer: writer_of, lost: 11, records }).unwrap();
        let mark = HostRecord { ns: 8, kind: HostKind::Seen, ring: 1, tag: 2, value: 3 };
        writer.host(&[mark], 0).unwrap();
        writer.end().unwrap().0
    }

    #[test]
    fn a_capture_is_read_as_it_was_written() {
        let read = Capture::read(&*capture()).unwrap();
        assert_eq!((read.clock, read.not_kept, read.is_whole), (CLOCK, 0, true));
        assert_eq!(read.pairs, [ClockPair { host_ns: 5, cycles: 6, error_ns: 7 }]);
        assert_eq!(read.parts.len(), 5);
        let record = TraceRecord { cycles: 1, kind: 2, ..Default::default() };
        assert_eq!(
            read.parts[..2],
            [Part::Lost(Some(TraceWriter::RINGS), 11), Part::Card(TraceWriter::RINGS, record),]
        );
        let mark = HostRecord { ns: 8, kind: HostKind::Seen, ring: 1, tag: 2, value: 3 };
        assert_eq!(read.parts[4], Part::Host(mark));
    }

    #[test]
    fn a_capture_that_is_cut_off_gives_what_is_there() {
        let whole = capture();
        for bytes in 32..whole.len() {
            let read = Capture::read(&whole[..bytes]).unwrap();
            assert!(!read.is_whole && read.parts.len() <= 5, "{bytes} bytes");
        }
    }

    #[test]
    fn files_that_are_none_are_refused_in_words() {
        let whole = capture();
        let changed = |at: usize, byte: u8| {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            Capture::read(&*bytes).unwrap_err().to_string()
        };
        assert_eq!(
            Capture::read(&b"{}"[..]).unwrap_err().to_string(),
            "it is no trace of flue: it does not begin with FLUETRAC"
        );
        assert!(changed(0, b'G').starts_with("it is no trace of flue"));
        assert_eq!(changed(8, 9), "it is a trace of format 9, expected 1");
        assert_eq!(changed(32, 99), "the kind of a chunk is 99 at byte 32");
        assert!(changed(39, 1).starts_with("the number of records of a chunk is 167"));
        let kind = whole.len() - UNIT - 8;
        assert!(changed(kind, 77).starts_with("the kind of a host mark is 77"));
    }

    #[test]
    fn no_byte_of_a_capture_makes_its_reader_panic() {
        let whole = capture();
        for at in 0..whole.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                // An error or a capture; either will do.
                drop(Capture::read(&*bytes));
            }
        }
    }

    #[test]
    fn records_beyond_the_bound_are_counted_not_kept() {
        let mut writer = Writer::begin(io::sink(), &CLOCK).unwrap();
        writer.room = 2;
        let records = vec![TraceRecord::default(); 3];
        writer.card(&TraceChunk { writer: TraceWriter::FIRMWARE, lost: 0, records }).unwrap();
        assert_eq!(writer.end().unwrap().1, 1);
    }
}
