use std::{fs, path::Path};

use enforcer_abi::Access;
use tempfile::TempDir;

use crate::profile::{
    OnViolation, Profile, ProfileMode, ProfileSet, Respond, Target, Tighten, UserRef,
    load_abstraction,
};

/// A folder of profiles, with these files in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        let file = dir.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    dir
}

/// The errors of `p.yaml` in a folder with these files, one a line, without the folder.
fn errors(files: &[(&str, &str)]) -> String {
    let dir = folder(files);
    let abstractions = dir.path().join("abstractions");
    match Profile::load_all(&dir.path().join("p.yaml"), &abstractions) {
        Ok(_) => String::new(),
        Err(errors) => shown(errors, dir.path()),
    }
}

fn shown(errors: impl IntoIterator<Item: ToString>, dir: &Path) -> String {
    let lines: Vec<String> = errors.into_iter().map(|error| error.to_string()).collect();
    lines.join("\n").replace(&format!("{}/", dir.display()), "")
}

#[test]
fn a_whole_profile() {
    let dir = folder(&[
        (
            "p.yaml",
            r#"
name: p
description: everything there is
applies_to:
  executables: [/usr/sbin/p, "/usr/lib/${arch}/p"]
  users: [www-data, 33, "34"]
  units: [p.service]
  cgroups: ["/${arch}/p"]
mode: audit
include: [base]
variables: { docroot: /srv/www, arch: [x86_64, aarch64] }
paths:
  - { path: "${docroot}/**", allow: [read, write] }
  - path: /run/p.pid
    allow: [create]
  - { path: "${docroot}/**/.git/**", deny: [all], reason: "source leak" }
  - { path: /bin/x, allow: [execute] }
exec:
  - { path: /bin/y, profile: q }
  - { path: /bin/z, inherit: true }
  - { path: /bin/w }
  - { path: /bin/v, deny: true }
privileges: [chown, mount]
on_violation: { respond: contain, tighten: auto }
"#,
        ),
        (
            "abstractions/base.yaml",
            "variables: { docroot: /var/www, lib: /usr/lib }\ninclude: [more]\npaths: [{ path: \"${lib}/**\", allow: [read, map] }]\n",
        ),
        (
            "abstractions/more.yaml",
            "include: []\npaths: [{ path: \"${docroot}/x\", deny: [write] }, { path: /y, allow: [metadata] }, { path: /z, allow: [read, metadata] }]\n",
        ),
    ]);
    let file = dir.path().join("p.yaml");
    let profile = Profile::load(&file, &dir.path().join("abstractions")).unwrap();
    assert_eq!((&*profile.name, profile.mode), ("p", ProfileMode::Audit));
    assert_eq!(
        profile.on_violation,
        OnViolation {
            respond: Respond::Contain,
            tighten: Tighten::Auto
        }
    );
    assert_eq!(profile.source, file);
    let executables: Vec<&str> = profile
        .executables
        .iter()
        .map(|it| it.pattern.text())
        .collect();
    assert_eq!(executables, ["/usr/sbin/p", "/usr/lib/{x86_64,aarch64}/p"]);
    let users: Vec<_> = profile.users.iter().map(|it| it.who.clone()).collect();
    let [by_id, quoted] = [33, 34].map(UserRef::Id);
    assert_eq!(users, [UserRef::Name("www-data".to_owned()), by_id, quoted]);
    let cgroups: Vec<_> = profile
        .cgroups
        .iter()
        .map(|it| (it.pattern.text(), it.unit.as_deref()))
        .collect();
    let unit = ("/{**/,}p.service", Some("p.service"));
    assert_eq!(cgroups, [unit, ("/{x86_64,aarch64}/p", None)]);
    let privileges: Vec<_> = profile.privileges.names().collect();
    assert_eq!(privileges, ["chown", "sys_admin", "mount"]);
    let origin = profile.privileges_origin.unwrap().to_string();
    assert!(origin.ends_with("p.yaml:23:13"), "{origin}");
    assert!(!profile.metadata);

    let write = Access::WRITE | Access::APPEND;
    let execute = Access::EXECUTE | Access::MAP;
    let q = Target::Profile("q".to_owned());
    // Columns: pattern, allow, deny, target, place.
    #[rustfmt::skip]
    let want = [
        ("/srv/www/**",         Access::READ | write,       Access::NONE, None,                  "p.yaml:13:13"),
        ("/run/p.pid",          Access::CREATE,             Access::NONE, None,                  "p.yaml:14:11"),
        ("/srv/www/**/.git/**", Access::NONE,               Access::ALL,  None,                  "p.yaml:16:13"),
        ("/bin/x",              execute,                    Access::NONE, Some(Target::Inherit), "p.yaml:17:13"),
        ("/bin/y",              execute,                    Access::NONE, Some(q),               "p.yaml:19:13"),
        ("/bin/z",              execute,                    Access::NONE, Some(Target::Inherit), "p.yaml:20:13"),
        ("/bin/w",              execute,                    Access::NONE, Some(Target::Inherit), "p.yaml:21:13"),
        ("/bin/v",              Access::NONE,               Access::EXECUTE, None,               "p.yaml:22:13"),
        ("/usr/lib/**",         Access::READ | Access::MAP, Access::NONE, None,                  "abstractions/base.yaml:3:17"),
        ("/srv/www/x",          Access::NONE,               write,        None,                  "abstractions/more.yaml:2:17"),
        // Its right to metadata is none here.
        ("/z",                  Access::READ,               Access::NONE, None,                  "abstractions/more.yaml:2:91"),
    ];
    assert_eq!(profile.rules.len(), want.len());
    for (rule, (pattern, allow, deny, target, place)) in profile.rules.iter().zip(want) {
        assert_eq!(rule.pattern.text(), pattern);
        assert_eq!(
            (rule.allow, rule.deny, &rule.target),
            (allow, deny, &target),
            "{pattern}"
        );
        assert!(
            rule.origin.to_string().ends_with(place),
            "{pattern}: {}",
            rule.origin
        );
    }
    assert_eq!(profile.rules[2].reason.as_deref(), Some("source leak"));
}

/// Tries profiles: what it shows, what follows `name: p\nmode: enforce\n` or behind a
/// `=` the whole text, errors.
fn refuse(cases: &[(&str, &str, &str)]) {
    for &(name, text, want) in cases {
        let text = match text.strip_prefix('=') {
            Some(whole) => whole.to_owned(),
            None if text.starts_with("name: p\nmode") => text.to_owned(),
            None => format!("name: p\nmode: enforce\n{text}"),
        };
        let got = errors(&[
            ("p.yaml", &text),
            ("abstractions/base.yaml", "{}\n"),
            ("abstractions/a.yaml", "include: [b]\n"),
            ("abstractions/b.yaml", "# b\ninclude: [a]\n"),
            ("abstractions/broken.yaml", "name: broken\n"),
            (
                "abstractions/relative.yaml",
                "paths: [{ path: \"x\", allow: [read] }]\n",
            ),
            (
                "abstractions/stat.yaml",
                "paths: [{ path: /x, allow: [metadata] }]\n",
            ),
            (
                "abstractions/blind.yaml",
                "paths: [{ path: \"/x\", deny: [metadata] }]\n",
            ),
            ("abstractions/one.yaml", "variables: { v: \"1\" }\n"),
            ("abstractions/two.yaml", "variables: { v: \"2\" }\n"),
        ]);
        assert_eq!(got, want, "{name}");
    }
}

mod networks;

#[test]
fn refuse_profile() {
    let deep = format!(
        "name: p\nmode: enforce\npaths: {}{}\n",
        "[".repeat(40),
        "]".repeat(40)
    );
    let many = format!(
        "name: p\nmode: enforce\npaths:\n{}",
        "  - { path: /x, allow: [read] }\n".repeat(10_001)
    );
    #[rustfmt::skip]
    let cases: Vec<(&str, &str, &str)> = vec![
        ("empty file",          "=",                                  "p.yaml:1:1: the file is empty; a profile has at least a `name` and a `mode`, an abstraction at least `paths`"),
        ("no keys",             "=foo",                               "p.yaml:1:1: expected keys with their values: `key: value`"),
        ("no name",             "=mode: enforce\n",                   "p.yaml:1:1: the key `name` is missing; the name is that of the file without `.yaml`"),
        ("no mode",             "=name: p\n",                         "p.yaml:1:1: the key `mode` is missing; say `mode: enforce`, `audit` or `learn`"),
        ("unknown mode",        "=name: p\nmode: enforec\n",          "p.yaml:2:7: unknown value `enforec`; did you mean `enforce`?"),
        ("unlike any mode",     "=name: p\nmode: strict\n",           "p.yaml:2:7: unknown value `strict`; expected one of enforce, audit, learn"),
        ("other name",          "=name: q\nmode: enforce\n",          "p.yaml:1:7: the name `q` is not that of the file; call the file `q.yaml`"),
        ("invalid name",        "=name: P/..\nmode: enforce\n",       "p.yaml:1:7: invalid name `P/..`; a name has 1 to 64 of a-z, 0-9, `_`, `.` and `-`, and begins with a letter or digit"),
        ("null name",           "=name:\nmode: enforce\n",            "p.yaml:1:5: expected text, and there is none"),
        ("unknown key",         "path: []\n",                         "p.yaml:3:1: unknown key `path`; did you mean `paths`?"),
        ("key of later",        "limits: []\n",                       "p.yaml:3:1: unknown key `limits`; expected one of name, description, applies_to, mode, include, variables, paths, exec, network, privileges, metadata, on_violation"),
        ("unknown inner key",   "paths: [{ path: /x, alow: [read] }]\n", "p.yaml:3:21: unknown key `alow`; did you mean `allow`?"),
        ("key twice",           "name: p\n",                          "p.yaml:3:1: the key `name` is there twice; keep one"),
        ("inner key twice",     "paths: [{ path: /x, path: /y }]\n",  "p.yaml:3:21: the key `path` is there twice; keep one"),
        ("anchor",              "description: &a x\n",                "p.yaml:3:17: anchors, aliases and merge keys are not allowed; use `variables` or `include`, and quotes for text that begins with `*` or `&`"),
        ("alias",               "description: *a\n",                  "p.yaml:3:14: anchors, aliases and merge keys are not allowed; use `variables` or `include`, and quotes for text that begins with `*` or `&`"),
        ("merge key",           "<<: { description: x }\n",           "p.yaml:3:1: anchors, aliases and merge keys are not allowed; use `variables` or `include`, and quotes for text that begins with `*` or `&`"),
        ("second document",     "---\nname: p\n",                     "p.yaml:3:1: a second document; write one profile a file"),
        ("tag",                 "description: !x y\n",                "p.yaml:3:17: not valid YAML: unsupported tag `!x`; leave it out"),
        ("no yaml",             "paths: [\n",                         "p.yaml:3:8: not valid YAML: unclosed bracket '['; patterns with `*`, `[`, `{`, `&` or `#` go in quotes"),
        ("tab",                 "paths:\n\t- x\n",                    "p.yaml:4:2: not valid YAML: tabs disallowed within this context (block indentation)"),
        ("too deep",            &deep,                                "p.yaml:3:9: expected keys with their values: `key: value`"),
        ("no list",             "paths: foo\n",                       "p.yaml:3:8: expected a list: `[a, b]`"),
        ("text for a list",     "paths: [{ path: /x, allow: read }]\n", "p.yaml:3:28: expected a list: `[a, b]`"),
        ("list for text",       "paths: [{ path: [x] }]\n",           "p.yaml:3:17: expected text"),
        ("no path",             "paths: [{ allow: [read] }]\n",       "p.yaml:3:11: the key `path` is missing; a rule says which paths it is about"),
        ("neither",             "paths: [{ path: /x }]\n",            "p.yaml:3:9: a rule has either `allow` or `deny`"),
        ("both",                "paths: [{ path: /x, allow: [read], deny: [write] }]\n", "p.yaml:3:9: a rule has either `allow` or `deny`"),
        ("allows nothing",      "paths: [{ path: /x, allow: [] }]\n", "p.yaml:3:28: the list is empty, so the rule says nothing; remove the rule"),
        ("denies nothing",      "paths: [{ path: /x, deny: [] }]\n",  "p.yaml:3:27: the list is empty, so the rule says nothing; remove the rule"),
        ("allows all",          "paths: [{ path: /x, allow: [all] }]\n", "p.yaml:3:29: `all` can only be denied; name the rights to allow"),
        ("misspelt right",      "paths: [{ path: /x, allow: [read, wirte] }]\n", "p.yaml:3:35: unknown access `wirte`; did you mean `write`?"),
        ("misspelt all",        "paths: [{ path: /x, deny: [al] }]\n", "p.yaml:3:28: unknown access `al`; did you mean `all`?"),
        ("unknown right",       "paths: [{ path: /x, allow: [frobnicate] }]\n", "p.yaml:3:29: unknown access `frobnicate`; expected one of read, write, append, create, remove, execute, map, attributes, metadata, connect"),
        ("relative",            "paths: [{ path: x/y, allow: [read] }]\n", "p.yaml:3:17: the pattern is not absolute; begin it with `/`"),
        ("place in plain",      "paths: [{ path: /é/x[a, allow: [read] }]\n", "p.yaml:3:21: not valid YAML: mismatched bracket '[' closed by '}'; patterns with `*`, `[`, `{`, `&` or `#` go in quotes"),
        ("place in a block",    "paths:\n  - path: /é/x[a\n    allow: [read]\n", "p.yaml:4:15: a `[` without its `]`; write `\\[` for a bracket"),
        ("place in quotes",     "paths: [{ path: \"/é/x[a\", allow: [read] }]\n", "p.yaml:3:22: a `[` without its `]`; write `\\[` for a bracket"),
        ("place with escapes",  "paths: [{ path: \"/\\x41/x[a\", allow: [read] }]\n", "p.yaml:3:17: a `[` without its `]`; write `\\[` for a bracket"),
        ("place past variable", "variables: { v: /srv }\npaths: [{ path: \"${v}/x}\", allow: [read] }]\n", "p.yaml:4:24: a `}` without its `{`; write `\\}` for a brace"),
        ("no such variable",    "variables: { docroot: /x }\npaths: [{ path: \"/a/${docrot}\", allow: [read] }]\n", "p.yaml:4:21: there is no variable `docrot`; did you mean `docroot`?"),
        ("variable in itself",  "variables: { v: \"/x${v}\" }\n",     "p.yaml:3:20: the variable `v` is part of its own value; write there what is meant"),
        ("variable no glob",    "variables: { v: [/x, \"/y[\"] }\n",  "p.yaml:3:25: a `[` without its `]`; write `\\[` for a bracket"),
        ("variable with comma", "variables: { v: [/x, \"/y,z\"] }\n", "p.yaml:3:25: a `,` would split this value in two; write `\\,` for a comma"),
        ("variable of nothing", "variables: { v: [] }\n",             "p.yaml:3:17: the list is empty; give the variable a value, or leave it out"),
        ("variable of number",  "variables: { v: 7 }\n",              "p.yaml:3:14: expected text or a list of texts, not integer `7`; text that looks like something else goes in quotes"),
        ("variable's name",     "variables: { 1v: x }\n",             "p.yaml:3:14: invalid variable name `1v`; it has letters, digits and `_`, and begins with a letter"),
        ("exec both ways",      "exec: [{ path: /x, profile: q, inherit: true }]\n", "p.yaml:3:41: an exec rule has one of `profile`, `inherit: true` and `deny: true`"),
        ("exec not inherited",  "exec: [{ path: /x, inherit: false }]\n", "p.yaml:3:29: an exec rule has one of `profile`, `inherit: true` and `deny: true`"),
        ("exec denied and not", "exec: [{ path: /x, profile: q, deny: true }]\n", "p.yaml:3:38: an exec rule has one of `profile`, `inherit: true` and `deny: true`"),
        ("exec not denied",     "exec: [{ path: /x, deny: false }]\n", "p.yaml:3:26: an exec rule has one of `profile`, `inherit: true` and `deny: true`"),
        ("exec of an odd name", "exec: [{ path: /x, profile: Q }]\n", "p.yaml:3:29: invalid name `Q`; a name has 1 to 64 of a-z, 0-9, `_`, `.` and `-`, and begins with a letter or digit"),
        ("unknown tighten",     "on_violation: { tighten: never }\n", "p.yaml:3:26: unknown value `never`; expected one of off, propose, auto"),
        ("missing include",     "include: [base, nope]\n",            "p.yaml:3:17: there is no abstraction `nope`; expected it in abstractions/nope.yaml"),
        ("include elsewhere",   "include: [../p]\n",                  "p.yaml:3:11: invalid name `../p`; a name has 1 to 64 of a-z, 0-9, `_`, `.` and `-`, and begins with a letter or digit"),
        ("include in a circle", "include: [a]\n",                     "abstractions/b.yaml:2:11: the abstraction `a` includes itself by way of a, b; take it out here"),
        ("error in an include", "include: [broken]\n",                "abstractions/broken.yaml:1:1: unknown key `name`; expected one of description, include, variables, paths, exec, network"),
        ("rule of an include",  "include: [relative]\n",              "abstractions/relative.yaml:1:18: the pattern is not absolute; begin it with `/`"),
        ("variables at odds",   "include: [one, two]\n",              "abstractions/two.yaml:1:14: the variable `v` has another value in abstractions/one.yaml:1:17; give it one in the profile"),
        ("too many rules",      &many,                                "p.yaml:10004:5: this rule is one more than 10000, those of abstractions among them; use patterns in place of single paths"),
        ("several errors",      "paths: [{ path: x, allow: [read] }, { path: /y, allow: [reed] }]\n",
            "p.yaml:3:17: the pattern is not absolute; begin it with `/`\np.yaml:3:57: unknown access `reed`; did you mean `read`?"),
        ("nothing wrong",       "variables: { v: x }\ninclude: [base, one, base]\n", ""),
    ];
    refuse(&cases);
}

#[test]
fn refuse_subjects_and_privileges() {
    #[rustfmt::skip]
    let cases = [
        ("no executables",      "applies_to: { executables: [] }\n",  "p.yaml:3:13: `applies_to` names nothing; leave it out to confine nothing by itself"),
        ("no subject",          "applies_to: {}\n",                   "p.yaml:3:13: `applies_to` names nothing; leave it out to confine nothing by itself"),
        ("unknown subject",     "applies_to: { groups: [www] }\n",    "p.yaml:3:15: unknown key `groups`; did you mean `cgroups`?"),
        ("invalid user",        "applies_to: { users: [a, \"b c\"] }\n", "p.yaml:3:26: invalid user `b c`; a user is a name or an id below 4294967295"),
        ("nobody's id",         "applies_to: { users: [4294967295] }\n", "p.yaml:3:23: invalid user `4294967295`; a user is a name or an id below 4294967295"),
        ("invalid unit",        "applies_to: { units: [nginx] }\n",   "p.yaml:3:23: invalid unit `nginx`; did you mean `nginx.service`?"),
        ("a unit's template",   "applies_to: { units: [a@.service] }\n", "p.yaml:3:23: invalid unit `a@.service`; a template runs nothing; name an instance, or its cgroups"),
        ("relative cgroup",     "applies_to: { cgroups: [a] }\n",     "p.yaml:3:25: the pattern is not absolute; begin it with `/`"),
        ("misspelt privilege",  "privileges: [chown, setiud]\n",      "p.yaml:3:21: unknown privilege `setiud`; did you mean `setuid`?"),
        ("a capability",        "privileges: [CAP_CHOWN]\n",          "p.yaml:3:14: unknown privilege `CAP_CHOWN`; leave out the `cap_`: `chown`"),
        ("misspelt capability", "privileges: [cap_chwon]\n",          "p.yaml:3:14: unknown privilege `cap_chwon`; did you mean `chown`?"),
        ("unknown privilege",   "privileges: [frobnicate]\n",         "p.yaml:3:14: unknown privilege `frobnicate`; a privilege is a capability without its `cap_`, or one of mount, userns, ptrace, signal, execmem, abstract_unix, io_uring, uring_sqpoll, uring_override_creds, keys, sysv_ipc, terminal"),
        ("no list",             "privileges: chown\n",                "p.yaml:3:13: expected a list: `[a, b]`"),
        ("metadata undecided",  "paths: [{ path: /x, allow: [read, metadata] }]\n", "p.yaml:3:35: the profile grants `metadata` on every path; give it `metadata: true` for rules to decide"),
        ("denied, undecided",   "metadata: false\npaths: [{ path: /x, deny: [metadata] }]\n", "p.yaml:4:28: the profile grants `metadata` on every path; give it `metadata: true` for rules to decide"),
        ("denied by another",   "include: [blind]\n",                 "abstractions/blind.yaml:1:30: the profile grants `metadata` on every path; give it `metadata: true` for rules to decide"),
        ("all can be denied",   "include: [stat]\npaths: [{ path: /x, deny: [all] }]\n", ""),
        ("metadata decided",    "metadata: true\ninclude: [stat, blind]\npaths: [{ path: /x, allow: [metadata] }]\n", ""),
        ("metadata of text",    "metadata: yes\n",                    "p.yaml:3:11: expected `true` or `false`"),
        ("relative executable", "applies_to: { executables: [nginx] }\n", "p.yaml:3:29: the pattern is not absolute; begin it with `/`"),
    ];
    refuse(&cases);
}

#[test]
fn refuse_file() {
    let long = "#".repeat((1 << 20) + 1);
    assert_eq!(
        errors(&[("p.yaml", &long)]),
        "p.yaml:1:1: the file has more than 1048576 bytes; use patterns in place of single paths, or split it"
    );
    assert_eq!(
        errors(&[]),
        "p.yaml:1:1: cannot read it: No such file or directory (os error 2)"
    );

    let dir = folder(&[]);
    let file = dir.path().join("p.yaml");
    fs::write(&file, b"name: p\nmode: \xc3\xa9\xff\n").unwrap();
    let error = Profile::load(&file, dir.path()).unwrap_err();
    assert_eq!(
        shown([&error], dir.path()),
        "p.yaml:2:8: this is not UTF-8 text; in a pattern, write such a byte as `\\xff`"
    );
    assert!(!error.is_unreadable());
}

#[test]
fn abstractions_by_themselves() {
    let dir = folder(&[
        (
            "abstractions/good.yaml",
            "paths: [{ path: /x, allow: [read] }]\n",
        ),
        (
            "abstractions/bad.yaml",
            "include: [bad]\npaths: [{ path: /x, allow: [] }]\n",
        ),
    ]);
    let abstractions = dir.path().join("abstractions");
    assert!(load_abstraction(&abstractions.join("good.yaml"), &abstractions).is_ok());
    let errors = load_abstraction(&abstractions.join("bad.yaml"), &abstractions).unwrap_err();
    assert_eq!(
        shown(errors, dir.path()),
        "abstractions/bad.yaml:1:11: the abstraction `bad` includes itself by way of bad; take it out here"
    );
}

#[test]
fn refuse_set() {
    let start = |name, rest: &str| format!("name: {name}\nmode: enforce\n{rest}");
    #[rustfmt::skip]
    let cases = [
        ("nothing wrong", "exec: [{ path: /x, profile: q }]\n", ""),
        ("missing target", "exec: [{ path: /x, profile: qq }]\n", "p.yaml:3:16: there is no profile `qq`; did you mean `q`?"),
        ("two targets", "exec: [{ path: /bin/*, profile: q }, { path: \"/**/sh\", profile: p }]\n",
            "p.yaml:3:46: this rule and p.yaml:3:16 start /bin/sh in different profiles; make the patterns disjoint"),
        ("inherit and a target", "paths: [{ path: /bin/sh, allow: [execute] }]\nexec: [{ path: /bin/*, profile: q }]\n",
            "p.yaml:4:16: this rule and p.yaml:3:17 start /bin/sh in different profiles; make the patterns disjoint"),
        ("a denied conflict is none", "paths: [{ path: /bin/sh, deny: [execute] }]\nexec: [{ path: /bin/*, profile: q }, { path: \"/**/sh\", profile: p }]\n", ""),
        ("one executable twice", "applies_to: { executables: [\"/usr/bin/*\"] }\n",
            "q.yaml:3:29: the profiles `p` and `q` both apply to /usr/bin/q; make their patterns disjoint"),
        ("one user twice", "applies_to: { users: [root, www-data, www-data] }\n",
            "q.yaml:3:50: the user www-data has a profile already by p.yaml:3:29; take the user out of one of them"),
        ("a user by name and by id", "applies_to: { users: [33] }\n", ""),
        ("one unit twice", "applies_to: { units: [q.service] }\n",
            "q.yaml:3:69: the profiles `p` and `q` both apply to the cgroup /q.service; name cgroups by their paths, and make these disjoint"),
    ];
    for (name, text, want) in cases {
        let dir = folder(&[
            ("p.yaml", &start("p", text)),
            (
                "q.yaml",
                &start(
                    "q",
                    "applies_to: { executables: [/usr/bin/q], users: [www-data], units: [q.service] }\n",
                ),
            ),
            (".p.yaml", "an editor's file"),
            ("README", "no profile"),
        ]);
        let got = match ProfileSet::load_dir(dir.path()) {
            Ok(set) => {
                let names: Vec<&str> = set.iter().map(|profile| &*profile.name).collect();
                assert_eq!(names, ["p", "q"], "{name}");
                String::new()
            }
            Err(errors) => shown(errors, dir.path()),
        };
        assert_eq!(got, want, "{name}");
    }
}
