//! What could give a file the path of another: each of these has the path
//! `/etc/hosts`, if that is taken for what leads up to the top of its mount.
//!
//! A chroot is in [`crate::path`].

use std::process::Command;

use enforcer_tests::{Agent, EACCES, Folder, attempt_outside, profile, program};

use crate::{background::Told, limits::confined, mounts::Mount};

/// An agent whose profile `p` grants what the files here pretend to be.
fn agent() -> Agent {
    let rules = "  - { path: /etc/hosts, allow: [read] }";
    let text = profile("enforce", rules) + "privileges: [sys_admin, sys_chroot]\n";
    Agent::start(&[("p", &text)])
}

/// Does something confined that an outsider has `before`hand made possible.
fn after(before: &[&str], attempt: &[&str]) -> i32 {
    let program = program("attempt");
    let within = ["enforcer", "exec", "--profile", "p", "--"];
    let program = [program.to_str().unwrap()];
    attempt_outside(&[before, &within, &program, attempt].concat())
}

/// The same without a profile.
fn after_outside(before: &[&str], attempt: &[&str]) -> i32 {
    let program = program("attempt");
    attempt_outside(&[before, &[program.to_str().unwrap()], attempt].concat())
}

/// A copy of a part of a mount, mounted nowhere: its own, or one that came along.
#[test]
fn a_detached_tree() {
    let folder = Folder::new("tree");
    folder.write("fake/etc/hosts", "secret");
    let fake = folder.join("fake");
    let agent = agent();
    let own = ["read-in-tree", &fake, "etc/hosts"];
    assert_eq!(agent.attempt("p", &own), EACCES);
    assert_eq!(attempt_outside(&own), 0, "outside");
    assert_eq!(agent.refusals("foreign-mount"), 1);

    let holding = ["holding-tree", &fake];
    let read = ["read", "/proc/self/fd/9/etc/hosts"];
    assert_eq!(after(&holding, &read), EACCES);
    assert_eq!(after_outside(&holding, &read), 0, "outside");
    assert_eq!(agent.refusals("foreign-mount"), 2);
    assert_eq!(
        agent.attempt("p", &["read", "/etc/hosts"]),
        0,
        "the real one"
    );
}

/// A mount that was unmounted while something is in it.
#[test]
fn a_mount_that_is_gone() {
    let folder = Folder::new("gone");
    let agent = agent();
    let mount = Mount::of_memory(folder.join("m"));
    folder.write("m/etc/hosts", "secret");
    let words = ["read-when-told", &folder.join("m"), "etc/hosts"];
    let inside = Told::start(&mut confined("p", "edge", &words));
    let outside = Told::start(Command::new(program("edge")).args(words));
    drop(mount);
    assert_eq!(inside.go_on().code(), Some(EACCES));
    assert_eq!(outside.go_on().code(), Some(0), "outside");
    assert_eq!(agent.refusals("detached-mount"), 1);
}

/// Another mount namespace, in which the path means another file.
#[test]
fn a_namespace_that_is_entered() {
    let folder = Folder::new("entered");
    folder.write("fake/hosts", "secret");
    let agent = agent();
    let make = format!(
        "mount --bind {} /etc && echo ready && read line",
        folder.join("fake")
    );
    let other = Told::start(Command::new("unshare").args(["-m", "sh", "-c", &make]));
    let namespace = format!("/proc/{}/ns/mnt", other.id());
    let holding = ["holding", &namespace];
    let read = ["in-namespace", "/proc/self/fd/9", "read", "/etc/hosts"];
    assert_eq!(after(&holding, &read), EACCES);
    assert_eq!(agent.refusals("foreign-mount"), 1);
    assert_eq!(after_outside(&holding, &read), 0, "outside");
    // Its own leads to the same file as ever.
    let own = ["in-namespace", "/proc/self/ns/mnt", "read", "/etc/hosts"];
    assert_eq!(agent.attempt("p", &own), 0, "its own");
}
