//! Tightening: taking away, after a violation, what a profile grants near the
//! refused object and nobody has used.
//!
//! - [`neighbourhood`]: which rules are near an object
//! - [`usage`]: which rights were used, from the kernel's hit counters
//! - [`replay`]: which objects that the history shows in use would be lost
//! - [`stale`]: what was not used for long
//! - [`narrow`]: narrower patterns for broad ones
//! - [`overlay`]: removals as they are kept, and the one rule that decides which hold
//!
//! The planner here is pure. A plan only removes: never a right that was used,
//! never one that comes from an abstraction, and never one whose use the kernel
//! programs cannot see.

pub mod narrow;
pub mod neighbourhood;
pub mod overlay;
pub mod replay;
pub mod stale;
pub mod usage;

use enforcer_abi::Access;

pub use self::{
    narrow::{Files, narrower},
    overlay::{Overlay, OverlayState, Overlays},
    replay::{is_legitimate, lost},
    stale::{own_patterns, stale},
    usage::Usage,
};
use crate::profile::{Profile, Removal};

use self::neighbourhood::{Distance, distance};

/// The rights whose use the kernel programs count under `profile`. Another one may
/// be in use without a hit, so it is never called unused: metadata, where the
/// profile does not mediate it.
pub fn observed(profile: &Profile) -> Access {
    if profile.metadata {
        Access::ALL
    } else {
        Access::ALL & !Access::METADATA
    }
}

/// What was refused.
#[derive(Clone, Copy, Debug)]
pub struct Offence<'a> {
    /// The object.
    pub path: &'a [u8],
    /// The rights that the profile did not grant on it.
    pub missing: Access,
}

/// Returns what to take away from `profile` after `offence`.
///
/// Of each pattern that the profile's own allow-rules have, the rights that were
/// never used go:
///
/// - all of them, if the pattern is [`Distance::Near`] the object;
/// - those that the offence was about, if it is [`Distance::Wide`].
///
/// A right that another one implies (append by write) stays as long as that one
/// does. A pattern that an abstraction's rule has, too, is left alone, since a
/// removal goes by the pattern.
pub fn plan(profile: &Profile, usage: &Usage, offence: Offence<'_>) -> Vec<Removal> {
    let mut removals: Vec<Removal> = Vec::new();
    for rule in &profile.rules {
        let pattern = rule.pattern.text();
        if rule.allow.is_empty() || removals.iter().any(|removal| removal.pattern == pattern) {
            continue;
        }
        let scope = match distance(&rule.pattern, offence.path) {
            Distance::Near => Access::ALL,
            Distance::Wide => offence.missing.with_implied(),
            Distance::Far => continue,
        };
        removals.extend(unused(profile, pattern, usage.of(pattern), scope));
    }
    removals
}

/// Returns what of `scope` goes of the rights that the profile's own rules grant on a pattern,
/// if these of them are `used`. A right that another one implies stays as long as that does.
fn unused(profile: &Profile, pattern: &str, used: Access, scope: Access) -> Option<Removal> {
    let granted = own_grant(profile, pattern)?;
    let unused = granted & observed(profile) & !used & scope;
    let kept = granted & !unused;
    let access = unused & !kept.with_implied();
    (!access.is_empty()).then(|| Removal {
        pattern: pattern.to_owned(),
        access,
        except: Vec::new(),
    })
}

/// Returns the rights of `removals` that were used: what a change would break. Which objects of
/// a pattern were used the counters do not say: what leaves exceptions is not judged by them.
pub fn in_use(removals: &[Removal], usage: &Usage) -> Vec<Removal> {
    removals
        .iter()
        .filter(|removal| removal.except.is_empty())
        .map(|removal| Removal {
            access: removal.access & usage.of(&removal.pattern),
            ..removal.clone()
        })
        .filter(|removal| !removal.access.is_empty())
        .collect()
}

/// Returns `removals` without the rights that `others` remove.
pub fn beyond(removals: &[Removal], others: &[Removal]) -> Vec<Removal> {
    removals
        .iter()
        .map(|removal| Removal {
            access: others
                .iter()
                .filter(|other| other.pattern == removal.pattern)
                .fold(removal.access, |rest, other| rest & !other.access),
            ..removal.clone()
        })
        .filter(|removal| !removal.access.is_empty())
        .collect()
}

/// Returns the rights that the profile's own rules grant on `pattern`, or `None`
/// if a rule of an abstraction grants some, too.
fn own_grant(profile: &Profile, pattern: &str) -> Option<Access> {
    profile
        .rules
        .iter()
        .filter(|rule| rule.pattern.text() == pattern && !rule.allow.is_empty())
        .try_fold(Access::NONE, |granted, rule| {
            (*rule.origin.file == *profile.source).then_some(granted | rule.allow)
        })
}

#[cfg(test)]
mod tests;
