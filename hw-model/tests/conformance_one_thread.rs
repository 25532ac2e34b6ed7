//! Every claim of the conformance suite, on the model as it runs by itself on one thread.
//!
//! One test a claim, by the claim's own name. `RIG` says how a card is made; what holds is said
//! in `hw_model::conformance`. A claim that this body declines fails here: the model can be
//! given everything.

use hw_model::conformance::ModelRig;

/// Cards that run on one thread of their own, which serves core and datapath in turn.
const RIG: ModelRig = ModelRig::ONE_THREAD;

include!("rig/claims.rs");
