//! The command line.
//!
//! One file for each command; [`client`] asks the agent, [`output`] writes. Exit
//! codes are a contract: 0 done, 1 the answer is no, 2 any error, 3 this host
//! cannot enforce.

pub mod check;
pub mod client;
pub mod completions;
pub mod detections;
pub mod diff;
mod duration;
pub mod exec;
pub mod explain;
mod files;
pub mod fmt;
pub mod history;
pub mod import;
pub mod learn;
pub mod man;
pub mod new;
pub mod output;
pub mod permit;
mod refused;
pub mod release;
pub mod review;
pub mod run;
pub mod schema;
pub mod show;
pub mod snippet;
pub mod status;
pub mod tighten;
pub mod who_can;
pub mod why;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory as _, Parser, error::ErrorKind};

use crate::{
    profile::{ProfileSet, is_yaml},
    protocol::{FailureKind, SOCKET},
};

/// It is done.
pub const DONE: u8 = 0;
/// The answer is no: an invalid profile, an access that is not granted, nothing
/// found.
pub const NO: u8 = 1;
/// Usage, or any other error.
pub const ERROR: u8 = 2;
/// This host cannot enforce.
pub const UNSUPPORTED: u8 = 3;

/// Confine programs to the paths that their profiles name
#[derive(Debug, Parser)]
#[command(name = "enforcer", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Run the agent, in the foreground
    Run(run::Args),
    /// Run a command under a profile
    Exec(exec::Args),
    /// Show what is enforced, and how that is known
    Status(status::Args),
    /// Validate profiles
    Check(check::CheckArgs),
    /// Tell why an access is, or was, granted or refused
    Explain(explain::ExplainArgs),
    /// Show what a profile comes to, with what it includes
    Show(show::Args),
    /// Tell which profiles grant an access
    WhoCan(who_can::Args),
    /// Tell what one profile grants and another does not
    Diff(diff::Args),
    /// Draft a first profile for a program
    New(new::Args),
    /// Watch a program, and write the profile that it needs
    Learn(learn::Args),
    /// Format profiles
    Fmt(fmt::Args),
    /// Make profiles of what another tool has
    Import(import::Args),
    /// Print the JSON Schema of profiles, for editors
    Schema(schema::Args),
    /// Print what a shell needs to complete the command line
    Completions(completions::Args),
    /// Print or write manual pages
    Man(man::Args),
    /// Show what was refused
    Detections(detections::Args),
    /// Decide of what was refused: allow it, keep it denied, or call it an attack
    Review(review::Args),
    /// Let something through for a time
    Permit(permit::Args),
    /// Release the processes that a detection contained
    Release(release::Args),
    /// Show what was used of what profiles grant
    History(history::Args),
    /// Take away what profiles grant and nobody uses
    Tighten(tighten::Args),
}

/// Where the agent listens.
#[derive(Debug, clap::Args)]
pub struct Socket {
    /// Socket of the agent
    #[arg(long, value_name = "PATH", default_value = SOCKET, global = true)]
    pub socket: PathBuf,
}

/// Does what the command line says.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match dispatch(cli.command) {
        Ok(code) => code,
        Err(error) => {
            print_error(&error);
            ExitCode::from(code_of(&error))
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(args) => run::run(args),
        Command::Exec(args) => exec::run(args),
        Command::Status(args) => status::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Show(args) => show::run(&args),
        Command::WhoCan(args) => who_can::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::New(args) => new::run(&args),
        Command::Learn(args) => learn::run(args),
        Command::Fmt(args) => fmt::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Detections(args) => detections::run(args),
        Command::Review(args) => review::run(args),
        Command::Permit(args) => permit::run(args),
        Command::Release(args) => release::run(&args),
        Command::History(args) => history::run(&args),
        Command::Tighten(args) => tighten::run(args),
    }
}

/// The profiles of a folder.
///
/// # Errors
///
/// All that is wrong with them, by lines.
fn profiles_of(dir: &Path) -> anyhow::Result<ProfileSet> {
    ProfileSet::load_dir(dir).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the profiles have errors:\n{}", lines.join("\n"))
    })
}

/// Whether a profile that the command line names is a file.
fn is_file(profile: &str) -> bool {
    profile.contains('/') || is_yaml(Path::new(profile))
}

/// Shows help, or what is wrong with the command line.
fn usage(error: &clap::Error) -> ExitCode {
    let _shown = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::from(DONE),
        _ => ExitCode::from(ERROR),
    }
}

/// Returns the exit code that belongs to an error.
fn code_of(error: &anyhow::Error) -> u8 {
    match error.downcast_ref() {
        Some(client::CallError::Failure(failure)) => match failure.kind {
            FailureKind::NotFound | FailureKind::InvalidProfile => NO,
            _ => ERROR,
        },
        _ => ERROR,
    }
}

/// Prints an error with its causes. What is wrong with a profile begins with its
/// place, as compilers have it.
fn print_error(error: &anyhow::Error) {
    match error.downcast_ref() {
        Some(client::CallError::Failure(failure))
            if failure.kind == FailureKind::InvalidProfile =>
        {
            output::complain(&failure.message);
        }
        _ => output::complain(&format!("enforcer: {error:#}")),
    }
}

/// Returns the command line's description, for manual pages and completions.
pub fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use super::{command, is_file};

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn names_and_files() {
        #[rustfmt::skip]
        let cases = [
            ("a name",           "nginx",       false),
            ("a path",           "./nginx",     true),
            ("a file",           "nginx.yaml",  true),
            ("a name with dots", "nginx.1",     false),
        ];
        for (name, text, want) in cases {
            assert_eq!(is_file(text), want, "{name}");
        }
    }
}
