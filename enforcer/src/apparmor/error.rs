//! What can be wrong with an AppArmor file.

use std::io;

use crate::profile::{Escaped, Origin};

/// Something that is wrong with an AppArmor file, and where.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: {fault}")]
pub struct ImportError {
    /// Where.
    pub origin: Origin,
    /// What.
    pub fault: Fault,
}

/// What can be wrong with an AppArmor file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A file or folder cannot be read.
    #[error("cannot read it: {cause}")]
    Unreadable {
        /// Why.
        cause: io::Error,
    },
    /// A file is not UTF-8.
    #[error("it is not UTF-8 text; is it a profile?")]
    NotText,
    /// An included file is not there.
    #[error(
        "there is no `{name}` to include; expected it in {base}, which `--base` names, or write \
         `include if exists`"
    )]
    MissingInclude {
        /// What was to be included.
        name: String,
        /// The folder of includes.
        base: String,
    },
    /// Files that include one another without an end.
    #[error("files include one another more than {limit} deep; take one of the includes out")]
    IncludedTooDeep {
        /// The most.
        limit: usize,
    },
    /// Blocks in blocks in blocks.
    #[error("blocks are nested more than {limit} deep")]
    NestedTooDeep {
        /// The most.
        limit: usize,
    },
    /// The language has something else here.
    #[error("expected {expected}, found {}", Found(found))]
    Expected {
        /// What.
        expected: &'static str,
        /// The text there, up to the next blank.
        found: String,
    },
    /// A quote without its end.
    #[error("a `\"` without its end; close it on the same line")]
    OpenQuote,
    /// A rule of an unknown kind.
    #[error(
        "unknown rule `{}`; a rule begins with a path, with rights such as `rw`, or with one of \
         {kinds}", Escaped(word.as_bytes())
    )]
    UnknownRule {
        /// Its first word.
        word: String,
        /// The words that begin rules.
        kinds: String,
    },
    /// Rights that there are not, or not together.
    #[error("`{}` are no rights; {remedy}", Escaped(text.as_bytes()))]
    InvalidRights {
        /// As written.
        text: String,
        /// What to write.
        remedy: &'static str,
    },
    /// A variable is used that nothing defines.
    #[error(
        "nothing defines `@{{{name}}}`; include the tunables that do, mostly <tunables/global>"
    )]
    UndefinedVariable {
        /// The variable.
        name: String,
    },
    /// A boolean is used that nothing defines.
    #[error("nothing defines `${name}`; set it to true or false before")]
    UndefinedBoolean {
        /// The boolean.
        name: String,
    },
    /// A variable is defined a second time.
    #[error("`@{{{name}}}` is defined already; add values with `+=`")]
    DefinedTwice {
        /// The variable.
        name: String,
    },
    /// A variable is part of its own value, or of very many.
    #[error(
        "`@{{{name}}}` stands for itself, or for more than {limit} texts; give it fewer values"
    )]
    TooManyValues {
        /// The variable.
        name: String,
        /// The most.
        limit: usize,
    },
    /// A file without a profile.
    #[error("there is no profile in it; name a file with one, as usr.sbin.tcpdump")]
    NoProfile,
    /// There is no table of what came of it.
    #[error(
        "the profile `{name}` is not written: {message}; in a copy of AppArmor's file, take \
         out includes and rules that the program does without, those with `**` first, and import \
         that"
    )]
    Uncompiled {
        /// The profile.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// What came of it is no valid profile of ours.
    #[error("the profile `{name}` that came of it is not valid: {message}; please report this")]
    Invalid {
        /// The profile.
        name: String,
        /// What is wrong with it.
        message: String,
    },
}

/// What was found, for people.
struct Found<'a>(&'a str);

impl std::fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the end of the file");
        }
        write!(f, "`{}`", Escaped(self.0.as_bytes()))
    }
}

impl ImportError {
    /// Whether a file could not be read, which says nothing about what is in it.
    pub fn is_unreadable(&self) -> bool {
        matches!(self.fault, Fault::Unreadable { .. })
    }
}
