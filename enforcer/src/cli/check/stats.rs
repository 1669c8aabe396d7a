//! What the tables of profiles take.

use std::time::Instant;

use crate::{
    cli::output,
    profile::{CompileError, Profile, compile_alone},
};

/// A line for each profile: rules, states and outcomes of its table, its bytes, those of
/// its size class, and the time that it takes to make.
///
/// # Errors
///
/// If a profile does not compile.
pub(super) fn table(profiles: &[Profile]) -> Result<String, CompileError> {
    const BYTES: usize = size_of::<u32>();
    let mut rows = Vec::new();
    for profile in profiles {
        let start = Instant::now();
        let compiled = compile_alone(profile)?;
        let took = start.elapsed();
        rows.push([
            profile.name.clone(),
            profile.rules.len().to_string(),
            compiled.states.to_string(),
            compiled.outcomes.len().to_string(),
            (compiled.words.len() * BYTES).to_string(),
            (compiled.class_words() * BYTES).to_string(),
            format!("{} ms", took.as_millis()),
        ]);
    }
    let head = [
        "PROFILE",
        "RULES",
        "STATES",
        "OUTCOMES",
        "BYTES",
        "OF CLASS",
        "COMPILED IN",
    ];
    Ok(output::table(head, &rows))
}
