//! From a profile to a table: what the kernel programs walk.

use enforcer_abi::{
    Access, Expiry, Slot,
    limits::{OUTCOMES, TABLE_WORDS},
    table::{Header, Outcome, SCRUB, Words as _},
};
use sha2::{Digest as _, Sha256};

use super::{
    Origin, Profile, Rule, Target,
    automaton::Automaton,
    pack::{Settings, TooLarge, pack},
    work::{Exhausted, Work},
};

mod build;
mod error;
mod granted;
mod outcomes;

pub use self::error::{CompileError, CompileFault};
pub(super) use self::{
    build::{Unbuilt, build, located, too_large},
    granted::granted,
};
use self::{
    build::{granting, rules_to_blame},
    outcomes::outcomes,
};

/// A compiled profile.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The table, without room behind it. [`Header::GENERATION`] and
    /// [`Header::HITS`] are 0.
    pub words: Vec<u32>,
    /// The outcomes of the table, by their indices. The first is that of the paths
    /// which no rule speaks about: nothing, or [`Access::METADATA`] where the profile
    /// does not decide on it.
    pub outcomes: Vec<OutcomeRules>,
    /// How many states the table has.
    pub states: usize,
}

/// What a table says of some paths, and which rules make it say so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutcomeRules {
    /// The rights granted in all.
    pub allow: Access,
    /// The rights granted besides on what belongs to the task's user.
    pub owned: Access,
    /// The rights of which a use is told, though it is granted.
    pub audit: Access,
    /// The rights of which a refusal is not told.
    pub quiet: Access,
    /// The rights that a tightening on trial would take away.
    pub trial: Access,
    /// The profile to which an exec leads; [`Slot::NONE`] is the task's own.
    pub target: Slot,
    /// The rules that grant something that is not denied, by their indices in
    /// [`Profile::rules`]. In attachments: the profile, by its index among those
    /// compiled.
    pub granting: Vec<usize>,
    /// The rules that deny something of what others allow, by their indices in
    /// [`Profile::rules`]. Where no rule allows anything this is empty.
    pub denying: Vec<usize>,
    /// When it ends, and which outcome follows then.
    pub expiry: Expiry,
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

/// Whether a program that is started must not trust its environment.
///
/// An exec that leads to a profile by its name is scrubbed: the program may have rights
/// that the one that starts it has not. Where the target's rights are known to be no
/// more, the agent could take [`SCRUB`] from the outcome; nothing does so yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scrub {
    Yes,
    No,
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
    let mut work = Work::of(profile);
    let automaton = automaton(profile, &mut work)?;
    table(profile, &automaton, slots, &mut work)
}

/// Makes the table of `profile`, whose automaton that is.
///
/// # Errors
///
/// As [`compile`].
pub(super) fn table(
    profile: &Profile,
    automaton: &Automaton,
    slots: &dyn Fn(&str) -> Option<Slot>,
    work: &mut Work,
) -> Result<Compiled, CompileError> {
    let no_work = |Exhausted| too_large(profile);
    let outcomes = outcomes(profile, automaton, slots, work)?;
    let settings = Settings {
        mode: profile.mode.for_kernel(),
        privileges: profile.privileges,
        respond: profile.on_violation.respond.for_kernel(),
        permitted: profile.permitted,
    };
    finish(&profile.name, automaton, outcomes, settings, work)
        .map_err(no_work)?
        .map_err(|fault| fault_of(profile, fault))
}

/// The automaton that tells the rules of a profile which make a difference to a path.
///
/// # Errors
///
/// If it would be too large.
pub(super) fn automaton(profile: &Profile, work: &mut Work) -> Result<Automaton, CompileError> {
    granting(profile, work).map_err(|unbuilt| rules_to_blame(profile, unbuilt))
}

/// Compiles `profile` for who only asks it: where its exec rules lead is told by them, and
/// the slots of a host's profiles make no difference.
///
/// # Errors
///
/// As [`compile`].
pub fn compile_alone(profile: &Profile) -> Result<Compiled, CompileError> {
    compile(profile, &|_| Some(Slot::FIRST))
}

impl Compiled {
    /// What the table says of `path`, before anything ended.
    pub fn judge(&self, path: &[u8]) -> Judgement<'_> {
        const NOTHING: &OutcomeRules = &OutcomeRules {
            allow: Access::NONE,
            owned: Access::NONE,
            audit: Access::NONE,
            quiet: Access::NONE,
            trial: Access::NONE,
            target: Slot::NONE,
            granting: Vec::new(),
            denying: Vec::new(),
            expiry: Expiry::NEVER,
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
    /// hexadecimal, whatever its mode, its answer to violations, what is permitted meanwhile, its generation and its counters.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let apart = [
            Header::MODE,
            Header::RESPOND,
            Header::PERMITTED,
            Header::GENERATION,
            Header::HITS,
        ]
        .map(|word| word as usize);
        for (at, word) in self.words.iter().enumerate() {
            if !apart.contains(&at) {
                hash.update(word.to_le_bytes());
            }
        }
        format!("{:x}", hash.finalize())
    }
}

/// The slot to which an exec leads that `rules` allow together, and whether the program
/// must not trust its environment.
fn target(
    rules: &[&Rule],
    slots: &dyn Fn(&str) -> Option<Slot>,
    example: impl Fn() -> Vec<u8>,
) -> Result<(Slot, Scrub), CompileError> {
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
        Some((rule, Target::Profile(name))) => match slots(name) {
            Some(slot) => Ok((slot, Scrub::Yes)),
            None => Err(CompileError {
                origin: rule.origin.clone(),
                fault: CompileFault::NoTarget { name: name.clone() },
            }),
        },
        Some((_, Target::Inherit)) | None => Ok((Slot::NONE, Scrub::No)),
    }
}

/// Makes the table of `automaton`, whose sets of patterns have these outcomes.
///
/// # Errors
///
/// If that is too much work, or there is no such table.
pub(super) fn finish(
    profile: &str,
    automaton: &Automaton,
    outcomes: Vec<(OutcomeRules, Scrub)>,
    settings: Settings,
    work: &mut Work,
) -> Result<Result<Compiled, CompileFault>, Exhausted> {
    let profile = profile.to_owned();
    let count = outcomes.len();
    if count > OUTCOMES {
        return Ok(Err(CompileFault::TooManyOutcomes { profile, count }));
    }
    let records: Vec<_> = outcomes
        .iter()
        .map(|(outcome, scrub)| {
            let scrub = match scrub {
                Scrub::Yes => SCRUB,
                Scrub::No => 0,
            };
            let OutcomeRules {
                allow,
                target,
                owned,
                audit,
                quiet,
                trial,
                expiry,
                ..
            } = outcome;
            let [owned, audit, quiet, trial] = [owned, audit, quiet, trial].map(|rights| rights.0);
            let Expiry {
                until,
                then,
                within,
                beyond,
            } = *expiry;
            let target = target.0 | scrub;
            [
                allow.0, target, owned, audit, quiet, trial, until, then, within, beyond,
            ]
        })
        .collect();
    Ok(match pack(automaton, &records, settings, work)? {
        Ok(words) => Ok(Compiled {
            words,
            outcomes: outcomes.into_iter().map(|(outcome, _)| outcome).collect(),
            states: automaton.len(),
        }),
        Err(TooLarge { words }) => Err(CompileFault::TableTooLarge { profile, words }),
    })
}

/// A fault of `profile` as a whole.
pub(super) fn fault_of(profile: &Profile, fault: CompileFault) -> CompileError {
    CompileError {
        origin: Origin::start_of(&profile.source),
        fault,
    }
}

#[cfg(test)]
mod tests;
