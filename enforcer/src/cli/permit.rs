//! `enforcer permit`: something is let through for a time.

use std::{path::Path, process::ExitCode, time::Duration};

use anyhow::Context as _;
use enforcer_abi::Verdict;
use jiff::Timestamp;
use serde::Serialize;

use super::{NO, Socket, client, duration::duration, output};
use crate::{
    detection::{Detection, DetectionId, PermitId, access_text, base_name, verdict_name},
    permit::Permit,
    profile::Escaped,
    protocol::Request,
};

/// What `--help` says beside the arguments.
const EXAMPLES: &str = "\
Breaks the glass: without a rule, a profile lets everything through for a time, as if its mode
were audit; with rules, it grants those besides. The kernel ends it, whether or not the agent
runs. A deny of the profile denies on; what tightenings took away, a rule gives back meanwhile.

All that is done under it and would have been refused is a detection with the reason
`permitted`: `permit show` lists it, and `enforcer review` makes rules of it.

A rule is RIGHTS:PATH, or one as a profile has it, in braces. What is needed for longer than a
day is a rule with `until:` in the profile.

Examples:
  enforcer permit --profile nginx --for 10m --reason 'INC-481: certificate moved' read:/srv/new/**
  enforcer permit --profile shop --for 1h --reason 'debugging' \\
      '{ protocol: tcp, address: 10.1.2.3, port: 5432, allow: [connect] }'
  enforcer permit --profile postgresql --for 15m --reason 'restore of a backup'
  enforcer permit list
  enforcer permit show P3
  enforcer permit end P3";

/// The arguments of `enforcer permit`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    new: New,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    socket: Socket,
}

#[derive(Debug, clap::Args)]
struct New {
    /// Beside what profile
    #[arg(long, value_name = "NAME", required = true)]
    profile: Option<String>,
    /// For how long, a day at most
    #[arg(long = "for", value_name = "TIME", value_parser = duration, required = true)]
    time: Option<Duration>,
    /// Why; it is kept with the permit
    #[arg(long, value_name = "TEXT", required = true)]
    reason: Option<String>,
    /// What is granted besides; without one, everything is let through
    #[arg(value_name = "RULE")]
    rules: Vec<String>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what is permitted, and was
    List,
    /// Show what was done under a permit
    Show {
        /// Which, as `list` names it
        id: PermitId,
    },
    /// End a permit before its time
    End {
        /// Which, as `list` names it
        id: PermitId,
    },
}

/// A permit, and what was done under it.
#[derive(Debug, Serialize)]
struct Shown {
    permit: Permit,
    /// What would have been refused without it.
    detections: Vec<Detection>,
}

/// Permits something, ends that, or shows what was permitted.
///
/// # Errors
///
/// If the agent does not do it.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args {
        command,
        new,
        json,
        socket,
    } = args;
    let socket = &socket.socket;
    match command {
        None => {
            let wants = "clap asks for them";
            let request = Request::Permit {
                profile: new.profile.context(wants)?,
                seconds: new.time.context(wants)?.as_secs(),
                reason: new.reason.context(wants)?,
                rules: new.rules,
            };
            one(&client::call(socket, &request)?, json)
        }
        Some(Command::End { id }) => one(&client::call(socket, &Request::PermitEnd { id })?, json),
        Some(Command::List) => {
            let permits: Vec<Permit> = client::list(socket, &Request::PermitList)?;
            if json {
                output::json(&permits)?;
            } else {
                let rows: Vec<_> = permits.iter().map(row).collect();
                let head = ["ID", "STATE", "UNTIL", "PROFILE", "LETS", "REASON"];
                output::print(&output::table(head, &rows))?;
            }
            let found = if permits.is_empty() { NO } else { super::DONE };
            Ok(ExitCode::from(found))
        }
        Some(Command::Show { id }) => show(socket, id, json),
    }
}

fn one(permit: &Permit, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        output::json(permit)?;
    } else {
        output::print(&sentence(permit))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(socket: &Path, id: PermitId, json: bool) -> anyhow::Result<ExitCode> {
    let permits: Vec<Permit> = client::list(socket, &Request::PermitList)?;
    let permit = permits.into_iter().find(|permit| permit.id == id);
    let permit =
        permit.with_context(|| format!("there is no permit {id}; see `enforcer permit list`"))?;
    let all = client::detections(socket, DetectionId(0), None)?;
    let detections: Vec<Detection> = all
        .into_iter()
        .filter(|detection| is_under(detection, &permit))
        .collect();
    let shown = Shown { permit, detections };
    if json {
        output::json(&shown)?;
    } else {
        output::print(&text(&shown))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether something was done under a permit that would have been refused otherwise.
fn is_under(detection: &Detection, permit: &Permit) -> bool {
    let of_rules = detection
        .rule
        .as_deref()
        .and_then(|rule| rule.split_once(':'));
    let is_let = if permit.rules.is_empty() {
        detection.verdict == verdict_name(Verdict::Audit)
    } else {
        of_rules.is_some_and(|(file, _)| file == permit.id.to_string())
    };
    is_let
        && base_name(&detection.profile) == permit.profile
        && detection.last_seen >= permit.from
        && detection.first_seen <= permit.end()
}

fn state(permit: &Permit) -> &'static str {
    if permit.holds(Timestamp::now()) {
        "holds"
    } else if permit.ended.is_some() {
        "ended"
    } else {
        "over"
    }
}

fn row(permit: &Permit) -> [String; 6] {
    [
        permit.id.to_string(),
        state(permit).to_owned(),
        output::when(permit.end()),
        permit.profile.clone(),
        Escaped(permit.lets().as_bytes()).to_string(),
        Escaped(permit.reason.as_bytes()).to_string(),
    ]
}

/// A permit in a line.
pub(super) fn sentence(permit: &Permit) -> String {
    format!(
        "{} {} until {}, beside the profile {}: {}\n",
        permit.id,
        state(permit),
        output::when(permit.end()),
        permit.profile,
        Escaped(permit.lets().as_bytes())
    )
}

fn text(shown: &Shown) -> String {
    let Shown { permit, detections } = shown;
    let reason = Escaped(permit.reason.as_bytes());
    let head = format!("{}reason: {reason}\n\n", sentence(permit));
    if detections.is_empty() {
        return head + "nothing was done that would have been refused without it\n";
    }
    let rows: Vec<[String; 6]> = detections
        .iter()
        .map(|detection| {
            [
                detection.id.to_string(),
                detection.count.to_string(),
                detection.operation.clone(),
                access_text(detection.missing),
                match &detection.privilege {
                    Some(privilege) => format!("privilege {privilege}"),
                    None => Escaped(&detection.path).to_string(),
                },
                Escaped(detection.who.exe.as_deref().unwrap_or_default()).to_string(),
            ]
        })
        .collect();
    let head = head
        + &output::table(
            ["ID", "COUNT", "OPERATION", "ACCESS", "OBJECT", "PROGRAM"],
            &rows,
        );
    format!(
        "{head}\n`enforcer review --profile {}` makes rules of what is needed\n",
        permit.profile
    )
}
