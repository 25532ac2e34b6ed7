//! The stress test's parts: a writer that is the firmware, readers that are the resolver, and
//! what they share.
//!
//! Every header carries the number of the command that made it, so that a reader can tell a torn
//! header from a whole one, and an old one from a new one, without knowing what the writer does.

pub(crate) mod reader;
pub(crate) mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use abi::core::Capabilities;
use abi::host::handle::Handle;
use hw_model::bare::Bare;

/// Paths that readers read.
pub(crate) const PATHS: usize = 192;
/// Births that are remembered.
const BIRTHS: usize = 512;
/// Readers of the table.
pub(crate) const READERS: usize = 2;

/// A small, hot table: fewer than 1,000 entries in all.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities {
        // Hardly more than are in use, so that every slot is wanted again at once.
        neighbors: 8,
        paths: PATHS as u32,
        connections: 1,
        aliases: 24,
        source_macs: 16,
        vlans: 4094,
        state_memory: 0,
        command_rings: 1,
        transmit_rings: 1,
        ring_slots: 64,
        vectors: 1,
        held_per_path: 1,
        held_total: 1,
        clock_khz: 250_000,
        port_mac: [2, 0, 0, 0, 0, 0xfe],
    }
}

/// What the host knows, as the readers look it up when a frame crosses.
pub(crate) struct Shared {
    /// Tables and epochs: what firmware and readers share.
    pub(crate) bare: Arc<Bare>,
    /// Handle of each path; 0 while it is not on the card.
    pub(crate) handles: Vec<AtomicU64>,
    /// The command whose completion was seen last for each path: no older header may cross.
    pub(crate) completed: Vec<AtomicU32>,
    /// By birth (modulo [`BIRTHS`]) and path: the birth, once the path may leave by that neighbor.
    pub(crate) linked: Vec<AtomicU32>,
    /// Handle of each path that was terminated last.
    pub(crate) gone: Vec<AtomicU64>,
    pub(crate) stop: AtomicBool,
    pub(crate) done: AtomicU32,
}

impl Shared {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            bare: Bare::new(capabilities(), READERS).expect("memory for a small table"),
            handles: (0..PATHS).map(|_| AtomicU64::new(0)).collect(),
            completed: (0..PATHS).map(|_| AtomicU32::new(0)).collect(),
            linked: (0..BIRTHS * PATHS).map(|_| AtomicU32::new(0)).collect(),
            gone: (0..PATHS).map(|_| AtomicU64::new(0)).collect(),
            stop: AtomicBool::new(false),
            done: AtomicU32::new(0),
        })
    }

    pub(crate) fn handle(&self, path: usize) -> Handle {
        // ORDERING: Acquire. Pairs with the Release in `Shared::set_handle`. The host's own
        // bookkeeping, not the protocol under test.
        Handle(self.handles[path].load(Ordering::Acquire))
    }

    pub(crate) fn set_handle(&self, path: usize, handle: Handle) {
        // ORDERING: Release. Pairs with the Acquire in `Shared::handle`.
        self.handles[path].store(handle.0, Ordering::Release);
    }

    /// From here on the completion of command `number` counts as seen for this path.
    pub(crate) fn complete(&self, path: usize, number: u32) {
        // ORDERING: Release. Pairs with the Acquire in `Shared::floor`: a reader that sees it
        // crosses after the completion was seen.
        self.completed[path].store(number, Ordering::Release);
    }

    /// The oldest command whose header may still cross for this path.
    pub(crate) fn floor(&self, path: usize) -> u32 {
        // ORDERING: Acquire. Pairs with the Release in `Shared::complete`.
        self.completed[path].load(Ordering::Acquire)
    }

    /// Says that this path may leave by the neighbor of that birth: before the command is given.
    pub(crate) fn link(&self, path: usize, birth: u32) {
        // ORDERING: Release. Pairs with the Acquire in `Shared::was_never_linked`.
        self.linked[birth as usize % BIRTHS * PATHS + path].store(birth, Ordering::Release);
    }

    /// Whether no command ever linked this path to the neighbor of that birth. Of one so old
    /// that its place was taken since, nobody knows.
    pub(crate) fn was_never_linked(&self, path: usize, birth: u32) -> bool {
        // ORDERING: Acquire. Pairs with the Release in `Shared::link`: a header that the command
        // made is seen after the command was given.
        self.linked[birth as usize % BIRTHS * PATHS + path].load(Ordering::Acquire) < birth
    }

    /// From here on the termination of this handle counts as seen.
    pub(crate) fn bury(&self, path: usize, handle: Handle) {
        // ORDERING: Release. Pairs with the Acquire in `Shared::is_gone`.
        self.gone[path].store(handle.0, Ordering::Release);
    }

    /// Whether the termination of this handle was seen.
    pub(crate) fn is_gone(&self, path: usize, handle: Handle) -> bool {
        // ORDERING: Acquire. Pairs with the Release in `Shared::bury`: a reader that sees it
        // crosses after the completion was seen.
        self.gone[path].load(Ordering::Acquire) == handle.0
    }

    /// A reader has read its share.
    pub(crate) fn reader_done(&self) {
        // ORDERING: Relaxed. A count that publishes nothing; join orders the rest.
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn readers_done(&self) -> usize {
        // ORDERING: Relaxed. A count that publishes nothing; join orders the rest.
        self.done.load(Ordering::Relaxed) as usize
    }

    pub(crate) fn stop(&self) {
        // ORDERING: Relaxed. A flag that publishes nothing; join orders the rest.
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        // ORDERING: Relaxed. A flag that publishes nothing; join orders the rest.
        self.stop.load(Ordering::Relaxed)
    }
}

/// A header that says which command made it and when its neighbor was born.
///
/// 24 bits of command number, their distance to the birth, and a sum, spread over all words of
/// the bank, so that any two of them from different headers disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) number: u32,
    pub(crate) birth: u32,
}

/// Commands that a neighbor may get after its birth.
pub(crate) const LIFE_MAX: u32 = 200;

impl Stamp {
    pub(crate) fn destination(self) -> [u8; 6] {
        let [a, b, c, _] = self.number.to_le_bytes();
        let age = (self.number - self.birth) as u8;
        [2, a, b, c, age, a ^ b.rotate_left(1) ^ c.rotate_left(2) ^ age.rotate_left(3)]
    }

    pub(crate) fn source(self) -> [u8; 6] {
        let [a, b, c, _] = self.birth.to_le_bytes();
        [6, a, b, c, a, b]
    }

    pub(crate) fn vlan(self) -> u16 {
        (self.birth % 4_000) as u16 + 1
    }

    /// The stamp of a header bank, or `None` when it is a mix of two.
    pub(crate) fn read(header: [u32; 4]) -> Option<Self> {
        let [low, middle, high, vlan] = header;
        let mut bytes = [0; 12];
        for (chunk, word) in bytes.chunks_exact_mut(4).zip([low, middle, high]) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        let number = u32::from_le_bytes([bytes[1], bytes[2], bytes[3], 0]);
        let birth = number.checked_sub(u32::from(bytes[4]))?;
        let stamp = Self { number, birth };
        let whole = [stamp.destination(), stamp.source()].concat();
        (bytes[..] == whole[..] && vlan == u32::from(stamp.vlan())).then_some(stamp)
    }
}
