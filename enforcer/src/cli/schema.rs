//! `enforcer schema`: what editors need to complete and check profiles.

use std::process::ExitCode;

use anyhow::Context as _;

use super::output;
use crate::profile::{abstraction_schema, profile_schema, reference};

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
    /// The reference of profiles, in Markdown, in place of a schema
    #[arg(long, hide = true, conflicts_with = "abstraction")]
    markdown: bool,
}

/// Prints a schema.
///
/// # Errors
///
/// If it cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.markdown {
        output::print(&reference())?;
        return Ok(ExitCode::SUCCESS);
    }
    let schema = if args.abstraction {
        abstraction_schema()
    } else {
        profile_schema()
    };
    let text = serde_json::to_string_pretty(&schema).context("cannot write JSON")?;
    output::print(&format!("{text}\n"))?;
    Ok(ExitCode::SUCCESS)
}
