//! The report: one JSON file with everything, one page, and the table on the terminal.
//!
//! From `run` and `judge`, to files. The JSON file can be read again, so that a changed table or
//! page needs no new measurement.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::figures::{Figures, Taken};
use super::judge::{self, Judged, Verdict};
use super::line::Line;
use super::page;
use super::run::{Job, Run};
use crate::bring;
use crate::error::Error;
use crate::project::Project;
use crate::tool::Tool;

/// The files.
const JSON: &str = "bench.json";
const PAGE: &str = "bench.html";
const NOT_A_REPORT: &str = "expected a report of `cargo xtask bench`; measure first";

/// Everything that is reported.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) head: Head,
    pub(crate) machine: Map<String, Value>,
    pub(crate) figures: Figures,
    pub(crate) judged: Vec<Judged>,
    /// What is not complete, and why.
    pub(crate) trouble: Vec<String>,
}

/// What was done, when, and with what.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Head {
    pub(crate) command: String,
    pub(crate) date: String,
    /// The commit, and whether the tree had changes beyond it.
    pub(crate) commit: String,
    pub(crate) took_s: u64,
    pub(crate) rustc: String,
    /// Versions of the C peers, and their compiler's.
    pub(crate) peers: String,
    pub(crate) jobs: Vec<String>,
    pub(crate) sizes: Vec<u64>,
    pub(crate) rounds: u32,
    /// Turns of each series in a round.
    pub(crate) repeats: u32,
    pub(crate) is_quick: bool,
    pub(crate) conditions: Value,
}

impl Report {
    /// Judges a measurement.
    pub(crate) fn of(project: &Project, run: Run<'_>, took: Duration) -> Self {
        let line = |tool: Tool| {
            let output = tool.capture().ok().filter(|output| output.status.success());
            let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
            text.unwrap_or_default().trim().to_string()
        };
        let git = |words: &str| line(Tool::new(project, "git".as_ref(), "").args(words));
        let changes = if git("status --porcelain").is_empty() { "" } else { " with changes" };
        let words = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
        let date = Tool::new(project, "date".as_ref(), "").args("-u +%Y-%m-%dT%H:%M:%SZ");
        let head = Head {
            command: format!("cargo xtask {words}"),
            date: line(date),
            commit: format!("{}{changes}", git("rev-parse --short=12 HEAD")),
            took_s: took.as_secs(),
            rustc: line(Tool::rustc(project).arg("--version")),
            peers: run.peers.map(|peers| peers.versions).unwrap_or_default(),
            jobs: run.plan.jobs.iter().map(|job| job.word().to_string()).collect(),
            sizes: run.plan.sizes.clone(),
            rounds: run.rounds,
            repeats: run.plan.repeats,
            is_quick: run.plan.is_quick,
            conditions: run.conditions.json(),
        };
        Self::judged(head, run.figures, run.trouble)
    }

    fn judged(head: Head, figures: Figures, trouble: Vec<String>) -> Self {
        let is_whole = head.jobs.len() == Job::ALL.len();
        let judged =
            judge::judge(&figures, |job| is_whole || head.jobs.iter().any(|had| had == job));
        let machine = figures.all().iter().rev().find_map(|taken| match &taken.line {
            Line::Machine(facts) => Some(facts.clone()),
            _ => None,
        });
        Self { head, machine: machine.unwrap_or_default(), figures, judged, trouble }
    }

    /// Reads the report in a folder, and judges it by today's goals.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(JSON);
        let text = fs::read_to_string(&path).map_err(|source| Error::File {
            action: "read",
            path: path.clone(),
            source,
        })?;
        let not_a_report = || Error::Content { path: path.clone(), expected: NOT_A_REPORT };
        Self::from_json(&text).ok_or_else(not_a_report)
    }

    fn from_json(text: &str) -> Option<Self> {
        let mut value: Value = serde_json::from_str(text).ok()?;
        let mut take = |name: &str| value.get_mut(name).map(Value::take);
        let head = serde_json::from_value(take("head")?).ok()?;
        let trouble = serde_json::from_value(take("trouble")?).ok()?;
        let lines: Vec<Value> = serde_json::from_value(take("lines")?).ok()?;
        let mut figures = Figures::default();
        for mut line in lines {
            let round = line.as_object_mut()?.remove("round")?.as_u64()?;
            figures.add(u32::try_from(round).ok()?, serde_json::from_value(line).ok()?);
        }
        Some(Self::judged(head, figures, trouble))
    }

    /// Goals that were missed.
    pub(crate) fn missed(&self) -> usize {
        self.count(Verdict::Miss)
    }

    /// How many goals ended so.
    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        self.judged.iter().filter(|judged| judged.verdict == verdict).count()
    }

    /// What goals would have needed, each once.
    fn missing(&self) -> Vec<String> {
        let mut all = Vec::new();
        for judged in &self.judged {
            for missing in &judged.missing {
                let missing = format!("{} {missing}", judged.goal.job);
                if !all.contains(&missing) {
                    all.push(missing);
                }
            }
        }
        all
    }

    /// Writes the files into `folder`.
    ///
    /// # Errors
    /// When one cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Error> {
        bring::write(&folder.join(JSON), &self.text())?;
        bring::write(&folder.join(PAGE), &page::page(self))
    }

    /// One JSON object, with a line for each thing in it: so a change of a report can be read.
    fn text(&self) -> String {
        let rows = |rows: Vec<Value>| {
            let rows: Vec<_> = rows.iter().map(Value::to_string).collect();
            format!("[\n{}\n]", rows.join(",\n"))
        };
        format!(
            "{{\n\"head\": {},\n\"machine\": {},\n\"trouble\": {},\n\"goals\": {},\n\"lines\": {}\n}}\n",
            json!(self.head),
            json!(self.machine),
            json!(self.trouble),
            rows(self.judged.iter().map(goal).collect()),
            rows(self.figures.all().iter().map(line).collect()),
        )
    }

    /// Prints the table, and where the files are.
    pub(crate) fn show(&self, folder: &Path) {
        println!();
        print!("{}", table(&self.judged));
        let counts = [Verdict::Pass, Verdict::Miss, Verdict::NotMeasured]
            .map(|verdict| format!("{} {}", self.count(verdict), verdict.word()));
        println!("\n{}", counts.join(", "));
        if self.judged.iter().any(Judged::is_disturbed) {
            println!("~ the processors moved while this was measured, in every round");
        }
        for missing in self.missing() {
            println!("missing: {missing}");
        }
        self.trouble.iter().for_each(|why| println!("failed: {why}"));
        if self.head.is_quick {
            println!("a quick run: sizes and turns are too small to judge by");
        }
        for file in [PAGE, JSON] {
            println!("wrote {}", folder.join(file).display());
        }
    }
}

fn goal(judged: &Judged) -> Value {
    let Judged { goal, verdict, value, cases, missing } = judged;
    let cases = cases.iter().map(|case| {
        json!({
            "case": case.case,
            "verdict": judged.verdict_of(case).word(),
            "value": case.value,
            "ours": case.ours_ns,
            "other": case.other_ns,
            "rounds": case.rounds,
            "is_disturbed": case.is_disturbed,
        })
    });
    json!({
        "job": goal.job,
        "claim": goal.claim,
        "cases": goal.cases.shown(),
        "against": goal.against.shown(),
        "bound": goal.bound.shown(),
        "value": value,
        "verdict": verdict.word(),
        "worst": judged.worst().map(|case| &case.case),
        "measured": cases.collect::<Vec<_>>(),
        "missing": missing,
    })
}

fn line(taken: &Taken) -> Value {
    let mut line = serde_json::to_value(&taken.line).unwrap_or_default();
    if let Some(line) = line.as_object_mut() {
        line.insert("round".into(), taken.round.into());
    }
    line
}

/// The table as text, one goal a line.
fn table(judged: &[Judged]) -> String {
    let head = ["job", "what", "against", "goal", "value", "worst case", "verdict", "misses at"];
    let mut rows = vec![head.map(String::from)];
    for one in judged {
        let mark = if one.is_disturbed() { " ~" } else { "" };
        rows.push([
            one.goal.job.into(),
            one.goal.claim.into(),
            one.goal.against.shown(),
            one.goal.bound.shown(),
            one.value.map_or_else(|| "-".into(), |value| one.goal.bound.show(value)),
            one.worst().map_or_else(String::new, |case| case.case.clone()),
            format!("{}{mark}", one.verdict.word()),
            one.misses().join(", "),
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &[String; 8]| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            // Numbers stand under one another at their ends.
            if matches!(column, 3 | 4) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::sample;
    use super::*;

    fn report() -> Report {
        let mut figures = Figures::default();
        let machine = r#"{"kind":"machine","cpu":"a processor","cores":2}"#;
        figures.add(0, Line::read(machine).unwrap().unwrap());
        figures.add(1, sample("relink", "list/in_order/10000", "flue", 3.0, 25.0));
        figures.add(1, sample("relink", "list/in_order/10000", "floor", 2.0, 25.0));
        let head = Head { jobs: vec!["relink".into()], date: "today".into(), ..Head::default() };
        Report::judged(head, figures, vec!["a peer: it failed".into()])
    }

    #[test]
    fn a_report_that_was_written_can_be_judged_again() {
        let report = report();
        let again = Report::from_json(&report.text()).unwrap();
        assert_eq!(again.text(), report.text());
        assert_eq!((again.count(Verdict::Pass), again.missed()), (1, 0));
        assert_eq!(again.machine["cpu"], "a processor");
        assert!(Report::from_json("{}").is_none());
    }

    #[test]
    fn only_goals_of_the_jobs_that_were_asked_for_are_judged() {
        assert!(report().judged.iter().all(|judged| judged.goal.job == "relink"));
    }

    #[test]
    fn the_table_has_one_line_a_goal_and_says_what_was_not_measured() {
        let report = report();
        let text = table(&report.judged);
        assert_eq!(text.lines().count(), report.judged.len() + 1);
        let first = text.lines().nth(1).unwrap();
        assert!(first.contains("1.50 ×") && first.ends_with("pass"), "{first}");
        assert!(text.lines().last().unwrap().ends_with("not measured"));
    }
}
