use super::{imported, rules, yaml};
use crate::apparmor::Fit;

/// In complain mode AppArmor refuses what is denied; ours tells of it, and the import says so.
#[test]
fn complain_mode_refuses_nothing() {
    let one = "what 1 rule with `deny` is for is told and not refused, as AppArmor does even in \
               this mode";
    let two = one.replace("1 rule with `deny` is", "2 rules with `deny` are");
    // Columns: what it shows, flags, rules, what is told, what is written.
    #[rustfmt::skip]
    let cases = [
        ("a file",       "complain", "deny /a r,",              Some(one),  "path: /a, deny: [read] }"),
        ("and another",  "complain", "deny /a r, deny /b r,",   Some(&two), "path: /b, deny: [read] }"),
        ("a network",    "complain", "deny network netlink,",   Some(one),  "deny: [create] }"),
        ("an end",       "complain", "deny network inet tcp port=1,", Some(one), "port: 1, deny: [bind] }"),
        ("a privilege",  "complain", "deny capability chown,",  Some(one),  "privileges:"),
        ("all",          "complain", "deny all,",               Some(one),  "deny: [all] }"),
        ("no deny",      "complain", "/a r,",                   None,       "allow: [read] }"),
        ("is refused",   "enforce",  "deny /a r,",              None,       "deny: [read], quiet: true }"),
    ];
    for (name, flags, rules, want, written) in cases {
        let all = imported(&format!("profile p flags=({flags}) {{ {rules} }}"));
        let text = yaml(&all[0]);
        assert!(text.contains(written), "{name}: {text}");
        assert_eq!(
            text.contains("quiet"),
            flags == "enforce" && want.is_none(),
            "{name}: {text}"
        );
        let told = all[0].report.findings.iter();
        let told: Vec<_> = told.map(|one| (one.fit, one.why.as_str())).collect();
        let want: Vec<_> = want.iter().map(|why| (Fit::Wider, *why)).collect();
        assert_eq!(told, want, "{name}");
    }
}

/// A deny takes whole privileges away. One of a part is told if something else is refused so.
#[test]
fn privileges_are_denied_as_a_whole() {
    use Fit::{Differs, Narrower, Wider};
    // Columns: what it shows, rules, the privilege, whether it is granted, what is told.
    #[rustfmt::skip]
    let cases: [(&str, &str, &str, bool, &[Fit]); 18] = [
        ("all mounts",           "mount, audit deny mount,",            "mount",  false, &[Wider]),
        ("and not told",         "mount, deny mount,",                  "mount",  false, &[Wider, Differs]),
        ("remounts with them",   "remount, audit deny mount,",          "mount",  false, &[Wider]),
        ("one mount",            "mount, audit deny mount options=ro -> /,", "mount", false, &[Wider, Narrower]),
        ("other ways to mount",  "mount, audit deny umount,",           "mount",  false, &[Wider, Narrower]),
        ("mounts of all",        "all, audit deny mount,",              "mount",  false, &[Narrower]),
        ("the root",             "pivot_root, audit deny pivot_root,",  "mount",  false, &[Wider]),
        ("one, and all",         "mount, audit deny mount /a, audit deny mount,", "mount", false, &[Wider]),
        ("nothing to deny",      "audit deny mount /a,",                "mount",  false, &[]),
        ("not denied",           "mount,",                              "mount",  true,  &[Wider]),
        ("another is",           "mount, audit deny ptrace,",           "mount",  true,  &[Wider]),
        ("some processes",       "signal, audit deny signal peer=a,",   "signal", false, &[Narrower]),
        ("all processes",        "signal, audit deny signal,",          "signal", false, &[]),
        ("to read",              "ptrace, audit deny ptrace read,",     "ptrace", false, &[Narrower]),
        ("some sockets",         "unix, audit deny unix peer=(addr=@a),", "abstract_unix", false, &[Narrower]),
        ("a type of sockets",    "unix, audit deny network unix dgram,", "abstract_unix", false, &[Narrower]),
        ("all sockets",          "unix, audit deny network unix,",      "abstract_unix", false, &[]),
        ("what is not asked",    "audit deny io_uring sqpoll label=a,", "uring_sqpoll", false, &[Narrower]),
    ];
    for (name, text, privilege, want, told) in cases {
        let (lines, findings) = rules(text);
        let got = lines.iter().any(|line| line == privilege);
        assert_eq!(got, want, "{name}: {lines:?}");
        let fits: Vec<_> = findings.iter().map(|(_, fit)| *fit).collect();
        assert_eq!(fits, told, "{name}: {findings:?}");
    }
}
