use std::{fs, path::Path};

use super::{Wanted, read};
use crate::apparmor::{
    error::ImportError,
    policy::{Item, Policy, RuleKind, SectionKind},
};

/// What a file with this text says, beside files that it may include.
fn policy(text: &str, included: &[(&str, &str)]) -> Result<Policy, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in included {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let file = folder.path().join("p");
    fs::write(&file, text).unwrap();
    read(&file, folder.path(), Wanted::All)
}

/// The rules of the first profile, as they are understood.
fn rules(text: &str) -> Vec<String> {
    let policy = policy(text, &[]).unwrap();
    let rules = policy.sections[0].rules.iter();
    rules
        .map(|rule| match &rule.kind {
            RuleKind::File {
                path,
                modes,
                target,
            } => {
                let exec = modes.exec.map(|exec| exec.to);
                format!("{path} {exec:?} {target:?} {:?}", rule.qualifiers)
            }
            RuleKind::Link { path, to } => format!("{path} to {to}"),
            RuleKind::Other { keyword, items } => format!("{keyword} {items:?}"),
        })
        .collect()
}

#[test]
fn file_rules() {
    let said = |rule: &str| rules(&format!("profile p {{\n {rule}\n}}\n"));
    let same = [
        "/a{b,c}/* rw,",
        "rw /a{b,c}/*,",
        "file /a{b,c}/* rw,",
        "allow file rw /a{b,c}/*,",
        "\"/a{b,c}/*\" rw,",
        "/a{b,c}/*\n  rw , # a comment",
    ];
    let first = said(same[0]);
    assert_eq!(first.len(), 1);
    assert!(first[0].starts_with("/a{b,c}/* None None"), "{first:?}");
    for rule in same {
        assert_eq!(said(rule), first, "{rule}");
    }
    // Columns: what it shows, rule, part of what is understood.
    #[rustfmt::skip]
    let cases = [
        ("a blank",         "\"/a b\" r,",              "/a b None"),
        ("an escape",       r"/a\ b r,",                r"/a\ b None"),
        ("a target",        "/a Px -> b//c,",           "/a Some(Profile) Some(\"b//c\")"),
        ("a variable",      "@{HOME}/x r,",             "@{HOME}/x None"),
        ("qualifiers",      "audit deny owner /a x,",   "deny: true, audit: true, owner: true"),
        ("a priority",      "priority=3 /a r,",         "others: [\"priority=3\"]"),
        ("no priority",     "priority=0 /a r,",         "others: []"),
        ("every file",      "file,",                    "/{**,} Some(Inherit)"),
        ("a link",          "link subset /a -> /b/**,", "/a to /b/**"),
        ("a block",         "audit deny { /a r, }",     "deny: true, audit: true"),
        ("on one line",     "/a r,}\nprofile q {",      "/a None"),
    ];
    for (name, rule, want) in cases {
        let said = said(rule);
        assert!(
            said.len() == 1 && said[0].contains(want),
            "{name}: {said:?}"
        );
    }
}

#[test]
fn other_rules() {
    let word = |text: &str| Item::Word(text.to_owned());
    let set = |key: &str, values: Vec<Item>| Item::Set {
        key: key.to_owned(),
        values,
    };
    #[rustfmt::skip]
    let cases = [
        ("capability,",                            "capability", vec![]),
        ("capability chown kill,",                 "capability", vec![word("chown"), word("kill")]),
        ("network inet stream,",                   "network",    vec![word("inet"), word("stream")]),
        ("signal (send, receive) peer=/a{b,c},",   "signal",     vec![Item::Group(vec![word("send"), word("receive")]), set("peer", vec![word("/a{b,c}")])]),
        ("unix peer=(label=x, addr=\"@y\"),",      "unix",       vec![set("peer", vec![set("label", vec![word("x")]), set("addr", vec![word("@y")])])]),
        ("mount options in (ro,bind) /a -> /b/,",  "mount",      vec![set("options", vec![word("ro"), word("bind")]), word("/a"), word("->"), word("/b/")]),
        ("set rlimit nofile <= 1024,",             "set",        vec![word("rlimit"), word("nofile"), word("<="), word("1024")]),
        ("network (connect) inet6 peer=(ip=::1 port=80),", "network", vec![Item::Group(vec![word("connect")]), word("inet6"), set("peer", vec![set("ip", vec![word("::1")]), set("port", vec![word("80")])])]),
        ("userns,",                                "userns",     vec![]),
        ("change_profile /a -> b,",                "change_profile", vec![word("/a"), word("->"), word("b")]),
    ];
    for (rule, want, items) in cases {
        let policy = policy(&format!("profile p {{ {rule} }}"), &[]).unwrap();
        let RuleKind::Other {
            keyword,
            items: got,
        } = &policy.sections[0].rules[0].kind
        else {
            panic!("{rule}");
        };
        assert_eq!((*keyword, got), (want, &items), "{rule}");
        assert_eq!(policy.sections[0].rules[0].text, rule.trim_end_matches(','));
    }
}

#[test]
fn profiles() {
    let text = "
        abi <abi/4.0>,
        @{x}=/a
        /usr/bin/a flags=(complain, attach_disconnected) { }
        profile b /usr/bin/{b,c} (audit) {
            /x Cx -> inner,
            profile inner /bin/d { profile deep { } }
            ^hat { /y r, }
            hat other { }
        }
        \"/usr/bin/e f\" { }
        profile g @{x} xattrs=(user.a=\"b\") { }";
    let features = [("abi/4.0", "namespaces {userns_create {yes\n}\n}")];
    let policy = policy(text, &features).unwrap();
    assert!(policy.abi.userns && !policy.abi.unix);
    let mut heads = Vec::new();
    let mut left: Vec<_> = policy.sections.iter().rev().collect();
    while let Some(section) = left.pop() {
        let attachment = section.attachment.as_deref().unwrap_or("-");
        let flags = section.flags.join("+");
        heads.push(format!(
            "{} {attachment} {:?} {flags}",
            section.name, section.kind
        ));
        left.extend(section.children.iter().rev());
    }
    #[rustfmt::skip]
    assert_eq!(heads, [
        "/usr/bin/a /usr/bin/a Profile complain+attach_disconnected",
        "b /usr/bin/{b,c} Profile audit",
        "b//inner /bin/d Child ",
        "b//inner//deep - Child ",
        "b//hat - Hat ",
        "b//other - Hat ",
        "/usr/bin/e f /usr/bin/e f Profile ",
        "g @{x} Profile xattrs",
    ]);
    assert_eq!(policy.sections[1].kind, SectionKind::Profile);
}

#[test]
fn includes_and_variables() {
    let included = [
        (
            "tunables/global",
            "@{HOME}=/home/*/ \"/root/\"\n@{HOME}+=/srv # more\n$lax = false\n",
        ),
        ("abstractions/base", "/b r,\n#include <abstractions/more>\n"),
        ("abstractions/more", "/m r,\n"),
        ("local.d/10", "/ten r,\n"),
        ("local.d/x.dpkg-old", "nonsense"),
    ];
    let text = "
        include <tunables/global>
        profile p {
          #include <abstractions/base>
          include <abstractions/base>
          include if exists <none>
          #include if exists <abstractions/more>
          include <local.d>
          if $lax { /lax r, } else if not defined @{nope} { /strict r, } else { /no r, }
          if defined @{HOME} and not ($lax or $lax) { /home r, }
          # include <nothing>
        }";
    let policy = policy(text, &included).unwrap();
    assert_eq!(policy.variables["HOME"], ["/home/*/", "/root/", "/srv"]);
    let rules = policy.sections[0].rules.iter();
    let said: Vec<_> = rules
        .map(|rule| (rule.text.as_str(), rule.from.as_deref().unwrap_or("")))
        .collect();
    #[rustfmt::skip]
    assert_eq!(said, [
        ("/b r", "abstractions/base"),
        ("/m r", "abstractions/more"),
        ("/ten r", "local.d/10"),
        ("/strict r", ""),
        ("/home r", ""),
    ]);
}

#[test]
fn refuse() {
    // Columns: what it shows, text, place, part of the message.
    #[rustfmt::skip]
    let cases = [
        ("no rule",            "profile p {\n  walk /a,\n}",       "2:3",  "unknown rule `walk`"),
        ("no comma",           "profile p {\n  /a r\n}",           "3:1",  "the `,` at the end"),
        ("no rights",          "profile p {\n  /a ,\n}",           "2:6",  "expected rights"),
        ("odd rights",         "profile p {\n  /a rz,\n}",         "2:6",  "`rz` are no rights"),
        ("two rights",         "profile p {\n  /a wa,\n}",         "2:6",  "`wa` are no rights"),
        ("an open block",      "profile p {\n  /a r,\n",           "3:1",  "a `}` that closes the block, found the end"),
        ("no include",         "include <x>\n",                    "1:9",  "there is no `x` to include"),
        ("a comma",            "@{a}=b, c\n",                      "1:7",  "without commas"),
        ("twice",              "@{a}=b\n@{a}=c\n",                 "2:1",  "add values with `+=`"),
        ("to nothing",         "@{a}+=b\n",                        "1:1",  "nothing defines `@{a}`"),
        ("no boolean",         "profile p { if $x { } }",          "1:16", "nothing defines `$x`"),
        ("a rule outside",     "capability,\n",                    "1:1",  "expected a profile"),
        ("no arrow",           "profile p { link /a /b, }",        "1:21", "a `->`"),
        ("too deep",           &format!("profile p {}", "{ profile q ".repeat(20)), "1:", "nested more than 16"),
    ];
    for (name, text, place, want) in cases {
        let error = policy(text, &[]).unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains(want), "{name}: {shown}");
        let file = error.origin.file.display().to_string();
        assert!(
            shown.starts_with(&format!("{file}:{place}")),
            "{name}: {shown}"
        );
    }
    let circle = policy("include <a>", &[("a", "include <b>"), ("b", "include <a>")]);
    assert!(circle.is_ok(), "each is included once");
    assert!(
        read(Path::new("/nonexistent/p"), Path::new("/"), Wanted::All)
            .unwrap_err()
            .is_unreadable()
    );
}

#[test]
fn heads_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p");
    let text = "profile a /bin/a {\n /x{a,b} rz, # }\n \"}\" walk,\n}\nprofile b { if }\n";
    fs::write(&file, text).unwrap();
    let policy = read(&file, folder.path(), Wanted::Heads).unwrap();
    let names: Vec<_> = policy
        .sections
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b"]);
}
