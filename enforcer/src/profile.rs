//! Profiles: what they say, how they are read, and what they compile to.
//!
//! - [`raw`]: the schema, word for word; [`schema`]: the same for editors; [`reference`]: and
//!   for people; [`yaml`]: its parser and the parser's errors
//! - [`load`]: from files to a [`Profile`]; [`variables`]: `${name}` in patterns
//! - [`network`]: rules on networks; [`endpoint`]: what they are about, for people
//! - [`ends`]: when rules end by themselves
//! - [`subjects`]: the names of users and units; [`on_violation`]: how a violation is
//!   answered; [`limits`]: the most of each
//! - [`pattern`]: a glob; [`glob`]: its syntax; [`lower`]: its meaning
//! - [`compile`]: from a [`Profile`] to a table, by way of [`automaton`],
//!   [`determinize`], [`product`], [`minimize`], [`classes`] and [`pack`]; [`claims`]: the tables
//!   that say which program or cgroup belongs to which profile
//! - [`removal`]: rights that are taken away from a profile
//! - [`work`]: what all of that may take; [`blame`]: which rules take too much
//! - [`explain`]: why a profile grants or refuses an access; [`growth`]: whether
//!   something would have more rights under another name; [`diff`]: what another profile
//!   grants and this one does not; [`narrower`]: whether a pattern is part of another;
//!   [`lint`]: what may not have been meant; all three by a [`walk`] over all that has the
//!   form of a path ([`place`])
//! - [`check`]: the table, the claims and the lints of a profile at once
//! - [`question`]: all that can be asked of a profile, and which of several let it through
//! - [`operation`]: the rights that operations ask for
//! - [`format`]: the one style of the files; [`prune`]: without what other rules grant
//! - [`set`]: the profiles of a folder, and what must hold between them; [`file`]: their names,
//!   and how they are read
//! - [`error`], [`suggest`], [`escape`]: how all of them say what is wrong
//!
//! What a profile means depends on its text and the files it includes alone, not
//! on the machine. Nothing here knows the kernel.

mod access_names;
mod automaton;
mod blame;
mod check;
mod claims;
mod classes;
mod compile;
mod determinize;
mod diff;
mod endpoint;
pub mod ends;
mod error;
mod escape;
mod explain;
mod file;
mod format;
mod glob;
mod growth;
pub mod limits;
mod lint;
mod load;
mod lower;
mod minimize;
mod narrower;
mod network;
mod on_violation;
mod operation;
mod pack;
mod pattern;
mod place;
mod product;
mod prune;
mod question;
mod raw;
mod reference;
mod removal;
mod schema;
mod set;
mod subjects;
mod suggest;
mod variables;
mod walk;
mod work;
mod yaml;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use enforcer_abi::{Access, Mode, Privileges};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    access_names::{AccessNameError, access_from_names},
    check::{Checked, check},
    claims::{compile_attachments, compile_cgroups},
    compile::{
        CompileError, CompileFault, Compiled, Judgement, OutcomeRules, compile, compile_alone,
    },
    diff::{Difference, OtherEnds, Said, To, differences},
    endpoint::{NetworkObject, NotOnNetworks, object_name, object_text},
    ends::Ends,
    error::{Problem, ProfileError, ProfileErrors},
    escape::{Escaped, literal},
    explain::{Explanation, Owner, explain},
    format::{FileKind, FormatError, append, format, insert, kind_of},
    glob::{GlobError, GlobFault},
    growth::{Growth, Move, growth},
    limits::{FILE_LEN, NAME_LEN, RULES},
    lint::{Lint, Warning, lint},
    load::load_abstraction,
    network::{NetworkFault, Suggestion},
    on_violation::{OnViolation, Respond, Tighten},
    operation::rights_from_name,
    pattern::Pattern,
    question::{Answer, Question, who_can},
    reference::reference,
    removal::{Exception, Removal},
    schema::{abstraction_schema, profile_schema},
    set::ProfileSet,
    subjects::{Cgroup, Executable, User, UserRef},
};
pub(crate) use self::{
    file::{is_yaml, open as open_file, read as read_file},
    format::{Text, comment, exec_rule, path_rule, quoted},
    load::is_name,
    lower::Edge,
    network::{family_names, ports},
    prune::without_superfluous,
    set::{misnamed_files, yaml_files},
};

/// Where the profiles of a machine lie, unless the command line says otherwise.
pub const DEFAULT_DIR: &str = "/etc/enforcer/profiles";
/// The folder of the abstractions, inside a folder of profiles.
pub const ABSTRACTIONS: &str = "abstractions";

/// What a program may do.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name: the stem of its file's name.
    pub name: String,
    /// What its author says of it.
    pub description: String,
    /// The file it was read from.
    pub source: PathBuf,
    /// The programs that it confines wherever they are started. None: only what
    /// is put under it by name.
    pub executables: Vec<Executable>,
    /// The users whose processes it confines.
    pub users: Vec<User>,
    /// The cgroups whose processes it confines, units among them, each with what
    /// is beneath it.
    pub cgroups: Vec<Cgroup>,
    /// What it grants beside rights on paths, implied privileges among them.
    pub privileges: Privileges,
    /// Where the list of its privileges stands, if it has one.
    pub privileges_origin: Option<Origin>,
    /// Whether its rules decide on [`Access::METADATA`]. If not, it is granted on
    /// every path.
    pub metadata: bool,
    /// What becomes of an access that it does not grant.
    pub mode: ProfileMode,
    /// Its own rules, then those of what it includes.
    pub rules: Vec<Rule>,
    /// How a violation is answered.
    pub on_violation: OnViolation,
    /// Until when it lets everything through, in seconds since 1970, UTC: somebody broke the
    /// glass. 0: not at all. No file says it.
    pub permitted: u32,
    /// How many bytes its file and those that it includes have: what it may take to compile
    /// it depends on that.
    pub text_len: usize,
}

/// What becomes of an access that a profile does not grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProfileMode {
    /// It is refused.
    Enforce,
    /// It is let through and reported.
    Audit,
    /// It is let through and reported as something that a rule may be made of.
    Learn,
}

/// What a profile says of the paths, or of what of networks, that match a pattern.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The paths, or the names of what of networks.
    pub pattern: Pattern,
    /// The rights it grants, implied ones among them; empty in a deny. Without
    /// [`Access::METADATA`] where that is granted on every path.
    pub allow: Access,
    /// The rights it takes away, whatever grants them; empty in an allow.
    pub deny: Access,
    /// The rights of `allow` that a tightening on trial would take away.
    pub trial: Access,
    /// Where an exec of the path leads. `Some` in a rule that grants
    /// [`Access::EXECUTE`], or did before a right was taken from it.
    pub target: Option<Target>,
    /// Whether it allows only what belongs to the user as whom the task acts.
    pub owner: bool,
    /// When it ends. [`Ends::NEVER`] in a deny.
    pub ends: Ends,
    /// What of its accesses is told.
    pub telling: Telling,
    /// Why, in its author's words.
    pub reason: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// What of the accesses that a rule is about is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Telling {
    /// What is refused.
    #[default]
    Usual,
    /// What it allows, too.
    Audit,
    /// What it denies is not.
    Quiet,
    /// What it allows and no other rule does, too: it is a permit's.
    Permit,
}

/// The profile in which a program goes on that a confined program starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The one of the program that starts it.
    Inherit,
    /// The one with this name.
    Profile(String),
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The file.
    pub file: Arc<Path>,
    /// The line, from 1.
    pub line: u32,
    /// The column, in characters from 1.
    pub column: u32,
}

impl Profile {
    /// Reads the profile in `file`, and what it includes from the folder
    /// `abstractions`.
    ///
    /// # Errors
    ///
    /// The first error of [`Profile::load_all`].
    pub fn load(file: &Path, abstractions: &Path) -> Result<Self, ProfileError> {
        Self::load_all(file, abstractions).map_err(ProfileErrors::into_first)
    }

    /// Reads the profile in `file`, and what it includes from the folder
    /// `abstractions`.
    ///
    /// # Errors
    ///
    /// All that is wrong with the profile, each error with its place.
    pub fn load_all(file: &Path, abstractions: &Path) -> Result<Self, ProfileErrors> {
        load::profile_file(file, abstractions)
    }

    /// Reads the profile `text` as if it stood in `file`.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str, file: &Path, abstractions: &Path) -> Result<Self, ProfileError> {
        Self::parse_all(text, file, abstractions).map_err(ProfileErrors::into_first)
    }

    /// As [`Profile::parse`].
    ///
    /// # Errors
    ///
    /// All that is wrong, each error with its place.
    pub fn parse_all(text: &str, file: &Path, abstractions: &Path) -> Result<Self, ProfileErrors> {
        load::profile_text(text, file, abstractions)
    }

    /// The profiles to which its exec rules lead.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter_map(Rule::leads_to)
    }

    /// The rules with these indices.
    pub fn rules_at<'a>(&'a self, indices: &[usize]) -> impl Iterator<Item = &'a Rule> {
        indices.iter().filter_map(|&at| self.rules.get(at))
    }

    /// Whether the other is certain to make the same table. Only places and words for
    /// people differ then, and who is confined.
    pub fn makes_same_table(&self, other: &Self) -> bool {
        let same = |(one, other): (&Rule, &Rule)| {
            one.pattern.text() == other.pattern.text()
                && (one.allow, one.deny, one.trial) == (other.allow, other.deny, other.trial)
                && one.target == other.target
                && (one.owner, one.ends, one.telling) == (other.owner, other.ends, other.telling)
        };
        (self.mode, self.on_violation.respond) == (other.mode, other.on_violation.respond)
            && self.privileges == other.privileges
            && self.metadata == other.metadata
            && self.permitted == other.permitted
            && self.rules.len() == other.rules.len()
            && self.rules.iter().zip(&other.rules).all(same)
    }
}

impl Rule {
    /// The other profile to which an exec of its paths leads, if it does.
    pub fn leads_to(&self) -> Option<&str> {
        match &self.target {
            Some(Target::Profile(name)) => Some(name),
            Some(Target::Inherit) | None => None,
        }
    }
}

impl ProfileMode {
    /// The mode, as the kernel programs know it.
    pub const fn for_kernel(self) -> Mode {
        match self {
            Self::Enforce => Mode::ENFORCE,
            Self::Audit => Mode::AUDIT,
            Self::Learn => Mode::LEARN,
        }
    }

    /// The name, as profiles spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Audit => "audit",
            Self::Learn => "learn",
        }
    }
}

impl Telling {
    /// The name of what is not the usual, as profiles spell it.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Usual => None,
            Self::Audit => Some("audit"),
            Self::Quiet => Some("quiet"),
            Self::Permit => Some("permitted"),
        }
    }
}

impl Origin {
    /// The start of `file`: the place of what is wrong with a file as a whole.
    pub(crate) fn start_of(file: &Path) -> Self {
        Self {
            file: file.into(),
            line: 1,
            column: 1,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column } = self;
        write!(f, "{}:{line}:{column}", Escaped::path(file))
    }
}
