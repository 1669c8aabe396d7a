//! The JSON Schema of profiles, for editors: it completes and checks what the types say,
//! and what they cannot say, as which names there are.

use std::borrow::Cow;

use enforcer_abi::{Access, Privilege};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};

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
    names(Access::NAMES.into_iter().map(|(_, name)| name))
}

/// Rights that can be denied.
pub(super) fn denied(_: &mut SchemaGenerator) -> Schema {
    names(
        Access::NAMES
            .into_iter()
            .map(|(_, name)| name)
            .chain(["all"]),
    )
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
