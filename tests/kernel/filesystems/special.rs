//! Procfs, what has no name, and what was opened where mounts are others.

use std::{
    fs::{self, File},
    os::fd::AsRawFd as _,
    process::Command,
};

use enforcer_tests::{Agent, EACCES, Folder, attempt_outside, errno, profile, program, series};
use rustix::fs::MemfdFlags;

use crate::mounts::Mount;

/// `enforcer exec` could not run the command: the exec was refused.
const NOT_RUN: i32 = 126;

/// The errno of what cannot be opened again.
const ENXIO: i32 = 6;

/// What a process made without a name it may open again, if the kernel lets it.
#[test]
fn what_has_no_name_is_opened_again() {
    let agent = Agent::start(&[("p", &profile("enforce", ""))]);
    // A file system of their own lets them be opened.
    let pidfd = if series() >= (6, 9) { 0 } else { ENXIO };
    for (what, want) in [
        ("memory", 0),
        ("pipe", 0),
        ("namespace", 0),
        ("process", pidfd),
        ("socket", ENXIO),
        ("event", ENXIO),
    ] {
        let reopen = ["reopen-made", what];
        assert_eq!(attempt_outside(&reopen), want, "{what}: outside");
        assert_eq!(agent.attempt("p", &reopen), want, "{what}");
    }
    assert!(agent.detections().is_empty(), "{:?}", agent.detections());
}

/// What another process made without a name takes the privilege to look into that
/// process, and nothing else.
#[test]
fn what_has_no_name_of_another() {
    let memory = rustix::fs::memfd_create("test", MemfdFlags::CLOEXEC).unwrap();
    let path = format!("/proc/{}/fd/{}", std::process::id(), memory.as_raw_fd());
    let text = profile("enforce", "");
    let agent = Agent::start(&[
        ("denied", &text),
        ("granted", &(text.clone() + "privileges: [ptrace]\n")),
    ]);
    for (profile, want) in [("denied", EACCES), ("granted", 0)] {
        assert_eq!(agent.attempt(profile, &["read", &path]), want, "{profile}");
    }
    assert_eq!(attempt_outside(&["read", &path]), 0, "outside");
    let detections = agent.detections();
    let told = detections.iter().any(|one| one["operation"] == "privilege");
    assert!(told && detections.len() == 1, "{detections:?}");
}

/// A process is itself by its number as well, and its child is another; so it is in
/// any procfs, whose name is where it is mounted.
#[test]
fn a_process_in_procfs() {
    let folder = Folder::new("proc");
    let at = folder.join("proc");
    let _mount = Mount::processes(at.clone());
    let rule = format!("  - {{ path: \"{at}/self/stat*\", allow: [read] }}");
    let agent = Agent::start(&[
        ("p", &profile("enforce", "")),
        ("other", &profile("enforce", &rule)),
    ]);
    let own = format!("{at}/self/status");
    #[rustfmt::skip]
    let rows = [
        ("p",     "read-own",   "/proc", 0),
        ("p",     "read-child", "/proc", EACCES),
        ("p",     "read-own",   &*at,    EACCES),
        ("other", "read-own",   &*at,    0),
        ("other", "read-child", &*at,    EACCES),
    ];
    for (profile, what, proc, want) in rows {
        let name = format!("{what} {proc} under {profile}");
        assert_eq!(agent.attempt(profile, &[what, proc]), want, "{name}");
        assert_eq!(attempt_outside(&[what, proc]), 0, "{name}: outside");
    }
    assert!(
        agent.detection(&own).is_some(),
        "is called as it is mounted"
    );
    let paths: Vec<_> = agent
        .detections()
        .into_iter()
        .map(|one| one["path"].clone())
        .collect();
    assert_eq!(paths.len(), 3, "{paths:?}");
}

/// Runs `attempt use-inherited 0` under `p` in a mount namespace of its own, after
/// `script` has changed what is mounted there, with a file as stdin that was opened
/// before. Returns the errno.
fn inherit(script: &str, stdin: File, command: &str) -> i32 {
    let attempt = program("attempt");
    let script = format!(
        "{script}exec {command} {} use-inherited 0",
        attempt.display()
    );
    let mut unshare = Command::new("unshare");
    unshare.args(["-m", "sh", "-c", &script]).stdin(stdin);
    errno(&unshare.output().unwrap())
}

/// What comes along from another mount namespace is judged by the name that its file
/// system has in the process' own, where it has one.
#[test]
fn what_was_opened_in_another_namespace() {
    let folder = Folder::new("outer");
    let _memory = Mount::of_memory(folder.join("m"));
    fs::create_dir(folder.join("n")).unwrap();
    let files = ["granted", "denied"];
    for place in ["", "m/"] {
        for file in files {
            folder.write(&format!("{place}{file}"), "x");
        }
    }
    let rules = ["granted", "m/denied", "n/granted"].map(|name| {
        let path = folder.join(name);
        format!("\n  - {{ path: \"{path}\", allow: [read] }}")
    });
    let agent = Agent::start(&[("p", &profile("enforce", &rules.concat()))]);
    let [m, n] = ["m", "n"].map(|name| folder.join(name));
    let moved = format!("mount --move {m} {n} && ");
    let gone = format!("umount -l {m} && ");
    let confined = "enforcer exec --profile p --";
    let null = File::open("/dev/null").unwrap();
    assert_eq!(inherit("", null, confined), 0, "/dev/null");
    #[rustfmt::skip]
    let rows = [
        ("as it was",          "",      "granted",   0,       ""),
        ("as it was, denied",  "",      "denied",    NOT_RUN, "denied"),
        ("moved",              &*moved, "m/granted", 0,       ""),
        ("moved, denied",      &*moved, "m/denied",  NOT_RUN, "n/denied"),
    ];
    for (name, script, file, want, told) in rows {
        let open = || File::open(folder.join(file)).unwrap();
        assert_eq!(inherit(script, open(), confined), want, "{name}");
        assert_eq!(inherit(script, open(), ""), 0, "{name}: outside");
        if want != 0 {
            let detection = agent.detection(&folder.join(told)).expect(name);
            assert_eq!(detection["operation"], "inherit", "{detection}");
        }
    }
    // Its own namespace does not show it at all.
    let open = || File::open(folder.join("m/granted")).unwrap();
    assert_eq!(inherit(&gone, open(), confined), NOT_RUN);
    assert_eq!(inherit(&gone, open(), ""), 0, "outside");
    assert_eq!(agent.refusals("foreign-mount"), 1);
}
