//! What it may take to compile a profile and to look for what may not have been meant.
//!
//! It is counted, and all stages draw on one count, so that what is given up does not depend
//! on the machine, and limits do not add up. A step is about a nanosecond of an optimised
//! build. What a stage does is counted where it does that; the steps of each are fitted to the
//! texts that take longest (`enforcer/tests/budget/`).

use super::Profile;

/// Steps for a text of up to [`USUAL_LEN`] bytes. Such a text takes less than a second on a
/// machine half as fast, and the largest profiles that people wrote take a third of them.
const STEPS: u64 = 350_000_000;
/// The longest text that has no more steps than any other, in bytes: 64 KiB, and the
/// abstractions that it includes.
const USUAL_LEN: usize = 128 << 10;
/// Steps for each byte beyond. Rules that are written out take some 200.
const STEPS_A_BYTE: u64 = 4_000;
/// Most steps, whatever they are for.
const MOST_STEPS: u64 = 10 * STEPS;
/// Steps to find who is to blame for what takes too many.
const STEPS_TO_BLAME: u64 = 50_000_000;
/// Steps that a byte of a pattern took until it was read.
const READ: u64 = 200;

/// The steps that are left.
#[derive(Debug)]
pub(super) struct Work {
    left: u64,
}

/// There are no more steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

impl Work {
    /// The steps for `profile`.
    pub(super) fn of(profile: &Profile) -> Self {
        Self {
            left: steps(profile),
        }
    }

    /// The steps for what is made of several profiles together.
    pub(super) fn of_all(profiles: &[&Profile]) -> Self {
        let steps = profiles.iter().map(|profile| steps(profile));
        Self {
            left: steps.fold(STEPS, u64::saturating_add).min(MOST_STEPS),
        }
    }

    /// The steps to find who is to blame.
    pub(super) fn to_blame() -> Self {
        Self {
            left: STEPS_TO_BLAME,
        }
    }

    /// Counts what was done, or is about to be: `count` times what takes `steps` steps.
    ///
    /// # Errors
    ///
    /// If that is more than what is left.
    pub(super) fn take(&mut self, count: usize, steps: u64) -> Result<(), Exhausted> {
        let taken = (count as u64).saturating_mul(steps);
        self.left = self.left.checked_sub(taken).ok_or(Exhausted)?;
        Ok(())
    }
}

/// The steps for a profile that was read.
fn steps(profile: &Profile) -> u64 {
    let beyond = profile.text_len.saturating_sub(USUAL_LEN) as u64;
    let rules = profile.rules.iter().map(|rule| &rule.pattern);
    let executables = profile.executables.iter().map(|it| &it.pattern);
    let cgroups = profile.cgroups.iter().map(|it| &it.pattern);
    let patterns = rules.chain(executables).chain(cgroups);
    let read: usize = patterns.map(|pattern| pattern.text().len()).sum();
    let steps = STEPS + beyond.saturating_mul(STEPS_A_BYTE);
    steps
        .min(MOST_STEPS)
        .saturating_sub((read as u64).saturating_mul(READ))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Exhausted, Profile, STEPS, Work};
    use crate::profile::FILE_LEN;

    fn profile(len: usize) -> Profile {
        let mut text = "name: p\nmode: enforce\n#".to_owned();
        text += &"x".repeat(len - text.len());
        Profile::parse(&text, Path::new("p.yaml"), Path::new("")).unwrap()
    }

    #[test]
    fn what_there_is() {
        let [short, usual, long] = [100, 64 << 10, FILE_LEN].map(profile);
        assert_eq!(Work::of(&short).left, STEPS);
        assert_eq!(Work::of(&usual).left, STEPS);
        assert_eq!(Work::of(&long).left, 10 * STEPS);
        assert_eq!(Work::of_all(&[]).left, STEPS);
        assert_eq!(Work::of_all(&[&short, &usual]).left, 3 * STEPS);
    }

    #[test]
    fn it_ends() {
        let mut work = Work { left: 10 };
        assert_eq!(work.take(3, 3), Ok(()));
        assert_eq!(work.take(1, 2), Err(Exhausted));
        assert_eq!(work.take(1, 1), Ok(()));
        assert_eq!(work.take(usize::MAX, u64::MAX), Err(Exhausted));
    }
}
