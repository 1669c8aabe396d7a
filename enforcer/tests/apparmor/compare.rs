//! One profile of AppArmor's against what came of it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt, fs,
    path::Path,
};

use enforcer::{
    apparmor::{Imported, Made, MadeKind, Policy, Sharing},
    profile::{ABSTRACTIONS, Compiled, FileKind, Pattern, Profile, Rule, compile_alone, format},
};
use enforcer_abi::Access;

use crate::{
    network::{self, Sockets},
    paths::{self, Random},
    rights::FileRule,
};

/// Paths for each profile, at least.
const PATHS: usize = 1000;

/// Paths for each rule, at least.
const PATHS_OF_A_RULE: usize = 4;

/// What came of a comparison.
pub(crate) struct Compared {
    pub(crate) name: String,
    /// Rules about files.
    pub(crate) rules: usize,
    /// Those that come to the same, as is claimed and as all paths show.
    pub(crate) equal: usize,
    pub(crate) paths: usize,
    /// Paths that some rule matches.
    pub(crate) matched: usize,
    pub(crate) sockets: Sockets,
    /// What was claimed and is not so.
    pub(crate) wrong: Vec<String>,
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            rules,
            equal,
            paths,
            matched,
            sockets,
            wrong,
        } = self;
        let percent = percent(*equal, *rules);
        write!(
            f,
            "{name}: {equal} of {rules} rules ({percent}) by {paths} paths, {matched} matched, and \
             {} sockets",
            sockets.compared
        )?;
        if !wrong.is_empty() {
            write!(f, ", {} WRONG", wrong.len())?;
        }
        Ok(())
    }
}

/// `part` of `all` as people read it.
pub(crate) fn percent(part: usize, all: usize) -> String {
    let tenths = (part * 1000).checked_div(all).unwrap_or(1000);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// Which of some patterns of ours match, each by a table of its own.
#[derive(Default)]
struct Tables(HashMap<String, Compiled>);

impl Tables {
    fn matches(&mut self, pattern: &Pattern, path: &[u8]) -> bool {
        if !path.starts_with(pattern.literal_prefix()) {
            return false;
        }
        let table = self.0.entry(pattern.text().to_owned()).or_insert_with(|| {
            let quoted = pattern.text().replace('\'', "''");
            let text =
                format!("name: t\nmode: enforce\npaths: [{{path: '{quoted}', allow: [read]}}]\n");
            let profile = Profile::parse(&text, Path::new("t.yaml"), Path::new("")).unwrap();
            compile_alone(&profile).unwrap()
        });
        table.judge(path).outcome.allow.contains(Access::READ)
    }
}

/// What came of profiles, as files.
pub(crate) struct Written {
    folder: tempfile::TempDir,
}

impl Written {
    /// Writes what came of `all`, as `enforcer import -o` does.
    pub(crate) fn new(all: &[&Imported]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let abstractions = folder.path().join(ABSTRACTIONS);
        fs::create_dir(&abstractions).unwrap();
        let sharing = Sharing::of(all);
        for one in &sharing.abstractions {
            let file = abstractions.join(one.file_name());
            let text = one.yaml().unwrap();
            is_formatted(&text, &file, FileKind::Abstraction, &abstractions);
            fs::write(file, text).unwrap();
        }
        for one in all {
            let file = folder.path().join(one.file_name());
            let text = one.yaml(&sharing).unwrap();
            is_formatted(&text, &file, FileKind::Profile, &abstractions);
            fs::write(file, text).unwrap();
        }
        Self { folder }
    }

    fn load(&self, imported: &Imported) -> Compiled {
        let file = self.folder.path().join(imported.file_name());
        let profile = Profile::load(&file, &self.folder.path().join(ABSTRACTIONS));
        compile_alone(&profile.expect("read what was written")).expect("compile what was written")
    }
}

/// `enforcer fmt` has nothing to change.
fn is_formatted(text: &str, file: &Path, kind: FileKind, abstractions: &Path) {
    assert_eq!(text, format(text, file, kind, abstractions).unwrap());
}

/// Compares a profile with what came of it.
pub(crate) fn compare(policy: &Policy, imported: &Imported, written: &Written) -> Compared {
    let section = &imported.section;
    let rules: Vec<FileRule> = section
        .rules
        .iter()
        .enumerate()
        .filter_map(|(at, rule)| FileRule::new(at, rule, policy, &section.name))
        .collect();
    let profile = loaded(imported);
    let whole = written.load(imported);
    let mut paths = paths(&rules, &imported.name);
    paths.retain(|path| rules.iter().all(|rule| rule.matches(path).is_some()));

    let mut compared = Compared {
        name: imported.name.clone(),
        rules: rules.len(),
        equal: 0,
        paths: paths.len(),
        matched: 0,
        sockets: Sockets::default(),
        wrong: Vec::new(),
    };
    compared.sockets = network::compare(imported, &whole, &mut compared.wrong);
    let matching: Vec<Vec<&FileRule>> = paths
        .iter()
        .map(|path| {
            let matching = rules.iter().filter(|rule| rule.matches(path) == Some(true));
            matching.collect()
        })
        .collect();
    compared.matched = matching.iter().filter(|rules| !rules.is_empty()).count();

    let mut tables = Tables::default();
    for rule in &rules {
        if !imported.is_equal(rule.at) {
            continue;
        }
        let came = imported.made.iter();
        let came = came.filter(|made| made.sources.contains(&rule.at));
        let came: Vec<&Rule> = came.filter_map(|made| rule_of(&profile, made)).collect();
        let wrong = paths.iter().zip(&matching).find_map(|(path, matching)| {
            let differs = differs(rule, path, matching, &came, &mut tables);
            differs.then_some(path)
        });
        match wrong {
            None => compared.equal += 1,
            Some(path) => compared.wrong.push(format!(
                "{}: {} at {}",
                imported.name,
                section.rules[rule.at].text,
                path.escape_ascii()
            )),
        }
    }
    for (path, matching) in paths.iter().zip(&matching) {
        if matching.iter().all(|rule| imported.is_equal(rule.at)) {
            let sum = |which: fn(&FileRule) -> bool| {
                let rules = matching.iter().filter(|rule| which(rule));
                rules.fold(Access::NONE, |all, rule| all | rule.rights)
            };
            let denied = sum(|rule| rule.denies);
            let to_all = sum(|rule| !rule.denies && !rule.owner) & !denied;
            let to_owner = sum(|rule| !rule.denies) & !denied;
            let reach = whole.judge(path).outcome.reach();
            for (who, is_owner, want) in [("all", false, to_all), ("its owner", true, to_owner)] {
                let got = reach.granted(is_owner) & !Access::METADATA;
                if got == want {
                    continue;
                }
                let names = |rights: Access| rights.names().collect::<Vec<_>>().join(",");
                compared.wrong.push(format!(
                    "{}: {} grants {who} {} and not {}",
                    imported.name,
                    path.escape_ascii(),
                    names(got),
                    names(want)
                ));
            }
        }
    }
    compared
}

/// What came of the profile, as it is read again. Its rules are those that were made, in
/// their order.
fn loaded(imported: &Imported) -> Profile {
    let text = imported.yaml(&Sharing::default()).unwrap();
    let file = imported.file_name();
    let profile = Profile::parse(&text, Path::new(&file), Path::new(""))
        .expect("read what came of a profile");
    for made in &imported.made {
        assert!(
            rule_of(&profile, made).is_some(),
            "{file}: {}",
            made.pattern
        );
    }
    profile
}

/// The rule that was read of one that was made.
fn rule_of<'a>(profile: &'a Profile, made: &Made) -> Option<&'a Rule> {
    let is_exec = |rule: &Rule| rule.target.is_some();
    let is_same = |rule: &&Rule| {
        rule.pattern.text() == made.pattern
            && rule.owner == made.owner
            && match &made.kind {
                MadeKind::Allow(rights) => {
                    rule.allow == rights.with_implied() & !Access::METADATA && !is_exec(rule)
                }
                // `all` is written for all that AppArmor knows.
                MadeKind::Deny(rights) => {
                    let more = rule.deny & !*rights;
                    let may_be_more =
                        if rights.contains(Access::READ | Access::WRITE | Access::EXECUTE) {
                            Access::ALL
                        } else {
                            Access::APPEND
                        };
                    rule.deny.contains(*rights) && may_be_more.contains(more)
                }
                MadeKind::Exec(_) => rule.allow.contains(Access::EXECUTE),
            }
    };
    profile.rules.iter().find(is_same)
}

/// Whether a rule says something else about `path` than what came of it.
fn differs(
    rule: &FileRule,
    path: &[u8],
    matching: &[&FileRule],
    came: &[&Rule],
    tables: &mut Tables,
) -> bool {
    let is_meant = matching.iter().any(|other| other.at == rule.at);
    let want = if is_meant { rule.rights } else { Access::NONE };
    let mut got = Access::NONE;
    for ours in came {
        if tables.matches(&ours.pattern, path) {
            got |= if rule.denies { ours.deny } else { ours.allow };
            if ours.owner != rule.owner {
                return true;
            }
        }
    }
    // A rule for the path alone decides where it leads, whatever patterns say.
    let decides = |other: &&&FileRule| other.runs && other.is_exact() && other.at != rule.at;
    // `all` is more than AppArmor's rights are, in what nothing grants on a path.
    let mut ignored = Access::METADATA | Access::BIND;
    if rule.runs && !rule.is_exact() && matching.iter().any(|other| decides(&other)) {
        ignored = ignored | Access::EXECUTE | Access::MAP;
    }
    got & !ignored != want & !ignored
}

/// Paths near those of the rules, the same in each run.
fn paths(rules: &[FileRule], name: &str) -> Vec<Vec<u8>> {
    let seed = name.bytes().fold(7, |seed: u64, byte| {
        seed.wrapping_mul(31).wrapping_add(byte.into())
    });
    let mut random = Random::new(seed);
    let mut paths = HashSet::new();
    let mut ordered = BTreeMap::new();
    let wanted = PATHS.max(rules.len() * PATHS_OF_A_RULE);
    // A rule for one path has only so many near it.
    for turn in 0..wanted * 20 {
        let Some(rule) = rules.get(turn % rules.len().max(1)) else {
            break;
        };
        let flat: Vec<_> = rule.patterns.iter().flat_map(|one| &one.flat).collect();
        let Some(pieces) = flat.get(random.below(flat.len())) else {
            continue;
        };
        if let Some(path) = paths::near(pieces, &mut random)
            && paths.insert(path.clone())
        {
            ordered.insert(paths.len(), path);
            if paths.len() == wanted {
                break;
            }
        }
    }
    ordered.into_values().collect()
}
