//! `enforcer run`: the agent, in the foreground.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use super::{NO, UNSUPPORTED, duration::any_duration, output};
use crate::{
    agent::{self, AgentError, loaded::ChangeError},
    kernel::{AccessError, LoadError, hooks, preemption},
    profile::{CompileError, DEFAULT_DIR, ProfileError},
    protocol::SOCKET,
};

/// Where detections and tightenings lie, unless the command line says otherwise.
pub(super) const STATE: &str = "/var/lib/enforcer";

/// The arguments of `enforcer run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of profiles
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    profiles: PathBuf,
    /// Folder for detections and tightenings
    #[arg(long, value_name = "DIR", default_value = STATE)]
    state: PathBuf,
    /// Socket for the other commands
    #[arg(long, value_name = "PATH", default_value = SOCKET)]
    socket: PathBuf,
    /// Start though the kernel lacks this hook, or is fully preemptible and too old
    /// for that (`preempt`); what is then not mediated is a gap
    #[arg(long, value_name = "HOOK|preempt", value_parser = lack)]
    allow_degraded: Vec<String>,
    /// Judge every access by its path, and remember nothing: slower, and else the same
    #[arg(long)]
    no_cache: bool,
    /// How long a tightening is on trial before it takes away by itself; 0s: not at all
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = any_duration)]
    trial: Duration,
    /// How long a right has to be unused before it is proposed to go, or goes with `tighten:
    /// auto`; 0s: not for that
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = any_duration)]
    unused_after: Duration,
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
        allow_degraded,
        no_cache,
        trial,
        unused_after,
    } = args;
    match agent::run(agent::Options {
        profiles,
        state,
        socket,
        allow_degraded,
        no_cache,
        trial,
        unused_after,
    }) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(AgentError::Profiles { errors }) => Ok(invalid(&errors)),
        Err(AgentError::Change {
            source: ChangeError::Compile(error),
        }) => {
            let error: CompileError = *error;
            Ok(invalid(&[error.into()]))
        }
        Err(AgentError::Change {
            source: error @ (ChangeError::UnknownUser { .. } | ChangeError::TwoUsers { .. }),
        }) => {
            output::complain(&error.to_string());
            Ok(ExitCode::from(NO))
        }
        Err(AgentError::Change {
            source: error @ ChangeError::Lacks { .. },
        }) => {
            output::complain(&error.to_string());
            Ok(ExitCode::from(UNSUPPORTED))
        }
        Err(
            error @ (AgentError::Load(LoadError::Unsupported(_))
            | AgentError::Change {
                source:
                    ChangeError::Kernel {
                        source: AccessError::NoHook { .. },
                        ..
                    },
            }),
        ) => {
            super::print_error(&error.into());
            Ok(ExitCode::from(UNSUPPORTED))
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns the name of what may be lacking, if it is one.
fn lack(name: &str) -> Result<String, String> {
    if name == preemption::NAME || hooks::by_name(name).is_some() {
        Ok(name.to_owned())
    } else {
        Err("no program is attached to such a hook; COVERAGE.md lists the hooks".to_owned())
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
