//! `enforcer exec --pid`: a process that runs already.

use std::{fs, process::Command};

use enforcer_tests::{Agent, EACCES, Folder, cli, profile, program, rule};

use crate::{
    background::Told,
    limits::confined,
    subject::{refused, start, tell},
};

/// Puts a process under a profile. Returns the exit status, and what was said.
fn adopt(profile: &str, id: u32, more: &[&str]) -> (Option<i32>, String) {
    let id = id.to_string();
    let mut args = vec!["exec", "--profile", profile, "--pid", &id];
    args.extend(more);
    let output = cli(&args);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// Profiles of nothing but what `edge` needs to run itself.
fn text(rules: &str) -> String {
    let run = rule(program("edge").to_str().unwrap(), "execute");
    profile("enforce", &(run + rules))
}

/// The process is confined from its next operation on, in all that it does and
/// starts from then on; its children from before and others are not.
#[test]
fn a_process_that_runs() {
    let folder = Folder::new("adopt");
    let secret = folder.write("secret", "x");
    let open = folder.write("open", "x");
    let agent = Agent::start(&[("p", &text(&rule(&open, "read")))]);
    let [mut process, mut sibling] = [start(), start()];
    let [read, granted] = [&secret, &open].map(|path| format!("read {path}"));
    assert_eq!(tell(&mut process, &read), 0, "before");
    assert_eq!(tell(&mut process, "bear"), 0);

    let (status, said) = adopt("p", process.id(), &[]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("from its next operation on"), "{said}");
    // Columns: what it shows, the order, errno.
    let run = format!("run {} {read}", program("edge").display());
    #[rustfmt::skip]
    let steps = [
        ("a child from before", format!("child {read}"),  0),
        ("the process",         read.clone(),             EACCES),
        ("granted",             granted,                  0),
        ("a thread",            format!("thread {read}"), EACCES),
        ("a program",           run,                      EACCES),
        ("a new child",         "bear".to_owned(),        0),
        ("does something",      format!("child {read}"),  EACCES),
    ];
    for (name, order, want) in steps {
        assert_eq!(tell(&mut process, &order), want, "{name}");
    }
    let again = process.tell(&format!("exec {} obey", program("edge").display()));
    assert_eq!(again, "ready");
    assert_eq!(tell(&mut process, &read), EACCES, "another program");
    assert_eq!(tell(&mut sibling, &read), 0, "another process");
    let found = agent.detection(&secret).expect("a detection");
    assert_eq!(found["layer"], "process", "{found}");
    assert_eq!(found["profile"], "p", "{found}");
    assert_eq!(found["count"], 5, "{found}");
}

/// Threads that run already are the process as well.
#[test]
fn threads_that_run() {
    let folder = Folder::new("adopt-threads");
    let secret = folder.write("secret", "x");
    let agent = Agent::start(&[("p", &text(""))]);
    let mut threads = Told::start(Command::new(program("edge")).args(["tasks", &secret]));
    assert_eq!(threads.tell("spawn 3"), "spawned 3");
    assert_eq!(threads.tell("open"), "granted 3 refused 0", "before");
    let (status, said) = adopt("p", threads.id(), &[]);
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(threads.tell("open"), "granted 0 refused 3");
    assert_eq!(threads.tell("spawn 2"), "spawned 2");
    assert_eq!(threads.tell("open"), "granted 0 refused 5", "and new ones");
    assert_eq!(refused(&agent, &secret, 8), 8);

    // Not by the id of one of them.
    let process = threads.id();
    let ids = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let ids = ids.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let thread = ids
        .map(|id| id.parse().unwrap())
        .find(|&id: &u32| id != process);
    let (status, said) = adopt("p", thread.expect("a thread"), &[]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("is a thread of"), "{said}");
}

/// Another mode refuses nothing.
#[test]
fn a_process_is_audited() {
    let folder = Folder::new("adopt-audit");
    let secret = folder.write("secret", "x");
    let agent = Agent::start(&[("p", &text(""))]);
    let mut process = start();
    let (status, said) = adopt("p", process.id(), &["--mode", "audit"]);
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(tell(&mut process, &format!("read {secret}")), 0);
    let found = agent.detection(&secret).expect("a detection");
    assert_eq!(found["verdict"], "audited", "{found}");
}

/// Whom a profile cannot be given, and who then is as before.
#[test]
fn nobody_changes_profiles() {
    let folder = Folder::new("adopt-second");
    let secret = folder.write("secret", "x");
    let read = format!("read {secret}");
    let agent = Agent::start(&[
        ("narrow", &text("")),
        ("wide", &text(&rule(&secret, "read"))),
    ]);
    let mut adopted = start();
    assert_eq!(adopt("narrow", adopted.id(), &[]).0, Some(0));
    // Columns: what it shows, profile, process, exit status, what is said.
    #[rustfmt::skip]
    let cases = [
        ("another profile", "wide",   adopted.id(),         Some(2), "under the profile narrow already"),
        ("the same",        "narrow", adopted.id(),         Some(0), "under the profile narrow already"),
        ("no process",      "narrow", 4_000_000,            Some(1), "there is no process 4000000"),
        ("no program",      "narrow", 2,                    Some(2), "runs no program"),
        ("no profile",      "none",   std::process::id(),   Some(1), "none"),
    ];
    for (name, profile, id, want, what) in cases {
        let (status, said) = adopt(profile, id, &[]);
        assert_eq!(status, want, "{name}: {said}");
        assert!(said.contains(what), "{name}: {said}");
    }
    assert_eq!(tell(&mut adopted, &read), EACCES, "by command");

    // Only the kernel knows of one that began in a profile; it keeps that.
    let mut began = Told::start(&mut confined("narrow", "edge", &["obey"]));
    adopt("wide", began.id(), &[]);
    assert_eq!(tell(&mut began, &read), EACCES, "from its start");
    let found = agent.detection(&secret).expect("a detection");
    assert_eq!(found["profile"], "narrow", "{found}");
    assert_eq!(tell(&mut start(), &read), 0, "outside");
}
