//! Rules about no file, but for those about networks.

use enforcer_abi::{Privilege, Privileges};

use super::Converter;
use crate::{
    apparmor::{
        policy::{Item, Rule},
        report::{Finding, Fit},
    },
    profile::Escaped,
};

/// What AppArmor never asks about, so that a program under it may do it.
const NEVER_ASKED: [Privilege; 5] = [
    Privilege::EXECMEM,
    Privilege::IO_URING,
    Privilege::KEYS,
    Privilege::SYSV_IPC,
    Privilege::TERMINAL,
];

/// Privileges on their way.
#[derive(Default)]
pub(super) struct Taken {
    granted: Privileges,
    denied: Vec<Denied>,
}

/// A deny of privileges.
struct Denied {
    rule: usize,
    privileges: Privileges,
    /// Whether it is for some of what the privileges are for.
    in_part: bool,
}

/// Whether a rule is for all that a privilege is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    Some(&'static str),
}

impl Converter<'_> {
    pub(super) fn other(&mut self, at: usize, rule: &Rule, keyword: &str, items: &[Item]) {
        match keyword {
            "capability" => self.capabilities(at, rule, items),
            "network" => self.network(at, rule, items),
            "unix" => self.unix(at, rule, items),
            "signal" => self.signal(at, rule, items),
            "ptrace" => self.ptrace(at, rule, items),
            "mount" | "remount" | "umount" | "unmount" | "pivot_root" => {
                self.mount(at, rule, keyword, items);
            }
            "userns" => self.privilege(at, rule, Privilege::USERNS, Part::All),
            "io_uring" => self.io_uring(at, rule, items),
            "all" => self.everything(Some((at, rule))),
            "dbus" => self.left_out(
                at,
                rule,
                "messages on a bus are not told apart: who may connect to it may send them",
            ),
            "mqueue" => self.left_out(at, rule, "POSIX message queues are not mediated"),
            "change_profile" | "change_hat" => {
                self.left_out(at, rule, "no program changes its profile by itself");
            }
            "set" => self.left_out(
                at,
                rule,
                "limits are not set by profiles; set them in the unit",
            ),
            _ => self.left_out(at, rule, "it has no equivalent"),
        }
    }

    fn left_out(&mut self, at: usize, rule: &Rule, why: &str) {
        let kind = rule.kind.name();
        self.differs(at, Finding::new(rule, kind, Fit::LeftOut, why));
    }

    fn capabilities(&mut self, at: usize, rule: &Rule, items: &[Item]) {
        let names = Item::words(items);
        let mut set = Privileges::NONE;
        if names.is_empty() {
            set = every_capability();
        }
        for name in names {
            let found = Privilege::from_name(&name.to_ascii_lowercase());
            if let Some(privilege) = found.filter(|one| *one < Privilege::MOUNT) {
                set |= Privileges::of(privilege);
            } else {
                let name = Escaped(name.as_bytes());
                self.left_out(at, rule, &format!("no capability `{name}` is known"));
            }
        }
        self.take(at, rule, set, Part::All);
    }

    /// Grants or denies a privilege.
    fn privilege(&mut self, at: usize, rule: &Rule, privilege: Privilege, part: Part) {
        self.take(at, rule, Privileges::of(privilege), part);
    }

    fn take(&mut self, at: usize, rule: &Rule, privileges: Privileges, part: Part) {
        let kind = rule.kind.name();
        if rule.qualifiers.deny {
            self.privileges.denied.push(Denied {
                rule: at,
                privileges,
                in_part: part != Part::All,
            });
            return;
        }
        self.privileges.granted |= privileges;
        if let Part::Some(why) = part {
            self.differs(at, Finding::new(rule, kind, Fit::Wider, why));
        }
        if rule.qualifiers.audit {
            let why = "what privileges are used for is not told";
            self.differs(at, Finding::new(rule, kind, Fit::Differs, why));
        }
    }

    fn mount(&mut self, at: usize, rule: &Rule, keyword: &str, items: &[Item]) {
        let is_whole = rule.qualifiers.deny && items.is_empty() && self.is_all_mounts(keyword);
        let part = if is_whole {
            Part::All
        } else {
            Part::Some("the privilege `mount` is for all that changes what is mounted where")
        };
        self.privilege(at, rule, Privilege::MOUNT, part);
    }

    /// Whether a rule with `keyword` and no more is for all that rules grant of the privilege
    /// `mount`.
    fn is_all_mounts(&self, keyword: &str) -> bool {
        let is_for = |other: &str| match other {
            "mount" => keyword == "mount",
            "remount" => matches!(keyword, "mount" | "remount"),
            "umount" | "unmount" => matches!(keyword, "umount" | "unmount"),
            "pivot_root" => keyword == "pivot_root",
            // Everything is granted.
            _ => other != "all",
        };
        let mut grants = self.rules.iter().filter(|rule| !rule.qualifiers.deny);
        let allows_all = self
            .section
            .flags
            .iter()
            .any(|flag| flag == "default_allow");
        !allows_all && grants.all(|rule| is_for(rule.kind.name()))
    }

    fn signal(&mut self, at: usize, rule: &Rule, items: &[Item]) {
        let sends = |word: &&str| matches!(*word, "send" | "w" | "write" | "rw" | "wr");
        let words = Item::words(items);
        // What comes in is for the sender's profile to say; within a domain all is granted.
        if !words.is_empty() && !words.iter().any(sends) || self.is_own_peer(items) {
            return;
        }
        let set = Item::value(items, "set").map(Item::words);
        let only_asks = set.is_some_and(|set| set.iter().all(|signal| *signal == "exists"));
        if only_asks && !rule.qualifiers.deny {
            let why = "to ask whether a process is there takes the privilege `signal`, which is \
                       for every signal";
            self.differs(at, Finding::new(rule, "signal", Fit::Narrower, why));
            return;
        }
        let limited = Item::value(items, "set").or(Item::value(items, "peer"));
        let part = match limited {
            Some(_) => Part::Some("the privilege `signal` is for every signal to every process"),
            None => Part::All,
        };
        self.privilege(at, rule, Privilege::SIGNAL, part);
    }

    fn ptrace(&mut self, at: usize, rule: &Rule, items: &[Item]) {
        let words = Item::words(items);
        let is_done_to = |word: &&str| matches!(*word, "readby" | "tracedby");
        if !words.is_empty() && words.iter().all(is_done_to) || self.is_own_peer(items) {
            return;
        }
        let has =
            |names: [&str; 3]| words.is_empty() || names.iter().any(|name| words.contains(name));
        let is_all = has(["trace", "w", "rw"]) && has(["read", "r", "rw"]);
        let part = if is_all && Item::value(items, "peer").is_none() {
            Part::All
        } else {
            Part::Some("the privilege `ptrace` is to read and to trace every process")
        };
        self.privilege(at, rule, Privilege::PTRACE, part);
    }

    fn unix(&mut self, at: usize, rule: &Rule, items: &[Item]) {
        let words = Item::words(items);
        let sends = |word: &&str| matches!(*word, "connect" | "send" | "w" | "write" | "rw" | "wr");
        if !words.is_empty() && !words.iter().any(sends) {
            return;
        }
        let peer = Item::value(items, "peer").unwrap_or_default();
        let address = Item::value(peer, "addr")
            .map(Item::words)
            .unwrap_or_default();
        // Sockets with paths are files, and those without a name have no door.
        let is_abstract = |text: &&str| text.starts_with(['@', '*', '{', '[']);
        if !address.is_empty() && !address.iter().any(is_abstract) {
            return;
        }
        if address.is_empty() && self.is_own(Item::value(peer, "label").unwrap_or_default()) {
            let why = "to connect to an abstract socket takes the privilege `abstract_unix`, \
                       which is for all of them";
            self.differs(at, Finding::new(rule, "unix", Fit::Narrower, why));
            return;
        }
        let is_limited = items.iter().any(|item| matches!(item, Item::Set { .. }));
        let part = if is_limited {
            Part::Some("the privilege `abstract_unix` is for every abstract socket")
        } else {
            Part::All
        };
        self.privilege(at, rule, Privilege::ABSTRACT_UNIX, part);
    }

    fn io_uring(&mut self, at: usize, rule: &Rule, items: &[Item]) {
        let words = Item::words(items);
        let pairs = [
            ("sqpoll", Privilege::URING_SQPOLL),
            ("override_creds", Privilege::URING_OVERRIDE_CREDS),
        ];
        let named = pairs
            .into_iter()
            .filter(|(word, _)| words.is_empty() || words.contains(word));
        let set = named.fold(Privileges::NONE, |set, (_, one)| set | Privileges::of(one));
        let part = match Item::value(items, "label") {
            Some(_) => Part::Some("the privilege is for every ring"),
            None => Part::All,
        };
        self.take(at, rule, set, part);
    }

    /// Grants or denies the privilege that a rule about all networks, or sockets of the family
    /// unix, gives: all of them, or those of a type.
    pub(super) fn abstract_unix(&mut self, at: usize, rule: &Rule, kind: Option<&str>) {
        let part = match kind {
            Some(_) if rule.qualifiers.deny => Part::Some("it is for every type of sockets"),
            _ => Part::All,
        };
        self.privilege(at, rule, Privilege::ABSTRACT_UNIX, part);
    }

    /// Grants, or with a `deny` refuses, all that no path speaks of.
    pub(super) fn every_privilege(&mut self, rule: Option<(usize, &Rule)>) {
        let names = Privilege::NAMES.into_iter();
        let all = names.fold(Privileges::NONE, |all, (one, _)| all | Privileges::of(one));
        match rule {
            Some((at, rule)) => self.take(at, rule, all, Part::All),
            None => self.privileges.granted |= all,
        }
    }

    /// Whether a rule is about processes under the same profile.
    fn is_own_peer(&self, items: &[Item]) -> bool {
        Item::value(items, "peer").is_some_and(|peer| self.is_own(peer))
    }

    fn is_own(&self, values: &[Item]) -> bool {
        let own = |word: &&str| *word == "@{profile_name}" || *word == self.section.name;
        let words = Item::words(values);
        !words.is_empty() && words.iter().all(own)
    }

    /// What is left of the privileges after the denies, and what AppArmor does not ask
    /// about.
    pub(super) fn privileges_at_last(&mut self) -> (Privileges, Privileges) {
        let Taken { granted, denied } = std::mem::take(&mut self.privileges);
        let abi = self.policy.abi;
        let asked = [
            (abi.unix, Privilege::ABSTRACT_UNIX),
            (abi.userns, Privilege::USERNS),
            (abi.io_uring, Privilege::URING_SQPOLL),
            (abi.io_uring, Privilege::URING_OVERRIDE_CREDS),
        ];
        let unasked = asked.into_iter().filter(|(is_asked, _)| !is_asked);
        let unasked = NEVER_ASKED.into_iter().chain(unasked.map(|(_, one)| one));
        let unmediated = unasked.fold(Privileges::NONE, |set, one| set | Privileges::of(one));
        // What is there for denies of a part to meet.
        let denied_whole = denied.iter().filter(|deny| !deny.in_part);
        let denied_whole = denied_whole.fold(0, |all, deny| all | deny.privileges.0);
        let there = (granted.0 | unmediated.0) & !denied_whole;
        let mut left = granted;
        for deny in &denied {
            let Some(rule) = self.rules.get(deny.rule) else {
                continue;
            };
            let kind = rule.kind.name();
            left.0 &= !deny.privileges.0;
            let met = Privileges(there & deny.privileges.0);
            if deny.in_part && met != Privileges::NONE {
                // As a deny of files or of networks, it errs on the side of refusing.
                let names = met.names().collect::<Vec<_>>().join("` and `");
                let why = format!(
                    "a deny of privileges is for all that they are for: `{names}` is refused as a \
                     whole; if the program needs the rest, remove the deny"
                );
                self.differs(deny.rule, Finding::new(rule, kind, Fit::Narrower, why));
            } else if !self.is_told(&rule.qualifiers) {
                let why = "it is refused as in AppArmor, and told";
                self.differs(deny.rule, Finding::new(rule, kind, Fit::Differs, why));
            }
        }
        let denied = denied.iter().fold(0, |all, deny| all | deny.privileges.0);
        (left, Privileges(unmediated.0 & !left.0 & !denied))
    }
}

fn every_capability() -> Privileges {
    let names = Privilege::NAMES.into_iter();
    let capabilities = names.filter(|(privilege, _)| *privilege < Privilege::MOUNT);
    capabilities.fold(Privileges::NONE, |all, (one, _)| all | Privileges::of(one))
}
