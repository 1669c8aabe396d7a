//! The JSON Schema of profiles, for editors: it completes and checks what the types say,
//! and what they cannot say, as which names there are.

use std::borrow::Cow;

use enforcer_abi::{Access, Privilege};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};

use super::network::{FAMILIES, NETLINK_PROTOCOLS, PROTOCOLS};
use super::raw::{RawAbstraction, RawProfile, RawVariables};

/// The schema of the files of a folder of profiles.
pub fn profile_schema() -> Schema {
    settings()
        .into_generator()
        .into_root_schema_for::<RawProfile>()
}

/// The schema of the files of its folder `abstractions`.
pub fn abstraction_schema() -> Schema {
    settings()
        .into_generator()
        .into_root_schema_for::<RawAbstraction>()
}

/// What editors know.
fn settings() -> SchemaSettings {
    SchemaSettings::draft07()
}

/// A list of names.
fn names(names: impl Iterator<Item = &'static str>) -> Schema {
    let names: Vec<&str> = names.collect();
    json_schema!({ "type": "array", "items": { "enum": names } })
}

/// Rights that can be allowed.
pub(super) fn allowed(_: &mut SchemaGenerator) -> Schema {
    names(Access::ON_PATHS.names())
}

/// Rights that can be denied.
pub(super) fn denied(_: &mut SchemaGenerator) -> Schema {
    names(Access::ON_PATHS.names().chain(["all"]))
}

/// Rights on networks that can be allowed.
pub(super) fn allowed_on_networks(_: &mut SchemaGenerator) -> Schema {
    names(Access::ON_NETWORKS.names())
}

/// Rights on networks that can be denied.
pub(super) fn denied_on_networks(_: &mut SchemaGenerator) -> Schema {
    names(Access::ON_NETWORKS.names().chain(["all"]))
}

/// A name or several, as editors complete them, of which there may be others.
fn one_or_more(known: &[&str]) -> Schema {
    let word = json_schema!({ "anyOf": [{ "enum": known }, { "type": ["string", "integer"] }] });
    json_schema!({ "anyOf": [word, { "type": "array", "items": word, "minItems": 1 }] })
}

/// Families of sockets.
pub(super) fn families(_: &mut SchemaGenerator) -> Schema {
    let known: Vec<&str> = FAMILIES.iter().map(|&(name, _)| name).collect();
    json_schema!({ "anyOf": [
        { "enum": known },
        { "type": "array", "items": { "enum": known }, "minItems": 1 }
    ] })
}

/// Protocols, which can be numbers, too.
pub(super) fn protocols(_: &mut SchemaGenerator) -> Schema {
    let known = PROTOCOLS.iter().chain(&NETLINK_PROTOCOLS);
    one_or_more(&known.map(|&(name, _)| name).collect::<Vec<_>>())
}

/// A word or a number, or several.
pub(super) fn words(_: &mut SchemaGenerator) -> Schema {
    let word = json_schema!({ "type": ["string", "integer"] });
    json_schema!({ "anyOf": [word, { "type": "array", "items": word, "minItems": 1 }] })
}

/// Privileges.
pub(super) fn privileges(_: &mut SchemaGenerator) -> Schema {
    names(Privilege::NAMES.into_iter().map(|(_, name)| name))
}

/// Users: YAML takes an id for a number.
pub(super) fn users(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": ["string", "integer"], "minimum": 0 } })
}

impl JsonSchema for RawVariables {
    fn schema_name() -> Cow<'static, str> {
        "Variables".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": {
                "anyOf": [
                    { "type": "string" },
                    { "type": "array", "items": { "type": "string" } }
                ]
            }
        })
    }
}
