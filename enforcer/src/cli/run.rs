//! `enforcer run`: the agent, in the foreground.

use std::{path::PathBuf, process::ExitCode};

use super::{NO, UNSUPPORTED, output};
use crate::{
    agent::{self, AgentError, loaded::ChangeError},
    kernel::LoadError,
    profile::{CompileError, DEFAULT_DIR, ProfileError},
    protocol::SOCKET,
};

/// The arguments of `enforcer run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of profiles
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    profiles: PathBuf,
    /// Folder for detections and tightenings
    #[arg(long, value_name = "DIR", default_value = "/var/lib/enforcer")]
    state: PathBuf,
    /// Socket for the other commands
    #[arg(long, value_name = "PATH", default_value = SOCKET)]
    socket: PathBuf,
}

/// Runs the agent until a signal ends it.
///
/// # Errors
///
/// If it cannot start.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args {
        profiles,
        state,
        socket,
    } = args;
    match agent::run(agent::Options {
        profiles,
        state,
        socket,
    }) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(AgentError::Profiles { errors }) => Ok(invalid(&errors)),
        Err(AgentError::Change {
            source: ChangeError::Compile(error),
        }) => {
            let error: CompileError = *error;
            Ok(invalid(&[error.into()]))
        }
        Err(error @ AgentError::Load(LoadError::Unsupported(_))) => {
            super::print_error(&error.into());
            Ok(ExitCode::from(UNSUPPORTED))
        }
        Err(error) => Err(error.into()),
    }
}

/// Says what is wrong with profiles.
fn invalid(errors: &[ProfileError]) -> ExitCode {
    for error in errors {
        output::complain(&error.to_string());
    }
    if errors.iter().all(ProfileError::is_unreadable) {
        ExitCode::from(super::ERROR)
    } else {
        ExitCode::from(NO)
    }
}
