use std::path::Path;

use proptest::prelude::*;

use super::insert;
use crate::profile::{
    Profile,
    format::{append, is_same, tests::messy::Messy},
};

/// A profile with a new rule on paths, a privilege and a program.
const ADDED: &str = "\
name: q
mode: audit
paths:
  # why
  - { path: /new, allow: [read] }
privileges:
  # why not
  - kill
exec:
  - { path: /bin/new, inherit: true }
";

fn inserted(text: &str, added: &str) -> String {
    let got = insert(text, added, Path::new("p.yaml"), Path::new(""));
    got.unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn other_lines_stay_as_they_are() {
    let paths = "name: q\nmode: audit\npaths:\n  # why\n  - { path: /new, allow: [read] }\n";
    let kill = "name: q\nmode: audit\nprivileges:\n  # why\n  - kill\n";
    // Columns: what it shows, the text, what is added, the new text.
    #[rustfmt::skip]
    let cases = [
        ("a list in its author's style",
         "mode:   audit\nname: p\npaths:\n    -   path:  /a   # a\n        allow: [ write,read ]\n\n\nprivileges: []\n", paths,
         "mode:   audit\nname: p\npaths:\n    -   path:  /a   # a\n        allow: [ write,read ]\n    # why\n    - { path: /new, allow: [read] }\n\n\nprivileges: []\n"),
        ("comments at the end of a list",
         "name: p\nmode: audit\npaths:\n  - { path: /a, allow: [read] }\n  # last\n\n# next\nmetadata: false\n", paths,
         "name: p\nmode: audit\npaths:\n  - { path: /a, allow: [read] }\n  # last\n\n  # why\n  - { path: /new, allow: [read] }\n\n# next\nmetadata: false\n"),
        ("dashes under their key",
         "name: p\nmode: audit\npaths:\n- {path: /a, allow: [read]}\n# next\nmetadata: false\n", paths,
         "name: p\nmode: audit\npaths:\n- {path: /a, allow: [read]}\n# why\n- { path: /new, allow: [read] }\n# next\nmetadata: false\n"),
        ("no such list, and no line end",
         "name: p\nmode:  audit", paths,
         "name: p\nmode:  audit\n\npaths:\n  # why\n  - { path: /new, allow: [read] }\n"),
        ("an empty list",
         "name: p\nmode: audit\npaths: []  # none\nmetadata:   false\n", paths,
         "name: p\nmode: audit\npaths:  # none\n  # why\n  - { path: /new, allow: [read] }\nmetadata:   false\n"),
        ("a list in brackets",
         "name: p\nmode: audit\nprivileges: [chown,\n  setuid]\nmetadata:   false\n", kill,
         "name: p\nmode: audit\nprivileges:\n  - chown\n  - setuid\n  # why\n  - kill\nmetadata:   false\n"),
        ("a name that is there",
         "name: p\nmode:   audit\nprivileges: [kill]\n", kill,
         "name: p\nmode:   audit\nprivileges: [kill]\n"),
        ("a text of several lines at the end",
         "name: p\nmode: audit\npaths:\n  - path: /a\n    deny: [all]\n    reason: >-\n      # no comment\n\n      so\n\nmetadata: false\n", paths,
         "name: p\nmode: audit\npaths:\n  - path: /a\n    deny: [all]\n    reason: >-\n      # no comment\n\n      so\n  # why\n  - { path: /new, allow: [read] }\n\nmetadata: false\n"),
        ("other line ends",
         "name: p\r\nmode: audit\r\npaths:\r\n  - {path: /a, allow: [read]}\r\n", paths,
         "name: p\r\nmode: audit\r\npaths:\r\n  - {path: /a, allow: [read]}\r\n  # why\r\n  - { path: /new, allow: [read] }\r\n"),
        ("several lists",
         "name: p\nmode:  audit\npaths:\n  - {path: /a, allow: [read]}\n", ADDED,
         "name: p\nmode:  audit\npaths:\n  - {path: /a, allow: [read]}\n  # why\n  - { path: /new, allow: [read] }\n\nprivileges:\n  # why not\n  - kill\n\nexec:\n  - { path: /bin/new, inherit: true }\n"),
        ("all in brackets is formatted",
         "{ mode: audit, name: p }\n", paths,
         "name: p\nmode: audit\n\npaths:\n  # why\n  - { path: /new, allow: [read] }\n"),
    ];
    for (name, text, added, want) in cases {
        assert_eq!(inserted(text, added), want, "{name}");
    }
}

#[test]
fn what_is_no_profile() {
    // Columns: what it shows, the text, what is added.
    #[rustfmt::skip]
    let cases = [
        ("no profile",      "name: [p\n",              ADDED),
        ("nothing to add",  "name: p\nmode: audit\n",  "paths: 3\n"),
        ("an unknown right", "name: p\nmode: audit\n", "name: q\nmode: audit\npaths: [{ path: /a, allow: [raed] }]\n"),
    ];
    for (name, text, added) in cases {
        let got = insert(text, added, Path::new("p.yaml"), Path::new(""));
        assert!(got.is_err(), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// It says what appending says, whatever the text looks like.
    #[test]
    fn it_says_the_same(tape in proptest::collection::vec(any::<u8>(), 0..300)) {
        let Messy { text, .. } = Messy::from(tape);
        let file = Path::new("p.yaml");
        let got = inserted(&text, ADDED);
        let formatted = append(&text, ADDED, file, Path::new("")).unwrap();
        let parse = |text| Profile::parse(text, file, Path::new("")).unwrap();
        let [one, other] = [&got, &formatted].map(|text| parse(text));
        prop_assert!(is_same(&one, &other), "{}\nbecame\n{}", text, got);
    }
}
