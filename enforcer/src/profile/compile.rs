//! From a profile to a table: what the kernel programs walk.

use enforcer_abi::{
    Access, Mode, Slot,
    limits::{OUTCOMES, TABLE_WORDS},
    table::{Header, Outcome, Words as _},
};
use regex_automata::{dfa::dense, nfa::thompson};
use regex_syntax::hir::Hir;
use sha2::{Digest as _, Sha256};

use super::{
    Escaped, Origin, Profile, Rule, Target,
    automaton::{Automaton, AutomatonError, index},
    minimize::minimize,
    pack::{TooLarge, pack},
};

/// A compiled profile.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The table, without room behind it. [`Header::GENERATION`] and
    /// [`Header::HITS`] are 0.
    pub words: Vec<u32>,
    /// The outcomes of the table, by their indices. The first is that of the paths
    /// which no rule speaks about.
    pub outcomes: Vec<OutcomeRules>,
    /// How many states the table has.
    pub states: usize,
}

/// What a table says of some paths, and which rules make it say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeRules {
    /// The rights granted in all.
    pub allow: Access,
    /// The profile to which an exec leads; [`Slot::NONE`] is the task's own.
    pub target: Slot,
    /// The rules that grant something, by their indices in [`Profile::rules`]. In
    /// attachments: the profile, by its index among those compiled.
    pub granting: Vec<usize>,
    /// The rules that deny something, by their indices in [`Profile::rules`].
    pub denying: Vec<usize>,
}

/// What a compiled profile says of a path.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Judgement<'a> {
    /// What its table says.
    pub outcome: Outcome,
    /// The rules behind it.
    pub rules: &'a OutcomeRules,
}

/// A profile that makes no table.
///
/// Shown as `FILE:LINE:COL: message`.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: {fault}")]
pub struct CompileError {
    /// The rule that is to blame, or the start of the profile.
    pub origin: Origin,
    /// Why.
    pub fault: CompileFault,
}

/// Why profiles make no table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileFault {
    /// Two rules start a program in different profiles.
    #[error(
        "this rule and {other} start {} in different profiles; make the patterns disjoint",
        Escaped(example)
    )]
    TwoTargets {
        /// The other rule.
        other: Origin,
        /// A program that both speak about.
        example: Vec<u8>,
    },
    /// Two profiles confine one program.
    #[error(
        "the profiles `{first}` and `{second}` both apply to {}; make their patterns disjoint",
        Escaped(example)
    )]
    TwoProfiles {
        /// One profile.
        first: String,
        /// The other.
        second: String,
        /// A program that both apply to.
        example: Vec<u8>,
    },
    /// There is no profile with this name.
    #[error("there is no profile `{name}` to start this program in")]
    NoTarget {
        /// The name.
        name: String,
    },
    /// The patterns overlap in too many ways.
    #[error(
        "the patterns of profile `{profile}` make too large an automaton; use fewer `**`, or `?` and classes behind a wildcard"
    )]
    TooLarge {
        /// The profile.
        profile: String,
    },
    /// The table would be larger than the kernel can hold.
    #[error(
        "profile `{profile}` needs a table of {words} words, and the largest has {}; use patterns in place of single paths",
        largest()
    )]
    TableTooLarge {
        /// The profile.
        profile: String,
        /// The words it needs.
        words: usize,
    },
    /// The rules overlap in too many ways.
    #[error(
        "the rules of profile `{profile}` overlap in {count} ways, and the most is {OUTCOMES}; use fewer rules that overlap"
    )]
    TooManyOutcomes {
        /// The profile.
        profile: String,
        /// In how many ways.
        count: usize,
    },
    /// The patterns of a profile are no expression.
    #[error("cannot read the patterns of profile `{profile}`: {source}")]
    Nfa {
        /// The profile.
        profile: String,
        /// Why.
        source: Box<thompson::BuildError>,
    },
    /// The patterns of a profile make no automaton.
    #[error("cannot make an automaton of profile `{profile}`: {source}")]
    Dfa {
        /// The profile.
        profile: String,
        /// Why.
        source: Box<dense::BuildError>,
    },
}

/// Compiles `profile`. `slots` tells the slots of the profiles to which its exec
/// rules lead.
///
/// # Errors
///
/// If exec rules contradict one another or lead nowhere, or the table would be too
/// large.
pub fn compile(
    profile: &Profile,
    slots: &dyn Fn(&str) -> Option<Slot>,
) -> Result<Compiled, CompileError> {
    // A rule that a tightening left without a right stands for nothing.
    let rules: Vec<(usize, &Rule)> = profile
        .rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| !(rule.allow | rule.deny).is_empty())
        .collect();
    let patterns: Vec<&Hir> = rules.iter().map(|(_, rule)| rule.pattern.hir()).collect();
    let automaton =
        automaton(&profile.name, &patterns).map_err(|fault| fault_of(profile, fault))?;

    let mut outcomes = Vec::with_capacity(automaton.sets.len());
    for (number, set) in automaton.sets.iter().enumerate() {
        let mut outcome = OutcomeRules {
            allow: Access::NONE,
            target: Slot::NONE,
            granting: Vec::new(),
            denying: Vec::new(),
        };
        let mut deny = Access::NONE;
        let matching: Vec<_> = set.iter().filter_map(|&rule| rules.get(rule)).collect();
        for &&(at, rule) in &matching {
            outcome.allow |= rule.allow;
            deny |= rule.deny;
            let list = if rule.allow.is_empty() {
                &mut outcome.denying
            } else {
                &mut outcome.granting
            };
            list.push(at);
        }
        outcome.allow = outcome.allow & !deny;
        if outcome.allow.contains(Access::EXECUTE) {
            let example = || automaton.example(index(number));
            let rules: Vec<&Rule> = matching.iter().map(|&&(_, rule)| rule).collect();
            outcome.target = target(&rules, slots, example)?;
        }
        outcomes.push(outcome);
    }
    let mode = profile.mode.for_kernel();
    finish(&profile.name, &automaton, outcomes, mode).map_err(|fault| fault_of(profile, fault))
}

/// Compiles the table from programs to the profiles that confine them: the target
/// of an outcome is the slot of the profile whose executables match, and no right
/// is granted.
///
/// # Errors
///
/// If two profiles apply to one program, or the table would be too large.
pub fn compile_attachments(profiles: &[(&Profile, Slot)]) -> Result<Compiled, CompileError> {
    const NAME: &str = "applies_to";
    let executables: Vec<_> = profiles
        .iter()
        .enumerate()
        .flat_map(|(at, &(profile, slot))| {
            let executables = profile.executables.iter();
            executables.map(move |executable| (at, profile, slot, executable))
        })
        .collect();
    let patterns: Vec<&Hir> = executables
        .iter()
        .map(|(_, _, _, executable)| executable.pattern.hir())
        .collect();
    let blame = |fault| {
        let origin = match executables.first() {
            Some((_, _, _, executable)) => executable.origin.clone(),
            None => Origin::start_of(NAME.as_ref()),
        };
        CompileError { origin, fault }
    };
    let automaton = automaton(NAME, &patterns).map_err(blame)?;

    let mut outcomes = Vec::with_capacity(automaton.sets.len());
    for (number, set) in automaton.sets.iter().enumerate() {
        let mut claims = set.iter().filter_map(|&claim| executables.get(claim));
        let mut outcome = OutcomeRules {
            allow: Access::NONE,
            target: Slot::NONE,
            granting: Vec::new(),
            denying: Vec::new(),
        };
        if let Some(&(at, first, slot, _)) = claims.next() {
            if let Some((_, second, _, executable)) = claims.find(|claim| claim.0 != at) {
                return Err(CompileError {
                    origin: executable.origin.clone(),
                    fault: CompileFault::TwoProfiles {
                        first: first.name.clone(),
                        second: second.name.clone(),
                        example: automaton.example(index(number)),
                    },
                });
            }
            outcome.target = slot;
            outcome.granting.push(at);
        }
        outcomes.push(outcome);
    }
    finish(NAME, &automaton, outcomes, Mode::ENFORCE).map_err(blame)
}

impl Compiled {
    /// What the table says of `path`.
    pub fn judge(&self, path: &[u8]) -> Judgement<'_> {
        const NOTHING: &OutcomeRules = &OutcomeRules {
            allow: Access::NONE,
            target: Slot::NONE,
            granting: Vec::new(),
            denying: Vec::new(),
        };
        let outcome = self.words.as_slice().judge(path);
        let rules = self.outcomes.get(outcome.index as usize).unwrap_or(NOTHING);
        Judgement { outcome, rules }
    }

    /// How many words the smallest size class has that holds the table.
    pub fn class_words(&self) -> usize {
        TABLE_WORDS
            .into_iter()
            .find(|&words| self.words.len() <= words)
            .unwrap_or(self.words.len())
    }

    /// A name for the rights that the table gives: the SHA-256 of its words, in
    /// hexadecimal, whatever its mode, its generation and its counters.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let apart = [Header::MODE, Header::GENERATION, Header::HITS].map(|word| word as usize);
        for (at, word) in self.words.iter().enumerate() {
            if !apart.contains(&at) {
                hash.update(word.to_le_bytes());
            }
        }
        format!("{:x}", hash.finalize())
    }
}

/// The slot to which an exec leads that `rules` allow together.
fn target(
    rules: &[&Rule],
    slots: &dyn Fn(&str) -> Option<Slot>,
    example: impl Fn() -> Vec<u8>,
) -> Result<Slot, CompileError> {
    let mut chosen: Option<(&Rule, &Target)> = None;
    for rule in rules {
        if !rule.allow.contains(Access::EXECUTE) {
            continue;
        }
        let target = rule.target.as_ref().unwrap_or(&Target::Inherit);
        match chosen {
            None => chosen = Some((rule, target)),
            Some((_, first)) if first == target => {}
            Some((first, _)) => {
                return Err(CompileError {
                    origin: rule.origin.clone(),
                    fault: CompileFault::TwoTargets {
                        other: first.origin.clone(),
                        example: example(),
                    },
                });
            }
        }
    }
    match chosen {
        Some((rule, Target::Profile(name))) => slots(name).ok_or_else(|| CompileError {
            origin: rule.origin.clone(),
            fault: CompileFault::NoTarget { name: name.clone() },
        }),
        Some((_, Target::Inherit)) | None => Ok(Slot::NONE),
    }
}

fn automaton(profile: &str, patterns: &[&Hir]) -> Result<Automaton, CompileFault> {
    let profile = profile.to_owned();
    match Automaton::build(patterns) {
        Ok(automaton) => Ok(minimize(automaton)),
        Err(AutomatonError::TooLarge) => Err(CompileFault::TooLarge { profile }),
        Err(AutomatonError::Nfa(source)) => Err(CompileFault::Nfa { profile, source }),
        Err(AutomatonError::Dfa(source)) => Err(CompileFault::Dfa { profile, source }),
    }
}

fn finish(
    profile: &str,
    automaton: &Automaton,
    outcomes: Vec<OutcomeRules>,
    mode: Mode,
) -> Result<Compiled, CompileFault> {
    let profile = profile.to_owned();
    let count = outcomes.len();
    if count > OUTCOMES {
        return Err(CompileFault::TooManyOutcomes { profile, count });
    }
    let records: Vec<_> = outcomes
        .iter()
        .map(|outcome| [outcome.allow.0, outcome.target.0])
        .collect();
    match pack(automaton, &records, mode.0) {
        Ok(words) => Ok(Compiled {
            words,
            outcomes,
            states: automaton.len(),
        }),
        Err(TooLarge { words }) => Err(CompileFault::TableTooLarge { profile, words }),
    }
}

/// A fault of `profile` as a whole.
fn fault_of(profile: &Profile, fault: CompileFault) -> CompileError {
    CompileError {
        origin: Origin::start_of(&profile.source),
        fault,
    }
}

fn largest() -> usize {
    TABLE_WORDS.into_iter().max().unwrap_or(0)
}
