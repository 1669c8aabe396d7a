//! What was observed of the profiles: for how long, and what was used of them meanwhile.
//!
//! That nobody uses something can be told only of the time in which it would have been seen:
//! while the agent ran with the profile, by a clock that nobody set.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use enforcer_abi::Hit;
use jiff::{SignedDuration, Timestamp};

use super::{Agent, log};
use crate::{store::Period, tighten::Usage};

/// How far the clock of the wall may get away from one that nobody sets, between two looks.
const APART: SignedDuration = SignedDuration::from_secs(2);

/// Since when the profiles are observed.
#[derive(Debug)]
pub(super) struct Observed {
    /// Of those that are loaded.
    periods: HashMap<String, Period>,
    /// When that was noted last, by the clock of the wall and by one that stands still while
    /// the machine sleeps.
    noted: (Timestamp, Instant),
}

impl Observed {
    /// Nothing is observed yet.
    pub(super) fn new() -> Self {
        Self {
            periods: HashMap::new(),
            noted: (Timestamp::now(), Instant::now()),
        }
    }

    /// Notes the time, and returns it. If the clock was set, all that was observed ends.
    fn now(&mut self) -> Timestamp {
        let (now, instant) = (Timestamp::now(), Instant::now());
        let (then, before) = self.noted;
        if is_set(then, now, instant.duration_since(before)) {
            self.periods.clear();
        }
        self.noted = (now, instant);
        now
    }
}

/// Whether a clock was set that went from `then` to `now` while so much time passed.
fn is_set(then: Timestamp, now: Timestamp, passed: Duration) -> bool {
    let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
    (now.duration_since(then) - passed).abs() > APART
}

impl Agent {
    /// Notes that the profiles that are loaded were observed until now, and what was used of
    /// them since the last call.
    pub(super) fn note_observed(&mut self) {
        let now = self.observed.now();
        let mut profiles = BTreeSet::new();
        let mut failed = BTreeSet::new();
        for (_, instance) in self.registry.iter_mut().filter(|(_, one)| !one.removed) {
            let profile = &instance.written.name;
            profiles.insert(profile.clone());
            let version = &instance.current;
            let (first, count) = (version.range.first, version.range.count);
            let taken = self.kernel.take_used(first, count);
            let looks = self.kernel.allow_looks(first, count);
            let (taken, looks) = match (taken, looks) {
                (Ok(taken), Ok(looks)) => (taken, looks),
                (Err(error), _) | (_, Err(error)) => {
                    log::problem("what is used is not known", &error);
                    failed.insert(profile.clone());
                    continue;
                }
            };
            let hits: Vec<Hit> = taken
                .into_iter()
                .map(|used| Hit {
                    used,
                    ..Hit::default()
                })
                .collect();
            let (effective, outcomes) = (&version.effective, &version.compiled.outcomes);
            let mut used = Usage::default();
            used.add(effective, outcomes, &hits);
            let cut = outcomes.iter().zip(looks).filter(|(_, is_out)| *is_out);
            let unseen: BTreeSet<&str> = cut
                .flat_map(|(outcome, _)| effective.rules_at(&outcome.granting))
                .map(|rule| rule.pattern.text())
                .collect();
            instance.carried.usage.merge(&used);
            if let Err(error) = self.store.note_used(profile, &used, &unseen, now) {
                log::problem("when rights were used is not kept", &error);
                failed.insert(profile.clone());
            }
        }
        // Of what is not known it cannot be said that it was not used.
        let is_seen = |profile: &str| profiles.contains(profile) && !failed.contains(profile);
        self.observed.periods.retain(|profile, _| is_seen(profile));
        for profile in profiles.iter().filter(|profile| is_seen(profile)) {
            let period = self.observed.periods.get(profile).copied();
            match self.store.observe(profile, period, now) {
                Ok(period) => {
                    self.observed.periods.insert(profile.clone(), period);
                }
                Err(error) => {
                    log::problem("how long a profile is observed is not kept", &error);
                    self.observed.periods.remove(profile);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::is_set;

    #[test]
    fn a_clock_that_leaps_was_set() {
        // Columns: from, to, what passed, all in seconds.
        let cases = [
            (100, 160, 60, false),
            (100, 162, 60, false),
            (100, 163, 60, true),
            (100, 158, 60, false),
            (100, 157, 60, true),
            (100, 90, 1, true),
            // The machine slept.
            (100, 4000, 1, true),
        ];
        for (then, now, passed, want) in cases {
            let at = |second| Timestamp::from_second(second).unwrap();
            let got = is_set(at(then), at(now), Duration::from_secs(passed));
            assert_eq!(got, want, "{then} {now} {passed}");
        }
    }
}
