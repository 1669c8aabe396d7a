//! What to do about an error, as the end of its message.

use std::fmt;

use enforcer_abi::Privilege;

use crate::profile::{subjects, suggest};

/// `did you mean` where there is something like it, else all that there is.
pub(super) struct Hint<'a> {
    pub(super) suggestion: Option<&'a str>,
    pub(super) expected: &'a [&'static str],
}

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.suggestion {
            Some(suggestion) => write!(f, "did you mean `{suggestion}`?"),
            None => write!(f, "expected one of {}", self.expected.join(", ")),
        }
    }
}

/// What is wrong with a unit's name.
pub(super) struct UnitHint<'a>(pub(super) &'a str);

impl fmt::Display for UnitHint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains("@.") {
            return f.write_str("a template runs nothing; name an instance, or its cgroups");
        }
        let service = format!("{}.service", self.0);
        if !self.0.contains('.') && subjects::is_unit(&service) {
            return write!(f, "did you mean `{service}`?");
        }
        write!(
            f,
            "a unit has letters, digits and `:-_.\\@`, and ends in {}",
            subjects::UNIT_ENDS.join(", ")
        )
    }
}

/// The privilege that was meant, or where names come from.
pub(super) struct PrivilegeHint<'a>(pub(super) &'a str);

impl fmt::Display for PrivilegeHint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.to_ascii_lowercase();
        let bare = name.strip_prefix("cap_").unwrap_or(&name);
        if bare.len() < name.len() && Privilege::from_name(bare).is_some() {
            return write!(f, "leave out the `cap_`: `{bare}`");
        }
        let names = Privilege::NAMES.into_iter().map(|(_, name)| name);
        if let Some(suggestion) = suggest::nearest(bare, names) {
            return write!(f, "did you mean `{suggestion}`?");
        }
        let others = Privilege::NAMES
            .into_iter()
            .filter_map(|(privilege, name)| (privilege >= Privilege::MOUNT).then_some(name));
        let others: Vec<_> = others.collect();
        write!(
            f,
            "a privilege is a capability without its `cap_`, or one of {}",
            others.join(", ")
        )
    }
}

/// What a key that is missing would say.
pub(super) struct KeyHint<'a>(pub(super) &'a str);

impl fmt::Display for KeyHint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            "name" => "; the name is that of the file without `.yaml`",
            "mode" => "; say `mode: enforce`, `audit` or `learn`",
            "path" => "; a rule says which paths it is about",
            _ => "",
        })
    }
}

/// What was meant where there is something like it, else another remedy.
pub(in crate::profile) struct DidYouMean<'a>(
    pub(in crate::profile) Option<&'a str>,
    pub(in crate::profile) &'a str,
);

impl fmt::Display for DidYouMean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
            None => f.write_str(self.1),
        }
    }
}

/// What makes text of a scalar that is found in its place. There is none for a list or keys.
pub(super) struct Quotes<'a>(pub(super) &'a str);

impl fmt::Display for Quotes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "map" | "sequence" => Ok(()),
            _ => f.write_str("; text that looks like something else goes in quotes"),
        }
    }
}
