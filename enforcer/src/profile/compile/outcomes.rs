//! What a table says of the paths of each set of rules, and what it says once some of
//! them have ended.

use std::collections::HashMap;

use enforcer_abi::{Access, Slot, expiry::Expiry, limits::EXPIRIES};

use super::{CompileError, CompileFault, OutcomeRules, Scrub, granted, target, too_large};
use crate::profile::{
    Ends, Origin, Profile, Rule,
    automaton::{Automaton, index},
    work::Work,
};

/// Steps for an outcome, and for a rule of one.
const OUTCOME: u64 = 250;
const RULE: u64 = 10;

/// The outcomes of `profile`, whose automaton that is: those of its sets, by their
/// numbers, then those that follow when some of their rules have ended.
///
/// # Errors
///
/// If exec rules contradict one another or lead nowhere, too many rules end one after
/// another, or that is too much work.
pub(super) fn outcomes(
    profile: &Profile,
    automaton: &Automaton,
    slots: &dyn Fn(&str) -> Option<Slot>,
    work: &mut Work,
) -> Result<Vec<(OutcomeRules, Scrub)>, CompileError> {
    let mut making = Making {
        profile,
        slots,
        work,
        made: Vec::with_capacity(automaton.sets.len()),
        later: HashMap::new(),
    };
    for (number, set) in automaton.sets.iter().enumerate() {
        making.make(set, &|| automaton.example(index(number)))?;
    }
    for (number, set) in automaton.sets.iter().enumerate() {
        making.end(number, set)?;
    }
    Ok(making.made)
}

struct Making<'a> {
    profile: &'a Profile,
    slots: &'a dyn Fn(&str) -> Option<Slot>,
    work: &'a mut Work,
    made: Vec<(OutcomeRules, Scrub)>,
    /// Outcomes that follow others, by the rules that are left.
    later: HashMap<Vec<usize>, u32>,
}

impl Making<'_> {
    /// Makes the outcome of a set of rules. Returns its index.
    fn make(&mut self, set: &[usize], example: &dyn Fn() -> Vec<u8>) -> Result<u32, CompileError> {
        let taken = self.work.take(1, OUTCOME);
        taken
            .and_then(|()| self.work.take(set.len(), RULE))
            .map_err(|_exhausted| too_large(self.profile))?;
        let mut outcome = OutcomeRules::default();
        let mut allowing = Vec::new();
        for &at in set {
            let Some(rule) = self.profile.rules.get(at) else {
                continue;
            };
            if rule.allow.is_empty() {
                outcome.denying.push(at);
            } else {
                outcome.granting.push(at);
                allowing.push(rule);
            }
        }
        let granted = granted(self.profile, set);
        outcome.allow = granted.allow;
        outcome.owned = granted.owned;
        outcome.audit = granted.audit;
        outcome.quiet = granted.quiet;
        outcome.trial = granted.trial;
        let mut scrub = Scrub::No;
        if granted.all().contains(Access::EXECUTE) {
            (outcome.target, scrub) = target(&allowing, self.slots, example)?;
        }
        self.made.push((outcome, scrub));
        Ok(index(self.made.len() - 1))
    }

    /// Notes when the outcome of a set ends, and makes those that follow it.
    fn end(&mut self, outcome: usize, set: &[usize]) -> Result<(), CompileError> {
        let ends: Vec<Ends> = self.ending(set).map(|rule| rule.ends).collect();
        let lasting = self.left(set, Ends::is_never);
        // What lasting rules grant as well does not end.
        if ends.is_empty() || granted(self.profile, &lasting) == granted(self.profile, set) {
            return Ok(());
        }
        let untils = distinct(ends.iter().map(|ends| ends.until));
        let withins = distinct(ends.iter().map(|ends| ends.within));
        if untils.len() + withins.len() > EXPIRIES as usize {
            return Err(self.too_many(set));
        }
        let mut expiry = Expiry::NEVER;
        if let Some(&until) = untils.first() {
            expiry.until = until;
            expiry.then =
                self.later(self.left(set, |ends| ends.until == 0 || ends.until > until))?;
        }
        if let Some(&within) = withins.first() {
            expiry.within = within;
            expiry.beyond =
                self.later(self.left(set, |ends| ends.within == 0 || ends.within > within))?;
        }
        if let Some((outcome, _)) = self.made.get_mut(outcome) {
            outcome.expiry = expiry;
        }
        Ok(())
    }

    /// The rules of a set that end so.
    fn left(&self, set: &[usize], is_left: impl Fn(Ends) -> bool) -> Vec<usize> {
        let rule = |at: &usize| self.profile.rules.get(*at);
        let is_left = |at: &usize| rule(at).is_none_or(|rule| is_left(rule.ends));
        set.iter().copied().filter(is_left).collect()
    }

    /// The outcome of the rules that are left of a set.
    fn later(&mut self, left: Vec<usize>) -> Result<u32, CompileError> {
        if let Some(&made) = self.later.get(&left) {
            return Ok(made);
        }
        // Rules that contradict one another do so in the whole set, too.
        let made = self.make(&left, &Vec::new)?;
        self.end(made as usize, &left)?;
        self.later.insert(left, made);
        Ok(made)
    }

    /// The rules of a set that end.
    fn ending(&self, set: &[usize]) -> impl Iterator<Item = &Rule> {
        let rules = self.profile.rules_at(set);
        rules.filter(|rule| !rule.ends.is_never() && !rule.allow.is_empty())
    }

    fn too_many(&self, set: &[usize]) -> CompileError {
        let origins: Vec<_> = self.ending(set).map(|rule| rule.origin.clone()).collect();
        let (first, others) = match origins.split_first() {
            Some((first, others)) => (first.clone(), others.to_vec()),
            None => (Origin::start_of(&self.profile.source), Vec::new()),
        };
        CompileError {
            origin: first,
            fault: CompileFault::TooManyEnds { others },
        }
    }
}

/// The deadlines that there are, the first ones first.
fn distinct(deadlines: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut deadlines: Vec<u32> = deadlines.filter(|&deadline| deadline != 0).collect();
    deadlines.sort_unstable();
    deadlines.dedup();
    deadlines
}

#[cfg(test)]
mod tests;
