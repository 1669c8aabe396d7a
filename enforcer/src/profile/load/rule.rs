//! The rules of a file.

use enforcer_abi::Access;
use serde_yaml::Spanned;

use super::{Loader, Source};
use crate::profile::{
    Rule, Target, access_names,
    error::Problem,
    raw::{RawExec, RawPath},
};

/// The word for every right, in denies.
const ALL: &str = "all";

impl Loader<'_> {
    /// Reads a rule of `paths`.
    pub(super) fn path_rule(
        &mut self,
        source: &Source,
        written: &Spanned<RawPath>,
        owner: Owner,
    ) -> Option<Rule> {
        let RawPath {
            path,
            allow,
            deny,
            reason,
        } = &written.value;
        let pattern = self.pattern(source, path);
        let (allow, deny) = match (allow, deny) {
            (Some(names), None) => (
                self.rights(source, names, Says::Allow, owner)?,
                Access::NONE,
            ),
            (None, Some(names)) => (Access::NONE, self.rights(source, names, Says::Deny, owner)?),
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
            target: allow.contains(Access::EXECUTE).then_some(Target::Inherit),
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
            reason,
        } = &written.value;
        let pattern = self.pattern(source, path);
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
            let name = crate::profile::Escaped(name.as_bytes()).to_string();
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
            target,
            reason: reason.clone(),
            origin: source.origin(path.referenced),
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
        owner: Owner,
    ) -> Option<Access> {
        if names.value.is_empty() {
            self.error(source.origin(names.referenced), Problem::NoRights);
            return None;
        }
        let mut rights = Some(Access::NONE);
        for name in &names.value {
            let right = match (name.value.as_str(), says) {
                (ALL, Says::Allow) => Err(Problem::AllowAll),
                (ALL, Says::Deny) => Ok(Access::ALL),
                (name, Says::Allow) => access_names::from_name(name, &[]).map_err(Problem::from),
                (name, Says::Deny) => access_names::from_name(name, &[ALL]).map_err(Problem::from),
            };
            let unmediated =
                matches!(right, Ok(Access::METADATA)) && self.metadata == Metadata::Granted;
            let right = match (owner, says) {
                // Others that include it may decide on it.
                (Owner::Abstraction, Says::Allow) if unmediated => Ok(Access::NONE),
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
pub(super) enum Owner {
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
