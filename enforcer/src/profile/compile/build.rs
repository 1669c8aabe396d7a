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
};

/// The automaton that tells the rules which make a difference to a path.
pub(super) fn granting(profile: &Profile) -> Result<Automaton, Unbuilt> {
    let rules_of = |which: fn(&Rule) -> bool| -> (Vec<usize>, Vec<&Hir>) {
        // A rule that a tightening left without a right stands for nothing.
        let rules = profile.rules.iter().enumerate();
        rules
            .filter(|(_, rule)| which(rule))
            .map(|(at, rule)| (at, rule.pattern.hir()))
            .unzip()
    };
    let side = |which| {
        let (names, patterns) = rules_of(which);
        let mut automaton =
            build(&profile.name, &patterns).map_err(|unbuilt| unbuilt.renamed(&names))?;
        automaton.rename(&names);
        Ok(minimize(automaton))
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
    product(&allow, &deny, |set| denied(set) == Access::ALL, joined)
        .map(minimize)
        .ok_or_else(|| {
            let (names, patterns) = rules_of(|rule| !(rule.allow | rule.deny).is_empty());
            Unbuilt::too_large(&profile.name, &patterns).renamed(&names)
        })
}

/// Patterns that make no automaton.
pub(in crate::profile) struct Unbuilt {
    fault: CompileFault,
    /// Those to blame, by their indices.
    to_blame: Vec<usize>,
}

impl Unbuilt {
    fn too_large(profile: &str, patterns: &[&Hir]) -> Self {
        Self {
            fault: CompileFault::TooLarge {
                profile: profile.to_owned(),
                others: Vec::new(),
            },
            to_blame: blame(patterns),
        }
    }

    /// With other indices: the pattern `at` is `names[at]`.
    fn renamed(self, names: &[usize]) -> Self {
        let name = |at: usize| names.get(at).copied();
        Self {
            to_blame: self.to_blame.into_iter().filter_map(name).collect(),
            ..self
        }
    }
}

/// Builds the automaton of `patterns`, which are those of `profile`.
pub(in crate::profile) fn build(profile: &str, patterns: &[&Hir]) -> Result<Automaton, Unbuilt> {
    Automaton::build(patterns).map_err(|error| {
        let profile = profile.to_owned();
        let fault = match error {
            AutomatonError::TooLarge => return Unbuilt::too_large(&profile, patterns),
            AutomatonError::Nfa(source) => CompileFault::Nfa { profile, source },
        };
        Unbuilt {
            fault,
            to_blame: Vec::new(),
        }
    })
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
