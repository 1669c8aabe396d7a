//! What is granted: one list, which every security module gets in its own language.

use std::iter;

use crate::place;

/// Rights on paths, by the names that profiles of enforcer have for them.
pub(crate) type Rights = &'static [&'static str];

/// What a rule is about.
pub(crate) enum Paths {
    /// A folder and all beneath it.
    Tree(String),
    /// What a pattern matches, in which `*` stands for a part of a name, and `/**/` for
    /// any folders.
    Pattern(String),
}

/// A rule.
pub(crate) struct Rule {
    pub(crate) paths: Paths,
    pub(crate) rights: Rights,
}

/// All that can be done with what lies in the folder that is measured on.
const ALL: Rights = &[
    "read",
    "write",
    "create",
    "remove",
    "attributes",
    "execute",
    "connect",
];

/// What is needed: the folder with the files, and what programs need to run.
const NEEDED: [(&str, Rights); 6] = [
    (place::FOLDER, ALL),
    ("/usr", &["read", "execute"]),
    ("/etc", &["read"]),
    ("/dev", &["read", "write"]),
    ("/proc", &["read"]),
    ("/sys", &["read"]),
];

/// Where services have their files, and what services there are.
const FOLDERS: [&str; 10] = [
    "/etc",
    "/usr/lib",
    "/usr/share",
    "/var/lib",
    "/srv",
    "/opt",
    "/home",
    "/var/log",
    "/var/cache",
    "/var/spool",
];
const SERVICES: [&str; 12] = [
    "nginx",
    "redis",
    "postgres",
    "python3",
    "openssl",
    "cron",
    "rsyslog",
    "haproxy",
    "git",
    "unbound",
    "memcached",
    "sshd",
];

/// What a rule that is not needed grants.
const RIGHTS: [Rights; 3] = [&["read"], &["read", "write"], &["read", "write", "create"]];

/// Returns `count` rules, of which the first are the ones that are needed.
pub(crate) fn rules(count: usize) -> Vec<Rule> {
    let needed = NEEDED.map(|(folder, rights)| Rule {
        paths: Paths::Tree(folder.to_owned()),
        rights,
    });
    let rules: Vec<Rule> = needed.into_iter().chain(further()).take(count).collect();
    assert_eq!(rules.len(), count, "there are too few rules");
    rules
}

/// Rules as services have them, without end.
fn further() -> impl Iterator<Item = Rule> {
    let folders = iter::successors(Some(0_usize), |round| Some(round + 1)).flat_map(|round| {
        FOLDERS.iter().flat_map(move |folder| {
            SERVICES.iter().map(move |service| match round {
                0 => format!("{folder}/{service}"),
                _ => format!("{folder}/{service}{round}"),
            })
        })
    });
    folders.enumerate().map(|(number, folder)| Rule {
        paths: match number % 6 {
            0 => Paths::Tree(folder),
            1 => Paths::Pattern(format!("{folder}/*.conf")),
            2 => Paths::Pattern(format!("{folder}/*/data/*")),
            3 => Paths::Pattern(format!("{folder}/lib*.so*")),
            4 => Paths::Pattern(format!("{folder}/**/*.key")),
            _ => Paths::Pattern(format!("{folder}/data.bin")),
        },
        rights: RIGHTS[number % RIGHTS.len()],
    })
}

impl Rule {
    /// Whether it grants a right.
    pub(crate) fn grants(&self, right: &str) -> bool {
        self.rights.contains(&right)
    }
}

impl Paths {
    /// The folder in which everything is that it is about.
    pub(crate) fn folder(&self) -> &str {
        match self {
            Self::Tree(folder) => folder,
            Self::Pattern(pattern) => {
                let fixed = pattern.split('*').next().unwrap_or_default();
                fixed.rsplit_once('/').map_or("/", |(folder, _)| folder)
            }
        }
    }
}
