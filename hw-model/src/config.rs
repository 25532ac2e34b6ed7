//! What a card is built with: table sizes, bus, the core's body, faults.
//!
//! And the threads of a free-running one. Taken once, when the card is made; nothing here changes afterwards. What the host may set
//! while the card runs lies in `registers`. The defaults are those of a full-sized card.

use std::fmt;
use std::sync::Arc;

use abi::core::Capabilities;
use abi::host::limit;

use crate::body::Body;
use crate::memory::TablePlace;
use crate::pcie::{HostBus, Pcie};

/// Everything a card is built with.
#[derive(Clone, Debug)]
pub struct CardConfig {
    /// Table sizes, rings, clock, port MAC: what the capability registers read.
    pub capabilities: Capabilities,
    /// The bus between card and host.
    pub bus: HostBus,
    /// What runs the firmware.
    pub body: Body,
    /// Where table memory lies; `None`: on the chip if it fits there.
    pub table_place: Option<TablePlace>,
    /// Fault: a datapath that stands still now and then. `None` for a healthy card.
    pub reader_stall: Option<ReaderStall>,
    /// The threads of a free-running card.
    pub threads: Threads,
    /// What each of them does first.
    pub on_start: OnStart,
}

/// How many threads a free-running card has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threads {
    /// Two where there are at least three processors (host, core, datapath), else one.
    #[default]
    Fitting,
    /// One, which serves core and datapath in turn.
    One,
    /// One for the core and one for the datapath, which work at the same time.
    Two,
}

impl Threads {
    /// What the threads serve, on a machine of so many processors.
    pub(crate) fn parts(self, processors: usize) -> &'static [CardThread] {
        match self {
            Self::One => &[CardThread::Both],
            Self::Fitting if processors < 3 => &[CardThread::Both],
            Self::Fitting | Self::Two => &[CardThread::Core, CardThread::Datapath],
        }
    }
}

/// A thread of a free-running card, by what it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardThread {
    /// Commands.
    Core,
    /// Frames.
    Datapath,
    /// Both in turn.
    Both,
}

impl CardThread {
    /// Whether it serves commands.
    #[must_use]
    pub const fn has_core(self) -> bool {
        matches!(self, Self::Core | Self::Both)
    }

    /// Whether it serves frames.
    #[must_use]
    pub const fn has_datapath(self) -> bool {
        matches!(self, Self::Datapath | Self::Both)
    }

    /// Its name, as the system shows it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Core => "card-core",
            Self::Datapath => "card-datapath",
            Self::Both => "card",
        }
    }
}

/// What every thread of a free-running card does first, on itself: pins itself to a processor, takes
/// a priority, waits until others are where they belong. Nothing unless said otherwise.
#[derive(Clone, Default)]
pub struct OnStart(Option<Arc<dyn Fn(CardThread) + Send + Sync>>);

impl OnStart {
    /// Each thread calls this.
    #[must_use]
    pub fn new(call: impl Fn(CardThread) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(call)))
    }

    pub(crate) fn call(&self, thread: CardThread) {
        if let Some(call) = &self.0 {
            call(thread);
        }
    }
}

impl fmt::Debug for OnStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "OnStart(call)" } else { "OnStart(nothing)" })
    }
}

/// Fault injection: a reader of the table that is slow.
///
/// It stands still at the worst moment: frames are resolved, but have not crossed the port, and
/// the next epoch is not announced. Longer than
/// [`FENCE_DEADLINE_MS`](limit::FENCE_DEADLINE_MS) fails the card once a fence waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderStall {
    /// Stalls at each batch with a frame in it whose number is a multiple of this; 0 never stalls.
    pub every_batches: u32,
    /// How long, in microseconds: of card time on a timed card, else of the machine's.
    pub stall_us: u32,
}

/// Entries of the neighbor table unless said otherwise.
const NEIGHBORS: u32 = 65_536;
/// Entries of the path table, and of the connection table, unless said otherwise.
const PATHS: u32 = 1_048_576;
/// Card clock unless said otherwise: 250 MHz, what a PCIe user clock of an FPGA card runs at.
const CLOCK_KHZ: u32 = 250_000;

impl Default for CardConfig {
    fn default() -> Self {
        Self {
            capabilities: Capabilities {
                neighbors: NEIGHBORS,
                paths: PATHS,
                connections: PATHS,
                aliases: 2 * NEIGHBORS,
                source_macs: 256,
                vlans: limit::VLAN_MAX,
                state_memory: PATHS * abi::core::table::STATE_BYTES,
                command_rings: limit::COMMAND_RINGS_MAX,
                transmit_rings: limit::TRANSMIT_RINGS_MAX,
                ring_slots: limit::RING_SLOTS_MAX,
                vectors: limit::VECTORS_MAX,
                held_per_path: 1024,
                held_total: 16_384,
                clock_khz: CLOCK_KHZ,
                port_mac: [0x02, 0, 0, 0, 0, 0xfe],
            },
            bus: HostBus::Pcie(Pcie::default()),
            body: Body::Native,
            table_place: None,
            reader_stall: None,
            threads: Threads::default(),
            on_start: OnStart::default(),
        }
    }
}
