//! Rules, as they are added to a profile's text.

use std::{net::IpAddr, path::Path};

use enforcer_abi::Access;
use jiff::Timestamp;

use crate::{
    detection::DetectionId,
    profile::{FileKind, NetworkObject, Text, exec_rule, format, path_rule},
};

/// A rule, or the name of a privilege, that is to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// The key of the list.
    key: &'static str,
    /// As a row of it, with its dash.
    row: String,
}

impl Addition {
    /// Allows rights on the paths of a pattern. To run a program is to go on in the same
    /// profile.
    pub fn on_paths(pattern: &str, access: Access) -> Self {
        if access.contains(Access::EXECUTE) {
            Self {
                key: "exec",
                row: exec_rule(pattern),
            }
        } else {
            Self {
                key: "paths",
                row: path_rule(pattern, access, false),
            }
        }
    }

    /// Allows rights on one thing of a network.
    pub fn on_network(object: NetworkObject, access: Access) -> Self {
        let mut keys = Vec::new();
        let protocol = object.protocol().map(|name| format!("protocol: {name}"));
        if let Some(at) = object.address() {
            keys.extend(protocol);
            keys.push(match at.ip() {
                IpAddr::V4(v4) => format!("address: {v4}"),
                IpAddr::V6(v6) => format!("address: \"{v6}\""),
            });
            if object.has_ports() {
                keys.push(format!("port: {}", at.port()));
            }
        } else {
            keys.push(format!("family: {}", object.family()));
            keys.extend(protocol);
        }
        let rights: Vec<&str> = access.names().collect();
        keys.push(format!("allow: [{}]", rights.join(", ")));
        Self::of_networks(&format!("{{ {} }}", keys.join(", ")))
    }

    /// Adds a rule on networks, as YAML.
    pub fn of_networks(rule: &str) -> Self {
        Self {
            key: "network",
            row: format!("  - {rule}"),
        }
    }

    /// Adds a privilege.
    pub fn privilege(name: &str) -> Self {
        Self {
            key: "privileges",
            row: format!("  - {name}"),
        }
    }

    /// The key of the list that it is added to.
    pub fn key(&self) -> &'static str {
        self.key
    }

    /// The rule as it stands in a profile, without its dash.
    pub fn rule(&self) -> String {
        let Self { key, row } = self;
        let text = format!("name: x\nmode: audit\n{key}:\n{row}\n");
        let formatted = format(&text, Path::new("x.yaml"), FileKind::Profile, Path::new(""));
        let rows = formatted.as_ref().ok();
        let rows = rows.and_then(|text| text.split_once(&format!("\n{key}:\n")));
        let rows = rows.map_or(row.as_str(), |(_, rows)| rows);
        let lines = rows.lines().map(|line| line.get(4..).unwrap_or_default());
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// What is said of a rule that was allowed: when, after which detection, and why.
pub fn comment(at: Timestamp, after: DetectionId, reason: &str) -> String {
    let day = at.strftime("%Y-%m-%d");
    let reason = reason.trim();
    if reason.is_empty() {
        format!("allowed on {day} after {after}")
    } else {
        format!("allowed on {day} after {after}: {reason}")
    }
}

/// The text of a profile with these additions and nothing else, each with its comment.
pub(super) fn text(added: &[&(Addition, String)]) -> String {
    let mut text = Text::default();
    text.line("name: x\nmode: audit");
    for key in ["paths", "privileges", "exec", "network"] {
        let mut rows = added.iter().filter(|(one, _)| one.key == key).peekable();
        if rows.peek().is_some() {
            text.line(&format!("{key}:"));
        }
        for (Addition { row, .. }, comment) in rows {
            text.comment(2, comment);
            text.line(row);
        }
    }
    text.0
}
