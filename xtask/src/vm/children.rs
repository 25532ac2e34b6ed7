//! Processes that never outlive this one: servers, QEMU.
//!
//! A child is killed and reaped when it is dropped. Should this program itself be killed, or
//! interrupted from the terminal, nothing is dropped; then the warden acts, a shell that reads a
//! pipe of ours, and kills what it was told of when that pipe closes for whatever reason.

use std::io::{self, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often an end is looked for.
const LOOK: Duration = Duration::from_millis(10);
/// Ignores what a terminal sends to all; ends when nobody can write to it any more.
const WARDEN: &str = "trap '' INT TERM HUP QUIT; all=; \
                      while read -r one; do all=\"$all $one\"; done; \
                      [ -z \"$all\" ] || kill -KILL $all";

/// Kills what it was told of when this program is gone.
#[derive(Debug)]
pub(crate) struct Warden {
    shell: Child,
    told: Option<ChildStdin>,
}

impl Warden {
    /// Starts it.
    pub(crate) fn start() -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", WARDEN]).stdin(Stdio::piped());
        let mut shell = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let told = shell.stdin.take();
        Ok(Self { shell, told })
    }

    fn watch(&mut self, child: &Child) -> io::Result<()> {
        let told = self.told.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(told, "{}", child.id())
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        // What it watched has been killed by its owners: it must not act on their numbers later.
        self.shell.kill().ok();
        self.shell.wait().ok();
    }
}

/// A process that ends with its owner.
#[derive(Debug)]
pub(crate) struct Kept {
    child: Child,
}

impl Kept {
    /// Starts it, watched by `warden`.
    pub(crate) fn start(mut command: Command, warden: &mut Warden) -> io::Result<Self> {
        let kept = Self { child: command.spawn()? };
        warden.watch(&kept.child)?;
        Ok(kept)
    }

    /// The child itself, for its streams.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Kills it, without giving it a chance to say a word.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Asks it to end, as an interrupt from a terminal does, and waits so long for that.
    pub(crate) fn interrupt(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let number = self.child.id().to_string();
        Command::new("sh").args(["-c", "kill -INT \"$0\"", &number]).status()?;
        self.wait(limit)
    }

    /// Waits for its end, so long.
    pub(crate) fn wait(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let end = Instant::now() + limit;
        loop {
            match self.child.try_wait()? {
                None if Instant::now() < end => thread::sleep(LOOK),
                ended => return Ok(ended),
            }
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Both fail when it has ended and was waited for; that is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn sleeper(warden: &mut Warden) -> Kept {
        // Where the tests run in the background of a shell, interrupts are ignored, and that is
        // inherited; a sleeper does not change it, as the programs that are run here do.
        let mut command = Command::new("env");
        command.args(["--default-signal=INT", "sleep", "60"]);
        Kept::start(command, warden).unwrap()
    }

    #[test]
    fn the_warden_kills_all_children_when_the_pipe_to_it_closes() {
        let mut warden = Warden::start().unwrap();
        let (mut one, mut other) = (sleeper(&mut warden), sleeper(&mut warden));
        warden.told = None; // As if this program were gone.
        for kept in [&mut one, &mut other] {
            let status = kept.wait(LONG).unwrap().expect("it was killed");
            assert_eq!(status.signal(), Some(9));
        }
    }

    #[test]
    fn an_interrupt_ends_a_child() {
        let mut warden = Warden::start().unwrap();
        let status = sleeper(&mut warden).interrupt(LONG).unwrap().expect("it has ended");
        assert_eq!(status.signal(), Some(2));
    }
}
