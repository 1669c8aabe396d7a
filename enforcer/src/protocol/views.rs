//! What the commands besides `status` show.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    detection::{Detection, DetectionId, TighteningId},
    history::Use,
    profile::{Profile, Removal, Rule},
    tighten::Overlay,
};

/// Some of a list that comes in parts, a line each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part<T> {
    /// They.
    pub items: Vec<T>,
    /// Whether another part follows.
    pub more: bool,
}

/// Some of the detections there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// They, by name.
    pub detections: Vec<Detection>,
    /// Whether there are more after them.
    pub more: bool,
}

/// What a client that follows gets a line of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Followed {
    /// A new detection.
    Detection(Box<Detection>),
    /// The client was too slow for this many; the list has them.
    Missed(u64),
}

/// A profile under which is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// Its name.
    pub profile: String,
    /// The last detection that there is now, or 0.
    pub last: DetectionId,
}

/// A process that will be confined from its next exec on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The profile, with `+MODE` where it is not in its own mode.
    pub profile: String,
}

/// A running process that is confined from its next operation on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// The profile, with `+MODE` where it is not in its own mode.
    pub profile: String,
    /// The process.
    pub pid: u32,
    /// Whether it was not before.
    pub is_new: bool,
    /// What it runs, if that can be told.
    pub exe: Option<String>,
}

/// What came of loading profiles, by the names that they are loaded under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// Those that are others than before.
    pub loaded: Vec<String>,
    /// Those that are gone, and refuse nothing any more.
    pub removed: Vec<String>,
    /// Those that are gone, and still refuse.
    pub stuck: Vec<String>,
}

/// Some of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// Objects that were used.
    pub uses: Vec<Use>,
    /// The place of the last one, after which the next page begins.
    pub last: i64,
    /// Whether there are more after it.
    pub more: bool,
}

/// Why something was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// What.
    pub detection: Detection,
    /// The same in a sentence.
    pub sentence: String,
    /// What the profile says of the path or the privilege now. `None`: it is not
    /// loaded, or the kernel could not name the object.
    pub now: Option<Judged>,
    /// The tightenings that it led to.
    pub tightenings: Vec<Overlay>,
}

/// What a profile says of a path or a privilege.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Whether it would be granted.
    pub granted: bool,
    /// The rules that grant some of it.
    pub granting: Vec<RuleView>,
    /// The rules that deny some of it.
    pub denying: Vec<RuleView>,
    /// Where no rule says anything: those that come nearest.
    pub nearest: Vec<RuleView>,
}

/// A rule, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleView {
    /// `FILE:LINE:COL`.
    pub origin: String,
    /// Its pattern.
    pub pattern: String,
    /// The rights that it allows.
    pub allow: Vec<String>,
    /// The rights that it denies.
    pub deny: Vec<String>,
    /// When it ends, if it does: `until 2026-12-01T00:00:00Z, for 30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<String>,
    /// Why, in its author's words.
    pub reason: Option<String>,
}

/// What would be taken away from a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The proposal, if it was made before.
    pub id: Option<TighteningId>,
    /// The profile.
    pub profile: String,
    /// After which detections.
    pub detections: Vec<DetectionId>,
    /// What would go.
    pub removals: Vec<Removal>,
    /// Until when it is on trial, if it is.
    pub trial: Option<Timestamp>,
    /// What of it has been used since it was proposed. While there is some, the
    /// proposal cannot be applied.
    pub in_use: Vec<Removal>,
    /// Objects that the history shows in use, with the rights that they would lose: the
    /// first 32, or fewer if their paths are long. While there is one, the proposal cannot be
    /// applied.
    pub lost: Vec<Use>,
    /// How many there are in all.
    pub lost_count: usize,
}

/// A change of a tightening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// When, RFC 3339.
    pub at: String,
    /// Which tightening.
    pub tightening: TighteningId,
    /// The profile.
    pub profile: String,
    /// The state that it has since then.
    pub state: String,
    /// What brought it there.
    pub cause: String,
}

impl RuleView {
    /// Returns a view of a rule.
    pub fn new(rule: &Rule) -> Self {
        Self {
            origin: rule.origin.to_string(),
            pattern: rule.pattern.text().to_owned(),
            allow: rule.allow.names().map(str::to_owned).collect(),
            deny: rule.deny.names().map(str::to_owned).collect(),
            ends: (!rule.ends.is_never()).then(|| rule.ends.to_string()),
            reason: rule.reason.clone(),
        }
    }

    /// Returns views of the rules of `profile` with these indices.
    pub fn of(profile: &Profile, indices: &[usize]) -> Vec<Self> {
        profile.rules_at(indices).map(Self::new).collect()
    }
}
