//! The hooks: which programs mediate what, on which kernels.
//!
//! [`GROUPS`] is the one list of them. What is attached, what `enforcer status`
//! says is missing, and the table in COVERAGE.md all come from it.
//!
//! - `table`: the list
//! - [`plan`]: which of them the running kernel has, and which programs fit
//! - [`feature`]: what some kernels cannot do besides
//! - `coverage`: COVERAGE.md
//!
//! A hook whose arguments differ between kernels has a program for each form, and
//! the arguments' names in the kernel's BTF tell which fits. A program that does
//! not fit is never loaded.

use enforcer_abi::{Operation, Privilege};

#[cfg(test)]
mod coverage;
pub mod feature;
pub mod plan;
mod table;
#[cfg(test)]
mod tests;

pub use self::{
    feature::Feature,
    plan::{Pick, Plan},
    table::GROUPS,
};
use super::series::Series;

/// The first kernel with LSM programs.
const FIRST: Series = Series(5, 7);

/// Hooks that belong together, as people see them.
#[derive(Debug)]
pub struct Group {
    /// What they are about.
    pub name: &'static str,
    /// They.
    pub hooks: &'static [Hook],
}

/// An LSM hook to which a program is attached.
#[derive(Debug)]
pub struct Hook {
    /// Its name, as in `include/linux/lsm_hook_defs.h`.
    pub name: &'static str,
    /// The programs for it. The first that fits is attached.
    pub programs: &'static [Signature],
    /// When it is attached.
    pub need: Need,
    /// Whether kernels can be built without it. Else the agent does not start without
    /// it, from the kernel on that has it.
    pub is_optional: bool,
    /// What it mediates, and how much of that.
    pub covers: &'static [(What, &'static str)],
    /// The first kernel on which programs can be attached to it.
    pub since: Series,
    /// Whether the BTF of kernels before that lists it nevertheless.
    pub listed_early: bool,
    /// What mediates that where it is missing.
    pub instead: Instead,
}

/// A program, and the arguments that it expects: position, names that are known
/// there. No name: there must be no such argument.
#[derive(Debug)]
pub struct Signature(
    pub &'static str,
    pub &'static [(usize, &'static [&'static str])],
);

/// What needs a hook attached. One that nothing needs yet costs nothing.
///
/// It is by this alone, and not by which rights the profiles grant: a granted right is
/// counted as used, and a task that runs already gets its label at a mediated operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Any profile.
    Profile,
    /// A profile that names users.
    Users,
    /// Any profile, if what was found of objects is remembered.
    Memory,
    /// A profile that wants `metadata` mediated: it runs at every `stat`.
    Metadata,
}

/// What a hook mediates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// An operation on a path.
    Operation(Operation),
    /// A privilege that is no capability, or is asked here besides.
    Privilege(Privilege),
    /// All capabilities.
    Capabilities,
    /// It keeps a task in its domain.
    Domain,
    /// It keeps what is remembered of objects right.
    Memory,
}

/// What mediates what a missing hook would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// It is on every kernel.
    Never,
    /// This does, so nothing is lost.
    Covered(&'static str),
    /// Nothing: this can be done by whoever is confined.
    Gap(&'static str),
}

impl Hook {
    /// A hook that is on every kernel.
    const fn new(
        name: &'static str,
        programs: &'static [Signature],
        covers: &'static [(What, &'static str)],
    ) -> Self {
        Self {
            name,
            programs,
            need: Need::Profile,
            is_optional: false,
            covers,
            since: FIRST,
            listed_early: false,
            instead: Instead::Never,
        }
    }

    /// The hook, from a later kernel on.
    const fn since(self, major: u32, minor: u32, instead: Instead) -> Self {
        Self {
            since: Series(major, minor),
            instead,
            ..self
        }
    }

    /// The hook, on kernels that were built with what it is about.
    const fn if_present(self, instead: Instead) -> Self {
        Self {
            is_optional: true,
            instead,
            ..self
        }
    }

    /// The hook, which is not attached for any profile.
    const fn only_for(self, need: Need) -> Self {
        Self { need, ..self }
    }

    /// The hook, which BTF lists before programs can be attached to it.
    const fn listed_early(self) -> Self {
        Self {
            listed_early: true,
            ..self
        }
    }

    /// What it mediates, for people: `open, map`.
    pub fn covered(&self) -> String {
        let names: Vec<_> = self.covers.iter().map(|(what, _)| what.name()).collect();
        names.join(", ")
    }
}

impl What {
    /// The name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operation(operation) => operation.name(),
            Self::Privilege(privilege) => privilege.name().unwrap_or("privilege"),
            Self::Capabilities => "capabilities",
            Self::Domain => "domains of tasks",
            Self::Memory => "what is remembered of objects",
        }
    }
}

/// Returns every hook.
pub fn all() -> impl Iterator<Item = &'static Hook> {
    GROUPS.iter().flat_map(|group| group.hooks)
}

/// Returns the hook with this name.
pub fn by_name(name: &str) -> Option<&'static Hook> {
    all().find(|hook| hook.name == name)
}
