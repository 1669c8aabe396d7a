//! `enforcer detections`: what was refused.

use std::process::ExitCode;

use super::{Socket, client, output};
use crate::{
    detection::{Detection, DetectionId, TighteningId, access_text},
    profile::Escaped,
    protocol::{Request, views::Followed},
};

/// What is said of a detection without objects and processes.
const NOT_TOLD_APART: &str = "
These came faster than the kernel could tell of them, or were more than are kept of one lineage
under a profile. Their number is exact.
";

/// The arguments of `enforcer detections`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    socket: Socket,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List them, the oldest first (the default)
    List {
        /// Only those of this profile
        #[arg(long, value_name = "NAME")]
        profile: Option<String>,
    },
    /// Show one in full
    Show {
        /// Which, as the list names it
        id: DetectionId,
    },
    /// Print each new one as it comes
    Follow {
        /// Only those of this profile
        #[arg(long, value_name = "NAME")]
        profile: Option<String>,
    },
}

/// Prints detections.
///
/// # Errors
///
/// If the agent does not tell, or there is no such detection.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args {
        command,
        json,
        socket,
    } = args;
    match command.unwrap_or(Command::List { profile: None }) {
        Command::List { profile } => list(&socket, profile.as_deref(), json),
        Command::Show { id } => show(&socket, id, json),
        Command::Follow { profile } => follow(&socket, profile, json),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn list(socket: &Socket, profile: Option<&str>, json: bool) -> anyhow::Result<()> {
    let all = client::detections(&socket.socket, DetectionId(0), profile)?;
    if json {
        return output::json(&all);
    }
    let rows: Vec<_> = all.iter().map(row).collect();
    output::print(&output::table(
        [
            "ID",
            "LAST SEEN",
            "COUNT",
            "PROFILE",
            "VERDICT",
            "OPERATION",
            "ACCESS",
            "PATH",
            "EXE",
        ],
        &rows,
    ))
}

fn row(detection: &Detection) -> [String; 9] {
    [
        detection.id.to_string(),
        output::when(detection.last_seen),
        detection.count.to_string(),
        detection.profile.clone(),
        detection.verdict.clone(),
        detection.operation.clone(),
        match &detection.privilege {
            Some(privilege) => privilege.clone(),
            None => access_text(detection.missing).replace(", ", ","),
        },
        shown(&detection.path),
        detection
            .who
            .exe
            .as_deref()
            .map_or_else(|| "-".to_owned(), shown),
    ]
}

/// Returns a path, or a sign that there is none.
fn shown(path: &[u8]) -> String {
    if path.is_empty() {
        "-".to_owned()
    } else {
        Escaped(path).to_string()
    }
}

fn show(socket: &Socket, id: DetectionId, json: bool) -> anyhow::Result<()> {
    let detection: Detection = client::call(&socket.socket, &Request::Detection { id })?;
    if json {
        output::json(&detection)
    } else {
        output::print(&text(&detection))
    }
}

/// Returns a detection as people read it.
pub(super) fn text(detection: &Detection) -> String {
    let who = &detection.who;
    let escaped = |bytes: &[u8]| Escaped(bytes).to_string();
    let joined =
        |parts: Vec<String>, separator: &str| (!parts.is_empty()).then(|| parts.join(separator));
    let ancestry = who.ancestry.iter().map(|ancestor| {
        let exe = ancestor
            .exe
            .as_deref()
            .map_or_else(|| "?".to_owned(), escaped);
        format!("{exe} ({})", ancestor.pid)
    });
    let tightenings = detection.tightenings.iter().map(TighteningId::to_string);
    // What takes a privilege is no access to a path.
    let of_path = |text: String| detection.privilege.is_none().then_some(text);
    let fields = output::fields(&[
        ("verdict", Some(detection.verdict.clone())),
        (
            "profile",
            Some(format!("{} ({} layer)", detection.profile, detection.layer)),
        ),
        ("operation", Some(detection.operation.clone())),
        ("privilege", detection.privilege.clone()),
        ("path", of_path(shown(&detection.path))),
        ("needs", of_path(access_text(detection.requested))),
        ("missing", of_path(access_text(detection.missing))),
        ("reason", Some(detection.reason.clone())),
        ("response", Some(detection.response.clone())),
        ("rule", detection.rule.clone()),
        ("count", Some(detection.count.to_string())),
        ("first seen", Some(detection.first_seen.to_string())),
        ("last seen", Some(detection.last_seen.to_string())),
        ("state", Some(detection.state.name().to_owned())),
        (
            "process",
            (!detection.is_sum())
                .then(|| format!("{} (thread {}, {})", who.pid, who.tid, escaped(&who.comm))),
        ),
        ("executable", who.exe.as_deref().map(escaped)),
        (
            "command",
            who.cmdline.as_ref().map(|arguments| {
                let arguments = arguments.iter().map(|argument| escaped(argument));
                arguments.collect::<Vec<_>>().join(" ")
            }),
        ),
        (
            "user",
            (!detection.is_sum()).then(|| format!("uid {}, gid {}", who.uid, who.gid)),
        ),
        ("parents", joined(ancestry.collect(), " < ")),
        ("unit", who.unit()),
        ("cgroup", who.cgroup_path.as_deref().map(escaped)),
        ("tightenings", joined(tightenings.collect(), ", ")),
    ]);
    let id = detection.id;
    let sentence = detection.sentence();
    let note = if detection.is_sum() {
        NOT_TOLD_APART
    } else {
        ""
    };
    format!("{id}: {sentence}\n\n{fields}{note}\nwhy: enforcer explain {id}\n")
}

fn follow(socket: &Socket, profile: Option<String>, json: bool) -> anyhow::Result<()> {
    let mut call = client::Call::start(&socket.socket, &Request::Follow { profile })?;
    while let Some(followed) = call.receive()? {
        match followed {
            Followed::Detection(detection) if json => output::json(&detection)?,
            Followed::Detection(detection) => output::print(&format!(
                "{} {} {}\n",
                detection.id,
                output::when(detection.last_seen),
                detection.sentence()
            ))?,
            Followed::Missed(missed) => output::complain(&format!(
                "enforcer: {missed} detections came too fast to follow; `enforcer detections list` has them"
            )),
        }
    }
    Ok(())
}
