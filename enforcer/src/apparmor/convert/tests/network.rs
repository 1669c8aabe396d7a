use super::imported;
use crate::apparmor::Fit::{self, LeftOut, Narrower};

/// What no rule can say is told where it stands, and spoils nothing beside it.
#[test]
fn odd_networks() {
    let end = |text: &str| format!("`{text}` is no address or port that a rule can name");
    let word =
        |text: &str| format!("no family, type, protocol or access `{text}` of sockets is known");
    let (rest, other) = (
        "; all that the rest of the rule is for is refused",
        "the address is one of another family".to_owned(),
    );
    // Columns: what it shows, rule, what is told, how many rules come of it.
    #[rustfmt::skip]
    let cases: [(&str, &str, Option<(Fit, String)>, usize); 14] = [
        ("a port",              "network (create, bind) inet tcp port=80,", None,                              1),
        ("ports",               "network (create, bind) inet tcp port=80-90,", None,                              1),
        ("one port of a range", "network (create, bind) inet tcp port=80-80,", None,                              1),
        ("the last first",      "network inet tcp port=90-80,",  Some((LeftOut, end("90-80"))),     0),
        ("denied",              "audit deny network inet tcp port=90-80,", Some((Narrower, end("90-80") + "; all is refused")), 1),
        ("a sign",              "network inet tcp port=+80,",    Some((LeftOut, end("+80"))),       0),
        ("no port",             "network inet tcp port=65536,",  Some((LeftOut, end("65536"))),     0),
        ("of the peer",         "network inet tcp peer=(port=2-1),", Some((LeftOut, end("2-1"))),   0),
        ("as IPv4's",           "network inet6 ip=::ffff:10.0.0.1,", Some((LeftOut, other)),        0),
        ("an unknown word",     "network foobar,",               Some((LeftOut, word("foobar"))),   0),
        ("beside a family",     "network inet foobar,",          Some((LeftOut, word("foobar"))),   0),
        ("and unix",            "network unix foobar,",          Some((LeftOut, word("foobar"))),   0),
        ("an unknown deny",     "audit deny network foobar,",    Some((LeftOut, word("foobar"))),   0),
        ("beside one denied",   "audit deny network inet foobar,", Some((Narrower, word("foobar") + rest)), 1),
    ];
    for (name, rule, want, made) in cases {
        let all = imported(&format!("profile p {{ /a r, {rule} }}"));
        let told = all[0].report.findings.iter();
        let told: Vec<_> = told.map(|one| (one.fit, one.why.clone())).collect();
        assert_eq!(told, Vec::from_iter(want), "{name}");
        assert_eq!(all[0].network.len(), made, "{name}: {:?}", all[0].network);
        assert!(
            !all[0]
                .privileges
                .contains(enforcer_abi::Privilege::ABSTRACT_UNIX),
            "{name}"
        );
    }
}
