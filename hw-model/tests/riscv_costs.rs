//! The native body's cycles are those of the RISC-V body, operation by operation.
//!
//! The table of costs in `hw-model/src/fitted.rs` was fitted to an image; when the firmware
//! changes and this fails, `flue bench card --fit` prints the table anew.
#![cfg(feature = "image")]

mod image;

use hw_model::Body;
use hw_model::measure::{Measured, measure};
use hw_model::memory::TablePlace;

/// How far off the native body may be: 5 %.
const OFF_MAX: f64 = 0.05;

#[test]
fn the_native_body_is_within_five_percent_on_every_operation() {
    let mut far = Vec::new();
    for place in [TablePlace::OnChip, TablePlace::OffChip] {
        let (native, riscv) = (measure(&Body::Native, place), measure(&image::body(), place));
        assert_eq!(native.len(), riscv.len());
        for (native, riscv) in native.iter().zip(&riscv) {
            assert_eq!(native.name, riscv.name);
            let off = native.cycles() / riscv.cycles() - 1.0;
            if off.abs() > OFF_MAX {
                let (ours, theirs) = (native.cycles(), riscv.cycles());
                far.push(format!("{} {place:?}: {ours:.0} cycles, {theirs:.0}", native.name));
            }
        }
    }
    assert!(far.is_empty(), "run `flue bench card --fit`: {far:#?}");
}

#[test]
fn figures_are_the_same_on_every_run() {
    let once = || measure(&image::body(), TablePlace::OnChip);
    let told = |measured: Vec<Measured>| measured.into_iter().map(|one| (one.name, one.work));
    assert!(told(once()).eq(told(once())));
}

#[test]
fn a_relink_of_all_costs_the_same_for_any_number() {
    let measured = measure(&image::body(), TablePlace::OnChip);
    let all = measured.iter().filter(|one| one.name.starts_with("relink all of"));
    let instructions: Vec<f64> = all.map(Measured::instructions).collect();
    assert!(instructions.len() > 1);
    assert!(instructions.iter().all(|count| *count == instructions[0]), "{instructions:?}");
}
