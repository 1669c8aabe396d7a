//! Sockets of networks, and what they reach.

use std::net::{TcpListener, UdpSocket};

use enforcer_tests::{Agent, EACCES, attempt_outside, profile};
use serde_json::json;

/// One thing to do with a network.
struct Case {
    name: &'static str,
    /// Arguments of `attempt`.
    attempt: &'static [&'static str],
    /// A rule that grants it, and one that is not enough.
    grants: &'static str,
    lacks: &'static str,
    /// The operation, object and missing right of the detection.
    operation: &'static str,
    object: &'static str,
    missing: &'static str,
}

/// A server of the test's own.
const SERVER: &str = "127.0.0.1:7001";

const TCP: &str = "{ protocol: tcp, address: 127.0.0.1, port: 7001, allow: [connect] }";
const TCP_6: &str = "{ protocol: tcp, address: \"::1\", port: 7001, allow: [connect] }";
const UDP: &str = "{ protocol: udp, address: 127.0.0.0/8, port: 7000-7001, allow: [connect] }";
const OTHER_PORT: &str =
    "{ protocol: [tcp, udp], port: [1-7000, 7002-65535], allow: [connect, bind] }";
const OTHER_ADDRESS: &str =
    "{ protocol: [tcp, udp], address: [\"::2\", 127.0.0.2, 128.0.0.0/1], allow: [connect, bind] }";
const OTHER_PROTOCOL: &str =
    "{ protocol: [udp, sctp], allow: [connect, bind] }, { protocol: tcp, allow: [create] }";
const OTHER_RIGHT: &str = "{ protocol: [tcp, udp], allow: [bind] }";
const NO_BIND: &str = "{ protocol: [tcp, udp], allow: [connect] }";
const DENIED: &str =
    "{ allow: [connect] }, { protocol: [tcp, udp], address: 127.0.0.0/8, deny: [connect] }";

const CASES: &[Case] = &[
    Case {
        name: "another port",
        attempt: &["tcp-connect", SERVER],
        grants: TCP,
        lacks: OTHER_PORT,
        operation: "connect",
        object: "tcp:127.0.0.1:7001",
        missing: "connect",
    },
    Case {
        name: "another address",
        attempt: &["tcp-connect", SERVER],
        grants: TCP,
        lacks: OTHER_ADDRESS,
        ..CONNECT
    },
    Case {
        name: "another protocol",
        attempt: &["tcp-connect", SERVER],
        grants: TCP,
        lacks: OTHER_PROTOCOL,
        ..CONNECT
    },
    Case {
        name: "another right",
        attempt: &["tcp-connect", SERVER],
        grants: TCP,
        lacks: OTHER_RIGHT,
        ..CONNECT
    },
    Case {
        name: "a deny",
        attempt: &["tcp-connect", SERVER],
        grants: TCP,
        lacks: DENIED,
        ..CONNECT
    },
    Case {
        name: "IPv6",
        attempt: &["tcp-connect", "[::1]:7001"],
        grants: TCP_6,
        lacks: TCP,
        object: "tcp:[::1]:7001",
        ..CONNECT
    },
    Case {
        name: "IPv4 in IPv6",
        attempt: &["tcp-connect-mapped", SERVER],
        grants: TCP,
        lacks: TCP_6,
        ..CONNECT
    },
    Case {
        name: "no address is this machine",
        attempt: &["tcp-connect", "0.0.0.0:7001"],
        grants: TCP,
        lacks: OTHER_ADDRESS,
        ..CONNECT
    },
    Case {
        name: "no address of IPv6 is, too",
        attempt: &["tcp-connect", "[::]:7001"],
        grants: TCP_6,
        lacks: TCP,
        object: "tcp:[::1]:7001",
        ..CONNECT
    },
    Case {
        name: "no address, from one of this machine's",
        attempt: &["tcp-connect-from", "0.0.0.0:7001"],
        ..NO_ADDRESS
    },
    Case {
        name: "no address, by a device",
        attempt: &["tcp-connect-by-device", "0.0.0.0:7001"],
        ..NO_ADDRESS
    },
    Case {
        name: "no address, by a device for datagrams",
        attempt: &["udp-connect-by-device", "0.0.0.0:7001"],
        object: "udp:0.0.0.0:7001",
        ..NO_ADDRESS
    },
    Case {
        name: "with the first packet",
        attempt: &["tcp-fast-open", SERVER],
        grants: TCP,
        lacks: OTHER_PORT,
        ..CONNECT
    },
    Case {
        name: "datagrams",
        attempt: &["udp-connect", SERVER],
        ..DATAGRAMS
    },
    Case {
        name: "connected and not any more",
        attempt: &["udp-disconnect", SERVER],
        ..DATAGRAMS
    },
    Case {
        name: "without a connection",
        attempt: &["udp-send", SERVER],
        ..DATAGRAMS
    },
    Case {
        name: "from IPv6 to IPv4",
        attempt: &["udp-send-mixed", SERVER],
        ..DATAGRAMS
    },
    Case {
        name: "to an address of no family",
        attempt: &["udp-send-as-none", SERVER],
        ..DATAGRAMS
    },
    Case {
        name: "bind",
        attempt: &["tcp-bind", "127.0.0.1:7100"],
        grants: "{ protocol: tcp, address: 127.0.0.1, port: 7100, allow: [bind] }",
        lacks: NO_BIND,
        operation: "bind",
        object: "tcp:127.0.0.1:7100",
        missing: "bind",
    },
    Case {
        name: "bind to all",
        attempt: &["udp-bind", "[::]:7101"],
        grants: "{ protocol: udp, address: \"::\", allow: [bind] }",
        lacks: "{ protocol: udp, address: [\"::1\", 127.0.0.1], allow: [bind] }",
        operation: "bind",
        object: "udp:[::]:7101",
        missing: "bind",
    },
    Case {
        name: "any port",
        attempt: &["tcp-bind-and-listen", "127.0.0.1:0"],
        grants: "{ protocol: tcp, port: 0, allow: [bind] }",
        lacks: "{ protocol: tcp, port: 1-65535, allow: [bind] }",
        operation: "bind",
        object: "tcp:127.0.0.1:0",
        missing: "bind",
    },
    Case {
        name: "listen without bind",
        attempt: &["tcp-listen", "127.0.0.1:1"],
        grants: "{ protocol: tcp, port: 0, allow: [bind] }",
        lacks: NO_BIND,
        operation: "bind",
        object: "tcp:0.0.0.0:0",
        missing: "bind",
    },
    Case {
        name: "make a socket",
        attempt: &["socket", "2", "1", "0"],
        grants: "{ family: ipv4, protocol: tcp, allow: [create] }",
        lacks: "{ family: ipv6, allow: [connect] }, { protocol: udp, allow: [bind] }",
        operation: "socket",
        object: "ipv4/tcp",
        missing: "create",
    },
    Case {
        name: "of netlink",
        attempt: &["socket", "16", "3", "15"],
        grants: "{ family: netlink, protocol: kobject_uevent, allow: [create] }",
        lacks: "{ family: netlink, protocol: route, allow: [create] }, { allow: [connect] }",
        operation: "socket",
        object: "netlink/kobject_uevent",
        missing: "create",
    },
];

/// Connects to the server.
const CONNECT: Case = Case {
    name: "",
    attempt: &[],
    grants: "",
    lacks: "",
    operation: "connect",
    object: "tcp:127.0.0.1:7001",
    missing: "connect",
};

/// Connects to no address, where the kernel takes another for it than that of loopback.
const NO_ADDRESS: Case = Case {
    grants: "{ protocol: [tcp, udp], address: 0.0.0.0, port: 7001, allow: [connect] }, { protocol: tcp, allow: [bind] }",
    lacks: "{ protocol: [tcp, udp], address: 127.0.0.0/8, allow: [connect, bind] }",
    object: "tcp:0.0.0.0:7001",
    ..CONNECT
};

/// Reaches it by datagrams.
const DATAGRAMS: Case = Case {
    grants: UDP,
    lacks: OTHER_PORT,
    object: "udp:127.0.0.1:7001",
    ..CONNECT
};

/// A profile with these rules on networks.
fn networks(mode: &str, rules: &str) -> String {
    format!("{}network: [{rules}]\n", profile(mode, ""))
}

/// Every way to a network, in four rows: granted, denied, audited, outside.
#[test]
fn networks_are_judged_by_profile() {
    let _servers = [SERVER, "[::1]:7001"]
        .map(|at| (TcpListener::bind(at).unwrap(), UdpSocket::bind(at).unwrap()));
    let rows: Vec<(String, String)> = CASES
        .iter()
        .enumerate()
        .flat_map(|(index, case)| {
            [
                ("granted", "enforce", case.grants),
                ("denied", "enforce", case.lacks),
                ("audited", "audit", case.lacks),
            ]
            .map(|(row, mode, rules)| (format!("{row}{index}"), networks(mode, rules)))
        })
        .collect();
    let profiles: Vec<(&str, &str)> = rows
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let agent = Agent::start(&profiles);
    for (index, case) in CASES.iter().enumerate() {
        let name = case.name;
        for (row, want) in [("granted", 0), ("denied", EACCES), ("audited", 0)] {
            let profile = format!("{row}{index}");
            assert_eq!(agent.attempt(&profile, case.attempt), want, "{name}: {row}");
        }
        assert_eq!(attempt_outside(case.attempt), 0, "{name}: outside");
    }
    for (index, case) in CASES.iter().enumerate() {
        let name = case.name;
        for row in ["granted", "denied", "audited"] {
            let profile = format!("{row}{index}");
            let found = || {
                agent
                    .detections()
                    .into_iter()
                    .find(|one| one["profile"] == profile.as_str())
            };
            if row == "granted" {
                assert_eq!(found(), None, "{name}: no detection of what was granted");
                continue;
            }
            let detection = enforcer_tests::wait_for(enforcer_tests::WITHIN, found);
            let detection = detection.unwrap_or_else(|| panic!("{name}: {row}: no detection"));
            assert_eq!(detection["verdict"], row, "{name}: {detection}");
            assert_eq!(
                detection["operation"], case.operation,
                "{name}: {detection}"
            );
            assert_eq!(detection["path"], case.object, "{name}: {detection}");
            assert_eq!(
                detection["missing"],
                json!([case.missing]),
                "{name}: {detection}"
            );
            assert_eq!(detection["reason"], "not-granted", "{name}: {detection}");
            assert_eq!(detection["count"], 1, "{name}: {detection}");
            assert_eq!(
                detection["rule"].is_string(),
                name == "a deny",
                "{name}: {detection}"
            );
        }
    }
}

/// Without a word about networks there is none, and unix sockets are no business of theirs.
#[test]
fn a_profile_grants_no_network_by_itself() {
    let agent = Agent::start(&[("p", &profile("enforce", ""))]);
    for (attempt, want) in [
        (&["socket", "2", "2", "0"][..], EACCES),
        (&["socket", "10", "1", "6"], EACCES),
        (&["socket", "16", "3", "0"], EACCES),
        (&["socket", "1", "1", "0"], 0),
    ] {
        assert_eq!(agent.attempt("p", attempt), want, "{attempt:?}");
        assert_eq!(attempt_outside(attempt), 0, "{attempt:?}: outside");
    }
    let output = agent.cli(&["explain", "D1", "--json"]);
    assert!(output.status.success(), "{output:?}");
}

/// An address that the kernel would not take is none that could be judged.
#[test]
fn an_address_that_is_none() {
    const EINVAL: i32 = 22;
    let rule = "{ allow: [connect, bind] }";
    let agent = Agent::start(&[
        ("p", &networks("enforce", rule)),
        ("q", &networks("audit", rule)),
    ]);
    let words = ["tcp-connect-short", SERVER];
    assert_eq!(agent.attempt("p", &words), EACCES);
    assert_eq!(agent.attempt("q", &words), EINVAL, "audited");
    assert_eq!(attempt_outside(&words), EINVAL, "outside");
    assert_eq!(agent.refusals("odd-address"), 2);
}
