//! What AppArmor's rules about files mean: which paths, and which rights.

use enforcer::apparmor::{ExecTo, Modes, Policy, Rule, RuleKind};
use enforcer_abi::Access;

use crate::aare::Pattern;

/// Numbers that a process may have, whose own folder we know as `/proc/self`.
const OWN: [&[u8]; 4] = [b"/proc/7", b"/proc/23", b"/proc/4711", b"/proc/123456"];

/// A rule about files.
pub(crate) struct FileRule {
    /// Its index among the rules of its section.
    pub(crate) at: usize,
    pub(crate) patterns: Vec<Pattern>,
    /// What it grants or denies.
    pub(crate) rights: Access,
    pub(crate) denies: bool,
    pub(crate) owner: bool,
    /// Whether it says where a program leads.
    pub(crate) runs: bool,
}

impl FileRule {
    /// Reads a rule, if it is about files.
    pub(crate) fn new(at: usize, rule: &Rule, policy: &Policy, profile: &str) -> Option<Self> {
        let (path, modes) = match &rule.kind {
            RuleKind::File { path, modes, .. } => (path, *modes),
            RuleKind::Link { path, .. } => (
                path,
                Modes {
                    link: true,
                    ..Modes::default()
                },
            ),
            RuleKind::Other { .. } => return None,
        };
        let texts = expanded(path, policy, profile);
        Some(Self {
            at,
            patterns: texts.iter().map(|text| Pattern::new(text)).collect(),
            rights: rights(modes, rule.qualifiers.deny),
            denies: rule.qualifiers.deny,
            owner: rule.qualifiers.owner,
            runs: modes.exec.is_some() && !rule.qualifiers.deny,
        })
    }

    /// Whether it is about `path`, as a file or as a folder. That is in our spelling, without
    /// a `/` at its end. `None` if it depends on the number of the process, or is matched as
    /// one by a pattern of all kinds of paths.
    pub(crate) fn matches(&self, path: &[u8]) -> Option<bool> {
        let rest = path.strip_prefix(b"/proc/self");
        let Some(rest) = rest.filter(|rest| rest.is_empty() || rest[0] == b'/') else {
            return Some(self.matches_theirs(path));
        };
        let own = OWN.map(|own| self.matches_theirs(&[own, rest].concat()));
        let is_spelled_out = |pattern: &Pattern| {
            let mut starts = pattern.starts.iter();
            starts.all(|start| start.starts_with(b"/proc/"))
        };
        let is_meant =
            own[0] == self.matches_theirs(path) || self.patterns.iter().all(is_spelled_out);
        (is_meant && own.iter().all(|one| *one == own[0])).then_some(own[0])
    }

    /// Whether it is about `path`, in which processes have numbers.
    fn matches_theirs(&self, path: &[u8]) -> bool {
        let folder = [path, b"/"].concat();
        let matches = |path: &[u8]| self.patterns.iter().any(|pattern| pattern.matches(path));
        matches(path) || path != b"/" && matches(&folder)
    }

    /// Whether it is for single paths, so that it decides alone where they lead.
    pub(crate) fn is_exact(&self) -> bool {
        self.patterns.iter().all(|pattern| pattern.exact)
    }
}

/// The rights of a rule, by `map_old_perms` of the kernel's AppArmor: `w` is also to create,
/// remove, and change mode and owner, and to connect to a socket. An exec is with us to map
/// the program, too.
fn rights(modes: Modes, denies: bool) -> Access {
    let mut all = Access::NONE;
    if modes.read {
        all |= Access::READ;
    }
    if modes.write {
        all |= Access::WRITE | Access::APPEND | Access::CREATE | Access::REMOVE;
        all |= Access::ATTRIBUTES | Access::CONNECT;
    }
    if modes.append {
        all |= Access::APPEND;
    }
    if modes.map {
        all |= Access::MAP;
    }
    if let Some(exec) = modes.exec {
        all |= Access::EXECUTE;
        if !denies {
            assert!(exec.to != ExecTo::Unsaid, "only a deny may leave it unsaid");
            all |= Access::MAP;
        }
    }
    all
}

/// The texts that `text` stands for, with each value of its variables.
pub(crate) fn expanded(text: &str, policy: &Policy, profile: &str) -> Vec<String> {
    let Some(start) = text.find("@{") else {
        let mut single = text.to_owned();
        while single.contains("//") {
            single = single.replace("//", "/");
        }
        return vec![single];
    };
    let end = start + text[start..].find('}').unwrap();
    let name = &text[start + 2..end];
    let own = [profile.to_owned()];
    let values = policy
        .variables
        .get(name)
        .map_or(own.as_slice(), Vec::as_slice);
    values
        .iter()
        .flat_map(|value| {
            let text = format!("{}{value}{}", &text[..start], &text[end + 1..]);
            expanded(&text, policy, profile)
        })
        .collect()
}
