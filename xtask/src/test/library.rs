//! The guest with the programs that profiles are shipped for.

/// The tests of the profiles that are shipped, each with its program.
pub(super) const TESTS: &str = "library::";

/// The kernel of the guest.
pub(super) const KERNEL: &str = "6.12";

/// Memory of the guest, in MiB: while it boots, the packages are in it twice.
pub(super) const MEMORY: u64 = 3072;

/// The packages that have the programs.
#[rustfmt::skip]
pub(super) const PACKAGES: [&str; 22] = [
    "bash", "coreutils", "cron", "debianutils", "dnsmasq-base", "git", "grep", "haproxy",
    "libc6-dev", "make", "memcached", "nginx-light", "openssh-client", "openssh-server",
    "openssl", "postgresql-15", "python3", "redis-server", "rsyslog", "sed", "tcc", "util-linux",
];

/// Which of these tests are asked for, as words for the harness: all, if no test is named.
pub(super) fn asked(filters: &[String]) -> Vec<String> {
    if filters.is_empty() {
        return vec![TESTS.to_owned()];
    }
    let ours = filters
        .iter()
        .filter(|filter| filter.starts_with("library"));
    ours.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::asked;

    #[test]
    fn tests_are_asked_for_by_name() {
        // Columns: the filters, what is asked for.
        #[rustfmt::skip]
        let cases: [(&[&str], &[&str]); 4] = [
            (&[],                         &["library::"]),
            (&["library"],                &["library"]),
            (&["open", "library::redis"], &["library::redis"]),
            (&["open"],                   &[]),
        ];
        for (filters, want) in cases {
            let words: Vec<_> = filters.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(asked(&words), want, "{filters:?}");
        }
    }
}
