//! The main job, small, in both modes and both ways; its JSON; its determinism.

#![expect(clippy::unwrap_used, reason = "a test ends where a step of it fails")]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn failover(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flue"));
    command.arg("failover").args(arguments).output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = failover(&[arguments, &["--json"]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    assert!(output.stderr.is_empty(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn every_path_is_relinked_and_no_promise_broken_in_both_modes_and_both_ways() {
    for mode in ["list", "all"] {
        for way in [&["--timed"][..], &[]] {
            let report = json(&[&["--paths", "3000", "--mode", mode], way].concat());
            for key in [
                "frames_old_after_completion",
                "frames_mixed",
                "frames_while_invalid",
                "failed",
                "frames_out_of_order",
                "frames_unknown",
            ] {
                assert_eq!(report[key], 0, "{mode} {way:?} {key}: {report}");
            }
            assert_eq!(report["ok"], true);
            assert_eq!(report["mode"], mode);
            assert_eq!(report["paths"], 3000);
            assert_eq!(report["neighbors"], 4);
            let shares = report["paths_per_router"].as_array().unwrap();
            let most = shares.iter().map(|share| share.as_u64().unwrap()).max();
            assert_eq!(report["relinked"].as_u64(), most);
            assert!(report["frames"].as_u64().unwrap() > 3000);
            assert_eq!(report["card_cycles"].is_u64(), !way.is_empty());
            for key in ["offload_ns", "relink_ns", "terminate_ns", "relink_ns_per_path"] {
                assert!(report[key].as_f64().unwrap() > 0.0, "{key}");
            }
            for promise in report["promises"].as_array().unwrap() {
                assert!(promise["checked"].as_u64().unwrap() > 0, "never checked: {promise}");
                assert_eq!(promise["broken"], 0, "{promise}");
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_report_and_the_same_capture_on_the_timed_card() {
    let run = |name: &str, seed: &str| {
        let pcap = file(name);
        let options = ["--paths", "500", "--timed", "--seed", seed, "--pcap"];
        let mut report = json(&[&options[..], &[pcap.to_str().unwrap()]].concat());
        let entries = report.as_object_mut().unwrap();
        entries.retain(|key, _| !key.starts_with("wall_clock"));
        (report, fs::read(pcap).unwrap())
    };
    let (first, second) = (run("first.pcap", "7"), run("second.pcap", "7"));
    assert_eq!(first.0, second.0);
    assert!(first.1 == second.1, "the captures differ");
    assert!(first.1.len() > 500 * 60);
    assert_ne!(run("third.pcap", "8").0["paths_per_router"], first.0["paths_per_router"]);
}

#[test]
fn one_command_moves_all_at_the_same_cost_however_many_there_are() {
    let cycles = |paths| {
        let report = json(&["--timed", "--mode", "all", "--paths", paths]);
        report["card_cycles"].as_u64().unwrap() as f64
    };
    let (few, many) = (cycles("1000"), cycles("100000"));
    assert!(many / few <= 1.2, "{few} cycles for 1,000 paths, {many} for 100,000");
}

#[test]
fn the_capture_shows_the_change_of_mac() {
    let pcap = file("change.pcap");
    let report = json(&["--paths", "200", "--timed", "--pcap", pcap.to_str().unwrap()]);
    let bytes = fs::read(pcap).unwrap();
    let (header, record) = (24, 16);
    let mut at = header;
    let mut routers_of_path: Vec<HashSet<Vec<u8>>> = vec![HashSet::new(); 200];
    while at < bytes.len() {
        let length = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
        let frame = &bytes[at + record..at + record + length];
        // Every router has a VLAN; behind the tag an IPv4 or an IPv6 header.
        let mark = if frame[16..18] == [0x08, 0x00] { 18 + 20 } else { 18 + 40 };
        let path = u32::from_be_bytes(frame[mark..mark + 4].try_into().unwrap());
        routers_of_path[path as usize].insert(frame[..6].to_vec());
        at += record + length;
    }
    assert_eq!(at, bytes.len(), "the file ends with a whole frame");
    let moved = routers_of_path.iter().filter(|routers| routers.len() == 2).count() as u64;
    assert_eq!(Some(moved), report["relinked"].as_u64());
}

#[test]
fn every_format_of_routing_table_is_taken_and_errors_name_file_and_line() {
    let tables = [
        ("table.csv", "198.51.100.0,198.51.100.255,64500\n2001:db8::,2001:db8::ffff,64501\n"),
        ("prefixes.txt", "# two\n198.51.100.0/24\n2001:db8::/112\n"),
        (
            "kernel.json",
            r#"[{"dst":"default","gateway":"192.0.2.1","dev":"eth0","flags":[]},
                {"dst":"198.51.100.0/24","dev":"eth0"},{"dst":"2001:db8::/112","dev":"eth0"}]"#,
        ),
    ];
    for (name, text) in tables {
        let path = file(name);
        fs::write(&path, text).unwrap();
        let routes = path.to_str().unwrap();
        let report = json(&["--timed", "--paths", "400", "--routes", routes]);
        assert_eq!(report["ipv4_paths"], 200, "{name}");
        assert_eq!(report["ipv6_paths"], 200, "{name}");
    }
    let path = file("broken.csv");
    fs::write(&path, "198.51.100.0,198.51.100.255,64500\n198.51.100.0,x,1\n").unwrap();
    let output = failover(&["--routes", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("broken.csv: line 2: expected `start,end,asn`"), "{message}");
}

#[test]
fn the_page_for_a_person_has_the_picture_the_times_and_every_promise() {
    let output = failover(&["--paths", "1000", "--timed", "--neighbors", "8"]);
    assert_eq!(output.status.code(), Some(0));
    let page = String::from_utf8(output.stdout).unwrap();
    for text in [
        "(fails)",
        "(takes over)",
        "└ router fails",
        "└ relinked",
        "└ terminated",
        "offload",
        "relink",
        "card cycles",
        "✓ ",
        "ok: every promise held",
    ] {
        assert!(page.contains(text), "{text} is missing:\n{page}");
    }
}

#[test]
fn what_the_card_refuses_is_told_with_status_1() {
    let output = failover(&["--paths", "100", "--capacity", "paths=50"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("path_entries"), "{message}");
}

#[test]
fn every_step_is_said_on_standard_error_when_asked_for() {
    for mode in ["list", "all"] {
        let output = failover(&["--paths", "1000", "--verbose", "--json", "--mode", mode]);
        assert_eq!(output.status.code(), Some(0));
        assert!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["ok"].as_bool().unwrap());
        let said = String::from_utf8(output.stderr).unwrap();
        let steps: Vec<&str> = said.lines().collect();
        assert_eq!(
            steps,
            [
                "offloaded 1,000 paths behind 4 routers",
                "traffic runs: 5,000 packets posted",
                "invalidated router 1",
                "relinking 465 paths",
                "relinked 465 paths",
                "terminated router 1",
                "audited 1,003 objects",
            ]
        );
    }
}
