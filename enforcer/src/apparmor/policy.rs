//! What an AppArmor file says, as it says it.

use std::{collections::BTreeMap, sync::Arc};

use super::parser::Modes;
use crate::profile::Origin;

/// What a file holds, with what it includes.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Its profiles, in the order of the file.
    pub sections: Vec<Section>,
    /// Its variables with their values as written, `@{}` in them included.
    pub variables: BTreeMap<String, Vec<String>>,
    /// Pairs of beginnings of paths: what has the first has the second, too.
    pub aliases: Vec<(String, String)>,
    /// What AppArmor mediates, by the `abi` that the file names.
    pub abi: Abi,
}

/// What AppArmor mediates of what it did not always mediate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abi {
    /// Sockets of the family unix.
    pub unix: bool,
    /// User namespaces.
    pub userns: bool,
    /// `io_uring`.
    pub io_uring: bool,
}

/// A profile, a child of one, or a hat.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its name as AppArmor has it: that of a child begins with its parent's and `//`.
    pub name: String,
    /// The programs that it confines, as written; of a child, those that an exec leads to it.
    pub attachment: Option<String>,
    /// What kind it is.
    pub kind: SectionKind,
    /// Its flags, and other conditions of its head.
    pub flags: Vec<String>,
    /// Its rules, those that it includes among them.
    pub rules: Vec<Rule>,
    /// Its children and hats.
    pub children: Vec<Section>,
    /// Where it begins.
    pub origin: Origin,
}

/// What a section is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionKind {
    /// A profile of its own.
    Profile,
    /// A profile to which only its parent leads.
    Child,
    /// Part of a profile, which the program chooses itself.
    Hat,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Where it stands.
    pub origin: Origin,
    /// Its text, on one line.
    pub text: String,
    /// The included file that it stands in, from the folder of includes.
    pub from: Option<Arc<str>>,
    /// What stands before it.
    pub qualifiers: Qualifiers,
    /// What it says.
    pub kind: RuleKind,
}

/// What stands before a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qualifiers {
    /// It takes away, and does not grant.
    pub deny: bool,
    /// It is told when it is used.
    pub audit: bool,
    /// It is for the owner of the file.
    pub owner: bool,
    /// Others, which are not understood here.
    pub others: Vec<String>,
}

/// What a rule says.
#[derive(Clone, Debug)]
pub enum RuleKind {
    /// Rights on files.
    File {
        /// Which, as written.
        path: String,
        /// What.
        modes: Modes,
        /// The profile to which an exec leads, if it is named.
        target: Option<String>,
    },
    /// `link PATH -> OTHER`.
    Link {
        /// The new name, as written.
        path: String,
        /// The old one.
        to: String,
    },
    /// Anything else, by its keyword.
    Other {
        /// The keyword.
        keyword: &'static str,
        /// What follows it.
        items: Vec<Item>,
    },
}

/// A piece of a rule that is about no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A word.
    Word(String),
    /// `key=value`, `key=(values)`, `key in (values)`.
    Set {
        /// The key.
        key: String,
        /// What it is set to.
        values: Vec<Item>,
    },
    /// `(...)`.
    Group(Vec<Item>),
}

impl Default for Abi {
    /// What a file without an `abi` is compiled for: what version 3 mediates.
    fn default() -> Self {
        Self {
            unix: true,
            userns: false,
            io_uring: false,
        }
    }
}

impl Abi {
    /// Reads a file of features.
    pub(super) fn read(text: &str) -> Self {
        Self {
            unix: text.contains("af_unix"),
            userns: text.contains("userns_create"),
            io_uring: text.contains("io_uring"),
        }
    }
}

impl Section {
    /// Whether AppArmor lets its programs do everything.
    pub(super) fn is_unconfined(&self) -> bool {
        self.flags.iter().any(|flag| flag == "unconfined")
    }

    /// Its name within its parent.
    pub fn local_name(&self) -> &str {
        let name = self.name.as_str();
        name.rsplit_once("//").map_or(name, |(_, local)| local)
    }
}

impl Item {
    /// The words in `items` and in their groups, not those that are set to something.
    pub(super) fn words(items: &[Self]) -> Vec<&str> {
        let mut words = Vec::new();
        for item in items {
            match item {
                Self::Word(word) => words.push(word.as_str()),
                Self::Group(inner) => words.extend(Self::words(inner)),
                Self::Set { .. } => {}
            }
        }
        words
    }

    /// What `key` is set to in `items`.
    pub(super) fn value<'a>(items: &'a [Self], key: &str) -> Option<&'a [Self]> {
        items.iter().find_map(|item| match item {
            Self::Set { key: found, values } if found == key => Some(values.as_slice()),
            _ => None,
        })
    }
}
