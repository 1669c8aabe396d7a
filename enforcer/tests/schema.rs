//! The schemas for editors: they lie beside the profiles, and say what the loader says.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use enforcer::profile::{ABSTRACTIONS, Profile, abstraction_schema, profile_schema};
use serde_json::Value;

/// Set, it writes the schemas anew.
const UPDATE: &str = "ENFORCER_UPDATE";

/// The folder of the profiles that are shipped.
fn shipped() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../profiles"))
}

/// The schemas with their files.
fn schemas() -> [(PathBuf, Value); 2] {
    let file = |name: &str| shipped().join(name);
    [
        (file("profile.schema.json"), profile_schema().to_value()),
        (
            file("abstractions/abstraction.schema.json"),
            abstraction_schema().to_value(),
        ),
    ]
}

/// A file as JSON, which has no tags and no anchors as profiles have none.
fn read(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// If this fails, `ENFORCER_UPDATE=1 cargo test --test schema` writes the files anew.
#[test]
fn the_files_are_up_to_date() {
    for (file, schema) in schemas() {
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if env::var_os(UPDATE).is_some() {
            fs::write(&file, &text).unwrap();
        }
        let is_same = fs::read_to_string(&file).unwrap_or_default() == text;
        assert!(is_same, "{} is stale; set {UPDATE}=1", file.display());
    }
}

/// What is shipped names its schema, and keeps to it.
#[test]
fn what_is_shipped_is_valid() {
    let mut count = 0;
    for (file, schema) in schemas() {
        let validator = jsonschema::validator_for(&schema).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        for entry in fs::read_dir(file.parent().unwrap()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|end| end != "yaml") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let first = format!("# yaml-language-server: $schema={name}");
            assert_eq!(
                text.lines().next(),
                Some(first.as_str()),
                "{}",
                path.display()
            );
            let errors: Vec<_> = validator
                .iter_errors(&read(&text))
                .map(|e| e.to_string())
                .collect();
            assert!(errors.is_empty(), "{}: {errors:?}", path.display());
            count += 1;
        }
    }
    assert!(count >= 4, "{count} files");
}

/// The loader and the schema refuse and accept the same texts.
#[test]
fn it_says_what_the_loader_says() {
    #[rustfmt::skip]
    let cases = [
        ("the least",           true,  ""),
        ("all keys",            true,  "description: d\napplies_to: { users: [www, 33], units: [a.service] }\nvariables: { a: x, b: [u, v] }\npaths: [{ path: /a, allow: [read] }, { path: /b, deny: [all], reason: r }]\nexec: [{ path: /c, inherit: true }, { path: /d, deny: true }]\nprivileges: [setuid]\nmetadata: true\non_violation: { respond: contain, tighten: auto }\n"),
        ("a misspelt key",      false, "pahts: []\n"),
        ("a misspelt right",    false, "paths: [{ path: /a, allow: [raed] }]\n"),
        ("all is for denies",   false, "paths: [{ path: /a, allow: [all] }]\n"),
        ("an unknown privilege", false, "privileges: [cap_setuid]\n"),
        ("an unknown answer",   false, "on_violation: { tighten: maybe }\n"),
        ("an unknown response", false, "on_violation: { respond: maybe }\n"),
        ("a rule without path", false, "paths: [{ allow: [read] }]\n"),
        ("text for a list",     false, "include: base\n"),
        ("no boolean",          false, "metadata: sure\n"),
    ];
    let validator = jsonschema::validator_for(&profile_schema().to_value()).unwrap();
    for (name, want, rest) in cases {
        let text = format!("name: p\nmode: enforce\n{rest}");
        let loaded = Profile::parse(&text, Path::new("p.yaml"), &shipped().join(ABSTRACTIONS));
        assert_eq!(loaded.is_ok(), want, "{name}: {loaded:?}");
        let errors: Vec<_> = validator
            .iter_errors(&read(&text))
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors.is_empty(), want, "{name}: {errors:?}");
    }
}
