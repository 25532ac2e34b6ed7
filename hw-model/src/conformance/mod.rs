//! The conformance suite: what every body of the card must do, one function a behaviour.
//!
//! Beside the flow: it drives a card through the host driver and looks at its port, and knows
//! nothing else of it. A body (the model in either way of running, the RTL, hardware) implements
//! [`Rig`] and runs the list that [`for_each_claim`](crate::for_each_claim) holds, so that the
//! same names appear everywhere. Names are claims; a claim that does not hold panics.
//! A claim never looks behind the seam: what only the model can tell is tested elsewhere.

mod aliases;
mod fences;
mod frames;
mod handles;
mod hold;
mod hostile;
mod initiate;
mod isolation;
mod linkers;
mod list;
mod lists;
mod model;
mod packet;
mod raw;
mod reachability;
mod relink;
mod reset;
mod resources;
mod rings;
mod scene;
mod state;
mod trace;
mod upload;

use std::fmt;
use std::sync::Arc;

use abi::core::Capabilities;
use host_driver::Config;
use host_driver::backing::Backing;

use crate::port::Capture;

pub use model::ModelRig;
pub use packet::{Frame, packet};
pub use raw::RawCard;
pub use scene::Scene;
pub(crate) use scene::{flow, route, router};

/// Makes cards of one body for the claims to try.
pub trait Rig {
    /// How the driver reaches a card of this body.
    type Card: Backing;

    /// Powers on a card that has at least what is needed, in the state it has after power-on,
    /// with a port that keeps the frames that cross, numbered from 0. A body may have one card
    /// only: the one before is gone when a claim asks for the next.
    ///
    /// # Errors
    /// [`Unfit`] when this body cannot be given that; the claim is then skipped and counted so.
    fn power_on(&self, needs: &Needs) -> Result<Body<Self::Card>, Unfit>;
}

/// A card under test and what is seen at its port.
pub struct Body<B> {
    /// The card.
    pub card: Arc<B>,
    /// Frames that crossed.
    pub capture: Capture,
}

/// What a claim needs of the card, and how it attaches.
#[derive(Clone, Debug)]
pub struct Needs {
    /// Sizes: a body makes its tables exactly so or declines.
    pub capabilities: Capabilities,
    /// Settings and rings of the session.
    pub config: Config,
    /// The reader of the table is to stand still this many microseconds at every n-th batch.
    pub slow_reader: Option<SlowReader>,
}

/// A datapath that stands still now and then.
#[derive(Clone, Copy, Debug)]
pub struct SlowReader {
    /// At each batch whose number is a multiple of this.
    pub every_batches: u32,
    /// How long, in microseconds.
    pub stall_us: u32,
}

/// Why a body cannot be given what a claim needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit(pub String);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this body cannot be given {}", self.0)
    }
}

/// A behaviour with its name.
pub struct Claim<R> {
    /// The name, which says what holds.
    pub name: &'static str,
    /// Tries it.
    ///
    /// # Errors
    /// [`Unfit`] when the body cannot be given what it needs.
    ///
    /// # Panics
    /// When it does not hold.
    pub check: fn(&R) -> Result<(), Unfit>,
}

/// Entries of each table that claims use when they do not say otherwise.
const TABLE_ENTRIES: u32 = 256;
/// Largest packet of claims that do not say otherwise: buffers for larger ones take long to map where
/// every page is mapped by itself.
const PACKET_BYTES_MAX: u32 = 2_048;
/// Cards of the suite hold as many frames as design section 12 asks of every card.
const HELD_PER_PATH: u32 = 256;
const HELD_TOTAL: u32 = 4_096;

impl Default for Needs {
    fn default() -> Self {
        Self {
            capabilities: Capabilities {
                neighbors: TABLE_ENTRIES,
                paths: 16 * TABLE_ENTRIES,
                connections: 16 * TABLE_ENTRIES,
                aliases: 2 * TABLE_ENTRIES,
                source_macs: 16,
                vlans: 16,
                state_memory: 16 * TABLE_ENTRIES * abi::core::table::STATE_BYTES,
                command_rings: 4,
                transmit_rings: 2,
                ring_slots: 1_024,
                vectors: 8,
                held_per_path: HELD_PER_PATH,
                held_total: HELD_TOTAL,
                clock_khz: 250_000,
                port_mac: scene::PORT_MAC,
            },
            config: Config { stale_ms: 0, packet_bytes: PACKET_BYTES_MAX, ..Config::default() },
            slow_reader: None,
        }
    }
}

impl Needs {
    /// The default card with other capabilities.
    #[must_use]
    pub fn sized(change: impl FnOnce(&mut Capabilities)) -> Self {
        let mut needs = Self::default();
        change(&mut needs.capabilities);
        needs
    }

    /// The default card with other settings.
    #[must_use]
    pub fn configured(change: impl FnOnce(&mut Config)) -> Self {
        let mut needs = Self::default();
        change(&mut needs.config);
        needs
    }
}

macro_rules! registry {
    ($( $module:ident::$claim:ident, )*) => {
        /// Every claim, in the order of the list.
        #[must_use]
        pub fn claims<R: Rig>() -> Vec<Claim<R>> {
            vec![ $( Claim { name: stringify!($claim), check: $module::$claim } ),* ]
        }
        $( pub use $module::$claim; )*
    };
}
crate::for_each_claim!(registry);

/// How a run of claims went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Claims that hold.
    pub held: Vec<&'static str>,
    /// Claims that do not.
    pub broken: Vec<&'static str>,
    /// Claims that this body could not be given what they need for.
    pub skipped: Vec<(&'static str, Unfit)>,
}

/// Tries every claim on cards of one body; goes on after one that does not hold.
#[must_use]
pub fn run_all<R: Rig>(rig: &R) -> Tally {
    let mut tally = Tally::default();
    for claim in claims::<R>() {
        let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (claim.check)(rig)));
        match tried {
            Ok(Ok(())) => tally.held.push(claim.name),
            Ok(Err(unfit)) => tally.skipped.push((claim.name, unfit)),
            Err(_) => tally.broken.push(claim.name),
        }
    }
    tally
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (held, broken, skipped) = (self.held.len(), self.broken.len(), self.skipped.len());
        write!(
            f,
            "{} claims: {held} hold, {broken} broken, {skipped} skipped",
            held + broken + skipped
        )
    }
}
