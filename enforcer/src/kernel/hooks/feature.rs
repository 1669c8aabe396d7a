//! What some kernels cannot do, besides the hooks that they lack.

use super::super::series::Series;

/// Something that a profile may need and a kernel may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// A program can be told not to trust its environment (`AT_SECURE`): the
    /// helper `bpf_bprm_opts_set`. Rules that lead an exec to another profile
    /// need it.
    SecureExec,
}

impl Feature {
    /// Every feature.
    pub const ALL: [Self; 1] = [Self::SecureExec];

    /// The first kernel that has it.
    pub const fn since(self) -> Series {
        match self {
            Self::SecureExec => Series(5, 12),
        }
    }

    /// What cannot be had without it, for people.
    pub const fn without(self) -> &'static str {
        match self {
            Self::SecureExec => {
                "an exec rule cannot lead to another profile: the program could not be kept from \
                 trusting its environment"
            }
        }
    }
}
