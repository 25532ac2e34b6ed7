//! Runs the programs of each job right after one another, round after round, and keeps what they say.
//!
//! From `conditions` and `peers`, to `figures`. Each program is short and has a limit. A program that
//! fails is trouble that is reported; the others go on, unless it cannot be ended and would disturb
//! them. One that failed because the machine stood still is run again. Rounds end with the time that
//! there is, the first one when all time is over.

use std::ffi::OsString;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::conditions::Conditions;
use super::figures::Figures;
use super::judge;
use super::line::Line;
use super::peers::Peers;
use crate::bounded::{Ended, Running};
use crate::report;

/// The engine, its floors and the peers in Rust.
const SIDE_BY_SIDE: &str = "side-by-side";
/// What is measured in a network namespace of its own.
const LINUX: &str = "linux";
/// A program is ended when it takes longer.
const LIMIT: Duration = Duration::from_secs(60);
/// The same for the kernel, which takes a second for what the engine does in a millisecond.
const KERNEL_LIMIT: Duration = Duration::from_secs(150);
/// How much later a program is killed that should have been ended at its limit.
const GRACE: Duration = Duration::from_secs(10);
/// No round is begun that would, by the last one's measure, end later than this.
const TIME: Duration = Duration::from_secs(12 * 60);
/// No program runs longer than until then, so that all of it ends within 20 minutes with what is built
/// and brought before: what is left is reported as not run.
const END: Duration = Duration::from_secs(15 * 60);
/// Rounds of one job beyond those that were asked for, where the processors moved in all of them.
const MORE_ROUNDS: u32 = 2;
/// How much of a program's messages is shown when it fails, in lines.
const TAIL: usize = 8;
/// Columns of a terminal that a program's messages may take beside its name.
const COLUMNS: usize = 56;

/// A part of the table, and the programs for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Job {
    /// Commands of 64 bytes through a ring.
    Ring,
    /// Relink of N listed paths.
    Relink,
    /// Relink of all paths, update of a neighbor's MAC address.
    Command,
    /// Lookups through three tables, alone and beside relinks.
    Lookup,
    /// Initial offload of N objects.
    Offload,
    /// Many submitting threads.
    Threads,
    /// What the Linux kernel does for the same jobs.
    Kernel,
}

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) jobs: Vec<Job>,
    pub(crate) sizes: Vec<u64>,
    pub(crate) rounds: u32,
    pub(crate) repeats: u32,
    pub(crate) is_quick: bool,
}

/// The measurement under way.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) conditions: &'a Conditions,
    pub(crate) side_by_side: PathBuf,
    /// The C peers, if they are needed and could be had.
    pub(crate) peers: Option<Peers>,
    /// Every command, with what it wrote.
    pub(crate) log: File,
    pub(crate) figures: Figures,
    /// What is not complete, and why.
    pub(crate) trouble: Vec<String>,
    /// Rounds that were run, those of single jobs among them.
    pub(crate) rounds: u32,
    /// When it began, and how long of the time since then the machine stood still.
    pub(crate) start: Instant,
    pub(crate) stood_still: Duration,
    /// The program that cannot be ended, if there is one.
    pub(crate) stuck: Option<String>,
}

/// A program of a job.
#[derive(Debug)]
struct Program {
    name: &'static str,
    job: &'static str,
    words: Vec<OsString>,
    limit: Duration,
}

impl Job {
    /// Every job, in the order in which they are run.
    pub(crate) const ALL: [Self; 7] = [
        Self::Ring,
        Self::Relink,
        Self::Command,
        Self::Lookup,
        Self::Offload,
        Self::Threads,
        Self::Kernel,
    ];

    /// The programs' word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Relink => "relink",
            Self::Command => "command",
            Self::Lookup => "lookup",
            Self::Offload => "offload",
            Self::Threads => "threads",
            Self::Kernel => "kernel",
        }
    }

    /// Whether DPDK has something for it, and liburcu.
    pub(crate) const fn peers(self) -> (bool, bool) {
        match self {
            Self::Ring | Self::Relink => (true, false),
            Self::Lookup | Self::Offload => (true, true),
            Self::Command | Self::Threads | Self::Kernel => (false, false),
        }
    }
}

impl Run<'_> {
    /// Measures everything.
    pub(crate) fn measure(&mut self) {
        let facts = self.side_by_side("machine", LIMIT);
        self.run(0, &facts);
        let jobs = self.plan.jobs.clone();
        for round in 1..=self.plan.rounds {
            let of = self.plan.rounds;
            if self.stuck.is_some() {
                break;
            }
            if round > 1 && self.elapsed() * round > TIME * (round - 1) {
                let had = round - 1;
                self.remark(&format!("{had} of {of} rounds: there is no time for another"));
                break;
            }
            for job in &jobs {
                report::note(&format!("round {round} of {of}: {}", job.word()));
                self.job(round, *job);
            }
            self.rounds = round;
        }
        self.measure_again(&jobs);
    }

    /// The time that it has taken, but for that in which nothing was done.
    fn elapsed(&self) -> Duration {
        self.start.elapsed().saturating_sub(self.stood_still)
    }

    /// Measures the jobs again in which the way between the processors changed in every round.
    fn measure_again(&mut self, jobs: &[Job]) {
        for _ in 0..MORE_ROUNDS {
            let judged = judge::judge(&self.figures, |_| true);
            let disturbed = judged.iter().filter(|judged| judged.is_disturbed());
            let words: Vec<_> = disturbed.map(|judged| judged.goal.job).collect();
            let again: Vec<_> = jobs.iter().filter(|job| words.contains(&job.word())).collect();
            if again.is_empty() || self.stuck.is_some() || self.elapsed() > TIME {
                return;
            }
            self.rounds += 1;
            for job in again {
                report::note(&format!("once more, the processors moved: {}", job.word()));
                self.job(self.rounds, *job);
            }
        }
    }

    /// Every program of a job, in turn.
    fn job(&mut self, round: u32, job: Job) {
        for program in self.programs(round, job) {
            self.run(round, &program);
        }
    }

    fn programs(&mut self, round: u32, job: Job) -> Vec<Program> {
        let mut programs = Vec::new();
        if job == Job::Kernel {
            match self.conditions.own_network() {
                Ok(words) => {
                    let mut kernel = self.side_by_side(job.word(), KERNEL_LIMIT);
                    kernel.words.splice(0..0, words);
                    programs.push(Program { name: LINUX, ..kernel });
                }
                Err(why) if round == 1 => self.trouble(format!("{LINUX} is not measured: {why}")),
                Err(_) => {}
            }
            return programs;
        }
        programs.push(self.side_by_side(job.word(), LIMIT));
        let (has_dpdk, has_urcu) = job.peers();
        if let Some(peers) = &self.peers {
            if has_dpdk {
                let mut words = self.words(peers.dpdk.clone(), job.word());
                words.push("--".into());
                words.extend(self.conditions.eal());
                programs.push(Program { name: "dpdk", job: job.word(), words, limit: LIMIT });
            }
            if has_urcu {
                let words = self.words(peers.urcu.clone(), job.word());
                programs.push(Program { name: "liburcu", job: job.word(), words, limit: LIMIT });
            }
        }
        programs
    }

    fn side_by_side(&self, job: &'static str, limit: Duration) -> Program {
        let words = self.words(self.side_by_side.clone(), job);
        Program { name: SIDE_BY_SIDE, job, words, limit }
    }

    fn words(&self, program: PathBuf, word: &str) -> Vec<OsString> {
        let sizes: Vec<_> = self.plan.sizes.iter().map(u64::to_string).collect();
        let repeats = self.plan.repeats.to_string();
        let mut words: Vec<OsString> = vec![program.into(), word.into()];
        words.extend(["--sizes", &sizes.join(","), "--repeats", &repeats].map(OsString::from));
        if self.plan.is_quick {
            words.push("--quick".into());
        }
        words
    }

    /// Runs a program and keeps its lines.
    fn run(&mut self, round: u32, program: &Program) {
        let at = format!("{} {}, round {round}", program.name, program.job);
        if let Some(stuck) = &self.stuck {
            return self.trouble(format!("{at}: not run: {stuck} would disturb it"));
        }
        let left = END.saturating_sub(self.elapsed());
        if left < GRACE {
            return self.trouble(format!("{at}: not run: the time is over"));
        }
        let limit = program.limit.min(left);
        let stood_still = self.stood_still;
        let ended = self.run_once(&at, program, limit);
        let Some(mut ended) = ended else { return };
        if self.stood_still > stood_still && !ended.status.success() && !ended.is_stuck {
            let Some(again) = self.run_once(&at, program, limit) else { return };
            ended = again;
        }
        self.keep(round, &at, &ended);
    }

    /// Runs a program to its end; none when it cannot be started.
    fn run_once(&mut self, at: &str, program: &Program, limit: Duration) -> Option<Ended> {
        let mut words = self.conditions.prefix(limit);
        words.extend(program.words.iter().cloned());
        let mut command = Command::new(&words[0]);
        // A panic's own line says enough.
        command.args(&words[1..]).env("RUST_BACKTRACE", "0");
        let progress = Progress::begin(program.name);
        let ended = Running::start(command).and_then(|running| {
            let every = Duration::from_secs(1);
            running.wait_ticking(limit + GRACE, every, &mut |line| progress.tick(line))
        });
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                let program = words[0].to_string_lossy();
                let why = format!("{at}: cannot start `{program}`: {error}");
                progress.end("FAILED");
                self.trouble(why);
                return None;
            }
        };
        // What cannot be kept is in the report all the same.
        writeln!(self.log, "$ {}\n{}{}", ended.shown, ended.err, ended.out).ok();
        let took = ended.took.as_secs_f64();
        let series = ended.out.lines().filter(|line| line.starts_with('{')).count();
        progress.end(&format!("{took:>6.1} s  {series} series"));
        if !ended.stood_still.is_zero() {
            self.stood_still += ended.stood_still;
            let stood_still = ended.stood_still.as_secs_f64();
            self.remark(&format!("{at}: the machine stood still for {stood_still:.0} s"));
        }
        if ended.is_stuck {
            self.stuck = Some(at.to_owned());
        }
        Some(ended)
    }

    /// Keeps the lines of a program that has ended.
    fn keep(&mut self, round: u32, at: &str, ended: &Ended) {
        let mut kept = 0;
        let mut wrong = None;
        for text in ended.out.lines() {
            match Line::read(text) {
                Ok(None) => {}
                Ok(Some(line)) => {
                    self.figures.add(round, line);
                    kept += 1;
                }
                Err(why) => wrong = Some(format!("a line cannot be read: {why}: {text:.120}")),
            }
        }
        if !ended.status.success() {
            let tail: Vec<_> = ended.err.lines().rev().take(TAIL).collect();
            let tail: Vec<_> = tail.into_iter().rev().collect();
            wrong = Some(format!("{}\n{}", ended.how(), tail.join("\n")));
        } else if kept == 0 {
            wrong = Some("it printed no figures".into());
        }
        if let Some(why) = wrong {
            self.trouble(format!("{at}: {why}"));
        }
    }

    fn trouble(&mut self, why: String) {
        why.lines().for_each(report::note);
        self.trouble.push(why);
    }

    /// Says something that is worth knowing and no trouble.
    fn remark(&mut self, what: &str) {
        report::note(what);
        writeln!(self.log, "{what}").ok();
    }
}

/// What a terminal shows while a program runs; elsewhere, one line at its end.
#[derive(Debug)]
struct Progress {
    name: &'static str,
    is_terminal: bool,
}

impl Progress {
    fn begin(name: &'static str) -> Self {
        let progress = Self { name, is_terminal: std::io::stdout().is_terminal() };
        progress.tick(Some("starts"));
        progress
    }

    fn tick(&self, line: Option<&str>) {
        let is_figure = |line: &str| line.starts_with('{');
        let Some(line) = line.filter(|line| self.is_terminal && !is_figure(line)) else { return };
        let text: String = line.trim().chars().take(COLUMNS).collect();
        print!("\r\x1b[2K      {:<14} {text}", self.name);
        std::io::stdout().flush().ok();
    }

    fn end(&self, how: &str) {
        let begin = if self.is_terminal { "\r\x1b[2K" } else { "" };
        println!("{begin}      {:<14} {how}", self.name);
    }
}
