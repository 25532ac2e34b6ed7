//! Random command streams: what they are, and how they are played against card and oracle.
#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod action;
mod compare;
pub(crate) mod play;
