//! `--card riscv`: every command that takes a card, on a core that runs the firmware's image.
#![cfg(feature = "image")]
#![expect(clippy::unwrap_used, reason = "a test ends where a step of it fails")]

use std::process::{Command, Output};

use serde_json::Value;

fn flue(arguments: &[&str]) -> Output {
    let image = std::env::var_os("FLUE_FIRMWARE").expect(
        "FLUE_FIRMWARE names the firmware image: \
         `cargo xtask firmware` builds target/firmware/flue-firmware.elf",
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_flue"));
    command.args(arguments).arg("--image").arg(image).output().unwrap()
}

fn json(output: &Output) -> Value {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_timed_failover_keeps_its_promises_in_the_same_cycles_every_time() {
    let run = || {
        let arguments = ["failover", "--paths", "2000", "--card", "riscv", "--timed", "--json"];
        let mut report = json(&flue(&arguments));
        let entries = report.as_object_mut().unwrap();
        entries.retain(|key, _| !key.starts_with("wall_clock"));
        report
    };
    let first = run();
    assert_eq!(first["ok"], true);
    assert_eq!(first["card"], "riscv");
    assert!(first["card_cycles"].as_u64().unwrap() > 0);
    assert_eq!(first, run());
}

#[test]
fn a_free_running_failover_keeps_its_promises() {
    let report = json(&flue(&["failover", "--paths", "2000", "--card", "riscv", "--json"]));
    assert_eq!(report["ok"], true);
}

#[test]
fn inspect_names_the_card() {
    let report = json(&flue(&["inspect", "--card", "riscv", "--timed", "--json"]));
    assert_eq!(report["card"]["card"], "riscv");
    assert_eq!(report["card"]["state"], "ready");
    let hash = report["card"]["image_hash"].as_str().unwrap();
    assert!(hash.starts_with("0x") && hash.len() == 10, "{hash}");
}

#[test]
fn claims_can_be_tried_on_it() {
    let arguments = ["conformance", "relink_all", "--card", "riscv", "--timed"];
    let output = flue(&arguments);
    assert_eq!(output.status.code(), Some(0));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("the model with a RISC-V core, timed"), "{told}");
}

#[test]
fn bench_card_counts_both_kinds_of_memory() {
    let report = json(&flue(&["bench", "card", "--json"]));
    for place in ["on_chip", "off_chip"] {
        let costs = report[place].as_array().unwrap();
        let named = |name: &str| costs.iter().find(|cost| cost["operation"] == name).unwrap();
        assert!(named("idle step")["instructions"].as_f64().unwrap() > 0.0);
        assert!(named("relink list, one more path")["cycles"].as_f64().unwrap() > 0.0);
    }
    let stalls = |place: &str| report[place][0]["stalls"].as_f64().unwrap();
    assert!(stalls("off_chip") > stalls("on_chip"));
}
