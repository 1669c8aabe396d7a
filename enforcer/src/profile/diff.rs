//! What one profile grants and another does not.
//!
//! Told by what the profiles mean and not by their text: the two automata are walked side
//! by side, over every path that there can be.

use std::collections::HashSet;

use enforcer_abi::Access;

use super::{CompileError, Profile, Rule, Target, compile, explain, walk};

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
    /// Where an exec leads, if it grants one.
    pub target: Option<&'a Target>,
    /// The rules that allow or deny something there.
    pub rules: Vec<&'a Rule>,
}

impl Difference<'_> {
    /// The rights that only the second profile grants.
    pub fn gained(&self) -> Access {
        self.after.allow.missing_from(self.before.allow)
    }

    /// The rights that only the first profile grants.
    pub fn lost(&self) -> Access {
        self.before.allow.missing_from(self.after.allow)
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
    let [old, new] = [compile::automaton(before)?, compile::automaton(after)?];
    let mut differences = Vec::new();
    let mut seen = HashSet::new();
    walk::all(after, [&old, &new], |states, example| {
        let [old_set, new_set] = [old.set(states.0), new.set(states.1)];
        if !seen.insert((old_set.to_vec(), new_set.to_vec())) {
            return;
        }
        let difference = Difference {
            example: example(),
            before: said(before, old_set),
            after: said(after, new_set),
        };
        let other_rights = difference.before.allow != difference.after.allow;
        if other_rights || difference.leads_elsewhere() {
            differences.push(difference);
        }
    })?;
    Ok(differences)
}

/// What `profile` says of paths that match the rules `set`.
fn said<'a>(profile: &'a Profile, set: &[usize]) -> Said<'a> {
    let allow = compile::granted(profile, set);
    let rules: Vec<&Rule> = profile.rules_at(set).collect();
    Said {
        allow,
        target: explain::target(&rules, allow),
        rules,
    }
}

#[cfg(test)]
mod tests;
