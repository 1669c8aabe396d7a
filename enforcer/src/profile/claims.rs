//! The tables that say which program or cgroup belongs to which profile.
//!
//! A program belongs to one profile at most, and two profiles that could claim one are
//! an error. So it is with cgroups, but for one thing that nobody can rule out: a
//! unit's processes may make cgroups beneath its own, with whatever names. There, the
//! outer one of two units decides, so that a name that a confined process chose does
//! not lead out of its profile.

use std::collections::HashMap;

use enforcer_abi::{Mode, Privileges, Slot};
use regex_syntax::hir::Hir;

use super::{
    CompileError, CompileFault, Compiled, Origin, OutcomeRules, Pattern, Profile,
    automaton::{Automaton, DEAD, index},
    compile::{Scrub, build, finish},
    minimize::minimize,
    pack::Settings,
    subjects::is_slice,
};

/// What stands for a profile in the faults of these tables.
const NAME: &str = "applies_to";

/// What profiles claim.
#[derive(Clone, Copy)]
enum Kind {
    Program,
    Cgroup,
}

/// A pattern of what belongs to a profile.
struct Claim<'a> {
    /// The profile, by its index among those compiled.
    at: usize,
    profile: &'a Profile,
    slot: Slot,
    pattern: &'a Pattern,
    origin: &'a Origin,
    /// Whether it is of a unit in whose cgroup no other unit is put.
    is_leaf: bool,
}

/// Compiles the table from programs to the profiles that confine them: the target
/// of an outcome is the slot of the profile whose executables match, and no right
/// is granted.
///
/// # Errors
///
/// If two profiles apply to one program, or the table would be too large.
pub fn compile_attachments(profiles: &[(&Profile, Slot)]) -> Result<Compiled, CompileError> {
    let claims = claims(profiles, |profile| {
        let executables = profile.executables.iter();
        let parts = executables.map(|executable| (&executable.pattern, &executable.origin, false));
        parts.collect()
    });
    let automaton = claimed(&claims)?;
    table(&minimize(automaton), &claims, Kind::Program)
}

/// Compiles the table from cgroups to the profiles that confine what runs in them, as
/// [`compile_attachments`] does.
///
/// Where the cgroup of one unit is beneath that of another, the outer one decides.
///
/// # Errors
///
/// If two profiles apply to one cgroup otherwise, or the table would be too large.
pub fn compile_cgroups(profiles: &[(&Profile, Slot)]) -> Result<Compiled, CompileError> {
    let claims = claims(profiles, |profile| {
        let parts = profile.cgroups.iter().map(|cgroup| {
            let unit = cgroup.unit.as_deref();
            let is_leaf = unit.is_some_and(|unit| !is_slice(unit));
            (&cgroup.pattern, &cgroup.origin, is_leaf)
        });
        parts.collect()
    });
    let automaton = claimed(&claims)?;
    for set in 0..automaton.sets.len() {
        conflict(&automaton, set, &claims, Kind::Cgroup, |first, second| {
            !(first.is_leaf && second.is_leaf)
        })?;
    }
    table(&minimize(outermost(&automaton)), &claims, Kind::Cgroup)
}

/// The parts of `profiles` that are claims: pattern, origin, and whether it is of a leaf.
fn claims<'a>(
    profiles: &[(&'a Profile, Slot)],
    parts: impl Fn(&'a Profile) -> Vec<(&'a Pattern, &'a Origin, bool)>,
) -> Vec<Claim<'a>> {
    let mut claims = Vec::new();
    for (at, &(profile, slot)) in profiles.iter().enumerate() {
        for (pattern, origin, is_leaf) in parts(profile) {
            claims.push(Claim {
                at,
                profile,
                slot,
                pattern,
                origin,
                is_leaf,
            });
        }
    }
    claims
}

/// The automaton that tells which of `claims` match.
fn claimed(claims: &[Claim<'_>]) -> Result<Automaton, CompileError> {
    let patterns: Vec<&Hir> = claims.iter().map(|claim| claim.pattern.hir()).collect();
    build(NAME, &patterns).map_err(|fault| blame(claims, fault))
}

fn blame(claims: &[Claim<'_>], fault: CompileFault) -> CompileError {
    let origin = match claims.first() {
        Some(claim) => claim.origin.clone(),
        None => Origin::start_of(NAME.as_ref()),
    };
    CompileError { origin, fault }
}

/// Makes the table of `automaton`, whose patterns are `claims`.
fn table(
    automaton: &Automaton,
    claims: &[Claim<'_>],
    kind: Kind,
) -> Result<Compiled, CompileError> {
    let mut outcomes = Vec::with_capacity(automaton.sets.len());
    for (number, set) in automaton.sets.iter().enumerate() {
        conflict(automaton, number, claims, kind, |_, _| true)?;
        let mut outcome = OutcomeRules::default();
        if let Some(claim) = set.first().and_then(|&claim| claims.get(claim)) {
            outcome.target = claim.slot;
            outcome.granting.push(claim.at);
        }
        outcomes.push((outcome, Scrub::No));
    }
    let settings = Settings {
        mode: Mode::ENFORCE,
        privileges: Privileges::NONE,
    };
    finish(NAME, automaton, outcomes, settings).map_err(|fault| blame(claims, fault))
}

/// Refuses the set `number` if claims of two profiles are in it that are `at_odds`.
fn conflict(
    automaton: &Automaton,
    number: usize,
    claims: &[Claim<'_>],
    kind: Kind,
    at_odds: impl Fn(&Claim<'_>, &Claim<'_>) -> bool,
) -> Result<(), CompileError> {
    let set = automaton.sets.get(number).map_or(&[][..], Vec::as_slice);
    let set: Vec<_> = set.iter().filter_map(|&claim| claims.get(claim)).collect();
    let found = set.iter().enumerate().find_map(|(place, second)| {
        let mut before = set.iter().take(place);
        let first = before.find(|first| first.at != second.at && at_odds(first, second))?;
        Some((first, second))
    });
    let Some((first, second)) = found else {
        return Ok(());
    };
    let example = automaton.example(index(number));
    let [first, second_name] = [first, second].map(|claim| claim.profile.name.clone());
    Err(CompileError {
        origin: second.origin.clone(),
        fault: match kind {
            Kind::Program => CompileFault::TwoProfiles {
                first,
                second: second_name,
                example,
            },
            Kind::Cgroup => CompileFault::TwoProfilesOfCgroup {
                first,
                second: second_name,
                example: example.into(),
            },
        },
    })
}

/// `automaton`, with what is beneath a path that matches left to that path.
fn outermost(automaton: &Automaton) -> Automaton {
    /// A state: one of `automaton`, or the one in which its set matches for good.
    #[derive(Clone, Copy, PartialEq, Eq, Hash)]
    enum State {
        Of(u32),
        Settled(u32),
    }

    let slash = automaton.column(b'/');
    let mut walked = Automaton {
        columns: automaton.columns,
        bytes: automaton.bytes.clone(),
        next: vec![DEAD; automaton.bytes.len()],
        matched: vec![0],
        sets: vec![Vec::new()],
        start: DEAD,
    };
    let mut numbers: HashMap<State, u32> = HashMap::new();
    let mut queue: Vec<State> = Vec::new();
    let mut number = |state: State, queue: &mut Vec<State>| match state {
        State::Of(DEAD) => DEAD,
        _ => *numbers.entry(state).or_insert_with(|| {
            queue.push(state);
            index(queue.len())
        }),
    };
    // Only those that are still met: others may hold what no path has any more.
    let mut sets = HashMap::from([(0, 0)]);
    walked.start = number(State::Of(automaton.start), &mut queue);
    let mut done = 0;
    while let Some(&state) = queue.get(done) {
        done += 1;
        let set = match state {
            State::Of(state) => automaton.matched.get(state as usize).copied().unwrap_or(0),
            State::Settled(set) => set,
        };
        let known = *sets.entry(set).or_insert_with(|| {
            let set = automaton.sets.get(set as usize).cloned();
            walked.sets.push(set.unwrap_or_default());
            index(walked.sets.len() - 1)
        });
        walked.matched.push(known);
        for column in 0..automaton.bytes.len() {
            let next = match state {
                State::Of(state) if set == 0 || column != slash => {
                    let row = automaton.row(state);
                    State::Of(row.get(column).copied().unwrap_or(DEAD))
                }
                _ => State::Settled(set),
            };
            let next = number(next, &mut queue);
            walked.next.push(next);
        }
    }
    walked
}

#[cfg(test)]
mod tests;
