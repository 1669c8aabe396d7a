//! A profile on its way.

use std::collections::BTreeSet;

use enforcer_abi::{Access, Privilege};

use super::{
    Generalisation, LearnError, Request, abstractions, existing,
    fold::{self, PathRule},
    networks::{self, NetworkRule},
    observe::Gathered,
    secrets,
    shapes::Kind,
    tree,
};
use crate::profile::{Compiled, Pattern, Profile, Rule};

/// What of a profile is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All of it.
    Whole,
    /// What is added to another.
    Added,
}

/// A profile on its way.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) include: Vec<abstractions::Included>,
    pub(super) rules: Vec<PathRule>,
    /// Rules on programs that go on in the profile.
    pub(super) exec: Vec<PathRule>,
    /// Patterns of secrets.
    pub(super) denied: Vec<String>,
    pub(super) privileges: BTreeSet<Privilege>,
    pub(super) networks: Vec<NetworkRule>,
    /// How many observations it is made of, and how many were left out.
    pub(super) count: usize,
    pub(super) left_out: usize,
    /// What exists that the rules admit, by their patterns.
    previews: Vec<(String, existing::Admitted)>,
}

/// A first plan: `wanted` of what was `kept` is to be granted.
pub(super) fn plan(
    request: &Request<'_>,
    kept: &Gathered,
    out: &Gathered,
    mut wanted: Gathered,
    with_base: bool,
) -> Result<Plan, LearnError> {
    let thresholds = &request.thresholds;
    let available = (request.abstractions, request.available);
    let include = abstractions::choose(&mut wanted, available, thresholds, with_base)?;
    let tree = tree::tree(&wanted.paths, thresholds.same_shape);
    let mut plan = Plan {
        include,
        privileges: wanted.privileges.clone(),
        networks: networks::rules(&wanted, thresholds)?,
        count: kept.count,
        left_out: out.count,
        ..Plan::default()
    };
    for mut rule in fold::rules(tree, thresholds, request.existing) {
        // Too long, with its bytes spelt out. It is told as what is not granted.
        if Pattern::parse(&rule.pattern()).is_err() {
            continue;
        }
        if rule.allow.contains(Access::EXECUTE) {
            plan.exec.push(PathRule {
                allow: Access::EXECUTE,
                ..rule.clone()
            });
            rule.allow = rule.allow & !tree::CODE;
        }
        if !rule.allow.is_empty() {
            plan.rules.push(rule);
        }
    }
    plan.denied = secrets::denied(&plan.rules, kept);
    Ok(plan)
}

impl Plan {
    /// Takes away rules on what was seen that wider ones grant.
    pub(super) fn drop_covered(
        &mut self,
        compile: &dyn Fn(&Self) -> Result<(Profile, Compiled), LearnError>,
    ) -> Result<(), LearnError> {
        let is_wide = |rule: &&PathRule| !rule.why.is_empty();
        let wide = Self {
            include: self.include.clone(),
            rules: self.rules.iter().filter(is_wide).cloned().collect(),
            ..Self::default()
        };
        let (_, compiled) = compile(&wide)?;
        self.rules.retain(|rule| {
            let is_needed =
                |path: &Vec<u8>| !abstractions::grants(&compiled, path, rule.allow, rule.is_owner);
            !rule.why.is_empty() || rule.paths.iter().any(is_needed)
        });
        Ok(())
    }

    /// Looks what exists that the rules admit.
    pub(super) fn preview(&mut self, kept: &Gathered, existing: &dyn existing::Existing) {
        let seen: BTreeSet<Vec<u8>> = kept.paths.keys().cloned().collect();
        let wide = self.rules.iter().chain(&self.exec);
        let wide = wide.filter(|rule| !rule.why.is_empty());
        let preview = |rule: &PathRule| {
            let pattern = rule.pattern();
            let admitted = existing::admitted(&pattern, &seen, existing)?;
            Some((pattern, admitted))
        };
        self.previews = wide.filter_map(preview).collect();
    }

    /// What exists that a rule admits.
    pub(super) fn admitted(&self, pattern: &str) -> Option<&existing::Admitted> {
        let mut previews = self.previews.iter();
        previews.find(|(of, _)| of == pattern).map(|(_, it)| it)
    }

    /// Takes away a rule of the profile that is one of these.
    pub(super) fn remove(&mut self, rule: &Rule) -> bool {
        let text = rule.pattern.text();
        let list = if rule.allow.contains(Access::EXECUTE) {
            &mut self.exec
        } else {
            &mut self.rules
        };
        let at = list.iter().position(|own| {
            let allow = own.allow.with_implied() & !Access::METADATA;
            own.pattern() == text && allow == rule.allow & !Access::METADATA
        });
        at.map(|at| list.remove(at)).is_some()
    }

    /// How many rules there are.
    pub(super) fn len(&self) -> usize {
        self.rules.len() + self.exec.len() + self.denied.len() + self.networks.len()
    }

    /// What is about more than what was seen.
    pub(super) fn generalisations(&self) -> Vec<Generalisation> {
        let wide = self.rules.iter().chain(&self.exec);
        let wide = wide.filter(|rule| !rule.why.is_empty());
        let paths = wide.map(|rule| Generalisation {
            pattern: rule.pattern(),
            why: rule.evidence(),
            admitted: self.admitted(&rule.pattern()).cloned(),
        });
        let networks = self.networks.iter().filter_map(|rule| {
            Some(Generalisation {
                pattern: rule.text.clone(),
                why: rule.why.clone()?,
                admitted: None,
            })
        });
        paths.chain(networks).collect()
    }
}

impl PathRule {
    /// The evidence for its being about more than what was seen.
    pub(super) fn evidence(&self) -> String {
        use fold::Why;
        let kinds = self.why.iter().filter_map(|why| match why {
            Why::Volatile(kind) => Some(kind),
            _ => None,
        });
        let kinds: Vec<String> = kinds.map(Kind::to_string).collect();
        let folds = self.why.iter().filter_map(|why| match why {
            Why::Volatile(_) => None,
            Why::MadeFolder => Some("a folder that it makes"),
            Why::MadeAll => Some("nothing of others beside it"),
            Why::Changes => Some("it changes many"),
            Why::Makes => Some("it makes many"),
            Why::Reads => Some("it reads many"),
            Why::Lists => Some("it lists the folder"),
        });
        let kinds = (!kinds.is_empty()).then(|| kinds.join(" "));
        let folds: Vec<&str> = kinds.iter().map(String::as_str).chain(folds).collect();
        let example = self.paths.last().map(Vec::as_slice).unwrap_or_default();
        format!(
            "{}: {} seen, such as {}",
            folds.join(", "),
            self.paths.len(),
            String::from_utf8_lossy(example)
        )
    }
}
