//! Tables of keys, from a JSON Schema.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::profile::format::in_order;

/// The heading that a definition has here: its name in words.
pub(super) fn heading(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        if words.is_empty() {
            words.push(letter);
        } else {
            words.extend(letter.to_lowercase());
        }
    }
    words
}

/// A schema in words, without a heading: what it is for, and its keys or values.
pub(super) fn section(schema: &Value) -> String {
    let mut text = String::new();
    if let Some(description) = description(schema) {
        text = format!("{description}\n\n");
    }
    if let Some(values) = schema.get("oneOf").and_then(Value::as_array) {
        text.push_str("| value | |\n|---|---|\n");
        for value in values {
            let name = value.get("const").map(shown).unwrap_or_default();
            let meaning = description(value).unwrap_or_default();
            // Writing to a string does not fail.
            let _written = writeln!(text, "| {name} | {} |", cell(&meaning));
        }
    } else if let Some(keys) = schema.get("properties").and_then(Value::as_object) {
        text.push_str("| key | value | without it | |\n|---|---|---|---|\n");
        for (name, key) in ordered(keys) {
            let without = if is_required(schema, name) {
                "an error".to_owned()
            } else {
                default(key)
            };
            let meaning = description(key).unwrap_or_default();
            let kind = kind(key);
            let _written = writeln!(
                text,
                "| `{name}` | {kind} | {without} | {} |",
                cell(&meaning)
            );
        }
    } else {
        let kind = kind(schema);
        let mut letters = kind.chars();
        let first = letters
            .next()
            .map(|letter| letter.to_uppercase().to_string());
        let _written = writeln!(text, "{}{}.", first.unwrap_or_default(), letters.as_str());
    }
    text
}

/// The definitions that `schema` refers to, in the order in which it does.
pub(super) fn references(schema: &Value) -> Vec<String> {
    let mut names = Vec::new();
    match schema {
        Value::Object(keys) => {
            if let Some(Value::String(target)) = keys.get("$ref") {
                names.extend(target.rsplit('/').next().map(str::to_owned));
            }
            for (_, value) in ordered(keys) {
                names.extend(references(value));
            }
        }
        Value::Array(values) => names.extend(values.iter().flat_map(references)),
        _ => {}
    }
    names
}

fn ordered(keys: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut keys: Vec<_> = keys.iter().collect();
    // Those that are in no profile come last, by their names.
    let place = |name: &str| in_order().position(|known| known == name);
    keys.sort_by_key(|(name, _)| (place(name).unwrap_or(usize::MAX), *name));
    keys
}

fn is_required(schema: &Value, key: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|names| names.iter().any(|name| name == key))
}

/// What a schema says it is for, on one line.
fn description(schema: &Value) -> Option<String> {
    let text = schema.get("description")?.as_str()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// What holds where a key is not there.
fn default(schema: &Value) -> String {
    match schema.get("default") {
        Some(value @ (Value::Bool(_) | Value::Number(_))) => shown(value),
        Some(value @ Value::String(text)) if !text.is_empty() => shown(value),
        Some(Value::Object(keys)) if !keys.is_empty() => {
            let keys = keys.iter();
            let keys: Vec<String> = keys
                .map(|(key, value)| format!("`{key}`: {}", shown(value)))
                .collect();
            keys.join(", ")
        }
        _ => "none".to_owned(),
    }
}

/// What a value has to be, in words.
fn kind(schema: &Value) -> String {
    one_or_many(schema, false)
}

/// What each of several values has to be.
fn kinds(schema: &Value) -> String {
    one_or_many(schema, true)
}

fn one_or_many(schema: &Value, is_many: bool) -> String {
    let end = if is_many { "s" } else { "" };
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let heading = heading(target.rsplit('/').next().unwrap_or_default());
        let anchor = heading.to_lowercase().replace(' ', "-");
        return format!("[{}{end}](#{anchor})", heading.to_lowercase());
    }
    for either in ["allOf", "anyOf", "oneOf"] {
        if let Some(parts) = schema.get(either).and_then(Value::as_array) {
            if let [one, list] = &parts[..]
                && list.get("items") == Some(one)
            {
                return format!("{}, or a list of such", one_or_many(one, is_many));
            }
            let parts: Vec<String> = parts
                .iter()
                .filter(|part| !is_null(part))
                .map(|part| one_or_many(part, is_many))
                .collect();
            return parts.join(" or ");
        }
    }
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return names_of(names);
    }
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let words = types.into_iter().filter_map(|name| match name {
        "string" => Some(format!("text{end}")),
        "boolean" => Some("`true` or `false`".to_owned()),
        "integer" | "number" if is_many => Some("numbers".to_owned()),
        "integer" | "number" => Some("a number".to_owned()),
        "array" => Some(match schema.get("items") {
            Some(items) => format!("a list of {}", kinds(items)),
            None => "a list".to_owned(),
        }),
        "object" => Some(match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) => format!("names, each with {}", kind(values)),
            _ => "keys with their values".to_owned(),
        }),
        _ => None,
    });
    let words: Vec<String> = words.collect();
    words.join(" or ")
}

/// A set of names: where it is known by one, by that.
fn names_of(names: &[Value]) -> String {
    let has = |name: &str| names.iter().any(|known| known == name);
    match (has("append"), has("all"), has("chown")) {
        (true, false, _) => "[rights](#rights)".to_owned(),
        (true, true, _) => "[rights](#rights), or `[all]`".to_owned(),
        (_, _, true) => "[privileges](#privileges)".to_owned(),
        _ if has("ipv4") => "[family](#networks)".to_owned(),
        _ if has("udp") => "[protocol](#networks)".to_owned(),
        _ => names.iter().map(shown).collect::<Vec<_>>().join(", "),
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|name| name == "null")
}

/// A value as a profile spells it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

/// Text that does not end a table's cell.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{default, heading, kind};

    #[test]
    fn kinds() {
        #[rustfmt::skip]
        let cases = [
            ("text",            json!({ "type": "string" }),                               "text"),
            ("or nothing",      json!({ "type": ["boolean", "null"] }),                     "`true` or `false`"),
            ("a list",          json!({ "type": "array", "items": { "type": "string" } }),  "a list of texts"),
            ("names",           json!({ "enum": ["one", "two"] }),                          "`one`, `two`"),
            ("another section", json!({ "$ref": "#/definitions/PathRule" }),                "[path rule](#path-rule)"),
            ("one or a list",   json!({ "anyOf": [{ "type": "integer" }, { "type": "array", "items": { "type": "integer" } }] }), "a number, or a list of such"),
        ];
        for (name, schema, want) in cases {
            assert_eq!(kind(&schema), want, "{name}");
        }
    }

    #[test]
    fn defaults() {
        #[rustfmt::skip]
        let cases = [
            ("none said",  json!({}),                                      "none"),
            ("null",       json!({ "default": null }),                     "none"),
            ("an empty",   json!({ "default": "" }),                       "none"),
            ("false",      json!({ "default": false }),                    "`false`"),
            ("keys",       json!({ "default": { "tighten": "propose" } }), "`tighten`: `propose`"),
        ];
        for (name, schema, want) in cases {
            assert_eq!(default(&schema), want, "{name}");
        }
        assert_eq!(heading("AppliesTo"), "Applies to");
    }
}
