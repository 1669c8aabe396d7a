//! A profile on its way: its rules, each with where it comes from.

use std::{os::unix::ffi::OsStrExt as _, path::Path};

use enforcer_abi::Access;

use crate::profile::literal;

/// Stands in a path for what may be any name, as the instance of a unit.
pub(super) const ANY: char = '\u{1}';

/// What the rules are about, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// The program's file.
    Itself,
    /// Libraries.
    Libraries,
    /// What it is told.
    Settings,
    /// What it comes with.
    Data,
    /// What it keeps, and what it writes while it runs.
    State,
    /// What it adds to logs.
    Logs,
}

impl Group {
    /// What is said above its rules.
    pub(super) const fn heading(self) -> &'static str {
        match self {
            Self::Itself => "Itself.",
            Self::Libraries => "Libraries that no abstraction grants.",
            Self::Settings => "Settings.",
            Self::Data => "What it comes with.",
            Self::State => "What it keeps, and what is there while it runs.",
            Self::Logs => "Logs. They are only added to, so that nothing is covered up.",
        }
    }
}

/// How much a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The path alone.
    Path,
    /// The folder and all in it.
    Tree,
    /// All in the folder.
    Beneath,
}

/// A rule on paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) group: Group,
    /// The pattern.
    pub(super) pattern: String,
    pub(super) allow: Access,
    /// Where it comes from.
    pub(super) sources: Vec<String>,
}

/// Something with a name, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) source: String,
}

/// Where a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Among those on paths.
    Paths(usize),
    /// Among those on programs.
    Exec(usize),
}

/// A profile on its way.
#[derive(Debug, Default)]
pub(super) struct Sketch {
    /// Abstractions.
    pub(super) include: Vec<Named>,
    /// Rules on paths.
    pub(super) rules: Vec<Rule>,
    /// Patterns of programs that it may start.
    pub(super) exec: Vec<Named>,
    /// Privileges.
    pub(super) privileges: Vec<Named>,
    /// What is known of its network: rules in YAML.
    pub(super) network: Vec<Named>,
    /// What could not be told, or is for a person to decide.
    pub(super) notes: Vec<String>,
}

impl Sketch {
    /// Adds a rule. What is said twice of a pattern is one rule.
    pub(super) fn rule(
        &mut self,
        group: Group,
        (path, scope): (&Path, Scope),
        allow: Access,
        source: impl Into<String>,
    ) {
        self.pattern(group, pattern(path, scope), allow, source.into());
    }

    /// The same for what is a pattern already.
    pub(super) fn pattern(&mut self, group: Group, pattern: String, allow: Access, source: String) {
        let mut rules = self.rules.iter_mut();
        if let Some(known) = rules.find(|rule| rule.pattern == pattern) {
            known.allow |= allow;
            if !known.sources.contains(&source) {
                known.sources.push(source);
            }
            return;
        }
        self.rules.push(Rule {
            group,
            pattern,
            allow,
            sources: vec![source],
        });
    }

    /// Where the rule on a pattern is, of paths or of programs.
    pub(super) fn position(&self, pattern: &str) -> Option<Place> {
        let rule = self.rules.iter().position(|rule| rule.pattern == pattern);
        let exec = || self.exec.iter().position(|exec| exec.name == pattern);
        rule.map(Place::Paths).or_else(|| exec().map(Place::Exec))
    }

    /// Takes a rule away.
    pub(super) fn remove(&mut self, place: Place) {
        match place {
            Place::Paths(at) => drop(self.rules.remove(at)),
            Place::Exec(at) => drop(self.exec.remove(at)),
        }
    }

    /// Adds a name to a list, once.
    pub(super) fn name(list: &mut Vec<Named>, name: &str, source: impl Into<String>) {
        if list.iter().all(|known| known.name != name) {
            list.push(Named {
                name: name.to_owned(),
                source: source.into(),
            });
        }
    }
}

/// The pattern of a path, whatever letters are in it.
pub(super) fn pattern(path: &Path, scope: Scope) -> String {
    let parts = path
        .as_os_str()
        .as_bytes()
        .split(|&byte| char::from(byte) == ANY);
    let mut pattern = parts.map(literal).collect::<Vec<_>>().join("*");
    pattern.push_str(match scope {
        Scope::Path => "",
        Scope::Tree => "{,/**}",
        Scope::Beneath => "/**",
    });
    pattern
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _, path::Path};

    use super::{Scope, pattern};
    use crate::profile::Pattern;

    #[test]
    fn patterns_match_their_paths() {
        // Columns: what it shows, path, its pattern.
        #[rustfmt::skip]
        let cases: [(&str, &[u8], &str); 5] = [
            ("plain",       b"/usr/bin/x",       "/usr/bin/x"),
            ("a glob",      br"/a*?[b]{c,d}\e",  r"/a\*\?\[b\]\{c,d\}\\e"),
            ("a variable",  b"/a/${b}",          r"/a/$\{b\}"),
            ("no text",     b"/a\xff\n",         r"/a\xff\x0a"),
            ("any name",    b"/run/x-\x01/s",    "/run/x-*/s"),
        ];
        for (name, path, want) in cases {
            let text = pattern(Path::new(OsStr::from_bytes(path)), Scope::Path);
            assert_eq!(text, want, "{name}");
            assert!(Pattern::parse(&text).unwrap().matches(path), "{name}");
        }
        assert_eq!(pattern(Path::new("/a"), Scope::Tree), "/a{,/**}");
        assert_eq!(pattern(Path::new("/a"), Scope::Beneath), "/a/**");
    }
}
