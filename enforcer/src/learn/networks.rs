//! From sockets and addresses to rules on networks.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::Path,
};

use enforcer_abi::Access;

use super::{LearnError, Thresholds, abstractions::grants, observe::Gathered};
use crate::profile::{NetworkObject, Profile, ProfileError, compile_alone};

/// Ports that the kernel gives to who asks for none in particular (`ip_local_port_range`).
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=60_999;

/// A rule on networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NetworkRule {
    /// It, as YAML.
    pub(super) text: String,
    /// Why it is about more than what was seen.
    pub(super) why: Option<String>,
}

/// What was reached by one protocol at one port, or could be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct To {
    protocol: String,
    right: &'static str,
    /// Whom; nothing: all of these families.
    addresses: Option<BTreeSet<IpAddr>>,
    families: BTreeSet<String>,
}

/// Rules for all that was seen.
pub(super) fn rules(
    gathered: &Gathered,
    thresholds: &Thresholds,
) -> Result<Vec<NetworkRule>, LearnError> {
    let mut rules = reached(gathered, thresholds);
    // What none of them grants are sockets that reached nobody, and families without ports.
    let text: Vec<&str> = rules.iter().map(|rule| &rule.text[..]).collect();
    let text = format!("name: x\nmode: enforce\nnetwork: [{}]\n", text.join(", "));
    let profile = Profile::parse(&text, Path::new("x.yaml"), Path::new(""))?;
    let compiled = compile_alone(&profile).map_err(ProfileError::from)?;
    let mut sockets: BTreeMap<(Option<String>, String), BTreeSet<String>> = BTreeMap::new();
    for (name, (object, access)) in &gathered.networks {
        if !grants(&compiled, name, *access, false) {
            let rights: Vec<&str> = (*access & Access::ON_NETWORKS).names().collect();
            let key = (object.protocol(), rights.join(", "));
            sockets.entry(key).or_default().insert(object.family());
        }
    }
    for ((protocol, rights), families) in sockets {
        let protocol = protocol.map_or(String::new(), |name| format!(", protocol: {name}"));
        rules.push(NetworkRule {
            text: format!(
                "{{ family: {}{protocol}, allow: [{rights}] }}",
                list(&families)
            ),
            why: None,
        });
    }
    Ok(rules)
}

/// Rules for what was reached.
fn reached(gathered: &Gathered, thresholds: &Thresholds) -> Vec<NetworkRule> {
    let mut at: BTreeMap<(String, &str, Option<[u16; 2]>), Vec<NetworkObject>> = BTreeMap::new();
    for (object, access) in gathered.networks.values() {
        let (Some(address), Some(protocol)) = (object.address(), object.protocol()) else {
            continue;
        };
        for (right, name) in [(Access::BIND, "bind"), (Access::CONNECT, "connect")] {
            if access.contains(right) {
                let ports = object.has_ports().then(|| {
                    let port = address.port();
                    let is_any = right == Access::BIND && EPHEMERAL.contains(&port);
                    if is_any {
                        [*EPHEMERAL.start(), *EPHEMERAL.end()]
                    } else {
                        [port; 2]
                    }
                });
                at.entry((protocol.clone(), name, ports))
                    .or_default()
                    .push(*object);
            }
        }
    }
    let mut ports: BTreeMap<To, BTreeSet<[u16; 2]>> = BTreeMap::new();
    let mut peers: BTreeMap<To, usize> = BTreeMap::new();
    for ((protocol, right, range), objects) in at {
        let addresses = objects
            .iter()
            .filter_map(|object| Some(object.address()?.ip()));
        let addresses: BTreeSet<IpAddr> = addresses.collect();
        let is_all =
            addresses.len() > thresholds.peers || addresses.iter().any(IpAddr::is_unspecified);
        let count = addresses.len();
        let to = To {
            protocol,
            right,
            addresses: (!is_all).then_some(addresses),
            families: objects.iter().map(|object| object.family()).collect(),
        };
        let known = peers.entry(to.clone()).or_default();
        *known = count.max(*known);
        ports.entry(to).or_default().extend(range);
    }
    let rule = |(to, ports): (To, BTreeSet<[u16; 2]>)| {
        let peers = peers.get(&to).copied().unwrap_or_default();
        rule(&to, &ports, peers, thresholds)
    };
    ports.into_iter().map(rule).collect()
}

fn rule(to: &To, ports: &BTreeSet<[u16; 2]>, peers: usize, thresholds: &Thresholds) -> NetworkRule {
    let mut keys = Vec::new();
    let mut why = Vec::new();
    if to.addresses.is_none() && to.families.len() == 1 {
        keys.push(format!("family: {}", list(&to.families)));
    }
    keys.push(format!("protocol: {}", to.protocol));
    if let Some(addresses) = &to.addresses {
        let texts = addresses.iter().map(|address| match address {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("\"{v6}\""),
        });
        keys.push(format!("address: {}", list(&texts.collect())));
    } else if peers > thresholds.peers {
        why.push(format!("any address: {peers} seen"));
    }
    let text = |&[first, last]: &[u16; 2]| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    };
    if ports.len() > thresholds.ports {
        why.push(format!("any port: {} seen", ports.len()));
        if ports.iter().all(|[first, _]| *first >= 1024) {
            keys.push("port: 1024-65535".to_owned());
        }
    } else if !ports.is_empty() {
        // In the order of their numbers, not of their letters.
        let texts: Vec<String> = ports.iter().map(text).collect();
        keys.push(match &texts[..] {
            [one] => format!("port: {one}"),
            all => format!("port: [{}]", all.join(", ")),
        });
        if ports.iter().any(|[first, last]| first != last) {
            why.push("the kernel chooses ports of this range".to_owned());
        }
    }
    keys.push(format!("allow: [{}]", to.right));
    NetworkRule {
        text: format!("{{ {} }}", keys.join(", ")),
        why: (!why.is_empty()).then(|| why.join("; ")),
    }
}

/// One word, or a list of words.
fn list(words: &BTreeSet<String>) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [one] => one.to_owned(),
        _ => format!("[{}]", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::rules;
    use crate::learn::{Thresholds, observe::gather, tests::observed};

    #[test]
    fn networks() {
        // Columns: what it shows, what was seen, rules.
        #[rustfmt::skip]
        let cases: &[(&str, &str, &[&str])] = &[
            ("a port",          "socket create ipv4/tcp\nbind bind tcp:0.0.0.0:80",
                &["{ family: ipv4, protocol: tcp, port: 80, allow: [bind] }"]),
            ("both families",   "bind bind tcp:0.0.0.0:80\nbind bind tcp:[::]:80",
                &["{ protocol: tcp, port: 80, allow: [bind] }"]),
            ("an address",      "bind bind tcp:127.0.0.1:6379\nbind bind tcp:[::1]:6379",
                &["{ protocol: tcp, address: [\"::1\", 127.0.0.1], port: 6379, allow: [bind] }"]),
            ("two ports",       "connect connect tcp:127.0.0.1:80\nconnect connect tcp:127.0.0.1:443",
                &["{ protocol: tcp, address: 127.0.0.1, port: [80, 443], allow: [connect] }"]),
            ("many peers",      "connect connect tcp:10.0.0.1:443\nconnect connect tcp:10.0.0.2:443\nconnect connect tcp:10.0.0.3:443\nconnect connect tcp:10.0.0.4:443",
                &["{ family: ipv4, protocol: tcp, port: 443, allow: [connect] } # any address: 4 seen"]),
            ("any port",        "bind bind udp:0.0.0.0:0",
                &["{ family: ipv4, protocol: udp, port: 0, allow: [bind] }"]),
            ("one of many",     "bind bind udp:0.0.0.0:45678",
                &["{ family: ipv4, protocol: udp, port: 32768-60999, allow: [bind] } # the kernel chooses ports of this range"]),
            ("sockets alone",   "socket create ipv4/udp\nsocket create ipv6/udp\nsocket create netlink/route\nsocket create packet",
                &["{ family: packet, allow: [create] }", "{ family: netlink, protocol: route, allow: [create] }", "{ family: [ipv4, ipv6], protocol: udp, allow: [create] }"]),
            ("no ports",        "connect connect icmp:10.0.0.1:0",
                &["{ protocol: icmp, address: 10.0.0.1, allow: [connect] }"]),
        ];
        for (name, lines, want) in cases {
            let (kept, _) = gather(&observed(lines), &BTreeSet::new());
            let got = rules(&kept, &Thresholds::default()).unwrap();
            let got: Vec<String> = got
                .into_iter()
                .map(|rule| match rule.why {
                    Some(why) => format!("{} # {why}", rule.text),
                    None => rule.text,
                })
                .collect();
            assert_eq!(got, *want, "{name}");
        }
    }
}
