//! `flue bench` as a user runs it: every figure is there, and on a timed card every run the same.

#![expect(clippy::unwrap_used, reason = "a test ends where a step of it fails")]

use std::process::Command;

use serde_json::Value;

fn bench(options: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_flue"))
        .args(["bench", "--json", "--seconds", "0"])
        .args(options)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a timed card's figures are, without the number of rounds, which is the machine's matter.
fn figures(report: &Value) -> Vec<(String, f64)> {
    let name = |entry: &Value| format!("{} {}", entry["operation"], entry["with_frames"]);
    let of = |list: &str, key: &str| {
        let entries = report[list].as_array().unwrap().iter();
        entries.map(|entry| (name(entry), entry[key].as_f64().unwrap())).collect::<Vec<_>>()
    };
    [of("bulk", "ns_per_object"), of("commands", "ns_p50")].concat()
}

#[test]
fn a_timed_card_has_the_same_figures_in_every_run() {
    let first = bench(&["--paths", "50", "--timed"]);
    assert_eq!((&first["clock"], &first["timed"]), (&"card".into(), &true.into()));
    let figures_of_first = figures(&first);
    assert_eq!(figures_of_first.len(), 3 + 2 * 3);
    assert!(figures_of_first.iter().all(|(_, ns)| *ns > 0.0), "{figures_of_first:?}");
    assert_eq!(figures(&bench(&["--paths", "50", "--timed"])), figures_of_first);
}

#[test]
fn relinking_all_costs_a_timed_card_the_same_for_one_path_and_for_many() {
    let ns = |paths: &str| {
        let report = bench(&["--timed", "--paths", paths]);
        let relink = figures(&report).into_iter().find(|(name, _)| name.contains("relink all"));
        relink.unwrap().1
    };
    assert_eq!(ns("1"), ns("2000"));
}

#[test]
fn a_free_running_card_is_measured_by_the_machines_clock() {
    let report = bench(&["--paths", "50"]);
    assert_eq!(report["clock"], "wall");
    assert!(report["frames"]["frames_per_second"].as_f64().unwrap() > 0.0);
    assert!(figures(&report).iter().all(|(_, ns)| *ns > 0.0), "{report}");
}
