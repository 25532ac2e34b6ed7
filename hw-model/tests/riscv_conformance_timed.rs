//! Every claim of the conformance suite, on the model with a RISC-V core, on its own clock.
//!
//! One test a claim, by the claim's own name; the firmware is the image that FLUE_FIRMWARE names.
//! What holds is said in `hw_model::conformance`. A claim that this body declines fails here.
#![cfg(feature = "image")]

mod image;

use image::RiscvRig;

/// Cards whose core is a simulated hart.
const RIG: RiscvRig = RiscvRig { is_timed: true };

include!("rig/claims.rs");
