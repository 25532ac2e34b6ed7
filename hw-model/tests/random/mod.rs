//! Random command streams: what they are, and how they are played against card and oracle.

pub(crate) mod action;
mod compare;
pub(crate) mod play;
