//! One boot: servers, then QEMU, then what the guest says, until all of them have ended.
//!
//! Everything that waits here has a limit, and everything that was started is gone when this
//! returns, however it returns. Does not know what the cases mean; it only does for the guest what
//! a guest cannot: kill the server of its own card.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::boot::Boot;
use super::children::{Kept, Warden};
use super::qemu;
use super::tools::Tools;
use super::wire::{ANSWER, Said};
use crate::error::Error;
use crate::guest::Case;
use crate::project::{Project, create};
use crate::report;

/// From the start of a server until its socket is there.
const SERVER_STARTS: Duration = Duration::from_secs(10);
/// From the interrupt until a server has ended.
const SERVER_ENDS: Duration = Duration::from_secs(10);
/// From the guest's last word until QEMU has ended.
const POWER_OFF: Duration = Duration::from_secs(20);
/// How often something is looked for that says nothing.
const LOOK: Duration = Duration::from_millis(10);
/// Command line and messages of QEMU, and what the guest said.
const QEMU_LOG: &str = "qemu.log";
/// What boots the same machine again.
const SCRIPT: &str = "boot.sh";
/// How much of a log is shown when something went wrong, in lines.
const TAIL: usize = 12;

/// What all boots of a run have in common.
#[derive(Debug)]
pub(crate) struct Host<'a> {
    pub(crate) project: &'a Project,
    pub(crate) tools: &'a Tools,
    /// The program that serves cards.
    pub(crate) flue: PathBuf,
    /// What the core of a simulated card runs, where one is served.
    pub(crate) image: Option<PathBuf>,
    /// What the guest wakes up with.
    pub(crate) initramfs: PathBuf,
}

/// How a case ended.
#[derive(Debug)]
pub(crate) struct CaseEnded {
    pub(crate) case: &'static Case,
    pub(crate) took: Duration,
    /// Why it failed, if it did.
    pub(crate) why: Option<String>,
}

/// How a boot ended.
#[derive(Debug, Default)]
pub(crate) struct Booted {
    /// The cases that came to an end.
    pub(crate) cases: Vec<CaseEnded>,
    /// What the guest's conformance suite said, line by line.
    pub(crate) claims: Vec<String>,
    /// From the start of QEMU to its end.
    pub(crate) took: Duration,
    /// What went wrong besides the cases.
    pub(crate) trouble: Vec<String>,
}

impl Host<'_> {
    /// Where the logs of a boot are.
    pub(crate) fn logs(&self, boot: &Boot) -> PathBuf {
        self.project.target.join("vm").join(boot.name)
    }

    /// Runs cases in a machine of their own.
    ///
    /// # Errors
    /// When something cannot be started; what goes wrong later is in [`Booted::trouble`].
    pub(crate) fn boot(
        &self,
        boot: &'static Boot,
        cases: &[&'static Case],
    ) -> Result<Booted, Error> {
        let logs = self.logs(boot);
        let failed = |what: String| Error::Boot { boot: boot.name, what, logs: logs.clone() };
        fs::remove_dir_all(&logs).ok(); // What cannot be removed is written over.
        create(&logs)?;
        let mut warden = Warden::start().map_err(|error| failed(format!("no shell: {error}")))?;
        let mut servers = Vec::new();
        for card in 0..boot.cards {
            let server = self.serve(&logs, card, &mut warden).map_err(failed)?;
            servers.push(Some(server));
        }
        let names: Vec<_> = cases.iter().map(|case| case.name).collect();
        let tool = qemu::command(self.project, self.tools, boot, &self.initramfs, &names.join(","));
        let (mut command, shown) = tool.within(&logs).into_parts();
        self.script(boot, &logs, &command).map_err(|error| failed(error.to_string()))?;
        let mut log = Log::create(&logs.join(QEMU_LOG)).map_err(|e| failed(e.to_string()))?;
        log.line(&shown);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.stdio().map_err(|e| failed(e.to_string()))?);
        let start = Instant::now();
        let mut qemu = Kept::start(command, &mut warden)
            .map_err(|error| failed(format!("cannot start QEMU: {error}")))?;
        let out = qemu.child().stdout.take().ok_or_else(|| failed("QEMU has no output".into()))?;
        let said = listen(out);
        let answers = qemu.child().stdin.take();
        let mut talk = Talk { cases, servers, booted: Booted::default(), log, said, answers };
        let is_done = talk.follow(start + boot.limit, boot.limit);
        talk.end(qemu, is_done, &logs);
        talk.booted.took = start.elapsed();
        Ok(talk.booted)
    }

    /// Writes a script that boots this machine again.
    fn script(&self, boot: &Boot, logs: &Path, qemu: &Command) -> std::io::Result<()> {
        let quoted = |word: &OsStr| format!("'{}'", word.to_string_lossy().replace('\'', "'\\''"));
        let quoted_all = |words: Vec<OsString>| -> String {
            words.iter().map(|word| format!(" {}", quoted(word))).collect()
        };
        let flue = quoted(self.flue.as_os_str());
        let sockets = (0..boot.cards).map(qemu::socket);
        let servers: String = sockets
            .map(|socket| {
                let card = quoted_all(self.card());
                format!("{flue} serve{card} --bench --socket {socket} & servers=\"$servers $!\"\n")
            })
            .collect();
        let words = [qemu.get_program()].into_iter().chain(qemu.get_args());
        let qemu = words.map(quoted).collect::<Vec<_>>().join(" ");
        let script = format!(
            "#!/bin/sh\n# Boots this machine again; `cargo xtask vm --keep` keeps what that takes.\n\
             cd \"$(dirname \"$0\")\" || exit\n{servers}sleep 1\n{qemu}\nkill $servers\n"
        );
        fs::write(logs.join(SCRIPT), script)
    }

    /// How a server is told which card, if not the model.
    fn card(&self) -> Vec<OsString> {
        let image = self.image.as_ref().map(|image| image.clone().into_os_string());
        let words = |image| ["--card".into(), "rtl".into(), "--image".into(), image];
        image.map_or_else(Vec::new, |image| words(image).to_vec())
    }

    fn serve(&self, logs: &Path, card: usize, warden: &mut Warden) -> Result<Kept, String> {
        let log = logs.join(format!("card{card}.log"));
        let error = |error: std::io::Error| format!("cannot start the server: {error}");
        let file = File::create(&log).map_err(error)?;
        let mut command = Command::new(&self.flue);
        command.arg("serve").args(self.card()).args(["--bench", "--socket", &qemu::socket(card)]);
        command.current_dir(logs);
        command.stdin(Stdio::null()).stdout(file.try_clone().map_err(error)?).stderr(file);
        let mut server = Kept::start(command, warden).map_err(error)?;
        let (socket, end) = (logs.join(qemu::socket(card)), Instant::now() + SERVER_STARTS);
        let is_there = || fs::metadata(&socket).is_ok_and(|found| found.file_type().is_socket());
        while !is_there() {
            if let Some(status) = server.ended().map_err(error)? {
                return Err(format!("the server ended at once ({status}):\n{}", tail(&log)));
            }
            if Instant::now() >= end {
                return Err(format!("the server made no socket in {SERVER_STARTS:?}"));
            }
            thread::sleep(LOOK);
        }
        Ok(server)
    }
}

/// What is going on between host and guest.
struct Talk<'a> {
    cases: &'a [&'static Case],
    /// A server that was killed is none.
    servers: Vec<Option<Kept>>,
    booted: Booted,
    log: Log,
    said: Receiver<String>,
    answers: Option<ChildStdin>,
}

impl Talk<'_> {
    /// Follows what the guest says until it is done; false when it never was.
    fn follow(&mut self, end: Instant, limit: Duration) -> bool {
        let mut under_way: Option<&'static Case> = None;
        let mut notes: Vec<String> = Vec::new();
        loop {
            let line = match self.said.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => {
                    self.cut(under_way, &format!("the boot was not done in its {limit:?}"));
                    return false;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.cut(under_way, "QEMU ended before the guest was done");
                    return false;
                }
            };
            self.log.line(&line);
            match Said::from_line(&line) {
                None => {}
                Some(Said::Ready { uptime_ms }) => {
                    report::note(&format!("guest awake after {:.1} s", uptime_ms as f64 / 1e3));
                }
                Some(Said::Begins { case }) => {
                    under_way = self.cases.iter().copied().find(|known| known.name == case);
                    if let Some(case) = under_way {
                        report::begin_case(case.name);
                    }
                }
                Some(Said::Notes { text }) => notes.push(text),
                Some(Said::Claims { line }) => self.booted.claims.push(line),
                Some(Said::WantsServerKilled { card }) => self.kill_server(card),
                Some(Said::Ended { ms, why }) => {
                    if let Some(case) = under_way.take() {
                        self.ended(CaseEnded { case, took: Duration::from_millis(ms), why });
                    }
                    notes.drain(..).for_each(|note| report::note(&format!("    {note}")));
                }
                Some(Said::Done) => return true,
            }
        }
    }

    fn kill_server(&mut self, card: usize) {
        match self.servers.get_mut(card).and_then(Option::take) {
            Some(mut server) => {
                if let Err(error) = server.kill() {
                    self.booted.trouble.push(format!("cannot kill the server: {error}"));
                }
                self.log.line("host: killed the server");
                let told =
                    self.answers.as_mut().map(|answers| answers.write_all(ANSWER.as_bytes()));
                if !matches!(told, Some(Ok(()))) {
                    self.booted.trouble.push(format!("cannot answer the guest: {told:?}"));
                }
            }
            None => self.booted.trouble.push(format!("the guest wants card {card} dead; none is")),
        }
    }

    /// Notes that the boot came to an early end, in the middle of a case or between two.
    fn cut(&mut self, under_way: Option<&'static Case>, why: &str) {
        match under_way {
            Some(case) => {
                let took = Duration::ZERO;
                self.ended(CaseEnded { case, took, why: Some(why.into()) });
            }
            None => self.booted.trouble.push(why.into()),
        }
    }

    fn ended(&mut self, ended: CaseEnded) {
        report::end_case(ended.case, ended.took, ended.why.as_deref());
        self.booted.cases.push(ended);
    }

    /// Ends QEMU and the servers, and looks at how they do.
    fn end(&mut self, mut qemu: Kept, is_done: bool, logs: &Path) {
        // A guest whose card has lost its server is not expected to power off: QEMU may complain
        // of each mapping, or give up. What was to be shown has been shown.
        let lost_server = self.servers.iter().any(Option::is_none);
        if is_done && !lost_server {
            match qemu.wait(POWER_OFF) {
                Ok(Some(status)) if status.success() => {}
                Ok(Some(status)) => self.booted.trouble.push(format!("QEMU ended with {status}")),
                Ok(None) => self
                    .booted
                    .trouble
                    .push(format!("the guest did not power off in {POWER_OFF:?}")),
                Err(error) => self.booted.trouble.push(format!("cannot wait for QEMU: {error}")),
            }
        }
        let ended = qemu.ended();
        drop(qemu);
        if let (false, Ok(Some(status))) = (is_done, ended) {
            let log = tail(&logs.join(QEMU_LOG));
            self.booted.trouble.push(format!("QEMU ended by itself ({status}):\n{log}"));
        }
        while let Ok(line) = self.said.try_recv() {
            self.log.line(&line);
        }
        for (card, server) in self.servers.iter_mut().enumerate() {
            let Some(mut server) = server.take() else { continue };
            let log = logs.join(format!("card{card}.log"));
            if let Ok(Some(status)) = server.ended() {
                let why = format!(
                    "the server of card {card} ended by itself ({status}):\n{}",
                    tail(&log)
                );
                self.booted.trouble.push(why);
                continue;
            }
            match server.interrupt(SERVER_ENDS) {
                Ok(Some(status)) if status.success() => {}
                Ok(Some(status)) => self.booted.trouble.push(format!(
                    "the server of card {card}, interrupted, ended with {status}:\n{}",
                    tail(&log)
                )),
                Ok(None) => self.booted.trouble.push(format!(
                    "the server of card {card}, interrupted, did not end in {SERVER_ENDS:?}"
                )),
                Err(error) => self.booted.trouble.push(format!("cannot end a server: {error}")),
            }
        }
        let console = tail(&logs.join(qemu::CONSOLE));
        // A case that failed has said why.
        let is_bad = !is_done || !self.booted.trouble.is_empty();
        if is_bad && !console.is_empty() {
            self.booted.trouble.push(format!("the console ended so:\n{console}"));
        }
    }
}

/// A log of this side.
#[derive(Debug)]
struct Log {
    file: File,
}

impl Log {
    fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self { file: File::create(path)? })
    }

    fn stdio(&self) -> std::io::Result<Stdio> {
        Ok(self.file.try_clone()?.into())
    }

    fn line(&mut self, line: &str) {
        // A log that cannot be written must not decide over a test.
        writeln!(self.file, "{}", line.trim_end()).ok();
    }
}

/// Reads QEMU's output in a thread of its own, until QEMU has ended.
fn listen(out: ChildStdout) -> Receiver<String> {
    let (said, heard) = channel();
    thread::spawn(move || {
        let mut out = BufReader::new(out);
        let mut line = Vec::new();
        while out.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            if said.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break; // Nobody listens any more.
            }
            line.clear();
        }
    });
    heard
}

/// The last lines of a log.
pub(crate) fn tail(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let from = lines.len().saturating_sub(TAIL);
    lines[from..].iter().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}
