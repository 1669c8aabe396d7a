//! Rules that let the programs be changed that a profile confines.

use std::collections::HashSet;

use regex_syntax::hir::Hir;

use super::{Lint, RULE, Warning, changing, warning};
use crate::profile::{
    CompileError, Origin, Profile,
    automaton::{Automaton, DEAD},
    compile, walk,
    work::{Exhausted, Work},
};

/// A rule for each of its `executables` that lets one of these programs be changed.
pub(super) fn changed(
    profile: &Profile,
    granting: &Automaton,
    work: &mut Work,
) -> Result<Vec<Warning>, CompileError> {
    let executables = &profile.executables;
    let patterns: Vec<&Hir> = executables.iter().map(|it| it.pattern.hir()).collect();
    let programs = compile::build(&profile.name, &patterns, work).map_err(|unbuilt| {
        let origin = |at: usize| executables.get(at).map(|it| it.origin.clone());
        compile::located(unbuilt, origin, &profile.source)
    })?;
    let mut told = HashSet::new();
    let mut warnings = Vec::new();
    let is_program = |(program, _)| program != DEAD;
    walk::all(
        [&programs, granting],
        work,
        is_program,
        |(program, state), example, work| {
            work.take(programs.set(program).len(), RULE)?;
            let new = |at: &&usize| !told.contains(*at);
            let set: Vec<usize> = programs.set(program).iter().filter(new).copied().collect();
            if set.is_empty() {
                return Ok(());
            }
            work.take(granting.set(state).len(), RULE)?;
            if let Some(rule) = changing(profile, granting.set(state)) {
                let program = example();
                work.take(program.len(), walk::TOLD)?;
                for at in set {
                    told.insert(at);
                    let program = program.clone();
                    warnings.push(warning(rule, Lint::OwnProgram { program }));
                }
            }
            Ok(())
        },
    )
    .map_err(|Exhausted| too_large(profile))?;
    Ok(warnings)
}

/// The error when there is no work left to find the programs that rules are about.
fn too_large(profile: &Profile) -> CompileError {
    let executables = profile.executables.iter();
    let executables = executables.map(|it| (it.pattern.hir(), &it.origin));
    let rules = profile.rules.iter();
    let rules = rules.map(|rule| (rule.pattern.hir(), &rule.origin));
    let (patterns, origins): (Vec<&Hir>, Vec<&Origin>) = executables.chain(rules).unzip();
    let unbuilt = compile::Unbuilt::too_large(&profile.name, &patterns);
    let origin = |at: usize| origins.get(at).map(|&origin| origin.clone());
    compile::located(unbuilt, origin, &profile.source)
}
