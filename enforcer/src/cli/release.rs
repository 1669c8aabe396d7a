//! `enforcer release`: processes that are contained are let go on.

use std::process::ExitCode;

use super::{Socket, client, output};
use crate::{
    detection::{Detection, DetectionId},
    protocol::Request,
};

/// The arguments of `enforcer release`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which detection, as `detections list` names it
    detection: DetectionId,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    socket: Socket,
}

/// Releases whom a detection contained, and what they started since.
///
/// # Errors
///
/// If there is no such detection, or it contained nobody since the agent was started.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let request = Request::Release {
        detection: args.detection,
    };
    let detection: Detection = client::call(&args.socket.socket, &request)?;
    if args.json {
        output::json(&detection)?;
    } else {
        output::print(&format!(
            "{} is released: whom it contained may use again what {} grants\n",
            detection.id, detection.profile
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
