//! A confined reader races with an outsider who changes names.
//!
//! Each test is a scene of the program `race`: a few files, the changes that an
//! outsider makes to their names over and over, and the opens that the reader
//! tries, one a round. Both run at once, on a processor each.
//!
//! What is asserted in every round, and why it is sound:
//!
//! - An open during which nothing changed has the one outcome that this state of
//!   the names calls for. That nothing changed is known, not guessed: the outsider
//!   counts in shared memory before and after each change, and the reader finds
//!   the same count, and an even one, before and after its open.
//! - An open that met a change has an outcome that some name of the file calls
//!   for, of those that the file had at one time or another. An access is judged by
//!   the name that the file has when it is judged, and not by the one by which it
//!   was asked for: found as `granted/file` and moved before it is judged, a file
//!   may be refused, and the reverse. So for such files either outcome is right.
//!   But a file that never had a granted name is never read, and one that always
//!   has one is never refused; scenes have files of both kinds.
//! - At the end, every refusal was told, under a name that is not granted and that
//!   the file really had. So none was refused by a granted name, nor by one that
//!   is a mixture of two.
//!
//! A test in which no round met a change would prove nothing, nor would one in
//! which all did. So there is a least number of both.

use std::process::Command;

use enforcer_tests::{Agent, Folder, WITHIN, profile, program, wait_for};
use serde_json::Value;

use crate::background::Background;

/// Opens that the reader tries.
const ROUNDS: u64 = 100_000;

/// How many of them have to meet changes, and how many must not, at least.
const LEAST: u64 = 500;

/// A link that leads to a granted file or to a denied one, and a link on the way
/// that does. What it leads to is judged: the denied file is never read, the
/// granted one never refused.
#[test]
fn a_symlink_is_swapped() {
    race("symlink-swap");
}

/// A folder moves between a granted name and a denied one. The file in it is read
/// while it has a granted name and refused while it has the other, by whatever name
/// or open folder it is reached.
#[test]
fn a_parent_leaves_and_comes_back() {
    race("parent-leaves");
}

/// A folder moves between two granted names: the file in it is never refused.
#[test]
fn a_parent_moves_among_granted_names() {
    race("parent-stays-granted");
}

/// Two folders on the way to a file are renamed, in an order that never gives it a
/// granted name. Names that mix what was before a rename with what is after it are
/// granted: if one were judged, the file would be read.
#[test]
fn parents_move_among_denied_names() {
    race("parents-never-granted");
}

/// A denied file gets a granted name besides its own, and loses it. By its own it
/// is never read, though it is the same inode; by the granted one it is never
/// refused, only missing.
#[test]
fn a_hard_link_comes_and_goes() {
    race("hard-link");
}

/// A granted file is replaced by one from a folder that is not granted, as package
/// managers and editors do. It is never refused and never missing.
#[test]
fn a_granted_file_is_replaced() {
    race("replacement");
}

/// A granted and a denied file are exchanged in one step. Each is read by the
/// granted name and refused by the other.
#[test]
fn a_file_is_exchanged_in_and_out() {
    race("exchange-in-and-out");
}

/// Two folders with granted names are exchanged: what is in them is never refused
/// and never missing.
#[test]
fn granted_folders_are_exchanged() {
    race("exchange-among-granted");
}

/// Two folders with denied names are exchanged. A mixture of their names is
/// granted: if one were judged, a file in them would be read.
#[test]
fn denied_folders_are_exchanged() {
    race("exchange-among-denied");
}

/// Runs a scene.
fn race(scene: &str) {
    let folder = Folder::new("race");
    let top = folder.path().to_str().expect("test paths are text");
    let needs = prepare(scene, top);
    let texts = |name: &str| -> Vec<String> {
        let list = needs[name].as_array().expect("a list");
        list.iter()
            .map(|text| format!("{top}/{}", text.as_str().expect("text")))
            .collect()
    };
    let rules = texts("rules").iter().fold(
        format!("  - {{ path: {top}/board, allow: [read] }}\n"),
        |rules, pattern| rules + &format!("  - {{ path: \"{pattern}\", allow: [read] }}\n"),
    );
    let agent = Agent::start(&[("race", &profile("enforce", &rules))]);

    let mut outsider = Background::start(race_program().args(["change", scene, top]));
    let race = program("race");
    let race = race.to_str().expect("text");
    let output = agent.exec("race", &[race, "read", scene, top, &ROUNDS.to_string()]);
    assert!(output.status.success(), "{scene}: {output:?}");
    assert!(
        outsider.ended().is_none(),
        "{scene}: the outsider could not go on"
    );
    drop(outsider);

    let tally: Value = serde_json::from_slice(&output.stdout).expect("a tally");
    let count = |name: &str| tally[name].as_u64().expect("a number");
    println!(
        "{scene}: {tally}, {}",
        agent.json(&["status", "--json"])["reasons"]
    );
    assert_eq!(count("rounds"), ROUNDS, "{scene}: {tally}");
    let certain = count("certain");
    assert!(
        certain >= LEAST && ROUNDS - certain >= LEAST,
        "{scene}: {tally}"
    );
    check_refusals(&agent, scene, count("refused"), &texts("refusals"));
}

/// Checks that every refusal was told, and under a name that the file had.
fn check_refusals(agent: &Agent, scene: &str, refused: u64, names: &[String]) {
    let told = || -> u64 {
        let detections = agent.detections();
        detections
            .iter()
            .filter_map(|one| one["count"].as_u64())
            .sum()
    };
    let all = wait_for(WITHIN, || (told() == refused).then_some(()));
    assert!(all.is_some(), "{scene}: {} of {refused} told", told());
    for detection in agent.detections() {
        // Where the walk gave up, there is no name.
        if detection["reason"] != "raced" {
            assert_eq!(detection["reason"], "not-granted", "{scene}: {detection}");
            let path = detection["path"].as_str().expect("text");
            assert!(
                names.iter().any(|name| name == path),
                "{scene}: {detection}"
            );
        }
    }
}

fn race_program() -> Command {
    Command::new(program("race"))
}

/// Makes the scene, and returns what its test needs.
fn prepare(scene: &str, top: &str) -> Value {
    let output = race_program()
        .args(["prepare", scene, top])
        .output()
        .expect("run race");
    assert!(output.status.success(), "{scene}: {output:?}");
    serde_json::from_slice(&output.stdout).expect("what the scene needs")
}
