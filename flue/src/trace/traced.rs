//! A card whose trace is kept while somebody uses it.
//!
//! Around a `Backing`, below a session that knows nothing of it: it notes what the driver does,
//! empties the card's trace rings before they run over, and writes all of it as a `capture`. On a
//! timed card, whose time passes only in `relax`, that is done there, often enough that nothing
//! is lost; a card with a life of its own is followed by a thread.
//! Invariant: the rings are emptied before a reset of the session's empties them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use abi::host::register::{DOORBELL_STRIDE, DOORBELL_TAIL, RESET, TRANSMIT_RING_FIRST};
use abi::host::trace::TRACE_RECORDS;
use host_driver::backing::{Backing, Reachable, Registers};
use host_driver::trace::{self, ClockPair, HostMark, NoTrace, TraceClock, TraceReader};
use vmm_sys_util::eventfd::EventFd;

use super::capture::{HostKind, HostRecord, Writer};

/// Turns of a timed card's `relax` between two looks at its rings: one turn is one event, and
/// writes a few dozen records at most.
const TURNS: u32 = 16;
/// Rest between two looks at the rings of a card with a life of its own, while little happens.
const REST: Duration = Duration::from_micros(200);
/// Records found in one look after which the next one comes at once: an eighth of a ring.
const BUSY: u64 = TRACE_RECORDS as u64 / 8;
/// A look that takes longer goes over a slow bus, which is not ours alone: then the rest is as
/// long as the look was.
const SLOW: Duration = Duration::from_millis(1);
/// Marks kept between two looks.
const MARKS_MAX: usize = 1 << 16;

/// Where a capture goes.
pub(crate) enum Sink {
    /// Into a file.
    File(BufWriter<File>),
    /// Into memory, to be shown at once.
    Memory(Vec<u8>),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Memory(memory) => memory.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Memory(_) => Ok(()),
        }
    }
}

/// Why the trace could not be begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BeginError {
    #[error(transparent)]
    NoTrace(#[from] NoTrace),
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// What became of a trace.
pub(crate) struct Kept {
    /// Where it went.
    pub(crate) sink: Sink,
    /// Records that were overwritten before they were read, and marks that were not noted.
    pub(crate) lost: u64,
    /// Records that did not fit.
    pub(crate) not_kept: u64,
}

/// A card whose trace is on.
pub(crate) struct Traced<B> {
    card: Arc<B>,
    is_timed: bool,
    desk: Mutex<Desk>,
    marks: Mutex<Marks>,
}

/// Who reads and writes the trace.
struct Desk {
    reader: TraceReader,
    /// `None` once writing has failed, or the capture has ended.
    writer: Option<Writer<Sink>>,
    error: Option<io::Error>,
    /// Records found so far.
    found: u64,
    lost: u64,
    turns: u32,
}

/// What the host did since the last look.
#[derive(Default)]
struct Marks {
    records: Vec<HostRecord>,
    lost: u64,
}

impl<B: Backing> Traced<B> {
    /// Switches the trace on and begins a capture.
    ///
    /// # Errors
    /// When the card has no trace, or the capture cannot be written.
    pub(crate) fn begin(
        card: Arc<B>,
        sink: Sink,
        is_timed: bool,
    ) -> Result<(Arc<Self>, Follower), BeginError> {
        trace::switch(&*card, true)?;
        let mut writer = Writer::begin(sink, &TraceClock::read(&*card))?;
        writer.clocks(&ClockPair::look(&*card))?;
        let reader = TraceReader::new(&*card);
        let desk = Desk { reader, writer: Some(writer), error: None, found: 0, lost: 0, turns: 0 };
        let (desk, marks) = (Mutex::new(desk), Mutex::default());
        let traced = Arc::new(Self { card, is_timed, desk, marks });
        let follower = match is_timed {
            true => Follower(None),
            false => Follower::start(Arc::clone(&traced))?,
        };
        Ok((traced, follower))
    }

    /// Switches the trace off and ends the capture. The session is over.
    ///
    /// # Errors
    /// When the capture could not be written.
    pub(crate) fn finish(&self, follower: Follower) -> io::Result<Kept> {
        follower.stop();
        let mut desk = self.drain();
        // A card that is gone needs no switching off.
        trace::switch(&*self.card, false).ok();
        if let Some(error) = desk.error.take() {
            return Err(error);
        }
        let ended = desk.writer.take().ok_or_else(|| io::Error::other("it has ended already"));
        let mut writer = ended?;
        writer.clocks(&ClockPair::look(&*self.card))?;
        let (sink, not_kept) = writer.end()?;
        Ok(Kept { sink, lost: desk.lost, not_kept })
    }

    /// Moves what the card and the host have noted into the capture.
    fn drain(&self) -> MutexGuard<'_, Desk> {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = std::mem::take(&mut *self.marks());
        if let Err(error) = desk.take(&*self.card, &marks) {
            (desk.writer, desk.error) = (None, Some(error));
        }
        desk
    }

    fn note(&self, kind: HostKind, ring: u32, tag: u16, value: u32) {
        let ns = self.card.clock_ns();
        let mut marks = self.marks();
        if marks.records.len() < MARKS_MAX {
            marks.records.push(HostRecord { ns, kind, ring: ring as u8, tag, value });
        } else {
            marks.lost += 1;
        }
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    fn take(&mut self, card: &impl Registers, marks: &Marks) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        // The host's marks first: the driver told of a tree before the card wrote of it.
        writer.host(&marks.records, marks.lost)?;
        self.lost += marks.lost;
        for chunk in self.reader.drain(card) {
            self.found += chunk.records.len() as u64;
            self.lost += chunk.lost;
            writer.card(&chunk)?;
        }
        Ok(())
    }
}

/// The thread that follows a card with a life of its own.
pub(crate) struct Follower(Option<(Sender<()>, JoinHandle<()>)>);

impl Follower {
    fn start<B: Backing>(traced: Arc<Traced<B>>) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("flue-trace".to_owned());
        let thread = thread.spawn(move || follow(&traced, &stopped))?;
        Ok(Self(Some((stop, thread))))
    }

    fn stop(self) {
        if let Some((stop, thread)) = self.0 {
            drop(stop);
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    }
}

fn follow<B: Backing>(traced: &Traced<B>, stopped: &Receiver<()>) {
    let (mut rest, mut found) = (REST, 0);
    while stopped.recv_timeout(rest) == Err(RecvTimeoutError::Timeout) {
        let began = Instant::now();
        let before = std::mem::replace(&mut found, traced.drain().found);
        rest = match began.elapsed() {
            took if took > SLOW => took,
            _ if found - before > BUSY => Duration::ZERO,
            _ => REST,
        };
    }
}

impl<B: Backing> Registers for Traced<B> {
    fn read(&self, offset: u32) -> u32 {
        self.card.read(offset)
    }

    fn write(&self, offset: u32, value: u32) {
        if offset == RESET.offset {
            drop(self.drain());
        }
        if let Some(ring) = command_doorbell(offset) {
            self.note(HostKind::Rung, ring, 0, value);
        }
        self.card.write(offset, value);
    }
}

/// The command ring whose doorbell is at `offset`.
fn command_doorbell(offset: u32) -> Option<u32> {
    let at = offset.checked_sub(DOORBELL_TAIL.offset)?;
    let ring = at / DOORBELL_STRIDE;
    (at.is_multiple_of(DOORBELL_STRIDE) && ring < TRANSMIT_RING_FIRST).then_some(ring)
}

impl<B: Backing> Backing for Traced<B> {
    fn describe(&self) -> String {
        self.card.describe()
    }

    fn allocate(&self, bytes: usize) -> io::Result<Reachable> {
        self.card.allocate(bytes)
    }

    fn release(&self, reachable: Reachable) {
        self.card.release(reachable);
    }

    fn trim(&self) {
        self.card.trim();
    }

    fn bus_master(&self, on: bool) -> io::Result<()> {
        self.card.bus_master(on)
    }

    fn interrupt(&self, vector: u32) -> io::Result<EventFd> {
        self.card.interrupt(vector)
    }

    fn clock_ns(&self) -> u64 {
        self.card.clock_ns()
    }

    fn relax(&self) {
        self.card.relax();
        if self.is_timed {
            let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
            desk.turns = desk.turns.wrapping_add(1);
            let is_due = desk.turns.is_multiple_of(TURNS);
            drop(desk);
            if is_due {
                drop(self.drain());
            }
        }
    }

    fn reset_function(&self) -> io::Result<()> {
        drop(self.drain());
        self.card.reset_function()
    }

    fn mark(&self, mark: HostMark) {
        match mark {
            HostMark::Submitted { ring, tag, blocks } => {
                self.note(HostKind::Submitted, ring, tag, blocks);
            }
            HostMark::Seen { ring, tag, done } => self.note(HostKind::Seen, ring, tag, done),
        }
    }
}
