//! `enforcer exec`: run a command confined, or confine a process that runs.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::Context as _;

use super::{Socket, client, output, refused};
use crate::{
    agent::in_first_pid_namespace,
    profile::{Escaped, ProfileMode},
    protocol::{
        ProfileChoice, Request,
        views::{Adopted, Enrolled},
    },
};

/// What a shell answers for a command that it does not find.
const NOT_FOUND: u8 = 127;
/// What a shell answers for a command that it cannot run.
const NOT_RUNNABLE: u8 = 126;

/// The arguments of `enforcer exec`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A loaded profile, or a file (anything with a `/` or that ends in `.yaml`)
    #[arg(long, value_name = "NAME|FILE")]
    profile: String,
    /// Mode, if not the profile's own
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// Put a running process under the profile, in place of a command
    #[arg(long, conflicts_with = "command")]
    pid: Option<u32>,
    #[command(flatten)]
    socket: Socket,
    /// The command
    #[arg(last = true, required_unless_present = "pid", value_name = "CMD")]
    command: Vec<OsString>,
}

/// A mode, as the command line spells it.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Mode {
    /// Refuse what the profile does not grant
    Enforce,
    /// Let it through and report it
    Audit,
    /// Let it through and learn from it
    Learn,
}

impl From<Mode> for ProfileMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Enforce => Self::Enforce,
            Mode::Audit => Self::Audit,
            Mode::Learn => Self::Learn,
        }
    }
}

/// Becomes the command, under the profile. Returns only where that fails.
///
/// # Errors
///
/// If the agent does not put this process under the profile. The command is then
/// not run.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args {
        profile,
        mode,
        pid,
        socket,
        command,
    } = args;
    let profile = choice(profile)?;
    let mode = mode.map(ProfileMode::from);
    if let Some(pid) = pid {
        return adopt(&socket, profile, mode, pid);
    }
    let request = Request::Enrol { profile, mode };
    let Enrolled { profile } = client::call(&socket.socket, &request)?;

    let mut words = command.iter();
    let program = words.next().context("there is no command to run")?;
    let error = Command::new(program).args(words).exec();
    let code = match error.kind() {
        io::ErrorKind::NotFound => NOT_FOUND,
        _ => NOT_RUNNABLE,
    };
    let is_refused = error.kind() == io::ErrorKind::PermissionDenied;
    let name = Escaped::path(Path::new(program));
    super::print_error(&anyhow::Error::new(error).context(format!("cannot run {name}")));
    if is_refused {
        refused::tell(&socket, &profile, Path::new(program));
    }
    Ok(ExitCode::from(code))
}

/// Puts a running process under a profile.
fn adopt(
    socket: &Socket,
    profile: ProfileChoice,
    mode: Option<ProfileMode>,
    pid: u32,
) -> anyhow::Result<ExitCode> {
    if !in_first_pid_namespace(Path::new("/proc")) {
        anyhow::bail!("process ids mean something else in this pid namespace; run it outside");
    }
    let request = Request::Adopt { profile, mode, pid };
    let Adopted {
        profile,
        pid,
        is_new,
        exe,
    } = client::call(&socket.socket, &request)?;
    let exe = exe
        .map(|exe| format!(" ({})", Escaped(exe.as_bytes())))
        .unwrap_or_default();
    let since = if is_new {
        "from its next operation on"
    } else {
        "already"
    };
    output::print(&format!(
        "process {pid}{exe} is under the profile {profile} {since}\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns what `--profile` names.
fn choice(profile: String) -> anyhow::Result<ProfileChoice> {
    if !super::is_file(&profile) {
        return Ok(ProfileChoice::Loaded { name: profile });
    }
    let text = fs::read_to_string(&profile)
        .with_context(|| format!("cannot read the profile {profile}"))?;
    let file: PathBuf = std::path::absolute(&profile)
        .with_context(|| format!("cannot find the profile {profile}"))?;
    let file = file.into_os_string().into_string().map_err(|name| {
        anyhow::anyhow!("the name {} is no UTF-8", Escaped::path(Path::new(&name)))
    })?;
    Ok(ProfileChoice::Text { text, file })
}
