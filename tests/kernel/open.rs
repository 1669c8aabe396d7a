//! Opening and making files.

use std::fs;

use enforcer_tests::{Agent, EACCES, Folder, attempt_outside, profile};
use serde_json::json;

/// One way to open a file.
struct Case {
    name: &'static str,
    /// Arguments of `attempt` before the path.
    attempt: &'static str,
    /// The rights that it takes.
    needs: &'static [&'static str],
    /// A right that is not enough, or none.
    lacks: &'static str,
    /// What the detection says is missing.
    missing: &'static [&'static str],
    /// Whether the file is there before.
    exists: bool,
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "read",              attempt: "read",            needs: &["read"],             lacks: "write",  missing: &["read"],            exists: true },
    Case { name: "read as a thread",  attempt: "read-thread",     needs: &["read"],             lacks: "append", missing: &["read"],            exists: true },
    Case { name: "read by identity",  attempt: "reopen",          needs: &["read"],             lacks: "write",  missing: &["read"],            exists: true },
    Case { name: "write",             attempt: "write",           needs: &["write"],            lacks: "read",   missing: &["write"],           exists: true },
    Case { name: "write is no append",attempt: "write",           needs: &["write"],            lacks: "append", missing: &["write"],           exists: true },
    Case { name: "append",            attempt: "append",          needs: &["append"],           lacks: "read",   missing: &["append"],          exists: true },
    Case { name: "append by write",   attempt: "append",          needs: &["write"],            lacks: "read",   missing: &["append"],          exists: true },
    Case { name: "read and write",    attempt: "read-write",      needs: &["read", "write"],    lacks: "read",   missing: &["write"],           exists: true },
    Case { name: "truncate",          attempt: "truncate",        needs: &["read", "write"],    lacks: "read",   missing: &["write"],           exists: true },
    Case { name: "append, truncate",  attempt: "append-truncate", needs: &["write"],            lacks: "append", missing: &["write"],           exists: true },
    Case { name: "create",            attempt: "create",          needs: &["create", "write"],  lacks: "write",  missing: &["create"],          exists: false },
    Case { name: "create to append",  attempt: "create-append",   needs: &["create", "append"], lacks: "write",  missing: &["create"],          exists: false },
    Case { name: "create to read",    attempt: "create-read",     needs: &["create", "read"],   lacks: "read",   missing: &["create"],          exists: false },
    Case { name: "make a fifo",       attempt: "fifo",            needs: &["create", "write"],  lacks: "create", missing: &["write"],           exists: false },
];

/// Every way to open, in four rows: granted, denied, audited, outside.
#[test]
fn open_is_judged_by_profile() {
    let folder = Folder::new("open");
    let rules = |rights: &str| {
        let path = folder.join("*");
        format!("  - {{ path: \"{path}\", allow: [{rights}] }}")
    };
    let profiles: Vec<(String, String)> = CASES
        .iter()
        .enumerate()
        .flat_map(|(index, case)| {
            [
                (
                    format!("granted{index}"),
                    profile("enforce", &rules(&case.needs.join(", "))),
                ),
                (
                    format!("denied{index}"),
                    profile("enforce", &rules(case.lacks)),
                ),
                (
                    format!("audited{index}"),
                    profile("audit", &rules(case.lacks)),
                ),
            ]
        })
        .collect();
    let profiles: Vec<(&str, &str)> = profiles
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let agent = Agent::start(&profiles);

    for (index, case) in CASES.iter().enumerate() {
        let name = case.name;
        let prepare = |row: &str| {
            let path = folder.join(&format!("{row}{index}"));
            if case.exists {
                fs::write(&path, "contents").unwrap();
            }
            path
        };
        let granted = prepare("granted");
        let errno = agent.attempt(&format!("granted{index}"), &[case.attempt, &granted]);
        assert_eq!(errno, 0, "{name}: granted");

        let denied = prepare("denied");
        let errno = agent.attempt(&format!("denied{index}"), &[case.attempt, &denied]);
        assert_eq!(errno, EACCES, "{name}: denied");
        assert_eq!(
            fs::exists(&denied).unwrap(),
            case.exists,
            "{name}: denied leaves nothing"
        );
        if case.exists {
            assert_eq!(
                fs::read_to_string(&denied).unwrap(),
                "contents",
                "{name}: denied"
            );
        }

        let audited = prepare("audited");
        let errno = agent.attempt(&format!("audited{index}"), &[case.attempt, &audited]);
        assert_eq!(errno, 0, "{name}: audited");

        let outside = prepare("outside");
        assert_eq!(
            attempt_outside(&[case.attempt, &outside]),
            0,
            "{name}: outside"
        );

        for (path, verdict) in [(&denied, "denied"), (&audited, "audited")] {
            let detection = agent.detection(path);
            let detection = detection.unwrap_or_else(|| panic!("{name}: {verdict}: no detection"));
            assert_eq!(detection["verdict"], verdict, "{name}: {detection}");
            assert_eq!(
                detection["missing"],
                json!(case.missing),
                "{name}: {detection}"
            );
            assert_eq!(detection["reason"], "not-granted", "{name}: {detection}");
            assert_eq!(detection["layer"], "process", "{name}: {detection}");
            assert_eq!(
                detection["profile"],
                format!("{verdict}{index}"),
                "{name}: {detection}"
            );
        }
        for path in [&granted, &outside] {
            let found = agent
                .detections()
                .into_iter()
                .find(|one| one["path"] == path.as_str());
            assert_eq!(found, None, "{name}: no detection of what was granted");
        }
    }
}

/// A folder is listed by its own path, and what is in it by theirs.
#[test]
fn a_folder_and_what_is_in_it_are_apart() {
    let folder = Folder::new("list");
    folder.write("in/file", "x");
    let inside = format!(
        "  - {{ path: \"{}/**\", allow: [read] }}",
        folder.join("in")
    );
    let both = format!(
        "  - {{ path: \"{}{{,/**}}\", allow: [read] }}",
        folder.join("in")
    );
    let agent = Agent::start(&[
        ("inside", &profile("enforce", &inside)),
        ("both", &profile("enforce", &both)),
    ]);
    for (name, profile, path, want) in [
        ("the folder needs its own rule", "inside", "in", EACCES),
        ("what is in it has one", "inside", "in/file", 0),
        ("a rule for both", "both", "in", 0),
        ("and again", "both", "in/file", 0),
    ] {
        assert_eq!(
            agent.attempt(profile, &["list", &folder.join(path)]),
            want,
            "{name}"
        );
    }
}

/// A deny wins over every allow, and says why.
#[test]
fn a_deny_wins() {
    let folder = Folder::new("deny");
    let secret = folder.write("a/.git/config", "x");
    let plain = folder.write("a/page", "x");
    let rules = format!(
        "  - {{ path: \"{0}/**\", allow: [read] }}\n  - {{ path: \"{0}/**/.git/**\", deny: [all], reason: \"source leak\" }}",
        folder.path().display()
    );
    let agent = Agent::start(&[("p", &profile("enforce", &rules))]);
    assert_eq!(agent.attempt("p", &["read", &plain]), 0);
    assert_eq!(agent.attempt("p", &["read", &secret]), EACCES);
    let detection = agent.detection(&secret).expect("a detection");
    let rule = detection["rule"].as_str().expect("a rule denies it");
    assert!(rule.contains("p.yaml:"), "{detection}");
}

/// A pipe gives nothing that holding it does not; a nameless file is no path.
#[test]
fn objects_without_a_name() {
    let agent = Agent::start(&[("p", &profile("enforce", ""))]);
    assert_eq!(agent.attempt("p", &["pipe-reopen"]), 0, "a pipe of its own");
    assert_eq!(
        agent.attempt("p", &["memfd-exec", "/usr/lib/enforcer/attempt"]),
        EACCES,
        "code without a name"
    );
    assert_eq!(
        attempt_outside(&["memfd-exec", "/usr/lib/enforcer/attempt"]),
        125,
        "it ran"
    );
    assert!(agent.refusals("nameless") > 0, "counted under its reason");
}
