//! Patterns of networks against addresses and ports one by one.

use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;

use super::{Addresses, Network, NetworkFault, between, hex, ports};
use crate::profile::{NetworkObject, Pattern};

/// Whether `pattern` matches what is written so.
fn matches(pattern: &Pattern, object: &str) -> bool {
    let object: NetworkObject = object.parse().unwrap();
    pattern.matches(&object.name())
}

#[test]
fn rules_and_what_they_are_about() {
    let private = Addresses::parse("10.0.0.0/8").unwrap();
    let one = Addresses::parse("2001:db8::1").unwrap();
    let of = |families: &[u8], protocols: &[u8], addresses: &[Addresses], ports: &[[u16; 2]]| {
        let network = Network {
            families: families.to_vec(),
            protocols: protocols.to_vec(),
            addresses: addresses.to_vec(),
            ports: ports.to_vec(),
        };
        network.pattern(true)
    };
    // Columns: the rule, its text, what it is about, what it is not about.
    #[rustfmt::skip]
    let cases: [(Pattern, &str, &[&str], &[&str]); 6] = [
        (of(&[2, 10], &[6], &[], &[]), "network:{ipv4,ipv6}/tcp",
            &["ipv4/tcp", "ipv6/tcp", "tcp:1.2.3.4:5", "tcp:[::1]:65535"],
            &["ipv4/udp", "udp:1.2.3.4:5", "netlink/route"]),
        (of(&[2, 10], &[6, 17], &[private], &[[80, 80], [8000, 8999]]),
            "network:{ipv4,ipv6}/{tcp,udp}/10.0.0.0/8:{80,8000-8999}",
            &["tcp:10.0.0.0:80", "udp:10.255.255.255:8999", "tcp:10.1.2.3:8500", "ipv6/tcp"],
            &["tcp:10.1.2.3:81", "tcp:11.0.0.0:80", "tcp:9.255.255.255:80", "tcp:[::1]:80"]),
        (of(&[10], &[], &[one], &[]), "network:ipv6/*/2001:db8::1/128:*",
            &["tcp:[2001:db8::1]:1", "58:[2001:db8::1]:0", "ipv6/icmpv6"],
            &["tcp:[2001:db8::2]:1", "ipv4/tcp", "tcp:1.2.3.4:1"]),
        (of(&[16], &[0], &[], &[]), "network:netlink/route", &["netlink/route"], &["netlink/audit"]),
        (of(&[16], &[], &[], &[]), "network:netlink/*", &["netlink/route", "netlink/200"], &["packet"]),
        (of(&[17, 31], &[], &[], &[]), "network:{packet,bluetooth}/*", &["packet", "bluetooth"], &["can"]),
    ];
    for (pattern, text, about, other) in cases {
        assert_eq!(pattern.text(), text);
        for object in about {
            assert!(matches(&pattern, object), "{text}: {object}");
        }
        for object in other {
            assert!(!matches(&pattern, object), "{text}: {object}");
        }
        assert!(!pattern.matches(b"/") && !pattern.matches(b"@"), "{text}");
    }
}

#[test]
fn addresses() {
    #[rustfmt::skip]
    let cases = [
        ("10.0.0.1",           Ok("10.0.0.1/32")),
        ("10.0.0.0/8",         Ok("10.0.0.0/8")),
        ("0.0.0.0/0",          Ok("0.0.0.0/0")),
        ("::/0",               Ok("::/0")),
        ("::1",                Ok("::1/128")),
        ("::ffff:10.0.0.0/104", Ok("10.0.0.0/8")),
        ("10.0.0.1/8",         Err("`10.0.0.1/8` has bits behind its prefix; did you mean `10.0.0.0/8`?")),
        ("10.0.0.0/33",        Err("`10.0.0.0/33` is no address; write it as 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32, without a name")),
        ("10.0.0.0/+8",        Err("`10.0.0.0/+8` is no address; write it as 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32, without a name")),
        ("host",               Err("`host` is no address; write it as 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32, without a name")),
        ("10.1",               Err("`10.1` is no address; write it as 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32, without a name")),
    ];
    for (text, want) in cases {
        let got = Addresses::parse(text)
            .map(|Addresses { first, prefix }| format!("{first}/{prefix}"))
            .map_err(|fault: NetworkFault| fault.to_string());
        assert_eq!(
            got,
            want.map(str::to_owned).map_err(str::to_owned),
            "{text}"
        );
    }
}

#[test]
fn port_ranges() {
    #[rustfmt::skip]
    let cases = [
        ("0", Some([0, 0])), ("65535", Some([65535, 65535])), ("1-2", Some([1, 2])), ("5 - 7", Some([5, 7])),
        ("65536", None), ("2-1", None), ("-1", None), ("", None), ("+1", None), ("http", None), ("1-", None), ("1-2-3", None),
    ];
    for (text, want) in cases {
        assert_eq!(ports(text).ok(), want, "{text}");
    }
}

proptest! {
    #[test]
    fn numbers_between_two(one: u16, other: u16, third: u16) {
        let (low, high) = (one.min(other), one.max(other));
        let digits = |number: u16| hex::<4>(number.into());
        let pattern = Pattern::of_network(String::new(), between(&digits(low), &digits(high)));
        for number in [low, high, third, low.wrapping_sub(1), high.wrapping_add(1)] {
            let is_between = (low..=high).contains(&number);
            prop_assert_eq!(pattern.matches(format!("{number:04x}").as_bytes()), is_between);
        }
    }

    #[test]
    fn addresses_of_a_range(address: u128, prefix in 0..=128_u8, is_v4: bool, flip in 0..128_u32) {
        let (address, prefix, len) = if is_v4 {
            (IpAddr::V4(u32::try_from(address >> 96).unwrap().into()), prefix / 4, 32)
        } else {
            (IpAddr::V6(address.into()), prefix, 128)
        };
        let [first, _] = super::ends(address, prefix);
        let range = Addresses { first, prefix };
        let pattern = Network {
            families: vec![2, 10],
            protocols: vec![6],
            addresses: vec![range],
            ports: Vec::new(),
        }
        .pattern(true);
        let at = |ip| NetworkObject::at(6, SocketAddr::new(ip, 80)).name();
        prop_assert!(pattern.matches(&at(address)));
        // One bit of it changed: it is in the range if that is behind the prefix.
        let flip = flip % len;
        let changed = match address {
            IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) ^ 1 << (31 - flip)).into()),
            IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) ^ 1 << (127 - flip)).into()),
        };
        prop_assert_eq!(pattern.matches(&at(changed)), flip >= u32::from(prefix));
    }
}
