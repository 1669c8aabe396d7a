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
    ) -> Option<Rule> {
        let RawPath {
            path,
            allow,
            deny,
            reason,
        } = &written.value;
        let pattern = self.pattern(source, path);
        let (allow, deny) = match (allow, deny) {
            (Some(names), None) => (self.rights(source, names, Says::Allow)?, Access::NONE),
            (None, Some(names)) => (Access::NONE, self.rights(source, names, Says::Deny)?),
            _ => {
                self.error(source.origin(written.referenced), Problem::AllowOrDeny);
                return None;
            }
        };
        Some(Rule {
            pattern: pattern?,
            allow: allow.with_implied(),
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
            reason,
        } = &written.value;
        let pattern = self.pattern(source, path);
        let target = match (profile, inherit) {
            (None, None) => Target::Inherit,
            (None, Some(inherit)) if inherit.value => Target::Inherit,
            (Some(profile), None) => Target::Profile(profile.value.clone()),
            (_, Some(inherit)) => {
                self.error(source.origin(inherit.referenced), Problem::InheritOrProfile);
                return None;
            }
        };
        if let (Target::Profile(name), Some(written)) = (&target, profile)
            && !super::is_name(name)
        {
            let name = crate::profile::Escaped(name.as_bytes()).to_string();
            self.error(
                source.origin(written.referenced),
                Problem::InvalidName { name },
            );
            return None;
        }
        Some(Rule {
            pattern: pattern?,
            allow: Access::EXECUTE.with_implied(),
            deny: Access::NONE,
            target: Some(target),
            reason: reason.clone(),
            origin: source.origin(path.referenced),
        })
    }

    fn rights(
        &mut self,
        source: &Source,
        names: &Spanned<Vec<Spanned<String>>>,
        says: Says,
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
