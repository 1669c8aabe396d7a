//! What one profile grants and another does not.
//!
//! Told by what the profiles mean and not by their text: the two automata are walked side
//! by side, over every path that there can be.

use std::collections::HashSet;

use enforcer_abi::Access;

use super::{
    CompileError, Profile, Rule, Target, compile, explain, walk,
    work::{Exhausted, Work},
};

/// Steps for a rule that says something of some paths.
const RULE: u64 = 10;

/// Paths of which two profiles say different things, by the same rules.
#[derive(Clone, Debug)]
pub struct Difference<'a> {
    /// A shortest of them.
    pub example: Vec<u8>,
    /// What the first profile says of them.
    pub before: Said<'a>,
    /// What the second says.
    pub after: Said<'a>,
}

/// What a profile says of some paths.
#[derive(Clone, Debug)]
pub struct Said<'a> {
    /// The rights that it grants.
    pub allow: Access,
    /// The rights that it grants besides on what belongs to the task's user.
    pub owned: Access,
    /// Those of all these that do not end by themselves.
    pub lasting: Access,
    /// Where an exec leads, if it grants one.
    pub target: Option<&'a Target>,
    /// The rules that allow or deny something there.
    pub rules: Vec<&'a Rule>,
}

/// To whom rights differ: to those to whom an object belongs, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// To all.
    Everyone,
    /// To the owner.
    Owner,
    /// To all but the owner.
    Others,
    /// To whom had them until some end, which is no more.
    ForGood,
}

/// The rights of all parts.
fn all(parts: [(To, Access); 4]) -> Access {
    let rights = parts.into_iter();
    rights.fold(Access::NONE, |all, (_, rights)| all | rights)
}

impl Difference<'_> {
    /// The rights that only the second profile grants, be it to an owner.
    pub fn gained(&self) -> Access {
        all(self.after.beyond(&self.before))
    }

    /// The rights that only the first profile grants, be it to an owner.
    pub fn lost(&self) -> Access {
        all(self.before.beyond(&self.after))
    }

    /// Whether both grant an exec, and it leads to different profiles.
    pub fn leads_elsewhere(&self) -> bool {
        let (before, after) = (self.before.target, self.after.target);
        before.is_some() && after.is_some() && before != after
    }
}

/// The differences between what two profiles grant on paths, the shortest examples first.
/// Paths of one difference match the same rules of either profile.
///
/// # Errors
///
/// If a profile has no automaton, or both together are too large.
pub fn differences<'a>(
    before: &'a Profile,
    after: &'a Profile,
) -> Result<Vec<Difference<'a>>, CompileError> {
    let mut work = Work::of_all(&[before, after]);
    let old = compile::automaton(before, &mut work)?;
    let new = compile::automaton(after, &mut work)?;
    let mut differences = Vec::new();
    let mut seen = HashSet::new();
    let is_any = |_| true;
    let meet = |states: (u32, u32), example: &dyn Fn() -> Vec<u8>, work: &mut Work| {
        if !seen.insert((old.set_number(states.0), new.set_number(states.1))) {
            return Ok(());
        }
        let [old_set, new_set] = [old.set(states.0), new.set(states.1)];
        work.take(old_set.len() + new_set.len(), RULE)?;
        let example = example();
        work.take(example.len(), walk::TOLD)?;
        let difference = Difference {
            example,
            before: said(before, old_set),
            after: said(after, new_set),
        };
        let rights = |said: &Said<'_>| (said.allow, said.owned, said.lasting);
        let other_rights = rights(&difference.before) != rights(&difference.after);
        if other_rights || difference.leads_elsewhere() {
            differences.push(difference);
        }
        Ok(())
    };
    walk::all([&old, &new], &mut work, is_any, meet)
        .map_err(|Exhausted| compile::too_large(after))?;
    Ok(differences)
}

/// What `profile` says of paths that match the rules `set`.
fn said<'a>(profile: &'a Profile, set: &[usize]) -> Said<'a> {
    let granted = compile::granted(profile, set);
    let rules: Vec<&Rule> = profile.rules_at(set).collect();
    let is_lasting = |at: &usize| {
        let rule = profile.rules.get(*at);
        rule.is_none_or(|rule| rule.ends.is_never())
    };
    let lasting: Vec<usize> = set.iter().copied().filter(is_lasting).collect();
    Said {
        allow: granted.allow,
        owned: granted.owned,
        lasting: compile::granted(profile, &lasting).all(),
        target: explain::target(&rules, granted.all()),
        rules,
    }
}

impl Said<'_> {
    /// The rights that this grants and the other does not, and to whom.
    pub fn beyond(&self, other: &Self) -> [(To, Access); 4] {
        let to_owner = (self.allow | self.owned).missing_from(other.allow | other.owned);
        let to_others = self.allow.missing_from(other.allow);
        [
            (To::Everyone, to_owner & to_others),
            (To::Owner, to_owner.missing_from(to_others)),
            (To::Others, to_others.missing_from(to_owner)),
            (
                To::ForGood,
                self.lasting & (other.allow | other.owned) & !other.lasting,
            ),
        ]
    }
}

#[cfg(test)]
mod tests;
