//! Cards for the conformance suite from a served card with a bench: one after another, each built
//! by a power cycle.
//!
//! Between the suite and any [`Backing`] whose BAR2 is a bench. There is one card at a time: the
//! one before has to be gone when the next is asked for. It reads frames out of the mirror and
//! knows nothing else of who serves the card.

use std::sync::Arc;
use std::time::{Duration, Instant};

use abi::host::bench::{BENCH_CYCLES, BENCH_IDENTITY, BENCH_POWER_CYCLE, IDENTITY_VALUE};
use host_driver::backing::{Backing, Registers};
use host_driver::memory::{Memory, Words};

use super::mirror::MirrorShape;
use super::reader::MirrorReader;
use super::staged::{REGISTERS, Staged};
use crate::config::{CardConfig, ReaderStall};
use crate::conformance::{Body, Needs, Rig, Unfit};
use crate::port::Capture;

/// Time that a power cycle may take: a stalled reader, and a large table given back.
const POWER_CYCLE_WALL: Duration = Duration::from_secs(10);
/// Frames that a capture keeps before it leaves the rest in the mirror.
const CAPTURED_MAX: usize = 1 << 20;
/// Between two looks at a power cycle that is under way.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Why a card cannot be tried at a bench.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// There is no bench behind BAR2.
    #[error(
        "BAR2 reads {found:#010x} where a bench says {IDENTITY_VALUE:#010x}: serve the card with a bench, \
         as only a served model has one"
    )]
    Identity {
        /// What was read.
        found: u32,
    },
    /// BAR2 is not as large as the contract says.
    #[error("{bytes} bytes of BAR2 are mapped behind its registers, a mirror needs {needed}")]
    Mirror {
        /// Bytes mapped.
        bytes: usize,
        /// Bytes needed.
        needed: usize,
    },
}

/// Makes cards of one served card by its bench.
pub struct BenchRig<B, R> {
    card: Arc<B>,
    bench: R,
    mirror: Memory,
    /// Shared with the capture of the body that was made last, as long as that lives.
    lease: Arc<()>,
}

impl<B: Backing, R: Registers> BenchRig<B, R> {
    /// A rig of `card`, whose bench has its registers in `bench` and its memory, from the mirror's
    /// page to the end of BAR2, in `mirror`.
    ///
    /// # Errors
    /// [`BenchError`] when that is no bench.
    pub fn new(card: Arc<B>, bench: R, mirror: Memory) -> Result<Self, BenchError> {
        let found = bench.read(BENCH_IDENTITY.offset);
        if found != IDENTITY_VALUE {
            return Err(BenchError::Identity { found });
        }
        let needed = MirrorShape::BAR2.words() * size_of::<u32>();
        if mirror.len() < MirrorShape::BAR2.words() {
            return Err(BenchError::Mirror { bytes: mirror.bytes(), needed });
        }
        Ok(Self { card, bench, mirror, lease: Arc::default() })
    }

    fn power_cycle(&self, staged: &Staged) -> Result<(), Unfit> {
        for (register, value) in REGISTERS.iter().zip(staged.0) {
            self.bench.write(register.offset, value);
        }
        let before = self.bench.read(BENCH_CYCLES.offset);
        self.bench.write(BENCH_POWER_CYCLE.offset, 1);
        let deadline = Instant::now() + POWER_CYCLE_WALL;
        while self.bench.read(BENCH_CYCLES.offset) == before {
            if Instant::now() > deadline {
                return Err(Unfit(format!("a power cycle: none within {POWER_CYCLE_WALL:?}")));
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }
}

impl<B: Backing, R: Registers> Rig for BenchRig<B, R> {
    type Card = B;

    fn power_on(&self, needs: &Needs) -> Result<Body<B>, Unfit> {
        if Arc::strong_count(&self.lease) > 1 {
            return Err(Unfit("a second card: a bench has one at a time".to_owned()));
        }
        let stall = needs
            .slow_reader
            .map(|slow| ReaderStall { every_batches: slow.every_batches, stall_us: slow.stall_us });
        let staged = Staged::of(&needs.capabilities, stall);
        if staged.card(&CardConfig::default()).is_none() {
            return Err(Unfit("a card beyond the limits of a bench".to_owned()));
        }
        let refused = |error| Unfit(format!("a card at rest: {error}"));
        self.card.bus_master(false).map_err(refused)?;
        self.power_cycle(&staged)?;
        let reader = MirrorReader::new(self.mirror.clone());
        let capture = Capture::mirrored(reader, CAPTURED_MAX, Arc::clone(&self.lease));
        Ok(Body { card: Arc::clone(&self.card), capture })
    }
}
