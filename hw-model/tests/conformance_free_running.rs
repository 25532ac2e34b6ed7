//! Every claim of the conformance suite, on the model as it runs by itself.
//!
//! One test a claim, by the claim's own name. `RIG` says how a card is made; what holds is said
//! in `hw_model::conformance`. A claim that this body declines fails here: the model can be
//! given everything.

use hw_model::conformance::ModelRig;

/// Cards that run on threads of their own.
const RIG: ModelRig = ModelRig::FREE_RUNNING;

include!("rig/claims.rs");
