//! The conformance suite as a command, on the model: names, verdicts, exit status.

#![expect(clippy::unwrap_used, reason = "a test ends where a step of it fails")]

use std::process::{Command, Output};

use serde_json::Value;

fn conformance(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flue"));
    command.arg("conformance").args(arguments).output().unwrap()
}

fn names(arguments: &[&str]) -> Vec<String> {
    let output = conformance(&[&["--list"], arguments].concat());
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn claims_that_were_named_are_tried_both_ways_and_told_one_a_line() {
    for way in [&["--timed"][..], &[]] {
        let asked = ["relink_moves_the_named_paths_only", "relink_all_"];
        let output = conformance(&[&["--json"], way, &asked].concat());
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), &*stderr), (Some(0), ""));
        let lines = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let last = lines.pop().unwrap();
        let told: Vec<&str> = lines.iter().map(|line| line["claim"].as_str().unwrap()).collect();
        assert_eq!(told, names(&asked));
        assert!(told.len() > 2);
        for line in &lines {
            assert_eq!((&line["result"], line["ms"].is_u64()), (&"held".into(), true), "{line}");
            assert!(line.get("why").is_none());
        }
        assert_eq!((&last["card"], &last["timed"]), (&"model".into(), &(!way.is_empty()).into()));
        assert_eq!((&last["claims"], &last["held"]), (&told.len().into(), &told.len().into()));
        assert_eq!((&last["broken"], &last["skipped"]), (&0.into(), &0.into()));
    }
}

#[test]
fn a_person_gets_a_mark_a_claim_and_the_counts() {
    let output = conformance(&["--timed", "relink_of_nothing_is_success"]);
    assert_eq!(output.status.code(), Some(0));
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.starts_with("1 claim on the model, timed\n"), "{page}");
    assert!(page.contains("  ✓ relink_of_nothing_is_success "), "{page}");
    assert!(
        page.contains("\n1 claim on the model, timed: 1 held, 0 broken, 0 skipped ("),
        "{page}"
    );
}

#[test]
fn a_name_that_fits_no_claim_is_refused_before_any_is_tried() {
    let output = conformance(&["relink_of_nothing_is_success", "no_such_claim"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("`no_such_claim`") && message.contains("--list"), "{message}");
}

#[test]
fn the_list_has_every_claim_once() {
    let mut all = names(&[]);
    let count = all.len();
    assert!(count > 150, "{count}");
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
}
