//! Every script in `tests/scripts` gives its expected answers, on both ways of the model.
//!
//! `NAME.jsonl` is the script, `NAME.args` its options if it has any, `NAME.expected.jsonl` what
//! it answers; below `wrong/`, `NAME.expected.txt` is the message that ends it.
//! `FLUE_BLESS=1` writes the expected files anew (from the timed card); read the difference.

#![expect(clippy::unwrap_used, reason = "a test ends where a step of it fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn scripts(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts").join(folder);
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_script = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.ends_with(".jsonl") && !name.ends_with(".expected.jsonl")
    };
    let mut scripts: Vec<PathBuf> = entries.filter(is_script).collect();
    scripts.sort();
    assert!(!scripts.is_empty());
    scripts
}

fn run(script: &Path, more: &[&str]) -> Output {
    let options = fs::read_to_string(script.with_extension("args")).unwrap_or_default();
    let mut command = Command::new(env!("CARGO_BIN_EXE_flue"));
    command.arg("run").arg(script.file_name().unwrap()).current_dir(script.parent().unwrap());
    command.args(options.split_whitespace()).args(more).output().unwrap()
}

/// Answers without what depends on how long things took: cycles and ages.
fn comparable(text: &str) -> Vec<Value> {
    fn strip(value: &mut Value) {
        if let Value::Object(entries) = value {
            entries.retain(|key, _| key != "card_cycles" && !key.ends_with("_reachability_ms"));
            entries.values_mut().for_each(strip);
        }
    }
    let mut answers: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    answers.iter_mut().for_each(strip);
    answers
}

fn expected(script: &Path, extension: &str, found: &str) -> String {
    let path = script.with_extension(extension);
    if std::env::var_os("FLUE_BLESS").is_some() {
        fs::write(&path, found).unwrap();
    }
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn assert_answers(script: &Path, expected: &[Value], found: &[Value], way: &str) {
    for (expected, found) in expected.iter().zip(found) {
        assert_eq!(expected, found, "{} {way}", script.display());
    }
    assert_eq!(expected.len(), found.len(), "{} {way}: number of answers", script.display());
}

#[test]
fn every_script_gives_its_answers_on_the_timed_card() {
    for script in scripts("") {
        let output = run(&script, &["--timed"]);
        let found = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{}: {stderr}", script.display());
        let mut lines = String::new();
        for line in found.lines() {
            let (answer, cycles) = line.rsplit_once(",\"card_cycles\":").unwrap();
            assert!(cycles.trim_end_matches('}').parse::<u64>().is_ok(), "{line}");
            lines += &format!("{answer}}}\n");
        }
        let expected = expected(&script, "expected.jsonl", &lines);
        assert_answers(&script, &comparable(&expected), &comparable(&lines), "timed");
    }
}

#[test]
fn every_script_gives_its_answers_on_the_free_running_card() {
    for script in scripts("") {
        let output = run(&script, &[]);
        let found = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{}: {stderr}", script.display());
        assert!(!found.contains("card_cycles"));
        let path = script.with_extension("expected.jsonl");
        let expected = fs::read_to_string(path).unwrap();
        assert_answers(&script, &comparable(&expected), &comparable(&found), "free");
    }
}

#[test]
fn the_scripts_together_give_every_status_and_use_every_operation() {
    let mut all = String::new();
    for script in scripts("") {
        all += &fs::read_to_string(script.with_extension("expected.jsonl")).unwrap();
    }
    let statuses = [
        "success",
        "partial_success",
        "failure",
        "resources",
        "tcp_entries",
        "path_entries",
        "neighbor_entries",
        "hw_address_entries",
        "vlan_entries",
        "vlan_mismatch",
        "path_mtu",
        "connection_rejected",
        "stale_handle",
        "has_dependents",
        "invalid_object",
        "wrong_kind",
    ];
    for status in statuses {
        assert!(all.contains(&format!(":\"{status}\"")), "no script gives {status}");
    }
    let operations = [
        "initiate",
        "update",
        "relink",
        "query",
        "invalidate",
        "terminate",
        "send",
        "wait",
        "events",
        "reset",
    ];
    for operation in operations {
        assert!(all.contains(&format!("\"op\":\"{operation}\"")), "no script has {operation}");
    }
}

#[test]
fn a_wrong_line_ends_the_run_with_status_2_and_a_message_that_names_it() {
    for script in scripts("wrong") {
        let output = run(&script, &["--timed"]);
        assert_eq!(output.status.code(), Some(2), "{}", script.display());
        let message = String::from_utf8(output.stderr).unwrap();
        let expected = expected(&script, "expected.txt", &message);
        assert_eq!(message, expected, "{}", script.display());
        let name = script.file_name().unwrap().to_string_lossy();
        assert!(message.starts_with(&format!("flue: {name}: line 2: ")), "{message}");
        assert!(message.contains("expected"), "{message}");
        let answers = String::from_utf8(output.stdout).unwrap();
        assert_eq!(answers.lines().count(), 1, "only the line before was answered: {answers}");
    }
}

#[test]
fn a_script_that_is_not_there_is_the_callers_mistake() {
    let missing = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts/missing.jsonl");
    let output = run(&missing, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing.jsonl: cannot read"));
}
