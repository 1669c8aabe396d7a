//! The schema of profiles and abstractions, word for word.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_yaml::Spanned;

use super::{OnViolation, ProfileMode};

/// A file of `profiles/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProfile {
    /// No default: it names the table in the kernel, the detections, the state.
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) applies_to: Option<Spanned<RawAppliesTo>>,
    /// No default: whether a profile enforces is never left unsaid.
    pub(super) mode: ProfileMode,
    #[serde(default)]
    pub(super) include: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) variables: RawVariables,
    #[serde(default)]
    pub(super) paths: Vec<Spanned<RawPath>>,
    #[serde(default)]
    pub(super) exec: Vec<Spanned<RawExec>>,
    #[serde(default)]
    pub(super) privileges: Option<Spanned<Vec<Spanned<String>>>>,
    /// Whether the rules speak of `metadata`. Most programs ask for it so often that
    /// nobody would read what they ask.
    #[serde(default)]
    pub(super) metadata: bool,
    #[serde(default)]
    pub(super) on_violation: OnViolation,
}

/// A file of `profiles/abstractions/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAbstraction {
    #[serde(default, rename = "description")]
    pub(super) _description: String,
    #[serde(default)]
    pub(super) include: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) variables: RawVariables,
    #[serde(default)]
    pub(super) paths: Vec<Spanned<RawPath>>,
    #[serde(default)]
    pub(super) exec: Vec<Spanned<RawExec>>,
}

/// Whom a profile confines wherever it is started.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAppliesTo {
    /// Patterns of programs.
    #[serde(default)]
    pub(super) executables: Vec<Spanned<String>>,
    /// Names or ids.
    #[serde(default)]
    pub(super) users: Vec<Spanned<String>>,
    /// Names of systemd's units.
    #[serde(default)]
    pub(super) units: Vec<Spanned<String>>,
    /// Patterns of paths from the root of cgroup v2.
    #[serde(default)]
    pub(super) cgroups: Vec<Spanned<String>>,
}

/// Rights on the paths of a pattern.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPath {
    pub(super) path: Spanned<String>,
    #[serde(default)]
    pub(super) allow: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(super) deny: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// Programs that may be started, and the profile they go on in: the one that
/// `profile` names, or without it the one of the program that starts them. Or, with
/// `deny`, programs that may not be started.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExec {
    pub(super) path: Spanned<String>,
    #[serde(default)]
    pub(super) profile: Option<Spanned<String>>,
    /// Says what holds without it, too.
    #[serde(default)]
    pub(super) inherit: Option<Spanned<bool>>,
    #[serde(default)]
    pub(super) deny: Option<Spanned<bool>>,
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// Names with their values, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct RawVariables(pub(super) Vec<(Spanned<String>, Spanned<RawVariable>)>);

/// The value of a variable.
#[derive(Debug)]
pub(super) enum RawVariable {
    /// Text.
    One(String),
    /// Alternatives.
    Many(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for RawVariables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = RawVariables;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names with their values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut names = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    names.push(entry);
                }
                Ok(RawVariables(names))
            }
        }

        deserializer.deserialize_map(Names)
    }
}

// Not an untagged enum: those lose the places of what is inside.
impl<'de> Deserialize<'de> for RawVariable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;

        impl<'de> Visitor<'de> for Value {
            type Value = RawVariable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a list of texts")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(RawVariable::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(RawVariable::Many(values))
            }
        }

        deserializer.deserialize_any(Value)
    }
}
