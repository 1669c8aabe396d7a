//! Whom profiles confine; the names of users and units, as far as they can be judged without
//! the machine.

use std::fmt;

use super::{
    Escaped, Origin, Pattern,
    limits::{UNIT_LEN, USER_LEN},
};

/// The ends of units that have processes.
pub(super) const UNIT_ENDS: [&str; 6] =
    [".service", ".scope", ".slice", ".socket", ".mount", ".swap"];

/// The id that stands for none.
const NO_ID: u32 = u32::MAX;

/// The controllers of cgroups, as systemd calls them.
const CONTROLLERS: [&str; 14] = [
    "cpu",
    "cpuacct",
    "cpuset",
    "io",
    "blkio",
    "memory",
    "devices",
    "pids",
    "bpf-firewall",
    "bpf-devices",
    "bpf-foreign",
    "bpf-socket-bind",
    "bpf-restrict-network-interfaces",
    "bpf-bind-network-interface",
];

/// A program that a profile confines.
#[derive(Clone, Debug)]
pub struct Executable {
    /// The paths of the program.
    pub pattern: Pattern,
    /// Where it stands.
    pub origin: Origin,
}

/// A user whose processes a profile confines.
#[derive(Clone, Debug)]
pub struct User {
    /// The user.
    pub who: UserRef,
    /// Where it stands.
    pub origin: Origin,
}

/// A user, as a profile spells it. Which id a name has is for the machine to say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UserRef {
    /// By name.
    Name(String),
    /// By id.
    Id(u32),
}

/// Cgroups whose processes a profile confines.
#[derive(Clone, Debug)]
pub struct Cgroup {
    /// Their paths from the root of cgroup v2. What is beneath them is theirs, too.
    pub pattern: Pattern,
    /// The unit whose cgroup it is, if it was written as one.
    pub unit: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

impl fmt::Display for UserRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => Escaped(name.as_bytes()).fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// Reads a user: its id where there are only digits, else its name. `None` where no
/// user can have the name.
pub(super) fn user(text: &str) -> Option<UserRef> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let id = text.parse().ok().filter(|&id| id != NO_ID);
        return id.map(UserRef::Id);
    }
    let fits = |c: char| !c.is_control() && !c.is_whitespace() && !":,/".contains(c);
    let valid =
        (1..=USER_LEN).contains(&text.len()) && !text.starts_with('-') && text.chars().all(fits);
    valid.then(|| UserRef::Name(text.to_owned()))
}

/// Whether a unit with processes can have this name. A template has none, its
/// instances do.
pub(super) fn is_unit(name: &str) -> bool {
    let stem = UNIT_ENDS.iter().find_map(|end| name.strip_suffix(end));
    name.len() <= UNIT_LEN
        && stem.is_some_and(|stem| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || br":-_.\@".contains(&byte);
            !stem.is_empty() && !stem.ends_with('@') && stem.bytes().all(fits)
        })
}

/// Whether other units run in the cgroup of `unit`.
pub(super) fn is_slice(unit: &str) -> bool {
    unit.strip_suffix(".slice").is_some()
}

/// The glob of the cgroup of `unit`, wherever it is.
pub(super) fn unit_glob(unit: &str) -> String {
    // systemd puts a `_` before what would look like one of the kernel's own files.
    let like_a_file = unit.starts_with(['_', '.'])
        || unit.starts_with("cgroup.")
        || CONTROLLERS.iter().any(|controller| {
            unit.strip_prefix(controller)
                .is_some_and(|rest| rest.starts_with('.'))
        });
    let mark = if like_a_file { "_" } else { "" };
    format!("/{{**/,}}{mark}{}", unit.replace('\\', r"\\"))
}

#[cfg(test)]
mod tests {
    use super::{is_unit, unit_glob, user};
    use crate::profile::{Pattern, UserRef};

    #[test]
    fn users() {
        let named = |name: &str| Some(UserRef::Name(name.to_owned()));
        #[rustfmt::skip]
        let cases = [
            ("a name",          "www-data",   named("www-data")),
            ("an odd one",      "Jürgen.D$",  named("Jürgen.D$")),
            ("digits in it",    "web1",       named("web1")),
            ("an id",           "33",         Some(UserRef::Id(33))),
            ("the greatest",    "4294967294", Some(UserRef::Id(4_294_967_294))),
            ("nobody's id",     "4294967295", None),
            ("too great",       "4294967296", None),
            ("empty",           "",           None),
            ("an option",       "-x",         None),
            ("a list",          "a,b",        None),
            ("a line",          "a:b",        None),
            ("a path",          "a/b",        None),
            ("a space",         "a b",        None),
        ];
        for (name, text, want) in cases {
            assert_eq!(user(text), want, "{name}");
        }
    }

    #[test]
    fn units() {
        // Columns: what it shows, name, its glob.
        #[rustfmt::skip]
        let cases = [
            ("a service",            "nginx.service",         Some("/{**/,}nginx.service")),
            ("an instance",          "getty@tty1.service",    Some("/{**/,}getty@tty1.service")),
            ("escaped by systemd",   r"dev-a\x2db.swap",      Some(r"/{**/,}dev-a\\x2db.swap")),
            ("a slice",              "user-1000.slice",       Some("/{**/,}user-1000.slice")),
            ("like a kernel's file", "memory.service",        Some("/{**/,}_memory.service")),
            ("not quite",            "memory-hog.service",    Some("/{**/,}memory-hog.service")),
            ("marked itself",        "_x.service",            Some("/{**/,}__x.service")),
            ("no end",               "nginx",                 None),
            ("another end",          "backup.timer",          None),
            ("nothing but an end",   ".service",              None),
            ("a template",           "getty@.service",        None),
            ("a glob",               "nginx*.service",        None),
            ("a path",               "a/b.service",           None),
        ];
        for (name, unit, want) in cases {
            assert_eq!(is_unit(unit), want.is_some(), "{name}");
            if let Some(want) = want {
                assert_eq!(unit_glob(unit), want, "{name}");
                let bare = Pattern::parse(want).unwrap();
                assert_eq!(bare.text(), want);
            }
        }
    }
}
