//! Who is confined.
//!
//! - [`users`], [`cgroups`]: those that a profile names, beside programs
//! - [`adoption`]: those that somebody puts under one
//! - [`first`]: what is attached for whom, and when

mod adoption;
mod cgroups;
mod first;
mod users;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
};

use enforcer_tests::{
    Agent, EACCES, Folder, WITHIN, attempt_outside, errno, profile, program, rule, wait_for,
};

use crate::background::Told;

/// Starts `edge obey`, unconfined.
fn start() -> Told {
    Told::start(Command::new(program("edge")).arg("obey"))
}

/// Has it do something, and returns the errno.
fn tell(process: &mut Told, order: &str) -> i32 {
    let answer = process.tell(order);
    answer
        .parse()
        .unwrap_or_else(|_err| panic!("{order}: {answer:?}"))
}

/// How often an access to `path` was refused, by whomever, once that is `want`.
fn refused(agent: &Agent, path: &str, want: u64) -> u64 {
    let count = || {
        let detections = agent.detections();
        let about = detections.iter().filter(|one| one["path"] == path);
        about.filter_map(|one| one["count"].as_u64()).sum()
    };
    wait_for(WITHIN, || Some(count()).filter(|&count| count == want)).unwrap_or_else(count)
}

fn applies_to(executable: &str, profile: &str) -> String {
    format!("applies_to: {{ executables: [\"{executable}\"] }}\n{profile}")
}

/// Starts `attempt read-when-told`, and returns when it runs.
fn start_waiting(program: &str, path: &str) -> Child {
    let mut child = Command::new(program)
        .args(["read-when-told", path])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "ready\n");
    child
}

fn go_on(mut child: Child) -> i32 {
    child.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    errno(&child.wait_with_output().unwrap())
}

/// The application layer comes with the program that is run, whoever runs it.
#[test]
fn an_application_is_confined_by_its_executable() {
    let folder = Folder::new("application");
    let named = folder.join("named");
    std::fs::copy(program("attempt"), &named).unwrap();
    let secret = folder.write("secret", "x");
    let agent = Agent::start(&[("p", &applies_to(&named, &profile("enforce", "")))]);
    assert_eq!(
        attempt_outside(&["fork-exec", &named, "read", &secret]),
        EACCES
    );
    assert_eq!(attempt_outside(&["read", &secret]), 0, "another program");
    let detection = agent.detection(&secret).expect("a detection");
    assert_eq!(detection["layer"], "application", "{detection}");
    assert_eq!(detection["who"]["exe"], named, "{detection}");
}

/// What runs when its profile is loaded is confined from then on.
#[test]
fn a_running_process_is_caught() {
    let folder = Folder::new("running");
    let named = folder.join("named");
    std::fs::copy(program("attempt"), &named).unwrap();
    let secret = folder.write("secret", "x");
    let before_agent = start_waiting(&named, &secret);
    let outsider = start_waiting(program("attempt").to_str().unwrap(), &secret);
    let text = applies_to(&named, &profile("enforce", ""));
    let agent = Agent::start(&[("p", &text)]);
    assert_eq!(go_on(before_agent), EACCES, "started before the agent");
    assert_eq!(go_on(outsider), 0, "another program that ran before");

    // The same for a profile that comes while the agent runs.
    let other = folder.join("other");
    std::fs::copy(program("attempt"), &other).unwrap();
    let before_profile = start_waiting(&other, &secret);
    let both = text.replace(
        &format!("\"{named}\""),
        &format!("\"{named}\", \"{other}\""),
    );
    let rule = format!("  - {{ path: \"{other}\", allow: [read] }}\n");
    assert!(agent.reload("p", &(both + &rule)));
    assert_eq!(go_on(before_profile), EACCES, "started before the profile");
}

/// Layers intersect, and the detection names the one that refused.
#[test]
fn layers_intersect() {
    let folder = Folder::new("layers");
    let named = folder.join("named");
    std::fs::copy(program("attempt"), &named).unwrap();
    let [both, application, process, neither] =
        ["both", "application", "process", "neither"].map(|name| folder.write(name, "x"));
    let rules = |paths: &[&str]| {
        paths.iter().fold(String::new(), |rules, path| {
            rules + &format!("  - {{ path: \"{path}\", allow: [read] }}\n")
        })
    };
    let app = profile("enforce", &(rules(&[&both, &application])));
    let exec = format!("  - {{ path: \"{named}\", allow: [execute] }}\n");
    let proc = profile("enforce", &(rules(&[&both, &process]) + &exec));
    let audit = profile("audit", &exec);
    let agent = Agent::start(&[
        ("app", &applies_to(&named, &app)),
        ("proc", &proc),
        ("audit", &audit),
    ]);
    for (name, profile, path, want) in [
        ("both grant", "proc", &both, 0),
        (
            "only the application layer grants",
            "proc",
            &application,
            EACCES,
        ),
        ("only the process layer grants", "proc", &process, EACCES),
        ("neither grants", "proc", &neither, EACCES),
        (
            "a layer in audit does not weaken one that enforces",
            "audit",
            &process,
            EACCES,
        ),
        ("and refuses nothing itself", "audit", &both, 0),
    ] {
        let output = agent.exec(profile, &[&named, "read", path]);
        assert_eq!(errno(&output), want, "{name}");
    }
    let layers = |path: &str| {
        agent.detection(path).expect("a detection");
        let mut layers: Vec<String> = agent
            .detections()
            .iter()
            .filter(|one| one["path"] == path && one["profile"] != "audit")
            .map(|one| one["layer"].as_str().unwrap().to_owned())
            .collect();
        layers.sort();
        layers.dedup();
        layers
    };
    assert_eq!(layers(&application), ["process"]);
    assert_eq!(layers(&process), ["application"]);
    assert_eq!(layers(&neither), ["application", "process"]);
}

/// A process that is in a profile cannot trade it for another.
#[test]
fn a_confined_process_keeps_its_process_layer() {
    let folder = Folder::new("second");
    let secret = folder.write("secret", "x");
    // The command line's own needs, and those of what it is told to run.
    let needs = "  - { path: \"/**\", allow: [read, execute, connect] }\n";
    let rules = format!("{needs}  - {{ path: \"{secret}\", deny: [all] }}\n");
    let agent = Agent::start(&[
        ("narrow", &profile("enforce", &rules)),
        ("wide", &profile("enforce", needs)),
    ]);
    let attempt = program("attempt");
    let attempt = attempt.to_str().unwrap();
    assert_eq!(
        agent.attempt("wide", &["read", &secret]),
        0,
        "the other profile grants it"
    );
    let nested = [
        "enforcer",
        "exec",
        "--profile",
        "wide",
        "--",
        attempt,
        "read",
        &secret,
    ];
    let output = agent.exec("narrow", &nested);
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(
        agent.refusals("second-profile"),
        1,
        "it is refused for that"
    );
    let detection = agent.detection(attempt).expect("a detection");
    assert_eq!(detection["reason"], "second-profile", "{detection}");
}

/// Two that have one profile and each its own mounts are strangers: paths mean to one what
/// they do not to the other.
#[test]
fn who_has_other_mounts_is_no_part_of_the_domain() {
    const EPERM: i32 = 1;
    let folder = Folder::new("strangers");
    let file = folder.write("file", "x");
    let rules = rule(&file, "read");
    let granted = profile("enforce", &rules) + "privileges: [ptrace]\n";
    let agent = Agent::start(&[
        ("p", &profile("enforce", &rules)),
        ("granted", &granted),
        ("audited", &profile("audit", &rules)),
    ]);
    let attempt = program("attempt");
    let start = |name: &str, before: &[&str]| {
        let mut command = Command::new("env");
        command.args(before);
        command.args(["enforcer", "exec", "--profile", name, "--"]);
        Told::start(command.arg(&attempt).args(["read-when-told", &file]))
    };
    // Columns: what it shows, profile, what starts the other, errno.
    for (name, profile, before, want) in [
        ("the same mounts", "p", &[][..], 0),
        ("mounts of its own", "p", &["unshare", "-m"], EPERM),
        ("granted", "granted", &["unshare", "-m"], 0),
        ("audited", "audited", &["unshare", "-m"], 0),
    ] {
        let other = start(profile, before);
        let id = other.id().to_string();
        let compare = ["compare", id.as_str()];
        assert_eq!(agent.attempt(profile, &compare), want, "{name}");
        assert_eq!(attempt_outside(&compare), 0, "{name}: outside");
        assert_eq!(
            agent.attempt(profile, &["signal-check", &id]),
            0,
            "{name}: a signal"
        );
        assert_eq!(other.go_on().code(), Some(0), "{name}");
    }
}
