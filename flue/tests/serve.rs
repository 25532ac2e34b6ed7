//! The served card as a process: where it listens, whom it tells what, how it ends.

#![expect(clippy::unwrap_used, reason = "a test ends where a step of it fails")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest time for anything that a server is to do.
const SOON: Duration = Duration::from_secs(20);

/// A path of its own, short enough for a socket.
fn socket(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("flue-{}-{name}.sock", std::process::id()));
    fs::remove_file(&path).ok();
    path
}

/// A server that is ended with the test, however that ends.
struct Server(Child);

impl Server {
    fn start(socket: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flue"));
        command.arg("serve").arg("--socket").arg(socket).args(more);
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn signal(&self, signal: &str) {
        let words = format!("kill -{signal} {}", self.0.id());
        assert!(Command::new("sh").args(["-c", &words]).status().unwrap().success());
    }

    fn exit_status(&mut self) -> Option<i32> {
        let started = Instant::now();
        while started.elapsed() < SOON {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the server does not end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn refused(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flue"));
    let Output { status, stderr, .. } = command.arg("serve").args(arguments).output().unwrap();
    assert_eq!(status.code(), Some(2), "{arguments:?}");
    String::from_utf8(stderr).unwrap()
}

#[test]
fn a_server_says_where_it_listens_and_ends_in_order_on_either_signal() {
    for signal in ["TERM", "INT"] {
        let socket = socket(&format!("order-{signal}"));
        let pcap = socket.with_extension("pcap");
        let mut server =
            Server::start(&socket, &["--json", "--bench", "--pcap", pcap.to_str().unwrap()]);
        let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
        let mut next =
            || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
        let listening = next();
        assert_eq!(listening["event"], "listening");
        assert_eq!(listening["socket"], socket.to_str().unwrap());
        assert_eq!(listening["bench"], true);
        // A client that comes and goes without a word.
        drop(UnixStream::connect(&socket).unwrap());
        assert_eq!(next()["event"], "connected");
        let gone = next();
        assert_eq!(gone["event"], "gone");
        assert!(gone["why"].is_string(), "{gone}");
        server.signal(signal);
        assert_eq!(next()["event"], "stopped");
        assert_eq!(server.exit_status(), Some(0), "{signal}");
        assert!(!socket.exists(), "{}", socket.display());
        assert_eq!(fs::metadata(&pcap).unwrap().len(), 24, "the capture has its header");
        fs::remove_file(pcap).unwrap();
    }
}

#[test]
fn a_server_ends_in_order_while_a_client_is_there() {
    let socket = socket("client");
    let mut server = Server::start(&socket, &[]);
    let mut lines = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let expected = format!("flue: listening at {}: the model card; Ctrl-C stops", socket.display());
    assert_eq!(first, expected);
    let client = UnixStream::connect(&socket).unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "flue: a client has connected");
    server.signal("TERM");
    assert_eq!(server.exit_status(), Some(0));
    assert!(!socket.exists());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(rest.last().unwrap(), "flue: stopped", "{rest:?}");
    let mut nothing = String::new();
    server.0.stdout.take().unwrap().read_to_string(&mut nothing).unwrap();
    assert_eq!(nothing, "", "standard output is for scripts");
    drop(client);
}

#[test]
fn a_socket_that_a_dead_server_left_is_taken_over_and_one_in_use_is_not() {
    let socket = socket("stale");
    drop(UnixListener::bind(&socket).unwrap());
    let mut server = Server::start(&socket, &["--json"]);
    let mut stdout = BufReader::new(server.0.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    let message = refused(&["--socket", socket.to_str().unwrap()]);
    assert!(message.contains("is in use") && message.contains(socket.to_str().unwrap()));
    server.signal("TERM");
    assert_eq!(server.exit_status(), Some(0));
}

#[test]
fn what_cannot_be_served_is_refused_with_the_reason() {
    let message = refused(&["--socket", "x", "--timed"]);
    assert!(message.contains("time passes only while the driver in its own process"), "{message}");
    let message = refused(&["--socket", "x", "--card", "vfio:0000:00:05.0"]);
    assert!(message.contains("vfio:0000:00:05.0") && message.contains("`model`"), "{message}");
    let message = refused(&["--socket", "/nonexistent/flue.sock"]);
    assert!(message.contains("cannot listen at /nonexistent/flue.sock"), "{message}");
    let message = refused(&[]);
    assert!(message.contains("--socket <PATH>"), "{message}");
}
