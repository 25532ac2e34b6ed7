//! A program that is run to its end or to its limit, and what it wrote meanwhile.
//!
//! Used on both sides of a virtual machine. What the program writes is taken at once, line by
//! line, so that a caller can act between two lines. Nothing here waits without a limit: a program
//! that is still there at its limit is killed and reported as such, and one that is dropped is
//! killed too; one that the kernel does not let die is left behind. Time in which this program did
//! not run itself, because the machine stood still, counts for nobody.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// What a program's status is that SIGKILL ended.
const KILLED: i32 = 9;
/// How often a silent program is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// A look that comes so much later means that the machine stood still: a virtual one does.
const STANDSTILL: Duration = Duration::from_secs(5);
/// How long a program that was killed is waited for.
const DYING: Duration = Duration::from_secs(5);
/// How long the last lines of a program that has ended are waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Which stream of a program a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// A program under way.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    shown: String,
    started: Instant,
    lines: Receiver<(Stream, String)>,
    out: String,
    err: String,
    /// It was killed, and does not die.
    is_stuck: bool,
}

/// How a program ended, and all that it wrote.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The command line.
    pub(crate) shown: String,
    /// How it ended; a program killed at its limit ended by that signal.
    pub(crate) status: ExitStatus,
    /// Whether it had to be killed because it was still there at its limit.
    pub(crate) is_late: bool,
    /// Whether it is there even now, stuck in the kernel.
    pub(crate) is_stuck: bool,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
    /// From start to end.
    pub(crate) took: Duration,
    /// How long of that the machine stood still.
    pub(crate) stood_still: Duration,
}

impl Running {
    /// Starts it, with nothing on its standard input.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        let words = [command.get_program()].into_iter().chain(command.get_args());
        let shown = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (said, lines) = channel();
        if let Some(out) = child.stdout.take() {
            read(Stream::Out, out, said.clone());
        }
        if let Some(err) = child.stderr.take() {
            read(Stream::Err, err, said);
        }
        let (out, err) = (String::new(), String::new());
        Ok(Self { child, shown, started: Instant::now(), lines, out, err, is_stuck: false })
    }

    /// Waits until it has written a line that contains `text`; false when it ended before or `limit` passed.
    pub(crate) fn wait_for(&mut self, stream: Stream, text: &str, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        loop {
            match self.take(end) {
                Ok((from, line)) if from == stream && line.contains(text) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    /// Whether it has written `text` by now.
    pub(crate) fn has_said(&mut self, stream: Stream, text: &str) -> bool {
        while self.take(Instant::now()).is_ok() {}
        let said = if stream == Stream::Out { &self.out } else { &self.err };
        said.contains(text)
    }

    /// Kills it; [`Running::wait`] then tells what it had written.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Leaves it to itself; gives what it has written.
    pub(crate) fn abandon(mut self) -> String {
        while self.take(Instant::now() + LOOK).is_ok() {}
        let said = format!("{}{}", self.err, self.out);
        std::mem::forget(self); // To drop it would be to wait for it.
        said
    }

    /// Waits for its end, at most until `limit` after its start.
    pub(crate) fn wait(self, limit: Duration) -> io::Result<Ended> {
        self.wait_ticking(limit, limit, &mut |_| {})
    }

    /// Waits for its end, at most until `limit` after its start, a standstill apart; calls `tick`
    /// each time `every` has passed, and for each line with that line.
    pub(crate) fn wait_ticking(
        mut self,
        limit: Duration,
        every: Duration,
        tick: &mut dyn FnMut(Option<&str>),
    ) -> io::Result<Ended> {
        let mut stood_still = Duration::ZERO;
        let mut next = Instant::now() + every;
        let mut status = None;
        while status.is_none() && self.started.elapsed() < limit + stood_still {
            if Instant::now() >= next {
                tick(None);
                next = Instant::now() + every;
            }
            let looked = Instant::now();
            let line = self.take(looked + LOOK);
            if line == Err(RecvTimeoutError::Disconnected) {
                thread::sleep(LOOK);
            }
            stood_still += standstill(looked.elapsed());
            match line {
                Ok((_, line)) => tick(Some(&line)),
                Err(_) => status = self.child.try_wait()?,
            }
        }
        let is_late = status.is_none();
        let status = match status {
            Some(status) => status,
            None => self.end()?,
        };
        let is_stuck = self.is_stuck;
        let took = self.started.elapsed();
        // Until its streams are closed; a process of its own may hold them open for longer.
        let last = Instant::now() + LAST_WORDS;
        while let Ok((_, line)) = self.take(last) {
            tick(Some(&line));
        }
        let [shown, out, err] = [&mut self.shown, &mut self.out, &mut self.err].map(std::mem::take);
        Ok(Ended { shown, status, is_late, is_stuck, out, err, took, stood_still })
    }

    /// Kills it and waits for that, but not for ever.
    fn end(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        let killed = Instant::now();
        while killed.elapsed() < DYING {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(LOOK);
        }
        self.is_stuck = true;
        Ok(ExitStatus::from_raw(KILLED))
    }

    fn take(&mut self, end: Instant) -> Result<(Stream, String), RecvTimeoutError> {
        let left = end.saturating_duration_since(Instant::now());
        let (stream, line) = self.lines.recv_timeout(left)?;
        let kept = if stream == Stream::Out { &mut self.out } else { &mut self.err };
        kept.push_str(&line);
        Ok((stream, line))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_stuck {
            // It fails when it has ended and was waited for; that is what is wanted.
            self.end().ok();
        }
    }
}

impl Ended {
    /// How it ended, for a person.
    pub(crate) fn how(&self) -> String {
        match (self.is_late, self.status.code(), self.status.signal()) {
            (true, ..) if self.is_stuck => format!(
                "was still running after {:.1} s, and cannot be ended",
                self.took.as_secs_f64()
            ),
            (true, ..) => format!("was still running after {:.1} s", self.took.as_secs_f64()),
            (false, Some(code), _) => format!("exit status {code}"),
            (false, None, Some(signal)) => format!("signal {signal}"),
            (false, None, None) => self.status.to_string(),
        }
    }
}

/// How long the machine stood still, when a look took so long.
fn standstill(look: Duration) -> Duration {
    if look > STANDSTILL { look } else { Duration::ZERO }
}

/// Reads lines in a thread of their own until the program closes the stream.
fn read(stream: Stream, from: impl Read + Send + 'static, said: Sender<(Stream, String)>) {
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        // An error of a pipe is its end.
        while from.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            if said.send((stream, String::from_utf8_lossy(&line).into_owned())).is_err() {
                break; // Nobody listens any more.
            }
            line.clear();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Running {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Running::start(command).expect("there is a shell")
    }

    #[test]
    fn both_streams_and_the_status_are_kept() {
        let ended = shell("echo a; echo b >&2; echo c; exit 3").wait(LONG).unwrap();
        assert_eq!((ended.out.as_str(), ended.err.as_str()), ("a\nc\n", "b\n"));
        assert_eq!(ended.how(), "exit status 3");
    }

    #[test]
    fn a_program_that_hangs_is_killed_at_its_limit_and_keeps_what_it_wrote() {
        let start = Instant::now();
        let ended = shell("echo before; exec sleep 60").wait(Duration::from_millis(200)).unwrap();
        assert!(ended.is_late && start.elapsed() < LONG, "{ended:?}");
        assert_eq!(ended.out, "before\n");
    }

    #[test]
    fn only_a_look_that_takes_long_is_a_standstill() {
        assert_eq!(standstill(LOOK), Duration::ZERO);
        assert_eq!(standstill(STANDSTILL), Duration::ZERO);
        assert_eq!(standstill(2 * STANDSTILL), 2 * STANDSTILL);
    }

    #[test]
    fn a_program_that_is_dropped_is_killed_and_a_stuck_one_is_left_behind() {
        let running = shell("exec sleep 60");
        let id = running.id();
        drop(running);
        assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
        let mut running = shell("exec sleep 60");
        running.is_stuck = true;
        let start = Instant::now();
        let id = running.id();
        drop(running);
        assert!(start.elapsed() < LONG);
        assert!(std::path::Path::new(&format!("/proc/{id}")).exists());
        Command::new("kill").arg(id.to_string()).status().unwrap();
    }

    #[test]
    fn a_caller_can_act_between_two_lines() {
        let mut running = shell("echo relinking >&2; sleep 60; echo relinked >&2");
        assert!(running.wait_for(Stream::Err, "relinking", LONG));
        assert!(running.has_said(Stream::Err, "relinking"));
        assert!(!running.has_said(Stream::Err, "relinked"));
        running.kill().unwrap();
        let ended = running.wait(LONG).unwrap();
        assert_eq!((ended.err.as_str(), ended.how().as_str()), ("relinking\n", "signal 9"));
    }

    #[test]
    fn a_caller_can_ask_what_was_said_without_waiting_for_it() {
        let mut running = shell("echo offloaded; echo terminated; sleep 60");
        assert!(running.wait_for(Stream::Out, "offloaded", LONG));
        let end = Instant::now() + LONG;
        while !running.has_said(Stream::Out, "terminated") {
            assert!(Instant::now() < end, "it was said, and never seen");
        }
    }

    #[test]
    fn last_words_are_waited_for_while_a_stream_is_open() {
        let ended = shell("(sleep 0.1; echo late) & echo early").wait(LONG).unwrap();
        assert_eq!(ended.out, "early\nlate\n");
    }

    #[test]
    fn a_line_that_never_comes_is_not_waited_for_beyond_the_end() {
        let start = Instant::now();
        assert!(!shell("echo x").wait_for(Stream::Out, "y", LONG));
        assert!(start.elapsed() < LONG);
    }
}
