//! What can be wrong with a profile, and where.

use std::{fmt, io, path::PathBuf};

use enforcer_abi::Privilege;

use super::{
    FILE_LEN, Origin, RULES,
    access_names::AccessNameError,
    compile::{CompileError, CompileFault},
    glob::GlobFault,
    network::NetworkFault,
    subjects, suggest,
    variables::VariableFault,
};

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
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file or folder cannot be read.
    #[error("cannot read it: {cause}")]
    Read {
        /// What the system says.
        cause: io::Error,
    },
    /// The file is too long.
    #[error("the file has more than {FILE_LEN} bytes")]
    FileTooLong,
    /// The file is not text.
    #[error("the file is not UTF-8 text")]
    NotText,
    /// The file is empty.
    #[error("the file is empty; a profile has at least a `name` and a `mode`")]
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
    #[error("the key `{key}` is missing")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A key is there twice.
    #[error("the key `{key}` is there twice")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// An anchor, an alias or a merge key.
    #[error("anchors, aliases and merge keys are not allowed; use `variables` or `include`")]
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
    #[error("expected {expected}, not {found}")]
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
        "invalid name `{name}`; a name has 1 to 64 of a-z, 0-9, `_`, `.` and `-`, and begins with a letter or digit"
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
    /// Another profile has the name.
    #[error("the name `{name}` is taken by {other}")]
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
    #[error("the user {user} has a profile already by {other}; a user has one")]
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
    /// A rule on networks is not right.
    #[error(transparent)]
    Network(#[from] NetworkFault),
    /// `profile`, `inherit` and `deny` do not fit.
    #[error("an exec rule has one of `profile`, `inherit: true` and `deny: true`")]
    ExecEnds,
    /// Too many rules.
    #[error("the profile has more than {RULES} rules, those it includes among them")]
    TooManyRules,
    /// A pattern is not right.
    #[error(transparent)]
    Glob(#[from] GlobFault),
    /// A variable is not right, or its use.
    #[error(transparent)]
    Variable(#[from] VariableFault),
    /// There is no such abstraction.
    #[error(
        "there is no abstraction `{name}`; expected it in {}",
        super::Escaped::path(file)
    )]
    MissingInclude {
        /// The abstraction.
        name: String,
        /// Its file.
        file: PathBuf,
    },
    /// An abstraction includes itself.
    #[error("the abstraction `{name}` includes itself by way of {}", way.join(", "))]
    IncludeCycle {
        /// The abstraction.
        name: String,
        /// What includes what.
        way: Vec<String>,
    },
    /// An exec rule leads to a profile that is not there.
    #[error("there is no profile `{name}`{}", DidYouMean(suggestion.as_deref()))]
    MissingTarget {
        /// The profile.
        name: String,
        /// The name that may have been meant.
        suggestion: Option<String>,
    },
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

/// `did you mean` where there is something like it, else all that there is.
struct Hint<'a> {
    suggestion: Option<&'a str>,
    expected: &'a [&'static str],
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
struct UnitHint<'a>(&'a str);

impl fmt::Display for UnitHint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains("@.") {
            return f.write_str("a template runs nothing; name an instance, or its cgroups");
        }
        write!(
            f,
            "a unit has letters, digits and `:-_.\\@`, and ends in {}",
            subjects::UNIT_ENDS.join(", ")
        )
    }
}

/// The privilege that was meant, or where names come from.
struct PrivilegeHint<'a>(&'a str);

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

/// The remedy where there is something like it.
pub(super) struct DidYouMean<'a>(pub(super) Option<&'a str>);

impl fmt::Display for DidYouMean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
            None => Ok(()),
        }
    }
}
