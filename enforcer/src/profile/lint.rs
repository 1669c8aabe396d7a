//! What a profile says that its author may not have meant. It is valid all the same.

use std::{collections::HashSet, fmt};

use enforcer_abi::Access;

use super::{
    CompileError, DEFAULT_DIR, Ends, Escaped, Origin, Profile, Rule, Telling,
    automaton::{Automaton, DEAD},
    compile, ends, walk,
    work::{Exhausted, Work},
};

mod programs;

/// Steps for a look at a rule.
const RULE: u64 = 6;

/// Something that may not have been meant.
///
/// Shown as `FILE:LINE:COL: warning: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub origin: Origin,
    /// What.
    pub lint: Lint,
}

/// What may not have been meant.
#[derive(Clone, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum Lint {
    /// Other rules grant all that the rule grants.
    Shadowed {
        /// One of them.
        by: Origin,
    },
    /// All that the rule grants is denied.
    Denied {
        /// By this rule, among others.
        by: Origin,
    },
    /// The rule ended.
    Ended {
        /// When, and for how long each had it.
        ends: Ends,
    },
    /// The rule is about every path.
    Everything,
    /// What it lets be written can be run, too.
    WriteAndExecute {
        /// Such a path.
        example: Vec<u8>,
    },
    /// It lets the program be changed that the profile confines.
    OwnProgram {
        /// The program.
        program: Vec<u8>,
    },
    /// It lets the profile itself be changed.
    OwnProfile {
        /// Where it is on a host.
        file: String,
    },
    /// The file would be a profile or an abstraction by another name.
    MisnamedFile,
    /// The folder has no profiles.
    NoProfiles,
}

/// Rights by which something becomes another.
const CHANGES: Access =
    Access(Access::WRITE.0 | Access::APPEND.0 | Access::CREATE.0 | Access::REMOVE.0);

/// Paths that match the same rules of a profile.
struct Kind<'a> {
    /// The rules.
    set: &'a [usize],
    /// A shortest path.
    example: Vec<u8>,
    /// The rights that are granted, if only on what belongs to the task's user.
    granted: Access,
    /// Those that rules allow to anybody, and those that they allow to owners at least, for
    /// ever.
    anybody: Allowed,
    owners: Allowed,
}

/// Rights that some rules allow.
#[derive(Clone, Copy, Default)]
struct Allowed {
    /// Those that a rule does.
    once: Access,
    /// Those that two do.
    twice: Access,
}

impl Allowed {
    fn add(&mut self, rights: Access) {
        self.twice |= self.once & rights;
        self.once |= rights;
    }
}

impl<'a> Kind<'a> {
    fn new(profile: &Profile, set: &'a [usize], example: Vec<u8>) -> Self {
        let mut kind = Self {
            granted: compile::granted(profile, set).all(),
            set,
            example,
            anybody: Allowed::default(),
            owners: Allowed::default(),
        };
        let rules = profile.rules_at(set);
        for rule in rules.filter(|rule| rule.ends.is_never()) {
            kind.owners.add(rule.allow);
            if !rule.owner {
                kind.anybody.add(rule.allow);
            }
        }
        kind
    }

    /// The rights that other rules allow for ever to all to whom `rule` does, which is among
    /// them.
    fn by_others(&self, rule: &Rule) -> Access {
        let Allowed { once, twice } = if rule.owner {
            self.owners
        } else {
            self.anybody
        };
        if rule.ends.is_never() {
            twice | once & !rule.allow
        } else {
            once
        }
    }
}

/// What a profile says that may not have been meant, in the order of the file.
///
/// # Errors
///
/// If the profile has no automaton.
pub fn lint(profile: &Profile) -> Result<Vec<Warning>, CompileError> {
    let mut work = Work::of(profile);
    let granting = compile::automaton(profile, &mut work)?;
    warnings(profile, &granting, &mut work)
}

/// As [`lint`], of a profile whose automaton that is.
///
/// # Errors
///
/// If that is too much work.
pub(super) fn warnings(
    profile: &Profile,
    granting: &Automaton,
    work: &mut Work,
) -> Result<Vec<Warning>, CompileError> {
    let no_work = |Exhausted| compile::too_large(profile);
    let kinds = kinds(profile, granting, work).map_err(no_work)?;
    let mut of_rules: Vec<Vec<&Kind<'_>>> = vec![Vec::new(); profile.rules.len()];
    for kind in &kinds {
        for &at in kind.set {
            if let Some(kinds) = of_rules.get_mut(at) {
                kinds.push(kind);
            }
        }
    }
    let mut warnings = Vec::new();
    let now = ends::now();
    for ((at, rule), kinds) in profile.rules.iter().enumerate().zip(&of_rules) {
        // A deny is often there just in case.
        if rule.allow.is_empty() {
            continue;
        }
        if rule.ends.has_ended(now) {
            warnings.push(warning(rule, Lint::Ended { ends: rule.ends }));
            continue;
        }
        let lint = superfluous(profile, at, kinds, work).map_err(no_work)?;
        let lint = lint.or_else(|| everything(rule));
        warnings.extend(lint.map(|lint| warning(rule, lint)));
    }
    warnings.extend(runs_what_it_writes(profile, &kinds));
    warnings.extend(programs::changed(profile, granting, work)?);
    warnings.extend(changes_itself(profile, granting));
    warnings.sort_by(|one, other| one.origin.cmp(&other.origin));
    Ok(warnings)
}

fn warning(rule: &Rule, lint: Lint) -> Warning {
    Warning {
        origin: rule.origin.clone(),
        lint,
    }
}

/// The kinds of paths that a profile tells apart.
fn kinds<'a>(
    profile: &Profile,
    granting: &'a Automaton,
    work: &mut Work,
) -> Result<Vec<Kind<'a>>, Exhausted> {
    let mut kinds: Vec<Kind<'_>> = Vec::new();
    // No path matches the rules of the set 0: there are none.
    let mut seen = HashSet::from([0]);
    // What is dead stays dead, and matches nothing.
    let is_alive = |(state, _)| state != DEAD;
    walk::all(
        [granting; 2],
        work,
        is_alive,
        |(state, _), example, work| {
            if seen.insert(granting.set_number(state)) {
                let set = granting.set(state);
                // Here, and by rules.
                work.take(set.len(), 2 * RULE)?;
                let example = example();
                work.take(example.len(), walk::TOLD)?;
                kinds.push(Kind::new(profile, set, example));
            }
            Ok(())
        },
    )?;
    Ok(kinds)
}

/// The rules of a kind.
fn rules<'a>(profile: &'a Profile, kind: &Kind<'a>) -> impl Iterator<Item = (usize, &'a Rule)> {
    let rules = kind.set.iter();
    rules.filter_map(|&at| Some((at, profile.rules.get(at)?)))
}

/// Whether the rule at an index, which these kinds match, grants nothing that others do
/// not.
fn superfluous(
    profile: &Profile,
    at: usize,
    kinds: &[&Kind<'_>],
    work: &mut Work,
) -> Result<Option<Lint>, Exhausted> {
    // That of an abstraction is there for other profiles, too.
    let own = |rule: &&Rule| *rule.origin.file == *profile.source;
    let Some(rule) = profile.rules.get(at).filter(own) else {
        return Ok(None);
    };
    work.take(kinds.len(), RULE)?;
    let needed = |kind: &&&Kind<'_>| {
        let granted = rule.allow & kind.granted;
        !granted.missing_from(kind.by_others(rule)).is_empty()
    };
    if kinds.iter().any(|kind| needed(&kind)) {
        return Ok(None);
    }
    // There may be some that cover nothing of it before the one that does.
    let others = kinds.iter().map(|kind| kind.set.len()).sum();
    work.take(others, RULE)?;
    work.take(profile.rules.len(), RULE)?;
    // What is told of its use is there for that.
    let is_told = rule.telling == Telling::Audit;
    let covers = |other: &Rule| {
        let to_all = (rule.owner || !other.owner) && other.ends.is_never();
        to_all && !(other.allow & rule.allow).is_empty()
    };
    let mut shadows = kinds
        .iter()
        .filter_map(|kind| rules(profile, kind).find(|&(other, rule)| other != at && covers(rule)));
    if let Some((_, by)) = shadows.next() {
        let by = by.origin.clone();
        return Ok((!is_told).then_some(Lint::Shadowed { by }));
    }
    // It is in no kind: wherever it matches, all that it grants is denied.
    let mut denies = profile.rules.iter();
    let by = denies.find(|other| !(other.deny & rule.allow).is_empty());
    Ok(by.map(|by| Lint::Denied {
        by: by.origin.clone(),
    }))
}

fn everything(rule: &Rule) -> Option<Lint> {
    let is_all = |text: &str| matches!(text, "/**" | "/{,**}" | "{/,/**}" | "/**{,/**}");
    is_all(rule.pattern.text()).then_some(Lint::Everything)
}

/// Rules that let be written what can be run, once each.
fn runs_what_it_writes(profile: &Profile, kinds: &[Kind<'_>]) -> Vec<Warning> {
    let mut told: Vec<usize> = Vec::new();
    let mut warnings = Vec::new();
    for kind in kinds {
        let granted = kind.granted;
        let writes = rules(profile, kind).find(|(_, rule)| rule.allow.contains(Access::WRITE));
        if let Some((at, rule)) = writes
            && granted.contains(Access::WRITE | Access::EXECUTE)
            && !told.contains(&at)
        {
            told.push(at);
            let example = kind.example.clone();
            warnings.push(warning(rule, Lint::WriteAndExecute { example }));
        }
    }
    warnings
}

/// The first of these rules that lets something be changed, if that is granted.
fn changing<'a>(profile: &'a Profile, set: &[usize]) -> Option<&'a Rule> {
    let granted = compile::granted(profile, set).all() & CHANGES;
    let mut rules = profile.rules_at(set);
    rules.find(|rule| !(rule.allow & granted).is_empty())
}

/// A rule that lets the profile be changed, where profiles lie on a host.
fn changes_itself(profile: &Profile, granting: &Automaton) -> Option<Warning> {
    let file = format!("{DEFAULT_DIR}/{}.yaml", profile.name);
    let end = file
        .bytes()
        .fold(granting.start, |state, byte| granting.step(state, byte));
    let rule = changing(profile, granting.set(end))?;
    Some(warning(rule, Lint::OwnProfile { file }))
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: warning: {}", self.origin, self.lint)
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shadowed { by } => {
                write!(
                    f,
                    "other rules grant all of it, as that at {by}; remove this one"
                )
            }
            Self::Denied { by } => {
                write!(
                    f,
                    "all that it grants is denied, as by {by}; remove one of them"
                )
            }
            Self::Ended { ends } => write!(f, "it allowed {ends}, which is over; remove it"),
            Self::Everything => f.write_str("it is about every path; name those that are needed"),
            Self::WriteAndExecute { example } => {
                let example = Escaped(example);
                write!(
                    f,
                    "what is written can be run, as {example}: an attack can bring its program"
                )
            }
            Self::OwnProgram { program } => {
                let program = Escaped(program);
                write!(
                    f,
                    "it lets the program {program} be changed, which the profile confines"
                )
            }
            Self::OwnProfile { file } => {
                write!(f, "it lets {file} be changed, the profile itself")
            }
            Self::MisnamedFile => {
                f.write_str("nobody reads it, since its name does not end in `.yaml`; rename it")
            }
            Self::NoProfiles => {
                f.write_str("the folder has no profiles: no file whose name ends in `.yaml`")
            }
        }
    }
}

#[cfg(test)]
mod tests;
