//! From the tree to rules: when many objects of a folder become one pattern.
//!
//! Going down from the root, in each folder that may be taken as a whole ([`places`]) and is
//! none of the kernel's:
//!
//! 1. a folder that the program made, with what it made in it: `FOLDER{,/**}`;
//! 2. many files in several folders that it changes: `FOLDER{,/**}`;
//! 3. files that it made: `FOLDER/*.END`, or `FOLDER/*` if their ends differ;
//! 4. many files in several folders that it reads: `FOLDER{,/**}`;
//! 5. files that it reads in a folder that it lists, or many: `FOLDER/*`.
//!
//! It is the lowest folder that has all of them. What is run, mapped or connected to is never
//! in such a pattern, and none lets be changed what the program only adds to.

use std::collections::BTreeMap;

use enforcer_abi::Access;

use super::{
    Existing, Thresholds,
    observe::Seen,
    places::{Zone, fixed_names, is_temporary, may_be_taken, zone},
    shapes::Kind,
    tree::{CODE, Node, Taken},
};
use crate::{draft::ENTRIES, profile::literal};

/// A rule on paths.
#[derive(Clone, Debug)]
pub(super) struct PathRule {
    /// The pattern of the folder; nothing: the root.
    pub(super) folder: String,
    /// The pattern of the names in it, with what is beneath or not.
    pub(super) name: String,
    pub(super) allow: Access,
    pub(super) is_owner: bool,
    /// Why it is about more than what was seen.
    pub(super) why: Vec<Why>,
    /// The objects for which it is there.
    pub(super) paths: Vec<Vec<u8>>,
}

/// Why a rule is about more than what was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// Parts of names are volatile.
    Volatile(Kind),
    /// The program made the folder.
    MadeFolder,
    /// And nothing is beside that folder that others made.
    MadeAll,
    /// It changes many files.
    Changes,
    /// It makes many files.
    Makes,
    /// It reads many files.
    Reads,
    /// It lists the folder.
    Lists,
}

/// Rights to change something.
const CHANGES: Access = Access(
    Access::WRITE.0 | Access::APPEND.0 | Access::CREATE.0 | Access::REMOVE.0 | Access::ATTRIBUTES.0,
);

/// Fewest names of a folder that is taken as a whole, to be changed and to be read.
const NAMES_TO_CHANGE: usize = 3;
const NAMES_TO_READ: usize = 2;

impl PathRule {
    /// Its pattern.
    pub(super) fn pattern(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }
}

/// Makes rules of all that is in a tree.
pub(super) fn rules(
    mut tree: Node,
    thresholds: &Thresholds,
    existing: &dyn Existing,
) -> Vec<PathRule> {
    let mut fold = Fold {
        thresholds,
        existing,
        rules: Vec::new(),
    };
    let root = tree.take_own(&|_| true);
    fold.rule(["", ""], root, &[]);
    fold.folder("", "", &mut tree, &[]);
    merged(fold.rules)
}

struct Fold<'a> {
    thresholds: &'a Thresholds,
    existing: &'a dyn Existing,
    rules: Vec<PathRule>,
}

impl Fold<'_> {
    /// What is in the folder `name` of the folder `above`, in whose path `kinds` are volatile.
    fn folder(&mut self, above: &str, name: &str, node: &mut Node, kinds: &[Kind]) {
        let at = if name.is_empty() {
            String::new()
        } else {
            format!("{above}/{name}")
        };
        if may_be_taken(&at) && zone(&at) != Zone::Kernel {
            self.tree(above, name, node, &at);
            self.made(&at, node);
            self.read(above, name, node, &at);
        }
        let is_alone = self.is_alone(&at, node);
        for (name, child) in &mut node.children {
            let kinds = [kinds, &child.kinds].concat();
            if self.made_folder(&at, name, child, &kinds, is_alone) {
                continue;
            }
            self.folder(&at, name, child, &kinds);
            let own = child.take_own(&|_| true);
            let why: Vec<Why> = kinds.iter().map(|&kind| Why::Volatile(kind)).collect();
            self.rule([&at, name], own, &why);
        }
    }

    /// A folder that the program made, with what it made in it.
    fn made_folder(
        &mut self,
        above: &str,
        name: &str,
        node: &mut Node,
        kinds: &[Kind],
        is_alone: bool,
    ) -> bool {
        let is_new = |seen: &Seen| seen.is_new && !is_linked(seen);
        let is_made = node.seen.as_ref().is_some_and(|seen| seen.is_new)
            && node.count(&is_new) >= self.thresholds.made_in_folder;
        let at = format!("{above}/{name}");
        if !is_made || !may_be_taken(&at) || zone(&at) != Zone::Data {
            return false;
        }
        let mut why: Vec<Why> = kinds.iter().map(|&kind| Why::Volatile(kind)).collect();
        why.push(Why::MadeFolder);
        let mut taken = node.take_own(&|_| true);
        taken.add(node.take(&|seen| !is_linked(seen)));
        let name = if is_alone {
            why.push(Why::MadeAll);
            "*"
        } else {
            name
        };
        self.rule([above, &format!("{name}{{,/**}}")], taken, &why);
        // What is run in it has rules of its own.
        self.folder(above, name, node, kinds);
        true
    }

    /// Whether nothing is in a folder but folders that the program made there.
    fn is_alone(&self, at: &str, node: &Node) -> bool {
        let is_plain = !at.contains(['*', '?', '[', '{', '\\']);
        let is_made = |name: &[u8]| node.children.contains_key(&literal(name));
        let is_made_folder = |child: &Node| {
            child.seen.as_ref().is_some_and(|seen| seen.is_new) && !child.children.is_empty()
        };
        is_plain
            && may_be_taken(at)
            && zone(at) == Zone::Data
            && fixed_names(at) >= NAMES_TO_READ
            && !node.children.is_empty()
            && node.children.values().all(is_made_folder)
            && self.existing.names(at.as_bytes()).is_some_and(|names| {
                names.len() <= ENTRIES && names.iter().all(|entry| is_made(&entry.name))
            })
    }

    /// Many files in several folders that it changes.
    fn tree(&mut self, above: &str, name: &str, node: &mut Node, at: &str) {
        let changes = |seen: &Seen| is_changed(seen) && !is_linked(seen) && !seen.is_folder;
        let is_many = node.count(&changes) >= self.thresholds.changed_in_tree;
        let may = zone(at) == Zone::Data && fixed_names(at) >= NAMES_TO_CHANGE;
        if !may || !is_many || node.places(&changes) < 2 || node.count(&is_log) > 0 {
            return;
        }
        let may_take = |seen: &Seen| !is_linked(seen);
        let mut taken = node.take(&may_take);
        taken.add(node.take_own(&may_take));
        self.rule([above, &format!("{name}{{,/**}}")], taken, &[Why::Changes]);
    }

    /// Files that it made in a folder.
    fn made(&mut self, at: &str, node: &mut Node) {
        if zone(at) != Zone::Data || fixed_names(at) < NAMES_TO_READ {
            return;
        }
        let is_made = |child: &Node| {
            let is = child.seen.as_ref().is_some_and(|seen| seen.is_made);
            is && child.kinds.is_empty() && child.children.is_empty()
        };
        let mut by_end: BTreeMap<Option<String>, Vec<String>> = BTreeMap::new();
        for (name, _) in node.children.iter().filter(|(_, child)| is_made(child)) {
            let end = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
            let end = end.map(|(_, end)| end.to_owned());
            by_end.entry(end).or_default().push(name.clone());
        }
        let all: usize = by_end.values().map(Vec::len).sum();
        let logs = node
            .children
            .values()
            .any(|child| child.seen.as_ref().is_some_and(is_log));
        let Thresholds {
            made_alike, made, ..
        } = *self.thresholds;
        if all >= made && by_end.len() > 1 && !logs {
            let names: Vec<String> = by_end.into_values().flatten().collect();
            let taken = take_named(node, &names);
            self.rule([at, "*"], taken, &[Why::Makes]);
            return;
        }
        for (end, names) in by_end {
            if let Some(end) = end
                && names.len() >= made_alike
            {
                let taken = take_named(node, &names);
                self.rule([at, &format!("*.{end}")], taken, &[Why::Makes]);
            }
        }
    }

    /// Files that it reads.
    fn read(&mut self, above: &str, name: &str, node: &mut Node, at: &str) {
        let Thresholds {
            read_in_tree,
            read_in_folder,
            ..
        } = *self.thresholds;
        let [tree, folder] = match zone(at) {
            Zone::Data => [read_in_tree.data, read_in_folder.data],
            Zone::System | Zone::Kernel => [read_in_tree.system, read_in_folder.system],
        };
        if fixed_names(at) < NAMES_TO_READ {
            return;
        }
        let files = |seen: &Seen| seen.access == Access::READ && !seen.is_folder;
        if node.count(&files) >= tree && node.places(&files) >= 2 {
            let reads = |seen: &Seen| seen.access == Access::READ;
            let mut taken = node.take(&reads);
            taken.add(node.take_own(&reads));
            self.rule([above, &format!("{name}{{,/**}}")], taken, &[Why::Reads]);
            return;
        }
        let is_file =
            |child: &Node| child.children.is_empty() && child.seen.as_ref().is_some_and(files);
        let children = node.children.iter().filter(|(_, child)| is_file(child));
        let names: Vec<String> = children.map(|(name, _)| name.clone()).collect();
        let count = names.len();
        let is_listed = node
            .seen
            .as_ref()
            .is_some_and(|seen| seen.access == Access::READ);
        if count == 0 || count < folder && !is_listed {
            return;
        }
        let mut taken = take_named(node, &names);
        if is_listed {
            taken.add(node.take_own(&|_| true));
            self.rule([above, &format!("{name}{{,/*}}")], taken, &[Why::Lists]);
        } else {
            self.rule([at, "*"], taken, &[Why::Reads]);
        }
    }

    fn rule(&mut self, [folder, name]: [&str; 2], taken: Taken, why: &[Why]) {
        let Taken {
            seen: Some(seen),
            paths,
        } = taken
        else {
            return;
        };
        let of_owner = seen.is_own && is_temporary(folder);
        self.rules.push(PathRule {
            folder: folder.to_owned(),
            name: name.to_owned(),
            allow: seen.access,
            is_owner: of_owner,
            why: why.to_vec(),
            paths,
        });
    }
}

/// Takes away what was seen of these names in a folder.
fn take_named(node: &mut Node, names: &[String]) -> Taken {
    let mut taken = Taken::default();
    for name in names {
        if let Some(child) = node.children.get_mut(name) {
            taken.add(child.take_own(&|_| true));
        }
    }
    taken
}

fn is_changed(seen: &Seen) -> bool {
    !(seen.access & CHANGES).is_empty()
}

/// Whether it is run, mapped or connected to.
fn is_linked(seen: &Seen) -> bool {
    !(seen.access & (CODE | Access::CONNECT)).is_empty()
}

/// Whether it is only added to.
fn is_log(seen: &Seen) -> bool {
    seen.access.contains(Access::APPEND) && !seen.access.contains(Access::WRITE)
}

/// One rule for each pattern and owner.
fn merged(rules: Vec<PathRule>) -> Vec<PathRule> {
    let mut all: BTreeMap<(String, String, bool), PathRule> = BTreeMap::new();
    for rule in rules {
        let key = (rule.folder.clone(), rule.name.clone(), rule.is_owner);
        match all.get_mut(&key) {
            Some(known) => {
                known.allow |= rule.allow;
                known.why.extend(rule.why);
                known.paths.extend(rule.paths);
            }
            None => {
                all.insert(key, rule);
            }
        }
    }
    let mut all: Vec<PathRule> = all.into_values().collect();
    for rule in &mut all {
        rule.why.sort();
        rule.why.dedup();
        rule.paths.sort();
        rule.paths.dedup();
    }
    all
}
