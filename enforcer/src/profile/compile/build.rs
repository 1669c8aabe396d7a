//! From patterns to an automaton, or to the patterns that are too much.

use std::path::Path;

use enforcer_abi::Access;
use regex_syntax::hir::Hir;

use super::{CompileError, CompileFault};
use crate::profile::{
    Origin, Profile, Rule, Telling,
    automaton::{Automaton, AutomatonError, DEAD},
    blame::blame,
    minimize::minimize,
    product::product,
    work::{Exhausted, Work},
};

/// The automaton that tells the rules which make a difference to a path.
pub(super) fn granting(profile: &Profile, work: &mut Work) -> Result<Automaton, Unbuilt> {
    let rules_of = |which: fn(&Rule) -> bool| -> (Vec<usize>, Vec<&Hir>) {
        // A rule that a tightening left without a right stands for nothing.
        let rules = profile.rules.iter().enumerate();
        rules
            .filter(|(_, rule)| which(rule))
            .map(|(at, rule)| (at, rule.pattern.hir()))
            .unzip()
    };
    let mut side = |which| {
        let (names, patterns) = rules_of(which);
        let built = build(&profile.name, &patterns, work).and_then(|automaton| {
            minimize(automaton, work)
                .map_err(|Exhausted| Unbuilt::too_large(&profile.name, &patterns))
        });
        let mut automaton = built.map_err(|unbuilt| unbuilt.renamed(&names))?;
        automaton.rename(&names);
        Ok(automaton)
    };
    // Of a path that nothing allows, a refusal may be quiet; else a deny says nothing there.
    let allow = side(|rule| !rule.allow.is_empty() || rule.telling == Telling::Quiet)?;
    let deny = side(|rule| !rule.deny.is_empty())?;
    if allow.start == DEAD || deny.start == DEAD {
        return Ok(allow);
    }
    let denied = |set: &[usize]| {
        let rules = profile.rules_at(set);
        rules.fold(Access::NONE, |deny, rule| deny | rule.deny)
    };
    // Rules whose rights are all denied make no difference. They would else make an
    // outcome each with every deny that covers them.
    let joined = |allowing: &[usize], denying: &[usize]| {
        let deny = denied(denying);
        let granted = |at: &usize| {
            let rule = profile.rules.get(*at);
            rule.is_some_and(|rule| !(rule.allow & !deny).is_empty())
        };
        let granting = allowing.iter().copied().filter(granted);
        granting.chain(denying.iter().copied()).collect()
    };
    let denies_all = |set: &[usize]| denied(set) == Access::ALL;
    product(&allow, &deny, denies_all, joined, work)
        .and_then(|product| minimize(product, work))
        .map_err(|Exhausted| Unbuilt::of_rules(profile))
}

/// Patterns that make no automaton.
pub(in crate::profile) struct Unbuilt {
    fault: CompileFault,
    /// Those to blame, by their indices.
    to_blame: Vec<usize>,
}

impl Unbuilt {
    /// Of all rules of `profile` together.
    fn of_rules(profile: &Profile) -> Self {
        let rules = profile.rules.iter().enumerate();
        let (names, patterns): (Vec<usize>, Vec<&Hir>) = rules
            .filter(|(_, rule)| !(rule.allow | rule.deny).is_empty())
            .map(|(at, rule)| (at, rule.pattern.hir()))
            .unzip();
        Self::too_large(&profile.name, &patterns).renamed(&names)
    }

    pub(in crate::profile) fn too_large(profile: &str, patterns: &[&Hir]) -> Self {
        Self {
            fault: CompileFault::TooLarge {
                profile: profile.to_owned(),
                others: Vec::new(),
            },
            to_blame: blame(patterns),
        }
    }

    /// With other indices: the pattern `at` is `names[at]`.
    pub(in crate::profile) fn renamed(self, names: &[usize]) -> Self {
        let name = |at: usize| names.get(at).copied();
        Self {
            to_blame: self.to_blame.into_iter().filter_map(name).collect(),
            ..self
        }
    }
}

/// Builds the automaton of `patterns`, which are those of `profile`.
pub(in crate::profile) fn build(
    profile: &str,
    patterns: &[&Hir],
    work: &mut Work,
) -> Result<Automaton, Unbuilt> {
    Automaton::build(patterns, work).map_err(|error| {
        let profile = profile.to_owned();
        let fault = match error {
            AutomatonError::Exhausted => return Unbuilt::too_large(&profile, patterns),
            // No one pattern is to blame, since the text of each is limited.
            AutomatonError::NfaTooLarge => CompileFault::TooLarge {
                profile,
                others: Vec::new(),
            },
            AutomatonError::Nfa(source) => CompileFault::Nfa { profile, source },
        };
        Unbuilt {
            fault,
            to_blame: Vec::new(),
        }
    })
}

/// The error of `profile` when there is no work left, with the rules to blame.
pub(in crate::profile) fn too_large(profile: &Profile) -> CompileError {
    rules_to_blame(profile, Unbuilt::of_rules(profile))
}

/// The fault with the places of the rules of `profile` to blame.
pub(super) fn rules_to_blame(profile: &Profile, unbuilt: Unbuilt) -> CompileError {
    let origin = |at: usize| profile.rules.get(at).map(|rule| rule.origin.clone());
    located(unbuilt, origin, &profile.source)
}

/// The fault with the places of the patterns to blame, which `origin` tells. Where there are
/// none it is one of `file` as a whole.
pub(in crate::profile) fn located(
    unbuilt: Unbuilt,
    origin: impl Fn(usize) -> Option<Origin>,
    file: &Path,
) -> CompileError {
    let Unbuilt {
        mut fault,
        to_blame,
    } = unbuilt;
    let mut places = to_blame.into_iter().filter_map(origin);
    let first = places.next();
    if let CompileFault::TooLarge { others, .. } = &mut fault {
        others.extend(places);
        others.sort();
    }
    CompileError {
        origin: first.unwrap_or_else(|| Origin::start_of(file)),
        fault,
    }
}
