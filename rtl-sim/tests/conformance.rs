//! Every claim of the conformance suite, on the card in SystemVerilog with a good host.
//!
//! One test a claim, by the claim's own name; the firmware is the image that FLUE_FIRMWARE names.
//! What holds is said in `hw_model::conformance`. A claim that this body declines fails here.
#![cfg(feature = "rtl")]

mod support;

use hw_model::conformance::{Body, Needs, Rig, Unfit};
use rtl_sim::{RtlCard, RtlRig};

/// Cards with a good host, that begin with zeros.
#[derive(Clone, Copy, Debug)]
struct Good;

impl Rig for Good {
    type Card = RtlCard;

    fn power_on(&self, needs: &Needs) -> Result<Body<RtlCard>, Unfit> {
        RtlRig::new(support::image()).power_on(needs)
    }
}

const RIG: Good = Good;

include!("../../hw-model/tests/rig/claims.rs");
