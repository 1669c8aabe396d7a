//! AppArmor's abstractions as ours, so that a profile says what makes it this one, and what
//! all have in common stands once.
//!
//! Ours have rules on paths and programs only, so privileges stay in each profile; and so do
//! networks, of which few rules come where a profile and what it includes have many.

use std::sync::Arc;

use super::convert::{Imported, Made, names::plain};

/// The folder of AppArmor's.
const FOLDER: &str = "abstractions/";

/// An abstraction of ours that came of one of AppArmor's.
#[derive(Clone, Debug)]
pub struct Abstraction {
    /// Its name.
    pub name: String,
    /// AppArmor's, from the folder of includes.
    pub from: Arc<str>,
    /// Its rules.
    pub rules: Vec<Made>,
}

/// What profiles have in common.
#[derive(Clone, Debug, Default)]
pub struct Sharing {
    /// The abstractions, in the order in which profiles include them.
    pub abstractions: Vec<Abstraction>,
}

impl Sharing {
    /// What those of `profiles` that include an abstraction all have of it.
    pub fn of(profiles: &[&Imported]) -> Self {
        let mut abstractions: Vec<Abstraction> = Vec::new();
        for profile in profiles {
            for made in profile.made.iter().filter(|made| can_be_shared(made)) {
                let Some(from) = &made.from else { continue };
                if !abstractions.iter().any(|known| known.from == *from) {
                    abstractions.push(Abstraction::of(from, profiles));
                }
            }
        }
        abstractions.retain(|one| !one.rules.is_empty());
        // Where two would have one name, the second stays in its profiles.
        let mut names = Vec::new();
        abstractions.retain(|one| {
            let is_new = !names.contains(&one.name);
            names.push(one.name.clone());
            is_new
        });
        Self { abstractions }
    }

    /// Whether a rule is in an abstraction.
    pub(super) fn has(&self, made: &Made) -> bool {
        let mut abstractions = self.abstractions.iter();
        can_be_shared(made) && abstractions.any(|one| one.has(made))
    }

    /// The abstractions that a profile includes.
    pub(super) fn included(&self, profile: &Imported) -> impl Iterator<Item = &str> {
        let included = self.abstractions.iter();
        let included = included.filter(|one| profile.made.iter().any(|made| one.has(made)));
        included.map(|one| one.name.as_str())
    }
}

impl Abstraction {
    fn of(from: &Arc<str>, profiles: &[&Imported]) -> Self {
        let of_profile = |profile: &Imported| -> Vec<Made> {
            let made = profile.made.iter();
            let made = made.filter(|made| made.from.as_ref() == Some(from) && can_be_shared(made));
            made.cloned().collect()
        };
        let mut all = profiles.iter().map(|profile| of_profile(profile));
        let mut rules = all.find(|rules| !rules.is_empty()).unwrap_or_default();
        for others in all.filter(|others| !others.is_empty()) {
            rules.retain(|made| others.iter().any(|other| is_same(made, other)));
        }
        let name = from.strip_prefix(FOLDER).unwrap_or(from);
        Self {
            name: plain(&format!("apparmor-{name}")),
            from: Arc::clone(from),
            rules,
        }
    }

    /// The name of its file.
    pub fn file_name(&self) -> String {
        format!("{}.yaml", self.name)
    }

    fn has(&self, made: &Made) -> bool {
        made.from.as_ref() == Some(&self.from) && self.rules.iter().any(|one| is_same(one, made))
    }
}

/// Whether a rule depends on nothing but the abstraction, as far as can be seen in it alone.
fn can_be_shared(made: &Made) -> bool {
    let is_of_abstraction = made
        .from
        .as_ref()
        .is_some_and(|from| from.starts_with(FOLDER));
    is_of_abstraction && !made.cut
}

/// Whether two rules of one file say the same.
fn is_same(one: &Made, other: &Made) -> bool {
    (&one.pattern, &one.kind) == (&other.pattern, &other.kind)
        && (one.owner, one.told) == (other.owner, other.told)
}
