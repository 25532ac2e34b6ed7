//! What the simulated card is built for: its module's parameters.
//!
//! Read by the build, which hands them to Verilator, and by `rig`, which declines what is larger.
//! A card of any smaller size is the same build with other straps.

/// Parameters of the card's module, by their names there.
#[allow(dead_code, reason = "read by the build")]
pub(crate) const PARAMETERS: [(&str, u32); 8] = [
    ("NEIGHBORS", NEIGHBORS),
    ("PATHS", PATHS),
    ("CONNECTIONS", CONNECTIONS),
    ("ALIASES", ALIASES),
    ("SOURCE_MACS", SOURCE_MACS),
    ("COMMAND_RINGS", COMMAND_RINGS),
    ("TRANSMIT_RINGS", TRANSMIT_RINGS),
    ("HELD", HELD),
];
/// Entries of the neighbor table.
pub(crate) const NEIGHBORS: u32 = 256;
/// Entries of the path table.
pub(crate) const PATHS: u32 = 4_096;
/// Entries of the connection table.
pub(crate) const CONNECTIONS: u32 = 4_096;
/// Entries of the alias table.
pub(crate) const ALIASES: u32 = 512;
/// Entries of the table of source MACs.
pub(crate) const SOURCE_MACS: u32 = 64;
/// Command rings.
pub(crate) const COMMAND_RINGS: u32 = 4;
/// Transmit rings.
pub(crate) const TRANSMIT_RINGS: u32 = 2;
/// Frames that are held.
pub(crate) const HELD: u32 = 4_096;
