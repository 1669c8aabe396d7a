//! All that can be wrong with a profile by itself once it is read.

use enforcer_abi::Slot;

use super::{CompileError, Compiled, Profile, Warning, claims, compile, lint, work::Work};

/// A profile with which nothing is wrong.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Its table, as [`compile_alone`](super::compile_alone) makes it.
    pub compiled: Compiled,
    /// What may not have been meant, as [`lint`](super::lint) finds it.
    pub warnings: Vec<Warning>,
}

/// Makes the tables that `profile` is part of, and looks for what may not have been meant.
///
/// All of that together takes no longer than it may take to compile it.
///
/// # Errors
///
/// As [`compile`](super::compile), or if its programs, its cgroups or the warnings would
/// take too long.
pub fn check(profile: &Profile) -> Result<Checked, CompileError> {
    let mut work = Work::of(profile);
    let automaton = compile::automaton(profile, &mut work)?;
    let slots = |_: &str| Some(Slot::FIRST);
    let compiled = compile::table(profile, &automaton, &slots, &mut work)?;
    let warnings = lint::warnings(profile, &automaton, &mut work)?;
    drop(automaton);
    let alone = [(profile, Slot::FIRST)];
    claims::attachments(&alone, &mut work)?;
    claims::cgroups(&alone, &mut work)?;
    Ok(Checked { compiled, warnings })
}
