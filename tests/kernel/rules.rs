//! What rules say of who owns an object, and of what is told.

use std::{fs, os::unix::fs::chown};

use enforcer_tests::{Agent, EACCES, Folder, WITHIN, attempt_outside, profile, wait_for};

/// A user of these tests alone.
const USER: u32 = 7004;

/// A rule that grants everything in a folder to the owner.
fn owners(folder: &Folder) -> String {
    let path = folder.path().display();
    format!(
        "  - {{ path: \"{path}/**\", allow: [read, write, create, remove, attributes], owner: true }}\n"
    )
}

/// A file of a user.
fn file(folder: &Folder, name: &str, user: u32) -> String {
    let path = folder.write(name, "x");
    chown(&path, Some(user), Some(user)).unwrap();
    path
}

/// Each owner has the rights, and nobody else; it counts who owns the object now, and as
/// whom the task acts now, whatever is remembered.
#[test]
fn an_owner_has_what_others_have_not() {
    let folder = Folder::new("owner");
    fs::set_permissions(
        folder.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o777),
    )
    .unwrap();
    let [granted, audited] = ["enforce", "audit"].map(|mode| {
        let privileges = "privileges: [setuid, dac_override, dac_read_search, fowner, chown]\n";
        profile(mode, &owners(&folder)) + privileges
    });
    let agent = Agent::start(&[("granted", &granted), ("audited", &audited)]);
    let roots = file(&folder, "roots", 0);
    let users = file(&folder, "users", USER);
    fs::set_permissions(&roots, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    let user = USER.to_string();
    let fresh = folder.join("fresh");
    let made = folder.join("made");
    // Columns: what it shows, what is done, the errno.
    let cases: [(&str, Vec<&str>, i32); 12] = [
        ("one's own", vec!["read", &roots], 0),
        ("one's own again", vec!["read", &roots], 0),
        ("another's", vec!["read", &users], EACCES),
        ("another's again", vec!["write", &users], EACCES),
        ("another's attributes", vec!["chmod", &users], EACCES),
        ("another's name", vec!["unlink", &users], EACCES),
        ("what one makes", vec!["create", &fresh], 0),
        ("and takes away", vec!["unlink", &fresh], 0),
        (
            "as another user, one's own",
            vec!["as-user", &user, "read", &users],
            0,
        ),
        (
            "as another user, root's",
            vec!["as-user", &user, "read", &roots],
            EACCES,
        ),
        (
            "as another user, what one makes",
            vec!["as-user", &user, "create", &made],
            0,
        ),
        ("what another has made", vec!["read", &made], EACCES),
    ];
    for (name, words, want) in cases {
        assert_eq!(agent.attempt("granted", &words), want, "{name}");
    }
    assert_eq!(agent.attempt("audited", &["read", &users]), 0, "audited");
    assert_eq!(attempt_outside(&["read", &users]), 0, "outside");
    let detection = agent.detection(&users).expect("a detection");
    assert_eq!(detection["missing"][0], "read", "{detection}");

    // It is given away under who read it all the time.
    for round in 0..3 {
        chown(&roots, Some(USER), None).unwrap();
        assert_eq!(
            agent.attempt("granted", &["read", &roots]),
            EACCES,
            "given away, {round}"
        );
        chown(&roots, Some(0), None).unwrap();
        assert_eq!(
            agent.attempt("granted", &["read", &roots]),
            0,
            "and back, {round}"
        );
    }
}

/// What a rule has told is told each time, and let through; what it keeps quiet is refused
/// and counted alone.
#[test]
fn rules_say_what_is_told() {
    let folder = Folder::new("told");
    let [watched, plain, quiet, loud] =
        ["watched", "plain", "quiet", "loud"].map(|name| folder.write(name, "x"));
    let rules = format!(
        "  - {{ path: {watched}, allow: [read], audit: true }}\n  - {{ path: \"{0}/**\", allow: [read] }}\n  - {{ path: {quiet}, deny: [read], quiet: true }}\n  - {{ path: \"{0}/nobody/**\", deny: [all], quiet: true }}\n  - {{ path: {loud}, deny: [read] }}\n",
        folder.path().display()
    );
    let nobody = folder.write("nobody/x", "x");
    let agent = Agent::start(&[
        ("p", &profile("enforce", &rules)),
        ("q", &profile("audit", &rules)),
    ]);
    let untold = agent.counter("untold");
    for _ in 0..3 {
        assert_eq!(agent.attempt("p", &["read", &watched]), 0);
        assert_eq!(agent.attempt("p", &["read", &plain]), 0);
        assert_eq!(agent.attempt("p", &["read", &quiet]), EACCES);
        assert_eq!(agent.attempt("p", &["write", &nobody]), EACCES);
        assert_eq!(agent.attempt("p", &["read", &loud]), EACCES);
    }
    assert_eq!(
        agent.attempt("q", &["read", &quiet]),
        0,
        "audited, and quiet"
    );
    assert_eq!(attempt_outside(&["read", &quiet]), 0, "outside");
    let told = |path: &str, profile: &str| {
        let all = agent.detections();
        let of = all
            .iter()
            .filter(|one| one["path"] == path && one["profile"] == profile);
        of.filter_map(|one| one["count"].as_u64()).sum::<u64>()
    };
    for (path, want) in [
        (&watched, 3),
        (&loud, 3),
        (&quiet, 0),
        (&plain, 0),
        (&nobody, 0),
    ] {
        let settled = wait_for(WITHIN, || (told(path, "p") == want).then_some(()));
        assert!(
            settled.is_some(),
            "{path}: told {} times, not {want}",
            told(path, "p")
        );
    }
    assert_eq!(told(&quiet, "q"), 0);
    assert_eq!(agent.counter("untold") - untold, 7);
    let detection = agent.detection(&watched).expect("a detection");
    assert_eq!(detection["verdict"], "allowed", "{detection}");
    assert_eq!(detection["reason"], "watched", "{detection}");
    assert!(
        detection["rule"]
            .as_str()
            .is_some_and(|rule| rule.contains("p.yaml:")),
        "{detection}"
    );
}
