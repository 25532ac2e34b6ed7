//! What a card is built with: table sizes, bus, the core's body, faults.
//!
//! Taken once, when the card is made; nothing here changes afterwards. What the host may set
//! while the card runs lies in `registers`. The defaults are those of a full-sized card.

use abi::core::Capabilities;
use abi::host::limit;

use crate::body::Body;
use crate::memory::TablePlace;
use crate::pcie::Pcie;

/// Everything a card is built with.
#[derive(Clone, Debug)]
pub struct CardConfig {
    /// Table sizes, rings, clock, port MAC: what the capability registers read.
    pub capabilities: Capabilities,
    /// The bus between card and host.
    pub pcie: Pcie,
    /// What runs the firmware.
    pub body: Body,
    /// Where table memory lies; `None`: on the chip if it fits there.
    pub table_place: Option<TablePlace>,
    /// Fault: a datapath that stands still now and then. `None` for a healthy card.
    pub reader_stall: Option<ReaderStall>,
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
            pcie: Pcie::default(),
            body: Body::Native,
            table_place: None,
            reader_stall: None,
        }
    }
}
