//! What the agent hears of what is granted.

use std::time::Duration;

use enforcer_abi::limits::LOOKS;
use enforcer_tests::{Agent, EACCES, Folder, WITHIN, attempt_outside, profile, wait_for};
use serde_json::Value;

/// How long the agent may take to keep hundreds of uses.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was used in a folder under a profile, as `access path`, in order.
fn used(agent: &Agent, profile: &str, folder: &Folder) -> Vec<String> {
    let prefix = format!("{}/", folder.path().display());
    let rows = agent.json(&["history", profile, "--json"]);
    let rows = rows.as_array().expect("a list");
    let row = |row: &Value| {
        let path = row["path"].as_str()?.strip_prefix(&prefix)?;
        let access = row["access"].as_array()?.iter().filter_map(Value::as_str);
        let granted = if row["granted"] == true {
            ""
        } else {
            "not granted: "
        };
        Some(format!(
            "{granted}{} {path}",
            access.collect::<Vec<_>>().join(",")
        ))
    };
    let mut rows: Vec<String> = rows.iter().filter_map(row).collect();
    rows.sort();
    rows
}

/// Waits for what was used to be this.
fn expect_used(agent: &Agent, profile: &str, folder: &Folder, want: &[&str]) {
    let mut last = Vec::new();
    let found = wait_for(WITHIN, || {
        last = used(agent, profile, folder);
        (last == want).then_some(())
    });
    assert!(found.is_some(), "{profile}: {last:#?}, not {want:#?}");
}

fn rules(folder: &Folder) -> String {
    let path = folder.path().display();
    format!(
        "  - {{ path: \"{path}/**\", allow: [read, write, create, remove] }}\n  - {{ path: \"{path}/secret\", deny: [all] }}\n"
    )
}

/// Each object is told once for each right, whatever the mode; what is refused is not, nor
/// is what others do.
#[test]
fn each_object_is_told_once_for_each_right() {
    let folder = Folder::new("history");
    let file = folder.write("file", "x");
    let other = folder.write("deep/other", "x");
    let secret = folder.write("secret", "x");
    let rules = rules(&folder);
    let agent = Agent::start(&[
        ("granted", &profile("enforce", &rules)),
        ("audited", &profile("audit", &rules)),
        ("learnt", &profile("learn", &rules)),
    ]);
    for _ in 0..20 {
        assert_eq!(attempt_outside(&["read", &file]), 0);
        for (profile, denied) in [("granted", EACCES), ("audited", 0), ("learnt", 0)] {
            assert_eq!(agent.attempt(profile, &["read", &file]), 0);
            assert_eq!(agent.attempt(profile, &["read", &other]), 0);
            assert_eq!(agent.attempt(profile, &["read", &secret]), denied);
        }
    }
    assert_eq!(agent.attempt("granted", &["write", &file]), 0);
    expect_used(
        &agent,
        "granted",
        &folder,
        &["read deep/other", "read,write file"],
    );
    expect_used(
        &agent,
        "audited",
        &folder,
        &["read deep/other", "read file"],
    );
    let learnt = ["not granted: read secret", "read deep/other", "read file"];
    expect_used(&agent, "learnt", &folder, &learnt);
    let rows = agent.json(&["history", "--json"]);
    let path = folder.path().display().to_string();
    let ours = |row: &&Value| {
        row["path"]
            .as_str()
            .is_some_and(|own| own.starts_with(&path))
    };
    for row in rows.as_array().expect("a list").iter().filter(ours) {
        // What is not granted is told to each that is started.
        let told = if row["granted"] == true { 2 } else { 20 };
        assert!(row["told"].as_u64() <= Some(told), "{row}");
        assert_eq!(row["program"], "/usr/lib/enforcer/attempt", "{row}");
        assert!(
            row["build"].as_str().is_some_and(|build| build.len() >= 16),
            "{row}"
        );
    }
}

/// A warm path is granted from memory, and tells nothing.
#[test]
fn a_warm_path_tells_nothing() {
    let folder = Folder::new("warm");
    let file = folder.write("file", "x");
    // With it the programs are called that judge `stat`, of which each read has one.
    let other = profile("enforce", "") + "metadata: true\n";
    let rules = rules(&folder);
    let agent = Agent::start(&[("warm", &profile("enforce", &rules)), ("other", &other)]);
    let read = |times: &str| agent.attempt("warm", &["read-storm", &file, times]);
    assert_eq!(read("10"), 0);
    expect_used(&agent, "warm", &folder, &["read file"]);
    let judged = agent.counter("judged");
    assert_eq!(read("1000"), 0);
    let more = agent.counter("judged") - judged;
    assert!(
        more < 100,
        "{more} accesses of a thousand were judged by their paths"
    );
}

/// Of thousands of objects under one rule some are told, and all are granted; the next
/// rule is told as before.
#[test]
fn a_rule_has_so_many_looks() {
    let folder = Folder::new("looks");
    let count = 8 * u64::from(LOOKS);
    let names: Vec<String> = (0..count)
        .map(|number| folder.write(&format!("many/{number}"), "x"))
        .collect();
    let single = folder.write("single", "x");
    let path = folder.path().display();
    let rules = format!(
        "  - {{ path: \"{path}/many/*\", allow: [read] }}\n  - {{ path: {single}, allow: [read] }}\n"
    );
    // The other has the programs called that judge `stat`: this one grants that everywhere,
    // and so it is no use of a rule.
    let other = profile("enforce", "") + "metadata: true\n";
    let agent = Agent::start(&[("looks", &profile("enforce", &rules)), ("other", &other)]);
    let mut words = vec!["read-all"];
    words.extend(names.iter().map(String::as_str));
    words.push(&single);
    assert_eq!(agent.attempt("looks", &words), 0);
    // Where the agent was too slow to take it, it is told with the next look.
    let mut last = Vec::new();
    let told = wait_for(PATIENCE, || {
        assert_eq!(agent.attempt("looks", &["read-all", &single]), 0);
        last = used(&agent, "looks", &folder);
        let is_told = last.contains(&"read single".to_owned());
        is_told.then(|| last.len() as u64 - 1)
    });
    let told = told.unwrap_or_else(|| panic!("the next rule is not told: {last:?}"));
    // Each of two processors has its own; and a minute can begin meanwhile.
    let most = 2 * 2 * u64::from(LOOKS);
    assert!(
        (u64::from(LOOKS)..=most).contains(&told),
        "{told} of {count} are told"
    );
}

/// A program that is run is told with each program that runs it.
#[test]
fn edges_of_exec_are_told() {
    let folder = Folder::new("edges");
    let copy = folder.join("copy");
    std::fs::copy("/usr/lib/enforcer/attempt", &copy).unwrap();
    let path = folder.path().display();
    let text = profile(
        "enforce",
        &format!("  - {{ path: \"{path}/**\", allow: [read] }}\n"),
    ) + &format!(
        "exec:\n  - {{ path: {copy}, inherit: true }}\n  - {{ path: /usr/lib/enforcer/attempt, inherit: true }}\n"
    );
    let agent = Agent::start(&[("edges", &text)]);
    for _ in 0..3 {
        assert_eq!(
            agent.attempt(
                "edges",
                &["fork-exec", &copy, "fork-exec", &copy, "read", &copy]
            ),
            0
        );
    }
    let edges = || {
        let rows = agent.json(&["history", "edges", "--json"]);
        let rows = rows.as_array().cloned().unwrap_or_default();
        let rows = rows.iter().filter(|row| row["path"] == copy.as_str());
        let rows = rows.filter(|row| row["access"].to_string().contains("execute"));
        let mut rows: Vec<String> = rows
            .map(|row| row["program"].as_str().unwrap_or("").to_owned())
            .collect();
        rows.sort();
        rows
    };
    let want = [copy.clone(), "/usr/lib/enforcer/attempt".to_owned()];
    let found = wait_for(WITHIN, || (edges() == want).then_some(()));
    assert!(found.is_some(), "{:?}, not {want:?}", edges());
}
