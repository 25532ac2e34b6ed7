//! Traces on the command line: made by jobs and scripts, shown as lines, JSON and Chrome traces.

#![expect(clippy::unwrap_used, reason = "a test ends where a step of it fails")]

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn flue(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flue")).args(arguments).output().unwrap()
}

/// What a command that succeeds without a word of complaint prints.
fn said(arguments: &[&str]) -> String {
    let output = flue(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), &*stderr), (Some(0), ""), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn script() -> String {
    format!("{}/tests/scripts/relink.jsonl", env!("CARGO_MANIFEST_DIR"))
}

/// Makes the trace of a small fail-over on a timed card; its file, and its lines.
fn traced_failover(name: &str) -> (PathBuf, Vec<Value>) {
    let trace = file(name);
    let path = trace.to_str().unwrap();
    said(&["failover", "--paths", "500", "--timed", "--json", "--trace", path]);
    let shown = lines(&said(&["inspect", "--trace", path, "--json"]));
    (trace, shown)
}

#[test]
fn a_timed_cards_trace_is_complete_and_changes_nothing() {
    let job = ["failover", "--paths", "500", "--timed", "--json"];
    let report = |arguments: &[&str]| {
        let mut report: Value = serde_json::from_str(&said(arguments)).unwrap();
        let entries = report.as_object_mut().unwrap();
        entries.retain(|key, _| !key.starts_with("wall_clock"));
        report
    };
    let plain = report(&job);
    let trace = file("complete.trace");
    let path = trace.to_str().unwrap();
    assert_eq!(report(&[&job[..], &["--trace", path]].concat()), plain);
    let shown = lines(&said(&["inspect", "--trace", path, "--json"]));
    let (last, entries) = shown.split_last().unwrap();
    assert_eq!(last["records"], entries.len());
    assert_eq!(
        (&last["lost"], &last["not_kept"], &last["is_whole"]),
        (&Value::from(0), &Value::from(0), &Value::from(true))
    );
    assert_eq!(last["host_time_error_ns"], 0, "one clock, read while it stands still");
    let times: Vec<_> = entries.iter().map(|entry| entry["us"].as_f64().unwrap()).collect();
    assert!(times.is_sorted() && times[0] == 0.0);
}

#[test]
fn every_tree_of_a_job_is_told_from_its_submission_to_its_completion() {
    let (_, shown) = traced_failover("trees.trace");
    let mut steps: HashMap<u64, Vec<&str>> = HashMap::new();
    for entry in shown.iter().filter(|entry| entry["tag"].is_u64()) {
        let tag = entry["tag"].as_u64().unwrap();
        steps.entry(tag).or_default().push(entry["what"].as_str().unwrap());
    }
    assert!(steps.len() > 5, "{steps:?}");
    for (tag, steps) in steps {
        let expected = ["submitted", "tree_begun", "parked", "completed", "seen"];
        assert_eq!(steps, expected, "tree {tag}");
    }
    // The fences of the fail-over: raised by the firmware, announced by the datapath.
    let epochs = |what: &str| -> HashSet<u64> {
        let of = shown.iter().filter(|entry| entry["what"] == what);
        of.map(|entry| entry["epoch"].as_u64().unwrap()).collect()
    };
    let (raised, announced) = (epochs("raised"), epochs("announced"));
    assert!(raised.len() >= 3 && announced.is_subset(&raised), "{raised:?} {announced:?}");
    let left: u64 = shown
        .iter()
        .filter(|entry| entry["what"] == "crossed")
        .map(|entry| entry["left"].as_u64().unwrap())
        .sum();
    assert!(left > 500);
}

#[test]
fn a_chrome_trace_has_every_track_and_slices_that_nest() {
    let (trace, _) = traced_failover("chrome.trace");
    let out = file("chrome.json");
    let out_path = out.to_str().unwrap();
    assert_eq!(said(&["inspect", "--trace", trace.to_str().unwrap(), "--chrome", out_path]), "");
    let whole: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    let events = whole["traceEvents"].as_array().unwrap();
    let names = |of: &str| -> HashSet<&str> {
        let named = events.iter().filter(|event| event["name"] == of);
        named.map(|event| event["args"]["name"].as_str().unwrap()).collect()
    };
    assert_eq!(names("process_name"), HashSet::from(["host", "rings", "firmware", "datapath"]));
    assert!(names("thread_name").is_superset(&HashSet::from(["command 0", "transmit 0"])));
    // On a track, a slice ends before the one around it does.
    let mut open: HashMap<(u64, u64), Vec<u64>> = HashMap::new();
    for event in events.iter().filter(|event| event["ph"] == "X") {
        let number = |key: &str| event[key].as_u64().unwrap();
        // As a viewer takes them: in ns, cut off.
        let [begin, length] = ["ts", "dur"].map(|key| (event[key].as_f64().unwrap() * 1e3) as u64);
        let around = open.entry((number("pid"), number("tid"))).or_default();
        while around.last().is_some_and(|end| *end <= begin) {
            around.pop();
        }
        let fits = around.last().is_none_or(|end| begin + length <= *end);
        assert!(fits, "{event} is longer than what it is in");
        around.push(begin + length);
    }
    let count = |phase: &str| events.iter().filter(|event| event["ph"] == phase).count();
    assert_eq!(count("b"), count("e"));
    let trees = count("s");
    assert!(trees > 5);
    assert_eq!((count("t"), count("f")), (2 * trees, trees), "firmware and ring, then the host");
}

#[test]
fn a_card_with_a_life_of_its_own_is_followed_and_gaps_are_told() {
    let trace = file("free.trace");
    let path = trace.to_str().unwrap();
    let output = flue(&["failover", "--paths", "500", "--json", "--trace", path]);
    assert_eq!(output.status.code(), Some(0));
    let shown = lines(&said(&["inspect", "--trace", path, "--json"]));
    let last = shown.last().unwrap();
    assert_eq!(last["is_whole"], true);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(last["lost"] == 0, complaint.is_empty(), "{complaint}");
    let told: u64 = shown
        .iter()
        .filter(|entry| entry["what"] == "lost")
        .map(|entry| entry["records"].as_u64().unwrap())
        .sum();
    assert!(last["lost"].as_u64().unwrap() >= told);
    assert!(shown.iter().any(|entry| entry["what"] == "seen"));
}

#[test]
fn a_script_is_traced_into_a_file_or_shown_at_once() {
    let trace = file("script.trace");
    let path = trace.to_str().unwrap();
    said(&["run", &script(), "--timed", "--trace", path]);
    let kept = said(&["inspect", "--trace", path]);
    let output = flue(&["inspect", "--trace", "--timed", "--script", &script()]);
    assert_eq!(output.status.code(), Some(0));
    // Inspecting looks at no more than the script did: the same steps, one by one.
    assert_eq!(String::from_utf8(output.stdout).unwrap(), kept);
    assert!(kept.contains("firmware  command 0   tree_begun  tag=0 opcode=initiate\n"), "{kept}");
    assert!(kept.contains(" us  datapath              announced   epoch=1\n"), "{kept}");
}

#[test]
fn what_is_no_trace_is_refused_in_words() {
    let wrong = file("wrong.trace");
    for (bytes, expected) in [
        (&b""[..], "it is no trace of flue"),
        (&b"{\"traceEvents\":[]}"[..], "it is no trace of flue"),
        (&[0xff; 64][..], "it is no trace of flue"),
        (&b"FLUETRAC\x02\0\0\0\0\0\0\0"[..], "it is a trace of format 2, expected 1"),
        (&b"FLUETRAC\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"[..], "kHz is 0"),
    ] {
        fs::write(&wrong, bytes).unwrap();
        for form in [&["--json"][..], &[], &["--chrome", "/nonexistent/out.json"]] {
            let output = flue(&[&["inspect", "--trace", wrong.to_str().unwrap()], form].concat());
            let message = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{message}");
            assert!(message.contains("wrong.trace: ") && message.contains(expected), "{message}");
            assert!(output.stdout.is_empty());
        }
    }
}

#[test]
fn a_trace_that_was_cut_off_shows_what_is_there() {
    let (trace, shown) = traced_failover("cut.trace");
    let bytes = fs::read(&trace).unwrap();
    fs::write(&trace, &bytes[..bytes.len() / 2]).unwrap();
    let cut = lines(&said(&["inspect", "--trace", trace.to_str().unwrap(), "--json"]));
    assert_eq!(cut.last().unwrap()["is_whole"], false);
    assert!(cut.len() > 100 && cut.len() < shown.len());
}

#[test]
fn options_of_a_trace_are_checked_before_anything_runs() {
    let cases: [(&[&str], &str); 4] = [
        (&["inspect", "--chrome", "x.json"], "--trace"),
        (&["inspect", "--trace", "x", "--chrome", "y", "--json"], "cannot be used with"),
        (&["inspect", "--trace", "/nonexistent.trace"], "/nonexistent.trace: No such file"),
        (&["failover", "--trace", "/nonexistent/x", "--timed"], "/nonexistent/x: No such file"),
    ];
    for (arguments, expected) in cases {
        let output = flue(arguments);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(expected), "{message}");
    }
}
