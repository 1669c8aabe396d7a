//! What `enforcer status` shows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{detection::TighteningId, permit::Permit, profile::ProfileMode};

/// What is enforced, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Whether the programs are attached and a profile is loaded that enforces.
    pub enforced: bool,
    /// The agent.
    pub agent: AgentStatus,
    /// The kernel.
    pub kernel: KernelStatus,
    /// The profiles, by name.
    pub profiles: Vec<ProfileStatus>,
    /// What is let through beside the profiles for a time.
    pub permits: Vec<Permit>,
    /// Refusals and would-be refusals by reason, those that happened.
    pub reasons: BTreeMap<String, u64>,
    /// The other counters.
    pub counters: BTreeMap<String, u64>,
    /// The detections in the store.
    pub detections: DetectionTotals,
}

/// The agent that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentStatus {
    /// Its version.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// Its folder of profiles.
    pub profiles: String,
    /// Seconds since it began to enforce.
    pub uptime_seconds: u64,
}

/// The kernel it runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelStatus {
    /// `uname -r`.
    pub release: String,
    /// The active security modules.
    pub lsm: String,
    /// The hooks to which programs are attached.
    pub hooks: Vec<String>,
    /// The hooks whose programs wait for a profile that needs them. This is no gap.
    pub idle_hooks: Vec<String>,
    /// What this kernel cannot mediate, for people.
    pub gaps: Vec<String>,
}

/// A profile that the agent has loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileStatus {
    /// Its name; with `+MODE` where it is loaded a second time in another mode.
    pub name: String,
    /// The file it was read from.
    pub source: String,
    /// Where the kernel has its table.
    pub slot: u32,
    /// Its mode.
    pub mode: ProfileMode,
    /// Whether tasks still may be in it though its file is gone. It refuses
    /// nothing then.
    pub removed: bool,
    /// The number of its table.
    pub generation: u32,
    /// SHA-256 of its rights.
    pub digest: String,
    /// Length of its table, in 32-bit words.
    pub words: usize,
    /// How many rules it has, those that it includes among them.
    pub rules: usize,
    /// How many different answers it gives.
    pub outcomes: usize,
    /// The tightenings that hold.
    pub tightenings: Vec<TighteningId>,
    /// Accesses that it granted since it was loaded, but for those that the kernel
    /// programs granted from memory.
    pub hits: u64,
}

/// How many detections there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetectionTotals {
    /// All of what was refused, or would have been.
    pub total: u64,
    /// Those of them that nobody has looked at.
    pub open: u64,
    /// What profiles in the mode `learn` let through, which is in neither number.
    pub learned: u64,
}
