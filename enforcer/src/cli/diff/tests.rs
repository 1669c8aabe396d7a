use std::path::Path;

use super::View;
use crate::profile::{Profile, differences};

fn profile(file: &str, rest: &str) -> Profile {
    let text = format!("name: p\n{rest}");
    Profile::parse(&text, Path::new(file), Path::new("")).unwrap()
}

/// What is told of two profiles.
fn told(before: &str, after: &str) -> (String, serde_json::Value) {
    let [before, after] = [profile("a/p.yaml", before), profile("b/p.yaml", after)];
    let view = View::new(&before, &after, &differences(&before, &after).unwrap());
    let json = serde_json::to_value(&view).unwrap();
    (view.lines.join("\n"), json)
}

const BEFORE: &str = "\
mode: enforce
applies_to: { executables: [/bin/p], users: [www] }
privileges: [setuid]
paths:
  - { path: /srv/**, allow: [read] }
  - { path: /srv/old, allow: [write] }
exec:
  - { path: /bin/x }
";

const AFTER: &str = "\
mode: audit
applies_to: { executables: [/bin/p], units: [p.service] }
privileges: [setuid, sys_admin]
paths:
  - { path: /srv/**, allow: [read] }
  - { path: /srv/*.log, allow: [append] }
  - { path: /srv/**/.git/**, deny: [all], reason: source }
exec:
  - { path: /bin/x, profile: q }
";

#[test]
fn differences_for_people() {
    let (text, _json) = told(BEFORE, AFTER);
    assert_eq!(
        text,
        "\
~ execute /bin/x goes on in profile q, went on in the same profile
    granted by b/p.yaml:10:13: /bin/x allow execute
    was granted by a/p.yaml:9:13: /bin/x allow execute
- write /srv/old
    was granted by a/p.yaml:7:13: /srv/old allow write
+ append /srv/.log
    granted by b/p.yaml:7:13: /srv/*.log allow append
- read /srv/.git/a
    denied by b/p.yaml:8:13: /srv/**/.git/** deny all (source)
    was granted by a/p.yaml:6:13: /srv/** allow read
+ privilege sys_admin
+ applies to unit p.service
- applies to user www
~ mode audit, was enforce"
    );
}

#[test]
fn differences_for_programs() {
    let (_text, json) = told(BEFORE, AFTER);
    let paths = json["paths"].as_array().unwrap();
    assert_eq!(paths.len(), 4, "{json}");
    assert_eq!(
        paths[0]["target"],
        serde_json::json!(["inherit", "profile:q"])
    );
    assert_eq!(paths[2]["gained"], serde_json::json!(["append"]));
    assert_eq!(paths[2]["rules"][0]["role"], "granted by");
    assert_eq!(paths[2]["rules"][0]["pattern"], "/srv/*.log");
    assert_eq!(
        json["privileges"]["gained"],
        serde_json::json!(["sys_admin"])
    );
    assert_eq!(json["applies_to"]["lost"], serde_json::json!(["user www"]));
    assert_eq!(json["mode"], serde_json::json!(["enforce", "audit"]));
}

#[test]
fn nothing_differs() {
    let (text, json) = told(BEFORE, BEFORE);
    assert_eq!(text, "");
    assert_eq!(json["paths"], serde_json::json!([]));
}

#[test]
fn other_ends() {
    let until =
        |end: &str| format!("mode: enforce\npaths:\n  - {{ path: /srv/a, allow: [read]{end} }}\n");
    #[rustfmt::skip]
    let cases = [
        (", until: 2090-01-01", ", until: 2100-01-01", "until 2100-01-01T00:00:00Z, was until 2090-01-01T00:00:00Z"),
        (", for: 1s",           ", for: 1000d",        "for 1000d, was for 1s"),
        (", for: 1s",           "",                    "for good, was for 1s"),
    ];
    for (before, after, want) in cases {
        let (text, json) = told(&until(before), &until(after));
        let first = text.lines().next().unwrap();
        assert_eq!(first, format!("~ read /srv/a {want}"));
        assert!(
            text.contains("    granted by b/p.yaml:4:13")
                && text.contains("    was granted by a/p.yaml:4:13"),
            "{text}"
        );
        let ends = &json["paths"][0]["ends"][0];
        let [new, old] = want.split(", was ").collect::<Vec<_>>()[..] else {
            panic!("{want}")
        };
        assert_eq!(
            *ends,
            serde_json::json!({ "rights": ["read"], "before": [old], "after": [new] })
        );
    }
}

#[test]
fn settings() {
    let paths = |rule: &str| format!("paths:\n  - {{ path: /srv/**, {rule} }}\n");
    let violation = |text: &str| format!("on_violation: {{ {text} }}\n");
    // Columns: what it shows, the old profile, the new one, what is told, where it is in the
    // JSON and what stands there.
    #[rustfmt::skip]
    let cases = [
        ("respond", violation("respond: none"), violation("respond: contain"),
         "~ respond contain, was none",
         "/on_violation/respond", serde_json::json!(["none", "contain"])),
        ("tighten", violation("tighten: auto"), String::new(),
         "~ tighten propose, was auto",
         "/on_violation/tighten", serde_json::json!(["auto", "propose"])),
        ("audit", paths("allow: [read]"), paths("allow: [read], audit: true"),
         "~ use of read on /srv/a is told, was not told\n    told by b/p.yaml:4:13: /srv/** allow read, audit",
         "/paths/0/audit/gained", serde_json::json!(["read"])),
        ("audit no more", paths("allow: [create], audit: true"), paths("allow: [create]"),
         "~ use of create on /srv/a is not told, was told\n    was told by a/p.yaml:4:13: /srv/** allow create, audit",
         "/paths/0/audit/lost", serde_json::json!(["create"])),
        ("quiet", paths("deny: [write]"), paths("deny: [write], quiet: true"),
         "~ refusal of write on /srv/a is not told, was told\n    kept quiet by b/p.yaml:4:13: /srv/** deny write, append, quiet",
         "/paths/0/quiet/gained", serde_json::json!(["write", "append"])),
        ("quiet no more", paths("deny: [create], quiet: true"), paths("deny: [create]"),
         "~ refusal of create on /srv/a is told, was not told\n    was kept quiet by a/p.yaml:4:13: /srv/** deny create, quiet",
         "/paths/0/quiet/lost", serde_json::json!(["create"])),
        ("granted and told", paths("deny: [create], quiet: true"), paths("allow: [create], audit: true"),
         "+ create /srv/a\n    granted by b/p.yaml:4:13: /srv/** allow create, audit\n    was denied by a/p.yaml:4:13: /srv/** deny create, quiet",
         "/paths/0/gained", serde_json::json!(["create"])),
    ];
    for (name, before, after, want, at, value) in cases {
        let [before, after] = [before, after].map(|rest| format!("mode: enforce\n{rest}"));
        let (text, json) = told(&before, &after);
        assert_eq!(text, want, "{name}");
        assert_eq!(json.pointer(at), Some(&value), "{name}: {json}");
        assert_eq!(told(&before, &before).0, "", "{name}");
    }
}
