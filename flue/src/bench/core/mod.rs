//! `flue bench card`: what each operation costs the card's core.
//!
//! From the command line to `hw_model::measure`, and from its figures to a table or JSON. Card
//! time only: the figures are the same on every machine and in every run.

mod table;

use std::io::{self, Write};

use hw_model::Body;
use hw_model::measure::{self, Measured};
use hw_model::memory::TablePlace;
use serde::Serialize;

use super::BenchError;
use crate::args::{BenchCardArgs, CardName};
use crate::image;

/// Measures the card and prints what it costs.
///
/// # Errors
/// All of [`BenchError`].
pub(super) fn run(args: &BenchCardArgs) -> Result<(), BenchError> {
    let riscv = image::body(CardName::Riscv, args.image.as_deref())?;
    let mut output = io::stdout().lock();
    if args.fit {
        // Lists are walked by the link engine on the one, by the core on the other.
        let places = [TablePlace::OnChip, TablePlace::OffChip];
        let both = |body| places.map(|place| measure::measure(body, place)).concat();
        let cycles = measure::fit(&both(&Body::Native), &both(&riscv));
        output.write_all(measure::fitted_source(&cycles).as_bytes())?;
        return Ok(());
    }
    let report = Report {
        clock_khz: measure::clock_khz(),
        image_hash: image_hash(&riscv),
        on_chip: costs(&riscv, TablePlace::OnChip),
        off_chip: costs(&riscv, TablePlace::OffChip),
    };
    let text = match args.json {
        true => serde_json::to_string(&report).map_err(io::Error::from)? + "\n",
        false => table::of(&report),
    };
    output.write_all(text.as_bytes())?;
    output.flush()?;
    Ok(())
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
struct Report {
    clock_khz: u32,
    image_hash: Option<String>,
    /// Tables that fit the chip's own memory.
    on_chip: Vec<Cost>,
    /// Tables that do not.
    off_chip: Vec<Cost>,
}

/// What one operation costs.
#[derive(Debug, Serialize)]
struct Cost {
    operation: String,
    /// Objects that it names.
    objects: u32,
    instructions: f64,
    cycles: f64,
    /// Cycles among them in which the core waited for table memory.
    stalls: f64,
    ns: f64,
    native_cycles: f64,
    /// How far the native body is from the RISC-V one.
    native_off_percent: f64,
}

fn image_hash(body: &Body) -> Option<String> {
    match body {
        Body::Native => None,
        Body::Riscv(image) => Some(format!("{:#010x}", image.hash())),
    }
}

/// What every operation costs with tables that lie there.
fn costs(riscv: &Body, place: TablePlace) -> Vec<Cost> {
    let (riscv, native) = (measure::measure(riscv, place), measure::measure(&Body::Native, place));
    let mut costs: Vec<Cost> = riscv.iter().zip(&native).map(|(r, n)| cost(r, n)).collect();
    costs.extend(one_more(&costs));
    costs
}

fn cost(riscv: &Measured, native: &Measured) -> Cost {
    Cost {
        operation: riscv.name.clone(),
        objects: riscv.objects,
        instructions: riscv.instructions(),
        ..of_cycles(riscv.cycles(), riscv.stalls(), native.cycles())
    }
}

fn of_cycles(cycles: f64, stalls: f64, native_cycles: f64) -> Cost {
    Cost {
        operation: String::new(),
        objects: 1,
        instructions: 0.0,
        cycles,
        stalls,
        ns: cycles * 1e6 / f64::from(measure::clock_khz()),
        native_cycles,
        native_off_percent: (native_cycles / cycles - 1.0) * 100.0,
    }
}

/// What one more path in a list costs: the slope between the shortest and the longest one.
fn one_more(costs: &[Cost]) -> Option<Cost> {
    let mut lists = costs.iter().filter(|cost| cost.operation.starts_with("relink list"));
    let (short, long) = (lists.next()?, lists.next_back()?);
    let more = f64::from(long.objects) - f64::from(short.objects);
    let slope = |of: fn(&Cost) -> f64| (of(long) - of(short)) / more;
    Some(Cost {
        operation: "relink list, one more path".to_owned(),
        instructions: slope(|cost| cost.instructions),
        ..of_cycles(slope(|c| c.cycles), slope(|c| c.stalls), slope(|c| c.native_cycles))
    })
}
