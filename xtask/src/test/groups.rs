//! Tests that run in one guest only, apart from those that run on every kernel.

/// Tests that run together in a guest of their own.
#[derive(Debug)]
pub(super) struct Group {
    /// What it is called.
    pub(super) name: &'static str,
    /// What its tests' names begin with.
    tests: &'static [&'static str],
    /// The kernel.
    pub(super) kernel: &'static str,
    /// Debian's packages that they need.
    pub(super) packages: &'static [&'static str],
    /// Memory of the guest, in MiB.
    pub(super) memory: u64,
    /// Whether it is left out if time is short.
    pub(super) optional: bool,
    /// Whether nothing else may run beside it.
    pub(super) alone: bool,
}

/// Memory of a guest, in MiB: a thousand profiles and ten thousand tasks take some.
pub(super) const MEMORY: u64 = 1536;

/// The packages that have the programs which profiles are shipped for.
#[rustfmt::skip]
const OF_LIBRARY: [&str; 22] = [
    "bash", "coreutils", "cron", "debianutils", "dnsmasq-base", "git", "grep", "haproxy",
    "libc6-dev", "make", "memcached", "nginx-light", "openssh-client", "openssh-server",
    "openssl", "postgresql-15", "python3", "redis-server", "rsyslog", "sed", "tcc", "util-linux",
];

/// All groups, in the order in which they begin.
pub(super) const GROUPS: [Group; 3] = [
    // Of what takes many profiles, rules or tasks a kernel makes nothing of its own.
    Group {
        name: "limits",
        tests: &["limits::profiles::", "limits::tasks::"],
        kernel: "6.12",
        packages: &[],
        memory: MEMORY,
        optional: false,
        alone: false,
    },
    // A compiler and a package manager run beside these.
    Group {
        name: "outsiders",
        tests: &["outsiders::"],
        kernel: "6.12",
        packages: &["dpkg", "libc6-dev", "tcc"],
        memory: MEMORY,
        optional: false,
        // Fifty processes that never rest take what there is: beside another it takes twice as long.
        alone: true,
    },
    Group {
        name: "shipped profiles",
        tests: &["library::"],
        kernel: "6.12",
        packages: &OF_LIBRARY,
        // While it boots, the packages are in it twice.
        memory: 3072,
        optional: true,
        alone: false,
    },
];

impl Group {
    /// Returns those of the tests that are in this group.
    pub(super) fn of<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        let ours = names.iter().copied().filter(|name| self.has(name));
        ours.collect()
    }

    fn has(&self, name: &str) -> bool {
        self.tests.iter().any(|tests| name.starts_with(tests))
    }
}

/// Returns those of the tests that run on every kernel.
pub(super) fn elsewhere<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let names = names.iter().copied();
    names
        .filter(|name| !GROUPS.iter().any(|group| group.has(name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_in_one_group_or_runs_everywhere() {
        let names = [
            "open::a",
            "library::b",
            "limits::tasks::c",
            "limits::paths::d",
        ];
        assert_eq!(elsewhere(&names), ["open::a", "limits::paths::d"]);
        let groups: Vec<_> = GROUPS.iter().map(|group| group.of(&names)).collect();
        assert_eq!(
            groups,
            [vec!["limits::tasks::c"], vec![], vec!["library::b"]]
        );
    }
}
