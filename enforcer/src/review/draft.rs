//! A profile with what was accepted so far.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use enforcer_abi::Privilege;

use super::{Addition, addition};
use crate::{
    detection::{Detection, TighteningId},
    profile::{
        Compiled, Explanation, FormatError, Owner, Profile, ProfileError, Removal, Rule, Warning,
        compile_alone, explain, insert, lint, object_name,
    },
    tighten::{Overlay, OverlayState},
};

/// A profile's file, and what was accepted for it.
#[derive(Debug)]
pub struct Draft {
    file: PathBuf,
    abstractions: PathBuf,
    /// What the file says.
    before: String,
    /// Tightenings that hold.
    tightenings: Vec<Overlay>,
    /// What is to be added, with comments.
    added: Vec<(Addition, String)>,
    /// What all of it comes to.
    policy: Policy,
}

/// What a profile's text comes to.
#[derive(Debug)]
pub struct Policy {
    /// The text.
    pub text: String,
    /// What it says.
    pub written: Profile,
    /// What tightenings leave of that.
    pub effective: Profile,
    compiled: Compiled,
}

impl Draft {
    /// Begins with the text of `file`, which includes from the folder `abstractions`. Of the
    /// tightenings those count that hold for this profile.
    ///
    /// # Errors
    ///
    /// If it is no profile.
    pub fn new(
        text: String,
        file: PathBuf,
        abstractions: PathBuf,
        tightenings: &[Overlay],
    ) -> Result<Self, FormatError> {
        let profile = Profile::parse(&text, &file, &abstractions)?;
        let holds =
            |one: &&Overlay| one.profile == profile.name && one.state == OverlayState::Applied;
        let tightenings: Vec<Overlay> = tightenings.iter().filter(holds).cloned().collect();
        let policy = policy(text.clone(), profile, &tightenings)?;
        Ok(Self {
            file,
            abstractions,
            before: text,
            tightenings,
            added: Vec::new(),
            policy,
        })
    }

    /// The profile's file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What the file says.
    pub fn before(&self) -> &str {
        &self.before
    }

    /// What it comes to with what was accepted.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether anything was accepted.
    pub fn is_changed(&self) -> bool {
        !self.added.is_empty()
    }

    /// What it would come to with one rule more, which has this comment.
    ///
    /// # Errors
    ///
    /// If there is no such profile.
    pub fn with(&self, addition: &Addition, comment: &str) -> Result<Policy, FormatError> {
        let more = (addition.clone(), comment.to_owned());
        let added: Vec<_> = self.added.iter().chain([&more]).collect();
        let added = addition::text(&added);
        // From the file's text on, so that rules which are added together stand together.
        let text = insert(&self.before, &added, &self.file, &self.abstractions)?;
        let profile = Profile::parse(&text, &self.file, &self.abstractions)?;
        policy(text, profile, &self.tightenings)
    }

    /// Accepts a rule.
    ///
    /// # Errors
    ///
    /// If there is no such profile; nothing was accepted then.
    pub fn accept(&mut self, addition: Addition, comment: String) -> Result<(), FormatError> {
        self.policy = self.with(&addition, &comment)?;
        self.added.push((addition, comment));
        Ok(())
    }

    /// The tightenings without which what was refused would be granted.
    pub fn tightened(&self, detection: &Detection) -> Vec<TighteningId> {
        let name = object_name(&detection.path);
        let takes = |removal: &Removal| {
            let mut rules = self.policy.written.rules.iter();
            let access = removal.taken_of(&name);
            rules.any(|rule| {
                rule.pattern.text() == removal.pattern
                    && !(rule.allow & access & detection.missing).is_empty()
                    && rule.pattern.matches(&name)
            })
        };
        let tightenings = self.tightenings.iter();
        let of: Vec<TighteningId> = tightenings
            .filter(|one| one.removals.iter().any(takes))
            .map(|one| one.id)
            .collect();
        if of.is_empty() {
            return of;
        }
        let written = &self.policy.written;
        let without = policy(String::new(), written.clone(), &[]);
        if without.is_ok_and(|policy| policy.grants(detection)) {
            of
        } else {
            Vec::new()
        }
    }

    /// What `enforcer check` warns of now and did not before.
    ///
    /// # Errors
    ///
    /// If a profile is too large to be checked.
    pub fn warnings(&self) -> Result<Vec<Warning>, FormatError> {
        let before = Profile::parse(&self.before, &self.file, &self.abstractions)?;
        let known = warnings(&before)?;
        let known: HashSet<_> = known.iter().map(|one| kind(&before, one)).collect();
        let after = &self.policy.written;
        let mut new = warnings(after)?;
        new.retain(|one| !known.contains(&kind(after, one)));
        Ok(new)
    }
}

fn policy(text: String, written: Profile, tightenings: &[Overlay]) -> Result<Policy, FormatError> {
    let removals: Vec<Removal> = tightenings
        .iter()
        .flat_map(|one| one.removals.iter().cloned())
        .collect();
    let effective = written.without(&removals);
    let compiled = compile_alone(&effective).map_err(ProfileError::from)?;
    Ok(Policy {
        text,
        written,
        effective,
        compiled,
    })
}

fn warnings(profile: &Profile) -> Result<Vec<Warning>, FormatError> {
    Ok(lint(profile).map_err(ProfileError::from)?)
}

/// What a warning says, and of which rule: lines move.
fn kind<'a>(profile: &'a Profile, warning: &Warning) -> (&'static str, Option<&'a str>) {
    let mut rules = profile.rules.iter();
    let rule = rules.find(|rule: &&Rule| rule.origin == warning.origin);
    (warning.lint.code(), rule.map(|rule| rule.pattern.text()))
}

impl Policy {
    /// Whether it grants what was refused.
    pub fn grants(&self, detection: &Detection) -> bool {
        match &detection.privilege {
            Some(name) => Privilege::from_name(name)
                .is_some_and(|privilege| self.effective.privileges.contains(privilege)),
            None => self.explained(detection).missing.is_empty(),
        }
    }

    /// Why it grants or refuses what was refused, which is about an object with a name.
    pub fn explained(&self, detection: &Detection) -> Explanation<'_> {
        let Detection {
            path, requested, ..
        } = detection;
        // Who owned it is not told.
        explain(
            &self.effective,
            &self.compiled,
            *requested,
            &object_name(path),
            Owner::Other,
        )
    }
}
