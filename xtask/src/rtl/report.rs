//! The report on the card in SystemVerilog: clocks beside the model's, resources, frequencies.
//!
//! From a test that measures (`rtl-sim/tests/cycles.rs`) and from Python that synthesizes and places
//! (`synthesis`), to `target/report/rtl.json` and `rtl.md`, which is printed, too. A part that was not
//! asked for is left out and said to be. It fails, behind the report, when a goal is missed.

use serde_json::{Value, json};

use super::sources_of_card::Waivers;
use super::synthesis::{self, Goal};
use super::tools::Tools;
use crate::bring;
use crate::error::Error;
use crate::firmware;
use crate::project::{Project, create};
use crate::suite::PROFILE;
use crate::tool::Tool;

/// The files, below the target folder.
const FOLDER: &str = "report";
const JSON: &str = "rtl.json";
const PAGE: &str = "rtl.md";
/// Where the test writes what it measured.
const CYCLES: &str = "FLUE_CYCLES";
/// How far off the model may be: the larger of a share and of so many clocks (design, section 9).
const OFF_SHARE: f64 = 0.05;
const OFF_CLOCKS: f64 = 8.0;

/// Which parts; all when none is named.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Blocks to synthesize or place; all when none is named.
    #[arg(value_name = "BLOCK")]
    blocks: Vec<String>,
    /// Clocks of every operation, beside the model's.
    #[arg(long)]
    cycles: bool,
    /// Resources, for UltraScale+ and ECP5, block by block and of the whole card: about 20 minutes.
    #[arg(long)]
    synthesis: bool,
    /// Frequencies of our own blocks on ECP5, placed one by one: about an hour.
    #[arg(long)]
    place: bool,
}

/// Makes the report.
///
/// # Errors
/// When something cannot be brought or run, or a goal is missed.
pub(super) fn run(project: &Project, tools: &Tools, options: &Options) -> Result<(), Error> {
    let Options { blocks, cycles, synthesis, place } = options;
    let (cycles, synthesis, place) = (*cycles, *synthesis, *place);
    let is_all = !(cycles || synthesis || place);
    let folder = project.target.join(FOLDER);
    create(&folder)?;
    let mut page = String::from("# The card in SystemVerilog\n");
    let (mut missed, mut report) = (Vec::new(), json!({}));
    let mut add = |title: &str, name: &str, part: Option<Part>| {
        page += &format!("\n## {title}\n\n");
        let part = part.unwrap_or_else(|| Part {
            table: format!("Not in this report: `cargo xtask rtl report --{name}`.\n"),
            value: Value::Null,
            missed: Vec::new(),
        });
        page += &part.table;
        report[name] = part.value;
        missed.extend(part.missed);
    };
    let wants = |wanted: bool| wanted || is_all;
    let part = wants(cycles).then(|| measure(project, tools)).transpose()?;
    add("Clocks an operation, from doorbell to completion", "cycles", part);
    let part =
        wants(synthesis).then(|| synthesis::resources(project, tools, blocks)).transpose()?;
    add("Resources", "synthesis", part);
    let part = wants(place).then(|| synthesis::frequencies(project, blocks)).transpose()?;
    add("Frequencies on ECP5 (um5g-85k), block by block", "place", part);
    let waivers = Waivers::of(project)?;
    page += &format!("\n## Lint\n\n{waivers}\n");
    report["waivers"] = waivers.value();
    missed.extend(waivers.missed());
    bring::write(&folder.join(JSON), &format!("{report:#}\n"))?;
    bring::write(&folder.join(PAGE), &page)?;
    println!("{page}\n{}", folder.join(PAGE).display());
    if missed.is_empty() { Ok(()) } else { Err(Error::Missed(missed.join("; "))) }
}

/// A part of the report.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) table: String,
    pub(super) value: Value,
    /// Goals that were missed, in words.
    pub(super) missed: Vec<String>,
}

/// Runs the test that measures, and tells what it found, whether or not it passed.
fn measure(project: &Project, tools: &Tools) -> Result<Part, Error> {
    let image = firmware::image(project)?;
    let path = project.target.join(FOLDER).join("rtl-cycles.tsv");
    bring::write(&path, "")?;
    let line = "test --package rtl-sim --features rtl --test cycles --profile";
    let cargo = tools.on(Tool::cargo(project)).args(line).arg(PROFILE);
    let ended = cargo.env(firmware::FIRMWARE, &image).env(CYCLES, &path).run_quietly();
    let rows = bring::read(&path)?;
    let rows: Vec<Row> = rows.lines().filter_map(Row::of).collect();
    if rows.is_empty() {
        ended?;
        let expected = "expected a row an operation from rtl-sim/tests/cycles.rs";
        return Err(Error::Content { path, expected });
    }
    let mut table = String::from(
        "A host that answers reads after 100 clocks and writes after 75, on both; the quickest of \
         four. Goal: within 5 % or 8 clocks, whichever is larger.\n\n\
         | operation | RTL | model | off | |\n| --- | ---: | ---: | ---: | --- |\n",
    );
    for row in &rows {
        let (rtl, model, percent) = (row.rtl, row.model, row.off() * 100.0);
        let goal = Goal::of(row.is_near()).word();
        table += &format!("| {} | {rtl} | {model} | {percent:+.2} % | {goal} |\n", row.name);
    }
    let sum = |of: fn(&Row) -> f64| rows.iter().map(of).sum::<f64>();
    let overall = sum(|row| (row.model - row.rtl).abs()) / sum(|row| row.rtl);
    let mean = sum(|row| row.off().abs()) / rows.len() as f64;
    let worst = rows.iter().map(|row| row.off().abs()).fold(0.0, f64::max);
    table += &format!(
        "\nOverall: {:.2} % of all clocks; {:.2} % on average of operations, {:.2} % at most.\n",
        overall * 100.0,
        mean * 100.0,
        worst * 100.0,
    );
    let far = rows.iter().filter(|row| !row.is_near());
    let missed =
        far.map(|row| format!("{}: {} clocks, {}", row.name, row.rtl, row.model)).collect();
    let value = json!({
        "operations": rows.iter().map(Row::value).collect::<Vec<_>>(),
        "overall_off": overall,
        "mean_off": mean,
        "worst_off": worst,
    });
    Ok(Part { table, value, missed })
}

/// One operation.
struct Row {
    name: String,
    objects: u32,
    rtl: f64,
    model: f64,
}

impl Row {
    fn of(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        Some(Self {
            name: fields.next()?.to_owned(),
            objects: fields.next()?.parse().ok()?,
            rtl: fields.next()?.parse().ok()?,
            model: fields.next()?.parse().ok()?,
        })
    }

    fn off(&self) -> f64 {
        self.model / self.rtl - 1.0
    }

    fn is_near(&self) -> bool {
        (self.model - self.rtl).abs() <= (self.rtl * OFF_SHARE).max(OFF_CLOCKS)
    }

    fn value(&self) -> Value {
        json!({
            "operation": self.name,
            "objects": self.objects,
            "rtl_clocks": self.rtl,
            "model_clocks": self.model,
            "off": self.off(),
            "is_near": self.is_near(),
        })
    }
}
