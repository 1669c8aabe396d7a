//! `enforcer learn`: a profile from what a program is seen to do.
//!
//! The program runs under a profile that grants nothing and refuses nothing, so that the
//! agent records all that it does. What comes of that is decided in [`crate::learn`].
//!
//! - [`subject`]: who is watched; [`watch`]: until when
//! - [`progress`]: how it goes; [`report`]: what came of it

mod progress;
mod report;
mod subject;
mod watch;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;

use self::subject::Subject;
use super::{NO, Socket, client, duration::duration, exec::Mode, files, output};
use crate::{
    detection::{Detection, DetectionId},
    draft::Root,
    learn::{
        self, Learned, Thresholds, found,
        recorded::{of_run, recorded, suspects},
    },
    profile::{ABSTRACTIONS, Escaped, NAME_LEN, ProfileMode, is_name},
    protocol::{Request, views::Watched},
};

/// How the name of a profile begins under which is watched.
const PREFIX: &str = "learn-";
/// What stands for the folder of its file: it has none.
const FOLDER: &str = "/run/enforcer/learn";
/// How long an agent that went away may take to come back.
const RESTARTED_WITHIN: Duration = Duration::from_mins(1);

/// What `--help` says beside the arguments.
const EXAMPLES: &str = "\
Nothing is refused meanwhile. A command is watched from its first instruction, with all that
descends from it; so is a program or a unit that is started from now on. Watching ends with the
command or the processes, after --for, with Ctrl-C, or with the terminal (not under nohup),
and each of them leaves a profile. A command gets SIGTERM then, so that its end is seen, too.

A profile is about more than what was seen where a name is volatile (a pid, a date, a temporary
name), or where a folder is used as a whole; each such rule says why, and what exists that it
admits beyond that. Nothing is learned from processes with an open detection: what they did may
be an attack.

Of a hundred accesses, so many were seen before that \"known\" tells how much of the program's
work this run has shown.

Examples:
  enforcer learn -o /etc/enforcer/profiles/redis.yaml -- redis-server /etc/redis/redis.conf
  enforcer learn --for 10m -o nginx.yaml --unit nginx.service
  enforcer learn --for 10m -o sshd.yaml --executable /usr/sbin/sshd
  enforcer learn --name backup --pid 4711";

/// The arguments of `enforcer learn`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group(clap::ArgGroup::new("subject").required(true).multiple(false)))]
pub struct Args {
    /// Name of the profile, if not that of FILE or of the program
    #[arg(long)]
    name: Option<String>,
    /// Watch no longer than that (90s, 10m, 2h)
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    time: Option<Duration>,
    /// Mode of the profile
    #[arg(long, value_enum, default_value = "audit")]
    mode: Mode,
    /// Write the profile to this file, and not to stdout. To one that is there, what it does
    /// not grant is added
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Folder of profiles whose abstractions it may include, if not that of FILE
    /// [default: /etc/enforcer/profiles]
    #[arg(long, value_name = "DIR")]
    profiles: Option<PathBuf>,
    /// Watch a program, whoever starts it
    #[arg(long, group = "subject", value_name = "PROGRAM")]
    executable: Option<PathBuf>,
    /// Watch a unit, and what it starts from now on
    #[arg(long, group = "subject")]
    unit: Option<String>,
    /// Watch a process and what descends from it. Can be given several times
    #[arg(long, group = "subject")]
    pid: Vec<u32>,
    #[command(flatten)]
    socket: Socket,
    /// The command
    #[arg(last = true, group = "subject", value_name = "CMD")]
    command: Vec<OsString>,
}

/// Watches, and writes the profile.
///
/// # Errors
///
/// If the agent does not watch, or the profile cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args {
        name,
        time,
        mode,
        output,
        profiles,
        executable,
        unit,
        pid,
        socket,
        command,
    } = args;
    let subject = match (executable, unit, pid.is_empty()) {
        (Some(path), ..) => Subject::Program(
            fs::canonicalize(&path)
                .with_context(|| format!("cannot find the program {}", Escaped::path(&path)))?,
        ),
        (_, Some(unit), _) => Subject::Unit(unit),
        (_, _, false) => Subject::Processes(pid),
        (_, _, true) => Subject::Command(command),
    };
    let executables = subject.executables();
    let name = match output.as_deref() {
        Some(file) => files::name_of(file, name.as_deref())?,
        None => name.unwrap_or_else(|| subject.name(&executables)),
    };
    ensure!(
        is_name(&name) && PREFIX.len() + name.len() <= NAME_LEN,
        "a profile cannot be named {name:?}: a name has up to {} small letters, digits and `_.-`, \
         and begins with a letter or digit; give it another with --name",
        NAME_LEN - PREFIX.len()
    );
    let folder = files::folder_of_profiles(profiles.as_deref(), output.as_deref());
    let abstractions = folder.join(ABSTRACTIONS);
    let available = files::abstractions(&abstractions)?;
    // What is wrong with it is told before somebody has watched for an hour.
    let before = output.as_deref().map(read).transpose()?.flatten();

    let learning = format!("{PREFIX}{name}");
    let detections = observe(&socket, &learning, &subject, time)?;
    let seen = recorded(&detections, &learning, &found);
    let left_out = suspects(&detections);
    report::suspects(&detections, &left_out);
    let mut observations = seen.observations.iter();
    if observations.all(|one| left_out.contains(&one.lineage)) {
        output::complain("enforcer: nothing was learned, and no profile is written");
        return Ok(ExitCode::from(NO));
    }
    let root = Root::at(Path::new("/")).context("cannot read the root file system")?;
    let description = format!("{} (learned)", subject.title());
    let request = learn::Request {
        name: &name,
        description: &description,
        executables: &executables,
        units: &subject.units(),
        mode: ProfileMode::from(mode),
        observations: &seen.observations,
        left_out: &left_out,
        existing: &root,
        abstractions: &abstractions,
        available: &available,
        thresholds: Thresholds::default(),
        schema: files::has_schema(folder),
    };
    let learned = match (&before, output.as_deref()) {
        (Some(text), Some(file)) => learn::merge(&request, text, file)?,
        _ => learn::learn(&request)?,
    };
    write(output.as_deref(), before.as_deref(), &learned)?;
    report::learned(&learned, &seen);
    Ok(ExitCode::SUCCESS)
}

/// Watches a subject under a profile that learns. Returns what is known of its lineages.
fn observe(
    socket: &Socket,
    learning: &str,
    subject: &Subject,
    time: Option<Duration>,
) -> anyhow::Result<Vec<Detection>> {
    let applies = subject.applies_to();
    let since = Timestamp::now();
    let request = Request::Watch {
        text: format!("name: {learning}\nmode: learn\n{applies}paths: []\n"),
        file: format!("{FOLDER}/{learning}.yaml"),
    };
    let mut connection = client::Call::start(&socket.socket, &request)?;
    let Watched { last, .. } = connection.answer()?;
    let session = watch::Session {
        socket,
        connection: &mut connection,
        learning,
        last,
    };
    watch::run(session, subject, time)?;
    let mut patience = Duration::ZERO;
    // What was done until now is recorded, once that is answered.
    match connection.finish::<Watched>() {
        Ok(_) => {}
        Err(client::CallError::Failure(failure)) => output::complain(&format!(
            "enforcer: the profile {learning} stays loaded for now: {failure}"
        )),
        Err(_) => {
            output::complain(
                "enforcer: the agent went away, and what was done since is not learned; \
                 waiting for it to come back, since it has the rest",
            );
            patience = RESTARTED_WITHIN;
        }
    }
    let after = match subject {
        Subject::Command(_) => last,
        // What runs already may have been refused something before.
        _ => DetectionId(0),
    };
    let ask = || client::detections(&socket.socket, after, None);
    let detections = client::patiently(patience, ask)
        .context("cannot read what was recorded, and no profile is written")?;
    Ok(of_run(detections, learning, since))
}

/// What stands in the file of a profile; `None`, if there is none.
fn read(file: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
            if folder.is_some_and(|folder| !folder.is_dir()) {
                bail!("there is no folder for {}", Escaped::path(file));
            }
            Ok(None)
        }
        Err(error) => {
            Err(error).with_context(|| format!("cannot read the profile {}", Escaped::path(file)))
        }
    }
}

/// Writes the profile; what it adds to one from before is shown.
fn write(file: Option<&Path>, before: Option<&str>, learned: &Learned) -> anyhow::Result<()> {
    let text = &learned.text;
    let Some(file) = file else {
        return output::print(text);
    };
    let name = Escaped::path(file).to_string();
    let failed = || format!("cannot write {name}");
    match before {
        Some(before) if before == text => Ok(()),
        Some(before) => {
            // First, since a terminal that is gone takes nothing more.
            files::replace(file, text).with_context(failed)?;
            output::print(&output::diff(
                before,
                text,
                [&name, &format!("{name}, learned")],
            ))
        }
        None => files::create(file, text).with_context(failed),
    }
}
