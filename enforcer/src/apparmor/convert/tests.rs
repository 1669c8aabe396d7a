mod denies;
mod links;
mod network;
mod unconfined;

use std::{fs, path::Path};

use crate::{
    apparmor::{Fit, Imported, Sharing, import},
    profile::Profile,
};

/// What comes of the profiles in `text`.
fn imported(text: &str) -> Vec<Imported> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p");
    fs::write(&file, text).unwrap();
    fs::create_dir(folder.path().join("abi")).unwrap();
    fs::write(
        folder.path().join("abi/4.0"),
        "af_unix userns_create io_uring",
    )
    .unwrap();
    let beside = "profile beside /usr/bin/{beside,beneath} { }\n";
    fs::write(folder.path().join("beside"), beside).unwrap();
    let loose = "profile loose /bin/loose flags=(unconfined) { }\n";
    fs::write(folder.path().join("loose"), loose).unwrap();
    fs::write(folder.path().join("odd"), "no profile").unwrap();
    let files = import(&[file], folder.path()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let profiles: Vec<Imported> = files.into_iter().flat_map(|file| file.profiles).collect();
    for profile in &profiles {
        profile.check().unwrap();
    }
    profiles
}

/// The profile's text, with all that it includes.
fn yaml(imported: &Imported) -> String {
    imported.yaml(&Sharing::default()).unwrap()
}

/// What comes of a profile with these rules: lines of YAML with rules and privileges, and what
/// differs.
fn rules(rules: &str) -> (Vec<String>, Vec<(String, Fit)>) {
    let text = format!("@{{HOME}}=/home/*/ /root/\nprofile p {{\n {rules}\n}}\n");
    let all = imported(&text);
    // A rule on several lines is one here.
    let text = yaml(&all[0])
        .replace("\n    ", ", ")
        .replace("  - path", "  - { path");
    let lines = text.lines().filter(|line| line.starts_with("  - "));
    let lines = lines.map(|line| {
        let line = line.trim_start_matches("  - ").to_owned();
        let is_open = line.starts_with('{') && !line.ends_with('}');
        if is_open { line + " }" } else { line }
    });
    let findings = all[0].report.findings.iter();
    let findings = findings.map(|finding| (finding.kind.clone(), finding.fit));
    (lines.collect(), findings.collect())
}

#[test]
fn file_rules() {
    let write = "[write, create, remove, attributes, connect]";
    // Columns: what it shows, rule, path, what is said of it.
    #[rustfmt::skip]
    let cases = [
        ("read",            "/a r,",                  "/a",          "allow: [read]"),
        ("append",          "/a a,",                  "/a",          "allow: [append]"),
        ("map",             "/a mr,",                 "/a",          "allow: [read, map]"),
        ("a lock is free",  "/a rk,",                 "/a",          "allow: [read]"),
        ("write and link",  "/a wl,",                 "/a",          &format!("allow: {write}")),
        ("the owner",       "owner @{HOME}/.x r,",    "\"/{home/*,root}/.x\"", "allow: [read], owner: true"),
        ("told",            "audit /a r,",            "/a",          "allow: [read], audit: true"),
        ("a folder",        "/a/ r,",                 "/a",          "allow: [read]"),
        ("started and told", "audit /a ix,",          "/a",          "inherit: true, audit: true"),
        ("not told",        "deny /a r,",             "/a",          "deny: [read], quiet: true"),
        ("denied and told", "audit deny /a r,",       "/a",          "deny: [read]"),
        ("exec denied",     "deny /a x,",             "/a",          "deny: [execute], quiet: true"),
        ("everything",      "deny /a rwklmx,",        "/a",          "deny: [all], quiet: true"),
        ("started by the owner", "owner /a ix,",      "/a",          "allow: [execute], owner: true"),
    ];
    for (name, rule, path, says) in cases {
        let (lines, findings) = rules(rule);
        let want = format!("{{ path: {path}, {says} }}");
        assert!(lines.contains(&want), "{name}: {lines:?}");
        assert!(findings.is_empty(), "{name}: {findings:?}");
    }
}

#[test]
fn not_as_in_apparmor() {
    use Fit::{Differs, LeftOut, Narrower, Wider};
    let write = "allow: [write, create, remove, attributes, connect]";
    // Columns: what it shows, rules, how the first finding is called and what it is, part of
    // what is written, if something is.
    #[rustfmt::skip]
    let cases = [
        ("a link",              "/a rl,",                    ("link", Wider),          "allow: [read, create]"),
        ("a link where files are made", "/a w,",              ("link", Wider),          write),
        ("a link to something", "link /a -> /b,",            ("link", Wider),          "allow: [create]"),
        ("locks are not denied", "deny /a k,",               ("file", LeftOut),        ""),
        ("no profile",          "/a ux,",                    ("exec", LeftOut),        ""),
        ("none for it",         "/a Px,",                    ("exec", LeftOut),        ""),
        ("none of the name",    "/a Px -> b,",               ("exec", LeftOut),        ""),
        ("maybe without",       "/usr/bin/* PUx,",           ("exec", Narrower),       "path: \"/usr/bin/{beneath,beside}\", profile: beside"),
        ("its environment",     "/usr/bin/beside px,",       ("exec", Differs),        "path: /usr/bin/beside, profile: beside"),
        ("never spelled so",    "/a/../b r,",                ("file", LeftOut),        ""),
        ("denied to the owner", "deny owner /a r,",          ("file", Narrower),       "{ path: /a, deny: [read], quiet: true }"),
        ("a priority",          "priority=2 /a r,",          ("file", LeftOut),        ""),
        ("a bus",               "dbus send bus=system,",     ("dbus", LeftOut),        ""),
        ("a change",            "change_profile -> b,",      ("change_profile", LeftOut), ""),
        ("a limit",             "set rlimit core <= 0,",     ("set", LeftOut),         ""),
        ("a queue",             "mqueue r /a,",              ("mqueue", LeftOut),      ""),
        ("a mount",             "mount /a -> /b,",           ("mount", Wider),         "mount"),
        ("whether it is there", "signal set=(exists),",      ("signal", Narrower),     ""),
        ("some signals",        "signal send set=(term),",   ("signal", Wider),        "signal"),
        ("some processes",      "ptrace peer=a,",            ("ptrace", Wider),        "ptrace"),
        ("some sockets",        "unix connect peer=(addr=@a),", ("unix", Wider),       "abstract_unix"),
        ("own sockets",         "unix peer=(label=p),",      ("unix", Narrower),       ""),
        ("a capability of the future", "capability fly,",    ("capability", LeftOut),  ""),
        ("denied, and told",    "deny capability chown,",    ("capability", Differs),  ""),
        ("a type of sockets",   "network stream,",           ("network", Narrower),    "{ protocol: tcp, allow: [connect, bind] }"),
        ("one of a family",     "network inet dgram,",       ("network", Narrower),    "{ family: ipv4, protocol: udp, allow: [connect, bind] }"),
        ("packets in order",    "network inet seqpacket,",   ("network", Wider),       "protocol: sctp"),
        ("none of IP",          "network inet rdm,",         ("network", LeftOut),     ""),
        ("a family of old",     "network rose,",             ("network", LeftOut),     ""),
        ("a type of another",   "network packet dgram,",     ("network", Wider),       "{ family: packet, allow: [create] }"),
        ("all networks",        "network,",                  ("network", Narrower),    "{ allow: [connect, bind] }"),
        ("the own end",         "network inet tcp ip=10.0.0.1,", ("network", Wider),   "address: 10.0.0.1, allow: [bind]"),
        ("an odd end",          "network inet tcp ip=none,", ("network", LeftOut),     ""),
        ("an odd end denied",   "deny network inet tcp ip=none,", ("network", Narrower), "{ family: ipv4, protocol: tcp, deny: [all], quiet: true }"),
        ("another family's",    "network inet ip=::1,",      ("network", LeftOut),     ""),
        ("no socket",           "network send inet tcp,",    ("network", Wider),       "{ family: ipv4, protocol: tcp, allow: [connect] }"),
        ("of one that is there", "network getattr inet tcp,", ("network", LeftOut),    ""),
    ];
    for (name, text, (kind, fit), written) in cases {
        let (lines, findings) = rules(text);
        assert_eq!(
            findings.first(),
            Some(&(kind.to_owned(), fit)),
            "{name}: {findings:?}"
        );
        let stated: Vec<_> = lines.iter().filter(|line| !is_unmediated(line)).collect();
        if written.is_empty() {
            assert!(stated.is_empty(), "{name}: {stated:?}");
        } else {
            assert!(
                stated.iter().any(|line| line.contains(written)),
                "{name}: {stated:?}"
            );
        }
    }
}

/// Whether a line is a privilege that AppArmor does not ask about.
fn is_unmediated(line: &str) -> bool {
    let names = [
        "userns",
        "execmem",
        "io_uring",
        "uring_sqpoll",
        "uring_override_creds",
        "keys",
        "sysv_ipc",
        "terminal",
    ];
    names.contains(&line)
}

#[test]
fn other_rules() {
    #[rustfmt::skip]
    let cases: [(&str, &str, &[&str]); 19] = [
        ("capabilities",      "capability chown kill,",         &["chown", "kill"]),
        ("less one",          "capability chown kill, audit deny capability kill,", &["chown"]),
        ("signals",           "signal,",                        &["signal"]),
        ("to itself",         "signal send peer=@{profile_name},", &[]),
        ("from others",       "signal receive peer=x,",         &[]),
        ("traced by others",  "ptrace (readby, tracedby),",     &[]),
        ("namespaces",        "userns,",                        &["userns"]),
        ("a socket by a path", "unix connect peer=(addr=/a),",  &[]),
        ("one without a name", "unix (send, receive) peer=(addr=none),", &[]),
        ("networks",          "network inet tcp, network netlink raw,", &["{ family: ipv4, protocol: tcp, allow: [connect, bind] }", "{ family: netlink, allow: [create] }"]),
        ("few for many",      "network inet tcp, network inet6 tcp, network inet udp, network inet6 udp, network packet, network netlink raw, network vsock,", &["{ protocol: [tcp, udp], allow: [connect, bind] }", "{ family: [netlink, packet, vsock], allow: [create] }"]),
        ("all that is less",  "network inet, network inet udp,", &["{ family: ipv4, allow: [connect, bind] }"]),
        ("ping",              "network inet icmp, network inet6 raw,", &["{ protocol: raw, allow: [connect, bind] }"]),
        ("an address",        "network (create, connect) inet6 tcp peer=(ip=::1 port=80),", &["{ family: ipv6, protocol: tcp, address: \"::1\", port: 80, allow: [connect] }"]),
        ("ports",             "network (create, bind) inet port=8000-8080,", &["{ family: ipv4, protocol: [tcp, udp, sctp, dccp, udplite], port: 8000-8080, allow: [bind] }"]),
        ("a socket alone",    "network create inet tcp,",       &["{ family: ipv4, protocol: tcp, allow: [create] }"]),
        ("less some",         "network inet, audit deny network inet udp,", &["{ family: ipv4, allow: [connect, bind] }", "{ family: ipv4, protocol: udp, deny: [all] }"]),
        ("quietly",           "deny network netlink,",          &["{ family: netlink, deny: [create], quiet: true }"]),
        ("told",              "audit network inet tcp,",        &["{ family: ipv4, protocol: tcp, allow: [connect, bind], audit: true }"]),
    ];
    for (name, text, want) in cases {
        let (lines, findings) = rules(text);
        let got: Vec<_> = lines
            .iter()
            .filter(|line| !is_unmediated(line) || *line == "userns" && want.contains(&"userns"))
            .collect();
        assert_eq!(got, want.iter().collect::<Vec<_>>(), "{name}");
        assert!(findings.is_empty(), "{name}: {findings:?}");
    }
}

#[test]
fn where_programs_lead() {
    let text = "
        profile p /usr/bin/{p,q} flags=(complain) {
            /bin/a ix,
            /bin/b Px -> other,
            /bin/c Cx -> inner,
            /bin/d Cx,
            /bin/e rPx,
            /bin/f Pix,
            /bin/[g-i] Cx -> inner,
            /bin/h ix,
            /usr/bin/beside px,
            /{,usr/}bin/x cix -> nowhere,
            /bin/y Cx -> &inner,
            profile inner { /i r, }
            profile d /bin/d { }
            ^hat { }
        }
        profile other { }
        profile e /bin/e { }
        profile none /bin/none flags=(unconfined) { }
        ";
    let all = imported(text);
    let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        names,
        ["p", "p.inner", "p.d", "p.hat", "other", "e", "none"]
    );
    let text = yaml(&all[0]);
    assert!(text.contains("executables: [\"/usr/bin/{p,q}\"]"), "{text}");
    assert!(text.contains("mode: audit"), "{text}");
    // A child is no profile of a program wherever it is started.
    assert!(!yaml(&all[2]).contains("applies_to"));
    assert!(all[6].unconfined && !all[0].unconfined);
    let profile = Profile::parse(&text, Path::new("p.yaml"), Path::new("")).unwrap();
    // Columns: path, the profile in which it goes on.
    #[rustfmt::skip]
    let cases = [
        ("/bin/a",          Some("itself")),
        ("/bin/b",          Some("other")),
        ("/bin/c",          Some("p.inner")),
        ("/bin/d",          Some("p.d")),
        ("/bin/e",          Some("e")),
        ("/bin/f",          Some("itself")),
        ("/bin/g",          Some("p.inner")),
        ("/bin/h",          Some("itself")),
        ("/bin/i",          Some("p.inner")),
        ("/usr/bin/beside", Some("beside")),
        ("/usr/bin/x",      Some("itself")),
        ("/bin/y",          Some("p.inner")),
        ("/bin/z",          None),
    ];
    for (path, want) in cases {
        let rule = profile
            .rules
            .iter()
            .find(|rule| rule.target.is_some() && rule.pattern.matches(path.as_bytes()));
        let got = rule.map(|rule| rule.leads_to().unwrap_or("itself"));
        assert_eq!(got, want, "{path}");
    }
    let need = &all[0].report.needs[0];
    assert!(
        need.profile == "beside" && need.file.ends_with("/beside"),
        "{need:?}"
    );
}

#[test]
fn everything() {
    let all_paths =
        "{ path: \"/{,**}\", allow: [read, write, create, remove, map, attributes, connect] }";
    for rule in ["all,", "allow all,"] {
        let (lines, findings) = rules(rule);
        for want in [
            all_paths,
            "{ path: \"/{,**}\", inherit: true }",
            "sys_admin",
            "{ allow: [connect, bind] }",
        ] {
            assert!(lines.iter().any(|line| line == want), "{want}: {lines:?}");
        }
        assert!(findings.is_empty(), "{findings:?}");
    }
    let (lines, _) = rules("/a r, capability chown, network inet tcp, audit deny all,");
    for want in ["{ path: \"/{,**}\", deny: [all] }", "{ deny: [all] }"] {
        assert!(lines.iter().any(|line| line == want), "{want}: {lines:?}");
    }
    assert!(!lines.contains(&"chown".to_owned()), "{lines:?}");
    let all = imported("profile p flags=(default_allow) { deny /a r, }");
    assert!(yaml(&all[0]).contains("inherit: true"));
}

/// What is in an abstraction, and what of it is in the profiles that include it.
#[test]
fn what_profiles_share() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("abstractions")).unwrap();
    let common = "/a r,\n/b ix,\n/bin/* ix,\n/@{profile_name} r,\ncapability chown,\n";
    fs::write(folder.path().join("abstractions/X.d"), common).unwrap();
    fs::write(folder.path().join("y"), "profile y { }").unwrap();
    let file = folder.path().join("p");
    let text = "alias /old/ -> /new/,\n
        profile p { /a r, include <abstractions/X.d>\n /old/c r, }
        profile q { include <abstractions/X.d>\n /bin/y px -> y, }
        profile none { /d r, }";
    fs::write(&file, text).unwrap();
    let files = import(&[file], folder.path()).unwrap();
    let profiles: Vec<&Imported> = files[0].profiles.iter().collect();
    let whole = yaml(profiles[0]);
    let want = "\
paths:
  # the profile itself
  - { path: /a, allow: [read] }
  - { path: \"/{new,old}/c\", allow: [read] }

  # abstractions/X.d
  - { path: /a, allow: [read] }
  - { path: /p, allow: [read] }
";
    assert!(whole.contains(want), "{whole}");
    assert!(whole.ends_with("\nnetwork: []\n"), "{whole}");
    assert_eq!(profiles[0].made[0].sources, [0]);
    assert!(profiles[0].is_equal(0));
    assert_eq!(profiles[0].report.summary(), None);

    let sharing = Sharing::of(&profiles);
    let [shared] = sharing.abstractions.as_slice() else {
        panic!("{sharing:?}")
    };
    assert_eq!(shared.file_name(), "apparmor-x.d.yaml");
    let want = "\
description: imported from AppArmor's abstractions/X.d

paths:
  - { path: /a, allow: [read] }

exec:
  - { path: /b, inherit: true }
";
    let shared = shared.yaml().unwrap();
    assert!(shared.ends_with(want), "{shared}");
    let [p, q, none] = [0, 1, 2].map(|at: usize| profiles[at].yaml(&sharing).unwrap());
    // Columns: what it shows, the profile, what is in it, what is not.
    #[rustfmt::skip]
    let cases = [
        ("what is shared",         &p,    "include: [apparmor-x.d]\n",                "path: /b,"),
        ("its own",                &p,    "- { path: /p, allow: [read] }",            "/q"),
        ("where programs lead",    &p,    "- { path: /bin/*, inherit: true }",        "# All"),
        ("and lead elsewhere",     &q,    "  # All that AppArmor's rule is for, but", "/bin/*,"),
        ("privileges",             &q,    "- chown",                                  "path: /b,"),
        ("nothing is shared",      &none, "name: none",                               "include"),
    ];
    for (name, text, is_in, is_not) in cases {
        assert!(text.contains(is_in), "{name}: {text}");
        assert!(!text.contains(is_not), "{name}: {text}");
    }
}
