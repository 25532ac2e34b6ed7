//! What each operation takes on the card in SystemVerilog, and on the timed model of it.
//!
//! Same commands, same sizes, a host with the same fixed latency on both; clocks from the doorbell
//! that the card accepts to the completion that the host can see. `FLUE_CYCLES` names a file to which
//! the figures go, a row a line: `cargo xtask rtl report` makes its table of them.
#![cfg(feature = "rtl")]

mod support;

use std::fmt::Write;
use std::sync::Arc;

use hw_model::Body as CardBody;
use hw_model::conformance::{Body, Needs, Rig, Unfit};
use hw_model::measure::{Clocks, clocks, model_clocks};
use hw_model::port::CapturePort;
use hw_model::{FixedBus, Image};
use rtl_sim::{Host, RtlCard, RtlConfig};

/// How far off an operation of the model may be: the larger of a share and of so many clocks.
const OFF_SHARE: f64 = 0.05;
const OFF_CLOCKS: u64 = 8;

#[test]
fn the_model_takes_the_clocks_of_the_rtl_for_every_operation() {
    let host = Host::default();
    let rtl = clocks(&Steady { image: support::image(), host }, RtlConfig::LARGEST);
    // Pins show what was decided in the clock before.
    let (read_cycles, write_cycles) = (u64::from(host.read_clocks) + 1, host.write_clocks.into());
    let body = CardBody::Riscv(support::image());
    let model = model_clocks(&body, FixedBus { read_cycles, write_cycles }, RtlConfig::LARGEST);
    assert_eq!(rtl.len(), model.len());
    let mut rows = String::new();
    let mut far = Vec::new();
    for (rtl, model) in rtl.iter().zip(&model) {
        assert_eq!(rtl.name, model.name);
        let row = format!("{}\t{}\t{}\t{}", rtl.name, rtl.objects, rtl.clocks, model.clocks);
        writeln!(rows, "{row}").expect("a string takes everything");
        if is_far(rtl, model) {
            far.push(row);
        }
    }
    println!("operation\tobjects\trtl\tmodel\n{rows}");
    if let Some(path) = std::env::var_os("FLUE_CYCLES") {
        std::fs::write(path, rows).expect("the file that FLUE_CYCLES names can be written");
    }
    assert!(far.is_empty(), "the model is too far off: {far:#?}");
}

fn is_far(rtl: &Clocks, model: &Clocks) -> bool {
    let may = (rtl.clocks as f64 * OFF_SHARE).max(OFF_CLOCKS as f64);
    rtl.clocks.abs_diff(model.clocks) as f64 > may
}

/// Cards at their own clock, with a host that always takes the same time.
struct Steady {
    image: Arc<Image>,
    host: Host,
}

impl Rig for Steady {
    type Card = RtlCard;

    fn power_on(&self, needs: &Needs) -> Result<Body<RtlCard>, Unfit> {
        let mut config = RtlConfig::new(needs.capabilities, Arc::clone(&self.image));
        config.host = self.host;
        let (port, capture) = CapturePort::new(16);
        Ok(Body { card: RtlCard::new(&config, Box::new(port))?, capture })
    }
}
