//! What can be wrong with a profile, and where.

use std::{io, path::Path};

use super::{
    Escaped, Origin,
    access_names::AccessNameError,
    compile::{CompileError, CompileFault},
    glob::GlobFault,
    limits::{FILE_LEN, INCLUDES, NAME_LEN, PATTERNS_LEN, RULES, SIGN_LEN},
    network::NetworkFault,
    variables::VariableFault,
};

mod code;
mod hint;

pub(super) use self::hint::DidYouMean;
use self::hint::{Hint, KeyHint, PrivilegeHint, Quotes, UnitHint};

/// Something that is wrong with a profile.
///
/// Shown as `FILE:LINE:COL: message`.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: {problem}")]
pub struct ProfileError {
    /// Where.
    pub origin: Origin,
    /// What.
    pub problem: Problem,
}

/// All that is wrong with a profile: at least one thing.
#[derive(Debug)]
pub struct ProfileErrors {
    first: ProfileError,
    rest: Vec<ProfileError>,
}

/// What can be wrong with a profile.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum Problem {
    /// The file or folder cannot be read.
    #[error("cannot read it: {cause}")]
    Read {
        /// What the system says.
        cause: io::Error,
    },
    /// The file is too long.
    #[error(
        "the file has more than {FILE_LEN} bytes; use patterns in place of single paths, or split it"
    )]
    FileTooLong,
    /// The file is not text.
    #[error("this is not UTF-8 text; in a pattern, write such a byte as `\\xff`")]
    NotText,
    /// The file is empty.
    #[error(
        "the file is empty; a profile has at least a `name` and a `mode`, an abstraction at least `paths`"
    )]
    Empty,
    /// There is no such key.
    #[error("unknown key `{key}`; {}", Hint { suggestion: *suggestion, expected })]
    UnknownKey {
        /// The key.
        key: String,
        /// The key that may have been meant.
        suggestion: Option<&'static str>,
        /// The keys that there are.
        expected: Vec<&'static str>,
    },
    /// There is no such value.
    #[error("unknown value `{value}`; {}", Hint { suggestion: *suggestion, expected })]
    UnknownValue {
        /// The value.
        value: String,
        /// The value that may have been meant.
        suggestion: Option<&'static str>,
        /// The values that there are.
        expected: Vec<&'static str>,
    },
    /// A key that must be there is not.
    #[error("the key `{key}` is missing{}", KeyHint(key))]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A key is there twice.
    #[error("the key `{key}` is there twice; keep one")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// An anchor, an alias or a merge key.
    #[error(
        "anchors, aliases and merge keys are not allowed; use `variables` or `include`, and quotes for text that begins with `*` or `&`"
    )]
    Anchor,
    /// A second document.
    #[error("a second document; write one profile a file")]
    SecondDocument,
    /// A value of another kind.
    #[error("expected {expected}")]
    Expected {
        /// The kind that is expected.
        expected: &'static str,
    },
    /// A value of another kind, in the parser's words.
    #[error("expected {expected}, not {found}{}", Quotes(found))]
    WrongKind {
        /// The kind that is expected.
        expected: String,
        /// What there is.
        found: String,
    },
    /// Anything else that YAML minds.
    #[error("not valid YAML: {}", super::yaml::Message(cause))]
    Yaml {
        /// What the parser says.
        cause: Box<serde_yaml::Error>,
    },
    /// The name has letters that names do not have.
    #[error(
        "invalid name `{name}`; a name has 1 to {NAME_LEN} of a-z, 0-9, `_`, `.` and `-`, and begins with a letter or digit"
    )]
    InvalidName {
        /// The name.
        name: String,
    },
    /// The name is not that of the file.
    #[error("the name `{name}` is not that of the file; call the file `{name}.yaml`")]
    NameNotOfFile {
        /// The name.
        name: String,
    },
    /// The file is not called as profiles and abstractions are.
    #[error("the name of the file must end in `.yaml`, or nobody reads it; rename it")]
    FileNotYaml,
    /// Another profile has the name.
    #[error("the name `{name}` is taken by {other}; give one of them another")]
    NameTaken {
        /// The name.
        name: String,
        /// The file of the other profile.
        other: Origin,
    },
    /// The profile says that it confines something, and names nothing.
    #[error("`applies_to` names nothing; leave it out to confine nothing by itself")]
    NoSubjects,
    /// No user can have the name.
    #[error("invalid user `{name}`; a user is a name or an id below 4294967295")]
    InvalidUser {
        /// The name.
        name: String,
    },
    /// No unit with processes can have the name.
    #[error("invalid unit `{name}`; {}", UnitHint(name))]
    InvalidUnit {
        /// The name.
        name: String,
    },
    /// Two profiles confine one user.
    #[error("the user {user} has a profile already by {other}; take the user out of one of them")]
    UserTaken {
        /// The user.
        user: String,
        /// Where the other profile names it.
        other: Origin,
    },
    /// There is no such privilege.
    #[error("unknown privilege `{name}`; {}", PrivilegeHint(name))]
    UnknownPrivilege {
        /// The name.
        name: String,
    },
    /// A rule names a right that the profile does not decide on.
    #[error(
        "the profile grants `metadata` on every path; give it `metadata: true` for rules to decide"
    )]
    MetadataUnmediated,
    /// A rule has neither or both of `allow` and `deny`.
    #[error("a rule has either `allow` or `deny`")]
    AllowOrDeny,
    /// A rule's list of rights is empty.
    #[error("the list is empty, so the rule says nothing; remove the rule")]
    NoRights,
    /// `all` among allowed rights.
    #[error("`all` can only be denied; name the rights to allow")]
    AllowAll,
    /// There is no such right.
    #[error(transparent)]
    Access(#[from] AccessNameError),
    /// A right on networks in a rule on paths.
    #[error("`bind` is for addresses, in `network`; a unix socket is made by `create`")]
    BindOnPath,
    /// `owner` in a rule that denies.
    #[error("`owner` is for what a rule allows; what it denies, it denies whoever owns it")]
    OwnerOfDeny,
    /// `audit` in a rule that denies.
    #[error("`audit` is for what a rule allows; what it denies is told unless it is `quiet`")]
    AuditOfDeny,
    /// `quiet` in a rule that allows.
    #[error("`quiet` is for what a rule denies; what it allows is not told anyway")]
    QuietOfAllow,
    /// `until` or `for` in a rule that denies.
    #[error("only what a rule allows can end; what it denies would be granted from then on")]
    EndOfDeny,
    /// An `until` that is no time.
    #[error(
        "{text} is no time; write `until: 2026-12-01T09:30:00Z`, or a day, which begins at midnight, UTC"
    )]
    Until {
        /// What it says, escaped.
        text: String,
    },
    /// A `for` that is no time.
    #[error("{text} is no time; write `for: 30s`, `10m`, `2h` or `1d`")]
    For {
        /// What it says, escaped.
        text: String,
    },
    /// A rule on networks is not right.
    #[error(transparent)]
    Network(#[from] NetworkFault),
    /// `profile`, `inherit` and `deny` do not fit.
    #[error("an exec rule has one of `profile`, `inherit: true` and `deny: true`")]
    ExecEnds,
    /// Too many rules.
    #[error(
        "this rule is one more than {RULES}, those of abstractions among them; use patterns in place of single paths"
    )]
    TooManyRules,
    /// The patterns are too long together.
    #[error(
        "with this pattern, those of the profile have more than {PATTERNS_LEN} bytes, a wildcard counted as {SIGN_LEN}; use shorter ones, or fewer rules"
    )]
    PatternsTooLong,
    /// A pattern is not right.
    #[error(transparent)]
    Glob(#[from] GlobFault),
    /// A variable is not right, or its use.
    #[error(transparent)]
    Variable(#[from] VariableFault),
    /// There is no such abstraction.
    #[error(
        "there is no abstraction `{name}`{}",
        DidYouMean(suggestion.as_deref(), &format!("; expected it in {}", Escaped::path(file)))
    )]
    MissingInclude {
        /// The abstraction.
        name: String,
        /// The name that may have been meant.
        suggestion: Option<Box<str>>,
        /// Its file.
        file: Box<Path>,
    },
    /// An abstraction includes itself.
    #[error(
        "the abstraction `{name}` includes itself by way of {}; take it out here",
        way.join(", ")
    )]
    IncludeCycle {
        /// The abstraction.
        name: String,
        /// What includes what.
        way: Vec<String>,
    },
    /// An abstraction includes another that includes another, and so on.
    #[error(
        "abstractions include one another more than {INCLUDES} deep; include `{name}` in the profile"
    )]
    IncludesTooDeep {
        /// The one too deep.
        name: String,
    },
    /// An exec rule leads to a profile that is not there.
    #[error(
        "there is no profile `{name}`{}",
        DidYouMean(suggestion.as_deref(), "; write it, or say `inherit: true` in place of `profile`")
    )]
    MissingTarget {
        /// The profile.
        name: String,
        /// The name that may have been meant.
        suggestion: Option<String>,
    },
    /// As many errors as are told.
    #[error("there is more from here on; correct what is told before this")]
    MoreErrors,
    /// The profile makes no table.
    #[error(transparent)]
    Compile(#[from] CompileFault),
}

impl ProfileError {
    /// Whether a file or folder could not be read, which says nothing about
    /// whether the profile is valid.
    pub fn is_unreadable(&self) -> bool {
        matches!(self.problem, Problem::Read { .. })
    }
}

impl From<CompileError> for ProfileError {
    fn from(error: CompileError) -> Self {
        let CompileError { origin, fault } = error;
        Self {
            origin,
            problem: fault.into(),
        }
    }
}

impl ProfileErrors {
    /// The errors in `all`, if there are any.
    pub(super) fn collect(all: Vec<ProfileError>) -> Result<(), Self> {
        let mut all = all.into_iter();
        match all.next() {
            None => Ok(()),
            Some(first) => Err(Self {
                first,
                rest: all.collect(),
            }),
        }
    }

    /// The first thing that is wrong.
    pub fn into_first(self) -> ProfileError {
        self.first
    }
}

impl From<ProfileError> for ProfileErrors {
    fn from(first: ProfileError) -> Self {
        Self {
            first,
            rest: Vec::new(),
        }
    }
}

impl IntoIterator for ProfileErrors {
    type Item = ProfileError;
    type IntoIter =
        std::iter::Chain<std::iter::Once<ProfileError>, std::vec::IntoIter<ProfileError>>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(self.first).chain(self.rest)
    }
}
