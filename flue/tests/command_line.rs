//! What a wrong command line gets: exit status 2 and a message that helps.

#![expect(clippy::unwrap_used, reason = "a test ends where a step of it fails")]

use std::process::{Command, Output};

fn flue(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flue")).args(arguments).output().unwrap()
}

#[test]
fn a_card_that_this_version_does_not_have_is_refused_by_name() {
    let absent: &[&str] = if cfg!(feature = "rtl") { &["nonsense"] } else { &["rtl", "nonsense"] };
    for card in absent {
        let output = flue(&["failover", "--card", card]);
        assert_eq!(output.status.code(), Some(2), "{card}");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains(card) && message.contains("`model`"), "{message}");
    }
}

/// A PCI address in a domain that machines do not have.
const NOBODY: &str = "vfio:fffe:ff:1f.7";

#[test]
fn a_pcie_card_that_is_not_there_is_an_error_that_names_its_address() {
    let commands: [&[&str]; 5] = [
        &["failover", "--paths", "10", "--json"],
        &["run", "/nonexistent.jsonl"],
        &["inspect"],
        &["conformance"],
        &["bench"],
    ];
    for command in commands {
        let output = flue(&[command, &["--card", NOBODY]].concat());
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        assert!(output.stdout.is_empty());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.starts_with("flue: vfio:fffe:ff:1f.7: no such PCI device"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn what_only_a_model_understands_is_refused_for_a_pcie_card_and_the_other_way_round() {
    let cases: [(&[&str], &str); 11] = [
        (&["inspect", "--image", "x"], "--image is for a core that runs one (--card riscv)"),
        (&["serve", "--socket", "x", "--image", "x"], "--image is for a core that runs one"),
        (&["run", "x", "--card", "riscv", "--image", "/nonexistent"], "`cargo xtask firmware`"),
        (&["bench", "card", "--image", "/dev/null"], "/dev/null: no 32-bit ELF"),
        (&["failover", "--card", NOBODY, "--timed"], "--timed is for the model"),
        (&["run", "x", "--card", NOBODY, "--pcap", "x.pcap"], "--pcap is for the model"),
        (&["inspect", "--card", NOBODY, "--capacity", "paths=5"], "--capacity is for the model"),
        (&["conformance", "--card", NOBODY, "--timed"], "--timed is for the model"),
        (&["inspect", "--pci-id", "10ee:9038"], "--pci-id is for a PCIe card"),
        (&["failover", "--card", "vfio:00:05"], "`00:05` is no PCI address; expected"),
        (&["inspect", "--card", NOBODY, "--pci-id", "10ee"], "`10ee` is no PCI ID; expected"),
    ];
    for (arguments, expected) in cases {
        let output = flue(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn wrong_options_say_what_is_right() {
    let cases: [(&[&str], &str); 6] = [
        (&["failover", "--neighbors", "1"], "1 is not in 2..=1024"),
        (&["failover", "--paths", "0"], "0 is not in 1..="),
        (&["failover", "--mode", "some"], "[possible values: list, all]"),
        (&["run", "x", "--capacity", "routers=1"], "expected one of neighbors, paths"),
        (&["run", "x", "--port-vlans", "4095"], "4095 is not in 1..=4094"),
        (&["failover", "--routes", "/nonexistent"], "cannot read the routing table"),
    ];
    for (arguments, expected) in cases {
        let output = flue(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn help_names_every_command() {
    let output = flue(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    for command in ["failover", "run", "inspect", "conformance", "serve", "bench"] {
        assert!(help.contains(command), "{help}");
    }
}

#[test]
fn help_of_serve_and_conformance_says_how_the_two_go_together() {
    let help = |command: &str| {
        let output = flue(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    let serve = help("serve");
    for text in ["vfio-user-pci", "memory-backend-memfd", "caching-mode=on", "drivers_probe"] {
        assert!(serve.contains(text), "{text} is missing: {serve}");
    }
    assert!(help("conformance").contains("flue serve --bench"));
}
