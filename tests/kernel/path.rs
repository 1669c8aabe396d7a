//! What an object is called, and what has no name.

use std::{fs, os::unix::fs::symlink, process::Command};

use enforcer_tests::{Agent, EACCES, Folder, attempt_outside, profile};

use crate::mounts::Mount;

/// The ways to a file that a profile grants, or does not.
#[test]
fn a_path_is_the_objects_and_not_the_callers() {
    let folder = Folder::new("path");
    let open = folder.write("open/file", "x");
    let secret = folder.write("secret/file", "secret");
    symlink(&secret, folder.join("open/link")).unwrap();
    symlink(&open, folder.join("secret/link")).unwrap();
    let _bind = Mount::bind(&folder.join("secret"), folder.join("bound"));
    let rules = format!(
        "  - {{ path: \"{}/**\", allow: [read] }}",
        folder.join("open")
    );
    let text = profile("enforce", &rules) + "privileges: [sys_chroot]\n";
    let agent = Agent::start(&[("p", &text)]);

    let path = |name: &str| folder.join(name);
    let root = folder.path().to_str().unwrap();
    #[rustfmt::skip]
    let cases: [(&str, Vec<String>, i32); 10] = [
        ("the file",                     vec!["read".into(), open.clone()],                              0),
        ("a link in, to outside",        vec!["read".into(), path("open/link")],                         EACCES),
        ("a link outside, to it",        vec!["read".into(), path("secret/link")],                       0),
        ("dots",                         vec!["read".into(), path("open/../secret/file")],               EACCES),
        ("dots back",                    vec!["read".into(), path("secret/../open/file")],               0),
        ("by a folder's descriptor",     vec!["openat".into(), path("secret"), "file".into()],           EACCES),
        ("from inside",                  vec!["read-in".into(), path("secret"), "file".into()],          EACCES),
        ("by the process' own root",     vec!["read".into(), format!("/proc/self/root{secret}")],        EACCES),
        ("in a chroot that hides it",    vec!["chroot-read".into(), path("secret"), "/file".into()],     EACCES),
        ("in a chroot, what is granted", vec!["chroot-read".into(), root.into(), "/open/file".into()],   0),
    ];
    for (name, attempt, want) in cases {
        let attempt: Vec<&str> = attempt.iter().map(String::as_str).collect();
        assert_eq!(agent.attempt("p", &attempt), want, "{name}");
        assert_eq!(attempt_outside(&attempt), 0, "{name}: outside");
    }
    let bound = path("bound/file");
    assert_eq!(
        agent.attempt("p", &["read", &bound]),
        EACCES,
        "a bind mount"
    );
    assert!(
        agent.detection(&bound).is_some(),
        "is called as it is mounted"
    );
}

/// A chroot or a mount cannot make a file look like one that is granted.
#[test]
fn a_chroot_renames_nothing() {
    let folder = Folder::new("spoof");
    let fake = folder.write("fake/etc/hosts", "secret");
    let rules = "  - { path: /etc/hosts, allow: [read] }";
    let text = profile("enforce", rules) + "privileges: [sys_chroot]\n";
    let agent = Agent::start(&[("p", &text)]);
    let attempt = ["chroot-read", &folder.join("fake"), "/etc/hosts"];
    assert_eq!(agent.attempt("p", &attempt), EACCES);
    assert!(
        agent.detection(&fake).is_some(),
        "it is called by its real path"
    );
    assert_eq!(attempt_outside(&attempt), 0, "outside");
}

/// A process' own folder is `/proc/self`; another's is not.
#[test]
fn proc_self_is_the_process_itself() {
    let agent = Agent::start(&[("p", &profile("enforce", ""))]);
    for (name, path, want) in [
        ("by name", "/proc/self/status", 0),
        ("of a thread", "/proc/thread-self/status", 0),
        ("another process", "/proc/1/status", EACCES),
        ("no process", "/proc/version", EACCES),
    ] {
        assert_eq!(agent.attempt("p", &["read", path]), want, "{name}");
        assert_eq!(attempt_outside(&["read", path]), 0, "{name}: outside");
    }
}

/// Renames on the way never give a name that the file does not have.
#[test]
fn renames_forge_no_name() {
    let folder = Folder::new("storm");
    fs::create_dir_all(folder.join("a/in")).unwrap();
    let secret = folder.write("a/secret/file", "secret");
    let long = folder.join("LONGERNAME_LONGERNAME");
    // What a mixture of the two names could give is granted, the file is not.
    let rules = format!(
        "  - {{ path: \"{0}/?ONGERNAME*/**\", allow: [read] }}\n  - {{ path: \"{0}/a?*/**\", allow: [read] }}\n  - {{ path: \"{0}/L/**\", allow: [read] }}\n  - {{ path: \"{long}/**\", deny: [all] }}",
        folder.path().display()
    );
    let agent = Agent::start(&[("p", &profile("enforce", &rules))]);
    let storm = format!(
        "while :; do mv {0} {long}; mv {long} {0}; done",
        folder.join("a")
    );
    let mut renamer = Command::new("sh").args(["-c", &storm]).spawn().unwrap();
    let errno = agent.attempt("p", &["read-storm", &secret, "20000"]);
    renamer.kill().unwrap();
    renamer.wait().unwrap();
    assert_eq!(errno, 0, "74 says that the secret was read");
}
