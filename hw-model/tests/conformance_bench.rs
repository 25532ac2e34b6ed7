//! Every claim of the conformance suite, on cards that a bench builds: frames come through the mirror.
//!
//! One test a claim, by the claim's own name. What a server of virtual machines does with a card
//! and its bench is done in `served` in a few lines, without a machine between; so what is tested
//! is the bench itself, both ends of it.

mod benches;
mod served;

use served::Served;

/// Benches of this process, each used by one claim after another.
const RIG: Served = Served;

include!("rig/claims.rs");
