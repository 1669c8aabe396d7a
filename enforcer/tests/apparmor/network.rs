//! What AppArmor's rules about networks mean, by families and types of sockets, against what
//! came of them.

use enforcer::{
    apparmor::{Imported, Item, RuleKind},
    profile::{Compiled, object_name},
};
use enforcer_abi::Access;

/// IP by both: AppArmor's family and type, our socket, an address as it reaches.
const IP: [(&str, &str, &str, &str); 6] = [
    ("inet", "stream", "ipv4/tcp", "tcp:10.1.2.3:443"),
    ("inet", "dgram", "ipv4/udp", "udp:10.1.2.3:53"),
    ("inet", "raw", "ipv4/raw", "raw:10.1.2.3:0"),
    ("inet6", "stream", "ipv6/tcp", "tcp:[2001:db8::1]:443"),
    ("inet6", "dgram", "ipv6/udp", "udp:[2001:db8::1]:53"),
    ("inet6", "raw", "ipv6/raw", "raw:[2001:db8::1]:0"),
];

/// Other families that both know, as we name their sockets.
const OTHERS: [(&str, &str); 9] = [
    ("netlink", "netlink/route"),
    ("packet", "packet"),
    ("vsock", "vsock"),
    ("bluetooth", "bluetooth"),
    ("can", "can"),
    ("key", "key"),
    ("x25", "x25"),
    ("tipc", "tipc"),
    ("alg", "alg"),
];

const TYPES: [&str; 5] = ["stream", "dgram", "seqpacket", "rdm", "raw"];

/// A rule: whether it denies, and which family and type it is about; none: all.
struct Rule<'a> {
    denies: bool,
    family: Option<&'a str>,
    kind: Option<&'a str>,
}

impl Rule<'_> {
    fn is_about(&self, family: &str, kind: &str) -> bool {
        self.family.is_none_or(|own| own == family) && self.kind.is_none_or(|own| own == kind)
    }
}

/// How many sockets were compared, and how many of them AppArmor grants.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sockets {
    pub(crate) compared: usize,
    pub(crate) granted: usize,
}

/// Compares a profile with its table. What is not the same goes to `wrong`.
pub(crate) fn compare(imported: &Imported, table: &Compiled, wrong: &mut Vec<String>) -> Sockets {
    let mut sockets = Sockets::default();
    let Some(rules) = rules(imported) else {
        return sockets;
    };
    let grants = |family: &str, kind: &str| {
        let about = || rules.iter().filter(|rule| rule.is_about(family, kind));
        about().count() > 0 && about().all(|rule| !rule.denies)
    };
    let mut compare = |object: &str, rights: Access, want: bool| {
        let outcome = table.judge(&object_name(object.as_bytes())).outcome;
        sockets.compared += 1;
        sockets.granted += usize::from(want);
        let got = outcome.allow.contains(rights);
        // What is refused is refused wholly.
        if got != want || !want && !(outcome.allow & rights).is_empty() {
            wrong.push(format!("{}: {object}: {got} and not {want}", imported.name));
        }
    };
    for (family, kind, socket, address) in IP {
        let want = grants(family, kind);
        compare(socket, Access::CREATE, want);
        compare(address, Access::CONNECT | Access::BIND, want);
    }
    for (family, socket) in OTHERS {
        let granted = TYPES.into_iter().filter(|kind| grants(family, kind));
        match granted.count() {
            0 => compare(socket, Access::CREATE, false),
            all if all == TYPES.len() => compare(socket, Access::CREATE, true),
            // We do not tell types apart, but that those of netlink are all the same.
            _ if family == "netlink" => compare(socket, Access::CREATE, true),
            _ => {}
        }
    }
    sockets
}

/// The rules about networks, if there are none but those that families and types tell all of.
fn rules(imported: &Imported) -> Option<Vec<Rule<'_>>> {
    let mut rules = Vec::new();
    for rule in &imported.section.rules {
        let RuleKind::Other { keyword, items } = &rule.kind else {
            continue;
        };
        let denies = rule.qualifiers.deny;
        let all = |family, kind| Rule {
            denies,
            family,
            kind,
        };
        if *keyword == "all" {
            rules.push(all(None, None));
        }
        if *keyword != "network" {
            continue;
        }
        let words: Option<Vec<&str>> = items
            .iter()
            .map(|item| match item {
                Item::Word(word) => Some(word.as_str()),
                _ => None,
            })
            .collect();
        let is_type = |word: &&str| TYPES.contains(word);
        match words?.as_slice() {
            [] => rules.push(all(None, None)),
            [kind] if is_type(kind) => rules.push(all(None, Some(kind))),
            [family, rest @ ..] => {
                // What stands for a type, of IP where no family is named.
                let by_protocol = |word: &str| match word {
                    "tcp" => Some("stream"),
                    "udp" => Some("dgram"),
                    "icmp" => Some("raw"),
                    _ => None,
                };
                match (by_protocol(family), rest) {
                    (Some(kind), []) => {
                        rules.extend(["inet", "inet6"].map(|family| all(Some(family), Some(kind))));
                    }
                    (None, []) => rules.push(all(Some(*family), None)),
                    (None, [kind]) => {
                        let kind = by_protocol(kind).unwrap_or(kind);
                        rules.push(all(Some(*family), Some(kind)));
                    }
                    _ => return None,
                }
            }
        }
    }
    Some(rules)
}
