//! Resources and frequencies: our blocks through Yosys and nextpnr, one by one.
//!
//! `rtl-sim/synth` has the Python that drives them; here is which blocks there are, and what is good.
//! Figures for UltraScale+ are counts only: there is no open place and route for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::python::{Python, Set};
use super::report::Part;
use super::sources_of_card as sources;
use super::tools::Tools;
use crate::bring;
use crate::error::Error;
use crate::project::{Project, create};
use crate::report;

const SYNTH: &str = "rtl-sim/synth/synth.py";
const PLACE: &str = "rtl-sim/synth/place.py";
/// Where netlists go, below the target folder.
const FOLDER: &str = "report/rtl";
const FAMILIES: [&str; 2] = ["xcup", "ecp5"];
/// What each block has to reach.
const GOAL_MHZ: f64 = 100.0;

/// A module, and the parameters with which it is placed: tables as small as they go, since their
/// depth hardly changes the critical path, and a chip of this family has no room for large ones.
struct Block {
    name: &'static str,
    small: &'static str,
}

const fn block(name: &'static str) -> Block {
    Block { name, small: "" }
}

const SMALL_TABLES: &str = "-G NEIGHBORS=32 -G PATHS=64 -G CONNECTIONS=64 -G ALIASES=64";

/// Our own blocks that are placed: together they are the card but for its core.
const BLOCKS: [Block; 39] = [
    block("axil_slave"),
    block("csr"),
    block("counters"),
    block("card_clock"),
    block("health"),
    block("ring_ctrl"),
    block("trace"),
    block("irq_merge"),
    block("dma_rd"),
    block("reorder"),
    block("dma_wr"),
    block("fetch"),
    block("list_fetch"),
    block("outbox"),
    block("core_bus"),
    block("core_regs"),
    block("core_ram"),
    block("link_regs"),
    block("link_engine"),
    block("line_ram"),
    block("notice_fifo"),
    Block {
        name: "table_ram",
        small: "-G NEIGHBORS=32 -G PATHS=64 -G CONNECTIONS=64 -G ALIASES=64 -G SOURCE_MACS=16",
    },
    Block { name: "resolver", small: SMALL_TABLES },
    block("look_up"),
    block("tbl_age"),
    Block { name: "judge", small: "-G PATHS=64 -G CONNECTIONS=64" },
    block("reach"),
    Block { name: "hold", small: "-G HELD=256" },
    block("fence"),
    block("notices"),
    block("tally"),
    block("tx_rings"),
    block("tx_fetch"),
    block("tx_admit"),
    block("tx_cpl"),
    block("tx_trace"),
    block("payload_buf"),
    block("framer"),
    block("egress"),
];
/// Blocks that are made of others; resources only.
const GROUPS: [&str; 1] = ["datapath"];
const CARD: &str = "flue_card";

/// Whether something is as it should be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal(bool);

impl Goal {
    pub(super) const fn of(is_met: bool) -> Self {
        Self(is_met)
    }

    pub(super) const fn word(self) -> &'static str {
        if self.0 { "" } else { "missed" }
    }
}

/// What each block takes on each family, and the whole card with its core.
///
/// # Errors
/// When Yosys cannot be brought or does not take a module.
pub(super) fn resources(project: &Project, tools: &Tools, only: &[String]) -> Result<Part, Error> {
    let python = Python::bring(project, &project.target.join("tools/rtl"), Set::Yosys)?;
    let (own, whole) = (sources::own(project)?, sources::whole(project, tools)?);
    let names = BLOCKS.iter().map(|block| block.name).chain(GROUPS);
    let jobs = names.map(|name| (name, &own)).chain([(CARD, &whole)]);
    let mut table = String::from(
        "Counts of Yosys, sizes as simulated; without I/O.\n\n\
         | block | family | LUT | FF | carry | LUT RAM | block RAM | DSP | latches |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    let (mut rows, mut missed) = (Vec::new(), unknown(only));
    for (name, files) in jobs.filter(|(name, _)| is_wanted(only, name)) {
        for family in FAMILIES {
            report::note(&format!("synthesis of {name} for {family}"));
            let found = synthesize(project, &python, family, name, files, None)?;
            let latches = found["latches"].as_u64().unwrap_or(u64::MAX);
            if latches != 0 {
                missed.push(format!("{name}: {latches} latches"));
            }
            let sums = sums(&found["cells"]);
            let of = |sort| sums.get(sort).copied().unwrap_or(0);
            table += &format!("| {name} | {family} |");
            for sort in [LUT, FF, CARRY, LUT_RAM, BLOCK_RAM, DSP] {
                table += &format!(" {} |", of(sort));
            }
            table += &format!(" {latches} |\n");
            rows.push(json!({ "block": name, "family": family, "cells": found["cells"] }));
        }
    }
    Ok(Part { table, value: Value::Array(rows), missed })
}

/// What each block reaches on ECP5.
///
/// # Errors
/// When a tool cannot be brought, or does not take a module.
pub(super) fn frequencies(project: &Project, only: &[String]) -> Result<Part, Error> {
    let tools = project.target.join("tools/rtl");
    let yosys = Python::bring(project, &tools, Set::Yosys)?;
    let place = Python::bring(project, &tools, Set::Place)?;
    let own = sources::own(project)?;
    let mut table = String::from(
        "Each between two shift registers, tables small, always the same seed. Goal: 100 MHz.\n\n\
         | block | MHz | |\n| --- | ---: | --- |\n",
    );
    let (mut rows, mut missed) = (Vec::new(), unknown(only));
    for block in BLOCKS.iter().filter(|block| is_wanted(only, block.name)) {
        let name = block.name;
        report::note(&format!("place and route of {name}"));
        let mut files: Vec<String> = block.small.split_whitespace().map(Into::into).collect();
        files.extend(own.iter().cloned());
        let netlist = folder(project)?.join(format!("{name}-netlist.json"));
        synthesize(project, &yosys, "ecp5", name, &files, Some(&netlist))?;
        let path = folder(project)?.join(format!("{name}-placed.json"));
        place.tool(project).arg("-B").arg(PLACE).arg(&netlist).arg(&path).run_quietly()?;
        let expected = "expected nextpnr's report with the frequency of a clock";
        let mhz = lowest(&json_of(&path, expected)?).ok_or(Error::Content { path, expected })?;
        let goal = Goal::of(mhz >= GOAL_MHZ);
        if mhz < GOAL_MHZ {
            missed.push(format!("{name}: {mhz:.0} MHz"));
        }
        table += &format!("| {name} | {mhz:.0} | {} |\n", goal.word());
        rows.push(json!({ "block": name, "mhz": mhz }));
    }
    Ok(Part { table, value: Value::Array(rows), missed })
}

/// Whether a block is among those that were named, or none was.
fn is_wanted(only: &[String], name: &str) -> bool {
    only.is_empty() || only.iter().any(|wanted| wanted == name)
}

/// What was named and is no block.
fn unknown(only: &[String]) -> Vec<String> {
    let is_known = |wanted: &&String| {
        wanted.as_str() == CARD
            || GROUPS.contains(&wanted.as_str())
            || BLOCKS.iter().any(|block| block.name == wanted.as_str())
    };
    only.iter().filter(|wanted| !is_known(wanted)).map(|it| format!("{it}: no block")).collect()
}

fn folder(project: &Project) -> Result<PathBuf, Error> {
    let folder = project.target.join(FOLDER);
    create(&folder)?;
    Ok(folder)
}

fn synthesize(
    project: &Project,
    python: &Python,
    family: &str,
    name: &str,
    files: &[String],
    netlist: Option<&PathBuf>,
) -> Result<Value, Error> {
    let out = folder(project)?.join(format!("{name}-{family}.json"));
    let tool = python.tool(project).arg("-B").arg(SYNTH).arg(family).arg(name).arg(&out);
    let tool = match netlist {
        Some(netlist) => tool.arg("--harness").arg(netlist),
        None => tool,
    };
    let tool = tool.args("-- --std 1800-2017");
    files.iter().fold(tool, |tool, file| tool.arg(file)).run_quietly()?;
    json_of(&out, "expected what rtl-sim/synth/synth.py counts")
}

fn json_of(path: &Path, expected: &'static str) -> Result<Value, Error> {
    let text = bring::read(path)?;
    serde_json::from_str(&text).map_err(|_| Error::Content { path: path.into(), expected })
}

/// The frequency of the slowest clock in a report of nextpnr.
fn lowest(report: &Value) -> Option<f64> {
    let clocks = report["fmax"].as_object()?.values();
    clocks.filter_map(|clock| clock["achieved"].as_f64()).min_by(f64::total_cmp)
}

const LUT: &str = "LUT";
const FF: &str = "FF";
const CARRY: &str = "carry";
const LUT_RAM: &str = "LUT RAM";
const BLOCK_RAM: &str = "block RAM";
const DSP: &str = "DSP";

/// Cells by what they are, in the families' own units.
fn sums(cells: &Value) -> BTreeMap<&'static str, u64> {
    let mut sums = BTreeMap::new();
    for (kind, count) in cells.as_object().into_iter().flatten() {
        let sort = match kind.as_str() {
            kind if kind.starts_with("LUT") => LUT,
            kind if kind.starts_with("FD") || kind == "TRELLIS_FF" => FF,
            kind if kind.starts_with("CARRY") || kind == "CCU2C" => CARRY,
            kind if kind.starts_with("RAMB") || kind.starts_with("URAM") || kind == "DP16KD" => {
                BLOCK_RAM
            }
            kind if kind.starts_with("RAM") || kind.starts_with("SRL") => LUT_RAM,
            "TRELLIS_DPR16X4" => LUT_RAM,
            kind if kind.starts_with("DSP") || kind.starts_with("MULT18") => DSP,
            _ => continue,
        };
        *sums.entry(sort).or_default() += count.as_u64().unwrap_or(0);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_counted_by_what_they_are() {
        let cells =
            json!({ "LUT6": 3, "LUT2": 1, "FDRE": 5, "RAM32M16": 2, "RAMB36E2": 7, "INV": 9 });
        let sums = sums(&cells);
        let expected = [(LUT, 4), (FF, 5), (LUT_RAM, 2), (BLOCK_RAM, 7)];
        assert_eq!(sums, BTreeMap::from(expected));
    }

    #[test]
    fn the_slowest_clock_counts() {
        let report = json!({ "fmax": { "a": { "achieved": 180.5 }, "b": { "achieved": 99.0 } } });
        assert_eq!(lowest(&report), Some(99.0));
        assert_eq!(lowest(&json!({})), None);
    }
}
