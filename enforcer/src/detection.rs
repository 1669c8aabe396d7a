//! Detections: what the agent makes of the kernel's violations.
//!
//! A *violation* is one refused operation as the kernel saw it. A *detection*
//! stands for all violations of one lineage under one profile that tried the
//! same thing on the same object and failed for the same reason: who it was,
//! what was tried, when first and last, and how often.
//!
//! - [`id`]: the names of detections and tightenings
//! - [`finding`]: from a violation to what is recorded
//! - [`who`]: the process behind it
//! - `wire`: the form in which programs read it

pub mod finding;
pub mod id;
pub mod who;
mod wire;

use enforcer_abi::{Access, Layer, Privilege, Verdict};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use finding::Finding;
pub use id::{DetectionId, IdError, PermitId, TighteningId};
pub use who::{Ancestor, Who};

use crate::profile::Escaped;

/// A detection, as it is stored and shown.
///
/// Operation, layer, reason and verdict are kept as they are spelled, so that a
/// store that a later version wrote can still be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "wire::Detection", try_from = "wire::Detection")]
pub struct Detection {
    /// Its name.
    pub id: DetectionId,
    /// Whose it is: [`enforcer_abi::Label::lineage`], of the boot in which it happened.
    pub lineage: u64,
    /// The profile that did not grant.
    pub profile: String,
    /// The layer that the profile is in: `user`, `application` or `process`.
    pub layer: String,
    /// What was tried.
    pub operation: String,
    /// The privilege that it needs. `None`: rights on a path.
    pub privilege: Option<String>,
    /// The rights that it needs.
    pub requested: Access,
    /// Those of them that were not granted.
    pub missing: Access,
    /// On what; empty where the kernel could not name it.
    pub path: Vec<u8>,
    /// Why it was not granted.
    pub reason: String,
    /// What became of it: `denied`, `audited` or `learned`.
    pub verdict: String,
    /// What was done about it besides: `none`, or the process was `contained`; it is no
    /// longer once it was `released`, or if the agent `ended`.
    pub response: String,
    /// The rule that denies it, as `FILE:LINE:COL`, if one does.
    pub rule: Option<String>,
    /// The first process that did it.
    pub who: Who,
    /// When first.
    pub first_seen: Timestamp,
    /// When last.
    pub last_seen: Timestamp,
    /// How often.
    pub count: u64,
    /// How far people are with it.
    pub state: State,
    /// The tightenings that it led to.
    pub tightenings: Vec<TighteningId>,
}

/// How far people are with a detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nobody has looked at it.
    Open,
    /// Somebody has, and will do something about it.
    Acknowledged,
    /// There is nothing left to do.
    Resolved,
}

impl State {
    /// The name, as the command line and the store spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Open, Self::Acknowledged, Self::Resolved]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// The name of a layer, as the command line and the store spell it.
pub const fn layer_name(layer: Layer) -> &'static str {
    match layer {
        Layer::User => "user",
        Layer::Application => "application",
        Layer::Process => "process",
    }
}

/// The name of a verdict, as the command line and the store spell it.
pub const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "allowed",
        Verdict::Learn => "learned",
        Verdict::Audit => "audited",
        Verdict::Deny => "denied",
    }
}

/// The name of a privilege, as the command line and the store spell it; `None` for
/// [`Privilege::NONE`]. A capability that came after this agent goes by its number.
pub fn privilege_name(privilege: Privilege) -> Option<String> {
    (!privilege.is_none()).then(|| match privilege.name() {
        Some(name) => name.to_owned(),
        None => format!("capability-{}", privilege.0),
    })
}

/// The name of the profile in that of an instance: `nginx` of `nginx+audit`.
pub fn base_name(instance: &str) -> &str {
    instance.split_once('+').map_or(instance, |(name, _)| name)
}

/// The rights of `access`, as a person reads them: `read, write`. What they imply goes
/// without saying.
pub fn access_text(access: Access) -> String {
    let names: Vec<_> = access.without_implied().names().collect();
    names.join(", ")
}

impl Detection {
    /// Returns the detection that a finding is the first of.
    pub fn new(id: DetectionId, finding: &Finding) -> Self {
        let Finding {
            key,
            requested,
            response,
            rule,
            who,
            first,
            last,
            count,
        } = finding;
        Self {
            id,
            lineage: key.lineage,
            profile: key.profile.clone(),
            layer: key.layer.to_owned(),
            operation: key.operation.to_owned(),
            privilege: key.privilege.clone(),
            requested: *requested,
            missing: key.missing,
            path: key.path.clone(),
            reason: key.reason.to_owned(),
            verdict: key.verdict.to_owned(),
            response: response.name().to_owned(),
            rule: rule.clone(),
            who: who.clone(),
            first_seen: *first,
            last_seen: *last,
            count: *count,
            state: State::Open,
            tightenings: Vec::new(),
        }
    }

    /// Whether it is only what a profile is to learn from, and no violation.
    pub fn is_learned(&self) -> bool {
        self.verdict == verdict_name(Verdict::Learn)
    }

    /// Whether it was refused, or would have been.
    pub fn is_refused(&self) -> bool {
        let refused = [Verdict::Deny, Verdict::Audit].map(verdict_name);
        refused.contains(&self.verdict.as_str())
    }

    /// Whether it would have been refused, if nobody had permitted it for a time.
    pub fn is_permitted(&self) -> bool {
        self.reason == finding::PERMITTED
    }

    /// Whether it stands for violations that are not told apart: the kernel had no room for
    /// what it had to tell, or the store for more of this lineage.
    pub fn is_sum(&self) -> bool {
        self.who.pid == 0
    }

    /// Returns the detection in one sentence.
    pub fn sentence(&self) -> String {
        let pid = self.who.pid;
        let subject = match &self.who.exe {
            _ if self.is_sum() => "a lineage of processes".to_owned(),
            Some(exe) => format!("{} (pid {pid})", Escaped(exe)),
            None => format!("{} (pid {pid})", Escaped(&self.who.comm)),
        };
        let outcome = if self.is_learned() {
            "was let through, to be learnt,"
        } else if self.is_permitted() {
            "was permitted for a time"
        } else if self.verdict == verdict_name(Verdict::Audit) {
            "would have been refused"
        } else if self.verdict == verdict_name(Verdict::Allow) {
            "was granted"
        } else {
            "was refused"
        };
        let times = match self.count {
            1 => String::new(),
            count => format!(", {count} times"),
        };
        format!(
            "{subject} {outcome} {} by the profile {}{times}",
            self.object(),
            self.profile,
        )
    }

    /// What was tried on what.
    fn object(&self) -> String {
        if let Some(privilege) = &self.privilege {
            return format!("the privilege {privilege}");
        }
        let object = if self.is_sum() {
            "objects that are not told apart".to_owned()
        } else if self.path.is_empty() {
            "an object without a name".to_owned()
        } else {
            Escaped(&self.path).to_string()
        };
        let access = match access_text(self.missing) {
            // A move that gives rights lacks none.
            none if none.is_empty() => self.reason.clone(),
            access => access,
        };
        format!("{} of {object} ({access})", self.operation)
    }
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
