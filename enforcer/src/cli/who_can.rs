//! `enforcer who-can`: which profiles grant an access.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
    process::ExitCode,
};

use enforcer_abi::Verdict;

use super::{
    NO,
    explain::{Op, Shown, owner, parse_op, question, shown},
    output, profiles_of,
};
use crate::profile::{Answer, DEFAULT_DIR, ends, who_can};

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
/// If they cannot be read, or a path is relative or has a `..`.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let objects: Vec<&OsStr> = args.objects.iter().map(OsString::as_os_str).collect();
    // What is wrong with the question is told before what is wrong with a profile.
    let question = question(args.op, &objects, owner(args.own))?;
    let profiles = profiles_of(&args.profiles)?.without_ended(ends::now());
    let able = who_can(&profiles, &question)?;
    let answers: Result<Vec<Shown>, _> = able
        .iter()
        .map(|(profile, answer)| shown(profile, answer))
        .collect();
    let answers = answers?;

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
    let is_granted = |(_, answer): &(_, Answer<'_>)| answer.verdict() == Verdict::Allow;
    Ok(if able.iter().any(is_granted) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NO)
    })
}
