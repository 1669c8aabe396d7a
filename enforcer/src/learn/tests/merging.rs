use std::collections::BTreeSet;

use super::{Nothing, learned, observed, refused};

const BEFORE: &str = "\
# Mine.
name: x
mode: audit
include: [base]

paths:
  # Settings.
  - { path: /etc/x.conf, allow: [read] }  # keep
  - { path: /srv/secret, deny: [all] }

network:
  - { protocol: tcp, port: 80, allow: [bind] }
";

#[test]
fn only_what_is_missing_is_added() {
    // Columns: what it shows, what was seen, lines that are added.
    #[rustfmt::skip]
    let cases: &[(&str, &str, &[&str])] = &[
        ("nothing new",     "open read /etc/x.conf\nbind bind tcp:0.0.0.0:80\nopen read /etc/ld.so.cache", &[]),
        ("a path",          "open read /srv/a",               &["  - { path: /srv/a, allow: [read] }"]),
        ("a right",         "open read /etc/x.conf\nopen write /etc/x.conf", &["  - { path: /etc/x.conf, allow: [write] }"]),
        ("a program",       "execute execute /usr/bin/x",     &["exec:", "  - { path: /usr/bin/x, inherit: true }"]),
        ("a port",          "bind bind tcp:0.0.0.0:443",      &["  - { family: ipv4, protocol: tcp, port: 443, allow: [bind] }"]),
        ("a privilege",     "privilege kill",                 &["privileges:", "  - kill"]),
    ];
    for (name, lines, want) in cases {
        let seen = observed(lines);
        let (learned, profile, compiled) = learned(&seen, &BTreeSet::new(), &Nothing, Some(BEFORE));
        assert!(refused(&seen, &profile, &compiled).is_empty(), "{name}");
        let added = learned
            .text
            .lines()
            .filter(|line| !line.is_empty() && !BEFORE.lines().any(|own| own == *line));
        assert_eq!(added.collect::<Vec<_>>(), *want, "{name}: {}", learned.text);
        let kept = BEFORE
            .lines()
            .filter(|line| !learned.text.lines().any(|own| own == *line));
        assert_eq!(
            kept.collect::<Vec<_>>(),
            [""; 0],
            "{name}: {}",
            learned.text
        );
    }
}

#[test]
fn what_was_denied_stays_so() {
    let seen = observed("open read /srv/secret");
    let (learned, ..) = learned(&seen, &BTreeSet::new(), &Nothing, Some(BEFORE));
    assert_eq!(learned.summary.not_granted, [b"/srv/secret".to_vec()]);
}
