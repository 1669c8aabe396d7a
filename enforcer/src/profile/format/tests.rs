use std::{collections::BTreeSet, path::Path};

use proptest::prelude::*;
use serde_json::Value;

use self::messy::Messy;
use super::{FileKind, format, is_same, kind_of, order};
use crate::profile::{Profile, abstraction_schema, profile_schema};

pub(super) mod messy;

fn formatted(text: &str) -> String {
    let kind = kind_of(text);
    format(text, Path::new("p.yaml"), kind, Path::new("")).unwrap_or_else(|error| {
        panic!("{error}\n{text}");
    })
}

/// `text` behind the keys that every profile has.
fn profile(text: &str) -> String {
    format!("name: p\nmode: audit\n{text}")
}

#[test]
fn one_style() {
    // Columns: what it shows, text, formatted; both behind a name and a mode.
    #[rustfmt::skip]
    let cases = [
        ("rules in brackets",
         "paths:\n- path: /a\n  allow:\n  - read\n",
         "\npaths:\n  - { path: /a, allow: [read] }\n"),
        ("no quotes that nothing needs",
         "paths: [{path: \"/a\", allow: ['read']}, {path: '/{a,b}', allow: [\"read\"]}]\n",
         "\npaths:\n  - { path: /a, allow: [read] }\n  - { path: \"/{a,b}\", allow: [read] }\n"),
        ("quotes by where a word stands",
         "variables: { a: \"/{x,y}\", b: ['[', 'x: y', '#', '\"a', \"it's\"] }\n",
         "variables:\n  a: /{x,y}\n  b: [\"[\", \"x: y\", \"#\", '\"a', it's]\n"),
        ("quotes that make a number text",
         "variables: { a: \"12\", b: \"yes\", c: \"/12\" }\n",
         "variables:\n  a: \"12\"\n  b: \"yes\"\n  c: /12\n"),
        ("rights in their order",
         "paths:\n  - { path: /a, allow: [connect, write, read] }\n",
         "\npaths:\n  - { path: /a, allow: [read, write, connect] }\n"),
        ("keys of a rule in their order",
         "paths:\n  - { reason: x, deny: [all], path: /a }\nexec:\n  - { inherit: true, path: /b }\n",
         "\npaths:\n  - { path: /a, deny: [all], reason: x }\n\nexec:\n  - { path: /b, inherit: true }\n"),
        ("names one a line",
         "privileges: [setuid, kill]\n",
         "\nprivileges:\n  - setuid\n  - kill\n"),
        ("none",
         "privileges: []\npaths: []\n",
         "paths: []\nprivileges: []\n"),
        ("blank lines, at most one",
         "paths:\n\n\n  - { path: /a, allow: [read] }\n\n\n  - { path: /b, allow: [read] }\n\n",
         "\npaths:\n  - { path: /a, allow: [read] }\n\n  - { path: /b, allow: [read] }\n"),
        ("comments at their place",
         "paths: # one\n# two\n- {path: /a, # three\n   allow: [read]} # four\n# five\n\n# six\n- path: /b\n  # seven\n  allow: [read]\n  # eight\n # nine\n# ten\non_violation: {}\n# eleven\n",
         "\npaths:  # one\n  # two\n  # four\n  - path: /a  # three\n    allow: [read]\n  # five\n\n  # six\n  - path: /b\n    # seven\n    allow: [read]\n    # eight\n  # nine\n\n# ten\non_violation: {}\n# eleven\n"),
        ("a comment behind a rule that stays",
         "paths:\n  - { path: /a, allow: [read] } # why\n",
         "\npaths:\n  - { path: /a, allow: [read] }  # why\n"),
        ("a comment on the line of a dash",
         "paths:\n  - # why\n    path: /a\n    allow: [read]\n",
         "\npaths:\n  # why\n  - { path: /a, allow: [read] }\n"),
        ("a comment in nothing",
         "paths: [ # none\n ]\n",
         "# none\npaths: []\n"),
    ];
    for (name, text, want) in cases {
        let got = formatted(&profile(text));
        assert_eq!(got, profile(want), "{name}");
        assert_eq!(formatted(&got), got, "{name}: again");
    }
}

#[test]
fn long_rules() {
    let path = "/".to_owned() + &"a".repeat(50);
    let reason = "so that words go on and on ".repeat(5);
    let text = profile(&format!(
        "paths:\n  - {{ path: {path}, deny: [all], reason: short }} # why\n  \
         - {{ path: {path}{path}, allow: [read] }}\n  \
         - {{ path: /a, deny: [all], reason: \"{}\" }}\n",
        reason.trim_end()
    ));
    let want = profile(&format!(
        "\npaths:\n  - {{ path: {path}, deny: [all], reason: short }}  # why\n  \
         - path: {path}{path}\n    allow: [read]\n  \
         - path: /a\n    deny: [all]\n    reason: >-\n      \
         so that words go on and on so that words go on and on so that words go on and on so that words\n      \
         go on and on so that words go on and on\n"
    ));
    let got = formatted(&text);
    assert_eq!(got, want);
    assert_eq!(formatted(&got), got);
}

#[test]
fn whole_files() {
    // Columns: what it shows, text, formatted.
    #[rustfmt::skip]
    let cases = [
        ("a header stays",
         "# head\nmode: audit\n# about paths\npaths: []\n# about name\nname: p\n",
         "# head\n\n# about name\nname: p\nmode: audit\n# about paths\npaths: []\n"),
        ("a comment that stands off goes along",
         "# head\n\n# about mode\nmode: audit\nname: p\n",
         "# head\n\nname: p\n# about mode\nmode: audit\n"),
        ("an abstraction",
         "paths: []\n\ninclude: [base]\ndescription: d\n",
         "description: d\ninclude: [base]\npaths: []\n"),
        ("a short list in brackets",
         "name: p\nmode: audit\napplies_to: { executables:\n  [/a,\n\n   /b] }\n",
         "name: p\napplies_to:\n  executables: [/a, /b]\nmode: audit\n"),
        ("text that is short",
         "name: p\ndescription: 'a\n  b'\nmode: audit\n",
         "name: p\ndescription: a b\nmode: audit\n"),
        ("a block as it is",
         "name: p\ndescription: >-\n    a\n    b\n\n      c  \n\n\n\nmode: audit\n",
         "name: p\ndescription: >-\n  a\n  b\n\n    c  \n\nmode: audit\n"),
        ("a block that says where it starts",
         "name: p\ndescription: |2-\n    a\n  b\nmode: audit\n",
         "name: p\ndescription: \"  a\\nb\"\nmode: audit\n"),
        ("marks of the document",
         "--- # start\nname: p\nmode: audit\n...\n# end\n",
         "# start\nname: p\nmode: audit\n# end\n"),
        ("in brackets", "{ mode: audit, name: p }\n", "name: p\nmode: audit\n"),
        ("without a line end", "name: p\r\nmode: audit", "name: p\nmode: audit\n"),
    ];
    for (name, text, want) in cases {
        let got = formatted(text);
        assert_eq!(got, want, "{name}");
        assert_eq!(formatted(&got), got, "{name}: again");
    }
}

#[test]
fn what_is_refused() {
    // Columns: what it shows, text, the error.
    #[rustfmt::skip]
    let cases = [
        ("no YAML",        "name: [p\n",                      "p.yaml:"),
        ("unknown key",    "name: p\nmode: audit\npahts: []\n", "p.yaml:3:1: unknown key `pahts`; did you mean `paths`?"),
        ("an anchor",      "name: &a p\nmode: audit\n",       "p.yaml:1:"),
        ("a tag",          "name: !!str p\nmode: audit\n",    "p.yaml:1:7: a tag says nothing here"),
        ("two documents",  "name: p\nmode: audit\n---\na: b\n", "p.yaml:"),
        ("nothing",        "",                                "p.yaml:1:1: "),
    ];
    for (name, text, want) in cases {
        let error = format(text, Path::new("p.yaml"), FileKind::Profile, Path::new(""));
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with(want), "{name}: {error}");
    }
}

/// Every key that a profile may have has its place.
#[test]
fn no_key_is_forgotten() {
    let keys = |schema: &Value| -> BTreeSet<String> {
        let properties = schema["properties"].as_object().unwrap();
        properties.keys().cloned().collect()
    };
    for schema in [profile_schema(), abstraction_schema()] {
        let schema = schema.to_value();
        for key in keys(&schema) {
            assert!(order::TOP.contains(&key.as_str()), "{key}");
        }
        for (name, of) in schema["definitions"].as_object().unwrap() {
            let order: &[&str] = match name.as_str() {
                "PathRule" | "ExecRule" => &order::RULE,
                "AppliesTo" => &order::APPLIES_TO,
                "OnViolation" => &order::ON_VIOLATION,
                _ if name.ends_with("Rule") => &order::RULE,
                _ => continue,
            };
            for key in keys(of) {
                assert!(order.contains(&key.as_str()), "{name}: {key}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn formatting_again_changes_nothing(tape in proptest::collection::vec(any::<u8>(), 0..300)) {
        let Messy { text, comments } = Messy::from(tape);
        let before = Profile::parse(&text, Path::new("p.yaml"), Path::new(""));
        let before = before.unwrap_or_else(|error| panic!("{error}\n{text}"));
        let once = formatted(&text);
        prop_assert_eq!(&formatted(&once), &once, "of\n{}", text);
        let after = Profile::parse(&once, Path::new("p.yaml"), Path::new("")).unwrap();
        prop_assert!(is_same(&before, &after), "{}\nbecame\n{}", text, once);
        for comment in 0..comments {
            let count = once.matches(&format!("# c{comment}.")).count();
            prop_assert_eq!(count, 1, "c{} of\n{}\nin\n{}", comment, text, once);
        }
        prop_assert!(!once.contains("\n\n\n"), "{}", once);
        prop_assert!(!once.contains(" \n"), "{}", once);
        prop_assert!(once.ends_with('\n') && !once.ends_with("\n\n"), "{}", once);
    }
}

#[test]
fn kinds_of_texts() {
    // Columns: what it shows, the text, what it is.
    #[rustfmt::skip]
    let cases = [
        ("a profile",               "name: g\nmode: audit\n",             FileKind::Profile),
        ("quoted keys",             "\"name\": g\n'mode': audit\n",    FileKind::Profile),
        ("in braces",               "{ name: g, mode: audit }\n",         FileKind::Profile),
        ("an abstraction",          "paths: []\n",                        FileKind::Abstraction),
        ("an abstraction in braces", "{ paths: [] }\n",                   FileKind::Abstraction),
        ("a name in a text",        "description: |\n  a\n\n  name: b\n", FileKind::Abstraction),
    ];
    for (name, text, want) in cases {
        assert_eq!(kind_of(text), want, "{name}");
    }
}
