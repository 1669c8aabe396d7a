use std::collections::BTreeSet;

use enforcer_abi::{Access, Operation, Privilege};
use proptest::prelude::*;

use super::{Nothing, Object, Observation, learned, refused};
use crate::profile::NetworkObject;

/// Names of all kinds, and what is odd in a pattern.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "a",
        "b",
        "c",
        "x.o",
        "y.o",
        "tmp.Xa81kQ",
        "ccabcdef.s",
        "2026-11-30",
        "log.1",
        "log.22",
        "f1",
        "f2",
        "f3",
        ".git",
        "site.key",
        "lib.so.1",
        "ab",
        "objects",
        "a,b",
        "{x}",
        "*",
        "[",
        "d41d8cd98f00b204e9800998ecf8427e",
        "${homes}",
        "#",
        "é",
        " ",
        "'",
    ]);
    let odd = prop::collection::vec(1_u8..=255, 1..4);
    prop_oneof![
        9 => words.prop_map(|word| word.as_bytes().to_vec()),
        1 => odd.prop_filter("a name", |name| !name.contains(&b'/') && name != b"." && name != b".."),
    ]
}

fn path() -> impl Strategy<Value = Vec<u8>> {
    let tops = [
        "",
        "/srv",
        "/tmp",
        "/etc",
        "/proc",
        "/var/lib",
        "/usr/lib",
        "/home/ada",
    ];
    let top = prop::sample::select(tops.to_vec());
    let names = prop::collection::vec(name(), 1..4);
    (top, names).prop_map(|(top, names)| {
        [
            &[top.as_bytes()],
            &names.iter().map(Vec::as_slice).collect::<Vec<_>>()[..],
        ]
        .concat()
        .join(&b'/')
    })
}

fn object() -> impl Strategy<Value = (Object, Operation, Access)> {
    let on_paths = prop_oneof![
        4 => Just((Operation::Open, Access::READ)),
        2 => Just((Operation::Open, Access::READ | Access::WRITE)),
        2 => Just((Operation::Open, Access::CREATE | Access::WRITE)),
        1 => Just((Operation::Open, Access::APPEND)),
        1 => Just((Operation::Mkdir, Access::CREATE)),
        1 => Just((Operation::Unlink, Access::REMOVE)),
        1 => Just((Operation::Execute, Access::EXECUTE)),
        1 => Just((Operation::Map, Access::MAP)),
        1 => Just((Operation::Chmod, Access::ATTRIBUTES)),
        1 => Just((Operation::Connect, Access::CONNECT)),
    ];
    let networks = prop::sample::select(vec![
        "tcp:127.0.0.1:80",
        "tcp:10.0.0.1:80",
        "tcp:10.0.0.2:80",
        "tcp:10.0.0.3:80",
        "udp:[::1]:53",
        "tcp:10.0.0.4:80",
        "tcp:0.0.0.0:45000",
        "icmp:10.0.0.1:0",
        "raw:10.0.0.1:0",
    ]);
    let sockets = prop::sample::select(vec![
        "ipv4/tcp",
        "ipv6/udp",
        "netlink/route",
        "packet",
        "netlink/99",
    ]);
    let parsed = |text: &str| Object::Network(text.parse::<NetworkObject>().unwrap());
    prop_oneof![
        12 => (path(), on_paths).prop_map(|(path, (operation, access))| (Object::Path(path), operation, access)),
        1 => networks.prop_map(move |text| (parsed(text), Operation::Connect, Access::CONNECT)),
        1 => networks_bound().prop_map(move |text| (parsed(text), Operation::Bind, Access::BIND)),
        1 => sockets.prop_map(move |text| (parsed(text), Operation::Socket, Access::CREATE)),
        1 => (0_u8..41).prop_map(|number| (Object::Privilege(Privilege(number)), Operation::Privilege, Access::NONE)),
    ]
}

fn networks_bound() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "tcp:0.0.0.0:80",
        "tcp:[::]:8080",
        "udp:0.0.0.0:0",
        "tcp:127.0.0.1:50000",
    ])
}

fn observations() -> impl Strategy<Value = Vec<Observation>> {
    let one = (
        object(),
        0_u64..3,
        any::<Option<bool>>(),
        any::<Option<bool>>(),
    );
    let one = one.prop_map(
        |((object, operation, access), lineage, is_own, is_folder)| Observation {
            object,
            operation,
            access,
            is_folder,
            is_own,
            from: None,
            program: Vec::new(),
            lineage,
        },
    );
    prop::collection::vec(one, 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever was seen is granted, and the text is a profile in the one style.
    #[test]
    fn what_was_seen_is_granted(all in observations()) {
        let (got, profile, compiled) = learned(&all, &BTreeSet::new(), &Nothing, None);
        let refused = refused(&all, &profile, &compiled);
        prop_assert!(refused.is_empty(), "{refused:?}\n{}", got.text);
        prop_assert!(got.summary.not_granted.is_empty());
    }

    /// What is learned again adds nothing.
    #[test]
    fn what_is_granted_is_not_added(all in observations()) {
        let (before, ..) = learned(&all, &BTreeSet::new(), &Nothing, None);
        let (after, ..) = learned(&all, &BTreeSet::new(), &Nothing, Some(&before.text));
        prop_assert_eq!(after.text, before.text);
    }

    /// Nothing is learned of who is left out: what only they saw is not granted, or told.
    #[test]
    fn nothing_is_learned_of_others(all in observations()) {
        let left_out = BTreeSet::from([0]);
        let (got, profile, compiled) = learned(&all, &left_out, &Nothing, None);
        let (kept, out): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|one| one.lineage != 0);
        let missing = refused(&kept, &profile, &compiled);
        prop_assert!(missing.is_empty(), "{missing:?}\n{}", got.text);
        prop_assert_eq!(got.summary.left_out, out.len());
        // Without them it is the same, but for what is said of them.
        let rules = |text: &str| -> Vec<String> {
            text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
        };
        let (alone, ..) = learned(&kept, &BTreeSet::new(), &Nothing, None);
        prop_assert_eq!(rules(&alone.text), rules(&got.text));
        for one in out {
            let name = match &one.object {
                Object::Path(path) => path.clone(),
                Object::Network(object) => object.name(),
                Object::Privilege(_) => continue,
            };
            let is_known = kept.iter().any(|other| other.object == one.object);
            let is_refused = !refused(std::slice::from_ref(&one), &profile, &compiled).is_empty();
            prop_assert!(is_known || is_refused || got.summary.granted_nevertheless.contains(&name));
        }
    }
}
