//! `enforcer history`: what was used of what profiles grant.

use std::{path::Path, process::ExitCode};

use super::{NO, Socket, client, output};
use crate::{
    detection::access_text,
    history::{Use, summed},
    profile::{Escaped, object_text},
    protocol::{Request, views::HistoryPage},
};

/// The arguments of `enforcer history`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only that of this profile
    profile: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    socket: Socket,
}

/// Shows the history.
///
/// # Errors
///
/// If the agent cannot be asked.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let uses = summed(read(&args.socket.socket, args.profile.as_deref())?);
    if args.json {
        output::json(&uses)?;
    } else {
        let rows: Vec<_> = uses.iter().map(row).collect();
        output::print(&output::table(
            ["LAST SEEN", "PROFILE", "PROGRAM", "ACCESS", "PATH"],
            &rows,
        ))?;
    }
    let found = if uses.is_empty() { NO } else { super::DONE };
    Ok(ExitCode::from(found))
}

/// Returns the history of a profile, or of all.
///
/// # Errors
///
/// If the agent cannot be asked.
pub(super) fn read(socket: &Path, profile: Option<&str>) -> anyhow::Result<Vec<Use>> {
    let (mut uses, mut after) = (Vec::new(), 0);
    loop {
        let profile = profile.map(str::to_owned);
        let page: HistoryPage = client::call(socket, &Request::History { after, profile })?;
        let ended = page.uses.is_empty() || !page.more;
        uses.extend(page.uses);
        after = page.last;
        if ended {
            return Ok(uses);
        }
    }
}

fn row(one: &Use) -> [String; 5] {
    let access = access_text(one.access).replace(", ", ",");
    [
        output::when(one.last),
        one.profile.clone(),
        Escaped(&one.program).to_string(),
        // What was not granted, a profile on trial let through.
        if one.is_granted {
            access
        } else {
            format!("({access})")
        },
        Escaped(&object_text(&one.path)).to_string(),
    ]
}
