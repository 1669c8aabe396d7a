//! Short names for what can be wrong: for programs, and for the test that shows every
//! message.

use strum::VariantNames as _;

use super::Problem;
use crate::profile::{
    access_names::AccessNameError, compile::CompileFault, glob::GlobFault, lint::Lint,
    network::NetworkFault, variables::VariableFault,
};

/// Variants that are shown as what they hold.
const WRAPPERS: [&str; 5] = ["access", "glob", "network", "variable", "compile"];

impl Problem {
    /// A name for what is wrong, which stays when the words change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Access(error) => error.into(),
            Self::Glob(fault) => fault.into(),
            Self::Network(fault) => fault.into(),
            Self::Variable(fault) => fault.into(),
            Self::Compile(fault) => fault.into(),
            other => other.into(),
        }
    }

    /// Every name that [`Problem::code`] gives.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        let own = Self::VARIANTS.iter().copied();
        own.filter(|name| !WRAPPERS.contains(name))
            .chain(AccessNameError::VARIANTS.iter().copied())
            .chain(GlobFault::VARIANTS.iter().copied())
            .chain(NetworkFault::VARIANTS.iter().copied())
            .chain(VariableFault::VARIANTS.iter().copied())
            .chain(CompileFault::VARIANTS.iter().copied())
    }
}

impl Lint {
    /// A name for what may not have been meant, which stays when the words change.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// Every name that [`Lint::code`] gives.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        Self::VARIANTS.iter().copied()
    }
}
