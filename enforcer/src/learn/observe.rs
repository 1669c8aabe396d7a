//! What was seen of a program, and what is known of each object then.

use std::collections::{BTreeMap, BTreeSet};

use enforcer_abi::{Access, Operation, Privilege};

use super::abstractions::{grants, missing};
use crate::profile::{Compiled, NetworkObject, Profile};

/// An access of a program that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What it was about.
    pub object: Object,
    /// What was done.
    pub operation: Operation,
    /// The rights that it needed.
    pub access: Access,
    /// Whether the object is a folder, if that is known.
    pub is_folder: Option<bool>,
    /// Whether it belonged to the task's user or was new, if that is known.
    pub is_own: Option<bool>,
    /// At the new name of a rename or a link: the old one. The old name of a rename is an
    /// observation of its own.
    pub from: Option<Vec<u8>>,
    /// The program that did it.
    pub program: Vec<u8>,
    /// The process with all its descendants to which the task belongs.
    pub lineage: u64,
}

/// What an access is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A path as the kernel has it: from the root, without symbolic links.
    Path(Vec<u8>),
    /// A socket, or what it reaches.
    Network(NetworkObject),
    /// What no path speaks of.
    Privilege(Privilege),
}

/// What is known of a path.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The rights that were used, and those that follow from them ([`Gathered::settle`]).
    pub(super) access: Access,
    /// Whether it always belonged to the task's user.
    pub(super) is_own: bool,
    pub(super) is_folder: bool,
    /// Whether the program made it and wrote to it.
    pub(super) is_made: bool,
    /// Whether the program made its name, and took it away.
    pub(super) is_new: bool,
    pub(super) is_gone: bool,
}

impl Seen {
    /// Takes what was seen of another of its kind.
    pub(super) fn merge(&mut self, other: &Self) {
        self.access |= other.access;
        self.is_own &= other.is_own;
        self.is_folder |= other.is_folder;
        self.is_made |= other.is_made;
        self.is_new |= other.is_new;
        self.is_gone |= other.is_gone;
    }
}

/// All that was seen, one entry an object.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    pub(super) paths: BTreeMap<Vec<u8>, Seen>,
    /// By the names that tables judge.
    pub(super) networks: BTreeMap<Vec<u8>, (NetworkObject, Access)>,
    pub(super) privileges: BTreeSet<Privilege>,
    /// Renames and links: the old name, the new one.
    pub(super) moves: BTreeSet<[Vec<u8>; 2]>,
    /// How many observations these are.
    pub(super) count: usize,
}

/// Sorts observations: those to learn from, and those of the lineages that are left out.
pub(super) fn gather(
    observations: &[Observation],
    left_out: &BTreeSet<u64>,
) -> (Gathered, Gathered) {
    let [mut kept, mut out] = [Gathered::default(), Gathered::default()];
    for seen in observations {
        if left_out.contains(&seen.lineage) {
            out.add(seen);
        } else {
            kept.add(seen);
        }
    }
    kept.settle();
    (kept, out)
}

impl Gathered {
    /// Leaves what a profile does not grant: of objects that it grants in part, the rest.
    pub(super) fn without_granted(&mut self, compiled: &Compiled, profile: &Profile) {
        self.paths.retain(|path, seen| {
            seen.access = missing(compiled, path, seen.access, seen.is_own);
            !seen.access.is_empty()
        });
        self.networks.retain(|name, (_, access)| {
            *access = missing(compiled, name, *access, false);
            !access.is_empty()
        });
        self.privileges
            .retain(|privilege| !profile.privileges.contains(*privilege));
    }

    /// The objects that a profile does not grant.
    pub(super) fn not_granted(&self, compiled: &Compiled) -> Vec<Vec<u8>> {
        let paths = self
            .paths
            .iter()
            .filter(|(path, seen)| !grants(compiled, path, seen.access, seen.is_own));
        let networks = self
            .networks
            .iter()
            .filter(|(name, (_, access))| !grants(compiled, name, *access, false));
        let names = paths
            .map(|(name, _)| name)
            .chain(networks.map(|(name, _)| name));
        names.cloned().collect()
    }

    fn add(&mut self, observation: &Observation) {
        self.count += 1;
        match &observation.object {
            Object::Path(path) => self.add_path(path, observation),
            Object::Network(object) => {
                let known = self.networks.entry(object.name());
                known.or_insert((*object, Access::NONE)).1 |= observation.access;
            }
            Object::Privilege(privilege) => {
                self.privileges.insert(*privilege);
            }
        }
    }

    fn add_path(&mut self, path: &[u8], observation: &Observation) {
        let Observation {
            operation,
            access,
            is_folder,
            is_own,
            from,
            ..
        } = observation;
        // It is granted on every path.
        let access = *access & Access::ON_PATHS & !Access::METADATA;
        if access.is_empty() || !path.starts_with(b"/") {
            return;
        }
        let seen = self.paths.entry(path.to_owned()).or_insert(Seen {
            is_own: true,
            ..Seen::default()
        });
        seen.access |= access;
        seen.is_own &= *is_own == Some(true);
        seen.is_new |= access.contains(Access::CREATE);
        seen.is_gone |= access.contains(Access::REMOVE);
        let makes_folder = matches!(operation, Operation::Mkdir | Operation::Rmdir);
        seen.is_folder |= *is_folder == Some(true) || makes_folder;
        // A socket or a link is made without being written to.
        let opens = matches!(operation, Operation::Open | Operation::Create);
        seen.is_made |= opens && access.contains(Access::CREATE) && !seen.is_folder;
        if let Some(from) = from {
            self.moves.insert([from.clone(), path.to_owned()]);
        }
    }

    /// Adds what the program will need another day of what it made today. It may read back
    /// what it wrote to, write it anew and take it away; what it only added to, it may make
    /// where it is not there, and no more: so logs stay as they are.
    fn settle(&mut self) {
        for seen in self.paths.values_mut() {
            let Seen {
                access, is_made, ..
            } = seen;
            *is_made &= access.contains(Access::WRITE);
            // It is made anew: nothing else explains both.
            *is_made |= access.contains(Access::WRITE | Access::REMOVE) && !seen.is_folder;
        }
        // What is moved stays what it is. A chain of moves takes a round for each.
        loop {
            let moved = self.moves.iter().filter(|[from, to]| {
                let is_made = |path| self.paths.get(path).is_some_and(|seen| seen.is_made);
                let is_rename = self.paths.get(from).is_some_and(|seen| seen.is_gone);
                is_rename && is_made(from) && !is_made(to)
            });
            let moved: Vec<Vec<u8>> = moved.map(|[_, to]| to.clone()).collect();
            let mut changed = false;
            for to in moved {
                if let Some(seen) = self.paths.get_mut(&to) {
                    seen.is_made = true;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        for seen in self.paths.values_mut() {
            if seen.is_made {
                seen.access |= Access::READ | Access::WRITE | Access::CREATE | Access::REMOVE;
            } else if seen.access.contains(Access::APPEND) {
                seen.access |= Access::CREATE;
            }
            seen.access = seen.access.with_implied() & !Access::METADATA;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use enforcer_abi::{Access, Operation};

    use super::{Object, Observation, gather};
    use crate::learn::tests::observed;

    #[test]
    fn what_follows_from_what_was_seen() {
        let all = Access::READ | Access::WRITE | Access::APPEND | Access::CREATE | Access::REMOVE;
        // Columns: what it shows, lines, path, rights.
        #[rustfmt::skip]
        let cases = [
            ("read",                  "open read /a",                             "/a", Access::READ),
            ("made",                  "open create,write /a",                     "/a", all),
            ("written",               "open write /a",                            "/a", Access::WRITE | Access::APPEND),
            ("written and removed",   "open write /a\nunlink remove /a",          "/a", all),
            ("a log",                 "open append /a",                           "/a", Access::APPEND | Access::CREATE),
            ("a log that is rotated", "open append /a\nrename remove /a\nrename create /b <- /a", "/b", Access::CREATE),
            ("moved",                 "open create,write /a\nrename remove /a\nrename create /b <- /a", "/b", all),
            ("moved twice",           "open create,write /c\nrename remove /c\nrename create,remove /b <- /c\nrename create /a <- /b", "/a", all),
            ("linked",                "open create,write /a\nlink create /b <- /a", "/b", all & Access::CREATE),
            ("a socket",              "socket create /a",                         "/a", Access::CREATE),
            ("a folder",              "mkdir create /a",                          "/a", Access::CREATE),
            ("looked at",             "open read /a\nstat metadata /a",           "/a", Access::READ),
        ];
        for (name, lines, path, want) in cases {
            let (kept, _) = gather(&observed(lines), &BTreeSet::new());
            let got = kept.paths.get(path.as_bytes()).unwrap();
            assert_eq!(got.access, want, "{name}");
        }
    }

    #[test]
    fn lineages_are_told_apart() {
        let seen = |lineage, path: &str| Observation {
            object: Object::Path(path.into()),
            operation: Operation::Open,
            access: Access::READ,
            is_folder: None,
            is_own: None,
            from: None,
            program: Vec::new(),
            lineage,
        };
        let all = [seen(1, "/a"), seen(2, "/b"), seen(2, "/a")];
        let (kept, out) = gather(&all, &BTreeSet::from([2]));
        assert_eq!((kept.count, out.count), (1, 2));
        assert!(!kept.paths.contains_key(&b"/b"[..]));
    }
}
