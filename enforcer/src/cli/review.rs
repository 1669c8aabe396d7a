//! `enforcer review`: what a person decides of what was refused.
//!
//! - [`desk`]: what is to be decided, and what was decided so far
//! - [`dialogue`]: asking for it in the terminal; [`text`]: what is shown
//! - [`scripted`]: decisions from the command line; [`view`]: what there is to decide, for
//!   programs
//! - [`write`]: the profiles' files, once all is decided; [`agent`]: what the agent does about it

mod agent;
mod desk;
mod dialogue;
mod scripted;
mod text;
mod view;
mod write;

#[cfg(test)]
mod tests;

use std::{
    io::{self, IsTerminal as _},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context as _, ensure};

use self::{
    agent::OverSocket,
    desk::{Desk, Known},
    dialogue::Dialogue,
    scripted::{Accept, Decisions},
};
use super::{DONE, NO, Socket, output, tighten::Target};
use crate::{detection::DetectionId, draft::Root};

/// What `--help` says beside the arguments.
const EXAMPLES: &str = "\
Without a decision on the command line it asks in the terminal, one detection after another,
then one proposal of a tightening after another. What is allowed is written to the profiles at
the end, after the difference was shown and confirmed; every line that was there stays as it is.
What stays denied, and what is an attack, is noted at once.

Processes that were refused something else as well may be an attack's: then that is suggested.
Nothing is learned from an attack's processes, and tightenings do not give way to them. What
stays denied is asked of again when other processes try it; a `deny` with `quiet: true` has it
not told at all.

It exits with 1 if there is nothing to decide, or not all of it could be done.

Examples:
  enforcer review --profile nginx
  enforcer review --json
  enforcer review --accept D17 D18=folder --reason 'uploads' --dry-run
  enforcer review --accept D17 T3 --deny D4 --attack D9";

/// The arguments of `enforcer review`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only what is about this profile
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Allow what a detection is about: exactly (which goes without saying), in all of its
    /// folder, or by a pattern. Or have a proposal of a tightening take away, at once or after
    /// a trial
    #[arg(long, num_args = 1.., value_name = "ID[=exact|folder|pattern|trial]")]
    accept: Vec<Accept>,
    /// Keep it denied. Or keep what a proposal would take away, and have it not proposed again
    #[arg(long, num_args = 1.., value_name = "ID")]
    deny: Vec<Target>,
    /// Note that it is an attack
    #[arg(long, num_args = 1.., value_name = "ID")]
    attack: Vec<DetectionId>,
    /// Why, for the comment at what is allowed
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        requires = "accept"
    )]
    reason: String,
    /// Show how profiles would change, and do nothing
    #[arg(long, requires = "accept")]
    dry_run: bool,
    /// Print JSON: what there is to decide, or what was done
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    socket: Socket,
}

/// What came of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All that was decided is done.
    Done,
    /// There was nothing to decide.
    Nothing,
    /// Some of it could not be done.
    InPart,
}

/// Asks for decisions, or takes them from the command line.
///
/// # Errors
///
/// If the agent does not tell, or what was decided cannot be done at all.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args {
        profile,
        accept,
        deny,
        attack,
        reason,
        dry_run,
        json,
        socket,
    } = args;
    let decisions = Decisions {
        accept,
        deny: deny.into_iter().map(|Target(target)| target).collect(),
        attack,
        reason,
        dry_run,
    };
    let asks = decisions.is_empty() && !json;
    ensure!(
        !asks || io::stdin().is_terminal(),
        "the questions need a terminal; without one, use --json, --accept, --deny and --attack"
    );
    let known = Known::ask(&socket.socket)?;
    let root = Root::at(Path::new("/")).context("cannot read the root file system")?;
    let mut desk = Desk::new(known, profile.as_deref(), &root);
    let mut agent = OverSocket(&socket.socket);
    let outcome = if asks {
        let mut dialogue = Dialogue::new(io::stdin().lock(), io::stdout().lock());
        dialogue.run(&mut desk, &mut agent)?
    } else if decisions.is_empty() {
        let view = view::of(&mut desk);
        output::json(&view)?;
        if view.is_empty() {
            Outcome::Nothing
        } else {
            Outcome::Done
        }
    } else {
        let report = decisions.carry_out(&mut desk, &mut agent);
        report.show(json)?;
        report.outcome()
    };
    Ok(ExitCode::from(match outcome {
        Outcome::Done => DONE,
        Outcome::Nothing | Outcome::InPart => NO,
    }))
}
