use super::{imported, yaml};
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
