//! What the driver and the card share: BAR, rings, commands, results, events; and the bench.

pub mod bench;
pub mod command;
pub mod completion;
pub mod handle;
pub mod limit;
pub mod position;
pub mod register;
pub mod status;
pub mod trace;
pub mod transmit;
