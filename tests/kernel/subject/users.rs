//! The user's layer: by the real user id, whoever gave it.

use std::{fs, io::Write as _};

use enforcer_tests::{Agent, EACCES, Folder, attempt_outside, profile, rule, series};
use serde_json::Value;

use crate::{
    background::Told,
    limits::confined,
    subject::{refused, start, tell},
};

/// Users of these tests alone.
const USER: u32 = 7001;
const OTHER: u32 = 7002;
const NOBODYS: u32 = 7003;

/// What [`OTHER`] is called.
const OTHER_NAME: &str = "enforcer-other";

/// Has it become `user` for good.
fn become_user(process: &mut Told, user: u32) -> i32 {
    tell(process, &format!("users {user} {user} {user}"))
}

/// A profile of a user.
fn of_user(user: &str, mode: &str, rules: &str) -> String {
    format!(
        "applies_to: {{ users: [{user}] }}\n{}",
        profile(mode, rules)
    )
}

fn reads(paths: &[&str]) -> String {
    paths.iter().map(|path| rule(path, "read")).collect()
}

/// Has there be a user called [`OTHER_NAME`].
fn know_other() {
    let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
    if !known.contains(OTHER_NAME) {
        let mut file = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open("/etc/passwd")
            .unwrap();
        writeln!(file, "{OTHER_NAME}:x:{OTHER}:{OTHER}::/:/bin/sh").unwrap();
    }
}

/// The one detection of an access to `path`.
fn detection(agent: &Agent, path: &str) -> Value {
    agent
        .detection(path)
        .unwrap_or_else(|| panic!("no detection of {path}"))
}

/// Who becomes a user, by id or by name, has that user's profile from then on.
#[test]
fn a_user_is_confined_once_it_is_one() {
    know_other();
    let folder = Folder::new("user");
    let open = folder.write("open", "x");
    for (name, user, id, mode, want) in [
        ("by id", "\"7001\"", USER, "enforce", EACCES),
        ("by name", OTHER_NAME, OTHER, "enforce", EACCES),
        ("in audit", "\"7001\"", USER, "audit", 0),
    ] {
        let secret = folder.write(&format!("secret-{id}-{mode}"), "x");
        let agent = Agent::start(&[("p", &of_user(user, mode, &reads(&[&open])))]);
        let mut process = start();
        let read = format!("read {secret}");
        assert_eq!(tell(&mut process, &read), 0, "{name}: still root");
        assert_eq!(become_user(&mut process, id), 0, "{name}");
        assert_eq!(tell(&mut process, &read), want, "{name}");
        assert_eq!(
            tell(&mut process, &format!("thread {read}")),
            want,
            "{name}: a thread"
        );
        assert_eq!(
            tell(&mut process, &format!("read {open}")),
            0,
            "{name}: granted"
        );
        let found = detection(&agent, &secret);
        assert_eq!(found["layer"], "user", "{name}: {found}");
        assert_eq!(found["who"]["uid"], id, "{name}: {found}");

        let mut outsider = start();
        assert_eq!(become_user(&mut outsider, NOBODYS), 0);
        assert_eq!(tell(&mut outsider, &read), 0, "{name}: another user");
    }
}

/// Who is the user when its profile is loaded has it from the next operation on.
#[test]
fn a_user_is_caught_when_its_profile_comes() {
    let folder = Folder::new("user-before");
    let secret = folder.write("secret", "x");
    let read = format!("read {secret}");
    let nobody_yet = Agent::start(&[]);
    let [mut caught, mut outsider] = [USER, NOBODYS].map(|user| {
        let mut process = start();
        assert_eq!(become_user(&mut process, user), 0);
        assert_eq!(tell(&mut process, &read), 0, "{user}: before");
        process
    });
    drop(nobody_yet);
    let agent = Agent::start(&[("p", &of_user("\"7001\"", "enforce", ""))]);
    assert_eq!(tell(&mut caught, &read), EACCES);
    assert_eq!(tell(&mut outsider, &read), 0, "another user");
    assert_eq!(detection(&agent, &secret)["layer"], "user");
}

/// The real id tells who the user is, and not the one by which files are opened.
#[test]
fn the_real_user_counts() {
    let folder = Folder::new("user-real");
    let secret = folder.write("secret", "x");
    let agent = Agent::start(&[("p", &of_user("\"7001\"", "enforce", ""))]);
    // Columns: what it shows, ids, errno.
    #[rustfmt::skip]
    let cases = [
        ("effective alone",          "0 7001 0",       0),
        ("saved alone",              "0 0 7001",       0),
        ("real alone",               "7001 0 0",       EACCES),
        ("real, another effective",  "7001 7003 0",    EACCES),
        ("all",                      "7001 7001 7001", EACCES),
        ("of nobody",                "7003 7003 7003", 0),
    ];
    for (name, ids, want) in cases {
        let mut process = start();
        assert_eq!(tell(&mut process, &format!("users {ids}")), 0, "{name}");
        assert_eq!(
            tell(&mut process, &format!("read {secret}")),
            want,
            "{name}"
        );
    }
    assert_eq!(refused(&agent, &secret, 3), 3);
}

/// A change of the user is one of the profile. Where it takes a capability, the
/// profile that is left has to list it.
#[test]
fn another_user_has_another_profile() {
    let folder = Folder::new("user-change");
    let [one, two] = ["one", "two"].map(|name| folder.write(name, "x"));
    let first = of_user("\"7001\"", "enforce", &reads(&[&one]));
    let agent = Agent::start(&[
        ("first", &(first.clone() + "privileges: [setuid]\n")),
        ("second", &of_user("\"7002\"", "enforce", &reads(&[&two]))),
    ]);
    let [read_one, read_two] = [&one, &two].map(|path| format!("read {path}"));
    let mut process = start();
    // Columns: what it shows, ids, errno of each file.
    #[rustfmt::skip]
    let steps = [
        ("root",                    "0 0 0",       0,      0),
        ("the first user",          "7001 0 0",    0,      EACCES),
        ("the second",              "7002 0 0",    EACCES, 0),
        ("root, by its saved id",   "0 0 0",       0,      0),
        ("the first user again",    "7001 0 0",    0,      EACCES),
        ("no profile's user",       "7003 0 0",    0,      0),
    ];
    for (name, ids, first, second) in steps {
        assert_eq!(tell(&mut process, &format!("users {ids}")), 0, "{name}");
        assert_eq!(tell(&mut process, &read_one), first, "{name}");
        assert_eq!(tell(&mut process, &read_two), second, "{name}");
    }
    assert_eq!(detection(&agent, &two)["profile"], "first");
    assert_eq!(detection(&agent, &one)["profile"], "second");

    assert!(agent.reload("first", &first));
    let mut process = start();
    assert_eq!(tell(&mut process, "users 7001 0 0"), 0);
    let eperm = 1;
    assert_eq!(tell(&mut process, "users 7003 7003 7003"), eperm);
    assert_eq!(
        tell(&mut process, &read_two),
        EACCES,
        "still the first user"
    );
    let refused = agent.detections();
    let refused = refused.iter().find(|one| one["privilege"] == "setuid");
    assert_eq!(refused.expect("a detection")["layer"], "user");
}

/// The user's profile and that of `enforcer exec` both have to grant.
#[test]
fn a_user_and_a_process_intersect() {
    let folder = Folder::new("user-layers");
    let [both, user, process, neither] =
        ["both", "user", "process", "neither"].map(|name| folder.write(name, "x"));
    let process_rules = profile("enforce", &reads(&[&both, &process]));
    let agent = Agent::start(&[
        (
            "user",
            &of_user("\"7001\"", "enforce", &reads(&[&both, &user])),
        ),
        ("process", &(process_rules + "privileges: [setuid]\n")),
    ]);
    let mut task = Told::start(&mut confined("process", "edge", &["obey"]));
    // Columns: the file, errno as root, as the user, the layers that refused.
    #[rustfmt::skip]
    let cases: [(&str, i32, i32, &[&str]); 4] = [
        (&both,    0,      0,      &[]),
        (&user,    EACCES, EACCES, &["process"]),
        (&process, 0,      EACCES, &["user"]),
        (&neither, EACCES, EACCES, &["process", "user"]),
    ];
    for (path, want, ..) in cases {
        assert_eq!(
            tell(&mut task, &format!("read {path}")),
            want,
            "root: {path}"
        );
    }
    assert_eq!(become_user(&mut task, USER), 0);
    for (path, _, want, layers) in cases {
        assert_eq!(
            tell(&mut task, &format!("read {path}")),
            want,
            "user: {path}"
        );
        if !layers.is_empty() {
            detection(&agent, path);
        }
        let detections = agent.detections();
        let mut refused: Vec<&str> = detections
            .iter()
            .filter(|one| one["path"] == path)
            .filter_map(|one| one["layer"].as_str())
            .collect();
        refused.sort_unstable();
        refused.dedup();
        assert_eq!(refused, layers, "{path}");
    }
}

/// A worker of `io_uring` that was there before is the user that its process has become.
#[test]
fn a_worker_follows_its_process() {
    // Before, the privilege io_uring stands for whatever a ring does.
    if series() < (5, 16) {
        return;
    }
    let folder = Folder::new("user-worker");
    let secret = folder.write("secret", "x");
    let open = folder.write("open", "x");
    let text = of_user("\"7001\"", "enforce", &reads(&[&open]));
    let agent = Agent::start(&[("p", &text)]);
    // Columns: what it shows, user, file, errno.
    #[rustfmt::skip]
    let cases = [
        ("granted",      "7001", &open,   0),
        ("denied",       "7001", &secret, EACCES),
        ("another user", "7003", &secret, 0),
    ];
    for (name, user, file, want) in cases {
        let attempt = ["uring-open-by-worker-as", user, file];
        assert_eq!(attempt_outside(&attempt), want, "{name}");
    }
    assert_eq!(detection(&agent, &secret)["layer"], "user");
}

/// A worker that acts with credentials newer than its own is judged as its process
/// is, also where the kernel does not tell the mount, and for a privilege.
#[test]
fn a_worker_with_newer_credentials() {
    // `IORING_OP_SETXATTR` is of 5.19.
    if series() < (5, 19) {
        return;
    }
    let folder = Folder::new("user-worker-attributes");
    let secret = folder.write("secret", "x");
    let open = folder.write("open", "x");
    let rule = format!("  - {{ path: \"{open}\", allow: [attributes] }}");
    let bare = profile("enforce", &rule);
    let agent = Agent::start(&[
        ("p", &(bare.clone() + "privileges: [sys_admin]\n")),
        ("bare", &bare),
    ]);
    let eperm = 1;
    for what in ["uring-setxattr", "uring-setxattr-by-old-worker"] {
        // Columns: what it shows, profile, file, errno.
        let cases = [
            ("granted", "p", &open, 0),
            ("without the privilege", "bare", &open, eperm),
            ("denied", "p", &secret, EACCES),
        ];
        for (name, profile, file, want) in cases {
            let attempt = [what, file];
            assert_eq!(agent.attempt(profile, &attempt), want, "{name}: {what}");
            assert_eq!(attempt_outside(&attempt), 0, "{name}: {what}: outside");
        }
    }
    assert_eq!(refused(&agent, &secret, 2), 2);
}
