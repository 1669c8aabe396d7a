//! What the command line and the agent say to each other.
//!
//! A client connects to the unix socket, sends one line of JSON and gets lines of
//! JSON back: one, or as many as there are where it follows or watches. A request is
//! `{"v":1,"command":…}`; a reply is `{"ok":…}` or `{"error":{"kind":…,"message":…}}`. A list
//! that may be long comes in parts ([`views::Part`]), so that no line is.
//!
//! - [`line`]: reading and writing lines, within limits
//! - [`status`]: what `enforcer status` shows
//! - [`views`]: what the other commands show

pub mod line;
pub mod status;
pub mod views;

use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{
    detection::{DetectionId, PermitId, State, TighteningId},
    profile::ProfileMode,
};

/// The version of the protocol.
pub const VERSION: u32 = 1;
/// The agent's socket, unless it is told otherwise.
pub const SOCKET: &str = "/run/enforcer/enforcer.sock";

/// What a client can ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Request {
    /// What is enforced? → [`status::Status`] without profiles and permits, then these in parts.
    Status,
    /// Which detections are there after one? → [`views::Page`].
    Detections {
        /// The last one that the client has.
        after: DetectionId,
        /// Only those of this profile.
        profile: Option<String>,
    },
    /// What is a detection? → [`crate::detection::Detection`].
    Detection {
        /// Which.
        id: DetectionId,
    },
    /// Which detections of a profile happened just now? → [`views::Page`], in no
    /// more than one.
    Recent {
        /// Which profile.
        profile: String,
    },
    /// What was used? → [`views::HistoryPage`].
    History {
        /// The place of the last object that the client has, or 0.
        after: i64,
        /// Only that of this profile.
        profile: Option<String>,
    },
    /// Which detections come up from now on? → a line for each:
    /// [`views::Followed`].
    Follow {
        /// Only those of this profile.
        profile: Option<String>,
    },
    /// Why was it refused? → [`views::Explained`].
    Explain {
        /// What.
        detection: DetectionId,
    },
    /// Load a profile for the time that the client watches what is done under it: until it
    /// closes the connection, or its end for writing. What is under the profile then stays
    /// there, and is let do everything. → [`views::Watched`], at once and at the end.
    Watch {
        /// Its text.
        text: String,
        /// What stands for its file, an absolute path.
        file: String,
    },
    /// Put the asking process under a profile at its next exec. →
    /// [`views::Enrolled`].
    Enrol {
        /// Which profile.
        profile: ProfileChoice,
        /// In which mode, if not in the profile's own.
        mode: Option<ProfileMode>,
    },
    /// Put a running process under a profile. → [`views::Adopted`].
    Adopt {
        /// Which profile.
        profile: ProfileChoice,
        /// In which mode, if not in the profile's own.
        mode: Option<ProfileMode>,
        /// The process, by its id in the first pid namespace.
        pid: u32,
    },
    /// Note how far people are with detections, with all or with none. → the list of their
    /// names.
    Settle {
        /// Which.
        detections: Vec<DetectionId>,
        /// How far.
        state: State,
    },
    /// Load the profiles of the folder anew, all or none. → [`views::Reloaded`].
    Reload,
    /// Load a profile that lies elsewhere. → [`views::Reloaded`].
    Load {
        /// Its text.
        text: String,
        /// Its file, an absolute path.
        file: String,
    },
    /// Release whom a detection contained. → [`crate::detection::Detection`].
    Release {
        /// Which.
        detection: DetectionId,
    },
    /// Let something through for a time. → [`crate::permit::Permit`].
    Permit {
        /// Beside what profile.
        profile: String,
        /// For how long.
        seconds: u64,
        /// Why.
        reason: String,
        /// What, as rules; nothing: everything.
        rules: Vec<String>,
    },
    /// End that before its time. → [`crate::permit::Permit`].
    PermitEnd {
        /// Which.
        id: PermitId,
    },
    /// What is permitted, and was? → in parts, each [`crate::permit::Permit`].
    PermitList,
    /// What would be taken away? → in parts, each [`views::Plan`].
    TightenPlan {
        /// After which detection; without one, after all of them.
        detection: Option<DetectionId>,
    },
    /// Put a proposal on trial. → a list of one [`crate::tighten::Overlay`].
    TightenTry {
        /// Which.
        id: TighteningId,
    },
    /// Take away what a proposal, or a plan after a detection, says. → a
    /// list of [`crate::tighten::Overlay`].
    TightenApply {
        /// Which.
        target: TightenTarget,
    },
    /// Give back what a tightening took away. → a list of one
    /// [`crate::tighten::Overlay`].
    TightenRevert {
        /// Which.
        id: TighteningId,
    },
    /// Have a proposal not be made again. What is on trial is taken back. → a list of one
    /// [`crate::tighten::Overlay`].
    TightenDecline {
        /// Which.
        id: TighteningId,
    },
    /// What was taken away and given back, and when? → in parts, each
    /// [`views::LogEntry`].
    TightenLog,
    /// Which tightenings are there? → in parts, each [`crate::tighten::Overlay`].
    TightenList,
}

/// The profile that a process is to be put under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ProfileChoice {
    /// One that the agent has loaded.
    Loaded {
        /// Its name.
        name: String,
    },
    /// One that the client has read.
    Text {
        /// The file's text.
        text: String,
        /// The file's absolute path.
        file: String,
    },
}

/// What `tighten apply` is pointed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TightenTarget {
    /// A tightening that was proposed or reverted.
    Tightening(TighteningId),
    /// What a plan after this detection says.
    Detection(DetectionId),
}

/// What the agent answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply<T> {
    /// The answer.
    Ok(T),
    /// There is none.
    Error(Failure),
}

/// Why the agent has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// What happened, for people.
    pub message: String,
}

/// What kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The request makes no sense, or asks for more than the limits allow.
    BadRequest,
    /// The client may not ask.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// A profile has errors, one a line, each with its place.
    InvalidProfile,
    /// It cannot be done as things stand.
    Conflict,
    /// The kernel, the store or the agent failed.
    Internal,
}

impl Failure {
    /// A failure of this kind with this message.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// A failure of ours. The message has the whole chain of causes.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::new(FailureKind::Internal, chain(error))
    }
}

/// Returns an error with its causes on one line, the outermost first.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

#[derive(Serialize)]
struct Outgoing<'a> {
    v: u32,
    #[serde(flatten)]
    request: &'a Request,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
    #[serde(flatten)]
    _rest: IgnoredAny,
}

/// Returns `request` as a line, with its end.
///
/// # Errors
///
/// If it cannot be put into JSON.
pub fn request_line(request: &Request) -> serde_json::Result<String> {
    line::of(&Outgoing {
        v: VERSION,
        request,
    })
}

/// Reads a request.
///
/// # Errors
///
/// A failure to answer with: the version is told before anything else, so that
/// a later client learns why it is not understood.
pub fn parse_request(line: &[u8]) -> Result<Request, Failure> {
    let bad = |error: serde_json::Error| {
        Failure::new(
            FailureKind::BadRequest,
            format!("cannot understand the request: {error}"),
        )
    };
    let Version { v, .. } = serde_json::from_slice(line).map_err(bad)?;
    if v != VERSION {
        return Err(Failure::new(
            FailureKind::BadRequest,
            format!(
                "the client speaks version {v} and the agent version {VERSION}; use the \
                 `enforcer` that the agent was started with"
            ),
        ));
    }
    serde_json::from_slice(line).map_err(bad)
}

#[cfg(test)]
mod tests;
