//! What is granted for a time: rules that end, and permits.

use std::{thread::sleep, time::Duration};

use enforcer_tests::{Agent, EACCES, Folder, Obedient, attempt_outside, profile, wait_for};
use jiff::Timestamp;
use serde_json::Value;

const EXDEV: i32 = 18;
const EPERM: i32 = 1;
/// What is cut off of either clock, and how late it may be looked at.
const SLACK: i64 = 3;
/// How long the agent may take to tell of something.
const PATIENCE: Duration = Duration::from_secs(30);

fn now() -> i64 {
    Timestamp::now().as_second()
}

/// Waits until a time is over for the kernel, too.
fn wait_until(time: i64) {
    let left = u64::try_from(time + SLACK - now());
    sleep(Duration::from_secs(left.unwrap_or(0)));
}

/// A profile that grants everything in `kept`, and in `lent` as `ends` says.
fn lending(mode: &str, folder: &Folder, ends: &str) -> String {
    let path = folder.path().display();
    let all = "[read, write, create, remove]";
    let rules = format!(
        "  - {{ path: \"{path}/kept/**\", allow: {all} }}\n  - {{ path: \"{path}/lent/**\", allow: {all}, {ends} }}\n"
    );
    profile(mode, &rules)
}

/// A rule ends at its time, while no agent runs.
#[test]
fn a_rule_ends_without_the_agent() {
    let folder = Folder::new("until");
    let [lent, kept] = ["lent", "kept"].map(|name| folder.write(&format!("{name}/file"), "x"));
    let moved = folder.join("kept/moved");
    let agent = Agent::start(&[("ends", &lending("enforce", &folder, "for: 1h"))]);
    // Loading takes a while on a slow machine.
    let mut until = 0;
    let loaded = [20, 60, 180].into_iter().any(|time| {
        until = now() + time;
        let ends = format!("until: {}", Timestamp::from_second(until).expect("a time"));
        let text = |mode| lending(mode, &folder, &ends);
        agent.reload("ends", &text("enforce"));
        agent.reload("watches", &text("audit"));
        now() + 10 < until
    });
    assert!(loaded, "the agent loads profiles in time");
    let mut process = Obedient::new(Some("ends"));
    let mut watched = Obedient::new(Some("watches"));
    let mut outsider = Obedient::new(None);
    let read = format!("read {lent}");
    for _ in 0..3 {
        assert_eq!(process.told(&read), 0);
        assert_eq!(watched.told(&read), 0);
    }
    // What it may do for a time does not become what it may do for ever.
    let other = folder.join("lent/other");
    assert_eq!(process.told(&format!("rename {lent} {moved}")), EXDEV);
    assert_eq!(process.told(&format!("link {lent} {moved}")), EACCES);
    assert_eq!(process.told(&format!("rename {lent} {other}")), 0);
    assert_eq!(process.told(&format!("rename {other} {lent}")), 0);
    assert!(now() < until, "the machine is too slow for this test");

    agent.paused(|| {
        wait_until(until);
        assert_eq!(process.told(&read), EACCES);
        assert_eq!(process.told(&format!("in-child write {lent}")), EACCES);
        assert_eq!(process.told(&format!("write {kept}")), 0);
        assert_eq!(watched.told(&read), 0);
        assert_eq!(outsider.told(&read), 0);
    });
    let detections = || {
        let of_lent = |one: &Value| one["path"] == lent.as_str() && one["operation"] == "open";
        let mut all: Vec<_> = agent.detections().into_iter().filter(of_lent).collect();
        all.sort_by_key(|one| one["profile"].to_string());
        let text = |one: &Value| {
            let texts =
                ["profile", "verdict", "reason"].map(|key| one[key].as_str().unwrap_or("?"));
            texts.join(" ")
        };
        all.iter().map(text).collect::<Vec<_>>()
    };
    let want = [
        "ends denied not-granted",
        "ends denied not-granted",
        "watches audited not-granted",
    ];
    let mut last = Vec::new();
    let told = wait_for(PATIENCE, || {
        last = detections();
        (last == want).then_some(())
    });
    assert!(told.is_some(), "{last:?}");
}

/// A rule ends for a process some time after it came under the profile, with all that it
/// started, and not for the next one.
#[test]
fn a_start_has_a_rule_for_so_long() {
    const SECONDS: i64 = 20;
    let folder = Folder::new("for");
    let lent = folder.write("lent/file", "x");
    let agent = Agent::start(&[("starts", &lending("enforce", &folder, "for: 20s"))]);
    let mut process = Obedient::new(Some("starts"));
    let started = now();
    let read = format!("read {lent}");
    assert_eq!(process.told(&read), 0);
    assert_eq!(process.told(&format!("in-child {read}")), 0);
    // Neither another profile nor this one anew gives it time.
    assert!(agent.reload(
        "starts",
        &(lending("enforce", &folder, "for: 20s") + "privileges: [signal]\n")
    ));
    wait_until(started + SECONDS);
    assert_eq!(process.told(&read), EACCES);
    assert_eq!(process.told(&format!("in-child {read}")), EACCES);
    assert_eq!(agent.attempt("starts", &["read", &lent]), 0, "the next one");
    assert_eq!(process.told(&read), EACCES);
    assert_eq!(attempt_outside(&["read", &lent]), 0);
}

/// A profile that grants nothing in a folder, and denies `denied`.
fn strict(folder: &Folder) -> String {
    let path = folder.path().display();
    profile(
        "enforce",
        &format!("  - {{ path: {path}/denied, deny: [all], quiet: true }}\n"),
    )
}

fn permit(agent: &Agent, words: &[&str]) -> Value {
    let mut args = vec!["permit", "--json", "--reason", "a \"test\""];
    args.extend(words);
    agent.json(&args)
}

/// The detections of a permit, as `verdict reason access path`.
fn shown(agent: &Agent, id: &str) -> Vec<String> {
    let shown = agent.json(&["permit", "show", id, "--json"]);
    let detections = shown["detections"].as_array().expect("a list");
    let text = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let missing = one["missing"].as_array().expect("a list").iter();
        let missing: Vec<&str> = missing.filter_map(Value::as_str).collect();
        let object = text("path") + &text("privilege");
        format!(
            "{} {} {} {object}",
            text("verdict"),
            text("reason"),
            missing.join(",")
        )
    };
    let mut all: Vec<_> = detections.iter().map(text).collect();
    all.sort();
    all
}

/// What a permit's rules grant is granted for its time, and told; rules are made of it.
#[test]
fn rules_are_permitted_for_a_time() {
    let folder = Folder::new("permit");
    let [extra, denied, secret] = ["extra", "denied", "secret"].map(|name| folder.write(name, "x"));
    let agent = Agent::start(&[("opened", &strict(&folder)), ("closed", &strict(&folder))]);
    let mut process = Obedient::new(Some("opened"));
    let read = |path: &str| format!("read {path}");
    assert_eq!(process.told(&read(&extra)), EACCES);

    let path = folder.path().display();
    let rules = [format!("read:{path}/extra"), format!("read:{path}/denied")];
    let given = permit(
        &agent,
        &["--profile", "opened", "--for", "30s", &rules[0], &rules[1]],
    );
    let id = given["id"].as_str().expect("a name");
    let until = now() + 30;
    for _ in 0..3 {
        assert_eq!(process.told(&read(&extra)), 0);
    }
    assert_eq!(process.told(&format!("write {extra}")), EACCES);
    assert_eq!(process.told(&read(&denied)), EACCES, "a deny denies on");
    assert_eq!(process.told(&read(&secret)), EACCES);
    assert_eq!(agent.attempt("closed", &["read", &extra]), EACCES);
    assert_eq!(attempt_outside(&["read", &extra]), 0);
    assert_eq!(
        shown(&agent, id),
        [format!("allowed permitted read {extra}")]
    );

    agent.paused(|| {
        wait_until(until);
        assert_eq!(process.told(&read(&extra)), EACCES);
    });
    let state = || agent.json(&["permit", "list", "--json"])[0]["reason"].clone();
    assert_eq!(state(), "a \"test\"");
    let find = || {
        let mut all = agent.detections().into_iter();
        all.find(|one| one["reason"] == "permitted" && one["path"] == extra.as_str())
    };
    let detection = wait_for(PATIENCE, find).expect("it is told");
    assert_eq!(detection["rule"], format!("{id}:1:1"));
    let accept = [
        "review",
        "--accept",
        detection["id"].as_str().expect("a name"),
        "--reason",
        "needed",
        "--json",
    ];
    agent.json(&accept);
    assert_eq!(process.told(&read(&extra)), 0, "it is a rule now");
    assert_eq!(process.told(&read(&secret)), EACCES);
}

/// Without rules a profile lets everything through, tells of all of it, and refuses again
/// when that is ended; a restart of the agent changes nothing.
#[test]
fn everything_is_permitted_until_it_is_ended() {
    let folder = Folder::new("permit-all");
    let [denied, secret] = ["denied", "secret"].map(|name| folder.write(name, "x"));
    let mut agent = Agent::alone(&[("opened", &strict(&folder)), ("closed", &strict(&folder))]);
    let outsider = Obedient::new(None);
    let signal = format!("signal-check {}", outsider.pid());
    let cases = [format!("read {denied}"), format!("write {secret}"), signal];
    let all = |want: [i32; 3]| {
        let mut process = Obedient::new(Some("opened"));
        for (words, want) in cases.iter().zip(want) {
            assert_eq!(process.told(words), want, "{words}");
        }
    };
    all([EACCES, EACCES, EPERM]);
    let given = permit(&agent, &["--profile", "opened", "--for", "1h"]);
    let id = given["id"].as_str().expect("a name");
    let status = agent.json(&["status", "--json"]);
    assert_eq!(status["permits"][0]["id"], id);
    all([0; 3]);
    assert_eq!(agent.attempt("closed", &["read", &secret]), EACCES);
    assert_eq!(attempt_outside(&["read", &secret]), 0);
    let want = [
        format!("audited permitted read {denied}"),
        format!("audited permitted write {secret}"),
        "audited permitted  signal".to_owned(),
    ];
    let mut want = want.to_vec();
    want.sort();
    let mut last = Vec::new();
    let told = wait_for(PATIENCE, || {
        last = shown(&agent, id);
        (last == want).then_some(())
    });
    assert!(told.is_some(), "{last:#?}, not {want:#?}");

    agent.restart(|| ());
    all([0; 3]);
    let ended = agent.json(&["permit", "end", id, "--json"]);
    assert!(ended["ended"].is_string(), "{ended}");
    all([EACCES, EACCES, EPERM]);
    let status = agent.json(&["status", "--json"]);
    assert_eq!(status["permits"].as_array().map(Vec::len), Some(0));
    // Columns: what is wrong, the arguments, what is told.
    let wrong = [
        ("over", vec!["permit", "end", id], "ended at"),
        ("no permit", vec!["permit", "end", "P99"], "no permit P99"),
        (
            "no profile",
            vec![
                "permit",
                "--profile",
                "none",
                "--for",
                "1m",
                "--reason",
                "x",
            ],
            "is not loaded",
        ),
        (
            "no rule",
            vec![
                "permit",
                "--profile",
                "opened",
                "--for",
                "1m",
                "--reason",
                "x",
                "/srv",
            ],
            "RIGHTS:PATH",
        ),
        (
            "too long",
            vec![
                "permit",
                "--profile",
                "opened",
                "--for",
                "25h",
                "--reason",
                "x",
            ],
            "1d at most",
        ),
    ];
    for (name, args, want) in wrong {
        let output = agent.cli(&args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && text.contains(want),
            "{name}: {text}"
        );
    }
    all([EACCES, EACCES, EPERM]);
}
