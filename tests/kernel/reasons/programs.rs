//! What a program would take with it.

use std::{fs, process::Command};

use enforcer_abi::limits::DESCRIPTORS;
use enforcer_tests::{Agent, EACCES, Folder, errno, profile, program};

use crate::{exec::can_switch, limits::confined};

/// A program that is no file cannot be named.
#[test]
fn a_program_without_a_name() {
    let rules = "  - { path: \"/**\", allow: [read, execute, map] }";
    let agent = Agent::start(&[("p", &profile("enforce", rules))]);
    let attempt = program("attempt");
    let args = ["memfd-exec", attempt.to_str().unwrap()];
    let output = confined("p", "attempt", &args).output().unwrap();
    assert_eq!(errno(&output), EACCES, "{output:?}");
    assert_eq!(agent.refusals("nameless"), 1);
}

/// Whoever traces a program would steer it in its new domain.
#[test]
fn a_traced_switch() {
    if !can_switch() {
        return;
    }
    let folder = Folder::new("traced");
    let other = folder.join("other");
    fs::copy(program("edge"), &other).unwrap();
    let file = folder.write("file", "x");
    let rules = format!("  - {{ path: {other}, allow: [read, map] }}");
    let switch = format!("exec:\n  - {{ path: {other}, profile: q }}\n");
    let narrow = profile("enforce", &rules) + &switch;
    let wide = format!(
        "  - {{ path: \"{}/**\", allow: [read, map] }}",
        folder.path().display()
    );
    let agent = Agent::start(&[("p", &narrow), ("q", &profile("enforce", &wide))]);
    let args = ["exec-traced", &*other, "read", &file];
    let output = confined("p", "edge", &args).output().unwrap();
    assert_eq!(errno(&output), EACCES, "{output:?}");
    assert_eq!(agent.refusals("traced"), 1);
}

/// What a domain would inherit is looked at, if it is not too much.
#[test]
fn too_many_descriptors() {
    let folder = Folder::new("descriptors");
    let file = folder.write("file", "x");
    let rule = format!("  - {{ path: {file}, allow: [read] }}");
    let agent = Agent::start(&[("p", &profile("enforce", &rule))]);
    let inner = confined("p", "edge", &["read", &file]);
    let with = |count: u32| {
        let mut edge = Command::new(program("edge"));
        edge.args(["exec-with-descriptors", &count.to_string(), "enforcer"]);
        edge.args(inner.get_args());
        edge.output().unwrap().status.code()
    };
    assert_eq!(with(DESCRIPTORS / 2), Some(0));
    assert_eq!(agent.refusals("too-many-descriptors"), 0);
    assert_ne!(with(DESCRIPTORS), Some(0));
    assert_eq!(agent.refusals("too-many-descriptors"), 1);
}
