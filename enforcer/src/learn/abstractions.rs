//! Which abstractions are worth an include.

use std::path::{Path, PathBuf};

use enforcer_abi::Access;

use super::{LearnError, Thresholds, observe::Gathered};
use crate::profile::{Compiled, Profile, ProfileError, compile_alone};

/// The one that every profile includes.
const BASE: &str = "base";

/// An abstraction that is included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// Its name.
    pub name: String,
    /// How many of the objects that were seen it grants, and none before it.
    pub objects: usize,
}

/// An abstraction that may be.
struct Candidate<'a> {
    name: &'a str,
    compiled: Compiled,
    has_exec: bool,
    has_network: bool,
}

/// Chooses abstractions, and takes away what they grant.
///
/// The base always is one, where `with_base`. Of the others it takes [`Thresholds::included`]
/// objects; one that lets programs be started takes [`Thresholds::included_programs`] of them,
/// one with rules on networks takes the use of such a rule, and one that lets whole folders be
/// changed is none: what a program changes is what its profile is about.
pub(super) fn choose(
    gathered: &mut Gathered,
    (folder, available): (&Path, &[String]),
    thresholds: &Thresholds,
    with_base: bool,
) -> Result<Vec<Included>, LearnError> {
    let mut candidates = Vec::new();
    for name in available {
        candidates.extend(candidate(name, folder)?);
    }
    let mut chosen = Vec::new();
    if with_base && let Some(at) = candidates.iter().position(|one| one.name == BASE) {
        chosen.push(take(&candidates.remove(at), gathered));
    }
    loop {
        let worth = candidates.iter().enumerate().filter_map(|(at, one)| {
            let worth = worth(one, gathered, thresholds)?;
            Some((std::cmp::Reverse(worth), one.name, at))
        });
        let Some((_, _, at)) = worth.min() else {
            return Ok(chosen);
        };
        chosen.push(take(&candidates.remove(at), gathered));
    }
}

/// An abstraction by itself, unless it may be none.
fn candidate<'a>(name: &'a str, folder: &Path) -> Result<Option<Candidate<'a>>, LearnError> {
    let text = format!("name: x\nmode: enforce\ninclude: [{name}]\n");
    let file = PathBuf::from("x.yaml");
    let profile = Profile::parse(&text, &file, folder)?;
    let compiled = compile_alone(&profile).map_err(ProfileError::from)?;
    let changes = Access::WRITE | Access::CREATE | Access::REMOVE | Access::ATTRIBUTES;
    let is_wide = profile.rules.iter().any(|rule| {
        !(rule.allow & changes).is_empty()
            && !rule.pattern.is_of_network()
            && rule.pattern.text().contains("**")
    });
    Ok((!is_wide).then(|| Candidate {
        name,
        compiled,
        has_exec: profile
            .rules
            .iter()
            .any(|rule| rule.allow.contains(Access::EXECUTE)),
        has_network: profile
            .rules
            .iter()
            .any(|rule| rule.pattern.is_of_network()),
    }))
}

/// How many objects it would grant, if these are enough.
fn worth(one: &Candidate<'_>, gathered: &Gathered, thresholds: &Thresholds) -> Option<usize> {
    let granted = gathered
        .paths
        .iter()
        .filter(|(path, seen)| grants(&one.compiled, path, seen.access, seen.is_own));
    let (mut objects, mut programs) = (0, 0);
    for (_, seen) in granted {
        objects += 1;
        programs += usize::from(seen.access.contains(Access::EXECUTE));
    }
    // That sockets may be made says nothing of whom they reach.
    let is_used = gathered.networks.iter().any(|(name, (object, access))| {
        let reaches = object.address().is_some() || object.family() == "netlink";
        reaches && grants(&one.compiled, name, *access, false)
    });
    let is_worth = objects >= thresholds.included
        && (!one.has_exec || programs >= thresholds.included_programs)
        && (!one.has_network || is_used);
    is_worth.then_some(objects)
}

/// Takes away what it grants.
fn take(one: &Candidate<'_>, gathered: &mut Gathered) -> Included {
    let before = gathered.paths.len() + gathered.networks.len();
    gathered
        .paths
        .retain(|path, seen| !grants(&one.compiled, path, seen.access, seen.is_own));
    gathered
        .networks
        .retain(|name, (_, access)| !grants(&one.compiled, name, *access, false));
    Included {
        name: one.name.to_owned(),
        objects: before - gathered.paths.len() - gathered.networks.len(),
    }
}

/// Whether a table grants rights on an object.
pub(super) fn grants(compiled: &Compiled, name: &[u8], access: Access, is_own: bool) -> bool {
    missing(compiled, name, access, is_own).is_empty()
}

/// The rights on an object that a table does not grant.
pub(super) fn missing(compiled: &Compiled, name: &[u8], access: Access, is_own: bool) -> Access {
    let reach = compiled.judge(name).outcome.reach();
    access.missing_from(reach.granted(is_own))
}
