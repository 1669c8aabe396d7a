//! What a profile says that its author may not have meant. It is valid all the same.

use std::fmt;

use enforcer_abi::Access;

use super::{
    CompileError, DEFAULT_DIR, Escaped, Origin, Profile, Rule, Telling, automaton::Automaton,
    compile, walk,
};

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
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

/// Rights by which something becomes another.
const CHANGES: Access =
    Access(Access::WRITE.0 | Access::APPEND.0 | Access::CREATE.0 | Access::REMOVE.0);

/// Paths that match the same rules of a profile.
struct Kind {
    /// The rules.
    set: Vec<usize>,
    /// A shortest path.
    example: Vec<u8>,
}

/// What a profile says that may not have been meant, in the order of the file.
///
/// # Errors
///
/// If the profile has no automaton.
pub fn lint(profile: &Profile) -> Result<Vec<Warning>, CompileError> {
    let granting = compile::automaton(profile)?;
    let kinds = kinds(profile, &granting)?;
    let mut warnings = Vec::new();
    for (at, rule) in profile.rules.iter().enumerate() {
        // A deny is often there just in case.
        if rule.allow.is_empty() {
            continue;
        }
        let lint = superfluous(profile, at, &kinds).or_else(|| everything(rule));
        warnings.extend(lint.map(|lint| warning(rule, lint)));
    }
    warnings.extend(runs_what_it_writes(profile, &kinds));
    warnings.extend(changes_its_program(profile, &granting)?);
    warnings.extend(changes_itself(profile));
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
fn kinds(profile: &Profile, granting: &Automaton) -> Result<Vec<Kind>, CompileError> {
    let mut kinds: Vec<Kind> = Vec::new();
    walk::all(profile, [granting; 2], |(state, _), example| {
        let set = granting.set(state);
        if !set.is_empty() && !kinds.iter().any(|kind| kind.set == set) {
            let example = example();
            let set = set.to_vec();
            kinds.push(Kind { set, example });
        }
    })?;
    Ok(kinds)
}

/// The rules of a kind.
fn rules<'a>(profile: &'a Profile, kind: &Kind) -> impl Iterator<Item = (usize, &'a Rule)> {
    let rules = kind.set.iter();
    rules.filter_map(|&at| Some((at, profile.rules.get(at)?)))
}

/// Whether the rule at an index grants nothing that others do not.
fn superfluous(profile: &Profile, at: usize, kinds: &[Kind]) -> Option<Lint> {
    let rule = profile.rules.get(at)?;
    let mut shadow = None;
    for kind in kinds.iter().filter(|kind| kind.set.contains(&at)) {
        let granted = compile::granted(profile, &kind.set).all();
        // Neither to fewer, nor without telling of it.
        let stands_in = |&(other, by): &(usize, &Rule)| {
            other != at
                && (rule.owner || !by.owner)
                && (rule.telling == by.telling || by.telling == Telling::Audit)
        };
        let others = rules(profile, kind).filter(stands_in);
        let by_others = others.fold(Access::NONE, |all, (_, other)| all | other.allow);
        if !(rule.allow & granted).missing_from(by_others).is_empty() {
            return None;
        }
        let covers = |(_, other): &(usize, &Rule)| !(other.allow & rule.allow).is_empty();
        let by = rules(profile, kind).filter(stands_in).find(covers);
        shadow = shadow.or(by);
    }
    if let Some((_, by)) = shadow {
        // That of an abstraction is there for other profiles, too.
        let is_own = *rule.origin.file == *profile.source;
        let by = by.origin.clone();
        return is_own.then_some(Lint::Shadowed { by });
    }
    // It is in no kind: wherever it matches, all that it grants is denied.
    let mut denies = profile.rules.iter();
    let by = denies.find(|other| !(other.deny & rule.allow).is_empty())?;
    Some(Lint::Denied {
        by: by.origin.clone(),
    })
}

fn everything(rule: &Rule) -> Option<Lint> {
    let is_all = |text: &str| matches!(text, "/**" | "/{,**}" | "{/,/**}" | "/**{,/**}");
    is_all(rule.pattern.text()).then_some(Lint::Everything)
}

/// Rules that let be written what can be run, once each.
fn runs_what_it_writes(profile: &Profile, kinds: &[Kind]) -> Vec<Warning> {
    let mut told: Vec<usize> = Vec::new();
    let mut warnings = Vec::new();
    for kind in kinds {
        let granted = compile::granted(profile, &kind.set).all();
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

/// A rule for each of its programs that lets that be changed.
fn changes_its_program(
    profile: &Profile,
    granting: &Automaton,
) -> Result<Vec<Warning>, CompileError> {
    let mut warnings = Vec::new();
    for executable in &profile.executables {
        let programs = compile::build(&profile.name, &[executable.pattern.hir()])
            .map_err(|fault| compile::fault_of(profile, fault))?;
        let mut found = None;
        walk::all(
            profile,
            [&programs, granting],
            |(program, state), example| {
                if found.is_none() && !programs.set(program).is_empty() {
                    found = changing(profile, granting.set(state)).map(|rule| (rule, example()));
                }
            },
        )?;
        if let Some((rule, program)) = found {
            warnings.push(warning(rule, Lint::OwnProgram { program }));
        }
    }
    Ok(warnings)
}

/// The first of these rules that lets something be changed, if that is granted.
fn changing<'a>(profile: &'a Profile, set: &[usize]) -> Option<&'a Rule> {
    let granted = compile::granted(profile, set).all() & CHANGES;
    let mut rules = profile.rules_at(set);
    rules.find(|rule| !(rule.allow & granted).is_empty())
}

/// A rule that lets the profile be changed, where profiles lie on a host.
fn changes_itself(profile: &Profile) -> Option<Warning> {
    let file = format!("{DEFAULT_DIR}/{}.yaml", profile.name);
    let matches = |rule: &&Rule| rule.pattern.matches(file.as_bytes());
    let rules: Vec<&Rule> = profile.rules.iter().filter(matches).collect();
    let denied = rules.iter().fold(Access::NONE, |all, rule| all | rule.deny);
    let changes = |rule: &&&Rule| !(rule.allow & CHANGES & !denied).is_empty();
    let rule = rules.iter().find(changes)?;
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
        }
    }
}

#[cfg(test)]
mod tests;
