//! Floors: the least that this machine can do the job with, when nothing else is asked for.
//!
//! Beside the engine. No handles, no checks, no statuses, no memory that anybody else could
//! reach: two threads, plain memory, one position each way. The engine is held against these, in
//! the same run.

pub mod chain;
pub mod command;
pub mod frames;
pub mod relink;
pub mod ring;
