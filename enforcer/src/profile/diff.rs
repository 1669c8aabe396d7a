//! What one profile grants and another does not.
//!
//! Told by what the profiles mean and not by their text: the two automata are walked side
//! by side, over every path that there can be.

use std::collections::{HashMap, HashSet, VecDeque};

use enforcer_abi::Access;

use super::{
    CompileError, CompileFault, Profile, Rule, Target,
    automaton::{self, Automaton, DEAD},
    compile,
};

mod place;

use self::place::Place;

/// Most pairs of states that are looked at.
const PAIRS: usize = 4 << 20;

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
/// If a profile has no automaton, or both together have more than [`PAIRS`] states.
pub fn differences<'a>(
    before: &'a Profile,
    after: &'a Profile,
) -> Result<Vec<Difference<'a>>, CompileError> {
    let [old, new] = [compile::automaton(before)?, compile::automaton(after)?];
    let mut differences = Vec::new();
    let mut seen = HashSet::new();
    let walked = walk(&old, &new, |states, example| {
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
    });
    if !walked {
        return Err(compile::fault_of(
            after,
            CompileFault::TooLarge {
                profile: after.name.clone(),
            },
        ));
    }
    Ok(differences)
}

/// What `profile` says of paths that match the rules `set`.
fn said<'a>(profile: &'a Profile, set: &[usize]) -> Said<'a> {
    let allow = compile::granted(profile, set);
    let rules = set.iter().filter_map(|&at| profile.rules.get(at));
    let rules: Vec<&Rule> = rules.collect();
    let target = rules
        .iter()
        .filter(|rule| (rule.allow & allow).contains(Access::EXECUTE))
        .find_map(|rule| rule.target.as_ref());
    Said {
        allow,
        target,
        rules,
    }
}

/// Where a walk is: a state of each automaton, and where in a path.
type At = (u32, u32, Place);

/// Walks two automata side by side over all paths, the shortest first, and calls `meet` with
/// each pair of states in which one can end, and what tells that path. Returns whether it
/// came to an end within [`PAIRS`].
fn walk(
    one: &Automaton,
    other: &Automaton,
    mut meet: impl FnMut((u32, u32), &dyn Fn() -> Vec<u8>),
) -> bool {
    // Bytes that neither automaton nor the form of a path tells apart share a column.
    let class = |byte: u8| (one.column(byte), other.column(byte), place::kind(byte));
    let (_, bytes) = automaton::columns(class);
    let start = (one.start, other.start, Place::START);
    let mut before: HashMap<At, Option<(At, u8)>> = HashMap::from([(start, None)]);
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        let (of_one, of_other, place) = at;
        if place.is_path() {
            meet((of_one, of_other), &|| path_to(at, &before));
        }
        for &byte in &bytes {
            let Some(place) = place.step(byte) else {
                continue;
            };
            let next = (step(one, of_one, byte), step(other, of_other, byte), place);
            if before.contains_key(&next) {
                continue;
            }
            if before.len() >= PAIRS {
                return false;
            }
            before.insert(next, Some((at, byte)));
            queue.push_back(next);
        }
    }
    true
}

fn step(automaton: &Automaton, state: u32, byte: u8) -> u32 {
    let row = automaton.row(state);
    row.get(automaton.column(byte)).copied().unwrap_or(DEAD)
}

/// The bytes by which the walk came to `at`.
fn path_to(mut at: At, before: &HashMap<At, Option<(At, u8)>>) -> Vec<u8> {
    let mut path = Vec::new();
    while let Some(Some((from, byte))) = before.get(&at) {
        path.push(*byte);
        at = *from;
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests;
