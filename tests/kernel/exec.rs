//! Running programs: who may, and what domain they have then.

use std::{fs, os::unix::fs::PermissionsExt as _};

use enforcer_tests::{Agent, EACCES, Folder, attempt_outside, profile, program, series};

/// A copy of `attempt` under another name.
fn copy(folder: &Folder, name: &str) -> String {
    let path = folder.join(name);
    fs::copy(program("attempt"), &path).unwrap();
    path
}

fn script(folder: &Folder, name: &str, interpreter: &str) -> String {
    let path = folder.write(name, &format!("#!{interpreter} exec\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Granted, denied, audited, outside; also for the stages of a script.
#[test]
fn exec_is_judged_by_profile() {
    let folder = Folder::new("exec");
    let target = copy(&folder, "target");
    let interpreter = copy(&folder, "interpreter");
    let script = script(&folder, "script", &interpreter);
    let allow = |path: &str| format!("  - {{ path: \"{path}\", allow: [read, execute] }}\n");
    let read = |path: &str| format!("  - {{ path: \"{path}\", allow: [read, map] }}\n");
    let dev = allow("/dev/null");
    let all = allow(&folder.join("*")) + &dev;
    let only_script = allow(&script) + &read(&interpreter) + &dev;
    let only_interpreter = read(&script) + &allow(&interpreter) + &dev;
    let agent = Agent::start(&[
        ("granted", &profile("enforce", &all)),
        ("denied", &profile("enforce", &read(&folder.join("*")))),
        ("audited", &profile("audit", &read(&folder.join("*")))),
        ("script", &profile("enforce", &only_script)),
        ("interpreter", &profile("enforce", &only_interpreter)),
    ]);
    // The program that is run tries to read a file that all may read.
    let run = ["fork-exec", &target, "read", "/dev/null"];
    for (name, profile, want) in [
        ("granted", "granted", 0),
        ("denied", "denied", EACCES),
        ("audited", "audited", 0),
    ] {
        assert_eq!(agent.attempt(profile, &run), want, "{name}");
    }
    assert_eq!(attempt_outside(&run), 0, "outside");

    // `interpreter exec SCRIPT /dev/null`: it then tries to run the script again,
    // which says that the script was run at all.
    let script_run = ["fork-exec", script.as_str()];
    for (name, profile, starts) in [
        ("neither stage", "denied", false),
        ("the script alone", "script", false),
        ("the interpreter alone", "interpreter", false),
    ] {
        let errno = agent.attempt(profile, &script_run);
        assert_eq!(errno == EACCES, !starts, "{name}: {errno}");
    }
    let detection = agent
        .detection(&interpreter)
        .expect("the interpreter was refused");
    assert_eq!(detection["operation"], "execute", "{detection}");
    assert_eq!(
        agent.detection(&script).expect("the script, too")["operation"],
        "execute"
    );
}

/// A child, and what it runs, stay confined; so does a daemon.
#[test]
fn descendants_inherit() {
    let folder = Folder::new("inherit");
    let target = copy(&folder, "target");
    let secret = folder.write("secret", "x");
    let rules = format!("  - {{ path: \"{target}\", allow: [execute] }}");
    let agent = Agent::start(&[("p", &profile("enforce", &rules))]);
    let steps: [(&str, &[&str]); 9] = [
        ("a child", &["fork-exec", &target, "read", &secret]),
        (
            "what a daemon runs",
            &["as-daemon", "fork-exec", &target, "read", &secret],
        ),
        (
            "a child that borrows memory",
            &["spawn", &target, "read", &secret],
        ),
        (
            "what a thread becomes",
            &["exec-by-thread", &target, "read", &secret],
        ),
        (
            "a grandchild",
            &["fork-exec", &target, "fork-exec", &target, "read", &secret],
        ),
        ("itself, run again", &["exec", &target, "read", &secret]),
        ("a fork", &["in-child", "read", &secret]),
        ("a thread", &["read-thread", &secret]),
        ("a daemon", &["as-daemon", "read", &secret]),
    ];
    for (name, attempt) in steps {
        assert_eq!(agent.attempt("p", attempt), EACCES, "{name}");
        // It ran, and was refused what it then did.
        let mut granted = attempt.to_vec();
        *granted.last_mut().unwrap() = "/dev/null";
        assert_eq!(agent.attempt("p", &granted), 0, "{name}: granted");
    }
    assert_eq!(
        attempt_outside(&["fork-exec", &target, "read", &secret]),
        0,
        "outside"
    );
    let detection = agent.detection(&secret).expect("a detection");
    assert_eq!(detection["who"]["exe"], target, "{detection}");
}

/// Whether a rule can lead to another profile. Where not, such a profile is refused.
pub(crate) fn can_switch() -> bool {
    if series() >= (5, 11) {
        return true;
    }
    let agent = Agent::start(&[]);
    let text = profile("enforce", "");
    assert!(agent.reload("p", &text));
    assert!(!agent.reload("p", &(text + "exec:\n  - { path: /x, profile: p }\n")));
    false
}

/// A rule can lead to another profile.
#[test]
fn exec_switches_to_a_named_profile() {
    if !can_switch() {
        return;
    }
    let folder = Folder::new("switch");
    let first = copy(&folder, "first");
    let second = copy(&folder, "second");
    let [one, two] = ["one", "two"].map(|name| folder.write(name, "x"));
    let rules = format!("  - {{ path: \"{one}\", allow: [read] }}");
    let exec = format!("exec:\n  - {{ path: \"{second}\", profile: second }}\n");
    let applies = format!("applies_to: {{ executables: [\"{first}\"] }}\n");
    let first_profile = applies + &profile("enforce", &rules) + &exec;
    let rules = format!("  - {{ path: \"{two}\", allow: [read] }}");
    let agent = Agent::start(&[
        ("first", &first_profile),
        ("second", &profile("enforce", &rules)),
    ]);
    for (name, attempt, want) in [
        ("its own file", vec!["fork-exec", &first, "read", &one], 0),
        (
            "the other's file",
            vec!["fork-exec", &first, "read", &two],
            EACCES,
        ),
        (
            "behind the switch, the other's",
            vec!["fork-exec", &first, "fork-exec", &second, "read", &two],
            0,
        ),
        (
            "behind the switch, its own",
            vec!["fork-exec", &first, "fork-exec", &second, "read", &one],
            EACCES,
        ),
        ("outside, neither", vec!["read", &two], 0),
    ] {
        assert_eq!(attempt_outside(&attempt), want, "{name}");
    }
    let detection = agent.detection(&one).expect("a detection");
    assert_eq!(detection["profile"], "second", "{detection}");
    assert_eq!(detection["layer"], "application", "{detection}");
}

/// A rule of a process' profile leads to another as well, and that profile stays.
#[test]
fn exec_adds_a_named_profile() {
    if !can_switch() {
        return;
    }
    let folder = Folder::new("add");
    let second = copy(&folder, "second");
    let [one, two, both] = ["one", "two", "both"].map(|name| folder.write(name, "x"));
    let read = |path: &str| format!("  - {{ path: \"{path}\", allow: [read] }}");
    let exec = format!("exec:\n  - {{ path: \"{second}\", profile: second }}\n");
    let rules = |one: &str| profile("enforce", &[read(one), read(&both)].join("\n"));
    let agent = Agent::start(&[("first", &(rules(&one) + &exec)), ("second", &rules(&two))]);
    for (file, want) in [(&one, EACCES), (&two, EACCES), (&both, 0)] {
        let through = ["fork-exec", &second, "read", file];
        assert_eq!(agent.attempt("first", &through), want, "{file}");
    }
    assert_eq!(agent.attempt("first", &["read", &one]), 0, "without it");
    for (file, layer) in [(&one, "application"), (&two, "process")] {
        let detection = agent.detection(file).expect("a detection");
        assert_eq!(detection["layer"], layer, "{detection}");
    }
}

/// What is remembered of a program, or of the tree that it lies in, still leads to the
/// other profile; and what leads nowhere stays.
#[test]
fn exec_switches_each_time() {
    if !can_switch() {
        return;
    }
    let folder = Folder::new("again");
    for name in ["tree", "tree/deep", "others", "others/deep"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    let switching = ["one", "tree/deep/two", "tree/deep/three"].map(|name| copy(&folder, name));
    let staying = ["four", "others/deep/five", "others/deep/six"].map(|name| copy(&folder, name));
    let [own, other] = ["own", "other"].map(|name| folder.write(name, "x"));
    let rules = format!(
        "  - {{ path: \"{own}\", allow: [read] }}
  - {{ path: \"{}\", allow: [execute] }}
  - {{ path: \"{}\", allow: [execute] }}
exec:
  - {{ path: \"{}\", profile: second }}
  - {{ path: \"{}\", profile: second }}
",
        staying[0],
        folder.join("others/**"),
        switching[0],
        folder.join("tree/**"),
    );
    let second = format!("  - {{ path: \"{other}\", allow: [read] }}");
    let first = copy(&folder, "first");
    let applies = format!("applies_to: {{ executables: [\"{first}\"] }}\n");
    let _agent = Agent::start(&[
        ("first", &(applies + &profile("enforce", &rules))),
        ("second", &profile("enforce", &second)),
    ]);
    for round in 1..=3 {
        for (programs, own_want, other_want) in [(&switching, EACCES, 0), (&staying, 0, EACCES)] {
            for program in programs {
                for (file, want) in [(&own, own_want), (&other, other_want)] {
                    let attempt = ["fork-exec", &first, "fork-exec", program, "read", file];
                    let errno = attempt_outside(&attempt);
                    assert_eq!(errno, want, "round {round}: {program} reads {file}");
                }
            }
        }
    }
}

/// A program that a rule leads to another profile is told not to trust its
/// environment, which who had the other profile made.
#[test]
fn exec_distrusts_the_environment() {
    if !can_switch() {
        return;
    }
    let folder = Folder::new("trust");
    let [first, second, third] = ["first", "second", "third"].map(|name| copy(&folder, name));
    let exec = format!(
        "exec:\n  - {{ path: \"{second}\", profile: second }}\n  - {{ path: \"{third}\", inherit: true }}\n"
    );
    let applies = format!("applies_to: {{ executables: [\"{first}\"] }}\n");
    let text = applies + &profile("enforce", "") + &exec;
    let _agent = Agent::start(&[("first", &text), ("second", &profile("enforce", ""))]);
    let eperm = 1;
    for (name, by, program, want) in [
        ("another profile", &first, &second, eperm),
        ("the same profile", &first, &third, 0),
        ("outside", &third, &second, 0),
    ] {
        let attempt = ["fork-exec", by, "fork-exec", program, "trust-environment"];
        assert_eq!(attempt_outside(&attempt), want, "{name}");
    }
}

/// An exec that fails changes nothing.
#[test]
fn a_failed_exec_keeps_the_domain() {
    let folder = Folder::new("failed");
    let secret = folder.write("secret", "x");
    // Its interpreter is found missing after the script was judged.
    let broken = folder.write("broken", "#!/no/such/interpreter\n");
    fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).unwrap();
    let rules = format!("  - {{ path: \"{broken}\", allow: [execute] }}");
    let agent = Agent::start(&[("p", &profile("enforce", &rules))]);
    let enoent = 2;
    assert_eq!(agent.attempt("p", &["exec", &broken]), enoent);
    assert_eq!(agent.attempt("p", &["read", &secret]), EACCES);
}
