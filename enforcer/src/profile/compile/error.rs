//! Why profiles make no table.

use std::fmt;

use enforcer_abi::limits::{EXPIRIES, OUTCOMES, TABLE_WORDS};
use regex_automata::nfa::thompson;

use crate::profile::{Escaped, Origin};

/// A profile that makes no table.
///
/// Shown as `FILE:LINE:COL: message`.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: {fault}")]
pub struct CompileError {
    /// The rule that is to blame, or the start of the profile.
    pub origin: Origin,
    /// Why.
    pub fault: CompileFault,
}

/// Why profiles make no table.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum CompileFault {
    /// Two rules start a program in different profiles.
    #[error(
        "this rule and {other} start {} in different profiles; make the patterns disjoint",
        Escaped(example)
    )]
    TwoTargets {
        /// The other rule.
        other: Origin,
        /// A program that both speak about.
        example: Vec<u8>,
    },
    /// Two profiles confine one program.
    #[error(
        "the profiles `{first}` and `{second}` both apply to {}; make their patterns disjoint",
        Escaped(example)
    )]
    TwoProfiles {
        /// One profile.
        first: String,
        /// The other.
        second: String,
        /// A program that both apply to.
        example: Vec<u8>,
    },
    /// Two profiles confine what runs in one cgroup.
    #[error(
        "the profiles `{first}` and `{second}` both apply to the cgroup {}; name cgroups by their paths, and make these disjoint",
        Escaped(example)
    )]
    TwoProfilesOfCgroup {
        /// One profile.
        first: String,
        /// The other.
        second: String,
        /// A cgroup that both apply to.
        example: Box<[u8]>,
    },
    /// There is no profile with this name.
    #[error("there is no profile `{name}` to start this program in; load it, too")]
    NoTarget {
        /// The name.
        name: String,
    },
    /// The patterns overlap in too many ways.
    #[error(
        "{} too large an automaton of profile `{profile}`; use fewer `**`, and fewer `?` and classes behind a wildcard",
        Makers(others)
    )]
    TooLarge {
        /// The profile.
        profile: String,
        /// The rules to blame, beside the one that the error is about.
        others: Vec<Origin>,
    },
    /// Too many rules about one path end one after another.
    #[error(
        "{} more than {EXPIRIES} times at which something ends on one path; give several of them the same",
        Makers(others)
    )]
    TooManyEnds {
        /// The other rules.
        others: Vec<Origin>,
    },
    /// The table would be larger than the kernel can hold.
    #[error(
        "profile `{profile}` needs a table of {words} words, and the largest has {}; use patterns in place of single paths",
        TABLE_WORDS.into_iter().max().unwrap_or(0)
    )]
    TableTooLarge {
        /// The profile.
        profile: String,
        /// The words it needs.
        words: usize,
    },
    /// The rules overlap in too many ways.
    #[error(
        "the rules of profile `{profile}` overlap in {count} ways, and the most is {OUTCOMES}; use fewer rules that overlap"
    )]
    TooManyOutcomes {
        /// The profile.
        profile: String,
        /// In how many ways.
        count: usize,
    },
    /// The patterns of a profile are no expression.
    #[error(
        "cannot read the patterns of `{profile}`, a fault of enforcer's that is worth a report: {source}"
    )]
    Nfa {
        /// The profile.
        profile: String,
        /// Why.
        source: Box<thompson::BuildError>,
    },
}

/// What makes an automaton: what the error is about, and what else.
struct Makers<'a>(&'a [Origin]);

impl fmt::Display for Makers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("this makes"),
            [one] => write!(f, "this and {one} together make"),
            [all @ .., last] => {
                f.write_str("this")?;
                for origin in all {
                    write!(f, ", {origin}")?;
                }
                write!(f, " and {last} together make")
            }
        }
    }
}
