use std::path::Path;

use super::lint;
use crate::profile::Profile;

/// The warnings of a profile with these lines, without their file.
fn warnings(rest: &str) -> Vec<String> {
    let text = format!("name: p\nmode: enforce\n{rest}");
    let profile = Profile::parse(&text, Path::new("p.yaml"), Path::new("")).unwrap();
    let warnings = lint(&profile).unwrap();
    warnings
        .iter()
        .map(|warning| warning.to_string().replace("p.yaml:", ""))
        .collect()
}

#[test]
fn what_may_not_have_been_meant() {
    let shadowed = "other rules grant all of it, as that at";
    let denied = "all that it grants is denied, as by";
    let run = "what is written can be run, as";
    // Columns: what it shows, the profile, each warning's line and the beginning of its words.
    #[rustfmt::skip]
    let cases: [(&str, &str, &[(u32, &str)]); 22] = [
        ("nothing", "paths:\n  - { path: /a/**, allow: [read] }\n  - { path: /a/b, allow: [write] }\n", &[]),
        ("a narrower rule", "paths:\n  - { path: /a/**, allow: [read] }\n  - { path: /a/b, allow: [read] }\n", &[(5, shadowed)]),
        ("the same rule twice", "paths:\n  - { path: /a, allow: [read] }\n  - { path: /a, allow: [read] }\n", &[(4, shadowed), (5, shadowed)]),
        ("by two together", "paths:\n  - { path: '/a/[a-m]*', allow: [read] }\n  - { path: '/a/[!a-m]*', allow: [read] }\n  - { path: '/a/?*', allow: [read] }\n", &[(4, shadowed), (5, shadowed), (6, shadowed)]),
        ("a right more", "paths:\n  - { path: /a/**, allow: [read] }\n  - { path: /a/b, allow: [read, write] }\n", &[]),
        ("of the owner, and of all", "paths:\n  - { path: /a/**, allow: [read] }\n  - { path: /a/b, allow: [read], owner: true }\n", &[(5, shadowed)]),
        ("of all, and of the owner", "paths:\n  - { path: /a/**, allow: [read], owner: true }\n  - { path: /a/b, allow: [read] }\n", &[]),
        ("of the owner twice", "paths:\n  - { path: /a/**, allow: [read], owner: true }\n  - { path: /a/b, allow: [read], owner: true }\n", &[(5, shadowed)]),
        ("named is what is of all", "paths:\n  - { path: /a/**, allow: [read], owner: true }\n  - { path: /a/*, allow: [read] }\n  - { path: /a/b, allow: [read] }\n", &[(6, "other rules grant all of it, as that at 5:")]),
        ("told of its use", "paths:\n  - { path: /a/**, allow: [read] }\n  - { path: /a/b, allow: [read], audit: true }\n", &[]),
        ("of a network", "network:\n  - { allow: [connect] }\n  - { protocol: tcp, allow: [connect] }\n", &[(5, shadowed)]),
        ("only a right that is denied more", "paths:\n  - { path: /a/**, allow: [read] }\n  - { path: /a/b, allow: [read, create] }\n  - { path: /a/b, deny: [create] }\n", &[(5, shadowed)]),
        ("without telling, and with it", "paths:\n  - { path: /a/**, allow: [read], audit: true }\n  - { path: /a/b, allow: [read] }\n", &[(5, shadowed)]),
        ("denied", "paths:\n  - { path: /a/b, allow: [read] }\n  - { path: /a/**, deny: [all] }\n", &[(4, denied)]),
        ("denied in part", "paths:\n  - { path: /a/**, allow: [read] }\n  - { path: /a/b, deny: [all] }\n", &[]),
        ("every path", "paths:\n  - { path: '/**', allow: [read] }\n", &[(4, "it is about every path")]),
        ("write and execute", "paths:\n  - { path: /a/*, allow: [write] }\n  - { path: /a/b, allow: [execute] }\n", &[(4, run)]),
        ("not on one path", "paths:\n  - { path: /a/*, allow: [write] }\n  - { path: /b/*, allow: [execute] }\n", &[]),
        ("not as it is denied", "paths:\n  - { path: /a/*, allow: [write] }\n  - { path: /a/b, allow: [execute] }\n  - { path: /a/b, deny: [write] }\n", &[]),
        ("its program", "applies_to: { executables: ['/opt/*/bin/p'] }\npaths:\n  - { path: /opt/x/**, allow: [create] }\n", &[(5, "it lets the program /opt/x/bin/p be changed")]),
        ("another program", "applies_to: { executables: ['/opt/*/bin/p'] }\npaths:\n  - { path: /opt/x/etc/**, allow: [create] }\n", &[]),
        ("itself", "paths:\n  - { path: /etc/enforcer/**, allow: [remove] }\n", &[(4, "it lets /etc/enforcer/profiles/p.yaml be changed")]),
    ];
    for (name, text, want) in cases {
        let got = warnings(text);
        assert_eq!(got.len(), want.len(), "{name}: {got:?}");
        for (got, (line, begins)) in got.iter().zip(want) {
            let (origin, message) = got.split_once(": warning: ").unwrap();
            let is_there = origin.starts_with(&format!("{line}:"));
            assert!(is_there && message.starts_with(begins), "{name}: {got}");
        }
    }
}

/// A profile may grant more than an abstraction that it includes, or less, and not the same
/// again.
#[test]
fn rules_of_abstractions_are_for_others_too() {
    let abstractions = concat!(env!("CARGO_MANIFEST_DIR"), "/../profiles/abstractions");
    // Columns: what the profile's own rule says, how many warnings.
    #[rustfmt::skip]
    let cases = [
        ("path: /usr/share/**, allow: [read]",           0),
        ("path: /usr/share/**, deny: [all]",             0),
        ("path: /usr/share/zoneinfo/UTC, allow: [read]", 1),
    ];
    for (path, want) in cases {
        let text = format!("name: p\nmode: enforce\ninclude: [base]\npaths: [{{ {path} }}]\n");
        let profile = Profile::parse(&text, Path::new("p.yaml"), Path::new(abstractions)).unwrap();
        let warnings = lint(&profile).unwrap();
        assert_eq!(warnings.len(), want, "{path}: {warnings:?}");
    }
}
