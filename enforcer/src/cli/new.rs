//! `enforcer new`: a first profile for a program.

use std::{
    path::{Path, PathBuf, absolute},
    process::ExitCode,
};

use anyhow::Context as _;

use super::{exec::Mode, files, output};
use crate::{
    draft::{Draft, Request, Root, draft},
    profile::{ABSTRACTIONS, Escaped, ProfileMode},
};

/// What `--help` says beside the arguments.
const EXAMPLES: &str = "\
It reads what the host knows: the program's package (dpkg, rpm), the units of systemd that start
it, its libraries and what it calls. The program is not run. The profile only audits, and each
rule has a comment that says where it comes from; it is a start, and no more than that.

Examples:
  enforcer new /usr/sbin/nginx
  enforcer new -o /etc/enforcer/profiles/redis.yaml /usr/bin/redis-server
  enforcer new --root /srv/image /usr/sbin/chronyd";

/// The arguments of `enforcer new`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The program
    #[arg(value_name = "EXECUTABLE")]
    executable: PathBuf,
    /// Name of the profile, if not that of the program or of FILE
    #[arg(long)]
    name: Option<String>,
    /// User as whom the program runs, if not the one that its unit names
    #[arg(long)]
    user: Option<String>,
    /// Mode of the profile
    #[arg(long, value_enum, default_value = "audit")]
    mode: Mode,
    /// Write the profile to this file, which is not there yet, and not to stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Root file system of the host
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Folder of profiles whose abstractions it may include, if not that of FILE
    /// [default: /etc/enforcer/profiles]
    #[arg(long, value_name = "DIR")]
    profiles: Option<PathBuf>,
}

/// Drafts a profile.
///
/// # Errors
///
/// If there is no such program, or the profile cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Args {
        executable,
        name,
        user,
        mode,
        output,
        root,
        profiles,
    } = args;
    let root_dir = root;
    let root = Root::at(root_dir)
        .with_context(|| format!("cannot read the root {}", Escaped::path(root_dir)))?;
    let name = match output {
        Some(file) => Some(files::name_of(file, name.as_deref())?),
        None => name.clone(),
    };
    let profiles = files::folder_of_profiles(profiles.as_deref(), output.as_deref());
    let abstractions = profiles.join(ABSTRACTIONS);
    let available = files::abstractions(&abstractions)?;
    let executable = if root_dir == Path::new("/") {
        absolute(executable).context("cannot tell where the program is")?
    } else {
        Path::new("/").join(executable)
    };
    let Draft {
        text,
        notes,
        warnings,
    } = draft(&Request {
        root: &root,
        executable: &executable,
        name: name.as_deref(),
        user: user.as_deref(),
        mode: ProfileMode::from(*mode),
        abstractions: &abstractions,
        available: &available,
        schema: files::has_schema(profiles),
    })?;
    match output {
        Some(file) => {
            files::create(file, &text)
                .with_context(|| format!("cannot write {}", Escaped::path(file)))?;
        }
        None => output::print(&text)?,
    }
    for note in notes {
        output::complain(&format!("note: {}", Escaped(note.as_bytes())));
    }
    for warning in warnings {
        output::complain(&warning.to_string());
    }
    Ok(ExitCode::SUCCESS)
}
