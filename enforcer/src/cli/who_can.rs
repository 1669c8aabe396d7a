//! `enforcer who-can`: which profiles grant an access.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
    process::ExitCode,
};

use enforcer_abi::Verdict;

use super::{
    NO,
    explain::{Answer, Asked, Op, owner, parse_op},
    output, profiles_of,
};
use crate::profile::DEFAULT_DIR;

/// What `--help` says beside the arguments.
const EXAMPLES: &str = "\
Profiles that only audit or learn let everything through, and are told, too. Exits with 1
if no profile grants it.

Examples:
  enforcer who-can write /etc/passwd
  enforcer who-can rename /srv/www/a /srv/www/b
  enforcer who-can connect tcp:10.0.0.1:443
  enforcer who-can privilege sys_admin";

/// The arguments of `enforcer who-can`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Rights or operations, as those of `enforcer explain --op`
    #[arg(value_name = "OP", value_parser = parse_op)]
    op: Op,
    /// A path; two for rename and link; an address as tcp:10.0.0.1:443, a socket as
    /// ipv4/tcp; the name of a privilege
    #[arg(value_name = "PATH|NAME", required = true, num_args = 1..=2)]
    objects: Vec<OsString>,
    /// Of what belongs to the user as whom the process acts
    #[arg(long)]
    own: bool,
    /// Folder of profiles
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    profiles: PathBuf,
    /// Print JSON: a list of what `enforcer explain --json` prints
    #[arg(long)]
    json: bool,
}

/// Asks all profiles of a folder.
///
/// # Errors
///
/// If they cannot be read, or a path is relative.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let objects: Vec<&OsStr> = args.objects.iter().map(OsString::as_os_str).collect();
    // What is wrong with the question is told before what is wrong with a profile.
    let asked = Asked::new(args.op, &objects, owner(args.own))?;
    let profiles = profiles_of(&args.profiles)?;
    let answers: Result<Vec<Answer>, _> = profiles
        .iter()
        .map(|profile| asked.answer(profile))
        .collect();
    let mut answers = answers?;
    answers.retain(|answer| answer.verdict != Verdict::Deny);

    let text = if args.json {
        let all: Vec<&str> = answers.iter().map(|answer| answer.json.as_str()).collect();
        format!("[{}]\n", all.join(","))
    } else {
        let lines = answers
            .iter()
            .flat_map(|answer| [answer.text.as_str(), "\n"]);
        lines.collect()
    };
    output::print(&text)?;
    let granted = |answer: &Answer| answer.verdict == Verdict::Allow;
    Ok(if answers.iter().any(granted) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NO)
    })
}
