//! For how long rights are granted, and how that differs.

use enforcer_abi::Access;

use super::{Said, To};
use crate::profile::{Ends, Rule};

/// Rights that two profiles grant on some paths until other ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherEnds {
    /// The rights.
    pub rights: Access,
    /// To whom.
    pub to: To,
    /// When what the first profile grants ends: each process has the rights until the last
    /// of these has come.
    pub before: Vec<Ends>,
    /// The same of the second.
    pub after: Vec<Ends>,
}

impl OtherEnds {
    /// Whether the second profile grants the rights longer, be it to some processes.
    pub fn is_longer(&self) -> bool {
        outlast(&self.after, &self.before)
    }

    /// Whether the first does.
    pub fn is_shorter(&self) -> bool {
        outlast(&self.before, &self.after)
    }
}

/// The rights that both grant, but until other ends.
pub(super) fn other_ends(before: &Said<'_>, after: &Said<'_>) -> Vec<OtherEnds> {
    let mut found: Vec<OtherEnds> = Vec::new();
    for (right, _) in Access::NAMES {
        let of = |to| {
            let ends = [before, after].map(|said| ends(said, right, to));
            // What only one grants is no difference of ends.
            let is_other = ends.iter().all(|ends| !ends.is_empty()) && ends[0] != ends[1];
            is_other.then_some((to, ends))
        };
        let [owner, others] = [To::Owner, To::Others].map(of);
        let told = match (owner, others) {
            (Some((_, ends)), Some((_, same))) if ends == same => vec![(To::Everyone, ends)],
            (owner, others) => owner.into_iter().chain(others).collect(),
        };
        for (to, [before, after]) in told {
            let same = found
                .iter_mut()
                .find(|one| (one.to, &one.before, &one.after) == (to, &before, &after));
            match same {
                Some(one) => one.rights |= right,
                None => found.push(OtherEnds {
                    rights: right,
                    to,
                    before,
                    after,
                }),
            }
        }
    }
    found
}

/// When a right ends that is granted to the owner or to others: the ends that no other
/// outlasts. None, if it is not granted.
fn ends(said: &Said<'_>, right: Access, to: To) -> Vec<Ends> {
    let granted = match to {
        To::Others => said.allow,
        To::Owner | To::Everyone => said.all(),
    };
    if !granted.contains(right) {
        return Vec::new();
    }
    let is_for = |rule: &&&Rule| rule.allow.contains(right) && (to != To::Others || !rule.owner);
    let mut ends: Vec<Ends> = said
        .rules
        .iter()
        .filter(is_for)
        .map(|rule| rule.ends)
        .collect();
    // Metadata is granted without a rule.
    if ends.is_empty() {
        ends.push(Ends::NEVER);
    }
    ends.sort_unstable();
    ends.dedup();
    let all = ends.clone();
    ends.retain(|&one| !all.iter().any(|&other| other != one && lasts(other, one)));
    ends
}

/// Whether something of `one` is beyond all of `other`.
fn outlast(one: &[Ends], other: &[Ends]) -> bool {
    let is_within = |&end: &Ends| other.iter().any(|&longer| lasts(longer, end));
    !one.iter().all(is_within)
}

/// Whether what ends so lasts as long as what ends as the other.
fn lasts(one: Ends, other: Ends) -> bool {
    let covers = |one: u32, other: u32| one == 0 || other != 0 && one >= other;
    covers(one.until, other.until) && covers(one.within, other.within)
}
