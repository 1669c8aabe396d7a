//! `enforcer new`: a first profile for a program.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf, absolute},
    process::ExitCode,
};

use anyhow::{Context as _, bail, ensure};

use super::{exec::Mode, output};
use crate::{
    draft::{Draft, Request, Root, draft},
    profile::{ABSTRACTIONS, DEFAULT_DIR, Escaped, ProfileMode, yaml_files},
};

/// The schema that lies beside profiles.
const SCHEMA: &str = "profile.schema.json";

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
        Some(file) => Some(name_of(file, name.as_deref())?),
        None => name.clone(),
    };
    let beside = output.as_deref().map(folder_of);
    let profiles = match (profiles.as_deref(), beside) {
        (Some(profiles), _) | (None, Some(profiles)) => profiles,
        (None, None) => Path::new(DEFAULT_DIR),
    };
    let abstractions = profiles.join(ABSTRACTIONS);
    let available = if abstractions.is_dir() {
        let files = yaml_files(&abstractions)?.into_iter();
        let stems = files.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()));
        stems.collect()
    } else {
        Vec::new()
    };
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
        schema: profiles.join(SCHEMA).is_file(),
    })?;
    match output {
        Some(file) => {
            write(file, &text).with_context(|| format!("cannot write {}", Escaped::path(file)))?;
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

/// The folder of a file.
fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The name of the profile in a file, which is the file's own.
fn name_of(file: &Path, name: Option<&str>) -> anyhow::Result<String> {
    let is_yaml = file.extension().is_some_and(|end| end == "yaml");
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    let Some(stem) = stem.filter(|_| is_yaml) else {
        bail!(
            "the file of a profile is named NAME.yaml, and not {}",
            Escaped::path(file)
        );
    };
    if let Some(name) = name {
        ensure!(
            name == stem,
            "the profile {name} has to be in a file {name}.yaml, and not in {}",
            Escaped::path(file)
        );
    }
    Ok(stem.to_owned())
}

/// Writes a file that is not there yet.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let mut open = OpenOptions::new().write(true).create_new(true).open(file)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()
}
