//! Whom a profile confines wherever it is started, and what it grants beside rights
//! on paths.

use enforcer_abi::{Privilege, Privileges};
use serde_yaml::Spanned;

use super::{Loader, Source};
use crate::profile::{
    Cgroup, Escaped, Executable, Origin, Pattern, User,
    error::Problem,
    raw::RawAppliesTo,
    subjects::{is_unit, unit_glob, user},
};

/// Whom a profile confines.
#[derive(Default)]
pub(super) struct Subjects {
    pub(super) executables: Vec<Executable>,
    pub(super) users: Vec<User>,
    pub(super) cgroups: Vec<Cgroup>,
}

impl Loader<'_> {
    /// Reads `applies_to` of the profile in `source`.
    pub(super) fn subjects(
        &mut self,
        source: &Source,
        written: &Spanned<RawAppliesTo>,
    ) -> Subjects {
        let RawAppliesTo {
            executables,
            users,
            units,
            cgroups,
        } = &written.value;
        let lists = [executables, users, units, cgroups];
        if lists.iter().all(|list| list.is_empty()) {
            self.error(source.origin(written.referenced), Problem::NoSubjects);
        }
        let mut subjects = Subjects::default();
        for written in executables {
            if let Some(pattern) = self.pattern(source, written) {
                let origin = source.origin(written.referenced);
                subjects.executables.push(Executable { pattern, origin });
            }
        }
        for written in users {
            let origin = source.origin(written.referenced);
            if let Some(who) = user(&written.value) {
                subjects.users.push(User { who, origin });
            } else {
                let name = Escaped(written.value.as_bytes()).to_string();
                self.error(origin, Problem::InvalidUser { name });
            }
        }
        for written in units {
            subjects.cgroups.extend(self.unit(source, written));
        }
        for written in cgroups {
            if let Some(pattern) = self.pattern(source, written) {
                subjects.cgroups.push(Cgroup {
                    pattern,
                    unit: None,
                    origin: source.origin(written.referenced),
                });
            }
        }
        subjects
    }

    fn unit(&mut self, source: &Source, written: &Spanned<String>) -> Option<Cgroup> {
        let origin = source.origin(written.referenced);
        let name = &written.value;
        if !is_unit(name) {
            let name = Escaped(name.as_bytes()).to_string();
            self.error(origin, Problem::InvalidUnit { name });
            return None;
        }
        match Pattern::parse(&unit_glob(name)) {
            Ok(pattern) => Some(Cgroup {
                pattern,
                unit: Some(name.clone()),
                origin,
            }),
            Err(error) => {
                self.error(origin, error.fault);
                None
            }
        }
    }

    /// Reads `privileges` of the profile in `source`, and where the list stands.
    pub(super) fn privileges(
        &mut self,
        source: &Source,
        written: Option<&Spanned<Vec<Spanned<String>>>>,
    ) -> (Privileges, Option<Origin>) {
        let Some(written) = written else {
            return (Privileges::NONE, None);
        };
        let mut privileges = Privileges::NONE;
        for name in &written.value {
            if self.is_hopeless() {
                break;
            }
            if let Some(privilege) = Privilege::from_name(&name.value) {
                privileges |= Privileges::of(privilege);
            } else {
                let origin = source.origin(name.referenced);
                let name = Escaped(name.value.as_bytes()).to_string();
                self.error(origin, Problem::UnknownPrivilege { name });
            }
        }
        let origin = source.origin(written.referenced);
        (privileges.with_implied(), Some(origin))
    }
}
