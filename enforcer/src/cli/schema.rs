//! `enforcer schema`: what editors need to complete and check profiles.

use std::process::ExitCode;

use anyhow::Context as _;

use super::output;
use crate::profile::{abstraction_schema, profile_schema};

/// What `--help` says beside the arguments.
const EXAMPLES: &str = "\
Editors with a YAML language server take it from a profile's first line:
  # yaml-language-server: $schema=profile.schema.json

Examples:
  enforcer schema > profile.schema.json
  enforcer schema --abstraction > abstractions/abstraction.schema.json";

/// The arguments of `enforcer schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// That of abstractions
    #[arg(long)]
    abstraction: bool,
}

/// Prints a schema.
///
/// # Errors
///
/// If it cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let schema = if args.abstraction {
        abstraction_schema()
    } else {
        profile_schema()
    };
    let text = serde_json::to_string_pretty(&schema).context("cannot write JSON")?;
    output::print(&format!("{text}\n"))?;
    Ok(ExitCode::SUCCESS)
}
