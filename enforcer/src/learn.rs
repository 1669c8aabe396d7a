//! A profile for a program, from what it was seen to do.
//!
//! What one run shows is not all that the next one will do: it has other processes, another
//! day, other files. So rules are about more than what was seen where there is evidence for
//! it, and about no more. Nothing here is recorded or run: observations come in, a text goes
//! out.
//!
//! - [`recorded`]: what the agent recorded, as observations
//! - [`observe`]: observations, and what follows from them of each object
//! - [`abstractions`]: what profiles have in common, and is not said again
//! - [`shapes`]: what in a name is volatile; [`tree`]: the names, those of one shape together
//! - [`fold`]: many objects of a folder as one pattern; [`places`]: which folders may be
//! - [`secrets`]: what in such a pattern is denied nevertheless
//! - [`moves`]: renames and links, which must give no rights; [`join`]: fewer and shorter rules
//! - [`networks`]: sockets and addresses; [`existing`]: what exists that a pattern admits
//! - [`wider`]: patterns for single objects, by the evidence of others
//! - [`patterns`]: those that stand for what was seen
//! - [`plan`]: the profile on its way; [`render`]: its text; [`error`]: why there is none
//!
//! What becomes more than what was seen, and when. The numbers are [`Thresholds`]:
//!
//! | what | becomes | when |
//! |---|---|---|
//! | a number in `/proc`, a UUID, a hash, a date | any of its form | it is seen once |
//! | a number, random letters | any of its form | the program makes or removes the name |
//! | a number | any number | 3 names differ in it alone |
//! | a version of a library | any version | the library is mapped |
//! | a file that is made | read, written, made, removed | it is written to, not only added to |
//! | a folder that is made | `FOLDER{,/**}` | 3 objects are made in it |
//! | the name of such a folder | `*` | nothing that others made is beside it |
//! | a folder with changes | `FOLDER{,/**}` | 8 files in 2 places of it are changed |
//! | files that are made | `*.END` | 3 have that end |
//! | files that are made | `*` | 4, with different ends |
//! | a folder that is read | `FOLDER{,/**}` | 4 files in 2 places are (16 of the system's) |
//! | a folder that is read | `FOLDER/*` | it is listed, or 3 files are read (8) |
//! | whom it connects to | any address | 4 addresses are reached at a port |
//! | where it connects to | any port | 9 ports of an address are |

mod abstractions;
mod error;
mod existing;
mod fold;
mod join;
mod moves;
mod networks;
mod observe;
mod patterns;
mod places;
mod plan;
pub mod recorded;
mod render;
mod secrets;
mod shapes;
mod tree;
mod wider;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use enforcer_abi::Access;

pub use self::{
    abstractions::Included,
    error::LearnError,
    existing::{Admitted, Entry, Existing, admitted, found},
    observe::{Object, Observation},
    patterns::patterns,
    places::may_be_offered,
    shapes::Kind,
    wider::{Evidence, Wider},
};
use self::{
    observe::Gathered,
    plan::{Plan, Scope},
};
use crate::profile::{
    Compiled, FormatError, Profile, ProfileError, ProfileMode, Warning, append, compile_alone,
    is_name, without_superfluous,
};

/// How much it takes until rules are about more than what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Names of a folder that differ in a number alone.
    pub same_shape: usize,
    /// Objects that the program makes in a folder that it made.
    pub made_in_folder: usize,
    /// Files with one end that it makes in a folder.
    pub made_alike: usize,
    /// Files with different ends that it makes in a folder.
    pub made: usize,
    /// Files that it changes in a folder and those in it.
    pub changed_in_tree: usize,
    /// Files that it reads in a folder and those in it.
    pub read_in_tree: ByZone,
    /// Files that it reads in a folder.
    pub read_in_folder: ByZone,
    /// Objects that an abstraction grants.
    pub included: usize,
    /// Programs that an abstraction lets be started, where it does.
    pub included_programs: usize,
    /// Most addresses at a port that are named one by one.
    pub peers: usize,
    /// Most ports of an address that are named one by one.
    pub ports: usize,
}

/// A number for data, and one for what is installed and configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByZone {
    /// What programs keep and serve: `/srv`, `/var`, `/home` and so on.
    pub data: usize,
    /// What is installed and configured: `/usr`, `/etc`, `/opt`, `/boot`.
    pub system: usize,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            same_shape: 3,
            made_in_folder: 3,
            made_alike: 3,
            made: 4,
            changed_in_tree: 8,
            read_in_tree: ByZone {
                data: 4,
                system: 16,
            },
            read_in_folder: ByZone { data: 3, system: 8 },
            included: 3,
            included_programs: 8,
            peers: 3,
            ports: 8,
        }
    }
}

/// What a profile is to be made of.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The profile's name.
    pub name: &'a str,
    /// What it is, for people.
    pub description: &'a str,
    /// The programs that it confines, as paths; none: it is put on what runs by other means.
    pub executables: &'a [Vec<u8>],
    /// The units that it confines.
    pub units: &'a [String],
    /// What becomes of what it does not grant.
    pub mode: ProfileMode,
    /// What was seen.
    pub observations: &'a [Observation],
    /// Lineages from which nothing is learned, since a detection of theirs is open: else who
    /// attacks while a profile is learned would write it.
    pub left_out: &'a BTreeSet<u64>,
    /// The host's files.
    pub existing: &'a dyn Existing,
    /// The folder of abstractions.
    pub abstractions: &'a Path,
    /// Those that are in it.
    pub available: &'a [String],
    /// How much it takes until rules are about more than what was seen.
    pub thresholds: Thresholds,
    /// Whether a schema for editors lies beside the profile.
    pub schema: bool,
}

/// A profile that was learned.
#[derive(Debug)]
pub struct Learned {
    /// The profile, in the one style.
    pub text: String,
    /// What became of what was seen.
    pub summary: Summary,
    /// What `enforcer check` would warn of.
    pub warnings: Vec<Warning>,
}

/// What became of what was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many rules were written, with those that deny.
    pub rules: usize,
    /// Those that are about more than what was seen.
    pub generalisations: Vec<Generalisation>,
    /// Abstractions that were included.
    pub included: Vec<Included>,
    /// How many observations were left out.
    pub left_out: usize,
    /// Objects that only lineages saw that were left out, and that the profile grants
    /// nevertheless, by what was learned of others.
    pub granted_nevertheless: Vec<Vec<u8>>,
    /// Renames and links, from and to, that stay refused: to grant them would give a right to
    /// what is at the old name.
    pub refused_moves: Vec<[Vec<u8>; 2]>,
    /// Objects that the profile does not grant, since a rule from before denies it, or there
    /// is no pattern for it.
    pub not_granted: Vec<Vec<u8>>,
}

/// A rule that is about more than what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generalisation {
    /// Its pattern, or the rule if it is one on networks.
    pub pattern: String,
    /// The evidence.
    pub why: String,
    /// What exists and nobody used, and it admits; `None` where that says nothing.
    pub admitted: Option<Admitted>,
}

/// Makes a profile of what was seen.
///
/// # Errors
///
/// If a profile cannot have the name, an abstraction has errors, or there would be more rules
/// than a profile may have.
pub fn learn(request: &Request<'_>) -> Result<Learned, LearnError> {
    let name = request.name;
    if !is_name(name) {
        return Err(LearnError::Name {
            name: name.to_owned(),
        });
    }
    let file = PathBuf::from(format!("{name}.yaml"));
    let write = |plan: &Plan| Ok(render::text(request, plan, Scope::Whole));
    run(request, &file, None, &write)
}

/// Adds to the profile `text` in `file` what it does not grant of what was seen. What stands in
/// it stays, with its comments, and the whole is in the one style then.
///
/// # Errors
///
/// If the profile or an abstraction has errors, or there would be more rules than a profile may
/// have.
pub fn merge(request: &Request<'_>, text: &str, file: &Path) -> Result<Learned, LearnError> {
    let before = Profile::parse(text, file, request.abstractions)?;
    let write = |plan: &Plan| {
        let added = render::text(request, plan, Scope::Added);
        append(text, &added, file, request.abstractions)
    };
    run(request, file, Some(&before), &write)
}

fn run(
    request: &Request<'_>,
    file: &Path,
    before: Option<&Profile>,
    write: &dyn Fn(&Plan) -> Result<String, FormatError>,
) -> Result<Learned, LearnError> {
    let (kept, out) = observe::gather(request.observations, request.left_out);
    let mut wanted = kept.clone();
    if let Some(before) = before {
        let compiled = compile_alone(before).map_err(ProfileError::from)?;
        wanted.without_granted(&compiled, before);
    }
    let compile = |plan: &Plan| -> Result<(Profile, Compiled), LearnError> {
        let text = write(plan)?;
        let profile = Profile::parse(&text, file, request.abstractions)?;
        let compiled = compile_alone(&profile).map_err(ProfileError::from)?;
        Ok((profile, compiled))
    };
    let mut plan = plan::plan(request, &kept, &out, wanted, before.is_none())?;
    let refused_moves = moves::settle(&mut plan, &kept, &compile)?;
    plan.drop_covered(&compile)?;
    join::join(&mut plan);
    plan.preview(&kept, request.existing);
    let files = [file, request.abstractions];
    let (text, warnings) = without_superfluous(&mut plan, files, write, Plan::remove)?;

    let profile = Profile::parse(&text, file, request.abstractions)?;
    let compiled = compile_alone(&profile).map_err(ProfileError::from)?;
    let summary = Summary {
        rules: plan.len(),
        generalisations: plan.generalisations(),
        included: plan.include,
        left_out: out.count,
        granted_nevertheless: nevertheless(&kept, &out, &compiled),
        refused_moves,
        not_granted: kept.not_granted(&compiled),
    };
    Ok(Learned {
        text,
        summary,
        warnings,
    })
}

/// What only those saw that were left out, and is granted.
fn nevertheless(kept: &Gathered, out: &Gathered, compiled: &Compiled) -> Vec<Vec<u8>> {
    let paths = out.paths.iter().filter(|(path, seen)| {
        let known = kept.paths.get(*path);
        let known = known.map_or(Access::NONE, |known| known.access);
        let beyond = seen.access.missing_from(known);
        !beyond.is_empty() && abstractions::grants(compiled, path, beyond, seen.is_own)
    });
    let networks = out.networks.iter().filter(|(name, (_, access))| {
        let known = kept.networks.get(*name);
        let known = known.map_or(Access::NONE, |(_, known)| *known);
        let beyond = access.missing_from(known);
        !beyond.is_empty() && abstractions::grants(compiled, name, beyond, false)
    });
    let names = paths
        .map(|(name, _)| name)
        .chain(networks.map(|(name, _)| name));
    names.cloned().collect()
}

#[cfg(test)]
mod tests;
