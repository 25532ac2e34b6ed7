//! Fits the native body's cycles a charge to what the RISC-V body was counted to need.
//!
//! From two measurements of the same operations, to the table in `fitted`. Least squares of the
//! relative errors, with a light pull towards an estimate, so that charges which only ever come
//! together share what they cost, and no charge below the instructions that it cannot do without.
//! Then one after another is rounded, the most frequent first, and the others follow.
//! It measures nothing and changes nothing.

use super::Measured;
use crate::charge::{CHARGES, Charge};

/// How strongly a charge is pulled towards its estimate, beside relative errors of operations.
const PULL: f64 = 1e-5;
/// Sweeps of the descent; it has come to rest long before.
const SWEEPS: usize = 4_000;

/// What a call costs: an estimate, and the instructions without which it cannot be, as
/// `firmware::mmio` makes it (a load of a register has a stall, a fence comes before a publish).
const CALLS: [(Charge, f64, f64); 23] = [
    (Charge::WAKE, 8.0, 6.0),
    (Charge::LOAD, 6.0, 2.0),
    (Charge::STORE, 4.0, 2.0),
    (Charge::PUBLISH, 5.0, 3.0),
    (Charge::OBSERVE, 7.0, 3.0),
    (Charge::REGISTER, 5.0, 3.0),
    (Charge::FRONT, 8.0, 4.0),
    (Charge::PEEK, 3.0, 3.0),
    (Charge::SKIP, 5.0, 3.0),
    (Charge::CONSUME, 6.0, 4.0),
    (Charge::COMPLETE, 24.0, 14.0),
    (Charge::WRITE, 20.0, 10.0),
    (Charge::WRITE_WORD, 3.0, 2.0),
    (Charge::FILL, 20.0, 10.0),
    (Charge::FETCH_LIST, 12.0, 10.0),
    (Charge::LIST_ENTRY, 6.0, 4.0),
    (Charge::LINK_ORDER, 20.0, 12.0),
    (Charge::LINK_ENDED, 10.0, 6.0),
    (Charge::LINK_LEFT, 12.0, 6.0),
    (Charge::RAISE, 3.0, 3.0),
    (Charge::NOTICE, 20.0, 14.0),
    (Charge::EVENT, 40.0, 20.0),
    (Charge::COUNT, 3.0, 2.0),
];
/// The same of a mark: nobody knows beforehand, and a test whether the trace is on.
const MARK: (f64, f64) = (60.0, 2.0);

/// One operation as an equation: charges times cycles is what was counted.
struct Row {
    counts: Vec<f64>,
    cycles: f64,
}

/// Cycles a charge, from the same operations measured on both bodies: with tables on the chip and
/// beside it, because lists are walked by an engine on the one and by the core on the other.
///
/// # Panics
/// When they are not the same operations.
#[must_use]
pub fn fit(native: &[Measured], riscv: &[Measured]) -> [u16; CHARGES] {
    assert_eq!(native.len(), riscv.len(), "the same operations");
    let rows: Vec<Row> = native.iter().zip(riscv).map(row).collect();
    let estimates = estimates();
    let mut cycles = estimates.map(|(estimate, _)| estimate);
    let mut is_free = [true; CHARGES];
    descend(&rows, &estimates, &mut cycles, &is_free);
    let mut order: Vec<usize> = (0..CHARGES).collect();
    let most = |charge: usize| rows.iter().map(|row| row.counts[charge]).fold(0.0, f64::max);
    order.sort_by(|a, b| most(*b).total_cmp(&most(*a)));
    for charge in order {
        cycles[charge] = cycles[charge].round();
        is_free[charge] = false;
        descend(&rows, &estimates, &mut cycles, &is_free);
    }
    cycles.map(|cycles| cycles as u16)
}

/// The source file with these cycles.
#[must_use]
pub fn fitted_source(cycles: &[u16; CHARGES]) -> String {
    let mut text = String::from(
        "//! The native body's cost table: cycles a charge. Printed by `flue bench card --fit`.\n\
         //!\n\
         //! Between `charge`, which names them, and the meter. Not written by hand: counted on the\n\
         //! RISC-V body and fitted to the native one's counts of the same operations.\n\n\
         use crate::charge::CHARGES;\n\n\
         /// Cycles of each charge.\n\
         #[rustfmt::skip]\n\
         pub(crate) const FITTED_CYCLES: [u16; CHARGES] = [\n",
    );
    for charge in Charge::all() {
        text += &format!("    {}, // {}\n", cycles[charge.number()], charge.word());
    }
    text + "];\n"
}

fn row((native, riscv): (&Measured, &Measured)) -> Row {
    assert_eq!(native.name, riscv.name, "the same operations");
    let counts = native.tally().iter().map(|count| native.one(*count)).collect();
    // What the native body waits for by itself (table memory, the link engine) is not a charge's.
    Row { counts, cycles: riscv.cycles() - native.stalls() }
}

/// Estimate and least cycles of every charge.
fn estimates() -> [(f64, f64); CHARGES] {
    let mut estimates = [MARK; CHARGES];
    for (charge, estimate, least) in CALLS {
        estimates[charge.number()] = (estimate, least);
    }
    estimates
}

/// Moves each free charge in turn to where the sum of squares is least, again and again.
fn descend(
    rows: &[Row],
    estimates: &[(f64, f64); CHARGES],
    cycles: &mut [f64; CHARGES],
    is_free: &[bool; CHARGES],
) {
    let mut errors: Vec<f64> = rows
        .iter()
        .map(|row| {
            row.counts.iter().zip(cycles.iter()).map(|(n, c)| n * c).sum::<f64>() - row.cycles
        })
        .collect();
    for _ in 0..SWEEPS {
        for charge in (0..CHARGES).filter(|charge| is_free[*charge]) {
            let (estimate, least) = estimates[charge];
            let weight = PULL / estimate.powi(2);
            let (mut slope, mut bend) = ((cycles[charge] - estimate) * weight, weight);
            for (row, error) in rows.iter().zip(&errors) {
                let share = row.counts[charge] / row.cycles;
                slope += share * error / row.cycles;
                bend += share * share;
            }
            let moved = (cycles[charge] - slope / bend).max(least);
            for (row, error) in rows.iter().zip(&mut errors) {
                *error += row.counts[charge] * (moved - cycles[charge]);
            }
            cycles[charge] = moved;
        }
    }
}
