//! Every claim of the conformance suite, on the card in SystemVerilog with a rough host.
//!
//! Answers of host memory overtake each other, nothing on a bus is taken or given at once, the port
//! stands still now and then, and registers and memories hold anything at power-on. The seed is
//! printed, and `FLUE_SEED` gives it back. What holds is the same, so the claims are.
#![cfg(feature = "rtl")]

mod support;

use std::sync::LazyLock;

use hw_model::conformance::{Body, Needs, Rig, Unfit};
use rtl_sim::{Faults, RtlCard, RtlRig, Start};

/// Answers are late by up to so many clocks.
const JITTER_CLOCKS: u32 = 150;
/// In so many of 256 clocks a bus stands still, and the port.
const STALLED: u32 = 64;
const PORT_STALLED: u32 = 64;

/// Where everything is drawn from; by default another one each hour.
static SEED: LazyLock<u64> = LazyLock::new(|| {
    let given = std::env::var("FLUE_SEED").ok().and_then(|seed| seed.parse().ok());
    let hours = || {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
        since.map_or(1, |since| since.as_secs() / 3_600)
    };
    given.unwrap_or_else(hours)
});

/// Cards with a rough host, that begin with anything.
#[derive(Clone, Copy, Debug)]
struct Rough;

impl Rig for Rough {
    type Card = RtlCard;

    fn power_on(&self, needs: &Needs) -> Result<Body<RtlCard>, Unfit> {
        println!("FLUE_SEED={}", *SEED);
        let mut rig = RtlRig::new(support::image());
        rig.start = Start::Random(*SEED as u32);
        rig.host.faults = Faults {
            seed: *SEED,
            jitter_clocks: JITTER_CLOCKS,
            stalled: STALLED,
            port_stalled: PORT_STALLED,
            refused: 0,
        };
        rig.power_on(needs)
    }
}

const RIG: Rough = Rough;

include!("../../hw-model/tests/rig/claims.rs");
