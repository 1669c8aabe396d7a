//! What can be asked of profiles, and which of them let it through.

use std::borrow::Cow;

use enforcer_abi::{Access, Privilege, Verdict, policy::refusal};

use super::{
    CompileError, Explanation, Growth, Move, Owner, Profile, compile_alone, explain, growth,
};

/// What is asked of a profile.
#[derive(Clone, Debug)]
pub enum Question<'a> {
    /// Whether it grants rights.
    Rights {
        /// All of them.
        access: Access,
        /// On this path, or name of something of a network.
        name: Cow<'a, [u8]>,
        /// To whom that belongs.
        owner: Owner,
    },
    /// Whether something may have another name.
    Move {
        /// How.
        how: Move,
        /// The old path and the new one.
        paths: [Cow<'a, [u8]>; 2],
        /// To whom it belongs.
        owner: Owner,
    },
    /// Whether it grants a privilege.
    Privilege(Privilege),
}

/// What a profile answers, beside what it was asked.
#[derive(Clone, Debug)]
#[must_use]
pub enum Answer<'a> {
    /// To [`Question::Rights`].
    Rights {
        /// The path or name.
        name: &'a [u8],
        /// What the profile says to it.
        explanation: Explanation<'a>,
    },
    /// To [`Question::Move`].
    Move {
        /// How.
        how: Move,
        /// The old path and the new one.
        paths: [&'a [u8]; 2],
        /// What the profile says to it.
        growth: Growth<'a>,
    },
    /// To [`Question::Privilege`].
    Privilege {
        /// The privilege.
        privilege: Privilege,
        /// What becomes of its use.
        verdict: Verdict,
    },
}

impl Question<'_> {
    /// What `profile` answers.
    ///
    /// # Errors
    ///
    /// If the profile does not compile.
    pub fn ask<'a>(&'a self, profile: &'a Profile) -> Result<Answer<'a>, CompileError> {
        let compiled = compile_alone(profile)?;
        Ok(match *self {
            Self::Rights {
                access,
                ref name,
                owner,
            } => Answer::Rights {
                name,
                explanation: explain(profile, &compiled, access, name, owner),
            },
            Self::Move {
                how,
                paths: [ref old, ref new],
                owner,
            } => {
                let paths = [&**old, &**new];
                Answer::Move {
                    how,
                    paths,
                    growth: growth(profile, &compiled, how, paths, owner),
                }
            }
            Self::Privilege(privilege) => Answer::Privilege {
                privilege,
                verdict: if profile.privileges.contains(privilege) {
                    Verdict::Allow
                } else {
                    refusal(profile.mode.for_kernel())
                },
            },
        })
    }
}

impl Answer<'_> {
    /// What becomes of it; of a move, if it is of a file. All but [`Verdict::Allow`] mean
    /// that the profile does not grant it.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Rights { explanation, .. } => explanation.verdict,
            Self::Move { growth, .. } => growth.as_file,
            Self::Privilege { verdict, .. } => *verdict,
        }
    }
}

/// The profiles that let through what is asked, in their order, each with its answer. Those
/// that only audit or learn let everything through.
///
/// # Errors
///
/// If a profile does not compile.
pub fn who_can<'a>(
    profiles: impl IntoIterator<Item = &'a Profile>,
    question: &'a Question<'_>,
) -> Result<Vec<(&'a Profile, Answer<'a>)>, CompileError> {
    let mut able = Vec::new();
    for profile in profiles {
        let answer = question.ask(profile)?;
        if answer.verdict() != Verdict::Deny {
            able.push((profile, answer));
        }
    }
    Ok(able)
}
