//! The rules of a file.

use enforcer_abi::Access;
use serde_yaml::Spanned;

use super::{Loader, Source};
use crate::profile::{
    Ends, Escaped, Rule, Target, Telling, access_names, ends,
    error::Problem,
    raw::{RawExec, RawPath},
};

/// The word for every right, in denies.
pub(super) const ALL: &str = "all";

impl Loader<'_> {
    /// Reads a rule of `paths`.
    pub(super) fn path_rule(
        &mut self,
        source: &Source,
        written: &Spanned<RawPath>,
        within: Within,
    ) -> Option<Rule> {
        let RawPath {
            path,
            allow,
            deny,
            owner: of_owner,
            until,
            within: span,
            audit,
            quiet,
            reason,
        } = &written.value;
        let pattern = self.pattern(source, path);
        self.booleans(source, [of_owner.as_ref()]);
        let telling = self.telling(source, deny.is_some(), [audit, quiet]);
        let ends = self.ends(source, deny.is_some(), [until, span]);
        if let (Some(of_owner), Some(_)) = (of_owner, deny) {
            self.error(source.origin(of_owner.referenced), Problem::OwnerOfDeny);
        }
        let (allow, deny) = match (allow, deny) {
            (Some(names), None) => (
                self.rights(source, names, Says::Allow, within)?,
                Access::NONE,
            ),
            (None, Some(names)) => (
                Access::NONE,
                self.rights(source, names, Says::Deny, within)?,
            ),
            _ => {
                self.error(source.origin(written.referenced), Problem::AllowOrDeny);
                return None;
            }
        };
        let pattern = pattern?;
        // It granted nothing else, and that is granted anyway.
        if allow.is_empty() && deny.is_empty() {
            return None;
        }
        Some(Rule {
            pattern,
            allow: self.granted(allow),
            deny: denied(deny),
            trial: Access::NONE,
            target: allow.contains(Access::EXECUTE).then_some(Target::Inherit),
            owner: is_true(of_owner.as_ref()),
            ends: ends?,
            telling: telling?,
            reason: reason.clone(),
            origin: source.origin(path.referenced),
        })
    }

    /// Reads a rule of `exec`.
    pub(super) fn exec_rule(
        &mut self,
        source: &Source,
        written: &Spanned<RawExec>,
    ) -> Option<Rule> {
        let RawExec {
            path,
            profile,
            inherit,
            deny,
            until,
            within,
            audit,
            quiet,
            reason,
        } = &written.value;
        let pattern = self.pattern(source, path);
        self.booleans(source, [inherit.as_ref(), deny.as_ref()]);
        let telling = self.telling(source, deny.is_some(), [audit, quiet]);
        let ends = self.ends(source, deny.is_some(), [until, within]);
        let target = match (profile, inherit, deny) {
            (None, None, None) => Some(Target::Inherit),
            (None, Some(inherit), None) if inherit.value => Some(Target::Inherit),
            (Some(profile), None, None) => Some(Target::Profile(profile.value.clone())),
            (None, None, Some(deny)) if deny.value => None,
            (_, Some(odd), _) | (_, _, Some(odd)) => {
                self.error(source.origin(odd.referenced), Problem::ExecEnds);
                return None;
            }
        };
        if let (Some(Target::Profile(name)), Some(written)) = (&target, profile)
            && !super::is_name(name)
        {
            let name = Escaped(name.as_bytes()).to_string();
            self.error(
                source.origin(written.referenced),
                Problem::InvalidName { name },
            );
            return None;
        }
        let (allow, deny) = match target {
            Some(_) => (self.granted(Access::EXECUTE), Access::NONE),
            None => (Access::NONE, denied(Access::EXECUTE)),
        };
        Some(Rule {
            pattern: pattern?,
            allow,
            deny,
            trial: Access::NONE,
            target,
            owner: false,
            ends: ends?,
            telling: telling?,
            reason: reason.clone(),
            origin: source.origin(path.referenced),
        })
    }

    /// Notes what is wrong with booleans.
    pub(super) fn booleans<const COUNT: usize>(
        &mut self,
        source: &Source,
        written: [Option<&Spanned<bool>>; COUNT],
    ) {
        for boolean in written.into_iter().flatten() {
            if let Some(problem) = source.quoted(boolean) {
                self.error(source.origin(boolean.referenced), problem);
            }
        }
    }

    /// What a rule tells, from its `audit` and `quiet`.
    pub(super) fn telling(
        &mut self,
        source: &Source,
        denies: bool,
        [audit, quiet]: [&Option<Spanned<bool>>; 2],
    ) -> Option<Telling> {
        self.booleans(source, [audit.as_ref(), quiet.as_ref()]);
        let (odd, problem) = match (denies, audit, quiet) {
            (true, Some(audit), _) => (audit, Problem::AuditOfDeny),
            (false, _, Some(quiet)) => (quiet, Problem::QuietOfAllow),
            (true, None, quiet) if is_true(quiet.as_ref()) => return Some(Telling::Quiet),
            (false, audit, None) if is_true(audit.as_ref()) => return Some(Telling::Audit),
            _ => return Some(Telling::Usual),
        };
        self.error(source.origin(odd.referenced), problem);
        None
    }

    /// When a rule ends, from its `until` and `for`.
    pub(super) fn ends(
        &mut self,
        source: &Source,
        denies: bool,
        [until, within]: [&Option<Spanned<String>>; 2],
    ) -> Option<Ends> {
        if denies {
            let Some(odd) = until.as_ref().or(within.as_ref()) else {
                return Some(Ends::NEVER);
            };
            self.error(source.origin(odd.referenced), Problem::EndOfDeny);
            return None;
        }
        let mut read = |written: &Option<Spanned<String>>,
                        parse: fn(&str) -> Option<u32>,
                        problem: fn(String) -> Problem| {
            let Some(written) = written else {
                return Some(0);
            };
            let read = parse(&written.value);
            if read.is_none() {
                let text = Escaped(written.value.as_bytes()).to_string();
                self.error(source.origin(written.referenced), problem(text));
            }
            read
        };
        let until = read(until, ends::until, |text| Problem::Until { text });
        let within = read(within, ends::within, |text| Problem::For { text });
        Some(Ends {
            until: until?,
            within: within?,
        })
    }

    /// `rights`, and those they imply, but for what is granted on every path anyway.
    fn granted(&self, rights: Access) -> Access {
        let rights = rights.with_implied();
        match self.metadata {
            Metadata::ByRules => rights,
            Metadata::Granted => rights & !Access::METADATA,
        }
    }

    fn rights(
        &mut self,
        source: &Source,
        names: &Spanned<Vec<Spanned<String>>>,
        says: Says,
        within: Within,
    ) -> Option<Access> {
        if names.value.is_empty() {
            self.error(source.origin(names.referenced), Problem::NoRights);
            return None;
        }
        let mut rights = Some(Access::NONE);
        let known = |name: &str, others: &[&'static str]| {
            access_names::from_name(name, Access::ON_PATHS, others).map_err(Problem::from)
        };
        for name in &names.value {
            let right = match (name.value.as_str(), says) {
                (ALL, Says::Allow) => Err(Problem::AllowAll),
                (ALL, Says::Deny) => Ok(Access::ALL),
                (name, Says::Allow) => known(name, &[]),
                (name, Says::Deny) => known(name, &[ALL]),
            };
            let right = match right {
                Ok(Access::BIND) => Err(Problem::BindOnPath),
                right => right,
            };
            let unmediated =
                matches!(right, Ok(Access::METADATA)) && self.metadata == Metadata::Granted;
            let right = match (within, says) {
                // Others that include it may decide on it.
                (Within::Abstraction, Says::Allow) if unmediated => Ok(Access::NONE),
                _ if unmediated => Err(Problem::MetadataUnmediated),
                _ => right,
            };
            match right {
                Ok(right) => rights = rights.map(|rights| rights | right),
                Err(problem) => {
                    self.error(source.origin(name.referenced), problem);
                    rights = None;
                }
            }
        }
        rights
    }
}

fn is_true(written: Option<&Spanned<bool>>) -> bool {
    written.is_some_and(|written| written.value)
}

/// Who decides on [`Access::METADATA`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Metadata {
    /// The rules.
    ByRules,
    /// Nobody: it is granted on every path.
    Granted,
}

/// What kind of file a rule stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Profile,
    Abstraction,
}

/// What a list of rights is for.
#[derive(Clone, Copy)]
enum Says {
    Allow,
    Deny,
}

/// A denied set, and what would be as good as having one of its rights: who may
/// not write may not append. Who may not execute a file may still map it: maps are
/// how libraries work, and a deny of them is its own word.
fn denied(rights: Access) -> Access {
    if rights.contains(Access::WRITE) {
        rights | Access::APPEND
    } else {
        rights
    }
}
