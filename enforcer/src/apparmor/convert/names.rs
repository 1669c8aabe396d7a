//! Names of profiles: AppArmor's may be paths, ours are stems of files.

use std::collections::{BTreeMap, BTreeSet};

/// Longest name of ours, in bytes.
const LENGTH: usize = 64;

/// Our names for AppArmor's, each its own.
#[derive(Default)]
pub(in crate::apparmor) struct Names {
    given: BTreeMap<String, String>,
    taken: BTreeSet<String>,
}

impl Names {
    /// Our name for AppArmor's `name`, the same each time.
    pub(in crate::apparmor) fn give(&mut self, name: &str) -> String {
        if let Some(given) = self.given.get(name) {
            return given.clone();
        }
        let plain = plain(name);
        let mut given = plain.clone();
        let mut number = 1_u32;
        while !self.taken.insert(given.clone()) {
            number += 1;
            let end = format!("-{number}");
            let start: String = plain.chars().take(LENGTH - end.len()).collect();
            given = start + &end;
        }
        self.given.insert(name.to_owned(), given.clone());
        given
    }
}

/// A name in letters of ours: `/{usr/,}sbin/Foo//bar` is `usr.sbin.foo.bar`.
pub(in crate::apparmor) fn plain(name: &str) -> String {
    let mut plain = String::new();
    for c in name.chars() {
        let c = match c.to_ascii_lowercase() {
            '{' | '}' | ',' | '@' => continue,
            '/' => '.',
            c if c.is_ascii_alphanumeric() || "_.-".contains(c) => c,
            _ => '-',
        };
        if c != '.' || !plain.ends_with('.') {
            plain.push(c);
        }
    }
    let trimmed = plain.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let cut: String = trimmed.chars().take(LENGTH).collect();
    let cut = cut.trim_end_matches('.');
    if cut.is_empty() {
        "profile".to_owned()
    } else {
        cut.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names() {
        let mut names = Names::default();
        let long = format!("/{}", "a".repeat(80));
        let cut = "a".repeat(64);
        #[rustfmt::skip]
        let cases = [
            ("a path",      "/usr/sbin/tcpdump",       "usr.sbin.tcpdump"),
            ("braces",      "/{usr/,}bin/ping",        "usr.bin.ping"),
            ("a name",      "Xorg",                    "xorg"),
            ("a child",     "/usr/bin/man//man_groff", "usr.bin.man.man_groff"),
            ("stars",       "/usr/lib/*/x y",          "usr.lib.-.x-y"),
            ("the same",    "/usr/sbin/tcpdump",       "usr.sbin.tcpdump"),
            ("another",     "/usr/sbin/TCPdump",       "usr.sbin.tcpdump-2"),
            ("long",        &long,                     &cut),
            ("nothing",     "/",                       "profile"),
        ];
        for (name, text, want) in cases {
            assert_eq!(names.give(text), want, "{name}");
        }
    }
}
