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
        tests: &[
            "limits::contained::",
            "limits::profiles::",
            "limits::tasks::",
        ],
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

/// Guests for the tests that run on every kernel. Each has as many of the machine's
/// processors as two can use.
const PARTS: usize = 2;
/// As few tests that it does not pay to start another guest for them.
const FEW: usize = 24;

/// Returns the tests for each guest; those of a module stay together.
pub(super) fn parts<'a>(names: &[&'a str]) -> Vec<Vec<&'a str>> {
    let count = if names.len() > FEW { PARTS } else { 1 };
    let mut parts = vec![Vec::new(); count];
    let module = |name: &str| name.split("::").next().map(str::to_owned);
    for together in names.chunk_by(|one, next| module(one) == module(next)) {
        if let Some(least) = parts.iter_mut().min_by_key(|part| part.len()) {
            least.extend_from_slice(together);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_stay_together_in_parts_of_a_size() {
        assert_eq!(parts(&["a::x", "b::y"]), [vec!["a::x", "b::y"]]);
        let names: Vec<String> = (0..40).map(|at| format!("m{}::t{at}", at / 8)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let parts = parts(&names);
        let sizes: Vec<usize> = parts.iter().map(Vec::len).collect();
        assert_eq!(sizes, [24, 16]);
        let modules = |part: &[&str]| -> Vec<String> {
            let mut modules: Vec<_> = part.iter().map(|name| name[..2].to_owned()).collect();
            modules.dedup();
            modules
        };
        assert_eq!(modules(&parts[0]), ["m0", "m2", "m4"]);
        assert_eq!(modules(&parts[1]), ["m1", "m3"]);
    }

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
