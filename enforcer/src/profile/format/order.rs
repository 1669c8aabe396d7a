//! Where keys and rights stand: as in `profiles/nginx.yaml`.

use enforcer_abi::Access;

use super::tree::{Collection, Document, Entry, Line, Value};

/// Keys of a file.
pub(super) const TOP: [&str; 12] = [
    "name",
    "description",
    "applies_to",
    "mode",
    "include",
    "variables",
    "paths",
    "privileges",
    "exec",
    "network",
    "metadata",
    "on_violation",
];

/// Keys of `applies_to`.
pub(super) const APPLIES_TO: [&str; 4] = ["executables", "users", "units", "cgroups"];

/// Keys of rules: what, then whether, then how it is told.
pub(super) const RULE: [&str; 16] = [
    "path", "family", "protocol", "address", "port", "profile", "inherit", "allow", "deny",
    "owner", "until", "for", "audit", "quiet", "if", "reason",
];

/// Keys of `on_violation`.
pub(super) const ON_VIOLATION: [&str; 2] = ["respond", "tighten"];

/// All keys in their order, those of one section behind those of another.
pub(in crate::profile) fn keys() -> impl Iterator<Item = &'static str> {
    let top = TOP.into_iter().chain(APPLIES_TO);
    top.chain(RULE).chain(ON_VIOLATION)
}

/// What a value is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The whole file.
    Top,
    /// Keys, one a line.
    Keys(&'static [&'static str]),
    /// A list with an entry a line.
    Rows(Row),
    /// A rule of `paths`.
    PathRule,
    /// Another rule.
    Rule,
    /// Rights on paths.
    Rights,
    /// Text for people.
    Prose,
    /// Anything else.
    Other,
}

/// What is in a list with an entry a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// Rules of `paths`.
    Paths,
    /// Other rules.
    Rules,
    /// Names.
    Names,
}

impl Role {
    /// The role of what stands under `key`.
    pub(super) fn under(self, key: &str) -> Self {
        match (self, key) {
            (Self::Top, "paths") => Self::Rows(Row::Paths),
            (Self::Top, "exec" | "network") => Self::Rows(Row::Rules),
            (Self::Top, "privileges") => Self::Rows(Row::Names),
            (Self::Top, "applies_to") => Self::Keys(&APPLIES_TO),
            (Self::Top, "variables") => Self::Keys(&[]),
            (Self::PathRule, "allow" | "deny") => Self::Rights,
            (Self::Top, "description") | (Self::PathRule | Self::Rule, "reason") => Self::Prose,
            _ => Self::Other,
        }
    }

    /// The role of the entries of a list.
    pub(super) fn of_entries(self) -> Self {
        match self {
            Self::Rows(Row::Paths) => Self::PathRule,
            Self::Rows(Row::Rules) => Self::Rule,
            _ => Self::Other,
        }
    }

    /// Whether it is a section of the file, with blank lines around it.
    pub(super) const fn is_section(self) -> bool {
        matches!(self, Self::Rows(_))
    }

    /// The keys in their order. Others come behind them as their author has them.
    const fn order(self) -> &'static [&'static str] {
        match self {
            Self::Top => &TOP,
            Self::Keys(keys) => keys,
            Self::PathRule | Self::Rule => &RULE,
            // `on_violation` is the only one of these with keys.
            _ => &ON_VIOLATION,
        }
    }
}

/// Puts all in its place, comments too.
pub(super) fn sort(document: &mut Document) {
    let Document { header, top } = document;
    // An entry that has another above it than before, or none, does not keep its blank line.
    let names = |top: &Collection| -> Vec<String> {
        let keys = top.entries.iter().filter_map(|entry| entry.key.as_ref());
        keys.map(|key| key.text.clone()).collect()
    };
    let before = names(top);
    sort_map(top, Role::Top);
    settle(top);
    let after = names(top);
    if before == after {
        return;
    }
    let above =
        |names: &[String], at: usize| at.checked_sub(1).and_then(|at| names.get(at).cloned());
    for (at, entry) in top.entries.iter_mut().enumerate() {
        let was = after
            .get(at)
            .and_then(|name| before.iter().position(|old| old == name));
        let moved = was.is_none_or(|was| above(&before, was) != above(&after, at));
        if moved && entry.above.first() == Some(&Line::Blank) {
            entry.above.remove(0);
        }
    }
    // A comment that comes to stand under the header is none of it.
    if let Some(first) = top.entries.first()
        && first.above.iter().any(|line| line.comment().is_some())
        && header.last().is_some_and(|last| *last != Line::Blank)
    {
        header.push(Line::Blank);
    }
}

/// Puts comments above an entry that have no place in it or behind it.
fn settle(collection: &mut Collection) {
    for entry in &mut collection.entries {
        let Entry {
            above,
            key,
            after_key,
            value,
            after,
        } = entry;
        let mut displaced = Vec::new();
        // A line has room for one comment.
        if after.is_some() {
            displaced.extend(after_key.take().map(Line::Comment));
        }
        if let Value::List(inner) | Value::Map(inner) = value {
            settle(inner);
            if inner.entries.is_empty() {
                displaced.append(&mut inner.below);
            }
        }
        // There is no line between a dash and the first key behind it.
        if key.is_none()
            && let Value::Map(map) = value
            && let Some(first) = map.entries.first_mut()
        {
            displaced.append(&mut first.above);
        }
        displaced.retain(|line| line.comment().is_some());
        above.append(&mut displaced);
    }
}

fn sort_map(map: &mut Collection, role: Role) {
    let order = role.order();
    let rank = |entry: &Entry| {
        let key = entry.key.as_ref().map_or("", |key| key.text.as_str());
        let rank = order.iter().position(|known| *known == key);
        rank.unwrap_or(order.len())
    };
    map.entries.sort_by_key(rank);
    for entry in &mut map.entries {
        let key = entry.key.as_ref().map_or("", |key| key.text.as_str());
        sort_value(&mut entry.value, role.under(key));
    }
}

fn sort_value(value: &mut Value, role: Role) {
    match value {
        Value::Scalar(_) => {}
        Value::Map(map) => sort_map(map, role),
        Value::List(list) => {
            if role == Role::Rights {
                list.entries.sort_by_key(right);
            }
            for entry in &mut list.entries {
                sort_value(&mut entry.value, role.of_entries());
            }
        }
    }
}

/// The place of a right among all.
fn right(entry: &Entry) -> usize {
    let Value::Scalar(name) = &entry.value else {
        return usize::MAX;
    };
    let mut names = Access::NAMES.into_iter();
    names
        .position(|(_, known)| known == name.text)
        .unwrap_or(usize::MAX)
}
