//! The schema of profiles and abstractions, word for word.

use std::{borrow::Cow, fmt};

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Unexpected, Visitor},
};
use serde_yaml::{Location, Spanned};

use super::{OnViolation, ProfileMode, schema};

/// What programs, users or services may do: a file `NAME.yaml` in a folder of profiles.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Profile of enforcer")]
pub(super) struct RawProfile {
    /// The profile's name: that of its file without `.yaml`. It names the profile in
    /// detections and on the command line.
    #[schemars(with = "String", regex(pattern = "^[a-z0-9][a-z0-9_.-]{0,63}$"))]
    pub(super) name: Spanned<String>,
    /// For people.
    #[serde(default)]
    pub(super) description: String,
    /// Whom it confines, wherever that is started. Without it the profile is for exec rules
    /// and for `enforcer exec`.
    #[serde(default)]
    #[schemars(with = "Option<RawAppliesTo>")]
    pub(super) applies_to: Option<Spanned<RawAppliesTo>>,
    /// What becomes of what it does not grant. It has no default, so that nobody takes a
    /// profile for one that enforces.
    pub(super) mode: ProfileMode,
    /// Abstractions whose rules the profile has, too: files of the folder `abstractions`
    /// beside it, without `.yaml`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) include: Vec<Spanned<String>>,
    /// Names for `${name}` in patterns and for addresses, each with a text or a list of
    /// alternatives. `homes`, `temp`, `run_user`, `bin` and `lib` are there unless they are
    /// defined otherwise.
    #[serde(default)]
    pub(super) variables: RawVariables,
    /// Rights on paths. What no rule allows is not granted; a deny wins.
    #[serde(default)]
    #[schemars(with = "Vec<RawPath>")]
    pub(super) paths: Vec<Spanned<RawPath>>,
    /// Programs that may be started, and in which profile they go on.
    #[serde(default)]
    #[schemars(with = "Vec<RawExec>")]
    pub(super) exec: Vec<Spanned<RawExec>>,
    /// Sockets, and what they reach. What no rule allows is refused; a deny wins. Unix
    /// sockets are files, in `paths`.
    #[serde(default)]
    #[schemars(with = "Vec<RawNetwork>")]
    pub(super) network: Vec<Spanned<RawNetwork>>,
    /// What no path speaks of: capabilities without their `cap_`, and other ways out of a
    /// domain. What is not listed is refused, to root too.
    #[serde(default)]
    #[schemars(schema_with = "schema::privileges")]
    pub(super) privileges: Option<Spanned<Vec<Spanned<String>>>>,
    /// Whether the rules speak of `metadata`, as `stat` reads. Without it that is granted on
    /// every path: most programs ask for it so often that nobody would read what they ask.
    #[serde(default = "not")]
    #[schemars(with = "bool")]
    pub(super) metadata: Spanned<bool>,
    /// How a violation is answered.
    #[serde(default)]
    pub(super) on_violation: OnViolation,
}

/// What nobody said.
fn not() -> Spanned<bool> {
    Spanned::new(false, Location::UNKNOWN, Location::UNKNOWN)
}

/// Rules that profiles have in common: a file in the folder `abstractions`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Abstraction of enforcer")]
pub(super) struct RawAbstraction {
    /// For people.
    #[serde(default, rename = "description")]
    pub(super) _description: String,
    /// Other abstractions.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) include: Vec<Spanned<String>>,
    /// Names for `${name}` in patterns and for addresses, each with a text or a list of
    /// alternatives. `homes`, `temp`, `run_user`, `bin` and `lib` are there unless they are
    /// defined otherwise.
    #[serde(default)]
    pub(super) variables: RawVariables,
    /// Rights on paths.
    #[serde(default)]
    #[schemars(with = "Vec<RawPath>")]
    pub(super) paths: Vec<Spanned<RawPath>>,
    /// Programs that may be started.
    #[serde(default)]
    #[schemars(with = "Vec<RawExec>")]
    pub(super) exec: Vec<Spanned<RawExec>>,
    /// Sockets, and what they reach.
    #[serde(default)]
    #[schemars(with = "Vec<RawNetwork>")]
    pub(super) network: Vec<Spanned<RawNetwork>>,
}

/// Whom a profile confines. At least one list is there. No program, user or cgroup has two
/// profiles; a process may have one of each kind, and then all have to grant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AppliesTo")]
pub(super) struct RawAppliesTo {
    /// Programs, as patterns of their paths.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) executables: Vec<Spanned<String>>,
    /// Users, by name or id.
    #[serde(default)]
    #[schemars(schema_with = "schema::users")]
    pub(super) users: Vec<Spanned<String>>,
    /// Units of systemd.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) units: Vec<Spanned<String>>,
    /// Cgroups with what is beneath them, as patterns of their paths from the root of
    /// cgroup v2.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) cgroups: Vec<Spanned<String>>,
}

/// Rights on the paths of a pattern: either `allow` or `deny`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PathRule")]
pub(super) struct RawPath {
    /// The paths, from the root: `*` within a name, `**` across names, `?`, `[a-z]`,
    /// `{a,b}`, `${variable}`.
    #[schemars(with = "String")]
    pub(super) path: Spanned<String>,
    /// The rights that it grants.
    #[serde(default)]
    #[schemars(schema_with = "schema::allowed")]
    pub(super) allow: Option<Spanned<Vec<Spanned<String>>>>,
    /// The rights that it takes away, whatever grants them.
    #[serde(default)]
    #[schemars(schema_with = "schema::denied")]
    pub(super) deny: Option<Spanned<Vec<Spanned<String>>>>,
    /// It allows only what belongs to the user as whom the process acts.
    #[serde(default)]
    #[schemars(with = "Option<bool>")]
    pub(super) owner: Option<Spanned<bool>>,
    /// It allows until this time: `2026-12-01T09:30:00Z`, or a day, which begins at midnight,
    /// UTC. The kernel does not grant by it from then on.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) until: Option<Spanned<String>>,
    /// It allows to each process for so long after it came under the profile: `30s`, `10m`,
    /// `2h`, `1d`. What only starting needs is no one's afterwards.
    #[serde(default, rename = "for")]
    #[schemars(with = "Option<String>")]
    pub(super) within: Option<Spanned<String>>,
    /// What it allows is told, too, each time.
    #[serde(default)]
    #[schemars(with = "Option<bool>")]
    pub(super) audit: Option<Spanned<bool>>,
    /// What it denies is not told.
    #[serde(default)]
    #[schemars(with = "Option<bool>")]
    pub(super) quiet: Option<Spanned<bool>>,
    /// Why. It is shown with what the rule refuses.
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// What may be done with networks: either `allow` or `deny`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NetworkRule")]
pub(super) struct RawNetwork {
    /// Families of sockets: ipv4 and ipv6, unless it says otherwise.
    #[serde(default)]
    #[schemars(schema_with = "schema::families")]
    pub(super) family: Option<Spanned<RawWords>>,
    /// Protocols of the family. Without it: all.
    #[serde(default)]
    #[schemars(schema_with = "schema::protocols")]
    pub(super) protocol: Option<Spanned<RawWords>>,
    /// Addresses and ranges of addresses, as `10.0.0.0/8` or `::1`, or `${variable}` for all
    /// that its value lists. Without it: all.
    #[serde(default)]
    #[schemars(schema_with = "schema::words")]
    pub(super) address: Option<Spanned<RawWords>>,
    /// Ports and ranges of ports, as `443` or `8000-8999`; 0 is one that the kernel chooses.
    /// Without it: all.
    #[serde(default)]
    #[schemars(schema_with = "schema::words")]
    pub(super) port: Option<Spanned<RawWords>>,
    /// What it grants: `connect` is to reach an address, `bind` to be reached at one, and
    /// both have it with them to make the socket, which is `create`.
    #[serde(default)]
    #[schemars(schema_with = "schema::allowed_on_networks")]
    pub(super) allow: Option<Spanned<Vec<Spanned<String>>>>,
    /// What it takes away, whatever grants it.
    #[serde(default)]
    #[schemars(schema_with = "schema::denied_on_networks")]
    pub(super) deny: Option<Spanned<Vec<Spanned<String>>>>,
    /// It allows until this time: `2026-12-01T09:30:00Z`, or a day, which begins at midnight,
    /// UTC. The kernel does not grant by it from then on.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) until: Option<Spanned<String>>,
    /// It allows to each process for so long after it came under the profile: `30s`, `10m`,
    /// `2h`, `1d`. What only starting needs is no one's afterwards.
    #[serde(default, rename = "for")]
    #[schemars(with = "Option<String>")]
    pub(super) within: Option<Spanned<String>>,
    /// What it allows is told, too, each time.
    #[serde(default)]
    #[schemars(with = "Option<bool>")]
    pub(super) audit: Option<Spanned<bool>>,
    /// What it denies is not told.
    #[serde(default)]
    #[schemars(with = "Option<bool>")]
    pub(super) quiet: Option<Spanned<bool>>,
    /// Why. It is shown with what the rule refuses.
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// Programs that may be started: in the profile that `profile` names, or without it in that
/// of the program that starts them. Or, with `deny`, programs that may not.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ExecRule")]
pub(super) struct RawExec {
    /// The programs, as a pattern of their paths.
    #[schemars(with = "String")]
    pub(super) path: Spanned<String>,
    /// The profile in which they go on, with their environment distrusted. From Linux 5.12.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) profile: Option<Spanned<String>>,
    /// They go on in the same profile. That holds without it, too.
    #[serde(default)]
    #[schemars(with = "Option<bool>")]
    pub(super) inherit: Option<Spanned<bool>>,
    /// They may not be started.
    #[serde(default)]
    #[schemars(with = "Option<bool>")]
    pub(super) deny: Option<Spanned<bool>>,
    /// They may be until this time: `2026-12-01T09:30:00Z`, or a day, which begins at midnight,
    /// UTC. The kernel does not grant by it from then on.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub(super) until: Option<Spanned<String>>,
    /// They may be by each process for so long after it came under the profile: `30s`, `10m`,
    /// `2h`, `1d`. What only starting needs is no one's afterwards.
    #[serde(default, rename = "for")]
    #[schemars(with = "Option<String>")]
    pub(super) within: Option<Spanned<String>>,
    /// That they are started is told, too, each time.
    #[serde(default)]
    #[schemars(with = "Option<bool>")]
    pub(super) audit: Option<Spanned<bool>>,
    /// That it is refused is not told.
    #[serde(default)]
    #[schemars(with = "Option<bool>")]
    pub(super) quiet: Option<Spanned<bool>>,
    /// Why. It is shown with what the rule refuses.
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// A text, or several. With `NUMBERS`, a number is one, too.
#[derive(Debug)]
pub(super) enum RawTexts<const NUMBERS: bool> {
    /// One.
    One(String),
    /// Several.
    Many(Vec<Spanned<String>>),
}

/// Words of a rule on networks.
pub(super) type RawWords = RawTexts<true>;

/// The value of a variable: text, or alternatives.
pub(super) type RawVariable = RawTexts<false>;

impl<const NUMBERS: bool> RawTexts<NUMBERS> {
    /// Each of them with its place.
    pub(super) fn each(written: &Spanned<Self>) -> Cow<'_, [Spanned<String>]> {
        match &written.value {
            Self::One(text) => {
                let one = Spanned::new(text.clone(), written.referenced, written.defined);
                Cow::Owned(vec![one])
            }
            Self::Many(texts) => Cow::Borrowed(texts),
        }
    }
}

/// Names with their values, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct RawVariables(pub(super) Vec<(Spanned<String>, Spanned<RawVariable>)>);

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
impl<'de, const NUMBERS: bool> Deserialize<'de> for RawTexts<NUMBERS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts<const NUMBERS: bool>;

        impl<const NUMBERS: bool> Texts<NUMBERS> {
            fn number<E: de::Error>(
                &self,
                number: &dyn fmt::Display,
                found: Unexpected<'_>,
            ) -> Result<RawTexts<NUMBERS>, E> {
                if NUMBERS {
                    Ok(RawTexts::One(number.to_string()))
                } else {
                    Err(E::invalid_type(found, self))
                }
            }
        }

        impl<'de, const NUMBERS: bool> Visitor<'de> for Texts<NUMBERS> {
            type Value = RawTexts<NUMBERS>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(if NUMBERS {
                    "a word, a number, or a list of them"
                } else {
                    "text or a list of texts"
                })
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(RawTexts::One(text.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
                self.number(&number, Unexpected::Unsigned(number))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
                self.number(&number, Unexpected::Signed(number))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(RawTexts::Many(texts))
            }
        }

        deserializer.deserialize_any(Texts)
    }
}
