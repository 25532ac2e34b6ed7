//! Every claim of the conformance suite, on the model on its own clock.
//!
//! One test a claim, by the claim's own name. `RIG` says how a card is made; what holds is said
//! in `hw_model::conformance`. A claim that this body declines fails here: the model can be
//! given everything.

use hw_model::conformance::ModelRig;

/// Cards whose time is simulated, event by event.
const RIG: ModelRig = ModelRig::TIMED;

include!("rig/claims.rs");
