//! Peers: what a Rust program would take instead, and what Linux offers.
//!
//! Beside the engine. Each is used as its own documentation recommends, with the fastest hasher
//! for integers where one is asked for. Peers that need packages of the system are C programs
//! beside this crate.

pub mod kernel;
pub mod maps;
pub mod queues;
