//! `enforcer explain`: why an access is, or was, granted or refused.
//!
//! - `op`: what is asked about; `path`: where, as the kernel has it
//! - `rights`, `moves`, `privilege`: the answers of a profile, without the agent
//!
//! The agent's answer about a detection is [`super::why`]'s.

mod moves;
mod op;
mod path;
mod privilege;
pub(super) mod rights;

use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use enforcer_abi::{Access, Verdict};

pub(super) use self::op::{Op, parse as parse_op};
use super::{NO, Socket, output, why};
use crate::profile::{
    ABSTRACTIONS, Answer, DEFAULT_DIR, Escaped, NetworkObject, Owner, Profile, ProfileError,
    Question, ends,
};

/// What `--help` says beside the arguments.
const EXAMPLES: &str = "\
Exits with 1 if the profile does not grant it; a rename, if it does not of a file.

Examples:
  enforcer explain D17
  enforcer explain --profile nginx --op read,write /srv/www/index.html
  enforcer explain --profile nginx --op rename /srv/www/a /srv/www/b
  enforcer explain --profile nginx --op connect tcp:10.0.0.1:443
  enforcer explain --profile nginx --op privilege sys_admin";

/// The arguments of `enforcer explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArgs {
    /// A detection; with --profile a path, two of them, an address as tcp:10.0.0.1:443, a
    /// socket as ipv4/tcp, or a privilege
    #[arg(value_name = "DETECTION|PATH|NAME", required = true, num_args = 1..=2)]
    pub objects: Vec<OsString>,
    /// A profile, or its file (anything with a `/` or that ends in `.yaml`)
    #[arg(long, value_name = "NAME|FILE", requires = "op")]
    pub profile: Option<String>,
    /// Rights, with commas between them: read, write, append, create, remove,
    /// execute, map, attributes, metadata, connect, bind. Or operations that ask for them:
    /// mkdir, unlink, chmod and so on. Or one of rename, link and privilege
    #[arg(long, value_name = "OP", value_parser = parse_op, requires = "profile")]
    pub op: Option<Op>,
    /// Of what belongs to the user as whom the process acts
    #[arg(long, requires = "profile")]
    pub own: bool,
    /// Folder of profiles
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    pub profiles: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Where the agent listens
    #[command(flatten)]
    pub socket: Socket,
}

/// An answer for people and one for programs.
pub(super) struct Shown {
    pub(super) text: String,
    /// On one line.
    pub(super) json: String,
}

/// Asks a profile about an access, or the agent about a detection. Exits with 1 if the
/// profile does not grant the access, be it that it only audits.
///
/// # Errors
///
/// If the profile cannot be read, a path is relative or has a `..`, or the agent does not tell.
pub fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let ExplainArgs {
        objects,
        profile,
        op,
        own,
        profiles,
        json,
        socket,
    } = args;
    let objects: Vec<&OsStr> = objects.iter().map(OsString::as_os_str).collect();
    let (Some(profile), Some(op)) = (profile, *op) else {
        let id = match objects[..] {
            [id] => id.to_str().unwrap_or_default().parse(),
            _ => "".parse(),
        };
        let id = id.context("to ask about a path, give --profile and --op")?;
        return why::run(id, *json, socket);
    };
    // What is wrong with the question is told before what is wrong with the profile.
    let question = question(op, &objects, owner(*own))?;
    let profile = load(profile, profiles)?.without_ended(ends::now());
    let answer = question.ask(&profile)?;
    let shown = shown(&profile, &answer)?;
    let line = if *json { &shown.json } else { &shown.text };
    output::print(&format!("{line}\n"))?;
    Ok(match answer.verdict() {
        Verdict::Allow => ExitCode::SUCCESS,
        Verdict::Learn | Verdict::Audit | Verdict::Deny => ExitCode::from(NO),
    })
}

/// Asks whether `op` is granted on `objects`.
pub(super) fn question<'a>(
    op: Op,
    objects: &[&'a OsStr],
    owner: Owner,
) -> anyhow::Result<Question<'a>> {
    Ok(match (op, objects) {
        (Op::Rights(access), [object]) => Question::Rights {
            access,
            name: object_of(object, access)?,
            owner,
        },
        (Op::Move(how), [old, new]) => Question::Move {
            how,
            paths: [path::canonical(old)?, path::canonical(new)?],
            owner,
        },
        (Op::Privilege, [name]) => {
            Question::Privilege(privilege::named(name.to_str().unwrap_or_default())?)
        }
        (Op::Rights(_), _) => anyhow::bail!("these rights are about one path"),
        (Op::Move(_), _) => anyhow::bail!("a rename or a link is about two paths: OLD NEW"),
        (Op::Privilege, _) => anyhow::bail!("name one privilege"),
    })
}

/// What `profile` answered, for people and for programs.
pub(super) fn shown(profile: &Profile, answer: &Answer<'_>) -> anyhow::Result<Shown> {
    match answer {
        Answer::Rights { name, explanation } => rights::shown(profile, name, explanation),
        Answer::Move { how, paths, growth } => moves::shown(profile, *how, *paths, growth),
        Answer::Privilege { privilege, verdict } => privilege::shown(profile, *privilege, *verdict),
    }
}

/// To whom what is asked about belongs.
pub(super) fn owner(is_own: bool) -> Owner {
    if is_own { Owner::Task } else { Owner::Other }
}

/// The name by which tables judge what the command line names: a path, or something of a
/// network where the rights can be about one.
fn object_of(object: &OsStr, access: Access) -> anyhow::Result<Cow<'_, [u8]>> {
    let bytes = object.as_bytes();
    if bytes.starts_with(b"/") || !Access::ON_NETWORKS.contains(access) {
        return path::canonical(object);
    }
    let named: NetworkObject = object
        .to_str()
        .unwrap_or_default()
        .parse()
        .with_context(|| format!("{} is no path and nothing of a network", Escaped(bytes)))?;
    Ok(named.name().into())
}

/// The profile that the command line names, or its file.
pub(super) fn load(profile: &str, profiles: &Path) -> Result<Profile, ProfileError> {
    let (file, beside) = if super::is_file(profile) {
        let file = PathBuf::from(profile);
        let beside = file.parent().unwrap_or(Path::new("")).join(ABSTRACTIONS);
        (file, beside)
    } else {
        let file = profiles.join(format!("{profile}.yaml"));
        (file, profiles.join(ABSTRACTIONS))
    };
    let abstractions = if beside.is_dir() {
        beside
    } else {
        profiles.join(ABSTRACTIONS)
    };
    Profile::load(&file, &abstractions)
}
