//! The tables that say which program or cgroup belongs to which profile.
//!
//! A program belongs to one profile at most, and two profiles that could claim one are
//! an error. So it is with cgroups, but for one thing that nobody can rule out: a
//! unit's processes may make cgroups beneath its own, with whatever names. There, the
//! outer one of two units decides, so that a name that a confined process chose does
//! not lead out of its profile.

use enforcer_abi::{Mode, Privileges, Respond, Slot};
use regex_syntax::hir::Hir;

use super::{
    CompileError, CompileFault, Compiled, Origin, OutcomeRules, Pattern, Profile,
    automaton::{Automaton, index},
    compile::{Scrub, Unbuilt, build, finish, located},
    minimize::minimize,
    pack::Settings,
    subjects::is_slice,
    work::{Exhausted, Work},
};

mod cgroups;

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
    attachments(profiles, &mut work(profiles))
}

/// As [`compile_attachments`], by what `work` is left.
pub(super) fn attachments(
    profiles: &[(&Profile, Slot)],
    work: &mut Work,
) -> Result<Compiled, CompileError> {
    let claims = claims(profiles, |profile| {
        let executables = profile.executables.iter();
        let parts = executables.map(|executable| (&executable.pattern, &executable.origin, false));
        parts.collect()
    });
    let no_work = |Exhausted| too_large(&claims);
    let automaton = claimed(&claims, work)?;
    for (number, set) in automaton.sets.iter().enumerate() {
        if let Some((first, second)) = at_odds(set, &claims) {
            let example = automaton.example(index(number));
            return Err(conflict(first, second, Kind::Program, example));
        }
    }
    let automaton = minimize(automaton, work).map_err(no_work)?;
    table(&automaton, &claims, work)
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
    cgroups(profiles, &mut work(profiles))
}

/// As [`compile_cgroups`], by what `work` is left.
pub(super) fn cgroups(
    profiles: &[(&Profile, Slot)],
    work: &mut Work,
) -> Result<Compiled, CompileError> {
    let claims = claims(profiles, |profile| {
        let parts = profile.cgroups.iter().map(|cgroup| {
            let unit = cgroup.unit.as_deref();
            let is_leaf = unit.is_some_and(|unit| !is_slice(unit));
            (&cgroup.pattern, &cgroup.origin, is_leaf)
        });
        parts.collect()
    });
    let no_work = |Exhausted| too_large(&claims);
    let automaton = cgroups::outermost(&claims, work)?;
    let automaton = minimize(automaton, work).map_err(no_work)?;
    table(&automaton, &claims, work)
}

fn work(profiles: &[(&Profile, Slot)]) -> Work {
    let profiles: Vec<&Profile> = profiles.iter().map(|&(profile, _)| profile).collect();
    Work::of_all(&profiles)
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
fn claimed(claims: &[Claim<'_>], work: &mut Work) -> Result<Automaton, CompileError> {
    build(NAME, &patterns(claims), work).map_err(|unbuilt| to_blame(claims, unbuilt))
}

fn patterns<'a>(claims: &[Claim<'a>]) -> Vec<&'a Hir> {
    claims.iter().map(|claim| claim.pattern.hir()).collect()
}

/// The error when there is no work left, with the claims to blame.
fn too_large(claims: &[Claim<'_>]) -> CompileError {
    to_blame(claims, Unbuilt::too_large(NAME, &patterns(claims)))
}

/// The fault with the places of the claims to blame.
fn to_blame(claims: &[Claim<'_>], unbuilt: Unbuilt) -> CompileError {
    let origin = |at: usize| claims.get(at).map(|claim| claim.origin.clone());
    located(unbuilt, origin, NAME.as_ref())
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
    work: &mut Work,
) -> Result<Compiled, CompileError> {
    let mut outcomes = Vec::with_capacity(automaton.sets.len());
    for set in &automaton.sets {
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
        respond: Respond::NONE,
        permitted: 0,
    };
    finish(NAME, automaton, outcomes, settings, work)
        .map_err(|Exhausted| too_large(claims))?
        .map_err(|fault| blame(claims, fault))
}

/// Two claims of a set that are not of one profile.
fn at_odds<'a, 'b>(
    set: &[usize],
    claims: &'b [Claim<'a>],
) -> Option<(&'b Claim<'a>, &'b Claim<'a>)> {
    let mut all = set.iter().filter_map(|&claim| claims.get(claim));
    let first = all.next()?;
    all.find(|claim| claim.at != first.at)
        .map(|second| (first, second))
}

/// What is wrong where two claims meet at `example`.
fn conflict(first: &Claim<'_>, second: &Claim<'_>, kind: Kind, example: Vec<u8>) -> CompileError {
    let [first_name, second_name] = [first, second].map(|claim| claim.profile.name.clone());
    CompileError {
        origin: second.origin.clone(),
        fault: match kind {
            Kind::Program => CompileFault::TwoProfiles {
                first: first_name,
                second: second_name,
                example,
            },
            Kind::Cgroup => CompileFault::TwoProfilesOfCgroup {
                first: first_name,
                second: second_name,
                example: example.into(),
            },
        },
    }
}

#[cfg(test)]
mod tests;
