//! What a wrong command line gets: exit status 2 and a message that helps.

#![expect(clippy::unwrap_used, reason = "a test ends where a step of it fails")]

use std::process::{Command, Output};

fn flue(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flue")).args(arguments).output().unwrap()
}

#[test]
fn a_card_that_this_version_does_not_have_is_refused_by_name() {
    for card in ["riscv", "rtl", "vfio:0000:01:00.0", "nonsense"] {
        let output = flue(&["failover", "--card", card]);
        assert_eq!(output.status.code(), Some(2), "{card}");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains(card) && message.contains("`model`"), "{message}");
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
    for command in ["failover", "run", "inspect"] {
        assert!(help.contains(command), "{help}");
    }
}
