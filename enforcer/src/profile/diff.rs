//! What one profile grants and another does not.
//!
//! Told by what the profiles mean and not by their text: the two automata are walked side
//! by side, over every path that there can be.
//!
//! - `lasting`: for how long rights are granted

mod lasting;

use std::collections::HashSet;

use enforcer_abi::Access;

pub use self::lasting::OtherEnds;
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
    /// The rights that both grant, but until other ends.
    pub ends: Vec<OtherEnds>,
}

/// What a profile says of some paths.
#[derive(Clone, Debug)]
pub struct Said<'a> {
    /// The rights that it grants.
    pub allow: Access,
    /// The rights that it grants besides on what belongs to the task's user.
    pub owned: Access,
    /// The rights of which a use is told, though it is granted.
    pub audit: Access,
    /// The rights of which a refusal is not told.
    pub quiet: Access,
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
}

/// The rights of all parts.
fn all(parts: impl IntoIterator<Item = (To, Access)>) -> Access {
    let rights = parts.into_iter();
    rights.fold(Access::NONE, |all, (_, rights)| all | rights)
}

impl Difference<'_> {
    /// The rights that only the second profile grants, or grants longer, be it to an owner.
    pub fn gained(&self) -> Access {
        let longer = self.ends.iter().filter(|ends| ends.is_longer());
        let longer = longer.map(|ends| (ends.to, ends.rights));
        all(self.after.beyond(&self.before).into_iter().chain(longer))
    }

    /// The rights that only the first profile grants, or grants longer, be it to an owner.
    pub fn lost(&self) -> Access {
        let longer = self.ends.iter().filter(|ends| ends.is_shorter());
        let longer = longer.map(|ends| (ends.to, ends.rights));
        all(self.before.beyond(&self.after).into_iter().chain(longer))
    }

    /// The rights that both grant, and of which only the second profile has a use told; those
    /// of which only the first has.
    pub fn audit(&self) -> [Access; 2] {
        let Self { before, after, .. } = self;
        let both = before.all() & after.all();
        [after.audit & !before.audit, before.audit & !after.audit].map(|rights| rights & both)
    }

    /// The rights that neither grants, and of which only the second profile keeps a refusal
    /// quiet; those of which only the first does.
    pub fn quiet(&self) -> [Access; 2] {
        let Self { before, after, .. } = self;
        let neither = !(before.all() | after.all());
        [after.quiet & !before.quiet, before.quiet & !after.quiet].map(|rights| rights & neither)
    }

    /// Whether one of them tells what the other does not.
    fn tells_otherwise(&self) -> bool {
        let [audit, quiet] = [self.audit(), self.quiet()];
        audit
            .into_iter()
            .chain(quiet)
            .any(|rights| !rights.is_empty())
    }

    /// Whether both grant an exec, and it leads to different profiles.
    pub fn leads_elsewhere(&self) -> bool {
        let (before, after) = (self.before.target, self.after.target);
        before.is_some() && after.is_some() && before != after
    }
}

/// The differences between what two profiles grant on paths and tell of it, the shortest examples first.
/// Paths of one difference match the same rules of either profile.
///
/// What has ended already is to be left out before ([`Profile::without_ended`]).
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
        let [before, after] = [said(before, old_set), said(after, new_set)];
        let difference = Difference {
            example,
            ends: lasting::other_ends(&before, &after),
            before,
            after,
        };
        let rights = |said: &Said<'_>| (said.allow, said.owned);
        let other_rights = rights(&difference.before) != rights(&difference.after);
        if other_rights
            || !difference.ends.is_empty()
            || difference.leads_elsewhere()
            || difference.tells_otherwise()
        {
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
    Said {
        allow: granted.allow,
        owned: granted.owned,
        audit: granted.audit,
        quiet: granted.quiet,
        target: explain::target(&rules, granted.all()),
        rules,
    }
}

impl Said<'_> {
    /// The rights that anybody has.
    pub fn all(&self) -> Access {
        self.allow | self.owned
    }

    /// The rights that this grants and the other does not, and to whom.
    pub fn beyond(&self, other: &Self) -> [(To, Access); 3] {
        let to_owner = self.all().missing_from(other.all());
        let to_others = self.allow.missing_from(other.allow);
        [
            (To::Everyone, to_owner & to_others),
            (To::Owner, to_owner.missing_from(to_others)),
            (To::Others, to_others.missing_from(to_owner)),
        ]
    }
}

#[cfg(test)]
mod tests;
