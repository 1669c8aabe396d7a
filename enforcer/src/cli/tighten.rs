//! `enforcer tighten`: what a profile grants and nobody uses.

use std::{fmt::Write as _, process::ExitCode, str::FromStr};

use super::{NO, Socket, client, output};
use crate::{
    agent::{lost_text, removals_text},
    detection::{DetectionId, IdError, TighteningId},
    protocol::{
        Request, TightenTarget,
        views::{LogEntry, Plan},
    },
    tighten::Overlay,
};

/// The arguments of `enforcer tighten`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    socket: Socket,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what could be taken away; changes nothing
    Plan {
        /// After this detection; without one, after all of them
        detection: Option<DetectionId>,
    },
    /// Put a proposal on trial: it takes nothing away until its time is over and nobody used
    /// what it would
    Try {
        /// Which, as `plan` names it
        id: TighteningId,
    },
    /// Take away what a proposal, or a plan after a detection, says
    Apply {
        /// Which, as `plan` or `detections list` names it
        #[arg(value_name = "ID|DETECTION")]
        target: Target,
    },
    /// Give back what a tightening took away
    Revert {
        /// Which, as `log` names it
        id: TighteningId,
    },
    /// Show what was taken away and given back
    Log,
}

/// A tightening or a detection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target(pub(super) TightenTarget);

impl FromStr for Target {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let detection = text.parse().map(TightenTarget::Detection);
        detection
            .or_else(|_| text.parse().map(TightenTarget::Tightening))
            .map(Self)
    }
}

/// Plans, applies or reverts tightenings.
///
/// # Errors
///
/// If the agent does not do it.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args {
        command,
        json,
        socket,
    } = args;
    let socket = &socket.socket;
    match command {
        Command::Plan { detection } => {
            let plans: Vec<Plan> = client::list(socket, &Request::TightenPlan { detection })?;
            if json {
                output::json(&plans)?;
            } else if plans.is_empty() {
                output::complain("enforcer: there is nothing unused to take away");
            } else {
                output::print(&plans.iter().map(plan_text).collect::<String>())?;
            }
            let found = if plans.is_empty() { NO } else { super::DONE };
            Ok(ExitCode::from(found))
        }
        Command::Apply { target } => {
            let request = Request::TightenApply { target: target.0 };
            changed(&client::call::<Vec<Overlay>>(socket, &request)?, json)
        }
        Command::Try { id } => {
            let request = Request::TightenTry { id };
            changed(&client::call::<Vec<Overlay>>(socket, &request)?, json)
        }
        Command::Revert { id } => {
            let request = Request::TightenRevert { id };
            changed(&client::call::<Vec<Overlay>>(socket, &request)?, json)
        }
        Command::Log => {
            let log: Vec<LogEntry> = client::list(socket, &Request::TightenLog)?;
            if json {
                output::json(&log)?;
            } else {
                output::print(&log_text(&log))?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Says what is different now.
fn changed(overlays: &[Overlay], json: bool) -> anyhow::Result<ExitCode> {
    if json {
        output::json(&overlays)?;
    } else {
        let lines = overlays.iter().map(|overlay| {
            let Overlay {
                id,
                state,
                profile,
                removals,
                ..
            } = overlay;
            format!(
                "{id} {} {profile}: {}\n",
                state.name(),
                removals_text(removals)
            )
        });
        output::print(&lines.collect::<String>())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns a plan as people read it.
pub(super) fn plan_text(plan: &Plan) -> String {
    let Plan {
        id,
        profile,
        detections,
        removals,
        trial,
        in_use,
        lost,
        lost_count,
    } = plan;
    let detections: Vec<_> = detections.iter().map(DetectionId::to_string).collect();
    // What was not used for long is proposed after none.
    let after = match detections.join(", ") {
        none if none.is_empty() => String::new(),
        after => format!(" after {after}"),
    };
    let mut text = match id {
        Some(id) => format!("{id} profile {profile}, proposed{after}\n"),
        None => format!("profile {profile}, not proposed yet,{after}\n"),
    };
    if let Some(until) = trial {
        // Writing to a string does not fail.
        let _written = writeln!(text, "  on trial until {}", output::when(*until));
    }
    for removal in removals {
        let _written = writeln!(text, "  {}", removals_text(std::slice::from_ref(removal)));
    }
    if !in_use.is_empty() {
        let _written = writeln!(
            text,
            "  cannot be applied, in use by now: {}",
            removals_text(in_use)
        );
    }
    for one in lost {
        let lost = lost_text(std::slice::from_ref(one));
        let _written = writeln!(text, "  cannot be applied, was in use: {lost}");
    }
    let more = lost_count.saturating_sub(lost.len());
    if more > 0 {
        let _written = writeln!(text, "  cannot be applied, was in use: {more} more");
    }
    text
}

fn log_text(log: &[LogEntry]) -> String {
    let rows: Vec<_> = log
        .iter()
        .map(|entry| {
            [
                entry.at.clone(),
                entry.tightening.to_string(),
                entry.state.clone(),
                entry.profile.clone(),
                entry.cause.clone(),
            ]
        })
        .collect();
    output::table(["AT", "TIGHTENING", "STATE", "PROFILE", "CAUSE"], &rows)
}
