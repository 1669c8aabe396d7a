//! How a violation is answered.

use enforcer_abi::Respond as Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a violation is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnViolation {
    /// What the kernel does to the process at once.
    #[serde(default)]
    pub respond: Respond,
    /// Whether grants that were never used are taken away.
    #[serde(default)]
    pub tighten: Tighten,
}

/// What the kernel does to a process that was refused something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Respond {
    /// Nothing more.
    #[default]
    None,
    /// From its next system call on, and with all that it starts, it may only read what the
    /// profile grants, until `enforcer release`. What it has open stays open.
    Contain,
}

/// Whether grants that were never used are taken away after a violation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tighten {
    /// They stay.
    Off,
    /// They stay until somebody accepts the proposal.
    #[default]
    Propose,
    /// They go at once.
    Auto,
}

impl Respond {
    /// The name, as profiles spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Contain => "contain",
        }
    }

    /// The number by which the kernel programs know it.
    pub(super) const fn for_kernel(self) -> Response {
        match self {
            Self::None => Response::NONE,
            Self::Contain => Response::CONTAIN,
        }
    }
}

impl Tighten {
    /// The name, as profiles spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Propose => "propose",
            Self::Auto => "auto",
        }
    }
}
