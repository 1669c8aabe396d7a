//! From a violation to what is recorded.

use enforcer_abi::{Access, Event, Reason, Response, Verdict, ViolationKey};
use jiff::Timestamp;

use super::{Who, layer_name, privilege_name, verdict_name};

/// What one violation tells, before it has a place in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What makes two violations one detection.
    pub key: FindingKey,
    /// The rights that the operation needs.
    pub requested: Access,
    /// What the kernel did about it besides refusing it.
    pub response: Response,
    /// The rule that denies it, as `FILE:LINE:COL`, if one does.
    pub rule: Option<String>,
    /// Who did it.
    pub who: Who,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// How many violations it stands for.
    pub count: u64,
}

/// What makes two violations one detection, within one boot of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FindingKey {
    /// [`enforcer_abi::Label::lineage`].
    pub lineage: u64,
    /// The profile that did not grant.
    pub profile: String,
    /// The layer that the profile is in.
    pub layer: &'static str,
    /// What was tried.
    pub operation: &'static str,
    /// The privilege that it needs. `None`: rights on a path.
    pub privilege: Option<String>,
    /// On what; empty where the kernel could not name it.
    pub path: Vec<u8>,
    /// The rights that were not granted.
    pub missing: Access,
    /// Why they were not.
    pub reason: &'static str,
    /// What became of it.
    pub verdict: &'static str,
}

impl Finding {
    /// Returns the finding as one of many that are not told apart: as if its event were lost.
    #[must_use]
    pub fn folded(&self) -> Self {
        Self {
            key: FindingKey {
                path: Vec::new(),
                missing: self.requested,
                ..self.key.clone()
            },
            rule: None,
            who: Who::default(),
            ..self.clone()
        }
    }
}

impl FindingKey {
    /// Whether it is only what a profile is to learn from.
    pub fn is_learned(&self) -> bool {
        self.verdict == verdict_name(Verdict::Learn)
    }

    /// Returns the key of the violation that `event` tells of.
    pub fn of_event(event: &Event, path: &[u8], profile: &str) -> Self {
        Self {
            lineage: event.lineage,
            profile: profile.to_owned(),
            layer: layer_name(event.layer),
            operation: event.operation.name(),
            privilege: privilege_name(event.privilege),
            path: path.to_owned(),
            missing: event.missing,
            reason: event.reason.name(),
            verdict: verdict_name(event.verdict),
        }
    }

    /// Returns the key of a violation whose event was lost. Neither its path nor
    /// the rights that were missing are known, so all that it needs count as
    /// missing.
    pub fn of_lost(key: &ViolationKey, profile: &str) -> Self {
        Self {
            lineage: key.lineage,
            profile: profile.to_owned(),
            layer: layer_name(key.layer),
            operation: key.operation.name(),
            privilege: privilege_name(key.privilege),
            path: Vec::new(),
            missing: key.requested,
            reason: key.reason.name(),
            verdict: verdict_name(key.verdict),
        }
    }
}

/// Returns the key under which the kernel counts the violation that `event`
/// tells of.
pub fn violation_key(event: &Event) -> ViolationKey {
    ViolationKey {
        lineage: event.lineage,
        path_hash: event.path_hash,
        slot: event.slot,
        requested: event.requested,
        operation: event.operation,
        reason: event.reason,
        layer: event.layer,
        verdict: event.verdict,
        privilege: event.privilege,
        response: event.response,
        reserved: [0; 2],
    }
}

/// The reason of what was let through since it was permitted for a time. The kernel's own is
/// [`Reason::Watched`] where a permit has rules, else [`Reason::NotGranted`].
pub const PERMITTED: &str = "permitted";

/// Whether a detection of this reason is an attempt to leave the profile, rather
/// than an object that could not be judged.
pub fn leaves_profile(reason: &str) -> bool {
    reason == Reason::NotGranted.name() || reason == PERMITTED
}
