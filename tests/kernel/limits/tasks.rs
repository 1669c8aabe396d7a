//! How many tasks may be confined at once.

use std::fs;

use enforcer_tests::{Agent, Folder, profile, program};

use super::confined;
use crate::background::{Told, skip};

/// Tasks in one domain.
const TASKS: u64 = 10_000;

/// Memory that these take, with or without a profile, and some to spare, in KiB.
const NEEDED_KIB: u64 = 640 << 10;

/// Memory that is there to be used, in KiB.
pub(super) fn available_kib() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").expect("read /proc/meminfo");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .expect("MemAvailable");
    let number = line.trim().trim_end_matches(" kB");
    number.parse().expect("a number")
}

/// Starts the tasks, has each open a file twice, and returns the memory that they
/// took, in KiB.
fn start_and_open(mut tasks: Told) -> u64 {
    let before = available_kib();
    assert_eq!(
        tasks.tell(&format!("spawn {TASKS}")),
        format!("spawned {TASKS}")
    );
    for _ in 0..2 {
        assert_eq!(tasks.tell("open"), format!("granted {TASKS} refused 0"));
    }
    let taken = before.saturating_sub(available_kib());
    assert!(tasks.go_on().success());
    taken
}

/// Ten thousand tasks are confined at once. What that takes is told, beside what as
/// many unconfined tasks take.
#[test]
fn ten_thousand_tasks() {
    if available_kib() < NEEDED_KIB {
        return skip("not enough memory for as many tasks");
    }
    fs::write("/proc/sys/kernel/threads-max", "30000").expect("allow as many tasks");
    let folder = Folder::new("tasks");
    let file = folder.write("file", "x");
    let rule = format!("  - {{ path: {file}, allow: [read] }}");
    let agent = Agent::start(&[("p", &profile("enforce", &rule))]);

    let mut edge = std::process::Command::new(program("edge"));
    let outside = start_and_open(Told::start(edge.args(["tasks", &file])));
    let inside = start_and_open(Told::start(&mut confined("p", "edge", &["tasks", &file])));
    println!("{TASKS} tasks: {outside} KiB unconfined, {inside} KiB confined");
    assert_eq!(agent.detection(&file), None);
}
